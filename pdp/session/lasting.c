// SPDX-License-Identifier: Apache-2.0
// What must last: into the journal at once, or noted and written at leisure.
#include "session/row.h"
#include "session/table.h"

enum {
    CHANGED_A_LOCK = 64 // records written out under one lock
};

// ---- Notes -----------------------------------------------------------------------------------------

void lasting_note(struct session_table *table, struct shard *shard, uint32_t at)
{
    if (table->config.journal == NULL) {
        return;
    }
    struct slab *slab = slab_of(table, at);
    if (slab->dirty == 0) {
        slab->next_dirty = shard->dirty_slab;
        shard->dirty_slab = at / TABLE_SLAB;
    }
    slab->dirty |= (uint16_t)(1U << at % TABLE_SLAB);
}

void lasting_note_user(struct session_table *table, struct shard *shard, uint32_t at)
{
    struct user *user = user_at(shard, at);
    if (table->config.journal != NULL && user->dirty == 0) {
        user->dirty = 1;
        user->next_dirty = shard->dirty_user;
        shard->dirty_user = at;
    }
}

// ---- Rows ------------------------------------------------------------------------------------------

struct written {
    unsigned char key[JOURNAL_KEY_MAX], value[ROW_BYTES_MAX];
};

static uint8_t rank_of(const struct slot *slot)
{
    return slot->state == SESSION_TERMINATED ? JOURNAL_ENDED
           : slot->state == SESSION_ROTATED  ? JOURNAL_ROTATED
                                             : JOURNAL_LIVE;
}

static struct journal_row session_row(struct session_table *table, const struct shard *shard,
                                      const struct slot *slot, struct written *to)
{
    struct session_record record;
    table_unpack(shard, slot, &record);
    struct journal_row row = {.table = JOURNAL_SESSIONS, .rank = rank_of(slot)};
    row.key = (struct str){(const char *)to->key, row_session_key(&record, to->key)};
    row.value =
        (struct str){(const char *)to->value,
                     row_session_write(&record, gateways_name(&table->gateways, record.gateway), to->value)};
    return row;
}

static struct journal_row user_row(const struct user *user, struct written *to)
{
    const struct row_names names = {
        .tenant = {user->names, user->tenant_len},
        .type = {user->names + user->tenant_len, user->type_len},
        .id = {user->names + user->tenant_len + user->type_len, user->id_len},
    };
    struct journal_row row = {.table = JOURNAL_USERS};
    row.key = (struct str){(const char *)to->key, row_user_key(user->record.subject, to->key)};
    row.value = (struct str){(const char *)to->value, row_user_write(&user->record, &names, to->value)};
    return row;
}

enum {
    PUT_MOST = 2 // sessions in one step
};

// As one step: the user of the last, and then each in turn.
static uint64_t put(struct session_table *table, struct shard *shard, const uint32_t *slots,
                    size_t slot_count, bool and_user)
{
    const struct slot *last = slot_at(table, slots[slot_count - 1]);
    struct written texts[PUT_MOST + 1];
    struct journal_row rows[PUT_MOST + 1];
    size_t count = 0;
    and_user = and_user && last->user != 0;
    if (and_user) { // first: a session is put back where its user is
        rows[count] = user_row(user_at(shard, last->user), &texts[count]);
        count++;
    }
    for (size_t i = 0; i < slot_count; i++, count++) {
        rows[count] = session_row(table, shard, slot_at(table, slots[i]), &texts[count]);
    }
    uint64_t seq = 0;
    bool ends = last->state == SESSION_TERMINATED;
    if (journal_add(table->config.journal, rows, count, ends, &seq) == PDP_ERR_OK) {
        return seq;
    }
    for (size_t i = 0; i < slot_count; i++) {
        lasting_note(table, shard, slots[i]);
    }
    if (and_user) {
        lasting_note_user(table, shard, last->user);
    }
    journal_miss(table->config.journal);
    return UINT64_MAX;
}

