// SPDX-License-Identifier: Apache-2.0
// Opening a log: what a crash left behind is put right, what a checkpoint vouched for must be there.
#include "audit/log_inner.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

static const uint64_t ROTATE_BYTES = UINT64_C(64) * 1024 * 1024;
static const int64_t DAY_MS = INT64_C(24) * 3600 * 1000;
static const uint64_t SIGN_RECORDS = 10000;
static const int64_t SIGN_MS = 1000;

PRINTF_LIKE(3, 4)
static enum pdp_err say(char why[static AUDIT_WHY_MAX], enum pdp_err err, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    vsnprintf(why, AUDIT_WHY_MAX, fmt, args);
    va_end(args);
    return err;
}

static enum pdp_err say_io(char why[static AUDIT_WHY_MAX], const char *dir, const char *name)
{
    return say(why, PDP_ERR_IO, "`%.200s/%s`: %s", dir, name, strerror(errno));
}

static const char HINT[] = "`pdpctl audit verify` tells more; to begin a new log, move the folder aside";

// ---- Folder and lock ---------------------------------------------------------------------------------

static enum pdp_err take_lock(struct audit_log *log, char why[static AUDIT_WHY_MAX])
{
    char path[4096];
    if (mkdir(log->dir, 0700) != 0 && errno != EEXIST) {
        return say_io(why, log->dir, "");
    }
    if (!files_path(log->dir, "lock", path)) {
        return say(why, PDP_ERR_LIMIT, "the name of the audit folder is too long");
    }
    log->lock = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (log->lock < 0) {
        return say_io(why, log->dir, "lock");
    }
    return flock(log->lock, LOCK_EX | LOCK_NB) == 0
               ? PDP_ERR_OK
               : say(why, PDP_ERR_BUSY, "`%.200s` is written by another process", log->dir);
}

// All segments, and leftovers of a kill removed: what was being compressed, and compressed forms whose plain
// one is still there.
static enum pdp_err take_segments(struct audit_log *log, char why[static AUDIT_WHY_MAX])
{
    DIR *dir = opendir(log->dir);
    enum pdp_err err = dir != NULL ? PDP_ERR_OK : say_io(why, log->dir, "");
    for (struct dirent *entry = dir != NULL ? readdir(dir) : NULL; entry != NULL && err == PDP_ERR_OK;
         entry = readdir(dir)) {
        char path[4096];
        if (str_ends(str_of(entry->d_name), STR(".new")) && files_path(log->dir, entry->d_name, path)) {
            (void)unlink(path);
        }
        err = audit_segments_add(&log->segments, entry->d_name);
    }
    if (dir != NULL) {
        closedir(dir);
    }
    audit_segments_sort(&log->segments);
    for (size_t i = 0; i < log->segments.count; i++) {
        char name[SEGMENT_NAME_BYTES], path[4096];
        segment_name(log->segments.list[i].first, true, name);
        if (!log->segments.list[i].packed && files_path(log->dir, name, path)) {
            (void)unlink(path);
        }
    }
    return err;
}

static enum pdp_err take_keys(struct audit_log *log, char why[static AUDIT_WHY_MAX])
{
    enum pdp_err err = audit_keys_load(log->dir, &log->keys);
    if (err == PDP_ERR_MISSING && log->segments.count == 0) {
        err = audit_keys_make(log->dir, log->config.origin, log->config.draw, &log->keys);
        return err == PDP_ERR_OK ? err
               : err == PDP_ERR_RANGE
                   ? say(why, err, "`%.100s` cannot name a log: it may hold no blank and no `+`",
                         log->config.origin)
                   : say_io(why, log->dir, "key");
    }
    return err == PDP_ERR_OK ? err
                             : say(why, PDP_ERR_CORRUPT, "`%.200s/key` is %s\n  hint: %s", log->dir,
                                   err == PDP_ERR_MISSING ? "missing" : "no key of a log", HINT);
}

