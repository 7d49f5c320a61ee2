// SPDX-License-Identifier: Apache-2.0
// Rules that never matter: whenever one holds, another one holds that decides over it.
//
// A rule is compared with those alone whose condition shares something with its own that such a proof has to
// go by, and with a bounded number of these.
#include "lint/inner.h"

#include <stdlib.h>

enum {
    EFFORT = 600,
    OTHERS_MOST = 64, // with which one rule is compared
    KEYS_MOST = 96,   // by which others are found, of one rule
    SAME_MOST = 16    // alternatives of a conjunct by which a rule can be found
};

// One way to be found: under a hash of what a conjunct tests.
struct entry {
    uint64_t key;
    uint32_t rule;
};

struct cover {
    struct lint *l;
    struct entry *entries; // by key, then rule
    size_t count;
    uint32_t *always; // rules without any condition
    size_t always_count;
    uint64_t keys[KEYS_MOST];
    size_t key_count;
};

// ---- Keys ---------------------------------------------------------------------------------------------

enum key_of {
    KEY_NODE,
    KEY_TERM,
    KEY_TEXT,
    KEY_ACTION,
    KEY_PATH
};

static uint64_t hash_of(enum key_of of, uint64_t number, struct str text)
{
    static const struct hash_key KEY = {UINT64_C(0x6c696e74), UINT64_C(0x636f766572)};
    return hash_64(KEY, text.at, text.len) ^ (number * 8 + of) * UINT64_C(0x9E3779B97F4A7C15);
}

static void add_key(struct cover *c, size_t most, enum key_of of, uint64_t number, struct str text)
{
    if (c->key_count < most) {
        c->keys[c->key_count++] = hash_of(of, number, text);
    }
}

static struct str text_of(const struct value *v)
{
    return v->n > 0 ? value_text(v) : STR("");
}

// The first attribute that a leaf reads, as a number; 0: none.
static uint64_t term_of(const struct cel_program *p, uint32_t id, unsigned depth)
{
    const struct node *node = &p->nodes[id & ~NODE_OPTIONAL];
    if (node->op == OP_SLOT || node->op == OP_HAS_SLOT || node->op == OP_EQ_TEXT) {
        return 1 + node->a;
    }
    if (node->op == OP_CONST || node->op == OP_NOW || node->op == OP_LOCAL || depth == 0) {
        return 0;
    }
    if (node->op == OP_CALL || node->op == OP_COMP) {
        uint64_t term = 0;
        uint32_t count = node->op == OP_COMP ? 1 : node->b;
        for (uint32_t i = 0; term == 0 && i < count; i++) {
            term = term_of(p, p->args[node->a + i], depth - 1);
        }
        return term;
    }
    uint64_t term = node->op != OP_LIST && node->op != OP_MAP ? term_of(p, node->a, depth - 1) : 0;
    bool two = node->op == OP_EQ || node->op == OP_NE || node->op == OP_ORDER || node->op == OP_ORDER_NOW ||
               node->op == OP_IN;
    return term == 0 && two ? term_of(p, node->b, depth - 1) : term;
}

// The keys of one conjunct. `finds`: all by which others may be found; else those under which it is found
// itself.
static void leaf_keys(struct cover *c, uint32_t id, bool finds, size_t most, unsigned depth)
{
    const struct cel_program *p = c->l->program;
    const struct node *node = &p->nodes[id];
    if ((node->op == OP_OR || node->op == OP_AND) && depth > 0) {
        add_key(c, most, KEY_NODE, id, STR(""));
        for (uint32_t i = 0; i < node->b && (finds || node->op == OP_OR || i == 0); i++) {
            leaf_keys(c, p->args[node->a + i], finds, most, depth - 1);
        }
        return;
    }
    if (node->op == OP_NOT && depth > 0) {
        leaf_keys(c, node->a, finds, most, depth - 1);
        finds = true;
    }
    uint64_t term = term_of(p, id, 8);
    bool texts = node->op == OP_IN_TEXTS && p->nodes[node->a].op == OP_SLOT;
    if (node->op == OP_EQ_TEXT) {
        add_key(c, most, KEY_TEXT, term, text_of(&p->consts[node->b]));
    }
    for (uint32_t i = 0; texts && i < p->consts[node->b].n; i++) {
        add_key(c, most, KEY_TEXT, term, text_of(&p->consts[node->b].as.list[i]));
    }
    bool exact = node->op == OP_EQ_TEXT || texts;
    if (!exact || finds) {
        add_key(c, most, term != 0 ? KEY_TERM : KEY_NODE, term != 0 ? term : id, STR(""));
    }
}

