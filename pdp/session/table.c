// SPDX-License-Identifier: Apache-2.0
// HOT
#include "session/table.h"

static const int TRIES = 8; // of following an id that comes and goes meanwhile

void table_lock(pthread_mutex_t *lock)
{
    invariant(pthread_mutex_lock(lock) == 0);
}

void table_unlock(pthread_mutex_t *lock)
{
    invariant(pthread_mutex_unlock(lock) == 0);
}

uint32_t table_find_slot(const struct session_table *table, const struct shard *shard, struct hash128 id)
{
    uint32_t at = *buckets_head(&shard->sessions, id.hi);
    while (at != 0) {
        const struct slot *slot = slot_at(table, at);
        if (hash128_eq(slot->id, id)) {
            return at;
        }
        at = slot->next;
    }
    return 0;
}

uint32_t table_find_user(const struct shard *shard, struct hash128 subject)
{
    uint32_t at = *buckets_head(&shard->users, subject.hi);
    while (at != 0) {
        const struct user *user = user_at(shard, at);
        if (hash128_eq(user->record.subject, subject)) {
            return at;
        }
        at = user->next;
    }
    return 0;
}

void table_unpack(const struct shard *shard, const struct slot *slot, struct session_record *record)
{
    slot_unpack(slot, record);
    record->subject = slot->user != 0 ? user_at(shard, slot->user)->record.subject : (struct hash128){0};
}

uint32_t table_lock_slot(struct session_table *table, struct hash128 id, bool ref, struct shard **shard)
{
    *shard = NULL;
    for (int i = 0; i < TRIES; i++) {
        uint32_t at = index_find(table, id, ref);
        if (at == 0) {
            return 0;
        }
        struct shard *there = &table->shards[slab_of(table, at)->shard];
        table_lock(&there->lock);
        const struct slot *slot = slot_at(table, at);
        if (slot->state != SESSION_NONE && index_same(slot->id, id, ref)) {
            *shard = there;
            return at;
        }
        table_unlock(&there->lock);
    }
    return 0;
}

// By an id that was replaced it is the session that goes on which is shown; one that is forgotten is over.
static uint32_t follow(struct session_held *held, const struct session_table *table, struct shard *shard,
                       uint32_t at)
{
    const struct slot *old = slot_at(table, at);
    held->rotated = true;
    held->successor = old->of.rotated.to;
    held->overlap_until_ms = old->of.rotated.overlap_until_ms;
    held->old_slot = at;
    uint32_t tip = family_tip(table, shard, at);
    if (tip != 0) {
        return tip;
    }
    table_unpack(shard, old, &held->record);
    held->record.state = SESSION_TERMINATED;
    held->record.end_code = PDP_CODE_TERMINATED;
    held->record.ended_ms = old->of.rotated.rotated_ms;
    return 0;
}

static void show(struct session_held *held, const struct session_table *table, struct shard *shard,
                 uint32_t at, enum session_found found)
{
    held->found = found;
    held->shard = shard;
    held->slot = at;
    held->session = &held->record;
    uint32_t tip = slot_at(table, at)->state == SESSION_ROTATED ? follow(held, table, shard, at) : at;
    if (tip != 0) {
        held->slot = tip;
        table_unpack(shard, slot_at(table, tip), &held->record);
    }
}

// Looks in the subject's own shard, whose lock it takes and keeps. false: the id is not there.
static bool look_here(struct session_table *table, const struct session_key *key, struct session_held *held)
{
    struct shard *own = table_shard(table, key->subject);
    table_lock(&own->lock);
    held->found = SESSION_ABSENT;
    held->session = NULL;
    held->rotated = false;
    held->shard = own;
    held->slot = held->old_slot = 0;
    held->user_slot = table_find_user(own, key->subject);
    held->user = held->user_slot != 0 ? &user_at(own, held->user_slot)->record : NULL;
    uint32_t at = table_no_id(key->id) ? 0 : table_find_slot(table, own, key->id);
    if (at == 0) {
        return table_no_id(key->id);
    }
    uint32_t user = slot_at(table, at)->user;
    bool foreign = user != 0 && user != held->user_slot;
    show(held, table, own, at, foreign ? SESSION_FOREIGN : SESSION_FOUND);
    held->user = foreign ? NULL : held->user;
    return true;
}

// The id is held by another subject's shard (or as a tombstone of nobody): goes there, without keeping two
// locks.
static bool look_there(struct session_table *table, const struct session_key *key, struct session_held *held)
{
    struct shard *own = held->shard, *there = NULL;
    table_unlock(&own->lock);
    uint32_t at = table_lock_slot(table, key->id, false, &there);
    if (at == 0) {
        return false;
    }
    if (there == own) {
        // The subject itself began it just now: look again as if for the first time.
        table_unlock(&there->lock);
        return false;
    }
    held->user = NULL;
    held->user_slot = 0;
    show(held, table, there, at, slot_at(table, at)->user != 0 ? SESSION_FOREIGN : SESSION_FOUND);
    return true;
}

void session_hold(struct session_table *table, const struct session_key *key, struct session_held *held)
{
    for (int i = 0; i < TRIES; i++) {
        if (look_here(table, key, held) || index_find(table, key->id, false) == 0 ||
            look_there(table, key, held)) {
            return;
        }
    }
    // An id that came and went this often is taken for absent: only a commit could let it begin, and that
    // asks the index again.
    if (!look_here(table, key, held)) {
        held->found = SESSION_ABSENT;
    }
}

void session_release(struct session_table *table, struct session_held *held)
{
    (void)table;
    struct shard *shard = held->shard;
    held->shard = NULL;
    held->session = NULL;
    held->user = NULL;
    table_unlock(&shard->lock);
}
