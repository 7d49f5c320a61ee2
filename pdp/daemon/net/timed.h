// SPDX-License-Identifier: Apache-2.0
// A handler whose answers are timed, one of many: two readings of the clock are a twentieth of a decision.
#ifndef DAEMON_NET_TIMED_H
#define DAEMON_NET_TIMED_H

#include "base/histogram.h"
#include "node/node.h"

#define TIMED_EVERY 16 // answers for one that is timed

struct timed {
    struct node_handler inner;
    struct histogram took; // any thread may read
    uint32_t turn;
};

// `timed` outlives the handler, which is for one thread.
struct node_handler timed_handler(struct timed *timed, struct node_handler inner);

#endif
