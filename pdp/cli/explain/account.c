// SPDX-License-Identifier: Apache-2.0
// Taking a decision apart. What matched is read from the scratch before anything else is asked.
#include "cli/explain/account.h"

#include "base/time.h"
#include "policy/match.h"
#include "policy/rollout.h"
#include "policy/scratch.h"
#include "risk/model.h"

#include <math.h>

const char *const ACCOUNT_WHY_WORDS[ACCOUNT_WHYS] = {
    [ACCOUNT_EARLIER] = "not looked at, an earlier rule was the first match",
    [ACCOUNT_NOT_STARTED] = "has not started yet",
    [ACCOUNT_EXPIRED] = "has expired",
    [ACCOUNT_NOT_DRAWN] = "not enforced on this question: shadow or rollout",
};

struct gather {
    struct whatif_world *world;
    struct arena *arena;
    const struct policy_set *set;
    const struct policy_question *question;
    const struct scratch_match *matched; // copies of what the decision left
    size_t matched_count;
    const uint8_t *lifting;
    const struct policy_result *result;
};

static struct account_proof proof_of(struct gather *g, uint32_t strength, int64_t max_age_s)
{
    const struct policy_host *host = &g->world->policy_host;
    struct account_proof proof = {.asked = true, .max_age_s = max_age_s};
    proof.strength = g->world->parts.names->strengths[strength];
    proof.proved = host->proved(host->user, strength, max_age_s, &proof.until_ms);
    return proof;
}

static enum truth truth_of(struct gather *g, uint32_t expr)
{
    whatif_look(g->world, g->arena);
    return expr == SET_NO_EXPR ? TRUTH_YES : cel_truth(g->world->seen->frame, expr);
}

static enum truth drawn(struct gather *g, uint32_t number)
{
    if (number == SET_NO_ROLLOUT) {
        return TRUTH_YES;
    }
    const struct set_rollout *rollout = &g->set->rollouts[number];
    const struct policy_host *host = &g->world->policy_host;
    uint64_t key = 0;
    if (rollout->share == SET_ROLLOUT_ALL || rollout->share == 0) {
        return rollout->share == 0 ? TRUTH_NO : TRUTH_YES;
    }
    if (!host->sticky(host->user, rollout->by, &key)) {
        return TRUTH_UNSURE;
    }
    return rollout_place(rollout, key) < rollout->share ? TRUTH_YES : TRUTH_NO;
}

// ---- Rules -------------------------------------------------------------------------------------

static const struct scratch_match *match_of(const struct gather *g, uint32_t number)
{
    for (size_t i = 0; i < g->matched_count; i++) {
        if (g->matched[i].rule == number) {
            return &g->matched[i];
        }
    }
    return NULL;
}

static bool is_named(const struct policy_result *result, uint32_t number)
{
    for (size_t i = 0; i < result->rule_count; i++) {
        if (result->rules[i] == number) {
            return true;
        }
    }
    return false;
}

static size_t add_lifts(struct gather *g, const struct set_numbers *numbers, struct str *names, size_t count)
{
    for (uint32_t i = 0; i < numbers->count; i++) {
        if (g->lifting[numbers->at[i]] == SCRATCH_LIFTS) {
            names[count++] = g->set->exceptions[numbers->at[i]].name;
        }
    }
    return count;
}

// A restriction that holds and was passed on by nobody was lifted.
static void note_lifts(struct gather *g, uint32_t number, struct account_rule *out)
{
    const struct set_rule *rule = &g->set->rules[number];
    struct str *names = ARENA_ARRAY(g->arena, struct str, (size_t)g->set->exception_count * 2 + 1);
    bool restricts = rule->effect != PDP_EFFECT_ALLOW && !rule->closing && !rule->never_lifted;
    if (names == NULL || g->set->exception_count == 0 || !restricts || out->outcome != COMBINE_NONE ||
        out->truth == TRUTH_NO || out->proof.proved || out->why != ACCOUNT_JUDGED) {
        return;
    }
    out->lifted_count = add_lifts(g, &g->set->lift_all, names, 0);
    out->lifted_count = add_lifts(g, &g->set->lifts[number], names, out->lifted_count);
    out->lifted = names;
}

static enum account_why timing(const struct gather *g, const struct set_rule *rule)
{
    int64_t now_ms = g->world->seen->now_ms;
    return !rule->timed                 ? ACCOUNT_JUDGED
           : now_ms < rule->starts_ms   ? ACCOUNT_NOT_STARTED
           : now_ms >= rule->expires_ms ? ACCOUNT_EXPIRED
                                        : ACCOUNT_JUDGED;
}

static enum truth listed(const struct gather *g, const struct set_rule *rule)
{
    return combine_both(match_actions(rule, g->question->action), match_resources(rule, g->question->path));
}

