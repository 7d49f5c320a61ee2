// SPDX-License-Identifier: Apache-2.0
// One immutable, digested unit: policies, lists, limits, risk model, zones, geo data. Inside of the engine.
#ifndef ENGINE_SNAPSHOT_H
#define ENGINE_SNAPSHOT_H

#include "engine/attrs.h"
#include "engine/engine.h"
#include "engine/shadow.h"
#include "policy/schema.h"
#include "risk/risk.h"
#include "session/counters.h"
#include "session/limits.h"

#include <stdatomic.h>

#define SNAPSHOT_WORKERS_MAX 64
#define SNAPSHOT_SHA_BYTES 32

// What one worker needs to run this snapshot's program; made before it is published.
struct snapshot_scratch {
    struct cel_frame *frame;
    struct policy_scratch *policy;
    _Atomic(atomic_ullong *) hits; // of each rule: how often it decided, by this worker; any thread may read
};

// What it is made of may be shared: one that was made by reading a list's file anew stands on the one that
// was compiled, its base, and differs from it in lists, digest and epoch alone.
struct snapshot {
    struct snapshot *base; // itself, where it was compiled
    atomic_uint uses;      // of a base: its own, and of those that stand on it. Any thread
    struct policy_lists *lists;
    uint8_t parts[SNAPSHOT_SHA_BYTES]; // digest of all inputs but the lists' files
    // All that follows is the base's own, down to the facts; the others look at it.
    struct arena arena;
    struct policy_names names;
    struct policy_schema schema;
    struct cel_env env;
    struct cel_program *program;
    struct policy_set *policies;
    const struct session_policies *sessions;
    const struct risk_model *risk;
    struct geo_set *geo;
    uint32_t
        *strength_names; // low half of the keyed hash of each strength's name, above SESSION_PROOF_RENEWED
    uint64_t shadow_meaning;          // of all that is in shadow; 0: nothing is
    struct shadow_world *shadow;      // given when the base is published; NULL: nothing is judged in shadow
    atomic_ullong *shadow_hits;       // of each rule; NULL where nothing is in shadow
    struct counters_table **counters; // given when the base is published; NULL among them: memory was out
    struct snapshot_facts facts;
    char digest[80]; // `sha256:` and 64 hex digits
    size_t digest_len;
    int64_t expires_ms;               // from then on it is too old to decide by; INT64_MAX: never
    uint64_t epoch;                   // given when it is published
    struct snapshot_scratch *scratch; // the base's, by the number of a worker
    struct snapshot_scratch rooms[SNAPSHOT_WORKERS_MAX];
    struct snapshot *next; // in the list of the retired
};

// The scratch of worker `index`, made if it is not there yet; false where memory is out.
bool snapshot_scratch_make(struct snapshot *snapshot, size_t index);

#endif
