// SPDX-License-Identifier: Apache-2.0
// Exception documents. They lift rules that restrict, and no others: none ever allows anything.
#include "policy/build.h"
#include "policy/shapes.h"

struct document {
    struct build_head head;
    struct conf_texts lifts;
    const struct conf_node *when, *require, *obligations;
    int64_t expires_ms;
};

static const struct conf_field DOCUMENT[] = {
    BUILD_HEAD_FIELDS,
    {"lifts", CONF_TEXTS, true, offsetof(struct document, lifts), NULL, 0, 0,
     "rules as POLICY/RULE, or * for all"},
    {"when", CONF_ANY, false, offsetof(struct document, when), NULL, 0, 0, "an expression, or all, any, not"},
    {"require", CONF_MAPPING, false, offsetof(struct document, require), NULL, 0, 0, "strength, max_age"},
    {"expires", CONF_TIME, true, offsetof(struct document, expires_ms), NULL, 0, 0,
     "from it on nothing is lifted"},
    {"obligations", CONF_SEQUENCE, false, offsetof(struct document, obligations), NULL, 0, 0,
     "what the gateway must do besides"},
};

static const struct conf_nest SHAPE_EXCEPTION_NESTS[] = {
    {"metadata", CONF_FORM_MAP, &SHAPE_METADATA},
    {"when", CONF_FORM_WHEN, NULL},
    {"require", CONF_FORM_MAP, &SHAPE_REQUIRE},
    {"obligations", CONF_FORM_LIST, &SHAPE_OBLIGATION},
};
const struct conf_shape SHAPE_EXCEPTION = {
    "Exception", DOCUMENT, COUNT_OF(DOCUMENT), SHAPE_EXCEPTION_NESTS, COUNT_OF(SHAPE_EXCEPTION_NESTS),
    NULL,        0};

void exceptions_reserve(struct build *build, size_t count)
{
    build->set->exceptions = build_array(build, count, sizeof(*build->set->exceptions));
    build->lifted = build_array(build, count, sizeof(*build->lifted));
}

// All rules by name, made for the first exception: those are read after all policies.
static bool name_rules(struct build *build)
{
    struct policy_set *set = build->set;
    if (build->rule_names.cap > 0) {
        return true;
    }
    enum pdp_err err = table_init(&build->rule_names, set->rule_count, set->seed, build->arena);
    build_note(build, err);
    for (uint32_t i = 0; err == PDP_ERR_OK && i < set->rule_count; i++) {
        uint32_t old = 0;
        (void)table_put(&build->rule_names, set->rules[i].name, i, &old);
    }
    return err == PDP_ERR_OK;
}

// The rule whose name is nearest; -1: none. Only the first mistakes are worth a walk over all rules.
static int nearest_rule(struct build *build, struct str name)
{
    enum {
        WORTH = 20
    };
    const struct policy_set *set = build->set;
    if (build->near_names == NULL) {
        build->near_names = build_array(build, set->rule_count, sizeof(*build->near_names));
        for (uint32_t i = 0; build->near_names != NULL && i < set->rule_count; i++) {
            if (!set->rules[i].closing) {
                build->near_names[build->near_count++] = set->rules[i].name;
            }
        }
    }
    return build->near_asked++ < WORTH ? str_nearest(name, build->near_names, build->near_count) : -1;
}

static void refuse_unknown(struct build *build, const struct conf_node *node)
{
    build_fail(build, PDP_ERR_UNKNOWN, node->place, NULL, "no rule is called `" STR_FMT "`",
               STR_ARG(build_shown(build, node->text)));
    int near = nearest_rule(build, node->text);
    if (near >= 0) {
        diag_hint(build->diags, "did you mean `" STR_FMT "`?", STR_ARG(build->near_names[near]));
    } else {
        diag_hint(build->diags, "a rule is named as `POLICY/RULE`; `*` names all that restrict");
    }
}

// Why a rule cannot be lifted; NULL: it can.
static const char *why_not(const struct set_rule *rule)
{
    if (rule->closing) {
        return "is how its policy combines, and cannot be lifted";
    }
    if (rule->effect == PDP_EFFECT_ALLOW) {
        return "allows: an exception lifts restrictions only";
    }
    return rule->never_lifted ? "is marked `exceptions: never`" : NULL;
}

// `*` below a scope: every restriction of the policies below it. Returns how many; `to` may be NULL.
static uint32_t list_below(const struct policy_set *set, uint32_t scope, uint32_t *to)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < set->rule_count; i++) {
        const struct set_rule *rule = &set->rules[i];
        if (why_not(rule) == NULL && scope_holds(set, scope, set->policies[rule->policy].scope)) {
            if (to != NULL) {
                to[count] = i;
            }
            count++;
        }
    }
    return count;
}

