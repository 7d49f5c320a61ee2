// SPDX-License-Identifier: Apache-2.0
// The engine's shared part and a worker's own. Inside of the engine.
#ifndef ENGINE_WORKER_H
#define ENGINE_WORKER_H

#include "engine/breaker.h"
#include "engine/shadow.h"
#include "engine/snapshot.h"
#include "engine/trial.h"
#include "risk/population.h"
#include "risk/recent.h"
#include "risk/source.h"
#include "session/controls.h"

#include <pthread.h>
#include <stdatomic.h>

#define ENGINE_WORKERS_MAX SNAPSHOT_WORKERS_MAX

struct counters {
    atomic_ullong effects[PDP_EFFECT_COUNT], codes[PDP_CODE_COUNT];
    atomic_ullong questions, events, batches, repeats, searches;
    atomic_ullong shadow[PDP_EFFECT_COUNT][PDP_EFFECT_COUNT],
        shadow_lost; // by what was answered, and in shadow
};

// What a user agent was read as, by its text: the same few come again and again.
#define AGENT_CACHE_ENTRIES 64 // a power of two
#define AGENT_CACHE_TEXT 248   // bytes; a longer one is read each time
struct agent_seen {
    struct risk_agent is;
    uint16_t len;
    char text[AGENT_CACHE_TEXT];
};

struct recorder;
struct watch;

struct worker {
    _Alignas(64) _Atomic(struct snapshot *) pinned;  // what it reads now; NULL between decisions
    _Atomic(struct control_epoch *) controls_pinned; // likewise; NULL where there are none
    struct engine *engine;
    size_t index;
    uint64_t sequence;  // of decision ids
    struct arena arena; // of one message
    struct arena side;  // of one candidate of a search: takes the place of `arena` while it is judged
    bool search_whole;  // searches look at every candidate: for the differential tests
    struct geo_cache *geo_cache;
    struct agent_seen *agents;   // AGENT_CACHE_ENTRIES; len 0: free
    struct session_room *room;   // of the question in hand
    struct fault fault;          // why the last question was malformed
    int64_t waited_ms, queue_ms; // of the message in hand: how long it waited, and how long it may
    size_t looked;               // candidates of a search that were judged for it
    uint64_t awaits;             // the journal's step that the answer at hand waits for; 0: none
    enum wire_form form;         // of the message at hand
    struct str request_id;       // and what it says there, in the arena or the message
    struct counters counters;
    const struct controls *controls;   // pinned for the message at hand
    const struct control_mutes *mutes; // of that message's snapshot; NULL: none
    const struct undo *undo;           // pinned with them; NULL: nothing is undone
    struct shadow_seed seed;           // of the question at hand
    struct recorder *recorder;         // NULL: nothing is recorded
    const struct watch *watch;         // NULL: nobody watches
    struct lately *lately;             // some of what was asked; NULL: memory was out
};

// A Counter document's table, kept over reloads: its name, key and window make it the same.
#define ENGINE_COUNTERS_MAX 256
struct counter_kept {
    struct hash128 identity;
    char name[129];
    int64_t window_ms;
    int64_t unserved_ms;          // since when no snapshot has it; INT64_MAX: one does
    struct counters_table *table; // NULL: a free place
};

// What mutes and conditions of locks mean for a snapshot; that it is about another is a question of a moment.
struct control_mutes {
    const struct policy_set *policies; // NULL: of none
    uint64_t *rules;                   // a bit each; NULL: none
    uint32_t signals;
    bool geo;
    struct where *where; // conditions of locks; NULL: no lock has one, or they could not be made
};

// One publication of controls.
struct control_epoch {
    uint64_t epoch;
    struct controls *set;
    struct undo *undo;             // NULL: nothing is
    struct control_mutes mutes[2]; // of the snapshot that serves, and of the one that is about to
    struct control_epoch *next;    // of those that are retired
};

struct engine {
    _Atomic(struct snapshot *) current;
    _Atomic(struct control_epoch *) controls; // NULL: there are none
    struct engine_config config;
    struct session_table *sessions;
    struct sources *sources;
    struct population *population; // how common what is seen is
    struct recent *recent;         // how recent questions scored
    atomic_ullong policy_epoch;
    pthread_mutex_t lock; // workers' list, retired list, publishing
    struct worker *workers[ENGINE_WORKERS_MAX];
    struct snapshot *retired;
    pthread_mutex_t controls_lock; // of what publishes controls
    struct control_epoch *controls_retired;
    atomic_ullong controls_epoch;
    struct quarantine_entry *quarantine; // under controls_lock
    atomic_uint quarantine_count;
    struct undo *undo; // what the next publication says; under controls_lock
    struct breaker breaker;
    uint64_t control_last;       // number of the last one that was given
    struct hash_key counter_key; // of keys and identities
    struct counter_kept *kept;   // ENGINE_COUNTERS_MAX, made with the first Counter
};

// The snapshot that serves, held until worker_unpin; NULL where none is published. Wait-free but for a
// publication in the very moment.
static inline struct snapshot *worker_pin(struct worker *worker)
{
    struct snapshot *now = atomic_load(&worker->engine->current);
    for (;;) {
        atomic_store(&worker->pinned, now);
        struct snapshot *again = atomic_load(&worker->engine->current);
        if (again == now) {
            return now;
        }
        now = again;
    }
}

// Holds the controls that are in force until worker_unpin. None: that costs a load and a comparison.
static inline void worker_pin_controls(struct worker *worker, const struct snapshot *snapshot)
{
    struct control_epoch *now = atomic_load(&worker->engine->controls);
    while (now != atomic_load_explicit(&worker->controls_pinned, memory_order_relaxed)) {
        atomic_store(&worker->controls_pinned, now);
        now = atomic_load(&worker->engine->controls);
    }
    worker->controls = now != NULL ? now->set : NULL;
    worker->undo = now != NULL ? now->undo : NULL;
    worker->mutes = NULL;
    for (size_t i = 0; now != NULL && snapshot != NULL && i < 2; i++) {
        if (now->mutes[i].policies == snapshot->policies) {
            worker->mutes = &now->mutes[i];
        }
    }
}

static inline void worker_unpin(struct worker *worker)
{
    if (atomic_load_explicit(&worker->controls_pinned, memory_order_relaxed) != NULL) {
        atomic_store_explicit(&worker->controls_pinned, NULL, memory_order_release);
    }
    atomic_store_explicit(&worker->pinned, NULL, memory_order_release);
}

static inline void worker_await(struct worker *worker, uint64_t seq)
{
    worker->awaits = seq > worker->awaits ? seq : worker->awaits;
}

// Whatever says that a session is over waits for all that was put into the journal so far: its end may be in
// there.
static inline void worker_await_all(struct worker *worker)
{
    const struct journal *journal = worker->engine->config.journal;
    if (journal != NULL) {
        worker_await(worker, journal_awaits(journal));
    }
}

static inline void counter_add(atomic_ullong *counter)
{
    // One writer a counter: no locked instruction is needed.
    atomic_store_explicit(counter, atomic_load_explicit(counter, memory_order_relaxed) + 1,
                          memory_order_relaxed);
}

#endif
