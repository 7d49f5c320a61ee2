// SPDX-License-Identifier: Apache-2.0
// Conditions as they stand in documents, to expressions of the program.
#include "policy/build.h"

uint32_t when_expr(struct build *build, const struct conf_node *node, enum cel_type want,
                   const struct build_vars *vars)
{
    if (node->kind != CONF_SCALAR || node->text.len == 0) {
        build_fail(build, PDP_ERR_TYPE, node->place, NULL, "a condition must be an expression");
        return SET_NO_EXPR;
    }
    uint32_t expr = SET_NO_EXPR;
    AUTO(conf_places_free) struct conf_places *places = NULL;
    enum pdp_err err = conf_places_new(node, &places);
    if (err == PDP_ERR_OK) {
        struct cel_text text = {node->text, conf_places_at, places};
        err = cel_add(build->program, &text, want, vars->list, vars->count, 0, build->diags, &expr);
        conditions_expr(build, node->text, places, expr, vars);
    }
    build_note(build, err);
    return expr;
}

uint64_t when_bound(struct build *build, uint32_t expr, uint64_t before, struct place place, const char *what,
                    struct str name)
{
    uint64_t steps = 0;
    if (expr == SET_NO_EXPR) {
        return 0;
    }
    AUTO(buf_fini) struct buf whole = {0};
    buf_printf(&whole, "%s `" STR_FMT "`", what, STR_ARG(name));
    build_note(build,
               cel_bound_check(build->program, expr, before, place, buf_view(&whole), build->diags, &steps));
    return steps;
}

static uint32_t join(struct build *build, bool every, const uint32_t *exprs, size_t count)
{
    uint32_t expr = SET_NO_EXPR;
    for (size_t i = 0; i < count; i++) {
        if (exprs[i] == SET_NO_EXPR) { // reported already
            return SET_NO_EXPR;
        }
    }
    build_note(build, cel_join(build->program, every, exprs, count, &expr));
    return expr;
}

static uint32_t read_items(struct build *build, const struct conf_node *node, bool every,
                           const struct build_vars *vars)
{
    if (node->kind != CONF_LIST) {
        return when_read(build, node, vars);
    }
    if (node->count == 0) {
        build_fail(build, PDP_ERR_MISSING, node->place, NULL, "a list of conditions is empty");
        return SET_NO_EXPR;
    }
    uint32_t *exprs = build_array(build, node->count, sizeof(*exprs));
    if (exprs == NULL) {
        return SET_NO_EXPR;
    }
    for (size_t i = 0; i < node->count; i++) {
        exprs[i] = when_read(build, node->items[i], vars);
    }
    return join(build, every, exprs, node->count);
}

static uint32_t read_all(struct build *build, const struct conf_node *node, const struct build_vars *vars)
{
    return read_items(build, node, true, vars);
}

static uint32_t read_any(struct build *build, const struct conf_node *node, const struct build_vars *vars)
{
    return read_items(build, node, false, vars);
}

static uint32_t read_not(struct build *build, const struct conf_node *node, const struct build_vars *vars)
{
    if (node->kind == CONF_LIST) {
        build_fail(build, PDP_ERR_TYPE, node->place, "write `not: {all: […]}` or `not: {any: […]}`",
                   "`not` takes one condition, not a list");
        return SET_NO_EXPR;
    }
    uint32_t inner = when_read(build, node, vars);
    uint32_t expr = SET_NO_EXPR;
    if (inner != SET_NO_EXPR) {
        build_note(build, cel_negate(build->program, inner, &expr));
    }
    return expr;
}

static const struct {
    struct str name;
    enum cel_part_op op;
    uint32_t (*read)(struct build *build, const struct conf_node *node, const struct build_vars *vars);
} FORMS[] = {
    {{"all", 3}, CEL_PART_ALL, read_all},
    {{"any", 3}, CEL_PART_ANY, read_any},
    {{"not", 3}, CEL_PART_NOT, read_not},
};

static uint32_t read_form(struct build *build, const struct conf_entry *entry, const struct build_vars *vars)
{
    for (size_t i = 0; i < COUNT_OF(FORMS); i++) {
        if (str_eq(entry->key->text, FORMS[i].name)) {
            uint32_t own = conditions_open(build, FORMS[i].op, FORMS[i].name, entry->key->place);
            uint32_t expr = FORMS[i].read(build, entry->value, vars);
            conditions_close(build, own, expr);
            return expr;
        }
    }
    build_fail(build, PDP_ERR_UNKNOWN, entry->key->place,
               "its keys are `all`, `any` and `not`; an expression that starts with `{` must be in quotes",
               "a condition has no key `" STR_FMT "`", STR_ARG(build_shown(build, entry->key->text)));
    return SET_NO_EXPR;
}

