// SPDX-License-Identifier: Apache-2.0
// What can be done about a finding where it stands: what a hint proposes, or a word that it is meant so.
#include "cli/lsp/lsp_inner.h"

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

static json_t *action(const struct lsp_ask *ask, json_t *diagnostic, struct str title, size_t at, size_t len,
                      struct str by, bool preferred)
{
    const json_t *document = json_object_get(ask->params, "textDocument");
    json_t *edits =
        json_pack("[{s:o,s:o}]", "range", lsp_range(ask->lsp, ask->text, at, len), "newText", lsp_json(by));
    json_t *changes = json_object();
    json_object_set_new(changes, json_string_value(json_object_get(document, "uri")), edits);
    return json_pack("{s:o,s:s,s:[O],s:b,s:{s:o}}", "title", lsp_json(title), "kind", "quickfix",
                     "diagnostics", diagnostic, "isPreferred", (int)preferred, "edit", "changes", changes);
}

// What is written there is what the message quotes, so that nothing else is replaced.
static json_t *mend(const struct lsp_ask *ask, json_t *diagnostic, size_t from, size_t to)
{
    struct str message = lsp_string(json_object_get(diagnostic, "message"));
    struct str meant = quoted_after(message, STR("\nhint: did you mean"));
    struct str given = quoted_after(message, (struct str){"", 0});
    struct str written = str_sub(ask->text, from, to - from);
    size_t at = str_find(written, given, 0);
    if (meant.len == 0 || given.len == 0 || at == SIZE_MAX) {
        return NULL;
    }
    struct str title =
        arena_printf(ask->arena, "replace `" STR_FMT "` by `" STR_FMT "`", STR_ARG(given), STR_ARG(meant));
    return action(ask, diagnostic, title, from + at, given.len, meant, true);
}

// A finding of `pdpctl lint` has a code such as L09, and can be silenced by a comment above its line; not in
// text of several lines, where that is no comment.
static json_t *silence(const struct lsp_ask *ask, json_t *diagnostic, size_t from)
{
    struct lsp_where where;
    struct str code = lsp_string(json_object_get(diagnostic, "code"));
    bool finding = code.len == 3 && code.at[0] == 'L' && code.at[1] >= '0' && code.at[1] <= '9';
    lsp_where(ask->text, from, ask->arena, &where);
    size_t line = from;
    while (line > 0 && ask->text.at[line - 1] != '\n') {
        line--;
    }
    size_t indent = line;
    while (indent < ask->text.len && ask->text.at[indent] == ' ') {
        indent++;
    }
    if (!finding || where.style == LSP_BLOCK || (where.value && where.from < line)) {
        return NULL;
    }
    struct str by = arena_printf(ask->arena, STR_FMT "# pdp:lint-ok " STR_FMT " say why here\n",
                                 STR_ARG(str_sub(ask->text, line, indent - line)), STR_ARG(code));
    struct str title = arena_printf(ask->arena, "silence " STR_FMT " here", STR_ARG(code));
    return action(ask, diagnostic, title, line, 0, by, false);
}

json_t *lsp_actions(struct lsp_ask *ask)
{
    json_t *given = json_object_get(json_object_get(ask->params, "context"), "diagnostics");
    json_t *list = json_array();
    for (size_t i = 0; i < json_array_size(given); i++) {
        size_t from = 0;
        size_t to = 0;
        json_t *one = json_array_get(given, i);
        if (read_range(ask, json_object_get(one, "range"), &from, &to)) {
            json_t *made = mend(ask, one, from, to);
            made = made != NULL ? made : silence(ask, one, from);
            if (made != NULL) {
                json_array_append_new(list, made);
            }
        }
    }
    return list;
}
