// SPDX-License-Identifier: Apache-2.0
#include "diff/world.h"

#include "base/time.h"

#define TEXT(literal)                \
    {                                \
        literal, sizeof(literal) - 1 \
    }

const struct str WORLD_STRENGTH_NAMES[WORLD_STRENGTHS] = {TEXT("password"), TEXT("mfa"), TEXT("phr")};
const struct str WORLD_SET_NAMES[WORLD_SETS] = {TEXT("leavers"), TEXT("offices"), TEXT("sanctioned"),
                                                TEXT("asns"), TEXT("stale")};
const enum cel_set_kind WORLD_SET_KINDS[WORLD_SETS] = {CEL_SET_STRING, CEL_SET_CIDR, CEL_SET_COUNTRY,
                                                       CEL_SET_ASN, CEL_SET_STRING};
const char *const WORLD_TEXTS[] = {
    "x",  "y",    "hr", "it",    "",     "DE",       "KP",        "GET",
    "10", "ä€😀",  "aa", "admin", "true", "10.1.2.3", "/a/b",      "2001:db8::1",
    "1h", "user", "é",  "aal2",  "-3",   "1.5",      "192.0.2.1", "2025-11-22T08:00:00Z"};
const size_t WORLD_TEXT_COUNT = COUNT_OF(WORLD_TEXTS);
const char *const WORLD_PIECES[] = {"a",    "ab", "abc",      "abcd",       "xyz", "/r-1", "/r-2",
                                    "-end", "ä€", "12345678", "1234567890", "1",   "yz",   "bcd"};
const size_t WORLD_PIECE_COUNT = COUNT_OF(WORLD_PIECES);

static const struct str ROOTS[WORLD_ROOTS] = {TEXT("subject"), TEXT("action"), TEXT("resource"),
                                              TEXT("context")};
static const char *const FIELDS[] = {"a",     "b",       "n",    "d",     "roles", "tags",   "client",
                                     "map",   "ghost",   "when", "in_it", "level", "number", "double",
                                     "until", "address", "span", "texts", "kind",  "phrase", "offers"};

// What a Schema would declare. Every text that a generated condition holds is one of the enum's, so that the
// checker has nothing against it; a question holds others too.
static const struct str LEVELS[] = {TEXT("x"),
                                    TEXT("y"),
                                    TEXT(""),
                                    TEXT("hr"),
                                    TEXT("DE"),
                                    TEXT("ä\n"),
                                    TEXT("10.1.2.3"),
                                    TEXT("10"),
                                    TEXT("a\\d"),
                                    TEXT("1h"),
                                    TEXT("2025-11-22T08:00:00Z")};
#define SCHEMA_LIST(X)                                                                             \
    X("subject.level", STRING, ROOT_SUBJECT, 7, .values = LEVELS, .value_count = COUNT_OF(LEVELS)) \
    X("subject.properties.level", STRING, ATTR_SUBJECT_PROPERTIES, 18, .values = LEVELS,           \
      .value_count = COUNT_OF(LEVELS))                                                             \
    X("subject.number", INT, ROOT_SUBJECT, 7)                                                      \
    X("subject.double", DOUBLE, ROOT_SUBJECT, 7)                                                   \
    X("resource.until", TIMESTAMP, ROOT_RESOURCE, 8)                                               \
    X("subject.address", IP, ROOT_SUBJECT, 7)                                                      \
    X("resource.span", DURATION, ROOT_RESOURCE, 8)                                                 \
    X("subject.texts", LIST_STRING, ROOT_SUBJECT, 7, .max_items = 2, .max_bytes = 4)               \
    X("context.client.kind", STRING, ROOT_CONTEXT, 7, .max_bytes = 2)                              \
    X("subject.map", MAP_DYN, ROOT_SUBJECT, 7, .max_items = 9)

static const struct {
    struct str path;
    enum cel_type type;
    uint32_t id;
    struct cel_schema schema;
} TYPED[] = {
#define X(dotted, kind, owner, from, ...) {TEXT(dotted), CEL_##kind, owner, {.base = from, ##__VA_ARGS__}},
    SCHEMA_LIST(X)
#undef X
};

