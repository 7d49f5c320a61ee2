// SPDX-License-Identifier: Apache-2.0
// What is said of all that is in a List document, or in none: one entry was asked of each kind that tests of
// the attribute tell apart.
#include "cli/explain/claim.h"

static bool is_meant(const struct claim *c, const struct option *option, const struct value *value)
{
    for (uint32_t i = 0; i < option->member_count; i++) {
        if (options_in_list(c->options, option->members[i].set, value) != option->members[i].holds) {
            return false;
        }
    }
    return true;
}

// Entries are all known; of what is in no list, beginnings, ends and ranges tell more apart than is sampled.
static bool is_sampled(const struct attribute *at, const struct option *option)
{
    for (uint32_t i = 0; i < option->member_count; i++) {
        if (option->members[i].holds) {
            return true;
        }
    }
    for (uint32_t i = 0; i < at->test_count; i++) {
        enum test_kind kind = at->tests[i].kind;
        if (kind == TEST_STARTS || kind == TEST_ENDS || kind == TEST_PART || kind == TEST_BOUND) {
            return false;
        }
    }
    return true;
}

static bool all_hold(struct claim *c, const struct option *option, struct whatif *kept, uint32_t *count)
{
    const struct attribute *at = c->change->attributes[c->at];
    *count = 0;
    if (!is_sampled(at, option)) {
        return false;
    }
    for (uint32_t i = 0; i < at->sample_count; i++) {
        if (is_meant(c, option, &at->samples[i].value)) {
            kept[*count] = option->to;
            kept[*count].value = at->samples[i].value;
            if (!claim_holds(c, &kept[(*count)++])) {
                return false;
            }
        }
    }
    return true;
}

bool claim_members(struct claim *c, struct option *option)
{
    const struct attribute *at = c->change->attributes[c->at];
    struct whatif *kept = ARENA_ARRAY(c->options->arena, struct whatif, at->sample_count + 1);
    uint32_t count = 0;
    if (kept == NULL || !all_hold(c, option, kept, &count)) {
        return false;
    }
    for (uint32_t i = option->member_count; i-- > 0 && option->member_count > 1;) {
        struct option less = *option;
        less.member_count--;
        memmove(&less.members[i], &less.members[i + 1], (less.member_count - i) * sizeof *less.members);
        if (all_hold(c, &less, kept, &count)) {
            *option = less;
        }
    }
    bool good = all_hold(c, option, kept, &count);
    kept[count++] = option->to;
    c->kept[c->at] = kept;
    c->kept_count[c->at] = count;
    return good;
}
