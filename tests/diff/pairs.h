// SPDX-License-Identifier: Apache-2.0
// Conditions that Cedar and we can both say, over typed attributes of three roots; and values for those.
#ifndef TESTS_DIFF_PAIRS_H
#define TESTS_DIFF_PAIRS_H

#include "base/buf.h"
#include "diff/world.h"

enum {
    PAIR_ROOTS = 3,
    PAIR_FIELDS = 8
};
extern const int PAIR_WORLD_AT[PAIR_ROOTS]; // subject, resource, context in world.roots
extern const char *const PAIR_FIELD_NAMES[PAIR_FIELDS];

// The same condition in both languages.
struct pair {
    struct chance *chance;
    struct buf ours, theirs;
    bool no_has; // never ask whether an attribute is there
    bool has;    // it asks
};

void pair_condition(struct pair *pair, uint32_t depth);
void pair_fini(struct pair *pair);
// Of the type that the field's name begins with: s(tring), n(umber), b(ool), t(exts).
struct value pair_value(struct chance *chance, struct arena *arena, char kind);
// What `known` (or NULL) has, and of the rest each with `left_out` in ten missing.
struct value pair_root(struct chance *chance, struct arena *arena, const struct value *known,
                       uint32_t left_out);

#endif
