// SPDX-License-Identifier: Apache-2.0
// What a tree means: CEL's specification and docs/CEL.md, followed word by word.
#include "diff/plain.h"

static bool is_number(const struct value *v)
{
    return v->kind == VALUE_INT || v->kind == VALUE_UINT || v->kind == VALUE_DOUBLE;
}

static bool is_error(const struct value *v)
{
    return v->kind == VALUE_ERROR;
}

// ---- Names ----------------------------------------------------------------------------------------------

static const struct plain_scope *find_local(const struct plain_scope *scope, struct str name)
{
    for (; scope != NULL; scope = scope->outer) {
        if (str_eq(scope->name, name)) {
            return scope;
        }
    }
    return NULL;
}

// `a.b.c` as text; empty where the tree is no chain of names.
static struct str path_of(const struct plain *p, const struct tree *tree)
{
    if (tree->kind == TREE_NAME) {
        return tree->name;
    }
    if (tree->kind != TREE_FIELD) {
        return (struct str){NULL, 0};
    }
    struct str front = path_of(p, tree->args[0]);
    return front.len == 0 ? front : arena_printf(p->arena, STR_FMT "." STR_FMT, STR_ARG(front), STR_ARG(tree->name));
}

static struct str root_of(struct str path)
{
    return str_sub(path, 0, str_find_byte(path, '.', 0));
}

static const struct tree *find_var(const struct plain *p, struct str path)
{
    for (size_t i = 0; i < p->var_count && str_starts(path, STR("vars.")); i++) {
        if (str_eq(str_sub(path, 5, path.len), p->vars[i].name)) {
            return p->vars[i].tree;
        }
    }
    return NULL;
}

// The path of the attribute that a tree is, through variables and bindings; empty where it is something else.
static struct str attribute_of(const struct plain *p, const struct tree *tree, const struct plain_scope *scope)
{
    const struct str none = {NULL, 0};
    struct str path = path_of(p, tree);
    if (tree->kind == TREE_CALL && tree->member && tree->count == 4 && str_eq(tree->name, STR("bind"))) {
        struct plain_scope inner = {
            .outer = scope, .name = tree->args[1]->name, .means = tree->args[2], .means_in = scope};
        return attribute_of(p, tree->args[3], &inner);
    }
    if (path.len == 0) {
        return none;
    }
    const struct plain_scope *local = find_local(scope, root_of(path));
    if (local != NULL) {
        bool whole = tree->kind == TREE_NAME && local->means != NULL;
        return whole ? attribute_of(p, local->means, local->means_in) : none;
    }
    const struct tree *var = find_var(p, path);
    if (var != NULL) {
        return attribute_of(p, var, NULL);
    }
    // `now` is no word of the gateway's: what it is compared with is merely of another type.
    return world_is_attribute(path) && !str_eq(path, STR("now")) ? path : none;
}

// Does nothing in the tree depend on the question?
static bool is_constant(const struct plain *p, const struct tree *tree)
{
    struct str path = path_of(p, tree), root = root_of(path);
    const struct tree *var = find_var(p, path);
    if (var != NULL) {
        return is_constant(p, var);
    }
    bool constant = path.len == 0 || !(world_is_attribute(path) || str_eq(root, STR("lists")));
    for (size_t i = 0; i < tree->count && constant; i++) {
        constant = is_constant(p, tree->args[i]);
    }
    return constant;
}

static bool mentions(const struct tree *tree, struct str name)
{
    bool is = tree->kind == TREE_NAME && str_eq(tree->name, name);
    for (size_t i = 0; i < tree->count && !is; i++) {
        is = mentions(tree->args[i], name);
    }
    return is;
}

// A part that settles `&&` or `||` whatever the rest is.
static bool is_settled(const struct plain *p, const struct tree *tree)
{
    bool any = str_eq(tree->name, STR("||"));
    for (size_t i = 0; i < 2 && tree->kind == TREE_CALL && (any || str_eq(tree->name, STR("&&"))); i++) {
        if (is_settled(p, tree->args[i]) || is_constant(p, tree->args[i])) {
            struct value v = plain_eval(p, tree->args[i], NULL);
            if (v.kind == VALUE_BOOL && v.as.b == any) {
                return true;
            }
        }
    }
    return false;
}

