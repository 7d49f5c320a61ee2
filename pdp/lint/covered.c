// SPDX-License-Identifier: Apache-2.0
// Rules that never matter: whenever one holds, another one holds that decides over it.
//
// A rule is compared with those alone whose condition shares something with its own that such a proof has to
// go by, and with a bounded number of these.
#include "lint/cover.h"

#include "lint/globs.h"

#include <stdlib.h>

enum {
    EFFORT = 600,
    LOOKS_MOST = 256, // at rules that might be such, of one rule
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

void cover_assume_part(struct lint *l, uint32_t number, unsigned part, unsigned may)
{
    const struct set_rule *rule = &l->set->rules[number];
    if (part == 0) {
        reason_actions(l->reason, rule, may);
    } else if (part == 1) {
        reason_resources(l->reason, rule, may);
    } else {
        reason_assume(l->reason, part == 2 ? lint_policy_of(l, rule)->target : rule->when, may);
    }
}

unsigned cover_bad(enum relation as, bool certain)
{
    return as == RELATION_DENIES || !certain ? MAY_NO : MAY_NO | MAY_UNSURE;
}

// In what is assumed, can the rule not have one of these truths? It is a conjunction: any part of it may.
static bool never(struct lint *l, uint32_t rule, unsigned bad)
{
    for (unsigned part = 0; part < COVER_PARTS; part++) {
        struct reason_mark mark = reason_mark(l->reason);
        cover_assume_part(l, rule, part, bad);
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

static bool has_action(const struct set_rule *rule, struct str action)
{
    for (uint32_t i = 0; i < rule->action_count; i++) {
        if (str_eq(rule->actions[i], action)) {
            return true;
        }
    }
    return false;
}

static bool lists_within(const struct set_rule *rule, const struct set_rule *by)
{
    for (uint32_t i = 0; by->action_count > 0 && i < rule->action_count; i++) {
        if (!has_action(by, rule->actions[i])) {
            return false;
        }
    }
    return by->resource_count == 0 ||
           (rule->resource_count > 0 &&
            globs_within(rule->resources, rule->resource_count, by->resources, by->resource_count));
}

static bool lists_meet(const struct set_rule *rule, const struct set_rule *by)
{
    bool meet = by->action_count == 0 || rule->action_count == 0;
    for (uint32_t i = 0; !meet && i < rule->action_count; i++) {
        meet = has_action(by, rule->actions[i]);
    }
    return meet && !(by->resource_count > 0 && rule->resource_count > 0 &&
                     globs_apart(rule->resources, rule->resource_count, by->resources, by->resource_count));
}

bool cover_shares_topics(struct lint *l, uint64_t topics, const struct set_rule *by)
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

uint64_t cover_topics(struct lint *l, uint32_t rule)
{
    const struct set_rule *of = &l->set->rules[rule];
    return reason_topics(l->reason, of->when) | reason_topics(l->reason, lint_policy_of(l, of)->target) |
           reason_topics_asked(l->reason, of);
}

// Keeps those of the others that hold whenever the rule has one of the truths `may`: are not no, or where
// `certain` yes. false: the rule never has one, which others tell.
static bool prove(struct lint *l, uint32_t rule, unsigned may, bool certain, struct others *others)
{
    struct reason_mark mark = reason_mark(l->reason);
    lint_assume_rule(l, l->reason, rule, may);
    bool can = !reason_refuted(l->reason, EFFORT);
    for (size_t i = 0; i < others->count; i++) {
        bool wanted = can && others->as[i] != RELATION_NONE;
        bool holds = wanted && never(l, others->at[i], cover_bad(others->as[i], certain));
        others->as[i] = holds ? others->as[i] : RELATION_NONE;
    }
    reason_undo(l->reason, mark);
    return can;
}

// An allow counts where it is yes; in first-match, and where it restricts, also where it is unsure. Unsure or
// not is one to a step_up; else what is certain must stay so.
struct cover_need cover_need_of(const struct lint *l, uint32_t rule)
{
    const struct set_rule *of = &l->set->rules[rule];
    bool first = lint_policy_of(l, of)->algorithm == COMBINE_FIRST_MATCH;
    return (struct cover_need){.unsure = first || of->effect != PDP_EFFECT_ALLOW,
                               .certain = !first && of->effect != PDP_EFFECT_STEP_UP};
}

static bool prove_all(struct lint *l, uint32_t rule, struct others *others)
{
    struct cover_need need = cover_need_of(l, rule);
    bool can = !need.unsure || prove(l, rule, MAY_YES | MAY_UNSURE, false, others);
    return can && prove(l, rule, MAY_YES, need.certain, others);
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

// Was nothing said of the rule, after which it may go?
static bool stays(const struct cover *c, uint32_t rule)
{
    uint32_t when = c->l->rules[rule].when;
    return c->cover_of[rule] == LINT_NONE && (when == LINT_NONE || !c->l->dead[when]);
}

static void add_other(struct cover *c, uint32_t rule, uint64_t topics, uint32_t other, bool whole,
                      struct others *out)
{
    const struct set_rule *of = &c->l->set->rules[rule], *by = &c->l->set->rules[other];
    if (c->seen[other] == c->searches || out->count == COVER_OTHERS) {
        return;
    }
    c->seen[other] = c->searches;
    if (whole ? !lists_within(of, by) || !cover_shares_topics(c->l, topics, by) : !lists_meet(of, by)) {
        return;
    }
    enum relation as = relation_of(c->l, rule, other);
    if (as != RELATION_NONE && (whole || stays(c, other))) {
        out->as[out->count] = as;
        out->at[out->count++] = other;
    }
}

// Those beside it in its policy, the nearest first: what they share may be the target alone, which many do.
static void add_neighbours(struct cover *c, uint32_t rule, struct others *out)
{
    const struct set_rule *rules = c->l->set->rules;
    for (uint32_t far = 1; far <= COVER_OTHERS / 2; far++) {
        if (far <= rule && rules[rule - far].policy == rules[rule].policy) {
            add_other(c, rule, 0, rule - far, false, out);
        }
        if (rule + far < c->l->set->rule_count && rules[rule + far].policy == rules[rule].policy) {
            add_other(c, rule, 0, rule + far, false, out);
        }
    }
}

void cover_find(struct cover *c, uint32_t rule, bool whole, struct others *out)
{
    size_t looks = 0;
    uint64_t topics = cover_topics(c->l, rule);
    out->count = 0;
    c->searches++;
    for (size_t i = 0; i < c->always_count && i < COVER_OTHERS / 4; i++) {
        add_other(c, rule, topics, c->always[i], whole, out);
    }
    if (!whole) {
        add_neighbours(c, rule, out);
    }
    keys_to_find(&c->keys, &c->l->set->rules[rule]);
    for (size_t i = 0; i < c->keys.count; i++) {
        size_t at = first_of(c, c->keys.at[i]);
        for (; at < c->count && c->entries[at].key == c->keys.at[i] && looks < LOOKS_MOST; at++, looks++) {
            add_other(c, rule, topics, c->entries[at].rule, whole, out);
        }
    }
}

bool cover_speaks_of(const struct lint *l, uint32_t rule)
{
    const struct set_rule *of = &l->set->rules[rule];
    return l->rules[rule].rule != NULL && !of->closing && for_everybody(l, of);
}

static void compare_all(struct cover *c)
{
    struct lint *l = c->l;
    for (uint32_t rule = 0; rule < l->set->rule_count; rule++) {
        struct others others;
        if (!cover_speaks_of(l, rule)) {
            continue;
        }
        cover_find(c, rule, true, &others);
        if (others.count > 0 && prove_all(l, rule, &others)) {
            c->cover_of[rule] = covered_by(l, rule, &others, c->cover_of);
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
    *c = (struct cover){.l = l,
                        .entries = entries,
                        .always = always,
                        .seen = seen,
                        .cover_of = cover_of,
                        .keys = {.l = l, .census = census}};
    for (uint32_t i = 0; i < l->set->rule_count; i++) {
        keys_count(&c->keys, &l->set->rules[i]);
    }
    for (uint32_t i = 0; i < l->set->rule_count; i++) {
        const struct set_rule *rule = &l->set->rules[i];
        cover_of[i] = LINT_NONE;
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
    compare_all(c);
    cover_together(c);
}
