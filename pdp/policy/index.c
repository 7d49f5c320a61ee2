// SPDX-License-Identifier: Apache-2.0
// Building an index: collect what each rule tests, count how often each text occurs, put each rule where the
// fewest others are.
#include "policy/index.h"

#include <stdlib.h>

#define KEYS_MOST 1024 // texts of one test; a longer `in` is no key
#define TESTS_MOST 256 // of one expression, alternatives counted
#define DIMS_MOST 128  // attributes that are weighed; there is room for action and path

// One text under which an item may lie, and the bucket that it shares with others.
struct key {
    struct str text;
    enum index_key kind;
    uint32_t bucket;
};

// One thing that an item tests: any of its keys must hold.
struct facet {
    uint32_t dim, first_key, key_count;
};

struct bucket {
    struct key key;
    uint32_t dim;
    uint32_t uses;  // by all facets of all items
    uint32_t taken; // by items that lie here
    uint32_t from;  // of its postings
};

#define GROWING(type)      \
    struct {               \
        type *at;          \
        size_t count, cap; \
    }

struct builder {
    const struct policy_set *set;
    const struct index_item *items;
    uint32_t count;
    struct index *index;
    GROWING(struct key) keys;
    GROWING(struct facet) facets;
    GROWING(struct bucket) buckets;
    GROWING(struct index_dim) dims;
    uint32_t *first_facet; // of each item, and one past the last
    uint32_t *chosen;      // facet of each item; UINT32_MAX: none
    uint32_t *uses;        // of each dimension
    bool *kept;            // each dimension
    uint32_t *table;       // bucket numbers + 1 by hash
    size_t mask;
};

// realloc keeps what was there; NULL is out of memory, and the old array stays owned.
static void *grown(void *at, size_t *cap, size_t bytes)
{
    size_t more = *cap == 0 ? 64 : *cap * 2;
    void *to = reallocarray(at, more, bytes);
    *cap = to != NULL ? more : *cap;
    return to;
}

#define PUSH(list, item)                                                      \
    do {                                                                      \
        if ((list)->count == (list)->cap) {                                   \
            void *to_ = grown((list)->at, &(list)->cap, sizeof(*(list)->at)); \
            if (to_ == NULL) {                                                \
                return PDP_ERR_NOMEM;                                         \
            }                                                                 \
            (list)->at = to_;                                                 \
        }                                                                     \
        (list)->at[(list)->count++] = (item);                                 \
    } while (0)

static void builder_fini(struct builder *b)
{
    free(b->keys.at);
    free(b->facets.at);
    free(b->buckets.at);
    free(b->dims.at);
    free(b->first_facet);
    free(b->chosen);
    free(b->uses);
    free(b->kept);
    free(b->table);
}

// ---- Collecting -------------------------------------------------------------------------------------

// UINT32_MAX: one too many; such a test is no key.
static enum pdp_err dim_of(struct builder *b, uint32_t slot, bool elements, uint32_t *dim)
{
    for (uint32_t i = 0; i < b->dims.count; i++) {
        if (b->dims.at[i].slot == slot && b->dims.at[i].elements == elements) {
            *dim = i;
            return PDP_ERR_OK;
        }
    }
    if (b->dims.count >= DIMS_MOST) {
        *dim = UINT32_MAX;
        return PDP_ERR_OK;
    }
    *dim = (uint32_t)b->dims.count;
    PUSH(&b->dims, ((struct index_dim){.slot = slot, .elements = elements}));
    return PDP_ERR_OK;
}

static enum pdp_err add_key(struct builder *b, struct str text, enum index_key kind)
{
    if (kind == INDEX_PREFIX && text.len > INDEX_PREFIX_MAX) {
        text.len = INDEX_PREFIX_MAX;
    }
    text.at = text.at != NULL ? text.at : "";
    PUSH(&b->keys, ((struct key){.text = text, .kind = kind}));
    return PDP_ERR_OK;
}

static enum pdp_err end_facet(struct builder *b, uint32_t dim, size_t first)
{
    struct facet facet = {dim, (uint32_t)first, (uint32_t)(b->keys.count - first)};
    PUSH(&b->facets, facet);
    return PDP_ERR_OK;
}

static enum pdp_err collect_actions(struct builder *b, const struct index_item *item)
{
    size_t first = b->keys.count;
    uint32_t dim = 0;
    if (item->action_count == 0 || item->action_count > KEYS_MOST) {
        return PDP_ERR_OK;
    }
    TRY(dim_of(b, INDEX_ACTION, false, &dim));
    for (uint32_t i = 0; i < item->action_count; i++) {
        TRY(add_key(b, item->actions[i], INDEX_WHOLE));
    }
    return end_facet(b, dim, first);
}

