// SPDX-License-Identifier: Apache-2.0
// A heap of deadlines. One that moves later stays where it is and is looked at again when its old time comes.
#ifndef NODE_TIMER_H
#define NODE_TIMER_H

#include "base/err.h"

struct timer {
    int64_t due_ms;
    size_t at; // place in the heap + 1; 0: in none
};

struct timer_heap {
    struct timer **list;
    size_t count, cap;
};

void timer_heap_fini(struct timer_heap *heap);
// Room for `count` timers in all, so that timer_set cannot fail for them.
MUST_USE enum pdp_err timer_heap_reserve(struct timer_heap *heap, size_t count);
// Gives memory back where most of it is not used.
void timer_heap_trim(struct timer_heap *heap);
// Adds the timer, or moves it. Room must be reserved.
void timer_set(struct timer_heap *heap, struct timer *timer, int64_t due_ms);
void timer_remove(struct timer_heap *heap, struct timer *timer);
// The one that is due first, or NULL.
struct timer *timer_first(const struct timer_heap *heap);

#endif
