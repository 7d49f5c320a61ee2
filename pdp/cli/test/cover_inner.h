// SPDX-License-Identifier: Apache-2.0
// What coverage is made of.
#ifndef CLI_TEST_COVER_INNER_H
#define CLI_TEST_COVER_INNER_H

#include "base/map.h"
#include "cli/test/cover.h"
#include "cli/test/parsed.h"
#include "policy/set.h"

struct cover {
    struct parsed parsed;
    struct map names; // of rules, and of policies with a slash behind them, to their numbers
    const struct policy_set *set;
    const struct cel_program *program;
    struct watch watch;
    struct cover_rule *rules; // by number; those without a place were written by nobody
    struct cover_rule *shown; // with a place, in order
    size_t shown_count;
    struct cover_point *points;
    size_t point_count, point_cap;
    enum truth *targets; // of the question at hand: of each policy
    bool *reached;       // whether each rule came to its `when`
    bool *held;          // and whether it held
    uint64_t *near;      // bits of COVER_REACHES
    size_t words;
};

// For struct watch; `user` is the struct cover *.
void cover_judged(void *user, const struct watched *watched);
void cover_limited(void *user, const struct watched *watched);

#endif
