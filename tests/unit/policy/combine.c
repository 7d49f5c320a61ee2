// SPDX-License-Identifier: Apache-2.0
#include "policy/combine.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#define RULES_MAX 8
#define POLICIES_MAX 4

struct rule {
    enum pdp_effect effect;
    enum truth truth;
    bool proved;
};

struct policy {
    enum combine_algorithm algorithm;
    enum truth target;
    struct rule rules[RULES_MAX];
    size_t count;
};

struct set {
    struct policy policies[POLICIES_MAX];
    size_t count;
};

static enum pdp_effect verdict(const struct set *set)
{
    unsigned seen = 0;
    for (size_t i = 0; i < set->count; i++) {
        const struct policy *policy = &set->policies[i];
        struct combine_policy state = {.algorithm = policy->algorithm, .target = policy->target};
        for (size_t k = 0; k < policy->count; k++) {
            const struct rule *rule = &policy->rules[k];
            seen |= 1U << combine_rule(&state, rule->effect, rule->truth, rule->proved);
        }
        seen |= 1U << combine_end(&state);
    }
    return combine_verdict(seen);
}

// ---- Stored cases -----------------------------------------------------------------------------------

static enum truth truth_of(char c)
{
    return c == 'y' ? TRUTH_YES : c == 'n' ? TRUTH_NO : TRUTH_UNSURE;
}

static enum pdp_effect effect_of(char c)
{
    return c == 'a'   ? PDP_EFFECT_ALLOW
           : c == 's' ? PDP_EFFECT_STEP_UP
           : c == 't' ? PDP_EFFECT_TERMINATE
                      : PDP_EFFECT_DENY;
}

static void read_case(const char *text, struct set *set)
{
    *set = (struct set){0};
    if (text[0] == '-') {
        return;
    }
    while (*text != '=') {
        struct policy *policy = &set->policies[set->count++];
        policy->algorithm = text[0] == 'm'   ? COMBINE_MOST_RESTRICTIVE
                            : text[0] == 'f' ? COMBINE_FIRST_MATCH
                                             : COMBINE_DENY_UNLESS_ALLOW;
        policy->target = truth_of(text[2]);
        for (text += 4; *text != ';' && *text != ' '; text++) {
            if (*text == '-' || *text == ',') {
                continue;
            }
            struct rule *rule = &policy->rules[policy->count++];
            *rule = (struct rule){effect_of(text[0]), truth_of(text[1]), text[2] == 'p'};
            text += rule->proved ? 2 : 1;
        }
        text++;
    }
}

Test(policy_combine, agrees_with_the_model)
{
    FILE *file = fopen("tests/cases/verdicts/cases.txt", "r");
    cr_assert_not_null(file);
    char line[512];
    unsigned count = 0;
    while (fgets(line, sizeof(line), file) != NULL) {
        if (line[0] == '#') {
            continue;
        }
        struct set set;
        read_case(line, &set);
        line[strcspn(line, "\n")] = '\0';
        cr_expect_str_eq(pdp_effect_name(verdict(&set)), strstr(line, "= ") + 2, "%s", line);
        count++;
    }
    fclose(file);
    cr_expect(count >= 4000, "%u cases", count);
}

// ---- Properties over generated sets ---------------------------------------------------------------------

static uint64_t state = 88172645463325252U;

static unsigned roll(unsigned below)
{
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return (unsigned)(state >> 33) % below;
}

static void generate(struct set *set)
{
    *set = (struct set){.count = roll(POLICIES_MAX)};
    for (size_t i = 0; i < set->count; i++) {
        struct policy *policy = &set->policies[i];
        policy->algorithm = (enum combine_algorithm)roll(3);
        policy->target = roll(3) == 0 ? TRUTH_UNSURE : TRUTH_YES;
        policy->count = roll(4);
        for (size_t k = 0; k < policy->count; k++) {
            policy->rules[k] =
                (struct rule){(enum pdp_effect)roll(PDP_EFFECT_COUNT), (enum truth)roll(3), roll(2)};
        }
    }
}

static const struct rule RESTRICTING[] = {
    {PDP_EFFECT_STEP_UP, TRUTH_YES, false},   {PDP_EFFECT_STEP_UP, TRUTH_UNSURE, false},
    {PDP_EFFECT_DENY, TRUTH_YES, false},      {PDP_EFFECT_DENY, TRUTH_UNSURE, false},
    {PDP_EFFECT_TERMINATE, TRUTH_YES, false}, {PDP_EFFECT_TERMINATE, TRUTH_UNSURE, false},
};

