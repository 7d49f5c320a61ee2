// SPDX-License-Identifier: Apache-2.0
// What a search need not look at: candidates that no allow rule can allow.
//
// However policies combine, an answer is an allow only where some allow rule holds for certain. So candidates
// for which every allow rule is certainly no are none, and rules of other effects need not be asked. Which
// allow rules are left is told by the index and by running their conditions with what is searched unknown: a
// no is then a no for every candidate. What is left tests ids or names, or it does not: then nothing is ruled
// out.
#ifndef POLICY_NARROW_H
#define POLICY_NARROW_H

#include "model/search.h"
#include "policy/entities.h"

#define NARROW_RANGES_MOST 16384 // more rule nothing out

struct narrow_ask {
    enum search_part part;
    bool by_path; // of a resource: its id is the text that `resources` of rules and `resource.path` are about
    struct str action, path; // as in struct policy_question; at NULL where that is searched
    const uint64_t *muted;   // likewise
    int64_t now_ms;
};

struct narrowed {
    bool all;                            // nothing is ruled out
    const struct entities_range *ranges; // else nothing but these, sorted, in the arena; never NULL
    size_t count;                        // 0: no allow rule can hold
};

// `frame` was begun over a host that says of everything which may differ from candidate to candidate that it
// is an error of kind SAID, so that has() is unsure of it too. Costs what the conditions of the allow rules
// cost that the index gives; memory that is out rules nothing out.
void policy_narrow(const struct policy_set *set, struct policy_scratch *scratch, struct cel_frame *frame,
                   const struct narrow_ask *ask, struct arena *arena, struct narrowed *out);

#endif
