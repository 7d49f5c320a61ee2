// SPDX-License-Identifier: Apache-2.0
// Conditions, and parts of them, that are never false or never true where they stand: what stands around a
// part holds (of `all`) or does not (of `any`), or the part would not matter.
#include "lint/inner.h"

enum {
    EFFORT = 600
};

enum {
    KNOWN = 128,
    NEVER_NO = 1,
    NEVER_YES = 2,
    NEVER_UNSURE = 4, // beside NEVER_NO: it is always true; beside NEVER_YES: always false
};

struct walk {
    struct lint *l;
    uint64_t topics;      // of what is assumed around the part
    uint32_t rule;        // LINT_NONE: of no rule
    bool certain;         // only `all` stands between the part and the whole condition
    const uint8_t *alone; // of each condition: what can never be, whatever stands around it
};

static bool impossible(struct lint *l, uint32_t expr, unsigned may)
{
    struct reason_mark mark = reason_mark(l->reason);
    reason_assume(l->reason, expr, may);
    bool refuted = reason_refuted(l->reason, EFFORT);
    reason_undo(l->reason, mark);
    return refuted;
}

// What can never be, of NEVER_…; in what is assumed at the moment.
static unsigned never(struct lint *l, uint32_t expr)
{
    bool never_no = impossible(l, expr, MAY_NO), never_yes = impossible(l, expr, MAY_YES);
    if (never_no && never_yes) { // always unsure, or what is assumed contradicts itself
        return impossible(l, expr, MAY_UNSURE) ? 0 : NEVER_YES;
    }
    if (!never_no && !never_yes) {
        return 0;
    }
    bool sure = impossible(l, expr, MAY_UNSURE | (never_no ? MAY_NO : MAY_YES));
    return (never_no ? NEVER_NO : NEVER_YES) | (sure ? NEVER_UNSURE : 0);
}

// ---- What is said -------------------------------------------------------------------------------------

// A restriction that can never hold still counts where something that it reads is missing.
static const char *still_counts(const struct lint *l, uint32_t rule, unsigned is)
{
    const struct set_rule *of = &l->set->rules[rule];
    bool first = l->set->policies[of->policy].algorithm == COMBINE_FIRST_MATCH;
    if ((is & NEVER_UNSURE) != 0 || (of->effect == PDP_EFFECT_ALLOW && !first)) {
        return "";
    }
    return of->effect == PDP_EFFECT_STEP_UP ? "; where it is unsure it still asks"
                                            : "; where it is unsure it still denies";
}

// An expression as it is written; `not` of a document with what it denies.
static struct str text_of(struct lint *l, uint32_t at)
{
    struct str text = l->conditions[at].text;
    uint32_t child = l->conditions[at].op == CEL_PART_NOT ? lint_child(l, at) : LINT_NONE;
    if (child == LINT_NONE || !str_eq(text, STR("not"))) {
        return lint_shown(l, text);
    }
    struct str whole =
        arena_printf(&l->arena, "not: " STR_FMT, STR_ARG(lint_shown(l, l->conditions[child].text)));
    return whole.at != NULL ? whole : text;
}

// Is it an expression that is looked at as one: no list of others, nor the negation of one?
static bool is_leaf(const struct lint *l, uint32_t at)
{
    uint32_t child = l->conditions[at].op == CEL_PART_NOT ? lint_child(l, at) : LINT_NONE;
    return l->conditions[child != LINT_NONE ? child : at].op == CEL_PART_ATOM;
}

// The attribute that a part compares with null; empty: none.
static struct str beside_null(const struct lint *l, uint32_t at)
{
    const struct cel_program *p = l->program;
    const struct node *node = &p->nodes[l->conditions[at].expr];
    node = node->op == OP_NOT ? &p->nodes[node->a] : node;
    if (node->op != OP_EQ && node->op != OP_NE) {
        return (struct str){NULL, 0};
    }
    const struct node *sides[] = {&p->nodes[node->a], &p->nodes[node->b]};
    for (int i = 0; i < 2; i++) {
        bool null = sides[i]->op == OP_CONST && p->consts[sides[i]->a].kind == VALUE_NULL;
        if (null && sides[1 - i]->op == OP_SLOT) {
            return p->slots[sides[1 - i]->a].info.path;
        }
    }
    return (struct str){NULL, 0};
}

