// SPDX-License-Identifier: Apache-2.0
// What was served here, and going back to it.
#include "node/admin_ops.h"

static const size_t TO_MAX = 80;

void admin_put_rolled(const struct admin_status *status, struct emit *emit)
{
    const struct admin_rolled *rolled = &status->rolled;
    if (rolled->at_ms == 0) {
        return;
    }
    emit_key(emit, STR("rolled_back"));
    emit_map(emit, EMIT_FEW);
    emit_key_str(emit, "from", str_of(rolled->from));
    emit_key_str(emit, "to", str_of(rolled->to));
    admin_time(emit, "at", rolled->at_ms);
    emit_key_str(emit, "by", str_of(rolled->by));
    emit_key_str(emit, "reason", str_of(rolled->reason));
    emit_end(emit);
}

static void put_served(void *user, const struct admin_served *one)
{
    struct emit *emit = user;
    emit_map(emit, EMIT_FEW);
    admin_time(emit, "since", one->since_ms);
    admin_time(emit, "until", one->until_ms);
    emit_key_str(emit, "snapshot", str_of(one->snapshot));
    emit_key_str(emit, "sources", str_of(one->sources));
    if (one->name[0] != '\0') {
        emit_key_str(emit, "name", str_of(one->name));
        emit_key_int(emit, "version", one->version);
    }
    admin_count(emit, "bytes", one->bytes);
    emit_key_str(emit, "by", str_of(one->by));
    if (one->reason[0] != '\0') {
        emit_key_str(emit, "reason", str_of(one->reason));
    }
    emit_key_bool(emit, "kept", one->kept);
    emit_end(emit);
}

void admin_served_list(struct admin_call *call)
{
    const struct admin_host *host = &call->admin->host;
    emit_map(call->emit, 2);
    emit_key_bool(call->emit, "ok", true);
    emit_key(call->emit, STR("served"));
    emit_list(call->emit, SIZE_MAX);
    if (host->served != NULL) {
        host->served(host->user, put_served, call->emit);
    }
    emit_end(call->emit);
    emit_end(call->emit);
}

void admin_rollback(struct admin_call *call)
{
    const struct admin_host *host = &call->admin->host;
    struct str to = admin_text(call->root, "to"), reason;
    struct admin_waiting *place = NULL;
    const char *why = "this daemon keeps nothing that was served";
    if (to.len == 0 || to.len > TO_MAX) {
        admin_fail(call->emit, "`to` is a digest, a time, or how many servings to go back");
        return;
    }
    struct admin_taking taking;
    if (!admin_taking(call, &taking) || (!taking.preview && !admin_reason(call, &reason))) {
        return;
    }
    reason = taking.preview ? (struct str){0} : reason;
    uint64_t number = host->rollback != NULL ? host->rollback(host->user, node_asking_peer(call->asking), to,
                                                              reason, taking, &why)
                                             : 0;
    if (number == 0) {
        admin_fail(call->emit, why);
    } else if (admin_wait_compile(call, &place)) {
        place->number = number;
    }
}
