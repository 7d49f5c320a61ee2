// SPDX-License-Identifier: Apache-2.0
// Findings about what rules read: what gateways lack, raw time, proof tested by hand, what is merely
// unfamiliar.
#include "lint/graph.h"
#include "lint/inner.h"

#include "risk/model.h"

enum {
    EFFORT = 300
};

// ---- L06: what gateways often lack --------------------------------------------------------------------

// Attributes that no gateway sends by itself (adapters/common/facts.h), and what it takes to have them.
static const struct {
    const char *path; // with all under it
    const char *takes;
} LACKED[] = {
    {"device.fingerprint", "a script in the site's pages, whose header the gateway hands over"},
    {"device.components", "a script in the site's pages, and a peer that may assert devices"},
    {"device.managed", "a device management whose word the gateway hands over"},
    {"device.first_seen", "a peer that may assert devices, or remembered devices"},
    {"context.device", "a peer that may assert devices"},
    {"context.activity", "an application that counts it"},
    {"geo", "a database, and an address that it knows"},
    {"travel", "two places that a database knows"},
};

static bool slot_under(const struct cel_slot_info *info, const char *path)
{
    struct str of = str_of(path);
    return str_starts(info->path, of) && (info->path.len == of.len || info->path.at[of.len] == '.');
}

static bool is_required(const struct lint *l, struct str path)
{
    for (uint32_t i = 0; l->in->schema != NULL && i < l->in->schema->required_count; i++) {
        if (str_eq(l->in->schema->required[i]->info.path, path) &&
            l->in->schema->required[i]->kind_count == 0) {
            return true;
        }
    }
    return false;
}

static bool reads_slot(const struct lint *l, uint32_t expr, uint32_t slot)
{
    return expr != SET_NO_EXPR && (reason_topics(l->reason, expr) & reason_topic(slot)) != 0 &&
           cel_reads(l->program, expr, l->program->slots[slot].info.path);
}

// May the rule be unsure for want of the attribute, all else being there or not?
static bool unsure_without(struct lint *l, uint32_t rule, uint32_t expr, uint32_t slot)
{
    struct reason_mark mark = reason_mark(l->reason);
    reason_missing(l->reason, slot);
    lint_assume_rule(l, l->reason, rule, MAY_YES | MAY_UNSURE);
    reason_assume(l->reason, expr, MAY_UNSURE);
    bool may = !reason_refuted(l->reason, EFFORT);
    reason_undo(l->reason, mark);
    return may;
}

// The smallest part of a condition that reads the attribute first.
static uint32_t part_that_reads(const struct lint *l, uint32_t at, uint32_t slot)
{
    for (uint32_t i = lint_child(l, at); i != LINT_NONE; i = lint_next(l, i)) {
        if (reads_slot(l, l->conditions[i].expr, slot)) {
            return part_that_reads(l, i, slot);
        }
    }
    return at;
}

static void say_lacking(struct lint *l, uint32_t rule, uint32_t slot, struct place place, const char *takes)
{
    const struct set_rule *of = &l->set->rules[rule];
    struct str path = l->program->slots[slot].info.path;
    struct lint_finding *found = lint_add(
        l, LINT_LACKING, place, "without `" STR_FMT "` rule `" STR_FMT "` is unsure, and %s", STR_ARG(path),
        STR_ARG(of->name), of->effect == PDP_EFFECT_STEP_UP ? "asks for a step-up" : "denies");
    found->rule = rule;
    lint_hint(l, found, "it takes %s; say `has(" STR_FMT ") && …` where those without it should pass", takes,
              STR_ARG(path));
}

static void look_for(struct lint *l, uint32_t slot, const char *takes)
{
    for (uint32_t i = 0; i < l->set->rule_count; i++) {
        const struct set_rule *rule = &l->set->rules[i];
        uint32_t when = l->rules[i].when;
        bool wanted = rule->effect != PDP_EFFECT_ALLOW && when != LINT_NONE && !l->dead[when];
        if (wanted && reads_slot(l, rule->when, slot) && unsure_without(l, i, rule->when, slot)) {
            uint32_t part = part_that_reads(l, when, slot);
            if (!l->dead[part]) {
                say_lacking(l, i, slot, l->conditions[part].place, takes);
            }
        }
    }
}

static bool restricts(const struct lint *l, uint32_t policy)
{
    for (uint32_t i = 0; i < l->set->rule_count; i++) {
        const struct set_rule *rule = &l->set->rules[i];
        if (rule->policy == policy && (rule->effect != PDP_EFFECT_ALLOW || rule->closing)) {
            return true;
        }
    }
    return false;
}

