// SPDX-License-Identifier: Apache-2.0
// A snapshot that is about to be served, tried on the sessions that live: whom would it end, what would
// change? A record tells no question, so each session is asked some of those that were asked here of late, as
// last seen.
#ifndef ENGINE_TRIAL_H
#define ENGINE_TRIAL_H

#include "base/ip.h"
#include "engine/engine.h"

#include <pthread.h>

// ---- What is asked of late, a worker ---------------------------------------------------------------

enum {
    LATELY_MOST = 32,
    LATELY_TEXT = 232,
    LATELY_EVERY = 61 // one question in so many is noted; a prime, so that no rhythm of peers hides some
};

struct lately_question {
    uint16_t action, type, id, path; // lengths, in their order in the text; action 0: none
    char text[LATELY_TEXT];
};

struct lately {
    pthread_mutex_t lock; // the worker only tries it
    uint32_t next;
    struct lately_question list[LATELY_MOST];
};

struct ask;
void lately_note(const struct ask *ask); // the worker's thread, after a decision

// ---- The trial ---------------------------------------------------------------------------------------

enum {
    TRIAL_QUESTIONS = 6, // asked of each session, besides the one that has neither action nor resource
    TRIAL_GROUPS = 24,   // of each kind that are named
    TRIAL_EXAMPLES = 20,
    TRIAL_MOST =
        200000 // sessions that are looked at; they are spread by a hash, so the first are as good as any
};

struct trial_group {
    char name[260];
    uint64_t ends, tightens; // sessions; tightens: those with a step_up or deny more
};

struct trial_groups {
    struct trial_group list[TRIAL_GROUPS];
    size_t count;
    struct trial_group others; // of those that found no place
};

struct trial_example {
    char ref[32], tenant[64], subject_type[64], subject_id[64], gateway[64], rule[260];
    enum pdp_effect effect;
};

struct trial_result {
    uint64_t live, looked;                    // sessions; looked at fewer: counts are of those
    uint64_t ends, denies, steps_up, loosens; // each session once, by the worst that changes
    uint64_t unsure;                          // changes, but by what the record does not tell
    uint64_t admin_ends, admin_tightens;      // of those that administrators have, as far as they are named
    size_t questions;                         // that were asked of each
    struct trial_groups by_rule, by_gateway, by_tenant, by_type;
    struct trial_example examples[TRIAL_EXAMPLES];
    size_t example_count;
};

// Who administers, by subject and by the address that they were seen at last. Borrowed.
struct trial_admins {
    const struct str *subjects;
    size_t subject_count;
    const struct cidr *addresses;
    size_t address_count;
};

struct trial;

// `next` is borrowed and must not be published before trial_free. `ends_only`: nothing but ends is counted,
// which costs half. LIMIT: memory for it cannot be made.
MUST_USE enum pdp_err trial_new(struct worker *worker, struct snapshot *next,
                                const struct trial_admins *admins, bool ends_only, struct trial **out);
void trial_free(struct trial **trial);
// Looks at some sessions more, at most 64, one by one under its lock and judged outside of it. Moves nothing.
// true: there is more. The worker's thread.
bool trial_step(struct trial *trial, int64_t now_ms);
const struct trial_result *trial_result(const struct trial *trial);
// Ends among all that live, by those that were looked at.
uint64_t trial_ends(const struct trial_result *result);

#endif
