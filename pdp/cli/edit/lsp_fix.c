// SPDX-License-Identifier: Apache-2.0
// Mistakes that can be mended where they stand: `did you mean` of a hint.
#include "cli/edit/lsp_inner.h"

// The text between the first backquotes behind `words`; empty: there is none.
static struct str quoted_after(struct str text, struct str words)
{
    size_t at = str_find(text, words, 0);
    size_t from = at == SIZE_MAX ? text.len : str_find_byte(text, '`', at + words.len) + 1;
    size_t to = from < text.len ? str_find_byte(text, '`', from) : text.len;
    return to < text.len ? str_sub(text, from, to - from) : (struct str){NULL, 0};
}

static bool read_range(const struct lsp_ask *ask, const json_t *range, size_t *from, size_t *to)
{
    struct lsp_position start;
    struct lsp_position end;
    if (!lsp_read_position(json_object_get(range, "start"), &start) ||
        !lsp_read_position(json_object_get(range, "end"), &end)) {
        return false;
    }
    *from = lsp_offset(ask->text, start, ask->lsp->utf8);
    *to = lsp_offset(ask->text, end, ask->lsp->utf8);
    return *from < *to;
}

// What is written there is what the message quotes, so that nothing else is replaced.
static json_t *fix(const struct lsp_ask *ask, json_t *diagnostic)
{
    size_t from = 0;
    size_t to = 0;
    struct str message = lsp_string(json_object_get(diagnostic, "message"));
    struct str meant = quoted_after(message, STR("\nhint: did you mean"));
    struct str given = quoted_after(message, (struct str){"", 0});
    json_t *range = json_object_get(diagnostic, "range");
    if (meant.len == 0 || !read_range(ask, range, &from, &to)) {
        return NULL;
    }
    struct str written = str_sub(ask->text, from, to - from);
    size_t at = str_find(written, given, 0);
    if (given.len == 0 || at == SIZE_MAX) {
        return NULL;
    }
    struct str title =
        arena_printf(ask->arena, "replace `" STR_FMT "` by `" STR_FMT "`", STR_ARG(given), STR_ARG(meant));
    json_t *edits = json_pack("[{s:o,s:o}]", "range", lsp_range(ask->lsp, ask->text, from + at, given.len),
                              "newText", lsp_json(meant));
    json_t *changes = json_object();
    json_object_set_new(
        changes, json_string_value(json_object_get(json_object_get(ask->params, "textDocument"), "uri")),
        edits);
    return json_pack("{s:o,s:s,s:[O],s:b,s:{s:o}}", "title", lsp_json(title), "kind", "quickfix",
                     "diagnostics", diagnostic, "isPreferred", 1, "edit", "changes", changes);
}

json_t *lsp_actions(struct lsp_ask *ask)
{
    json_t *given = json_object_get(json_object_get(ask->params, "context"), "diagnostics");
    json_t *list = json_array();
    for (size_t i = 0; i < json_array_size(given); i++) {
        json_t *one = fix(ask, json_array_get(given, i));
        if (one != NULL) {
            json_array_append_new(list, one);
        }
    }
    return list;
}
