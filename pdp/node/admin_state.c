// SPDX-License-Identifier: Apache-2.0
// What lasts: the store as the status shows it, and the keys of session ids.
#include "node/admin_ops.h"

enum {
    KEYS_MOST = SESSION_KEYS
};

void admin_put_state(const struct admin_status *status, struct emit *emit)
{
    static const char *const TABLES[] = ADMIN_STATE_TABLES;
    const struct admin_state *state = &status->state;
    emit_key(emit, STR("state"));
    if (state->path == NULL) {
        emit_null(emit);
        return;
    }
    emit_map(emit, EMIT_FEW);
    emit_key_str(emit, "path", str_of(state->path));
    for (size_t i = 0; i < COUNT_OF(TABLES); i++) {
        admin_count(emit, TABLES[i], state->rows[i]);
    }
    admin_count(emit, "bytes", state->bytes);
    admin_count(emit, "journal", state->head);
    admin_count(emit, "durable", state->durable);
    admin_count(emit, "waiting", state->waiting);
    admin_count(emit, "waiting_bytes", state->waiting_bytes);
    admin_count(emit, "commits", state->commits);
    admin_count(emit, "syncs", state->syncs);
    admin_count(emit, "sync_us", state->syncs != 0 ? state->sync_ns / state->syncs / 1000 : 0);
    admin_count(emit, "sync_most_us", state->sync_most_ns / 1000);
    admin_count(emit, "failed", state->failed);
    emit_key_bool(emit, "failing", state->failing);
    if (state->last_error != NULL && state->last_error[0] != '\0') {
        emit_key_str(emit, "last_error", str_of(state->last_error));
    }
    emit_end(emit);
}

// Nothing where there is none.
void admin_put_webhooks(const struct admin_status *status, struct emit *emit)
{
    if (status->webhook_count == 0) {
        return;
    }
    emit_key(emit, STR("webhooks"));
    emit_list(emit, status->webhook_count);
    for (size_t i = 0; i < status->webhook_count; i++) {
        const struct admin_webhook *hook = &status->webhooks[i];
        emit_map(emit, EMIT_FEW);
        emit_key_str(emit, "url", str_of(hook->url));
        admin_count(emit, "delivered", hook->delivered);
        admin_count(emit, "failures", hook->failures);
        admin_count(emit, "refused", hook->refused);
        admin_count(emit, "given_up", hook->given_up);
        admin_count(emit, "waiting", hook->waiting);
        emit_key_bool(emit, "behind", hook->behind);
        emit_key_bool(emit, "failing", hook->failing);
        if (hook->error[0] != '\0') {
            emit_key_str(emit, "last_error", str_of(hook->error));
        }
        emit_end(emit);
    }
    emit_end(emit);
}

bool admin_reason(struct admin_call *call, struct str *reason)
{
    *reason = str_trim(admin_text(call->root, "reason"));
    if (reason->len != 0 && reason->len <= ADMIN_REASON_MAX) {
        return true;
    }
    admin_fail(call->emit, "a `reason` of 1 to 500 bytes is required");
    return false;
}

static const char NOTHING_KEPT[] = "there is no state folder: keys are drawn at each start; see `--state`";

void admin_key_list(struct admin_call *call)
{
    struct admin_key keys[KEYS_MOST];
    const struct admin_host *host = &call->admin->host;
    size_t count = host->keys(host->user, keys, COUNT_OF(keys));
    if (count == 0) {
        admin_fail(call->emit, NOTHING_KEPT);
        return;
    }
    emit_map(call->emit, EMIT_FEW);
    emit_key_bool(call->emit, "ok", true);
    emit_key(call->emit, STR("keys"));
    emit_list(call->emit, count);
    for (size_t i = 0; i < count; i++) {
        emit_map(call->emit, EMIT_FEW);
        admin_count(call->emit, "key", keys[i].number);
        emit_key_bool(call->emit, "new", keys[i].newest);
        admin_count(call->emit, "sessions", keys[i].uses);
        emit_end(call->emit);
    }
    emit_end(call->emit);
    emit_end(call->emit);
}

void admin_key_rotate(struct admin_call *call)
{
    struct str reason, why = {0};
    unsigned number = 0;
    const struct admin_host *host = &call->admin->host;
    if (!admin_reason(call, &reason)) {
        return;
    }
    enum pdp_err err = host->rotate_keys(host->user, node_asking_peer(call->asking), reason, &number, &why);
    if (err == PDP_ERR_UNSUPPORTED) {
        admin_fail(call->emit, NOTHING_KEPT);
        return;
    }
    emit_map(call->emit, EMIT_FEW);
    emit_key_bool(call->emit, "ok", err == PDP_ERR_OK);
    if (err == PDP_ERR_OK) {
        admin_count(call->emit, "key", number);
    } else {
        emit_key_str(call->emit, "error", why.len != 0 ? why : str_of(pdp_err_text(err)));
    }
    emit_end(call->emit);
}
