// SPDX-License-Identifier: Apache-2.0
// Rows in the file: their checksums, and the one row that says how many there are. Only pdp/store.
#ifndef STORE_ROWS_H
#define STORE_ROWS_H

#include "store/sql.h"

// What stands in the table `store` under the key `state`: written with every transaction, so that rows that
// went missing are missed.
struct rows_state {
    uint64_t commits; // transactions since the file was made
    uint64_t counts[STORE_TABLE_COUNT];
};

// Over table, rank, key and value; `table` is STORE_TABLE_COUNT for the table `store`.
uint64_t rows_sum(const struct store_row *row);

// A value of this many bytes stands for the state.
enum {
    ROWS_STATE_BYTES = 8 + 8 * STORE_TABLE_COUNT
};
void rows_state_put(const struct rows_state *state, char bytes[static ROWS_STATE_BYTES]);
// CORRUPT, with words of `path`, where the row is damaged or, though there are rows, not there.
MUST_USE enum pdp_err rows_state_read(sqlite3 *db, const char *path, struct rows_state *out,
                                      char why[static STORE_WHY_MAX]);

// A table and who looks at its rows.
struct rows_walk {
    enum store_table table;
    enum pdp_err (*each)(void *user, const struct store_row *row);
    void *user;
    // A row whose checksum does not hold: goes on where not NULL, else CORRUPT. `key` is borrowed.
    void (*bad)(void *user, enum store_table table, struct str key);
    uint64_t good;
};
// All rows of a table in order of keys. An error of `each`, without words; or of reading, with words.
MUST_USE enum pdp_err rows_walk(sqlite3 *db, const char *path, struct rows_walk *walk,
                                char why[static STORE_WHY_MAX]);
// Those of part `number` of so many: in each run of keys that begin with the same byte, those whose second
// byte is in its share. Keys are hashes, some behind a number of one byte, so the parts come out alike.
MUST_USE enum pdp_err rows_walk_part(sqlite3 *db, const char *path, struct rows_walk *walk, unsigned number,
                                     unsigned of, char why[static STORE_WHY_MAX]);
// Are those all? CORRUPT, with words.
MUST_USE enum pdp_err rows_whole(const struct rows_state *state, const char *path, enum store_table table,
                                 uint64_t good, char why[static STORE_WHY_MAX]);

#endif
