// SPDX-License-Identifier: Apache-2.0
#include "session/table.h"

#include <stdlib.h>

static uint64_t session_hash_of(void *table, uint32_t item)
{
    return slot_at(table, item)->id.hi;
}

static uint32_t *session_next(void *table, uint32_t item)
{
    return &slot_at(table, item)->next;
}

static uint64_t index_hash_of(void *table, uint32_t item)
{
    return slot_at(table, item)->id.lo / TABLE_STRIPES; // the rest chose the stripe
}

static uint32_t *index_next(void *table, uint32_t item)
{
    return &slot_at(table, item)->index_next;
}

static uint64_t user_hash_of(void *shard, uint32_t item)
{
    return user_at(shard, item)->record.subject.hi;
}

static uint32_t *user_next(void *shard, uint32_t item)
{
    return &user_at(shard, item)->next;
}

const struct buckets_ops SLABS_SESSION_OPS = {session_hash_of, session_next};
const struct buckets_ops SLABS_USER_OPS = {user_hash_of, user_next};
const struct buckets_ops SLABS_INDEX_OPS = {index_hash_of, index_next};

// Room for one more element in an array of pointers or numbers. Doubling copies little: an element stands for
// a slab.
static void *grow(struct session_table *table, void *array, uint32_t count, uint32_t *cap, size_t bytes)
{
    if (count < *cap) {
        return array;
    }
    uint32_t more = *cap == 0 ? 4 : 2 * *cap;
    void *larger = realloc(array, more * bytes);
    if (larger != NULL) {
        atomic_fetch_add_explicit(&table->bytes, (more - *cap) * bytes, memory_order_relaxed);
        *cap = more;
    }
    return larger;
}

// Makes the slab findable by its number. The directory's lock is held.
static bool publish(struct session_table *table, struct slab *slab, uint32_t *number)
{
    uint32_t next = table->slab_count + 1;
    if (next / TABLE_DIRECTORY >= TABLE_DIRECTORY) {
        return false;
    }
    struct slab ***part = &table->directory[next / TABLE_DIRECTORY];
    if (*part == NULL) {
        *part = calloc(TABLE_DIRECTORY, sizeof **part);
        if (*part == NULL) {
            return false;
        }
        atomic_fetch_add_explicit(&table->bytes, TABLE_DIRECTORY * sizeof **part, memory_order_relaxed);
    }
    (*part)[next % TABLE_DIRECTORY] = slab;
    table->slab_count = *number = next;
    return true;
}

static enum pdp_err add_slab(struct session_table *table, struct shard *shard)
{
    uint32_t *slabs = grow(table, shard->slabs, shard->slab_count, &shard->slab_cap, sizeof *slabs);
    if (slabs == NULL) {
        return PDP_ERR_NOMEM;
    }
    shard->slabs = slabs;
    struct slab *slab = calloc(1, sizeof *slab);
    if (slab == NULL) {
        return PDP_ERR_NOMEM;
    }
    slab->shard = (uint32_t)(shard - table->shards);
    uint32_t number = 0;
    table_lock(&table->directory_lock);
    bool published = publish(table, slab, &number);
    table_unlock(&table->directory_lock);
    if (!published) {
        free(slab);
        return PDP_ERR_NOMEM;
    }
    atomic_fetch_add_explicit(&table->bytes, sizeof *slab, memory_order_relaxed);
    shard->slabs[shard->slab_count++] = number;
    for (uint32_t i = TABLE_SLAB; i-- != 0;) {
        slab->slots[i].next = shard->free_slot;
        shard->free_slot = number * TABLE_SLAB + i;
    }
    return PDP_ERR_OK;
}

enum pdp_err slabs_take_slot(struct session_table *table, struct shard *shard, uint32_t *slot)
{
    *slot = 0;
    if (shard->free_slot == 0) {
        TRY(add_slab(table, shard));
    }
    *slot = shard->free_slot;
    struct slot *taken = slot_at(table, *slot);
    shard->free_slot = taken->next;
    taken->next = 0;
    return PDP_ERR_OK;
}

void slabs_give_slot(struct session_table *table, struct shard *shard, uint32_t slot)
{
    struct slot *given = slot_at(table, slot);
    *given = (struct slot){.next = shard->free_slot};
    shard->free_slot = slot;
}

static enum pdp_err add_user_slab(struct session_table *table, struct shard *shard)
{
    struct user **slabs =
        grow(table, shard->user_slabs, shard->user_slab_count, &shard->user_slab_cap, sizeof *slabs);
    if (slabs == NULL) {
        return PDP_ERR_NOMEM;
    }
    shard->user_slabs = slabs;
    struct user *slab = calloc(TABLE_USER_SLAB, sizeof *slab);
    if (slab == NULL) {
        return PDP_ERR_NOMEM;
    }
    atomic_fetch_add_explicit(&table->bytes, TABLE_USER_SLAB * sizeof *slab, memory_order_relaxed);
    shard->user_slabs[shard->user_slab_count] = slab;
    for (uint32_t i = TABLE_USER_SLAB; i-- != 0;) {
        slab[i].next = shard->free_user;
        shard->free_user = shard->user_slab_count * TABLE_USER_SLAB + i + 1;
    }
    shard->user_slab_count++;
    return PDP_ERR_OK;
}

enum pdp_err slabs_take_user(struct session_table *table, struct shard *shard, uint32_t *user)
{
    *user = 0;
    if (shard->free_user == 0) {
        TRY(add_user_slab(table, shard));
    }
    *user = shard->free_user;
    struct user *taken = user_at(shard, *user);
    shard->free_user = taken->next;
    taken->next = 0;
    return PDP_ERR_OK;
}

void slabs_give_user(struct shard *shard, uint32_t user)
{
    struct user *given = user_at(shard, user);
    *given = (struct user){.next = shard->free_user, .next_dirty = given->next_dirty, .dirty = given->dirty};
    shard->free_user = user;
}