uint64_t lasting_put(struct session_table *table, struct shard *shard, uint32_t at, bool and_user)
{
    return table->config.journal != NULL ? put(table, shard, &at, 1, and_user) : 0;
}

uint64_t lasting_put_family(struct session_table *table, struct shard *shard, uint32_t old, uint32_t at)
{
    const uint32_t slots[] = {old, at};
    return table->config.journal != NULL ? put(table, shard, slots, COUNT_OF(slots), true) : 0;
}

uint64_t lasting_put_user(struct session_table *table, struct shard *shard, uint32_t at)
{
    uint64_t seq = 0;
    if (table->config.journal == NULL) {
        return 0;
    }
    struct written text;
    const struct journal_row row = user_row(user_at(shard, at), &text);
    if (journal_add(table->config.journal, &row, 1, true, &seq) == PDP_ERR_OK) {
        return seq;
    }
    lasting_note_user(table, shard, at);
    journal_miss(table->config.journal);
    return UINT64_MAX;
}

// ---- What is forgotten -----------------------------------------------------------------------------

// With it goes, in one step, until when an authentication may be one that was forgotten: else a row that went
// would let its session begin again. Where the journal is full nothing goes: what memory forgot and the disk
// did not would come back behind whatever was made of the id since.
static bool erase(struct session_table *table, struct journal_row *row)
{
    unsigned char at[8];
    uint64_t forgotten = (uint64_t)session_forgotten_ms(table), seq = 0;
    for (size_t i = 0; i < sizeof at; i++) {
        at[i] = (unsigned char)(forgotten >> (8 * i));
    }
    row->erase = true;
    row->rank = JOURNAL_ENDED;
    const struct journal_row rows[] = {
        {.table = JOURNAL_META, .key = STR(SESSION_ROW_FORGOTTEN), .value = {(const char *)at, sizeof at}},
        *row};
    return journal_add(table->config.journal, rows, COUNT_OF(rows), false, &seq) == PDP_ERR_OK;
}

bool lasting_erase(struct session_table *table, const struct slot *slot)
{
    if (table->config.journal == NULL) {
        return true;
    }
    unsigned char key[ROW_SESSION_KEY];
    const struct session_record record = {.id = slot->id, .key = slot->key};
    struct journal_row row = {.table = JOURNAL_SESSIONS};
    row.key = (struct str){(const char *)key, row_session_key(&record, key)};
    return erase(table, &row);
}

bool lasting_erase_user(struct session_table *table, struct hash128 subject)
{
    if (table->config.journal == NULL) {
        return true;
    }
    unsigned char key[ROW_USER_KEY];
    struct journal_row row = {.table = JOURNAL_USERS};
    row.key = (struct str){(const char *)key, row_user_key(subject, key)};
    return erase(table, &row);
}

// ---- At leisure ------------------------------------------------------------------------------------

// Users before sessions, for the same reason as above: a session that is noted has a user that is, or that
// was written before.
static size_t give_users(struct shard *shard, size_t most,
                         void (*each)(void *user, const struct journal_row *row), void *user)
{
    size_t given = 0;
    while (shard->dirty_user != 0 && given < most) {
        struct user *one = user_at(shard, shard->dirty_user);
        shard->dirty_user = one->next_dirty;
        one->next_dirty = 0;
        one->dirty = 0;
        if (one->names != NULL) {
            struct written text;
            const struct journal_row row = user_row(one, &text);
            each(user, &row);
            given++;
        }
    }
    return given;
}

static size_t give_slab(struct session_table *table, struct shard *shard,
                        void (*each)(void *user, const struct journal_row *row), void *user)
{
    size_t given = 0;
    struct slab *slab = slab_of(table, shard->dirty_slab * TABLE_SLAB);
    for (uint32_t i = 0; i < TABLE_SLAB; i++) {
        const struct slot *slot = &slab->slots[i];
        if ((slab->dirty >> i & 1) != 0 && slot->state != SESSION_NONE) {
            struct written text;
            const struct journal_row row = session_row(table, shard, slot, &text);
            each(user, &row);
            given++;
        }
    }
    shard->dirty_slab = slab->next_dirty;
    slab->next_dirty = 0;
    slab->dirty = 0;
    return given;
}

