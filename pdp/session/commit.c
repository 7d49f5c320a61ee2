// SPDX-License-Identifier: Apache-2.0
// HOT
#include "session/table.h"

#include "base/num.h"

static void write_user(struct shard *shard, struct session_held *held, const struct user_record *from)
{
    struct user_record *record = &user_at(shard, held->user_slot)->record;
    struct hash128 subject = record->subject;
    uint32_t live = record->live_sessions;
    *record = *from;
    record->subject = subject;
    record->live_sessions = live;
    held->user = record;
}

// Counts a session's end. The slot still says what it was.
static void count_end(struct session_table *table, struct shard *shard, struct slot *slot)
{
    table_count(&table->tombstones);
    live_drop(table, shard, slot);
}

uint64_t commit_end(struct session_table *table, struct shard *shard, uint32_t at, enum pdp_code why,
                    int64_t now_ms, int64_t keep_until_ms)
{
    struct slot *slot = slot_at(table, at);
    uint32_t keep_until_s = slot_keep_until_s(keep_until_ms);
    bool longer = keep_until_s > slot->keep_until_s;
    slot->keep_until_s = longer ? keep_until_s : slot->keep_until_s;
    if (slot->state == SESSION_TERMINATED) {
        if (longer) {
            lasting_note(table, shard, at);
        }
        return 0;
    }
    if (slot->state != SESSION_ROTATED) { // which counts already, and never lived
        count_end(table, shard, slot);
    }
    memset(&slot->of, 0, sizeof slot->of);
    slot->of.ended = (struct slot_ended){now_ms, (uint8_t)why};
    slot->state = SESSION_TERMINATED;
    slot->epoch++;
    tell_slot(table, NOTICE_ENDED, slot->id, slot->epoch, why, now_ms);
    // Whose it was lasts with it, even if the disk has never heard of the user.
    bool unwritten = slot->user != 0 && user_at(shard, slot->user)->dirty;
    return lasting_put(table, shard, at, unwritten);
}

bool commit_forget(struct session_table *table, struct shard *shard, uint32_t at)
{
    struct slot *slot = slot_at(table, at);
    if (!lasting_erase(table, slot)) {
        return false;
    }
    table_uncount(&table->id_uses[slot->key]);
    index_drop(table, at);
    buckets_remove(&shard->sessions, &SLABS_SESSION_OPS, table, at);
    if (table_is_live(slot)) {
        live_drop(table, shard, slot);
    } else {
        table_uncount(&table->tombstones);
    }
    if (slot->user != 0) {
        user_at(shard, slot->user)->slots--;
    }
    table_uncount(&table->records);
    slabs_give_slot(table, shard, at);
    return true;
}

static enum pdp_err claim_slot(struct session_table *table, struct shard *shard, struct hash128 id,
                               uint8_t number, uint32_t *at)
{
    TRY(slabs_take_slot(table, shard, at));
    slot_at(table, *at)->id = id;
    slot_at(table, *at)->key = number & 15U; // SESSION_KEYS - 1
    if (!index_claim(table, *at)) {
        slabs_give_slot(table, shard, *at);
        *at = 0;
        return PDP_ERR_STATE;
    }
    buckets_insert(&shard->sessions, &SLABS_SESSION_OPS, table, *at);
    table_count(&table->id_uses[number]);
    return PDP_ERR_OK;
}

enum pdp_err commit_restore(struct session_table *table, struct shard *shard,
                            const struct session_record *record, uint32_t *at)
{
    enum pdp_err err = claim_slot(table, shard, record->id, record->key, at);
    if (err != PDP_ERR_OK) {
        return err == PDP_ERR_STATE ? PDP_ERR_DUPLICATE : err;
    }
    slot_pack(record, slot_at(table, *at));
    table_count(&table->records);
    return PDP_ERR_OK;
}

// Takes a slot, gives it the id and claims that in the index; the slot is then filled by the caller before
// the shard's lock is given up. BUSY where the budget is used up.
static enum pdp_err take_slot(struct session_table *table, struct shard *shard, struct hash128 id,
                              uint8_t number, bool reserve, uint32_t *at)
{
    *at = 0;
    if (!table_admit(table, &table->records, reserve)) {
        return PDP_ERR_BUSY;
    }
    enum pdp_err err = claim_slot(table, shard, id, number, at);
    if (err != PDP_ERR_OK) {
        table_uncount(&table->records);
    }
    return err;
}

static enum pdp_err take_slot_and_user(struct session_table *table, struct session_held *held,
                                       const struct session_key *key, bool reserve, uint32_t *at)
{
    struct shard *shard = held->shard;
    uint32_t user = held->user_slot;
    if (user == 0) {
        TRY(users_make(table, shard, key, &user));
    }
    enum pdp_err err = take_slot(table, shard, key->id, key->number, reserve, at);
    if (err != PDP_ERR_OK) {
        if (held->user_slot == 0) {
            users_forget(table, shard, user);
        }
        return err;
    }
    held->user_slot = user;
    return PDP_ERR_OK;
}

