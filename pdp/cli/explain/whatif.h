// SPDX-License-Identifier: Apache-2.0
// What policies would have said of a question if something of it had been another. Moves no state.
#ifndef CLI_EXPLAIN_WHATIF_H
#define CLI_EXPLAIN_WHATIF_H

#include "engine/watch.h"
#include "policy/set.h"

enum whatif_kind {
    WHATIF_VALUE, // an attribute has another value, or none
    WHATIF_RISK,  // another score, and the level that it means
    WHATIF_NOW,   // asked at another time; risk and proofs stay what they are
    WHATIF_PROOF, // a step-up was passed at the very moment
};

struct whatif {
    enum whatif_kind kind;
    struct str path;    // VALUE: as whatif_path gives it
    struct value value; // VALUE; an ERROR: it is missing
    double score, hard; // RISK; hard of a signal that is dropped
    enum risk_level level;
    struct str without; // RISK: the signal that is dropped; empty: none
    int64_t now_ms;     // NOW
    uint32_t strength;  // PROOF
    struct str acr;     // PROOF: what the issuer tells; empty: as it is
    struct value amr;   // PROOF: likewise; an ERROR: as it is
};

#define WHATIF_STRENGTHS_MOST 64

struct whatif_base { // what the question says of a slot, asked once
    struct value value;
    struct str path; // as whatif_path gives it; at NULL: not asked yet
    bool asked, there;
};

// One question that was judged, and changes of it. Valid while the question is watched.
struct whatif_world {
    const struct watched *seen;
    struct snapshot_parts parts;
    struct arena *keep;   // of the world
    struct arena arena;   // of one asking
    struct cel_host host; // over this world
    struct policy_host policy_host;
    struct whatif_base *base;            // by slot
    struct whatif_base other;            // of the slot of another program that was asked last
    const struct whatif *const *changes; // that hold now
    size_t count;
    bool ends;               // a terminate may end the session
    bool service;            // nobody is there who could be asked
    bool has_session, known; // the session was known before
    uint64_t asked;          // how often policies were asked
    // Only what is `fixed` is known: for rules that no change can reach.
    bool (*fixed)(void *user, const struct cel_slot_info *slot);
    void *fixed_user;
    struct policy_result result; // of the last asking
};

// The frame is as the decision left it: what that had read is taken over. false: memory is out. The world is
// wiped by whatif_fini, which leaves `keep` to its owner.
MUST_USE bool whatif_init(struct whatif_world *world, const struct watched *seen, struct arena *keep);
void whatif_fini(struct whatif_world *world);

// What policies say, and what is added to it: a service is asked for no step-up, a session that begins with
// the question is not ended by it. The scratch then holds what matched, until the next call.
enum pdp_effect whatif_ask(struct whatif_world *world, const struct whatif *const *changes, size_t count);
// Begins the frame for the question with these changes, for conditions to be run by themselves.
void whatif_begin(struct whatif_world *world, const struct whatif *const *changes, size_t count);
// The same for the question as it is, with values in an arena that the next asking leaves alone.
void whatif_look(struct whatif_world *world, struct arena *arena);

// One name for what conditions may call by two: `subject.properties.roles` is `subject.roles`.
struct str whatif_path(const struct whatif_world *world, const struct cel_slot_info *slot);
// The score, level and hard evidence without a signal (those of its group then count for more), and after a
// passed step-up, by the ledger alone: a signal that was not heard beside another one is not known.
void whatif_without(const struct whatif_world *world, size_t signal, struct whatif *out);
void whatif_proved(const struct whatif_world *world, uint32_t strength, struct whatif *out);
double whatif_score(const struct risk_model *model, double log_odds);

#endif
