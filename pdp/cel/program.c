// SPDX-License-Identifier: Apache-2.0
#include "cel/program.h"
#include "cel/frame.h"
#include "cel/regex.h"
#include "cel/within.h"

#include <stdlib.h>

// Load time only, on names and constants of one's own policies: a fixed key will do.
static const struct hash_key KEY = {UINT64_C(0x7064702f63656c31), UINT64_C(0x70726f6772616d21)};

enum pdp_err program_grow(void **list, uint32_t *cap, uint32_t count, size_t item)
{
    if (count < *cap) {
        return PDP_ERR_OK;
    }
    if (*cap > UINT32_MAX / 4) {
        return PDP_ERR_LIMIT;
    }
    uint32_t more = *cap == 0 ? 64 : *cap * 2;
    void *bigger = realloc(*list, more * item);
    if (bigger == NULL) {
        return PDP_ERR_NOMEM;
    }
    *list = bigger;
    *cap = more;
    return PDP_ERR_OK;
}

static void init_maps(struct cel_program *p)
{
    struct map *maps[] = {&p->slot_map,  &p->attr_map,   &p->root_map, &p->set_map,
                          &p->regex_map, &p->window_map, &p->zone_map};
    for (size_t i = 0; i < COUNT_OF(maps); i++) {
        map_init(maps[i], KEY);
    }
}

static enum pdp_err read_env(struct cel_program *p)
{
    const struct cel_env *env = p->env;
    for (size_t i = 0; i < env->attr_count; i++) {
        TRY(map_put(&p->attr_map, env->attrs[i].path, i));
    }
    for (size_t i = 0; i < env->root_count; i++) {
        TRY(map_put(&p->root_map, env->roots[i].name, i));
    }
    for (size_t i = 0; i < env->set_count; i++) {
        TRY(map_put(&p->set_map, env->sets[i].name, i));
    }
    return PDP_ERR_OK;
}

enum pdp_err cel_program_new(const struct cel_env *env, const struct cel_limits *limits,
                             struct cel_program **out)
{
    enum {
        DEPTH = 64,
        NODES = 8 * 1000 * 1000,
        STEPS = 100000,
        MATCHES = 10000,
        DEPTH_MOST = 200
    };
    *out = NULL;
    AUTO(cel_program_free) struct cel_program *p = calloc(1, sizeof *p);
    if (p == NULL) {
        return PDP_ERR_NOMEM;
    }
    p->env = env;
    p->limits = limits != NULL ? *limits : (struct cel_limits){0};
    p->limits.depth = p->limits.depth == 0           ? DEPTH
                      : p->limits.depth < DEPTH_MOST ? p->limits.depth
                                                     : DEPTH_MOST;
    p->limits.nodes = p->limits.nodes == 0 || p->limits.nodes > NODES ? NODES : p->limits.nodes;
    p->limits.steps = p->limits.steps == 0 ? STEPS : p->limits.steps;
    p->limits.match_limit = p->limits.match_limit == 0 ? MATCHES : p->limits.match_limit;
    arena_init(&p->arena, 0, 0);
    arena_init(&p->scratch, 0, 256u << 20);
    arena_init(&p->folding, 0, 16u << 20);
    init_maps(p);
    TRY(read_env(p));
    TRY(frame_new_fold(p, &p->fold));
    *out = STEAL(p);
    return PDP_ERR_OK;
}

static void free_maps(struct cel_program *p)
{
    struct map *maps[] = {&p->slot_map,  &p->attr_map,   &p->root_map, &p->set_map,
                          &p->regex_map, &p->window_map, &p->zone_map};
    for (size_t i = 0; i < COUNT_OF(maps); i++) {
        map_fini(maps[i]);
    }
}

void cel_program_free(struct cel_program **program)
{
    struct cel_program *p = *program;
    if (p == NULL) {
        return;
    }
    for (uint32_t i = 0; i < p->regex_count; i++) {
        regex_free(&p->regexes[i]);
    }
    for (uint32_t i = 0; i < p->zone_count; i++) {
        tz_free(&p->zones[i]);
    }
    for (uint32_t i = 0; i < p->window_count; i++) {
        free(p->windows[i]);
    }
    cel_frame_free(&p->fold);
    free_maps(p);
    free(p->regexes);
    free(p->zones);
    free(p->windows);
    free(p->nodes);
    free(p->node_index.at);
    free(p->args);
    free(p->consts);
    free(p->const_index.at);
    free(p->slots);
    free(p->places);
    bound_free(&p->bounds);
    arena_fini(&p->arena);
    arena_fini(&p->scratch);
    arena_fini(&p->folding);
    free(p);
    *program = NULL;
}

void cel_set_extra(struct cel_program *program, struct cel_extra *extra)
{
    program->extra = extra;
}

