// SPDX-License-Identifier: Apache-2.0
// The engine's shared part and a worker's own. Inside of the engine.
#ifndef ENGINE_WORKER_H
#define ENGINE_WORKER_H

#include "engine/shadow.h"
#include "engine/snapshot.h"

#include <pthread.h>
#include <stdatomic.h>

#define ENGINE_WORKERS_MAX SNAPSHOT_WORKERS_MAX

struct counters {
    atomic_ullong effects[PDP_EFFECT_COUNT], codes[PDP_CODE_COUNT];
    atomic_ullong questions, events, batches, repeats;
    atomic_ullong shadow[PDP_EFFECT_COUNT][PDP_EFFECT_COUNT],
        shadow_lost; // by what was answered, and in shadow
};

// What a user agent was read as, by its text: the same few come again and again.
#define AGENT_CACHE_ENTRIES 64 // a power of two
#define AGENT_CACHE_TEXT 248   // bytes; a longer one is read each time
struct agent_seen {
    uint16_t len, family, os;
    bool tool;
    char text[AGENT_CACHE_TEXT];
};

struct worker {
    _Alignas(64) _Atomic(struct snapshot *) pinned; // what it reads now; NULL between decisions
    struct engine *engine;
    size_t index;
    uint64_t sequence;  // of decision ids
    struct arena arena; // of one message
    struct geo_cache *geo_cache;
    struct agent_seen *agents;   // AGENT_CACHE_ENTRIES; len 0: free
    struct session_room *room;   // of the question in hand
    struct fault fault;          // why the last question was malformed
    int64_t waited_ms, queue_ms; // of the message in hand: how long it waited, and how long it may
    struct counters counters;
    struct shadow_seed seed; // of the question at hand
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

struct engine {
    _Atomic(struct snapshot *) current;
    struct engine_config config;
    struct session_table *sessions;
    atomic_ullong policy_epoch;
    pthread_mutex_t lock; // workers' list, retired list, publishing
    struct worker *workers[ENGINE_WORKERS_MAX];
    struct snapshot *retired;
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

static inline void worker_unpin(struct worker *worker)
{
    atomic_store_explicit(&worker->pinned, NULL, memory_order_release);
}

static inline void counter_add(atomic_ullong *counter)
{
    // One writer a counter: no locked instruction is needed.
    atomic_store_explicit(counter, atomic_load_explicit(counter, memory_order_relaxed) + 1,
                          memory_order_relaxed);
}

#endif
