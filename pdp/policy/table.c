// SPDX-License-Identifier: Apache-2.0
// HOT
#include "policy/table.h"

enum pdp_err table_init(struct table *table, size_t most, struct hash_key seed, struct arena *arena)
{
    *table = (struct table){.seed = seed};
    size_t cap = 8;
    while (cap / 2 < most && cap < SIZE_MAX / 4) {
        cap *= 2;
    }
    table->entries = ARENA_ARRAY(arena, struct table_entry, cap);
    if (table->entries == NULL) {
        return PDP_ERR_NOMEM;
    }
    table->cap = cap;
    return PDP_ERR_OK;
}

static struct table_entry *find(const struct table *table, struct str key, uint64_t hash)
{
    size_t mask = table->cap - 1;
    size_t at = (size_t)hash & mask;
    while (table->entries[at].key.at != NULL &&
           (table->entries[at].hash != hash || !str_eq(table->entries[at].key, key))) {
        at = (at + 1) & mask;
    }
    return &table->entries[at];
}

const uint32_t *table_get(const struct table *table, struct str key)
{
    if (table->cap == 0) {
        return NULL;
    }
    const struct table_entry *entry = find(table, key, hash_64(table->seed, key.at, key.len));
    return entry->key.at != NULL ? &entry->value : NULL;
}

bool table_put(struct table *table, struct str key, uint32_t value, uint32_t *old)
{
    invariant(table->count < table->cap / 2 + 1);
    uint64_t hash = hash_64(table->seed, key.at, key.len);
    struct table_entry *entry = find(table, key, hash);
    if (entry->key.at != NULL) {
        *old = entry->value;
        return false;
    }
    *entry =
        (struct table_entry){.key = {key.at != NULL ? key.at : "", key.len}, .hash = hash, .value = value};
    table->count++;
    return true;
}
