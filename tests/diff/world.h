// SPDX-License-Identifier: Apache-2.0
// What a generated question says, for both executions: attributes left out, null and mistyped on purpose.
#ifndef TESTS_DIFF_WORLD_H
#define TESTS_DIFF_WORLD_H

#include "cel/cel.h"
#include "engine/attrs.h"

struct chance {
    uint64_t state;
    bool lengthy; // questions hold texts and lists, too, that are longer than an index looks at
};
uint32_t chance_below(struct chance *chance, uint32_t limit);

enum {
    WORLD_STRENGTHS = 3,
    WORLD_SETS = 5,
    WORLD_ROOTS = 4
};
extern const struct str WORLD_STRENGTH_NAMES[WORLD_STRENGTHS];
extern const struct str WORLD_SET_NAMES[WORLD_SETS];
extern const enum cel_set_kind WORLD_SET_KINDS[WORLD_SETS];
extern const char *const WORLD_TEXTS[];
extern const size_t WORLD_TEXT_COUNT;
// Of these the attributes named `phrase` are made, and the elements of those named `offers`.
extern const char *const WORLD_PIECES[];
extern const size_t WORLD_PIECE_COUNT;

struct world {
    bool shadow; // as if what is in shadow were enforced
    int64_t now_ms;
    struct value attrs[ATTR_COUNT];  // ERROR: left out
    struct value roots[WORLD_ROOTS]; // maps of subject, action, resource, context
    uint64_t proved;                 // strengths
};

void world_env(struct cel_env *env);
void world_make(struct world *world, struct chance *chance, struct arena *arena);
// What the question says at a dotted path, by the text alone; no type is checked. false: nothing.
bool world_get(const struct world *world, struct str path, struct value *out);
// What was got, read as a Schema declares it: false where it cannot be, or is more than allowed. Its type may
// still be another.
bool world_read(struct str path, struct arena *arena, struct value *v);
// The type that the path was declared with; DYN where it was not.
enum cel_type world_type(struct str path);
// Is this path one that a condition may read as an attribute?
bool world_is_attribute(struct str path);
// As the lists have it, by a walk over their entries; UNSURE for the stale one.
enum truth world_contains(struct str list, const struct value *value);
void world_print(const struct world *world, struct buf *out);
struct cel_host world_host(struct world *world);

#endif
