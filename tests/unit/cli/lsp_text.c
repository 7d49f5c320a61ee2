// SPDX-License-Identifier: Apache-2.0
#include "cli/lsp/lsp_text.h"

#include <criterion/criterion.h>

// `é` is two bytes and one unit, `𝔥` four bytes and two units.
#define TEXT "aé𝔥b\r\nc\n\n𝔥"

static const struct {
    const char *name;
    uint32_t line, character; // in UTF-16
    size_t at;
    uint32_t utf8;
} PLACES[] = {
    {"start", 0, 0, 0, 0},       {"behind a", 0, 1, 1, 1},      {"behind é", 0, 2, 3, 3},
    {"behind 𝔥", 0, 4, 7, 7},    {"end of a line", 0, 5, 8, 8}, {"second line", 1, 0, 10, 0},
    {"empty line", 2, 0, 12, 0}, {"last line", 3, 0, 13, 0},    {"end", 3, 2, 17, 4},
};

Test(lsp_text, positions_and_bytes_tell_each_other)
{
    AUTO(arena_fini) struct arena arena;
    struct lsp_lines lines;
    arena_init(&arena, 0, 0);
    lsp_lines_of(STR(TEXT), &arena, &lines);
    cr_expect_eq(lines.count, 4);
    for (size_t i = 0; i < COUNT_OF(PLACES); i++) {
        struct lsp_position at = {PLACES[i].line, PLACES[i].character};
        struct lsp_position bytes = {PLACES[i].line, PLACES[i].utf8};
        struct lsp_position back = lsp_position(STR(TEXT), PLACES[i].at, false);
        cr_expect_eq(lsp_offset(STR(TEXT), at, false), PLACES[i].at, "%s", PLACES[i].name);
        cr_expect_eq(lsp_offset(STR(TEXT), bytes, true), PLACES[i].at, "%s in bytes", PLACES[i].name);
        struct lsp_position quick = lsp_lines_position(&lines, PLACES[i].at, false);
        cr_expect(quick.line == at.line && quick.character == at.character, "%s by its line", PLACES[i].name);
        cr_expect(back.line == at.line && back.character == at.character, "%s: %u:%u", PLACES[i].name,
                  back.line, back.character);
    }
}

Test(lsp_text, what_is_nowhere_is_the_nearest_end)
{
    cr_expect_eq(lsp_offset(STR(TEXT), (struct lsp_position){0, 3}, false), 3); // within 𝔥
    cr_expect_eq(lsp_offset(STR(TEXT), (struct lsp_position){0, 99}, false), 8);
    cr_expect_eq(lsp_offset(STR(TEXT), (struct lsp_position){99, 0}, false), 17);
    cr_expect_eq(lsp_offset(STR(""), (struct lsp_position){1, 1}, false), 0);
    struct lsp_position end = lsp_position(STR("a\nb"), 99, false);
    cr_expect(end.line == 1 && end.character == 1);
}

static void edited(const char *before, size_t from, size_t to, const char *by, const char *after)
{
    AUTO(lsp_blob_drop) struct lsp_blob *blob = lsp_blob_new(str_of(before));
    AUTO(lsp_blob_drop) struct lsp_blob *made = lsp_blob_edit(blob, from, to, str_of(by));
    cr_expect(str_eq(lsp_blob_str(made), str_of(after)), "`%s`", made->at);
}

Test(lsp_text, edits_replace_a_stretch)
{
    edited("abc", 1, 2, "xyz", "axyzc");
    edited("abc", 0, 3, "", "");
    edited("abc", 9, 99, "d", "abcd");
    edited("abc", 2, 1, "x", "abxc"); // a range that runs backwards is empty
    AUTO(lsp_blob_drop) struct lsp_blob *blob = lsp_blob_new(STR("a"));
    cr_expect_null(lsp_blob_edit(blob, 0, 0, (struct str){blob->at, LSP_TEXT_MAX}));
}

static const struct {
    const char *uri, *path; // NULL: it is no file
} URIS[] = {
    {"file:///a/b.yaml", "/a/b.yaml"},
    {"file:///a%20b/%C3%A9", "/a b/é"},
    {"file:///a/?q#f", "/a"},
    {"file:///", "/"},
    {"file://host/a", NULL},
    {"untitled:Untitled-1", NULL},
    {"file:///a%00b", NULL},
    {"file:///a%zz", "/a%zz"},
    {"", NULL},
};

Test(lsp_text, names_of_files)
{
    for (size_t i = 0; i < COUNT_OF(URIS); i++) {
        AUTO(buf_fini) struct buf path = {0};
        bool is = lsp_uri_path(str_of(URIS[i].uri), &path);
        cr_expect_eq(is, URIS[i].path != NULL, "%s", URIS[i].uri);
        cr_expect(!is || str_eq(buf_view(&path), str_of(URIS[i].path)), "%s", URIS[i].uri);
    }
    AUTO(buf_fini) struct buf uri = {0};
    lsp_uri_of(STR("/a b/é.yaml"), &uri);
    cr_expect(str_eq(buf_view(&uri), STR("file:///a%20b/%C3%A9.yaml")));
}