// What cannot make a difference is not read: the value of a binding that nothing uses, what is settled beside.
bool plain_reads(const struct plain *p, const struct tree *tree, struct str root)
{
    struct str path = path_of(p, tree);
    const struct tree *var = find_var(p, path);
    if (is_settled(p, tree)) {
        return false;
    }
    bool bind = tree->kind == TREE_CALL && tree->member && tree->count == 4 && str_eq(tree->name, STR("bind"));
    bool unused = bind && !mentions(tree->args[3], tree->args[1]->name);
    bool reads = (var != NULL && plain_reads(p, var, root)) || str_eq(root_of(path), root);
    for (size_t i = unused ? 3 : 0; i < tree->count && !reads; i++) {
        reads = plain_reads(p, tree->args[i], root);
    }
    return reads;
}

// ---- Attributes -----------------------------------------------------------------------------------------

static bool has_type(enum cel_type type, const struct value *v)
{
    static const uint8_t KINDS[] = {
        [CEL_BOOL] = VALUE_BOOL,         [CEL_INT] = VALUE_INT,
        [CEL_DOUBLE] = VALUE_DOUBLE,     [CEL_STRING] = VALUE_STRING,
        [CEL_TIMESTAMP] = VALUE_TIMESTAMP, [CEL_DURATION] = VALUE_DURATION,
        [CEL_IP] = VALUE_IP,             [CEL_LEVEL] = VALUE_LEVEL,
        [CEL_STRENGTH] = VALUE_STRENGTH, [CEL_LIST_STRING] = VALUE_LIST,
        [CEL_LIST_DYN] = VALUE_LIST,     [CEL_MAP_DYN] = VALUE_MAP,
    };
    if (type == CEL_DYN) {
        return true;
    }
    bool right = v->kind == KINDS[type];
    for (uint32_t i = 0; right && type == CEL_LIST_STRING && i < v->n; i++) {
        right = v->as.list[i].kind == VALUE_STRING;
    }
    return right;
}

// 1: *out is there and right; 0: it is missing, or null; -1: it has another type than declared.
static int read_attribute(const struct plain *p, struct str path, struct value *out)
{
    if (!world_get(p->world, path, out) || out->kind == VALUE_NULL || is_error(out)) {
        return 0;
    }
    return world_read(path, p->arena, out) && has_type(world_type(path), out) ? 1 : -1;
}

static struct value type_named(struct str name)
{
    static const struct {
        const char *name;
        uint8_t kind;
    } TYPES[] = {{"bool", VALUE_BOOL},   {"int", VALUE_INT},       {"uint", VALUE_UINT}, {"double", VALUE_DOUBLE},
                 {"string", VALUE_STRING}, {"bytes", VALUE_BYTES}, {"list", VALUE_LIST}, {"map", VALUE_MAP},
                 {"null_type", VALUE_NULL}, {"type", VALUE_TYPE}};
    for (size_t i = 0; i < COUNT_OF(TYPES); i++) {
        if (str_eq(name, str_of(TYPES[i].name))) {
            return (struct value){.kind = VALUE_TYPE, .as.i = TYPES[i].kind};
        }
    }
    return plain_error();
}

static struct value field(const struct value *map, struct str name)
{
    struct value key = value_str(name);
    const struct value *found = map->kind == VALUE_MAP ? plain_find(map, &key) : NULL;
    return found != NULL ? *found : plain_error();
}

static struct value eval_name(const struct plain *p, const struct tree *tree, const struct plain_scope *scope)
{
    struct str path = path_of(p, tree);
    const struct plain_scope *local = path.len > 0 ? find_local(scope, root_of(path)) : NULL;
    if (local == NULL && path.len > 0) {
        const struct tree *var = find_var(p, path);
        struct value v;
        if (var != NULL) {
            return plain_eval(p, var, NULL);
        }
        if (str_eq(path, STR("now"))) {
            return value_time_ms(p->world->now_ms);
        }
        if (world_is_attribute(path)) {
            return read_attribute(p, path, &v) == 1 ? v : plain_error();
        }
    }
    if (tree->kind == TREE_NAME) {
        return local != NULL ? local->value : type_named(path);
    }
    struct value of = plain_eval(p, tree->args[0], scope);
    return field(&of, tree->name);
}

static struct value eval_has(const struct plain *p, const struct tree *arg, const struct plain_scope *scope)
{
    struct str path = path_of(p, arg);
    struct value v;
    if (path.len > 0 && find_local(scope, root_of(path)) == NULL && world_is_attribute(path)) {
        int is = read_attribute(p, path, &v);
        return is < 0 ? plain_error() : value_bool(is == 1);
    }
    v = plain_eval(p, arg->args[0], scope);
    struct value key = value_str(arg->name);
    return v.kind == VALUE_MAP ? value_bool(plain_find(&v, &key) != NULL) : plain_error();
}

// ---- Operators that are not strict, or need to know what they stand between -------------------------------

