// SPDX-License-Identifier: Apache-2.0
// Can any question be so? Refutes what is assumed of conditions: their truths are split until each assumption
// is one about an attribute, and what is known of each attribute is narrowed until nothing is left of one.
//
// What is refuted is impossible for every question, but for one that runs out of steps or memory. What is
// not refuted may be possible or not: the search is bounded, and says nothing of what it does not know.
#ifndef LINT_REASON_H
#define LINT_REASON_H

#include "policy/set.h"
#include "risk/risk.h"

// Truths that a condition may have.
enum {
    MAY_YES = 1,
    MAY_NO = 2,
    MAY_UNSURE = 4,
    MAY_ALL = 7
};

struct reason;

struct reason_input {
    const struct cel_program *program; // sealed
    const struct policy_lists *lists;  // NULL: of no list anything is known
    bool scored;                       // what follows is known of scores
    double score_most, hard_most;      // no score, and no hard evidence, is above
    uint32_t level_most;               // nor any level
    const struct risk_model *risk;     // of each signal it knows the most that it counts for
};

// Borrows all. *out NULL on failure.
MUST_USE enum pdp_err reason_new(const struct reason_input *input, struct reason **out);
void reason_free(struct reason **reason);

// What was assumed up to now; what is assumed later is forgotten by going back to it. Marks nest.
struct reason_mark {
    size_t trail, saved, claims, pending;
    bool refuted;
};
struct reason_mark reason_mark(const struct reason *reason);
void reason_undo(struct reason *reason, struct reason_mark mark);

// Assumes that an expression has one of these truths; SET_NO_EXPR is always yes.
void reason_assume(struct reason *reason, uint32_t expr, unsigned may);
// The same of what a rule lists of actions, and of resources.
void reason_actions(struct reason *reason, const struct set_rule *rule, unsigned may);
void reason_resources(struct reason *reason, const struct set_rule *rule, unsigned may);
// That an attribute is missing; that it is this text, or another one.
void reason_missing(struct reason *reason, uint32_t slot);
void reason_text(struct reason *reason, uint32_t slot, const struct str *text, bool is);

// Is it impossible? Spends at most `effort` steps on finding out; false then.
bool reason_refuted(struct reason *reason, uint32_t effort);
int64_t reason_left(const struct reason *reason); // of the effort that was spent last
// Is it impossible at first sight, without trying alternatives?
bool reason_plain(const struct reason *reason);

// What an expression speaks of, as bits of a hash: two that share no bit have nothing to do with each other.
uint64_t reason_topics(struct reason *reason, uint32_t expr);
uint64_t reason_topic(uint32_t slot);                                             // of an attribute
uint64_t reason_topics_asked(struct reason *reason, const struct set_rule *rule); // its actions and resources

#endif
