// SPDX-License-Identifier: Apache-2.0
// Rules that never matter since several others together hold whenever they do: each question finds one of
// them.
//
// The assumption that is refuted is that the rule holds and none of the others does. Each of those is a
// conjunction, so that it is tried with each of its parts: few are open at most once the rule is assumed.
#include "lint/cover.h"

enum {
    EFFORT = 600,      // to tell whether the rule holds at all
    EFFORT_ALL = 2400, // of one proof, all that is tried together
    SHOWN_MOST = 6,    // names in a message
};

struct proof {
    struct lint *l;
    bool certain;
    int64_t left;
    uint32_t rules[COVER_OTHERS]; // those with one open part first
    enum relation as[COVER_OTHERS];
    uint8_t open[COVER_OTHERS]; // parts that may be what makes the rule not hold, a bit each
    size_t count;
};

// ---- One proof ----------------------------------------------------------------------------------------

static uint8_t open_parts(struct lint *l, uint32_t rule, unsigned bad)
{
    uint8_t open = 0;
    for (unsigned part = 0; part < COVER_PARTS; part++) {
        struct reason_mark mark = reason_mark(l->reason);
        cover_assume_part(l, rule, part, bad);
        open |= (uint8_t)(reason_plain(l->reason) ? 0U : 1U << part);
        reason_undo(l->reason, mark);
    }
    return open;
}

// One that cannot hold together with the rule has no part in covering it.
static bool meets(struct lint *l, uint32_t rule, unsigned good)
{
    struct reason_mark mark = reason_mark(l->reason);
    for (unsigned part = 0; part < COVER_PARTS; part++) {
        cover_assume_part(l, rule, part, good);
    }
    bool meets = !reason_plain(l->reason);
    reason_undo(l->reason, mark);
    return meets;
}

static void add_member(struct proof *p, uint32_t rule, enum relation as)
{
    unsigned bad = cover_bad(as, p->certain);
    uint8_t open = open_parts(p->l, rule, bad);
    if (open != 0 && !meets(p->l, rule, MAY_ALL & ~bad)) {
        return;
    }
    size_t at = p->count++;
    bool one = (open & (open - 1)) == 0;
    for (; one && at > 0 && (p->open[at - 1] & (p->open[at - 1] - 1)) != 0; at--) {
        p->rules[at] = p->rules[at - 1];
        p->as[at] = p->as[at - 1];
        p->open[at] = p->open[at - 1];
    }
    p->rules[at] = rule;
    p->as[at] = as;
    p->open[at] = open;
}

// Is it impossible that none of those from `at` on holds? Each by whichever part it does not.
static bool none_fails(struct proof *p, size_t at)
{
    if (reason_plain(p->l->reason)) {
        return true;
    }
    if (p->left-- <= 0) {
        return false;
    }
    if (at == p->count) {
        bool refuted = reason_refuted(p->l->reason, (uint32_t)p->left);
        p->left = reason_left(p->l->reason);
        return refuted;
    }
    for (unsigned part = 0; part < COVER_PARTS; part++) {
        if ((p->open[at] >> part & 1) == 0) {
            continue;
        }
        struct reason_mark mark = reason_mark(p->l->reason);
        cover_assume_part(p->l, p->rules[at], part, cover_bad(p->as[at], p->certain));
        bool fails = none_fails(p, at + 1);
        reason_undo(p->l->reason, mark);
        if (!fails) {
            return false;
        }
    }
    return true;
}

// Whenever the rule has one of the truths `may`, does one of the others hold?
static bool prove(struct lint *l, uint32_t rule, unsigned may, bool certain, const struct others *others)
{
    struct proof proof = {.l = l, .certain = certain, .left = EFFORT_ALL};
    struct reason_mark mark = reason_mark(l->reason);
    lint_assume_rule(l, l->reason, rule, may);
    bool can = !reason_refuted(l->reason, EFFORT); // else others tell
    for (size_t i = 0; can && i < others->count; i++) {
        add_member(&proof, others->at[i], others->as[i]);
    }
    bool proved = can && proof.count > 0 && none_fails(&proof, 0);
    reason_undo(l->reason, mark);
    return proved;
}

static bool prove_all(struct lint *l, uint32_t rule, const struct others *others)
{
    struct cover_need need = cover_need_of(l, rule);
    return (!need.unsure || prove(l, rule, MAY_YES | MAY_UNSURE, false, others)) &&
           prove(l, rule, MAY_YES, need.certain, others);
}

// ---- Which others -------------------------------------------------------------------------------------

static void take_out(struct others *others, size_t at)
{
    others->count--;
    for (size_t i = at; i < others->count; i++) {
        others->at[i] = others->at[i + 1];
        others->as[i] = others->as[i + 1];
    }
}

