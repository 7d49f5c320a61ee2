// SPDX-License-Identifier: Apache-2.0
// Rules that never matter: whenever one holds, another one holds that decides over it.
//
// A rule is compared with those alone whose condition shares something with its own that such a proof has to
// go by, and with a bounded number of these.
#include "lint/globs.h"
#include "lint/keys.h"

#include <stdlib.h>

enum {
    EFFORT = 600,
    OTHERS_MOST = 64, // with which one rule is compared
    LOOKS_MOST = 256, // at rules that might be such, of one rule
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
    uint32_t *seen; // of each rule, for which one it was looked at last
    struct keys keys;
};

static int by_key(const void *a, const void *b)
{
    const struct entry *one = a, *two = b;
    if (one->key != two->key) {
        return one->key < two->key ? -1 : 1;
    }
    return one->rule != two->rule ? (one->rule < two->rule ? -1 : 1) : 0;
}

// ---- Which rules can be spoken of ---------------------------------------------------------------------

static bool for_everybody(const struct lint *l, const struct set_rule *rule)
{
    return rule->rollout == SET_NO_ROLLOUT && lint_policy_of(l, rule)->rollout == SET_NO_ROLLOUT;
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

// One that has expired lifts nothing any more.
static bool lifted_by(const struct lint *l, uint32_t rule, uint32_t exception)
{
    const struct policy_set *set = l->set;
    const struct set_rule *of = &set->rules[rule];
    return of->effect != PDP_EFFECT_ALLOW && !of->never_lifted &&
           set->exceptions[exception].expires_ms > l->in->now_ms &&
           (lists(&set->lift_all, exception) || (set->lifts != NULL && lists(&set->lifts[rule], exception)));
}

// Does whatever may lift `cover` lift `rule` too? `rule` LINT_NONE: does nothing lift it?
static bool lifted_alike(const struct lint *l, uint32_t cover, uint32_t rule)
{
    for (uint32_t i = 0; i < l->set->exception_count; i++) {
        if (lifted_by(l, cover, i) && (rule == LINT_NONE || !lifted_by(l, rule, i))) {
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
            reason_assume(l->reason, part == 2 ? lint_policy_of(l, rule)->target : rule->when, bad);
        }
        bool refuted = reason_refuted(l->reason, EFFORT);
        reason_undo(l->reason, mark);
        if (!refuted) {
            return false;
        }
    }
    return true;
}

static bool asks_no_less(const struct set_rule *by, const struct set_rule *rule)
{
    bool soon = rule->max_age_s == 0 || (by->max_age_s > 0 && by->max_age_s <= rule->max_age_s);
    return by->strength >= rule->strength && soon;
}

// What a rule would be to another one, if it always held with it.
enum relation {
    RELATION_NONE,
    RELATION_REACHED, // in first-match: the other one is never reached
    RELATION_DENIES,  // an allow: the other one denies whatever it allows
    RELATION_SHADOWS, // the other one restricts no less, or allows as much
};

static bool restricts_no_less(const struct set_rule *by, const struct set_rule *rule)
{
    if (rule->effect == PDP_EFFECT_STEP_UP && by->effect == PDP_EFFECT_STEP_UP) {
        return asks_no_less(by, rule);
    }
    bool stronger = by->effect == PDP_EFFECT_TERMINATE || by->effect == rule->effect ||
                    (rule->effect == PDP_EFFECT_STEP_UP && by->effect == PDP_EFFECT_DENY);
    return stronger && (!rule->ends_subject || by->ends_subject);
}

static bool allows_as_much(const struct lint *l, const struct set_rule *by, const struct set_rule *rule)
{
    bool closes = lint_policy_of(l, rule)->algorithm == COMBINE_DENY_UNLESS_ALLOW;
    return by->effect == PDP_EFFECT_ALLOW && (!closes || by->policy == rule->policy);
}

static bool denies(enum pdp_effect effect)
{
    return effect == PDP_EFFECT_DENY || effect == PDP_EFFECT_TERMINATE;
}

// By what is written of both, before anything is proved of their conditions.
static enum relation relation_of(const struct lint *l, uint32_t rule, uint32_t by)
{
    const struct set_rule *of = &l->set->rules[rule], *cover = &l->set->rules[by];
    if (by == rule || !covers_some(l, cover)) {
        return RELATION_NONE;
    }
    if (lint_policy_of(l, of)->algorithm == COMBINE_FIRST_MATCH) {
        bool before = cover->policy == of->policy && by < rule;
        // A step_up that is proved does not end the search.
        bool ends = before && cover->effect != PDP_EFFECT_STEP_UP && lifted_alike(l, by, LINT_NONE);
        return ends ? RELATION_REACHED : RELATION_NONE;
    }
    if (lint_policy_of(l, cover)->algorithm == COMBINE_FIRST_MATCH) {
        return RELATION_NONE;
    }
    bool allow = of->effect == PDP_EFFECT_ALLOW;
    if (allow && denies(cover->effect)) {
        return lifted_alike(l, by, LINT_NONE) ? RELATION_DENIES : RELATION_NONE;
    }
    bool covers = allow ? allows_as_much(l, cover, of)
                        : cover->effect != PDP_EFFECT_ALLOW && restricts_no_less(cover, of) &&
                              lifted_alike(l, by, rule);
    bool adds = !obliges_no_more(of, cover) || !says_no_more(rule, by, of, cover);
    return covers && !adds ? RELATION_SHADOWS : RELATION_NONE;
}

static bool lists_within(const struct set_rule *rule, const struct set_rule *by)
{
    for (uint32_t i = 0; by->action_count > 0 && i < rule->action_count; i++) {
        bool has = false;
        for (uint32_t k = 0; k < by->action_count && !has; k++) {
            has = str_eq(by->actions[k], rule->actions[i]);
        }
        if (!has) {
            return false;
        }
    }
    return by->resource_count == 0 ||
           (rule->resource_count > 0 &&
            globs_within(rule->resources, rule->resource_count, by->resources, by->resource_count));
}

// Nothing that has nothing to do with a rule is implied by it: each conjunct must share a topic with it.
static bool shares_topics(struct lint *l, uint64_t topics, const struct set_rule *by)
{
    uint32_t exprs[] = {by->when, lint_policy_of(l, by)->target};
    for (size_t i = 0; i < COUNT_OF(exprs); i++) {
        struct conjuncts all = keys_conjuncts(l->program, exprs[i]);
        for (uint32_t k = 0; k < all.count; k++) {
            uint64_t own = reason_topics(l->reason, keys_conjunct(&all, k));
            if (own != 0 && (own & topics) == 0) {
                return false;
            }
        }
    }
    return true;
}

static uint64_t topics_of(struct lint *l, const struct set_rule *rule)
{
    return reason_topics(l->reason, rule->when) | reason_topics(l->reason, lint_policy_of(l, rule)->target) |
           reason_topics_asked(l->reason, rule);
}

struct others {
    uint32_t at[OTHERS_MOST];
    enum relation as[OTHERS_MOST];
    size_t count;
};

// Keeps those of the others that hold whenever the rule has one of the truths `may`: are not no, or where
// `certain` yes. false: the rule never has one, which others tell.
static bool prove(struct lint *l, uint32_t rule, unsigned may, bool certain, struct others *others)
{
    struct reason_mark mark = reason_mark(l->reason);
    lint_assume_rule(l, l->reason, rule, may);
    bool can = !reason_refuted(l->reason, EFFORT);
    for (size_t i = 0; i < others->count; i++) {
        bool wanted = can && others->as[i] != RELATION_NONE;
        bool holds = wanted && never(l, others->at[i], others->as[i] == RELATION_DENIES || !certain);
        others->as[i] = holds ? others->as[i] : RELATION_NONE;
    }
    reason_undo(l->reason, mark);
    return can;
}

// An allow counts where it is yes; in first-match, and where it restricts, also where it is unsure.
static bool prove_all(struct lint *l, uint32_t rule, struct others *others)
{
    const struct set_rule *of = &l->set->rules[rule];
    bool first = lint_policy_of(l, of)->algorithm == COMBINE_FIRST_MATCH,
         allow = of->effect == PDP_EFFECT_ALLOW && !first;
    bool can = allow || prove(l, rule, MAY_YES | MAY_UNSURE, false, others);
    // Unsure or not is one to a step_up; else what is certain must stay so.
    bool certain = !first && of->effect != PDP_EFFECT_STEP_UP;
    return can && prove(l, rule, MAY_YES, certain, others);
}

static bool shadows(struct lint *l, uint32_t rule, uint32_t by)
{
    struct others one = {.at = {by}, .as = {relation_of(l, rule, by)}, .count = 1};
    return one.as[0] == RELATION_SHADOWS && prove_all(l, rule, &one) && one.as[0] == RELATION_SHADOWS;
}

// ---- What is said -------------------------------------------------------------------------------------

static void say(struct lint *l, uint32_t rule, uint32_t by, enum relation as)
{
    struct str name = l->set->rules[rule].name, other = l->set->rules[by].name;
    struct place place = lint_rule_place(l, rule, NULL);
    struct lint_finding *found = NULL;
    if (as == RELATION_REACHED) {
        found = lint_add(l, LINT_UNREACHABLE, place,
                         "rule `" STR_FMT "` is never reached: whenever it holds, `" STR_FMT
                         "` before it has matched",
                         STR_ARG(name), STR_ARG(other));
        lint_hint(l, found, "put it before that one, or take it out");
    } else if (as == RELATION_DENIES) {
        found = lint_add(l, LINT_UNREACHABLE, place,
                         "rule `" STR_FMT "` never allows anything: whenever it holds, `" STR_FMT "` %s",
                         STR_ARG(name), STR_ARG(other), lint_effect_does(l->set->rules[by].effect));
        lint_hint(l, found, "narrow one of them, or take this one out");
    } else {
        bool allow = l->set->rules[by].effect == PDP_EFFECT_ALLOW;
        found = lint_add(l, LINT_SHADOWED, place,
                         "rule `" STR_FMT "` changes no answer: `" STR_FMT "` always holds with it, and %s",
                         STR_ARG(name), STR_ARG(other), allow ? "allows as much" : "restricts no less");
        lint_hint(l, found, "take it out, or narrow the other one");
    }
    found->rule = rule;
    found->other = by;
}

// The first of the others that is proved; LINT_NONE: none is.
static uint32_t covered_by(struct lint *l, uint32_t rule, const struct others *others,
                           const uint32_t *cover_of)
{
    for (size_t i = 0; i < others->count; i++) {
        uint32_t by = others->at[i];
        if (others->as[i] == RELATION_NONE || cover_of[by] == rule) {
            continue;
        }
        // Of two that say the same, it is the second that says nothing new.
        if (others->as[i] == RELATION_SHADOWS && by > rule && shadows(l, by, rule)) {
            continue;
        }
        say(l, rule, by, others->as[i]);
        return by;
    }
    return LINT_NONE;
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

static void add_other(struct cover *c, uint32_t rule, uint64_t topics, uint32_t other, struct others *out)
{
    const struct set_rule *of = &c->l->set->rules[rule], *by = &c->l->set->rules[other];
    if (c->seen[other] == rule || out->count == OTHERS_MOST) {
        return;
    }
    c->seen[other] = rule;
    if (!lists_within(of, by) || !shares_topics(c->l, topics, by)) {
        return;
    }
    enum relation as = relation_of(c->l, rule, other);
    if (as != RELATION_NONE) {
        out->as[out->count] = as;
        out->at[out->count++] = other;
    }
}

static void find_others(struct cover *c, uint32_t rule, struct others *out)
{
    size_t looks = 0;
    uint64_t topics = topics_of(c->l, &c->l->set->rules[rule]);
    out->count = 0;
    for (size_t i = 0; i < c->always_count && i < OTHERS_MOST / 4; i++) {
        add_other(c, rule, topics, c->always[i], out);
    }
    keys_to_find(&c->keys, &c->l->set->rules[rule]);
    for (size_t i = 0; i < c->keys.count; i++) {
        size_t at = first_of(c, c->keys.at[i]);
        for (; at < c->count && c->entries[at].key == c->keys.at[i] && looks < LOOKS_MOST; at++, looks++) {
            add_other(c, rule, topics, c->entries[at].rule, out);
        }
    }
}

static void compare_all(struct cover *c, uint32_t *cover_of)
{
    struct lint *l = c->l;
    for (uint32_t rule = 0; rule < l->set->rule_count; rule++) {
        struct others others;
        bool written = l->rules[rule].rule != NULL && !l->set->rules[rule].closing;
        if (!written || !for_everybody(l, &l->set->rules[rule])) {
            continue;
        }
        find_others(c, rule, &others);
        if (others.count > 0 && prove_all(l, rule, &others)) {
            cover_of[rule] = covered_by(l, rule, &others, cover_of);
        }
    }
}

void find_covered(struct lint *l)
{
    struct cover *c = lint_array(l, 1, sizeof *c);
    uint32_t *cover_of = lint_array(l, l->set->rule_count, sizeof *cover_of);
    struct entry *entries = lint_array(l, (size_t)l->set->rule_count * KEYS_SAME_MOST, sizeof *entries);
    uint32_t *always = lint_array(l, l->set->rule_count, sizeof *always);
    uint32_t *seen = lint_array(l, l->set->rule_count, sizeof *seen);
    uint32_t *census = lint_array(l, KEYS_CENSUS, sizeof *census);
    if (l->err != PDP_ERR_OK) {
        return;
    }
    *c = (struct cover){
        .l = l, .entries = entries, .always = always, .seen = seen, .keys = {.l = l, .census = census}};
    for (uint32_t i = 0; i < l->set->rule_count; i++) {
        keys_count(&c->keys, &l->set->rules[i]);
    }
    for (uint32_t i = 0; i < l->set->rule_count; i++) {
        const struct set_rule *rule = &l->set->rules[i];
        cover_of[i] = seen[i] = LINT_NONE;
        if (l->rules[i].rule == NULL || !covers_some(l, rule)) {
            continue;
        }
        keys_to_be_found(&c->keys, rule);
        bool any = rule->when == SET_NO_EXPR && lint_policy_of(l, rule)->target == SET_NO_EXPR &&
                   rule->action_count == 0 && rule->resource_count == 0;
        if (any) {
            c->always[c->always_count++] = i;
        }
        for (size_t k = 0; k < c->keys.count; k++) {
            c->entries[c->count++] = (struct entry){c->keys.at[k], i};
        }
    }
    qsort(c->entries, c->count, sizeof *c->entries, by_key);
    compare_all(c, cover_of);
}