static struct value eval_logic(const struct plain *p, const struct tree *tree, const struct plain_scope *scope, bool stop)
{
    struct value a = plain_eval(p, tree->args[0], scope), b = plain_eval(p, tree->args[1], scope);
    bool a_is = a.kind == VALUE_BOOL, b_is = b.kind == VALUE_BOOL;
    if ((a_is && a.as.b == stop) || (b_is && b.as.b == stop)) {
        return value_bool(stop);
    }
    return a_is && b_is ? value_bool(!stop) : plain_error();
}

static bool comparable(const struct value *a, const struct value *b)
{
    return a->kind == b->kind || (is_number(a) && is_number(b));
}

// An attribute compared with something of another type is mistyped; null is a type of its own for values.
static struct value eval_equal(const struct plain *p, const struct tree *tree, const struct plain_scope *scope)
{
    struct value a = plain_eval(p, tree->args[0], scope), b = plain_eval(p, tree->args[1], scope);
    if (is_error(&a) || is_error(&b)) {
        return plain_error();
    }
    bool attribute =
        attribute_of(p, tree->args[0], scope).len > 0 || attribute_of(p, tree->args[1], scope).len > 0;
    bool null = a.kind == VALUE_NULL || b.kind == VALUE_NULL;
    if (attribute && !null && !comparable(&a, &b)) {
        return plain_error();
    }
    return value_bool(plain_equal(&a, &b) == str_eq(tree->name, STR("==")));
}

static struct value in_set(struct str list, const struct value *v)
{
    struct ip ip;
    struct value given = *v;
    for (size_t i = 0; i < WORLD_SETS; i++) {
        if (!str_eq(list, WORLD_SET_NAMES[i])) {
            continue;
        }
        enum cel_set_kind kind = WORLD_SET_KINDS[i];
        if (kind == CEL_SET_CIDR && v->kind == VALUE_STRING) {
            if (!ip_parse(value_text(v), &ip)) {
                return plain_error();
            }
            given = (struct value){.kind = VALUE_IP, .as.ip = &ip};
        }
        bool right = kind == CEL_SET_CIDR  ? given.kind == VALUE_IP
                     : kind == CEL_SET_ASN ? given.kind == VALUE_INT || given.kind == VALUE_UINT
                                           : given.kind == VALUE_STRING;
        enum truth is = right ? world_contains(list, &given) : TRUTH_UNSURE;
        return is == TRUTH_UNSURE ? plain_error() : value_bool(is == TRUTH_YES);
    }
    return plain_error();
}

static struct value eval_in(const struct plain *p, const struct tree *tree, const struct plain_scope *scope)
{
    struct value a = plain_eval(p, tree->args[0], scope);
    struct str path = path_of(p, tree->args[1]);
    if (is_error(&a)) {
        return a;
    }
    if (path.len > 0 && find_local(scope, root_of(path)) == NULL && str_starts(path, STR("lists."))) {
        return in_set(str_sub(path, 6, path.len), &a);
    }
    struct value b = plain_eval(p, tree->args[1], scope);
    if (b.kind != VALUE_LIST && b.kind != VALUE_MAP) {
        return plain_error();
    }
    bool any_like = b.n == 0;
    for (uint32_t i = 0; i < b.n; i++) {
        const struct value *one = b.kind == VALUE_LIST ? &b.as.list[i] : &b.as.map[i].key;
        if (plain_equal(&a, one)) {
            return value_bool(true);
        }
        any_like = any_like || comparable(&a, one);
    }
    return attribute_of(p, tree->args[0], scope).len > 0 && !any_like ? plain_error() : value_bool(false);
}

// ---- Macros ---------------------------------------------------------------------------------------------

struct turn {
    struct plain_scope first, second;
    const struct plain_scope *inner; // what the body sees
};

static void turn(struct turn *turn, const struct tree *tree, const struct value *range, uint32_t i, bool two,
                 const struct plain_scope *scope)
{
    bool map = range->kind == VALUE_MAP;
    struct value elem = map ? range->as.map[i].value : range->as.list[i];
    struct value key = map ? range->as.map[i].key : value_int((int64_t)i);
    turn->first = (struct plain_scope){.outer = scope, .name = tree->args[1]->name, .value = two || map ? key : elem};
    turn->inner = &turn->first;
    if (two) {
        turn->second = (struct plain_scope){.outer = &turn->first, .name = tree->args[2]->name, .value = elem};
        turn->inner = &turn->second;
    }
}

enum macro {
    MACRO_NONE,
    MACRO_ALL,
    MACRO_EXISTS,
    MACRO_ONE,
    MACRO_MAP,
    MACRO_FILTER,
    MACRO_LIST,
    MACRO_ENTRIES
};

