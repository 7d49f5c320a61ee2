// SPDX-License-Identifier: Apache-2.0
#include "store/backend.h"

#include "store/disk.h"
#include "store/file.h"
#include "store/rows.h"

#include <stdio.h>
#include <stdlib.h>

enum {
    LOG_PAGES = 1024,
    BUSY_TIMES = 4, // as many pages more before the log is emptied while something waits
    TABLES = STORE_TABLE_COUNT + 1
};
static const enum store_table STATE = STORE_TABLE_COUNT; // the table `store`
static const char STATE_KEY[] = "state";

struct sqlite {
    const char *path, *vfs;
    sqlite3 *db; // NULL: closed after an error, and not opened again yet
    sqlite3_stmt *rank[TABLES], *put[TABLES], *erase[TABLES];
    struct rows_state state;
    uint64_t told;   // state.commits that were completed
    uint64_t synced; // state.commits that are durable
    uint64_t doubt;  // the number of a commit that failed, and may be on the disk all the same; 0: none
    uint64_t doubted, checkpoints, mended, late, lost;
    int synchronous;          // 1 normal, 2 full; 0 unknown
    int log_pages;            // more than so many are emptied into the file
    int frames, due;          // in the log now; at how many it is emptied
    int64_t pages;            // of the file
    bool broken;              // open anew and prove the file before anything else
    char last[STORE_WHY_MAX]; // what broke it
};

// ---- Connection -------------------------------------------------------------------------------------

static void disconnect(struct sqlite *self)
{
    for (size_t i = 0; i < TABLES; i++) {
        sql_finish(&self->rank[i]);
        sql_finish(&self->put[i]);
        sql_finish(&self->erase[i]);
    }
    sql_close(&self->db);
    self->synchronous = 0;
}

static int on_commit(void *user, sqlite3 *db, const char *name, int frames)
{
    (void)db;
    (void)name;
    ((struct sqlite *)user)->frames = frames;
    return SQLITE_OK;
}

static enum pdp_err prepare(struct sqlite *self)
{
    for (size_t i = 0; i < TABLES; i++) {
        const char *name = i == STATE ? "store" : store_table_name((enum store_table)i);
        TRY(sql_prepare(self->db, &self->rank[i], "SELECT rank FROM %s WHERE key=?1", name));
        TRY(sql_prepare(self->db, &self->put[i],
                        "REPLACE INTO %s (key, rank, value, sum) VALUES (?1,?2,?3,?4)", name));
        TRY(sql_prepare(self->db, &self->erase[i], "DELETE FROM %s WHERE key=?1", name));
    }
    return PDP_ERR_OK;
}

// The log is chosen by a pragma that answers what it came to: it must be ours, whatever the file said.
static enum pdp_err use_log(struct sqlite *self)
{
    AUTO(sql_finish) sqlite3_stmt *statement = NULL;
    TRY(sql_prepare(self->db, &statement, "PRAGMA journal_mode=WAL"));
    int code = sqlite3_step(statement);
    if (code != SQLITE_ROW) {
        return code == SQLITE_DONE ? PDP_ERR_IO : sql_err(code);
    }
    const char *mode = (const char *)sqlite3_column_text(statement, 0);
    return mode != NULL && strcmp(mode, "wal") == 0 ? PDP_ERR_OK : PDP_ERR_IO;
}

// Whose file it is comes first: nothing is written to one that is not ours.
static enum pdp_err connect_to(struct sqlite *self, char why[static STORE_WHY_MAX])
{
    int version = 0;
    enum pdp_err err = sql_open(self->path, self->vfs, SQLITE_OPEN_READWRITE, &self->db);
    if (err != PDP_ERR_OK) {
        return sql_refuse(self->path, err, sqlite3_errmsg(self->db), why);
    }
    TRY(schema_judge(&SCHEMA, self->db, self->path, &version, why));
    TRY(schema_verify(&SCHEMA, self->db, version, self->path, why));
    err = use_log(self);
    err = err == PDP_ERR_OK ? schema_migrate(&SCHEMA, self->db, version) : err;
    err = err == PDP_ERR_OK ? prepare(self) : err;
    err = err == PDP_ERR_OK
              ? sql_run(self->db, "PRAGMA wal_autocheckpoint=0; PRAGMA journal_size_limit=16777216")
              : err;
    err = err == PDP_ERR_OK ? sql_number(self->db, "PRAGMA page_count", &self->pages) : err;
    if (err != PDP_ERR_OK) {
        return sql_refuse(self->path, err, sqlite3_errmsg(self->db), why);
    }
    (void)sqlite3_wal_hook(self->db, on_commit, self);
    self->frames = 0;
    self->due = self->log_pages;
    return rows_state_read(self->db, self->path, &self->state, why);
}

