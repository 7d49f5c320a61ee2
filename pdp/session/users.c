// SPDX-License-Identifier: Apache-2.0
#include "session/table.h"

#include <stdlib.h>

static enum pdp_err name_user(struct session_table *table, struct user *user, const struct session_key *key)
{
    struct str tenant = str_sub(key->tenant, 0, TABLE_NAME_MAX);
    struct str type = str_sub(key->subject_type, 0, TABLE_NAME_MAX);
    struct str id = str_sub(key->subject_id, 0, REQUEST_ID_MAX);
    size_t bytes = tenant.len + type.len + id.len + 1; // never zero: NULL marks a free place
    user->names = malloc(bytes);
    if (user->names == NULL) {
        return PDP_ERR_NOMEM;
    }
    const struct str names[3] = {tenant, type, id};
    char *at = user->names;
    for (size_t i = 0; i < COUNT_OF(names); at += names[i].len, i++) {
        if (names[i].len != 0) {
            memcpy(at, names[i].at, names[i].len);
        }
    }
    *at = '\0';
    user->tenant_len = (uint8_t)tenant.len;
    user->type_len = (uint8_t)type.len;
    user->id_len = (uint8_t)id.len;
    atomic_fetch_add_explicit(&table->bytes, bytes, memory_order_relaxed);
    return PDP_ERR_OK;
}

// A place for the user, counted before.
static enum pdp_err make(struct session_table *table, struct shard *shard, const struct session_key *key,
                         uint32_t *out)
{
    uint32_t at = 0;
    enum pdp_err err = slabs_take_user(table, shard, &at);
    if (err == PDP_ERR_OK) {
        err = name_user(table, user_at(shard, at), key);
    }
    if (err != PDP_ERR_OK) {
        if (at != 0) {
            slabs_give_user(shard, at);
        }
        table_uncount(&table->users);
        return err;
    }
    struct user_record *record = &user_at(shard, at)->record;
    record->subject = key->subject;
    record->last.lat_deg = record->last.lon_deg = record->last.radius_km = __builtin_nan("");
    buckets_insert(&shard->users, &SLABS_USER_OPS, shard, at);
    *out = at;
    return PDP_ERR_OK;
}

enum pdp_err users_make(struct session_table *table, struct shard *shard, const struct session_key *key,
                        uint32_t *out)
{
    *out = 0;
    return table_admit(table, &table->users, true) ? make(table, shard, key, out) : PDP_ERR_BUSY;
}

enum pdp_err users_restore(struct session_table *table, struct shard *shard, const struct session_key *key,
                           uint32_t *out)
{
    *out = 0;
    table_count(&table->users);
    return make(table, shard, key, out);
}

void users_forget(struct session_table *table, struct shard *shard, uint32_t at)
{
    struct user *user = user_at(shard, at);
    buckets_remove(&shard->users, &SLABS_USER_OPS, shard, at);
    size_t bytes = (size_t)user->tenant_len + user->type_len + user->id_len + 1;
    atomic_fetch_sub_explicit(&table->bytes, bytes, memory_order_relaxed);
    free(user->names);
    slabs_give_user(shard, at);
    table_uncount(&table->users);
}
