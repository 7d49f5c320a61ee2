// SPDX-License-Identifier: Apache-2.0
#include "engine/report.h"

#include "base/num.h"
#include "model/fault.h"
#include "wire/notice.h"

// true: the session goes on.
static bool touch(struct worker *worker, struct snapshot *snapshot, const struct hit *hit, int64_t now_ms)
{
    int64_t at_ms = num_sub_sat(now_ms, hit->ago_ms);
    uint32_t count = (uint32_t)num_min(hit->count, UINT32_MAX);
    if (snapshot != NULL && snapshot->shadow != NULL) {
        (void)session_touch(snapshot->shadow->sessions, hit->ref, count, at_ms, now_ms);
    }
    return session_touch(worker->engine->sessions, hit->ref, count, at_ms, now_ms);
}

bool report_answer(struct worker *worker, struct snapshot *snapshot, const struct peer *peer,
                   const struct value *list, int64_t now_ms, struct emit *emit)
{
    struct hit *hits = NULL;
    size_t count = 0, ended = 0;
    if ((peer->grants & GRANT_ASK) == 0) {
        (void)fault_set(&worker->fault, "peer", "may not ask questions; give it the grant `ask`");
        return false;
    }
    if (hits_read(list, &worker->arena, &hits, &count) != PDP_ERR_OK) {
        (void)fault_set(&worker->fault, "hits",
                        "is a list of 1 to 500 maps with `ref`, `count` above 0 and `ago` in milliseconds");
        return false;
    }
    struct str *over = ARENA_ARRAY(&worker->arena, struct str, count);
    if (over == NULL) {
        (void)fault_set(&worker->fault, "hits", "take more memory than a message may");
        return false;
    }
    for (size_t i = 0; i < count; i++) {
        if (!touch(worker, snapshot, &hits[i], now_ms)) {
            over[ended++] = hits[i].ref;
        }
    }
    emit_map(emit, EMIT_FEW);
    emit_key(emit, STR("hits"));
    emit_map(emit, EMIT_FEW);
    emit_key_int(emit, "touched", (int64_t)(count - ended));
    emit_texts(emit, STR("ended"), over, ended);
    emit_end(emit);
    emit_end(emit);
    return true;
}
