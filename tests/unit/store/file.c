// SPDX-License-Identifier: Apache-2.0
#include "store/file.h"

#include "rows.h"
#include "support/scratch.h"

#include <fcntl.h>
#include <sqlite3.h>
#include <sys/file.h>

static struct scratch scratch;
static char file[SCRATCH_MAX], copy[SCRATCH_MAX], why[STORE_WHY_MAX];

static void set_up(void)
{
    scratch_make(&scratch);
    snprintf(file, sizeof file, "%s", scratch_path(&scratch, "sessions.db"));
    snprintf(copy, sizeof copy, "%s", scratch_path(&scratch, "copy.db"));
}

static void tear_down(void)
{
    scratch_drop(&scratch);
}

TestSuite(store_file, .init = set_up, .fini = tear_down);

static struct store *open_at(const char *path)
{
    struct store_config config = {.path = path};
    struct store *store = NULL;
    cr_assert_eq(store_open(&config, &store, why), PDP_ERR_OK, "%s", why);
    return store;
}

static void put(struct store *store, const char *key, const char *value)
{
    struct store_op op = {{.table = STORE_META, .key = str_of(key), .value = str_of(value)}, false};
    submit(store, op, true);
    cr_assert_eq(work(store), PDP_ERR_OK);
}

static void change(const char *path, const char *sql)
{
    sqlite3 *db = NULL;
    cr_assert_eq(sqlite3_open(path, &db), SQLITE_OK);
    cr_assert_eq(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK, "%s", sqlite3_errmsg(db));
    cr_assert_eq(sqlite3_close(db), SQLITE_OK);
}

static void note(void *user, const char *what)
{
    buf_printf(user, "%s\n", what);
}

static const char *judge(void *user, const struct store_row *row)
{
    (void)user;
    return str_eq(row->value, STR("strange")) ? "it is strange" : NULL;
}

// The findings as text; the error of the check in *err.
static const char *checked(const char *path, enum pdp_err *err, struct file_facts *facts)
{
    static struct buf out;
    buf_clear(&out);
    struct file_look look = {.judge = judge, .found = note, .user = &out};
    *err = file_check(path, NULL, &look, facts, why);
    buf_byte(&out, '\0');
    return (const char *)out.at;
}

Test(store_file, tells_each_thing_that_is_wrong)
{
    struct store *store = open_at(file);
    struct file_facts facts;
    enum pdp_err err;
    put(store, "a", "1");
    put(store, "b", "2");
    cr_expect_str_eq(checked(file, &err, &facts), "", "%s", why);
    cr_expect_eq(facts.rows[STORE_META], 2);
    cr_expect_eq(facts.commits, 2);
    cr_expect_eq(facts.version, 1);
    put(store, "c", "strange");
    cr_expect_str_eq(checked(file, &err, &facts), "`meta`, row 63: it is strange\n");
    store_close(&store);

    change(file, "UPDATE meta SET value=x'00' WHERE key=x'61'; DELETE FROM meta WHERE key=x'62'");
    cr_expect_str_eq(checked(file, &err, &facts), "`meta`, row 61: it does not hold its checksum\n"
                                                  "`meta`, row 63: it is strange\n"
                                                  "`meta` holds 1 good rows where 3 were written\n");
    cr_expect_eq(err, PDP_ERR_OK);
    cr_expect_eq(facts.wrong, 3);
}

Test(store_file, looks_without_changing_anything)
{
    struct file_facts facts;
    enum pdp_err err;
    (void)checked(file, &err, &facts);
    cr_expect_eq(err, PDP_ERR_MISSING);
    cr_expect_eq(file_facts(file, NULL, &facts, why), PDP_ERR_MISSING);
    cr_expect_eq(scratch_size(file), -1, "nothing is made");
    struct store *store = open_at(file);
    put(store, "a", "1");
    store_close(&store);
    long size = scratch_size(file);
    cr_expect_eq(file_facts(file, NULL, &facts, why), PDP_ERR_OK);
    cr_expect_eq(facts.rows[STORE_META], 1);
    cr_expect_eq(scratch_size(file), size);
}

Test(store_file, copies_while_the_store_goes_on)
{
    struct store *store = open_at(file);
    struct stat info;
    put(store, "a", "1");
    scratch_write(copy, "old", 3);
    cr_assert_eq(store_backup(store, copy, why), PDP_ERR_OK, "%s", why);
    put(store, "b", "2");
    cr_expect_eq(stat(copy, &info), 0);
    cr_expect_eq(info.st_mode & 0777, 0600);
    cr_expect_eq(store_backup(store, file, why), PDP_ERR_REFUSED);
    cr_expect_eq(store_backup(store, scratch.dir, why), PDP_ERR_REFUSED);
    cr_expect_eq(store_backup(store, scratch_path(&scratch, "no/where.db"), why), PDP_ERR_IO);
    cr_expect_eq(work(store), PDP_ERR_OK);
    store_close(&store);
    store = open_at(copy);
    cr_expect_str_eq(held(store, STORE_META), "a/0=1 ");
    store_close(&store);
    change(file, "UPDATE meta SET value=x'00'");
    cr_expect_eq(file_backup(file, NULL, copy, why), PDP_ERR_CORRUPT);
    store = open_at(copy);
    cr_expect_str_eq(held(store, STORE_META), "a/0=1 ", "the last good copy stays");
    store_close(&store);
}

Test(store_file, brings_a_copy_back_and_keeps_the_old_one)
{
    struct store *store = open_at(file);
    put(store, "a", "1");
    cr_assert_eq(store_backup(store, copy, why), PDP_ERR_OK, "%s", why);
    put(store, "b", "2");
    store_close(&store);
    // The log of a killed process must not meet the copy.
    scratch_write(scratch_path(&scratch, "sessions.db-wal"), "log", 3);

    int lock = open(scratch_path(&scratch, "lock"), O_RDWR | O_CREAT, 0600);
    cr_assert_eq(flock(lock, LOCK_EX), 0);
    cr_expect_eq(file_restore(copy, file, why), PDP_ERR_BUSY);
    close(lock);
    cr_expect_eq(file_restore(file, file, why), PDP_ERR_REFUSED);
    cr_expect_eq(file_restore(scratch_path(&scratch, "lock"), file, why), PDP_ERR_CORRUPT);
    cr_assert_eq(file_restore(copy, file, why), PDP_ERR_OK, "%s", why);
    cr_expect_eq(scratch_size(scratch_path(&scratch, "sessions.db-wal")), -1);
    cr_expect_eq(scratch_size(scratch_path(&scratch, "sessions.db.old-wal")), 3);
    store = open_at(file);
    cr_expect_str_eq(held(store, STORE_META), "a/0=1 ");
    store_close(&store);

    // Into an empty folder, and after a kill half way.
    cr_assert_eq(rename(file, scratch_path(&scratch, "sessions.db.restored")), 0);
    struct store_config config = {.path = file};
    cr_expect_eq(store_open(&config, &store, why), PDP_ERR_STATE);
    cr_assert_eq(file_restore(copy, file, why), PDP_ERR_OK, "%s", why);
    store = open_at(file);
    cr_expect_str_eq(held(store, STORE_META), "a/0=1 ");
    store_close(&store);
}