// A target that is unsure is one that may hold: what restricts in its policy counts.
static void look_in_targets(struct lint *l, uint32_t slot, const char *takes)
{
    for (uint32_t i = 0; i < l->set->policy_count; i++) {
        uint32_t at = l->targets[i], target = l->set->policies[i].target;
        if (at == LINT_NONE || l->dead[at] || !reads_slot(l, target, slot) || !restricts(l, i)) {
            continue;
        }
        struct reason_mark mark = reason_mark(l->reason);
        reason_missing(l->reason, slot);
        reason_assume(l->reason, target, MAY_UNSURE);
        bool sure = reason_refuted(l->reason, EFFORT);
        reason_undo(l->reason, mark);
        if (!sure) {
            struct str path = l->program->slots[slot].info.path;
            struct lint_finding *found =
                lint_add(l, LINT_LACKING, l->conditions[part_that_reads(l, at, slot)].place,
                         "without `" STR_FMT "` the target of `" STR_FMT
                         "` is unsure, and what restricts in it counts",
                         STR_ARG(path), STR_ARG(l->set->policies[i].name));
            lint_hint(l, found,
                      "it takes %s; say `has(" STR_FMT ") && …` where those without it are not meant", takes,
                      STR_ARG(path));
        }
    }
}

// A session policy whose target is unsure may be meant: its limits hold.
static void look_in_sessions(struct lint *l, uint32_t slot, const char *takes)
{
    for (uint32_t i = 0; i < l->condition_count; i++) {
        const struct policy_condition *target = &l->conditions[i];
        bool whole = target->owner == POLICY_OWNER_SESSION && target->parent == LINT_NONE;
        if (!whole || l->dead[i] || !reads_slot(l, target->expr, slot)) {
            continue;
        }
        struct reason_mark mark = reason_mark(l->reason);
        reason_missing(l->reason, slot);
        reason_assume(l->reason, lint_session_scope(l, i), MAY_YES | MAY_UNSURE);
        reason_assume(l->reason, target->expr, MAY_UNSURE);
        bool sure = reason_refuted(l->reason, EFFORT);
        reason_undo(l->reason, mark);
        if (!sure) {
            struct str path = l->program->slots[slot].info.path;
            struct lint_finding *found =
                lint_add(l, LINT_LACKING, l->conditions[part_that_reads(l, i, slot)].place,
                         "without `" STR_FMT "` the target of session policy `" STR_FMT
                         "` is unsure, and its limits hold",
                         STR_ARG(path), STR_ARG(target->name));
            lint_hint(l, found,
                      "it takes %s; say `has(" STR_FMT ") && …` where sessions without it are not meant",
                      takes, STR_ARG(path));
        }
    }
}

void find_lacking(struct lint *l)
{
    for (uint32_t slot = 0; slot < l->program->slot_count; slot++) {
        const struct cel_slot_info *info = &l->program->slots[slot].info;
        for (size_t i = 0; i < COUNT_OF(LACKED); i++) {
            if (slot_under(info, LACKED[i].path) && !is_required(l, info->path)) {
                look_for(l, slot, LACKED[i].takes);
                look_in_targets(l, slot, LACKED[i].takes);
                look_in_sessions(l, slot, LACKED[i].takes);
                break;
            }
        }
    }
}

// ---- L08: the clock -----------------------------------------------------------------------------------

static bool is_variable(struct str text)
{
    if (!str_starts(text, STR("vars."))) {
        return false;
    }
    for (size_t i = 5; i < text.len; i++) {
        char c = text.at[i];
        if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_')) {
            return false;
        }
    }
    return true;
}

// Of it, or of the rule that it is part of, something was said after which it goes.
static bool is_dead(const struct lint *l, size_t at)
{
    while (!l->dead[at] && l->conditions[at].parent != LINT_NONE) {
        at = l->conditions[at].parent;
    }
    return l->dead[at];
}

void find_clocks(struct lint *l)
{
    for (size_t i = 0; i < l->condition_count; i++) {
        const struct policy_condition *part = &l->conditions[i];
        bool truth = part->op == CEL_PART_ATOM && part->truth && part->owner != POLICY_OWNER_COUNTER;
        bool raw = truth && part->expr < l->program->node_count &&
                   (l->program->nodes[part->expr].flags & NODE_RAW_NOW) != 0 &&
                   l->program->nodes[part->expr].kind == VALUE_BOOL;
        if (raw && !is_dead(l, i) && !is_variable(part->text)) { // a variable is told where it stands
            struct lint_finding *found =
                lint_add(l, LINT_CLOCK, part->place,
                         "`" STR_FMT
                         "` reads the time so that nobody can say how long an answer holds: none may be kept",
                         STR_ARG(lint_shown(l, part->text)));
            lint_hint(l, found,
                      "use `within(now, \"Mon-Fri 07:00-19:00\", \"Europe/Berlin\")`, or compare a time with "
                      "`now - duration(\"…\")`");
        }
    }
}

