// SPDX-License-Identifier: Apache-2.0
// Policy documents: target, variables, rules.
#include "policy/build.h"
#include "policy/shapes.h"

struct document {
    struct build_head head;
    const struct conf_node *target, *variables, *rules, *rollout;
    int combine;
    bool shadow;
};

static const char *const ALGORITHMS[] = {
    [COMBINE_MOST_RESTRICTIVE] = "most-restrictive",
    [COMBINE_FIRST_MATCH] = "first-match",
    [COMBINE_DENY_UNLESS_ALLOW] = "deny-unless-allow",
    NULL,
};

static const struct conf_field DOCUMENT[] = {
    BUILD_HEAD_FIELDS,
    {"target", CONF_ANY, false, offsetof(struct document, target), NULL, 0, 0, "whom and what it is about"},
    {"combine", CONF_CHOICE, false, offsetof(struct document, combine), ALGORITHMS, 0, 0,
     "how its rules combine"},
    {"variables", CONF_MAPPING, false, offsetof(struct document, variables), NULL, 0, 0,
     "expressions that conditions read as vars.NAME"},
    {"shadow", CONF_BOOL, false, offsetof(struct document, shadow), NULL, 0, 0,
     "true: judged beside, enforced on nobody"},
    {"rollout", CONF_MAPPING, false, offsetof(struct document, rollout), NULL, 0, 0,
     "enforced on a share: percent, by, rest"},
    {"rules", CONF_SEQUENCE, true, offsetof(struct document, rules), NULL, 0, 0, "in their order"},
};

struct rule {
    struct str id, reason, message;
    int effect, exceptions, audit;
    int64_t starts_ms, expires_ms;
    const struct conf_node *when, *require, *terminate, *obligations, *rollout;
    struct conf_texts actions, resources;
    bool shadow;
};

static const char *const EFFECTS[] = {
#define X(name, text, rank) [PDP_EFFECT_##name] = text,
    PDP_EFFECT_LIST(X)
#undef X
        [PDP_EFFECT_COUNT] = NULL};
static const char *const EXCEPTIONS[] = {"never", NULL};
static const char *const AUDIT[] = {"always", NULL};

static const struct conf_field RULE[] = {
    {"id", CONF_ID, true, offsetof(struct rule, id), NULL, 0, 0, "unique in its policy"},
    {"effect", CONF_CHOICE, true, offsetof(struct rule, effect), EFFECTS, 0, 0, "what it asks for"},
    {"when", CONF_ANY, false, offsetof(struct rule, when), NULL, 0, 0, "an expression, or all, any, not"},
    {"actions", CONF_TEXTS, false, offsetof(struct rule, actions), NULL, 0, 0, "names of actions; indexed"},
    {"resources", CONF_TEXTS, false, offsetof(struct rule, resources), NULL, 0, 0,
     "exact, /a/*, /a/*/b or /a/**; indexed"},
    {"require", CONF_ANY, false, offsetof(struct rule, require), NULL, 0, 0,
     "of a step_up: strength, max_age"},
    {"reason", CONF_TEXT, false, offsetof(struct rule, reason), NULL, 0, 0, "for the administrator"},
    {"message", CONF_TEXT, false, offsetof(struct rule, message), NULL, 0, 0, "for the user"},
    {"obligations", CONF_SEQUENCE, false, offsetof(struct rule, obligations), NULL, 0, 0,
     "what the gateway must do besides"},
    {"exceptions", CONF_CHOICE, false, offsetof(struct rule, exceptions), EXCEPTIONS, 0, 0,
     "never: no exception lifts this rule"},
    {"audit", CONF_CHOICE, false, offsetof(struct rule, audit), AUDIT, 0, 0,
     "always: its answers are all kept in the audit log"},
    {"terminate", CONF_MAPPING, false, offsetof(struct rule, terminate), NULL, 0, 0,
     "scope: session or subject"},
    {"starts", CONF_TIME, false, offsetof(struct rule, starts_ms), NULL, 0, 0, "before it the rule is no"},
    {"expires", CONF_TIME, false, offsetof(struct rule, expires_ms), NULL, 0, 0, "from it on the rule is no"},
    {"shadow", CONF_BOOL, false, offsetof(struct rule, shadow), NULL, 0, 0,
     "true: judged beside, enforced on nobody"},
    {"rollout", CONF_MAPPING, false, offsetof(struct rule, rollout), NULL, 0, 0,
     "enforced on a share: percent, by, rest"},
};

struct require {
    struct str strength;
    int64_t max_age_ms;
};

