// SPDX-License-Identifier: Apache-2.0
// Decayed log-odds over a session: RISK.md §3. One file a signal, one table of signals.
#ifndef RISK_RISK_H
#define RISK_RISK_H

#include "cel/cel.h"
#include "conf/conf.h"
#include "model/request.h"
#include "model/sighting.h"
#include "model/verdict.h"

struct risk_model;
struct risk_state; // of a session: at most 128 bytes
struct risk_user;  // of a user: at most 64 bytes

// Reads the RiskModel document (at most one; others kinds are passed over) or gives the built-in default.
// Signals, half-lives, caps, thresholds, on_missing, what a proof takes away. Lives in `arena`.
MUST_USE enum pdp_err risk_model_read(const struct conf_doc *docs, size_t count, struct cel_program *program,
                                      const struct str *strengths, size_t strength_count, struct arena *arena,
                                      struct diags *diags, const struct risk_model **out);

// What is seen now, and what was seen before. Pointers may be NULL: nothing was.
struct risk_input {
    int64_t now_ms;
    enum event_type event;         // EVENT_NONE for a question
    bool counts;                   // false: a probe or a repeat; state is read, not moved
    const struct sighting *seen;   // now; may lack anything
    const struct sighting *anchor; // where the session began
    const struct sighting *last;   // where the session was seen last
    const struct sighting *user_last; // where the user was seen last, any session
    int32_t passed_strength;       // of a step_up_passed: index of strength, -1 none
};

struct risk_result {
    double score, hard, log_odds; // 0..100; part of log_odds from session, source, external evidence
    enum risk_level level;
    const struct verdict_signal *signals; // those whose evidence is not zero, strongest first; in `arena`
    size_t signal_count;
    double travel_km, travel_kmh; // NaN: no verdict
    bool deny; // a signal with on_missing: deny could not be read
    struct str missing; // which, where deny
    int64_t until_ms; // the level cannot change before this by decay alone
};

// Scores and moves the state. `state` and `user` are the caller's copies (zeroed: nothing known yet) of
// SESSION_RISK_BYTES and USER_RISK_BYTES aligned bytes, rewritten only where new evidence wins. Pure; no allocation but
// from `arena` (signals' list); bounded by the model's signals. A clock that steps back never lowers.
// `because` texts are made only when `explain`.
void risk_score(const struct risk_model *model, const struct risk_input *in, void *state, void *user,
                struct arena *arena, bool explain, struct risk_result *out);

// The level of a score, and one signal's evidence by its id (0 where unknown or zero).
enum risk_level risk_level_of(const struct risk_model *model, double score);
double risk_evidence(const struct risk_result *result, struct str signal);
size_t risk_signal_count(const struct risk_model *model);
struct str risk_signal_name(const struct risk_model *model, size_t index);

// The user agent read into family, OS and whether it is a tool; zero family: not known. Names for people.
void risk_agent_read(struct str user_agent, uint16_t *family, uint16_t *os, bool *tool);
struct str risk_agent_family(uint16_t family);
struct str risk_agent_os(uint16_t os);

#endif
