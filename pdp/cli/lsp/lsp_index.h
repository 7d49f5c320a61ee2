// SPDX-License-Identifier: Apache-2.0
// What the documents of one file name: for completion, hover and ways to a definition.
#ifndef CLI_LSP_INDEX_H
#define CLI_LSP_INDEX_H

#include "cli/lsp/lsp_text.h"
#include "conf/conf.h"

// X(name, word for people, kind of a symbol in the protocol)
#define LSP_NAME_LIST(X)         \
    X(POLICY, "policy", 5)       \
    X(RULE, "rule", 12)          \
    X(VARIABLE, "variable", 13)  \
    X(LIST, "list", 18)          \
    X(COUNTER, "counter", 14)    \
    X(STRENGTH, "strength", 22)  \
    X(EXCEPTION, "exception", 5) \
    X(ATTRIBUTE, "attribute", 7) \
    X(ROLE, "role", 14)          \
    X(DOCUMENT, "document", 5)   \
    X(TEST, "test", 5)           \
    X(SCENARIO, "scenario", 5)   \
    X(FIXTURE, "fixture", 19)    \
    X(CASE, "case", 12)          \
    X(STEP, "step", 12)

enum lsp_name_kind {
#define X(name, word, symbol) LSP_##name,
    LSP_NAME_LIST(X)
#undef X
    LSP_NAME_COUNT
};
const char *lsp_name_word(enum lsp_name_kind kind);
int lsp_name_symbol(enum lsp_name_kind kind);

struct lsp_name {
    enum lsp_name_kind kind;
    struct str name;
    struct str owner; // of a rule or variable the policy; of a fixture, case or step its document; else empty
    uint32_t document;            // number of the document in the file
    uint32_t at, len;             // of the name itself
    uint32_t from, all;           // of the whole thing: first byte and how many
    const struct conf_node *node; // of the whole thing
};

// A text that was parsed without a mistake. Immutable; any thread.
struct lsp_parsed {
    atomic_uint uses;
    struct arena arena;
    struct lsp_blob *text; // that it was made of
    struct source source;
    struct conf_doc *docs;
    size_t doc_count;
};
// *out NULL where there is a mistake, or no document, or memory is out. `name` is copied.
void lsp_parsed_new(struct lsp_blob *text, struct str name, struct lsp_parsed **out);
struct lsp_parsed *lsp_parsed_hold(struct lsp_parsed *parsed);
void lsp_parsed_drop(struct lsp_parsed **parsed);

struct lsp_index {
    struct arena arena;
    struct lsp_blob *text;     // that it was made of
    struct lsp_parsed *parsed; // by somebody else; NULL: by itself
    struct source source;
    struct conf_doc *docs;
    size_t doc_count;
    struct lsp_name *names; // in the order of the text
    size_t count, cap;
};

// Reads a file. Lines that are no YAML are left out, as far as that goes: the rest keeps its places. NULL:
// memory is out. Costs what parsing costs, unless the text was parsed already.
struct lsp_index *lsp_index_new(struct lsp_blob *text, struct lsp_parsed *parsed);
void lsp_index_free(struct lsp_index **index);

// Text of a scalar below a map, or empty.
struct str lsp_text_of(const struct conf_node *map, const char *key);

#endif
