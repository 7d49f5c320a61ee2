// SPDX-License-Identifier: Apache-2.0
#include "store/file.h"

#include "base/buf.h"
#include "store/backend.h"
#include "store/disk.h"
#include "store/rows.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

static enum pdp_err refuse(const char *path, enum pdp_err err, sqlite3 *db, char why[static STORE_WHY_MAX])
{
    return sql_refuse(path, err, sqlite3_errmsg(db), why);
}

// A reader whose view does not move: what is written meanwhile is not seen.
static enum pdp_err open_reader(const char *path, const char *vfs, sqlite3 **out, int *version,
                                char why[static STORE_WHY_MAX])
{
    *out = NULL;
    AUTO(sql_close) sqlite3 *db = NULL;
    TRY(disk_look(path, why));
    enum pdp_err err = sql_open(path, vfs, SQLITE_OPEN_READONLY, &db);
    if (err != PDP_ERR_OK) {
        return refuse(path, err, db, why);
    }
    TRY(schema_judge(&SCHEMA, db, path, version, why));
    TRY(schema_verify(&SCHEMA, db, *version, path, why));
    *out = STEAL(db);
    return PDP_ERR_OK;
}

static enum pdp_err begin_read(const char *path, sqlite3 *db, struct rows_state *state,
                               char why[static STORE_WHY_MAX])
{
    enum pdp_err err = sql_run(db, "BEGIN");
    return err == PDP_ERR_OK ? rows_state_read(db, path, state, why) : refuse(path, err, db, why);
}

enum pdp_err file_facts(const char *path, const char *vfs, struct file_facts *facts,
                        char why[static STORE_WHY_MAX])
{
    *facts = (struct file_facts){0};
    AUTO(sql_close) sqlite3 *db = NULL;
    struct rows_state state;
    TRY(open_reader(path, vfs, &db, &facts->version, why));
    TRY(begin_read(path, db, &state, why));
    memcpy(facts->rows, state.counts, sizeof facts->rows);
    facts->commits = state.commits;
    facts->bytes = disk_bytes(path);
    return PDP_ERR_OK;
}

enum pdp_err file_walk_part(const char *path, const char *vfs, struct rows_walk *walk, unsigned number,
                            unsigned of, char why[static STORE_WHY_MAX])
{
    AUTO(sql_close) sqlite3 *db = NULL;
    int version = 0;
    walk->good = 0;
    TRY(open_reader(path, vfs, &db, &version, why));
    return rows_walk_part(db, path, walk, number, of, why);
}

// ---- Check ------------------------------------------------------------------------------------------

struct checked {
    const struct file_look *look;
    struct file_facts *facts;
};

static void PRINTF_LIKE(2, 3) found(struct checked *checked, const char *fmt, ...)
{
    char what[STORE_WHY_MAX];
    va_list args;
    va_start(args, fmt);
    (void)vsnprintf(what, sizeof what, fmt, args);
    va_end(args);
    checked->facts->wrong++;
    checked->look->found(checked->look->user, what);
}

// A key as hexadecimal digits: its bytes are no text.
static void found_row(struct checked *checked, enum store_table table, struct str key, const char *what)
{
    char hex[2 * STORE_KEY_MAX + 1] = "";
    for (size_t i = 0; i < key.len && i < STORE_KEY_MAX; i++) {
        (void)snprintf(hex + 2 * i, 3, "%02x", (unsigned)(unsigned char)key.at[i]);
    }
    found(checked, "`%s`, row %s: %s", store_table_name(table), hex, what);
}

static void bad_row(void *user, enum store_table table, struct str key)
{
    found_row(user, table, key, "it does not hold its checksum");
}

static enum pdp_err judge_row(void *user, const struct store_row *row)
{
    struct checked *checked = user;
    const char *wrong = checked->look->judge != NULL ? checked->look->judge(checked->look->user, row) : NULL;
    if (wrong != NULL) {
        found_row(checked, row->table, row->key, wrong);
    }
    return PDP_ERR_OK;
}