static void path_keys(struct cover *c, const struct set_rule *rule, bool finds, size_t most)
{
    for (uint32_t i = 0; i < rule->resource_count; i++) {
        struct str text = rule->resources[i].text, fixed = str_sub(text, 0, rule->resources[i].fixed);
        add_key(c, most, KEY_PATH, 0, fixed);
        bool all = str_eq(str_sub(text, fixed.len, SIZE_MAX), STR("**"));
        if (!finds && all && fixed.len > 0) {
            add_key(c, most, KEY_PATH, 0, str_sub(fixed, 0, fixed.len - 1));
        }
        for (size_t at = 0; finds && at < fixed.len; at++) {
            if (fixed.at[at] == '/' && at + 1 < fixed.len) {
                add_key(c, most, KEY_PATH, 0, str_sub(fixed, 0, at + 1));
            }
        }
    }
}

static void action_keys(struct cover *c, const struct set_rule *rule, size_t most)
{
    for (uint32_t i = 0; i < rule->action_count; i++) {
        add_key(c, most, KEY_ACTION, 0, rule->actions[i]);
    }
}

struct conjuncts {
    const uint32_t *at;
    uint32_t count;
    uint32_t one; // where there is but one
};

static struct conjuncts conjuncts_of(const struct cel_program *p, uint32_t expr)
{
    struct conjuncts all = {.one = expr};
    if (expr == SET_NO_EXPR) {
        return all;
    }
    const struct node *node = &p->nodes[expr];
    bool joined = node->op == OP_AND;
    all.at = joined ? &p->args[node->a] : NULL;
    all.count = joined ? node->b : 1;
    return all;
}

static uint32_t conjunct(const struct conjuncts *all, uint32_t i)
{
    return all->at != NULL ? all->at[i] : all->one;
}

// How well a conjunct tells rules apart: the less the better; 0: it does not.
static unsigned worth(const struct cel_program *p, uint32_t id)
{
    const struct node *node = &p->nodes[id];
    bool texts = node->op == OP_IN_TEXTS && p->nodes[node->a].op == OP_SLOT;
    if (node->op == OP_CONST) {
        return 0;
    }
    return node->op == OP_EQ_TEXT                       ? 2
           : texts && p->consts[node->b].n <= SAME_MOST ? 3
           : node->op == OP_OR                          ? 6
                                                        : 5;
}

// All by which others are found that this rule may imply.
static void keys_to_find(struct cover *c, const struct set_rule *rule)
{
    const struct cel_program *p = c->l->program;
    uint32_t exprs[] = {rule->when, c->l->set->policies[rule->policy].target};
    c->key_count = 0;
    path_keys(c, rule, true, KEYS_MOST);
    action_keys(c, rule, KEYS_MOST);
    for (size_t i = 0; i < COUNT_OF(exprs); i++) {
        struct conjuncts all = conjuncts_of(p, exprs[i]);
        for (uint32_t k = 0; k < all.count; k++) {
            add_key(c, KEYS_MOST, KEY_NODE, conjunct(&all, k), STR(""));
            leaf_keys(c, conjunct(&all, k), true, KEYS_MOST, 3);
        }
    }
}

// Those of the one thing that it tests by which it is told apart best. None: it always holds.
static void keys_to_be_found(struct cover *c, const struct set_rule *rule)
{
    const struct cel_program *p = c->l->program;
    uint32_t exprs[] = {rule->when, c->l->set->policies[rule->policy].target}, best_id = NODE_NONE;
    unsigned best = rule->resource_count > 0 ? 4 : rule->action_count > 0 ? 7 : 9;
    c->key_count = 0;
    for (size_t i = 0; i < COUNT_OF(exprs); i++) {
        struct conjuncts all = conjuncts_of(p, exprs[i]);
        for (uint32_t k = 0; k < all.count; k++) {
            unsigned is = worth(p, conjunct(&all, k));
            // A target is that of many rules.
            is += is > 0 && i == 1 ? 3 : 0;
            if (is > 0 && is < best) {
                best = is;
                best_id = conjunct(&all, k);
            }
        }
    }
    if (best_id != NODE_NONE) {
        leaf_keys(c, best_id, false, SAME_MOST, 2);
    } else if (rule->resource_count > 0) {
        path_keys(c, rule, false, SAME_MOST);
    } else if (rule->action_count > 0) {
        action_keys(c, rule, SAME_MOST);
    }
}

