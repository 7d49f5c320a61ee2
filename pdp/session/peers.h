// SPDX-License-Identifier: Apache-2.0
// How many sessions each peer may still begin by first sight: a bounded table, whatever names come.
#ifndef SESSION_PEERS_H
#define SESSION_PEERS_H

#include "base/err.h"

#include <pthread.h>

#define PEERS_MAX 1024

struct peer_credit {
    uint64_t peer;
    int64_t at_ms;  // of the last change; 0 with credit 0: a free place
    int64_t credit; // creations times 60,000
};

struct peers {
    pthread_mutex_t lock;
    uint32_t per_minute; // 0: no limit
    struct peer_credit slots[PEERS_MAX];
    struct peer_credit others; // shared by all that found no place of their own
};

void peers_init(struct peers *peers, uint32_t per_minute);
void peers_fini(struct peers *peers);
// Takes one creation off the peer's credit; false: none is left. Credit fills evenly, up to a minute's worth,
// and never while the clock steps back.
MUST_USE bool peers_take(struct peers *peers, uint64_t peer, int64_t now_ms);
// Gives one back that was not used after all.
void peers_give(struct peers *peers, uint64_t peer);

#endif
