// SPDX-License-Identifier: Apache-2.0
// The boolean structure of an expression as it is written: what tests cover, explanations show and tools
// point at. What it means stays with cel.h.
#ifndef CEL_PARTS_H
#define CEL_PARTS_H

#include "base/arena.h"
#include "base/err.h"

enum cel_part_op {
    CEL_PART_ATOM, // anything that is none of the others
    CEL_PART_ALL,  // a && b && c
    CEL_PART_ANY,  // a || b
    CEL_PART_NOT,  // !a
};

struct cel_part {
    enum cel_part_op op;
    uint32_t at, len; // bytes in the text: brackets are balanced, those around the whole part left out
    uint32_t parent;  // in the list; UINT32_MAX: it is the whole
};

// The whole first, each part before those within it, in the order of the text. An expression that does not
// parse is an error, and *count 0; nothing is reported, since cel_add reports it. The list lives in `arena`.
MUST_USE enum pdp_err cel_parts(struct str text, struct arena *arena, struct cel_part **out, size_t *count);

#endif
