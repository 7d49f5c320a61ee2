// SPDX-License-Identifier: Apache-2.0
// HOT
#include "policy/combine.h"

static enum combine_outcome outcome(enum pdp_effect effect, enum truth truth, bool proved)
{
    if (truth == TRUTH_NO) {
        return COMBINE_NONE;
    }
    if (effect == PDP_EFFECT_STEP_UP) {
        return proved ? COMBINE_NONE : COMBINE_STEP_UP;
    }
    if (effect == PDP_EFFECT_ALLOW) {
        return truth == TRUTH_YES ? COMBINE_ALLOW : COMBINE_NONE;
    }
    // Unsure never ends a session.
    return effect == PDP_EFFECT_TERMINATE && truth == TRUTH_YES ? COMBINE_TERMINATE : COMBINE_DENY;
}

enum combine_outcome combine_rule(struct combine_policy *policy, enum pdp_effect effect, enum truth truth,
                                  bool proved)
{
    if (policy->finished) {
        return COMBINE_NONE;
    }
    truth = combine_both(policy->target, truth);
    enum combine_outcome what = outcome(effect, truth, proved);
    if (policy->algorithm == COMBINE_FIRST_MATCH) {
        // What is unsure may have been the first match: nothing after it may be trusted.
        if (truth == TRUTH_UNSURE && !(effect == PDP_EFFECT_STEP_UP && proved)) {
            what = COMBINE_DENY;
        }
        policy->finished = what != COMBINE_NONE;
    }
    policy->allowed = policy->allowed || what == COMBINE_ALLOW;
    return what;
}

enum combine_outcome combine_end(const struct combine_policy *policy)
{
    bool adds = policy->algorithm == COMBINE_DENY_UNLESS_ALLOW && policy->target != TRUTH_NO;
    return adds && !policy->allowed ? COMBINE_DENY : COMBINE_NONE;
}

enum pdp_effect combine_verdict(unsigned seen)
{
    if ((seen & (1U << COMBINE_TERMINATE)) != 0) {
        return PDP_EFFECT_TERMINATE;
    }
    if ((seen & (1U << COMBINE_DENY)) != 0 || (seen & (1U << COMBINE_ALLOW)) == 0) {
        return PDP_EFFECT_DENY;
    }
    return (seen & (1U << COMBINE_STEP_UP)) != 0 ? PDP_EFFECT_STEP_UP : PDP_EFFECT_ALLOW;
}

enum combine_outcome combine_outcome_of(enum pdp_effect effect)
{
    static const enum combine_outcome OUTCOMES[PDP_EFFECT_COUNT] = {
        [PDP_EFFECT_DENY] = COMBINE_DENY,
        [PDP_EFFECT_ALLOW] = COMBINE_ALLOW,
        [PDP_EFFECT_STEP_UP] = COMBINE_STEP_UP,
        [PDP_EFFECT_TERMINATE] = COMBINE_TERMINATE,
    };
    return (unsigned)effect < PDP_EFFECT_COUNT ? OUTCOMES[effect] : COMBINE_DENY;
}
