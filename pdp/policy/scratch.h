// SPDX-License-Identifier: Apache-2.0
// One worker's memory for matching: room for every rule, so that nothing is allocated while deciding.
#ifndef POLICY_SCRATCH_H
#define POLICY_SCRATCH_H

#include "policy/index.h"

struct scratch_match {
    uint32_t rule;
    uint8_t truth;   // enum truth: of target and rule together
    uint8_t outcome; // enum combine_outcome
};

enum scratch_lifting {
    SCRATCH_NOT_ASKED,
    SCRATCH_LIFTS_NOT,
    SCRATCH_MAY_LIFT, // nobody knows whether its condition holds
    SCRATCH_LIFTS     // and has lifted something: it is asked only where there is something to lift
};

struct policy_scratch {
    struct index_scratch ask;
    struct scratch_match *matched; // rules that are not no, in their order
    size_t count;
    uint8_t *lifting; // of each exception, since this question: enum scratch_lifting
    uint64_t *taken;  // a bit for each obligation; all zero between calls
};

// Why the rules were unsure that made this decision, in words: at most VERDICT_MISSING_MAX, each once. Rules
// are those of `scratch` for which `counts`. Off the hot path: only where something is missing.
void explain_missing(const struct policy_set *set, const struct policy_scratch *scratch,
                     struct cel_frame *frame, const struct policy_host *host,
                     const struct policy_question *question, enum combine_outcome decided, bool allows,
                     struct arena *arena, struct policy_result *out);

#endif
