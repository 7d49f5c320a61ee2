// SPDX-License-Identifier: Apache-2.0
// HOT
// Ids of one session, one after the other. A session stays in its slot and gets the new id; a rotated record
// takes over the old one and knows that slot, so that no chain has to be walked.
#include "session/table.h"

#include "base/num.h"

enum {
    STEPS_MOST = 1024, // by ids, where no slot is known: after a restart
    WALKS_MOST = 64    // more ids than a session has in 30 days by the shortest `every`
};

// A slot may be another session's by now; within one user, none has the same beginning but this one.
static bool is_same(const struct slot *old, const struct slot *slot)
{
    return slot->state != SESSION_NONE && slot->state != SESSION_ROTATED && slot->user == old->user &&
           slot_time_ms(slot, SLOT_FIRST_SEEN) == slot_time_ms(old, SLOT_FIRST_SEEN);
}

static uint32_t known_tip(const struct session_table *table, const struct slot *old)
{
    uint32_t tip = old->of.rotated.tip;
    return tip != 0 && is_same(old, slot_at(table, tip)) ? tip : 0;
}

// What was found is kept; where the walk is too long, *half, the next goes on from where this one stopped.
static uint32_t walk(const struct session_table *table, const struct shard *shard, struct slot *old,
                     bool *half)
{
    struct hash128 id = old->of.rotated.to;
    *half = false;
    for (int i = 0; i < STEPS_MOST; i++) {
        uint32_t at = table_find_slot(table, shard, id);
        const struct slot *slot = at != 0 ? slot_at(table, at) : NULL;
        if (slot == NULL || slot == old || slot->user != old->user) {
            return 0;
        }
        uint32_t tip = slot->state != SESSION_ROTATED ? at : known_tip(table, slot);
        if (tip != 0) {
            old->of.rotated.tip = tip;
            return tip;
        }
        id = slot->of.rotated.to;
    }
    old->of.rotated.to = id;
    *half = true;
    return 0;
}

static uint32_t find_tip(const struct session_table *table, const struct shard *shard, uint32_t at,
                         bool *half)
{
    struct slot *old = slot_at(table, at);
    uint32_t tip = known_tip(table, old);
    *half = false;
    return tip != 0 ? tip : walk(table, shard, old, half);
}

uint32_t family_tip(const struct session_table *table, const struct shard *shard, uint32_t at)
{
    bool half = false;
    return find_tip(table, shard, at, &half);
}

bool family_known(const struct session_table *table, const struct shard *shard, uint32_t at)
{
    bool half = false;
    return find_tip(table, shard, at, &half) != 0 || half;
}

void family_settle(const struct session_table *table, const struct shard *shard, uint32_t at)
{
    bool half = true;
    for (int i = 0; half && i < WALKS_MOST; i++) {
        (void)find_tip(table, shard, at, &half);
    }
}

// The rotated record stands where the session stood, so that the old id is known at every moment.
static bool change_id(struct session_table *table, struct shard *shard, uint32_t at, uint32_t old,
                      struct hash128 id)
{
    struct slot *slot = slot_at(table, at);
    const struct hash128 was = slot->id;
    slot_at(table, old)->id = was;
    index_swap(table, at, old);
    buckets_remove(&shard->sessions, &SLABS_SESSION_OPS, table, at);
    slot->id = id;
    bool mine = index_claim(table, at);
    if (!mine) {
        slot->id = was;
        index_swap(table, old, at);
    }
    buckets_insert(&shard->sessions, &SLABS_SESSION_OPS, table, at);
    return mine;
}

static enum pdp_err take_id(struct session_table *table, struct shard *shard, uint32_t at, struct hash128 id,
                            uint32_t *old)
{
    *old = 0;
    if (!table_admit(table, &table->records, false)) {
        return PDP_ERR_BUSY;
    }
    enum pdp_err err = slabs_take_slot(table, shard, old);
    if (err == PDP_ERR_OK && !change_id(table, shard, at, *old, id)) {
        slabs_give_slot(table, shard, *old);
        err = PDP_ERR_STATE;
    }
    if (err != PDP_ERR_OK) {
        *old = 0;
        table_uncount(&table->records);
    }
    return err;
}

enum pdp_err family_rotate(struct session_table *table, struct shard *shard, uint32_t at,
                           const struct session_rotation *rotation, uint64_t peer, int64_t now_ms,
                           uint32_t *old)
{
    *old = 0;
    const struct slot *slot = slot_at(table, at);
    if (!table_is_live(slot) || slot->user == 0 || table_no_id(rotation->id) ||
        hash128_eq(rotation->id, slot->id)) {
        return PDP_ERR_STATE;
    }
    // Each old id is remembered like an end: no more of them a minute than sessions may begin.
    if (!peers_take(&table->peers, peer, now_ms)) {
        return PDP_ERR_LIMIT;
    }
    enum pdp_err err = take_id(table, shard, at, rotation->id, old);
    if (err != PDP_ERR_OK) {
        peers_give(&table->peers, peer);
    }
    return err;
}

void family_link(struct session_table *table, struct shard *shard, uint32_t at, uint32_t old_at,
                 const struct session_rotation *rotation, int64_t now_ms)
{
    struct slot *slot = slot_at(table, at), *old = slot_at(table, old_at);
    struct session_record record;
    slot_unpack(slot, &record);
    record.state = SESSION_ROTATED;
    record.asked_strength = 0;
    record.over_ms = 0;
    record.successor = slot->id;
    record.rotated_ms = now_ms;
    record.overlap_until_ms = num_add_sat(now_ms, rotation->overlap_ms);
    // Not a copy of the whole slot: both are in chains of the index, whose links are other locks' and are
    // read and moved meanwhile.
    slot_pack(&record, old);
    old->of.rotated.tip = at;
    old->user = slot->user;
    buckets_insert(&shard->sessions, &SLABS_SESSION_OPS, table, old_at);
    slot->key = rotation->key & 15U; // SESSION_KEYS - 1
    table_count(&table->id_uses[slot->key]);
    slot->id_since_s = (uint32_t)num_max(0, num_min(now_ms / 1000, UINT32_MAX));
    slot->epoch++;
    user_at(shard, slot->user)->slots++;
    table_count(&table->tombstones);
}
