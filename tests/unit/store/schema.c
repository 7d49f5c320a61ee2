// SPDX-License-Identifier: Apache-2.0
#include "store/schema.h"

#include "rows.h"

static const struct schema_step ONE[] = {{1, "CREATE TABLE a (x) STRICT"}};
static const struct schema_step BAD_SQL[] = {
    {1, "CREATE TABLE a (x INTEGER) STRICT"},
    {2, "CREATE TABLE b (x INTEGER) STRICT; UPDATE nowhere SET x=1"}};
static const struct schema_step TWO[] = {
    {1, "CREATE TABLE a (x INTEGER) STRICT"},
    {2, "ALTER TABLE a ADD COLUMN y INTEGER NOT NULL DEFAULT 7;"
        "CREATE TABLE b (z INTEGER) STRICT; INSERT INTO b SELECT x FROM a"}};
static const struct schema V1 = {TWO, 1}, V2 = {TWO, 2}, BROKEN = {BAD_SQL, 2}, UNTYPED = {ONE, 1};

static char why[STORE_WHY_MAX];

static sqlite3 *made(const struct schema *schema)
{
    sqlite3 *db = NULL;
    cr_assert_eq(sql_open(":memory:", NULL, SQLITE_OPEN_READWRITE | SQLITE_OPEN_MEMORY, &db), PDP_ERR_OK);
    cr_assert_eq(schema_make(schema, db), PDP_ERR_OK);
    return db;
}

static int64_t number(sqlite3 *db, const char *sql)
{
    int64_t out = -1;
    cr_assert_eq(sql_number(db, sql, &out), PDP_ERR_OK, "%s", sql);
    return out;
}

Test(store_schema, walks_from_an_older_version_to_the_newer)
{
    AUTO(sql_close) sqlite3 *db = made(&V1);
    int version = 0;
    cr_assert_eq(sql_run(db, "INSERT INTO a VALUES (1), (2)"), PDP_ERR_OK);
    cr_assert_eq(schema_judge(&V2, db, "file", &version, why), PDP_ERR_OK);
    cr_expect_eq(version, 1);
    cr_expect_eq(schema_verify(&V2, db, 1, "file", why), PDP_ERR_OK, "%s", why);
    cr_expect_eq(schema_verify(&V2, db, 2, "file", why), PDP_ERR_CORRUPT);
    cr_assert_eq(schema_migrate(&V2, db, version), PDP_ERR_OK);
    cr_assert_eq(schema_judge(&V2, db, "file", &version, why), PDP_ERR_OK);
    cr_expect_eq(version, 2);
    cr_expect_eq(schema_verify(&V2, db, 2, "file", why), PDP_ERR_OK, "%s", why);
    cr_expect_eq(number(db, "SELECT sum(y) FROM a"), 14);
    cr_expect_eq(number(db, "SELECT count(*) FROM b"), 2);
    cr_expect_eq(schema_migrate(&V2, db, version), PDP_ERR_OK, "nothing to do");
    // The older program refuses what the newer has made.
    cr_expect_eq(schema_judge(&V1, db, "file", &version, why), PDP_ERR_UNSUPPORTED);
    cr_expect_neq(strstr(why, "of version 2, and this program knows versions up to 1"), NULL, "%s", why);
}

Test(store_schema, a_step_that_fails_leaves_the_older_version_whole)
{
    AUTO(sql_close) sqlite3 *db = made(&V1);
    int version = 0;
    cr_expect_neq(schema_migrate(&BROKEN, db, 1), PDP_ERR_OK);
    cr_assert_eq(schema_judge(&V1, db, "file", &version, why), PDP_ERR_OK);
    cr_expect_eq(version, 1);
    cr_expect_eq(schema_verify(&V1, db, 1, "file", why), PDP_ERR_OK, "%s", why);
    cr_expect_neq(sqlite3_get_autocommit(db), 0);
}

Test(store_schema, a_file_that_was_migrated_is_as_one_made_anew)
{
    AUTO(sql_close) sqlite3 *old = made(&V1);
    AUTO(sql_close) sqlite3 *fresh = made(&V2);
    cr_assert_eq(schema_migrate(&V2, old, 1), PDP_ERR_OK);
    cr_expect_eq(schema_verify(&V2, old, 2, "old", why), PDP_ERR_OK, "%s", why);
    cr_expect_eq(schema_verify(&V2, fresh, 2, "fresh", why), PDP_ERR_OK, "%s", why);
}

Test(store_schema, sql_that_cannot_run_makes_nothing)
{
    sqlite3 *db = NULL;
    cr_assert_eq(sql_open(":memory:", NULL, SQLITE_OPEN_READWRITE | SQLITE_OPEN_MEMORY, &db), PDP_ERR_OK);
    cr_expect_neq(schema_make(&UNTYPED, db), PDP_ERR_OK, "strict tables need types");
    cr_expect_eq(number(db, "SELECT count(*) FROM sqlite_schema"), 0);
    cr_expect_eq(number(db, "PRAGMA application_id"), 0);
    sql_close(&db);
}
