// SPDX-License-Identifier: Apache-2.0
// The daemon's machine under simulation: one world from one seed. Clock, network, disk, peers and crashes are
// numbers; what was acknowledged to whom stands in a ledger outside of the machine, and what is answered
// later must agree with it.
#ifndef SIM_SIM_H
#define SIM_SIM_H

#include "engine/engine.h"
#include "node/admin.h"
#include "node/decide.h"
#include "node/group.h"
#include "store/store.h"

#include <stdio.h>
#include <stdlib.h>

enum {
    SIM_USERS = 5,
    SIM_PEERS = 8,
    SIM_LINKS = 3 * SIM_PEERS,
    SIM_OUT = 3,        // requests that a peer waits for
    SIM_REQUESTS = 192, // that can come again
    SIM_STORIES = 1536,
    SIM_ACTIVE = 24, // sessions that most is about
    SIM_SENDS = 24,  // of one connection, not answered
    SIM_MESSAGE = 1024,
    SIM_CUTS = 32,
    SIM_TRACE = 131072,
    SIM_NONE = -1
};

// ---- What peers ask --------------------------------------------------------------------------------------

enum sim_kind {
    SIM_QUESTION,
    SIM_BATCH,
    SIM_EVENT,
    SIM_TERMINATE, // of an analyst
    SIM_CUT,       // of an analyst: all sessions of the story's user so far
    SIM_STATUS,    // of an analyst: moves nothing
};

struct sim_request {
    bool used, waits; // waits: its peer has no answer yet
    enum sim_kind kind;
    enum event_type event;
    int peer, story, user;
    int sends;       // on connections that live, not answered
    uint64_t number; // request_id
    bool claims;     // an event that says when the authentication was
    int64_t claim_ms;
    int to;       // a rotation: the session's next id
    uint32_t hop; // the peer's SP request id
    size_t len;
    unsigned char bytes[SIM_MESSAGE];
};

// One session id and what was acknowledged of it.
struct sim_story {
    char id[16], ref[32];
    int user;
    int64_t auth_ms;      // what questions assert, and it is true
    int64_t auth_most_ms; // the latest authentication that may have been recorded
    bool ended, started;
    int64_t ended_ms, started_ms; // by the wall clock, when it was decided
    uint32_t lives;               // counts how often its id was begun anew, after it was forgotten
    uint32_t proofs;              // counts what sets or takes proofs
    uint32_t proof_s;             // one that was acknowledged: there is one as new as this; 0: none
    int next;                     // in the ring of ids of one session; itself: there is no other
    bool waits;                   // for the acknowledgement of a rotation to it
    bool replaced;                // by another id, which was acknowledged
    int64_t overlap_ms;           // until when this one may go on, at most
    int allowed;                  // the last request that was allowed
};

// ---- Connections -----------------------------------------------------------------------------------------

// One request on one connection.
struct sim_send {
    int request;
    uint32_t hop;
    uint64_t ends; // which of the connection's bytes is its last
    bool begun;
    // When its decision began:
    bool dead; // an end of the session had been acknowledged: nothing may allow it
    int64_t wall_ms;
    uint32_t lives, proofs;
};

struct sim_link {
    bool used, closed; // closed: by the daemon
    int peer;
    enum sp_transport transport;
    uint64_t node_id;
    struct buf in; // on its way to the daemon
    size_t given;  // of `in`
    uint64_t put;  // bytes ever put into `in`
    uint64_t got;  // bytes ever given to the daemon
    struct buf out;
    bool greeted;
    bool stuck; // its reader took not all
    struct sim_send sends[SIM_SENDS];
    int send_count;
};

struct sim_peer {
    struct peer peer;
    char name[24];
    bool admin;
};

// ---- The world -------------------------------------------------------------------------------------------

enum sim_disk {
    DISK_GOOD,
    DISK_FAILS,
    DISK_FULL,
    DISK_FLAKY
};

enum sim_did { // of the trace
#define SIM_DID_LIST(X) \
    X(ASK)              \
    X(SEND)             \
    X(GIVE)             \
    X(BEGIN)            \
    X(ANSWER)           \
    X(ALLOWED)          \
    X(ENDED)            \
    X(STARTED)          \
    X(PROVED)           \
    X(CUT)              \
    X(LOST)             \
    X(OPEN)             \
    X(TICK)             \
    X(CLOCK) X(GATHER) X(WRITE) X(RELEASE) X(DISK) X(SWEEP) X(RELOAD) X(ROTATED) X(CRASH) X(KEY) X(CALM)
#define X(name) DID_##name,
    SIM_DID_LIST(X)
#undef X
};

