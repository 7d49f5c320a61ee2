// SPDX-License-Identifier: Apache-2.0
// Operations on peers, and on what they prove themselves by.
#include "node/admin_ops.h"

#include "engine/quarantine.h"

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

// ---- Quarantine ----------------------------------------------------------------------------------

static void put_quarantined(void *user, const struct quarantined *who)
{
    struct emit *emit = user;
    if (who->at_ms == 0) {
        return;
    }
    emit_map(emit, EMIT_FEW);
    emit_key_str(emit, "peer", who->peer);
    admin_time(emit, "since", who->at_ms);
    emit_key_str(emit, "by", who->by);
    emit_key_str(emit, "reason", who->reason);
    emit_end(emit);
}

static void put_undone(void *user, const struct quarantined *who)
{
    struct emit *emit = user;
    for (size_t i = 0; i < who->span_count; i++) {
        const struct quarantine_span *span = &who->spans[i];
        emit_map(emit, EMIT_FEW);
        emit_key_str(emit, "peer", who->peer);
        admin_time(emit, "from", span->from_ms);
        admin_time(emit, "until", span->to_ms == INT64_MAX ? 0 : span->to_ms);
        emit_end(emit);
    }
}

void admin_peer_list(struct admin_call *call)
{
    emit_map(call->emit, EMIT_FEW);
    emit_key_bool(call->emit, "ok", true);
    emit_key(call->emit, STR("quarantined"));
    emit_list(call->emit, SIZE_MAX);
    engine_quarantine_each(call->admin->engine, put_quarantined, call->emit);
    emit_end(call->emit);
    emit_key(call->emit, STR("undone"));
    emit_list(call->emit, SIZE_MAX);
    engine_quarantine_each(call->admin->engine, put_undone, call->emit);
    emit_end(call->emit);
    emit_end(call->emit);
}

static void done(struct admin_call *call, struct str peer, enum pdp_err err)
{
    if (err != PDP_ERR_OK) {
        admin_fail(call->emit, err == PDP_ERR_UNKNOWN ? "this peer is not in quarantine"
                               : err == PDP_ERR_RANGE ? "a peer in quarantine has a name of at most 58 bytes"
                                                      : pdp_err_text(err));
        return;
    }
    emit_map(call->emit, EMIT_FEW);
    emit_key_bool(call->emit, "ok", true);
    emit_key_str(call->emit, "peer", peer);
    emit_end(call->emit);
}

void admin_peer_quarantine(struct admin_call *call)
{
    struct quarantined who = {.peer = admin_text(call->root, "peer"),
                              .reason = str_trim(admin_text(call->root, "reason")),
                              .by = node_asking_peer(call->asking)->name,
                              .at_ms = node_asking_now(call->asking).wall_ms};
    if (who.reason.len == 0 && admin_true(call->root, "dry_run")) {
        who.reason = STR("preview");
    }
    if (who.peer.len == 0 || who.reason.len == 0 || who.reason.len > ADMIN_REASON_MAX) {
        admin_fail(call->emit, "a `peer` and a `reason` of 1 to 500 bytes are required");
        return;
    }
    struct admin_undo job;
    const char *wrong = admin_undo_read(call, who.peer, &job);
    enum pdp_err err = PDP_ERR_OK;
    if (wrong != NULL) {
        admin_fail(call->emit, wrong);
        return;
    }
    if (!job.dry_run) {
        err = engine_quarantine_add(call->admin->engine, &who, job.since_ms, &call->awaits);
    }
    if (err != PDP_ERR_OK || job.since_ms == 0 || !admin_undo_begin(call, &job)) {
        done(call, who.peer, err);
    }
}

void admin_peer_release(struct admin_call *call)
{
    struct str peer = admin_text(call->root, "peer");
    done(call, peer,
         engine_quarantine_remove(call->admin->engine, peer, node_asking_now(call->asking).wall_ms,
                                  &call->awaits));
}
