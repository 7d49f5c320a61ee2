// SPDX-License-Identifier: Apache-2.0
// The same for programs. Names and their meanings stay as they are; new ones may be added.
#include "cli/explain/account.h"

static bool is_sensitive(const struct account *account, uint32_t slot)
{
    return slot != UINT32_MAX && cel_slot_at(account->parts->program, slot)->sensitive;
}

static void put_value(const struct account *account, uint32_t slot, const struct value *value,
                      struct emit *emit)
{
    if (value->kind == VALUE_ERROR) {
        emit_null(emit);
    } else if (is_sensitive(account, slot)) {
        emit_str(emit, STR(CEL_MASK));
    } else if (value->kind == VALUE_STRENGTH || value->kind == VALUE_CIDR) {
        struct buf text = {0};
        account_value(account->parts, slot, value, &text);
        emit_str(emit, buf_view(&text));
        buf_fini(&text);
    } else {
        emit_value(emit, value);
    }
}

static void put_time(struct emit *emit, const char *key, int64_t at_ms)
{
    struct value time = value_time_ms(at_ms);
    emit_key(emit, str_of(key));
    emit_value(emit, &time);
}

// ---- Conditions --------------------------------------------------------------------------------

static void put_reads(const struct account *account, const struct account_condition *condition,
                      struct emit *emit)
{
    emit_key(emit, STR("reads"));
    emit_list(emit, SIZE_MAX);
    for (uint32_t i = 0; i < condition->read_count; i++) {
        const struct account_read *read = &condition->reads[i];
        emit_map(emit, SIZE_MAX);
        emit_key_str(emit, "attribute", read->path);
        emit_key(emit, STR("value"));
        put_value(account, read->slot, &read->value, emit);
        emit_end(emit);
    }
    emit_end(emit);
}

static size_t put_condition(const struct account *account, const struct account_conditions *all, size_t at,
                            struct emit *emit)
{
    static const char *const OPS[] = {
        [CEL_PART_ATOM] = "test", [CEL_PART_ALL] = "all", [CEL_PART_ANY] = "any", [CEL_PART_NOT] = "not"};
    const struct account_condition *condition = &all->list[at++];
    emit_map(emit, SIZE_MAX);
    emit_key_str(emit, "is", str_of(OPS[condition->op]));
    emit_key_str(emit, "truth", str_of(account_truth(condition->truth)));
    if (condition->op == CEL_PART_ATOM) {
        emit_key_str(emit, "text", condition->text);
        if (condition->why.len > 0) {
            emit_key_str(emit, "why", condition->why);
        }
        put_reads(account, condition, emit);
    }
    if (at < all->count && all->list[at].depth > condition->depth) {
        emit_key(emit, STR("of"));
        emit_list(emit, SIZE_MAX);
        while (at < all->count && all->list[at].depth > condition->depth) {
            at = put_condition(account, all, at, emit);
        }
        emit_end(emit);
    }
    emit_end(emit);
    return at;
}

static void put_conditions(const struct account *account, const char *key,
                           const struct account_conditions *all, struct emit *emit)
{
    emit_key(emit, str_of(key));
    emit_list(emit, SIZE_MAX);
    for (size_t at = 0; at < all->count;) {
        at = put_condition(account, all, at, emit);
    }
    emit_end(emit);
}

static void put_proof(const struct account_proof *proof, struct emit *emit)
{
    if (!proof->asked) {
        return;
    }
    emit_key(emit, STR("require"));
    emit_map(emit, SIZE_MAX);
    emit_key_str(emit, "strength", proof->strength);
    if (proof->max_age_s > 0) {
        emit_key_int(emit, "max_age", proof->max_age_s);
    }
    emit_key_bool(emit, "proved", proof->proved);
    if (proof->proved && proof->until_ms != INT64_MAX) {
        put_time(emit, "until", proof->until_ms);
    }
    emit_end(emit);
}

// ---- Policies ----------------------------------------------------------------------------------

static void put_rule(const struct account *account, const struct account_rule *rule, struct emit *emit)
{
    static const char *const OUTCOMES[] = {[COMBINE_ALLOW] = "allow",
                                           [COMBINE_STEP_UP] = "step_up",
                                           [COMBINE_DENY] = "deny",
                                           [COMBINE_TERMINATE] = "terminate"};
    emit_map(emit, SIZE_MAX);
    emit_key_str(emit, "rule", rule->rule->name);
    emit_key_str(emit, "effect", str_of(pdp_effect_name(rule->rule->effect)));
    emit_key_str(emit, "truth", str_of(account_truth(rule->truth)));
    if (rule->outcome != COMBINE_NONE) {
        emit_key_str(emit, "counts_as", str_of(OUTCOMES[rule->outcome]));
    }
    emit_key_bool(emit, "decides", rule->decides);
    if (ACCOUNT_WHY_WORDS[rule->why] != NULL) {
        emit_key_str(emit, "why", str_of(ACCOUNT_WHY_WORDS[rule->why]));
    } else if (rule->why_unsure.len > 0) {
        emit_key_str(emit, "why", rule->why_unsure);
    }
    emit_texts(emit, STR("lifted_by"), rule->lifted, rule->lifted_count);
    put_proof(&rule->proof, emit);
    put_conditions(account, "when", &rule->when, emit);
    emit_end(emit);
}