static int by_key(const void *a, const void *b)
{
    const struct entry *one = a, *two = b;
    if (one->key != two->key) {
        return one->key < two->key ? -1 : 1;
    }
    return one->rule != two->rule ? (one->rule < two->rule ? -1 : 1) : 0;
}

// ---- Which rules can be spoken of ---------------------------------------------------------------------

static const struct set_policy *policy_of(const struct lint *l, const struct set_rule *rule)
{
    return &l->set->policies[rule->policy];
}

static bool for_everybody(const struct lint *l, const struct set_rule *rule)
{
    return rule->rollout == SET_NO_ROLLOUT && policy_of(l, rule)->rollout == SET_NO_ROLLOUT;
}

// One that counts whenever it holds: for everybody, at all times, whatever stood before it.
static bool covers_some(const struct lint *l, const struct set_rule *rule)
{
    return !rule->closing && !rule->timed && for_everybody(l, rule);
}

static bool lists(const struct set_numbers *numbers, uint32_t exception)
{
    for (uint32_t i = 0; numbers != NULL && i < numbers->count; i++) {
        if (numbers->at[i] == exception) {
            return true;
        }
    }
    return false;
}

static bool lifted_by(const struct policy_set *set, uint32_t rule, uint32_t exception)
{
    const struct set_rule *of = &set->rules[rule];
    return of->effect != PDP_EFFECT_ALLOW && !of->never_lifted &&
           (lists(&set->lift_all, exception) || (set->lifts != NULL && lists(&set->lifts[rule], exception)));
}

// Does whatever may lift `cover` lift `rule` too? `rule` LINT_NONE: does nothing lift it?
static bool lifted_alike(const struct policy_set *set, uint32_t cover, uint32_t rule)
{
    for (uint32_t i = 0; i < set->exception_count; i++) {
        if (lifted_by(set, cover, i) && (rule == LINT_NONE || !lifted_by(set, rule, i))) {
            return false;
        }
    }
    return true;
}

static bool obliges_no_more(const struct set_rule *rule, const struct set_rule *cover)
{
    for (uint32_t i = 0; i < rule->obligation_count; i++) {
        bool has = false;
        for (uint32_t k = 0; k < cover->obligation_count && !has; k++) {
            has = cover->obligations[k] == rule->obligations[i];
        }
        if (!has) {
            return false;
        }
    }
    return !rule->audit_always || cover->audit_always;
}

// The words of the rule that is named first are told.
static bool says_no_more(uint32_t rule, uint32_t cover, const struct set_rule *of, const struct set_rule *by)
{
    bool words = (of->message.len > 0 && !str_eq(of->message, by->message)) ||
                 (of->reason.len > 0 && !str_eq(of->reason, by->reason));
    return cover < rule || !words;
}

// ---- Proofs -------------------------------------------------------------------------------------------

// In what is assumed, can the rule `by` not have one of these truths? It is a conjunction: any part of it
// may.
static bool never(struct lint *l, uint32_t by, bool may_be_unsure)
{
    const struct set_rule *rule = &l->set->rules[by];
    unsigned bad = may_be_unsure ? MAY_NO : MAY_NO | MAY_UNSURE;
    for (int part = 0; part < 4; part++) {
        struct reason_mark mark = reason_mark(l->reason);
        if (part == 0) {
            reason_actions(l->reason, rule, bad);
        } else if (part == 1) {
            reason_resources(l->reason, rule, bad);
        } else {
            reason_assume(l->reason, part == 2 ? policy_of(l, rule)->target : rule->when, bad);
        }
        bool refuted = reason_refuted(l->reason, EFFORT);
        reason_undo(l->reason, mark);
        if (!refuted) {
            return false;
        }
    }
    return true;
}

// Whenever `rule` has one of the truths `may`, is `by` not no (or, `certain`, yes)?
static bool implies(struct lint *l, uint32_t rule, unsigned may, uint32_t by, bool certain)
{
    struct reason_mark mark = reason_mark(l->reason);
    lint_assume_rule(l, l->reason, rule, may);
    bool holds = never(l, by, !certain);
    reason_undo(l->reason, mark);
    return holds;
}