// Prefixes of paths end with a slash: a longer one is cut at one.
static bool cut_prefix(struct str *prefix)
{
    size_t len = prefix->len < INDEX_PREFIX_MAX ? prefix->len : INDEX_PREFIX_MAX;
    while (len > 0 && prefix->at[len - 1] != '/') {
        len--;
    }
    prefix->len = len;
    return len > 1;
}

static enum pdp_err collect_resources(struct builder *b, const struct index_item *item)
{
    size_t first = b->keys.count;
    uint32_t dim = 0;
    if (item->resource_count == 0 || item->resource_count > KEYS_MOST) {
        return PDP_ERR_OK;
    }
    TRY(dim_of(b, INDEX_PATH, false, &dim));
    for (uint32_t i = 0; i < item->resource_count; i++) {
        struct glob_keys keys;
        bool cut =
            glob_keys_of(&item->resources[i], &keys) && (keys.prefix.len == 0 || cut_prefix(&keys.prefix));
        if (!cut) { // one pattern that any path may match: the others say nothing
            b->keys.count = first;
            return PDP_ERR_OK;
        }
        if (keys.exact.len > 0) {
            TRY(add_key(b, keys.exact, INDEX_WHOLE));
        }
        if (keys.prefix.len > 0) {
            TRY(add_key(b, keys.prefix, INDEX_PREFIX));
        }
    }
    return end_facet(b, dim, first);
}

// One key of an expression; of parts that are cut, the last bytes or the first.
static enum pdp_err collect_key(struct builder *b, const struct cel_key *key, bool last)
{
    static const enum index_key KINDS[] = {[CEL_KEY_EQ] = INDEX_WHOLE,
                                           [CEL_KEY_IN] = INDEX_WHOLE,
                                           [CEL_KEY_PREFIX] = INDEX_PREFIX,
                                           [CEL_KEY_PART] = INDEX_PART,
                                           [CEL_KEY_HAS] = INDEX_WHOLE};
    for (size_t i = 0; i < key->count; i++) {
        struct str text = key->values != NULL ? value_text(&key->values[i]) : key->text;
        if (key->op == CEL_KEY_PART && text.len > INDEX_PART_MAX) {
            text = str_sub(text, last ? text.len - INDEX_PART_MAX : 0, INDEX_PART_MAX);
        }
        TRY(add_key(b, text, KINDS[key->op]));
    }
    return PDP_ERR_OK;
}

// Alternatives in a row; *cut: some are parts that are cut.
static size_t group_of(const struct cel_key *keys, size_t count, bool *usable, bool *cut)
{
    size_t end = 0, texts = 0;
    *usable = true;
    *cut = false;
    for (; end < count && keys[end].group == keys[0].group; end++) {
        bool part = keys[end].op == CEL_KEY_PART;
        size_t len = !part ? 0 : keys[end].values != NULL ? keys[end].values[0].n : keys[end].text.len;
        texts += keys[end].count;
        *usable = *usable && (!part || len >= INDEX_PART_LEAST);
        *cut = *cut || len > INDEX_PART_MAX;
    }
    *usable = *usable && texts <= KEYS_MOST;
    return end;
}

static enum pdp_err collect_group(struct builder *b, const struct cel_key *keys, size_t count, bool last)
{
    size_t first = b->keys.count;
    uint32_t dim = 0;
    TRY(dim_of(b, keys[0].slot, keys[0].op == CEL_KEY_HAS, &dim));
    if (dim == UINT32_MAX) {
        return PDP_ERR_OK;
    }
    for (size_t i = 0; i < count; i++) {
        TRY(collect_key(b, &keys[i], last));
    }
    return end_facet(b, dim, first);
}

static enum pdp_err collect_expr(struct builder *b, uint32_t expr)
{
    struct cel_key tests[TESTS_MOST];
    size_t count = expr != SET_NO_EXPR ? cel_keys(b->set->program, expr, tests, TESTS_MOST) : 0;
    for (size_t i = 0; i < count;) {
        bool usable = false, cut = false;
        size_t alternatives = group_of(&tests[i], count - i, &usable, &cut);
        if (usable) {
            TRY(collect_group(b, &tests[i], alternatives, false));
        }
        if (usable && cut) { // whichever end tells rules apart
            TRY(collect_group(b, &tests[i], alternatives, true));
        }
        i += alternatives;
    }
    return PDP_ERR_OK;
}

