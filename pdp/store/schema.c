// SPDX-License-Identifier: Apache-2.0
#include "store/schema.h"

#include "base/buf.h"
#include "store/backend.h"

#include <stdio.h>

// `sum` is a checksum of the row (store/rows.h). `store` holds one row: counts of all others.
#define SHAPE                                                                                           \
    "(key BLOB PRIMARY KEY, rank INTEGER NOT NULL, value BLOB NOT NULL, sum INTEGER NOT NULL) STRICT, " \
    "WITHOUT ROWID;"
#define MAKE(name, word) "CREATE TABLE " word SHAPE

static const struct schema_step STEPS[] = {
    {1, "CREATE TABLE store" SHAPE STORE_TABLE_LIST(MAKE)},
};
const struct schema SCHEMA = {STEPS, COUNT_OF(STEPS)};

// ---- Steps ------------------------------------------------------------------------------------------

static enum pdp_err walk(const struct schema *schema, sqlite3 *db, int from, int to)
{
    char mark[96];
    (void)snprintf(mark, sizeof mark, "PRAGMA application_id=%d; PRAGMA user_version=%d", SCHEMA_MARK, to);
    for (int i = from; i < to; i++) {
        invariant(schema->steps[i].to == i + 1);
        TRY(sql_run(db, schema->steps[i].sql));
    }
    return sql_run(db, mark);
}

static enum pdp_err walk_whole(const struct schema *schema, sqlite3 *db, int from)
{
    TRY(sql_run(db, "PRAGMA synchronous=FULL; BEGIN IMMEDIATE"));
    enum pdp_err err = walk(schema, db, from, schema->version);
    err = err == PDP_ERR_OK ? sql_run(db, "COMMIT") : err;
    if (err != PDP_ERR_OK && sqlite3_get_autocommit(db) == 0) {
        (void)sqlite3_exec(db, "ROLLBACK", NULL, NULL, NULL);
    }
    return err;
}

enum pdp_err schema_make(const struct schema *schema, sqlite3 *db)
{
    return walk_whole(schema, db, 0);
}

enum pdp_err schema_migrate(const struct schema *schema, sqlite3 *db, int version)
{
    return version < schema->version ? walk_whole(schema, db, version) : PDP_ERR_OK;
}

// ---- Whose file is it? ------------------------------------------------------------------------------

enum pdp_err schema_judge(const struct schema *schema, sqlite3 *db, const char *path, int *version,
                          char why[static STORE_WHY_MAX])
{
    int64_t mark = 0, number = 0;
    *version = 0;
    enum pdp_err err = sql_number(db, "PRAGMA application_id", &mark);
    err = err == PDP_ERR_OK ? sql_number(db, "PRAGMA user_version", &number) : err;
    if (err != PDP_ERR_OK) {
        return sql_refuse(path, err, sqlite3_errmsg(db), why);
    }
    if (mark != SCHEMA_MARK || number < 1) {
        return sql_refuse(path, PDP_ERR_CORRUPT, "it is a database of something else", why);
    }
    if (number > schema->version) {
        store_tell(
            why,
            "`%s` is refused: it is of version %lld, and this program knows versions up to %d\n  hint: "
            "run the newer pdpd, or bring back a backup that was made before it ran: `pdpctl store "
            "restore DIR FILE`",
            path, (long long)number, schema->version);
        return PDP_ERR_UNSUPPORTED;
    }
    *version = (int)number;
    return PDP_ERR_OK;
}

static enum pdp_err describe(sqlite3 *db, struct buf *out)
{
    AUTO(sql_finish) sqlite3_stmt *statement = NULL;
    TRY(sql_prepare(db, &statement, "SELECT type||'|'||name||'|'||sql FROM sqlite_schema ORDER BY 1"));
    int code = SQLITE_ROW;
    while ((code = sqlite3_step(statement)) == SQLITE_ROW) {
        buf_str(out, str_of((const char *)sqlite3_column_text(statement, 0)));
        buf_byte(out, '\n');
    }
    return out->failed ? PDP_ERR_NOMEM : sql_err(code);
}

enum pdp_err schema_verify(const struct schema *schema, sqlite3 *db, int version, const char *path,
                           char why[static STORE_WHY_MAX])
{
    AUTO(buf_fini) struct buf is = {0}, should = {0};
    AUTO(sql_close) sqlite3 *model = NULL;
    enum pdp_err err = describe(db, &is);
    if (err != PDP_ERR_OK) {
        return sql_refuse(path, err, sqlite3_errmsg(db), why);
    }
    err = sql_open(":memory:", NULL, SQLITE_OPEN_READWRITE | SQLITE_OPEN_MEMORY, &model);
    err = err == PDP_ERR_OK ? walk(schema, model, 0, version) : err;
    err = err == PDP_ERR_OK ? describe(model, &should) : err;
    if (err != PDP_ERR_OK) {
        return sql_refuse(path, err, "its tables could not be compared", why);
    }
    return str_eq(buf_view(&is), buf_view(&should))
               ? PDP_ERR_OK
               : sql_refuse(path, PDP_ERR_CORRUPT, "its tables are not those that were made", why);
}