static const struct {
    struct str path;
    enum cel_type type;
} DECLARED[ATTR_COUNT] = {
#define X(word, dotted, kind) {TEXT(dotted), CEL_##kind},
    ATTR_LIST(X)
#undef X
};

// ---- Chance ---------------------------------------------------------------------------------------------

uint32_t chance_below(struct chance *chance, uint32_t limit)
{
    uint64_t x = chance->state += UINT64_C(0x9E3779B97F4A7C15);
    x = (x ^ x >> 30) * UINT64_C(0xBF58476D1CE4E5B9);
    x = (x ^ x >> 27) * UINT64_C(0x94D049BB133111EB);
    return (uint32_t)((x ^ x >> 31) >> 32) % limit;
}

static struct value any_text(struct chance *c)
{
    return value_str(str_of(WORLD_TEXTS[chance_below(c, (uint32_t)WORLD_TEXT_COUNT)]));
}

static struct value any_int(struct chance *c)
{
    static const int64_t INTS[] = {0, 1, 2, 3, -1, 7, 64512, 60, INT64_MAX, INT64_MIN};
    return value_int(INTS[chance_below(c, COUNT_OF(INTS))]);
}

static struct value any_double(struct chance *c)
{
    static const double DOUBLES[] = {0.0,   1.0, 1.5, -2.0, 60.0, 99.9, 9223372036854775807.0,
                                     1e300, 3.0, -0.0};
    return value_double(DOUBLES[chance_below(c, COUNT_OF(DOUBLES))]);
}

static struct value any_dyn(struct chance *c, struct arena *arena, unsigned depth);
static struct value any_map(struct chance *c, struct arena *arena, unsigned depth, uint32_t left_out);

static struct value any_list(struct chance *c, struct arena *arena, unsigned depth, bool texts)
{
    uint32_t n = chance_below(c, 4), mixed = chance_below(c, 3);
    struct value *list = ARENA_ARRAY(arena, struct value, n + 1);
    for (uint32_t i = 0; i < n; i++) {
        list[i] = texts || mixed == 0 ? any_text(c) : mixed == 1 ? any_int(c) : any_dyn(c, arena, depth);
    }
    return (struct value){.kind = VALUE_LIST, .n = n, .as.list = list};
}

enum {
    ROOT_DEPTH = 3,   // of maps within subject, action, resource and context
    LONG_TEXT = 2048, // what an index still looks at
    LONG_LIST = 256
};

// Of pieces; a long one has them at its end.
static struct value any_phrase(struct chance *c, struct arena *arena, bool is_long)
{
    struct buf text = {0};
    for (uint32_t n = is_long ? LONG_TEXT - 8 + chance_below(c, 16) : 0; n > 0; n--) {
        buf_byte(&text, 'z');
    }
    for (uint32_t n = 1 + chance_below(c, 3); n > 0; n--) {
        buf_str(&text, str_of(WORLD_PIECES[chance_below(c, (uint32_t)WORLD_PIECE_COUNT)]));
        buf_str(&text, chance_below(c, 40) == 0 ? STR("\n") : STR(""));
    }
    struct value v = value_str(arena_str(arena, buf_view(&text), NULL));
    buf_fini(&text);
    return v;
}

// Of such texts, with others between; sometimes a map that has them as keys.
static struct value any_offers(struct chance *c, struct arena *arena, bool is_long)
{
    uint32_t n = is_long ? LONG_LIST - 2 + chance_below(c, 5) : chance_below(c, 5);
    if (!is_long && n > 0 && chance_below(c, 8) == 0) {
        struct value_entry *entry = ARENA_NEW(arena, struct value_entry);
        *entry = (struct value_entry){any_phrase(c, arena, false), value_int(1)};
        return (struct value){.kind = VALUE_MAP, .n = 1, .as.map = entry};
    }
    struct value *list = ARENA_ARRAY(arena, struct value, n + 1);
    for (uint32_t i = 0; i < n; i++) {
        bool filler = i + 4 < n;
        list[i] = filler ? value_int(i) : chance_below(c, 6) == 0 ? any_int(c) : any_phrase(c, arena, false);
    }
    return (struct value){.kind = VALUE_LIST, .n = n, .as.list = list};
}