static const struct conf_field REQUIRE[] = {
    {"strength", CONF_ID, true, offsetof(struct require, strength), NULL, 0, 0,
     "a level of the Strengths document"},
    {"max_age", CONF_DURATION, false, offsetof(struct require, max_age_ms), NULL, 1000, INT64_C(315360000000),
     "how old the proof may be"},
};

static const char *const SCOPES[] = {"session", "subject", NULL};
struct terminate {
    int scope;
};

static const struct conf_field TERMINATE[] = {
    {"scope", CONF_CHOICE, true, offsetof(struct terminate, scope), SCOPES, 0, 0, "what ends"},
};

const struct conf_shape SHAPE_REQUIRE = {"require", REQUIRE, COUNT_OF(REQUIRE), NULL, 0, NULL, 0};

static const struct conf_shape TERMINATE_SHAPE = {"terminate", TERMINATE, COUNT_OF(TERMINATE), NULL, 0,
                                                  NULL,        0};

static const struct conf_nest RULE_SHAPE_NESTS[] = {
    {"when", CONF_FORM_WHEN, NULL},
    {"require", CONF_FORM_MAP, &SHAPE_REQUIRE},
    {"terminate", CONF_FORM_MAP, &TERMINATE_SHAPE},
    {"obligations", CONF_FORM_LIST, &SHAPE_OBLIGATION},
    {"rollout", CONF_FORM_MAP, &SHAPE_ROLLOUT},
};
static const struct conf_tie RULE_SHAPE_TIES[] = {
    {CONF_BOND_NEED, {"require", "effect", "step_up"}},
    {CONF_BOND_ONLY, {"terminate", "effect", "terminate"}},
    {CONF_BOND_FILL, {"actions", "resources"}},
};
static const struct conf_shape RULE_SHAPE = {"rule",
                                             RULE,
                                             COUNT_OF(RULE),
                                             RULE_SHAPE_NESTS,
                                             COUNT_OF(RULE_SHAPE_NESTS),
                                             RULE_SHAPE_TIES,
                                             COUNT_OF(RULE_SHAPE_TIES)};

static const struct conf_nest SHAPE_POLICY_NESTS[] = {
    {"metadata", CONF_FORM_MAP, &SHAPE_METADATA}, {"target", CONF_FORM_WHEN, NULL},
    {"variables", CONF_FORM_EXPRS, NULL},         {"rollout", CONF_FORM_MAP, &SHAPE_ROLLOUT},
    {"rules", CONF_FORM_LIST, &RULE_SHAPE},
};
static const struct conf_tie SHAPE_POLICY_TIES[] = {{CONF_BOND_FILL, {"rules"}}};
const struct conf_shape SHAPE_POLICY = {"Policy",
                                        DOCUMENT,
                                        COUNT_OF(DOCUMENT),
                                        SHAPE_POLICY_NESTS,
                                        COUNT_OF(SHAPE_POLICY_NESTS),
                                        SHAPE_POLICY_TIES,
                                        COUNT_OF(SHAPE_POLICY_TIES)};

static const struct str CLOSING = {"deny-unless-allow", sizeof "deny-unless-allow" - 1};

// One rule while it is read.
struct reading {
    struct build *build;
    const struct conf_node *node;
    const struct rule *rule;
    const struct build_vars *vars;
    struct set_rule *out;
    uint64_t target_steps; // 0 where the target was refused
    bool effect_read;      // else what fits to it cannot be told
};

// ---- Parts of a rule ------------------------------------------------------------------------------

static void read_actions(struct reading *r)
{
    size_t count = r->rule->actions.count;
    const struct conf_node *node = conf_get(r->node, "actions");
    if (node == NULL) {
        return;
    }
    if (node->kind == CONF_LIST && node->count == 0) {
        build_fail(r->build, PDP_ERR_MISSING, node->place, "leave `actions` out for all actions",
                   "`actions` is empty");
    }
    struct str *actions = build_array(r->build, count, sizeof(*actions));
    for (size_t i = 0; actions != NULL && i < count; i++) {
        const struct conf_node *action = r->rule->actions.nodes[i];
        if (action->text.len == 0 || str_find_byte(action->text, '*', 0) < action->text.len) {
            build_fail(r->build, PDP_ERR_SYNTAX, action->place, "leave `actions` out for all actions",
                       "an action is a name, without `*`");
            continue;
        }
        actions[r->out->action_count++] = build_copy(r->build, action->text);
    }
    r->out->actions = actions;
}

