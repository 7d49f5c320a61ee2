// SPDX-License-Identifier: Apache-2.0
// Scenarios against a policy folder that they were not written for: at which step it reacts.
#ifndef CLI_TEST_REACTIONS_H
#define CLI_TEST_REACTIONS_H

#include "cli/test/suite.h"

// What one Scenario came to.
struct reaction {
    const struct suite_doc *doc;
    const struct suite_play *first; // the first question that was not allowed; NULL: all were
    struct str effect, code, rule;  // of its answer; rule empty: none decided
    bool has_risk;
    double score;
    uint32_t questions, step_ups, denied, terminated;
    bool reacted; // something was not allowed or recorded
    bool stopped; // of an attack: when the step that it names was played last, it was not allowed
    // The first question that was denied, or the first event refused, was a rightful user's own: a step of
    // `ordinary`, or one before `stops` of which `effect: allow` is expected. Then the rest says nothing of
    // the policies. NULL: none was.
    const struct suite_play *held;
    // Before anything reacted, a question was malformed, or was of a session that never began, or an event
    // was malformed: a mistake of the Scenario, and no more is played. NULL: none was.
    const struct suite_play *broken;
    struct str why; // it is broken
};

struct reactions {
    struct arena arena;
    struct reaction *list;
    size_t count;
    uint32_t attacks, stopped;                          // in time
    uint32_t innocents, stepped_up, denied, terminated; // innocents to whom it happened, each once
    uint32_t attacks_void, innocents_void;              // of all of them: those that say nothing
    uint32_t broken;                                    // of all: those with a mistake
    uint32_t skipped;                                   // beside all of them
};

// Plays every Scenario that `filter` wants, by its name; NULL: all. reactions_fini whatever comes back.
MUST_USE enum pdp_err reactions_run(struct suite_runner *runner, const struct suite *suite,
                                    const char *filter, struct reactions *out);
void reactions_fini(struct reactions *reactions);
// Is every attack stopped in time, no innocent terminated, and none broken? An attack that says nothing is
// not stopped.
bool reactions_good(const struct reactions *reactions);

void reactions_table(const struct reactions *reactions, struct buf *out);
void reactions_json(const struct reactions *reactions, struct buf *out);

#endif