// ---- L11: proof by hand -------------------------------------------------------------------------------

static void tell_parts(struct lint *l, uint32_t rule, uint32_t at)
{
    const struct policy_condition *part = &l->conditions[at];
    bool acr = lint_reads(l, part->expr, "session.acr"), amr = lint_reads(l, part->expr, "session.amr");
    if ((!acr && !amr) || l->dead[at]) {
        return;
    }
    if (part->op != CEL_PART_ATOM) {
        for (uint32_t i = lint_child(l, at); i != LINT_NONE; i = lint_next(l, i)) {
            tell_parts(l, rule, i);
        }
        return;
    }
    struct lint_finding *found =
        lint_add(l, LINT_BY_HAND, part->place,
                 "rule `" STR_FMT "` tests `session.%s` by hand: who has not proved it is denied, not asked",
                 STR_ARG(l->set->rules[rule].name), acr ? "acr" : "amr");
    found->rule = rule;
    lint_hint(l, found,
              "take it out, and add a step_up with `require: {strength: …, max_age: …}`: it asks, and knows "
              "of age and of stronger proofs");
}

static bool allows(const struct lint *l, uint32_t policy)
{
    for (uint32_t i = 0; i < l->set->rule_count; i++) {
        if (l->set->rules[i].policy == policy && l->set->rules[i].effect == PDP_EFFECT_ALLOW) {
            return true;
        }
    }
    return false;
}

static void tell_target(struct lint *l, uint32_t policy)
{
    uint32_t at = l->targets[policy];
    bool acr = at != LINT_NONE && lint_reads(l, l->conditions[at].expr, "session.acr");
    bool amr = at != LINT_NONE && lint_reads(l, l->conditions[at].expr, "session.amr");
    if ((!acr && !amr) || l->dead[at] || !allows(l, policy)) {
        return;
    }
    struct lint_finding *found =
        lint_add(l, LINT_BY_HAND, l->conditions[at].place,
                 "the target of `" STR_FMT "` tests `session.%s` by hand: who has not proved it is allowed "
                 "nothing by it, and not asked",
                 STR_ARG(l->set->policies[policy].name), acr ? "acr" : "amr");
    lint_hint(l, found,
              "take it out, and add a step_up with `require: {strength: …, max_age: …}` to the policy");
}

void find_by_hand(struct lint *l)
{
    for (uint32_t i = 0; i < l->set->policy_count; i++) {
        tell_target(l, i);
    }

    for (uint32_t i = 0; i < l->set->rule_count; i++) {
        if (l->set->rules[i].effect == PDP_EFFECT_ALLOW && l->rules[i].when != LINT_NONE) {
            tell_parts(l, i, l->rules[i].when);
        }
    }
}

// ---- L12: what is merely unfamiliar -------------------------------------------------------------------

static bool is_soft(const struct lint *l, struct str signal)
{
    const struct risk_model *model = l->in->risk;
    for (size_t row = 0; model != NULL && row < model->count; row++) {
        if (str_eq(model_row(model, row)->id, signal)) {
            return model_row(model, row)->kind == SIGNAL_FAMILIARITY;
        }
    }
    return false;
}

struct evidence {
    bool soft, other; // reads what is merely unfamiliar; something else that may speak of the session
};

static void weigh_slot(const struct lint *l, uint32_t slot, struct evidence *out)
{
    static const char *const SOFT[] = {"device.first_seen", "device.remembered"};
    static const char *const NEITHER[] = {"subject", "resource", "action", "tenant", "now", "gateway"};
    const struct cel_slot_info *info = &l->program->slots[slot].info;
    for (size_t i = 0; i < COUNT_OF(SOFT); i++) {
        if (slot_under(info, SOFT[i])) {
            out->soft = true;
            return;
        }
    }
    for (size_t i = 0; i < COUNT_OF(NEITHER); i++) {
        if (slot_under(info, NEITHER[i])) {
            return;
        }
    }
    out->other = true;
}

