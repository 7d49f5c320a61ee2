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

static void probe(struct gather *g, const struct index_dim *dim, struct str key, uint64_t hash,
                  enum index_key kind)
{
    for (size_t at = (size_t)index_hash_end(hash, kind) & dim->mask; dim->entries[at].key != NULL;
         at = (at + 1) & dim->mask) {
        const struct index_entry *entry = &dim->entries[at];
        if (entry->kind == kind && str_eq((struct str){entry->key, entry->len}, key)) {
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
            probe(g, dim, str_sub(text, 0, len), hash, INDEX_PREFIX);
        }
        if (len >= most) {
            break;
        }
        hash = index_hash_byte(hash, text.at[len]);
    }
    if (whole) {
        probe(g, dim, text, hash, INDEX_WHOLE);
    }
}

static void take_all(struct gather *g, const struct index_dim *dim)
{
    take(g, dim->missing);
    take(g, dim->missing_allows);
}

// At each place of the text, its parts of each length that some key has.
static void look_up_parts(struct gather *g, const struct index_dim *dim, struct str text)
{
    for (size_t from = 0; from < text.len; from++) {
        size_t most = text.len - from < INDEX_PART_MAX ? text.len - from : INDEX_PART_MAX;
        uint64_t hash = g->index->seed;
        for (size_t len = 1; len <= most; len++) {
            hash = index_hash_byte(hash, text.at[from + len - 1]);
            if ((dim->part_lengths >> len & 1) != 0) {
                probe(g, dim, str_sub(text, from, len), hash, INDEX_PART);
            }
        }
    }
}

// A map may have the key too: then, and where there are too many, all are given.
static void look_up_elements(struct gather *g, const struct index_dim *dim, const struct value *list)
{
    if (list->kind != VALUE_LIST || list->n > INDEX_LIST_MAX) {
        take_all(g, dim);
        return;
    }
    for (uint32_t i = 0; i < list->n; i++) {
        const struct value *elem = &list->as.list[i];
        if (elem->kind == VALUE_STRING) {
            look_up(g, dim, (struct str){elem->n > 0 ? elem->as.text : "", elem->n});
        }
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
        struct value list = dim->elements ? cel_attr(frame, dim->slot) : (struct value){.kind = VALUE_ERROR};
        struct str text = dim->elements ? (struct str){0} : text_of(dim, frame, question);
        if (list.kind != VALUE_ERROR) {
            look_up_elements(&g, dim, &list);
            continue;
        }
        if (text.at != NULL && dim->part_lengths != 0 && text.len > INDEX_TEXT_MAX) {
            take_all(&g, dim);
            continue;
        }
        if (text.at != NULL) {
            look_up(&g, dim, text);
            if (dim->part_lengths != 0) {
                look_up_parts(&g, dim, text);
            }
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