static void read_resources(struct reading *r)
{
    size_t count = r->rule->resources.count;
    const struct conf_node *node = conf_get(r->node, "resources");
    if (node == NULL) {
        return;
    }
    if (node->kind == CONF_LIST && node->count == 0) {
        build_fail(r->build, PDP_ERR_MISSING, node->place, "leave `resources` out for all resources",
                   "`resources` is empty");
    }
    struct glob *globs = build_array(r->build, count, sizeof(*globs));
    for (size_t i = 0; globs != NULL && i < count; i++) {
        const struct conf_node *pattern = r->rule->resources.nodes[i];
        struct glob_fault fault;
        if (glob_read(build_copy(r->build, pattern->text), &globs[r->out->resource_count], &fault) !=
            PDP_ERR_OK) {
            build_fail(r->build, PDP_ERR_SYNTAX, conf_place(pattern, fault.at, fault.len), fault.hint, "%s",
                       fault.why);
            continue;
        }
        r->out->resource_count++;
    }
    r->out->resources = globs;
}

void require_read(struct build *build, const struct conf_node *node, uint32_t *strength, int64_t *max_age_s)
{
    struct require require = {0};
    build_note(build, conf_read(node, REQUIRE, COUNT_OF(REQUIRE), "`require`", &require, build->arena,
                                build->diags));
    *max_age_s = require.max_age_ms / 1000;
    for (uint32_t i = 0; i < build->names->strength_count; i++) {
        if (str_eq(build->names->strengths[i], require.strength)) {
            *strength = i;
            return;
        }
    }
    if (require.strength.len == 0) { // missing or mistyped, and reported
        return;
    }
    build_fail(build, PDP_ERR_UNKNOWN, conf_get(node, "strength")->place, NULL,
               "unknown strength `" STR_FMT "`", STR_ARG(require.strength));
    if (build->names->strength_count == 0) {
        diag_hint(build->diags, "no Strengths document is here");
    } else {
        build_hint_near(build, require.strength, build->names->strengths, build->names->strength_count);
    }
}

// false: it can be no `require`, which is told.
static bool check_require(struct build *build, const struct conf_node *rule, const struct conf_node *node)
{
    if (node->kind == CONF_NULL) {
        build_fail(build, PDP_ERR_MISSING, build_key_place(rule, "require"), NULL, "`require` is empty");
    } else if (node->kind == CONF_SCALAR) {
        build_fail(build, PDP_ERR_TYPE, node->place, NULL, "`require` must be a mapping, but is text");
        diag_hint(build->diags, "write `require: {strength: " STR_FMT "}`",
                  STR_ARG(build_shown(build, node->text)));
    }
    return node->kind != CONF_NULL && node->kind != CONF_SCALAR;
}

static void read_require(struct reading *r)
{
    struct build *build = r->build;
    const struct conf_node *node = r->rule->require;
    if (!r->effect_read || (node != NULL && !check_require(build, r->node, node))) {
        return;
    }
    bool step_up = r->rule->effect == PDP_EFFECT_STEP_UP;
    if (node == NULL) {
        if (step_up && conf_get(r->node, "require") == NULL) {
            build_fail(build, PDP_ERR_MISSING, conf_get(r->node, "effect")->place,
                       "such as `require: {strength: mfa, max_age: 15m}`", "a step_up rule needs `require`");
        }
        return;
    }
    if (!step_up) {
        build_fail(build, PDP_ERR_TYPE, node->place, NULL, "only a step_up rule has `require`");
        return;
    }
    r->out->has_require = true;
    require_read(build, node, &r->out->strength, &r->out->max_age_s);
}

static void read_terminate(struct reading *r)
{
    struct build *build = r->build;
    if (r->rule->terminate == NULL) {
        return;
    }
    if (r->effect_read && r->rule->effect != PDP_EFFECT_TERMINATE) {
        build_fail(build, PDP_ERR_TYPE, r->rule->terminate->place, NULL,
                   "only a terminate rule has `terminate`");
        return;
    }
    struct terminate terminate = {0};
    build_note(build, conf_read(r->rule->terminate, TERMINATE, COUNT_OF(TERMINATE), "`terminate`", &terminate,
                                build->arena, build->diags));
    r->out->ends_subject = terminate.scope == 1;
}

static void read_times(struct reading *r)
{
    r->out->starts_ms = r->rule->starts_ms;
    r->out->expires_ms = r->rule->expires_ms;
    r->out->timed = r->rule->starts_ms != INT64_MIN || r->rule->expires_ms != INT64_MAX;
    if (r->out->starts_ms >= r->out->expires_ms) {
        build_fail(r->build, PDP_ERR_RANGE, conf_get(r->node, "expires")->place, NULL,
                   "it expires before it starts");
    }
}

// ---- Conditions -------------------------------------------------------------------------------------

