// SPDX-License-Identifier: Apache-2.0
#include "cli/change/compare.h"

#include <stdlib.h>

static const struct hash_key KEY = {UINT64_C(0x6368616e6765), 1};

void changes_fini(struct changes *changes)
{
    free(changes->list);
    arena_fini(&changes->arena);
    *changes = (struct changes){0};
}

const struct change_part *change_part_of(const struct change *change, const char *aspect)
{
    for (uint32_t i = 0; i < change->part_count; i++) {
        const struct fact *fact = change->parts[i].was != NULL ? change->parts[i].was : change->parts[i].is;
        if (strcmp(fact->aspect, aspect) == 0) {
            return &change->parts[i];
        }
    }
    return NULL;
}

// ---- One fact --------------------------------------------------------------------------------------

// Members of `a` that `b` has not; both are sorted.
static uint32_t without(const struct fact *a, const struct fact *b, struct str *out)
{
    uint32_t count = 0, at = 0;
    for (uint32_t i = 0; i < a->member_count; i++) {
        while (at < b->member_count && str_cmp(b->members[at], a->members[i]) < 0) {
            at++;
        }
        if (at == b->member_count || !str_eq(b->members[at], a->members[i])) {
            out[count++] = a->members[i];
        }
    }
    return count;
}

static void compare_sets(struct changes *changes, struct change_part *part)
{
    struct str *added = ARENA_ARRAY(&changes->arena, struct str, part->is->member_count + (size_t)1);
    struct str *removed = ARENA_ARRAY(&changes->arena, struct str, part->was->member_count + (size_t)1);
    if (added == NULL || removed == NULL) {
        changes->failed = true;
        return;
    }
    part->added_count = without(part->is, part->was, added);
    part->removed_count = without(part->was, part->is, removed);
    part->added = added;
    part->removed = removed;
}

struct member {
    struct str name;
    uint32_t at;
};

static int by_member(const void *a, const void *b)
{
    return str_cmp(((const struct member *)a)->name, ((const struct member *)b)->name);
}

static const uint32_t *places_of(struct changes *changes, const struct fact *was, const struct fact *is)
{
    uint32_t *places = ARENA_ARRAY(&changes->arena, uint32_t, was->member_count + (size_t)1);
    struct member *sorted = calloc(is->member_count + (size_t)1, sizeof *sorted);
    for (uint32_t i = 0; sorted != NULL && i < is->member_count; i++) {
        sorted[i] = (struct member){is->members[i], i};
    }
    if (sorted != NULL && is->member_count > 0) {
        qsort(sorted, is->member_count, sizeof *sorted, by_member);
    }
    for (uint32_t i = 0; sorted != NULL && places != NULL && i < was->member_count; i++) {
        const struct member key = {was->members[i], 0};
        const struct member *found =
            is->member_count > 0 ? bsearch(&key, sorted, is->member_count, sizeof *sorted, by_member) : NULL;
        places[i] = found != NULL ? found->at : CHANGE_NONE;
    }
    changes->failed = changes->failed || places == NULL || sorted == NULL;
    free(sorted);
    return changes->failed ? NULL : places;
}

// Do those that both have stand in the same order?
static bool same_order(struct changes *changes, struct change_part *part)
{
    uint32_t last = 0;
    part->places = places_of(changes, part->was, part->is);
    for (uint32_t i = 0; part->places != NULL && i < part->was->member_count; i++) {
        if (part->places[i] != CHANGE_NONE) {
            if (part->places[i] < last) {
                return false;
            }
            last = part->places[i];
        }
    }
    return true;
}

// What is written is the same, and means another thing: by a variable, or by the Scope of its folder.
static const struct fact *by_program(struct changes *changes, struct side *side, const struct fact *fact)
{
    struct fact *own = fact->expr != SET_NO_EXPR ? ARENA_NEW(&changes->arena, struct fact) : NULL;
    if (own == NULL) {
        return fact;
    }
    *own = *fact;
    own->text = fact_program(side, fact->expr);
    return own;
}

static bool expr_differs(struct changes *changes, struct side *was, struct side *is, struct change_part *part)
{
    if (same_truth(&was->same, part->was->expr, &is->same, part->is->expr)) {
        return false;
    }
    if (str_eq(part->was->text, part->is->text)) {
        part->was = by_program(changes, was, part->was);
        part->is = by_program(changes, is, part->is);
    }
    return true;
}

// Is the aspect another? Of sets, what is not in both goes to *part.
static bool differs(struct changes *changes, struct side *was, struct side *is, struct change_part *part)
{
    if (part->was == NULL || part->is == NULL) {
        return true;
    }
    switch (part->was->form) {
    case FACT_EXPR:
        return expr_differs(changes, was, is, part);
    case FACT_SET:
        compare_sets(changes, part);
        return part->added_count + part->removed_count > 0 || !str_eq(part->was->text, part->is->text);
    case FACT_ORDER:
        return !same_order(changes, part);
    default:
        return !str_eq(part->was->text, part->is->text);
    }
}

// ---- All of a name -----------------------------------------------------------------------------------

void changes_add(struct changes *changes, struct change change)
{
    if (changes->count == changes->cap) {
        size_t cap = changes->cap == 0 ? 32 : changes->cap * 2;
        struct change *bigger = realloc(changes->list, cap * sizeof *bigger);
        if (bigger == NULL) {
            changes->failed = true;
            return;
        }
        changes->list = bigger;
        changes->cap = cap;
    }
    changes->list[changes->count++] = change;
}

