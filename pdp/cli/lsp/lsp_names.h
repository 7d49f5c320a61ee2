// SPDX-License-Identifier: Apache-2.0
// Names across a folder: who is called so, and what is to be said of them.
#ifndef CLI_LSP_NAMES_H
#define CLI_LSP_NAMES_H

#include "cel/cel.h"
#include "cli/lsp/lsp_inner.h"

struct lsp_found {
    struct lsp_file *file; // NULL: nobody is called so
    const struct lsp_name *name;
};

// Which document of the file the byte is in.
uint32_t lsp_document_at(struct lsp_file *file, size_t at);

// Each name of a kind that can be seen from a document of `file`: of variables its own and the shared ones,
// of fixtures, cases and steps its own, of all else the folder's. In the order of files and texts.
void lsp_names_each(struct lsp_file *file, uint32_t document, enum lsp_name_kind kind,
                    void (*see)(void *user, const struct lsp_found *found), void *user);
// A rule is called `policy/rule`, or `rule` within its own policy.
struct lsp_found lsp_names_find(struct lsp_file *file, uint32_t document, enum lsp_name_kind kind,
                                struct str name);
// `policy/rule` of a rule, else the name; in the arena.
struct str lsp_full_name(const struct lsp_name *name, struct arena *arena);

// One line beside a name (`cidr, 3 entries`), and some lines in Markdown about it.
void lsp_name_detail(const struct lsp_name *name, struct buf *out);
void lsp_name_about(const struct lsp_found *found, struct buf *out);

// A declared attribute of the language by its path; NULL: none.
const struct cel_attr_decl *lsp_attribute(struct str path);

#endif
