// SPDX-License-Identifier: Apache-2.0
// Time zones that both sides name, and that their data tell otherwise: a bundle carries its own, a folder
// takes those of the machine.
#include "cli/change/compare.h"

#include "base/time.h"
#include "cel/within.h"
#include "cli/change/trial.h"

#include <stdlib.h>

#define MOST_S INT64_C(4102444800)   // 2100-01-01: how far is looked
#define FIRST_S INT64_C(-2208988800) // 1900-01-01
#define STEPS_MOST 200000
#define NEVER INT64_MAX

struct zone_pair {
    struct changes *changes;
    const struct cel_program *was, *is;
    struct str name;
    const struct tz *was_tz, *is_tz;
    struct change_part *parts;
    int64_t *moments;
    uint32_t count, most;
};

static int64_t sooner(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

// The first second from `at` on at which both are not as far from Greenwich; NEVER: none until 2100.
static int64_t apart_from(const struct tz *was, const struct tz *is, int64_t at)
{
    for (uint32_t step = 0; at < MOST_S && step < STEPS_MOST; step++) {
        int64_t was_until = 0, is_until = 0;
        if (tz_offset(was, at, &was_until) != tz_offset(is, at, &is_until)) {
            return at;
        }
        at = sooner(was_until, is_until);
    }
    return NEVER;
}

// From now on first: what is over matters only to times that questions carry.
static int64_t first_apart(const struct tz *was, const struct tz *is)
{
    const int64_t from[] = {TRIAL_NOW / TIME_MS_PER_S, 0, FIRST_S};
    int64_t at = NEVER;
    for (size_t i = 0; at == NEVER && i < COUNT_OF(from); i++) {
        at = apart_from(was, is, from[i]);
    }
    return at;
}

// The first second from now on at which one window holds and the other does not.
static int64_t window_apart(const struct window *was, const struct window *is)
{
    int64_t at = TRIAL_NOW / TIME_MS_PER_S;
    for (uint32_t step = 0; at < MOST_S && step < STEPS_MOST; step++) {
        at = apart_from(was->tz, is->tz, at); // while both clocks agree, so do the windows
        if (at == NEVER || within_holds(was, at) != within_holds(is, at)) {
            return at;
        }
        int64_t was_until = 0, is_until = 0;
        (void)tz_offset(was->tz, at, &was_until);
        (void)tz_offset(is->tz, at, &is_until);
        at = sooner(sooner(within_edge(was, at), within_edge(is, at)), sooner(was_until, is_until));
    }
    return NEVER;
}

static const struct fact *text_fact(struct zone_pair *pair, const char *aspect, struct str text)
{
    struct fact *fact = ARENA_NEW(&pair->changes->arena, struct fact);
    if (fact == NULL) {
        pair->changes->failed = true;
        return NULL;
    }
    *fact = (struct fact){.kind = FACT_ZONE, .name = pair->name, .aspect = aspect, .text = text};
    return fact;
}

static void add_part(struct zone_pair *pair, int64_t at, struct str aspect, struct str was, struct str is)
{
    struct change_part part = {.was = text_fact(pair, aspect.at, was), .is = text_fact(pair, aspect.at, is)};
    if (part.was != NULL && part.is != NULL && aspect.at != NULL && pair->count < pair->most) {
        pair->moments[pair->count] = at;
        pair->parts[pair->count++] = part;
    }
}

static struct str offset_text(struct zone_pair *pair, const struct tz *tz, int64_t at)
{
    int64_t until = 0;
    int32_t offset = tz_offset(tz, at, &until), away = offset < 0 ? -offset : offset;
    struct arena *arena = &pair->changes->arena;
    const char *sign = offset < 0 ? "-" : "+";
    return away % 60 == 0
               ? arena_printf(arena, "%s%02d:%02d", sign, away / 3600, away / 60 % 60)
               : arena_printf(arena, "%s%02d:%02d:%02d", sign, away / 3600, away / 60 % 60, away % 60);
}

// `offset from 2027-03-21T01:00:00Z`, as a C string.
static struct str at_time(struct zone_pair *pair, const char *what, struct str of, const char *word,
                          int64_t at)
{
    AUTO(buf_fini) struct buf time = {0};
    time_print_ms(&time, at * TIME_MS_PER_S);
    return arena_printf(&pair->changes->arena, "%s" STR_FMT " %s " STR_FMT "%c", what, STR_ARG(of), word,
                        STR_ARG(buf_view(&time)), '\0');
}

static void compare_window(struct zone_pair *pair, struct str key, uint32_t was_number)
{
    uint64_t is_number = 0;
    if (!map_get(&pair->is->window_map, key, &is_number)) {
        return; // its rule is another as well
    }
    int64_t at = window_apart(pair->was->windows[was_number], pair->is->windows[is_number]);
    if (at != NEVER) {
        struct str hours = str_sub(key, pair->name.len + 1, key.len);
        struct str quoted = arena_printf(&pair->changes->arena, "\"" STR_FMT "\"", STR_ARG(hours));
        bool holds = within_holds(pair->was->windows[was_number], at);
        add_part(pair, at, at_time(pair, "within ", quoted, "at", at), holds ? STR("yes") : STR("no"),
                 holds ? STR("no") : STR("yes"));
    }
}

static int by_hours(const void *a, const void *b)
{
    const struct change_part *one = a, *two = b;
    return strcmp(one->was->aspect, two->was->aspect);
}

static void compare_windows(struct zone_pair *pair)
{
    const struct map *map = &pair->was->window_map;
    for (size_t i = 0; i < map->cap; i++) {
        struct str key = map->entries[i].key;
        bool own = key.at != NULL && str_starts(key, pair->name) && key.len > pair->name.len &&
                   key.at[pair->name.len] == '\n';
        if (own) {
            compare_window(pair, key, (uint32_t)map->entries[i].value);
        }
    }
    if (pair->count > 2) { // in an order that no table knows
        qsort(pair->parts + 1, pair->count - 1, sizeof *pair->parts, by_hours);
    }
}

static void compare_zone(struct changes *changes, const struct cel_program *was, const struct cel_program *is,
                         struct str name, size_t numbers[2])
{
    struct zone_pair pair = {.changes = changes,
                             .was = was,
                             .is = is,
                             .name = name,
                             .was_tz = was->zones[numbers[0]],
                             .is_tz = is->zones[numbers[1]],
                             .most = was->window_count + 1};
    int64_t at = first_apart(pair.was_tz, pair.is_tz);
    if (at == NEVER) {
        return;
    }
    pair.parts = ARENA_ARRAY(&changes->arena, struct change_part, pair.most);
    pair.moments = ARENA_ARRAY(&changes->arena, int64_t, pair.most);
    if (pair.parts == NULL || pair.moments == NULL) {
        changes->failed = true;
        return;
    }
    add_part(&pair, at, at_time(&pair, "offset", STR(""), "from", at), offset_text(&pair, pair.was_tz, at),
             offset_text(&pair, pair.is_tz, at));
    compare_windows(&pair);
    changes_add(changes, (struct change){.kind = FACT_ZONE,
                                         .what = CHANGE_CHANGED,
                                         .name = name,
                                         .new_name = name,
                                         .was = (uint32_t)numbers[0],
                                         .is = (uint32_t)numbers[1],
                                         .parts = pair.parts,
                                         .part_count = pair.count,
                                         .moments = pair.moments});
}

static int by_name(const void *a, const void *b)
{
    return str_cmp(*(const struct str *)a, *(const struct str *)b);
}

void changes_of_zones(const struct side *was, const struct side *is, struct changes *changes)
{
    const struct cel_program *old = was->parts.program, *new = is->parts.program;
    struct str *names = ARENA_ARRAY(&changes->arena, struct str, old->zone_count + (size_t)1);
    size_t count = 0;
    for (size_t i = 0; names != NULL && i < old->zone_map.cap && count < old->zone_count; i++) {
        if (old->zone_map.entries[i].key.at != NULL) {
            names[count++] = old->zone_map.entries[i].key;
        }
    }
    changes->failed = changes->failed || names == NULL;
    if (count > 0) {
        qsort(names, count, sizeof *names, by_name);
    }
    for (size_t i = 0; i < count; i++) {
        uint64_t a = 0, b = 0;
        if (map_get(&old->zone_map, names[i], &a) && map_get(&new->zone_map, names[i], &b)) {
            compare_zone(changes, old, new, names[i], (size_t[]){(size_t)a, (size_t)b});
        }
    }
}
