// SPDX-License-Identifier: Apache-2.0
#include "daemon/net/timed.h"

#include "daemon/clock.h"

static enum node_outcome answer(void *user, struct node_asking *asking, struct str message, struct buf *out)
{
    struct timed *timed = user;
    if (++timed->turn % TIMED_EVERY != 0) {
        return timed->inner.answer(timed->inner.user, asking, message, out);
    }
    uint64_t from_ns = clock_steady_ns();
    enum node_outcome outcome = timed->inner.answer(timed->inner.user, asking, message, out);
    histogram_add(&timed->took, clock_steady_ns() - from_ns);
    return outcome;
}

struct node_handler timed_handler(struct timed *timed, struct node_handler inner)
{
    timed->inner = inner;
    return (struct node_handler){.answer = answer, .user = timed};
}
