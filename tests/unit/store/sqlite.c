// SPDX-License-Identifier: Apache-2.0
#include "rows.h"
#include "store/file.h"
#include "support/scratch.h"

#include <sqlite3.h>

static struct scratch scratch;

static void set_up(void)
{
    scratch_make(&scratch);
}

static void tear_down(void)
{
    scratch_drop(&scratch);
}

TestSuite(store_sqlite, .init = set_up, .fini = tear_down);

static const char *path(const char *name)
{
    return scratch_path(&scratch, name);
}

static char file[SCRATCH_MAX];
static char why[STORE_WHY_MAX];

static struct store *open_file(void)
{
    snprintf(file, sizeof file, "%s", path("sessions.db"));
    struct store_config config = {.path = file};
    struct store *store = NULL;
    cr_assert_eq(store_open(&config, &store, why), PDP_ERR_OK, "%s", why);
    return store;
}

static enum pdp_err try_open(void)
{
    struct store_config config = {.path = file};
    struct store *store = NULL;
    why[0] = '\0';
    enum pdp_err err = store_open(&config, &store, why);
    cr_expect_eq(store == NULL, err != PDP_ERR_OK);
    store_close(&store);
    return err;
}

static enum pdp_err shut(struct store **store)
{
    enum pdp_err err = store_shut(store);
    cr_expect_eq(*store, NULL);
    return err;
}

// ---- What is kept -----------------------------------------------------------------------------------

Test(store_sqlite, keeps_rows_across_openings)
{
    struct store *store = open_file();
    struct stat info;
    cr_expect_eq(stat(file, &info), 0);
    cr_expect_eq(info.st_mode & 0777, 0600);
    struct store_op ops[] = {PUT(SESSIONS, "s1", 0, "alive"), PUT(SESSIONS, "s2", 1, ""),
                             PUT(USERS, "u", 0, "x"), PUT(SESSIONS, "s1", 1, "dead"),
                             PUT(SESSIONS, "s1", 0, "late")};
    uint64_t token = 0;
    cr_assert_eq(store_submit(store, ops, COUNT_OF(ops), true, &token), PDP_ERR_OK);
    cr_expect_eq(work(store), PDP_ERR_OK);
    cr_expect_eq(shut(&store), PDP_ERR_OK);
    cr_expect_eq(scratch_size(path("sessions.db-wal")), -1, "the log went into the file");

    store = open_file();
    cr_expect_str_eq(held(store, STORE_SESSIONS), "s1/1=dead s2/1= ");
    cr_expect_str_eq(held(store, STORE_USERS), "u/0=x ");
    cr_expect_eq(store_count(store, STORE_SESSIONS), 2);
    submit(store, ERASE(SESSIONS, "s2", 0), false);
    submit(store, ERASE(SESSIONS, "s1", 1), false);
    cr_expect_eq(work(store), PDP_ERR_OK);
    struct store_stats stats;
    store_stats(store, &stats);
    cr_expect_eq(stats.dropped, 1);
    cr_expect_eq(stats.rows[STORE_SESSIONS], 1);
    cr_expect_eq(stats.syncs, 0);
    cr_expect_gt(stats.bytes, 4096);
    cr_expect_eq(shut(&store), PDP_ERR_OK);
    store = open_file();
    cr_expect_str_eq(held(store, STORE_SESSIONS), "s2/1= ");
    store_close(&store);
}