static enum pdp_err collect(struct builder *b)
{
    uint32_t dim = 0; // these two first, so that they are never one too many
    TRY(dim_of(b, INDEX_ACTION, false, &dim));
    TRY(dim_of(b, INDEX_PATH, false, &dim));
    for (uint32_t i = 0; i < b->count; i++) {
        const struct index_item *item = &b->items[i];
        b->first_facet[i] = (uint32_t)b->facets.count;
        TRY(collect_actions(b, item));
        TRY(collect_resources(b, item));
        TRY(collect_expr(b, item->exprs[0]));
        TRY(collect_expr(b, item->exprs[1]));
    }
    b->first_facet[b->count] = (uint32_t)b->facets.count;
    return PDP_ERR_OK;
}

// ---- Buckets ----------------------------------------------------------------------------------------

static uint64_t hash_of(const struct builder *b, const struct key *key)
{
    uint64_t hash = b->index->seed;
    for (size_t i = 0; i < key->text.len; i++) {
        hash = index_hash_byte(hash, key->text.at[i]);
    }
    return index_hash_end(hash, key->kind);
}

static enum pdp_err count_key(struct builder *b, uint32_t dim, struct key *key)
{
    size_t at = (size_t)(hash_of(b, key) + dim * UINT64_C(0x9e3779b97f4a7c15)) & b->mask;
    for (; b->table[at] != 0; at = (at + 1) & b->mask) {
        struct bucket *bucket = &b->buckets.at[b->table[at] - 1];
        if (bucket->dim == dim && bucket->key.kind == key->kind && str_eq(bucket->key.text, key->text)) {
            bucket->uses++;
            key->bucket = b->table[at] - 1;
            return PDP_ERR_OK;
        }
    }
    key->bucket = (uint32_t)b->buckets.count;
    struct bucket fresh = {.key = *key, .dim = dim, .uses = 1};
    PUSH(&b->buckets, fresh);
    b->table[at] = key->bucket + 1;
    return PDP_ERR_OK;
}

static enum pdp_err count_uses(struct builder *b)
{
    size_t cap = 16;
    while (cap < b->keys.count * 2) {
        cap *= 2;
    }
    b->table = calloc(cap, sizeof(*b->table));
    if (b->table == NULL) {
        return PDP_ERR_NOMEM;
    }
    b->mask = cap - 1;
    for (size_t f = 0; f < b->facets.count; f++) {
        const struct facet *facet = &b->facets.at[f];
        for (uint32_t k = 0; k < facet->key_count; k++) {
            TRY(count_key(b, facet->dim, &b->keys.at[facet->first_key + k]));
        }
    }
    return PDP_ERR_OK;
}

// ---- Choosing ---------------------------------------------------------------------------------------

// How many rules would be looked at with this one: the fewer, the better.
static uint64_t cost_of(const struct builder *b, const struct facet *facet)
{
    static const uint64_t WEIGHTS[] = {[INDEX_WHOLE] = 1, [INDEX_PREFIX] = 2, [INDEX_PART] = 4};
    uint64_t cost = 0;
    for (uint32_t k = 0; k < facet->key_count; k++) {
        const struct key *key = &b->keys.at[facet->first_key + k];
        cost += (uint64_t)b->buckets.at[key->bucket].uses * WEIGHTS[key->kind];
    }
    return b->dims.at[facet->dim].elements ? cost * 4 : cost;
}

static void choose(struct builder *b)
{
    for (uint32_t d = 0; d < b->dims.count; d++) {
        b->uses[d] = 0;
    }
    for (uint32_t i = 0; i < b->count; i++) {
        uint64_t least = UINT64_MAX;
        b->chosen[i] = UINT32_MAX;
        for (uint32_t f = b->first_facet[i]; f < b->first_facet[i + 1]; f++) {
            const struct facet *facet = &b->facets.at[f];
            uint64_t cost = b->kept[facet->dim] ? cost_of(b, facet) : UINT64_MAX;
            if (cost < least) {
                least = cost;
                b->chosen[i] = f;
            }
        }
        if (b->chosen[i] != UINT32_MAX) {
            b->uses[b->facets.at[b->chosen[i]].dim]++;
        }
    }
}

static bool is_slot(const struct builder *b, size_t dim)
{
    return b->dims.at[dim].slot != INDEX_ACTION && b->dims.at[dim].slot != INDEX_PATH;
}

