// SPDX-License-Identifier: Apache-2.0
// What folders compile to, compared with tests/cases/compile/NAME.txt to the byte: a change of meaning is a
// diff. With PDP_ACCEPT set the text is written instead: read the diff before you commit it.
#include "daemon/folder.h"

#include <criterion/criterion.h>

#include <stdio.h>
#include <stdlib.h>

static const int64_t NOW_MS = INT64_C(1795420800000);

static const struct {
    const char *folder, *expected;
} CASES[] = {
    {"policies/baseline", "tests/cases/compile/baseline.txt"},
    {"tests/cases/compile/language", "tests/cases/compile/language.txt"},
    {"tests/cases/compile/schema", "tests/cases/compile/schema.txt"},
    {"tests/cases/compile/scope", "tests/cases/compile/scope.txt"},
};

static void compile(const char *dir, struct hash_key seed, struct buf *out)
{
    AUTO(folder_free) struct folder *folder = NULL;
    AUTO(snapshot_free) struct snapshot *snapshot = NULL;
    AUTO(buf_fini) struct buf said = {0};
    AUTO(diags_fini) struct diags diags;
    char why[FOLDER_WHY_MAX];
    cr_assert_eq(folder_read(dir, NULL, 0, &folder, why), PDP_ERR_OK, "%s: %s", dir, why);
    struct snapshot_input input = folder_input(folder);
    input.now_ms = NOW_MS;
    diags_init(&diags, 100);
    enum pdp_err err = snapshot_build(&input, seed, &diags, &snapshot);
    diags_render(&diags, &said);
    cr_assert_eq(err, PDP_ERR_OK, "%s: " STR_FMT, dir, STR_ARG(buf_view(&said)));
    snapshot_print(snapshot, out);
    cr_assert_not(out->failed);
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

static void accept(const char *path, struct str text)
{
    FILE *file = fopen(path, "wb");
    cr_assert(file != NULL && fwrite(text.at, 1, text.len, file) == text.len && fclose(file) == 0, "%s",
              path);
}

Test(cases_compile, folders_mean_what_they_meant)
{
    for (size_t i = 0; i < COUNT_OF(CASES); i++) {
        AUTO(buf_fini) struct buf text = {0};
        AUTO(buf_fini) struct buf other = {0};
        AUTO(buf_fini) struct buf expected = {0};
        compile(CASES[i].folder, (struct hash_key){1, 2}, &text);
        compile(CASES[i].folder, (struct hash_key){UINT64_MAX, 77}, &other);
        cr_expect(str_eq(buf_view(&text), buf_view(&other)), "%s: the key of the hash tables shows",
                  CASES[i].folder);
        if (getenv("PDP_ACCEPT") != NULL) {
            accept(CASES[i].expected, buf_view(&text));
            continue;
        }
        slurp(CASES[i].expected, &expected);
        cr_expect(str_eq(buf_view(&text), buf_view(&expected)),
                  "%s: compiles to other than %s; where that is meant, write it with PDP_ACCEPT=1 and read "
                  "the diff\n" STR_FMT,
                  CASES[i].folder, CASES[i].expected, STR_ARG(buf_view(&text)));
    }
}
