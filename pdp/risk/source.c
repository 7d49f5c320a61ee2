// SPDX-License-Identifier: Apache-2.0
// HOT
#include "risk/source_table.h"

#include <stdlib.h>

// Sets of each kind: 2048 prefixes, 256 ASNs, 256 JA4s; 5.2 MiB together.
static const uint32_t SETS[SOURCE_KINDS] = {256, 32, 32};

enum {
    PARTS_A_SPAN = SOURCE_SPAN_MS / SOURCE_PART_MS,
    AHEAD_MOST = 3600000 / SOURCE_PART_MS, // a clock that steps back by more begins from where it is
    SHOWN_FAILED = 0,                      // places of figures
    SHOWN_REFUSED = 4,
    STRONG = 8 // a source that so much came from gives its place to no newcomer
};

// ---- Names ---------------------------------------------------------------------------------------

static uint64_t mix(uint64_t x)
{
    x = (x ^ x >> 32) * UINT64_C(0xD6E8FEB86659FD93);
    x = (x ^ x >> 32) * UINT64_C(0xD6E8FEB86659FD93);
    return x ^ x >> 32;
}

static uint64_t spread(const struct sources *sources, uint64_t x)
{
    return mix(mix(x ^ sources->key.k0) + sources->key.k1);
}

static uint64_t prefix_name(const struct ip *ip)
{
    const uint8_t *at = ip->v4 ? ip->bytes + 12 : ip->bytes;
    uint64_t name = ip->v4 ? 1 : 2;
    for (size_t i = 0; i < (ip->v4 ? 3 : 6); i++) {
        name = name << 8 | at[i];
    }
    return name;
}

struct source_names source_names_of(const struct sighting *seen, struct str ja4)
{
    static const struct hash_key SAME_EVERYWHERE = {UINT64_C(0x6a6134), 1};
    struct source_names names = {{0}};
    names.of[SOURCE_PREFIX] = (seen->flags & SIGHT_HAS_IP) != 0 ? prefix_name(&seen->ip) : 0;
    names.of[SOURCE_ASN] = seen->asn;
    names.of[SOURCE_JA4] = ja4.len > 0 ? hash_64(SAME_EVERYWHERE, ja4.at, ja4.len) | 1 : 0;
    return names;
}

uint32_t source_set_of(const struct sources *sources, enum source_kind kind, uint64_t name)
{
    return (uint32_t)spread(sources, name) & (sources->kinds[kind].set_count - 1);
}

pthread_mutex_t *source_lock_of(struct sources *sources, uint32_t set)
{
    return &sources->stripes[set % SOURCE_STRIPES].lock;
}

static uint32_t part_of(int64_t now_ms)
{
    int64_t part = now_ms / SOURCE_PART_MS;
    return now_ms < 0 ? 0 : part < UINT32_MAX ? (uint32_t)part : UINT32_MAX;
}

// ---- One entry -----------------------------------------------------------------------------------

// A reader that meets these stores sees either turn odd, or turn changed.
void source_show(struct source_entry *entry, uint32_t part, const uint32_t figures[static SOURCE_FIGURES])
{
    unsigned turn = atomic_load_explicit(&entry->turn, memory_order_relaxed);
    atomic_store_explicit(&entry->turn, turn + 1, memory_order_relaxed);
    atomic_store_explicit(&entry->part, part, memory_order_release);
    for (size_t i = 0; i < SOURCE_FIGURES; i++) {
        atomic_store_explicit(&entry->shown[i], figures[i], memory_order_release);
    }
    atomic_store_explicit(&entry->turn, turn + 2, memory_order_release);
}

static uint32_t add_sat(uint32_t a, uint32_t b)
{
    return a < UINT32_MAX - b ? a + b : UINT32_MAX;
}

static bool is_silent(const struct source_span *span)
{
    return span->failed == 0 && span->refused_sessions.count == 0;
}

