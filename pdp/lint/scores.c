// SPDX-License-Identifier: Apache-2.0
// Comparisons that no score, level or hard evidence settles otherwise, by what the risk model can come to;
// and comparisons with texts that are no path.
#include "lint/inner.h"

#include "model/path.h"
#include "risk/model.h"

enum {
    EFFORT = 200
};

static bool impossible(struct reason *reason, uint32_t expr, unsigned may)
{
    struct reason_mark mark = reason_mark(reason);
    reason_assume(reason, expr, may);
    bool refuted = reason_refuted(reason, EFFORT);
    reason_undo(reason, mark);
    return refuted;
}

static void say_score(struct lint *l, size_t at, bool never)
{
    const struct policy_condition *part = &l->conditions[at];
    struct lint_finding *found =
        lint_add(l, LINT_SCORE, part->place,
                 "`" STR_FMT "` is never %s: all signals of the risk model come to a score of %.1f at most",
                 STR_ARG(lint_shown(l, part->text)), never ? "true" : "false", model_most(l->in->risk));
    lint_hint(l, found,
              "compare with less, or let the risk model see more: name more signals, or raise a `cap`");
    l->dead[at] = true;
}

void find_scores(struct lint *l)
{
    for (size_t i = 0; l->scored != NULL && i < l->condition_count; i++) {
        const struct policy_condition *part = &l->conditions[i];
        if (part->op != CEL_PART_ATOM || !part->truth || !lint_reads(l, part->expr, "risk")) {
            continue;
        }
        bool never_yes = impossible(l->scored, part->expr, MAY_YES),
             never_no = impossible(l->scored, part->expr, MAY_NO);
        if (never_yes && !impossible(l->reason, part->expr, MAY_YES)) {
            say_score(l, i, true);
        } else if (never_no && !impossible(l->reason, part->expr, MAY_NO)) {
            say_score(l, i, false);
        }
    }
}

// ---- Paths --------------------------------------------------------------------------------------------

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
        lint_hint(l, found,
                  "a path begins with `/`, and holds no empty segment, no `.` or `..`, no query and no "
                  "second spelling%s",
                  others_hint);
    }
    return true;
}

static bool is_path_slot(const struct lint *l, uint32_t slot)
{
    return str_eq(l->program->slots[slot].info.path, STR("resource.path"));
}

static void look_at(struct lint *l, size_t at)
{
    const struct policy_condition *part = &l->conditions[at];
    const struct node *node = &l->program->nodes[part->expr];
    const struct value *value =
        node->op == OP_EQ_TEXT || node->op == OP_IN_TEXTS ? &l->program->consts[node->b] : NULL;
    if (node->op == OP_EQ_TEXT && is_path_slot(l, node->a)) {
        l->dead[at] = say_path(l, part->place, value_text(value), LINT_NONE, false);
    }
    if (node->op != OP_IN_TEXTS || l->program->nodes[node->a].op != OP_SLOT ||
        !is_path_slot(l, l->program->nodes[node->a].a)) {
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

// Ids of what is no route may be any text: beside those a pattern counts that looks like a path, and only
// where the rule can decide about routes too.
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
        bool looks = !others || (fixed.len > 0 && fixed.at[0] == '/');
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