// Most often what the name promises, so that conditions get further than their first attribute.
static struct value any_field(struct chance *c, struct arena *arena, unsigned depth, char name)
{
    static const char NAMES[] = "abndrtcmwuspo";
    const char *at = chance_below(c, 4) > 0 ? strchr(NAMES, name) : NULL;
    bool is_long = c->lengthy && depth >= ROOT_DEPTH && chance_below(c, 12) == 0;
    switch (at != NULL ? *at : '\0') {
    case 'a':
    case 'b':
        return any_text(c);
    case 'n':
        return any_int(c);
    case 'd':
        return any_double(c);
    case 'r':
        return any_list(c, arena, 0, true);
    case 't':
        return any_list(c, arena, 0, false);
    case 'c':
    case 'm':
        return depth > 0 ? any_map(c, arena, depth - 1, 4) : value_null();
    case 'w':
        return value_str(STR("2025-11-22T08:00:00Z"));
    case 'u':
        return chance_below(c, 2) == 0 ? value_str(STR("2025-11-25T08:00:00.5+01:00"))
                                       : value_int(INT64_C(1763800000) + chance_below(c, 604800));
    case 's':
        return value_str(chance_below(c, 2) == 0 ? STR("1h30m") : STR("-0.5s"));
    case 'p':
        return any_phrase(c, arena, is_long);
    case 'o':
        return any_offers(c, arena, is_long);
    default:
        return any_dyn(c, arena, depth);
    }
}

static struct value any_map(struct chance *c, struct arena *arena, unsigned depth, uint32_t left_out)
{
    struct value_entry *entries = ARENA_ARRAY(arena, struct value_entry, COUNT_OF(FIELDS));
    uint32_t n = 0;
    for (size_t i = 0; i < COUNT_OF(FIELDS); i++) {
        if (chance_below(c, 10) >= left_out) {
            entries[n++] =
                (struct value_entry){value_str(str_of(FIELDS[i])), any_field(c, arena, depth, FIELDS[i][0])};
        }
    }
    return (struct value){.kind = VALUE_MAP, .n = n, .as.map = entries};
}

static struct value any_dyn(struct chance *c, struct arena *arena, unsigned depth)
{
    uint32_t what = chance_below(c, depth == 0 ? 13 : 20);
    return what < 5    ? any_text(c)
           : what < 8  ? any_int(c)
           : what < 10 ? any_double(c)
           : what < 12 ? value_bool(chance_below(c, 2) == 1)
           : what < 13 ? value_null()
           : what < 17 ? any_list(c, arena, depth - 1, false)
                       : any_map(c, arena, depth - 1, 7);
}

static struct value any_ip(struct chance *c, struct arena *arena)
{
    static const char *const IPS[] = {"10.1.2.3", "192.0.2.1", "2001:db8::1", "::1", "8.8.8.8", "10.255.0.0"};
    struct ip *ip = ARENA_NEW(arena, struct ip);
    bool parsed = ip_parse(str_of(IPS[chance_below(c, COUNT_OF(IPS))]), ip);
    return parsed ? (struct value){.kind = VALUE_IP, .as.ip = ip} : value_null();
}

