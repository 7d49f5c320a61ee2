// SPDX-License-Identifier: Apache-2.0
#include "base/map.h"

#include "base/num.h"

#include <stdlib.h>

static const size_t FIRST_CAP = 16;

void map_init(struct map *map, struct hash_key key)
{
    *map = (struct map){.key = key};
}

void map_fini(struct map *map)
{
    free(map->entries);
    *map = (struct map){.key = map->key};
}

// The key's entry, or the free place where it belongs. There is always a free place.
static struct map_entry *find_place(struct map_entry *entries, size_t cap, struct str key, uint64_t hash)
{
    for (size_t i = hash & (cap - 1);; i = (i + 1) & (cap - 1)) {
        struct map_entry *entry = &entries[i];
        if (entry->key.at == NULL || (entry->hash == hash && str_eq(entry->key, key))) {
            return entry;
        }
    }
}

static enum pdp_err grow(struct map *map)
{
    size_t cap = FIRST_CAP, bytes = 0;
    if (map->cap != 0 && !num_mul(map->cap, (size_t)2, &cap)) {
        return PDP_ERR_NOMEM;
    }
    if (!num_mul(cap, sizeof *map->entries, &bytes)) {
        return PDP_ERR_NOMEM;
    }
    struct map_entry *entries = calloc(1, bytes);
    if (entries == NULL) {
        return PDP_ERR_NOMEM;
    }
    for (size_t i = 0; i < map->cap; i++) {
        if (map->entries[i].key.at != NULL) {
            *find_place(entries, cap, map->entries[i].key, map->entries[i].hash) = map->entries[i];
        }
    }
    free(map->entries);
    map->entries = entries;
    map->cap = cap;
    return PDP_ERR_OK;
}

enum pdp_err map_put(struct map *map, struct str key, uint64_t value)
{
    // An empty text may have no bytes to point at, but NULL marks free places.
    struct str held = {key.at != NULL ? key.at : "", key.len};
    uint64_t hash = hash_64(map->key, held.at, held.len);
    if (map->cap != 0) {
        struct map_entry *entry = find_place(map->entries, map->cap, held, hash);
        if (entry->key.at != NULL) {
            entry->value = value;
            return PDP_ERR_OK;
        }
    }
    if (map->count >= map->cap - map->cap / 4) {
        TRY(grow(map));
    }
    *find_place(map->entries, map->cap, held, hash) = (struct map_entry){held, hash, value};
    map->count++;
    return PDP_ERR_OK;
}

bool map_get(const struct map *map, struct str key, uint64_t *value)
{
    if (map->count == 0) {
        return false;
    }
    const struct map_entry *entry =
        find_place(map->entries, map->cap, key, hash_64(map->key, key.at, key.len));
    if (entry->key.at == NULL) {
        return false;
    }
    *value = entry->value;
    return true;
}
