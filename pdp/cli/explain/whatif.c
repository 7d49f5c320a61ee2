// SPDX-License-Identifier: Apache-2.0
#include "cli/explain/whatif.h"

#include "base/num.h"
#include "base/time.h"
#include "cel/frame.h"
#include "engine/attrs.h"
#include "policy/scratch.h"

#include <stddef.h>

// ---- Names -------------------------------------------------------------------------------------

struct alias {
    struct str from, to;
};

static const struct alias PROPERTIES[] = {{{"subject.properties.", 19}, {"subject.", 8}},
                                          {{"action.properties.", 18}, {"action.", 7}},
                                          {{"resource.properties.", 20}, {"resource.", 9}}};
static const struct str RESERVED[] = {{"type", 4}, {"id", 2}, {"name", 4}, {"path", 4}, {"properties", 10}};

static bool is_reserved(struct str rest)
{
    struct str first = str_sub(rest, 0, str_find_byte(rest, '.', 0));
    for (size_t i = 0; i < COUNT_OF(RESERVED); i++) {
        if (str_eq(first, RESERVED[i])) {
            return true;
        }
    }
    return false;
}

static struct str plain_path(const struct whatif_world *world, const struct cel_slot_info *slot)
{
    // Of a route both are the path that is judged.
    if (slot->id == ATTR_RESOURCE_ID && world->seen->verdict->resource_path.len > 0) {
        return STR("resource.path");
    }
    for (size_t i = 0; i < COUNT_OF(PROPERTIES); i++) {
        struct str rest = str_sub(slot->path, PROPERTIES[i].from.len, slot->path.len);
        if (str_starts(slot->path, PROPERTIES[i].from) && !is_reserved(rest)) {
            return arena_printf(world->keep, STR_FMT STR_FMT, STR_ARG(PROPERTIES[i].to), STR_ARG(rest));
        }
    }
    return slot->path;
}

// Its place among what is kept of the program's slots; NULL: it is another program's.
static struct whatif_base *place_of(const struct whatif_world *world, const struct cel_slot_info *slot)
{
    uintptr_t first = (uintptr_t)world->parts.program->slots, at = (uintptr_t)slot;
    if (at < first || at >= first + world->parts.program->slot_count * sizeof(struct slot)) {
        return NULL;
    }
    const struct slot *whole =
        (const struct slot *)(const void *)((const char *)slot - offsetof(struct slot, info));
    return &world->base[whole - world->parts.program->slots];
}

struct str whatif_path(const struct whatif_world *world, const struct cel_slot_info *slot)
{
    struct whatif_base *base = place_of(world, slot);
    if (base == NULL) {
        return plain_path(world, slot);
    }
    base->path = base->path.at != NULL ? base->path : plain_path(world, slot);
    return base->path;
}

// ---- Values ------------------------------------------------------------------------------------

// What follows `path` and a dot in `whole`; false: nothing does.
static bool below(struct str whole, struct str path, struct str *rest)
{
    bool is = whole.len > path.len && str_starts(whole, path) && whole.at[path.len] == '.';
    *rest = is ? str_sub(whole, path.len + 1, whole.len) : (struct str){0};
    return is;
}

// A map in which what `path` leads to is `leaf`; an ERROR takes it away. Whatever stands in the way gives
// way.
static struct value put_path(struct arena *arena, const struct value *map, struct str path,
                             const struct value *leaf)
{
    if (path.len == 0) {
        return *leaf;
    }
    size_t dot = str_find_byte(path, '.', 0);
    struct str first = str_sub(path, 0, dot), rest = str_sub(path, dot + 1, path.len);
    uint32_t had = map != NULL && map->kind == VALUE_MAP ? map->n : 0;
    struct value_entry *entries = ARENA_ARRAY(arena, struct value_entry, had + 1);
    struct value out = {.kind = VALUE_MAP, .as.map = entries};
    const struct value *inner = NULL;
    for (uint32_t i = 0; entries != NULL && i < had; i++) {
        if (value_is_text(&map->as.map[i].key, first)) {
            inner = &map->as.map[i].value;
        } else {
            entries[out.n++] = map->as.map[i];
        }
    }
    struct value changed = put_path(arena, inner, rest, leaf);
    if (entries != NULL && changed.kind != VALUE_ERROR) {
        entries[out.n++] = (struct value_entry){value_str(first), changed};
    }
    return out;
}

// What the question says of an attribute, asked once; of another program's slots each time.
static struct whatif_base *base_of(struct whatif_world *world, const struct cel_slot_info *slot)
{
    const struct cel_host *host = world->seen->cel_host;
    struct whatif_base *base = place_of(world, slot);
    if (base == NULL) {
        base = &world->other;
        base->asked = false;
    }
    if (!base->asked) {
        base->asked = true;
        base->there = host->resolve(host->user, slot, &base->value);
    }
    return base;
}

