// SPDX-License-Identifier: Apache-2.0
// What a rule lists of actions and resources, against a question: yes, no, or unsure where it does not say.
#ifndef POLICY_MATCH_H
#define POLICY_MATCH_H

#include "policy/set.h"

static inline enum truth match_actions(const struct set_rule *rule, struct str action)
{
    if (rule->action_count == 0) {
        return TRUTH_YES;
    }
    if (action.at == NULL) {
        return TRUTH_UNSURE;
    }
    for (uint32_t i = 0; i < rule->action_count; i++) {
        if (str_eq(rule->actions[i], action)) {
            return TRUTH_YES;
        }
    }
    return TRUTH_NO;
}

static inline enum truth match_resources(const struct set_rule *rule, struct str path)
{
    if (rule->resource_count == 0) {
        return TRUTH_YES;
    }
    if (path.at == NULL) {
        return TRUTH_UNSURE;
    }
    for (uint32_t i = 0; i < rule->resource_count; i++) {
        if (glob_match(&rule->resources[i], path)) {
            return TRUTH_YES;
        }
    }
    return TRUTH_NO;
}

#endif
