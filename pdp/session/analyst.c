// SPDX-License-Identifier: Apache-2.0
#include "session/table.h"

enum {
    REF_DIGITS = 24
};
static const int END_TRIES = 64; // an id that is begun and forgotten again and again meanwhile

static int digit_of(char c)
{
    return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

bool session_ref_read(struct str text, struct hash128 *id)
{
    *id = (struct hash128){0};
    uint64_t parts[2] = {0};
    if (text.len != 2 + REF_DIGITS || !str_starts(text, STR("s_"))) {
        return false;
    }
    for (size_t i = 0; i < REF_DIGITS; i++) {
        int digit = digit_of(text.at[2 + i]);
        if (digit < 0) {
            return false;
        }
        parts[i / 16] = parts[i / 16] << 4 | (uint64_t)digit;
    }
    *id = (struct hash128){.lo = parts[0], .hi = parts[1] << 32};
    return true;
}

static void name_view(const struct user *user, struct session_view *view)
{
    const char *at = user->names;
    memcpy(view->tenant, at, user->tenant_len);
    view->tenant[user->tenant_len] = '\0';
    at += user->tenant_len;
    memcpy(view->subject_type, at, user->type_len);
    view->subject_type[user->type_len] = '\0';
    at += user->type_len;
    memcpy(view->subject_id, at, user->id_len);
    view->subject_id[user->id_len] = '\0';
}

static void view_slot(struct session_table *table, const struct shard *shard, const struct slot *slot,
                      struct session_view *view)
{
    *view = (struct session_view){0};
    table_unpack(shard, slot, &view->record);
    view->gateway = gateways_name(&table->gateways, slot->gateway);
    session_ref_print(slot->id, view->ref);
    if (slot->user != 0) {
        name_view(user_at(shard, slot->user), view);
    }
}

// Locks the shard of a session named by ref, or else by id: ids are chosen by others, refs are not, so that
// nobody can take the place of the session that a ref names. 0: not known, nothing locked.
static uint32_t lock_named(struct session_table *table, struct str id_or_ref, struct shard **shard)
{
    *shard = NULL;
    struct session_key key = session_key_of(table, 0, STR(""), STR(""), STR(""), id_or_ref);
    struct hash128 ref = {0};
    if (table_no_id(key.id)) {
        return 0;
    }
    uint32_t at = session_ref_read(id_or_ref, &ref) ? table_lock_slot(table, ref, true, shard) : 0;
    return at != 0 ? at : table_lock_slot(table, key.id, false, shard);
}

bool session_look(struct session_table *table, struct str id_or_ref, struct session_view *out)
{
    *out = (struct session_view){0};
    struct shard *shard = NULL;
    uint32_t at = lock_named(table, id_or_ref, &shard);
    if (at == 0) {
        return false;
    }
    view_slot(table, shard, slot_at(table, at), out);
    table_unlock(&shard->lock);
    return true;
}

bool session_goes_by(struct session_table *table, struct str id_or_ref, struct hash128 *id)
{
    *id = (struct hash128){0};
    struct shard *shard = NULL;
    uint32_t at = lock_named(table, id_or_ref, &shard);
    if (at == 0) {
        return false;
    }
    uint32_t tip = slot_at(table, at)->state == SESSION_ROTATED ? family_tip(table, shard, at) : at;
    *id = slot_at(table, tip != 0 ? tip : at)->id;
    table_unlock(&shard->lock);
    return true;
}

// Makes a tombstone for an id that is not known. STATE: it has become known meanwhile.
static enum pdp_err end_unknown(struct session_table *table, struct str id, enum pdp_code why, int64_t now_ms,
                                int64_t keep_until_ms, struct session_view *was)
{
    struct hash128 ref = {0};
    if (id.len == 0 || session_ref_read(id, &ref)) {
        return PDP_ERR_UNKNOWN;
    }
    struct session_key key = session_key_of(table, 0, STR(""), STR(""), STR(""), id);
    *was = (struct session_view){0};
    TRY(commit_bare(table, &key, why, now_ms, keep_until_ms, &was->record, &was->seq));
    session_ref_print(key.id, was->ref);
    return PDP_ERR_OK;
}

// The session itself, and an id that was replaced besides, if it was named by that.
static void end_known(struct session_table *table, struct shard *shard, uint32_t at, enum pdp_code why,
                      int64_t now_ms, int64_t keep_until_ms, struct session_view *was)
{
    uint32_t tip = slot_at(table, at)->state == SESSION_ROTATED ? family_tip(table, shard, at) : at;
    uint32_t ends = tip != 0 ? tip : at;
    view_slot(table, shard, slot_at(table, ends), was);
    was->seq = commit_end(table, shard, ends, why, now_ms, keep_until_ms);
    if (ends != at) {
        uint64_t seq = commit_end(table, shard, at, why, now_ms, keep_until_ms);
        was->seq = seq > was->seq ? seq : was->seq;
    }
}

enum pdp_err session_end(struct session_table *table, struct str id_or_ref, enum pdp_code why, int64_t now_ms,
                         int64_t keep_until_ms, struct session_view *was, bool *known)
{
    *known = false;
    *was = (struct session_view){0};
    for (int i = 0; i < END_TRIES; i++) {
        struct shard *shard = NULL;
        uint32_t at = lock_named(table, id_or_ref, &shard);
        if (at != 0) {
            end_known(table, shard, at, why, now_ms, keep_until_ms, was);
            table_unlock(&shard->lock);
            *known = true;
            return PDP_ERR_OK;
        }
        enum pdp_err err = end_unknown(table, id_or_ref, why, now_ms, keep_until_ms, was);
        if (err != PDP_ERR_STATE) {
            return err;
        }
    }
    return PDP_ERR_BUSY;
}

// ---- a user ----------------------------------------------------------------------------------------

bool session_user_look(struct session_table *table, const struct session_key *key, struct user_record *out,
                       struct session_view *views, size_t most, size_t *count)
{
    struct shard *shard = table_shard(table, key->subject);
    *out = (struct user_record){0};
    *count = 0;
    table_lock(&shard->lock);
    uint32_t found = table_find_user(shard, key->subject);
    if (found != 0) {
        const struct user *user = user_at(shard, found);
        *out = user->record;
        *count = user->record.live_sessions;
        uint32_t at = user->newest;
        for (size_t i = 0; i < most && at != 0; i++, at = slot_at(table, at)->older) {
            view_slot(table, shard, slot_at(table, at), &views[i]);
        }
    }
    table_unlock(&shard->lock);
    return found != 0;
}

bool session_user_change(struct session_table *table, const struct session_key *key,
                         void (*change)(void *user, struct user_record *record), void *user, uint64_t *seq)
{
    struct shard *shard = table_shard(table, key->subject);
    *seq = 0;
    table_lock(&shard->lock);
    uint32_t at = table_find_user(shard, key->subject);
    if (at != 0) {
        struct user_record *record = &user_at(shard, at)->record;
        const struct user_record was = *record;
        change(user, record);
        record->subject = was.subject;
        record->live_sessions = was.live_sessions;
        record->cutoff_s = was.cutoff_s;
        *seq = lasting_put_user(table, shard, at);
    }
    table_unlock(&shard->lock);
    return at != 0;
}

static void forget_devices(void *user, struct user_record *record)
{
    size_t *count = user;
    for (size_t i = 0; i < USER_DEVICES; i++) {
        struct user_device *device = &record->devices[i];
        *count += device->until_s != 0;
        device->since_s = device->until_s = 0;
    }
}

bool session_forget_devices(struct session_table *table, const struct session_key *key, size_t *count,
                            uint64_t *seq)
{
    *count = 0;
    return session_user_change(table, key, forget_devices, count, seq);
}

// ---- listing: a cursor is a shard and a place in it, plus one --------------------------------------

static const unsigned PLACE_BITS = 40;

size_t session_list(struct session_table *table, uint64_t *cursor, struct session_view *out, size_t most)
{
    uint64_t from = *cursor != 0 ? *cursor - 1 : 0;
    uint64_t s = from >> PLACE_BITS, place = from & ((UINT64_C(1) << PLACE_BITS) - 1);
    size_t written = 0;
    for (; s <= table->shard_mask && written < most; s++, place = 0) {
        struct shard *shard = &table->shards[s];
        bool more = true;
        while (more && written < most) {
            table_lock(&shard->lock);
            uint64_t end = (uint64_t)shard->slab_count * TABLE_SLAB;
            uint64_t stop = place + TABLE_LOCK_MOST < end ? place + TABLE_LOCK_MOST : end;
            for (; place < stop && written < most; place++) {
                uint32_t at = shard->slabs[place / TABLE_SLAB] * TABLE_SLAB + (uint32_t)(place % TABLE_SLAB);
                if (slot_at(table, at)->state != SESSION_NONE) {
                    view_slot(table, shard, slot_at(table, at), &out[written++]);
                }
            }
            more = place < end;
            table_unlock(&shard->lock);
        }
        if (more) {
            *cursor = (s << PLACE_BITS | place) + 1;
            return written;
        }
    }
    *cursor = s > table->shard_mask ? 0 : (s << PLACE_BITS) + 1;
    return written;
}

void session_users(struct session_table *table, uint64_t *cursor, size_t most,
                   void (*each)(void *user, const struct user_record *record), void *user)
{
    uint64_t from = *cursor != 0 ? *cursor - 1 : 0;
    uint64_t s = from >> PLACE_BITS, place = from & ((UINT64_C(1) << PLACE_BITS) - 1);
    for (; s <= table->shard_mask && most > 0; s++, place = 0) {
        struct shard *shard = &table->shards[s];
        table_lock(&shard->lock);
        uint64_t end = (uint64_t)shard->user_slab_count * TABLE_USER_SLAB;
        for (; place < end && most > 0; place++, most--) {
            const struct user *one = user_at(shard, (uint32_t)place + 1);
            if (one->names != NULL) {
                each(user, &one->record);
            }
        }
        table_unlock(&shard->lock);
        if (place < end) {
            *cursor = (s << PLACE_BITS | place) + 1;
            return;
        }
    }
    *cursor = s > table->shard_mask ? 0 : (s << PLACE_BITS) + 1;
}
