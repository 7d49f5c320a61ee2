// SPDX-License-Identifier: Apache-2.0
// HOT
#include "engine/control.h"

#include "engine/where.h"

#include "policy/combine.h"

// ---- What a question says of itself ------------------------------------------------------------------

// Roles as conditions see them. Not a list: missing.
static const struct value *roles_of(const struct ask *ask)
{
    struct value *all = arena_alloc(&ask->worker->arena, sizeof *all, _Alignof(struct value));
    return all != NULL && ask_roles(ask, all) ? all : NULL;
}

void control_facts(const struct ask *ask, enum controls_part_id part, struct control_facts *out)
{
    const struct request *request = ask->request;
    bool device = ask_may(ask, GRANT_ASSERT_DEVICE);
    *out = (struct control_facts){
        .has_session = ask->has_session,
        .session = ask->session.id,
        .family = controls_ask(ask->controls, part, CONTROL_FAMILY)
                      ? control_family(ask->worker->engine->sessions, &ask->session)
                      : (struct hash128){0},
        .tenant = request->tenant,
        .subject_type = request->subject_type,
        .subject_id = request->subject_id,
        .ja4 = device ? request->ja4 : (struct str){0},
        .gateway = ask->peer->name,
        .device = device && (ask->seen.flags & SIGHT_HAS_FINGERPRINT) != 0 ? ask->seen.fingerprint : 0,
        .has_ip = ask->has_ip,
        .ip = ask->ip,
        .asn = ask->seen.asn,
        .country = ask->seen.country,
    };
    if (controls_ask(ask->controls, part, CONTROL_ROLE)) {
        out->roles = roles_of(ask);
    }
}

// ---- Cut-offs ------------------------------------------------------------------------------------------

static void meet_cut(void *user, const struct control *control, enum truth truth)
{
    struct ask_cut *cut = user;
    if (truth == TRUTH_YES && control->before_ms > cut->before_ms) {
        cut->before_ms = control->before_ms;
        cut->control = control;
    } else if (truth == TRUTH_UNSURE && control->before_ms > cut->maybe_ms) {
        cut->maybe_ms = control->before_ms;
        cut->maybe = control;
    }
}

void control_cuts(struct ask *ask)
{
    ask->cut = (struct ask_cut){.before_ms = (int64_t)ask->user.cutoff_s * TIME_MS_PER_S};
    if (ask->controls == NULL || !ask->has_session || !controls_any(ask->controls, CONTROLS_CUT_OFFS)) {
        return;
    }
    struct control_facts facts;
    control_facts(ask, CONTROLS_CUT_OFFS, &facts);
    controls_find(ask->controls, CONTROLS_CUT_OFFS, &facts, ask->now_ms, meet_cut, &ask->cut);
}

enum truth control_cuts_at(const struct ask *ask, int64_t auth_ms)
{
    return auth_ms < ask->cut.before_ms ? TRUTH_YES : auth_ms < ask->cut.maybe_ms ? TRUTH_UNSURE : TRUTH_NO;
}

enum truth control_cut_off(const struct ask *ask)
{
    // What the record holds was there when the session began; a claim of today counts only for a new one.
    int64_t auth_ms = ask->known ? ask->session.auth_time_ms : ask->has_auth_time ? ask->auth_time_ms : 0;
    return control_cuts_at(ask, auth_ms);
}

// ---- Locks ---------------------------------------------------------------------------------------------

static const enum pdp_effect EFFECTS[] = {[COMBINE_STEP_UP] = PDP_EFFECT_STEP_UP,
                                          [COMBINE_DENY] = PDP_EFFECT_DENY,
                                          [COMBINE_TERMINATE] = PDP_EFFECT_TERMINATE};

// Locks of one outcome, those with the lowest numbers.
struct outcome_locks {
    const struct control *at[VERDICT_RULES_MAX];
    size_t count;
    const struct control *certain, *unsure; // the first of each; NULL: none
};

struct found {
    struct ask *ask;
    bool events; // an event proves nothing: a step_up is none of its business
    struct outcome_locks of[COMBINE_TERMINATE + 1];
    bool by_session;               // one names this very session
    bool has_require, no_strength; // no_strength: one requires what policies do not know
    uint32_t strength;
    int64_t max_age_s, until_ms;
    struct where_found where;
};

