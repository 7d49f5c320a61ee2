// SPDX-License-Identifier: Apache-2.0
// What time and events do to a session: pure, one table of states and events. docs/SESSIONS.md shows it.
#ifndef SESSION_LIFECYCLE_H
#define SESSION_LIFECYCLE_H

#include "session/limits.h"
#include "session/session.h"

#define LIFECYCLE_AHEAD_MS (INT64_C(60) * 1000)                   // an auth_time further ahead is missing
#define LIFECYCLE_ADOPT_KEEP_MS (INT64_C(400) * 24 * 3600 * 1000) // tombstones of adopted sessions
#define LIFECYCLE_KEEP_MARGIN_MS (INT64_C(3600) * 1000) // tombstones outlive the absolute limit by this

// ---- Limits of time ----------------------------------------------------------------------------

// X(name, text)
#define LIFE_LIST(X)                                           \
    X(OVER, "terminated") /* a tombstone, or nothing at all */ \
    X(ALIVE, "alive")                                          \
    X(IDLE, "idle-expired")                                    \
    X(ABSOLUTE, "absolute-expired")

enum life_state {
#define X(name, text) LIFE_##name,
    LIFE_LIST(X)
#undef X
    LIFE_COUNT
};
const char *life_state_name(enum life_state state);

struct session_life {
    enum life_state state;
    enum session_on_limit
        does;        // IDLE, ABSOLUTE: what to do about it. DENY is no end: it may not be its limit
    int64_t next_ms; // when that changes if nothing happens, a bound for valid.until; INT64_MAX: never
};

// Which limit has passed, the one that does worst (terminate, deny, step_up; absolute before idle). A limit
// strikes at the very millisecond start + limit. The absolute limit runs from auth_time_ms, or where that is
// 0 from first_seen_ms, and what it asks (not what it ends) from the last renewal; the idle one from
// last_seen_ms. Sums saturate; a clock before the start counts as the start. OVER does TERMINATE.
struct session_life session_life(const struct session_record *record, const struct session_limits *limits,
                                 int64_t now_ms);

// When these limits certainly end it if nothing happens: for record.over_ms at every commit. 0: they do not.
int64_t lifecycle_over_at(const struct session_record *record, const struct session_limits *limits);

// May a session that is not known yet begin? `has_auth_time` and auth_time_ms as asserted.
// OK: *auth_time_ms is from when the absolute limit runs (now, where the policy adopts). MISSING: no
// auth_time, or one more than 60 s ahead, and the policy does not adopt. STALE: the absolute limit has passed
// already.
MUST_USE enum pdp_err lifecycle_first_sight(const struct session_limits *limits, bool has_auth_time,
                                            int64_t asserted_ms, int64_t now_ms, int64_t *auth_time_ms);

// Until when a session, live or ended, must be remembered so that its id cannot come back: past the longest
// time for which a question that asserts its auth_time could begin it. For record.keep_until_ms at every
// commit.
int64_t lifecycle_keep_until(const struct session_record *record, const struct session_limits *limits,
                             int64_t now_ms);

// ---- Events ------------------------------------------------------------------------------------

// Bits of struct lifecycle_step.does.
enum {
    LIFECYCLE_CREATES = 1 << 0,       // a session that was not known
    LIFECYCLE_ISSUES = 1 << 1,        // an issuer has spoken: its word wins from now on
    LIFECYCLE_AUTHENTICATES = 1 << 2, // auth_time is now: the absolute limit runs anew
    LIFECYCLE_RENEWS = 1 << 3,        // what the absolute limit asks runs anew; what it ends does not
    LIFECYCLE_TOUCHES = 1 << 4,       // the idle limit runs anew
    LIFECYCLE_IF_PROVED = 1 << 5,     // the state changes only where what was asked has been proved
    LIFECYCLE_SCORES = 1 << 6,        // the session's risk hears of it
    LIFECYCLE_SOURCE_ONLY = 1 << 7,   // only evidence about the source: no user, no session is touched
    LIFECYCLE_ENDS = 1 << 8,          // a tombstone is made
    LIFECYCLE_REFUSED = 1 << 9,       // not possible in this state: an error, nothing moves
    LIFECYCLE_ROTATES = 1 << 10,      // goes on under another id
};

struct lifecycle_step {
    enum session_state next;
    uint32_t does;
};

// What an event does in a state (SESSION_NONE: not known). EVENT_NONE, a question, is not in the table.
struct lifecycle_step lifecycle_step_of(enum session_state state, enum event_type event);

// Moves a copy of the record as the table says: state, issued, epoch, auth_time, last_seen, challenge, end.
// `proved`: what the session was asked for is proved now. STATE, with nothing moved, where refused. A new
// record (state NONE) must have its id, subject and anchor set by the caller.
MUST_USE enum pdp_err lifecycle_event(struct session_record *record, enum event_type event, bool proved,
                                      const struct session_limits *limits, int64_t now_ms);

// A question was judged: moves last_seen (never back) and counts, unless the session is over or a step_up is
// due, which another question must not make undone.
void lifecycle_touch(struct session_record *record, const struct session_life *life, int64_t now_ms);
// Ends the copy: state, epoch, code, times.
void lifecycle_end(struct session_record *record, enum pdp_code why, const struct session_limits *limits,
                   int64_t now_ms);
// Notes when a strength was proved, or with SESSION_PROOF_RENEWED that a step-up that is due by the absolute
// limit is not any more. The oldest gives way.
void lifecycle_prove(struct session_record *record, uint32_t name, int64_t at_ms);
// Records what is asked (`strength` is its index + 1) beside what was asked and not proved: the strongest, of
// the shortest age. Else whoever cannot prove one thing would look for a question that asks for less. With 0
// nothing is asked any more.
void lifecycle_challenge(struct session_record *record, uint8_t strength, uint32_t max_age_s);

#endif
