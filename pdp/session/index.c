// SPDX-License-Identifier: Apache-2.0
#include "session/table.h"

static const uint64_t REF_BITS = UINT64_C(0xffffffff00000000); // of `hi`; all of `lo`

bool index_same(struct hash128 a, struct hash128 b, bool ref)
{
    return ref ? a.lo == b.lo && ((a.hi ^ b.hi) & REF_BITS) == 0 : hash128_eq(a, b);
}

// The stripe's lock is held, and with it the ids of all slots in its chains stand still.
static uint32_t find_in(const struct session_table *table, const struct stripe *stripe, struct hash128 id,
                        bool ref)
{
    uint32_t at = *buckets_head(&stripe->ids, id.lo / TABLE_STRIPES);
    while (at != 0 && !index_same(slot_at(table, at)->id, id, ref)) {
        at = slot_at(table, at)->index_next;
    }
    return at;
}

uint32_t index_find(struct session_table *table, struct hash128 id, bool ref)
{
    struct stripe *stripe = table_stripe(table, id);
    table_lock(&stripe->lock);
    uint32_t found = find_in(table, stripe, id, ref);
    table_unlock(&stripe->lock);
    return found;
}

bool index_claim(struct session_table *table, uint32_t slot)
{
    struct hash128 id = slot_at(table, slot)->id;
    struct stripe *stripe = table_stripe(table, id);
    table_lock(&stripe->lock);
    bool mine = find_in(table, stripe, id, false) == 0;
    if (mine) {
        buckets_insert(&stripe->ids, &SLABS_INDEX_OPS, table, slot);
    }
    table_unlock(&stripe->lock);
    return mine;
}

void index_drop(struct session_table *table, uint32_t slot)
{
    struct stripe *stripe = table_stripe(table, slot_at(table, slot)->id);
    table_lock(&stripe->lock);
    buckets_remove(&stripe->ids, &SLABS_INDEX_OPS, table, slot);
    table_unlock(&stripe->lock);
}

void index_swap(struct session_table *table, uint32_t from, uint32_t to)
{
    struct stripe *stripe = table_stripe(table, slot_at(table, from)->id);
    table_lock(&stripe->lock);
    buckets_remove(&stripe->ids, &SLABS_INDEX_OPS, table, from);
    buckets_insert(&stripe->ids, &SLABS_INDEX_OPS, table, to);
    table_unlock(&stripe->lock);
}
