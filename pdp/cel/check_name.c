// SPDX-License-Identifier: Apache-2.0
// What names mean: variables in scope, attributes, lists, vars, types.
#include "cel/check.h"

enum {
    PARTS_MAX = 32
};

struct chain { // `a.b.c`
    struct str parts[PARTS_MAX];
    size_t count;
    const struct ast *ident; // its first part
    struct str path;
};

// The chain of names that ends in `ast`; false where it is no such chain.
static bool chain_of(struct checker *c, const struct ast *ast, struct chain *chain)
{
    const struct ast *at = ast;
    size_t count = 1;
    for (; at->kind == AST_SELECT; at = at->args[0], count++) {
        if ((at->flags & AST_OPTIONAL) != 0 || (at != ast && (at->flags & AST_TEST) != 0)) {
            return false;
        }
    }
    if (at->kind != AST_IDENT || count > PARTS_MAX) {
        return false;
    }
    chain->count = count;
    chain->ident = at;
    size_t len = count - 1;
    for (at = ast; count-- > 0; at = at->kind == AST_SELECT ? at->args[0] : at) {
        chain->parts[count] = at->name;
        len += at->name.len;
    }
    char *path = arena_alloc(c->unit->arena, len + 1, 1);
    if (path == NULL) {
        return false;
    }
    size_t to = 0;
    for (size_t i = 0; i < chain->count; i++) {
        memcpy(path + to, chain->parts[i].at, chain->parts[i].len);
        to += chain->parts[i].len;
        path[to++] = '.';
    }
    chain->path = (struct str){path, len};
    return true;
}

static int find_local(const struct checker *c, const struct ast *ident)
{
    if ((ident->flags & AST_ROOTED) != 0) {
        return -1;
    }
    for (uint32_t i = c->scope_count; i-- > 0;) {
        if (str_eq(c->scope[i].name, ident->name)) {
            return (int)i;
        }
    }
    return -1;
}

static const struct type *wrong(void)
{
    return types_of(T_ERROR);
}

static bool hint_near(struct checker *c, struct str name, const struct str *names, size_t count,
                      const char *prefix)
{
    bool wanted = c->unit->diags != NULL && diag_wants_hint(c->unit->diags);
    int near = wanted ? str_nearest(name, names, count) : -1;
    if (near >= 0) {
        unit_hint(c->unit, "did you mean `%s" STR_FMT "`?", prefix, STR_ARG(names[near]));
    }
    return near >= 0;
}

static bool risk_is_closed(const struct checker *c)
{
    return (c->names->flags & CEL_NO_RISK) != 0 || c->p->env->no_risk;
}

static const struct type *no_risk(struct checker *c, const struct ast *ast)
{
    unit_error(c->unit, PDP_ERR_REFUSED, ast->at, ast->len,
               ast->ref_kind == REF_EXPR ? "`%s` reads `risk`, which may not be read here"
                                         : "`%s` may not be read here",
               say_ast(c, ast));
    return wrong();
}

// The type of an expression that was added before.
static const struct type *type_of_node(const struct cel_program *p, uint32_t node)
{
    enum value_kind kind = (enum value_kind)p->nodes[node].kind;
    for (int t = T_NULL; t < T_LIST; t++) {
        if (kind != VALUE_ERROR && types_value_kind(types_of((enum type_kind)t)) == kind) {
            return types_of((enum type_kind)t);
        }
    }
    return types_of(T_DYN);
}

static const struct type *named_var(struct checker *c, struct ast *ast, const struct chain *chain)
{
    const struct check_names *names = c->names;
    struct str known[128];
    size_t count = names->var_count < COUNT_OF(known) ? names->var_count : COUNT_OF(known);
    for (size_t i = 0; i < names->var_count; i++) {
        if (str_eq(names->vars[i].name, chain->parts[1])) {
            ast->ref_kind = REF_EXPR;
            ast->ref = names->vars[i].expr;
            if (risk_is_closed(c) && cel_reads(c->p, ast->ref, STR("risk"))) {
                return no_risk(c, ast);
            }
            return type_of_node(c->p, ast->ref);
        }
        if (i < count) {
            known[i] = names->vars[i].name;
        }
    }
    unit_error(c->unit, PDP_ERR_UNKNOWN, ast->at, ast->len, "there is no variable `%s`", say_ast(c, ast));
    (void)hint_near(c, chain->parts[1], known, count, "vars.");
    return wrong();
}