static bool reads_risk(const struct build *build, uint32_t expr)
{
    return expr != SET_NO_EXPR && cel_reads(build->program, expr, STR("risk"));
}

// Familiarity alone never ends a session (DESIGN §6): what reads the risk also needs evidence from the
// session or from outside.
static uint32_t with_hard_evidence(struct build *build, uint32_t when)
{
    if (build->hard == SET_NO_EXPR) {
        struct cel_text text = {.text = STR("risk.hard > 0.0")};
        build_note(build, cel_add(build->program, &text, CEL_BOOL, NULL, 0, 0, build->diags, &build->hard));
    }
    if (build->hard == SET_NO_EXPR || when == SET_NO_EXPR) {
        return build->hard;
    }
    uint32_t both[] = {when, build->hard};
    uint32_t expr = SET_NO_EXPR;
    build_note(build, cel_join(build->program, true, both, COUNT_OF(both), &expr));
    return expr;
}

static void read_condition(struct reading *r, uint32_t target)
{
    struct build *build = r->build;
    r->out->when = SET_NO_EXPR;
    if (r->rule->when != NULL && r->rule->when->kind == CONF_NULL) {
        build_fail(build, PDP_ERR_MISSING, build_key_place(r->node, "when"),
                   "leave `when` out where nothing is asked", "`when` is empty");
    } else if (r->rule->when != NULL) {
        conditions_of(build, POLICY_OWNER_RULE, r->out->name, build->set->policies[r->out->policy].name);
        r->out->when = when_read(build, r->rule->when, r->vars);
    }
    bool risky = reads_risk(build, r->out->when) || reads_risk(build, target);
    if (r->out->effect == PDP_EFFECT_TERMINATE && risky) {
        r->out->when = with_hard_evidence(build, r->out->when);
    }
    if (r->rule->when != NULL) {
        (void)when_bound(build, r->out->when, r->target_steps, r->rule->when->place, "rule", r->out->name);
    }
}

// ---- Rules ------------------------------------------------------------------------------------------

static void check_id(struct reading *r, struct table *ids, struct str id, uint32_t number)
{
    uint32_t old = 0;
    struct place place = conf_get(r->node, "id")->place;
    if (str_eq(id, CLOSING)) {
        build_fail(r->build, PDP_ERR_DUPLICATE, place, NULL,
                   "`deny-unless-allow` is no id for a rule: it names the deny that this algorithm adds");
    } else if (!table_put(ids, build_copy(r->build, id), number, &old)) {
        build_fail(r->build, PDP_ERR_DUPLICATE, place, NULL, "another rule is called `" STR_FMT "`",
                   STR_ARG(id));
    }
}

static struct str rule_name(struct build *build, uint32_t policy, struct str id)
{
    struct str name = arena_printf(build->arena, STR_FMT "/" STR_FMT,
                                   STR_ARG(build->set->policies[policy].name), STR_ARG(id));
    if (name.len == 0) {
        build_note(build, PDP_ERR_NOMEM);
    }
    return name;
}

static bool names_effect(const struct conf_node *rule)
{
    const struct conf_node *effect = conf_get(rule, "effect");
    for (size_t i = 0; effect != NULL && effect->kind == CONF_SCALAR && EFFECTS[i] != NULL; i++) {
        if (str_eq(effect->text, str_of(EFFECTS[i]))) {
            return true;
        }
    }
    return false;
}

static void read_rule(struct build *build, const struct conf_node *node, const struct build_vars *vars,
                      struct table *ids, uint32_t policy, uint64_t target_steps)
{
    struct policy_set *set = build->set;
    uint32_t number = set->rule_count++;
    struct rule rule = {.effect = PDP_EFFECT_DENY,
                        .exceptions = -1,
                        .audit = -1,
                        .starts_ms = INT64_MIN,
                        .expires_ms = INT64_MAX};
    struct reading r = {build, node, &rule, vars, &set->rules[number], target_steps, names_effect(node)};
    enum pdp_err err = conf_read(node, RULE, COUNT_OF(RULE), "a rule", &rule, build->arena, build->diags);
    build_note(build, err);
    if (node->kind != CONF_MAP) {
        return;
    }
    *r.out = (struct set_rule){
        .name = rule_name(build, policy, rule.id),
        .policy = policy,
        .when = SET_NO_EXPR,
        .rollout = SET_NO_ROLLOUT,
        .effect = (enum pdp_effect)rule.effect,
        .never_lifted = rule.exceptions == 0,
        .audit_always = rule.audit == 0,
        .reason = build_copy(build, rule.reason),
        .message = build_copy(build, rule.message),
    };
    if (rule.id.len > 0) {
        check_id(&r, ids, rule.id, number);
    }
    read_actions(&r);
    read_resources(&r);
    read_require(&r);
    read_terminate(&r);
    read_times(&r);
    if (err == PDP_ERR_OK) {
        scope_check_effect(build, set->policies[policy].scope, r.out->effect, conf_get(node, "effect")->place,
                           "the rule has the effect");
    }
    r.out->rollout = rollout_read(build, node, r.out->name);
    read_condition(&r, set->policies[policy].target);
    if (rule.obligations != NULL) {
        obligations_read(build, rule.obligations, &r.out->obligations, &r.out->obligation_count);
    }
}