// ---- Checkpoints ------------------------------------------------------------------------------------

// Empties the log into the file. BUSY: someone reads what stands in it.
static enum pdp_err empty_log(struct sqlite *self, int mode)
{
    int frames = -1, moved = -1;
    int code = sqlite3_wal_checkpoint_v2(self->db, NULL, mode, &frames, &moved);
    if (code != SQLITE_OK) {
        return sql_err(code);
    }
    self->checkpoints++;
    self->frames = frames == moved ? 0 : frames;
    self->due = self->frames + self->log_pages;
    return sql_number(self->db, "PRAGMA page_count", &self->pages);
}

static void breaks(struct sqlite *self, const char *what)
{
    self->broken = true;
    store_tell(self->last, "`%s`: %s", self->path, what);
}

static bool sqlite_due(const void *user, bool idle)
{
    const struct sqlite *self = user;
    int most = self->due + (idle ? 0 : self->log_pages * (BUSY_TIMES - 1));
    return !self->broken && self->frames >= most;
}

// Readers may keep parts of the log; no room on the disk leaves all of it: both are tried again once it grew.
static void sqlite_upkeep(void *user)
{
    struct sqlite *self = user;
    self->due = self->frames + self->log_pages;
    enum pdp_err err = empty_log(self, SQLITE_CHECKPOINT_PASSIVE);
    if (err != PDP_ERR_OK && err != PDP_ERR_BUSY && err != PDP_ERR_LIMIT) {
        breaks(self, sqlite3_errmsg(self->db));
    }
}

// ---- Mending ----------------------------------------------------------------------------------------

// After an error of the disk nothing in memory is believed: the kernel may have dropped what it could not
// write, and says so only once. Opened anew, SQLite reads the log by its checksums, and all that it finds is
// written to the file and synced: what was in doubt is then there for good, or it is not.
static enum pdp_err mend(struct sqlite *self, char why[static STORE_WHY_MAX])
{
    uint64_t synced = self->synced;
    disconnect(self);
    if (disk_look(self->path, why) != PDP_ERR_OK) {
        return PDP_ERR_IO; // gone for now: nothing is made in its place
    }
    TRY(connect_to(self, why));
    if (self->state.commits < synced) {
        return sql_refuse(self->path, PDP_ERR_CORRUPT, "it has lost what was durable", why);
    }
    enum pdp_err err = empty_log(self, SQLITE_CHECKPOINT_TRUNCATE);
    if (err != PDP_ERR_OK) {
        return sql_refuse(self->path, err, sqlite3_errmsg(self->db), why);
    }
    self->lost += self->told > self->state.commits ? self->told - self->state.commits : 0;
    self->told = self->synced = self->state.commits;
    self->broken = false;
    self->mended++;
    return PDP_ERR_OK;
}

// ---- Batches ----------------------------------------------------------------------------------------

static enum pdp_err finish(sqlite3_stmt *statement, int code)
{
    (void)sqlite3_reset(statement);
    (void)sqlite3_clear_bindings(statement);
    return sql_err(code);
}

static enum pdp_err stored_rank(struct sqlite *self, const struct store_row *row, int *rank)
{
    sqlite3_stmt *statement = self->rank[row->table];
    *rank = -1;
    TRY(sql_err(sqlite3_bind_blob(statement, 1, row->key.at, (int)row->key.len, SQLITE_STATIC)));
    int code = sqlite3_step(statement);
    if (code == SQLITE_ROW) {
        *rank = sqlite3_column_int(statement, 0);
    }
    return finish(statement, code);
}

