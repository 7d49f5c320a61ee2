// SPDX-License-Identifier: Apache-2.0
// What completion gathers.
#ifndef CLI_LSP_COMPLETE_H
#define CLI_LSP_COMPLETE_H

#include "cli/lsp/lsp_cel.h"
#include "cli/lsp/lsp_names.h"
#include "cli/lsp/lsp_shape.h"

enum { // kinds of items in the protocol
    LSP_ITEM_TEXT = 1,
    LSP_ITEM_METHOD = 2,
    LSP_ITEM_FUNCTION = 3,
    LSP_ITEM_FIELD = 5,
    LSP_ITEM_VARIABLE = 6,
    LSP_ITEM_MODULE = 9,
    LSP_ITEM_PROPERTY = 10,
    LSP_ITEM_VALUE = 12,
    LSP_ITEM_ENUM = 13,
    LSP_ITEM_KEYWORD = 14,
    LSP_ITEM_REFERENCE = 18,
    LSP_ITEM_CONSTANT = 21
};

struct lsp_items {
    struct lsp_ask *ask;
    const struct lsp_where *where;
    uint32_t document; // that the cursor is in
    json_t *list;
    size_t from;          // what is replaced begins here and ends at the cursor
    struct str prefix;    // with which labels have to begin
    struct str seen[256]; // labels that are there already
    size_t seen_count;
};

// Keys whose values are names that documents define, wherever they stand.
struct lsp_reference {
    const char *key;
    enum lsp_name_kind kind;
    bool tests; // of Test and Scenario alone
};
extern const struct lsp_reference lsp_reference_keys[];
extern const size_t lsp_reference_count;

// Adds one, unless it does not begin with the prefix or is there already. `detail`, `about` may be empty.
void lsp_item(struct lsp_items *items, struct str label, int kind, struct str detail, struct str about);
// The same with another text to insert than what is shown.
void lsp_item_as(struct lsp_items *items, struct str label, struct str inserted, int kind, struct str detail,
                 struct str about);
// All names of a kind; rules in full.
void lsp_items_named(struct lsp_items *items, enum lsp_name_kind kind, int item);
// Risk levels, and the names of the language's own signals.
void lsp_items_levels(struct lsp_items *items);

// Within an expression, of which `text` stands before the cursor.
void lsp_complete_cel(struct lsp_items *items, struct str text);

#endif
