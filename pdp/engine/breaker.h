// SPDX-License-Identifier: Apache-2.0
// The breaker: where policies end more than a share of the live sessions within five minutes, they deny
// instead. What analysts end and what expires does not count.
#ifndef ENGINE_BREAKER_H
#define ENGINE_BREAKER_H

#include "base/err.h"

#include <stdatomic.h>

#define BREAKER_WINDOW_MS INT64_C(300000)
#define BREAKER_PARTS 10 // of the window; the one that is partly in it counts whole

struct breaker {
    uint32_t percent; // of live sessions; 0: there is no breaker
    uint64_t least;   // so many may end in any case
    _Atomic uint64_t
        parts[BREAKER_PARTS + 1]; // number of the part of time, and what ended in it: 32 bits each
};

// A policy ends a session, of `live`: may it? Counted either way, so that the breaker holds until it is calm.
// Any thread; no lock.
bool breaker_allows(struct breaker *breaker, uint64_t live, int64_t now_ms);
// How many were to end in the window; above `limit` for `live` sessions the breaker holds.
uint64_t breaker_count(const struct breaker *breaker, int64_t now_ms);
bool breaker_holds(const struct breaker *breaker, uint64_t live, int64_t now_ms);
void breaker_reset(struct breaker *breaker);

#endif
