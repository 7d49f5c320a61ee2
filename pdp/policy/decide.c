// SPDX-License-Identifier: Apache-2.0
// HOT
#include "base/num.h"
#include "policy/match.h"
#include "policy/rollout.h"
#include "policy/scratch.h"

struct decide {
    const struct policy_set *set;
    struct policy_scratch *scratch;
    struct cel_frame *frame;
    const struct policy_host *host;
    const struct policy_question *question;
    struct arena *arena;
    int64_t now_ms;
    struct policy_result *out;

    uint32_t current;             // the policy whose rules go by
    struct combine_policy policy; // its state
    bool allow_unsure;            // it has an allow that was unsure
    unsigned seen;                // outcomes of all rules
    bool plain_deny;              // a rule denies for certain, not only the end of a deny-unless-allow policy
    bool any_allow_unsure;
    enum truth sticky_known[POLICY_BY_COUNT]; // zero: not asked yet
    uint64_t sticky[POLICY_BY_COUNT];
};

// ---- One rule ---------------------------------------------------------------------------------------

static enum truth run(struct cel_frame *frame, uint32_t expr)
{
    return expr == SET_NO_EXPR ? TRUTH_YES : cel_truth(frame, expr);
}

// Is this question among those for whom a policy or rule holds? Unsure where it does not say whose it is.
static enum truth in_rollout(struct decide *d, uint32_t number)
{
    if (number == SET_NO_ROLLOUT) {
        return TRUTH_YES;
    }
    const struct set_rollout *rollout = &d->set->rollouts[number];
    if ((d->question->shadow && rollout->shadows) || rollout->share == SET_ROLLOUT_ALL) {
        return TRUTH_YES;
    }
    enum policy_by by = rollout->by;
    if (rollout->share == 0) {
        return TRUTH_NO;
    }
    if (d->sticky_known[by] == TRUTH_UNSURE) {
        bool known =
            d->host != NULL && d->host->sticky != NULL && d->host->sticky(d->host->user, by, &d->sticky[by]);
        d->sticky_known[by] = known ? TRUTH_YES : TRUTH_NO;
    }
    if (d->sticky_known[by] == TRUTH_NO) {
        return TRUTH_UNSURE;
    }
    return rollout_place(rollout, d->sticky[by]) < rollout->share ? TRUTH_YES : TRUTH_NO;
}

// Does the policy hold for this question?
static enum truth match_policy(struct decide *d, const struct set_policy *policy)
{
    enum truth truth = in_rollout(d, policy->rollout);
    return truth == TRUTH_NO ? TRUTH_NO : combine_both(truth, run(d->frame, policy->target));
}

static void enter_policy(struct decide *d, uint32_t number)
{
    const struct set_policy *policy = &d->set->policies[number];
    d->current = number;
    d->policy = (struct combine_policy){.algorithm = policy->algorithm, .target = match_policy(d, policy)};
    d->allow_unsure = false;
}

// Outside of its time a rule is no; its edges bound the answer where it would count.
static enum truth match_timed(struct decide *d, const struct set_rule *rule, enum truth truth)
{
    bool started = d->now_ms >= rule->starts_ms;
    if (d->now_ms >= rule->expires_ms) {
        return TRUTH_NO;
    }
    truth = combine_both(truth, run(d->frame, rule->when));
    bool unsure_counts = rule->effect != PDP_EFFECT_ALLOW || d->policy.algorithm == COMBINE_FIRST_MATCH;
    if (truth == TRUTH_YES || (truth == TRUTH_UNSURE && unsure_counts)) {
        d->out->until_ms = num_min(d->out->until_ms, started ? rule->expires_ms : rule->starts_ms);
    }
    return started ? truth : TRUTH_NO;
}

// Cheapest first: the conjunction does not mind the order.
static enum truth match_rule(struct decide *d, const struct set_rule *rule)
{
    enum truth truth =
        combine_both(match_actions(rule, d->question->action), match_resources(rule, d->question->path));
    if (truth == TRUTH_NO) {
        return TRUTH_NO;
    }
    if (d->current != rule->policy) {
        enter_policy(d, rule->policy);
    }
    if (d->policy.finished || d->policy.target == TRUTH_NO) {
        return TRUTH_NO;
    }
    truth = combine_both(combine_both(truth, d->policy.target), in_rollout(d, rule->rollout));
    if (truth == TRUTH_NO) {
        return TRUTH_NO;
    }
    if (rule->timed) {
        return match_timed(d, rule, truth);
    }
    return combine_both(truth, run(d->frame, rule->when));
}

