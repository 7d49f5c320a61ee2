// SPDX-License-Identifier: Apache-2.0
// Rules that never matter: what those that are covered by one other rule (covered.c) and those that are
// covered by several together (together.c) share.
#ifndef LINT_COVER_H
#define LINT_COVER_H

#include "lint/keys.h"

#define COVER_OTHERS 64 // with which one rule is compared

// What a rule would be to another one, if it always held with it.
enum relation {
    RELATION_NONE,
    RELATION_REACHED, // in first-match: the other one is never reached
    RELATION_DENIES,  // an allow: the other one denies whatever it allows
    RELATION_SHADOWS, // the other one restricts no less, or allows as much
};

struct others {
    uint32_t at[COVER_OTHERS];
    enum relation as[COVER_OTHERS];
    size_t count;
};

// One way to be found: under a hash of what a conjunct tests.
struct entry {
    uint64_t key;
    uint32_t rule;
};

struct cover {
    struct lint *l;
    struct entry *entries; // by key, then rule
    size_t count;
    uint32_t *always; // rules without any condition
    size_t always_count;
    uint32_t *seen; // of each rule: the search in which it was looked at last
    uint32_t searches;
    uint32_t *cover_of; // of each rule: one that covers it, alone or with others; LINT_NONE: none does
    struct keys keys;
};

// Is it one that may be said to change nothing: written by somebody, and for everybody?
bool cover_speaks_of(const struct lint *l, uint32_t rule);
// Those that are to the rule what matters if they hold with it, by what is written of both. `whole`: each may
// cover all of it; else a part of it.
void cover_find(struct cover *c, uint32_t rule, bool whole, struct others *out);
// What the four parts of a rule, of which each must hold, are assumed to be.
#define COVER_PARTS 4
void cover_assume_part(struct lint *l, uint32_t rule, unsigned part, unsigned may);
// The truths of a rule that does not cover another one, whose truths are `certain` or may be unsure.
unsigned cover_bad(enum relation as, bool certain);
// In which truths a rule must be covered: without, also where it is unsure; `certain`: by what is certain.
struct cover_need {
    bool unsure, certain;
};
struct cover_need cover_need_of(const struct lint *l, uint32_t rule);
uint64_t cover_topics(struct lint *l, uint32_t rule);
// Nothing that has nothing to do with a rule is implied by it: each conjunct must share a topic with these.
bool cover_shares_topics(struct lint *l, uint64_t topics, const struct set_rule *by);

// Says what several rules cover together that no one covers. After those were said that one covers.
void cover_together(struct cover *c);

#endif