// ---- slots ----

static bool is_under(struct str path, struct str above)
{
    return str_starts(path, above) && (path.len == above.len || path.at[above.len] == '.');
}

// Whoever reads a map whole may show what a field of it would not.
static bool is_sensitive(const struct cel_program *p, struct str path)
{
    for (size_t i = 0; i < p->env->attr_count; i++) {
        const struct cel_attr_decl *attr = &p->env->attrs[i];
        if (attr->schema != NULL && attr->schema->sensitive &&
            (is_under(attr->path, path) || is_under(path, attr->path))) {
            return true;
        }
    }
    return false;
}

static enum pdp_err add_slot(struct cel_program *p, const struct cel_slot_info *info,
                             const struct type *exact, uint32_t *out)
{
    if (p->sealed) {
        return PDP_ERR_STATE;
    }
    void *slots = p->slots;
    enum pdp_err err = program_grow(&slots, &p->slot_cap, p->slot_count, sizeof *p->slots);
    p->slots = slots;
    TRY(err);
    bool ok = true;
    struct str own = arena_str(&p->arena, info->path, &ok);
    if (!ok) {
        return PDP_ERR_NOMEM;
    }
    struct slot *slot = &p->slots[p->slot_count];
    slot->info = *info;
    slot->info.path = own;
    slot->info.rest = str_sub(own, own.len - info->rest.len, info->rest.len);
    slot->info.sensitive = is_sensitive(p, own);
    if (info->schema != NULL) {
        slot->info.max_items = info->schema->max_items;
        slot->info.max_bytes = info->schema->max_bytes;
    }
    slot->type = exact != NULL ? exact : types_of_attr(info->type);
    TRY(map_put(&p->slot_map, own, p->slot_count));
    *out = p->slot_count++;
    return PDP_ERR_OK;
}

struct found { // the longest declared name that begins a path
    const struct cel_attr_decl *attr;
    const struct cel_root_decl *root; // where it is no attribute
    size_t len;
};

static struct found find_declared(const struct cel_program *p, struct str path)
{
    struct found found = {.len = path.len};
    uint64_t at = 0;
    while (found.len > 0) {
        struct str name = {path.at, found.len};
        if (map_get(&p->attr_map, name, &at)) {
            found.attr = &p->env->attrs[at];
            return found;
        }
        if (map_get(&p->root_map, name, &at)) {
            found.root = &p->env->roots[at];
            return found;
        }
        while (found.len > 0 && path.at[found.len - 1] != '.') {
            found.len--;
        }
        found.len -= found.len > 0;
    }
    return found;
}

// What of `path` follows its first `len` bytes and a dot.
static struct str rest_of(struct str path, size_t len)
{
    return len < path.len ? str_sub(path, len + 1, path.len) : (struct str){NULL, 0};
}

enum pdp_err program_path(struct cel_program *p, struct str path, uint32_t *slot)
{
    uint64_t known = 0;
    *slot = UINT32_MAX;
    if (map_get(&p->slot_map, path, &known)) {
        *slot = (uint32_t)known;
        return PDP_ERR_OK;
    }
    struct found found = find_declared(p, path);
    struct cel_slot_info info = {.path = path, .type = CEL_DYN};
    if (found.attr == NULL) {
        if (found.root == NULL || !found.root->open) {
            return PDP_ERR_UNKNOWN;
        }
        info.rest = rest_of(path, found.len);
        info.id = found.root->id;
        return add_slot(p, &info, NULL, slot);
    }
    const struct cel_attr_decl *attr = found.attr;
    bool whole = found.len == path.len;
    if (!whole && attr->type != CEL_DYN && attr->type != CEL_MAP_DYN) {
        return PDP_ERR_TYPE;
    }
    info.rest = rest_of(path, attr->schema != NULL ? attr->schema->base : found.len);
    info.id = attr->id;
    info.type = whole ? attr->type : CEL_DYN;
    info.schema = whole ? attr->schema : NULL;
    const struct type *exact = whole && p->extra != NULL ? p->extra->attr_types[attr - p->env->attrs] : NULL;
    return add_slot(p, &info, exact, slot);
}

enum pdp_err cel_slot(struct cel_program *program, struct str path, uint32_t *slot)
{
    return program_path(program, path, slot);
}

size_t cel_slot_count(const struct cel_program *program)
{
    return program->slot_count;
}

const struct cel_slot_info *cel_slot_at(const struct cel_program *program, uint32_t slot)
{
    return slot < program->slot_count ? &program->slots[slot].info : NULL;
}

// ---- zones, windows, patterns: each loaded once ----

