// SPDX-License-Identifier: Apache-2.0
#include "daemon/clock.h"

#include <stdatomic.h>
#include <time.h>

static int64_t clock_ms(clockid_t id)
{
    struct timespec at = {0};
    clock_gettime(id, &at);
    return (int64_t)at.tv_sec * 1000 + at.tv_nsec / 1000000;
}

struct node_now clock_now(void)
{
    static _Atomic int64_t latest;
    int64_t wall = clock_ms(CLOCK_REALTIME);
    int64_t before = atomic_load_explicit(&latest, memory_order_relaxed);
    while (wall > before && !atomic_compare_exchange_weak_explicit(
                                &latest, &before, wall, memory_order_relaxed, memory_order_relaxed)) {
    }
    return (struct node_now){clock_ms(CLOCK_MONOTONIC), wall > before ? wall : before};
}

uint64_t clock_steady_ns(void)
{
    struct timespec at = {0};
    clock_gettime(CLOCK_MONOTONIC, &at);
    return (uint64_t)at.tv_sec * 1000000000 + (uint64_t)at.tv_nsec;
}