static enum macro macro_of(const struct tree *tree)
{
    static const struct {
        const char *name;
        enum macro macro;
        size_t least, most;
    } MACROS[] = {{"all", MACRO_ALL, 3, 4},        {"exists", MACRO_EXISTS, 3, 4},
                  {"exists_one", MACRO_ONE, 3, 4}, {"existsOne", MACRO_ONE, 3, 4},
                  {"map", MACRO_MAP, 3, 4},        {"filter", MACRO_FILTER, 3, 3},
                  {"transformList", MACRO_LIST, 4, 5}, {"transformMap", MACRO_ENTRIES, 4, 5}};
    for (size_t i = 0; tree->member && i < COUNT_OF(MACROS); i++) {
        if (str_eq(tree->name, str_of(MACROS[i].name)) && tree->count >= MACROS[i].least &&
            tree->count <= MACROS[i].most) {
            return MACROS[i].macro;
        }
    }
    return MACRO_NONE;
}

static struct value eval_quantifier(const struct plain *p, const struct tree *tree, const struct value *range,
                                    enum macro macro, const struct plain_scope *scope)
{
    bool two = tree->count == 4, error = false;
    uint32_t yes = 0, no = 0;
    for (uint32_t i = 0; i < range->n; i++) {
        struct turn t;
        turn(&t, tree, range, i, two, scope);
        struct value v = plain_eval(p, tree->args[tree->count - 1], t.inner);
        error = error || v.kind != VALUE_BOOL;
        yes += v.kind == VALUE_BOOL && v.as.b;
        no += v.kind == VALUE_BOOL && !v.as.b;
    }
    if (macro == MACRO_ALL && no > 0) {
        return value_bool(false);
    }
    if (macro == MACRO_EXISTS && yes > 0) {
        return value_bool(true);
    }
    if (error) {
        return plain_error();
    }
    return value_bool(macro == MACRO_ALL || (macro == MACRO_ONE && yes == 1));
}

static struct value eval_transform(const struct plain *p, const struct tree *tree, const struct value *range,
                                   enum macro macro, const struct plain_scope *scope)
{
    bool two = macro >= MACRO_LIST;
    size_t body = two ? 3 : 2;
    bool filtered = macro == MACRO_FILTER || tree->count == body + 2;
    struct value *list = ARENA_ARRAY(p->arena, struct value, range->n + 1);
    struct value_entry *entries = ARENA_ARRAY(p->arena, struct value_entry, range->n + 1);
    uint32_t n = 0;
    for (uint32_t i = 0; i < range->n; i++) {
        struct turn t;
        turn(&t, tree, range, i, two, scope);
        struct value keep = filtered ? plain_eval(p, tree->args[body], t.inner) : value_bool(true);
        if (keep.kind != VALUE_BOOL) {
            return plain_error();
        }
        if (!keep.as.b) {
            continue;
        }
        struct value v = macro == MACRO_FILTER ? t.first.value : plain_eval(p, tree->args[tree->count - 1], t.inner);
        if (is_error(&v)) {
            return v;
        }
        entries[n] = (struct value_entry){t.first.value, v};
        list[n++] = v;
    }
    return macro == MACRO_ENTRIES ? (struct value){.kind = VALUE_MAP, .n = n, .as.map = entries}
                                  : (struct value){.kind = VALUE_LIST, .n = n, .as.list = list};
}

static struct value eval_macro(const struct plain *p, const struct tree *tree, enum macro macro,
                               const struct plain_scope *scope)
{
    struct value range = plain_eval(p, tree->args[0], scope);
    if (range.kind != VALUE_LIST && range.kind != VALUE_MAP) {
        return plain_error();
    }
    return (macro <= MACRO_ONE ? eval_quantifier : eval_transform)(p, tree, &range, macro, scope);
}

// An error that is bound is one only where the name is used.
static struct value eval_bind(const struct plain *p, const struct tree *tree, const struct plain_scope *scope)
{
    struct plain_scope inner = {.outer = scope,
                                .name = tree->args[1]->name,
                                .value = plain_eval(p, tree->args[2], scope),
                                .means = tree->args[2],
                                .means_in = scope};
    return plain_eval(p, tree->args[3], &inner);
}

// ---- Trees ----------------------------------------------------------------------------------------------

static struct value eval_list(const struct plain *p, const struct tree *tree, const struct plain_scope *scope)
{
    struct value *list = ARENA_ARRAY(p->arena, struct value, tree->count + 1);
    for (size_t i = 0; i < tree->count; i++) {
        list[i] = plain_eval(p, tree->args[i], scope);
        if (is_error(&list[i])) {
            return list[i];
        }
    }
    return (struct value){.kind = VALUE_LIST, .n = (uint32_t)tree->count, .as.list = list};
}

