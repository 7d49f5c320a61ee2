// SPDX-License-Identifier: Apache-2.0
#include "engine/engine.h"

#include "support/harness.h"

#include <criterion/criterion.h>
#include <stdio.h>

#define RULES                                                                                               \
    "apiVersion: pdp/v1\nkind: Policy\nmetadata: {name: p}\nrules:\n  - {id: all, effect: allow}\n"         \
    "  - {id: basic, effect: deny, when: 'has(context.client.auth) && context.client.auth == \"basic\"'}\n" \
    "  - {id: far, effect: deny, when: 'has(subject.org.unit) && subject.org.unit == \"far\"'}\n"

// Where a map is expected on the way to an attribute, something else is a mistake, not an attribute left out.
static const struct {
    const char *context, *properties, *effect;
} CASES[] = {
    {"", "", "allow/policy"},
    {"'client': null", "'org': null", "allow/policy"},
    {"'client': {}", "'org': {}", "allow/policy"},
    {"'client': {'auth': null}", "", "allow/policy"},
    {"'client': {'auth': 'basic'}", "", "deny/policy"},
    {"'client': {'auth': ['basic']}", "", "deny/unsure"},
    {"'client': ['basic']", "", "deny/unsure"},
    {"'client': 'basic'", "", "deny/unsure"},
    {"'client': 7", "", "deny/unsure"},
    {"'client': true", "", "deny/unsure"},
    {"'client': 0.5", "", "deny/unsure"},
    {"", "'org': {'unit': 'far'}", "deny/policy"},
    {"", "'org': 'far'", "deny/unsure"},
    {"", "'org': []", "deny/unsure"},
};

Test(engine_resolve, tells_what_is_mistyped_from_what_is_missing)
{
    struct harness h = {0};
    cr_assert(harness_load(&h, RULES), "%s", (const char *)h.said.at);
    for (size_t i = 0; i < COUNT_OF(CASES); i++) {
        char text[512];
        (void)snprintf(
            text, sizeof text,
            "{'subject': {'type': 'user', 'id': 'alice', 'properties': {%s}}, 'action': {'name': 'GET'}, "
            "'resource': {'type': 'route', 'id': '/a'}, 'context': {%s}}",
            CASES[i].properties, CASES[i].context);
        harness_ask(&h, HARNESS_NOW, text);
        cr_expect_str_eq(harness_effect(&h), CASES[i].effect, "%s\n" STR_FMT, text,
                         STR_ARG(buf_view(&h.answer)));
    }
    harness_fini(&h);
}
