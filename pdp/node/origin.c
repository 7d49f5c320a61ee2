// SPDX-License-Identifier: Apache-2.0
#include "node/origin.h"

#include <stdlib.h>

static struct origin **origin_place(struct origin_table *table, uint64_t hash, struct str name)
{
    struct origin **place = &table->buckets[hash % ORIGIN_BUCKETS];
    while (*place != NULL &&
           ((*place)->hash != hash || !str_eq((struct str){(*place)->name, (*place)->len}, name))) {
        place = &(*place)->next;
    }
    return place;
}

enum pdp_err origin_enter(struct origin_table *table, struct str name, uint32_t most, struct origin **out)
{
    *out = NULL;
    uint64_t hash = hash_64(table->seed, name.at, name.len);
    struct origin **place = origin_place(table, hash, name);
    if ((*place != NULL ? (*place)->connections : 0) >= most) {
        return PDP_ERR_LIMIT;
    }
    if (*place == NULL) {
        struct origin *fresh = malloc(sizeof *fresh + name.len);
        if (fresh == NULL) {
            return PDP_ERR_NOMEM;
        }
        *fresh = (struct origin){.hash = hash, .len = name.len};
        link_head(&fresh->ready);
        if (name.len != 0) {
            memcpy(fresh->name, name.at, name.len);
        }
        *place = fresh;
    }
    (*place)->connections++;
    *out = *place;
    return PDP_ERR_OK;
}

void origin_leave(struct origin_table *table, struct origin **origin)
{
    struct origin *it = STEAL(*origin);
    if (it == NULL || --it->connections > 0) {
        return;
    }
    link_remove(&it->active);
    struct origin **place = &table->buckets[it->hash % ORIGIN_BUCKETS];
    while (*place != it) {
        place = &(*place)->next;
    }
    *place = it->next;
    free(it);
}
