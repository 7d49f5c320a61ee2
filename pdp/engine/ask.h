// SPDX-License-Identifier: Apache-2.0
// One question on its way through decide(): what came in, what was found, what comes out.
#ifndef ENGINE_ASK_H
#define ENGINE_ASK_H

#include "engine/cookie.h"
#include "engine/worker.h"
#include "model/search.h"
#include "policy/entities.h"
#include "session/controls.h"
#include "session/lifecycle.h"

#include "base/num.h"
#include "base/time.h"

// What a question does to one counter, known before it is judged.
struct ask_count {
    enum truth counts; // YES; NO: adds nothing; UNSURE: `unsure` says why
    bool there;        // what it adds is in the table: it was added, or this is a repeat
    bool hashed;
    double amount;       // infinite where it cannot be told
    struct value unsure; // an error
    struct hash128 key;
};

// The latest cut-off that is about a question, and the latest that may be. Sessions authenticated before are
// over.
struct ask_cut {
    int64_t before_ms, maybe_ms;
    const struct control *control, *maybe; // NULL: the subject's own
};

// By signal: the latest pardon that is about the question, and when it was made. Filled where there are any.
struct ask_pardons {
    struct risk_pardons at;
    const struct control *by[RISK_SIGNALS_MAX];
};

struct ask {
    // What came in.
    struct cel_host host; // over this very ask
    struct worker *worker;
    struct snapshot *snapshot;
    const struct peer *peer;
    const struct request *request;
    struct session_table *table; // of the world that is asked
    const struct shadow_seed
        *seed; // in the shadow world: what the enforced one knew. NULL in the enforced one
    const struct controls *controls; // pinned; NULL: there are none
    const struct verdict *enforced;  // in the shadow world: what was answered. NULL in the enforced one
    int64_t now_ms;
    bool moves; // false: a probe or a repeat; reads state, moves none
    bool simulated;
    size_t item;                    // place in a batch; 0 outside
    const struct entity *candidate; // of a search: judged for nobody to act on, so nothing is counted of it,
                                    // not even in shadow. NULL: this is a question
    enum search_part searched;      // what the candidate is
    // What was found.
    bool has_ip;
    struct ip ip;
    const char *ip_why;
    struct str path;        // canonical, of a route
    struct geo_place place; // its flags: of databases and of lists
    struct policy_network network;
    struct sighting seen;
    bool has_session; // the question names one
    bool known;       // it was there before
    bool has_user;    // and so was the user
    bool first_sight; // it is made by this question
    struct session_key key;
    struct session_held held;
    struct session_limits limits;
    struct session_life life;
    struct ask_cut cut;
    struct session_room *room;     // asked of a session that begins under a limit of number; the worker's
    struct session_record session; // working copies: what the delta will hold
    struct user_record user;
    bool has_auth_time; // as believed: the issuer's word, else the claim
    int64_t auth_time_ms;
    struct str acr;
    struct value amr;          // LIST, or ERROR where missing
    struct source_view source; // what was known of where it comes from
    bool source_due;           // the session was not counted there lately
    bool has_risk;
    struct risk_result risk;
    struct ask_pardons pardons;
    const struct session_repeat *repeat; // in `session`, where this is a repeat
    uint64_t repeat_id, question_hash;
    uint64_t strengths_asked, strengths_proved; // a bit each: what conditions said since ask_begin
    uint64_t lists_asked;                       // a bit each, modulo 64
    bool was_held;                              // worker->seed holds what was known before
    bool audit_always;                          // a rule that decided wants its answers kept
    bool score_read;                            // a condition read more of the risk than its level
    struct ask_count *counts;                   // by counter; NULL: not weighed, or there are none
    bool counter_met;                           // one was read, or this question moves one
    char ref[32];
    // Of events.
    struct str named;                 // the id that was made for this session; empty: the question names it
    struct str next;                  // the id that a rotate gives
    struct session_rotation rotation; // the same, hashed
    struct cookie cookie;
    bool mints, rotates;       // an id is made here; the rotation is to be written
    bool reads_device;         // a condition asked whether the device is remembered
    int64_t remember_until_ms; // the device is remembered from now on; 0: not by this event
};

// Was the id that the question names replaced so long ago that it is nobody's any more? A clock that steps
// back makes no time of it anew.
static inline bool ask_is_late(const struct ask *ask)
{
    return ask->held.rotated && num_max(ask->now_ms, ask->session.last_seen_ms) >= ask->held.overlap_until_ms;
}

// May the peer say this? Without the grant, what it says is missing (the weaker form).
static inline bool ask_may(const struct ask *ask, uint32_t grant)
{
    return (ask->peer->grants & grant) != 0;
}