struct sim_trace {
    uint64_t step;
    enum sim_did did;
    int story;
    int64_t a, b;
};

struct sim_machine { // all that a crash takes
    struct engine *engine;
    struct worker *worker;
    struct journal *journal;
    struct group *group;
    struct gate *gates[2];
    struct decide decide;
    struct admin *admin;
    struct node *nodes[2]; // decide, admin
};

struct sim {
    uint64_t seed, random, step, steps;
    uint64_t hash; // of all that the machine said
    bool failed, loud;
    struct sim_machine machine;
    struct node_now now;
    struct store *store;
    enum sim_disk disk;
    bool pending, noted; // a group was gathered; a round of what is noted is under way
    bool awake[2];       // gate_release is due
    bool reload_waits;   // an analyst waits for a reload
    int policies;        // which serve
    size_t journal_entries;
    uint64_t sessions_max;
    struct hash_key ids[SESSION_KEYS];
    uint16_t id_set;
    uint8_t id;
    struct sim_peer peers[SIM_PEERS];
    struct sim_link links[SIM_LINKS];
    struct sim_request requests[SIM_REQUESTS];
    int request_next;
    uint64_t request_count;
    uint32_t hop;
    struct sim_story stories[SIM_STORIES];
    int story_count, active[SIM_ACTIVE];
    int64_t ordered_ms[SIM_USERS]; // likewise, by an analyst
    int64_t cut_ms[SIM_USERS];     // acknowledged: what was authenticated before is over
    struct arena arena;
    struct buf scratch;
    struct sim_trace trace[SIM_TRACE];
    uint64_t trace_count;
    uint64_t counts[32]; // by what was done
    uint64_t ends, allows, crashes, answers, refusals;
};

// ---- base ------------------------------------------------------------------------------------------------

static inline uint64_t sim_random(struct sim *sim)
{
    uint64_t z = sim->random += UINT64_C(0x9E3779B97F4A7C15);
    z = (z ^ z >> 30) * UINT64_C(0xBF58476D1CE4E5B9);
    z = (z ^ z >> 27) * UINT64_C(0x94D049BB133111EB);
    return z ^ z >> 31;
}

static inline int sim_below(struct sim *sim, int most)
{
    return (int)(sim_random(sim) % (uint64_t)most);
}

static inline bool sim_one_in(struct sim *sim, int most)
{
    return sim_random(sim) % (uint64_t)most == 0;
}

void sim_note(struct sim *sim, enum sim_did did, int story, int64_t a, int64_t b);
void sim_fail(struct sim *sim, int story, const char *fmt, ...) PRINTF_LIKE(3, 4);

// ---- policies.c: built once a process --------------------------------------------------------------------

void sim_policies_make(void);
void sim_policies_free(void);
struct snapshot *sim_policies(int which); // to be published

// ---- machine.c -------------------------------------------------------------------------------------------

void sim_boot(struct sim *sim);  // from what is on the disk
void sim_crash(struct sim *sim); // memory is gone, and of the disk what was not synced
void sim_machine_free(struct sim *sim);
void sim_writer(struct sim *sim); // the writer's next piece of work
void sim_release(struct sim *sim, int node);
void sim_calm(struct sim *sim); // a good disk, and all that was asked is answered

// ---- links.c ---------------------------------------------------------------------------------------------

// A connection of the peer that lives, or a new one; SIM_NONE: none can be had.
int sim_link_of(struct sim *sim, int peer);
void sim_send(struct sim *sim, int link, int request);
void sim_give(struct sim *sim, int link); // some of its bytes to the daemon
void sim_lose(struct sim *sim, int link); // the connection breaks
void sim_pump(struct sim *sim, bool all); // what the daemon has to say
struct sim_send *sim_begun(struct sim *sim,
                           uint64_t handle); // the machine begins with the next message of a link

// ---- asks.c ----------------------------------------------------------------------------------------------

void sim_ask(struct sim *sim);   // somebody asks something new
void sim_again(struct sim *sim); // or something once more, answered or not
int sim_waiting(const struct sim *sim);
int sim_story_new(struct sim *sim, int user); // SIM_NONE: there is no more room

// ---- ledger.c --------------------------------------------------------------------------------------------

void ledger_begin(struct sim *sim, struct sim_send *send);
void ledger_answer(struct sim *sim, const struct sim_link *link, const struct sim_send *send,
                   struct str body);
void ledger_refs(struct sim *sim);  // under which refs sessions are, or would be, known
void ledger_check(struct sim *sim); // the table, against what was acknowledged

#endif
