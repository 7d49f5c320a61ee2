// SPDX-License-Identifier: Apache-2.0
// HOT
#include "engine/breaker.h"

static const int64_t PART_MS = BREAKER_WINDOW_MS / BREAKER_PARTS;

static uint64_t part_of(int64_t now_ms)
{
    return (uint64_t)(now_ms > 0 ? now_ms / PART_MS : 0) & UINT32_MAX;
}

static void count(struct breaker *breaker, int64_t now_ms)
{
    uint64_t part = part_of(now_ms);
    _Atomic uint64_t *at = &breaker->parts[part % (BREAKER_PARTS + 1)];
    uint64_t was = atomic_load(at), is = 0;
    do { // others count too: each round one of them is through
        uint64_t so_far = was >> 32 == part ? was & UINT32_MAX : 0;
        is = part << 32 | (so_far < UINT32_MAX ? so_far + 1 : so_far);
    } while (!atomic_compare_exchange_weak(at, &was, is));
}

uint64_t breaker_count(const struct breaker *breaker, int64_t now_ms)
{
    uint64_t now = part_of(now_ms), sum = 0;
    for (size_t i = 0; i <= BREAKER_PARTS; i++) {
        uint64_t part = atomic_load((_Atomic uint64_t *)(uintptr_t)&breaker->parts[i]);
        // A clock that steps back forgets nothing: what was counted ahead of it counts.
        sum += (part >> 32) + BREAKER_PARTS >= now ? part & UINT32_MAX : 0;
    }
    return sum;
}

bool breaker_holds(const struct breaker *breaker, uint64_t live, int64_t now_ms)
{
    if (breaker->percent == 0) {
        return false;
    }
    uint64_t ended = breaker_count(breaker, now_ms);
    uint64_t share = (live + ended) / 100 * breaker->percent + (live + ended) % 100 * breaker->percent / 100;
    return ended > (share > breaker->least ? share : breaker->least);
}

bool breaker_allows(struct breaker *breaker, uint64_t live, int64_t now_ms)
{
    if (breaker->percent == 0) {
        return true;
    }
    count(breaker, now_ms);
    return !breaker_holds(breaker, live, now_ms);
}

void breaker_reset(struct breaker *breaker)
{
    for (size_t i = 0; i <= BREAKER_PARTS; i++) {
        atomic_store(&breaker->parts[i], 0);
    }
}
