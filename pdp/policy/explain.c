// SPDX-License-Identifier: Apache-2.0
// Words for what was unsure.
#include "policy/scratch.h"

struct explain {
    const struct policy_set *set;
    struct cel_frame *frame;
    const struct policy_host *host;
    const struct policy_question *question;
    struct arena *arena;
    struct str *words;
    size_t count;
    struct value said[VERDICT_MISSING_MAX]; // errors that are among the words already
    size_t said_count;
};

static void add(struct explain *e, struct str words)
{
    for (size_t i = 0; i < e->count; i++) {
        if (str_eq(e->words[i], words)) {
            return;
        }
    }
    if (words.len > 0 && e->count < VERDICT_MISSING_MAX) {
        e->words[e->count++] = words;
    }
}

// Says by itself what it is about: an attribute, a list, a counter.
static bool names_attribute(const struct value *error)
{
    return error->n == CEL_ERROR_MISSING || error->n == CEL_ERROR_MISTYPED || error->n == CEL_ERROR_STALE ||
           error->n == CEL_ERROR_SAID;
}

// Thousands of rules may lack the same attribute: its words are made once.
static bool is_said(struct explain *e, const struct value *error)
{
    for (size_t i = 0; i < e->said_count; i++) {
        if (e->said[i].n == error->n && e->said[i].as.i == error->as.i) {
            return true;
        }
    }
    if (names_attribute(error) && e->said_count < VERDICT_MISSING_MAX) {
        e->said[e->said_count++] = *error;
    }
    return false;
}

static void add_expr(struct explain *e, uint32_t expr, struct str what)
{
    if (expr == SET_NO_EXPR) {
        return;
    }
    struct value value = cel_run(e->frame, expr); // remembered from the match
    if (value.kind == VALUE_ERROR && !is_said(e, &value)) {
        struct str why = cel_why(e->frame, &value);
        add(e, names_attribute(&value)
                   ? why
                   : arena_printf(e->arena, STR_FMT " in `" STR_FMT "`", STR_ARG(why), STR_ARG(what)));
    } else if (value.kind != VALUE_BOOL && value.kind != VALUE_ERROR) {
        add(e, arena_printf(e->arena, "the condition of `" STR_FMT "` is a %s, not a bool", STR_ARG(what),
                            value_kind_name((enum value_kind)value.kind)));
    }
}

// Whose a question is may be what nobody knows: a rollout by device where no device is named.
static void add_rollout(struct explain *e, uint32_t rollout)
{
    static const struct str MISSING[POLICY_BY_COUNT] = {
        [POLICY_BY_SUBJECT] = {"`subject.id` is missing", 23},
        [POLICY_BY_SESSION] = {"`session.id` is missing", 23},
        [POLICY_BY_DEVICE] = {"`device.fingerprint` is missing", 31},
    };
    uint64_t key = 0;
    if (rollout == SET_NO_ROLLOUT) {
        return;
    }
    const struct set_rollout *of = &e->set->rollouts[rollout];
    bool drawn = of->share > 0 && of->share < SET_ROLLOUT_ALL && !(e->question->shadow && of->shadows);
    if (drawn &&
        !(e->host != NULL && e->host->sticky != NULL && e->host->sticky(e->host->user, of->by, &key))) {
        add(e, MISSING[of->by]);
    }
}

static void add_rule(struct explain *e, const struct set_rule *rule)
{
    const struct set_policy *policy = &e->set->policies[rule->policy];
    if (rule->action_count > 0 && e->question->action.at == NULL) {
        add(e, STR("`action.name` is missing"));
    }
    if (rule->resource_count > 0 && e->question->path.at == NULL) {
        add(e, STR("`resource.id` is missing"));
    }
    add_rollout(e, policy->rollout);
    add_rollout(e, rule->rollout);
    add_expr(e, policy->target, policy->name);
    add_expr(e, rule->when, rule->name);
}

// Whether an end of the session is lifted may be what nobody knows.
static void add_exceptions(struct explain *e, const struct policy_scratch *scratch,
                           const struct set_numbers *numbers)
{
    for (uint32_t i = 0; i < numbers->count; i++) {
        const struct set_exception *exception = &e->set->exceptions[numbers->at[i]];
        if (scratch->lifting[numbers->at[i]] == SCRATCH_MAY_LIFT) {
            add_expr(e, exception->when, exception->name);
        }
    }
}

void explain_missing(const struct policy_set *set, const struct policy_scratch *scratch,
                     struct cel_frame *frame, const struct policy_host *host,
                     const struct policy_question *question, enum combine_outcome decided, bool allows,
                     struct arena *arena, struct policy_result *out)
{
    struct explain e = {.set = set, .frame = frame, .host = host, .question = question, .arena = arena};
    e.words = ARENA_ARRAY(arena, struct str, VERDICT_MISSING_MAX);
    if (e.words == NULL) {
        return;
    }
    for (size_t i = 0; i < scratch->count && e.count < VERDICT_MISSING_MAX; i++) {
        const struct scratch_match *match = &scratch->matched[i];
        const struct set_rule *rule = &set->rules[match->rule];
        bool counts = match->outcome == decided || (allows && rule->effect == PDP_EFFECT_ALLOW);
        if (match->truth == TRUTH_UNSURE && counts) {
            add_rule(&e, rule);
            if (rule->effect == PDP_EFFECT_TERMINATE && !rule->never_lifted && set->exception_count > 0) {
                add_exceptions(&e, scratch, &set->lift_all);
                add_exceptions(&e, scratch, &set->lifts[match->rule]);
            }
        }
    }
    out->missing = e.words;
    out->missing_count = e.count;
}
