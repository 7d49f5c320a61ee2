// SPDX-License-Identifier: Apache-2.0
#include "folder.h"

#include "audit/walk.h"

#include <signal.h>
#include <sys/resource.h>

// Reads all records and says whether they are those of folder_append.
static size_t read_all(const struct folder *folder, size_t from, bool forgotten)
{
    struct audit_folder *reader = NULL;
    struct walk *walk = NULL;
    size_t count = from;
    cr_assert_eq(audit_folder_open(folder->dir, &reader), PDP_ERR_OK);
    struct audit_source source = audit_folder_source(reader);
    cr_assert_eq(walk_open(&source, from, &walk), PDP_ERR_OK);
    for (struct walk_item item; walk_next(walk, &item) == PDP_ERR_OK;) {
        struct envelope envelope;
        char open[32], personal[32];
        AUTO(buf_fini) struct buf plain = {0};
        if (item.frame.kind != FRAME_RECORD || item.record < from) {
            continue;
        }
        snprintf(open, sizeof open, "record %zu", count);
        snprintf(personal, sizeof personal, "alice %zu", count);
        cr_assert_eq(item.record, count);
        cr_assert_eq(envelope_read(item.frame.bytes, &envelope), PDP_ERR_OK);
        if (envelope.has_sealed) {
            cr_expect(str_eq(envelope.open, str_of(open)));
            enum pdp_err err = source.unseal(source.user, &envelope, &plain);
            cr_expect_eq(err, forgotten ? PDP_ERR_MISSING : PDP_ERR_OK);
            cr_expect(forgotten || str_eq(buf_view(&plain), str_of(personal)));
        }
        count++;
    }
    walk_close(&walk);
    audit_folder_close(&reader);
    return count;
}

static size_t count_files(struct folder *folder, const char *end)
{
    size_t count = 0;
    folder_take(folder);
    for (size_t i = 0; i < folder->count; i++) {
        count += str_ends(str_of(folder->files[i].name), str_of(end));
    }
    return count;
}

static void tick_all(struct audit_log *log, int64_t now_ms)
{
    for (bool more = true; more;) {
        cr_assert_eq(audit_log_tick(log, now_ms, &more), PDP_ERR_OK);
    }
}

Test(audit_log, what_was_appended_is_read_after_every_opening)
{
    struct folder folder;
    struct verify_report report;
    struct verify_fault fault;
    folder_new(&folder);
    for (size_t round = 0; round < 5; round++) {
        struct audit_log *log = folder_open(&folder, (struct audit_config){0}, 1000);
        folder_append(log, round * 7, round * 7 + 7);
        audit_log_close(&log);
        cr_expect_eq(read_all(&folder, 0, false), round * 7 + 7);
        cr_assert_eq(folder_verify(&folder, &report, &fault), PDP_ERR_OK, "%s: %s", fault.file, fault.what);
        cr_expect(report.records == round * 7 + 7 && report.signed_records == report.records);
        cr_expect_eq(report.checkpoints, round + 1);
    }
    folder_free(&folder);
}

Test(audit_log, segments_turn_by_size_and_age_and_are_compressed)
{
    struct folder folder;
    struct verify_report report;
    struct verify_fault fault;
    folder_new(&folder);
    struct audit_log *log =
        folder_open(&folder, (struct audit_config){.rotate_bytes = 500, .rotate_age_ms = 60000}, 1000);
    for (size_t i = 0; i < 20; i++) {
        folder_append(log, i, i + 1);
        tick_all(log, 1000);
    }
    size_t packed = count_files(&folder, ".log.zst");
    cr_expect(packed >= 3 && count_files(&folder, ".log") == 1, "%zu packed", packed);
    tick_all(log, 61000);
    cr_expect_eq(count_files(&folder, ".log.zst"), packed + 1, "by age");
    tick_all(log, 200000);
    cr_expect_eq(count_files(&folder, ".log.zst"), packed + 1, "an empty one does not age");
    cr_expect_eq(read_all(&folder, 0, false), 20);
    cr_expect_eq(read_all(&folder, 13, false), 20);
    audit_log_close(&log);
    cr_assert_eq(folder_verify(&folder, &report, &fault), PDP_ERR_OK, "%s: %s", fault.file, fault.what);
    log = folder_open(&folder, (struct audit_config){.rotate_bytes = 500}, 300000);
    folder_append(log, 20, 30);
    tick_all(log, 300000);
    audit_log_close(&log);
    cr_assert_eq(folder_verify(&folder, &report, &fault), PDP_ERR_OK, "%s: %s", fault.file, fault.what);
    cr_expect_eq(report.records, 30);
    folder_free(&folder);
}