static bool asks_no_less(const struct set_rule *by, const struct set_rule *rule)
{
    bool soon = rule->max_age_s == 0 || (by->max_age_s > 0 && by->max_age_s <= rule->max_age_s);
    return by->strength >= rule->strength && soon;
}

static bool over_restriction(struct lint *l, uint32_t rule, uint32_t by)
{
    const struct set_rule *of = &l->set->rules[rule], *cover = &l->set->rules[by];
    unsigned counts = MAY_YES | MAY_UNSURE;
    bool step_up = of->effect == PDP_EFFECT_STEP_UP;
    bool stronger = cover->effect == PDP_EFFECT_TERMINATE || cover->effect == of->effect ||
                    (step_up && cover->effect == PDP_EFFECT_DENY);
    if (!stronger || (step_up && cover->effect == PDP_EFFECT_STEP_UP && !asks_no_less(cover, of)) ||
        (of->ends_subject && !cover->ends_subject)) {
        return false;
    }
    return lifted_alike(l->set, by, rule) && implies(l, rule, counts, by, false) &&
           (step_up || implies(l, rule, MAY_YES, by, true));
}

static bool over_allow(struct lint *l, uint32_t rule, uint32_t by)
{
    const struct set_rule *of = &l->set->rules[rule], *cover = &l->set->rules[by];
    bool closes = policy_of(l, of)->algorithm == COMBINE_DENY_UNLESS_ALLOW;
    return cover->effect == PDP_EFFECT_ALLOW && (!closes || cover->policy == of->policy) &&
           implies(l, rule, MAY_YES, by, true);
}

static bool shadowed(struct lint *l, uint32_t rule, uint32_t by)
{
    const struct set_rule *of = &l->set->rules[rule], *cover = &l->set->rules[by];
    if (!obliges_no_more(of, cover) || !says_no_more(rule, by, of, cover)) {
        return false;
    }
    return of->effect == PDP_EFFECT_ALLOW ? over_allow(l, rule, by) : over_restriction(l, rule, by);
}

// An allow that is denied whenever it holds.
static bool overruled(struct lint *l, uint32_t rule, uint32_t by)
{
    bool denies =
        l->set->rules[by].effect == PDP_EFFECT_DENY || l->set->rules[by].effect == PDP_EFFECT_TERMINATE;
    return denies && l->set->rules[rule].effect == PDP_EFFECT_ALLOW && lifted_alike(l->set, by, LINT_NONE) &&
           implies(l, rule, MAY_YES, by, false);
}

// In first-match, one before it that always ends the search: a step_up that is proved does not.
static bool unreached(struct lint *l, uint32_t rule, uint32_t by)
{
    const struct set_rule *cover = &l->set->rules[by];
    return cover->policy == l->set->rules[rule].policy && by < rule && cover->effect != PDP_EFFECT_STEP_UP &&
           lifted_alike(l->set, by, LINT_NONE) && implies(l, rule, MAY_YES | MAY_UNSURE, by, false);
}

// ---- What is said -------------------------------------------------------------------------------------

static void say(struct lint *l, enum lint_code code, uint32_t rule, uint32_t by, const char *what,
                const char *hint)
{
    struct lint_finding *found =
        lint_add(l, code, lint_rule_place(l, rule, NULL), "rule `" STR_FMT "` %s `" STR_FMT "` %s",
                 STR_ARG(l->set->rules[rule].name), what, STR_ARG(l->set->rules[by].name),
                 code == LINT_SHADOWED ? "always holds with it, and restricts no less"
                                       : lint_effect_does(l->set->rules[by].effect));
    found->rule = rule;
    found->other = by;
    lint_hint(l, found, "%s", hint);
}

static bool compare(struct lint *l, uint32_t rule, uint32_t by, const uint32_t *shadow_of)
{
    const struct set_rule *of = &l->set->rules[rule], *cover = &l->set->rules[by];
    bool first = policy_of(l, of)->algorithm == COMBINE_FIRST_MATCH;
    if (by == rule || !covers_some(l, cover)) {
        return false;
    }
    if (first) {
        if (!unreached(l, rule, by)) {
            return false;
        }
        struct lint_finding *found = lint_add(
            l, LINT_UNREACHABLE, lint_rule_place(l, rule, NULL),
            "rule `" STR_FMT "` is never reached: whenever it holds, `" STR_FMT "` before it has matched",
            STR_ARG(of->name), STR_ARG(cover->name));
        found->rule = rule;
        found->other = by;
        lint_hint(l, found, "put it before that one, or take it out");
        return true;
    }
    if (policy_of(l, cover)->algorithm == COMBINE_FIRST_MATCH) {
        return false;
    }
    if (overruled(l, rule, by)) {
        say(l, LINT_UNREACHABLE, rule, by, "never allows anything: whenever it holds,",
            "narrow one of them, or take this one out");
        return true;
    }
    // Of two that say the same, it is the second that says nothing new.
    if (shadow_of[by] == rule || !shadowed(l, rule, by) || (by > rule && shadowed(l, by, rule))) {
        return false;
    }
    say(l, LINT_SHADOWED, rule, by, "changes no answer:", "take it out, or narrow the other one");
    return true;
}

