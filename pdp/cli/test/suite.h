// SPDX-License-Identifier: Apache-2.0
// Tests of policies: `Test` and `Scenario` documents, read once and played against any number of snapshots.
#ifndef CLI_TEST_SUITE_H
#define CLI_TEST_SUITE_H

#include "conf/conf.h"
#include "engine/engine.h"

// ---- Documents -----------------------------------------------------------------------------------

enum suite_kind {
    SUITE_TEST,
    SUITE_SCENARIO,
    SUITE_GIVEN // of no suite: it is laid over scenarios
};

// The keys of `expect`, as they are told to people. X(name, key)
#define SUITE_CLAIM_LIST(X)       \
    X(EFFECT, "effect")           \
    X(CODE, "code")               \
    X(RULE, "rule")               \
    X(RULES, "rules")             \
    X(STRENGTH, "strength")       \
    X(MAX_AGE, "max_age")         \
    X(RISK, "risk")               \
    X(LEVEL, "level")             \
    X(SIGNAL, "signals")          \
    X(OBLIGATIONS, "obligations") \
    X(EXCEPTIONS, "exceptions")   \
    X(MISSING, "missing")         \
    X(MESSAGE, "message")         \
    X(REASON, "reason")           \
    X(RECORDED, "recorded")       \
    X(OK, "ok")                   \
    X(ERROR, "error")

enum suite_claim_kind {
#define X(name, key) SUITE_##name,
    SUITE_CLAIM_LIST(X)
#undef X
    SUITE_CLAIM_COUNT
};
extern const char *const SUITE_CLAIM_NAMES[SUITE_CLAIM_COUNT];

// One thing that is expected. What a kind does not use is zero.
struct suite_claim {
    enum suite_claim_kind kind;
    struct place place;
    struct str expected;                  // for people: `deny or terminate`, `0 to 10`
    struct str signal;                    // of SIGNAL: its id
    uint32_t any;                         // of EFFECT, CODE, LEVEL: a bit each, of which one holds
    const struct str *texts;              // of texts; EFFECT … LEVEL have none
    const struct conf_node *const *nodes; // where they stand
    size_t text_count;
    bool ranged, truth; // of RISK and SIGNAL: from..to counts; else, and of RECORDED and OK: `truth`
    double from, to;
    int64_t max_age_s;
};

// A question or an event at its time, and what is expected of the answer. A case, a cell of a matrix, or one
// time that a step is played.
struct suite_play {
    struct str name;      // the case's or step's; of a cell `name: alice, payroll, GET`; empty: it has none
    struct place place;   // of the case, cell or step
    uint32_t number;      // of the case or cell, or of the step, from 0; first those of `ordinary`
    uint32_t nth;         // of the step in its list, from 0; else as `number`
    uint32_t turn, turns; // of a step that is repeated; 0 of 1 else
    int64_t at_ms;
    const struct value *root; // the whole question or event
    struct str message;       // of an event or an order, as CBOR; empty: a question
    const struct peer *peer;
    const struct geo_set *geo; // of a step behind one that has `places` of its own; NULL: the document's
    const struct suite_claim *claims;
    size_t claim_count;
    bool order;    // an analyst's, to the admin endpoint; peer->name gives it
    bool ordinary; // what a rightful user does, in a world of its own
    bool anew;     // of a Scenario: nothing has been before it
};

struct suite_doc {
    enum suite_kind kind;
    struct str name, description, class; // class: `attack`, `innocent` or empty
    struct str skip;                     // why it does not concern the policies; empty: it does
    struct place place;                  // of its name
    int64_t start_ms;
    const struct suite_play *plays;
    size_t play_count;
    uint32_t numbers;          // cases, cells or steps
    uint32_t stops;            // number of the step at which an attack must be stopped; UINT32_MAX: not said
    const struct geo_set *geo; // of `places`; NULL: the snapshot's
};

struct suite;
struct watch;

// Reads the documents of all files, whatever the files are called. Every mistake goes to `diags`; on one *out
// is NULL. The texts of the files and `diags`, which has the sources of all places, must outlive the suite.
MUST_USE enum pdp_err suite_read(const struct snapshot_file *files, size_t count, struct diags *diags,
                                 struct suite **out);
// The same with a document of kind Given laid over all Scenarios (NULL: none): its fixtures over those of the
// same names, its tenant in the place of theirs. A fixture that no Scenario has is a mistake.
MUST_USE enum pdp_err suite_read_over(const struct snapshot_file *files, size_t count,
                                      const struct snapshot_file *given, struct diags *diags,
                                      struct suite **out);
void suite_free(struct suite **suite);
size_t suite_count(const struct suite *suite);
const struct suite_doc *suite_at(const struct suite *suite, size_t index);
// Rules, strengths, signals and exceptions that are expected and that the snapshot does not have are
// mistakes.
MUST_USE enum pdp_err suite_check(const struct suite *suite, const struct snapshot *snapshot,
                                  struct diags *diags);

// ---- Playing -------------------------------------------------------------------------------------

// What came of one play. Lives until the callback returns.
struct suite_miss {
    const struct suite_claim *claim; // NULL: it could not be asked, or an attack is not stopped
    struct str got;
};

struct suite_told {
    const struct suite_doc *doc;
    const struct suite_play *play;
    const struct verdict *verdict; // of a question
    const struct value *answer;    // of an event or an order: as on the wire
    struct str broken;             // why the answer says nothing of the policies (judge_void); empty: it does
    const struct suite_miss *misses;
    size_t miss_count; // 0: all is as expected
};

// Nothing that a proof would make good: what a rightful user must not meet.
static inline bool suite_denies(enum pdp_effect effect)
{
    return effect != PDP_EFFECT_ALLOW && effect != PDP_EFFECT_STEP_UP;
}

struct suite_options {
    bool explain;    // signals say why, which takes time
    bool any_policy; // only effects by `stops` count: no expectation is judged
    // Called before a document is played, and with each play of a Test; NULL: all. A Scenario is played whole
    // or not at all: it is asked about with play NULL alone.
    bool (*wants)(void *user, const struct suite_doc *doc, const struct suite_play *play);
    // Called after each play; false ends the run.
    bool (*told)(void *user, const struct suite_told *told);
    void *user;
};

// An engine over one snapshot, on which documents are played: each case of a Test, and each Scenario, as if
// nothing had been before. One thread; runners of several threads take snapshots that were built for them.
struct suite_runner;

// Takes the snapshot over. *out NULL on failure.
MUST_USE enum pdp_err suite_runner_new(struct snapshot **snapshot, struct suite_runner **out);
void suite_runner_free(struct suite_runner **runner);
// As worker_watch, of all that is asked from now on: between plays. NULL: nobody watches.
void suite_runner_watch(struct suite_runner *runner, const struct watch *watch);
// Plays one document. NOMEM ends it early; *went_on (may be NULL): `told` never said no.
MUST_USE enum pdp_err suite_play(struct suite_runner *runner, const struct suite_doc *doc,
                                 const struct suite_options *options, bool *went_on);
// Plays all that `options` wants, in order, until `told` says no.
MUST_USE enum pdp_err suite_run(struct suite_runner *runner, const struct suite *suite,
                                const struct suite_options *options);

#endif
