// SPDX-License-Identifier: Apache-2.0
// HOT
#include "session/counters.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

struct stripe {
    _Alignas(64) pthread_mutex_t lock;
};

struct counters_table {
    int64_t part_ms; // COUNTERS_PARTS of them are the window, or a little more
    uint32_t set_mask;
    struct counters_set *sets;
    struct stripe *stripes;
    _Atomic int64_t latest; // part in which something was added
    _Atomic uint64_t keys, displaced;
    atomic_uint held;
};

// ---- One entry -------------------------------------------------------------------------------------

static inline double *part_of(struct counters_entry *entry, int64_t part)
{
    return &entry->ring[part % COUNTERS_RING];
}

// What an entry holds in the window that ends in part `now`, oldest first: floating sums depend on the order.
static double sum_at(const struct counters_entry *entry, int64_t now)
{
    double sum = 0;
    int64_t end = entry->newest;
    int64_t from = (now > end ? now : end) - COUNTERS_PARTS;
    for (int64_t part = from > 0 ? from : 0; part <= end; part++) {
        sum += entry->ring[part % COUNTERS_RING];
    }
    return sum;
}

// Parts that come to be the newest hold nothing yet.
static void advance(struct counters_entry *entry, int64_t now)
{
    int64_t from = entry->newest + 1;
    from = from > now - COUNTERS_PARTS ? from : now - COUNTERS_PARTS;
    for (int64_t part = from > 0 ? from : 0; part <= now; part++) {
        *part_of(entry, part) = 0;
    }
    entry->newest = now > entry->newest ? now : entry->newest;
}

// ---- One set, locked ---------------------------------------------------------------------------------

static struct counters_entry *find(struct counters_set *set, uint64_t tag)
{
    for (size_t i = 0; i < COUNTERS_WAYS; i++) {
        if (set->ways[i].tag == tag) {
            return &set->ways[i];
        }
    }
    return NULL;
}

static struct counters_entry *least(struct counters_set *set, int64_t now)
{
    struct counters_entry *found = &set->ways[0];
    double least = sum_at(found, now);
    for (size_t i = 1; i < COUNTERS_WAYS; i++) {
        double sum = sum_at(&set->ways[i], now);
        if (sum < least) {
            least = sum;
            found = &set->ways[i];
        }
    }
    return found;
}

// What a key that loses its place had is no more than this from now on, whoever asks for it again.
static void keep_most(struct counters_entry *gone, const struct counters_entry *entry)
{
    int64_t from = gone->newest - COUNTERS_PARTS;
    from = from > entry->newest - COUNTERS_PARTS ? from : entry->newest - COUNTERS_PARTS;
    for (int64_t part = from > 0 ? from : 0; part <= entry->newest; part++) {
        double had = entry->ring[part % COUNTERS_RING];
        double *most = part_of(gone, part);
        *most = had > *most ? had : *most;
    }
}

// The key's place, made where it has none. set->gone stands at part `now`.
static struct counters_entry *find_or_make(struct counters_table *table, struct counters_set *set,
                                           uint64_t tag, int64_t now)
{
    struct counters_entry *entry = find(set, tag);
    if (entry != NULL) {
        return entry;
    }
    entry = find(set, 0);
    if (entry == NULL) {
        entry = least(set, now);
        keep_most(&set->gone, entry);
        atomic_fetch_add_explicit(&table->displaced, 1, memory_order_relaxed);
    } else {
        atomic_fetch_add_explicit(&table->keys, 1, memory_order_relaxed);
    }
    *entry = set->gone;
    entry->tag = tag;
    return entry;
}

// ---- The table ---------------------------------------------------------------------------------------

struct place {
    struct counters_set *set;
    pthread_mutex_t *lock;
    uint64_t tag;
    int64_t now; // part of the grid
};

static struct place place_of(const struct counters_table *table, struct hash128 key, int64_t now_ms)
{
    uint32_t at = (uint32_t)key.lo & table->set_mask;
    return (struct place){.set = &table->sets[at],
                          .lock = &table->stripes[at % COUNTERS_STRIPES].lock,
                          .tag = key.hi != 0 ? key.hi : 1,
                          .now = now_ms > 0 ? now_ms / table->part_ms : 0};
}

