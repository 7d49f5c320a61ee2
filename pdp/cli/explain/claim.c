// SPDX-License-Identifier: Apache-2.0
#include "cli/explain/claim.h"

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

static bool narrow(struct claim *c, struct option *option)
{
    const struct attribute *at = c->change->attributes[c->at];
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
            option->say = OPTION_FOR_ONE;
            option->than = option->to.value;
            c.kept[c.at] = &option->to;
            c.kept_count[c.at] = 1;
        }
        change->options[c.at] = option;
    }
}
