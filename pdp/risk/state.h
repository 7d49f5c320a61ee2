// SPDX-License-Identifier: Apache-2.0
// What is remembered of a session and of a user: plain bytes, zero is nothing known, any bytes are valid.
#ifndef RISK_STATE_H
#define RISK_STATE_H

#include "risk/risk.h"

#define STATE_ENTRIES 11
#define USER_SESSIONS 4

// A pair (value, at) of the ledger under its permanent number of signals.c, so that a state outlives any
// reload. Log-odds in steps of 1/2048, times in whole seconds since 1970.
struct risk_entry {
    uint16_t slot;
    uint16_t value; // 0: free
    uint32_t at_s;
};

// Few signals ever speak of one session: only theirs are kept. Where all places are taken, the weakest gives
// way to what is stronger.
struct risk_state {
    int64_t last_ms;  // the latest time at which the session was seen: its clock never runs back from it
    float cusum;      // of the request rate, at last_ms
    uint16_t tag;     // of the session among the user's; 0: not given yet
    uint8_t begun;    // STATE_BEGUN: last_ms and cusum hold; and the level told last: state_told
    uint8_t switches; // between two that use it at once, and when the last one was: concurrent.c
    uint32_t switched_s, sides;
    uint16_t components[SIGHT_COMPONENTS]; // of the anchor's device, as in a sighting; 0: not known
    struct risk_entry entries[STATE_ENTRIES];
};

#define STATE_BEGUN 1u

static inline bool state_begun(const struct risk_state *state)
{
    return (state->begun & STATE_BEGUN) != 0;
}

// The level that the last question was told: RISK_LOW where none was, or where no level is held.
static inline enum risk_level state_told(const struct risk_state *state)
{
    return (enum risk_level)(state->begun >> 1 & 3);
}

static inline void state_tell(struct risk_state *state, enum risk_level level)
{
    state->begun = (uint8_t)((state->begun & STATE_BEGUN) | (unsigned)level << 1);
}

// What a session leaves to the user's others.
struct user_mark {
    uint32_t at_s;
    uint16_t tag, value;
};

// One value that a user's accepted contexts showed.
struct user_value {
    uint32_t tag;        // of feature, parent and value; 0: free
    uint32_t hour : 20;  // when it was counted last, in hours since 1970
    uint32_t count : 12; // at that time, in sixteenths
};

// Places for values by feature: bounded, so the ones that count least give way.
enum {
    USER_COUNTRIES = 5,
    USER_NETWORKS = 7,
    USER_PREFIXES = 9,
    USER_SYSTEMS = 4,
    USER_BROWSERS = 5,
    USER_PRINTS = 8,
    USER_VALUES = USER_COUNTRIES + USER_NETWORKS + USER_PREFIXES + USER_SYSTEMS + USER_BROWSERS + USER_PRINTS,
    USER_FEATURES = 6
};

struct risk_user {
    uint16_t tags;                 // given to sessions so far
    uint16_t total;                // accepted contexts, one an hour at most, in 1/256
    uint32_t hour;                 // when one was counted last
    uint16_t day;                  // to which total, fresh and hours have aged, since 1970
    uint16_t fresh[USER_FEATURES]; // how often a value under a known parent was new, in 1/256
    uint16_t spare;
    struct user_mark marks[USER_SESSIONS];
    uint8_t hours[24]; // of the day, UTC
    struct user_value values[USER_VALUES];
};

_Static_assert(sizeof(struct risk_state) == RISK_SESSION_BYTES, "a session's risk state has a fixed size");
_Static_assert(sizeof(struct risk_user) == RISK_USER_BYTES, "a user's risk state has a fixed size");

// The pair of a number; NULL: nothing is kept under it.
struct risk_entry *state_find(struct risk_state *state, uint16_t slot);
// What an entry is worth now.
typedef double risk_left(const void *user, const struct risk_entry *entry);
// Keeps a pair whose number is not there yet. Where all places are taken the one with the least left gives
// way, if it has less than this one. Pairs lie by rising number, so that the order in which they came leaves
// no trace.
void state_keep(struct risk_state *state, const struct risk_entry *entry, risk_left *left, const void *user);
// Forgets what is kept under a number.
void state_drop(struct risk_state *state, uint16_t slot);

#endif