static enum pdp_err take_vkeys(struct audit_log *log, char why[static AUDIT_WHY_MAX])
{
    AUTO(buf_fini) struct buf text = {0};
    enum pdp_err err = files_take(log->dir, "vkeys", AUDIT_VKEYS_BYTES_MAX, &text);
    err = err == PDP_ERR_OK ? audit_vkeys_read(buf_view(&text), log->vkeys, &log->vkey_count) : err;
    return err == PDP_ERR_OK ? err
                             : say(why, PDP_ERR_CORRUPT, "`%.200s/vkeys` holds no keys of a log\n  hint: %s",
                                   log->dir, HINT);
}

static enum pdp_err take_users(struct audit_log *log, char why[static AUDIT_WHY_MAX])
{
    char path[4096];
    if (!files_path(log->dir, "users", path)) {
        return say(why, PDP_ERR_LIMIT, "the name of the audit folder is too long");
    }
    enum pdp_err err = vault_open(path, true, log->config.draw, &log->users);
    return err == PDP_ERR_OK   ? err
           : err == PDP_ERR_IO ? say_io(why, log->dir, "users")
                               : say(why, err, "`%.200s/users` holds no keys of users: %s\n  hint: %s",
                                     log->dir, pdp_err_text(err), HINT);
}

// ---- The last checkpoint -----------------------------------------------------------------------------

static enum pdp_err open_note(const struct audit_log *log, struct str note, struct checkpoint *out)
{
    struct str text;
    TRY(note_open(note, log->vkeys, log->vkey_count, &text, NULL));
    TRY(checkpoint_read(text, out));
    return str_eq(out->origin, str_of(log->keys.origin)) ? PDP_ERR_OK : PDP_ERR_CORRUPT;
}

static enum pdp_err take_checkpoint(struct audit_log *log, char why[static AUDIT_WHY_MAX])
{
    struct checkpoint checkpoint;
    enum pdp_err err = files_take(log->dir, "checkpoint", NOTE_BYTES_MAX, &log->note);
    if (err == PDP_ERR_MISSING) {
        return PDP_ERR_OK; // none was signed yet, or one in a segment will say that it is lost
    }
    err = err == PDP_ERR_OK ? open_note(log, buf_view(&log->note), &checkpoint) : err;
    if (err != PDP_ERR_OK) {
        return say(why, PDP_ERR_CORRUPT, "`%.200s/checkpoint` is none of this log's keys\n  hint: %s",
                   log->dir, HINT);
    }
    log->signed_size = checkpoint.size;
    log->signed_root = checkpoint.root;
    return PDP_ERR_OK;
}

// ---- The last segment --------------------------------------------------------------------------------

struct scan {
    struct audit_log *log;
    const char *name;
    char *why;
    uint64_t hash_count; // that were on disk
    uint64_t end;        // offset behind the last whole frame
    uint64_t last_frame; // size of the last checkpoint that stands there
};

static enum pdp_err read_fd(void *user, uint64_t at, void *out, size_t len, size_t *got)
{
    return files_read(*(int *)user, at, out, len, got);
}

// A record's hashes are those on disk, or are added where the crash was faster.
static enum pdp_err scan_record(struct scan *scan, const struct frame *frame)
{
    struct audit_log *log = scan->log;
    struct merkle_hash stored[MERKLE_LEVELS];
    size_t count;
    uint64_t at = merkle_stored_count(log->tree.size);
    TRY(merkle_add(&log->tree, &frame->leaf, stored, &count));
    uint64_t known = scan->hash_count > at ? scan->hash_count - at : 0;
    known = known < count ? known : count;
    for (size_t i = 0; i < known; i++) {
        struct merkle_hash was;
        TRY(files_read_exactly(log->hashes, (at + i) * SEAL_BYTES, was.at, sizeof was.at));
        if (memcmp(was.at, stored[i].at, sizeof was.at) != 0) {
            return say(scan->why, PDP_ERR_CORRUPT,
                       "record %" PRIu64 " in `%s` at byte %" PRIu64
                       " is not the one that was written\n  hint: %s",
                       log->tree.size - 1, scan->name, frame->offset, HINT);
        }
    }
    if (known < count) {
        struct str more = {(const char *)stored[known].at, (count - known) * sizeof *stored};
        TRY(files_write(log->hashes, (at + known) * SEAL_BYTES, more));
        scan->hash_count = at + count;
    }
    return PDP_ERR_OK;
}