static size_t give(struct session_table *table, struct shard *shard,
                   void (*each)(void *user, const struct journal_row *row), void *user)
{
    table_lock(&shard->lock);
    size_t given = give_users(shard, CHANGED_A_LOCK, each, user);
    while (shard->dirty_user == 0 && shard->dirty_slab != 0 && given < CHANGED_A_LOCK) {
        given += give_slab(table, shard, each, user);
    }
    table_unlock(&shard->lock);
    return given;
}

size_t session_changed(struct session_table *table, size_t most,
                       void (*each)(void *user, const struct journal_row *row), void *user)
{
    size_t given = 0;
    for (uint32_t idle = 0; given < most && idle <= table->shard_mask;) {
        size_t here = give(table, &table->shards[table->changed_shard], each, user);
        given += here;
        if (here == 0) {
            table->changed_shard = (table->changed_shard + 1) & table->shard_mask;
            idle++;
        } else {
            idle = 0;
        }
    }
    return given;
}

static void note_session_again(struct session_table *table, struct hash128 id)
{
    struct shard *shard = NULL;
    uint32_t at = table_lock_slot(table, id, false, &shard);
    if (at != 0) {
        lasting_note(table, shard, at);
        table_unlock(&shard->lock);
    }
}

static void note_user_again(struct session_table *table, struct hash128 subject)
{
    struct shard *shard = table_shard(table, subject);
    table_lock(&shard->lock);
    uint32_t at = table_find_user(shard, subject);
    if (at != 0) {
        lasting_note_user(table, shard, at);
    }
    table_unlock(&shard->lock);
}

void session_note_again(struct session_table *table, const struct journal_row *row)
{
    struct session_record session;
    struct user_record user;
    struct row_names names;
    struct str gateway;
    if (row->table == JOURNAL_SESSIONS &&
        row_session_read(row->key, row->value, &session, &gateway) == PDP_ERR_OK) {
        note_session_again(table, session.id);
    } else if (row->table == JOURNAL_USERS &&
               row_user_read(row->key, row->value, &user, &names) == PDP_ERR_OK) {
        note_user_again(table, user.subject);
    }
}

// Slabs stay once they are there, so a walk by number misses only what was made, and noted, since.
static bool note_slabs(struct session_table *table, struct shard *shard, uint32_t from)
{
    table_lock(&shard->lock);
    uint32_t to = from + TABLE_LOCK_MOST / TABLE_SLAB;
    for (uint32_t i = from; i < to && i < shard->slab_count; i++) {
        for (uint32_t at = shard->slabs[i] * TABLE_SLAB; at < (shard->slabs[i] + 1) * TABLE_SLAB; at++) {
            if (slot_at(table, at)->state != SESSION_NONE) {
                lasting_note(table, shard, at);
            }
        }
    }
    bool more = to < shard->slab_count;
    table_unlock(&shard->lock);
    return more;
}

static bool note_users(struct session_table *table, struct shard *shard, uint32_t from)
{
    table_lock(&shard->lock);
    uint32_t most = shard->user_slab_count * TABLE_USER_SLAB;
    uint32_t to = most - from > TABLE_LOCK_MOST ? from + TABLE_LOCK_MOST : most;
    for (uint32_t i = from; i < to; i++) {
        if (user_at(shard, i + 1)->names != NULL) {
            lasting_note_user(table, shard, i + 1);
        }
    }
    table_unlock(&shard->lock);
    return to < most;
}

void session_note_all(struct session_table *table)
{
    for (uint32_t i = 0; i <= table->shard_mask; i++) {
        struct shard *shard = &table->shards[i];
        for (uint32_t at = 0; note_users(table, shard, at); at += TABLE_LOCK_MOST) {
        }
        for (uint32_t at = 0; note_slabs(table, shard, at); at += TABLE_LOCK_MOST / TABLE_SLAB) {
        }
    }
}
