// SPDX-License-Identifier: Apache-2.0
// Text to a number by open addressing in an arena: built once at load time, then only read.
#ifndef POLICY_TABLE_H
#define POLICY_TABLE_H

#include "base/arena.h"
#include "base/hash.h"

struct table_entry {
    struct str key; // at is NULL in a free place
    uint64_t hash;
    uint32_t value;
};

struct table {
    struct table_entry *entries;
    size_t count, cap; // cap is zero or a power of two
    struct hash_key seed;
};

// Room for `most` keys; keys' bytes are borrowed.
MUST_USE enum pdp_err table_init(struct table *table, size_t most, struct hash_key seed, struct arena *arena);
// The number of a key, or NULL. Expected constant time: hashes are keyed.
const uint32_t *table_get(const struct table *table, struct str key);
// Puts a key; where it is there already, its number stays and *old is it. The table must have room.
bool table_put(struct table *table, struct str key, uint32_t value, uint32_t *old);

#endif
