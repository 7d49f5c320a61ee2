// SPDX-License-Identifier: Apache-2.0
// Everything that can be done to a log is done to a small one, and must be found and named; and what a crash
// at any byte leaves behind must open again, or be refused in words.
#include "folder.h"

static void make_log(struct folder *folder, bool turns)
{
    folder_new(folder);
    struct audit_log *log = folder_open(folder, (struct audit_config){.rotate_bytes = turns ? 300 : 0}, 1000);
    for (size_t i = 0; i < 9; i++) {
        bool more = true;
        folder_append(log, i, i + 1);
        if (turns || i == 4) {
            cr_assert_eq(audit_log_checkpoint(log), PDP_ERR_OK);
        }
        while (turns && more) {
            cr_assert_eq(audit_log_tick(log, 1000, &more), PDP_ERR_OK);
        }
    }
    audit_log_close(&log);
    folder_take(folder);
}

// Is it refused, in words, and with the file named?
static void refused(const struct folder *folder, const char *what, size_t at, const char *file)
{
    struct verify_report report;
    struct verify_fault fault;
    cr_expect_eq(folder_verify(folder, &report, &fault), PDP_ERR_CORRUPT, "%s at %zu of %s", what, at, file);
    cr_expect(fault.what[0] != '\0', "%s at %zu", what, at);
}

static bool is_secret(const struct folder_file *file) // what a verifier does not read
{
    return strcmp(file->name, "key") == 0 || strcmp(file->name, "users") == 0 ||
           strcmp(file->name, "lock") == 0;
}

static void flip_each_bit(bool turns)
{
    struct folder folder;
    make_log(&folder, turns);
    for (size_t i = 0; i < folder.count; i++) {
        struct folder_file *file = &folder.files[i];
        bool packed = str_ends(str_of(file->name), STR(".zst"));
        for (size_t bit = 0; !is_secret(file) && bit < file->bytes.len * 8; bit += turns ? 7 : 1) {
            struct verify_report report;
            struct verify_fault fault;
            file->bytes.at[bit / 8] ^= (unsigned char)(1U << bit % 8);
            folder_put(&folder, file->name, buf_view(&file->bytes));
            enum pdp_err err = folder_verify(&folder, &report, &fault);
            // A bit of a compressed form that changes nothing of what it stands for changed nothing; so may
            // the date in a segment's head, which no record depends on.
            bool date = strstr(file->name, ".log") != NULL && !packed && bit >= 24 * 8 && bit < 32 * 8;
            cr_expect(err == PDP_ERR_CORRUPT || date || (packed && err == PDP_ERR_OK && report.records == 9),
                      "%s: bit %zu", file->name, bit);
            file->bytes.at[bit / 8] ^= (unsigned char)(1U << bit % 8);
        }
        folder_put(&folder, file->name, buf_view(&file->bytes));
    }
    struct verify_report report;
    struct verify_fault fault;
    cr_expect_eq(folder_verify(&folder, &report, &fault), PDP_ERR_OK, "%s", fault.what);
    folder_free(&folder);
}

Test(audit_verify, one_bit_anywhere)
{
    flip_each_bit(false);
}

Test(audit_verify, one_bit_anywhere_in_many_segments)
{
    flip_each_bit(true);
}

static void cut_each_file(bool turns)
{
    struct folder folder;
    make_log(&folder, turns);
    for (size_t i = 0; i < folder.count; i++) {
        const struct folder_file *file = &folder.files[i];
        for (size_t len = 0; !is_secret(file) && len < file->bytes.len; len += turns ? 3 : 1) {
            folder_put(&folder, file->name, str_sub(buf_view(&file->bytes), 0, len));
            refused(&folder, "cut", len, file->name);
        }
        folder_put(&folder, file->name, buf_view(&file->bytes));
    }
    folder_free(&folder);
}

Test(audit_verify, a_file_cut_at_any_byte)
{
    cut_each_file(false);
}

Test(audit_verify, a_file_of_many_segments_cut_at_any_byte)
{
    cut_each_file(true);
}

Test(audit_verify, a_file_that_is_gone)
{
    struct folder folder;
    make_log(&folder, true);
    for (size_t i = 0; i < folder.count; i++) {
        const struct folder_file *file = &folder.files[i];
        char path[4096];
        struct verify_report report;
        struct verify_fault fault;
        cr_assert(files_path(folder.dir, file->name, path));
        cr_assert(unlink(path) == 0);
        cr_expect(is_secret(file) || folder_verify(&folder, &report, &fault) != PDP_ERR_OK, "%s", file->name);
        folder_put(&folder, file->name, buf_view(&file->bytes));
    }
    folder_free(&folder);
}