static const struct type *named_set(struct checker *c, struct ast *ast, const struct chain *chain)
{
    const struct cel_env *env = c->p->env;
    uint64_t at = 0;
    if (map_get(&c->p->set_map, chain->parts[1], &at)) {
        struct type *type = ARENA_NEW(c->unit->arena, struct type);
        if (type == NULL) {
            return types_of(T_SET);
        }
        ast->ref_kind = REF_SET;
        ast->ref = (uint32_t)at;
        *type = (struct type){.kind = T_SET, .id = env->sets[at].kind};
        return type;
    }
    unit_error(c->unit, PDP_ERR_UNKNOWN, ast->at, ast->len, "there is no list `%s`", say_ast(c, ast));
    struct str known[128];
    size_t count = env->set_count < COUNT_OF(known) ? env->set_count : COUNT_OF(known);
    for (size_t i = 0; i < count; i++) {
        known[i] = env->sets[i].name;
    }
    (void)hint_near(c, chain->parts[1], known, count, "lists.");
    if (count == 0) {
        unit_hint(c->unit, "no List document was read");
    }
    return wrong();
}

static const struct type *use_slot(struct checker *c, struct ast *ast, uint32_t slot)
{
    ast->ref_kind = REF_SLOT;
    ast->ref = slot;
    return c->p->slots[slot].type;
}

// The names of declared attributes under a root, for hints.
static size_t attrs_of(const struct checker *c, struct str root, struct str *names, size_t most)
{
    const struct cel_env *env = c->p->env;
    size_t count = 0;
    for (size_t i = 0; i < env->attr_count && count < most; i++) {
        struct str path = env->attrs[i].path;
        if (path.len > root.len && path.at[root.len] == '.' && str_starts(path, root)) {
            names[count++] = path;
        }
    }
    return count;
}

static const struct type *unknown_field(struct checker *c, const struct ast *ast, const struct chain *chain)
{
    size_t most = c->p->env->attr_count;
    struct str *known = ARENA_ARRAY(c->unit->arena, struct str, most + 1);
    size_t count = known != NULL ? attrs_of(c, chain->parts[0], known, most) : 0;
    if (chain->count == 1) {
        unit_error(c->unit, PDP_ERR_UNKNOWN, ast->at, ast->len, "`%s` has no value of its own",
                   say_ast(c, ast));
        if (count > 0) {
            unit_hint(c->unit, "name one of its fields, such as `" STR_FMT "`", STR_ARG(known[0]));
        }
        return wrong();
    }
    struct str whole = chain->path;
    unit_error(c->unit, PDP_ERR_UNKNOWN, chain->ident->at, ast->name_at + ast->name_len - chain->ident->at,
               "there is no attribute `%s`", unit_quote_str(c->unit, whole));
    for (size_t i = 0; i < count; i++) {
        if (known[i].len > whole.len && known[i].at[whole.len] == '.' && str_starts(known[i], whole)) {
            unit_hint(c->unit, "name one of its fields, such as `" STR_FMT "`", STR_ARG(known[i]));
            return wrong();
        }
    }
    (void)hint_near(c, whole, known, count, "");
    return wrong();
}

static bool hint_here(struct checker *c, const char *ours)
{
    unit_hint(c->unit, "here it is `%s`", ours);
    return true;
}

// The field that is selected of a name, empty where there is none.
static struct str field_behind(const struct checker *c, const struct ast *ident)
{
    struct str text = c->unit->text->text;
    size_t from = ident->at + ident->len + 1, to = from;
    if (from >= text.len || text.at[from - 1] != '.') {
        return (struct str){NULL, 0};
    }
    while (to < text.len && ((text.at[to] >= 'a' && text.at[to] <= 'z') || text.at[to] == '_')) {
        to++;
    }
    return str_sub(text, from, to - from);
}

// What other languages call what is here.
static bool hint_foreign(struct checker *c, const struct ast *ident)
{
    static const struct {
        const char *theirs, *field, *ours; // field NULL: whatever is selected, or nothing
    } FOREIGN[] = {
        {"principal", NULL, "subject"},
        {"user", NULL, "subject"},
        {"request", "path", "resource.path"},
        {"request", "url", "resource.path"},
        {"request", "method", "action.name"},
        {"request", "ip", "network.ip"},
        {"request", "time", "now"},
        {"yes", NULL, "true"},
        {"on", NULL, "true"},
        {"True", NULL, "true"},
        {"no", NULL, "false"},
        {"off", NULL, "false"},
        {"False", NULL, "false"},
    };
    struct str field = field_behind(c, ident);
    for (size_t i = 0; i < COUNT_OF(FOREIGN); i++) {
        if (str_eq(ident->name, str_of(FOREIGN[i].theirs)) &&
            (FOREIGN[i].field == NULL || str_eq(field, str_of(FOREIGN[i].field)))) {
            return hint_here(c, FOREIGN[i].ours);
        }
    }
    if (str_eq(ident->name, STR("request")) || str_eq(ident->name, STR("input"))) {
        unit_hint(c->unit, "a question is `subject`, `action`, `resource` and `context`");
        return true;
    }
    return false;
}

