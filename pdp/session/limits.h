// SPDX-License-Identifier: Apache-2.0
// `SessionPolicy` documents: limits of time and number; of those that match, the shortest rules.
#ifndef SESSION_LIMITS_H
#define SESSION_LIMITS_H

#include "cel/cel.h"
#include "conf/conf.h"

#define SESSION_ABSOLUTE_DEFAULT_MS (INT64_C(24) * 3600 * 1000) // NIST 800-63B-4, AAL2: at most 24 h
#define SESSION_IDLE_DEFAULT_MS (INT64_C(3600) * 1000)          // AAL2: at most 1 h
#define SESSION_OVERLAP_DEFAULT_MS (INT64_C(10) * 1000)

// What a limit does when it strikes. DENY: would end the session, but its policy could not be decided.
enum session_on_limit {
    ON_LIMIT_TERMINATE,
    ON_LIMIT_STEP_UP,
    ON_LIMIT_DENY
};

// When the limits of one kind strike, by what they do; INT64_MAX: none does.
struct limit_times {
    int64_t terminate_ms; // the shortest that certainly ends the session
    int64_t deny_ms; // the shortest that would, of policies that could not be decided: unsure never ends one
    int64_t step_up_ms; // the shortest that asks, decided or not
};

// How many sessions of a subject may live at once: what each number does to a new one where it is reached.
// UINT32_MAX: there is none.
#define SESSION_CONCURRENT_MOST 1000
struct limit_live {
    uint32_t refuse; // refuses it
    uint32_t unsure; // may refuse it or end another, of policies that could not be decided: it is refused
    uint32_t end;    // ends the oldest
    uint32_t unsure_target;                     // the condition that could not be decided
    struct str refuse_why, unsure_why, end_why; // which limit; lives as long as the policies
};

struct session_limits {
    struct limit_times idle, absolute;          // what session/lifecycle.h judges by
    int64_t idle_ms, absolute_ms;               // the shortest of each kind, whatever it does
    enum session_on_limit on_idle, on_absolute; // what that one does
    struct limit_live live;
    int64_t renew_ms;    // an id this old should be replaced; 0: at no age
    int64_t overlap_ms;  // for so long an id that was replaced is judged as its successor
    int64_t remember_ms; // for so long a device may be remembered; 0: none is
    int64_t longest_ms;  // of all policies, matching or not: for how long an id may come back; 0: not said
    bool adopt;  // first_sight: adopt; only of policies that certainly match, and where none says `known`
    bool unsure; // a target could not be decided: its limits are taken (they only restrict)
};

// The defaults above, and first_sight: known.
void session_limits_default(struct session_limits *out);
// Words for a limit of number, made when it is read; at NULL where memory is out.
struct str session_limits_say(struct arena *arena, struct str policy, uint32_t concurrent);

struct session_policies;

// Reads all SessionPolicy documents (others are passed over), adding their targets to `program`. `scopes`
// (NULL: none) are expressions by document that must hold besides its target; UINT32_MAX: nothing must. Lives
// in `arena`. With no document, the defaults above hold.
MUST_USE enum pdp_err session_policies_read(const struct conf_doc *docs, size_t count, const uint32_t *scopes,
                                            struct cel_program *program, struct arena *arena,
                                            struct diags *diags, const struct session_policies **out);
// What one document says, for those who compare or explain. 0: it does not say.
struct session_stated {
    struct str name;
    uint32_t target; // with what its Scopes leave to it; UINT32_MAX: everyone
    int64_t idle_ms, absolute_ms, reauthentication_ms, renew_ms, overlap_ms, remember_ms;
    bool idle_asks, absolute_asks; // a step-up where the limit strikes
    uint32_t concurrent;
    bool ends_oldest;
    const char *first_sight; // `known`, `adopt`; NULL: it does not say
};
// In the order of the documents; false: there are no more.
bool session_policies_at(const struct session_policies *policies, size_t index, struct session_stated *out);

// The limits for the request that `frame` was begun for. The shortest of all that match or may match.
void session_limits_of(const struct session_policies *policies, struct cel_frame *frame,
                       struct session_limits *out);

#endif
