// SPDX-License-Identifier: Apache-2.0
// Findings about documents beside policies: what nobody uses, strengths that nobody proves, exceptions
// without end.
#include "lint/inner.h"

#include "base/num.h"
#include "base/time.h"

enum {
    EFFORT = 300
};

// ---- L09: never used ----------------------------------------------------------------------------------

static bool is_name(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

// Names that may be spoken of, as `vars.NAME`, and which are.
struct used {
    struct lint *l;
    struct table names;
    bool *is; // by the number of a name
};

static void note(struct used *used, struct str name)
{
    const uint32_t *number = table_get(&used->names, name);
    if (number != NULL) {
        used->is[*number] = true;
    }
}

static void want(struct used *used, const char *root, struct str name)
{
    struct str whole = arena_printf(&used->l->arena, "%s" STR_FMT, root, STR_ARG(name));
    uint32_t old = 0;
    if (whole.at != NULL) {
        (void)table_put(&used->names, whole, (uint32_t)used->names.count, &old);
    }
}

// Every `root.name` in a text, whole: more than is read at worst, as where it stands in quotes.
static void note_names(struct used *used, struct str text, struct str root)
{
    for (size_t at = str_find(text, root, 0); at != SIZE_MAX; at = str_find(text, root, at + 1)) {
        size_t end = at + root.len;
        while (end < text.len && is_name(text.at[end])) {
            end++;
        }
        if (at == 0 || !is_name(text.at[at - 1])) {
            note(used, str_sub(text, at, end - at));
        }
    }
}

static void note_strengths(struct used *used, struct str text)
{
    static const struct str CALL = {"strength(", 9};
    for (size_t at = str_find(text, CALL, 0); at != SIZE_MAX; at = str_find(text, CALL, at + 1)) {
        size_t from = at + CALL.len + 1, end = from;
        while (end < text.len && text.at[end] != '"' && text.at[end] != '\'') {
            end++;
        }
        note(used, str_sub(text, from, end - from));
    }
}

static void walk(struct used *used, const struct conf_node *node, bool whole)
{
    if (node->kind == CONF_SCALAR) {
        if (str_find_byte(node->text, '.', 0) < node->text.len) {
            note_names(used, node->text, STR("lists."));
            note_names(used, node->text, STR("vars."));
            note_names(used, node->text, STR("counters."));
        }
        if (str_find_byte(node->text, '(', 0) < node->text.len) {
            note_strengths(used, node->text);
        }
        if (whole && node->text.len > 0) {
            note(used, node->text); // a strength stands alone, in `require`
        }
    }
    for (size_t i = 0; node->kind == CONF_LIST && i < node->count; i++) {
        walk(used, node->items[i], whole);
    }
    for (size_t i = 0; node->kind == CONF_MAP && i < node->count; i++) {
        walk(used, node->entries[i].value, whole);
    }
}

static bool speaks(const struct conf_doc *doc)
{
    return !lint_is_kind(doc, "List") && !lint_is_kind(doc, "Schema");
}

static bool is_used(const struct used *used, const char *root, struct str name)
{
    struct str whole = arena_printf(&used->l->arena, "%s" STR_FMT, root, STR_ARG(name));
    const uint32_t *number = whole.at != NULL ? table_get(&used->names, whole) : NULL;
    return number == NULL || used->is[*number];
}

static bool used_init(struct used *used, struct lint *l, size_t most)
{
    *used = (struct used){.l = l, .is = lint_array(l, most, sizeof *used->is)};
    l->err = l->err == PDP_ERR_OK ? table_init(&used->names, most, l->set->seed, &l->arena) : l->err;
    return l->err == PDP_ERR_OK;
}

static void say_unused(struct lint *l, struct place place, const char *what, struct str name)
{
    struct lint_finding *found =
        lint_add(l, LINT_UNUSED, place, "%s `" STR_FMT "` is never used", what, STR_ARG(lint_shown(l, name)));
    lint_hint(l, found, "take it out, or use it: what nobody reads is kept up to date for nothing");
}

static bool list_serves(const struct lint *l, struct str name)
{
    for (size_t i = 0; l->in->lists != NULL && i < l->in->names->set_count && i < l->in->lists->count; i++) {
        const struct lists_set *list = l->in->lists->at[i];
        if (list != NULL && str_eq(l->in->names->sets[i].name, name)) {
            return list->head.network != NULL || list->head.ordered;
        }
    }
    return false;
}

static const struct conf_node *variables_of(const struct conf_doc *doc)
{
    const struct conf_node *variables = conf_get(doc->root, "variables");
    return variables != NULL && variables->kind == CONF_MAP ? variables : NULL;
}

static void want_variables(struct used *used, const struct conf_node *variables)
{
    for (size_t i = 0; variables != NULL && i < variables->count; i++) {
        want(used, "vars.", variables->entries[i].key->text);
    }
}

static void unused_variables(struct used *used, const struct conf_node *variables)
{
    for (size_t i = 0; variables != NULL && i < variables->count; i++) {
        const struct conf_node *name = variables->entries[i].key;
        if (!is_used(used, "vars.", name->text)) {
            say_unused(used->l, name->place, "variable", name->text);
        }
    }
}

// Those of a policy are read in it alone.
static void unused_in_policy(struct lint *l, const struct conf_doc *doc)
{
    const struct conf_node *variables = variables_of(doc);
    struct used own;
    if (variables != NULL && used_init(&own, l, variables->count)) {
        want_variables(&own, variables);
        walk(&own, doc->root, false);
        unused_variables(&own, variables);
    }
}

// The weakest is what somebody has who has proved nothing else: it need not be required.
static void unused_strengths(struct used *used, const struct conf_doc *doc)
{
    const struct conf_node *levels = conf_get(doc->root, "levels");
    for (size_t i = 1; levels != NULL && levels->kind == CONF_LIST && i < levels->count; i++) {
        const struct conf_node *name = conf_get(levels->items[i], "name");
        if (name != NULL && !is_used(used, "", name->text)) {
            say_unused(used->l, name->place, "strength", name->text);
        }
    }
}

// All that every document may speak of.
static bool want_all(struct used *used, struct lint *l)
{
    size_t most = l->in->names->set_count + l->in->names->strength_count + l->in->names->counter_count;
    for (size_t i = 0; i < l->doc_count; i++) {
        const struct conf_node *shared =
            lint_is_kind(&l->docs[i], "Definitions") ? variables_of(&l->docs[i]) : NULL;
        most += shared != NULL ? shared->count : 0;
    }
    if (!used_init(used, l, most)) {
        return false;
    }
    for (size_t i = 0; i < l->in->names->set_count; i++) {
        want(used, "lists.", l->in->names->sets[i].name);
    }
    for (size_t i = 0; i < l->in->names->strength_count; i++) {
        want(used, "", l->in->names->strengths[i]);
    }
    for (size_t i = 0; i < l->in->names->counter_count; i++) {
        want(used, "counters.", l->in->names->counters[i]);
    }
    for (size_t i = 0; i < l->doc_count; i++) {
        want_variables(used, lint_is_kind(&l->docs[i], "Definitions") ? variables_of(&l->docs[i]) : NULL);
    }
    return true;
}

static void tell_unused(struct used *used, const struct conf_doc *doc)
{
    struct lint *l = used->l;
    struct str name = lint_doc_name(doc);
    struct place place = lint_doc_place(doc->root, "");
    if (lint_is_kind(doc, "List") && !is_used(used, "lists.", name) && !list_serves(l, name)) {
        say_unused(l, place, "list", name);
    } else if (lint_is_kind(doc, "Counter") && !is_used(used, "counters.", name)) {
        say_unused(l, place, "counter", name);
    } else if (lint_is_kind(doc, "Strengths")) {
        unused_strengths(used, doc);
    } else if (lint_is_kind(doc, "Definitions")) {
        unused_variables(used, variables_of(doc));
    } else if (lint_is_kind(doc, "Policy")) {
        unused_in_policy(l, doc);
    }
}

void find_unused(struct lint *l)
{
    struct used used;
    if (!want_all(&used, l)) {
        return;
    }
    for (size_t i = 0; i < l->doc_count; i++) {
        const struct conf_doc *doc = &l->docs[i];
        bool names = lint_is_kind(doc, "Strengths") || lint_is_kind(doc, "RiskModel");
        if (speaks(doc)) {
            walk(&used, doc->root, !names);
        }
    }
    for (size_t i = 0; i < l->doc_count; i++) {
        tell_unused(&used, &l->docs[i]);
    }
}

// ---- L10: step-ups in vain ----------------------------------------------------------------------------

static bool never_proved(struct lint *l, uint32_t strength)
{
    for (uint32_t i = strength; i < l->set->strength_count; i++) { // a stronger one proves it too
        struct reason_mark mark = reason_mark(l->reason);
        reason_assume(l->reason, l->set->strengths[i].proves, MAY_YES);
        bool never = reason_refuted(l->reason, EFFORT);
        reason_undo(l->reason, mark);
        if (!never) {
            return false;
        }
    }
    return true;
}

// Is whoever it holds for a service, which is never asked?
static bool only_services(struct lint *l, uint32_t rule)
{
    static const struct str SERVICE = {"service", 7};
    uint32_t slot = 0;
    while (slot < l->program->slot_count && !str_eq(l->program->slots[slot].info.path, STR("subject.type"))) {
        slot++;
    }
    if (slot == l->program->slot_count) {
        return false;
    }
    struct reason_mark mark = reason_mark(l->reason);
    lint_assume_rule(l, l->reason, rule, MAY_YES);
    reason_text(l->reason, slot, &SERVICE, false);
    bool only = reason_refuted(l->reason, EFFORT);
    reason_undo(l->reason, mark);
    mark = reason_mark(l->reason);
    lint_assume_rule(l, l->reason, rule, MAY_YES);
    only = only && !reason_refuted(l->reason, EFFORT); // it can hold at all
    reason_undo(l->reason, mark);
    return only;
}

void find_step_ups(struct lint *l)
{
    for (uint32_t i = 0; i < l->set->rule_count; i++) {
        const struct set_rule *rule = &l->set->rules[i];
        if (rule->effect != PDP_EFFECT_STEP_UP || l->rules[i].rule == NULL ||
            rule->strength >= l->set->strength_count) {
            continue;
        }
        const struct set_strength *strength = &l->set->strengths[rule->strength];
        struct place place = lint_rule_place(l, i, "require");
        struct lint_finding *found = NULL;
        if (never_proved(l, rule->strength)) {
            found =
                lint_add(l, LINT_STEP_UP, place,
                         "nobody can prove `" STR_FMT "`: what it and all stronger ones take is never true",
                         STR_ARG(strength->name));
            lint_hint(l, found, "correct `proves` of the Strengths");
        } else if (strength->acr_count == 0) {
            found = lint_add(l, LINT_STEP_UP, place,
                             "`" STR_FMT "` says nothing to ask for: the answer has no `acr_values`",
                             STR_ARG(strength->name));
            lint_hint(l, found,
                      "give the strength `ask: {acr_values: [...]}`, so that a gateway knows what to send "
                      "the user to");
        } else if (only_services(l, i)) {
            found = lint_add(l, LINT_STEP_UP, place,
                             "rule `" STR_FMT "` holds for services alone, which are denied instead of asked",
                             STR_ARG(rule->name));
            lint_hint(l, found, "make it a deny, or leave services out by `subject.type != \"service\"`");
        }
        if (found != NULL) {
            found->rule = i;
        }
    }
}

// ---- L13: exceptions without end ----------------------------------------------------------------------

static const int64_t YEAR_MS = INT64_C(366) * 24 * 3600 * 1000;

static const struct set_exception *exception_of(const struct lint *l, struct str name)
{
    for (uint32_t i = 0; i < l->set->exception_count; i++) {
        if (str_eq(l->set->exceptions[i].name, name)) {
            return &l->set->exceptions[i];
        }
    }
    return NULL;
}

static bool lifts_all(const struct conf_node *lifts)
{
    if (lifts != NULL && lifts->kind == CONF_SCALAR) {
        return str_eq(lifts->text, STR("*"));
    }
    for (size_t i = 0; lifts != NULL && lifts->kind == CONF_LIST && i < lifts->count; i++) {
        if (str_eq(lifts->items[i]->text, STR("*"))) {
            return true;
        }
    }
    return false;
}

void find_endless(struct lint *l)
{
    for (size_t i = 0; i < l->doc_count; i++) {
        const struct conf_node *root = l->docs[i].root, *lifts = conf_get(root, "lifts");
        struct str name = lint_doc_name(&l->docs[i]);
        const struct set_exception *exception =
            lint_is_kind(&l->docs[i], "Exception") ? exception_of(l, name) : NULL;
        if (exception != NULL && exception->expires_ms > num_add_sat(l->in->now_ms, YEAR_MS)) {
            struct lint_finding *found =
                lint_add(l, LINT_ENDLESS, lint_doc_place(root, "expires"),
                         "exception `" STR_FMT "` expires in more than a year", STR_ARG(lint_shown(l, name)));
            lint_hint(l, found, "let it end sooner, and be renewed by whoever still needs it");
        }
        if (exception != NULL && lifts_all(lifts)) {
            struct lint_finding *found = lint_add(
                l, LINT_ENDLESS, lint_doc_place(root, "lifts"),
                "exception `" STR_FMT "` lifts every restriction, also those that are written after it",
                STR_ARG(lint_shown(l, name)));
            lint_hint(l, found, "name the rules that it is about");
        }
    }
}

// ---- L17: expired -------------------------------------------------------------------------------------

static void say_expired(struct lint *l, struct place place, const char *what, struct str name, uint32_t rule)
{
    struct lint_finding *found =
        lint_add(l, LINT_EXPIRED, place, "%s `" STR_FMT "` has expired, and does nothing any more", what,
                 STR_ARG(lint_shown(l, name)));
    found->rule = rule;
    lint_hint(l, found, "take it out, or give it another end");
}

void find_expired(struct lint *l)
{
    for (uint32_t i = 0; i < l->set->rule_count; i++) {
        const struct set_rule *rule = &l->set->rules[i];
        if (rule->timed && rule->expires_ms <= l->in->now_ms && l->rules[i].rule != NULL) {
            say_expired(l, lint_rule_place(l, i, "expires"), "rule", rule->name, i);
        }
    }
    for (size_t i = 0; i < l->doc_count; i++) {
        struct str name = lint_doc_name(&l->docs[i]);
        const struct set_exception *exception =
            lint_is_kind(&l->docs[i], "Exception") ? exception_of(l, name) : NULL;
        if (exception != NULL && exception->expires_ms <= l->in->now_ms) {
            say_expired(l, lint_doc_place(l->docs[i].root, "expires"), "exception", name, LINT_NONE);
        }
    }
}
