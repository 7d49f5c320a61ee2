// SPDX-License-Identifier: Apache-2.0
#include "store/sql.h"

#include "store/backend.h"

#include <stdarg.h>
#include <stdio.h>

static const struct {
    int code; // the lowest byte of SQLite's
    enum pdp_err err;
} ERRORS[] = {
    {SQLITE_OK, PDP_ERR_OK},
    {SQLITE_ROW, PDP_ERR_OK},
    {SQLITE_DONE, PDP_ERR_OK},
    {SQLITE_FULL, PDP_ERR_LIMIT},
    {SQLITE_NOMEM, PDP_ERR_NOMEM},
    {SQLITE_CORRUPT, PDP_ERR_CORRUPT},
    {SQLITE_NOTADB, PDP_ERR_CORRUPT},
    {SQLITE_BUSY, PDP_ERR_BUSY},
    {SQLITE_LOCKED, PDP_ERR_BUSY},
    {SQLITE_TOOBIG, PDP_ERR_CORRUPT},
    {SQLITE_SCHEMA, PDP_ERR_CORRUPT},
    {SQLITE_ERROR, PDP_ERR_CORRUPT},
    {SQLITE_MISMATCH, PDP_ERR_CORRUPT},
    {SQLITE_CONSTRAINT, PDP_ERR_CORRUPT},
};

enum pdp_err sql_err(int code)
{
    for (size_t i = 0; i < COUNT_OF(ERRORS); i++) {
        if ((code & 0xff) == ERRORS[i].code) {
            return ERRORS[i].err;
        }
    }
    return PDP_ERR_IO;
}

// What a stranger's file could make SQLite do on our behalf is switched off, and so is the sync of a log that
// is closed: whether it goes into the file is decided here, not on the way out.
static enum pdp_err settle(sqlite3 *db)
{
    static const struct {
        int option, on;
    } OPTIONS[] = {
        {SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1}, {SQLITE_DBCONFIG_DEFENSIVE, 1},
        {SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0},   {SQLITE_DBCONFIG_ENABLE_TRIGGER, 0},
        {SQLITE_DBCONFIG_ENABLE_VIEW, 0},      {SQLITE_DBCONFIG_DQS_DML, 0},
    };
    for (size_t i = 0; i < COUNT_OF(OPTIONS); i++) {
        TRY(sql_err(sqlite3_db_config(db, OPTIONS[i].option, OPTIONS[i].on, NULL)));
    }
    (void)sqlite3_extended_result_codes(db, 1);
    TRY(sql_err(sqlite3_busy_timeout(db, SQL_BUSY_MS)));
    return sql_run(db, "PRAGMA cell_size_check=ON; PRAGMA mmap_size=0; PRAGMA temp_store=MEMORY;"
                       "PRAGMA cache_size=-16384; PRAGMA synchronous=FULL");
}

enum pdp_err sql_open(const char *path, const char *vfs, int flags, sqlite3 **out)
{
    *out = NULL;
    TRY(sql_err(sqlite3_open_v2(path, out, flags | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_PRIVATECACHE, vfs)));
    return settle(*out);
}

void sql_close(sqlite3 **db)
{
    (void)sqlite3_close_v2(STEAL(*db));
}

enum pdp_err sql_run(sqlite3 *db, const char *text)
{
    return sql_err(sqlite3_exec(db, text, NULL, NULL, NULL));
}

enum pdp_err sql_number(sqlite3 *db, const char *text, int64_t *out)
{
    *out = 0;
    AUTO(sql_finish) sqlite3_stmt *statement = NULL;
    TRY(sql_prepare(db, &statement, "%s", text));
    int code = sqlite3_step(statement);
    *out = code == SQLITE_ROW ? sqlite3_column_int64(statement, 0) : 0;
    return sql_err(code);
}

enum pdp_err sql_prepare(sqlite3 *db, sqlite3_stmt **out, const char *format, ...)
{
    char text[512];
    va_list args;
    *out = NULL;
    va_start(args, format);
    int len = vsnprintf(text, sizeof text, format, args);
    va_end(args);
    invariant(len > 0 && (size_t)len < sizeof text);
    return sql_err(sqlite3_prepare_v3(db, text, len + 1, SQLITE_PREPARE_PERSISTENT, out, NULL));
}

void sql_finish(sqlite3_stmt **statement)
{
    (void)sqlite3_finalize(STEAL(*statement));
}

enum pdp_err sql_refuse(const char *path, enum pdp_err err, const char *what, char why[static STORE_WHY_MAX])
{
    static const char RESTORE[] =
        "stop pdpd and bring back a backup: `pdpctl store restore DIR FILE`. Without one, move the file and "
        "what is named like it elsewhere: pdpd then begins anew, and knows of no session that was ended";
    static const char ACCESS[] = "the folder and its files belong to the user that runs pdpd, on a disk that "
                                 "is well and has room";
    store_tell(why, "`%s` is refused: %s\n  hint: %s", path, what, err == PDP_ERR_CORRUPT ? RESTORE : ACCESS);
    return err;
}