// The attribute that the fewest rules lie under; *count: how many are still looked at.
static size_t least_used(const struct builder *b, size_t *count)
{
    size_t least = SIZE_MAX;
    *count = 0;
    for (size_t d = 0; d < b->dims.count; d++) {
        if (!is_slot(b, d) || !b->kept[d]) {
            continue;
        }
        (*count)++;
        least = least == SIZE_MAX || b->uses[d] < b->uses[least] ? d : least;
    }
    return least;
}

// Only attributes that many rules gain by are looked at for each question. Those of the least use go first,
// some at a time, and their rules lie under others then.
static void choose_best(struct builder *b)
{
    for (bool more = true; more;) {
        size_t count = 0;
        choose(b);
        (void)least_used(b, &count);
        more = false;
        for (size_t drop = count / 8 + 1; drop > 0; drop--) {
            size_t least = least_used(b, &count);
            bool few = least != SIZE_MAX && b->uses[least] < INDEX_SLOT_USES;
            if (few || count > INDEX_SLOTS_MAX) {
                b->kept[least] = false;
                more = true;
            }
        }
    }
}

// Rules that lie nowhere now may be enough for an attribute that went before.
static bool take_back(struct builder *b)
{
    size_t kept = 0, most = SIZE_MAX;
    (void)least_used(b, &kept);
    for (size_t d = 0; d < b->dims.count; d++) {
        b->uses[d] = 0;
    }
    for (uint32_t i = 0; i < b->count; i++) {
        for (uint32_t f = b->first_facet[i]; b->chosen[i] == UINT32_MAX && f < b->first_facet[i + 1]; f++) {
            b->uses[b->facets.at[f].dim]++;
        }
    }
    for (size_t d = 0; d < b->dims.count; d++) {
        bool more = b->uses[d] >= INDEX_SLOT_USES && (most == SIZE_MAX || b->uses[d] > b->uses[most]);
        most = !b->kept[d] && more ? d : most;
    }
    if (most == SIZE_MAX || kept >= INDEX_SLOTS_MAX) {
        return false;
    }
    b->kept[most] = true;
    choose(b);
    return true;
}

static enum pdp_err choose_all(struct builder *b)
{
    b->uses = calloc(b->dims.count + 1, sizeof(*b->uses));
    b->kept = calloc(b->dims.count + 1, sizeof(*b->kept));
    if (b->uses == NULL || b->kept == NULL) {
        return PDP_ERR_NOMEM;
    }
    for (size_t d = 0; d < b->dims.count; d++) {
        b->kept[d] = true;
    }
    choose_best(b);
    while (take_back(b)) {
    }
    return PDP_ERR_OK;
}

// ---- Writing ----------------------------------------------------------------------------------------

static const struct facet *facet_of(const struct builder *b, uint32_t item)
{
    return b->chosen[item] != UINT32_MAX ? &b->facets.at[b->chosen[item]] : NULL;
}

static struct index_list *missing_list(struct builder *b, uint32_t item, uint32_t dim)
{
    struct index_dim *of = &b->dims.at[dim];
    return b->items[item].unsure_counts ? &of->missing : &of->missing_allows;
}

static size_t count_postings(struct builder *b)
{
    size_t total = 0;
    for (uint32_t i = 0; i < b->count; i++) {
        const struct facet *facet = facet_of(b, i);
        if (facet == NULL) {
            b->index->always.count++;
            total++;
            continue;
        }
        missing_list(b, i, facet->dim)->count++;
        total += facet->key_count + 1;
        for (uint32_t k = 0; k < facet->key_count; k++) {
            b->buckets.at[b->keys.at[facet->first_key + k].bucket].taken++;
        }
    }
    return total;
}

static uint32_t reserve(uint32_t *at, uint32_t count)
{
    uint32_t from = *at;
    *at += count;
    return from;
}

// Gives each list its stretch of the postings; counts are zeroed and grow again as the lists fill.
static void lay_out(struct builder *b)
{
    uint32_t at = 0;
    b->index->always.from = reserve(&at, b->index->always.count);
    b->index->always.count = 0;
    for (size_t d = 0; d < b->dims.count; d++) {
        struct index_dim *dim = &b->dims.at[d];
        dim->missing = (struct index_list){reserve(&at, dim->missing.count), 0};
        dim->missing_allows = (struct index_list){reserve(&at, dim->missing_allows.count), 0};
    }
    for (size_t i = 0; i < b->buckets.count; i++) {
        b->buckets.at[i].from = reserve(&at, b->buckets.at[i].taken);
        b->buckets.at[i].taken = 0;
    }
}