// The same random batches in memory and in the file: the same rows, figures and completions.
Test(store_sqlite, is_the_same_as_memory)
{
    struct store_config in_memory = {0};
    struct store *stores[2] = {open_file(), NULL};
    cr_assert_eq(store_open(&in_memory, &stores[1], why), PDP_ERR_OK);
    struct store_stats before = {0};
    uint32_t seed = 1;
    for (int round = 0; round < 300; round++) {
        struct store_op ops[8];
        char keys[8][2], values[8][9];
        for (size_t i = 0; i < 8; i++) {
            seed = seed * 1664525 + 1013904223;
            snprintf(keys[i], sizeof keys[i], "%c", 'a' + (int)(seed >> 24) % 12);
            snprintf(values[i], sizeof values[i], "%x", seed);
            bool erase = (seed >> 8) % 4 == 0;
            ops[i] = (struct store_op){{.table = (enum store_table)((seed >> 10) % STORE_TABLE_COUNT),
                                        .rank = (uint8_t)((seed >> 13) % 3),
                                        .key = str_of(keys[i]),
                                        .value = erase ? STR("") : str_of(values[i])},
                                       erase};
        }
        struct store_stats stats[2];
        for (size_t i = 0; i < 2; i++) {
            uint64_t token = 0;
            cr_assert_eq(store_submit(stores[i], ops, 1 + seed % 8, round % 7 == 0, &token), PDP_ERR_OK);
            cr_assert_eq(work(stores[i]), PDP_ERR_OK);
            store_stats(stores[i], &stats[i]);
        }
        cr_assert_eq(before.puts + stats[0].puts, stats[1].puts);
        cr_assert_eq(before.erases + stats[0].erases, stats[1].erases);
        cr_assert_eq(before.dropped + stats[0].dropped, stats[1].dropped);
        if (round % 50 == 49) { // begins to count anew
            before = stats[1];
            cr_assert_eq(shut(&stores[0]), PDP_ERR_OK);
            stores[0] = open_file();
        }
    }
    for (int table = 0; table < STORE_TABLE_COUNT; table++) {
        char *left = strdup(held(stores[0], (enum store_table)table));
        cr_expect_str_eq(left, held(stores[1], (enum store_table)table));
        cr_expect_gt(strlen(left), 10);
        free(left);
    }
    store_close(&stores[0]);
    store_close(&stores[1]);
}

Test(store_sqlite, the_log_stays_bounded)
{
    struct store *store = open_file();
    static char value[STORE_VALUE_MAX];
    for (uint32_t i = 0; i < 2000; i++) {
        struct store_op op = {{.table = STORE_USERS, .key = {(char *)&i, sizeof i}, .value = {value, 20000}},
                              false};
        submit(store, op, false);
        cr_assert_eq(work(store), PDP_ERR_OK);
    }
    struct store_stats stats;
    store_stats(store, &stats);
    cr_expect_gt(stats.checkpoints, 5);
    cr_expect_lt(scratch_size(path("sessions.db-wal")), 17 << 20);
    // Many at once, never idle: emptied all the same.
    for (uint32_t i = 0; i < 4000; i++) {
        struct store_op op = {{.table = STORE_USERS, .key = {(char *)&i, sizeof i}, .value = {value, 60000}},
                              false};
        uint64_t token = 0;
        if (store_submit(store, &op, 1, false, &token) == PDP_ERR_BUSY) {
            struct store_completion done;
            store_work(store);
            while (store_poll(store, &done)) {
                cr_assert_eq(done.err, PDP_ERR_OK);
            }
        }
    }
    work(store);
    cr_expect_lt(scratch_size(path("sessions.db-wal")), 200 << 20);
    store_close(&store);
}

// ---- Refused ----------------------------------------------------------------------------------------

static void make_one(void)
{
    struct store *store = open_file();
    for (uint32_t i = 0; i < 500; i++) {
        char key[16];
        snprintf(key, sizeof key, "key-%03u", i);
        struct store_op op = {
            {.table = STORE_SESSIONS, .key = str_of(key), .value = STR("a value of some bytes")}, false};
        submit(store, op, false);
    }
    cr_assert_eq(work(store), PDP_ERR_OK);
    cr_assert_eq(shut(&store), PDP_ERR_OK);
}

static void expect_refused(enum pdp_err err, const char *what)
{
    cr_expect_eq(try_open(), err, "%s: %s", what, why);
    cr_expect_neq(strstr(why, file), NULL, "names the file: %s", why);
    cr_expect_neq(strstr(why, what), NULL, "%s: %s", what, why);
}

