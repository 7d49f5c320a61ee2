// SPDX-License-Identifier: Apache-2.0
// Making options out of the tests of one attribute. For options_values.c and options_lists.c.
#ifndef CLI_EXPLAIN_OPTIONS_MAKE_H
#define CLI_EXPLAIN_OPTIONS_MAKE_H

#include "cli/explain/options.h"

struct making {
    struct options *o;
    struct attribute *at;
};

#define MAKING_ONE 1.0 // the size of a truth, a text, an element, a list

bool making_missing(const struct attribute *at); // or of another type
bool making_same(const struct making *m, const struct value *a, const struct value *b);
// The smallest way to one value is kept. What it is already is none.
void making_add(struct making *m, struct option option);
void making_add_value(struct making *m, struct value to, enum option_say say, struct value than, double size);
// A text, and an address of the documentation's networks, that no test holds for.
struct value making_text(struct making *m);
struct value making_address(struct making *m);

// Every one of some elements, then every two and three, put in where they are not, else taken out.
void making_elements(struct making *m);
// In a list where it was not, or the other way round; what is missing is given, in it or not.
void making_members(struct making *m);

#endif
