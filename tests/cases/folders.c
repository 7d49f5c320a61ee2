// SPDX-License-Identifier: Apache-2.0
// Every folder below tests/cases/folders is refused in the words of its expected.txt, to the byte. With
// PDP_ACCEPT set the words are written instead: read them before you commit them.
#include "cli/test/suite.h"
#include "daemon/folder.h"

#include <criterion/criterion.h>

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static const struct hash_key SEED = {1, 2};
static const int64_t NOW_MS = INT64_C(1795420800000);

static enum pdp_err check_tests(struct folder *folder, const struct snapshot *snapshot, struct diags *diags)
{
    AUTO(suite_free) struct suite *suite = NULL;
    const struct snapshot_file *files = NULL;
    size_t count = 0;
    TRY(folder_tests(folder, &files, &count));
    TRY(suite_read(files, count, diags, &suite));
    return suite_check(suite, snapshot, diags);
}

// What `pdpctl check` would say of a folder, and whether it is refused.
static bool check(const char *dir, struct buf *said)
{
    AUTO(folder_free) struct folder *folder = NULL;
    AUTO(snapshot_free) struct snapshot *snapshot = NULL;
    char why[FOLDER_WHY_MAX];
    if (folder_read(dir, NULL, 0, &folder, why) != PDP_ERR_OK) {
        buf_printf(said, "%s: error: %s\n", dir, why);
        return true;
    }
    struct snapshot_input input = folder_input(folder);
    input.now_ms = NOW_MS;
    AUTO(diags_fini) struct diags diags;
    diags_init(&diags, 100);
    enum pdp_err err = snapshot_build(&input, SEED, &diags, &snapshot);
    cr_expect_eq(err == PDP_ERR_OK, diags.errors == 0, "%s", dir);
    if (err == PDP_ERR_OK) {
        err = check_tests(folder, snapshot, &diags);
    }
    diags_render(&diags, said);
    cr_expect_eq(err == PDP_ERR_OK, diags.errors == 0, "%s", dir);
    return err != PDP_ERR_OK;
}

static void slurp(const char *path, struct buf *out)
{
    FILE *file = fopen(path, "rb");
    size_t got = 1;
    while (file != NULL && got > 0 && buf_room(out, 1 << 16)) {
        got = fread(out->at + out->len, 1, 1 << 16, file);
        out->len += got;
    }
    if (file != NULL) {
        fclose(file);
    }
}

static void accept(const char *path, struct str said)
{
    FILE *file = fopen(path, "wb");
    cr_assert(file != NULL && fwrite(said.at, 1, said.len, file) == said.len && fclose(file) == 0, "%s",
              path);
}

static bool is_case(const struct dirent *entry)
{
    return entry->d_name[0] != '.';
}

static int cases(const struct dirent *entry)
{
    return is_case(entry);
}

static void check_case(const char *name)
{
    AUTO(buf_fini) struct buf said = {0};
    AUTO(buf_fini) struct buf expected = {0};
    char path[512];
    snprintf(path, sizeof path, "%s/expected.txt", name);
    cr_expect(check(name, &said), "%s: is not refused", name);
    if (getenv("PDP_ACCEPT") != NULL) {
        accept(path, buf_view(&said));
        return;
    }
    slurp(path, &expected);
    cr_expect(str_eq(buf_view(&said), buf_view(&expected)), "%s: said\n" STR_FMT "instead of\n" STR_FMT, name,
              STR_ARG(buf_view(&said)), STR_ARG(buf_view(&expected)));
}

Test(cases_folders, are_refused_word_for_word)
{
    struct dirent **list = NULL;
    cr_assert_eq(chdir("tests/cases/folders"), 0);
    int count = scandir(".", &list, cases, alphasort);
    cr_assert_gt(count, 50, "the cases are not there");
    for (int i = 0; i < count; i++) {
        check_case(list[i]->d_name);
        free(list[i]);
    }
    free(list);
}