static enum pdp_err put(struct sqlite *self, const struct store_row *row)
{
    sqlite3_stmt *statement = self->put[row->table];
    int code = sqlite3_bind_blob(statement, 1, row->key.at, (int)row->key.len, SQLITE_STATIC);
    code = code == SQLITE_OK ? sqlite3_bind_int(statement, 2, row->rank) : code;
    code = code == SQLITE_OK ? sqlite3_bind_blob(statement, 3, row->value.len != 0 ? row->value.at : "",
                                                 (int)row->value.len, SQLITE_STATIC)
                             : code;
    code = code == SQLITE_OK ? sqlite3_bind_int64(statement, 4, (int64_t)rows_sum(row)) : code;
    code = code == SQLITE_OK ? sqlite3_step(statement) : code;
    return finish(statement, code);
}

static enum pdp_err erase(struct sqlite *self, const struct store_row *row)
{
    sqlite3_stmt *statement = self->erase[row->table];
    int code = sqlite3_bind_blob(statement, 1, row->key.at, (int)row->key.len, SQLITE_STATIC);
    code = code == SQLITE_OK ? sqlite3_step(statement) : code;
    return finish(statement, code);
}

static enum pdp_err apply(struct sqlite *self, const struct store_op *op, struct rows_state *state,
                          struct store_done *done)
{
    int stored = -1;
    TRY(stored_rank(self, &op->row, &stored));
    if (op->row.rank < stored) {
        done->dropped++;
        return PDP_ERR_OK;
    }
    uint64_t *count = &state->counts[op->row.table];
    if (!op->erase) {
        done->puts++;
        *count += stored < 0;
        return put(self, &op->row);
    }
    done->erases++;
    *count -= stored >= 0;
    return stored >= 0 ? erase(self, &op->row) : PDP_ERR_OK;
}

static enum pdp_err apply_all(struct sqlite *self, const struct store_batch *first, size_t count,
                              struct rows_state *state, struct store_done *done)
{
    for (const struct store_batch *batch = first; count > 0; batch = batch->next, count--) {
        for (size_t i = 0; i < batch->count; i++) {
            TRY(apply(self, &batch->ops[i], state, done));
        }
    }
    char bytes[ROWS_STATE_BYTES];
    state->commits++;
    rows_state_put(state, bytes);
    struct store_row row = {
        .table = STATE, .key = {STATE_KEY, sizeof STATE_KEY - 1}, .value = {bytes, sizeof bytes}};
    return put(self, &row);
}

static enum pdp_err set_synchronous(struct sqlite *self, bool sync)
{
    int wanted = sync ? 2 : 1;
    if (self->synchronous != wanted) {
        self->synchronous = 0;
        TRY(sql_run(self->db, sync ? "PRAGMA synchronous=FULL" : "PRAGMA synchronous=NORMAL"));
        self->synchronous = wanted;
    }
    return PDP_ERR_OK;
}

// One transaction. *begun_commit tells whether an error leaves in doubt what is on the disk.
static enum pdp_err transact(struct sqlite *self, const struct store_batch *first, size_t count, bool sync,
                             struct rows_state *state, struct store_done *done, bool *begun_commit)
{
    *begun_commit = false;
    TRY(set_synchronous(self, sync));
    TRY(sql_run(self->db, "BEGIN IMMEDIATE"));
    TRY(apply_all(self, first, count, state, done));
    *begun_commit = true;
    return sql_run(self->db, "COMMIT");
}

// What has a full disk or no memory for its reason is undone, and the connection goes on. Anything else is an
// error of the disk.
static enum pdp_err fails(struct sqlite *self, enum pdp_err err, char why[static STORE_WHY_MAX])
{
    store_tell(why, "`%s`: %s", self->path, sqlite3_errmsg(self->db));
    bool undone = sqlite3_get_autocommit(self->db) != 0 || sql_run(self->db, "ROLLBACK") == PDP_ERR_OK;
    bool goes_on = undone && (err == PDP_ERR_LIMIT || err == PDP_ERR_NOMEM);
    if (!goes_on) {
        breaks(self, "the disk failed");
        memcpy(self->last, why, sizeof self->last);
    }
    return goes_on || err == PDP_ERR_CORRUPT ? err : PDP_ERR_IO;
}