// true: the change says what the attribute is; *there whether it is anything.
static bool change_value(struct whatif_world *world, const struct whatif *change,
                         const struct cel_slot_info *slot, struct value *out, bool *there)
{
    struct str rest, path = whatif_path(world, slot);
    if (str_eq(path, change->path)) {
        *out = change->value;
        *there = out->kind != VALUE_ERROR;
        return !*there || !str_eq(path, STR("subject.roles")) ||
               policy_roles_expand(world->parts.set, out, &world->arena);
    }
    if (slot->id == ATTR_NETWORK_PRIVATE && str_eq(change->path, STR("network.ip"))) {
        *there = change->value.kind == VALUE_IP;
        *out = *there ? value_bool(ip_is_private(change->value.as.ip)) : (struct value){0};
        return true;
    }
    if (below(path, change->path, &rest)) {
        const struct value *found = value_path(&change->value, rest);
        *there = found != NULL && found->kind != VALUE_NULL;
        *out = *there ? *found : (struct value){0};
        return true;
    }
    if (below(change->path, path, &rest) ||
        (str_ends(path, STR(".properties")) && below(change->path, str_sub(path, 0, path.len - 11), &rest) &&
         !is_reserved(rest))) {
        const struct whatif_base *base = base_of(world, slot);
        *out = put_path(&world->arena, base->there ? &base->value : NULL, rest, &change->value);
        *there = true;
        return true;
    }
    return false;
}

// `risk.signals` without one of them.
static void drop_signal(struct whatif_world *world, struct str id, struct value *signals)
{
    struct value leaf = {0};
    if (signals->kind == VALUE_MAP) {
        *signals = put_path(&world->arena, signals, id, &leaf);
    }
}

static bool change_risk(struct whatif_world *world, const struct whatif *change,
                        const struct cel_slot_info *slot, struct value *out, bool *there)
{
    *there = true;
    switch (slot->id) {
    case ATTR_RISK_SCORE:
        *out = value_double(change->score);
        return true;
    case ATTR_RISK_LEVEL:
        *out = (struct value){.kind = VALUE_LEVEL, .as.i = change->level};
        return true;
    case ATTR_RISK_HARD:
        *out = value_double(change->hard);
        return change->without.len > 0 || change->kind == WHATIF_PROOF;
    case ATTR_RISK_SIGNALS:
        *there = base_of(world, slot)->there;
        *out = base_of(world, slot)->value;
        drop_signal(world, change->without, out);
        return change->without.len > 0;
    default:
        return false;
    }
}

// The issuer may tell of a step-up what it was.
static bool change_proof(struct whatif_world *world, const struct whatif *change,
                         const struct cel_slot_info *slot, struct value *out, bool *there)
{
    *there = true;
    if (slot->id == ATTR_SESSION_ACR && change->acr.len > 0) {
        *out = value_str(change->acr);
        return true;
    }
    if (slot->id == ATTR_SESSION_AMR && change->amr.kind == VALUE_LIST) {
        *out = change->amr;
        return true;
    }
    return change_risk(world, change, slot, out, there);
}

static bool change_now(struct whatif_world *world, const struct whatif *change,
                       const struct cel_slot_info *slot, struct value *out, bool *there)
{
    (void)world;
    *out = value_time_ms(change->now_ms);
    *there = true;
    return slot->id == ATTR_NOW;
}

static bool (*const CHANGES[])(struct whatif_world *world, const struct whatif *change,
                               const struct cel_slot_info *slot, struct value *out, bool *there) = {
    [WHATIF_VALUE] = change_value,
    [WHATIF_RISK] = change_risk,
    [WHATIF_NOW] = change_now,
    [WHATIF_PROOF] = change_proof,
};

static bool resolve(void *user, const struct cel_slot_info *slot, struct value *out)
{
    struct whatif_world *world = user;
    bool there = false;
    if (world->fixed != NULL && !world->fixed(world->fixed_user, slot)) {
        *out = (struct value){.kind = VALUE_ERROR, .n = CEL_ERROR_SAID};
        return true;
    }
    // What a step-up brings along yields to what is said of the attribute itself, in whatever order.
    for (size_t i = 0; i < 2 * world->count; i++) {
        const struct whatif *change = world->changes[i % world->count];
        bool second = i >= world->count;
        if ((change->kind == WHATIF_PROOF) == second &&
            CHANGES[change->kind](world, change, slot, out, &there)) {
            return there;
        }
    }
    const struct whatif_base *base = base_of(world, slot);
    *out = base->value;
    return base->there;
}

// ---- Lists and proofs --------------------------------------------------------------------------

static enum truth contains(void *user, uint32_t set, const struct value *value)
{
    struct whatif_world *world = user;
    return world->seen->cel_host->contains(world->seen->cel_host->user, set, value);
}

