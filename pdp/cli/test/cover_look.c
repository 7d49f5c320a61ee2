// SPDX-License-Identifier: Apache-2.0
// One question, as coverage looks at it.
#include "cli/test/cover_inner.h"

#include "policy/match.h"
#include "policy/rollout.h"

#define FRESH_AFTER 32 // expressions, before the frame begins anew: each of them may take all of its steps

struct look {
    struct cover *cover;
    const struct watched *watched;
    uint32_t ran;
    bool kept; // the frame does not begin anew
};

static enum truth run(struct look *look, uint32_t expr)
{
    const struct watched *watched = look->watched;
    if (expr == SET_NO_EXPR) {
        return TRUTH_YES;
    }
    if (!look->kept && look->ran++ % FRESH_AFTER == 0) {
        cel_begin(watched->frame, watched->cel_host, watched->arena, watched->now_ms);
    }
    return cel_truth(watched->frame, expr);
}

static bool proved(const struct look *look, uint32_t strength, int64_t max_age_s)
{
    const struct policy_host *host = look->watched->policy_host;
    int64_t until_ms = 0;
    return host != NULL && host->proved != NULL && host->proved(host->user, strength, max_age_s, &until_ms);
}

static bool in_force(struct look *look, const struct set_numbers *exceptions)
{
    const struct policy_set *set = look->cover->set;
    for (uint32_t i = 0; i < exceptions->count; i++) {
        const struct set_exception *exception = &set->exceptions[exceptions->at[i]];
        if (look->watched->now_ms < exception->expires_ms && run(look, exception->when) == TRUTH_YES &&
            (!exception->has_require || proved(look, exception->strength, exception->max_age_s))) {
            return true;
        }
    }
    return false;
}

static bool lifted(struct look *look, uint32_t number)
{
    const struct policy_set *set = look->cover->set;
    const struct set_rule *rule = &set->rules[number];
    return set->exception_count > 0 && rule->effect != PDP_EFFECT_ALLOW && !rule->never_lifted &&
           (in_force(look, &set->lift_all) || in_force(look, &set->lifts[number]));
}

static bool in_time(const struct look *look, const struct set_rule *rule)
{
    return !rule->timed ||
           (look->watched->now_ms >= rule->starts_ms && look->watched->now_ms < rule->expires_ms);
}

static void note(struct cover *cover, enum cover_reach reach, uint32_t rule)
{
    cover->near[reach * cover->words + rule / 64] |= UINT64_C(1) << rule % 64;
}

// The way that decide goes, for a rule that may not even have been a candidate.
static void look_at_rule(struct look *look, uint32_t number, struct combine_policy *policy)
{
    struct cover *cover = look->cover;
    const struct set_rule *rule = &cover->set->rules[number];
    const struct policy_question *question = look->watched->question;
    enum truth truth =
        combine_both(match_actions(rule, question->action), match_resources(rule, question->path));
    truth = combine_both(truth, policy->target);
    cover->reached[number] = truth == TRUTH_YES && !policy->finished && in_time(look, rule);
    cover->held[number] = false;
    if (truth == TRUTH_NO || policy->finished || !in_time(look, rule)) {
        return;
    }
    note(cover, COVER_NEAR, number);
    truth = combine_both(truth, run(look, rule->when));
    cover->held[number] = truth == TRUTH_YES;
    cover->rules[number].held += truth == TRUTH_YES;
    cover->rules[number].unsure += truth == TRUTH_UNSURE;
    if (truth == TRUTH_NO) {
        return;
    }
    note(cover, COVER_TOUCHED, number);
    bool met = rule->effect == PDP_EFFECT_STEP_UP && proved(look, rule->strength, rule->max_age_s);
    // What holds for a share alone may not have settled it.
    bool whole =
        rule->rollout == SET_NO_ROLLOUT && cover->set->policies[rule->policy].rollout == SET_NO_ROLLOUT;
    if (policy->algorithm == COMBINE_FIRST_MATCH && whole && !lifted(look, number)) {
        (void)combine_rule(policy, rule->effect, truth, met);
    }
}

