// SPDX-License-Identifier: Apache-2.0
// From lists to one table: a sweep over the bounds of all prefixes, in order.
#include "policy/networks.h"

#include "base/num.h"
#include "model/sighting.h"

#include <stdlib.h>

// X(name, flags, what it decides, relieves)
#define CLASS_LIST(X)                                                                                 \
    X("hosting", SIGHT_HOSTING, SIGHT_HOSTING, false)                                                 \
    X("vpn", SIGHT_VPN | SIGHT_ANONYMOUS, SIGHT_VPN, false)                                           \
    X("tor", SIGHT_TOR | SIGHT_ANONYMOUS, SIGHT_TOR, false)                                           \
    X("proxy", SIGHT_PROXY | SIGHT_ANONYMOUS, SIGHT_PROXY, false)                                     \
    X("residential_proxy", SIGHT_RESIDENTIAL_PROXY | SIGHT_ANONYMOUS, SIGHT_RESIDENTIAL_PROXY, false) \
    X("relay", SIGHT_RELAY, SIGHT_RELAY, true)                                                        \
    X("satellite", SIGHT_SATELLITE, SIGHT_SATELLITE, true)                                            \
    X("carrier", SIGHT_CARRIER, SIGHT_CARRIER, true)                                                  \
    X("own_egress", SIGHT_OWN_EGRESS, SIGHT_OWN_EGRESS, true)

const struct networks_class NETWORKS_CLASSES[] = {
#define X(word, says, decides, relieves) {word, says, decides, relieves},
    CLASS_LIST(X)
#undef X
};
const char *const NETWORKS_NAMES[] = {
#define X(word, says, decides, relieves) word,
    CLASS_LIST(X)
#undef X
        NULL,
};

enum {
    MASKS_MOST = UINT16_MAX + 1,
    MASK_SLOTS = 4 * MASKS_MOST // of the table by which masks are found again
};

// ---- Bounds of one list, in order --------------------------------------------------------------------

// One entry: its first key, and the first after it; false where none comes after it.
static bool entry_v4(const struct lists_set *set, size_t at, struct rank_key128 *first,
                     struct rank_key128 *after)
{
    uint64_t base = set->v4.levels[0].keys[at];
    *first = (struct rank_key128){0, base};
    *after = (struct rank_key128){0, base + (UINT64_C(1) << (32 - set->v4_bits[at]))};
    return after->lo <= UINT32_MAX;
}

static bool entry_asn(const struct lists_set *set, size_t at, struct rank_key128 *first,
                      struct rank_key128 *after)
{
    uint64_t asn = set->asns.levels[0].keys[at];
    *first = (struct rank_key128){0, asn};
    *after = (struct rank_key128){0, asn + 1};
    return after->lo <= UINT32_MAX;
}

static bool entry_v6(const struct lists_set *set, size_t at, struct rank_key128 *first,
                     struct rank_key128 *after)
{
    unsigned bits = set->v6_bits[at];
    *first = *after = set->v6.levels[0].keys[at];
    if (bits == 0) {
        return false;
    }
    uint64_t hi = bits <= 64 ? UINT64_C(1) << (64 - bits) : 0;
    uint64_t lo = bits > 64 ? UINT64_C(1) << (128 - bits) : 0;
    after->lo += lo;
    after->hi += hi + (after->lo < lo);
    return after->hi != 0 || after->lo != 0;
}

static size_t count_v4(const struct lists_set *set)
{
    return set->v4.levels[0].count;
}

static size_t count_v6(const struct lists_set *set)
{
    return set->v6.levels[0].count;
}

static size_t count_asn(const struct lists_set *set)
{
    return set->asns.levels[0].count;
}

static const struct {
    size_t (*count)(const struct lists_set *set);
    bool (*entry)(const struct lists_set *set, size_t at, struct rank_key128 *first,
                  struct rank_key128 *after);
} KINDS[NETWORKS_KINDS] = {
    [NETWORKS_V4] = {count_v4, entry_v4},
    [NETWORKS_V6] = {count_v6, entry_v6},
    [NETWORKS_ASN] = {count_asn, entry_asn},
};

// ---- The sweep ---------------------------------------------------------------------------------------

// Where one list is.
struct cursor {
    struct rank_key128 next; // bound
    size_t at;               // entry
    unsigned list;
    bool inside; // the next bound is the end of the entry
};

struct sweep {
    const struct networks *networks;
    enum networks_kind kind;
    struct cursor heap[NETWORKS_MOST]; // the least bound first
    size_t count;
    struct arena arena; // of what is needed meanwhile
    struct rank_key128 *keys;
    uint16_t *which;
    uint64_t *masks;
    uint32_t *slots; // places in `masks`, and 1, by hash; 0: free
    size_t key_count, mask_count;
};

static bool is_below(struct rank_key128 a, struct rank_key128 b)
{
    return !rank_at_or_below(b, a);
}

