// SPDX-License-Identifier: Apache-2.0
// Controls in a decision: cut-offs before anything else that may allow, locks as rules that nothing lifts.
// Inside of the engine.
#ifndef ENGINE_CONTROL_H
#define ENGINE_CONTROL_H

#include "engine/ask.h"

// What the locks that name a question, or may, make of it.
struct ask_locks {
    bool decide;     // they do, alone or beside rules of the same effect
    bool alone;      // no rule of a policy is as strict
    struct str name; // of the first that is certain, else of the first
    struct str names[VERDICT_RULES_MAX];
    size_t count;
};

// What the question says of itself, as controls of this part ask for it.
void control_facts(const struct ask *ask, enum controls_part_id part, struct control_facts *out);

// The latest cut-offs that are about this question, and those that may be: sets ask->cut. Needs the hold.
void control_cuts(struct ask *ask);
// Is the session over by a cut-off: authenticated before it, or nobody knows when? Unsure where it cannot be
// told whom the cut-off is about.
enum truth control_cut_off(const struct ask *ask);
// The same of an authentication at `auth_ms` that begins it now.
enum truth control_cuts_at(const struct ask *ask, int64_t auth_ms);

// Joins locks to what the policies say (DESIGN §5): effects combine by severity, requirements merge. *result
// is as strict as before or stricter; its texts become those of a lock that decides.
void control_join(struct ask *ask, struct policy_result *result, struct ask_locks *out);
// Puts their names before those of the rules that decided.
void control_name(struct ask *ask, const struct ask_locks *locks, struct verdict *out);
// The strictest that locks say of an event, which no policy judges: allow where there is none. `why` and
// `missing` for people.
enum pdp_effect control_event(struct ask *ask, struct str *why, struct str *missing);

#endif