static void put_policies(const struct account *account, struct emit *emit)
{
    emit_key(emit, STR("policies"));
    emit_list(emit, SIZE_MAX);
    for (size_t i = 0; i < account->policy_count; i++) {
        const struct account_policy *policy = &account->policies[i];
        emit_map(emit, SIZE_MAX);
        emit_key_str(emit, "policy", policy->policy->name);
        emit_key_str(emit, "truth", str_of(account_truth(policy->target)));
        put_conditions(account, "target", &policy->conditions, emit);
        emit_key(emit, STR("rules"));
        emit_list(emit, SIZE_MAX);
        for (size_t k = 0; k < policy->rule_count; k++) {
            put_rule(account, &policy->rules[k], emit);
        }
        emit_end(emit);
        emit_key_int(emit, "rules_elsewhere", (int64_t)policy->elsewhere);
        emit_end(emit);
    }
    emit_end(emit);
    emit_key(emit, STR("left_out"));
    emit_map(emit, SIZE_MAX);
    emit_key_int(emit, "policies", (int64_t)account->left_out);
    emit_key_int(emit, "rules", (int64_t)account->left_out_rules);
    emit_end(emit);
}

static void put_exceptions(const struct account *account, struct emit *emit)
{
    emit_key(emit, STR("exceptions"));
    emit_list(emit, SIZE_MAX);
    for (size_t i = 0; i < account->exception_count; i++) {
        const struct account_exception *exception = &account->exceptions[i];
        emit_map(emit, SIZE_MAX);
        emit_key_str(emit, "exception", exception->name);
        emit_key_str(emit, "truth", str_of(account_truth(exception->truth)));
        emit_key_bool(emit, "expired", exception->expired);
        emit_key_bool(emit, "lifts", exception->lifted);
        put_proof(&exception->proof, emit);
        put_conditions(account, "when", &exception->when, emit);
        emit_end(emit);
    }
    emit_end(emit);
}

// ---- Risk --------------------------------------------------------------------------------------

static void put_signal(const struct account_signal *signal, struct emit *emit)
{
    emit_map(emit, SIZE_MAX);
    emit_key_str(emit, "id", signal->id);
    emit_key_double(emit, "evidence", signal->evidence);
    if (signal->because.len > 0) {
        emit_key_str(emit, "because", signal->because);
    }
    emit_key(emit, STR("without"));
    emit_map(emit, SIZE_MAX);
    emit_key_double(emit, "score", signal->score);
    emit_key_str(emit, "level", RISK_LEVEL_NAMES[signal->level]);
    emit_key_str(emit, "effect", str_of(pdp_effect_name(signal->effect)));
    emit_end(emit);
    emit_end(emit);
}

static void put_risk(const struct account *account, struct emit *emit)
{
    emit_key(emit, STR("risk"));
    emit_map(emit, SIZE_MAX);
    emit_key_double(emit, "score", account->score);
    emit_key_str(emit, "level", RISK_LEVEL_NAMES[account->level]);
    emit_key_double(emit, "log_odds", account->log_odds);
    emit_key_double(emit, "prior", account->prior);
    emit_key(emit, STR("thresholds"));
    emit_map(emit, SIZE_MAX);
    for (size_t i = 0; i + 1 < RISK_LEVEL_COUNT; i++) {
        emit_key(emit, RISK_LEVEL_NAMES[i + 1]);
        emit_double(emit, account->thresholds[i]);
    }
    emit_end(emit);
    emit_key(emit, STR("signals"));
    emit_list(emit, SIZE_MAX);
    for (size_t i = 0; i < account->signal_count; i++) {
        put_signal(&account->signals[i], emit);
    }
    emit_end(emit);
    emit_end(emit);
}

// ---- Changes -----------------------------------------------------------------------------------

static void put_lists(const struct account *account, const struct option *option, struct emit *emit)
{
    const struct cel_env *env = account->parts->env;
    emit_map(emit, SIZE_MAX);
    for (uint32_t i = 0; i < option->member_count; i++) {
        for (size_t k = 0; k < env->set_count; k++) {
            if (env->sets[k].id == option->members[i].set) {
                emit_key(emit, env->sets[k].name);
                emit_bool(emit, option->members[i].holds);
            }
        }
    }
    emit_end(emit);
}

