// SPDX-License-Identifier: Apache-2.0
#include "store/rows.h"

#include "base/hash.h"
#include "store/backend.h"

#include <stdio.h>

static const struct hash_key SUM_KEY = {0x7064702073746f72, 0x6520726f77732031}; // against chance, not malice

uint64_t rows_sum(const struct store_row *row)
{
    struct hash_key key = {hash_64(SUM_KEY, row->key.at, row->key.len),
                           SUM_KEY.k1 ^ ((uint64_t)row->table << 8 | row->rank)};
    return hash_64(key, row->value.at, row->value.len);
}

// ---- State ------------------------------------------------------------------------------------------

static void put_u64(char *at, uint64_t number)
{
    for (size_t i = 0; i < 8; i++) {
        at[i] = (char)(number >> 8 * i & 0xff);
    }
}

static uint64_t get_u64(const char *at)
{
    uint64_t number = 0;
    for (size_t i = 0; i < 8; i++) {
        number |= (uint64_t)(unsigned char)at[i] << 8 * i;
    }
    return number;
}

void rows_state_put(const struct rows_state *state, char bytes[static ROWS_STATE_BYTES])
{
    put_u64(bytes, state->commits);
    for (size_t i = 0; i < STORE_TABLE_COUNT; i++) {
        put_u64(bytes + 8 + 8 * i, state->counts[i]);
    }
}

// The row that a statement stands at: key, rank, value, sum. false where it is none that we wrote.
static bool take_row(sqlite3_stmt *statement, enum store_table table, struct store_row *row)
{
    *row = (struct store_row){
        .table = table,
        .key = {sqlite3_column_blob(statement, 0), (size_t)sqlite3_column_bytes(statement, 0)},
        .value = {sqlite3_column_blob(statement, 2), (size_t)sqlite3_column_bytes(statement, 2)}};
    int64_t rank = sqlite3_column_int64(statement, 1);
    row->rank = (uint8_t)rank;
    return rank >= 0 && rank <= UINT8_MAX && row->key.len >= 1 && row->key.len <= STORE_KEY_MAX &&
           row->value.len <= STORE_VALUE_MAX && (uint64_t)sqlite3_column_int64(statement, 3) == rows_sum(row);
}

enum pdp_err rows_state_read(sqlite3 *db, const char *path, struct rows_state *out,
                             char why[static STORE_WHY_MAX])
{
    AUTO(sql_finish) sqlite3_stmt *statement = NULL;
    *out = (struct rows_state){0};
    enum pdp_err err = sql_prepare(db, &statement, "SELECT key, rank, value, sum FROM store");
    int code = err == PDP_ERR_OK ? sqlite3_step(statement) : SQLITE_OK;
    err = err == PDP_ERR_OK ? sql_err(code) : err;
    if (err != PDP_ERR_OK) {
        return sql_refuse(path, err, sqlite3_errmsg(db), why);
    }
    struct store_row row;
    if (code == SQLITE_DONE) {
        return PDP_ERR_OK; // nothing was written yet: every count is zero, and is held against the rows
    }
    // One that an older version wrote has fewer counts: the tables came later, and were empty.
    if (!take_row(statement, STORE_TABLE_COUNT, &row) || row.value.len < 8 || row.value.len % 8 != 0 ||
        row.value.len > ROWS_STATE_BYTES) {
        return sql_refuse(path, PDP_ERR_CORRUPT, "the row that counts all others is damaged", why);
    }
    out->commits = get_u64(row.value.at);
    for (size_t i = 0; i < row.value.len / 8 - 1; i++) {
        out->counts[i] = get_u64(row.value.at + 8 + 8 * i);
    }
    return PDP_ERR_OK;
}

// ---- Rows -------------------------------------------------------------------------------------------

static enum pdp_err look_at(sqlite3_stmt *statement, const char *path, struct rows_walk *walk,
                            char why[static STORE_WHY_MAX])
{
    struct store_row row;
    if (take_row(statement, walk->table, &row)) {
        walk->good++;
        return walk->each != NULL ? walk->each(walk->user, &row) : PDP_ERR_OK;
    }
    if (walk->bad != NULL) {
        walk->bad(walk->user, walk->table, row.key);
        return PDP_ERR_OK;
    }
    char what[96];
    (void)snprintf(what, sizeof what, "a row of `%s` does not hold its checksum",
                   store_table_name(walk->table));
    return sql_refuse(path, PDP_ERR_CORRUPT, what, why);
}

