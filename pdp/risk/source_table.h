// SPDX-License-Identifier: Apache-2.0
// The table of sources. Inside of source*.c.
#ifndef RISK_SOURCE_TABLE_H
#define RISK_SOURCE_TABLE_H

#include "risk/distinct.h"
#include "risk/source.h"

#include <pthread.h>
#include <stdatomic.h>

#define SOURCE_WAYS 8
#define SOURCE_STRIPES 64
#define SOURCE_TOLD 4096
#define SOURCE_FIGURES 6

// What came in within a span.
struct source_span {
    uint32_t failed, passed;
    struct distinct failed_subjects, passed_subjects, refused_sessions, sessions;
};

// One source. Everything but the shown part is under its stripe's lock.
struct source_entry {
    // Read without a lock: `turn` is odd while it is being written.
    atomic_uint turn;
    atomic_uint part;                  // the running part of five seconds
    atomic_uint shown[SOURCE_FIGURES]; // as they stood when it began
    struct source_span now, before;
};

// Names of eight places, in one cache line.
struct source_set {
    _Alignas(64) _Atomic uint64_t names[SOURCE_WAYS]; // 0: free
};

struct source_kind_table {
    uint32_t set_count; // power of two
    struct source_set *sets;
    struct source_entry *entries; // SOURCE_WAYS a set
};

struct source_stripe {
    _Alignas(64) pthread_mutex_t lock;
};

struct sources {
    struct hash_key key;
    struct source_kind_table kinds[SOURCE_KINDS];
    struct source_stripe stripes[SOURCE_STRIPES];
    _Atomic uint64_t told[SOURCE_TOLD];
};

// The set of a name, and the stripe of a set.
uint32_t source_set_of(const struct sources *sources, enum source_kind kind, uint64_t name);
pthread_mutex_t *source_lock_of(struct sources *sources, uint32_t set);
// Writes the shown part of an entry; its stripe is locked.
void source_show(struct source_entry *entry, uint32_t part, const uint32_t figures[static SOURCE_FIGURES]);

#endif