// ---- Frames dropped, repeated, swapped ---------------------------------------------------------------

struct span {
    size_t at, len;
    bool is_checkpoint;
};

static size_t frames_of(struct str segment, struct span *out, size_t most)
{
    size_t count = 0;
    for (size_t at = SEGMENT_HEAD_BYTES; at < segment.len; count++) {
        const unsigned char *head = (const unsigned char *)segment.at + at;
        size_t len = FRAME_HEAD_BYTES + ((size_t)head[0] | (size_t)head[1] << 8 | (size_t)head[2] << 16);
        cr_assert(count < most);
        out[count] = (struct span){at, len, head[4] == FRAME_CHECKPOINT};
        at += len;
    }
    return count;
}

static void put_frames(const struct folder *folder, const struct folder_file *file, const struct span *spans,
                       const size_t *order, size_t count)
{
    AUTO(buf_fini) struct buf made = {0};
    struct str bytes = buf_view(&file->bytes);
    buf_str(&made, str_sub(bytes, 0, SEGMENT_HEAD_BYTES));
    for (size_t i = 0; i < count; i++) {
        buf_str(&made, str_sub(bytes, spans[order[i]].at, spans[order[i]].len));
    }
    folder_put(folder, file->name, buf_view(&made));
}

static void expect_words(const struct folder *folder, const char *words, size_t i)
{
    struct verify_report report;
    struct verify_fault fault;
    cr_expect_eq(folder_verify(folder, &report, &fault), PDP_ERR_CORRUPT, "frame %zu", i);
    cr_expect(words == NULL || strstr(fault.what, words) != NULL, "frame %zu: %s", i, fault.what);
    cr_expect(words == NULL || (fault.has_record && fault.has_offset && fault.file[0] != '\0'));
}

Test(audit_verify, frames_dropped_repeated_swapped)
{
    struct folder folder;
    struct span spans[16];
    size_t order[17];
    make_log(&folder, false);
    struct folder_file *file = folder_file(&folder, ".log");
    size_t count = frames_of(buf_view(&file->bytes), spans, 16);
    cr_assert_eq(count, 11); // nine records and two checkpoints
    for (size_t i = 0; i < count; i++) {
        bool before_last = i + 1 < count && !spans[i + 1].is_checkpoint;
        size_t n = 0;
        for (size_t k = 0; k < count; k++) {
            if (k != i) {
                order[n++] = k;
            }
        }
        put_frames(&folder, file, spans, order, n);
        // A checkpoint between others proves nothing that the next one does not: what it stood for is all
        // there.
        if (!spans[i].is_checkpoint || i + 1 == count) {
            expect_words(&folder, spans[i].is_checkpoint || !before_last ? NULL : "dropped or moved", i);
        }
        n = 0;
        for (size_t k = 0; k < count; k++) {
            order[n++] = k;
            if (k == i) {
                order[n++] = k;
            }
        }
        put_frames(&folder, file, spans, order, n);
        expect_words(&folder, spans[i].is_checkpoint ? NULL : "stands here again", i);
        for (size_t j = i + 1; j < count; j++) {
            for (size_t k = 0; k < count; k++) {
                order[k] = k == i ? j : k == j ? i : k;
            }
            put_frames(&folder, file, spans, order, count);
            expect_words(&folder, NULL, i);
        }
    }
    folder_free(&folder);
}

// Whoever can write the files writes the hashes too; then only the signed checkpoint tells.
Test(audit_verify, a_record_changed_together_with_all_hashes)
{
    struct folder folder, forged;
    struct verify_report report;
    struct verify_fault fault;
    make_log(&folder, false);
    make_log(&forged, false); // other nonces, other keys: other records
    struct folder_file *hashes = folder_file(&forged, "hashes"), *segment = folder_file(&forged, ".log");
    folder_put(&folder, "hashes", buf_view(&hashes->bytes));
    folder_put(&folder, segment->name, buf_view(&segment->bytes));
    cr_expect_eq(folder_verify(&folder, &report, &fault), PDP_ERR_CORRUPT);
    folder_free(&forged);
    folder_free(&folder);
}

