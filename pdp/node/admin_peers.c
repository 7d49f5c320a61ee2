// SPDX-License-Identifier: Apache-2.0
// Operations on peers, and on what they prove themselves by.
#include "node/admin_ops.h"

#include <stdio.h>

void admin_reload_certs(struct admin_call *call)
{
    char why[ADMIN_WHY_MAX] = "";
    struct admin_status status = {0};
    const struct admin_host *host = &call->admin->host;
    if (!host->reload_certs(host->user, why)) {
        admin_fail(call->emit, why);
        return;
    }
    host->status(host->user, &status);
    emit_map(call->emit, EMIT_FEW);
    emit_key_bool(call->emit, "ok", true);
    admin_put_certificates(&status, call->emit);
    emit_end(call->emit);
}