static void append(struct index_list *list, uint32_t *postings, uint32_t item)
{
    postings[list->from + list->count++] = item;
}

static void fill(struct builder *b, uint32_t *postings)
{
    for (uint32_t i = 0; i < b->count; i++) {
        const struct facet *facet = facet_of(b, i);
        if (facet == NULL) {
            append(&b->index->always, postings, i);
            continue;
        }
        b->index->indexed++;
        append(missing_list(b, i, facet->dim), postings, i);
        for (uint32_t k = 0; k < facet->key_count; k++) {
            struct bucket *bucket = &b->buckets.at[b->keys.at[facet->first_key + k].bucket];
            postings[bucket->from + bucket->taken++] = i;
        }
    }
}

static void put_entry(struct builder *b, struct index_dim *dim, const struct bucket *bucket)
{
    const struct key *key = &bucket->key;
    size_t at = (size_t)hash_of(b, key) & dim->mask;
    while (dim->entries[at].key != NULL) {
        at = (at + 1) & dim->mask;
    }
    dim->entries[at] = (struct index_entry){.key = key->text.at,
                                            .len = (uint32_t)key->text.len,
                                            .kind = (uint8_t)key->kind,
                                            .list = {bucket->from, bucket->taken}};
    if (key->kind == INDEX_PREFIX) {
        dim->prefix_lengths |= UINT64_C(1) << key->text.len;
    } else if (key->kind == INDEX_PART) {
        dim->part_lengths |= UINT64_C(1) << key->text.len;
    } else if (key->text.len > dim->exact_most) {
        dim->exact_most = (uint32_t)key->text.len;
    }
}

static enum pdp_err write_dims(struct builder *b)
{
    struct index *index = b->index;
    index->dims = ARENA_ARRAY(b->set->arena, struct index_dim, b->dims.count + 1);
    if (index->dims == NULL) {
        return PDP_ERR_NOMEM;
    }
    for (size_t d = 0; d < b->dims.count; d++) {
        struct index_dim *dim = &index->dims[index->dim_count];
        *dim = b->dims.at[d];
        size_t texts = 0;
        for (size_t i = 0; i < b->buckets.count; i++) {
            texts += b->buckets.at[i].dim == d && b->buckets.at[i].taken > 0;
        }
        size_t cap = 4;
        while (cap < texts * 2) {
            cap *= 2;
        }
        dim->entries = ARENA_ARRAY(b->set->arena, struct index_entry, cap);
        if (dim->entries == NULL) {
            return PDP_ERR_NOMEM;
        }
        dim->mask = cap - 1;
        for (size_t i = 0; i < b->buckets.count; i++) {
            if (b->buckets.at[i].dim == d && b->buckets.at[i].taken > 0) {
                put_entry(b, dim, &b->buckets.at[i]);
            }
        }
        index->dim_count += dim->missing.count + dim->missing_allows.count > 0;
    }
    return PDP_ERR_OK;
}

static enum pdp_err build(struct builder *b)
{
    b->first_facet = calloc((size_t)b->count + 1, sizeof(*b->first_facet));
    b->chosen = calloc((size_t)b->count + 1, sizeof(*b->chosen));
    if (b->first_facet == NULL || b->chosen == NULL) {
        return PDP_ERR_NOMEM;
    }
    TRY(collect(b));
    TRY(count_uses(b));
    TRY(choose_all(b));
    size_t total = count_postings(b);
    uint32_t *postings = ARENA_ARRAY(b->set->arena, uint32_t, total + 1);
    if (postings == NULL || total > UINT32_MAX) {
        return PDP_ERR_NOMEM;
    }
    lay_out(b);
    fill(b, postings);
    b->index->postings = postings;
    return write_dims(b);
}

enum pdp_err index_build(const struct index_item *items, uint32_t count, const struct policy_set *set,
                         struct index **out)
{
    *out = NULL;
    struct index *index = ARENA_NEW(set->arena, struct index);
    if (index == NULL) {
        return PDP_ERR_NOMEM;
    }
    index->seed = set->seed.k0 ^ set->seed.k1;
    index->items = count;
    AUTO(builder_fini) struct builder b = {.set = set, .items = items, .count = count, .index = index};
    TRY(build(&b));
    *out = index;
    return PDP_ERR_OK;
}
