// SPDX-License-Identifier: Apache-2.0
// What a file of ours looks like: its mark, its version, and the steps that lead from each version to the
// next.
#ifndef STORE_SCHEMA_H
#define STORE_SCHEMA_H

#include "store/sql.h"

enum {
    SCHEMA_MARK = 0x50445031 // `PDP1`, SQLite's application_id
};

// One step: SQL that makes version `to` of version `to - 1`. A new file takes all steps, so that there is one
// description of the tables and no second way to come by it. Steps that were released never change.
struct schema_step {
    int to;
    const char *sql;
};

struct schema {
    const struct schema_step *steps; // 1, 2, … in order
    int version;                     // of the last one
};

extern const struct schema SCHEMA;

// Makes an empty database one of this schema, in one transaction, durable on return.
MUST_USE enum pdp_err schema_make(const struct schema *schema, sqlite3 *db);
// Is it ours, and of no later version? Only reads. CORRUPT or UNSUPPORTED, or what reading failed with, and
// words for `path` in `why`.
MUST_USE enum pdp_err schema_judge(const struct schema *schema, sqlite3 *db, const char *path, int *version,
                                   char why[static STORE_WHY_MAX]);
// Brings a judged file to the schema's version, in one transaction, durable on return.
MUST_USE enum pdp_err schema_migrate(const struct schema *schema, sqlite3 *db, int version);
// Are its tables, to the letter, those of the schema in this version, and nothing besides? CORRUPT where not.
MUST_USE enum pdp_err schema_verify(const struct schema *schema, sqlite3 *db, int version, const char *path,
                                    char why[static STORE_WHY_MAX]);

#endif
