// SPDX-License-Identifier: Apache-2.0
// Locks by a condition, and policies that no longer understand one.
#include "daemon/log.h"
#include "daemon/server/server_inner.h"

#include "engine/condition.h"

#include <stdio.h>

static const size_t MISTAKES_MOST = 100;

static void log_unfit(const struct diags *diags)
{
    for (size_t i = 0; i < diags->count; i++) {
        AUTO(buf_fini) struct buf text = {0};
        struct log_line line;
        buf_str(&text, diags->list[i].message);
        buf_byte(&text, '\0');
        log_begin(&line, LOG_LEVEL_ERROR, "lock_unfit");
        if (diags->list[i].place.src != NULL) {
            AUTO(buf_fini) struct buf name = {0};
            buf_str(&name, diags->list[i].place.src->name);
            buf_byte(&name, '\0');
            log_text(&line, "lock", name.failed ? "" : (const char *)name.at);
        }
        log_text(&line, "message", text.failed ? "" : (const char *)text.at);
        log_end(&line);
    }
}

static void refuse(struct compiled *compiled, struct diags *diags)
{
    snapshot_free(&compiled->snapshot);
    compiled->errors += diags->errors;
    compiled->refusal = compiled->bundle.name[0] != '\0' ? SERVED_POLICIES : compiled->refusal;
    snprintf(
        compiled->error, sizeof compiled->error,
        "a lock by a condition is not understood by these policies: lift the lock, or mend the policies");
    diags_render(diags, &compiled->diagnostics);
}

void server_locks_judge(struct server *server, struct compiled *compiled)
{
    struct diags diags;
    if (compiled->snapshot == NULL || compiled->lists) {
        return;
    }
    bool serves = engine_policy_epoch(server->engine) != 0;
    diags_init(&diags, MISTAKES_MOST);
    if (!engine_conditions_fit(server->engine, compiled->snapshot, &diags)) {
        log_unfit(&diags);
        if (serves) {
            refuse(compiled, &diags);
        }
    }
    diags_fini(&diags);
}
