// SPDX-License-Identifier: Apache-2.0
#include "audit/log.h"

#include "audit/log_inner.h"
#include "wire/wire.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static const size_t PENDING_MAX = 1024 * 1024; // of frames that are not written; more is BUSY

void log_fail(struct audit_log *log, const char *why)
{
    log->failed = true;
    snprintf(log->why, sizeof log->why, "%s", why);
}

// ---- The tree's hashes -----------------------------------------------------------------------------

static enum pdp_err read_hash(void *user, uint64_t at, struct merkle_hash *out)
{
    const struct audit_log *log = user;
    return files_read_exactly(log->hashes, at * SEAL_BYTES, out->at, sizeof out->at);
}

struct merkle_store log_store(struct audit_log *log)
{
    return (struct merkle_store){read_hash, log};
}

// ---- Appending -------------------------------------------------------------------------------------

static enum pdp_err pack_record(struct audit_log *log, struct str open, struct str personal, struct str user)
{
    struct user_key key = {0};
    uint8_t nonce[AEAD_NONCE_BYTES] = {0};
    bool seals = personal.len > 0;
    if (seals) {
        TRY(vault_key(log->users, user, &key));
        if (!log->config.draw(nonce, sizeof nonce)) {
            return PDP_ERR_IO;
        }
    }
    log->record.failed = false;
    buf_clear(&log->record);
    enum pdp_err err = envelope_put(open, personal, seals ? key.key : NULL, key.id, nonce, &log->record);
    seal_wipe(&key, sizeof key);
    return err;
}

enum pdp_err audit_log_append(struct audit_log *log, struct str open, struct str personal, struct str user,
                              uint64_t *index)
{
    struct merkle_hash leaf, stored[MERKLE_LEVELS];
    size_t count = 0;
    *index = log->tree.size;
    if (log->failed || log->pending.len > PENDING_MAX || log->pending_hashes.len > PENDING_MAX) {
        return PDP_ERR_BUSY;
    }
    TRY(pack_record(log, open, personal, user));
    if (!buf_room(&log->pending_hashes, sizeof stored)) {
        log->pending_hashes.failed = false;
        return PDP_ERR_NOMEM;
    }
    size_t before = log->pending.len;
    enum pdp_err err = frame_put(FRAME_RECORD, buf_view(&log->record), &log->pending, &leaf);
    if (err == PDP_ERR_OK) {
        err = merkle_add(&log->tree, &leaf, stored, &count);
    }
    if (err != PDP_ERR_OK) {
        log->pending.len = before;
        log->pending.failed = false;
        return err;
    }
    buf_put(&log->pending_hashes, stored, count * sizeof *stored);
    return PDP_ERR_OK;
}

// What was written in part is written again over itself: `written` moves only when all of it is there.
enum pdp_err audit_log_flush(struct audit_log *log)
{
    if (log->failed) {
        return PDP_ERR_STATE;
    }
    TRY(files_write(log->segment, log->written, buf_view(&log->pending)));
    log->written += log->pending.len;
    buf_clear(&log->pending);
    TRY(files_write(log->hashes, log->hashes_written, buf_view(&log->pending_hashes)));
    log->hashes_written += log->pending_hashes.len;
    buf_clear(&log->pending_hashes);
    log->flushed = log->tree.size;
    return PDP_ERR_OK;
}

// ---- Checkpoints -----------------------------------------------------------------------------------

static enum pdp_err sync_all(struct audit_log *log)
{
    TRY(audit_log_flush(log));
    // Whether a failed sync lost anything cannot be known, and a second one may say that all is well.
    if (vault_sync(log->users) != PDP_ERR_OK || fdatasync(log->segment) != 0 || fdatasync(log->hashes) != 0) {
        log_fail(log, "the disk could not be synced: nothing more is signed until the log is opened anew");
        return PDP_ERR_IO;
    }
    return PDP_ERR_OK;
}

// Has the tree grown from the one that was signed last? From the hashes that are on disk, not those in
// memory.
static enum pdp_err prove_growth(struct audit_log *log, const struct merkle_hash *root)
{
    struct merkle_store store = log_store(log);
    struct merkle_proof proof;
    struct merkle again;
    struct merkle_hash disk_root;
    TRY(merkle_load(&store, log->tree.size, &again));
    TRY(merkle_root(&again, &disk_root));
    if (memcmp(disk_root.at, root->at, sizeof root->at) != 0) {
        return PDP_ERR_CORRUPT;
    }
    if (log->signed_size == 0) {
        return PDP_ERR_OK;
    }
    TRY(merkle_consistency(&store, log->signed_size, log->tree.size, &proof));
    return merkle_consistent(log->signed_size, &log->signed_root, log->tree.size, root, &proof)
               ? PDP_ERR_OK
               : PDP_ERR_CORRUPT;
}

