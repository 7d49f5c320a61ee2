// SPDX-License-Identifier: Apache-2.0
// `pdpctl fmt` for what is open.
#include "cli/edit/format.h"
#include "cli/lsp/lsp_inner.h"

// Whole lines that both texts begin with, or end with.
static size_t same_begin(struct str a, struct str b)
{
    size_t line = 0;
    for (size_t i = 0; i < a.len && i < b.len && a.at[i] == b.at[i]; i++) {
        line = a.at[i] == '\n' ? i + 1 : line;
    }
    return line;
}

static size_t same_end(struct str a, struct str b)
{
    size_t line = 0;
    for (size_t i = 1; i <= a.len && i <= b.len && a.at[a.len - i] == b.at[b.len - i]; i++) {
        line = a.at[a.len - i] == '\n' ? i - 1 : line;
    }
    return line;
}

// One edit, of the lines that differ: what a cursor stands in, or a mark, stays.
json_t *lsp_formatting(struct lsp_ask *ask)
{
    AUTO(diags_fini) struct diags diags;
    AUTO(buf_fini) struct buf out = {0};
    const struct source source = {STR("text"), ask->text};
    diags_init(&diags, 1);
    bool ours = ask->file->folder != NULL || lsp_is_policy(ask->text);
    if (!ours || format_source(&source, &diags, &out) != PDP_ERR_OK) {
        return NULL; // what is wrong with it is shown already
    }
    struct str made = buf_view(&out);
    size_t begin = same_begin(ask->text, made);
    size_t end = same_end(str_sub(ask->text, begin, SIZE_MAX), str_sub(made, begin, SIZE_MAX));
    if (ask->text.len == made.len && begin + end == made.len) {
        return json_array();
    }
    return json_pack("[{s:o,s:o}]", "range",
                     lsp_range(ask->lsp, ask->text, begin, ask->text.len - begin - end), "newText",
                     lsp_json(str_sub(made, begin, made.len - begin - end)));
}
