// SPDX-License-Identifier: Apache-2.0
#include "audit/verify.h"

#include "audit/walk.h"
#include "wire/wire.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

enum {
    LOOK_AROUND = 64 // records around one that is not at its place, among which it is looked for
};

// ---- Stored hashes -----------------------------------------------------------------------------------

static enum pdp_err read_hash(void *user, uint64_t at, struct merkle_hash *out)
{
    struct hash_file *file = user;
    uint64_t per_block = sizeof file->bytes / SEAL_BYTES, block = at / per_block;
    size_t inside = (size_t)(at % per_block) * SEAL_BYTES;
    if (file->block != block + 1 || file->held < inside + SEAL_BYTES) {
        file->block = 0;
        TRY(file->source->read(file->source->user, "hashes", block * sizeof file->bytes, file->bytes,
                               sizeof file->bytes, &file->held));
        file->block = block + 1;
    }
    if (file->held < inside + SEAL_BYTES) {
        return PDP_ERR_CORRUPT;
    }
    memcpy(out->at, file->bytes + inside, SEAL_BYTES);
    return PDP_ERR_OK;
}

struct merkle_store hash_file_store(struct hash_file *file)
{
    return (struct merkle_store){read_hash, file};
}

// ---- Faults ------------------------------------------------------------------------------------------

PRINTF_LIKE(4, 5)
static enum pdp_err say(struct verify_fault *fault, const char *file, enum pdp_err err, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    vsnprintf(fault->what, sizeof fault->what, fmt, args);
    va_end(args);
    snprintf(fault->file, sizeof fault->file, "%s", file);
    return err;
}

struct verify {
    const struct verify_input *input;
    struct verify_report *report;
    struct verify_fault *fault;
    struct note_key keys[NOTE_KEYS_MAX];
    size_t key_count;
    struct checkpoint latest; // of the file `checkpoint`; size 0: none
    struct checkpoint kept;   // size 0: none
    struct merkle tree;
    struct hash_file hashes;
    uint64_t last_frame;     // size of the last checkpoint that stands in a segment
    uint64_t removed_before; // records before this were removed by the log itself
    struct arena arena;
};

static enum pdp_err say_at(struct verify *verify, const struct walk_item *item, const char *what)
{
    verify->fault->has_record = item->frame.kind != FRAME_CHECKPOINT;
    verify->fault->record = item->record;
    verify->fault->has_offset = true;
    verify->fault->offset = item->frame.offset;
    return say(verify->fault, item->segment, PDP_ERR_CORRUPT, "%s", what);
}

// ---- Checkpoints -------------------------------------------------------------------------------------

static enum pdp_err open_checkpoint(const struct verify *verify, struct str note, struct checkpoint *out,
                                    uint64_t *signers)
{
    struct str text;
    TRY(note_open(note, verify->keys, verify->key_count, &text, signers));
    return checkpoint_read(text, out);
}

static enum pdp_err take_keys(struct verify *verify)
{
    const struct verify_input *input = verify->input;
    AUTO(buf_fini) struct buf text = {0};
    if (input->key_count > 0) {
        verify->key_count = input->key_count < NOTE_KEYS_MAX ? input->key_count : NOTE_KEYS_MAX;
        memcpy(verify->keys, input->keys, verify->key_count * sizeof *verify->keys);
        return PDP_ERR_OK;
    }
    enum pdp_err err = audit_source_take(input->source, "vkeys", AUDIT_VKEYS_BYTES_MAX, &text);
    if (err != PDP_ERR_OK && err != PDP_ERR_LIMIT) {
        return say(verify->fault, "vkeys", err, "cannot be read: %s", pdp_err_text(err));
    }
    if (err == PDP_ERR_LIMIT ||
        audit_vkeys_read(buf_view(&text), verify->keys, &verify->key_count) != PDP_ERR_OK) {
        return say(verify->fault, "vkeys", PDP_ERR_CORRUPT, "holds no keys of a log");
    }
    return PDP_ERR_OK;
}