// A level or a strength that stands without its maker beside one.
static bool hint_ordered(struct checker *c, struct str name)
{
    const struct cel_env *env = c->p->env;
    const struct type *type = c->beside != NULL ? c->beside->type : NULL;
    bool level = type != NULL && type->kind == T_LEVEL;
    bool strength = type != NULL && type->kind == T_STRENGTH;
    const struct str *names = level ? env->levels : env->strengths;
    size_t count = level ? env->level_count : strength ? env->strength_count : 0;
    if (count > 0) {
        int near = str_nearest(name, names, count);
        unit_hint(c->unit, "compare with %s(\"" STR_FMT "\")", level ? "level" : "strength",
                  STR_ARG(names[near >= 0 ? (size_t)near : count - 1]));
    }
    return count > 0;
}

static bool may_be_text(const struct ast *ast)
{
    if (ast->kind == AST_LIT || ast->kind == AST_LIST) {
        return false; // the other side is written out: this one is meant to be asked
    }
    return ast->type == NULL || ast->type->kind == T_STRING || ast->type->kind == T_DYN;
}

// A name that is known, but not by itself: of a variable, of a list, or what other languages call it.
static bool hint_root(struct checker *c, const struct ast *ident)
{
    struct str name = ident->name;
    uint64_t at = 0;
    for (size_t i = 0; i < c->names->var_count; i++) {
        if (str_eq(c->names->vars[i].name, name)) {
            unit_hint(c->unit, "did you mean `vars." STR_FMT "`?", STR_ARG(name));
            return true;
        }
    }
    if (map_get(&c->p->set_map, name, &at)) {
        unit_hint(c->unit, "did you mean `lists." STR_FMT "`?", STR_ARG(name));
        return true;
    }
    return hint_foreign(c, ident) || hint_ordered(c, name);
}

static const struct type *unknown_root(struct checker *c, const struct ast *ident)
{
    const struct cel_env *env = c->p->env;
    struct str known[96];
    size_t count = 0;
    known[count++] = STR("vars");
    known[count++] = STR("lists");
    known[count++] = STR("now");
    for (uint32_t i = 0; i < c->scope_count && count < COUNT_OF(known); i++) {
        known[count++] = c->scope[i].name;
    }
    for (size_t i = 0; i < env->root_count && count < COUNT_OF(known); i++) {
        known[count++] = env->roots[i].name;
    }
    for (size_t i = 0; i < env->attr_count && count < COUNT_OF(known); i++) {
        struct str path = env->attrs[i].path;
        if (str_find_byte(path, '.', 0) == path.len) {
            known[count++] = path;
        }
    }
    unit_error(c->unit, PDP_ERR_UNKNOWN, ident->at, ident->len, "there is no attribute `%s`",
               say_ast(c, ident));
    bool hinted = hint_root(c, ident) || hint_near(c, ident->name, known, count, "");
    if (!hinted && c->beside != NULL && may_be_text(c->beside)) {
        unit_hint(c->unit, "a text stands in quotes: `\"" STR_FMT "\"`", STR_ARG(ident->name));
    }
    return wrong();
}

static const struct {
    const char *name;
    uint8_t kind, value;
} TYPE_NAMES[] = {
    {"bool", T_BOOL, VALUE_BOOL},
    {"int", T_INT, VALUE_INT},
    {"uint", T_UINT, VALUE_UINT},
    {"double", T_DOUBLE, VALUE_DOUBLE},
    {"string", T_STRING, VALUE_STRING},
    {"bytes", T_BYTES, VALUE_BYTES},
    {"null_type", T_NULL, VALUE_NULL},
    {"list", T_LIST, VALUE_LIST},
    {"map", T_MAP, VALUE_MAP},
    {"type", T_TYPE, VALUE_TYPE},
    {"optional_type", T_OPAQUE, VALUE_OPTIONAL},
    {"google.protobuf.Timestamp", T_TIMESTAMP, VALUE_TIMESTAMP},
    {"google.protobuf.Duration", T_DURATION, VALUE_DURATION},
    {"net.IP", T_IP, VALUE_IP},
    {"net.CIDR", T_CIDR, VALUE_CIDR},
};

