// SPDX-License-Identifier: Apache-2.0
// A source as what is seen in it, in order: scalars, signs and comments, and which collection each belongs
// to. All between two marks is blanks and line breaks.
#ifndef CONF_MARKS_H
#define CONF_MARKS_H

#include "conf/conf.h"

#define MARKS_NONE UINT32_MAX

enum mark_kind {
    MARK_SCALAR,
    MARK_DASH,
    MARK_COLON,
    MARK_COMMA,
    MARK_OPEN,     // [ {
    MARK_CLOSE,    // ] }
    MARK_COMMENT,  // up to the last visible byte of its line
    MARK_DOCUMENT, // --- ...
    MARK_OTHER,    // `?`, and documents that hold nothing
};

struct mark {
    enum mark_kind kind;
    uint32_t at, end;             // quotes and the header of a block scalar included
    const struct conf_node *node; // of a scalar
    uint32_t block, leaf;         // the innermost of each, or MARKS_NONE
};

// A collection in block style.
struct marks_block {
    uint32_t parent, depth, column; // the column at which its lines begin, in bytes
};

// A scalar, or a collection in flow style, that stands in no other one in flow style.
struct marks_leaf {
    uint32_t at, end, block;
    bool key, flow;
};

struct marks {
    struct mark *list;
    size_t count;
    struct marks_block *blocks;
    size_t block_count;
    struct marks_leaf *leaves;
    size_t leaf_count;
};

// Of a source that conf_parse took, with all its documents. Everything lives in `arena`. NOMEM.
MUST_USE enum pdp_err marks_read(const struct source *source, const struct conf_doc *docs, size_t count,
                                 struct arena *arena, struct marks *out);

// From which byte to which a scalar stands, with quotes; where its line begins.
uint32_t marks_from(const struct conf_node *scalar);
uint32_t marks_to(const struct conf_node *scalar);
uint32_t marks_line(struct str text, uint32_t at);

#endif