// In a policy of its own, or at any place of a policy where order does not matter.
static void add_restricting(struct set *set, struct rule rule)
{
    size_t at = set->count > 0 ? roll((unsigned)set->count) : 0;
    struct policy *policy = &set->policies[at];
    if (set->count == 0 || policy->algorithm == COMBINE_FIRST_MATCH) {
        set->policies[set->count++] = (struct policy){COMBINE_MOST_RESTRICTIVE, TRUTH_YES, {rule}, 1};
        return;
    }
    size_t place = roll((unsigned)policy->count + 1);
    memmove(&policy->rules[place + 1], &policy->rules[place], (policy->count - place) * sizeof(rule));
    policy->rules[place] = rule;
    policy->count++;
}

Test(policy_combine, a_restricting_rule_never_loosens)
{
    for (int i = 0; i < 100000; i++) {
        struct set set;
        generate(&set);
        int before = pdp_effect_rank(verdict(&set));
        add_restricting(&set, RESTRICTING[roll(COUNT_OF(RESTRICTING))]);
        cr_assert(pdp_effect_rank(verdict(&set)) >= before);
    }
}

static size_t gather_unsure(struct set *set, enum truth **out, size_t most)
{
    size_t count = 0;
    for (size_t i = 0; i < set->count; i++) {
        struct policy *policy = &set->policies[i];
        if (policy->target == TRUTH_UNSURE && count < most) {
            out[count++] = &policy->target;
        }
        for (size_t k = 0; k < policy->count; k++) {
            if (policy->rules[k].truth == TRUTH_UNSURE && count < most) {
                out[count++] = &policy->rules[k].truth;
            }
        }
    }
    return count;
}

// However what was unsure turns out: an allow or a step_up is no wider than any of them would be, and a
// session is ended only where each of them ends it.
Test(policy_combine, unsure_never_widens_and_never_terminates)
{
    for (int i = 0; i < 20000; i++) {
        struct set set;
        generate(&set);
        enum pdp_effect got = verdict(&set);
        enum truth *unsure[16];
        size_t count = gather_unsure(&set, unsure, COUNT_OF(unsure));
        for (unsigned bits = 0; bits < 1U << count; bits++) {
            for (size_t k = 0; k < count; k++) {
                *unsure[k] = (bits >> k & 1) != 0 ? TRUTH_YES : TRUTH_NO;
            }
            enum pdp_effect could = verdict(&set);
            bool widened = (got == PDP_EFFECT_ALLOW || got == PDP_EFFECT_STEP_UP) &&
                           pdp_effect_rank(could) > pdp_effect_rank(got);
            cr_assert(!widened);
            cr_assert(got != PDP_EFFECT_TERMINATE || could == PDP_EFFECT_TERMINATE);
        }
    }
}

Test(policy_combine, order_matters_only_in_first_match)
{
    for (int i = 0; i < 100000; i++) {
        struct set set;
        generate(&set);
        enum pdp_effect before = verdict(&set);
        for (size_t k = 0; k < set.count; k++) {
            size_t other = roll((unsigned)set.count);
            struct policy swapped = set.policies[k];
            set.policies[k] = set.policies[other];
            set.policies[other] = swapped;
        }
        for (size_t k = 0; k < set.count; k++) {
            struct policy *policy = &set.policies[k];
            for (size_t r = 0; policy->algorithm != COMBINE_FIRST_MATCH && r < policy->count; r++) {
                size_t other = roll((unsigned)policy->count);
                struct rule swapped = policy->rules[r];
                policy->rules[r] = policy->rules[other];
                policy->rules[other] = swapped;
            }
        }
        cr_assert_eq(verdict(&set), before);
    }
}

Test(policy_combine, three_valued_and)
{
    for (int a = 0; a < 3; a++) {
        for (int b = 0; b < 3; b++) {
            enum truth want = a == TRUTH_NO || b == TRUTH_NO     ? TRUTH_NO
                              : a == TRUTH_YES && b == TRUTH_YES ? TRUTH_YES
                                                                 : TRUTH_UNSURE;
            cr_expect_eq(combine_both((enum truth)a, (enum truth)b), want);
        }
    }
}
