// SPDX-License-Identifier: Apache-2.0
// L15: comparisons with texts that no path is, or has where they are looked for.
#include "lint/inner.h"

#include "model/path.h"

enum {
    EFFORT = 200
};

#define HINT \
    "a path begins with `/`, and holds no empty segment, no `.` or `..`, no query and no second spelling%s"

// What a text would have to be to be a path; NULL: it is one, or nothing can be said.
static const char *no_path(struct lint *l, struct str text, struct str *canonical)
{
    const char *why = NULL;
    enum pdp_err err = path_canonical(text, &l->arena, canonical, &why);
    if (err == PDP_ERR_NOMEM) {
        l->err = err;
        return NULL;
    }
    return err != PDP_ERR_OK ? why : str_eq(*canonical, text) ? NULL : "it is written in another way";
}

static bool say_path(struct lint *l, struct place place, struct str text, uint32_t rule, bool others)
{
    struct str canonical = {0};
    const char *why = no_path(l, text, &canonical);
    if (why == NULL) {
        return false;
    }
    struct lint_finding *found =
        lint_add(l, LINT_PATH, place,
                 others ? "no path of a route is `" STR_FMT "`: %s" : "no path is `" STR_FMT "`: %s",
                 STR_ARG(lint_shown(l, text)), why);
    found->rule = rule;
    const char *others_hint = others ? "; where only other resources are meant, ask `resource.type` too" : "";
    if (canonical.len > 0) {
        lint_hint(l, found, "paths are compared as `" STR_FMT "`%s", STR_ARG(lint_shown(l, canonical)),
                  others_hint);
    } else {
        lint_hint(l, found, HINT, others_hint);
    }
    return true;
}

static bool is_path_slot(const struct lint *l, uint32_t slot)
{
    return str_eq(l->program->slots[slot].info.path, STR("resource.path"));
}

// ---- Parts of a path ----------------------------------------------------------------------------------

enum part {
    PART_START,
    PART_WITHIN,
    PART_END,
    PART_COUNT
};
static const char *const SAYS[PART_COUNT] = {"no path starts with", "no path contains", "no path ends with"};

// It may end within an escape, of which nothing is known then.
static bool ends_within_escape(struct str text)
{
    return (text.len > 0 && text.at[text.len - 1] == '%') || (text.len > 1 && text.at[text.len - 2] == '%');
}

// Why no path has the text there; NULL: one has, or it cannot be told. It is tried with letters around it,
// which go with all else that may stand there.
static const char *no_part(struct lint *l, struct str text, enum part part)
{
    struct str canonical = {0};
    bool open = part != PART_END;
    if (text.len == 0 || (open && ends_within_escape(text))) {
        return NULL;
    }
    struct str whole = arena_printf(&l->arena, "%s" STR_FMT "%s", part == PART_START ? "" : "/x",
                                    STR_ARG(text), open ? "x" : "");
    if (whole.at == NULL) {
        l->err = PDP_ERR_NOMEM;
        return NULL;
    }
    return no_path(l, whole, &canonical);
}

static void say_part(struct lint *l, size_t at, struct str text, enum part part)
{
    const char *why = no_part(l, text, part);
    if (why == NULL) {
        return;
    }
    struct lint_finding *found = lint_add(l, LINT_PATH, l->conditions[at].place, "%s `" STR_FMT "`: %s",
                                          SAYS[part], STR_ARG(lint_shown(l, text)), why);
    lint_hint(l, found, HINT, "");
    l->dead[at] = true;
}

static const struct node *path_node(const struct lint *l, uint32_t id)
{
    const struct node *node = &l->program->nodes[id];
    return node->op == OP_SLOT && is_path_slot(l, node->a) ? node : NULL;
}

static void look_at_call(struct lint *l, size_t at, const struct node *node)
{
    static const struct {
        enum func_id func;
        enum part part;
    } PARTS[] = {{F_STARTS, PART_START}, {F_CONTAINS, PART_WITHIN}, {F_ENDS, PART_END}};
    const uint32_t *args = &l->program->args[node->a];
    const struct node *text = node->b == 2 ? &l->program->nodes[args[1]] : NULL;
    bool is = text != NULL && text->op == OP_CONST && l->program->consts[text->a].kind == VALUE_STRING &&
              l->program->consts[text->a].n > 0 && path_node(l, args[0]) != NULL;
    for (size_t i = 0; is && i < COUNT_OF(PARTS); i++) {
        if (node->c == PARTS[i].func) {
            say_part(l, at, value_text(&l->program->consts[text->a]), PARTS[i].part);
        }
    }
}

