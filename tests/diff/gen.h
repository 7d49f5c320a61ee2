// SPDX-License-Identifier: Apache-2.0
// Random conditions: typed as declared, with attributes of unknown type in every place.
#ifndef TESTS_DIFF_GEN_H
#define TESTS_DIFF_GEN_H

#include "base/buf.h"
#include "diff/world.h"

enum gen_type {
    GEN_BOOL,
    GEN_INT,
    GEN_UINT,
    GEN_DOUBLE,
    GEN_STRING,
    GEN_BYTES,
    GEN_TIME,
    GEN_DURATION,
    GEN_IP,
    GEN_CIDR,
    GEN_LEVEL,
    GEN_STRENGTH,
    GEN_TEXTS, // list(string)
    GEN_INTS,  // list(int)
    GEN_LIST,  // list(dyn)
    GEN_MAP,   // map(string, dyn)
    GEN_DYN,
    GEN_COUNT
};

enum {
    GEN_POOL = 24, // closed parts that are written again, a type
    GEN_LOCALS = 12,
    GEN_VARS = 4
};

struct gen {
    struct chance *chance;
    struct arena *arena; // of the pool
    struct str pool[GEN_COUNT][GEN_POOL];
    uint32_t pool_count[GEN_COUNT];
    struct {
        struct str name;
        enum gen_type type;
    } locals[GEN_LOCALS], vars[GEN_VARS];
    uint32_t local_count, local_uses, var_count;
};

void gen_expr(struct gen *g, struct buf *out, enum gen_type type, uint32_t depth);

#endif