// A commit that ended in an error of the disk may have reached it. The file knows: it is asked at once, and
// where it cannot say, each time that it is mended.
static enum pdp_err resolve(struct sqlite *self, uint64_t number, size_t count, enum pdp_err err,
                            char why[static STORE_WHY_MAX])
{
    char meanwhile[STORE_WHY_MAX];
    self->doubt = 0;
    enum pdp_err mended = mend(self, meanwhile);
    if (mended == PDP_ERR_OK && self->state.commits == number) {
        return PDP_ERR_OK;
    }
    if (mended != PDP_ERR_OK) {
        memcpy(why, meanwhile, sizeof meanwhile);
        self->doubt = number;
        self->doubted = count;
    }
    return mended == PDP_ERR_CORRUPT ? mended : err;
}

static enum pdp_err mend_first(struct sqlite *self, char why[static STORE_WHY_MAX])
{
    if (!self->broken) {
        return PDP_ERR_OK;
    }
    enum pdp_err err = mend(self, why);
    if (err == PDP_ERR_OK) {
        self->late += self->doubt != 0 && self->state.commits == self->doubt ? self->doubted : 0;
        self->doubt = 0;
    }
    return err == PDP_ERR_OK || err == PDP_ERR_CORRUPT || err == PDP_ERR_NOMEM ? err : PDP_ERR_IO;
}

// What is written to a file that lost its name is not found again, unless that is brought back.
static enum pdp_err still_there(struct sqlite *self, size_t count, char why[static STORE_WHY_MAX])
{
    int moved = 0;
    if (sqlite3_file_control(self->db, "main", SQLITE_FCNTL_HAS_MOVED, &moved) == SQLITE_OK && moved != 0) {
        breaks(self, "it was moved or deleted while it was in use");
        memcpy(why, self->last, sizeof self->last);
        self->doubt = self->state.commits;
        self->doubted = count;
        return PDP_ERR_IO;
    }
    return PDP_ERR_OK;
}

static enum pdp_err sqlite_commit(void *user, const struct store_batch *first, size_t count, bool sync,
                                  struct store_done *done, char why[static STORE_WHY_MAX])
{
    struct sqlite *self = user;
    TRY(mend_first(self, why));
    struct rows_state state = self->state;
    bool begun_commit = false;
    enum pdp_err err = transact(self, first, count, sync, &state, done, &begun_commit);
    if (err == PDP_ERR_OK) {
        self->state = state;
        TRY(still_there(self, count, why));
        self->told = state.commits;
        self->synced = sync ? state.commits : self->synced;
        return PDP_ERR_OK;
    }
    err = fails(self, err, why);
    return self->broken && begun_commit ? resolve(self, state.commits, count, err, why) : err;
}

// ---- Reading ----------------------------------------------------------------------------------------

static enum pdp_err sqlite_load(void *user, enum store_table table,
                                enum pdp_err (*each)(void *user, const struct store_row *row), void *reader,
                                char why[static STORE_WHY_MAX])
{
    struct sqlite *self = user;
    TRY(mend_first(self, why));
    struct rows_walk walk = {.table = table, .each = each, .user = reader};
    TRY(rows_walk(self->db, self->path, &walk, why));
    return rows_whole(&self->state, self->path, table, walk.good, why);
}

// A connection of its own: any thread, while nobody writes.
static enum pdp_err sqlite_load_part(const void *user, const struct store_part *part, uint64_t *good,
                                     char why[static STORE_WHY_MAX])
{
    const struct sqlite *self = user;
    struct rows_walk walk = {.table = part->table, .each = part->each, .user = part->user};
    enum pdp_err err = file_walk_part(self->path, self->vfs, &walk, part->number, part->of, why);
    *good = walk.good;
    return err;
}

static enum pdp_err sqlite_load_whole(const void *user, enum store_table table, uint64_t good,
                                      char why[static STORE_WHY_MAX])
{
    const struct sqlite *self = user;
    return rows_whole(&self->state, self->path, table, good, why);
}

