// SPDX-License-Identifier: Apache-2.0
// Decayed log-odds over a session: RISK.md §3. One file a signal, one table of signals.
#ifndef RISK_RISK_H
#define RISK_RISK_H

#include "cel/cel.h"
#include "conf/conf.h"
#include "model/request.h"
#include "model/sighting.h"
#include "model/verdict.h"

#define RISK_SESSION_BYTES 128
#define RISK_USER_BYTES 384
#define RISK_SIGNALS_MAX 32 // bits of a mask
#define RISK_OWN_MAX 8      // signals that are conditions of a model

struct risk_model;
struct source_view;
struct risk_state; // of a session: RISK_SESSION_BYTES, see risk/state.h
struct risk_user;  // of a user: RISK_USER_BYTES
struct population; // risk/population.h

// Forgets of a session's state that a step-up was passed: it reassures no longer. What it had calmed stays.
void risk_undo_proof(void *state);

// Reads the RiskModel document (at most one; others kinds are passed over) or gives the built-in default.
// Signals, half-lives, caps, thresholds, on_missing, what a proof takes away. Lives in `arena`.
// `program` takes the conditions of its own signals; NULL: they are not compiled, and hold nowhere.
MUST_USE enum pdp_err risk_model_read(const struct conf_doc *docs, size_t count, struct cel_program *program,
                                      const struct str *strengths, size_t strength_count, struct arena *arena,
                                      struct diags *diags, const struct risk_model **out);

// Suspicion that was stored at or before a time, by signal: INT64_MIN where none is pardoned.
struct risk_pardons {
    int64_t at_ms[RISK_SIGNALS_MAX]; // by the number of risk_signal_name
};

// What is seen now, and what was seen before. Pointers may be NULL: nothing was.
struct risk_input {
    int64_t now_ms;
    enum event_type event;            // EVENT_NONE for a question
    bool counts;                      // false: a probe or a repeat; state is read, not moved
    const struct sighting *seen;      // now; may lack anything
    const struct sighting *anchor;    // where the session began
    const struct sighting *last;      // where the session was seen last
    const struct sighting *user_last; // where the user was seen last, any session
    int32_t passed_strength;          // of a step_up_passed: index of strength, -1 none
    uint32_t muted;                   // a bit each, by the number of risk_signal_name: no evidence of these
    double external_evidence;         // of a `signal`: log-odds, negative reassures; 0 or NaN: none
    const struct source_view *source; // what is known of where it comes from
    uint32_t own_yes, own_unsure;     // a bit each, by the number of risk_own_when: conditions, of a question
    uint32_t unsure_networks;         // SIGHT_… of classes of network of which a source was silent
    const struct population *population; // how common what is seen is; NULL: nobody else is known
    double medium;                       // the score at which medium begins, below high; 0: the model's
    const struct risk_pardons *pardons;  // of what is stored as suspicion; NULL: none. Stored times are whole
                                         // seconds, rounded up, and what may be younger is not pardoned
};

struct risk_result {
    double score, hard, log_odds; // 0..100; part of log_odds from session, source, external evidence
    enum risk_level level;
    // Those whose evidence is not zero, suspicion first, the strongest of each first; in `arena`. Their sum
    // and the prior are log_odds. Fewer than there are only where the arena is exhausted.
    const struct verdict_signal *signals;
    size_t signal_count;
    double travel_km, travel_kmh; // NaN: no verdict
    bool deny;                    // a signal with on_missing: deny could not be read
    struct str missing;           // which, where deny
    uint32_t pardoned;            // a bit each: something that is stored was set aside by a pardon
    int64_t until_ms;             // the level cannot change before this by decay alone; INT64_MAX: never
};

// Scores and moves the state. `state` and `user` are the caller's copies (zeroed: nothing known yet) of
// RISK_SESSION_BYTES and RISK_USER_BYTES aligned bytes, rewritten only where new evidence wins; both may be
// NULL: nothing is known, nothing is kept. Any bytes are a valid state. Pure; no allocation but from `arena`
// (signals' list); bounded by the model's signals. A clock that steps back never lowers.
// A question that lacks what a signal reads is missing; an event is not. `login_failed` moves and reads
// nothing of the context. `because` texts are made only when `explain`.
void risk_score(const struct risk_model *model, const struct risk_input *in, void *state, void *user,
                struct arena *arena, bool explain, struct risk_result *out);

// Learns the context as the user's own, and as one of everybody's where `population` is not NULL: only what
// was allowed below the first threshold, or right after a proof that cannot be phished (RISK.md §3); never a
// failure, a probe or a repeat. `user` as for risk_score. No allocation.
void risk_learn(const struct sighting *seen, int64_t now_ms, void *user, struct population *population);

// Where a passed step-up verified a context, the session's anchor becomes it: what the event's sighting lacks
// is taken from the last one, and what both lack stays. `last` and `seen` may be NULL.
void risk_anchor_move(struct sighting *anchor, const struct sighting *last, const struct sighting *seen);

// The level of a score by the model's own thresholds, and one signal's evidence by its id (0 where unknown or
// zero).
enum risk_level risk_level_of(const struct risk_model *model, double score);
double risk_evidence(const struct risk_result *result, struct str signal);
// Those of the model's own come after the built-in ones; NULL: the built-in ones alone.
size_t risk_signal_count(const struct risk_model *model);
struct str risk_signal_name(const struct risk_model *model, size_t index);

// The model's own signals, at most RISK_OWN_MAX, and the condition of each; UINT32_MAX: it was not compiled.
size_t risk_own_count(const struct risk_model *model);
uint32_t risk_own_when(const struct risk_model *model, size_t index);

// What a user agent says of itself. Zero is not known.
struct risk_agent {
    uint16_t family, os;
    uint16_t version; // of the browser or tool: its first number
    uint8_t device;   // enum sight_class
    bool tool;        // no browser with a person before it
};

// Any bytes. One pass over the first 1024 of them, no allocation. Names for people: never empty, also of
// numbers that are none of ours.
void risk_agent_read(struct str user_agent, struct risk_agent *out);
struct str risk_agent_family(uint16_t family);
struct str risk_agent_os(uint16_t os);
struct str risk_agent_class(uint8_t device);

// What became of an agent: another family, system or class of device; or the same in a later or an earlier
// version. A system, a class or a version that is not known of both says nothing; an unknown family is one.
enum agent_verdict {
    AGENT_SAME,
    AGENT_NEWER,
    AGENT_OLDER,
    AGENT_ANOTHER
};
// Of two sightings that have an agent.
enum agent_verdict risk_agent_compare(const struct sighting *was, const struct sighting *is);

#endif
