// SPDX-License-Identifier: Apache-2.0
// Text to a 64-bit number: open addressing under a drawn key. For load time and small tables;
// the keys' bytes are borrowed for the map's life.
#ifndef BASE_MAP_H
#define BASE_MAP_H

#include "base/hash.h"

struct map_entry {
    struct str key; // at is NULL in a free place
    uint64_t hash, value;
};

struct map {
    struct hash_key key;
    struct map_entry *entries;
    size_t count, cap; // cap is zero or a power of two
};

void map_init(struct map *map, struct hash_key key);
void map_fini(struct map *map);
// Sets or replaces. NOMEM leaves the map as it was.
MUST_USE enum pdp_err map_put(struct map *map, struct str key, uint64_t value);
// false, with *value untouched, where the key is not held. No allocation; any number of readers.
bool map_get(const struct map *map, struct str key, uint64_t *value);

#endif
