// SPDX-License-Identifier: Apache-2.0
// HOT
#include "node/decide.h"

static const size_t LOOK_COST = 450; // bytes: what one item of a batch takes

// What was answered tells of something that is not durable yet: a session's end, an issuer's word.
static enum node_outcome hold_back(struct decide *decide, struct node_asking *asking, uint64_t seq,
                                   size_t start, struct buf *out)
{
    struct buf refusal = {0};
    worker_unsaved(decide->worker, &refusal);
    struct str answer = {(const char *)out->at + start, out->len - start};
    bool parked = !out->failed && !refusal.failed &&
                  gate_park(decide->gate, asking, seq, answer, buf_view(&refusal)) == PDP_ERR_OK;
    out->len = start;
    if (!parked) {
        buf_str(out, buf_view(&refusal));
    }
    buf_fini(&refusal);
    return parked ? NODE_PARKED : NODE_DONE;
}

static enum node_outcome decide_message(void *user, struct node_asking *asking, struct str message,
                                        struct buf *out)
{
    struct decide *decide = user;
    size_t start = out->len;
    worker_waited(decide->worker, node_asking_waited_ms(asking), node_asking_queue_ms(asking));
    engine_answer(decide->worker, node_asking_peer(asking), message, node_asking_now(asking).wall_ms, out);
    node_asking_charge(asking, worker_looked(decide->worker) * LOOK_COST);
    uint64_t seq = worker_awaits(decide->worker);
    return gate_holds(decide->gate, seq) ? hold_back(decide, asking, seq, start, out) : NODE_DONE;
}

struct node_handler decide_handler(struct decide *decide)
{
    return (struct node_handler){.answer = decide_message, .user = decide};
}