// What every match of a pattern must hold.
static void look_at_match(struct lint *l, size_t at, const struct node *node)
{
    if (path_node(l, node->a) == NULL) {
        return;
    }
    const struct regex_gate *gate = regex_gate_of(l->program->regexes[node->b]);
    const struct str texts[PART_COUNT] = {gate->prefix, gate->part, gate->suffix};
    for (int part = 0; part < PART_COUNT && !l->dead[at]; part++) {
        say_part(l, at, texts[part], (enum part)part);
    }
}

// ---- Where they are compared --------------------------------------------------------------------------

static void look_at(struct lint *l, size_t at)
{
    const struct policy_condition *part = &l->conditions[at];
    const struct node *node = &l->program->nodes[part->expr];
    const struct value *value =
        node->op == OP_EQ_TEXT || node->op == OP_IN_TEXTS ? &l->program->consts[node->b] : NULL;
    if (node->op == OP_EQ_TEXT && is_path_slot(l, node->a)) {
        l->dead[at] = say_path(l, part->place, value_text(value), LINT_NONE, false);
    } else if (node->op == OP_CALL) {
        look_at_call(l, at, node);
    } else if (node->op == OP_MATCH) {
        look_at_match(l, at, node);
    }
    if (node->op != OP_IN_TEXTS || path_node(l, node->a) == NULL) {
        return;
    }
    for (uint32_t i = 0; i < value->n && !l->dead[at]; i++) {
        l->dead[at] = say_path(l, part->place, value_text(&value->as.list[i]), LINT_NONE, false);
    }
}

// Can the rule decide about a route (`is`), or about something else?
static bool decides(struct lint *l, const struct set_rule *rule, bool is)
{
    static const struct str ROUTE = {"route", 5};
    uint32_t slot = 0;
    while (slot < l->program->slot_count &&
           !str_eq(l->program->slots[slot].info.path, STR("resource.type"))) {
        slot++;
    }
    if (slot == l->program->slot_count) {
        return true;
    }
    struct reason_mark mark = reason_mark(l->reason);
    reason_assume(l->reason, l->set->policies[rule->policy].target, MAY_YES);
    reason_assume(l->reason, rule->when, MAY_YES);
    reason_text(l->reason, slot, &ROUTE, is);
    bool refuted = reason_refuted(l->reason, EFFORT);
    reason_undo(l->reason, mark);
    return !refuted;
}

// Ids of what is no route may be any text: beside those a pattern counts that looks like a path, or has
// segments that it leaves open, as only those of paths do by themselves; and only where the rule can decide
// about routes too.
static void look_at_resources(struct lint *l, uint32_t number)
{
    const struct set_rule *rule = &l->set->rules[number];
    const struct conf_node *list = conf_get(l->rules[number].rule, "resources");
    bool listed = list != NULL && rule->resource_count > 0;
    bool others = listed && decides(l, rule, false);
    bool routes = listed && (!others || decides(l, rule, true));
    for (uint32_t i = 0; routes && i < rule->resource_count; i++) {
        const struct glob *glob = &rule->resources[i];
        const struct conf_node *node = list->kind == CONF_LIST && i < list->count ? list->items[i] : list;
        struct str fixed = str_sub(glob->text, 0, glob->fixed);
        bool open = fixed.len < glob->text.len && str_find(fixed, STR("://"), 0) == SIZE_MAX;
        bool looks = !others || open || (fixed.len > 0 && fixed.at[0] == '/');
        if (looks && (fixed.len == glob->text.len || fixed.len > 1)) {
            (void)say_path(l, node->place, fixed, number, others);
        }
    }
}

void find_paths(struct lint *l)
{
    for (size_t i = 0; i < l->condition_count; i++) {
        const struct policy_condition *part = &l->conditions[i];
        if (part->op == CEL_PART_ATOM && part->expr < l->program->node_count && !l->dead[i]) {
            look_at(l, i);
        }
    }
    for (uint32_t i = 0; i < l->set->rule_count; i++) {
        if (l->rules[i].rule != NULL) {
            look_at_resources(l, i);
        }
    }
}