static enum pdp_err scan_checkpoint(struct scan *scan, const struct frame *frame)
{
    struct audit_log *log = scan->log;
    struct checkpoint checkpoint;
    if (open_note(log, frame->bytes, &checkpoint) != PDP_ERR_OK || checkpoint.size != log->tree.size) {
        return say(scan->why, PDP_ERR_CORRUPT,
                   "the checkpoint in `%s` at byte %" PRIu64 " is not of this place\n  hint: %s", scan->name,
                   frame->offset, HINT);
    }
    if (checkpoint.size > log->signed_size) {
        return say(scan->why, PDP_ERR_CORRUPT,
                   "`checkpoint` is an old one: it is of %" PRIu64 " records, and one of %" PRIu64
                   " was signed\n  hint: %s",
                   log->signed_size, checkpoint.size, HINT);
    }
    scan->last_frame = checkpoint.size;
    return PDP_ERR_OK;
}

static enum pdp_err scan_frames(struct scan *scan, struct segment_reader *reader)
{
    for (;;) {
        struct frame frame;
        enum pdp_err err = segment_next(reader, &frame);
        scan->end = frame.offset;
        if (err == PDP_ERR_CLOSED || err == PDP_ERR_CORRUPT || err == PDP_ERR_MISSING) {
            return err;
        }
        TRY(err);
        TRY(frame.kind == FRAME_RECORD ? scan_record(scan, &frame) : scan_checkpoint(scan, &frame));
    }
}

// A kill between the file and the frame: where no record stands behind it yet, the frame can still be
// written.
static enum pdp_err complete_checkpoint(struct audit_log *log, const struct scan *scan)
{
    struct merkle_hash unused;
    bool lacks = log->signed_size > 0 && log->signed_size == log->tree.size &&
                 scan->last_frame < log->signed_size && log->signed_size > log->head.first;
    return lacks ? frame_put(FRAME_CHECKPOINT, buf_view(&log->note), &log->pending, &unused) : PDP_ERR_OK;
}

// What cannot be read is kept aside before it is cut, so that somebody may look at it.
static enum pdp_err cut_end(struct audit_log *log, uint64_t from, char why[static AUDIT_WHY_MAX])
{
    AUTO(buf_fini) struct buf part = {0};
    struct stat info;
    char name[64];
    if (fstat(log->segment, &info) != 0) {
        return say_io(why, log->dir, "");
    }
    uint64_t size = (uint64_t)info.st_size;
    if (size <= from) {
        return PDP_ERR_OK;
    }
    size_t len = (size_t)(size - from);
    if (!buf_room(&part, len)) {
        return say(why, PDP_ERR_NOMEM, "out of memory");
    }
    TRY(files_read_exactly(log->segment, from, part.at, len));
    part.len = len;
    snprintf(name, sizeof name, "cut-%020" PRIu64 "-%" PRIu64, log->head.first, from);
    if (files_replace(log->dir, name, buf_view(&part), 0600) != PDP_ERR_OK ||
        ftruncate(log->segment, (off_t)from) != 0 || fsync(log->segment) != 0) {
        return say_io(why, log->dir, name);
    }
    log->cut_bytes = len;
    return PDP_ERR_OK;
}

