// SPDX-License-Identifier: Apache-2.0
// What stands at the cursor of a YAML text, told by looking at it line by line: nothing has to be
// well-formed.
#ifndef CLI_LSP_WHERE_H
#define CLI_LSP_WHERE_H

#include "base/arena.h"

#define LSP_DEPTH_MAX 40

// One step from a document's top to the cursor: a key, or an item of a list.
struct lsp_step {
    struct str key; // empty of an item
    bool item;
};

enum lsp_style {
    LSP_PLAIN,
    LSP_SINGLE,
    LSP_DOUBLE,
    LSP_BLOCK
};

struct lsp_where {
    struct str document; // the text of the document that the cursor is in
    struct str kind;     // what its `kind` says; empty: nothing
    struct lsp_step path[LSP_DEPTH_MAX];
    size_t depth;
    bool key, value;      // what may stand here; both: nobody can tell yet. Neither: a comment or a mark
    size_t from, to;      // the bytes of what stands here, quotes left out; `to` may be before its true end
    enum lsp_style style; // of a value
    const struct str *siblings; // other keys of the map that a key would be in
    size_t sibling_count;
};

// `cursor` is at most text.len. All in `arena`, or pointing into `text`. Costs a walk through the document;
// never fails: where memory is out nothing is known.
void lsp_where(struct str text, size_t cursor, struct arena *arena, struct lsp_where *out);

// Is the path this one? `rules/-/when`; `-` is an item, `*` any one step, `**` at the end any further ones.
bool lsp_where_is(const struct lsp_where *where, const char *pattern);

#endif
