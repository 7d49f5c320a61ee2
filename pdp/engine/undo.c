// SPDX-License-Identifier: Apache-2.0
// HOT
#include "engine/undo.h"

#include <stdlib.h>

enum pdp_err undo_new(size_t most, struct undo **out)
{
    *out = calloc(1, sizeof **out + most * sizeof(struct undo_span));
    return *out != NULL ? PDP_ERR_OK : PDP_ERR_NOMEM;
}

enum pdp_err undo_copy(const struct undo *undo, struct undo **out)
{
    *out = NULL;
    if (undo == NULL) {
        return PDP_ERR_OK;
    }
    TRY(undo_new(undo->count, out));
    (*out)->count = undo->count;
    memcpy((*out)->spans, undo->spans, undo->count * sizeof undo->spans[0]);
    return PDP_ERR_OK;
}

void undo_free(struct undo **undo)
{
    free(STEAL(*undo));
}

static bool within(const struct undo_span *span, uint32_t at_s)
{
    return at_s >= span->from_s && at_s <= span->to_s;
}

// Not known which of several: it may have been this one.
static bool spoke(const struct undo_span *span, uint16_t mark)
{
    return mark == session_peer_mark(span->peer) || mark == SESSION_PEERS_SEVERAL;
}

// Proofs of a login are no later than the login; what came later was proved since.
static bool undo_proofs(const struct undo_span *span, bool all, struct session_record *session)
{
    bool any = all;
    for (size_t i = 0; i < SESSION_PROOFS; i++) {
        struct session_proof *proof = &session->proofs[i];
        bool since = proof->at_s >= session->vouched_s && within(span, proof->at_s);
        if (proof->name != 0 && (all || since)) {
            *proof = (struct session_proof){0};
            any = true;
        }
    }
    return any;
}

uint8_t undo_session(const struct undo_span *span, struct session_record *session)
{
    uint8_t found = 0;
    bool id = session->gateway == span->gateway && session->gateway != 0 && session->id_since_ms != 0 &&
              within(span, (uint32_t)num_max(0, num_min(session->id_since_ms / TIME_MS_PER_S, UINT32_MAX)));
    if (id || (spoke(span, session->voucher) && within(span, session->vouched_s))) {
        found |= SESSION_UNDONE_AUTH;
    }
    bool all = (found & SESSION_UNDONE_AUTH) != 0;
    if ((all || spoke(span, session->prover)) && undo_proofs(span, all, session)) {
        found |= SESSION_UNDONE_PROOFS;
        session->acr_len = session->amr_len = 0;
        risk_undo_proof(session->risk);
    }
    session->undone |= found;
    return found;
}

size_t undo_user(const struct undo_span *span, struct user_record *user)
{
    size_t count = 0;
    for (size_t i = 0; i < USER_DEVICES; i++) {
        struct user_device *device = &user->devices[i];
        if (device->fingerprint == 0 || user->device_by[i] != (uint32_t)span->peer) {
            continue;
        }
        if (device->until_s != 0 && within(span, device->since_s)) {
            device->since_s = device->until_s = 0;
            count++;
        }
        if (within(span, device->first_s)) {
            *device = (struct user_device){0};
        }
    }
    return count;
}

void undo_apply(struct ask *ask)
{
    const struct undo *undo = ask->worker->undo;
    for (size_t i = 0; undo != NULL && i < undo->count; i++) {
        if (ask->known && ask->session.state != SESSION_TERMINATED) {
            (void)undo_session(&undo->spans[i], &ask->session);
        }
        (void)undo_user(&undo->spans[i], &ask->user);
    }
}
