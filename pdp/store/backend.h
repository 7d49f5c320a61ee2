// SPDX-License-Identifier: Apache-2.0
// What stands behind a store: memory or SQLite. Only pdp/store includes this.
#ifndef STORE_BACKEND_H
#define STORE_BACKEND_H

#include "store/store.h"

// A submitted batch; one allocation with its rows and their bytes.
struct store_batch {
    struct store_batch *next;
    uint64_t token;
    size_t bytes, count;
    enum pdp_err err;
    bool sync;
    struct store_op ops[];
};

// What a transaction did. Counts are of done rows only.
struct store_done {
    uint64_t puts, erases, dropped;
};

// Which rows are read, and who looks at them: see store_load_part.
struct store_part {
    enum store_table table;
    unsigned number, of;
    enum pdp_err (*each)(void *user, const struct store_row *row);
    void *user;
};

// All are called by the writer, but `backup` and `load_part`.
struct store_backend {
    // The batches from `first` on, `count` of them, as one transaction. Errors as of store_poll; then nothing
    // of them is there. `done` and `why` are filled.
    enum pdp_err (*commit)(void *self, const struct store_batch *first, size_t count, bool sync,
                           struct store_done *done, char why[static STORE_WHY_MAX]);
    enum pdp_err (*load)(void *self, enum store_table table,
                         enum pdp_err (*each)(void *user, const struct store_row *row), void *user,
                         char why[static STORE_WHY_MAX]);
    enum pdp_err (*load_part)(const void *self, const struct store_part *part, uint64_t *good,
                              char why[static STORE_WHY_MAX]);
    enum pdp_err (*load_whole)(const void *self, enum store_table table, uint64_t good,
                               char why[static STORE_WHY_MAX]);
    uint64_t (*count)(const void *self, enum store_table table);
    enum pdp_err (*backup)(const void *self, const char *path, char why[static STORE_WHY_MAX]);
    // Is a checkpoint due, where nothing (or something) waits? And the checkpoint.
    bool (*due)(const void *self, bool idle);
    void (*upkeep)(void *self);
    void (*stats)(const void *self,
                  struct store_stats *out); // rows, bytes, checkpoints, mended, late, broken
    enum pdp_err (*shut)(void *self);       // frees self in any case
    void (*cut)(void *self, size_t keep);
};

extern const struct store_backend STORE_MEMORY, STORE_SQLITE;
MUST_USE enum pdp_err store_memory_new(const struct store_config *config, void **out);
MUST_USE enum pdp_err store_sqlite_open(const struct store_config *config, void **out,
                                        char why[static STORE_WHY_MAX]);

// Text into `why`; a longer one is cut.
void store_tell(char why[static STORE_WHY_MAX], const char *fmt, ...) PRINTF_LIKE(2, 3);

#endif