Test(audit_verify, an_old_checkpoint_put_back)
{
    struct folder folder;
    folder_new(&folder);
    struct buf notes[4] = {{0}};
    struct audit_log *log = folder_open(&folder, (struct audit_config){0}, 1000);
    for (size_t i = 0; i < 4; i++) {
        folder_append(log, i, i + 1);
        cr_assert_eq(audit_log_checkpoint(log), PDP_ERR_OK);
        cr_assert_eq(files_take(folder.dir, "checkpoint", NOTE_BYTES_MAX, &notes[i]), PDP_ERR_OK);
    }
    audit_log_close(&log);
    for (size_t i = 0; i < 4; i++) {
        struct verify_report report;
        struct verify_fault fault;
        char why[AUDIT_WHY_MAX];
        folder_put(&folder, "checkpoint", buf_view(&notes[i]));
        enum pdp_err err = folder_verify(&folder, &report, &fault);
        cr_expect_eq(err, i < 3 ? PDP_ERR_CORRUPT : PDP_ERR_OK);
        cr_expect(i == 3 || strstr(fault.what, "is an old one") != NULL, "%s", fault.what);
        struct audit_config config = {.dir = folder.dir, .draw = folder_draw};
        err = audit_log_open(&config, 1000, &log, why);
        cr_expect_eq(err, i < 3 ? PDP_ERR_CORRUPT : PDP_ERR_OK);
        cr_expect(i == 3 || strstr(why, "is an old one") != NULL, "%s", why);
        audit_log_close(&log);
        buf_fini(&notes[i]);
    }
    folder_free(&folder);
}

// The whole folder as it was last night: only what somebody kept elsewhere can tell.
Test(audit_verify, the_whole_log_put_back)
{
    struct folder folder;
    AUTO(buf_fini) struct buf kept = {0};
    struct audit_folder *reader = NULL;
    struct verify_report report;
    struct verify_fault fault;
    make_log(&folder, false);
    struct audit_log *log = folder_open(&folder, (struct audit_config){0}, 1000);
    folder_append(log, 9, 12);
    audit_log_close(&log);
    cr_assert_eq(files_take(folder.dir, "checkpoint", NOTE_BYTES_MAX, &kept), PDP_ERR_OK);
    cr_assert_eq(audit_folder_open(folder.dir, &reader), PDP_ERR_OK);
    struct audit_source source = audit_folder_source(reader);
    struct verify_input input = {.source = &source, .kept = buf_view(&kept)};
    cr_expect_eq(audit_verify(&input, &report, &fault), PDP_ERR_OK, "%s", fault.what);
    audit_folder_close(&reader);
    folder_restore(&folder);
    cr_expect_eq(folder_verify(&folder, &report, &fault), PDP_ERR_OK);
    cr_assert_eq(audit_folder_open(folder.dir, &reader), PDP_ERR_OK);
    source = audit_folder_source(reader);
    cr_expect_eq(audit_verify(&input, &report, &fault), PDP_ERR_CORRUPT);
    cr_expect(strstr(fault.what, "put back") != NULL, "%s", fault.what);
    audit_folder_close(&reader);
    folder_free(&folder);
}

// ---- Crashes -----------------------------------------------------------------------------------------

// A kill leaves a part of what was written last, in each file on its own.
Test(audit_verify, a_crash_at_any_byte_opens_again_and_loses_nothing_signed)
{
    struct folder folder;
    make_log(&folder, false);
    struct audit_log *log = folder_open(&folder, (struct audit_config){0}, 1000);
    folder_append(log, 9, 14);
    cr_assert_eq(audit_log_flush(log), PDP_ERR_OK);
    struct folder after = {0};
    snprintf(after.dir, sizeof after.dir, "%s", folder.dir);
    folder_take(&after); // as a kill would leave it
    audit_log_close(&log);
    const struct folder_file *was = folder_file(&folder, ".log"), *is = folder_file(&after, ".log");
    const struct folder_file *old_hashes = folder_file(&folder, "hashes"),
                             *new_hashes = folder_file(&after, "hashes");
    for (size_t len = was->bytes.len; len <= is->bytes.len; len++) {
        for (int late = 0; late < 2; late++) { // the hashes made it to the disk, or did not
            struct verify_report report;
            struct verify_fault fault;
            struct audit_status status;
            folder_restore(&after);
            folder_put(&folder, is->name, str_sub(buf_view(&is->bytes), 0, len));
            folder_put(&folder, "hashes", buf_view(late ? &old_hashes->bytes : &new_hashes->bytes));
            log = folder_open(&folder, (struct audit_config){0}, 2000);
            audit_log_status(log, &status);
            cr_expect(status.records >= 9 && status.records <= 14 && status.signed_records == 9);
            cr_expect(len < is->bytes.len || status.cut_bytes == 0);
            folder_append(log, status.records, status.records + 1);
            audit_log_close(&log);
            cr_expect_eq(folder_verify(&folder, &report, &fault), PDP_ERR_OK, "%zu bytes: %s: %s", len,
                         fault.file, fault.what);
            cr_expect_eq(report.records, status.records + 1);
        }
    }
    for (size_t i = 0; i < FOLDER_FILES; i++) {
        buf_fini(&after.files[i].bytes);
    }
    folder_free(&folder);
}

