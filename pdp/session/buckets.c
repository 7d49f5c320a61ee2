// SPDX-License-Identifier: Apache-2.0
#include "session/buckets.h"

#include <stdlib.h>

static const uint32_t BUCKETS_MOST = UINT32_C(1) << 30;

static bool add_segment(struct buckets *b)
{
    if (b->segment_count == b->segment_cap) {
        // Pointers only, 2 bytes a thousand items: the one thing that is copied when it grows.
        uint32_t cap = b->segment_cap == 0 ? 4 : 2 * b->segment_cap;
        uint32_t **segments = realloc(b->segments, cap * sizeof *segments);
        if (segments == NULL) {
            return false;
        }
        b->segments = segments;
        b->segment_cap = cap;
    }
    uint32_t *segment = calloc(BUCKETS_SEGMENT, sizeof *segment);
    if (segment == NULL) {
        return false;
    }
    b->segments[b->segment_count++] = segment;
    return true;
}

enum pdp_err buckets_init(struct buckets *b)
{
    *b = (struct buckets){0};
    if (!add_segment(b)) {
        buckets_fini(b);
        return PDP_ERR_NOMEM;
    }
    b->count = b->low = BUCKETS_SEGMENT;
    return PDP_ERR_OK;
}

void buckets_fini(struct buckets *b)
{
    for (uint32_t i = 0; i < b->segment_count; i++) {
        free(b->segments[i]);
    }
    free(b->segments);
    *b = (struct buckets){0};
}

// Splits the next bucket in turn: its items whose hash has one bit more set move to a new bucket. false:
// there is no room for one.
static bool split(struct buckets *b, const struct buckets_ops *ops, void *owner)
{
    if (b->count >= BUCKETS_MOST || (b->count % BUCKETS_SEGMENT == 0 &&
                                     b->count / BUCKETS_SEGMENT == b->segment_count && !add_segment(b))) {
        return false;
    }
    uint32_t from = b->count - b->low, bit = b->low;
    uint32_t *stay = &b->segments[from / BUCKETS_SEGMENT][from % BUCKETS_SEGMENT];
    uint32_t *move = &b->segments[b->count / BUCKETS_SEGMENT][b->count % BUCKETS_SEGMENT];
    for (uint32_t item = *stay; item != 0;) {
        uint32_t *next = ops->next(owner, item);
        uint32_t after = *next;
        if (((uint32_t)ops->hash(owner, item) & bit) != 0) {
            *stay = after;
            *next = *move;
            *move = item;
        } else {
            stay = next;
        }
        item = after;
    }
    b->count++;
    b->low = b->count == 2 * b->low ? b->count : b->low;
    return true;
}

void buckets_expect(struct buckets *b, const struct buckets_ops *ops, void *owner, uint64_t items)
{
    while (b->count < items && split(b, ops, owner)) {
    }
}

void buckets_insert(struct buckets *b, const struct buckets_ops *ops, void *owner, uint32_t item)
{
    uint32_t *head = buckets_head(b, ops->hash(owner, item));
    *ops->next(owner, item) = *head;
    *head = item;
    b->items++;
    if (b->items > b->count) {
        (void)split(b, ops, owner);
    }
}

void buckets_remove(struct buckets *b, const struct buckets_ops *ops, void *owner, uint32_t item)
{
    uint32_t *at = buckets_head(b, ops->hash(owner, item));
    while (*at != item) {
        invariant(*at != 0);
        at = ops->next(owner, *at);
    }
    *at = *ops->next(owner, item);
    b->items--;
}

size_t buckets_bytes(const struct buckets *b)
{
    return b->segment_count * BUCKETS_SEGMENT * sizeof **b->segments + b->segment_cap * sizeof *b->segments;
}