// How a step-up has to be told, where it does not do otherwise.
static void put_told(const struct option *option, struct emit *emit)
{
    if (option->assumes && option->to.acr.len > 0) {
        emit_key_str(emit, "acr", option->to.acr);
    }
    if (option->assumes && option->to.amr.kind == VALUE_LIST) {
        emit_key(emit, STR("amr"));
        emit_list(emit, SIZE_MAX);
        for (uint32_t i = 0; i < option->to.amr.n; i++) {
            emit_str(emit, value_text(&option->to.amr.as.list[i]));
        }
        emit_end(emit);
    }
}

static void put_option(const struct account *account, const struct attribute *at, const struct option *option,
                       struct emit *emit)
{
    static const char *const NAMES[OPTION_SAYS] = {
#define X(name, words, id) [OPTION_##name] = id,
        OPTION_SAY_LIST(X)
#undef X
    };
    emit_map(emit, SIZE_MAX);
    emit_key_str(emit, "attribute", at->path);
    emit_key_str(emit, "change", str_of(NAMES[option->say]));
    if (option->say == OPTION_STEP_UP) {
        emit_key_str(emit, "strength", account->parts->names->strengths[option->to.strength]);
        put_told(option, emit);
    } else {
        emit_key(emit, STR("to"));
        put_value(account, at->slot, &option->to.value, emit);
        emit_key(emit, STR("is"));
        put_value(account, at->slot, &at->is, emit);
    }
    if (option->than.kind != VALUE_ERROR && option->say != OPTION_STEP_UP) {
        emit_key(emit, STR("than"));
        put_value(account, at->slot, &option->than, emit);
    }
    if (option->made_up) {
        emit_key_bool(emit, "made_up", true);
    }
    if (option->but_count > 0) {
        emit_key(emit, STR("nor"));
        emit_list(emit, SIZE_MAX);
        for (uint32_t i = 0; i < option->but_count; i++) {
            put_value(account, at->slot, &option->but[i], emit);
        }
        emit_end(emit);
    }
    if (option->also_count > 0) {
        emit_key(emit, STR("also"));
        emit_list(emit, SIZE_MAX);
        for (uint32_t i = 0; i < option->also_count; i++) {
            emit_map(emit, SIZE_MAX);
            emit_key_str(emit, "change", str_of(NAMES[option->also[i].say]));
            emit_key(emit, STR("than"));
            put_value(account, at->slot, &option->also[i].than, emit);
            emit_end(emit);
        }
        emit_end(emit);
    }
    if (option->until_say == OPTION_BELOW || option->until_say == OPTION_AT_MOST) {
        emit_key(emit, str_of(NAMES[option->until_say]));
        put_value(account, at->slot, &option->until, emit);
    }
    if (option->member_count > 0) {
        emit_key(emit, STR("lists"));
        put_lists(account, option, emit);
    }
    emit_end(emit);
}

static void put_change(const struct account *account, const struct change *change, struct emit *emit)
{
    emit_map(emit, SIZE_MAX);
    emit_key_str(emit, "effect", str_of(pdp_effect_name(change->effect)));
    emit_key_double(emit, "size", change->size);
    emit_key(emit, STR("changes"));
    emit_list(emit, SIZE_MAX);
    for (uint32_t i = 0; i < change->count; i++) {
        put_option(account, change->attributes[i], change->options[i], emit);
    }
    emit_end(emit);
    emit_end(emit);
}

static void put_changes(const struct account *account, struct emit *emit)
{
    const struct changes *changes = &account->changes;
    const char *final = account->judged ? NULL : account_final(account->verdict->code);
    emit_key(emit, STR("smallest"));
    emit_list(emit, SIZE_MAX);
    for (size_t i = 0; i < changes->count; i++) {
        put_change(account, &changes->list[i], emit);
    }
    emit_end(emit);
    emit_key(emit, STR("search"));
    emit_map(emit, SIZE_MAX);
    emit_key_int(emit, "asked", (int64_t)changes->asked);
    emit_key_bool(emit, "complete", !changes->cut);
    emit_key_bool(emit, "another_question", changes->who);
    if (final != NULL) {
        emit_key_str(emit, "none_because", str_of(final));
    }
    emit_end(emit);
}

void account_json(const struct account *account, struct emit *emit)
{
    const struct verdict *verdict = account->verdict;
    emit_map(emit, SIZE_MAX);
    emit_key_str(emit, "effect", str_of(pdp_effect_name(verdict->effect)));
    emit_key_str(emit, "code", str_of(pdp_code_name(verdict->code)));
    if (verdict->rule.len > 0) {
        emit_key_str(emit, "rule", verdict->rule);
    }
    if (verdict->reason.len > 0) {
        emit_key_str(emit, "reason", verdict->reason);
    }
    if (verdict->message.len > 0) {
        emit_key_str(emit, "message", verdict->message);
    }
    emit_texts(emit, STR("missing"), verdict->missing, verdict->missing_count);
    emit_key_bool(emit, "judged", account->judged);
    if (account->judged) {
        put_policies(account, emit);
        put_exceptions(account, emit);
    }
    if (account->has_risk) {
        put_risk(account, emit);
    }
    put_changes(account, emit);
    emit_end(emit);
}