static bool is_proved(struct decide *d, const struct set_rule *rule)
{
    int64_t until_ms = INT64_MAX;
    if (rule->effect != PDP_EFFECT_STEP_UP || d->host == NULL || d->host->proved == NULL) {
        return false;
    }
    bool proved = d->host->proved(d->host->user, rule->strength, rule->max_age_s, &until_ms);
    d->out->until_ms = num_min(d->out->until_ms, until_ms);
    return proved;
}

static void keep(struct decide *d, uint32_t rule, enum truth truth, enum combine_outcome outcome)
{
    d->seen |= 1U << outcome;
    d->scratch->matched[d->scratch->count++] =
        (struct scratch_match){.rule = rule, .truth = (uint8_t)truth, .outcome = (uint8_t)outcome};
}

// ---- Exceptions -------------------------------------------------------------------------------------

// Whether its condition holds, where it has not expired and its requirement is proved; else no.
static enum truth in_force(struct decide *d, const struct set_exception *exception)
{
    enum truth truth = d->now_ms < exception->expires_ms ? run(d->frame, exception->when) : TRUTH_NO;
    if (truth != TRUTH_NO && exception->has_require) {
        int64_t until_ms = INT64_MAX;
        bool proved = d->host != NULL && d->host->proved != NULL &&
                      d->host->proved(d->host->user, exception->strength, exception->max_age_s, &until_ms);
        d->out->until_ms = num_min(d->out->until_ms, until_ms);
        truth = proved ? truth : TRUTH_NO;
    }
    if (truth != TRUTH_NO) {
        d->out->until_ms = num_min(d->out->until_ms, exception->expires_ms);
    }
    return truth;
}

// All that name the rule are asked: each that is in force is named by the answer.
static enum truth lift(struct decide *d, const struct set_numbers *exceptions)
{
    static const uint8_t STATES[] = {
        [TRUTH_YES] = SCRATCH_LIFTS, [TRUTH_UNSURE] = SCRATCH_MAY_LIFT, [TRUTH_NO] = SCRATCH_LIFTS_NOT};
    bool lifted = false, may = false;
    for (uint32_t i = 0; i < exceptions->count; i++) {
        uint32_t number = exceptions->at[i];
        uint8_t *lifting = &d->scratch->lifting[number];
        if (*lifting == SCRATCH_NOT_ASKED) {
            *lifting = STATES[in_force(d, &d->set->exceptions[number])];
        }
        lifted = lifted || *lifting == SCRATCH_LIFTS;
        may = may || *lifting == SCRATCH_MAY_LIFT;
    }
    return lifted ? TRUTH_YES : may ? TRUTH_UNSURE : TRUTH_NO;
}

// A restriction that would count is no where an exception lifts it: as if it had not been there. Where that
// is unsure it counts, but a session is not ended by it: *truth is unsure then.
static enum combine_outcome combine_unlifted(struct decide *d, uint32_t number, enum truth *truth)
{
    const struct set_rule *rule = &d->set->rules[number];
    const struct combine_policy before = d->policy;
    enum combine_outcome outcome = combine_rule(&d->policy, rule->effect, *truth, is_proved(d, rule));
    if (outcome == COMBINE_NONE || rule->effect == PDP_EFFECT_ALLOW || rule->never_lifted) {
        return outcome;
    }
    enum truth by_all = lift(d, &d->set->lift_all);
    enum truth by_name = lift(d, &d->set->lifts[number]);
    if (by_all == TRUTH_YES || by_name == TRUTH_YES) {
        d->policy = before;
        return COMBINE_NONE;
    }
    bool may = by_all == TRUTH_UNSURE || by_name == TRUTH_UNSURE;
    if (may && outcome == COMBINE_TERMINATE) {
        d->policy = before;
        *truth = TRUTH_UNSURE;
        outcome = combine_rule(&d->policy, rule->effect, *truth, false);
    }
    return outcome;
}

// ---- One policy -------------------------------------------------------------------------------------

// The deny that deny-unless-allow adds is certain where the target holds and no allow was unsure.
static void close_policy(struct decide *d, uint32_t number, enum truth truth)
{
    enum combine_outcome outcome = combine_end(&d->policy);
    if (outcome != COMBINE_NONE) {
        keep(d, number, d->allow_unsure ? TRUTH_UNSURE : truth, outcome);
    }
}

static bool is_muted(const struct decide *d, uint32_t number)
{
    return d->question->muted != NULL && (d->question->muted[number / 64] >> number % 64 & 1) != 0;
}

