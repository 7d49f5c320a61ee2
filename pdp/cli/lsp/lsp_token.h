// SPDX-License-Identifier: Apache-2.0
// What stands under the cursor, and what it means.
#ifndef CLI_LSP_TOKEN_H
#define CLI_LSP_TOKEN_H

#include "cel/docs.h"
#include "cli/lsp/lsp_complete.h"

enum lsp_token_kind {
    LSP_TOKEN_NONE,
    LSP_TOKEN_KEY,       // of a document: `field`
    LSP_TOKEN_NAMED,     // what a document defines: `found`
    LSP_TOKEN_ATTRIBUTE, // of the language: `attr`
    LSP_TOKEN_ROOT,      // `subject`, `geo`: `text`
    LSP_TOKEN_FUNCTION,  // `func`
    LSP_TOKEN_MACRO      // `macro`
};

struct lsp_token {
    enum lsp_token_kind kind;
    size_t at, len; // in the text
    struct str text;
    struct lsp_found found;
    const struct conf_field *field;
    const struct cel_attr_decl *attr;
    enum func_id func;
    const struct docs_macro *macro;
};

// At byte `at` of a file's text. NONE where nothing is known of it.
void lsp_token_at(struct lsp_file *file, size_t at, struct arena *arena, struct lsp_token *out);

#endif