Test(store_sqlite, refuses_what_is_no_whole_file_of_ours)
{
    make_one();
    long size = scratch_size(file);
    scratch_copy(file, path("good"));

    scratch_write(file, "", 0);
    expect_refused(PDP_ERR_CORRUPT, "it is empty");
    cr_expect_eq(scratch_size(file), 0, "nothing is written to it");

    cr_assert_eq(unlink(file), 0);
    scratch_write(path("sessions.db-wal"), "log", 3);
    expect_refused(PDP_ERR_CORRUPT, "it is gone, but its log is there");
    cr_assert_eq(unlink(path("sessions.db-wal")), 0);

    scratch_copy(path("good"), path("sessions.db.restored"));
    expect_refused(PDP_ERR_STATE, "a restore was begun and not finished");
    cr_assert_eq(unlink(path("sessions.db.restored")), 0);

    static const long PARTS[] = {1, 50, 100, 4095, 4096, 4097, 8192};
    for (size_t i = 0; i < COUNT_OF(PARTS); i++) {
        scratch_copy(path("good"), file);
        cr_assert_eq(truncate(file, PARTS[i]), 0);
        expect_refused(PDP_ERR_CORRUPT, "pdpctl store restore");
    }
    scratch_copy(path("good"), file);
    cr_assert_eq(truncate(file, size - 4096), 0);
    expect_refused(PDP_ERR_CORRUPT, "malformed");

    scratch_write(file,
                  "-----BEGIN PRIVATE KEY-----\n-----BEGIN PRIVATE KEY-----\n-----BEGIN PRIVATE KEY-----\n"
                  "-----BEGIN PRIVATE KEY-----\n-----BEGIN PRIVATE KEY-----\n",
                  140);
    expect_refused(PDP_ERR_CORRUPT, "not a database");
    cr_assert_eq(unlink(file), 0);
    cr_assert_eq(mkdir(file, 0700), 0);
    expect_refused(PDP_ERR_CORRUPT, "no plain file");
}

static void change(const char *sql)
{
    sqlite3 *db = NULL;
    cr_assert_eq(sqlite3_open(file, &db), SQLITE_OK);
    cr_assert_eq(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK, "%s: %s", sql, sqlite3_errmsg(db));
    cr_assert_eq(sqlite3_close(db), SQLITE_OK);
}

Test(store_sqlite, refuses_foreign_newer_and_altered_files)
{
    static const struct {
        const char *sql;
        enum pdp_err err;
        const char *what;
    } CASES[] = {
        {"PRAGMA application_id=7", PDP_ERR_CORRUPT, "a database of something else"},
        {"PRAGMA user_version=0", PDP_ERR_CORRUPT, "a database of something else"},
        {"PRAGMA user_version=2", PDP_ERR_UNSUPPORTED,
         "of version 2, and this program knows versions up to 1"},
        {"DROP TABLE users", PDP_ERR_CORRUPT, "not those that were made"},
        {"CREATE TABLE more (x)", PDP_ERR_CORRUPT, "not those that were made"},
        {"CREATE TRIGGER t AFTER INSERT ON users BEGIN DELETE FROM sessions; END", PDP_ERR_CORRUPT,
         "not those that were made"},
        {"UPDATE store SET value=x'0102030405060708'", PDP_ERR_CORRUPT, "counts all others is damaged"},
    };
    make_one();
    scratch_copy(file, path("good"));
    for (size_t i = 0; i < COUNT_OF(CASES); i++) {
        scratch_copy(path("good"), file);
        change(CASES[i].sql);
        expect_refused(CASES[i].err, CASES[i].what);
    }
    scratch_copy(path("good"), file);
    change("PRAGMA journal_mode=DELETE"); // as a backup is: taken
    cr_expect_eq(try_open(), PDP_ERR_OK, "%s", why);
}

static enum pdp_err no_row(void *user, const struct store_row *row)
{
    (void)user;
    (void)row;
    return PDP_ERR_OK;
}

