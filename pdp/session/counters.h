// SPDX-License-Identifier: Apache-2.0
// What keys were counted in a sliding window: one table a counter, of a fixed size, that never counts too
// little.
//
// The window lies over a grid of absolute time, in eighths of its length; the eighth that is only partly in
// it counts whole, so a key reads at most window/8 too much. A key has its place in one set of eight. A full
// set gives the place of the key that counts least to a newcomer, and keeps by eighth the most that any key
// had that went; a key that is not there has counted no more than that, so it reads that and begins with it.
// Many keys make others read too much, never too little.
#ifndef SESSION_COUNTERS_H
#define SESSION_COUNTERS_H

#include "base/hash.h"

#define COUNTERS_PARTS 8 // of a window
#define COUNTERS_RING (COUNTERS_PARTS + 1)
#define COUNTERS_WAYS 8 // places of a set
#define COUNTERS_STRIPES 64
#define COUNTERS_ENTRIES_DEFAULT (UINT32_C(256) * 1024)
#define COUNTERS_ENTRIES_MOST (UINT32_C(16) * 1024 * 1024)

// Plain data: what was added by part of the grid, number n in ring[n % COUNTERS_RING], for the parts newest
// - COUNTERS_PARTS to newest.
struct counters_entry {
    uint64_t tag; // high half of the key's hash; 0: a free place
    int64_t newest;
    double ring[COUNTERS_RING];
};

struct counters_set {
    struct counters_entry gone; // the most of what any key had that lost its place; newest: of the whole set
    struct counters_entry ways[COUNTERS_WAYS];
};

struct counters_table;

// Room for `entries` keys (0: the default; rounded up to a power of two, at most COUNTERS_ENTRIES_MOST),
// taken from the system as it is touched. window_ms > 0. *out NULL on failure, else held once.
MUST_USE enum pdp_err counters_new(int64_t window_ms, uint32_t entries, struct counters_table **out);
// One more holds it. Of those that hold it already.
struct counters_table *counters_hold(struct counters_table *table);
bool counters_is_shared(const struct counters_table *table); // by more than one
void counters_free(struct counters_table **table);           // gives one hold back; freed with the last

// What the key holds at now_ms: 0 or more; infinite where something was added that cannot be told. Depends on
// what is stored and now_ms alone, and changes nothing. Any thread; one short lock, no allocation.
double counters_read(struct counters_table *table, struct hash128 key, int64_t now_ms);
// Adds an amount, 0 or more; infinite: what is added cannot be told. Where the clock stepped back it is added
// at the latest time at which anything was. Any thread; one short lock, no allocation.
void counters_add(struct counters_table *table, struct hash128 key, double amount, int64_t now_ms);

struct counters_stats {
    uint64_t room, keys, displaced; // keys: places taken; displaced: keys that lost theirs, since the start
    uint64_t bytes;                 // at most, when all of it was touched
};
void counters_stats(const struct counters_table *table, struct counters_stats *out);

#endif
