// SPDX-License-Identifier: Apache-2.0
// The order in which rules and exceptions stand: no question gets another effect by it, but the first that
// decides gives the answer its name, its message and its reason, and obligations come in that order.
#include "cli/change/fact.h"

#include <stdlib.h>

// Rules that may stand in one answer: those that lead to one outcome. What is unsure to end a session denies.
static const struct {
    const char *name;
    enum pdp_effect effects[2];
} CLASSES[] = {{"of rules that allow", {PDP_EFFECT_ALLOW, PDP_EFFECT_ALLOW}},
               {"of rules that ask for a step-up", {PDP_EFFECT_STEP_UP, PDP_EFFECT_STEP_UP}},
               {"of rules that deny", {PDP_EFFECT_DENY, PDP_EFFECT_TERMINATE}}};

struct placed {
    uint32_t policy, number;
    bool first_match;
    struct str name;
};

// Of a policy that is `first-match` one rule decides: among themselves they stand by name.
static int by_place(const void *a, const void *b)
{
    const struct placed *one = a, *two = b;
    if (one->policy != two->policy) {
        return one->policy < two->policy ? -1 : 1;
    }
    if (one->first_match) {
        return str_cmp(one->name, two->name);
    }
    return one->number < two->number ? -1 : one->number > two->number;
}

static uint32_t take_class(const struct side *side, size_t class, struct placed *out)
{
    const struct policy_set *set = side->parts.set;
    uint32_t count = 0;
    for (uint32_t i = 0; i < set->rule_count; i++) {
        const struct set_rule *rule = &set->rules[i];
        if (rule->effect == CLASSES[class].effects[0] || rule->effect == CLASSES[class].effects[1]) {
            bool first = set->policies[rule->policy].algorithm == COMBINE_FIRST_MATCH;
            out[count++] = (struct placed){rule->policy, i, first, rule->name};
        }
    }
    if (count > 0) {
        qsort(out, count, sizeof *out, by_place);
    }
    return count;
}

static void add_order(struct side *side, const char *name, const struct placed *list, uint32_t count)
{
    struct str *members = ARENA_ARRAY(&side->arena, struct str, count + (size_t)1);
    uint32_t *numbers = ARENA_ARRAY(&side->arena, uint32_t, count + (size_t)1);
    if (members == NULL || numbers == NULL) {
        side->failed = true;
        return;
    }
    for (uint32_t i = 0; i < count; i++) {
        members[i] = list[i].name;
        numbers[i] = list[i].number;
    }
    fact_add(side, (struct fact){.kind = FACT_SEQUENCE,
                                 .name = str_of(name),
                                 .aspect = "order",
                                 .form = FACT_ORDER,
                                 .words = true,
                                 .members = members,
                                 .numbers = numbers,
                                 .member_count = count});
}

void facts_of_order(struct side *side)
{
    const struct policy_set *set = side->parts.set;
    size_t most = set->rule_count > set->exception_count ? set->rule_count : set->exception_count;
    struct placed *list = calloc(most + 1, sizeof *list);
    if (list == NULL) {
        side->failed = true;
        return;
    }
    for (size_t class = 0; class < COUNT_OF(CLASSES); class ++) {
        add_order(side, CLASSES[class].name, list, take_class(side, class, list));
    }
    for (uint32_t i = 0; i < set->exception_count; i++) {
        list[i] = (struct placed){.number = i, .name = set->exceptions[i].name};
    }
    add_order(side, FACT_ORDER_EXCEPTIONS, list, set->exception_count);
    free(list);
}

bool fact_order_shows(struct str name, enum pdp_effect effect)
{
    for (size_t class = 0; class < COUNT_OF(CLASSES); class ++) {
        if (str_eq(name, str_of(CLASSES[class].name))) {
            return effect == CLASSES[class].effects[0] || effect == CLASSES[class].effects[1];
        }
    }
    return false;
}