static struct value of_type(enum cel_type type, struct chance *c, struct arena *arena, int64_t now_ms)
{
    static const int64_t AGES_MS[] = {0, 1, 1000, 60000, 900000, 900001, 3600000, 86400000, -1000, 500};
    switch (type) {
    case CEL_BOOL:
        return value_bool(chance_below(c, 2) == 1);
    case CEL_INT:
        return any_int(c);
    case CEL_DOUBLE:
        return any_double(c);
    case CEL_STRING:
        return any_text(c);
    case CEL_TIMESTAMP:
        return value_time_ms(now_ms - AGES_MS[chance_below(c, COUNT_OF(AGES_MS))]);
    case CEL_IP:
        return any_ip(c, arena);
    case CEL_LEVEL:
        return (struct value){.kind = VALUE_LEVEL, .as.i = chance_below(c, RISK_LEVEL_COUNT)};
    case CEL_LIST_STRING:
        return any_list(c, arena, 0, chance_below(c, 8) > 0);
    case CEL_MAP_DYN:
        return any_map(c, arena, 2, 4);
    default:
        return any_dyn(c, arena, 2);
    }
}

void world_make(struct world *world, struct chance *chance, struct arena *arena)
{
    // Some questions are good throughout: there the rules are looked at, not what is missing.
    uint32_t bad = chance_below(chance, 4);
    world->now_ms =
        INT64_C(1763800000000) + (int64_t)chance_below(chance, 604800) * 1000 + chance_below(chance, 3);
    world->shadow = false;
    world->proved = chance_below(chance, 1U << WORLD_STRENGTHS);
    for (size_t i = 0; i < ATTR_COUNT; i++) {
        uint32_t luck = chance_below(chance, 20);
        world->attrs[i] = luck < 2 * bad && luck % 2 == 0 ? (struct value){.kind = VALUE_ERROR}
                          : luck < 2 * bad && luck % 2 == 1
                              ? any_dyn(chance, arena, 1)
                              : of_type(DECLARED[i].type, chance, arena, world->now_ms);
    }
    static const char *const ACTIONS[] = {"GET", "POST", "x", "PUT"};
    static const char *const PATHS[] = {"/a", "/a/b", "/a/b/c", "/b", "/", "/a/x/c"};
    if (world->attrs[ATTR_ACTION_NAME].kind == VALUE_STRING) {
        world->attrs[ATTR_ACTION_NAME] = value_str(str_of(ACTIONS[chance_below(chance, COUNT_OF(ACTIONS))]));
    }
    if (world->attrs[ATTR_RESOURCE_ID].kind == VALUE_STRING) {
        world->attrs[ATTR_RESOURCE_ID] = value_str(str_of(PATHS[chance_below(chance, COUNT_OF(PATHS))]));
    }
    for (size_t i = 0; i < WORLD_ROOTS; i++) {
        world->roots[i] = any_map(chance, arena, ROOT_DEPTH, bad);
    }
}

// ---- By the text of a path, for the interpreter
// -----------------------------------------------------------------

// The declared attribute that the path is, or that it goes on from. ATTR_COUNT: none.
static size_t declared(struct str path)
{
    size_t best = ATTR_COUNT;
    for (size_t i = 0; i < ATTR_COUNT; i++) {
        struct str own = DECLARED[i].path;
        bool under = str_starts(path, own) && (path.len == own.len || path.at[own.len] == '.');
        if (under && (best == ATTR_COUNT || own.len > DECLARED[best].path.len)) {
            best = i;
        }
    }
    return best;
}

static size_t open_root(struct str path)
{
    struct str first = str_sub(path, 0, str_find_byte(path, '.', 0));
    size_t i = 0;
    while (i < WORLD_ROOTS && !str_eq(first, ROOTS[i])) {
        i++;
    }
    return i;
}

static size_t typed(struct str path)
{
    size_t i = 0;
    while (i < COUNT_OF(TYPED) && !str_eq(TYPED[i].path, path)) {
        i++;
    }
    return i;
}

static bool read_span(struct str text, struct value *v)
{
    int64_t seconds = 0;
    int32_t nanos = 0;
    if (!time_duration_parse(text, &seconds, &nanos)) {
        return false;
    }
    bool negative = seconds < 0 || nanos < 0;
    *v = (struct value){.kind = VALUE_DURATION,
                        .flag = negative && seconds == 0,
                        .n = (uint32_t)(nanos < 0 ? -nanos : nanos),
                        .as.i = seconds};
    return true;
}