// Puts the top of the heap where it belongs.
static void sink(struct sweep *s)
{
    for (size_t at = 0;;) {
        size_t least = at;
        for (size_t child = 2 * at + 1; child <= 2 * at + 2 && child < s->count; child++) {
            least = is_below(s->heap[child].next, s->heap[least].next) ? child : least;
        }
        if (least == at) {
            return;
        }
        struct cursor moved = s->heap[at];
        s->heap[at] = s->heap[least];
        s->heap[least] = moved;
        at = least;
    }
}

static void add_cursor(struct sweep *s, struct cursor cursor)
{
    size_t at = s->count++;
    for (; at > 0 && is_below(cursor.next, s->heap[(at - 1) / 2].next); at = (at - 1) / 2) {
        s->heap[at] = s->heap[(at - 1) / 2];
    }
    s->heap[at] = cursor;
}

// To the next bound of the list at the top; one that has none leaves.
static void step(struct sweep *s)
{
    struct cursor *top = &s->heap[0];
    const struct lists_set *set = s->networks->sets[top->list];
    struct rank_key128 first, after;
    bool more = true;
    if (top->inside) {
        top->at++;
        more = top->at < KINDS[s->kind].count(set);
        if (more) {
            (void)KINDS[s->kind].entry(set, top->at, &top->next, &after);
        }
    } else {
        more = KINDS[s->kind].entry(set, top->at, &first, &top->next);
    }
    top->inside = !top->inside;
    if (!more) {
        *top = s->heap[--s->count];
    }
    sink(s);
}

// The place of a mask among those that were met; LIMIT where they are too many.
static enum pdp_err place_of(struct sweep *s, uint64_t mask, uint16_t *out)
{
    uint64_t mixed = mask * UINT64_C(0x9E3779B97F4A7C15);
    size_t slot = (size_t)((mixed ^ mixed >> 29) * UINT64_C(0xBF58476D1CE4E5B9) >> 46) % MASK_SLOTS;
    while (s->slots[slot] != 0 && s->masks[s->slots[slot] - 1] != mask) {
        slot = (slot + 1) % MASK_SLOTS;
    }
    if (s->slots[slot] == 0) {
        if (s->mask_count == MASKS_MOST) {
            return PDP_ERR_LIMIT;
        }
        s->masks[s->mask_count] = mask;
        s->slots[slot] = (uint32_t)++s->mask_count;
    }
    *out = (uint16_t)(s->slots[slot] - 1);
    return PDP_ERR_OK;
}

static enum pdp_err sweep_room(struct sweep *s)
{
    size_t bounds = 1;
    for (size_t i = 0; i < s->networks->count; i++) {
        size_t entries = KINDS[s->kind].count(s->networks->sets[i]);
        if (!num_add(bounds, entries, &bounds) || !num_add(bounds, entries, &bounds)) {
            return PDP_ERR_LIMIT;
        }
    }
    // Pages that are never written cost nothing.
    s->keys = arena_alloc(&s->arena, bounds * sizeof *s->keys, _Alignof(struct rank_key128));
    s->which = arena_alloc(&s->arena, bounds * sizeof *s->which, _Alignof(uint16_t));
    s->masks = arena_alloc(&s->arena, MASKS_MOST * sizeof *s->masks, _Alignof(uint64_t));
    s->slots = ARENA_ARRAY(&s->arena, uint32_t, MASK_SLOTS);
    return s->keys != NULL && s->which != NULL && s->masks != NULL && s->slots != NULL ? PDP_ERR_OK
                                                                                       : PDP_ERR_NOMEM;
}

static enum pdp_err sweep_run(struct sweep *s)
{
    uint64_t mask = 0, last = 0;
    TRY(sweep_room(s));
    for (unsigned i = 0; i < s->networks->count; i++) {
        struct rank_key128 after;
        struct cursor cursor = {.list = i};
        if (KINDS[s->kind].count(s->networks->sets[i]) > 0) {
            (void)KINDS[s->kind].entry(s->networks->sets[i], 0, &cursor.next, &after);
            add_cursor(s, cursor);
        }
    }
    while (s->count > 0) {
        struct rank_key128 key = s->heap[0].next;
        while (s->count > 0 && !is_below(key, s->heap[0].next)) { // all bounds at this key
            mask ^= UINT64_C(1) << s->heap[0].list;
            step(s);
        }
        if (mask != last) {
            TRY(place_of(s, mask, &s->which[s->key_count]));
            s->keys[s->key_count++] = key;
            last = mask;
        }
    }
    return PDP_ERR_OK;
}

// ---- A table -----------------------------------------------------------------------------------------

static void table_free(struct networks_table **table_ptr)
{
    struct networks_table *table = STEAL(*table_ptr);
    if (table != NULL && atomic_fetch_sub_explicit(&table->holders, 1, memory_order_acq_rel) == 1) {
        arena_fini(&table->arena);
        free(table);
    }
}

static enum pdp_err put_keys(struct sweep *s, struct networks_table *table)
{
    if (s->kind == NETWORKS_V6) {
        return rank128_build(&table->keys128, s->keys, s->key_count, &table->arena);
    }
    uint32_t *keys = arena_alloc(&s->arena, s->key_count * sizeof *keys + 1, _Alignof(uint32_t));
    if (keys == NULL) {
        return PDP_ERR_NOMEM;
    }
    for (size_t i = 0; i < s->key_count; i++) {
        keys[i] = (uint32_t)s->keys[i].lo;
    }
    return rank32_build(&table->keys32, keys, s->key_count, &table->arena);
}

