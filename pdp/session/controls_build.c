// SPDX-License-Identifier: Apache-2.0
#include "session/controls_inner.h"

#include <stdlib.h>

static enum pdp_err alloc(struct controls *set, size_t count)
{
    uint32_t buckets = 8;
    while (buckets < count) {
        buckets *= 2;
    }
    set->all = calloc(count + 1, sizeof(struct control *));
    set->next = calloc(count + 1, sizeof *set->next);
    bool good = set->all != NULL && set->next != NULL;
    for (int i = 0; i < CONTROLS_PARTS && good; i++) {
        set->parts[i].mask = buckets - 1;
        set->parts[i].heads = calloc(buckets, sizeof *set->parts[i].heads);
        set->parts[i].by_kind = calloc(count + 1, sizeof(struct control *));
        good = set->parts[i].heads != NULL && set->parts[i].by_kind != NULL;
    }
    return good ? PDP_ERR_OK : PDP_ERR_NOMEM;
}

static int compare(uint64_t a, uint64_t b)
{
    return (a > b) - (a < b);
}

static int by_number(const void *a, const void *b)
{
    const struct control *x = *(struct control *const *)a, *y = *(struct control *const *)b;
    return compare(x->number, y->number);
}

// Which stands for the others of its kind where what they ask for is missing: one that denies; of cut-offs
// the latest.
static uint64_t standing(const struct control *control)
{
    return control->cut_off ? (uint64_t)control->before_ms : control->effect != PDP_EFFECT_STEP_UP;
}

static int by_kind(const void *a, const void *b)
{
    const struct control *x = *(const struct control *const *)a, *y = *(const struct control *const *)b;
    int order = compare(x->key.kind, y->key.kind);
    order = order != 0 ? order : compare(standing(y), standing(x));
    return order != 0 ? order : compare(x->number, y->number);
}

static enum controls_part_id part_of(const struct control *control)
{
    return control->pardon ? CONTROLS_PARDONS : control->cut_off ? CONTROLS_CUT_OFFS : CONTROLS_LOCKS;
}

// false: too many of the same target.
static bool insert(struct controls *set, struct controls_part *part, uint32_t at)
{
    struct control *control = set->all[at];
    uint32_t *head = &part->heads[controls_bucket(part, &control->key)];
    size_t same = 0;
    for (uint32_t other = *head; other != 0; other = set->next[other - 1]) {
        same += controls_same(&set->all[other - 1]->key, &control->key);
    }
    set->next[at] = *head;
    *head = at + 1;
    part->by_kind[part->count++] = control;
    part->kinds |= UINT32_C(1) << control->key.kind;
    if (control->key.kind == CONTROL_ADDRESS) {
        bool v4 = str_find_byte(control->target.value, ':', 0) == control->target.value.len;
        part->lengths[v4][control->key.bits / 64] |= UINT64_C(1) << control->key.bits % 64;
    }
    return same < CONTROLS_SAME_MAX;
}

static void sort_part(struct controls_part *part)
{
    qsort(part->by_kind, part->count, sizeof *part->by_kind, by_kind);
    size_t at = 0;
    for (uint32_t kind = 0; kind < CONTROL_KIND_COUNT; kind++) {
        part->kind_from[kind] = (uint32_t)at;
        while (at < part->count && part->by_kind[at]->key.kind == kind) {
            at++;
        }
    }
    part->kind_from[CONTROL_KIND_COUNT] = (uint32_t)at;
}

enum pdp_err controls_new(const struct session_table *table, struct control *const *controls, size_t count,
                          struct controls **out)
{
    *out = NULL;
    AUTO(controls_free) struct controls *set = calloc(1, sizeof *set);
    if (set == NULL || count > CONTROLS_MAX) {
        return set == NULL ? PDP_ERR_NOMEM : PDP_ERR_LIMIT;
    }
    set->table = table;
    TRY(alloc(set, count));
    for (size_t i = 0; i < count; i++) {
        set->all[i] = controls[i];
        atomic_fetch_add(&controls[i]->held, 1);
        set->count++;
    }
    qsort(set->all, count, sizeof *set->all, by_number);
    for (uint32_t i = 0; i < count; i++) {
        if (!control_kind_mutes(set->all[i]->target.kind) &&
            !insert(set, &set->parts[part_of(set->all[i])], i)) {
            return PDP_ERR_LIMIT;
        }
    }
    for (int i = 0; i < CONTROLS_PARTS; i++) {
        sort_part(&set->parts[i]);
    }
    *out = STEAL(set);
    return PDP_ERR_OK;
}

void controls_free(struct controls **controls)
{
    struct controls *set = STEAL(*controls);
    if (set == NULL) {
        return;
    }
    for (size_t i = 0; i < set->count; i++) {
        control_drop(&set->all[i]);
    }
    for (int i = 0; i < CONTROLS_PARTS; i++) {
        free(set->parts[i].heads);
        free(set->parts[i].by_kind);
    }
    free(set->all);
    free(set->next);
    free(set);
}

size_t controls_count(const struct controls *controls)
{
    return controls != NULL ? controls->count : 0;
}

const struct control *controls_at(const struct controls *controls, size_t at)
{
    return at < controls_count(controls) ? controls->all[at] : NULL;
}

const struct control *controls_get(const struct controls *controls, uint64_t number)
{
    size_t low = 0, high = controls_count(controls);
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (controls->all[middle]->number < number) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    const struct control *found = controls_at(controls, low);
    return found != NULL && found->number == number ? found : NULL;
}