static void judge(struct decide *d, uint32_t number)
{
    if (is_muted(d, number)) {
        return;
    }
    const struct set_rule *rule = &d->set->rules[number];
    enum truth truth = match_rule(d, rule);
    if (truth == TRUTH_NO) {
        return;
    }
    if (rule->closing) {
        close_policy(d, number, truth);
        return;
    }
    enum combine_outcome outcome = d->set->exception_count == 0
                                       ? combine_rule(&d->policy, rule->effect, truth, is_proved(d, rule))
                                       : combine_unlifted(d, number, &truth);
    bool allow_unsure = rule->effect == PDP_EFFECT_ALLOW && truth == TRUTH_UNSURE;
    d->allow_unsure = d->allow_unsure || allow_unsure;
    d->any_allow_unsure = d->any_allow_unsure || allow_unsure;
    d->plain_deny = d->plain_deny || (outcome == COMBINE_DENY && truth == TRUTH_YES);
    if (outcome != COMBINE_NONE || allow_unsure) {
        keep(d, number, truth, outcome);
    }
}

// ---- All rules --------------------------------------------------------------------------------------

static void start(struct decide *d)
{
    d->current = UINT32_MAX;
    d->seen = 0;
    d->plain_deny = d->any_allow_unsure = false;
    d->scratch->count = 0;
    d->out->until_ms = INT64_MAX;
    if (d->set->exception_count > 0) {
        memset(d->scratch->lifting, SCRATCH_NOT_ASKED, d->set->exception_count);
    }
}

static void judge_all(struct decide *d)
{
    start(d);
    for (uint32_t i = 0; i < d->set->rule_count; i++) {
        judge(d, i);
    }
}

// Where no rule denies for certain and nothing allows, an allow that was unsure must be named; only then are
// those looked at that the index left out because what they test is missing.
static void judge_candidates(struct decide *d)
{
    bool skipped = true;
    for (int allows = 0; allows < 2 && skipped; allows++) {
        start(d);
        size_t count =
            index_ask(d->set->by_rule, &d->scratch->ask, d->frame, d->question, allows != 0, &skipped);
        for (size_t i = 0; i < count; i++) {
            judge(d, d->scratch->ask.list[i]);
        }
        skipped = skipped && !d->plain_deny && combine_verdict(d->seen) == PDP_EFFECT_DENY;
    }
}

static bool any_target(struct decide *d)
{
    bool skipped = false;
    if (d->set->untargeted) {
        return true;
    }
    if (d->question->unindexed || d->set->by_target == NULL) {
        for (uint32_t i = 0; i < d->set->policy_count; i++) {
            if (match_policy(d, &d->set->policies[i]) != TRUTH_NO) {
                return true;
            }
        }
        return false;
    }
    size_t count = index_ask(d->set->by_target, &d->scratch->ask, d->frame, d->question, true, &skipped);
    for (size_t i = 0; i < count; i++) {
        if (match_policy(d, &d->set->policies[d->scratch->ask.list[i]]) != TRUTH_NO) {
            return true;
        }
    }
    return false;
}

// ---- The result -------------------------------------------------------------------------------------

struct unite {
    const struct decide *d;
    struct verdict_obligation *to;
    size_t count;
    bool clear; // the bits, in a second round
};

static void unite_some(struct unite *u, const uint32_t *numbers, uint32_t count)
{
    uint64_t *taken = u->d->scratch->taken;
    for (uint32_t i = 0; i < count; i++) {
        uint64_t bit = UINT64_C(1) << numbers[i] % 64;
        if (u->clear) {
            taken[numbers[i] / 64] = 0;
        } else if ((taken[numbers[i] / 64] & bit) == 0) {
            taken[numbers[i] / 64] |= bit;
            u->to[u->count++] = u->d->set->obligations[numbers[i]];
        }
    }
}

// Obligations are numbered: those of deciding rules, each once, in the order of the rules, then those of
// exceptions that lifted something.
static size_t unite(const struct decide *d, enum combine_outcome decided, struct verdict_obligation *to)
{
    struct unite u = {.d = d, .to = to};
    for (int clear = 0; clear < 2; clear++) {
        u.clear = clear != 0;
        for (size_t i = 0; i < d->scratch->count; i++) {
            const struct set_rule *rule = &d->set->rules[d->scratch->matched[i].rule];
            if (d->scratch->matched[i].outcome == decided) {
                unite_some(&u, rule->obligations, rule->obligation_count);
            }
        }
        for (uint32_t i = 0; i < d->set->exception_count; i++) {
            const struct set_exception *exception = &d->set->exceptions[i];
            if (d->scratch->lifting[i] == SCRATCH_LIFTS) {
                unite_some(&u, exception->obligations, exception->obligation_count);
            }
        }
    }
    return u.count;
}

// Names those that lifted something; *obligations: how many they have. false: memory is out.
static bool list_exceptions(struct decide *d, size_t *obligations)
{
    const struct policy_set *set = d->set;
    if (set->exception_count == 0) {
        return true;
    }
    struct str *names = arena_alloc(d->arena, set->exception_count * sizeof(*names), _Alignof(struct str));
    if (names == NULL) {
        return false;
    }
    for (uint32_t i = 0; i < set->exception_count; i++) {
        if (d->scratch->lifting[i] == SCRATCH_LIFTS) {
            names[d->out->exception_count++] = set->exceptions[i].name;
            *obligations += set->exceptions[i].obligation_count;
        }
    }
    d->out->exceptions = names;
    return true;
}