Test(audit_log, what_is_old_is_removed_and_the_tree_stays)
{
    struct folder folder;
    struct verify_report report;
    struct verify_fault fault;
    folder_new(&folder);
    struct audit_config config = {.rotate_bytes = 400, .keep_ms = 1000};
    struct audit_log *log = folder_open(&folder, config, 1000);
    for (size_t i = 0; i < 12; i++) {
        folder_append(log, i, i + 1);
        tick_all(log, 1000);
    }
    cr_expect_eq(read_all(&folder, 0, false), 12);
    struct audit_status status;
    for (int i = 0; i < 8; i++) {
        tick_all(log, 5000);
    }
    audit_log_status(log, &status);
    cr_expect(status.first > 0 && status.records > 12, "removals are records too");
    audit_log_close(&log);
    cr_assert_eq(folder_verify(&folder, &report, &fault), PDP_ERR_OK, "%s: %s", fault.file, fault.what);
    cr_expect_eq(report.first, status.first);
    folder_take(&folder);
    struct folder_file *oldest = NULL; // one more than the log removed itself
    for (size_t i = 0; i < folder.count; i++) {
        if (strstr(folder.files[i].name, ".log") != NULL &&
            (oldest == NULL || strcmp(folder.files[i].name, oldest->name) < 0)) {
            oldest = &folder.files[i];
        }
    }
    char path[4096];
    log = folder_open(&folder, (struct audit_config){.rotate_bytes = 1}, 6000);
    uint64_t index;
    cr_assert_eq(audit_log_append(log, STR("x"), (struct str){0}, (struct str){0}, &index), PDP_ERR_OK);
    tick_all(log, 6000);
    audit_log_close(&log);
    cr_assert(files_path(folder.dir, oldest->name, path));
    if (unlink(path) != 0) {
        snprintf(path + strlen(path), 8, ".zst");
        cr_assert(unlink(path) == 0, "%s", path);
    }
    cr_expect_eq(folder_verify(&folder, &report, &fault), PDP_ERR_CORRUPT);
    folder_free(&folder);
}

Test(audit_log, who_is_forgotten_is_forgotten_and_the_log_still_verifies)
{
    struct folder folder;
    struct verify_report report;
    struct verify_fault fault;
    size_t count = 0;
    folder_new(&folder);
    struct audit_log *log = folder_open(&folder, (struct audit_config){0}, 1000);
    folder_append(log, 0, 5);
    cr_assert_eq(audit_log_flush(log), PDP_ERR_OK);
    cr_assert_eq(audit_log_forget(log, STR("acme\0user\0bob"), &count), PDP_ERR_OK);
    cr_expect(count == 0 && read_all(&folder, 0, false) == 5);
    cr_assert_eq(audit_log_forget(log, STR("acme\0user\0alice"), &count), PDP_ERR_OK);
    cr_expect(count == 1 && read_all(&folder, 0, true) == 5);
    folder_append(log, 5, 6); // who comes again has a new key
    audit_log_close(&log);
    cr_expect_eq(read_all(&folder, 5, false), 6);
    cr_assert_eq(folder_verify(&folder, &report, &fault), PDP_ERR_OK, "%s: %s", fault.file, fault.what);
    log = folder_open(&folder, (struct audit_config){0}, 1000);
    cr_assert_eq(audit_log_forget(log, STR("acme\0user\0alice"), &count), PDP_ERR_OK);
    cr_expect_eq(count, 1);
    audit_log_close(&log);
    cr_expect_eq(read_all(&folder, 0, true), 6);
    folder_free(&folder);
}