// SQLite's own look at pages and trees: one line a finding, or `ok`.
static enum pdp_err check_pages(const char *path, sqlite3 *db, struct checked *checked,
                                char why[static STORE_WHY_MAX])
{
    AUTO(sql_finish) sqlite3_stmt *statement = NULL;
    enum pdp_err err = sql_prepare(db, &statement, "PRAGMA integrity_check");
    int code = SQLITE_DONE;
    while (err == PDP_ERR_OK && (code = sqlite3_step(statement)) == SQLITE_ROW) {
        const char *line = (const char *)sqlite3_column_text(statement, 0);
        if (line != NULL && strcmp(line, "ok") != 0) {
            found(checked, "%s", line);
        }
    }
    err = err == PDP_ERR_OK ? sql_err(code) : err;
    return err == PDP_ERR_OK ? err : refuse(path, err, db, why);
}

static enum pdp_err check_rows(const char *path, sqlite3 *db, const struct rows_state *state,
                               struct checked *checked, char why[static STORE_WHY_MAX])
{
    for (size_t i = 0; i < STORE_TABLE_COUNT; i++) {
        struct rows_walk walk = {
            .table = (enum store_table)i, .each = judge_row, .bad = bad_row, .user = checked};
        TRY(rows_walk(db, path, &walk, why));
        checked->facts->rows[i] = walk.good;
        if (walk.good != state->counts[i]) {
            found(checked, "`%s` holds %llu good rows where %llu were written", store_table_name(walk.table),
                  (unsigned long long)walk.good, (unsigned long long)state->counts[i]);
        }
    }
    return PDP_ERR_OK;
}

enum pdp_err file_check(const char *path, const char *vfs, const struct file_look *look,
                        struct file_facts *facts, char why[static STORE_WHY_MAX])
{
    *facts = (struct file_facts){0};
    AUTO(sql_close) sqlite3 *db = NULL;
    struct rows_state state;
    struct checked checked = {look, facts};
    TRY(open_reader(path, vfs, &db, &facts->version, why));
    TRY(begin_read(path, db, &state, why));
    facts->commits = state.commits;
    facts->bytes = disk_bytes(path);
    TRY(check_pages(path, db, &checked, why));
    return check_rows(path, db, &state, &checked, why);
}

// ---- Copies -----------------------------------------------------------------------------------------

static void keep_first(void *user, const char *what)
{
    char *first = user;
    if (first[0] == '\0') {
        (void)snprintf(first, STORE_WHY_MAX / 2, "%s", what);
    }
}

// A copy that was never read is none.
static enum pdp_err prove(const char *path, const char *vfs, char why[static STORE_WHY_MAX])
{
    char first[STORE_WHY_MAX / 2] = "";
    struct file_facts facts;
    struct file_look look = {.found = keep_first, .user = first};
    TRY(file_check(path, vfs, &look, &facts, why));
    return facts.wrong == 0 ? PDP_ERR_OK : sql_refuse(path, PDP_ERR_CORRUPT, first, why);
}

static enum pdp_err copy_into(const char *path, const char *vfs, const char *to,
                              char why[static STORE_WHY_MAX])
{
    AUTO(sql_close) sqlite3 *db = NULL;
    AUTO(sql_finish) sqlite3_stmt *statement = NULL;
    int version = 0;
    TRY(open_reader(path, vfs, &db, &version, why));
    TRY(disk_empty(to, why));
    enum pdp_err err = sql_prepare(db, &statement, "VACUUM INTO ?1");
    err = err == PDP_ERR_OK ? sql_err(sqlite3_bind_text(statement, 1, to, -1, SQLITE_STATIC)) : err;
    err = err == PDP_ERR_OK ? sql_err(sqlite3_step(statement)) : err;
    if (err == PDP_ERR_LIMIT) {
        store_tell(why, "`%s` cannot be written: the disk is full", to);
        return err;
    }
    return err == PDP_ERR_OK ? err : refuse(path, err, db, why);
}

static enum pdp_err copy_proved(const char *path, const char *vfs, const char *to,
                                char why[static STORE_WHY_MAX])
{
    enum pdp_err err = copy_into(path, vfs, to, why);
    err = err == PDP_ERR_OK ? prove(to, vfs, why) : err;
    if (err != PDP_ERR_OK) {
        (void)unlink(to);
    }
    return err;
}

static bool same_file(const char *a, const char *b)
{
    struct stat one, other;
    return stat(a, &one) == 0 && stat(b, &other) == 0 && one.st_dev == other.st_dev &&
           one.st_ino == other.st_ino;
}

