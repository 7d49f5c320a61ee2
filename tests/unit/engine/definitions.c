// SPDX-License-Identifier: Apache-2.0
// Roles that bring others along, as a question meets them.
#include "support/harness.h"

#include <criterion/criterion.h>

#define HEAD(kind, name) "---\napiVersion: pdp/v1\nkind: " kind "\nmetadata: {name: " name "}\n"
#define ASK(ROLES)                                                      \
    "{'subject': {'type': 'user', 'id': 'alice', 'properties': {" ROLES \
    "}}, 'action': {'name': 'GET'}, 'resource': "                       \
    "{'type': 'route', 'id': '/a', 'properties': {'roles': ['payroll-admin']}}}"

static const char FOLDER[] = HEAD(
    "Definitions",
    "d") "variables: {staff: '\"staff\" in subject.roles'}\n"
         "roles: {payroll-admin: [payroll-reader], payroll-reader: [staff], temp: [contractor]}\n" HEAD(
             "Policy", "p") "rules:\n  - {id: staff, effect: allow, when: vars.staff}\n"
                            "  - {id: contractors, effect: deny, when: '\"contractor\" in subject.roles'}\n";

static const struct {
    const char *roles, *effect;
} CASES[] = {
    {"'roles': ['payroll-admin']", "allow/policy"},
    {"'roles': ['staff']", "allow/policy"},
    {"'roles': ['payroll-admin', 'temp']", "deny/policy"},
    {"'roles': ['guest']", "deny/no-rule"},
    {"'roles': []", "deny/no-rule"},
    {"", "deny/unsure"},
    {"'roles': 'payroll-admin'", "deny/unsure"}, // no list: brings nothing along
};

Test(engine_definitions, a_subject_has_the_roles_that_its_roles_bring_along)
{
    struct harness h = {0};
    cr_assert(harness_load(&h, FOLDER), "%s", (const char *)h.said.at);
    for (size_t i = 0; i < COUNT_OF(CASES); i++) {
        AUTO(buf_fini) struct buf json = {0};
        buf_printf(&json, ASK("%s"), CASES[i].roles);
        buf_byte(&json, '\0');
        harness_ask(&h, HARNESS_NOW, (const char *)json.at);
        cr_expect_str_eq(harness_effect(&h), CASES[i].effect, "%s\n" STR_FMT, CASES[i].roles,
                         STR_ARG(buf_view(&h.answer)));
    }
    harness_fini(&h);
}
