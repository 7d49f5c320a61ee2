// SPDX-License-Identifier: Apache-2.0
// A decision taken apart, for people: a tree of policies, the ledger as a waterfall, the smallest change.
#include "cli/explain/account.h"

#include <math.h>

enum {
    BAR = 32 // columns of the waterfall
};

static void indent(struct buf *out, uint32_t columns)
{
    for (uint32_t i = 0; i < columns; i++) {
        buf_byte(out, ' ');
    }
}

// Ends a line, without blanks before its end.
static void end_line(struct buf *out)
{
    while (out->len > 0 && out->at[out->len - 1] == ' ') {
        out->len--;
    }
    buf_byte(out, '\n');
}

// ---- Conditions --------------------------------------------------------------------------------

static void put_read(const struct account *account, const struct account_read *read, uint32_t columns,
                     struct buf *out)
{
    indent(out, columns);
    buf_str(out, read->path);
    buf_str(out, STR(" is "));
    account_value(account->parts, read->slot, &read->value, out);
    buf_byte(out, '\n');
}

static void put_condition(const struct account *account, const struct account_condition *condition,
                          uint32_t columns, struct buf *out)
{
    static const char *const OPS[] = {
        [CEL_PART_ALL] = "all of", [CEL_PART_ANY] = "any of", [CEL_PART_NOT] = "not"};
    columns += 2 * condition->depth;
    indent(out, columns);
    buf_printf(out, "%-7s ", account_truth(condition->truth));
    if (condition->op != CEL_PART_ATOM) {
        buf_printf(out, "%s\n", OPS[condition->op]);
        return;
    }
    buf_escaped(out, condition->text);
    buf_byte(out, '\n');
    bool told = false;
    for (uint32_t i = 0; i < condition->read_count; i++) {
        put_read(account, &condition->reads[i], columns + 10, out);
        told = told || condition->reads[i].value.kind == VALUE_ERROR;
    }
    if (condition->why.len > 0 && !told) {
        indent(out, columns + 10);
        buf_str(out, condition->why);
        buf_byte(out, '\n');
    }
}

static void put_conditions(const struct account *account, const struct account_conditions *conditions,
                           uint32_t columns, struct buf *out)
{
    for (size_t i = 0; i < conditions->count; i++) {
        put_condition(account, &conditions->list[i], columns, out);
    }
}

// ---- Rules -------------------------------------------------------------------------------------

static void put_proof(const struct account_proof *proof, uint32_t columns, struct buf *out)
{
    if (!proof->asked) {
        return;
    }
    indent(out, columns);
    buf_printf(out, "requires " STR_FMT, STR_ARG(proof->strength));
    if (proof->max_age_s > 0) {
        buf_str(out, STR(", at most "));
        account_age(out, proof->max_age_s);
        buf_str(out, STR(" old"));
    }
    buf_str(out, proof->proved ? STR(": proved") : STR(": not proved"));
    if (proof->proved && proof->until_ms != INT64_MAX) {
        struct value until = value_time_ms(proof->until_ms);
        buf_str(out, STR(" until "));
        value_print(out, &until, 64);
    }
    buf_byte(out, '\n');
}

// What came of a rule: `deny`, where it is unsure and counts.
static void put_outcome(const struct account_rule *rule, struct buf *out)
{
    static const char *const OUTCOMES[] = {[COMBINE_NONE] = NULL,
                                           [COMBINE_ALLOW] = "allow",
                                           [COMBINE_STEP_UP] = "step_up",
                                           [COMBINE_DENY] = "deny",
                                           [COMBINE_TERMINATE] = "terminate"};
    bool counts = rule->truth == TRUTH_UNSURE && rule->outcome != COMBINE_NONE;
    if (counts) {
        buf_printf(out, ", counts as %s", OUTCOMES[rule->outcome]);
    } else if (rule->truth == TRUTH_UNSURE && rule->rule->effect == PDP_EFFECT_ALLOW) {
        buf_str(out, STR(", allows nothing"));
    }
    if (rule->truth != TRUTH_NO && rule->proof.proved) {
        buf_str(out, STR(", asks nothing"));
    }
    for (size_t i = 0; i < rule->lifted_count; i++) {
        buf_str(out, i == 0 ? STR(", lifted by ") : STR(" and "));
        buf_str(out, rule->lifted[i]);
    }
    buf_str(out, rule->decides ? STR(", decides") : STR(""));
}