static enum pdp_err scan_segment(struct audit_log *log, struct scan *scan)
{
    AUTO(segment_close) struct segment_reader *reader = NULL;
    struct segment_source source = {read_fd, &log->segment};
    struct merkle_store store = log_store(log);
    if (segment_open(&source, false, &reader, &log->head) != PDP_ERR_OK ||
        log->head.first != log->segments.list[log->segments.count - 1].first) {
        return say(scan->why, PDP_ERR_CORRUPT, "`%.200s/%s` does not begin as a segment does\n  hint: %s",
                   log->dir, scan->name, HINT);
    }
    if (scan->hash_count < merkle_stored_count(log->head.first) ||
        merkle_load(&store, log->head.first, &log->tree) != PDP_ERR_OK) {
        return say(scan->why, PDP_ERR_CORRUPT,
                   "`%.200s/hashes` is too short for the records before `%s`\n  hint: %s", log->dir,
                   scan->name, HINT);
    }
    if (log->signed_size < log->head.first) { // each segment begins behind a checkpoint
        return say(scan->why, PDP_ERR_CORRUPT,
                   "`checkpoint` is an old one, or lost: it is of %" PRIu64
                   " records, and `%s` begins behind one "
                   "of %" PRIu64 "\n  hint: %s",
                   log->signed_size, scan->name, log->head.first, HINT);
    }
    enum pdp_err err = scan_frames(scan, reader);
    bool torn = err == PDP_ERR_CORRUPT || err == PDP_ERR_MISSING;
    if (err != PDP_ERR_CLOSED && (!torn || scan->why[0] != '\0')) {
        return err;
    }
    if (log->tree.size < log->signed_size) {
        return say(scan->why, PDP_ERR_CORRUPT,
                   "records %" PRIu64 " to %" PRIu64 " were signed and are %s in `%s` from byte %" PRIu64
                   " on\n  hint: %s",
                   log->tree.size, log->signed_size - 1, torn ? "damaged" : "missing", scan->name, scan->end,
                   HINT);
    }
    log->written = scan->end;
    TRY(torn ? cut_end(log, scan->end, scan->why) : PDP_ERR_OK);
    return complete_checkpoint(log, scan);
}

// A kill between a segment's making and its head leaves one without; the one before is the last then.
static enum pdp_err drop_headless(struct audit_log *log)
{
    while (log->segments.count > 0) {
        const struct audit_segment *last = &log->segments.list[log->segments.count - 1];
        struct stat info;
        char path[4096];
        if (last->packed || !files_path(log->dir, last->name, path) || stat(path, &info) != 0 ||
            info.st_size >= SEGMENT_HEAD_BYTES) {
            break;
        }
        if (unlink(path) != 0) {
            return PDP_ERR_IO;
        }
        log->segments.count--;
    }
    return PDP_ERR_OK;
}

static enum pdp_err resume(struct audit_log *log, struct scan *scan)
{
    struct audit_segment *last = &log->segments.list[log->segments.count - 1];
    char path[4096];
    if (last->packed) {
        return say(scan->why, PDP_ERR_CORRUPT,
                   "the segment behind `%s` is missing: the last one is never compressed\n  hint: %s",
                   last->name, HINT);
    }
    scan->name = last->name;
    if (!files_path(log->dir, last->name, path)) {
        return PDP_ERR_LIMIT;
    }
    log->segment = open(path, O_RDWR | O_CLOEXEC | O_NOFOLLOW);
    if (log->segment < 0) {
        return say_io(scan->why, log->dir, last->name);
    }
    TRY(scan_segment(log, scan));
    log->segments.count--; // the list holds those that are closed
    return PDP_ERR_OK;
}

// The tree that was signed is the one that the hashes give.
static enum pdp_err check_signed(struct audit_log *log, char why[static AUDIT_WHY_MAX])
{
    struct merkle_store store = log_store(log);
    struct merkle tree;
    struct merkle_hash root;
    if (log->signed_size == 0) {
        return PDP_ERR_OK;
    }
    TRY(merkle_load(&store, log->signed_size, &tree));
    TRY(merkle_root(&tree, &root));
    return memcmp(root.at, log->signed_root.at, sizeof root.at) == 0
               ? PDP_ERR_OK
               : say(why, PDP_ERR_CORRUPT,
                     "`%.200s/hashes` does not fit the checkpoint of %" PRIu64 " records\n  hint: %s",
                     log->dir, log->signed_size, HINT);
}