static enum pdp_err try_load(void)
{
    struct store_config config = {.path = file};
    AUTO(store_close) struct store *store = NULL;
    why[0] = '\0';
    TRY(store_open(&config, &store, why));
    for (int i = 0; i < STORE_TABLE_COUNT; i++) {
        TRY(store_load(store, (enum store_table)i, no_row, NULL, why));
    }
    return PDP_ERR_OK;
}

Test(store_sqlite, loads_no_damaged_row_and_misses_lost_ones)
{
    static const char *const CASES[] = {
        "UPDATE sessions SET value=x'00' WHERE key=CAST('key-017' AS BLOB)",
        "UPDATE sessions SET rank=1 WHERE key=CAST('key-017' AS BLOB)",
        "UPDATE sessions SET sum=sum+1 WHERE key=CAST('key-499' AS BLOB)",
        "UPDATE sessions SET key=x'00' WHERE key=CAST('key-001' AS BLOB)",
        "DELETE FROM sessions WHERE key=CAST('key-017' AS BLOB)",
        "INSERT INTO users SELECT * FROM sessions LIMIT 1",
        "DELETE FROM store",
        "DELETE FROM sessions",
    };
    make_one();
    scratch_copy(file, path("good"));
    cr_expect_eq(try_load(), PDP_ERR_OK, "%s", why);
    for (size_t i = 0; i < COUNT_OF(CASES); i++) {
        scratch_copy(path("good"), file);
        change(CASES[i]);
        cr_expect_eq(try_load(), PDP_ERR_CORRUPT, "%s", CASES[i]);
        cr_expect_neq(strstr(why, "pdpctl store restore"), NULL, "%s: %s", CASES[i], why);
    }
}

// ---- In parts ---------------------------------------------------------------------------------------

struct tally {
    unsigned seen[600];
    char last[STORE_KEY_MAX];
    size_t last_len;
};

// The number of a key of make_keys.
static enum pdp_err tally_row(void *user, const struct store_row *row)
{
    struct tally *tally = user;
    unsigned number = 0;
    cr_assert_eq(row->value.len, sizeof number);
    memcpy(&number, row->value.at, sizeof number);
    tally->seen[number]++;
    cr_expect(str_cmp((struct str){tally->last, tally->last_len}, row->key) < 0, "in order");
    memcpy(tally->last, row->key.at, row->key.len);
    tally->last_len = row->key.len;
    return PDP_ERR_OK;
}

// Keys of one byte, of each first byte; and of two and of 64, whose second byte is anything.
static unsigned make_keys(struct store *store)
{
    char key[STORE_KEY_MAX] = {0};
    for (unsigned i = 0; i < 600; i++) {
        memset(key, (int)(i * 37), sizeof key);
        key[0] = (char)(i % 256);
        key[1] = (char)(i < 512 ? 255 - i % 256 : i * 91);
        size_t len = i < 256 ? 1 : i < 512 ? 2 : sizeof key;
        submit(store,
               (struct store_op){
                   {.table = STORE_USERS, .key = {key, len}, .value = {(const char *)&i, sizeof i}}, false},
               false);
    }
    cr_assert_eq(work(store), PDP_ERR_OK);
    return 600;
}

static void read_in_parts(struct store *store, unsigned parts, unsigned rows)
{
    static struct tally tally;
    uint64_t sum = 0, good = 0;
    memset(&tally, 0, sizeof tally);
    for (unsigned i = 0; i < parts; i++) {
        tally.last_len = 0;
        cr_assert_eq(store_load_part(store, STORE_USERS, i, parts, tally_row, &tally, &good, why), PDP_ERR_OK,
                     "%s", why);
        sum += good;
    }
    cr_expect_eq(sum, rows, "%u parts", parts);
    for (unsigned i = 0; i < rows; i++) {
        cr_expect_eq(tally.seen[i], 1, "%u parts: row %u", parts, i);
    }
    cr_expect_eq(store_load_whole(store, STORE_USERS, sum, why), PDP_ERR_OK);
    cr_expect_eq(store_load_whole(store, STORE_USERS, sum - 1, why), PDP_ERR_CORRUPT);
}