// The texts of the question that stand for something else.
static bool read_text(enum cel_type type, struct arena *arena, struct value *v)
{
    struct str text = value_text(v);
    struct ip *ip = ARENA_NEW(arena, struct ip);
    switch (type) {
    case CEL_TIMESTAMP:
        *v = (struct value){.kind = VALUE_TIMESTAMP};
        return time_parse(text, &v->as.i, &v->n);
    case CEL_DURATION:
        return read_span(text, v);
    case CEL_IP:
        *v = (struct value){.kind = VALUE_IP, .as.ip = ip};
        return ip_parse(text, ip);
    default:
        return true;
    }
}

static bool is_allowed(const struct cel_schema *schema, const struct value *v)
{
    bool one = schema->value_count == 0 || v->kind != VALUE_STRING;
    for (uint32_t i = 0; i < schema->value_count; i++) {
        one = one || value_is_text(v, schema->values[i]);
    }
    bool many = v->kind == VALUE_LIST || v->kind == VALUE_MAP;
    bool fits = schema->max_items == 0 || !many || v->n <= schema->max_items;
    for (uint32_t i = 0; v->kind == VALUE_LIST && i < v->n; i++) {
        fits = fits && (schema->max_bytes == 0 || v->as.list[i].kind != VALUE_STRING ||
                        v->as.list[i].n <= schema->max_bytes);
    }
    return one && fits && (schema->max_bytes == 0 || v->kind != VALUE_STRING || v->n <= schema->max_bytes);
}

bool world_read(struct str path, struct arena *arena, struct value *v)
{
    size_t i = typed(path);
    if (i == COUNT_OF(TYPED)) {
        return true;
    }
    if (TYPED[i].type == CEL_DOUBLE && v->kind == VALUE_INT) {
        bool exact = v->as.i >= -9007199254740992 && v->as.i <= 9007199254740992;
        *v = exact ? value_double((double)v->as.i) : *v;
    } else if (TYPED[i].type == CEL_TIMESTAMP && v->kind == VALUE_INT) {
        *v = (struct value){.kind = VALUE_TIMESTAMP, .as.i = v->as.i};
        return v->as.i >= TIME_MIN_S && v->as.i <= TIME_MAX_S;
    } else if (v->kind == VALUE_STRING && !read_text(TYPED[i].type, arena, v)) {
        return false;
    }
    return is_allowed(&TYPED[i].schema, v);
}

enum cel_type world_type(struct str path)
{
    if (typed(path) < COUNT_OF(TYPED)) {
        return TYPED[typed(path)].type;
    }
    size_t i = declared(path);
    return i < ATTR_COUNT && path.len == DECLARED[i].path.len ? DECLARED[i].type : CEL_DYN;
}

bool world_is_attribute(struct str path)
{
    size_t i = declared(path);
    if (i < ATTR_COUNT) {
        return path.len == DECLARED[i].path.len || DECLARED[i].type == CEL_MAP_DYN;
    }
    return open_root(path) < WORLD_ROOTS;
}

bool world_get(const struct world *world, struct str path, struct value *out)
{
    size_t i = declared(path), root = open_root(path);
    if (i == ATTR_COUNT && root == WORLD_ROOTS) {
        return false;
    }
    const struct value *v = i < ATTR_COUNT ? &world->attrs[i] : &world->roots[root];
    size_t at = i < ATTR_COUNT ? DECLARED[i].path.len : ROOTS[root].len;
    while (v != NULL && at < path.len) {
        size_t end = str_find_byte(path, '.', at + 1);
        v = value_get(v, str_sub(path, at + 1, end - at - 1));
        at = end;
    }
    *out = v != NULL ? *v : value_null();
    return v != NULL && v->kind != VALUE_ERROR;
}