static void require(struct policy_result *out, const struct set_rule *rule)
{
    if (!out->has_require || rule->strength > out->require_strength) {
        out->require_strength = rule->strength;
    }
    bool shorter = out->require_max_age_s == 0 || rule->max_age_s < out->require_max_age_s;
    if (rule->max_age_s > 0 && shorter) {
        out->require_max_age_s = rule->max_age_s;
    }
    out->has_require = true;
}

// A rule's words tell what is so. Those of a restriction that is merely unsure would tell what may not be:
// its name and what is missing are said instead. What a step-up asks for is the same either way.
static bool tells(const struct policy_result *out, enum truth truth)
{
    return truth == TRUTH_YES || out->effect == PDP_EFFECT_STEP_UP;
}

static void decide_rule(struct policy_result *out, const struct set_rule *rule, uint32_t number,
                        uint32_t *rules)
{
    if (out->rule_count == 0) {
        out->first = number;
    }
    rules[out->rule_count++] = number;
    if (out->effect == PDP_EFFECT_STEP_UP) {
        require(out, rule);
    }
    out->terminate_subject =
        out->terminate_subject || (out->effect == PDP_EFFECT_TERMINATE && rule->ends_subject);
    out->audit_always = out->audit_always || rule->audit_always;
}

static bool list_rules(struct decide *d, enum combine_outcome decided, bool *certain)
{
    size_t count = 0;
    size_t obligations = 0;
    for (size_t i = 0; i < d->scratch->count; i++) {
        if (d->scratch->matched[i].outcome == decided) {
            count++;
            obligations += d->set->rules[d->scratch->matched[i].rule].obligation_count;
        }
    }
    if (!list_exceptions(d, &obligations)) {
        return false;
    }
    uint32_t *rules = arena_alloc(d->arena, (count + 1) * sizeof(*rules), _Alignof(uint32_t));
    struct verdict_obligation *united =
        arena_alloc(d->arena, (obligations + 1) * sizeof(*united), _Alignof(struct verdict_obligation));
    if (rules == NULL || united == NULL) {
        return false;
    }
    bool told = false;
    for (size_t i = 0; i < d->scratch->count; i++) {
        const struct scratch_match *match = &d->scratch->matched[i];
        if (match->outcome != decided) {
            continue;
        }
        const struct set_rule *rule = &d->set->rules[match->rule];
        decide_rule(d->out, rule, match->rule, rules);
        *certain = *certain || match->truth == TRUTH_YES;
        if (!told && tells(d->out, match->truth)) {
            told = true;
            d->out->message = rule->message;
            d->out->reason = rule->reason;
        }
    }
    d->out->rules = rules;
    d->out->obligations = united;
    d->out->obligation_count = unite(d, decided, united);
    return true;
}

static enum pdp_code code_of(struct decide *d, bool certain)
{
    if (d->out->effect != PDP_EFFECT_DENY) {
        return PDP_CODE_POLICY;
    }
    if ((d->seen & 1U << COMBINE_DENY) != 0) {
        return certain ? PDP_CODE_POLICY : PDP_CODE_UNSURE;
    }
    if (d->any_allow_unsure) {
        return PDP_CODE_UNSURE;
    }
    return any_target(d) ? PDP_CODE_NO_RULE : PDP_CODE_NO_POLICY;
}

void policy_decide(const struct policy_set *set, struct policy_scratch *scratch, struct cel_frame *frame,
                   const struct policy_host *host, const struct policy_question *question,
                   struct arena *arena, int64_t now_ms, struct policy_result *out)
{
    *out = (struct policy_result){.first = UINT32_MAX, .until_ms = INT64_MAX};
    struct decide d = {.set = set,
                       .scratch = scratch,
                       .frame = frame,
                       .host = host,
                       .question = question,
                       .arena = arena,
                       .now_ms = now_ms,
                       .out = out};
    if (question->unindexed || set->by_rule == NULL) {
        judge_all(&d);
    } else {
        judge_candidates(&d);
    }
    bool certain = false;
    out->effect = combine_verdict(d.seen);
    enum combine_outcome decided = combine_outcome_of(out->effect);
    if (!list_rules(&d, decided, &certain)) {
        *out = (struct policy_result){.first = UINT32_MAX};
        return;
    }
    out->code = code_of(&d, certain);
    bool allows = out->effect == PDP_EFFECT_DENY && !d.plain_deny;
    explain_missing(set, scratch, frame, host, question, decided, allows, arena, out);
}
