// SPDX-License-Identifier: Apache-2.0
// Random rule sets in which what some rules say is split over others, along few things; and questions that
// lie on both sides of each cut.
#ifndef TESTS_DIFF_SPLIT_H
#define TESTS_DIFF_SPLIT_H

#include "diff/world.h"

enum {
    SPLIT_POLICIES = 2,
    SPLIT_RULES = 9 // a policy
};

// Writes documents: strengths, lists, policies, sometimes an exception. One file.
void split_write(struct chance *chance, struct buf *out);
// Changes a world so that what the rules test differs from one to the next.
void split_ask(struct world *world, struct chance *chance, struct arena *arena);

#endif
