// SPDX-License-Identifier: Apache-2.0
// Operations on what is known of a user.
#include "node/admin_ops.h"

#include "engine/controls.h"
#include "engine/forget.h"

// What gateways keep may rest on a device that was remembered, or on what was learned.
static void drop_answers(struct admin_call *call)
{
    engine_controls_tell(call->admin->engine);
    admin_order(call, NULL, 0, true);
}

const char *const ADMIN_NOBODY =
    "nothing is known of this subject: look at its `tenant` and `type` (user, where "
    "none is said)";

bool admin_whom(struct admin_call *call, const char *missing, struct admin_whom *out)
{
    struct str type = admin_text(call->root, "type");
    *out = (struct admin_whom){admin_text(call->root, "tenant"), type.len > 0 ? type : STR("user"),
                               admin_text(call->root, "subject")};
    if (out->id.len == 0 || out->id.len > REQUEST_ID_MAX) {
        admin_fail(call->emit, missing);
        return false;
    }
    return true;
}

struct session_key admin_whom_key(const struct admin_call *call, const struct admin_whom *whom)
{
    return session_key_of(engine_sessions(call->admin->engine), 0, whom->tenant, whom->type, whom->id,
                          STR(""));
}

void admin_forget_devices(struct admin_call *call)
{
    struct session_table *table = engine_sessions(call->admin->engine);
    struct str reason;
    struct admin_whom whom;
    uint64_t seq = 0;
    size_t count = 0;
    if (!admin_reason(call, &reason) ||
        !admin_whom(call, "`subject` is missing: whose devices are forgotten", &whom)) {
        return;
    }
    if (!admin_wait_right(call)) {
        admin_fail(call->emit, ADMIN_WAIT_WRONG);
        return;
    }
    struct session_key key = admin_whom_key(call, &whom);
    if (!session_forget_devices(table, &key, &count, &seq)) {
        admin_fail(call->emit, ADMIN_NOBODY);
        return;
    }
    admin_await(call, seq);
    emit_map(call->emit, EMIT_FEW);
    emit_key_bool(call->emit, "ok", true);
    emit_key_str(call->emit, "subject", whom.id);
    admin_count(call->emit, "devices", count);
    drop_answers(call);
    emit_end(call->emit);
}

void admin_user_forget(struct admin_call *call)
{
    struct str reason;
    struct admin_whom whom;
    struct engine_forgotten forgotten;
    bool devices = admin_true(call->root, "devices");
    if (!admin_reason(call, &reason) ||
        !admin_whom(call, "`subject` is missing: of whom is forgotten what was learned", &whom)) {
        return;
    }
    if (!admin_wait_right(call)) {
        admin_fail(call->emit, ADMIN_WAIT_WRONG);
        return;
    }
    if (!engine_forget_user(call->admin->engine, whom.tenant, whom.type, whom.id, devices, &forgotten)) {
        admin_fail(call->emit, ADMIN_NOBODY);
        return;
    }
    admin_await(call, forgotten.seq);
    emit_map(call->emit, EMIT_FEW);
    emit_key_bool(call->emit, "ok", true);
    emit_key_str(call->emit, "subject", whom.id);
    admin_count(call->emit, "values", forgotten.values);
    if (devices) {
        admin_count(call->emit, "devices", forgotten.devices);
    }
    drop_answers(call);
    emit_end(call->emit);
}