static void make_rule(struct gather *g, uint32_t number, enum truth target, bool finished,
                      struct account_rule *out)
{
    const struct set_rule *rule = &g->set->rules[number];
    const struct scratch_match *match = match_of(g, number);
    enum truth rollout = drawn(g, rule->rollout);
    *out = (struct account_rule){.rule = rule, .why = timing(g, rule)};
    out->why = rollout == TRUTH_NO ? ACCOUNT_NOT_DRAWN : out->why;
    out->why = finished ? ACCOUNT_EARLIER : out->why;
    out->truth = combine_both(combine_both(target, listed(g, rule)), rollout);
    out->truth = combine_both(out->truth, truth_of(g, rule->when));
    out->truth = out->why != ACCOUNT_JUDGED && out->why != ACCOUNT_EARLIER ? TRUTH_NO : out->truth;
    out->outcome = match != NULL ? (enum combine_outcome)match->outcome : COMBINE_NONE;
    out->truth = match != NULL ? (enum truth)match->truth : out->truth;
    out->decides = is_named(g->result, number);
    if (listed(g, rule) == TRUTH_UNSURE) {
        out->why_unsure = g->question->action.at == NULL ? STR("`action.name` is missing")
                                                         : STR("`resource.id` is missing");
    }
    if (rule->effect == PDP_EFFECT_STEP_UP) {
        out->proof = proof_of(g, rule->strength, rule->max_age_s);
    }
    note_lifts(g, number, out);
    struct str policy = g->set->policies[rule->policy].name;
    if (!rule->closing) {
        whatif_look(g->world, g->arena);
        account_tree(g->world, POLICY_OWNER_RULE, rule->name, policy, g->arena, &out->when);
    }
}

// ---- Policies ----------------------------------------------------------------------------------

static void make_policy(struct gather *g, uint32_t number, uint32_t first, uint32_t end,
                        struct account_policy *out)
{
    const struct set_policy *policy = &g->set->policies[number];
    struct account_rule *rules = ARENA_ARRAY(g->arena, struct account_rule, end - first + 1);
    bool finished = false;
    out->rules = rules;
    for (uint32_t i = first; rules != NULL && i < end; i++) {
        const struct scratch_match *match = match_of(g, i);
        if (listed(g, &g->set->rules[i]) == TRUTH_NO) {
            out->elsewhere++;
            continue;
        }
        if (g->set->rules[i].closing && match == NULL) {
            continue; // something allowed
        }
        make_rule(g, i, out->target, finished, &rules[out->rule_count++]);
        finished = finished || (policy->algorithm == COMBINE_FIRST_MATCH && match != NULL &&
                                match->outcome != COMBINE_NONE);
    }
    whatif_look(g->world, g->arena);
    account_tree(g->world, POLICY_OWNER_TARGET, policy->name, policy->name, g->arena, &out->conditions);
}

static bool make_policies(struct gather *g, struct account *out)
{
    const struct policy_set *set = g->set;
    struct account_policy *list = ARENA_ARRAY(g->arena, struct account_policy, (size_t)set->policy_count + 1);
    out->policies = list;
    for (uint32_t first = 0, end = 0; list != NULL && first < set->rule_count; first = end) {
        uint32_t number = set->rules[first].policy;
        while (end < set->rule_count && set->rules[end].policy == number) {
            end++;
        }
        struct account_policy made = {.policy = &set->policies[number]};
        made.target = combine_both(drawn(g, made.policy->rollout), truth_of(g, made.policy->target));
        if (made.target == TRUTH_NO) {
            out->left_out++;
            out->left_out_rules += end - first;
            continue;
        }
        make_policy(g, number, first, end, &made);
        list[out->policy_count++] = made;
    }
    return list != NULL;
}

// ---- Exceptions --------------------------------------------------------------------------------

static bool make_exceptions(struct gather *g, struct account *out)
{
    const struct policy_set *set = g->set;
    struct account_exception *list =
        ARENA_ARRAY(g->arena, struct account_exception, (size_t)set->exception_count + 1);
    out->exceptions = list;
    for (uint32_t i = 0; list != NULL && i < set->exception_count; i++) {
        const struct set_exception *exception = &set->exceptions[i];
        if (g->lifting[i] == SCRATCH_NOT_ASKED) {
            continue;
        }
        struct account_exception *made = &list[out->exception_count++];
        *made = (struct account_exception){.name = exception->name,
                                           .truth = truth_of(g, exception->when),
                                           .expired = g->world->seen->now_ms >= exception->expires_ms,
                                           .lifted = g->lifting[i] == SCRATCH_LIFTS,
                                           .may = g->lifting[i] == SCRATCH_MAY_LIFT};
        if (exception->has_require) {
            made->proof = proof_of(g, exception->strength, exception->max_age_s);
        }
        whatif_look(g->world, g->arena);
        account_tree(g->world, POLICY_OWNER_EXCEPTION, exception->name, (struct str){0}, g->arena,
                     &made->when);
    }
    return list != NULL;
}

