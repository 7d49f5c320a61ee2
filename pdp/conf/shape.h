// SPDX-License-Identifier: Apache-2.0
// What documents look like, over the very tables that their readers read by: for tools that show it.
#ifndef CONF_SHAPE_H
#define CONF_SHAPE_H

#include "conf/conf.h"

struct conf_shape;

// What stands below a key whose value is more than conf_field's type says.
enum conf_form {
    CONF_FORM_ANY,     // anything
    CONF_FORM_TEXT,    // text, whatever the field's type is
    CONF_FORM_CHOICES, // one of the field's choices, or a list of them
    CONF_FORM_RANGE,   // a list of two numbers
    CONF_FORM_PERCENT, // a number, or `1%`
    CONF_FORM_TEXTS,   // text, or a list of it
    CONF_FORM_ENTRIES, // a list of text
    CONF_FORM_MAP,     // a map of `of`
    CONF_FORM_LIST,    // a list of maps of `of`
    CONF_FORM_ITEMS,   // a list, of which each is text or a map of `of`
    CONF_FORM_NAMED,   // a map by names of the author's, each a map of `of`
    CONF_FORM_VALUES,  // a map by names, each anything
    CONF_FORM_LISTS,   // a map by names, each text or a list of it
    CONF_FORM_RANGES,  // a map by names, each a truth or a list of two numbers
    CONF_FORM_NUMBERS, // a map by names, each a number
    CONF_FORM_EXPR,    // an expression
    CONF_FORM_EXPRS,   // a map by names, each an expression
    CONF_FORM_WHEN,    // an expression, a list of conditions, or a map of `all`, `any` and `not`
};

struct conf_nest {
    const char *key;
    enum conf_form form;
    const struct conf_shape *of;
};

// Keys that hang together, beyond what each field says of itself.
enum conf_bond {
    CONF_BOND_ONE,  // exactly one of `keys`
    CONF_BOND_SOME, // at least one of `keys`
    CONF_BOND_NEED, // keys[0] where keys[1] is keys[2], and there alone
    CONF_BOND_FILL, // none of `keys` is an empty list
    CONF_BOND_ONLY, // keys[0] only where keys[1] is keys[2]
};
struct conf_tie {
    enum conf_bond bond;
    const char *keys[5]; // up to the first NULL
};

struct conf_shape {
    const char *name; // of a document: its kind
    const struct conf_field *fields;
    size_t count;
    const struct conf_nest *nests; // of fields that say too little themselves
    size_t nest_count;
    const struct conf_tie *ties;
    size_t tie_count;
};

// The shape of that name, or NULL.
const struct conf_shape *shape_named(const struct conf_shape *const *shapes, size_t count, struct str name);
// A key's field; what stands below it. NULL: it has none.
const struct conf_field *shape_field(const struct conf_shape *shape, struct str key);
const struct conf_nest *shape_nest(const struct conf_shape *shape, struct str key);

// Calls `see` for each scalar below `map` that is an expression, in the order of the text. What does not fit
// the shape is passed over.
void shape_exprs(const struct conf_shape *shape, const struct conf_node *map,
                 void (*see)(void *user, const struct conf_node *scalar), void *user);

#endif
