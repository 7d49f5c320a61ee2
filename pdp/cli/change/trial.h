// SPDX-License-Identifier: Apache-2.0
// A question that is being looked for: what it says, by the names that conditions have for it, and what
// happens before it is asked.
#ifndef CLI_CHANGE_TRIAL_H
#define CLI_CHANGE_TRIAL_H

#include "base/arena.h"
#include "model/value.h"
#include "wire/wire.h"

#define TRIAL_VALUES_MOST 96
#define TRIAL_STEPS_MOST 320
#define TRIAL_NOW INT64_C(1795424400000) // 2026-11-23T09:00:00Z, a Monday

// Draws that are the same in every run.
struct luck {
    uint64_t state;
};
uint32_t luck_below(struct luck *luck, uint32_t limit); // 0 where limit is 0
static inline bool luck_one_in(struct luck *luck, uint32_t n)
{
    return luck_below(luck, n) == 0;
}

struct trial_value {
    struct str path; // as conditions name it
    struct value value;
};

struct trial {
    struct arena *arena;
    struct trial_value list[TRIAL_VALUES_MOST];
    uint32_t count;
    int64_t now_ms;
    // Before the question.
    bool session;     // it names a session
    bool login;       // whose issuer has spoken of it
    bool remember;    // the login asks to remember the device
    bool quiet;       // a plain question was asked in it before, as from its own place and device
    double evidence;  // of a finding from outside; NaN: there is none
    uint32_t failed;  // proofs that failed after that
    bool passed;      // one that succeeded
    bool stranger;    // what was asked before, another subject asked
    uint32_t repeats; // it was asked so often before
    uint32_t others;  // other sessions of the subject that began before
    int64_t early_ms; // they began at least so long before the question
    int64_t gap_ms;   // between what happened before and the question
    int64_t pace_ms;  // between repeats
};

// Nobody asks for nothing: every value is put by the caller.
void trial_init(struct trial *trial, struct arena *arena);
// Puts a value, in the place of the one that was there; nothing happens where there is no more room.
void trial_put(struct trial *trial, struct str path, struct value value);
void trial_drop(struct trial *trial, struct str path);
const struct value *trial_get(const struct trial *trial, struct str path);
// Does a question say such a thing, or is it known otherwise (risk, places, counters)?
bool trial_is_said(struct str path);

// What is asked, in its order.
struct trial_step {
    int64_t at_ms;
    bool event;
    struct value root; // of a question, the question; of an event `{"event": …}`
};
// What databases have to say of places for it: a map of networks to facts, as JSON; empty: nothing.
struct str trial_places(const struct trial *trial);
// Writes the steps; returns how many. The last is the question itself. In the trial's arena.
size_t trial_steps(const struct trial *trial, struct trial_step steps[static TRIAL_STEPS_MOST]);
// `{"at": T, "request": …}` or `{"at": T, "event": …}`.
void trial_line(const struct trial_step *step, struct emit *emit);

#endif