enum pdp_err file_backup(const char *path, const char *vfs, const char *to, char why[static STORE_WHY_MAX])
{
    char made[DISK_PATH_MAX];
    struct stat info;
    TRY(disk_name(made, to, ".new", why));
    if (same_file(path, to) || (lstat(to, &info) == 0 && !S_ISREG(info.st_mode))) {
        store_tell(why, "`%s` cannot be a backup: it is %s\n  hint: name a file that may be replaced", to,
                   same_file(path, to) ? "the store itself" : "no plain file");
        return PDP_ERR_REFUSED;
    }
    TRY(copy_proved(path, vfs, made, why));
    return disk_place(made, to, why);
}

// ---- Restore ----------------------------------------------------------------------------------------

static void fd_close(int *fd)
{
    if (*fd >= 0) {
        (void)close(*fd);
    }
    *fd = -1;
}

// The folder of `path`, with `name` behind it.
static enum pdp_err beside(char out[static DISK_PATH_MAX], const char *path, const char *name,
                           char why[static STORE_WHY_MAX])
{
    const char *slash = strrchr(path, '/');
    int len = snprintf(out, DISK_PATH_MAX, "%.*s%s", slash != NULL ? (int)(slash - path) + 1 : 0, path, name);
    if (len < 0 || len >= DISK_PATH_MAX) {
        store_tell(why, "the name of the file is too long");
        return PDP_ERR_LIMIT;
    }
    return PDP_ERR_OK;
}

// What root makes belongs to whom the folder belongs to: pdpd must be able to open it.
static enum pdp_err give_away(const char *made, const char *path, char why[static STORE_WHY_MAX])
{
    char folder[DISK_PATH_MAX];
    struct stat info;
    TRY(beside(folder, path, ".", why));
    if (geteuid() == 0 && (stat(folder, &info) != 0 || lchown(made, info.st_uid, info.st_gid) != 0)) {
        store_tell(why, "`%s` cannot be given to the owner of its folder: %s", made, strerror(errno));
        return PDP_ERR_IO;
    }
    return PDP_ERR_OK;
}

// As pdpd locks its state folder; made where there is none yet.
static enum pdp_err lock_folder(const char *path, int *fd, char why[static STORE_WHY_MAX])
{
    char lock[DISK_PATH_MAX];
    TRY(beside(lock, path, "lock", why));
    *fd = open(lock, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (*fd < 0) {
        store_tell(why, "`%s` cannot be opened: %s", lock, strerror(errno));
        return PDP_ERR_IO;
    }
    if (flock(*fd, LOCK_EX | LOCK_NB) != 0) {
        store_tell(why, "`%s` is in use\n  hint: stop pdpd first", path);
        return PDP_ERR_BUSY;
    }
    return give_away(lock, path, why);
}

static enum pdp_err move(const char *path, const char *from, const char *to, char why[static STORE_WHY_MAX])
{
    char is[DISK_PATH_MAX], becomes[DISK_PATH_MAX];
    TRY(disk_name(is, path, from, why));
    TRY(disk_name(becomes, path, to, why));
    if (rename(is, becomes) != 0 && errno != ENOENT) {
        store_tell(why, "`%s` cannot be moved: %s", is, strerror(errno));
        return PDP_ERR_IO;
    }
    return PDP_ERR_OK;
}

// The copy stands beside it, durable, under a name that keeps the file from being opened (disk_look). Only
// then the old one goes, and its log, which must never meet the new one.
static enum pdp_err exchange(const char *made, const char *path, char why[static STORE_WHY_MAX])
{
    char restored[DISK_PATH_MAX], index[DISK_PATH_MAX];
    TRY(disk_name(restored, path, ".restored", why));
    TRY(disk_name(index, path, "-shm", why));
    TRY(disk_place(made, restored, why));
    TRY(move(path, "", ".old", why));
    TRY(move(path, "-wal", ".old-wal", why));
    (void)unlink(index);
    TRY(disk_sync_folder(path, why));
    return disk_place(restored, path, why);
}

enum pdp_err file_restore(const char *from, const char *path, char why[static STORE_WHY_MAX])
{
    char made[DISK_PATH_MAX];
    AUTO(fd_close) int folder = -1;
    TRY(lock_folder(path, &folder, why));
    TRY(disk_name(made, path, ".new", why));
    if (same_file(from, path)) {
        store_tell(why, "`%s` is the store itself, not a backup of it", from);
        return PDP_ERR_REFUSED;
    }
    TRY(copy_proved(from, NULL, made, why));
    TRY(give_away(made, path, why));
    return exchange(made, path, why);
}