// What was signed is never given up in silence.
Test(audit_verify, an_end_cut_below_the_checkpoint_is_refused_at_opening)
{
    struct folder folder;
    make_log(&folder, false);
    const struct folder_file *file = folder_file(&folder, ".log");
    struct span spans[16];
    size_t count = frames_of(buf_view(&file->bytes), spans, 16);
    for (size_t len = 0; len < spans[count - 1].at; len++) {
        char why[AUDIT_WHY_MAX];
        struct audit_log *log = NULL;
        struct audit_config config = {.dir = folder.dir, .draw = folder_draw};
        folder_restore(&folder);
        folder_put(&folder, file->name, str_sub(buf_view(&file->bytes), 0, len));
        cr_expect_eq(audit_log_open(&config, 1000, &log, why), PDP_ERR_CORRUPT, "%zu bytes", len);
        cr_expect(log == NULL && strstr(why, "hint:") != NULL, "%zu bytes: %s", len, why);
        audit_log_close(&log);
    }
    folder_free(&folder);
}

// A reader that knew the segment before it was compressed, and got as far as `gone` in it.
struct before {
    struct audit_source source;
    struct str text; // of the segment as it was
    size_t gone;
};

static enum pdp_err before_list(void *user, struct audit_segments *out)
{
    const struct before *before = user;
    TRY(before->source.list(before->source.user, out));
    for (size_t i = 0; i < out->count; i++) {
        out->list[i].packed = false;
        segment_name(out->list[i].first, false, out->list[i].name);
    }
    return PDP_ERR_OK;
}

static enum pdp_err before_read(void *user, const char *name, uint64_t at, void *out, size_t len, size_t *got)
{
    const struct before *before = user;
    char first[SEGMENT_NAME_BYTES];
    segment_name(0, false, first);
    if (strcmp(name, first) != 0) {
        return before->source.read(before->source.user, name, at, out, len, got);
    }
    *got = 0;
    if (at >= before->gone) {
        return PDP_ERR_MISSING;
    }
    struct str part = str_sub(before->text, (size_t)at, len);
    memcpy(out, part.at, part.len);
    *got = part.len;
    return PDP_ERR_OK;
}

Test(audit_verify, a_segment_that_is_compressed_meanwhile)
{
    static const size_t GONE[] = {0, 1, 65536, 131072};
    struct folder folder, packed = {0};
    folder_new(&folder);
    struct audit_log *log = folder_open(&folder, (struct audit_config){.rotate_bytes = 200000}, 1000);
    folder_append(log, 0, 3000);
    cr_assert_eq(audit_log_checkpoint(log), PDP_ERR_OK);
    folder_take(&folder);
    struct str text = buf_view(&folder_file(&folder, ".log")->bytes);
    cr_assert_gt(text.len, 200000);
    bool more = true;
    while (more) {
        cr_assert_eq(audit_log_tick(log, 1000, &more), PDP_ERR_OK);
    }
    audit_log_close(&log);
    memcpy(packed.dir, folder.dir, sizeof packed.dir);
    folder_take(&packed);
    (void)folder_file(&packed, ".zst");
    for (size_t i = 0; i < COUNT_OF(GONE); i++) {
        struct audit_folder *reader = NULL;
        struct verify_report report;
        struct verify_fault fault;
        cr_assert_eq(audit_folder_open(folder.dir, &reader), PDP_ERR_OK);
        struct before before = {audit_folder_source(reader), text, GONE[i]};
        struct audit_source source = {before_list, before_read, NULL, &before};
        struct verify_input input = {.source = &source, .live = true};
        cr_expect_eq(audit_verify(&input, &report, &fault), PDP_ERR_OK, "%zu: %s: %s", GONE[i], fault.file,
                     fault.what);
        cr_expect_eq(report.records, 3000, "%zu", GONE[i]);
        audit_folder_close(&reader);
    }
    for (size_t i = 0; i < FOLDER_FILES; i++) {
        buf_fini(&packed.files[i].bytes);
    }
    folder_free(&folder);
}