Test(store_sqlite, each_row_is_in_one_part)
{
    static const unsigned PARTS[] = {1, 2, 3, 16, 255, STORE_PARTS_MAX};
    AUTO(store_close) struct store *store = open_file();
    unsigned rows = make_keys(store);
    uint64_t good = 1;
    for (size_t i = 0; i < COUNT_OF(PARTS); i++) {
        read_in_parts(store, PARTS[i], rows);
    }
    cr_expect_eq(store_load_part(store, STORE_USERS, 2, 2, tally_row, NULL, &good, why), PDP_ERR_RANGE);
    cr_expect_eq(store_load_part(store, STORE_USERS, 0, STORE_PARTS_MAX + 1, tally_row, NULL, &good, why),
                 PDP_ERR_RANGE);
    cr_expect_eq(good, 0);
}

Test(store_sqlite, a_damaged_row_fails_its_part)
{
    make_one();
    change("UPDATE sessions SET value=x'00' WHERE key=CAST('key-017' AS BLOB)");
    AUTO(store_close) struct store *store = open_file();
    unsigned failed = 0;
    uint64_t good = 0;
    for (unsigned i = 0; i < 4; i++) {
        enum pdp_err err = store_load_part(store, STORE_SESSIONS, i, 4, no_row, NULL, &good, why);
        failed += err == PDP_ERR_CORRUPT && strstr(why, "pdpctl store restore") != NULL;
    }
    cr_expect_eq(failed, 1);
}

// Whatever bit is flipped: refused, or of no consequence (free space, counters of SQLite's own).
Test(store_sqlite, a_flipped_bit_is_found_or_does_nothing)
{
    make_one();
    struct store *store = open_file();
    char *before = strdup(held(store, STORE_SESSIONS));
    store_close(&store);
    scratch_copy(file, path("good"));
    long size = scratch_size(file);
    size_t found = 0, harmless = 0;
    for (long at = 0; at < size; at += 61) {
        scratch_copy(path("good"), file);
        scratch_flip(file, at, 1 << at % 8);
        enum pdp_err err = try_load();
        if (err == PDP_ERR_OK) {
            store = open_file();
            cr_assert_str_eq(held(store, STORE_SESSIONS), before, "byte %ld", at);
            store_close(&store);
            harmless++;
        } else {
            cr_assert(err == PDP_ERR_CORRUPT || err == PDP_ERR_UNSUPPORTED || err == PDP_ERR_IO,
                      "byte %ld: %s %s", at, pdp_err_name(err), why);
            found++;
        }
    }
    cr_expect_gt(found, 100, "%zu found, %zu harmless", found, harmless);
    free(before);
}

// ---- The disk ---------------------------------------------------------------------------------------

Test(store_sqlite, a_file_taken_away_takes_the_store_with_it)
{
    struct store *store = open_file();
    submit(store, PUT(META, "a", 0, "1"), true);
    cr_expect_eq(work(store), PDP_ERR_OK);
    cr_assert_eq(rename(file, path("elsewhere")), 0);
    submit(store, PUT(META, "a", 0, "2"), true);
    cr_expect_eq(work(store), PDP_ERR_IO);
    submit(store, PUT(META, "a", 0, "3"), true);
    cr_expect_eq(work(store), PDP_ERR_IO, "nothing is made anew");
    struct store_stats stats;
    store_stats(store, &stats);
    cr_expect(stats.broken);
    cr_expect_neq(strstr(stats.last_error, file), NULL, "%s", stats.last_error);
    cr_expect_eq(scratch_size(file), -1);
    cr_assert_eq(rename(path("elsewhere"), file), 0);
    submit(store, PUT(META, "b", 0, "4"), true);
    cr_expect_eq(work(store), PDP_ERR_OK);
    cr_expect_str_eq(held(store, STORE_META), "a/0=2 b/0=4 ", "%s", held(store, STORE_META));
    store_stats(store, &stats);
    cr_expect_not(stats.broken);
    cr_expect_eq(stats.mended, 1);
    cr_expect_eq(shut(&store), PDP_ERR_OK);
}
