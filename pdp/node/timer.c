// SPDX-License-Identifier: Apache-2.0
#include "node/timer.h"

#include "base/num.h"

#include <stdlib.h>

static const size_t LEAST = 64;

void timer_heap_fini(struct timer_heap *heap)
{
    free(heap->list);
    *heap = (struct timer_heap){0};
}

enum pdp_err timer_heap_reserve(struct timer_heap *heap, size_t count)
{
    if (count <= heap->cap) {
        return PDP_ERR_OK;
    }
    size_t cap = heap->cap < LEAST ? LEAST : heap->cap;
    size_t bytes = 0;
    while (cap < count) {
        if (!num_mul(cap, (size_t)2, &cap)) {
            return PDP_ERR_NOMEM;
        }
    }
    if (!num_mul(cap, sizeof *heap->list, &bytes)) {
        return PDP_ERR_NOMEM;
    }
    struct timer **list = realloc(heap->list, bytes);
    if (list == NULL) {
        return PDP_ERR_NOMEM;
    }
    heap->list = list;
    heap->cap = cap;
    return PDP_ERR_OK;
}

void timer_heap_trim(struct timer_heap *heap)
{
    size_t cap = heap->count < LEAST / 2 ? LEAST : heap->count * 2;
    struct timer **list = cap < heap->cap ? realloc(heap->list, cap * sizeof *list) : NULL;
    if (list != NULL) {
        heap->list = list;
        heap->cap = cap;
    }
}

static void put(struct timer_heap *heap, size_t at, struct timer *timer)
{
    heap->list[at] = timer;
    timer->at = at + 1;
}

static void rise(struct timer_heap *heap, size_t at)
{
    struct timer *timer = heap->list[at];
    while (at > 0 && heap->list[(at - 1) / 2]->due_ms > timer->due_ms) {
        put(heap, at, heap->list[(at - 1) / 2]);
        at = (at - 1) / 2;
    }
    put(heap, at, timer);
}

static void sink(struct timer_heap *heap, size_t at)
{
    struct timer *timer = heap->list[at];
    for (size_t child = 2 * at + 1; child < heap->count; child = 2 * at + 1) {
        if (child + 1 < heap->count && heap->list[child + 1]->due_ms < heap->list[child]->due_ms) {
            child++;
        }
        if (heap->list[child]->due_ms >= timer->due_ms) {
            break;
        }
        put(heap, at, heap->list[child]);
        at = child;
    }
    put(heap, at, timer);
}

void timer_set(struct timer_heap *heap, struct timer *timer, int64_t due_ms)
{
    timer->due_ms = due_ms;
    if (timer->at == 0) {
        invariant(heap->count < heap->cap);
        put(heap, heap->count++, timer);
    }
    rise(heap, timer->at - 1);
    sink(heap, timer->at - 1);
}

void timer_remove(struct timer_heap *heap, struct timer *timer)
{
    if (timer->at == 0) {
        return;
    }
    size_t at = timer->at - 1;
    timer->at = 0;
    struct timer *last = heap->list[--heap->count];
    if (last != timer) {
        put(heap, at, last);
        rise(heap, at);
        sink(heap, last->at - 1);
    }
}

struct timer *timer_first(const struct timer_heap *heap)
{
    return heap->count != 0 ? heap->list[0] : NULL;
}