uint32_t when_read(struct build *build, const struct conf_node *node, const struct build_vars *vars)
{
    uint32_t exprs[COUNT_OF(FORMS)];
    if (node->kind == CONF_LIST) {
        uint32_t own = conditions_open(build, CEL_PART_ALL, STR("all"), node->place);
        uint32_t every = read_items(build, node, true, vars);
        conditions_close(build, own, every);
        return every;
    }
    if (node->kind != CONF_MAP) {
        return when_expr(build, node, CEL_BOOL, vars);
    }
    if (node->count == 0) {
        build_fail(build, PDP_ERR_MISSING, node->place, NULL, "a condition is empty");
        return SET_NO_EXPR;
    }
    size_t count = 0;
    bool unknown = false;
    uint32_t own = UINT32_MAX;
    if (node->count > 1) {
        own = conditions_open(build, CEL_PART_ALL, STR("all"), node->place);
    }
    for (size_t i = 0; i < node->count; i++) {
        uint32_t expr = read_form(build, &node->entries[i], vars);
        unknown = unknown || expr == SET_NO_EXPR;
        if (count < COUNT_OF(exprs)) { // keys are unique, so more are unknown ones
            exprs[count++] = expr;
        }
    }
    uint32_t expr = unknown ? SET_NO_EXPR : count == 1 ? exprs[0] : join(build, true, exprs, count);
    conditions_close(build, own, expr);
    return expr;
}

static bool is_identifier(struct str s)
{
    for (size_t i = 0; i < s.len; i++) {
        char c = s.at[i];
        bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
        if (!letter && !(i > 0 && c >= '0' && c <= '9')) {
            return false;
        }
    }
    return s.len > 0 && s.len <= 128;
}

// Why a variable of the same map is not there, where the mistake reported last is that it is not.
static void hint_var(struct build *build, const struct conf_node *map, size_t at, size_t before)
{
    const struct diags *diags = build->diags;
    for (size_t i = 0; diags->count > before && i < map->count; i++) {
        AUTO(buf_fini) struct buf missing = {0};
        struct str name = map->entries[i].key->text;
        buf_printf(&missing, "there is no variable `vars." STR_FMT "`", STR_ARG(name));
        if (!str_eq(diags->list[diags->count - 1].message, buf_view(&missing))) {
            continue;
        }
        if (i == at) {
            diag_hint(build->diags, "a variable cannot read itself");
        } else if (i > at) {
            diag_hint(build->diags, "a variable reads those above it, and `" STR_FMT "` stands below",
                      STR_ARG(name));
        } else {
            diag_hint(build->diags, "`" STR_FMT "` was refused above", STR_ARG(name));
        }
        return;
    }
}

void when_vars(struct build *build, const struct conf_node *map, struct build_vars *vars)
{
    struct cel_var *grown = build_array(build, vars->count + map->count, sizeof(*grown));
    if (grown == NULL) {
        return;
    }
    for (size_t i = 0; i < vars->count; i++) {
        grown[i] = vars->list[i];
    }
    vars->list = grown;
    for (size_t i = 0; i < map->count; i++) {
        const struct conf_node *key = map->entries[i].key;
        if (!is_identifier(key->text)) {
            build_fail(build, PDP_ERR_SYNTAX, key->place, "conditions read it as `vars.NAME`",
                       "a variable's name holds letters, digits and `_`, and starts with no digit");
            continue;
        }
        if (table_get(&build->shared_names, key->text) != NULL) {
            build_fail(build, PDP_ERR_DUPLICATE, key->place, "give this one another name",
                       "Definitions share a variable `" STR_FMT "`", STR_ARG(key->text));
            continue;
        }
        conditions_of(build, POLICY_OWNER_VARIABLE, build_copy(build, key->text), build->conditions.policy);
        size_t before = build->diags->count;
        uint32_t expr = when_expr(build, map->entries[i].value, CEL_DYN, vars);
        hint_var(build, map, i, before);
        (void)when_bound(build, expr, 0, map->entries[i].value->place, "the variable", key->text);
        if (expr != SET_NO_EXPR) {
            grown[vars->count++] = (struct cel_var){build_copy(build, key->text), expr};
        }
    }
}