static void keep(struct outcome_locks *locks, const struct control *control)
{
    size_t to = locks->count;
    for (size_t i = 0; i < locks->count; i++) {
        if (locks->at[i] == control) {
            return;
        }
    }
    if (to == COUNT_OF(locks->at)) {
        to--;
        if (locks->at[to]->number < control->number) {
            return;
        }
    } else {
        locks->count++;
    }
    for (; to > 0 && locks->at[to - 1]->number > control->number; to--) {
        locks->at[to] = locks->at[to - 1];
    }
    locks->at[to] = control;
}

static void first(const struct control **kept, const struct control *control)
{
    if (*kept == NULL || control->number < (*kept)->number) {
        *kept = control;
    }
}

static bool strength_of(const struct ask *ask, const struct control *control, uint32_t *strength)
{
    const struct policy_names *names = &ask->snapshot->names;
    for (uint32_t i = 0; i < names->strength_count; i++) {
        if (str_eq(names->strengths[i], control->strength)) {
            *strength = i;
            return true;
        }
    }
    return false;
}

// Strongest strength and shortest age of what is not proved.
static enum combine_outcome require(struct found *found, const struct control *control)
{
    uint32_t strength = 0;
    int64_t until_ms = INT64_MAX;
    if (found->events) {
        return COMBINE_NONE;
    }
    if (!strength_of(found->ask, control, &strength)) {
        found->no_strength = true;
        return COMBINE_DENY;
    }
    bool proved = ask_proved(found->ask, strength, control->max_age_s, &until_ms);
    found->until_ms = num_min(found->until_ms, until_ms);
    if (proved) {
        return COMBINE_NONE;
    }
    found->strength = found->has_require && found->strength > strength ? found->strength : strength;
    bool shorter = found->max_age_s == 0 || control->max_age_s < found->max_age_s;
    found->max_age_s = control->max_age_s > 0 && shorter ? control->max_age_s : found->max_age_s;
    found->has_require = true;
    return COMBINE_STEP_UP;
}

static void meet_lock(void *user, const struct control *control, enum truth truth)
{
    struct found *found = user;
    found->by_session = found->by_session || control->target.kind == CONTROL_SESSION;
    enum combine_outcome outcome = COMBINE_DENY;
    bool certain = truth == TRUTH_YES;
    if (control->effect == PDP_EFFECT_STEP_UP) {
        outcome = require(found, control);
        certain = certain && outcome != COMBINE_DENY;
    } else if (control->effect == PDP_EFFECT_TERMINATE && certain) {
        outcome = COMBINE_TERMINATE;
    }
    if (outcome == COMBINE_NONE) {
        return;
    }
    struct outcome_locks *locks = &found->of[outcome];
    keep(locks, control);
    if (!certain) {
        first(&locks->unsure, control);
    }
    if (certain || outcome == COMBINE_STEP_UP) { // what a step_up asks for is the same either way
        first(&locks->certain, control);
    }
}

// false: there is none.
static bool find_locks(struct ask *ask, bool events, struct found *out)
{
    if (ask->controls == NULL || !controls_any(ask->controls, CONTROLS_LOCKS)) {
        return false;
    }
    struct control_facts facts;
    *out = (struct found){.ask = ask, .events = events, .until_ms = INT64_MAX};
    control_facts(ask, CONTROLS_LOCKS, &facts);
    controls_find(ask->controls, CONTROLS_LOCKS, &facts, ask->now_ms, meet_lock, out);
    where_find(ask, &facts, meet_lock, out, &out->where);
    out->until_ms = num_min(out->until_ms, out->where.until_ms);
    return true;
}

static enum combine_outcome worst_of(const struct found *found)
{
    enum combine_outcome worst = COMBINE_TERMINATE;
    while (worst > COMBINE_NONE && found->of[worst].count == 0) {
        worst--;
    }
    return worst;
}

static void lacks(struct ask *ask, const struct found *found, const struct outcome_locks *locks,
                  struct policy_result *result)
{
    struct str *list = ARENA_ARRAY(&ask->worker->arena, struct str, result->missing_count + 1);
    if (list == NULL || locks->unsure == NULL) {
        return;
    }
    for (size_t i = 0; i < result->missing_count; i++) {
        list[i] = result->missing[i];
    }
    bool strength = found->no_strength && locks->unsure->effect == PDP_EFFECT_STEP_UP;
    bool where = locks->unsure->target.kind == CONTROL_WHERE && found->where.why.len > 0;
    list[result->missing_count++] = strength ? STR("the strength that a lock requires is not defined")
                                    : where  ? found->where.why
                                             : str_of(control_lacks(locks->unsure->target.kind));
    result->missing = list;
}