// struct cel_host and struct policy_host over an ask.
bool ask_resolve(void *ask, const struct cel_slot_info *slot, struct value *out);
enum truth ask_contains(void *ask, uint32_t set, const struct value *value);
// The subject's roles, sent or stored, with those that they bring along. false: they are missing, or no list.
bool ask_roles(const struct ask *ask, struct value *out);
bool ask_proved(void *ask, uint32_t strength, int64_t max_age_s, int64_t *until_ms);
bool ask_sticky(void *ask, enum policy_by by, uint64_t *key);

// Address, path, place, device: before the session is looked at. false: the question is malformed and
// worker->fault says why.
bool ask_enrich(struct ask *ask);
// What lists say of the address, once ask->place holds what databases say (`databases`: they were asked).
void ask_network(struct ask *ask, bool databases);
// Is all there that the schema requires of such a question? What a peer may not assert is not there. Where it
// is not, *missing says so for people, of each attribute, and worker->fault of the first.
bool ask_complete(struct ask *ask, const struct str **missing, size_t *count);
// What is believed of the authentication: the issuer's record where one has spoken, else the claim.
void ask_believe(struct ask *ask);
// Notes the peer as the one that began the session, or spoke of it last.
void ask_sign(struct ask *ask);
// Notes whose word it is, and since when, that the user was authenticated; and that more was proved since.
void ask_vouch(struct ask *ask);
void ask_prove(struct ask *ask);
// Writes acr and amr into the record as an issuer's word, and when each strength was proved. Returns the
// strongest that these alone prove; -1: none.
int32_t ask_issue(struct ask *ask, struct str acr, const struct value *amr, int64_t at_ms, bool add);

// This worker's frame, and its beginning for this ask: what was read before is forgotten.
struct cel_frame *ask_frame(const struct ask *ask);
void ask_begin(struct ask *ask);

// The parts of decide() and of events that touch the session. ask_hold locks, ask_release unlocks.
void ask_hold(struct ask *ask);
void ask_release(struct ask *ask);
// Scores what is seen (moving the working copies where `moves`).
void ask_score(struct ask *ask, enum event_type event, int32_t passed_strength, double external);
// Takes a session from its working copy to its end: a tombstone that outlives every way back.
void ask_end(struct ask *ask, enum pdp_code why);
// From now on every session of the subject that was authenticated before now is over.
void ask_cut(struct ask *ask);
// May the session begin beside those that its subject has? `why` and `missing` where not.
struct ask_room {
    bool begins;
    enum pdp_code code;
    struct str why, missing;
};
void ask_room(struct ask *ask, bool vouched, int64_t auth_time_ms, struct ask_room *out);
// Does another session of the subject, one that is not over anyway, end for it?
bool ask_displaces(const struct ask *ask);
// Refs of those that ended with the last commit, VERDICT_ENDED_MAX at most; in the arena.
const struct str *ask_ended(const struct ask *ask, size_t *count);
// Notes that this context was accepted: last sighting, devices.
void ask_learn(struct ask *ask);
// The same for the user's profile, which must not be taught what might be somebody else's: only below the
// first threshold, or after the strongest proof.
void ask_learn_profile(struct ask *ask);
// Writes the working copies. Not OK: see session_commit.
MUST_USE enum pdp_err ask_commit(struct ask *ask);

// What the question would do to each counter, before anything that may read one. false: memory is out.
MUST_USE bool ask_weigh_counters(struct ask *ask);
// The value of a counter: what it holds and what this question adds to it.
bool ask_counter(struct ask *ask, uint32_t number, struct value *out);
// Adds what an answer of this effect adds.
void ask_add_counters(struct ask *ask, enum pdp_effect effect);

// hits.c: one more answer that the first deciding rule of `result` decided, unless it was judged in shadow.
void ask_count_rule(const struct ask *ask, const struct policy_result *result);

// watch.c: what was judged, to who watches the worker.
void ask_show(struct ask *ask, const struct policy_host *host, const struct policy_question *question,
              const struct policy_result *result, const struct verdict *out);
// The same of what the session alone decided, once its limits were looked up.
void ask_show_limited(struct ask *ask, const struct verdict *out);

// What the session was asked to prove and has not, as its index + 1; 0: nothing. Of a level that is there no
// more, the strongest that is.
static inline uint32_t ask_asked(const struct ask *ask)
{
    const size_t count = ask->snapshot->names.strength_count;
    return ask->session.asked_strength < count ? ask->session.asked_strength : (uint32_t)count;
}

// What changes a question's world: is it judged in shadow?
static inline bool ask_in_shadow(const struct ask *ask)
{
    return ask->seed != NULL;
}

// The steps of decide() after ask_hold: session, score, candidates, match, combine, delta. false: the session
// gave the verdict, no policy was asked.
bool decide_held(struct ask *ask, struct verdict *out);
// Decides one question and fills the verdict. Takes and gives back the shard's lock.
void decide(struct ask *ask, struct verdict *out);

#endif
