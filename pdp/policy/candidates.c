// SPDX-License-Identifier: Apache-2.0
// HOT
#include "policy/index.h"

#define FEW 64 // are sorted; more are marked as bits

struct gather {
    const struct index *index;
    struct index_scratch *scratch;
    size_t count;
    bool many;
};

static void mark(struct gather *g, uint32_t item)
{
    g->scratch->bits[item / 64] |= UINT64_C(1) << item % 64;
}

static void take(struct gather *g, struct index_list list)
{
    const uint32_t *items = g->index->postings + list.from;
    if (!g->many && g->count + list.count > FEW) {
        g->many = true;
        for (size_t i = 0; i < g->count; i++) {
            mark(g, g->scratch->list[i]);
        }
    }
    for (uint32_t i = 0; i < list.count; i++) {
        if (g->many) {
            mark(g, items[i]);
        } else if (g->count < g->index->items) {
            g->scratch->list[g->count++] = items[i];
        } else { // a list that is full holds every item, or some twice
            g->many = true;
            for (size_t k = 0; k < g->count; k++) {
                mark(g, g->scratch->list[k]);
            }
            mark(g, items[i]);
        }
    }
}

static size_t sort_few(uint32_t *list, size_t count)
{
    for (size_t i = 1; i < count; i++) {
        uint32_t item = list[i];
        size_t at = i;
        for (; at > 0 && list[at - 1] > item; at--) {
            list[at] = list[at - 1];
        }
        list[at] = item;
    }
    size_t kept = 0;
    for (size_t i = 0; i < count; i++) {
        if (kept == 0 || list[kept - 1] != list[i]) {
            list[kept++] = list[i];
        }
    }
    return kept;
}

static size_t list_many(const struct gather *g)
{
    size_t kept = 0;
    for (uint32_t word = 0; word <= (g->index->items - 1) / 64; word++) {
        uint64_t bits = g->scratch->bits[word];
        g->scratch->bits[word] = 0;
        for (; bits != 0; bits &= bits - 1) {
            g->scratch->list[kept++] = word * 64 + (uint32_t)__builtin_ctzll(bits);
        }
    }
    return kept;
}

static void probe(struct gather *g, const struct index_dim *dim, struct str key, uint64_t hash, bool prefix)
{
    for (size_t at = (size_t)index_hash_end(hash, prefix) & dim->mask; dim->entries[at].key != NULL;
         at = (at + 1) & dim->mask) {
        const struct index_entry *entry = &dim->entries[at];
        if (entry->prefix == prefix && str_eq((struct str){entry->key, entry->len}, key)) {
            take(g, entry->list);
            return;
        }
    }
}

// One walk over the text: at each length that some prefix has, that prefix; at its end the whole.
static void look_up(struct gather *g, const struct index_dim *dim, struct str text)
{
    uint64_t hash = g->index->seed;
    bool whole = text.len <= dim->exact_most;
    size_t most = text.len < INDEX_PREFIX_MAX || whole ? text.len : INDEX_PREFIX_MAX;
    for (size_t len = 0;; len++) {
        bool wanted = len <= INDEX_PREFIX_MAX && (dim->prefix_lengths >> len & 1) != 0;
        // All prefixes of paths end with a slash.
        if (wanted && (dim->slot != INDEX_PATH || (len > 0 && text.at[len - 1] == '/'))) {
            probe(g, dim, str_sub(text, 0, len), hash, true);
        }
        if (len >= most) {
            break;
        }
        hash = index_hash_byte(hash, text.at[len]);
    }
    if (whole) {
        probe(g, dim, text, hash, false);
    }
}

// The text of a dimension; at is NULL where it is missing or no text.
static struct str text_of(const struct index_dim *dim, struct cel_frame *frame,
                          const struct policy_question *question)
{
    if (dim->slot == INDEX_ACTION) {
        return question->action;
    }
    if (dim->slot == INDEX_PATH) {
        return question->path;
    }
    struct value value = cel_attr(frame, dim->slot);
    if (value.kind != VALUE_STRING) {
        return (struct str){0};
    }
    return (struct str){value.as.text != NULL ? value.as.text : "", value.n};
}

size_t index_ask(const struct index *index, struct index_scratch *scratch, struct cel_frame *frame,
                 const struct policy_question *question, bool allows, bool *skipped)
{
    *skipped = false;
    if (index->items == 0) {
        return 0;
    }
    struct gather g = {.index = index, .scratch = scratch};
    take(&g, index->always);
    for (size_t i = 0; i < index->dim_count; i++) {
        const struct index_dim *dim = &index->dims[i];
        struct str text = text_of(dim, frame, question);
        if (text.at != NULL) {
            look_up(&g, dim, text);
            continue;
        }
        take(&g, dim->missing);
        if (allows) {
            take(&g, dim->missing_allows);
        } else {
            *skipped = *skipped || dim->missing_allows.count > 0;
        }
    }
    return g.many ? list_many(&g) : sort_few(scratch->list, g.count);
}