static uint64_t sqlite_count(const void *user, enum store_table table)
{
    return ((const struct sqlite *)user)->state.counts[table];
}

static enum pdp_err sqlite_backup(const void *user, const char *path, char why[static STORE_WHY_MAX])
{
    const struct sqlite *self = user; // only names that never change are read: this may be any thread
    return file_backup(self->path, self->vfs, path, why);
}

static void sqlite_stats(const void *user, struct store_stats *out)
{
    const struct sqlite *self = user;
    memcpy(out->rows, self->state.counts, sizeof out->rows);
    out->bytes = (uint64_t)self->pages * SQL_PAGE_BYTES + (uint64_t)self->frames * SQL_FRAME_BYTES;
    out->checkpoints = self->checkpoints;
    out->mended = self->mended;
    out->late = self->late;
    out->lost = self->lost;
    if (self->broken && !out->broken) {
        memcpy(out->last_error, self->last, sizeof out->last_error);
    }
    out->broken = self->broken;
}

// ---- Life -------------------------------------------------------------------------------------------

static enum pdp_err wind_up(struct sqlite *self)
{
    char why[STORE_WHY_MAX];
    struct store_done done;
    if (self->broken || self->synced < self->state.commits) {
        TRY(sqlite_commit(self, NULL, 0, true, &done, why));
    }
    // A reader that is still there keeps the log: it is synced, and read at the next start.
    (void)sqlite3_busy_timeout(self->db, 0);
    enum pdp_err err = empty_log(self, SQLITE_CHECKPOINT_TRUNCATE);
    if (err == PDP_ERR_OK) {
        (void)sqlite3_db_config(self->db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 0, NULL); // takes the log away
    }
    return err == PDP_ERR_BUSY ? PDP_ERR_OK : err;
}

static enum pdp_err sqlite_shut(void *user)
{
    struct sqlite *self = user;
    enum pdp_err err = wind_up(self);
    disconnect(self);
    free(self);
    return err;
}

static void sqlite_cut(void *user, size_t keep)
{
    (void)user;
    (void)keep;
    invariant(false && "a file is cut by its file layer");
}

// What the last process left in the log goes into the file first: an error of the disk that it was told of,
// and we were not, cannot take away what is built on it. A reader may keep us from that.
static enum pdp_err begin(struct sqlite *self, char why[static STORE_WHY_MAX])
{
    TRY(connect_to(self, why));
    enum pdp_err err = empty_log(self, SQLITE_CHECKPOINT_TRUNCATE);
    if (err != PDP_ERR_OK && err != PDP_ERR_BUSY) {
        return sql_refuse(self->path, err, sqlite3_errmsg(self->db), why);
    }
    self->told = self->state.commits;
    self->synced = err == PDP_ERR_OK ? self->told : 0;
    return PDP_ERR_OK;
}

enum pdp_err store_sqlite_open(const struct store_config *config, void **out, char why[static STORE_WHY_MAX])
{
    *out = NULL;
    enum pdp_err err = disk_look(config->path, why);
    if (err == PDP_ERR_MISSING) {
        err = disk_make(&SCHEMA, config->path, config->vfs, why);
    }
    TRY(err);
    struct sqlite *self = calloc(1, sizeof *self);
    if (self == NULL) {
        store_tell(why, "memory is out");
        return PDP_ERR_NOMEM;
    }
    self->path = config->path;
    self->vfs = config->vfs;
    self->log_pages = config->log_pages != 0 ? (int)config->log_pages : LOG_PAGES;
    err = begin(self, why);
    if (err != PDP_ERR_OK) {
        disconnect(self);
        free(self);
        return err;
    }
    *out = self;
    return PDP_ERR_OK;
}

const struct store_backend STORE_SQLITE = {
    .commit = sqlite_commit,
    .load = sqlite_load,
    .load_part = sqlite_load_part,
    .load_whole = sqlite_load_whole,
    .count = sqlite_count,
    .backup = sqlite_backup,
    .due = sqlite_due,
    .upkeep = sqlite_upkeep,
    .stats = sqlite_stats,
    .shut = sqlite_shut,
    .cut = sqlite_cut,
};
