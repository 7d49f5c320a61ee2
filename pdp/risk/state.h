// SPDX-License-Identifier: Apache-2.0
// What is remembered of a session and of a user: plain bytes, zero is nothing known, any bytes are valid.
#ifndef RISK_STATE_H
#define RISK_STATE_H

#include "risk/risk.h"

#define STATE_SLOTS 18
#define USER_SESSIONS 4

// A signal's pair (value, at) lies in a slot of its own, whose number in signals.c never changes, so that a
// state outlives any reload. Values are log-odds in steps of 1/2048, times whole seconds since 1970.
struct risk_state {
    int64_t last_ms; // the latest time at which the session was seen: its clock never runs back from it
    float cusum;     // of the request rate, at last_ms
    uint32_t tag;    // of the session among the user's; 0: not given yet
    uint32_t begun;  // last_ms and cusum hold
    uint32_t at_s[STATE_SLOTS];
    uint16_t value[STATE_SLOTS];
};

// What a session leaves to the user's others.
struct user_mark {
    uint32_t tag, at_s;
    uint16_t value, spare;
};

struct risk_user {
    uint32_t tags; // given so far
    uint32_t spare;
    struct user_mark marks[USER_SESSIONS];
    uint64_t spares;
};

_Static_assert(sizeof(struct risk_state) == RISK_SESSION_BYTES, "a session's risk state has a fixed size");
_Static_assert(sizeof(struct risk_user) == RISK_USER_BYTES, "a user's risk state has a fixed size");

#endif