// Nothing failed in its window: whatever succeeded has nothing to be compared with.
static bool is_over(const struct source_entry *entry)
{
    return is_silent(&entry->now) && is_silent(&entry->before);
}

// Did anything fail before this part? What succeeds in the very part in which the first failure comes is not
// counted, whichever came first.
static bool had_failed(const struct source_entry *entry)
{
    return atomic_load_explicit(&entry->shown[SHOWN_FAILED], memory_order_relaxed) != 0 ||
           atomic_load_explicit(&entry->shown[SHOWN_REFUSED], memory_order_relaxed) != 0;
}

static void show_what_is_there(struct source_entry *entry, uint32_t part)
{
    const struct source_span *now = &entry->now, *before = &entry->before;
    const uint32_t figures[SOURCE_FIGURES] = {
        add_sat(now->failed, before->failed),
        add_sat(now->passed, before->passed),
        distinct_count(&now->failed_subjects, &before->failed_subjects),
        distinct_count(&now->passed_subjects, &before->passed_subjects),
        distinct_count(&now->refused_sessions, &before->refused_sessions),
        distinct_count(&now->sessions, &before->sessions),
    };
    source_show(entry, part, figures);
}

// Takes an entry to the time: spans move on, and what came in before this part is shown. However often that
// is done in between, the same comes of it.
static void advance(struct source_entry *entry, uint32_t part)
{
    uint32_t was = atomic_load_explicit(&entry->part, memory_order_relaxed);
    if (part <= was && was - part <= AHEAD_MOST) {
        return;
    }
    uint32_t spans = part > was ? part / PARTS_A_SPAN - was / PARTS_A_SPAN : 0;
    if (spans > 0) {
        entry->before = spans == 1 ? entry->now : (struct source_span){0};
        entry->now = (struct source_span){0};
    }
    if (is_over(entry)) {
        entry->now = entry->before = (struct source_span){0};
    }
    show_what_is_there(entry, part);
}

static void add_to(struct source_span *span, enum source_news news, uint32_t who)
{
    switch (news) {
    case SOURCE_LOGIN_FAILED:
        span->failed = add_sat(span->failed, 1);
        (void)distinct_add(&span->failed_subjects, who);
        break;
    case SOURCE_LOGIN_PASSED:
        span->passed = add_sat(span->passed, 1);
        (void)distinct_add(&span->passed_subjects, who);
        break;
    case SOURCE_SESSION_REFUSED:
        (void)distinct_add(&span->refused_sessions, who);
        break;
    case SOURCE_SESSION_GOOD:
        (void)distinct_add(&span->sessions, who);
        break;
    }
}

// ---- One set -------------------------------------------------------------------------------------

static size_t way_of(struct source_set *set, uint64_t name)
{
    size_t way = 0;
    while (way < SOURCE_WAYS && atomic_load_explicit(&set->names[way], memory_order_acquire) != name) {
        way++;
    }
    return way;
}

static uint32_t weight_of(const struct source_entry *entry)
{
    uint32_t logins = add_sat(entry->now.failed, entry->before.failed);
    return add_sat(logins, entry->now.refused_sessions.count + entry->before.refused_sessions.count);
}

// A place for a newcomer: one that is free or over, else that of the source from which the least came. What
// much came from stays, so that nobody can make it be forgotten by failing from everywhere.
static size_t way_for(struct source_set *set, struct source_entry *entries, uint32_t part)
{
    size_t best = SOURCE_WAYS;
    uint32_t least = STRONG;
    for (size_t way = 0; way < SOURCE_WAYS; way++) {
        if (atomic_load_explicit(&set->names[way], memory_order_relaxed) == 0) {
            return way;
        }
        advance(&entries[way], part);
        uint32_t weight = weight_of(&entries[way]);
        if (weight < least) {
            best = way;
            least = weight;
        }
    }
    return best;
}