static void hint_at(struct lint *l, struct lint_finding *found, uint32_t at, const char *else_hint)
{
    struct str path = beside_null(l, at);
    if (path.len > 0) {
        lint_hint(l, found,
                  "an attribute that is null is missing: whether it is there is asked by `has(" STR_FMT ")`",
                  STR_ARG(path));
    } else {
        lint_hint(l, found, "%s", else_hint);
    }
}

static void say_dead_rule(struct walk *w, uint32_t at, bool alone, unsigned is)
{
    struct lint *l = w->l;
    const struct policy_condition *part = &l->conditions[at];
    struct str name = l->set->rules[w->rule].name, text = text_of(l, at);
    const char *still = still_counts(l, w->rule, is);
    struct lint_finding *found = NULL;
    if (!is_leaf(l, at)) {
        found = lint_add(l, LINT_UNREACHABLE, part->place,
                         "rule `" STR_FMT "` can never hold: its condition is never true%s", STR_ARG(name),
                         still);
    } else {
        found = lint_add(l, LINT_UNREACHABLE, part->place,
                         "rule `" STR_FMT "` can never hold: `" STR_FMT "` is never true%s%s", STR_ARG(name),
                         STR_ARG(text), alone ? "" : " where the rest holds", still);
    }
    found->rule = w->rule;
    found->condition = at;
    hint_at(l, found, at, "correct the condition, or take the rule out");
}

static void say_constant(struct walk *w, uint32_t at, bool alone, unsigned is)
{
    static const char *const SAYS[2][2] = {{"is never false: it is true or unsure", "is always true"},
                                           {"is never true: it is false or unsure", "is always false"}};
    struct lint *l = w->l;
    bool no = (is & NEVER_YES) != 0, sure = (is & NEVER_UNSURE) != 0;
    const char *says = SAYS[no][sure], *where = alone ? "" : " where the rest of the condition matters";
    struct str text = text_of(l, at);
    struct lint_finding *found =
        lint_add(l, no ? LINT_ALWAYS_FALSE : LINT_ALWAYS_TRUE, l->conditions[at].place, "`" STR_FMT "` %s%s",
                 STR_ARG(text), says, where);
    found->rule = w->rule;
    found->condition = at;
    bool signal = l->conditions[at].owner == POLICY_OWNER_SIGNAL;
    hint_at(l, found, at,
            no       ? "take it out, or correct what it compares with"
            : signal ? "it tells no question from another: take it out, or correct what it compares with"
                     : "it restricts nothing: take it out, or correct what it compares with");
}

static bool report(struct walk *w, uint32_t at, unsigned is)
{
    if (is == 0) {
        return false;
    }
    bool alone = w->alone[at] != 0;
    if (w->rule != LINT_NONE && w->certain && (is & NEVER_YES) != 0) {
        say_dead_rule(w, at, alone, is);
        w->l->dead[w->l->rules[w->rule].when] = true; // nothing else is said of the rule's condition
    } else {
        say_constant(w, at, alone, is);
    }
    w->l->dead[at] = true;
    return true;
}

// ---- The walk -----------------------------------------------------------------------------------------

static bool visit(struct walk *w, uint32_t at);