static enum pdp_err prepare_walk(sqlite3 *db, const struct rows_walk *walk, sqlite3_stmt **out)
{
    return sql_prepare(db, out, "SELECT key, rank, value, sum FROM %s WHERE key>=?1 AND key<?2 ORDER BY key",
                       store_table_name(walk->table));
}

// What begins at `from` and is below `below`.
static enum pdp_err walk_range(sqlite3 *db, sqlite3_stmt *statement, const char *path, struct rows_walk *walk,
                               struct str from, struct str below, char why[static STORE_WHY_MAX])
{
    int code = sqlite3_bind_blob(statement, 1, from.at, (int)from.len, SQLITE_STATIC);
    code =
        code == SQLITE_OK ? sqlite3_bind_blob(statement, 2, below.at, (int)below.len, SQLITE_STATIC) : code;
    enum pdp_err err = sql_err(code);
    while (err == PDP_ERR_OK && (code = sqlite3_step(statement)) == SQLITE_ROW) {
        TRY(look_at(statement, path, walk, why));
    }
    err = err == PDP_ERR_OK ? sql_err(code) : err;
    (void)sqlite3_reset(statement);
    return err == PDP_ERR_OK ? err : sql_refuse(path, err, sqlite3_errmsg(db), why);
}

static struct str beyond_all(char bytes[static STORE_KEY_MAX + 1])
{
    memset(bytes, UINT8_MAX, STORE_KEY_MAX + 1); // longer than any key, so that it is behind the last
    return (struct str){bytes, STORE_KEY_MAX + 1};
}

enum pdp_err rows_walk(sqlite3 *db, const char *path, struct rows_walk *walk, char why[static STORE_WHY_MAX])
{
    AUTO(sql_finish) sqlite3_stmt *statement = NULL;
    char end[STORE_KEY_MAX + 1];
    walk->good = 0;
    enum pdp_err err = prepare_walk(db, walk, &statement);
    if (err != PDP_ERR_OK) {
        return sql_refuse(path, err, sqlite3_errmsg(db), why);
    }
    return walk_range(db, statement, path, walk, STR(""), beyond_all(end), why);
}

enum pdp_err rows_walk_part(sqlite3 *db, const char *path, struct rows_walk *walk, unsigned number,
                            unsigned of, char why[static STORE_WHY_MAX])
{
    enum {
        BYTES = 256
    };
    AUTO(sql_finish) sqlite3_stmt *statement = NULL;
    char end[STORE_KEY_MAX + 1];
    walk->good = 0;
    enum pdp_err err = prepare_walk(db, walk, &statement);
    if (err != PDP_ERR_OK) {
        return sql_refuse(path, err, sqlite3_errmsg(db), why);
    }
    for (unsigned first = 0; first < BYTES; first++) {
        // The first part begins with the byte alone, the last one ends where the next byte begins.
        bool last = number + 1 == of;
        const char from[] = {(char)first, (char)(BYTES * number / of)};
        const char below[] = {(char)(first + last), (char)(BYTES * (number + 1) / of)};
        const bool behind_all = last && first + 1 == BYTES;
        TRY(walk_range(db, statement, path, walk, (struct str){from, number == 0 ? 1 : 2},
                       behind_all ? beyond_all(end) : (struct str){below, last ? 1 : 2}, why));
    }
    return PDP_ERR_OK;
}

enum pdp_err rows_whole(const struct rows_state *state, const char *path, enum store_table table,
                        uint64_t good, char why[static STORE_WHY_MAX])
{
    char what[128];
    if (good == state->counts[table]) {
        return PDP_ERR_OK;
    }
    (void)snprintf(what, sizeof what, "`%s` holds %llu rows where %llu were written", store_table_name(table),
                   (unsigned long long)good, (unsigned long long)state->counts[table]);
    return sql_refuse(path, PDP_ERR_CORRUPT, what, why);
}
