// SPDX-License-Identifier: Apache-2.0
// Linear hashing over chains of numbers: grows by one bucket an insert, never rehashes as a whole.
#ifndef SESSION_BUCKETS_H
#define SESSION_BUCKETS_H

#include "base/err.h"

#define BUCKETS_SEGMENT 256 // buckets allocated together

// Items are numbers from 1; their owner keeps for each a hash and the number of the next in its chain.
struct buckets {
    uint32_t **segments;
    uint32_t segment_count, segment_cap;
    uint32_t count, low; // buckets in use; the greatest power of two that is not above
    uint64_t items;
};

struct buckets_ops {
    uint64_t (*hash)(void *owner, uint32_t item);
    uint32_t *(*next)(void *owner, uint32_t item);
};

MUST_USE enum pdp_err buckets_init(struct buckets *buckets);
void buckets_fini(struct buckets *buckets);

// First item of the chain that an item with this hash is in; 0: none.
static inline uint32_t *buckets_head(const struct buckets *buckets, uint64_t hash)
{
    uint32_t at = (uint32_t)hash & (2 * buckets->low - 1);
    at = at < buckets->count ? at : at - buckets->low;
    return &buckets->segments[at / BUCKETS_SEGMENT][at % BUCKETS_SEGMENT];
}

// Cannot fail: where memory for another bucket is out, chains grow longer instead.
void buckets_insert(struct buckets *buckets, const struct buckets_ops *ops, void *owner, uint32_t item);
// Buckets for so many items, before there are any: what grows while items come moves each of them once more.
void buckets_expect(struct buckets *buckets, const struct buckets_ops *ops, void *owner, uint64_t items);
// The item must be in.
void buckets_remove(struct buckets *buckets, const struct buckets_ops *ops, void *owner, uint32_t item);
size_t buckets_bytes(const struct buckets *buckets);

#endif
