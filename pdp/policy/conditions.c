// SPDX-License-Identifier: Apache-2.0
// What was read is noted node by node, in the order of the documents.
#include "policy/build.h"

#include <string.h>

const char *policy_owner_word(enum policy_owner owner)
{
    static const char *const WORDS[] = {
#define X(name, word) word,
        POLICY_OWNER_LIST(X)
#undef X
    };
    return owner < POLICY_OWNER_COUNT ? WORDS[owner] : "condition";
}

void conditions_of(struct build *build, enum policy_owner owner, struct str name, struct str policy)
{
    build->conditions.owner = owner;
    build->conditions.name = name;
    build->conditions.policy = policy;
    build->conditions.parent = UINT32_MAX;
}

// UINT32_MAX: nothing is kept, or memory is out (and noted).
static uint32_t add(struct build *build, struct policy_condition condition)
{
    struct build_conditions *all = &build->conditions;
    if (!build->names->conditions) {
        return UINT32_MAX;
    }
    if (all->count == all->cap) {
        size_t cap = all->cap == 0 ? 64 : all->cap * 2;
        struct policy_condition *list = build_array(build, cap, sizeof *list);
        if (list == NULL) {
            return UINT32_MAX;
        }
        if (all->count > 0) {
            memcpy(list, all->list, all->count * sizeof *list);
        }
        all->list = list;
        all->cap = cap;
    }
    condition.owner = all->owner;
    condition.name = all->name;
    condition.policy = all->policy;
    all->list[all->count] = condition;
    return (uint32_t)all->count++;
}

uint32_t conditions_open(struct build *build, enum cel_part_op op, struct str text, struct place place)
{
    uint32_t outer = build->conditions.parent;
    uint32_t own =
        add(build, (struct policy_condition){.op = op,
                                             .expr = SET_NO_EXPR,
                                             .parent = outer,
                                             .truth = true,
                                             .text = build->names->conditions ? build_copy(build, text)
                                                                              : (struct str){0},
                                             .place = place});
    build->conditions.parent = own != UINT32_MAX ? own : outer;
    return own;
}

void conditions_close(struct build *build, uint32_t own, uint32_t expr)
{
    if (own != UINT32_MAX) {
        build->conditions.list[own].expr = expr;
        build->conditions.parent = build->conditions.list[own].parent;
    }
}

// A part of an expression, as an expression of its own. What the whole passed, its parts pass, unless it is
// no bool.
struct part_text {
    struct str text;
    struct conf_places *places; // of the whole
    uint32_t at;
};

static struct place locate(void *user, uint32_t at, uint32_t len)
{
    const struct part_text *part = user;
    return conf_places_at(part->places, part->at + at, len);
}

static uint32_t compile(struct build *build, struct part_text *part, const struct build_vars *vars)
{
    uint32_t expr = SET_NO_EXPR;
    struct cel_text text = {part->text, locate, part};
    enum pdp_err err = cel_add(build->program, &text, CEL_BOOL, vars->list, vars->count, 0, NULL, &expr);
    if (err == PDP_ERR_NOMEM || err == PDP_ERR_LIMIT) {
        build_note(build, err);
    }
    return expr;
}

void conditions_expr(struct build *build, struct str text, struct conf_places *places, uint32_t whole,
                     const struct build_vars *vars)
{
    struct cel_part *parts = NULL;
    size_t count = 0;
    if (!build->names->conditions || whole == SET_NO_EXPR ||
        cel_parts(text, build->arena, &parts, &count) != PDP_ERR_OK) {
        return;
    }
    uint32_t first = (uint32_t)build->conditions.count;
    for (size_t i = 0; i < count; i++) {
        struct part_text part = {str_sub(text, parts[i].at, parts[i].len), places, parts[i].at};
        bool inner = parts[i].parent != UINT32_MAX;
        bool may_be_none = build->conditions.values || build->conditions.owner == POLICY_OWNER_VARIABLE;
        bool known = !inner && !may_be_none; // it passed as a truth already
        uint32_t expr = known ? whole : compile(build, &part, vars);
        (void)add(build, (struct policy_condition){
                             .op = parts[i].op,
                             .expr = expr != SET_NO_EXPR ? expr : whole,
                             .parent = inner ? first + parts[i].parent : build->conditions.parent,
                             .truth = expr != SET_NO_EXPR && !build->conditions.values,
                             .text = build_copy(build, part.text),
                             .place = conf_places_at(places, parts[i].at, parts[i].len),
                         });
    }
}

enum pdp_err policy_conditions_add(struct policy_set *set, struct cel_program *program,
                                   enum policy_owner owner, struct str name, const struct conf_node *node)
{
    static const struct policy_names KEPT = {.conditions = true};
    static const struct build_vars NONE = {NULL, 0};
    AUTO(conf_places_free) struct conf_places *places = NULL;
    TRY(conf_places_new(node, &places));
    struct build build = {.set = set,
                          .names = &KEPT,
                          .program = program,
                          .arena = set->arena,
                          .conditions = {.list = set->conditions,
                                         .count = set->condition_count,
                                         .cap = set->condition_cap}};
    conditions_of(&build, owner, build_copy(&build, name), STR(""));
    struct part_text whole = {node->text, places, 0};
    conditions_expr(&build, node->text, places, compile(&build, &whole, &NONE), &NONE);
    set->conditions = build.conditions.list;
    set->condition_count = build.conditions.count;
    set->condition_cap = build.conditions.cap;
    return build.first;
}

const struct policy_condition *policy_conditions(const struct policy_set *set, size_t *count)
{
    *count = set->condition_count;
    return set->conditions;
}