double counters_read(struct counters_table *table, struct hash128 key, int64_t now_ms)
{
    struct place place = place_of(table, key, now_ms);
    pthread_mutex_lock(place.lock);
    const struct counters_entry *entry = find(place.set, place.tag);
    double sum = sum_at(entry != NULL ? entry : &place.set->gone, place.now);
    pthread_mutex_unlock(place.lock);
    return sum;
}

// The part in which something is added: never one before what was seen.
static int64_t add_part(struct counters_table *table, int64_t now)
{
    int64_t latest = atomic_load_explicit(&table->latest, memory_order_relaxed);
    while (now > latest && !atomic_compare_exchange_weak(&table->latest, &latest, now)) {
    }
    return now > latest ? now : latest;
}

void counters_add(struct counters_table *table, struct hash128 key, double amount, int64_t now_ms)
{
    invariant(amount >= 0);
    struct place place = place_of(table, key, now_ms);
    int64_t part = add_part(table, place.now);
    pthread_mutex_lock(place.lock);
    advance(&place.set->gone, part);
    int64_t now = place.set->gone.newest;
    struct counters_entry *entry = find_or_make(table, place.set, place.tag, now);
    advance(entry, now);
    *part_of(entry, now) += amount;
    pthread_mutex_unlock(place.lock);
}

// ---- Made and dropped off the hot path ---------------------------------------------------------------

static uint32_t sets_for(uint32_t entries)
{
    uint32_t want = entries == 0 ? COUNTERS_ENTRIES_DEFAULT : entries;
    uint32_t sets = 1;
    want = want < COUNTERS_ENTRIES_MOST ? want : COUNTERS_ENTRIES_MOST;
    while (sets * COUNTERS_WAYS < want) {
        sets *= 2;
    }
    return sets;
}

static bool make_stripes(struct counters_table *table)
{
    void *stripes = NULL;
    if (posix_memalign(&stripes, 64, COUNTERS_STRIPES * sizeof *table->stripes) != 0) {
        return false;
    }
    table->stripes = stripes;
    for (size_t i = 0; i < COUNTERS_STRIPES; i++) {
        invariant(pthread_mutex_init(&table->stripes[i].lock, NULL) == 0);
    }
    return true;
}

enum pdp_err counters_new(int64_t window_ms, uint32_t entries, struct counters_table **out)
{
    *out = NULL;
    if (window_ms <= 0) {
        return PDP_ERR_RANGE;
    }
    AUTO(counters_free) struct counters_table *table = calloc(1, sizeof *table);
    if (table == NULL) {
        return PDP_ERR_NOMEM;
    }
    atomic_init(&table->held, 1);
    table->part_ms = window_ms / COUNTERS_PARTS + (window_ms % COUNTERS_PARTS != 0);
    table->set_mask = sets_for(entries) - 1;
    table->sets = calloc((size_t)table->set_mask + 1, sizeof *table->sets);
    if (table->sets == NULL || !make_stripes(table)) {
        return PDP_ERR_NOMEM;
    }
    *out = STEAL(table);
    return PDP_ERR_OK;
}

struct counters_table *counters_hold(struct counters_table *table)
{
    atomic_fetch_add(&table->held, 1);
    return table;
}

bool counters_is_shared(const struct counters_table *table)
{
    return atomic_load(&table->held) > 1;
}

void counters_free(struct counters_table **table)
{
    struct counters_table *t = STEAL(*table);
    if (t != NULL && atomic_fetch_sub(&t->held, 1) == 1) {
        free(t->sets);
        free(t->stripes);
        free(t);
    }
}

void counters_stats(const struct counters_table *table, struct counters_stats *out)
{
    uint64_t sets = (uint64_t)table->set_mask + 1;
    *out = (struct counters_stats){
        .room = sets * COUNTERS_WAYS,
        .keys = atomic_load_explicit(&table->keys, memory_order_relaxed),
        .displaced = atomic_load_explicit(&table->displaced, memory_order_relaxed),
        .bytes = sizeof *table + sets * sizeof *table->sets + COUNTERS_STRIPES * sizeof *table->stripes,
    };
}