static void weigh(struct lint *l, uint32_t id, struct evidence *out)
{
    const struct cel_program *p = l->program;
    const struct node *node = &p->nodes[id & ~NODE_OPTIONAL];
    struct str signal = {0};
    if (!lint_first(l, id & ~NODE_OPTIONAL)) {
        return;
    }
    if (graph_signal(l->program, node, &signal)) {
        bool soft = is_soft(l, signal);
        out->soft = out->soft || soft;
        out->other = out->other || !soft;
        return;
    }
    if (node->op == OP_IN_SET) { // a list of who or what is known
        out->other = true;
        return;
    }
    if (node->op == OP_SLOT || node->op == OP_HAS_SLOT || node->op == OP_EQ_TEXT) {
        weigh_slot(l, node->a, out);
        return;
    }
    struct graph_operands operands;
    graph_operands(p, node, &operands);
    for (uint32_t i = 0; i < operands.count; i++) {
        weigh(l, operands.at[i], out);
    }
}

// What may let a condition hold without anything that speaks of the session, a bit each.
enum {
    BY_NOTHING = 1, // of either kind
    BY_SOFT = 2,
};

static unsigned ways_of_atom(struct lint *l, uint32_t at)
{
    struct evidence evidence = {0};
    lint_walk(l);
    weigh(l, l->conditions[at].expr, &evidence);
    return evidence.other ? 0 : evidence.soft ? BY_SOFT : BY_NOTHING;
}

// Both hold.
static unsigned ways_of_both(unsigned a, unsigned b)
{
    bool soft = ((a & BY_SOFT) != 0 && b != 0) || ((b & BY_SOFT) != 0 && a != 0);
    return (a & b & BY_NOTHING) | (soft ? BY_SOFT : 0);
}

// Alternatives are looked at one by one: one that is merely unfamiliar is enough to hold. *at becomes the
// part that is so.
static unsigned ways(struct lint *l, uint32_t *at)
{
    enum cel_part_op op = l->conditions[*at].op;
    uint32_t whole = *at;
    if (op != CEL_PART_ALL && op != CEL_PART_ANY) {
        return ways_of_atom(l, whole);
    }
    unsigned all = op == CEL_PART_ALL ? BY_NOTHING : 0;
    for (uint32_t i = lint_child(l, whole); i != LINT_NONE; i = lint_next(l, i)) {
        uint32_t part = i;
        unsigned own = ways(l, &part);
        if (op == CEL_PART_ANY && (own & BY_SOFT) != 0 && (all & BY_SOFT) == 0) {
            *at = part;
        }
        all = op == CEL_PART_ALL ? ways_of_both(all, own) : all | own;
    }
    *at = op == CEL_PART_ALL ? whole : *at;
    return all;
}

// As it is written: the hard evidence that the compiler adds to what reads `risk` is any evidence whatever.
void find_unfamiliar(struct lint *l)
{
    for (uint32_t i = 0; i < l->set->rule_count; i++) {
        uint32_t when = l->rules[i].when, target = l->targets[l->set->rules[i].policy];
        if (l->set->rules[i].effect != PDP_EFFECT_TERMINATE || l->rules[i].rule == NULL ||
            (when != LINT_NONE && l->dead[when])) {
            continue;
        }
        uint32_t part = when, part_of_target = target;
        unsigned own = when != LINT_NONE ? ways(l, &part) : BY_NOTHING;
        unsigned around = target != LINT_NONE ? ways(l, &part_of_target) : BY_NOTHING;
        if ((ways_of_both(own, around) & BY_SOFT) == 0) {
            continue;
        }
        part = (own & BY_SOFT) != 0 ? part : part_of_target;
        struct lint_finding *found = lint_add(
            l, LINT_UNFAMILIAR, l->conditions[part].place,
            "rule `" STR_FMT "` ends sessions for what is merely unfamiliar: a new laptop, or a journey",
            STR_ARG(l->set->rules[i].name));
        found->rule = i;
        lint_hint(l, found,
                  "make it a step_up, or have it need evidence of the session too, such as `risk.level "
                  ">= level(\"critical\")`");
    }
}

// ---- L14: allows for anybody --------------------------------------------------------------------------

void find_anybody(struct lint *l)
{
    static const char *const WHO[] = {"subject", "session", "device", "network", "geo",
                                      "gateway", "context", "risk",   "counters"};
    for (uint32_t i = 0; i < l->set->rule_count; i++) {
        bool says = l->set->rules[i].effect != PDP_EFFECT_ALLOW || l->rules[i].rule == NULL;
        for (size_t k = 0; k < COUNT_OF(WHO) && !says; k++) {
            says = lint_rule_reads(l, i, WHO[k]);
        }
        if (!says) {
            struct lint_finding *found =
                lint_add(l, LINT_ANYBODY, lint_rule_place(l, i, NULL),
                         "rule `" STR_FMT "` allows whoever asks, also without a session",
                         STR_ARG(l->set->rules[i].name));
            found->rule = i;
            lint_hint(l, found, "say in its condition, or in the target of its policy, who the subject is");
        }
    }
}