struct run { // facts of one name
    const struct fact *at;
    uint32_t count;
};

static struct run run_of(const struct side *side, size_t from)
{
    struct run run = {&side->facts[from], 0};
    while (from + run.count < side->count && side->facts[from + run.count].kind == run.at->kind &&
           str_eq(side->facts[from + run.count].name, run.at->name)) {
        run.count++;
    }
    return run;
}

static int order_of(const struct fact *a, const struct fact *b)
{
    if (a->kind != b->kind) {
        return a->kind < b->kind ? -1 : 1;
    }
    return str_cmp(a->name, b->name);
}

static void compare_runs(struct changes *changes, struct side *was, struct side *is, struct run a,
                         struct run b)
{
    struct change_part *parts = ARENA_ARRAY(&changes->arena, struct change_part, a.count + b.count + 1);
    struct change change = {.kind = a.count > 0 ? a.at->kind : b.at->kind,
                            .what = a.count == 0   ? CHANGE_ADDED
                                    : b.count == 0 ? CHANGE_REMOVED
                                                   : CHANGE_CHANGED,
                            .name = a.count > 0 ? a.at->name : b.at->name,
                            .was = a.count > 0 ? a.at->number : CHANGE_NONE,
                            .is = b.count > 0 ? b.at->number : CHANGE_NONE,
                            .words = true,
                            .parts = parts};
    change.new_name = change.name;
    changes->failed = changes->failed || parts == NULL;
    for (uint32_t i = 0, k = 0; parts != NULL && (i < a.count || k < b.count);) {
        int order = i == a.count ? 1 : k == b.count ? -1 : strcmp(a.at[i].aspect, b.at[k].aspect);
        struct change_part part = {.was = order <= 0 ? &a.at[i] : NULL, .is = order >= 0 ? &b.at[k] : NULL};
        i += order <= 0;
        k += order >= 0;
        if (differs(changes, was, is, &part)) {
            parts[change.part_count++] = part;
            change.words = change.words && (part.was != NULL ? part.was : part.is)->words;
        }
    }
    if (change.part_count > 0) {
        changes_add(changes, change);
    }
}

// ---- Another name for the same -------------------------------------------------------------------------

// All that a change says of its one side, but its name.
static struct hash128 content(struct side *side, const struct change *change)
{
    AUTO(buf_fini) struct buf bytes = {0};
    for (uint32_t i = 0; i < change->part_count; i++) {
        const struct fact *fact = change->parts[i].was != NULL ? change->parts[i].was : change->parts[i].is;
        struct hash128 hash = {0};
        buf_str(&bytes, str_of(fact->aspect));
        if (fact->form == FACT_EXPR) {
            hash = same_hash(&side->same, fact->expr);
            buf_put(&bytes, &hash, sizeof hash);
        } else {
            buf_str(&bytes, fact->text);
        }
        for (uint32_t k = 0; fact->form == FACT_SET && k < fact->member_count; k++) {
            buf_byte(&bytes, '\n');
            buf_str(&bytes, fact->members[k]);
        }
        buf_byte(&bytes, '\0');
    }
    return hash_128(KEY, bytes.at, bytes.len);
}

static struct str policy_of(const struct change *change)
{
    return change->kind == FACT_RULE ? str_sub(change->name, 0, str_find_byte(change->name, '/', 0))
                                     : (struct str){0};
}

static bool is_renaming(struct side *was, struct side *is, const struct change *old, const struct change *new)
{
    return old->what == CHANGE_REMOVED && new->what == CHANGE_ADDED && old->kind == new->kind &&
           (old->kind == FACT_RULE || old->kind == FACT_EXCEPTION || old->kind == FACT_SESSION) &&
           str_eq(policy_of(old), policy_of(new)) && hash128_eq(content(was, old), content(is, new));
}

static void join_renamed(struct side *was, struct side *is, struct changes *changes)
{
    for (size_t i = 0; i < changes->count && changes->count < 2000; i++) {
        for (size_t k = 0; k < changes->count; k++) {
            struct change *old = &changes->list[i], *new = &changes->list[k];
            if (is_renaming(was, is, old, new)) {
                old->what = CHANGE_RENAMED;
                old->new_name = new->name;
                old->is = new->is;
                old->words = true;
                old->part_count = 0;
                memmove(new, new + 1, (changes->count - k - 1) * sizeof *new);
                changes->count--;
                i -= k < i;
                break;
            }
        }
    }
}

enum pdp_err changes_find(struct side *was, struct side *is, struct changes *out)
{
    *out = (struct changes){0};
    arena_init(&out->arena, 0, 0);
    for (size_t i = 0, k = 0; i < was->count || k < is->count;) {
        int order = i == was->count ? 1 : k == is->count ? -1 : order_of(&was->facts[i], &is->facts[k]);
        struct run none = {NULL, 0};
        struct run a = order <= 0 ? run_of(was, i) : none;
        struct run b = order >= 0 ? run_of(is, k) : none;
        compare_runs(out, was, is, a, b);
        i += a.count;
        k += b.count;
    }
    join_renamed(was, is, out);
    changes_of_zones(was, is, out);
    return out->failed ? PDP_ERR_NOMEM : PDP_ERR_OK;
}