// ---- Risk --------------------------------------------------------------------------------------

static bool make_risk(struct gather *g, struct account *out)
{
    const struct risk_result *risk = g->world->seen->risk;
    const struct risk_model *model = g->world->parts.risk;
    struct account_signal *list = ARENA_ARRAY(g->arena, struct account_signal, risk->signal_count + 1);
    out->has_risk = out->verdict->has_risk;
    out->prior = model->prior;
    out->log_odds = risk->log_odds;
    out->score = risk->score;
    out->level = risk->level;
    memcpy(out->thresholds, model->thresholds, sizeof out->thresholds);
    out->signals = list;
    for (size_t i = 0; list != NULL && i < risk->signal_count; i++) {
        const struct verdict_signal *signal = &risk->signals[i];
        struct whatif without;
        whatif_without(g->world, i, &without);
        const struct whatif *changes[] = {&without};
        list[out->signal_count++] = (struct account_signal){
            .id = signal->id,
            .because = signal->because,
            .evidence = signal->evidence,
            .share = risk->score - without.score,
            .score = without.score,
            .level = without.level,
            .effect = whatif_ask(g->world, changes, 1),
        };
    }
    return list != NULL;
}

// ---- All ---------------------------------------------------------------------------------------

static bool copy_scratch(struct gather *g)
{
    const struct policy_scratch *scratch = g->world->seen->scratch;
    struct scratch_match *matched = ARENA_ARRAY(g->arena, struct scratch_match, scratch->count + 1);
    uint8_t *lifting = ARENA_ARRAY(g->arena, uint8_t, (size_t)g->set->exception_count + 1);
    if (matched == NULL || lifting == NULL) {
        return false;
    }
    for (size_t i = 0; i < scratch->count; i++) {
        matched[i] = scratch->matched[i];
    }
    for (uint32_t i = 0; i < g->set->exception_count; i++) {
        lifting[i] = scratch->lifting[i];
    }
    g->matched = matched;
    g->matched_count = scratch->count;
    g->lifting = lifting;
    return true;
}

static bool make(struct gather *g, unsigned wish, struct account *out)
{
    enum pdp_effect effect = out->verdict->effect;
    wish = wish != 0 ? wish & ~(1U << effect) : change_wish(effect);
    if (!copy_scratch(g) || !make_policies(g, out) || !make_exceptions(g, out) || !make_risk(g, out)) {
        return false;
    }
    out->changes.wish = wish;
    out->same = whatif_ask(g->world, NULL, 0) == effect;
    return !out->same || wish == 0 || change_find(g->world, wish, g->arena, &out->changes);
}

bool account_make(const struct watched *seen, unsigned wish, struct arena *arena, struct account *out)
{
    struct whatif_world *world = ARENA_NEW(arena, struct whatif_world);
    account_of_verdict(seen->verdict, out);
    if (world == NULL || !whatif_init(world, seen, arena)) {
        return false;
    }
    out->judged = true;
    out->seen = seen;
    out->parts = &world->parts;
    struct gather gather = {.world = world,
                            .arena = arena,
                            .set = world->parts.set,
                            .question = seen->question,
                            .result = seen->result};
    bool made = make(&gather, wish, out);
    whatif_fini(world);
    return made;
}

void account_of_verdict(const struct verdict *verdict, struct account *out)
{
    *out = (struct account){.verdict = verdict};
}

const char *account_truth(enum truth truth)
{
    return truth == TRUTH_YES ? "yes" : truth == TRUTH_NO ? "no" : "unsure";
}

const char *account_final(enum pdp_code code)
{
    static const char *const WORDS[PDP_CODE_COUNT] = {
        [PDP_CODE_MALFORMED] = "the question itself has to be mended: it was not judged",
        [PDP_CODE_LOCKED] = "a lock holds until it expires or an analyst lifts it",
        [PDP_CODE_TERMINATED] = "the session is over for good: only a new one can be allowed",
        [PDP_CODE_EXPIRED] = "a limit of time has passed: the user has to authenticate again",
        [PDP_CODE_FIXATION] = "the session belongs to another subject: only one of the subject's own can be "
                              "allowed",
        [PDP_CODE_OVERLOADED] = "there was no room to judge it: ask again later",
        [PDP_CODE_STALE] = "what policies stand on is too old: load newer ones",
        [PDP_CODE_CONCURRENT] = "the subject has as many sessions as it may: one has to end first",
        [PDP_CODE_REUSED] = "the id was replaced: only the session's new one can be allowed",
        [PDP_CODE_UNSURE] = "a limit of the session could not be decided",
    };
    return (unsigned)code < PDP_CODE_COUNT ? WORDS[code] : NULL;
}