// What a conjunct of one of them speaks of, the rule must speak of too, or another one: else nothing shows
// that it holds. Each that goes may take others along.
static void keep_related(struct lint *l, uint32_t rule, struct others *others)
{
    uint64_t own = cover_topics(l, rule);
    for (bool again = true; again;) {
        uint64_t once = own, more = own;
        again = false;
        for (size_t i = 0; i < others->count; i++) {
            uint64_t topics = cover_topics(l, others->at[i]);
            more |= once & topics;
            once |= topics;
        }
        for (size_t i = others->count; i-- > 0;) {
            if (!cover_shares_topics(l, more, &l->set->rules[others->at[i]])) {
                take_out(others, i);
                again = true;
            }
        }
    }
}

// By their numbers.
static void sort(struct others *others)
{
    for (size_t i = 1; i < others->count; i++) {
        for (size_t k = i; k > 0 && others->at[k - 1] > others->at[k]; k--) {
            uint32_t rule = others->at[k];
            enum relation as = others->as[k];
            others->at[k] = others->at[k - 1];
            others->as[k] = others->as[k - 1];
            others->at[k - 1] = rule;
            others->as[k - 1] = as;
        }
    }
}

// The last first, so that of those that do the same the first are told.
static void keep_needed(struct lint *l, uint32_t rule, struct others *others)
{
    sort(others);
    for (size_t i = others->count; i-- > 0;) {
        struct others fewer = *others;
        take_out(&fewer, i);
        if (fewer.count > 0 && prove_all(l, rule, &fewer)) {
            *others = fewer;
        }
    }
}

// ---- What is said -------------------------------------------------------------------------------------

// "`a`, `b` and `c`".
static struct str names_of(struct lint *l, const struct others *others)
{
    AUTO(buf_fini) struct buf out = {0};
    size_t shown = others->count <= SHOWN_MOST ? others->count : SHOWN_MOST - 1;
    for (size_t i = 0; i < shown; i++) {
        bool last = i + 1 == others->count;
        buf_printf(&out, "%s`" STR_FMT "`",
                   i == 0 ? ""
                   : last ? " and "
                          : ", ",
                   STR_ARG(l->set->rules[others->at[i]].name));
    }
    if (shown < others->count) {
        buf_printf(&out, " and %zu more", others->count - shown);
    }
    bool ok = !out.failed;
    struct str kept = arena_str(&l->arena, buf_view(&out), &ok);
    l->err = ok ? l->err : PDP_ERR_NOMEM;
    return kept;
}

static size_t count_as(const struct others *others, enum relation as)
{
    size_t count = 0;
    for (size_t i = 0; i < others->count; i++) {
        count += others->as[i] == as;
    }
    return count;
}

static const char *what_all_do(struct lint *l, const struct others *others)
{
    enum pdp_effect effect = l->set->rules[others->at[0]].effect;
    for (size_t i = 1; i < others->count; i++) {
        effect = l->set->rules[others->at[i]].effect == effect ? effect : PDP_EFFECT_DENY;
    }
    return lint_effect_does(effect);
}

static void say(struct lint *l, uint32_t rule, const struct others *others)
{
    struct str name = l->set->rules[rule].name, names = names_of(l, others);
    struct place place = lint_rule_place(l, rule, NULL);
    struct lint_finding *found = NULL;
    const char *one = others->count > 1 ? "one of " : "";
    size_t deny = count_as(others, RELATION_DENIES);
    if (others->as[0] == RELATION_REACHED) {
        found = lint_add(l, LINT_UNREACHABLE, place,
                         "rule `" STR_FMT "` is never reached: whenever it holds, %s" STR_FMT
                         " before it has matched",
                         STR_ARG(name), one, STR_ARG(names));
        lint_hint(l, found, "put it before them, or take it out");
    } else if (deny == others->count) {
        found = lint_add(l, LINT_UNREACHABLE, place,
                         "rule `" STR_FMT "` never allows anything: whenever it holds, %s" STR_FMT " %s",
                         STR_ARG(name), one, STR_ARG(names), what_all_do(l, others));
        lint_hint(l, found, "narrow one of them, or take this one out");
    } else {
        bool allow = l->set->rules[rule].effect == PDP_EFFECT_ALLOW;
        found = lint_add(l, LINT_SHADOWED, place,
                         "rule `" STR_FMT "` changes no answer: whenever it holds, %s" STR_FMT
                         " does too, and %s",
                         STR_ARG(name), one, STR_ARG(names),
                         deny > 0 ? "denies or allows as much"
                         : allow  ? "allows as much"
                                  : "restricts no less");
        lint_hint(l, found, "take it out, or narrow one of the others");
    }
    found->rule = rule;
    found->other = others->at[0];
}

void cover_together(struct cover *c)
{
    struct lint *l = c->l;
    for (uint32_t rule = 0; rule < l->set->rule_count; rule++) {
        struct others others;
        if (c->cover_of[rule] != LINT_NONE || !cover_speaks_of(l, rule)) {
            continue;
        }
        cover_find(c, rule, false, &others);
        keep_related(l, rule, &others);
        if (others.count > 0 && prove_all(l, rule, &others)) {
            keep_needed(l, rule, &others);
            say(l, rule, &others);
            c->cover_of[rule] = others.at[0]; // it covers no other any more
        }
    }
}