static void take_way(struct source_set *set, struct source_entry *entry, size_t way, uint64_t name,
                     uint32_t part)
{
    static const uint32_t NOTHING[SOURCE_FIGURES];
    atomic_store_explicit(&set->names[way], 0, memory_order_relaxed); // nobody reads it as either of the two
    entry->now = entry->before = (struct source_span){0};
    source_show(entry, part, NOTHING);
    atomic_store_explicit(&set->names[way], name, memory_order_release);
}

static void add_one(struct sources *sources, enum source_kind kind, uint64_t name, enum source_news news,
                    uint32_t who, uint32_t part)
{
    struct source_kind_table *table = &sources->kinds[kind];
    uint32_t number = source_set_of(sources, kind, name);
    struct source_set *set = &table->sets[number];
    bool bad = news == SOURCE_LOGIN_FAILED || news == SOURCE_SESSION_REFUSED;
    if (!bad && way_of(set, name) == SOURCE_WAYS) {
        return;
    }
    struct source_entry *entries = &table->entries[(size_t)number * SOURCE_WAYS];
    pthread_mutex_lock(source_lock_of(sources, number));
    size_t way = way_of(set, name);
    if (way == SOURCE_WAYS && bad) {
        way = way_for(set, entries, part);
        if (way < SOURCE_WAYS) {
            take_way(set, &entries[way], way, name, part);
        }
    }
    if (way < SOURCE_WAYS) {
        advance(&entries[way], part);
        if (bad || had_failed(&entries[way])) {
            add_to(&entries[way].now, news, who);
        }
    }
    pthread_mutex_unlock(source_lock_of(sources, number));
}

void source_add(struct sources *sources, const struct source_names *names, enum source_news news,
                uint64_t who, int64_t now_ms)
{
    uint32_t hash = (uint32_t)(spread(sources, who) >> 32);
    for (enum source_kind kind = SOURCE_PREFIX; kind < SOURCE_KINDS; kind++) {
        if (names->of[kind] != 0) {
            add_one(sources, kind, names->of[kind], news, hash, part_of(now_ms));
        }
    }
}

// ---- Reading -------------------------------------------------------------------------------------

static struct source_figures figures_of(const uint32_t shown[static SOURCE_FIGURES])
{
    return (struct source_figures){shown[0], shown[1], shown[2], shown[3], shown[4], shown[5]};
}

// false: somebody writes it, or it is of another part or another source by now.
static bool read_shown(struct source_set *set, size_t way, struct source_entry *entry, uint64_t name,
                       uint32_t part, uint32_t shown[static SOURCE_FIGURES])
{
    unsigned turn = atomic_load_explicit(&entry->turn, memory_order_acquire);
    uint32_t at = atomic_load_explicit(&entry->part, memory_order_acquire);
    for (size_t i = 0; i < SOURCE_FIGURES; i++) {
        shown[i] = atomic_load_explicit(&entry->shown[i], memory_order_acquire);
    }
    uint64_t still = atomic_load_explicit(&set->names[way], memory_order_acquire);
    unsigned again = atomic_load_explicit(&entry->turn, memory_order_relaxed);
    return turn % 2 == 0 && turn == again && still == name && at >= part && at - part <= AHEAD_MOST;
}

static void read_locked(struct sources *sources, enum source_kind kind, uint32_t number, uint64_t name,
                        uint32_t part, uint32_t shown[static SOURCE_FIGURES])
{
    struct source_kind_table *table = &sources->kinds[kind];
    pthread_mutex_lock(source_lock_of(sources, number));
    size_t way = way_of(&table->sets[number], name);
    for (size_t i = 0; i < SOURCE_FIGURES; i++) {
        shown[i] = 0;
    }
    if (way < SOURCE_WAYS) {
        struct source_entry *entry = &table->entries[(size_t)number * SOURCE_WAYS + way];
        advance(entry, part);
        for (size_t i = 0; i < SOURCE_FIGURES; i++) {
            shown[i] = atomic_load_explicit(&entry->shown[i], memory_order_relaxed);
        }
    }
    pthread_mutex_unlock(source_lock_of(sources, number));
}