static void fill_new(struct session_table *table, struct session_held *held, uint32_t at,
                     const struct session_record *record, int64_t now_ms)
{
    struct slot *slot = slot_at(table, at);
    struct user *user = user_at(held->shard, held->user_slot);
    const uint8_t number = slot->key;
    slot_pack(record, slot);
    slot->key = number & 15U; // SESSION_KEYS - 1
    slot->user = held->user_slot;
    user->slots++;
    if (record->state == SESSION_TERMINATED) {
        slot->of.ended.ended_ms = record->ended_ms != 0 ? record->ended_ms : now_ms;
        table_count(&table->tombstones);
    } else {
        live_add(table, held->shard, at);
    }
    table_count(&table->created);
    held->slot = at;
}

static enum pdp_err create(struct session_table *table, struct session_held *held,
                           const struct session_key *key, const struct session_delta *delta, int64_t now_ms)
{
    const struct session_record *record = &delta->session;
    bool tombstone = record->state == SESSION_TERMINATED;
    if (held->shard != table_shard(table, key->subject) || table_no_id(key->id) ||
        record->state == SESSION_NONE || record->state > SESSION_TERMINATED) {
        return PDP_ERR_STATE;
    }
    if (delta->room != NULL && !delta->room->fits) {
        return PDP_ERR_LIMIT;
    }
    if (!tombstone && !peers_take(&table->peers, key->peer, now_ms)) {
        return PDP_ERR_LIMIT;
    }
    uint32_t at = 0;
    enum pdp_err err = take_slot_and_user(table, held, key, tombstone, &at);
    if (err != PDP_ERR_OK) {
        if (!tombstone) {
            peers_give(&table->peers, key->peer);
        }
        return err;
    }
    fill_new(table, held, at, record, now_ms);
    if (delta->room != NULL) {
        held->seq = live_make_room(table, held->shard, delta->room, now_ms);
    }
    return PDP_ERR_OK;
}

// Writes a live session, or ends it.
static void overwrite(struct session_table *table, struct shard *shard, struct slot *slot,
                      const struct session_record *record, int64_t now_ms)
{
    const uint32_t epoch = slot->epoch + (record->state != slot->state), keep_until_s = slot->keep_until_s;
    const int64_t last_seen_ms = slot_time_ms(slot, SLOT_LAST_SEEN);
    const uint8_t number = slot->key;
    if (record->state == SESSION_TERMINATED) {
        count_end(table, shard, slot);
    }
    slot_pack(record, slot);
    slot->key = number & 15U; // SESSION_KEYS - 1
    slot->epoch = slot->epoch > epoch ? slot->epoch : epoch;
    slot->keep_until_s = slot->keep_until_s > keep_until_s ? slot->keep_until_s : keep_until_s;
    slot_set_time(slot, SLOT_LAST_SEEN, num_max(slot_time_ms(slot, SLOT_LAST_SEEN), last_seen_ms));
    if (record->state == SESSION_TERMINATED && record->ended_ms == 0) {
        slot->of.ended.ended_ms = now_ms;
    }
}

static enum pdp_err update(struct session_table *table, struct session_held *held,
                           const struct session_key *key, const struct session_delta *delta, int64_t now_ms)
{
    struct shard *shard = held->shard;
    struct slot *slot = slot_at(table, held->slot);
    const struct session_record *record = &delta->session;
    if (delta->rotate != NULL &&
        (held->rotated || record->state == SESSION_TERMINATED || !table_is_live(slot))) {
        return PDP_ERR_STATE;
    }
    if (!table_is_live(slot)) {
        if (record->state != SESSION_TERMINATED) {
            return PDP_ERR_STATE;
        }
        held->seq = commit_end(table, shard, held->slot, PDP_CODE_TERMINATED, now_ms,
                               record->keep_until_ms); // keeps it longer
        return PDP_ERR_OK;
    }
    if (record->state == SESSION_NONE || record->state > SESSION_TERMINATED) {
        return PDP_ERR_STATE;
    }
    if (delta->rotate != NULL) {
        TRY(family_rotate(table, shard, held->slot, delta->rotate, key->peer, now_ms, &held->old_slot));
    }
    overwrite(table, shard, slot, record, now_ms);
    if (delta->rotate != NULL) { // answers under the old reference would not hear of the end
        tell_slot(table, NOTICE_STEP_UP, slot_at(table, held->old_slot)->id, slot->epoch, PDP_CODE_POLICY,
                  now_ms);
        family_link(table, shard, held->slot, held->old_slot, delta->rotate, now_ms);
    }
    return PDP_ERR_OK;
}

// What must last goes into the journal in the order in which it may come back: an old id that was replaced,
// or ended, before the session.
static void write_out(struct session_table *table, struct session_held *held,
                      const struct session_delta *delta, bool was_over)
{
    bool ends = !was_over && slot_at(table, held->slot)->state == SESSION_TERMINATED;
    if (!ends && !delta->lasting && delta->rotate == NULL) {
        lasting_note(table, held->shard, held->slot);
        return;
    }
    uint64_t seq = delta->rotate != NULL ? lasting_put_family(table, held->shard, held->old_slot, held->slot)
                                         : lasting_put(table, held->shard, held->slot, true);
    held->seq = seq > held->seq ? seq : held->seq;
}

