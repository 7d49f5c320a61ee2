// SPDX-License-Identifier: Apache-2.0
// A log in a folder of its own, for tests: made, copied in memory, put back with something changed.
#ifndef UNIT_AUDIT_FOLDER_H
#define UNIT_AUDIT_FOLDER_H

#include "audit/log.h"
#include "audit/verify.h"

#include <criterion/criterion.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define FOLDER_FILES 32

struct folder_file {
    char name[SEGMENT_NAME_BYTES + 32];
    struct buf bytes;
};

struct folder {
    char dir[64];
    struct folder_file files[FOLDER_FILES];
    size_t count;
};

static uint64_t folder_drawn = 1; // not random: a test gives the same log each time

__attribute__((unused)) static bool folder_draw(void *out, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        folder_drawn = folder_drawn * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
        ((unsigned char *)out)[i] = (unsigned char)(folder_drawn >> 56);
    }
    return true;
}

__attribute__((unused)) static void folder_new(struct folder *folder)
{
    *folder = (struct folder){0};
    snprintf(folder->dir, sizeof folder->dir, "build/audit-XXXXXX");
    (void)mkdir("build", 0777);
    cr_assert(mkdtemp(folder->dir) != NULL);
}

__attribute__((unused)) static void folder_empty(const struct folder *folder)
{
    DIR *dir = opendir(folder->dir);
    cr_assert(dir != NULL);
    for (struct dirent *entry = readdir(dir); entry != NULL; entry = readdir(dir)) {
        char path[4096];
        if (entry->d_name[0] != '.' && files_path(folder->dir, entry->d_name, path)) {
            cr_assert(unlink(path) == 0);
        }
    }
    closedir(dir);
}

// Remembers every file as it is now.
__attribute__((unused)) static void folder_take(struct folder *folder)
{
    DIR *dir = opendir(folder->dir);
    cr_assert(dir != NULL);
    folder->count = 0;
    for (struct dirent *entry = readdir(dir); entry != NULL; entry = readdir(dir)) {
        struct folder_file *file = &folder->files[folder->count];
        if (entry->d_name[0] == '.') {
            continue;
        }
        snprintf(file->name, sizeof file->name, "%.60s", entry->d_name);
        buf_clear(&file->bytes);
        cr_assert_eq(files_take(folder->dir, file->name, 1U << 26, &file->bytes), PDP_ERR_OK);
        folder->count++;
        cr_assert(folder->count < FOLDER_FILES);
    }
    closedir(dir);
}

__attribute__((unused)) static void folder_put(const struct folder *folder, const char *name,
                                               struct str bytes)
{
    char path[4096];
    cr_assert(files_path(folder->dir, name, path));
    FILE *file = fopen(path, "wb");
    cr_assert(file != NULL && fwrite(bytes.at, 1, bytes.len, file) == bytes.len && fclose(file) == 0);
}

// The folder as it was remembered.
__attribute__((unused)) static void folder_restore(const struct folder *folder)
{
    folder_empty(folder);
    for (size_t i = 0; i < folder->count; i++) {
        folder_put(folder, folder->files[i].name, buf_view(&folder->files[i].bytes));
    }
}

__attribute__((unused)) static struct folder_file *folder_file(struct folder *folder, const char *end)
{
    struct folder_file *found = NULL;
    for (size_t i = 0; i < folder->count; i++) {
        if (str_ends(str_of(folder->files[i].name), str_of(end)) &&
            (found == NULL || strcmp(folder->files[i].name, found->name) > 0)) {
            found = &folder->files[i];
        }
    }
    cr_assert(found != NULL, "%s", end);
    return found;
}

__attribute__((unused)) static void folder_free(struct folder *folder)
{
    folder_empty(folder);
    cr_expect(rmdir(folder->dir) == 0);
    for (size_t i = 0; i < FOLDER_FILES; i++) {
        buf_fini(&folder->files[i].bytes);
    }
}

__attribute__((unused)) static struct audit_log *folder_open(const struct folder *folder,
                                                             struct audit_config config, int64_t now_ms)
{
    char why[AUDIT_WHY_MAX];
    struct audit_log *log = NULL;
    config.dir = folder->dir;
    config.origin = "log.example/test";
    config.draw = folder_draw;
    cr_assert_eq(audit_log_open(&config, now_ms, &log, why), PDP_ERR_OK, "%s", why);
    return log;
}

__attribute__((unused)) static void folder_append(struct audit_log *log, size_t from, size_t to)
{
    for (size_t i = from; i < to; i++) {
        char open[32], personal[32];
        uint64_t index;
        snprintf(open, sizeof open, "record %zu", i);
        snprintf(personal, sizeof personal, "alice %zu", i);
        cr_assert_eq(audit_log_append(log, str_of(open), str_of(personal), STR("acme\0user\0alice"), &index),
                     PDP_ERR_OK);
        cr_assert_eq(index, i);
    }
}

__attribute__((unused)) static enum pdp_err
folder_verify(const struct folder *folder, struct verify_report *report, struct verify_fault *fault)
{
    struct audit_folder *reader = NULL;
    cr_assert_eq(audit_folder_open(folder->dir, &reader), PDP_ERR_OK);
    struct audit_source source = audit_folder_source(reader);
    struct verify_input input = {.source = &source};
    enum pdp_err err = audit_verify(&input, report, fault);
    audit_folder_close(&reader);
    return err;
}

#endif