static void add_closing(struct build *build, uint32_t policy)
{
    struct policy_set *set = build->set;
    set->rules[set->rule_count++] = (struct set_rule){
        .name = rule_name(build, policy, CLOSING),
        .policy = policy,
        .when = SET_NO_EXPR,
        .rollout = SET_NO_ROLLOUT, // its policy's is enough
        .effect = PDP_EFFECT_DENY,
        .closing = true,
        .reason = STR("nothing in this policy allows it"),
    };
}

static bool closes(const struct conf_doc *doc)
{
    const struct conf_node *combine = conf_get(doc->root, "combine");
    return combine != NULL && combine->kind == CONF_SCALAR && str_eq(combine->text, CLOSING);
}

size_t read_policy_rules(const struct conf_doc *doc)
{
    const struct conf_node *rules = conf_get(doc->root, "rules");
    return (rules != NULL && rules->kind == CONF_LIST ? rules->count : 0) + (closes(doc) ? 1 : 0);
}

static uint32_t read_target(struct build *build, const struct conf_doc *doc, const struct conf_node *target,
                            const struct build_vars *vars)
{
    if (target == NULL) {
        return SET_NO_EXPR;
    }
    if (target->kind == CONF_NULL) {
        build_fail(build, PDP_ERR_MISSING, build_key_place(doc->root, "target"),
                   "leave `target` out where the policy is about everything", "`target` is empty");
        return SET_NO_EXPR;
    }
    return when_read(build, target, vars);
}

// What it may take on top of each rule's condition, with its scopes; 0 where it was refused itself.
static uint64_t bound_target(struct build *build, const struct set_policy *policy,
                             const struct conf_node *target, const struct conf_doc *doc)
{
    size_t errors = build->diags->errors;
    struct place place = target != NULL ? target->place : build_key_place(doc->root, "kind");
    uint64_t steps = when_bound(build, policy->target, 0, place, "the target of policy", policy->name);
    return build->diags->errors == errors ? steps : 0;
}

void read_policy(struct build *build, const struct conf_doc *doc)
{
    struct policy_set *set = build->set;
    struct document document = {0};
    build_note(build, conf_read(doc->root, DOCUMENT, COUNT_OF(DOCUMENT), "Policy", &document, build->arena,
                                build->diags));
    uint32_t number = set->policy_count++;
    struct set_policy *policy = &set->policies[number];
    *policy = (struct set_policy){.name = build_copy(build, build_doc_name(doc)),
                                  .scope = scope_of(build, doc),
                                  .algorithm = (enum combine_algorithm)document.combine};
    struct build_vars vars = build->shared;
    conditions_of(build, POLICY_OWNER_TARGET, policy->name, policy->name);
    if (document.variables != NULL) {
        when_vars(build, document.variables, &vars);
    }
    conditions_of(build, POLICY_OWNER_TARGET, policy->name, policy->name);
    policy->target = scope_join(build, policy->scope, read_target(build, doc, document.target, &vars));
    uint64_t target_steps = bound_target(build, policy, document.target, doc);
    policy->rollout = rollout_read(build, doc->root, policy->name);
    set->untargeted = set->untargeted || (policy->target == SET_NO_EXPR && policy->rollout == SET_NO_ROLLOUT);
    if (document.rules == NULL) {
        return;
    }
    if (document.rules->count == 0) {
        build_fail(build, PDP_ERR_MISSING, document.rules->place, NULL, "`rules` is empty");
        return;
    }
    struct table ids;
    enum pdp_err err = table_init(&ids, document.rules->count, set->seed, build->arena);
    build_note(build, err);
    for (size_t i = 0; err == PDP_ERR_OK && i < document.rules->count; i++) {
        read_rule(build, document.rules->items[i], &vars, &ids, number, target_steps);
    }
    if (closes(doc)) {
        scope_check_effect(build, policy->scope, PDP_EFFECT_DENY, conf_get(doc->root, "combine")->place,
                           "the policy adds the effect");
        add_closing(build, number);
    }
}