static void merge_require(const struct found *found, struct policy_result *result)
{
    bool had = result->has_require;
    result->require_strength =
        had && result->require_strength > found->strength ? result->require_strength : found->strength;
    bool shorter = !had || result->require_max_age_s == 0 ||
                   (found->max_age_s > 0 && found->max_age_s < result->require_max_age_s);
    result->require_max_age_s = shorter ? found->max_age_s : result->require_max_age_s;
    result->has_require = true;
}

// The words of the first lock that is certain; what is merely unsure would tell what may not be so.
static void take_words(const struct outcome_locks *locks, bool alone, struct policy_result *result)
{
    const struct control *control = locks->certain;
    if (alone) {
        result->message = result->reason = (struct str){0};
        result->obligations = NULL;
        result->obligation_count = 0;
        result->first = UINT32_MAX;
        result->code = PDP_CODE_UNSURE;
    }
    if (control == NULL && result->rule_count == 0) { // no rule denied: a lock that may be meant does
        result->code = PDP_CODE_UNSURE;
    }
    if (control != NULL) {
        result->code = PDP_CODE_LOCKED;
        result->message = control->message.len > 0 ? control->message : result->message;
        result->reason = control->reason;
    }
}

void control_join(struct ask *ask, struct policy_result *result, struct ask_locks *out)
{
    struct found found;
    out->decide = false;
    out->count = 0;
    if (!find_locks(ask, false, &found)) {
        return;
    }
    result->until_ms = num_min(result->until_ms, found.until_ms);
    enum combine_outcome worst = worst_of(&found), said = combine_outcome_of(result->effect);
    if (worst == COMBINE_NONE || worst < said) {
        return;
    }
    const struct outcome_locks *locks = &found.of[worst];
    out->decide = true;
    out->alone = worst > said;
    result->effect = EFFECTS[worst];
    if (worst == COMBINE_STEP_UP) {
        merge_require(&found, result);
    }
    take_words(locks, out->alone, result);
    lacks(ask, &found, locks, result);
    out->name = locks->certain != NULL ? locks->certain->name : locks->unsure->name;
    for (size_t i = 0; i < locks->count; i++) {
        out->names[out->count++] = locks->at[i]->name;
    }
}

void control_name(struct ask *ask, const struct ask_locks *locks, struct verdict *out)
{
    if (!locks->decide) {
        return;
    }
    size_t rules = locks->alone ? 0 : out->rule_count;
    struct str *names = ARENA_ARRAY(&ask->worker->arena, struct str, locks->count + rules);
    for (size_t i = 0; names != NULL && i < locks->count; i++) {
        names[i] = locks->names[i];
    }
    for (size_t i = 0; names != NULL && i < rules; i++) {
        names[locks->count + i] = out->rules[i];
    }
    bool named = locks->alone || out->code == PDP_CODE_LOCKED || out->rule.len == 0;
    out->rule = named ? locks->name : out->rule;
    out->rules = names;
    out->rule_count = names != NULL ? locks->count + rules : 0;
}

enum pdp_effect control_event(struct ask *ask, struct str *why, struct str *missing)
{
    struct found found;
    *why = *missing = (struct str){0};
    if (!find_locks(ask, true, &found)) {
        return PDP_EFFECT_ALLOW;
    }
    if (found.by_session && ask->request->event == EVENT_ROTATE) {
        *why = STR("a lock names this session, and under another id it would pass it");
        return PDP_EFFECT_DENY;
    }
    enum combine_outcome worst = worst_of(&found);
    if (worst == COMBINE_NONE) {
        return PDP_EFFECT_ALLOW;
    }
    const struct outcome_locks *locks = &found.of[worst];
    *why = locks->certain != NULL ? locks->certain->reason
                                  : STR("a lock may be meant, and what it names is missing");
    *missing = locks->certain != NULL ? (struct str){0} : str_of(control_lacks(locks->unsure->target.kind));
    return worst == COMBINE_TERMINATE ? PDP_EFFECT_TERMINATE : PDP_EFFECT_DENY;
}