static void read_lifted(struct build *build, const struct conf_node *node, uint32_t scope,
                        struct build_lifted *lifted)
{
    const struct policy_set *set = build->set;
    if (str_eq(node->text, STR("*"))) {
        if (scope != SET_NO_SCOPE && !lifted->all) {
            lifted->count += list_below(set, scope, &lifted->rules[lifted->count]);
        }
        lifted->all = true;
        return;
    }
    const uint32_t *rule = table_get(&build->rule_names, node->text);
    if (rule == NULL) {
        refuse_unknown(build, node);
        return;
    }
    if (scope != SET_NO_SCOPE && !scope_holds(set, scope, set->policies[set->rules[*rule].policy].scope)) {
        build_fail(build, PDP_ERR_REFUSED, node->place, NULL,
                   "`" STR_FMT "` is not below the Scope `" STR_FMT "`, which this exception is below",
                   STR_ARG(node->text), STR_ARG(set->scopes[scope].name));
        scope_hint(build, scope, "");
        return;
    }
    const char *why = why_not(&build->set->rules[*rule]);
    if (why != NULL) {
        build_fail(build, PDP_ERR_REFUSED, node->place, NULL, "`" STR_FMT "` %s", STR_ARG(node->text), why);
        return;
    }
    lifted->rules[lifted->count++] = *rule;
}

static bool names_all(const struct document *document)
{
    for (size_t i = 0; i < document->lifts.count; i++) {
        if (str_eq(document->lifts.nodes[i]->text, STR("*"))) {
            return true;
        }
    }
    return false;
}

static void read_lifts(struct build *build, const struct conf_doc *doc, const struct document *document,
                       struct build_lifted *lifted)
{
    const struct conf_node *node = conf_get(doc->root, "lifts");
    if (node != NULL && node->kind == CONF_LIST && node->count == 0) {
        build_fail(build, PDP_ERR_MISSING, node->place, "`*` names all rules that restrict",
                   "`lifts` is empty");
    }
    uint32_t scope = scope_of(build, doc);
    size_t most = document->lifts.count;
    if (scope != SET_NO_SCOPE && names_all(document)) {
        most += list_below(build->set, scope, NULL);
    }
    lifted->rules = build_array(build, most, sizeof(*lifted->rules));
    for (size_t i = 0; lifted->rules != NULL && name_rules(build) && i < document->lifts.count; i++) {
        read_lifted(build, document->lifts.nodes[i], scope, lifted);
    }
    lifted->all = lifted->all && scope == SET_NO_SCOPE; // else they are listed
}

void read_exception(struct build *build, const struct conf_doc *doc)
{
    struct policy_set *set = build->set;
    struct document document = {0};
    build_note(build, conf_read(doc->root, DOCUMENT, COUNT_OF(DOCUMENT), "Exception", &document, build->arena,
                                build->diags));
    uint32_t number = set->exception_count++;
    struct set_exception *out = &set->exceptions[number];
    *out = (struct set_exception){.name = build_copy(build, build_doc_name(doc)),
                                  .when = SET_NO_EXPR,
                                  .expires_ms = document.expires_ms};
    read_lifts(build, doc, &document, &build->lifted[number]);
    if (document.when != NULL && document.when->kind == CONF_NULL) {
        build_fail(build, PDP_ERR_MISSING, build_key_place(doc->root, "when"),
                   "leave `when` out where nothing is asked", "`when` is empty");
    } else if (document.when != NULL) {
        conditions_of(build, POLICY_OWNER_EXCEPTION, out->name, STR(""));
        out->when = when_read(build, document.when, &build->shared);
    }
    out->when = scope_join(build, scope_of(build, doc), out->when);
    struct place place = document.when != NULL ? document.when->place : build_key_place(doc->root, "kind");
    (void)when_bound(build, out->when, 0, place, "the exception", out->name);
    if (document.require != NULL) {
        out->has_require = true;
        require_read(build, document.require, &out->strength, &out->max_age_s);
    }
    if (document.obligations != NULL) {
        obligations_read(build, document.obligations, &out->obligations, &out->obligation_count);
    }
}

// ---- By rule ----------------------------------------------------------------------------------------

static void close_all(struct build *build)
{
    struct policy_set *set = build->set;
    uint32_t *all = build_array(build, set->exception_count, sizeof(*all));
    set->lift_all.at = all;
    for (uint32_t i = 0; all != NULL && i < set->exception_count; i++) {
        if (build->lifted[i].all) {
            all[set->lift_all.count++] = i;
        }
    }
}

void exceptions_close(struct build *build)
{
    struct policy_set *set = build->set;
    size_t total = 0;
    if (set->exception_count == 0 || build->first != PDP_ERR_OK) {
        return;
    }
    close_all(build);
    set->lifts = build_array(build, set->rule_count, sizeof(*set->lifts));
    for (uint32_t i = 0; i < set->exception_count; i++) {
        total += build->lifted[i].count;
    }
    uint32_t *numbers = build_array(build, total, sizeof(*numbers));
    if (set->lifts == NULL || numbers == NULL) {
        return;
    }
    // Counted, laid out, filled.
    for (uint32_t i = 0; i < set->exception_count; i++) {
        for (uint32_t k = 0; k < build->lifted[i].count; k++) {
            set->lifts[build->lifted[i].rules[k]].count++;
        }
    }
    uint32_t *at = numbers;
    for (uint32_t rule = 0; rule < set->rule_count; rule++) {
        set->lifts[rule].at = at;
        at += set->lifts[rule].count;
        set->lifts[rule].count = 0;
    }
    for (uint32_t i = 0; i < set->exception_count; i++) {
        for (uint32_t k = 0; k < build->lifted[i].count; k++) {
            struct set_numbers *lifts = &set->lifts[build->lifted[i].rules[k]];
            numbers[(size_t)(lifts->at - numbers) + lifts->count++] = i;
        }
    }
}
