// SPDX-License-Identifier: Apache-2.0
// By what rules are found that another one may imply: hashes of what conditions test.
#ifndef LINT_KEYS_H
#define LINT_KEYS_H

#include "lint/inner.h"

#define KEYS_MOST 96      // by which others are found, of one rule
#define KEYS_SAME_MOST 16 // by which one is found
#define KEYS_CENSUS 8192

struct keys {
    struct lint *l;
    uint64_t at[KEYS_MOST];
    size_t count, strong; // the strong ones first
    uint64_t target;      // of the rule in hand
    uint32_t *census;     // KEYS_CENSUS counts: how many rules test something, by its hash
};

// All by which others are found that this rule may imply.
void keys_to_find(struct keys *keys, const struct set_rule *rule);
// Counts what a rule tests: of all rules, before any is to be found.
void keys_count(struct keys *keys, const struct set_rule *rule);
// Those of the one thing that it tests by which it is told apart best, at most KEYS_SAME_MOST. None: it tests
// nothing.
void keys_to_be_found(struct keys *keys, const struct set_rule *rule);

// What must hold for an expression to hold.
struct conjuncts {
    const uint32_t *at;
    uint32_t count;
    uint32_t one; // where there is but one
};
struct conjuncts keys_conjuncts(const struct cel_program *p, uint32_t expr);
uint32_t keys_conjunct(const struct conjuncts *all, uint32_t i);

#endif
