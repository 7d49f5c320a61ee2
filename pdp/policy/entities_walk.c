// SPDX-License-Identifier: Apache-2.0
// HOT
// Looking up what is stored of an entity, and walking those that a search may find.
#include "policy/set.h"

#include <stdlib.h>

const struct entities_type *entities_type_of(const struct policy_set *set, struct str name)
{
    const struct entities *all = &set->entities;
    const uint32_t *number = all->type_count > 0 ? table_get(&all->by_name, name) : NULL;
    return number != NULL ? &all->types[*number] : NULL;
}

// The first place whose id is not below `id`.
static uint32_t lower_bound(const struct entity *ids, uint32_t count, struct str id)
{
    uint32_t low = 0;
    while (count > 0) {
        uint32_t half = count / 2;
        if (str_cmp(ids[low + half].id, id) < 0) {
            low += half + 1;
            count -= half + 1;
        } else {
            count = half;
        }
    }
    return low;
}

// A list that is stale tells nothing.
static bool in_list(const struct policy_lists *lists, const struct entities_list *list, struct str id,
                    int64_t now_ms)
{
    const struct value value = value_str(id);
    const struct lists_set *set = lists != NULL && list->list < lists->count ? lists->at[list->list] : NULL;
    return set != NULL && lists_contains(set, &value, now_ms) == TRUTH_YES;
}

enum entities_known entities_find(const struct policy_set *set, const struct policy_lists *lists,
                                  struct str type_name, struct str id, int64_t now_ms,
                                  const struct value **properties)
{
    *properties = NULL;
    const struct entities_type *type = set->entities.fills ? entities_type_of(set, type_name) : NULL;
    if (type == NULL || !type->fills) {
        return ENTITIES_SILENT;
    }
    uint32_t at = lower_bound(type->ids, type->id_count, id);
    if (at < type->id_count && type->ids[at].fills && str_eq(type->ids[at].id, id)) {
        *properties = type->ids[at].properties;
        return ENTITIES_KNOWN;
    }
    for (uint32_t i = 0; i < type->list_count; i++) {
        if (type->lists[i].fills && in_list(lists, &type->lists[i], id, now_ms)) {
            return ENTITIES_KNOWN;
        }
    }
    return ENTITIES_UNKNOWN;
}

// ---- Ranges -------------------------------------------------------------------------------------------

static int by_text(const void *a, const void *b)
{
    const struct entities_range *one = a, *two = b;
    int order = str_cmp(one->text, two->text);
    return order != 0 ? order : (int)two->prefix - (int)one->prefix; // of one text the wider comes first
}

static bool lies_in(struct str text, const struct entities_range *range)
{
    return range->prefix ? str_starts(text, range->text) : str_eq(text, range->text);
}

size_t entities_ranges_sort(struct entities_range *ranges, size_t count)
{
    size_t kept = 0;
    if (count > 1) {
        qsort(ranges, count, sizeof *ranges, by_text);
    }
    for (size_t i = 0; i < count; i++) {
        if (kept == 0 || !lies_in(ranges[i].text, &ranges[kept - 1])) {
            ranges[kept++] = ranges[i];
        }
    }
    return kept;
}

// ---- Walking --------------------------------------------------------------------------------------------

static uint32_t list_bound(const struct lists_set *set, struct str id)
{
    uint32_t low = 0;
    for (uint32_t count = set->ordered_count; count > 0;) {
        uint32_t half = count / 2;
        if (str_cmp(lists_ordered_at(set, low + half), id) < 0) {
            low += half + 1;
            count -= half + 1;
        } else {
            count = half;
        }
    }
    return low;
}

// Forward to the first id of each source that is not below `id`.
static void seek(struct entities_walk *walk, struct str id)
{
    uint32_t at = lower_bound(walk->ids, walk->count, id);
    walk->at = at > walk->at ? at : walk->at;
    for (uint32_t i = 0; i < walk->list_count; i++) {
        at = list_bound(walk->lists[i], id);
        walk->list_at[i] = at > walk->list_at[i] ? at : walk->list_at[i];
    }
}

// The least id that a source is at; false where all are at their ends.
static bool least(const struct entities_walk *walk, struct entity *out)
{
    bool there = walk->at < walk->count;
    *out = there ? walk->ids[walk->at] : (struct entity){0};
    for (uint32_t i = 0; i < walk->list_count; i++) {
        if (walk->list_at[i] >= walk->lists[i]->ordered_count) {
            continue;
        }
        struct str id = lists_ordered_at(walk->lists[i], walk->list_at[i]);
        if (!there || str_cmp(id, out->id) < 0) {
            *out = (struct entity){.id = id};
            there = true;
        }
    }
    return there;
}

static void pass(struct entities_walk *walk, struct str id)
{
    walk->at += walk->at < walk->count && str_eq(walk->ids[walk->at].id, id);
    for (uint32_t i = 0; i < walk->list_count; i++) {
        const struct lists_set *set = walk->lists[i];
        uint32_t at = walk->list_at[i];
        walk->list_at[i] += at < set->ordered_count && str_eq(lists_ordered_at(set, at), id);
    }
}

bool entities_walk_next(struct entities_walk *walk, struct entity *out)
{
    while (least(walk, out)) {
        if (walk->ranges == NULL) {
            pass(walk, out->id);
            return true;
        }
        if (walk->range == walk->range_count) {
            break;
        }
        const struct entities_range *range = &walk->ranges[walk->range];
        if (lies_in(out->id, range)) {
            pass(walk, out->id);
            return true;
        }
        if (str_cmp(out->id, range->text) < 0) {
            seek(walk, range->text);
        } else {
            walk->range++;
        }
    }
    *out = (struct entity){0};
    return false;
}

void entities_walk_begin(struct entities_walk *walk, const struct policy_set *set,
                         const struct policy_lists *lists, struct str type_name, bool actions,
                         const struct entities_range *ranges, size_t range_count, struct str after)
{
    const struct entities_type *type = entities_type_of(set, type_name);
    *walk = (struct entities_walk){.ranges = ranges, .range_count = range_count};
    if (actions) {
        walk->ids = type != NULL ? type->actions : set->entities.actions;
        walk->count = type != NULL ? type->action_count : set->entities.action_count;
    } else if (type != NULL) {
        walk->ids = type->ids;
        walk->count = type->id_count;
        for (uint32_t i = 0; i < type->list_count; i++) {
            const struct lists_set *list =
                type->lists[i].list < lists->count ? lists->at[type->lists[i].list] : NULL;
            if (list != NULL) {
                walk->lists[walk->list_count++] = list;
            }
        }
    }
    if (after.at != NULL) {
        struct entity first;
        seek(walk, after);
        if (least(walk, &first) && str_eq(first.id, after)) {
            pass(walk, after);
        }
    }
}

size_t entities_count(const struct policy_set *set, const struct policy_lists *lists, struct str type,
                      bool actions)
{
    struct entities_walk walk;
    entities_walk_begin(&walk, set, lists, type, actions, NULL, 0, (struct str){0});
    size_t count = walk.count;
    for (uint32_t i = 0; i < walk.list_count; i++) {
        count += walk.lists[i]->ordered_count;
    }
    return count;
}