static enum pdp_err table_fill(struct sweep *s, struct networks_table *table)
{
    uint16_t *which = arena_alloc(&table->arena, s->key_count * sizeof *which + 1, _Alignof(uint16_t));
    uint64_t *masks = arena_alloc(&table->arena, s->mask_count * sizeof *masks + 1, _Alignof(uint64_t));
    if (which == NULL || masks == NULL) {
        return PDP_ERR_NOMEM;
    }
    memcpy(which, s->which, s->key_count * sizeof *which);
    memcpy(masks, s->masks, s->mask_count * sizeof *masks);
    table->which = which;
    table->masks = masks;
    table->key_count = s->key_count;
    table->mask_count = s->mask_count;
    return put_keys(s, table);
}

static enum pdp_err table_new(struct sweep *s, struct networks_table **out)
{
    *out = NULL;
    AUTO(table_free) struct networks_table *table = calloc(1, sizeof *table);
    if (table == NULL) {
        return PDP_ERR_NOMEM;
    }
    atomic_init(&table->holders, 1);
    arena_init(&table->arena, 256, 0);
    TRY(table_fill(s, table));
    *out = STEAL(table);
    return PDP_ERR_OK;
}

// ---- All ---------------------------------------------------------------------------------------------

static size_t entries_of(const struct networks *networks, enum networks_kind kind)
{
    size_t entries = 0;
    for (size_t i = 0; networks != NULL && i < networks->count; i++) {
        entries += KINDS[kind].count(networks->sets[i]);
    }
    return entries;
}

// Is the table of `was` that of `now`? The lists of both have the same bits: they are of the same documents.
static bool is_same(const struct networks *was, const struct networks *now, enum networks_kind kind)
{
    bool same = was != NULL && was->count == now->count;
    for (size_t i = 0; same && i < now->count; i++) {
        const struct lists_set *a = was->sets[i], *b = now->sets[i];
        same = a == b || (KINDS[kind].count(a) == 0 && KINDS[kind].count(b) == 0);
    }
    return same;
}

static enum pdp_err build_table(struct networks *networks, const struct networks *was,
                                enum networks_kind kind)
{
    if (entries_of(networks, kind) == 0) {
        return PDP_ERR_OK;
    }
    if (is_same(was, networks, kind)) {
        networks->tables[kind] = was->tables[kind];
        atomic_fetch_add_explicit(&networks->tables[kind]->holders, 1, memory_order_relaxed);
        return PDP_ERR_OK;
    }
    struct sweep s = {.networks = networks, .kind = kind};
    arena_init(&s.arena, 256, 0);
    enum pdp_err err = sweep_run(&s);
    if (err == PDP_ERR_OK) {
        err = table_new(&s, &networks->tables[kind]);
    }
    arena_fini(&s.arena);
    return err;
}

static enum pdp_err gather(const struct policy_lists *lists, struct networks *networks)
{
    for (size_t i = 0; i < lists->count; i++) {
        const struct lists_set *set = lists->at[i];
        if (set == NULL || set->head.network == NULL) {
            continue;
        }
        if (networks->count == NETWORKS_MOST) {
            return PDP_ERR_LIMIT;
        }
        uint64_t bit = UINT64_C(1) << networks->count;
        networks->aging |= set->missing || set->head.max_age_ms > 0 ? bit : 0;
        networks->of_asns |= set->head.kind == CEL_SET_ASN ? bit : 0;
        networks->decides |= set->head.network->decides;
        networks->classes[networks->count] = set->head.network;
        networks->sets[networks->count++] = set;
    }
    return PDP_ERR_OK;
}

enum pdp_err networks_build(const struct policy_lists *lists, const struct networks *was,
                            struct networks **out)
{
    *out = NULL;
    AUTO(networks_free) struct networks *networks = calloc(1, sizeof *networks);
    if (networks == NULL) {
        return PDP_ERR_NOMEM;
    }
    TRY(gather(lists, networks));
    if (networks->count == 0) {
        return PDP_ERR_OK;
    }
    for (int kind = 0; kind < NETWORKS_KINDS; kind++) {
        TRY(build_table(networks, was, (enum networks_kind)kind));
    }
    *out = STEAL(networks);
    return PDP_ERR_OK;
}

void networks_free(struct networks **networks_ptr)
{
    struct networks *networks = STEAL(*networks_ptr);
    for (int kind = 0; networks != NULL && kind < NETWORKS_KINDS; kind++) {
        table_free(&networks->tables[kind]);
    }
    free(networks);
}

size_t networks_bytes(const struct networks *networks)
{
    size_t bytes = networks != NULL ? sizeof *networks : 0;
    for (int kind = 0; networks != NULL && kind < NETWORKS_KINDS; kind++) {
        const struct networks_table *table = networks->tables[kind];
        bytes += table != NULL ? sizeof *table + table->arena.used_bytes : 0;
    }
    return bytes;
}