static void read_one(struct sources *sources, enum source_kind kind, uint64_t name, uint32_t part,
                     struct source_figures *out)
{
    struct source_kind_table *table = &sources->kinds[kind];
    uint32_t number = source_set_of(sources, kind, name), shown[SOURCE_FIGURES];
    struct source_set *set = &table->sets[number];
    size_t way = way_of(set, name);
    if (way == SOURCE_WAYS) {
        return;
    }
    struct source_entry *entry = &table->entries[(size_t)number * SOURCE_WAYS + way];
    if (!read_shown(set, way, entry, name, part, shown)) {
        read_locked(sources, kind, number, name, part, shown);
    }
    *out = figures_of(shown);
}

void source_read(struct sources *sources, const struct source_names *names, int64_t now_ms,
                 struct source_view *out)
{
    *out = (struct source_view){0};
    for (enum source_kind kind = SOURCE_PREFIX; kind < SOURCE_KINDS; kind++) {
        if (names->of[kind] != 0) {
            read_one(sources, kind, names->of[kind], part_of(now_ms), &out->of[kind]);
        }
    }
}

bool source_told(struct sources *sources, uint64_t what)
{
    what |= 1;
    _Atomic uint64_t *place = &sources->told[spread(sources, what) % SOURCE_TOLD];
    return atomic_exchange_explicit(place, what, memory_order_relaxed) == what;
}

// ---- Set-up --------------------------------------------------------------------------------------

enum pdp_err source_new(struct hash_key key, struct sources **out)
{
    *out = NULL;
    AUTO(source_free) struct sources *sources = aligned_alloc(64, sizeof *sources);
    if (sources == NULL) {
        return PDP_ERR_NOMEM;
    }
    memset(sources, 0, sizeof *sources);
    sources->key = key;
    for (size_t i = 0; i < SOURCE_STRIPES; i++) {
        pthread_mutex_init(&sources->stripes[i].lock, NULL);
    }
    for (size_t kind = 0; kind < SOURCE_KINDS; kind++) {
        struct source_kind_table *table = &sources->kinds[kind];
        table->set_count = SETS[kind];
        table->sets = aligned_alloc(64, SETS[kind] * sizeof *table->sets);
        table->entries = calloc((size_t)SETS[kind] * SOURCE_WAYS, sizeof *table->entries);
        if (table->sets == NULL || table->entries == NULL) {
            return PDP_ERR_NOMEM;
        }
        memset(table->sets, 0, SETS[kind] * sizeof *table->sets);
    }
    *out = STEAL(sources);
    return PDP_ERR_OK;
}

void source_free(struct sources **sources_ptr)
{
    struct sources *sources = STEAL(*sources_ptr);
    if (sources == NULL) {
        return;
    }
    for (size_t kind = 0; kind < SOURCE_KINDS; kind++) {
        free(sources->kinds[kind].sets);
        free(sources->kinds[kind].entries);
    }
    for (size_t i = 0; i < SOURCE_STRIPES; i++) {
        pthread_mutex_destroy(&sources->stripes[i].lock);
    }
    free(sources);
}

// An entry holds something only where its place has a name.
static void clear_set(struct source_kind_table *table, uint32_t set)
{
    for (size_t way = 0; way < SOURCE_WAYS; way++) {
        if (atomic_load_explicit(&table->sets[set].names[way], memory_order_relaxed) != 0) {
            atomic_store_explicit(&table->sets[set].names[way], 0, memory_order_relaxed);
            memset(&table->entries[(size_t)set * SOURCE_WAYS + way], 0, sizeof *table->entries);
        }
    }
}

void source_clear(struct sources *sources)
{
    for (size_t kind = 0; kind < SOURCE_KINDS; kind++) {
        for (uint32_t set = 0; set < sources->kinds[kind].set_count; set++) {
            clear_set(&sources->kinds[kind], set);
        }
    }
    for (size_t i = 0; i < SOURCE_TOLD; i++) {
        atomic_store(&sources->told[i], 0);
    }
}