static bool proved(void *user, uint32_t strength, int64_t max_age_s, int64_t *until_ms)
{
    struct whatif_world *world = user;
    const struct policy_host *host = world->seen->policy_host;
    for (size_t i = 0; i < world->count; i++) {
        if (world->changes[i]->kind == WHATIF_PROOF && strength <= world->changes[i]->strength) {
            *until_ms = max_age_s == 0
                            ? INT64_MAX
                            : num_add_sat(world->seen->now_ms, num_mul_sat(max_age_s, TIME_MS_PER_S));
            return true;
        }
    }
    *until_ms = INT64_MAX;
    return host != NULL && host->proved != NULL && host->proved(host->user, strength, max_age_s, until_ms) &&
           world->seen->frame->now_ms <= *until_ms;
}

static bool sticky(void *user, enum policy_by by, uint64_t *key)
{
    struct whatif_world *world = user;
    const struct policy_host *host = world->seen->policy_host;
    return host != NULL && host->sticky != NULL && host->sticky(host->user, by, key);
}

// ---- Asking ------------------------------------------------------------------------------------

// What the decision read it read before the session moved on: it is not asked again.
static void take_read(struct whatif_world *world)
{
    const struct cel_frame *frame = world->seen->frame;
    for (uint32_t i = 0; i < world->parts.program->slot_count; i++) {
        const struct frame_cached *cached = &frame->slots[i];
        bool missing = cached->value.kind == VALUE_ERROR && cached->value.n == CEL_ERROR_MISSING;
        if (cached->stamp == frame->stamp) {
            world->base[i] = (struct whatif_base){.value = cached->value, .asked = true, .there = !missing};
        }
    }
}

bool whatif_init(struct whatif_world *world, const struct watched *seen, struct arena *keep)
{
    const struct request *request = seen->request;
    *world = (struct whatif_world){.seen = seen, .keep = keep};
    snapshot_parts(seen->snapshot, &world->parts);
    arena_init(&world->arena, 0, 0);
    world->host = (struct cel_host){.resolve = resolve, .contains = contains, .user = world};
    world->policy_host = (struct policy_host){.proved = proved, .sticky = sticky, .user = world};
    world->base = ARENA_ARRAY(keep, struct whatif_base, cel_slot_count(world->parts.program) + 1);
    struct cel_slot_info known = {.path = STR("session.known"), .id = ATTR_SESSION_KNOWN, .type = CEL_BOOL};
    struct value is = {0};
    world->has_session = seen->cel_host->resolve(seen->cel_host->user, &known, &is);
    world->known = world->has_session && is.as.b;
    world->ends = !request->probe && (!world->has_session || world->known);
    world->service = str_eq(request->subject_type, STR("service"));
    if (world->base != NULL) {
        take_read(world);
    }
    return world->base != NULL;
}

void whatif_fini(struct whatif_world *world)
{
    arena_fini(&world->arena);
}

void whatif_begin(struct whatif_world *world, const struct whatif *const *changes, size_t count)
{
    int64_t now_ms = world->seen->now_ms;
    arena_reset(&world->arena);
    world->changes = changes;
    world->count = count;
    for (size_t i = 0; i < count; i++) {
        now_ms = changes[i]->kind == WHATIF_NOW ? changes[i]->now_ms : now_ms;
    }
    cel_begin(world->seen->frame, &world->host, &world->arena, now_ms);
}

void whatif_look(struct whatif_world *world, struct arena *arena)
{
    world->changes = NULL;
    world->count = 0;
    cel_begin(world->seen->frame, &world->host, arena, world->seen->now_ms);
}

static struct policy_question question_of(const struct whatif_world *world)
{
    struct policy_question question = *world->seen->question;
    for (size_t i = 0; i < world->count; i++) {
        const struct whatif *change = world->changes[i];
        if (change->kind != WHATIF_VALUE || change->value.kind != VALUE_STRING) {
            continue;
        }
        if (str_eq(change->path, STR("action.name"))) {
            question.action = value_text(&change->value);
        } else if (str_eq(change->path, STR("resource.path")) || str_eq(change->path, STR("resource.id"))) {
            question.path = value_text(&change->value);
        }
    }
    return question;
}

static enum pdp_effect adjusted(const struct whatif_world *world, enum pdp_effect effect)
{
    if (world->seen->risk->deny && pdp_effect_rank(effect) < pdp_effect_rank(PDP_EFFECT_DENY)) {
        return PDP_EFFECT_DENY;
    }
    bool refused =
        (effect == PDP_EFFECT_STEP_UP && world->service) || (effect == PDP_EFFECT_TERMINATE && !world->ends);
    return refused ? PDP_EFFECT_DENY : effect;
}

enum pdp_effect whatif_ask(struct whatif_world *world, const struct whatif *const *changes, size_t count)
{
    whatif_begin(world, changes, count);
    const struct policy_question question = question_of(world);
    world->asked++;
    policy_decide(world->parts.set, world->seen->scratch, world->seen->frame, &world->policy_host, &question,
                  &world->arena, world->seen->frame->now_ms, &world->result);
    return adjusted(world, world->result.effect);
}
