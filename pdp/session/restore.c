// SPDX-License-Identifier: Apache-2.0
// Puts back what was written before a restart; and the keys that ids are hashed under.
#include "session/row.h"
#include "session/table.h"

void session_restore_expect(struct session_table *table, uint64_t users, uint64_t records)
{
    const uint64_t shards = (uint64_t)table->shard_mask + 1;
    for (uint64_t i = 0; i < shards; i++) {
        struct shard *shard = &table->shards[i];
        table_lock(&shard->lock);
        buckets_expect(&shard->users, &SLABS_USER_OPS, shard, users / shards);
        buckets_expect(&shard->sessions, &SLABS_SESSION_OPS, table, records / shards);
        table_unlock(&shard->lock);
    }
    for (size_t i = 0; i < TABLE_STRIPES; i++) {
        struct stripe *stripe = &table->stripes[i];
        table_lock(&stripe->lock);
        buckets_expect(&stripe->ids, &SLABS_INDEX_OPS, table, records / TABLE_STRIPES);
        table_unlock(&stripe->lock);
    }
}

enum pdp_err session_restore_user(struct session_table *table, const struct user_record *record,
                                  const struct row_names *names)
{
    struct shard *shard = table_shard(table, record->subject);
    const struct session_key key = {.subject = record->subject,
                                    .tenant = names->tenant,
                                    .subject_type = names->type,
                                    .subject_id = names->id};
    table_lock(&shard->lock);
    uint32_t at = table_find_user(shard, record->subject);
    enum pdp_err err = at != 0 ? PDP_ERR_DUPLICATE : users_restore(table, shard, &key, &at);
    if (err == PDP_ERR_OK) {
        struct user *user = user_at(shard, at);
        user->record = *record;
        user->record.live_sessions = 0;
    }
    table_unlock(&shard->lock);
    return err;
}

static enum pdp_err restore(struct session_table *table, struct shard *shard,
                            const struct session_record *record)
{
    bool over = record->state == SESSION_TERMINATED;
    uint32_t user = table_find_user(shard, record->subject), at = 0;
    if (user == 0 && !over) {
        return PDP_ERR_UNKNOWN;
    }
    TRY(commit_restore(table, shard, record, &at));
    struct slot *slot = slot_at(table, at);
    slot->user = user;
    if (user != 0) {
        user_at(shard, user)->slots++;
    }
    if (table_is_live(slot)) {
        live_add(table, shard, at);
    } else {
        table_count(&table->tombstones);
    }
    return PDP_ERR_OK;
}

enum pdp_err session_restore(struct session_table *table, const struct session_record *record,
                             struct str gateway)
{
    if (record->state == SESSION_NONE || record->state >= SESSION_STATES || table_no_id(record->id) ||
        record->key >= SESSION_KEYS) {
        return PDP_ERR_CORRUPT;
    }
    uint32_t ring = atomic_load_explicit(&table->id_ring, memory_order_acquire);
    if ((ring >> record->key & 1) == 0) {
        return PDP_ERR_UNKNOWN;
    }
    struct session_record named = *record;
    named.gateway = gateways_number(&table->gateways, gateway);
    // A tombstone of an id that never was lies where commit_bare put it.
    bool bare = table_no_id(record->subject);
    struct shard *shard = table_shard(table, bare ? record->id : record->subject);
    table_lock(&shard->lock);
    enum pdp_err err = restore(table, shard, &named);
    table_unlock(&shard->lock);
    return err;
}

static void settle_shard(const struct session_table *table, struct shard *shard)
{
    table_lock(&shard->lock);
    for (uint32_t i = 0; i < shard->slab_count; i++) {
        for (uint32_t at = shard->slabs[i] * TABLE_SLAB; at < (shard->slabs[i] + 1) * TABLE_SLAB; at++) {
            if (slot_at(table, at)->state == SESSION_ROTATED) {
                family_settle(table, shard, at);
            }
        }
    }
    table_unlock(&shard->lock);
}

void session_restored(struct session_table *table)
{
    for (uint32_t i = 0; i <= table->shard_mask; i++) {
        settle_shard(table, &table->shards[i]);
    }
}

void session_restore_forgotten(struct session_table *table, int64_t forgotten_ms)
{
    if (forgotten_ms > session_forgotten_ms(table)) {
        atomic_store_explicit(&table->forgotten_ms, forgotten_ms, memory_order_release);
    }
}

// ---- Keys ------------------------------------------------------------------------------------------

enum pdp_err session_key_add(struct session_table *table, uint8_t number, struct hash_key key)
{
    uint32_t ring = atomic_load_explicit(&table->id_ring, memory_order_acquire);
    if (number >= SESSION_KEYS || (ring >> number & 1) != 0) {
        return PDP_ERR_STATE;
    }
    table->id_keys[number] = key_derive(key, "session id");
    uint32_t set = (ring & UINT16_MAX) | UINT32_C(1) << number;
    atomic_store_explicit(&table->id_ring, set | (uint32_t)number << 16, memory_order_release);
    return PDP_ERR_OK;
}

void session_key_drop(struct session_table *table, uint8_t number)
{
    uint32_t ring = atomic_load_explicit(&table->id_ring, memory_order_acquire);
    invariant(number < SESSION_KEYS && ring >> 16 != number && session_key_uses(table, number) == 0);
    atomic_store_explicit(&table->id_ring, ring & ~(UINT32_C(1) << number), memory_order_release);
}

uint64_t session_key_uses(const struct session_table *table, uint8_t number)
{
    return number < SESSION_KEYS
               ? atomic_load_explicit((_Atomic uint64_t *)(uintptr_t)&table->id_uses[number],
                                      memory_order_relaxed)
               : 0;
}

uint16_t session_key_set(const struct session_table *table, uint8_t *newest)
{
    uint32_t ring =
        atomic_load_explicit((_Atomic uint32_t *)(uintptr_t)&table->id_ring, memory_order_acquire);
    *newest = (uint8_t)(ring >> 16);
    return (uint16_t)ring;
}
