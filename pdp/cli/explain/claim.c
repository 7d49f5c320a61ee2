// SPDX-License-Identifier: Apache-2.0
#include "cli/explain/claim.h"

#include "cel/frame.h"

bool claim_holds(struct claim *c, const struct whatif *value)
{
    const struct change *change = c->change;
    const struct whatif *taken[CHANGE_ATTRIBUTES_MOST];
    uint32_t which[CHANGE_ATTRIBUTES_MOST] = {0};
    for (uint32_t i = 0; i < change->count; i++) {
        taken[i] = i == c->at ? value : i < c->at ? c->kept[i] : &change->options[i]->to;
    }
    for (uint32_t i = 0; c->tries < CLAIM_TRIES_MOST; i = 0) {
        c->tries++;
        if (whatif_ask(c->options->world, taken, change->count) != change->effect) {
            return false;
        }
        for (; i < c->at && ++which[i] == c->kept_count[i]; i++) {
            which[i] = 0;
            taken[i] = c->kept[i];
        }
        if (i >= c->at) {
            return true;
        }
        taken[i] = &c->kept[i][which[i]];
    }
    return false;
}

// Is all known that a condition could find out about the attribute?
static bool is_known(const struct claim *c)
{
    const struct attribute *at = c->change->attributes[c->at];
    unsigned reads = options_reads(c->options, at);
    bool other_now = false, listed = c->options->listed && str_starts(at->path, STR("resource."));
    for (uint32_t i = 0; i < c->change->count; i++) {
        other_now = other_now || c->change->attributes[i]->kind == WHATIF_NOW;
    }
    return (reads & OPTIONS_OPAQUE) == 0 && !listed &&
           ((reads & OPTIONS_JOINED) == 0 || c->change->count == 1) &&
           ((reads & OPTIONS_JOINED_NOW) == 0 || !other_now);
}

static bool is_given(const struct attribute *at)
{
    for (uint32_t i = 0; i < at->test_count; i++) {
        if (at->tests[i].kind != TEST_THERE) {
            return false;
        }
    }
    return true;
}

// A bound of what is missing: which side does is found out here.
static void widen(struct claim *c, struct option *option)
{
    static const enum option_say SAYS[] = {OPTION_AT_MOST, OPTION_AT_LEAST};
    const struct attribute *at = c->change->attributes[c->at];
    bool bound = false;
    for (uint32_t i = 0; i < at->test_count && at->is.kind == VALUE_ERROR; i++) {
        const struct option_test *test = &at->tests[i];
        bound = bound || (test->kind == TEST_BOUND && cmp_order(&test->value, &option->to.value) == 0);
    }
    for (size_t i = 0; bound && i < COUNT_OF(SAYS) && is_known(c); i++) {
        struct option wide = *option;
        wide.say = SAYS[i];
        if (claim_order(c, &wide)) {
            *option = wide;
            return;
        }
    }
}

// Of numbers that do, one that is written in fewer digits.
static void for_one(struct claim *c, struct option *option)
{
    struct value near = option->than;
    double step = option->say == OPTION_BELOW ? -1 : 1;
    bool number = option->to.kind == WHATIF_VALUE && option->to.value.kind == VALUE_DOUBLE &&
                  (option->say == OPTION_BELOW || option->say == OPTION_ABOVE) && values_numeric(near.kind);
    struct whatif to = option->to;
    if (number) {
        double bound = near.kind == VALUE_DOUBLE ? near.as.d : (double)near.as.i;
        to.value = value_double(bound + step);
    }
    if (number && claim_holds(c, &to)) {
        option->to = to;
    }
    option->say = OPTION_FOR_ONE;
    option->than = option->to.value;
    option->member_count = 0;
}

// A step-up does what is said however it is told, or it is said how.
static void step_up(struct claim *c, struct option *option)
{
    const struct attribute *at = c->change->attributes[c->at];
    struct whatif *kept = ARENA_ARRAY(c->options->arena, struct whatif, at->option_count + 1);
    uint32_t count = 0;
    option->assumes = kept == NULL;
    for (uint32_t i = 0; i < at->option_count && !option->assumes; i++) {
        if (at->options[i].to.strength == option->to.strength) {
            kept[count++] = at->options[i].to;
            option->assumes = !claim_holds(c, &at->options[i].to);
        }
    }
    if (!option->assumes) {
        c->kept[c->at] = kept;
        c->kept_count[c->at] = count;
    }
}

static bool narrow(struct claim *c, struct option *option)
{
    const struct attribute *at = c->change->attributes[c->at];
    if (options_listed(at) && option->say != OPTION_IS) {
        return option->say == OPTION_MEMBER && is_known(c) && claim_members(c, option);
    }
    switch (option->say) {
    case OPTION_ABOVE:
    case OPTION_AT_LEAST:
    case OPTION_BELOW:
    case OPTION_AT_MOST:
        return is_known(c) && claim_order(c, option);
    case OPTION_GIVEN:
        if (is_known(c) && is_given(at)) {
            return true;
        }
        // fall through
    case OPTION_OTHER:
    case OPTION_STARTS:
    case OPTION_ENDS:
    case OPTION_PART:
    case OPTION_INSIDE:
    case OPTION_OUTSIDE:
        return is_known(c) && (option->to.value.kind == VALUE_STRING ? claim_texts(c, option)
                               : option->to.value.kind == VALUE_IP   ? claim_addresses(c, option)
                                                                     : false);
    case OPTION_IS:
        if (option->to.kind == WHATIF_VALUE && !options_listed(at) && values_ordered(option->to.value.kind)) {
            widen(c, option);
        }
        return true;
    case OPTION_STEP_UP:
        step_up(c, option);
        return true;
    default:
        return true; // one value
    }
}

void claim_narrow(const struct options *options, struct change *change)
{
    struct claim c = {.options = options, .change = change};
    for (; c.at < change->count; c.at++) {
        struct option *option = ARENA_NEW(options->arena, struct option);
        const struct option *was = change->options[c.at];
        if (option == NULL) {
            return;
        }
        *option = *was;
        c.kept[c.at] = &option->to;
        c.kept_count[c.at] = 1;
        if (!narrow(&c, option)) {
            *option = *was;
            for_one(&c, option);
            c.kept[c.at] = &option->to;
            c.kept_count[c.at] = 1;
        }
        change->options[c.at] = option;
    }
}