static void put_rule(const struct account *account, const struct account_policy *policy,
                     const struct account_rule *rule, struct buf *out)
{
    struct str name = rule->rule->name; // `policy/rule`
    struct str id = str_sub(name, policy->policy->name.len + 1, name.len);
    buf_printf(out, "  %s " STR_FMT ": ", pdp_effect_name(rule->rule->effect), STR_ARG(id));
    if (rule->why == ACCOUNT_EARLIER) {
        buf_printf(out, "%s\n", ACCOUNT_WHY_WORDS[rule->why]);
        return;
    }
    buf_str(out, str_of(account_truth(rule->truth)));
    put_outcome(rule, out);
    buf_byte(out, '\n');
    if (ACCOUNT_WHY_WORDS[rule->why] != NULL) {
        buf_printf(out, "    %s\n", ACCOUNT_WHY_WORDS[rule->why]);
    }
    if (rule->why_unsure.len > 0) {
        buf_printf(out, "    " STR_FMT "\n", STR_ARG(rule->why_unsure));
    }
    put_proof(&rule->proof, 4, out);
    put_conditions(account, &rule->when, 4, out);
}

static const char *algorithm_of(const struct set_policy *policy)
{
    static const char *const NAMES[] = {[COMBINE_MOST_RESTRICTIVE] = "most-restrictive",
                                        [COMBINE_FIRST_MATCH] = "first-match",
                                        [COMBINE_DENY_UNLESS_ALLOW] = "deny-unless-allow"};
    return NAMES[policy->algorithm];
}

static void put_policy(const struct account *account, const struct account_policy *policy, struct buf *out)
{
    buf_printf(out, "\npolicy " STR_FMT " (%s): %s\n", STR_ARG(policy->policy->name),
               algorithm_of(policy->policy),
               policy->target == TRUTH_YES ? "about this question" : "unsure whether about this question");
    put_conditions(account, &policy->conditions, 2, out);
    for (size_t i = 0; i < policy->rule_count; i++) {
        put_rule(account, policy, &policy->rules[i], out);
    }
    if (policy->elsewhere > 0) {
        buf_printf(out, "  %zu rule%s about other actions or resources\n", policy->elsewhere,
                   policy->elsewhere == 1 ? "" : "s");
    }
}

static void put_exception(const struct account *account, const struct account_exception *exception,
                          struct buf *out)
{
    buf_printf(out, "\nexception " STR_FMT ": %s%s\n", STR_ARG(exception->name),
               exception->expired ? "has expired" : account_truth(exception->truth),
               exception->lifted ? ", lifts"
               : exception->may  ? ", lifts nothing; what it names ends no session"
                                 : "");
    put_proof(&exception->proof, 2, out);
    put_conditions(account, &exception->when, 2, out);
}

static void put_policies(const struct account *account, struct buf *out)
{
    for (size_t i = 0; i < account->policy_count; i++) {
        put_policy(account, &account->policies[i], out);
    }
    for (size_t i = 0; i < account->exception_count; i++) {
        put_exception(account, &account->exceptions[i], out);
    }
    if (account->left_out > 0) {
        buf_printf(out, "\n%zu polic%s with %zu rule%s not about this question, or not enforced on it\n",
                   account->left_out, account->left_out == 1 ? "y" : "ies", account->left_out_rules,
                   account->left_out_rules == 1 ? " is" : "s are");
    }
}

// ---- The ledger --------------------------------------------------------------------------------

struct scale {
    double least, most;
};

