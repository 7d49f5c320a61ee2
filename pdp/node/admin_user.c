// SPDX-License-Identifier: Apache-2.0
// Operations on what is known of a user.
#include "node/admin_ops.h"

#include "engine/controls.h"

// What gateways keep may rest on a device that was remembered.
static void drop_answers(struct admin_call *call)
{
    engine_controls_tell(call->admin->engine);
    admin_order(call, NULL, 0, true);
}

void admin_forget_devices(struct admin_call *call)
{
    struct session_table *table = engine_sessions(call->admin->engine);
    struct str subject = admin_text(call->root, "subject"), type = admin_text(call->root, "type"), reason;
    uint64_t seq = 0;
    size_t count = 0;
    if (!admin_reason(call, &reason)) {
        return;
    }
    if (subject.len == 0 || subject.len > REQUEST_ID_MAX || !admin_wait_right(call)) {
        admin_fail(call->emit, admin_wait_right(call) ? "`subject` is missing: whose devices are forgotten"
                                                      : ADMIN_WAIT_WRONG);
        return;
    }
    struct session_key key = session_key_of(table, 0, admin_text(call->root, "tenant"),
                                            type.len > 0 ? type : STR("user"), subject, STR(""));
    if (!session_forget_devices(table, &key, &count, &seq)) {
        admin_fail(call->emit,
                   "nothing is known of this subject: look at its `tenant` and `type` (user, where "
                   "none is said)");
        return;
    }
    admin_await(call, seq);
    emit_map(call->emit, EMIT_FEW);
    emit_key_bool(call->emit, "ok", true);
    emit_key_str(call->emit, "subject", subject);
    admin_count(call->emit, "devices", count);
    drop_answers(call);
    emit_end(call->emit);
}
