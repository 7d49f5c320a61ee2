// SPDX-License-Identifier: Apache-2.0
// Making options out of the tests of one attribute. For options_values.c and options_lists.c.
#ifndef CLI_EXPLAIN_OPTIONS_MAKE_H
#define CLI_EXPLAIN_OPTIONS_MAKE_H

#include "cli/explain/options.h"

struct making {
    struct options *o;
    struct attribute *at;
};

#define MAKING_GIVEN 0.5 // what is missing and would be given counts as much more
#define MAKING_ONE 1.0   // the size of a truth, a text, an element, a list

bool making_missing(const struct attribute *at); // or of another type
bool making_same(const struct making *m, const struct value *a, const struct value *b);
// The smallest way to one value is kept. What it is already is none.
void making_add(struct making *m, struct option option);
void making_add_value(struct making *m, struct value to, enum option_say say, struct value than, double size);
// A text, and an address of the documentation's networks, that no test holds for.
struct value making_text(struct making *m);
struct value making_address(struct making *m);
struct value making_ip(struct making *m, const struct ip *ip);
struct value making_unlisted(struct making *m,
                             uint32_t set); // as a list of that kind may hold it, and none does
bool making_holds(const struct making *m, const struct option_test *test, const struct value *value);
bool making_askable(const struct making *m, const struct value *to); // could a question say it?

// Every one of some elements, then every two and three, put in where they are not, else taken out.
void making_elements(struct making *m);
// Each way in which a step-up may be told that proves a strength.
void making_proofs(struct making *m);
// First: values of an attribute that is looked up in List documents.
void making_samples(struct making *m);
// Entries of lists that it was not in, and what is not in those that it was in.
void making_members(struct making *m);

#endif
