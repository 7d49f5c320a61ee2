// SPDX-License-Identifier: Apache-2.0
// What stands at the end of half an expression, told by its characters alone.
#ifndef CLI_LSP_CEL_H
#define CLI_LSP_CEL_H

#include "cli/lsp/lsp_where.h"

enum lsp_cel_at {
    LSP_CEL_NOTHING, // in a comment or a number
    LSP_CEL_NAME,    // a name, perhaps with dots: `subject.ro`
    LSP_CEL_MEMBER,  // behind a dot that follows a value: `("a").sta`
    LSP_CEL_TEXT     // in quotes
};

struct lsp_cel {
    enum lsp_cel_at at;
    struct str chain;  // of a name: all of it; of a member: behind the dot
    struct str word;   // the last part of the chain
    struct str call;   // of text: the function that it is the argument of, or empty
    struct str beside; // of text: the name that it is compared with, or empty
    struct str typed;  // of text: what stands in the quotes so far
};

void lsp_cel_at(struct str text, struct lsp_cel *out);
// The bytes from..to of a scalar as text of the expression: of a quoted scalar without its escapes.
struct str lsp_cel_text(struct str raw, enum lsp_style style, struct arena *arena);
// The whole name around byte `at` of a text: letters, digits, `_` and dots, ending with the word that `at` is
// in.
struct str lsp_cel_around(struct str text, size_t at);

#endif