static enum pdp_err load_zone(struct cel_program *p, struct str name, struct tz **out)
{
    int32_t offset = 0;
    if (tz_parse_fixed(name, &offset)) {
        return tz_fixed(offset, out);
    }
    struct str bytes = {NULL, 0};
    if (p->env->zone == NULL) {
        return PDP_ERR_UNKNOWN;
    }
    TRY(p->env->zone(p->env->zone_user, name, &bytes));
    return tz_new(bytes, out);
}

enum pdp_err program_zone(struct cel_program *p, struct str name, const struct tz **out)
{
    uint64_t at = 0;
    *out = NULL;
    if (map_get(&p->zone_map, name, &at)) {
        *out = p->zones[at];
        return PDP_ERR_OK;
    }
    AUTO(tz_free) struct tz *zone = NULL;
    TRY(load_zone(p, name, &zone));
    void *zones = p->zones;
    enum pdp_err err = program_grow(&zones, &p->zone_cap, p->zone_count, sizeof *p->zones);
    p->zones = zones;
    TRY(err);
    bool ok = true;
    struct str own = arena_str(&p->arena, name, &ok);
    if (!ok) {
        return PDP_ERR_NOMEM;
    }
    TRY(map_put(&p->zone_map, own, p->zone_count));
    *out = zone;
    p->zones[p->zone_count++] = STEAL(zone);
    return PDP_ERR_OK;
}

static enum pdp_err add_window(struct cel_program *p, struct str key, struct window *window)
{
    void *windows = p->windows;
    enum pdp_err err = program_grow(&windows, &p->window_cap, p->window_count, sizeof *p->windows);
    p->windows = windows;
    TRY(err);
    struct window *own = malloc(sizeof *own);
    if (own == NULL) {
        return PDP_ERR_NOMEM;
    }
    *own = *window;
    err = map_put(&p->window_map, key, p->window_count);
    if (err != PDP_ERR_OK) {
        free(own);
        return err;
    }
    p->windows[p->window_count++] = own;
    return PDP_ERR_OK;
}

enum pdp_err program_window(struct cel_program *p, struct str hours, struct str zone, uint32_t *out,
                            struct str *why)
{
    uint64_t at = 0;
    *out = UINT32_MAX;
    struct str key = arena_printf(&p->arena, STR_FMT "\n" STR_FMT, STR_ARG(zone), STR_ARG(hours));
    if (map_get(&p->window_map, key, &at)) {
        *out = (uint32_t)at;
        return PDP_ERR_OK;
    }
    struct window window;
    TRY(within_parse(hours, &window, why));
    TRY(program_zone(p, zone, &window.tz));
    TRY(add_window(p, key, &window));
    *out = p->window_count - 1;
    return PDP_ERR_OK;
}

enum pdp_err program_regex(struct cel_program *p, struct str pattern, uint32_t *out, struct str *why,
                           size_t *at)
{
    uint64_t known = 0;
    *out = UINT32_MAX;
    *at = 0;
    if (map_get(&p->regex_map, pattern, &known)) {
        *out = (uint32_t)known;
        return PDP_ERR_OK;
    }
    char reason[REGEX_WHY_MAX];
    AUTO(regex_free) struct regex *regex = NULL;
    enum pdp_err err = regex_new(pattern, &regex, reason, at);
    if (err != PDP_ERR_OK) {
        *why = arena_str(&p->scratch, str_of(reason), NULL);
        return err;
    }
    void *regexes = p->regexes;
    err = program_grow(&regexes, &p->regex_cap, p->regex_count, sizeof *p->regexes);
    p->regexes = regexes;
    TRY(err);
    bool ok = true;
    struct str own = arena_str(&p->arena, pattern, &ok);
    if (!ok) {
        return PDP_ERR_NOMEM;
    }
    TRY(map_put(&p->regex_map, own, p->regex_count));
    p->regexes[p->regex_count++] = STEAL(regex);
    *out = p->regex_count - 1;
    return PDP_ERR_OK;
}

// ---- places ----

enum pdp_err program_place(struct cel_program *p, uint32_t node, struct place place)
{
    if (p->place_count > 0 && p->places[p->place_count - 1].node >= node) {
        return PDP_ERR_OK; // an equal one stands elsewhere
    }
    void *places = p->places;
    enum pdp_err err = program_grow(&places, &p->place_cap, p->place_count, sizeof *p->places);
    p->places = places;
    TRY(err);
    p->places[p->place_count++] = (struct program_place){node, place};
    return PDP_ERR_OK;
}

struct place program_place_of(const struct cel_program *p, uint32_t node)
{
    uint32_t low = 0, high = p->place_count;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (p->places[middle].node < node) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low < p->place_count && p->places[low].node == node ? p->places[low].place : (struct place){0};
}

bool cel_jit(const struct cel_program *program)
{
    for (uint32_t i = 0; i < program->regex_count; i++) {
        if (!regex_is_jit(program->regexes[i])) {
            return false;
        }
    }
    return true;
}