static const char *note_wrong(enum pdp_err err)
{
    return err == PDP_ERR_DENIED    ? "its signature is wrong: it was changed"
           : err == PDP_ERR_MISSING ? "none of the keys signed it"
                                    : "is no signed checkpoint: it was changed";
}

static enum pdp_err take_latest(struct verify *verify, struct buf *note)
{
    enum pdp_err err = audit_source_take(verify->input->source, "checkpoint", NOTE_BYTES_MAX, note);
    if (err == PDP_ERR_MISSING) {
        return PDP_ERR_OK; // what stands in the segments says whether one was signed
    }
    if (err != PDP_ERR_OK && err != PDP_ERR_LIMIT) {
        return say(verify->fault, "checkpoint", err, "cannot be read: %s", pdp_err_text(err));
    }
    uint64_t signers = 0;
    err = open_checkpoint(verify, buf_view(note), &verify->latest, &signers);
    if (err != PDP_ERR_OK) {
        return say(verify->fault, "checkpoint", PDP_ERR_CORRUPT, "%s", note_wrong(err));
    }
    struct verify_report *report = verify->report;
    report->key = verify->keys[__builtin_ctzll(signers)];
    report->signed_records = verify->latest.size;
    snprintf(report->origin, sizeof report->origin, STR_FMT, STR_ARG(verify->latest.origin));
    return PDP_ERR_OK;
}

static enum pdp_err take_kept(struct verify *verify)
{
    if (verify->input->kept.len == 0) {
        return PDP_ERR_OK;
    }
    enum pdp_err err = open_checkpoint(verify, verify->input->kept, &verify->kept, NULL);
    return err == PDP_ERR_OK
               ? err
               : say(verify->fault, "", PDP_ERR_CORRUPT, "the checkpoint that was kept: %s", note_wrong(err));
}

// The tree has reached a size of which a checkpoint tells the root.
static enum pdp_err meet(struct verify *verify, const struct checkpoint *checkpoint, bool *same)
{
    struct merkle_hash root;
    TRY(merkle_root(&verify->tree, &root));
    *same = memcmp(root.at, checkpoint->root.at, sizeof root.at) == 0;
    return PDP_ERR_OK;
}

static enum pdp_err meet_outside(struct verify *verify)
{
    bool same = true;
    if (verify->latest.size > 0 && verify->latest.size == verify->tree.size) {
        TRY(meet(verify, &verify->latest, &same));
        if (!same) {
            return say(verify->fault, "checkpoint", PDP_ERR_CORRUPT,
                       "its %" PRIu64 " records are not those that stand here", verify->latest.size);
        }
    }
    if (verify->kept.size > 0 && verify->kept.size == verify->tree.size) {
        TRY(meet(verify, &verify->kept, &same));
        if (!same) {
            return say(verify->fault, "", PDP_ERR_CORRUPT,
                       "the first %" PRIu64 " records are not those of the checkpoint that was kept",
                       verify->kept.size);
        }
    }
    return PDP_ERR_OK;
}

static enum pdp_err see_checkpoint(struct verify *verify, const struct walk_item *item)
{
    struct checkpoint checkpoint;
    bool same = false;
    enum pdp_err err = open_checkpoint(verify, item->frame.bytes, &checkpoint, NULL);
    if (err != PDP_ERR_OK) {
        return say_at(verify, item, note_wrong(err));
    }
    if (checkpoint.size != verify->tree.size) {
        return say_at(verify, item,
                      "a checkpoint stands at another place than it was signed for: records or checkpoints "
                      "were dropped, repeated or moved");
    }
    if (checkpoint.size == verify->last_frame) {
        return say_at(verify, item, "a checkpoint stands here twice");
    }
    TRY(meet(verify, &checkpoint, &same));
    if (!same) {
        return say_at(verify, item, "the records before this checkpoint are not those that were signed");
    }
    verify->last_frame = checkpoint.size;
    verify->report->checkpoints++;
    return PDP_ERR_OK;
}

