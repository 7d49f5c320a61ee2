// SPDX-License-Identifier: Apache-2.0
// Looking into decisions while all that they stand on is still there: for coverage, explanations and what-if.
// A daemon has nobody who watches.
#ifndef ENGINE_WATCH_H
#define ENGINE_WATCH_H

#include "engine/engine.h"
#include "policy/schema.h"
#include "risk/risk.h"
#include "session/limits.h"

// What a snapshot is made of, to read. All lives as long as the snapshot.
struct snapshot_parts {
    const struct cel_program *program; // sealed
    const struct policy_set *set;
    const struct policy_lists *lists;
    const struct policy_names *names;
    const struct policy_schema *schema;
    const struct cel_env *env;
    const struct risk_model *risk;
    const struct session_policies *sessions;
    const struct geo_set *geo;
};
void snapshot_parts(const struct snapshot *snapshot, struct snapshot_parts *out);

// One question that policies have judged, after its state has moved.
struct watched {
    const struct snapshot *snapshot;
    struct cel_frame *frame; // as the decision left it: what it ran is remembered
    struct policy_scratch *scratch;
    const struct cel_host *cel_host; // what attributes and lists say of this question
    const struct policy_host *policy_host;
    const struct policy_question *question;
    const struct policy_result *result; // of policies alone, before locks joined
    const struct risk_result *risk;     // the whole ledger
    const struct request *request;
    const struct verdict *verdict; // but for the session's ref and what shadow says
    struct arena *arena;           // of the message
    int64_t now_ms;
};

// Called at the end of each question or item of a batch that policies judged; not where the session alone
// decided (a tombstone, a limit, a cut-off), not in shadow, not for candidates of a search. On the worker's
// thread, before its engine_answer or engine_decide returns; all it is given lives until then. It may run any
// expression in the frame, and may begin the frame anew with a host of its own and call policy_decide with
// it: what would have been, without moving any state. It must not call the worker.
struct watch {
    void (*judged)(void *user, const struct watched *watched);
    void *user;
    // NULL, or called at the end of each question of a session whose limits were looked up, and which policies
    // did not judge: the session alone decided. `policy_host`, `question`, `result` and `risk` are NULL; the
    // frame may run targets of session policies and nothing else, and must not begin anew.
    void (*limited)(void *user, const struct watched *watched);
};
// `watch` is borrowed until it is replaced; NULL: nobody watches. Between two messages.
void worker_watch(struct worker *worker, const struct watch *watch);

#endif