static struct value eval_map(const struct plain *p, const struct tree *tree, const struct plain_scope *scope)
{
    struct value_entry *entries = ARENA_ARRAY(p->arena, struct value_entry, tree->count / 2 + 1);
    struct value map = {.kind = VALUE_MAP, .as.map = entries};
    for (size_t i = 0; i + 1 < tree->count; i += 2) {
        struct value key = plain_eval(p, tree->args[i], scope), v = plain_eval(p, tree->args[i + 1], scope);
        bool good = key.kind == VALUE_STRING || key.kind == VALUE_INT || key.kind == VALUE_UINT || key.kind == VALUE_BOOL;
        if (!good || is_error(&v) || plain_find(&map, &key) != NULL) {
            return plain_error();
        }
        entries[map.n++] = (struct value_entry){key, v};
    }
    return map;
}

static struct value eval_strict(const struct plain *p, const struct tree *tree, const struct plain_scope *scope)
{
    struct value args[8];
    for (size_t i = 0; i < tree->count && i < COUNT_OF(args); i++) {
        args[i] = plain_eval(p, tree->args[i], scope);
        if (is_error(&args[i])) {
            return args[i];
        }
    }
    return tree->count > COUNT_OF(args) ? plain_error() : plain_call(p, tree, args, tree->count);
}

// `math.abs(x)`: a function whose name has two parts, where no variable of a macro is called like the first.
static bool is_spaced(const struct tree *tree, const struct plain_scope *scope)
{
    static const char *const SPACES[] = {"math", "strings", "base64"};
    bool is = false;
    for (size_t i = 0; i < COUNT_OF(SPACES); i++) {
        is = is || str_eq(tree->args[0]->name, str_of(SPACES[i]));
    }
    return is && tree->args[0]->kind == TREE_NAME && find_local(scope, tree->args[0]->name) == NULL;
}

static struct value eval_spaced(const struct plain *p, const struct tree *tree, const struct plain_scope *scope)
{
    struct str name = arena_printf(p->arena, STR_FMT "." STR_FMT, STR_ARG(tree->args[0]->name), STR_ARG(tree->name));
    struct value args[8], out;
    for (size_t i = 1; i < tree->count && i <= COUNT_OF(args); i++) {
        args[i - 1] = plain_eval(p, tree->args[i], scope);
        if (is_error(&args[i - 1])) {
            return plain_error();
        }
    }
    return plain_text(p, name, args, tree->count - 1, &out) ? out : plain_math(name, args, tree->count - 1);
}

static struct value eval_call(const struct plain *p, const struct tree *tree, const struct plain_scope *scope)
{
    struct str name = tree->name;
    enum macro macro = macro_of(tree);
    if (macro != MACRO_NONE) {
        return eval_macro(p, tree, macro, scope);
    }
    if (tree->member && is_spaced(tree, scope)) {
        return eval_spaced(p, tree, scope);
    }
    if (tree->member) {
        bool bind = str_eq(name, STR("bind")) && tree->count == 4;
        return bind ? eval_bind(p, tree, scope) : eval_strict(p, tree, scope);
    }
    if (str_eq(name, STR("has"))) {
        return eval_has(p, tree->args[0], scope);
    }
    if (str_eq(name, STR("&&")) || str_eq(name, STR("||"))) {
        return eval_logic(p, tree, scope, str_eq(name, STR("||")));
    }
    if (str_eq(name, STR("?:"))) {
        struct value test = plain_eval(p, tree->args[0], scope);
        return test.kind != VALUE_BOOL ? plain_error() : plain_eval(p, tree->args[test.as.b ? 1 : 2], scope);
    }
    if (str_eq(name, STR("==")) || str_eq(name, STR("!="))) {
        return eval_equal(p, tree, scope);
    }
    return str_eq(name, STR("in")) ? eval_in(p, tree, scope) : eval_strict(p, tree, scope);
}

struct value plain_eval(const struct plain *p, const struct tree *tree, const struct plain_scope *scope)
{
    switch (tree->kind) {
    case TREE_LIT:
        return tree->lit;
    case TREE_NAME:
    case TREE_FIELD:
        return eval_name(p, tree, scope);
    case TREE_CALL:
        return eval_call(p, tree, scope);
    case TREE_LIST:
        return eval_list(p, tree, scope);
    case TREE_MAP:
        return eval_map(p, tree, scope);
    }
    return plain_error();
}