// ---- All rules ----------------------------------------------------------------------------------------

static size_t first_of(const struct cover *c, uint64_t key)
{
    size_t low = 0, high = c->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (c->entries[middle].key < key) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

struct others {
    uint32_t at[OTHERS_MOST];
    size_t count;
};

static void add_other(struct others *others, uint32_t rule)
{
    for (size_t i = 0; i < others->count; i++) {
        if (others->at[i] == rule) {
            return;
        }
    }
    if (others->count < OTHERS_MOST) {
        others->at[others->count++] = rule;
    }
}

static void find_others(struct cover *c, uint32_t rule, struct others *out)
{
    out->count = 0;
    for (size_t i = 0; i < c->always_count && i < OTHERS_MOST / 4; i++) {
        add_other(out, c->always[i]);
    }
    keys_to_find(c, &c->l->set->rules[rule]);
    for (size_t i = 0; i < c->key_count; i++) {
        for (size_t at = first_of(c, c->keys[i]);
             at < c->count && c->entries[at].key == c->keys[i] && out->count < OTHERS_MOST; at++) {
            add_other(out, c->entries[at].rule);
        }
    }
}

static void compare_all(struct cover *c, uint32_t *shadow_of)
{
    struct lint *l = c->l;
    for (uint32_t rule = 0; rule < l->set->rule_count; rule++) {
        struct others others;
        if (l->rules[rule].rule == NULL || l->set->rules[rule].closing ||
            !for_everybody(l, &l->set->rules[rule])) {
            continue;
        }
        find_others(c, rule, &others);
        struct reason_mark mark = reason_mark(l->reason);
        lint_assume_rule(l, l->reason, rule, MAY_YES | MAY_UNSURE);
        bool dead = others.count > 0 && reason_refuted(l->reason, EFFORT);
        reason_undo(l->reason, mark);
        mark = reason_mark(l->reason);
        lint_assume_rule(l, l->reason, rule, MAY_YES);
        dead = dead || (others.count > 0 && reason_refuted(l->reason, EFFORT)); // told as such
        reason_undo(l->reason, mark);
        for (size_t i = 0; !dead && i < others.count && shadow_of[rule] == LINT_NONE; i++) {
            shadow_of[rule] = compare(l, rule, others.at[i], shadow_of) ? others.at[i] : LINT_NONE;
        }
    }
}

void find_covered(struct lint *l)
{
    struct cover *c = lint_array(l, 1, sizeof *c);
    uint32_t *shadow_of = lint_array(l, l->set->rule_count, sizeof *shadow_of);
    struct entry *entries = lint_array(l, (size_t)l->set->rule_count * SAME_MOST, sizeof *entries);
    uint32_t *always = lint_array(l, l->set->rule_count, sizeof *always);
    if (c == NULL || shadow_of == NULL || entries == NULL || always == NULL) {
        return;
    }
    *c = (struct cover){.l = l, .entries = entries, .always = always};
    for (uint32_t i = 0; i < l->set->rule_count; i++) {
        const struct set_rule *rule = &l->set->rules[i];
        shadow_of[i] = LINT_NONE;
        if (l->rules[i].rule == NULL || !covers_some(l, rule)) {
            continue;
        }
        keys_to_be_found(c, rule);
        bool any = rule->when == SET_NO_EXPR && policy_of(l, rule)->target == SET_NO_EXPR &&
                   rule->action_count == 0 && rule->resource_count == 0;
        if (any) {
            c->always[c->always_count++] = i;
        }
        for (size_t k = 0; k < c->key_count; k++) {
            c->entries[c->count++] = (struct entry){c->keys[k], i};
        }
    }
    qsort(c->entries, c->count, sizeof *c->entries, by_key);
    compare_all(c, shadow_of);
}