static void look_at_rules(struct look *look)
{
    struct cover *cover = look->cover;
    struct combine_policy policy = {0};
    uint32_t current = UINT32_MAX;
    for (uint32_t i = 0; i < cover->set->policy_count; i++) {
        cover->targets[i] = run(look, cover->set->policies[i].target);
    }
    for (uint32_t i = 0; i < cover->set->rule_count; i++) {
        const struct set_rule *rule = &cover->set->rules[i];
        if (rule->policy != current) {
            current = rule->policy;
            policy = (struct combine_policy){.algorithm = cover->set->policies[current].algorithm,
                                             .target = cover->targets[current]};
        }
        if (!rule->closing) {
            look_at_rule(look, i, &policy);
        }
    }
}

// Is this question among those for whom a policy or rule holds?
static enum truth drawn(const struct look *look, uint32_t number)
{
    const struct policy_host *host = look->watched->policy_host;
    uint64_t key = 0;
    if (number == SET_NO_ROLLOUT) {
        return TRUTH_YES;
    }
    const struct set_rollout *rollout = &look->cover->set->rollouts[number];
    if (host == NULL || host->sticky == NULL || !host->sticky(host->user, rollout->by, &key)) {
        return TRUTH_UNSURE;
    }
    return rollout_place(rollout, key) < rollout->share ? TRUTH_YES : TRUTH_NO;
}

static bool rollout_counts(const struct look *look, const struct cover_point *point)
{
    const struct cover *cover = look->cover;
    if (point->rule == UINT32_MAX) {
        return cover->targets[point->policy] == TRUTH_YES;
    }
    return cover->held[point->rule] && drawn(look, cover->set->policies[point->policy].rollout) == TRUTH_YES;
}

// Does what the point says matter for this question?
static bool counts(const struct look *look, const struct cover_point *point)
{
    const struct cover *cover = look->cover;
    if (point->kind == COVER_ROLLOUT) {
        return rollout_counts(look, point);
    }
    if (point->owner == POLICY_OWNER_SESSION) {
        return look->watched->request->session_id.len > 0;
    }
    if (point->kind != COVER_CONDITION || point->rule == UINT32_MAX) {
        return point->policy == UINT32_MAX || cover->targets[point->policy] == TRUTH_YES;
    }
    return cover->reached[point->rule];
}

static enum truth outcome(struct look *look, const struct cover_point *point)
{
    const struct policy_question *question = look->watched->question;
    const struct policy_set *set = look->cover->set;
    switch (point->kind) {
    case COVER_ACTIONS:
        return match_actions(&set->rules[point->rule], question->action);
    case COVER_RESOURCES:
        return match_resources(&set->rules[point->rule], question->path);
    case COVER_ROLLOUT:
        return drawn(look, point->rule != UINT32_MAX ? set->rules[point->rule].rollout
                                                     : set->policies[point->policy].rollout);
    default:
        return run(look, point->expr);
    }
}

static void look_at_point(struct look *look, struct cover_point *point)
{
    if (counts(look, point)) {
        enum truth truth = outcome(look, point);
        point->yes += truth == TRUTH_YES;
        point->no += truth == TRUTH_NO;
        point->unsure += truth == TRUTH_UNSURE;
    }
}

void cover_judged(void *user, const struct watched *watched)
{
    struct cover *cover = user;
    struct look look = {.cover = cover, .watched = watched};
    look_at_rules(&look);
    for (size_t i = 0; i < cover->point_count; i++) {
        look_at_point(&look, &cover->points[i]);
    }
}

// Nothing but the targets of session policies was asked.
void cover_limited(void *user, const struct watched *watched)
{
    struct cover *cover = user;
    struct look look = {.cover = cover, .watched = watched, .kept = true};
    for (size_t i = 0; i < cover->point_count; i++) {
        if (cover->points[i].owner == POLICY_OWNER_SESSION) {
            look_at_point(&look, &cover->points[i]);
        }
    }
}