static enum pdp_err take_records(struct audit_log *log, int64_t now_ms, char why[static AUDIT_WHY_MAX])
{
    char path[4096];
    struct stat info;
    if (!files_path(log->dir, "hashes", path)) {
        return PDP_ERR_LIMIT;
    }
    log->hashes = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (log->hashes < 0 || fstat(log->hashes, &info) != 0) {
        return say_io(why, log->dir, "hashes");
    }
    struct scan scan = {.log = log, .why = why, .hash_count = (uint64_t)info.st_size / SEAL_BYTES};
    TRY(drop_headless(log));
    if (log->segments.count > 0) {
        TRY(resume(log, &scan));
        TRY(check_signed(log, why));
    } else if (log->signed_size > 0 || info.st_size > 0) {
        return say(why, PDP_ERR_CORRUPT, "`%.200s` has lost its segments\n  hint: %s", log->dir, HINT);
    }
    log->hashes_written = merkle_stored_count(log->tree.size) * SEAL_BYTES;
    if (ftruncate(log->hashes, (off_t)log->hashes_written) != 0) {
        return say_io(why, log->dir, "hashes");
    }
    log->flushed = log->tree.size;
    return log->segment >= 0 ? PDP_ERR_OK : log_begin_segment(log, now_ms);
}

// ---- All of it ---------------------------------------------------------------------------------------

static void set_up(struct audit_log *log, const struct audit_config *config, int64_t now_ms)
{
    log->config = *config;
    log->config.rotate_bytes = config->rotate_bytes > 0 ? config->rotate_bytes : ROTATE_BYTES;
    log->config.rotate_age_ms = config->rotate_age_ms > 0 ? config->rotate_age_ms : DAY_MS;
    log->config.sign_records = config->sign_records > 0 ? config->sign_records : SIGN_RECORDS;
    log->config.sign_ms = config->sign_ms > 0 ? config->sign_ms : SIGN_MS;
    log->lock = log->segment = log->hashes = -1;
    log->signed_ms = now_ms;
}

static void drop(struct audit_log **log_ptr)
{
    struct audit_log *log = STEAL(*log_ptr);
    if (log == NULL) {
        return;
    }
    const int fds[] = {log->segment, log->hashes, log->lock};
    for (size_t i = 0; i < COUNT_OF(fds); i++) {
        if (fds[i] >= 0) {
            close(fds[i]);
        }
    }
    pack_free(&log->pack);
    vault_close(&log->users);
    audit_keys_wipe(&log->keys);
    audit_segments_fini(&log->segments);
    buf_fini(&log->pending);
    buf_fini(&log->pending_hashes);
    buf_fini(&log->record);
    buf_fini(&log->note);
    free(log);
}

enum pdp_err audit_log_open(const struct audit_config *config, int64_t now_ms, struct audit_log **out,
                            char why[static AUDIT_WHY_MAX])
{
    *out = NULL;
    why[0] = '\0';
    AUTO(drop) struct audit_log *log = calloc(1, sizeof *log);
    if (log == NULL) {
        return say(why, PDP_ERR_NOMEM, "out of memory");
    }
    set_up(log, config, now_ms);
    if (strlen(config->dir) >= sizeof log->dir) {
        return say(why, PDP_ERR_LIMIT, "the name of the audit folder is too long");
    }
    memcpy(log->dir, config->dir, strlen(config->dir) + 1);
    TRY(take_lock(log, why));
    TRY(take_segments(log, why));
    TRY(take_keys(log, why));
    TRY(take_vkeys(log, why));
    TRY(take_users(log, why));
    TRY(take_checkpoint(log, why));
    enum pdp_err err = take_records(log, now_ms, why);
    if (err != PDP_ERR_OK) {
        return why[0] != '\0' ? err : say_io(why, log->dir, "");
    }
    *out = STEAL(log);
    return PDP_ERR_OK;
}

void audit_log_close(struct audit_log **log)
{
    if (*log != NULL && !(*log)->failed) {
        enum pdp_err err = audit_log_checkpoint(*log);
        err = err == PDP_ERR_OK ? audit_log_flush(*log) : err;
        (void)err; // what is not signed is there all the same, and is signed after the next opening
    }
    drop(log);
}
