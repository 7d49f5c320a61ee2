// SPDX-License-Identifier: Apache-2.0
// A store's file from outside: looked at, copied, brought back; while a daemon runs on it, or none.
#ifndef STORE_FILE_H
#define STORE_FILE_H

#include "store/rows.h"

// Each of these opens the file for itself and only reads it, but for file_restore. `vfs` as in store_config.
// CORRUPT, UNSUPPORTED, MISSING, IO and the like come with words in `why`.

struct file_facts {
    int version;
    uint64_t rows[STORE_TABLE_COUNT]; // that are good
    uint64_t wrong;                   // findings told
    uint64_t commits, bytes;          // transactions since it was made; of the file and its log
};

struct file_look {
    // May be NULL. Is this row what its table should hold? NULL, or what is wrong with it: static text.
    const char *(*judge)(void *user, const struct store_row *row);
    // Told of every finding, in words without a newline. Not NULL.
    void (*found)(void *user, const char *what);
    void *user;
};

// Everything: SQLite's own structure, the tables, each row's checksum, how many there are, and `judge`. OK:
// it could be looked at to the end, and facts->wrong says how many findings there were.
MUST_USE enum pdp_err file_check(const char *path, const char *vfs, const struct file_look *look,
                                 struct file_facts *facts, char why[static STORE_WHY_MAX]);
// The figures alone: rows are those that the file says it has, none is read.
MUST_USE enum pdp_err file_facts(const char *path, const char *vfs, struct file_facts *facts,
                                 char why[static STORE_WHY_MAX]);
// As store_load_part.
MUST_USE enum pdp_err file_walk_part(const char *path, const char *vfs, struct rows_walk *walk,
                                     unsigned number, unsigned of, char why[static STORE_WHY_MAX]);
// As store_backup.
MUST_USE enum pdp_err file_backup(const char *path, const char *vfs, const char *to,
                                  char why[static STORE_WHY_MAX]);
// Puts a checked copy of the backup `from` in the place of `path`. What stood there is kept as `path.old`,
// and its log beside it. BUSY: the folder of `path` is in use; it is locked meanwhile. After a kill in
// between, the file is refused until this is done once more.
MUST_USE enum pdp_err file_restore(const char *from, const char *path, char why[static STORE_WHY_MAX]);

#endif