// One part, with those around it assumed that nothing was said of yet, and that have to do with it.
static bool visit_among(struct walk *w, const uint32_t *parts, size_t count, size_t which, unsigned others)
{
    struct lint *l = w->l;
    struct walk inner = *w;
    uint64_t own = reason_topics(l->reason, l->conditions[parts[which]].expr);
    struct reason_mark mark = reason_mark(l->reason);
    for (size_t i = 0; i < count; i++) {
        const struct policy_condition *part = &l->conditions[parts[i]];
        if (i != which && !l->dead[parts[i]] && part->truth &&
            (reason_topics(l->reason, part->expr) & own) != 0) {
            reason_assume(l->reason, part->expr, others);
            inner.topics |= reason_topics(l->reason, part->expr);
        }
    }
    bool said = visit(&inner, parts[which]);
    reason_undo(l->reason, mark);
    return said;
}

// The last first: of two that say the same, it is the second that says nothing new.
static bool visit_parts(struct walk *w, uint32_t at)
{
    enum {
        MOST = 64
    };
    struct lint *l = w->l;
    uint32_t parts[MOST];
    size_t count = 0;
    for (uint32_t i = lint_child(l, at); i != LINT_NONE && count < MOST; i = lint_next(l, i)) {
        parts[count++] = i;
    }
    bool all = l->conditions[at].op == CEL_PART_ALL, said = false;
    struct walk inner = *w;
    inner.certain = w->certain && all;
    for (size_t i = count; i-- > 0;) {
        said = visit_among(&inner, parts, count, i, all ? MAY_YES | MAY_UNSURE : MAY_NO | MAY_UNSURE) || said;
    }
    return said;
}

static bool visit_not(struct walk *w, uint32_t at)
{
    struct walk inner = *w;
    inner.certain = false;
    uint32_t child = lint_child(w->l, at);
    bool said = child != LINT_NONE && visit(&inner, child);
    w->l->dead[at] = said;
    return said;
}

// true: something was said of it, or of something in it. Where a part is at fault it is told, not the whole.
static bool visit(struct walk *w, uint32_t at)
{
    struct lint *l = w->l;
    const struct policy_condition *part = &l->conditions[at];
    bool denied = part->op == CEL_PART_NOT && lint_child(l, at) != LINT_NONE && l->dead[lint_child(l, at)];
    if (l->dead[at] || denied || !part->truth || part->expr >= l->program->node_count) {
        return l->dead[at] || denied;
    }
    if (part->op == CEL_PART_NOT && !is_leaf(l, at)) {
        return visit_not(w, at);
    }
    unsigned is = w->alone[at];
    bool meets = (reason_topics(l->reason, part->expr) & w->topics) != 0 && !reason_plain(l->reason);
    if (is == 0 && meets) {
        is = never(l, part->expr);
    }
    bool whole = part->op != CEL_PART_ALL || (is & NEVER_NO) != 0;
    if (is_leaf(l, at) || (is != 0 && whole)) {
        return report(w, at, is);
    }
    return visit_parts(w, at) || report(w, at, is);
}

static void assume_around(struct lint *l, const struct set_rule *rule, unsigned may)
{
    reason_actions(l->reason, rule, may);
    reason_resources(l->reason, rule, may);
    reason_assume(l->reason, l->set->policies[rule->policy].target, may);
}

// Is what stands around its condition never all true?
static bool is_outside(struct walk *w, uint32_t rule)
{
    struct lint *l = w->l;
    const struct set_rule *of = &l->set->rules[rule];
    uint32_t target = l->targets[of->policy];
    if ((of->action_count == 0 && of->resource_count == 0) || (target != LINT_NONE && l->dead[target])) {
        return false;
    }
    struct reason_mark mark = reason_mark(l->reason);
    assume_around(l, of, MAY_YES);
    bool outside = reason_refuted(l->reason, EFFORT);
    reason_undo(l->reason, mark);
    return outside;
}