static enum pdp_err write_note(struct audit_log *log, const struct merkle_hash *root)
{
    AUTO(buf_fini) struct buf text = {0}, note = {0};
    struct merkle_hash unused;
    struct checkpoint checkpoint = {
        .origin = str_of(log->keys.origin), .size = log->tree.size, .root = *root};
    checkpoint_write(&checkpoint, &text);
    TRY(audit_keys_sign(&log->keys, buf_view(&text), &note));
    // The file first: whatever stands in a segment, a newer or the same one is here (see audit/log_open.c).
    TRY(files_replace(log->dir, "checkpoint", buf_view(&note), 0644));
    log->signed_size = log->tree.size;
    log->signed_root = *root;
    buf_clear(&log->note);
    buf_str(&log->note, buf_view(&note));
    return frame_put(FRAME_CHECKPOINT, buf_view(&note), &log->pending, &unused);
}

enum pdp_err audit_log_checkpoint(struct audit_log *log)
{
    struct merkle_hash root;
    TRY(sync_all(log));
    if (log->tree.size == log->signed_size) {
        return PDP_ERR_OK;
    }
    TRY(merkle_root(&log->tree, &root));
    enum pdp_err grown = prove_growth(log, &root);
    if (grown != PDP_ERR_OK) {
        log_fail(log, "the tree on disk is not the one that was signed: nothing more is signed");
        return grown;
    }
    TRY(write_note(log, &root));
    return audit_log_flush(log);
}

// ---- Segments --------------------------------------------------------------------------------------

enum pdp_err log_begin_segment(struct audit_log *log, int64_t now_ms)
{
    char name[SEGMENT_NAME_BYTES], path[4096];
    AUTO(buf_fini) struct buf head = {0};
    struct segment_head begun = {.first = log->tree.size, .created_ms = now_ms};
    segment_head_put(&begun, &head);
    segment_name(begun.first, false, name);
    if (head.failed || !files_path(log->dir, name, path)) {
        return PDP_ERR_NOMEM;
    }
    int fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0) {
        return PDP_ERR_IO;
    }
    if (files_write(fd, 0, buf_view(&head)) != PDP_ERR_OK || fsync(fd) != 0 ||
        files_sync_dir(log->dir) != PDP_ERR_OK) {
        close(fd);
        (void)unlink(path);
        return PDP_ERR_IO;
    }
    if (log->segment >= 0) {
        close(log->segment);
    }
    log->segment = fd;
    log->head = begun;
    log->written = SEGMENT_HEAD_BYTES;
    return PDP_ERR_OK;
}

static enum pdp_err rotate(struct audit_log *log, int64_t now_ms)
{
    char name[SEGMENT_NAME_BYTES];
    TRY(audit_log_checkpoint(log));
    TRY(sync_all(log)); // the checkpoint's frame too
    segment_name(log->head.first, false, name);
    TRY(log_begin_segment(log, now_ms));
    return audit_segments_add(&log->segments, name);
}

static enum pdp_err compress(struct audit_log *log, bool *more)
{
    struct audit_segment *oldest = NULL;
    for (size_t i = 0; i < log->segments.count && oldest == NULL; i++) {
        oldest = !log->segments.list[i].packed ? &log->segments.list[i] : NULL;
    }
    *more = oldest != NULL;
    if (oldest == NULL) {
        return PDP_ERR_OK;
    }
    if (log->pack == NULL) {
        TRY(pack_new(log->dir, oldest->first, &log->pack));
    }
    bool done = false;
    enum pdp_err err = pack_step(log->pack, &done);
    if (err != PDP_ERR_OK || done) {
        pack_free(&log->pack);
    }
    if (done) {
        oldest->packed = true;
        segment_name(oldest->first, true, oldest->name);
    }
    return err;
}

// ---- Removal ---------------------------------------------------------------------------------------

static enum pdp_err read_fd(void *user, uint64_t at, void *out, size_t len, size_t *got)
{
    return files_read(*(int *)user, at, out, len, got);
}

static enum pdp_err segment_created(const struct audit_log *log, uint64_t first, bool packed, int64_t *out)
{
    char name[SEGMENT_NAME_BYTES], path[4096];
    struct segment_head head;
    AUTO(segment_close) struct segment_reader *reader = NULL;
    segment_name(first, packed, name);
    if (!files_path(log->dir, name, path)) {
        return PDP_ERR_LIMIT;
    }
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0) {
        return PDP_ERR_IO;
    }
    struct segment_source source = {read_fd, &fd};
    enum pdp_err err = segment_open(&source, packed, &reader, &head);
    close(fd);
    *out = head.created_ms;
    return err;
}

