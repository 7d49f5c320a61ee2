// SPDX-License-Identifier: Apache-2.0
// Rules that start and expire, as answers tell it.
#include "support/harness.h"

#include <criterion/criterion.h>

#define FOLDER                                                        \
    "apiVersion: pdp/v1\nkind: Policy\nmetadata: {name: p}\nrules:\n" \
    "  - {id: all, effect: allow, expires: 2026-11-23T08:02:00Z}\n"   \
    "  - {id: later, effect: deny, starts: 2026-11-23T08:01:00Z, expires: 2026-11-23T08:01:30Z}\n"
#define ASK                                                                                              \
    "{'subject': {'type': 'user', 'id': 'a'}, 'action': {'name': 'GET'}, 'resource': {'type': 'route', " \
    "'id': '/a'}}"

static const struct {
    int64_t after_s;
    const char *effect, *until;
} CASES[] = {
    {0, "allow/policy", "1795420860"},  {59, "allow/policy", "1795420860"}, {60, "deny/policy", ""},
    {90, "allow/policy", "1795420920"}, {120, "deny/no-rule", ""},
};

Test(engine_times, an_answer_is_not_good_beyond_an_edge)
{
    struct harness h = {0};
    cr_assert(harness_load(&h, FOLDER), "%s", (const char *)h.said.at);
    for (size_t i = 0; i < COUNT_OF(CASES); i++) {
        harness_ask(&h, HARNESS_NOW + CASES[i].after_s * 1000, ASK);
        cr_expect_str_eq(harness_effect(&h), CASES[i].effect, "%zu\n" STR_FMT, i,
                         STR_ARG(buf_view(&h.answer)));
        cr_expect_str_eq(harness_get(&h, "context.valid.until"), CASES[i].until, "%zu\n" STR_FMT, i,
                         STR_ARG(buf_view(&h.answer)));
    }
    harness_fini(&h);
}