static enum pdp_err put_user(struct session_table *table, struct session_held *held,
                             const struct session_key *key, const struct user_record *record, int64_t now_ms)
{
    struct shard *own = table_shard(table, key->subject);
    if (held->shard != own || held->found == SESSION_FOREIGN) {
        return PDP_ERR_OK; // a foreign hold: the asker's own shard is not locked, and nothing is learnt from
                           // theft
    }
    if (held->user_slot == 0) {
        if (!peers_take(&table->peers, key->peer, now_ms)) {
            return PDP_ERR_LIMIT;
        }
        enum pdp_err err = users_make(table, own, key, &held->user_slot);
        if (err != PDP_ERR_OK) {
            peers_give(&table->peers, key->peer);
            return err;
        }
    }
    bool cut = record->cutoff_s > user_at(own, held->user_slot)->record.cutoff_s;
    write_user(own, held, record);
    if (cut) {
        tell_cutoff(table, now_ms);
    }
    lasting_note_user(table, own, held->user_slot);
    return PDP_ERR_OK;
}

static enum pdp_err put_session(struct session_table *table, struct session_held *held,
                                const struct session_key *key, const struct session_delta *delta,
                                int64_t now_ms)
{
    if (held->slot != 0) {
        return update(table, held, key, delta, now_ms);
    }
    return delta->create ? create(table, held, key, delta, now_ms) : PDP_ERR_STATE;
}

// The id by which a session ended, where that was replaced, ends too. Behind the session's own end: were it
// before, a crash between the two would tell of an end while the session goes on under its other id.
static void end_old_id(struct session_table *table, struct session_held *held,
                       const struct session_record *record, uint8_t was, int64_t now_ms)
{
    if (held->rotated && record->state == SESSION_TERMINATED && was != SESSION_TERMINATED) {
        uint64_t seq = commit_end(table, held->shard, held->old_slot, (enum pdp_code)record->end_code, now_ms,
                                  record->keep_until_ms);
        held->seq = seq > held->seq ? seq : held->seq;
    }
}

enum pdp_err session_commit(struct session_table *table, struct session_held *held,
                            const struct session_key *key, const struct session_delta *delta, int64_t now_ms)
{
    invariant(held->shard != NULL);
    enum pdp_err err = PDP_ERR_OK;
    held->seq = 0;
    const uint8_t was = held->slot != 0 ? slot_at(table, held->slot)->state : (uint8_t)SESSION_NONE;
    if (delta->put_session) {
        err = put_session(table, held, key, delta, now_ms);
    }
    // A session that was written has its user, so that what follows cannot fail any more.
    if (err == PDP_ERR_OK && delta->put_user) {
        err = put_user(table, held, key, &delta->user, now_ms);
    }
    if (err != PDP_ERR_OK) {
        table_count(&table->refused);
        return err;
    }
    if (delta->put_session) {
        tell_commit(table, held, was, now_ms);
        write_out(table, held, delta, was == SESSION_TERMINATED);
        end_old_id(table, held, &delta->session, was, now_ms);
        table_unpack(held->shard, slot_at(table, held->slot), &held->record);
        held->session = &held->record;
        held->found = held->found == SESSION_ABSENT ? SESSION_FOUND : held->found;
        if (held->user_slot != 0 && held->found == SESSION_FOUND) {
            held->user = &user_at(held->shard, held->user_slot)->record;
        }
    } else if (delta->put_user && delta->lasting && held->user_slot != 0 && held->found != SESSION_FOREIGN) {
        held->seq = lasting_put_user(table, held->shard, held->user_slot);
    }
    return PDP_ERR_OK;
}

enum pdp_err commit_bare(struct session_table *table, const struct session_key *key, enum pdp_code why,
                         int64_t now_ms, int64_t keep_until_ms, struct session_record *record, uint64_t *seq)
{
    const struct hash128 id = key->id;
    *seq = 0;
    struct shard *shard = table_shard(table, id);
    table_lock(&shard->lock);
    uint32_t at = 0;
    enum pdp_err err = take_slot(table, shard, id, key->number, true, &at);
    if (err == PDP_ERR_OK) {
        const double nan = __builtin_nan("");
        const struct sighting nowhere = {.lat_deg = nan, .lon_deg = nan, .radius_km = nan};
        *record = (struct session_record){
            .id = id, .key = key->number, .first_seen_ms = now_ms, .last_seen_ms = now_ms};
        record->anchor = record->last = nowhere;
        struct slot *slot = slot_at(table, at);
        slot_pack(record, slot);
        *seq = commit_end(table, shard, at, why, now_ms, keep_until_ms);
        table_unpack(shard, slot, record);
    }
    table_unlock(&shard->lock);
    return err;
}