// ---- Records -----------------------------------------------------------------------------------------

static bool stored_leaf_is(struct verify *verify, uint64_t record, const struct merkle_hash *leaf)
{
    struct merkle_store store = hash_file_store(&verify->hashes);
    struct merkle_hash stored;
    return store.read(store.user, merkle_stored_at(0, record), &stored) == PDP_ERR_OK &&
           memcmp(stored.at, leaf->at, sizeof stored.at) == 0;
}

// Whose record stands at a place that is not its own? UINT64_MAX: nobody's.
static uint64_t whose(struct verify *verify, const struct walk_item *item)
{
    uint64_t here = item->record, from = here > LOOK_AROUND ? here - LOOK_AROUND : 0;
    for (uint64_t i = from; i <= here + LOOK_AROUND; i++) {
        if (i != here && stored_leaf_is(verify, i, &item->frame.leaf)) {
            return i;
        }
    }
    return UINT64_MAX;
}

static enum pdp_err say_misplaced(struct verify *verify, const struct walk_item *item)
{
    char what[160] = "the record is not the one that was written, or its hash was changed";
    uint64_t owner = whose(verify, item);
    if (owner < item->record) {
        snprintf(what, sizeof what, "record %" PRIu64 " stands here again, or was moved here", owner);
    } else if (owner != UINT64_MAX) {
        snprintf(what, sizeof what, "record %" PRIu64 " stands here: those before it were dropped or moved",
                 owner);
    }
    return say_at(verify, item, what);
}

// The hashes end before this record does: they were cut, or it does not belong here.
static enum pdp_err say_unknown(struct verify *verify, const struct walk_item *item)
{
    if (verify->input->live && item->record >= verify->latest.size) {
        return PDP_ERR_OK;
    }
    return whose(verify, item) != UINT64_MAX
               ? say_misplaced(verify, item)
               : say(verify->fault, "hashes", PDP_ERR_CORRUPT, "ends before record %" PRIu64, item->record);
}

static enum pdp_err check_stored(struct verify *verify, const struct walk_item *item,
                                 const struct merkle_hash *stored, size_t count)
{
    struct merkle_store store = hash_file_store(&verify->hashes);
    uint64_t at = merkle_stored_count(item->record);
    for (size_t i = 0; i < count; i++) {
        struct merkle_hash was;
        enum pdp_err err = store.read(store.user, at + i, &was);
        if (err == PDP_ERR_CORRUPT) {
            return say_unknown(verify, item);
        }
        TRY(err);
        if (memcmp(was.at, stored[i].at, sizeof was.at) != 0) {
            verify->fault->has_offset = i > 0;
            verify->fault->offset = (at + i) * SEAL_BYTES;
            return i == 0 ? say_misplaced(verify, item)
                          : say(verify->fault, "hashes", PDP_ERR_CORRUPT,
                                "does not fit the records up to %" PRIu64, item->record);
        }
    }
    return PDP_ERR_OK;
}

// Does the record say that older ones were removed?
static void note_removal(struct verify *verify, struct str record)
{
    struct envelope envelope;
    struct value root;
    struct fault why;
    if (envelope_read(record, &envelope) != PDP_ERR_OK || envelope.has_sealed || envelope.open.len > 256) {
        return;
    }
    arena_reset(&verify->arena);
    if (wire_decode(WIRE_CBOR, envelope.open, &verify->arena, &root, &why) != PDP_ERR_OK) {
        return;
    }
    const struct value *kind = value_get(&root, STR("kind")), *before = value_get(&root, STR("before"));
    if (kind != NULL && value_is_text(kind, STR("removed")) && before != NULL && before->kind == VALUE_INT &&
        before->as.i > 0) {
        verify->removed_before = (uint64_t)before->as.i;
    }
}