static int column(const struct scale *scale, double at)
{
    double span = scale->most - scale->least;
    return span > 0 ? (int)lround((at - scale->least) / span * BAR) : 0;
}

// From where the sum was to where it is: `>` what makes it riskier, `<` what takes away.
static void put_bar(const struct scale *scale, double from, double to, struct buf *out)
{
    int a = column(scale, fmin(from, to)), b = column(scale, fmax(from, to));
    b = b == a && from != to ? a + 1 : b;
    for (int i = 0; i <= BAR; i++) {
        buf_byte(out, i >= a && i < b ? (to > from ? '>' : '<') : ' ');
    }
    buf_byte(out, ' ');
}

static struct scale scale_of(const struct account *account)
{
    double sum = account->prior;
    struct scale scale = {fmin(0, sum), fmax(0, sum)};
    for (size_t i = 0; i < account->signal_count; i++) {
        sum += account->signals[i].evidence;
        scale.least = fmin(scale.least, sum);
        scale.most = fmax(scale.most, sum);
    }
    return scale;
}

static void put_ledger(const struct account *account, struct buf *out)
{
    struct scale scale = scale_of(account);
    double sum = account->prior;
    buf_printf(out, "\nrisk %.3g, " STR_FMT " (medium from %.3g, high from %.3g, critical from %.3g)\n",
               account->score, STR_ARG(RISK_LEVEL_NAMES[account->level]), account->thresholds[0],
               account->thresholds[1], account->thresholds[2]);
    buf_printf(out, "  %-20s %+7.2f  ", "prior", account->prior);
    put_bar(&scale, 0, account->prior, out);
    end_line(out);
    for (size_t i = 0; i < account->signal_count; i++) {
        const struct account_signal *signal = &account->signals[i];
        buf_printf(out, "  %-20.*s %+7.2f  ", (int)signal->id.len, signal->id.at, signal->evidence);
        put_bar(&scale, sum, sum + signal->evidence, out);
        buf_escaped(out, signal->because);
        end_line(out);
        sum += signal->evidence;
    }
    buf_printf(out, "  %-20s %+7.2f  ", "log-odds", account->log_odds);
    put_bar(&scale, 0, account->log_odds, out);
    end_line(out);
}

static void put_without(const struct account *account, struct buf *out)
{
    bool first = true;
    for (size_t i = 0; i < account->signal_count; i++) {
        const struct account_signal *signal = &account->signals[i];
        if (signal->level == account->level && signal->effect == account->verdict->effect) {
            continue;
        }
        buf_printf(out, "%s  without " STR_FMT " the score would be %.3g: " STR_FMT ", %s\n",
                   first ? "\n" : "", STR_ARG(signal->id), signal->score,
                   STR_ARG(RISK_LEVEL_NAMES[signal->level]), pdp_effect_name(signal->effect));
        first = false;
    }
}

// ---- All ---------------------------------------------------------------------------------------

static void put_line(struct buf *out, const char *name, struct str text)
{
    if (text.len > 0) {
        buf_printf(out, "  %-8s ", name);
        buf_escaped(out, text);
        buf_byte(out, '\n');
    }
}

static void put_answer(const struct verdict *verdict, struct buf *out)
{
    buf_printf(out, "%s, %s", pdp_effect_name(verdict->effect), pdp_code_name(verdict->code));
    if (verdict->rule.len > 0) {
        buf_printf(out, ": " STR_FMT, STR_ARG(verdict->rule));
    }
    buf_byte(out, '\n');
    put_line(out, "reason", verdict->reason);
    put_line(out, "message", verdict->message);
    for (size_t i = 0; i < verdict->missing_count; i++) {
        put_line(out, "missing", verdict->missing[i]);
    }
}

void account_people(const struct account *account, struct buf *out)
{
    put_answer(account->verdict, out);
    if (account->judged) {
        put_policies(account, out);
    }
    if (account->has_risk) {
        put_ledger(account, out);
        put_without(account, out);
    }
    buf_str(out, STR("\nsmallest change\n"));
    account_changes(account, out);
}
