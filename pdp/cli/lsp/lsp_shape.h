// SPDX-License-Identifier: Apache-2.0
// What documents may hold at a place: the readers' own tables, walked along the path to the cursor.
#ifndef CLI_LSP_SHAPE_H
#define CLI_LSP_SHAPE_H

#include "cli/edit/shapes.h"
#include "cli/lsp/lsp_where.h"

struct lsp_shape {
    enum conf_form form;
    const struct conf_shape *of; // of a map: its keys. NULL: none are known
    const struct conf_field
        *field; // that the value belongs to; NULL: none, such as an item or a name of the author's
    bool known; // something may stand here
};

// Along the first `depth` steps of the path.
void lsp_shape_at(const struct shapes *shapes, const struct lsp_where *where, size_t depth,
                  struct lsp_shape *out);
// Is what stands here an expression, or can it be one?
bool lsp_shape_expr(const struct lsp_shape *shape, const struct lsp_where *where);
// Is the document one of tests?
bool lsp_where_test(const struct lsp_where *where);

#endif