static const struct type *named_type(struct checker *c, struct ast *ast, struct str path)
{
    for (size_t i = 0; i < COUNT_OF(TYPE_NAMES); i++) {
        if (str_eq(path, str_of(TYPE_NAMES[i].name))) {
            ast->ref_kind = REF_TYPE;
            ast->ref = TYPE_NAMES[i].value;
            return types_type(c->unit->arena, types_of((enum type_kind)TYPE_NAMES[i].kind));
        }
    }
    return NULL;
}

// Names of policies: attributes, roots, `vars.x`, `lists.x`, `now`.
static const struct type *policy_name(struct checker *c, struct ast *ast, const struct chain *chain)
{
    struct str root = chain->parts[0];
    bool vars = str_eq(root, STR("vars")), lists = str_eq(root, STR("lists"));
    if (vars || lists) {
        if (chain->count == 1) {
            return unknown_field(c, ast, chain);
        }
        return chain->count > 2 ? NULL : (vars ? named_var : named_set)(c, ast, chain);
    }
    if (chain->count == 1 && str_eq(root, STR("now"))) {
        ast->ref_kind = REF_NOW;
        return types_of(T_TIMESTAMP);
    }
    if (risk_is_closed(c) && str_eq(root, STR("risk"))) {
        return no_risk(c, ast);
    }
    uint32_t slot = 0;
    enum pdp_err err = program_path(c->p, chain->path, &slot);
    if (err == PDP_ERR_OK) {
        check_doubt_field(c, ast, &c->p->slots[slot]);
        return use_slot(c, ast, slot);
    }
    if (err == PDP_ERR_NOMEM) {
        c->unify.failed = true;
    }
    uint64_t declared = 0;
    if (err == PDP_ERR_UNKNOWN && map_get(&c->p->root_map, root, &declared)) {
        return unknown_field(c, ast, chain);
    }
    return NULL; // PDP_ERR_TYPE: a field of something that is declared and has none
}

// Names of the conformance tests: variables with dots in their names, looked up through containers.
static const struct type *suite_name(struct checker *c, struct ast *ast, const struct chain *chain)
{
    struct str container = c->p->extra->container;
    if ((chain->ident->flags & AST_ROOTED) != 0) {
        container.len = 0;
    }
    for (;;) {
        struct str path = chain->path;
        if (container.len > 0) {
            path =
                arena_printf(c->unit->arena, STR_FMT "." STR_FMT, STR_ARG(container), STR_ARG(chain->path));
        }
        uint64_t at = 0;
        uint32_t slot = 0;
        const struct type *type = NULL;
        if (map_get(&c->p->attr_map, path, &at) && program_path(c->p, path, &slot) == PDP_ERR_OK) {
            return use_slot(c, ast, slot);
        }
        if ((type = named_type(c, ast, path)) != NULL) {
            return type;
        }
        if (container.len == 0) {
            return NULL;
        }
        size_t dot = container.len;
        while (dot > 0 && container.at[dot - 1] != '.') {
            dot--;
        }
        container.len = dot > 0 ? dot - 1 : 0;
    }
}

static bool tests_nothing(struct checker *c, struct ast *ast)
{
    if ((ast->flags & AST_TEST) == 0 || ast->ref_kind == REF_SLOT) {
        return false;
    }
    unit_error(c->unit, PDP_ERR_TYPE, ast->at, ast->len, "has() takes a field, such as has(subject.email)");
    return true;
}

bool check_name(struct checker *c, struct ast *ast, const struct type **type)
{
    struct chain chain;
    *type = wrong();
    if (!chain_of(c, ast, &chain)) {
        return false;
    }
    int local = find_local(c, chain.ident);
    if (local >= 0) {
        if (ast->kind != AST_IDENT) {
            return false;
        }
        ast->ref_kind = REF_LOCAL;
        ast->ref = (uint32_t)local;
        *type = c->scope[local].type;
        return true;
    }
    bool suite = c->p->extra != NULL;
    if (suite && (ast->flags & AST_TEST) != 0) {
        return false;
    }
    const struct type *found = (suite ? suite_name : policy_name)(c, ast, &chain);
    if (found == NULL && !suite && chain.ident->name.at[0] != '@') {
        found = named_type(c, ast, chain.path);
    }
    if (found != NULL) {
        *type = found->kind != T_ERROR && tests_nothing(c, ast) ? wrong() : found;
        return true;
    }
    if (ast->kind != AST_IDENT) {
        return false;
    }
    if (c->untyped) {
        ast->ref_kind = REF_UNBOUND;
        *type = types_of(T_DYN);
    } else {
        *type = unknown_root(c, ast);
    }
    return true;
}
