// SPDX-License-Identifier: Apache-2.0
// A second execution of conditions, as plain as can be: text to tree, tree to value, nothing shared, folded,
// remembered or indexed. It uses nothing of pdp/cel, so that a mistake there is not made here again.
#ifndef TESTS_DIFF_PLAIN_H
#define TESTS_DIFF_PLAIN_H

#include "base/arena.h"
#include "diff/world.h"
#include "model/value.h"

enum tree_kind {
    TREE_LIT,
    TREE_NAME,
    TREE_FIELD, // args[0].name
    TREE_CALL, // name(args) or, where `member`, args[0].name(args…); operators by their sign, `?:` and `[]`
    TREE_LIST,
    TREE_MAP, // key, value, …
};

struct tree {
    enum tree_kind kind;
    bool member;
    struct str name;
    struct value lit;
    struct tree **args;
    size_t count;
};

// NULL: it does not parse, or memory is out.
struct tree *plain_parse(struct str text, struct arena *arena);

struct plain_var { // vars.NAME
    struct str name;
    const struct tree *tree;
};

struct plain {
    const struct world *world;
    struct arena *arena; // of values made on the way
    const struct plain_var *vars;
    size_t var_count;
};

// A variable of a macro. `means`: what cel.bind bound it to, for "is this an attribute?".
struct plain_scope {
    const struct plain_scope *outer;
    struct str name;
    struct value value;
    const struct tree *means;
    const struct plain_scope *means_in;
};

// Errors are values of kind ERROR; which error it is does not matter.
struct value plain_eval(const struct plain *p, const struct tree *tree, const struct plain_scope *scope);
// Does the tree, with its variables, name an attribute under this root?
bool plain_reads(const struct plain *p, const struct tree *tree, struct str root);
bool plain_same(const struct value *a, const struct value *b);  // the same kind and content: for results
bool plain_equal(const struct value *a, const struct value *b); // CEL's ==
const struct value *plain_find(const struct value *map,
                               const struct value *key);       // the value of a key that is equal; NULL: none
int plain_order(const struct value *a, const struct value *b); // -1, 0, 1; 2: not a number; 3: none

// Functions that are strict in all arguments; `member` as in the tree.
struct value plain_call(const struct plain *p, const struct tree *call, const struct value *args,
                        size_t count);
// The string extension and the encoders (`strings.quote` by its whole name); false where none is called so.
bool plain_text(const struct plain *p, struct str name, const struct value *args, size_t count,
                struct value *out);
struct value plain_math(struct str name, const struct value *args, size_t count); // `math.abs`
bool plain_matches(struct str text, struct str pattern);
bool plain_within(int64_t epoch_s, struct str hours, struct str zone);

static inline struct value plain_error(void)
{
    return (struct value){.kind = VALUE_ERROR};
}

#endif
