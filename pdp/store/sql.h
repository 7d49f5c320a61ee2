// SPDX-License-Identifier: Apache-2.0
// SQLite in few calls: open with our settings, run, read one value, and its errors as ours. Only pdp/store.
#ifndef STORE_SQL_H
#define STORE_SQL_H

#include "store/store.h"

#include <sqlite3.h>

enum {
    SQL_PAGE_BYTES = 4096,
    SQL_FRAME_BYTES = SQL_PAGE_BYTES + 24, // of a page in the log
    SQL_BUSY_MS = 5000
};

enum pdp_err sql_err(int code); // LIMIT: full; CORRUPT; NOMEM; BUSY; anything else of SQLite's is IO

// A connection for one thread at a time, NULL on failure. Nothing is read yet, and nothing is made where
// there is no file unless `flags` has SQLITE_OPEN_CREATE. Closing it never touches the file.
MUST_USE enum pdp_err sql_open(const char *path, const char *vfs, int flags, sqlite3 **out);
void sql_close(sqlite3 **db);

// Statements without parameters or results.
MUST_USE enum pdp_err sql_run(sqlite3 *db, const char *text);
// The first column of the first row; 0 where there is none.
MUST_USE enum pdp_err sql_number(sqlite3 *db, const char *text, int64_t *out);
// A statement, from a format whose arguments are words of ours, never anyone's bytes.
MUST_USE enum pdp_err sql_prepare(sqlite3 *db, sqlite3_stmt **out, const char *format, ...) PRINTF_LIKE(3, 4);
void sql_finish(sqlite3_stmt **statement);

// "`path` is refused: what SQLite says" and what to do, into `why`. Returns err.
enum pdp_err sql_refuse(const char *path, enum pdp_err err, const char *what, char why[static STORE_WHY_MAX]);

#endif
