// SPDX-License-Identifier: Apache-2.0
// Of what type a variable is, as the compiler sees it.
#ifndef CLI_LSP_TYPE_H
#define CLI_LSP_TYPE_H

#include "cli/lsp/lsp_names.h"

// Writes the type (`bool`, `list(string)`); nothing where it cannot be told. Costs a look at the heads of all
// documents and the checking of the variables before it.
void lsp_variable_type(const struct lsp_found *found, struct arena *arena, struct buf *out);

#endif