static enum pdp_err see_record(struct verify *verify, const struct walk_item *item)
{
    struct merkle_hash stored[MERKLE_LEVELS];
    size_t count;
    TRY(merkle_add(&verify->tree, &item->frame.leaf, stored, &count));
    TRY(check_stored(verify, item, stored, count));
    note_removal(verify, item->frame.bytes);
    return meet_outside(verify);
}

// ---- The whole ---------------------------------------------------------------------------------------

static enum pdp_err say_unreadable(struct verify *verify, const struct walk_item *item, enum pdp_err err)
{
    switch (err) {
    case PDP_ERR_MALFORMED:
        return say(verify->fault, item->segment, PDP_ERR_CORRUPT,
                   "does not go on with record %" PRIu64 ": a segment is missing, or its head was changed",
                   verify->tree.size);
    case PDP_ERR_CORRUPT:
        return say_at(verify, item, "what stands here was changed: it is no whole frame");
    case PDP_ERR_MISSING:
        return say_at(verify, item, "the segment ends within a frame: its end was cut");
    default:
        return say(verify->fault, item->segment, err, "cannot be read: %s", pdp_err_text(err));
    }
}

static enum pdp_err begin(struct verify *verify, const struct walk *walk)
{
    struct merkle_store store = hash_file_store(&verify->hashes);
    verify->report->first = walk_first(walk);
    enum pdp_err err = merkle_load(&store, walk_first(walk), &verify->tree);
    if (err == PDP_ERR_CORRUPT) {
        return say(verify->fault, "hashes", err, "is too short for the records that were removed");
    }
    return err == PDP_ERR_OK ? meet_outside(verify)
                             : say(verify->fault, "hashes", err, "cannot be read: %s", pdp_err_text(err));
}

static enum pdp_err walk_all(struct verify *verify, struct walk *walk)
{
    for (;;) {
        struct walk_item item;
        enum pdp_err err = walk_next(walk, &item);
        bool tail = walk_last(walk) && verify->tree.size >= verify->latest.size && verify->input->live;
        if (err == PDP_ERR_CLOSED || (tail && (err == PDP_ERR_MISSING || err == PDP_ERR_CORRUPT))) {
            return PDP_ERR_OK;
        }
        if (err != PDP_ERR_OK) {
            return say_unreadable(verify, &item, err);
        }
        TRY(item.frame.kind == FRAME_RECORD ? see_record(verify, &item) : see_checkpoint(verify, &item));
    }
}

static enum pdp_err end_of_hashes(struct verify *verify)
{
    unsigned char more;
    size_t got = 0;
    uint64_t end = merkle_stored_count(verify->tree.size) * SEAL_BYTES;
    const struct audit_source *source = verify->input->source;
    enum pdp_err err = source->read(source->user, "hashes", end, &more, 1, &got);
    if (verify->input->live || (err == PDP_ERR_OK && got == 0)) {
        return PDP_ERR_OK;
    }
    return err != PDP_ERR_OK
               ? say(verify->fault, "hashes", err, "cannot be read: %s", pdp_err_text(err))
               : say(verify->fault, "hashes", PDP_ERR_CORRUPT,
                     "goes on behind record %" PRIu64 ": records at the end of the log were cut",
                     verify->tree.size);
}

