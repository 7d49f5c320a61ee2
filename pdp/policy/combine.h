// SPDX-License-Identifier: Apache-2.0
// "How rules become one verdict" (DESIGN §5) and nothing else: no rules, no conditions, no memory.
#ifndef POLICY_COMBINE_H
#define POLICY_COMBINE_H

#include "model/verdict.h"

enum combine_algorithm {
    COMBINE_MOST_RESTRICTIVE,
    COMBINE_FIRST_MATCH,
    COMBINE_DENY_UNLESS_ALLOW
};

// What a rule or a policy passes on; the effects, and nothing.
enum combine_outcome {
    COMBINE_NONE,
    COMBINE_ALLOW,
    COMBINE_STEP_UP,
    COMBINE_DENY,
    COMBINE_TERMINATE
};

// One policy while its rules go by, in their order.
struct combine_policy {
    enum combine_algorithm algorithm;
    enum truth target;
    bool allowed;  // an allow was passed on
    bool finished; // first-match: an outcome was passed on
};

// Three-valued and.
static inline enum truth combine_both(enum truth a, enum truth b)
{
    if (a == TRUTH_NO || b == TRUTH_NO) {
        return TRUTH_NO;
    }
    return a == TRUTH_YES && b == TRUTH_YES ? TRUTH_YES : TRUTH_UNSURE;
}
// One rule. `proved`: the requirement of a step_up is met already (no meaning for others).
enum combine_outcome combine_rule(struct combine_policy *policy, enum pdp_effect effect, enum truth truth,
                                  bool proved);
// After the last rule: the deny that deny-unless-allow adds, or nothing.
enum combine_outcome combine_end(const struct combine_policy *policy);

// All outcomes of all policies: `seen` is a set of 1 << outcome.
enum pdp_effect combine_verdict(unsigned seen);
// The outcome that decided, for an effect of combine_verdict.
enum combine_outcome combine_outcome_of(enum pdp_effect effect);

#endif