enum truth world_contains(struct str list, const struct value *value)
{
    if (str_eq(list, STR("leavers"))) {
        return value_is_text(value, STR("x")) || value_is_text(value, STR("admin")) ? TRUTH_YES : TRUTH_NO;
    }
    if (str_eq(list, STR("offices"))) {
        const uint8_t *b = value->as.ip->bytes;
        bool in = value->as.ip->v4 ? b[12] == 10 : b[0] == 0x20 && b[1] == 1 && b[2] == 0x0d && b[3] == 0xb8;
        return in ? TRUTH_YES : TRUTH_NO;
    }
    if (str_eq(list, STR("sanctioned"))) {
        bool letters = value->n == 2;
        for (uint32_t i = 0; i < value->n; i++) {
            letters = letters && (value->as.text[i] | 32) >= 'a' && (value->as.text[i] | 32) <= 'z';
        }
        return !letters ? TRUTH_UNSURE : value_is_text(value, STR("KP")) ? TRUTH_YES : TRUTH_NO;
    }
    if (str_eq(list, STR("asns"))) {
        if (value->as.u > UINT32_MAX) { // a negative one too
            return TRUTH_UNSURE;
        }
        return value->as.u == 64512 || value->as.u == 7 ? TRUTH_YES : TRUTH_NO;
    }
    return TRUTH_UNSURE;
}

// ---- By the numbers of the declarations, for the compiled program
// ------------------------------------------------

static bool resolve(void *user, const struct cel_slot_info *slot, struct value *out)
{
    static const uint32_t IDS[WORLD_ROOTS] = {ROOT_SUBJECT, ROOT_ACTION, ROOT_RESOURCE, ROOT_CONTEXT};
    const struct world *world = user;
    const struct value *v = slot->id < ATTR_COUNT ? &world->attrs[slot->id] : NULL;
    for (size_t i = 0; i < WORLD_ROOTS; i++) {
        v = slot->id == IDS[i] ? &world->roots[i] : v;
    }
    if (v != NULL && slot->rest.len > 0) {
        v = value_path(v, slot->rest);
    }
    if (v == NULL || v->kind == VALUE_ERROR) {
        return false;
    }
    *out = *v;
    return true;
}

static enum truth contains(void *user, uint32_t set, const struct value *value)
{
    (void)user;
    return world_contains(WORLD_SET_NAMES[set], value);
}

struct cel_host world_host(struct world *world)
{
    return (struct cel_host){resolve, contains, world};
}

void world_env(struct cel_env *env)
{
    static struct cel_set_decl sets[WORLD_SETS];
    for (uint32_t i = 0; i < WORLD_SETS; i++) {
        sets[i] = (struct cel_set_decl){WORLD_SET_NAMES[i], WORLD_SET_KINDS[i], i};
    }
    *env = (struct cel_env){.sets = sets,
                            .set_count = WORLD_SETS,
                            .strengths = WORLD_STRENGTH_NAMES,
                            .strength_count = WORLD_STRENGTHS};
    attrs_declare(env);
    static struct cel_attr_decl attrs[ATTR_COUNT + COUNT_OF(TYPED)];
    for (size_t i = 0; i < ATTR_COUNT + COUNT_OF(TYPED); i++) {
        size_t k = i - ATTR_COUNT;
        attrs[i] = i < ATTR_COUNT
                       ? env->attrs[i]
                       : (struct cel_attr_decl){TYPED[k].path, TYPED[k].type, TYPED[k].id, &TYPED[k].schema};
    }
    env->attrs = attrs;
    env->attr_count = COUNT_OF(attrs);
}

void world_print(const struct world *world, struct buf *out)
{
    buf_printf(out, "  now = %lld ms%s\n", (long long)world->now_ms, world->shadow ? ", in shadow" : "");
    for (size_t i = 0; i < ATTR_COUNT + WORLD_ROOTS; i++) {
        bool root = i >= ATTR_COUNT;
        const struct value *v = root ? &world->roots[i - ATTR_COUNT] : &world->attrs[i];
        struct str name = root ? ROOTS[i - ATTR_COUNT] : DECLARED[i].path;
        buf_printf(out, "  " STR_FMT " = ", STR_ARG(name));
        value_print(out, v, 2000);
        buf_byte(out, '\n');
    }
}