static enum pdp_err look_at_end(struct verify *verify, const struct walk *walk)
{
    const struct audit_segments *segments = walk_segments(walk);
    const char *last = segments->list[segments->count - 1].name;
    uint64_t size = verify->tree.size, latest = verify->latest.size;
    verify->report->records = size;
    if (segments->list[segments->count - 1].packed && !verify->input->live) {
        return say(verify->fault, last, PDP_ERR_CORRUPT,
                   "the segment behind it is missing: the last one is never compressed");
    }
    if (latest > size) {
        return say(verify->fault, last, PDP_ERR_CORRUPT,
                   "the log ends with %" PRIu64 " records, and %" PRIu64 " were signed: its end was cut",
                   size, latest);
    }
    if (verify->kept.size > size) {
        return say(verify->fault, last, PDP_ERR_CORRUPT,
                   "the log ends with %" PRIu64 " records, and the checkpoint that was kept has %" PRIu64
                   ": the log was put back",
                   size, verify->kept.size);
    }
    if (verify->last_frame > latest) {
        return verify->input->live
                   ? PDP_ERR_OK // it was signed since the file was read
                   : say(verify->fault, "checkpoint", PDP_ERR_CORRUPT,
                         "is an old one: it has %" PRIu64 " records, and %" PRIu64 " were signed", latest,
                         verify->last_frame);
    }
    if (verify->last_frame < latest && !verify->input->live) {
        return say(verify->fault, last, PDP_ERR_CORRUPT,
                   "the checkpoint of %" PRIu64
                   " records does not stand here: its end was cut, or the daemon was killed just then",
                   latest);
    }
    if (verify->report->first > verify->removed_before) {
        return say(verify->fault, segments->list[0].name, PDP_ERR_CORRUPT,
                   "the log begins with record %" PRIu64 ", and no record says that older ones were removed",
                   verify->report->first);
    }
    return end_of_hashes(verify);
}

static enum pdp_err run(struct verify *verify)
{
    AUTO(buf_fini) struct buf note = {0};
    AUTO(walk_close) struct walk *walk = NULL;
    TRY(take_keys(verify));
    TRY(take_latest(verify, &note));
    TRY(take_kept(verify));
    enum pdp_err err = walk_open(verify->input->source, 0, &walk);
    if (err != PDP_ERR_OK) {
        return say(verify->fault, "", err == PDP_ERR_MISSING ? PDP_ERR_CORRUPT : err, "%s",
                   err == PDP_ERR_MISSING
                       ? "there is no segment: this is no audit folder, or all were deleted"
                       : pdp_err_text(err));
    }
    TRY(begin(verify, walk));
    TRY(walk_all(verify, walk));
    return look_at_end(verify, walk);
}

static void drop(struct verify **verify)
{
    if (*verify != NULL) {
        arena_fini(&(*verify)->arena);
        free(*verify);
    }
}

enum pdp_err audit_verify(const struct verify_input *input, struct verify_report *report,
                          struct verify_fault *fault)
{
    *report = (struct verify_report){0};
    *fault = (struct verify_fault){0};
    AUTO(drop) struct verify *verify = calloc(1, sizeof *verify);
    if (verify == NULL) {
        return say(fault, "", PDP_ERR_NOMEM, "out of memory");
    }
    verify->input = input;
    verify->report = report;
    verify->fault = fault;
    verify->hashes.source = input->source;
    arena_init(&verify->arena, 4096, 65536);
    enum pdp_err err = run(verify);
    if (err != PDP_ERR_OK && fault->what[0] == '\0') {
        return say(fault, "", err, "%s", pdp_err_text(err));
    }
    return err;
}

enum pdp_err audit_latest(const struct verify_input *input, struct buf *note, struct checkpoint *checkpoint,
                          struct note_key keys[static NOTE_KEYS_MAX], size_t *key_count,
                          struct verify_fault *fault)
{
    struct verify_report report = {0};
    *fault = (struct verify_fault){0};
    AUTO(drop) struct verify *verify = calloc(1, sizeof *verify);
    if (verify == NULL) {
        return say(fault, "", PDP_ERR_NOMEM, "out of memory");
    }
    verify->input = input;
    verify->report = &report;
    verify->fault = fault;
    TRY(take_keys(verify));
    TRY(take_latest(verify, note));
    if (verify->latest.size == 0) {
        return say(fault, "checkpoint", PDP_ERR_MISSING, "no checkpoint was signed yet");
    }
    *checkpoint = verify->latest; // its origin points into `note`
    memcpy(keys, verify->keys, sizeof verify->keys);
    *key_count = verify->key_count;
    return PDP_ERR_OK;
}