static void visit_rule(struct walk *w, uint32_t rule)
{
    struct lint *l = w->l;
    const struct set_rule *of = &l->set->rules[rule];
    uint32_t target = l->set->policies[of->policy].target, when = l->rules[rule].when;
    bool outside = is_outside(w, rule);
    struct reason_mark mark = reason_mark(l->reason);
    assume_around(l, of, MAY_YES | MAY_UNSURE);
    w->rule = rule;
    w->certain = true;
    w->topics = reason_topics(l->reason, target) | reason_topics_asked(l->reason, of);
    if (outside) {
        struct lint_finding *found = lint_add(
            l, LINT_UNREACHABLE, lint_rule_place(l, rule, NULL),
            "rule `" STR_FMT "` can never hold: the target of its policy leaves out its actions or resources",
            STR_ARG(of->name));
        found->rule = rule;
        lint_hint(l, found, "correct `actions` and `resources`, or move it to the policy that it is for");
    } else if (when != LINT_NONE) {
        (void)visit(w, when);
    }
    reason_undo(l->reason, mark);
}

// A target holds together with what the Scopes of its folder say.
static void look_at_target(struct lint *l, uint32_t policy)
{
    const struct set_policy *of = &l->set->policies[policy];
    uint32_t at = l->targets[policy];
    if (of->scope == SET_NO_SCOPE || at == LINT_NONE || l->dead[at] || !impossible(l, of->target, MAY_YES)) {
        return;
    }
    struct lint_finding *found = lint_add(l, LINT_ALWAYS_FALSE, l->conditions[at].place,
                                          "the target of `" STR_FMT "` is never true: the Scope `" STR_FMT
                                          "` leaves out what it is about",
                                          STR_ARG(of->name), STR_ARG(l->set->scopes[of->scope].name));
    lint_hint(l, found, "correct the target, or move the policy out of the folder of the Scope");
    l->dead[at] = true;
}

// The same of a session policy, which nobody's session falls under then.
static void look_at_session(struct lint *l, uint32_t at)
{
    uint32_t scope = lint_session_scope(l, at);
    if (scope == SET_NO_EXPR || l->dead[at]) {
        return;
    }
    struct reason_mark mark = reason_mark(l->reason);
    reason_assume(l->reason, scope, MAY_YES);
    bool never = impossible(l, l->conditions[at].expr, MAY_YES);
    reason_undo(l->reason, mark);
    if (never) {
        struct lint_finding *found =
            lint_add(l, LINT_ALWAYS_FALSE, l->conditions[at].place,
                     "the target of session policy `" STR_FMT
                     "` is never true: the Scope of its folder leaves out what it is about",
                     STR_ARG(l->conditions[at].name));
        found->condition = at;
        lint_hint(l, found, "correct the target, or move the session policy out of the folder of the Scope");
        l->dead[at] = true;
    }
}

void find_parts(struct lint *l)
{
    uint8_t *alone = lint_array(l, l->condition_count, sizeof *alone);
    uint8_t *known = lint_array(l, l->program->node_count, sizeof *known);
    if (alone == NULL || known == NULL) {
        return;
    }
    for (size_t i = 0; i < l->condition_count; i++) {
        const struct policy_condition *part = &l->conditions[i];
        bool judged = part->truth && part->expr < l->program->node_count && !l->dead[i];
        if (judged && known[part->expr] == 0) { // the same part stands in many rules
            known[part->expr] = (uint8_t)(KNOWN | never(l, part->expr));
        }
        alone[i] = judged ? known[part->expr] & (uint8_t)~KNOWN : 0;
    }
    struct walk walk = {.l = l, .rule = LINT_NONE, .alone = alone};
    for (size_t i = 0; i < l->condition_count; i++) {
        bool of_rule = l->conditions[i].owner == POLICY_OWNER_RULE;
        if (l->conditions[i].parent == LINT_NONE && !of_rule) {
            (void)visit(&walk, (uint32_t)i);
        }
        if (l->conditions[i].parent == LINT_NONE && l->conditions[i].owner == POLICY_OWNER_SESSION) {
            look_at_session(l, (uint32_t)i);
        }
    }
    for (uint32_t i = 0; i < l->set->policy_count; i++) {
        look_at_target(l, i);
    }
    for (uint32_t i = 0; i < l->set->rule_count; i++) {
        if (l->rules[i].rule != NULL) {
            visit_rule(&walk, i);
        }
    }
}