Test(audit_log, a_new_key_signs_beside_the_old_one)
{
    struct folder folder;
    struct verify_report report;
    struct verify_fault fault;
    folder_new(&folder);
    for (size_t i = 0; i < 6; i++) {
        struct audit_log *log = folder_open(&folder, (struct audit_config){0}, 1000);
        folder_append(log, i, i + 1);
        cr_assert_eq(audit_log_checkpoint(log), PDP_ERR_OK);
        cr_assert_eq(audit_log_rotate_key(log), PDP_ERR_OK);
        audit_log_close(&log);
        cr_assert_eq(folder_verify(&folder, &report, &fault), PDP_ERR_OK, "%s: %s", fault.file, fault.what);
    }
    folder_free(&folder);
}

Test(audit_log, one_writer)
{
    struct folder folder;
    char why[AUDIT_WHY_MAX];
    struct audit_log *second = NULL;
    folder_new(&folder);
    struct audit_log *log = folder_open(&folder, (struct audit_config){0}, 1000);
    struct audit_config config = {.dir = folder.dir, .draw = folder_draw};
    cr_expect_eq(audit_log_open(&config, 1000, &second, why), PDP_ERR_BUSY);
    cr_expect(second == NULL && strstr(why, "another process") != NULL);
    audit_log_close(&log);
    folder_free(&folder);
}

// A file that may not grow any more is a full disk. Nothing is lost, and nothing is signed meanwhile.
Test(audit_log, a_full_disk_loses_nothing)
{
    struct folder folder;
    struct verify_report report;
    struct verify_fault fault;
    struct rlimit was, small;
    folder_new(&folder);
    signal(SIGXFSZ, SIG_IGN);
    struct audit_log *log = folder_open(&folder, (struct audit_config){0}, 1000);
    folder_append(log, 0, 3);
    cr_assert_eq(audit_log_checkpoint(log), PDP_ERR_OK);
    cr_assert(getrlimit(RLIMIT_FSIZE, &was) == 0);
    for (rlim_t more = 0; more < 400; more += 37) {
        struct audit_status status;
        bool tick_more;
        small = (struct rlimit){.rlim_cur = 0, .rlim_max = was.rlim_max};
        audit_log_status(log, &status);
        small.rlim_cur = status.bytes + more;
        size_t next = status.records;
        cr_assert(setrlimit(RLIMIT_FSIZE, &small) == 0);
        folder_append(log, next, next + 5);
        cr_expect_eq(audit_log_tick(log, 5000, &tick_more), PDP_ERR_IO, "%zu bytes", (size_t)more);
        audit_log_status(log, &status);
        cr_expect(status.signed_records <= next && !status.failed);
        cr_assert(setrlimit(RLIMIT_FSIZE, &was) == 0);
        cr_expect_eq(audit_log_checkpoint(log), PDP_ERR_OK);
    }
    audit_log_close(&log);
    cr_assert_eq(folder_verify(&folder, &report, &fault), PDP_ERR_OK, "%s: %s", fault.file, fault.what);
    cr_expect_eq(read_all(&folder, 0, false), report.records);
    folder_free(&folder);
}

Test(audit_log, what_cannot_be_written_fills_no_memory)
{
    struct folder folder;
    struct rlimit was, small;
    char big[60000];
    enum pdp_err err = PDP_ERR_OK;
    size_t taken = 0;
    folder_new(&folder);
    signal(SIGXFSZ, SIG_IGN);
    memset(big, 'x', sizeof big);
    struct audit_log *log = folder_open(&folder, (struct audit_config){0}, 1000);
    cr_assert(getrlimit(RLIMIT_FSIZE, &was) == 0);
    small = (struct rlimit){.rlim_cur = 100, .rlim_max = was.rlim_max};
    cr_assert(setrlimit(RLIMIT_FSIZE, &small) == 0);
    for (size_t i = 0; i < 100 && err == PDP_ERR_OK; i++) {
        uint64_t index;
        err = audit_log_append(log, (struct str){big, sizeof big}, (struct str){0}, (struct str){0}, &index);
        taken += err == PDP_ERR_OK;
        cr_expect_neq(audit_log_flush(log), PDP_ERR_OK);
    }
    cr_expect(err == PDP_ERR_BUSY && taken < 30);
    cr_assert(setrlimit(RLIMIT_FSIZE, &was) == 0);
    cr_expect_eq(audit_log_flush(log), PDP_ERR_OK);
    audit_log_close(&log);
    folder_free(&folder);
}