// A record of its own says that what is gone was removed, not cut.
static enum pdp_err note_removal(struct audit_log *log, uint64_t through, int64_t now_ms)
{
    AUTO(buf_fini) struct buf open = {0};
    struct emit emit;
    uint64_t index;
    emit_init(&emit, WIRE_CBOR, &open);
    emit_map(&emit, EMIT_FEW);
    emit_key_str(&emit, "kind", STR("removed"));
    emit_key_int(&emit, "time", now_ms);
    emit_key_int(&emit, "before", (int64_t)through);
    emit_end(&emit);
    TRY(audit_log_append(log, buf_view(&open), (struct str){0}, (struct str){0}, &index));
    return audit_log_checkpoint(log);
}

// The oldest segment goes once the next one began before the time that is kept.
static enum pdp_err remove_old(struct audit_log *log, int64_t now_ms)
{
    char path[4096];
    int64_t next_ms = log->head.created_ms;
    if (log->config.keep_ms == 0 || log->segments.count == 0 || !log->segments.list[0].packed) {
        return PDP_ERR_OK;
    }
    const struct audit_segment *oldest = &log->segments.list[0];
    uint64_t through = log->segments.count > 1 ? oldest[1].first : log->head.first;
    if (log->segments.count > 1) {
        TRY(segment_created(log, oldest[1].first, oldest[1].packed, &next_ms));
    }
    if (next_ms > now_ms - log->config.keep_ms || !files_path(log->dir, oldest->name, path)) {
        return PDP_ERR_OK;
    }
    TRY(note_removal(log, through, now_ms));
    if (unlink(path) != 0) {
        return PDP_ERR_IO;
    }
    memmove(log->segments.list, log->segments.list + 1, --log->segments.count * sizeof *log->segments.list);
    return PDP_ERR_OK;
}

// ---- By time ---------------------------------------------------------------------------------------

static bool is_full(const struct audit_log *log, int64_t now_ms)
{
    bool empty = log->tree.size == log->head.first;
    return !empty && (log->written + log->pending.len >= log->config.rotate_bytes ||
                      now_ms - log->head.created_ms >= log->config.rotate_age_ms);
}

enum pdp_err audit_log_tick(struct audit_log *log, int64_t now_ms, bool *more)
{
    *more = false;
    TRY(audit_log_flush(log));
    if (now_ms < log->signed_ms) {
        log->signed_ms = now_ms; // the clock was set back
    }
    if (log->tree.size - log->signed_size >= log->config.sign_records ||
        now_ms - log->signed_ms >= log->config.sign_ms) {
        TRY(audit_log_checkpoint(log));
        log->signed_ms = now_ms;
    }
    if (is_full(log, now_ms)) {
        TRY(rotate(log, now_ms));
    }
    TRY(remove_old(log, now_ms));
    return compress(log, more);
}

enum pdp_err audit_log_forget(struct audit_log *log, struct str user, size_t *count)
{
    return vault_forget(log->users, user, count);
}

enum pdp_err audit_log_unseal(const struct audit_log *log, const struct envelope *envelope, struct buf *out)
{
    uint8_t key[AEAD_KEY_BYTES];
    if (!vault_find(log->users, envelope->key_id, key)) {
        return PDP_ERR_MISSING;
    }
    enum pdp_err err = envelope_unseal(envelope, key, out);
    seal_wipe(key, sizeof key);
    return err;
}

enum pdp_err audit_log_rotate_key(struct audit_log *log)
{
    struct audit_keys next = log->keys;
    enum pdp_err err = audit_keys_rotate(log->dir, log->config.draw, &next);
    if (err == PDP_ERR_OK) {
        log->keys = next;
    }
    audit_keys_wipe(&next);
    return err;
}

void audit_log_status(const struct audit_log *log, struct audit_status *out)
{
    *out = (struct audit_status){
        .records = log->tree.size,
        .signed_records = log->signed_size,
        .first = log->segments.count > 0 ? log->segments.list[0].first : log->head.first,
        .segments = log->segments.count + 1,
        .bytes = log->written + log->pending.len,
        .cut_bytes = log->cut_bytes,
        .failed = log->failed,
        .origin = log->keys.origin,
        .why = log->why,
    };
}

struct str audit_log_signed(const struct audit_log *log)
{
    return buf_view(&log->note);
}
