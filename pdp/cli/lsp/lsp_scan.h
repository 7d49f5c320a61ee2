// SPDX-License-Identifier: Apache-2.0
// A walk through a document that looks for the cursor: where it is, and the collections that are open there.
// For lsp_where alone.
#ifndef CLI_LSP_SCAN_H
#define CLI_LSP_SCAN_H

#include "cli/lsp/lsp_where.h"

enum lsp_scan_kind {
    LSP_MAP,
    LSP_SEQ,
    LSP_FLOW_MAP,
    LSP_FLOW_SEQ
};

struct lsp_scan_frame {
    enum lsp_scan_kind kind;
    size_t indent; // column of its keys or dashes; of a flow collection that of what holds it
    size_t number; // of this map
    struct str key;
    bool in_value; // of a flow map: behind the colon
};

struct lsp_scan_key {
    size_t map;
    struct str name;
};

struct lsp_scan {
    struct str text;
    size_t cursor, end; // of the document
    size_t at;
    struct lsp_scan_frame stack[LSP_DEPTH_MAX];
    size_t depth, maps;
    struct lsp_scan_key *keys;
    size_t key_count, key_cap;
    struct arena *arena;
    struct lsp_where *out;
    size_t map; // that the cursor's key is in; 0: none
    bool done;  // the cursor was passed
    bool deep;  // deeper than we look
};

bool lsp_scan_among(char c, const char *set);

// A byte of the document; a line break behind its end.
char lsp_scan_byte(const struct lsp_scan *s, size_t at);
// Where the line of `at` ends: its line break, or the document's end.
size_t lsp_scan_eol(const struct lsp_scan *s, size_t at);
// The first byte from `at` on that is no blank.
size_t lsp_scan_blanks(const struct lsp_scan *s, size_t at);
size_t lsp_scan_column(const struct lsp_scan *s, size_t at);

// Opens a collection; where there are too many, `deep` is set and none is opened.
void lsp_scan_push(struct lsp_scan *s, enum lsp_scan_kind kind, size_t indent);
// The innermost collection, or NULL.
struct lsp_scan_frame *lsp_scan_top(struct lsp_scan *s);
// Notes a key of a map, for siblings.
void lsp_scan_note(struct lsp_scan *s, size_t map, struct str name);

// Is the cursor from `from` to `to`, and was it not found yet?
bool lsp_scan_here(const struct lsp_scan *s, size_t from, size_t to);
// The cursor is here: the path as the stack has it. `own`: the key of the innermost map is part of it.
void lsp_scan_found(struct lsp_scan *s, bool key, bool value, bool own, size_t from, size_t to,
                    enum lsp_style style);

// The end of quoted text that begins behind `at`: of its last byte. It goes on to lines that are indented
// further than `indent`; one that is not closed ends with its line.
size_t lsp_scan_quoted_end(const struct lsp_scan *s, size_t at, char quote, size_t indent, bool *closed);

// From the first `{` or `[` on; returns past its end. A line that is indented no further than what holds it
// ends it too: somebody is still writing it. lsp_flow.c
size_t lsp_scan_flow(struct lsp_scan *s, size_t at, size_t indent);

#endif
