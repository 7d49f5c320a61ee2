// SPDX-License-Identifier: Apache-2.0
// The question in hand: loaded, changed, and told of what no question says.
#include "cli/explain/repl.h"

#include "base/time.h"

#include <time.h>

int64_t repl_now(const struct repl *repl)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return repl->at_ms != 0 ? repl->at_ms : (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

// ---- Trees -------------------------------------------------------------------------------------

static bool copy_text(struct arena *arena, struct value *value)
{
    bool ok = true;
    value->as.text = arena_str(arena, value_text(value), &ok).at;
    return ok;
}

// A copy that needs nothing of what it was made from. false: memory is out.
static bool copy(struct arena *arena, const struct value *from, struct value *to)
{
    bool ok = true;
    *to = *from;
    if (from->kind == VALUE_STRING || from->kind == VALUE_BYTES) {
        return copy_text(arena, to);
    }
    if (from->kind == VALUE_LIST) {
        struct value *list = ARENA_ARRAY(arena, struct value, from->n + 1);
        ok = list != NULL;
        for (uint32_t i = 0; ok && i < from->n; i++) {
            ok = copy(arena, &from->as.list[i], &list[i]);
        }
        to->as.list = list;
    } else if (from->kind == VALUE_MAP) {
        struct value_entry *map = ARENA_ARRAY(arena, struct value_entry, from->n + 1);
        ok = map != NULL;
        for (uint32_t i = 0; ok && i < from->n; i++) {
            ok = copy(arena, &from->as.map[i].key, &map[i].key) &&
                 copy(arena, &from->as.map[i].value, &map[i].value);
        }
        to->as.map = map;
    }
    return ok;
}

// `from` with what `path` leads to replaced; NULL takes it away. false: memory is out.
static bool put(struct arena *arena, const struct value *from, struct str path, const struct value *leaf,
                struct value *to)
{
    size_t dot = str_find_byte(path, '.', 0);
    struct str first = str_sub(path, 0, dot), rest = str_sub(path, dot + 1, path.len);
    uint32_t had = from != NULL && from->kind == VALUE_MAP ? from->n : 0;
    struct value_entry *map = ARENA_ARRAY(arena, struct value_entry, had + 1);
    const struct value *inner = NULL;
    bool ok = map != NULL;
    *to = (struct value){.kind = VALUE_MAP, .as.map = map};
    for (uint32_t i = 0; ok && i < had; i++) {
        if (value_is_text(&from->as.map[i].key, first)) {
            inner = &from->as.map[i].value;
        } else {
            ok = copy(arena, &from->as.map[i].key, &map[to->n].key) &&
                 copy(arena, &from->as.map[i].value, &map[to->n].value);
            to->n++;
        }
    }
    if (!ok || (leaf == NULL && rest.len == 0)) {
        return ok;
    }
    struct value_entry *last = &map[to->n++];
    last->key = value_str(first);
    return copy_text(arena, &last->key) &&
           (rest.len > 0 ? put(arena, inner, rest, leaf, &last->value) : copy(arena, leaf, &last->value));
}

// The question becomes what it is with `path` replaced.
static bool replace(struct repl *repl, struct str path, const struct value *leaf)
{
    unsigned other = 1 - repl->now_arena;
    struct value made;
    arena_reset(&repl->arenas[other]);
    if (!put(&repl->arenas[other], &repl->question, path, leaf, &made)) {
        return repl_bad(repl, NULL, "out of memory");
    }
    repl->question = made;
    repl->now_arena = other;
    return true;
}

bool repl_probe(struct repl *repl, struct arena *arena, struct value *out)
{
    struct value probe = value_str(STR("probe"));
    return put(arena, &repl->question, STR("context.purpose"), &probe, out);
}

// ---- Loading -----------------------------------------------------------------------------------

// A question, or a line of a recording with its time.
static bool take(struct repl *repl, const struct value *root)
{
    const struct value *at = value_get(root, STR("at")), *inner = value_get(root, STR("request"));
    unsigned other = 1 - repl->now_arena;
    int64_t at_ms = repl->at_ms;
    if (inner != NULL && at != NULL) {
        bool text = at->kind == VALUE_STRING && local_time(value_text(at), &at_ms);
        at_ms = at->kind == VALUE_INT ? at->as.i : at_ms;
        if (!text && at->kind != VALUE_INT) {
            return repl_bad(repl, NULL, "`at` is no time");
        }
        root = inner;
    }
    arena_reset(&repl->arenas[other]);
    if (root->kind != VALUE_MAP || !copy(&repl->arenas[other], root, &repl->question)) {
        return repl_bad(repl, "it has a subject, an action and a resource", "this is no question");
    }
    repl->now_arena = other;
    repl->at_ms = at_ms;
    return true;
}

bool repl_load(struct repl *repl, const char *path)
{
    AUTO(buf_fini) struct buf bytes = {0};
    struct arena arena;
    struct value root = {0};
    struct fault why;
    if (!cli_read(path, &bytes)) {
        repl->failed = true;
        return false;
    }
    arena_init(&arena, 0, 0);
    bool good = wire_decode(WIRE_JSON, buf_view(&bytes), &arena, &root, &why) == PDP_ERR_OK
                    ? take(repl, &root)
                    : repl_bad(repl, NULL, "`%s` holds no question: `%s` %s", path, why.field, why.what);
    arena_fini(&arena);
    return good;
}

// ---- Names -------------------------------------------------------------------------------------

// What conditions call otherwise than questions. `*`: whatever follows, and the more exact names first.
static const struct {
    const char *name, *place;
} PLACES[] = {
    {"tenant", "tenant"},
    {"request_id", "request_id"},
    {"subject.type", "subject.type"},
    {"subject.id", "subject.id"},
    {"subject.properties.*", "subject.properties.*"},
    {"subject.*", "subject.properties.*"},
    {"action.name", "action.name"},
    {"action.properties.*", "action.properties.*"},
    {"action.*", "action.properties.*"},
    {"resource.type", "resource.type"},
    {"resource.id", "resource.id"},
    {"resource.path", "resource.id"},
    {"resource.properties.*", "resource.properties.*"},
    {"resource.*", "resource.properties.*"},
    {"context.*", "context.*"},
    {"session.id", "context.session.id"},
    {"session.auth_time", "context.session.auth_time"},
    {"session.acr", "context.session.acr"},
    {"session.amr", "context.session.amr"},
    {"device.fingerprint", "context.device.fingerprint"},
    {"device.managed", "context.device.managed"},
    {"device.user_agent", "context.device.user_agent"},
    {"device.components", "context.device.components"},
    {"device.components.*", "context.device.components.*"},
    {"network.ip", "context.network.ip"},
    {"network.forwarded_for", "context.network.forwarded_for"},
};

bool repl_place(struct str path, struct arena *arena, struct str *out)
{
    for (size_t i = 0; i < COUNT_OF(PLACES); i++) {
        struct str name = str_of(PLACES[i].name), place = str_of(PLACES[i].place);
        bool open = str_ends(name, STR("*"));
        struct str front = str_sub(name, 0, name.len - (open ? 1 : 0));
        if (open ? path.len > front.len && str_starts(path, front) : str_eq(path, name)) {
            *out = open ? arena_printf(arena, STR_FMT STR_FMT, STR_ARG(str_sub(place, 0, place.len - 1)),
                                       STR_ARG(str_sub(path, front.len, path.len)))
                        : place;
            return true;
        }
    }
    return false;
}

// ---- What no question says ---------------------------------------------------------------------

static const struct cel_attr_decl *declared(const struct repl *repl, struct str path)
{
    const struct cel_env *env = repl->local.parts.env;
    for (size_t i = 0; i < env->attr_count; i++) {
        if (str_eq(env->attrs[i].path, path)) {
            return &env->attrs[i];
        }
    }
    return NULL;
}

static bool to_time(struct value *value)
{
    struct value time = {.kind = VALUE_TIMESTAMP};
    bool good = value->kind == VALUE_STRING && time_parse(value_text(value), &time.as.i, &time.n);
    if (value->kind == VALUE_INT) {
        time.as.i = value->as.i;
        good = true;
    }
    *value = good ? time : *value;
    return good;
}

static bool to_level(struct value *value)
{
    for (int i = 0; value->kind == VALUE_STRING && i < RISK_LEVEL_COUNT; i++) {
        if (value_is_text(value, RISK_LEVEL_NAMES[i])) {
            *value = (struct value){.kind = VALUE_LEVEL, .as.i = i};
            return true;
        }
    }
    return false;
}

// As the language declares it. false: it is nothing of that type.
static bool convert(enum cel_type type, struct value *value)
{
    static const uint8_t KINDS[CEL_TYPE_COUNT] = {
        [CEL_BOOL] = VALUE_BOOL,     [CEL_INT] = VALUE_INT,          [CEL_DOUBLE] = VALUE_DOUBLE,
        [CEL_STRING] = VALUE_STRING, [CEL_LIST_STRING] = VALUE_LIST, [CEL_MAP_DYN] = VALUE_MAP};
    if (type == CEL_DOUBLE && value->kind == VALUE_INT) {
        *value = value_double((double)value->as.i);
    }
    if (type == CEL_TIMESTAMP || type == CEL_LEVEL) {
        return type == CEL_LEVEL ? to_level(value) : to_time(value);
    }
    return KINDS[type] == 0 || value->kind == KINDS[type];
}

static void drop_held(struct repl *repl, struct str path)
{
    for (size_t i = 0; i < repl->held_count; i++) {
        if (str_eq(repl->held[i].to.path, path)) {
            arena_fini(&repl->held[i].arena);
            repl->held[i] = repl->held[--repl->held_count];
        }
    }
}

// `risk.score` brings the level along that it means, and `risk.level` is held beside it.
static void hold(struct repl *repl, struct str path, const struct value *value)
{
    struct repl_held *held = &repl->held[repl->held_count++];
    arena_init(&held->arena, 1024, 0);
    held->to = (struct whatif){.kind = WHATIF_VALUE, .path = arena_str(&held->arena, path, NULL)};
    if (!copy(&held->arena, value, &held->to.value)) {
        held->to.value = (struct value){0};
    }
    if (str_eq(path, STR("risk.score"))) {
        held->to.kind = WHATIF_RISK;
        held->to.score = value->as.d;
        held->to.level = risk_level_of(repl->local.parts.risk, value->as.d);
    }
}

static bool set_held(struct repl *repl, struct str path, struct value *value)
{
    const struct cel_attr_decl *decl = declared(repl, path);
    if (decl == NULL || str_eq(path, STR("now"))) {
        return repl_bad(repl,
                        decl != NULL
                            ? "`:at T` sets the time"
                            : "names are those of conditions: subject.roles, device.managed, risk.score",
                        "`" STR_FMT "` cannot be set", STR_ARG(path));
    }
    if (value == NULL) {
        drop_held(repl, path);
        return true;
    }
    if (!convert(decl->type, value)) {
        return repl_bad(repl, "numbers, true and false as they are; texts, times and levels in quotes",
                        "`" STR_FMT "` is of another type", STR_ARG(path));
    }
    if (str_eq(path, STR("risk.score")) && !(value->as.d >= 0 && value->as.d <= 100)) {
        return repl_bad(repl, ":set risk.score 60", "a score is a number from 0 to 100");
    }
    drop_held(repl, path);
    if (repl->held_count == REPL_HELD_MOST) {
        return repl_bad(repl, "`:set PATH null` drops one", "no more than %d attributes can be held",
                        REPL_HELD_MOST);
    }
    hold(repl, path, value);
    return true;
}

// ---- Setting -----------------------------------------------------------------------------------

static bool set_value(struct repl *repl, struct str path, struct str text, struct arena *arena)
{
    struct value value = {0};
    struct fault why;
    struct str place = {0};
    if (wire_decode(WIRE_JSON, text, arena, &value, &why) != PDP_ERR_OK) {
        return repl_bad(repl, "texts go in quotes: :set subject.id \"alice\"", "`" STR_FMT "` is no JSON",
                        STR_ARG(text));
    }
    struct value *leaf = value.kind == VALUE_NULL ? NULL : &value;
    return repl_place(path, arena, &place) ? replace(repl, place, leaf) : set_held(repl, path, leaf);
}

bool repl_set(struct repl *repl, struct str rest)
{
    size_t blank = str_find_byte(rest, ' ', 0);
    struct str path = str_sub(rest, 0, blank), text = str_trim(str_sub(rest, blank, rest.len));
    struct arena arena;
    if (path.len == 0 || text.len == 0) {
        return repl_bad(repl, ":set subject.roles [\"hr\"]; null takes it away",
                        "`:set` needs an attribute and a value");
    }
    arena_init(&arena, 0, 0);
    bool good = set_value(repl, path, text, &arena);
    arena_fini(&arena);
    return good;
}
