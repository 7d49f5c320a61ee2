// SPDX-License-Identifier: Apache-2.0
// Break-glass as a question meets it: what it opens, what it never does, what the answer says of it.
#include "support/harness.h"

#include <criterion/criterion.h>

#define HEAD(kind, name) "---\napiVersion: pdp/v1\nkind: " kind "\nmetadata: {name: " name "}\n"
#define MINUTE INT64_C(60000)

static const char
    FOLDER[] =
        HEAD("Strengths", "s") "levels: [{name: key, proves: 'session.acr == \"phr\"'}]\n" HEAD(
            "List", "break_glass") "type: string\nentries: [emergency-1]\n" HEAD("Definitions",
                                                                                 "d") "variables: "
                                                                                      "{emergency: "
                                                                                      "subject.id in "
                                                                                      "lists.break_glass}"
                                                                                      "\n" HEAD("Policy",
                                                                                                "p") "rules:"
                                                                                                     "\n  - "
                                                                                                     "{id: "
                                                                                                     "all, "
                                                                                                     "effect:"
                                                                                                     " allow,"
                                                                                                     " action"
                                                                                                     "s: "
                                                                                                     "[GET, "
                                                                                                     "END, "
                                                                                                     "KILL]}"
                                                                                                     "\n  - "
                                                                                                     "{id: "
                                                                                                     "closed,"
                                                                                                     " effect"
                                                                                                     ": "
                                                                                                     "deny}\n"
                                                                                                     "  - "
                                                                                                     "{id: "
                                                                                                     "end, "
                                                                                                     "effect:"
                                                                                                     " termin"
                                                                                                     "ate, "
                                                                                                     "actions"
                                                                                                     ": "
                                                                                                     "[END], "
                                                                                                     "excepti"
                                                                                                     "ons: "
                                                                                                     "never}"
                                                                                                     "\n  - "
                                                                                                     "{id: "
                                                                                                     "kill, "
                                                                                                     "effect:"
                                                                                                     " termin"
                                                                                                     "ate, "
                                                                                                     "actions"
                                                                                                     ": "
                                                                                                     "[KILL]}"
                                                                                                     "\n"
                                                                                                     "---"
                                                                                                     "\napiVe"
                                                                                                     "rsion: "
                                                                                                     "pdp/"
                                                                                                     "v1\nkin"
                                                                                                     "d: "
                                                                                                     "Excepti"
                                                                                                     "on\nmet"
                                                                                                     "adata: "
                                                                                                     "{name: "
                                                                                                     "break-"
                                                                                                     "glass, "
                                                                                                     "owner: "
                                                                                                     "ciso, "
                                                                                                     "ticket:"
                                                                                                     " SEC-1}"
                                                                                                     "\nlifts"
                                                                                                     ": "
                                                                                                     "['*']\n"
                                                                                                     "when: "
                                                                                                     "vars."
                                                                                                     "emergen"
                                                                                                     "cy\nreq"
                                                                                                     "uire: "
                                                                                                     "{streng"
                                                                                                     "th: "
                                                                                                     "key, "
                                                                                                     "max_"
                                                                                                     "age: "
                                                                                                     "30m}"
                                                                                                     "\nexpir"
                                                                                                     "es: "
                                                                                                     "2026-"
                                                                                                     "11-"
                                                                                                     "23T09:"
                                                                                                     "00:"
                                                                                                     "00Z\n"
                                                                                                     "obligat"
                                                                                                     "ions: "
                                                                                                     "[{type:"
                                                                                                     " notifi"
                                                                                                     "cation,"
                                                                                                     " proper"
                                                                                                     "ties: "
                                                                                                     "{to: "
                                                                                                     "soc}}]"
                                                                                                     "\n" HEAD(
                                                                                                         "Ses"
                                                                                                         "sio"
                                                                                                         "nPo"
                                                                                                         "lic"
                                                                                                         "y",
                                                                                                         "l") "limits: {idle: 4h, absolute: 12h}\n";

#define ASK(SUBJECT, SESSION, ACTION, ACR)                                           \
    "{'subject': {'type': 'user', 'id': '" SUBJECT "'}, 'action': {'name': '" ACTION \
    "'}, 'resource': {'type': 'route', "                                             \
    "'id': '/a'}, 'context': {'session': {'id': '" SESSION "', 'auth_time': 1795420800, 'acr': '" ACR "'}}}"

static const struct {
    int64_t after_ms;
    const char *json, *effect, *exceptions;
} STEPS[] = {
    {0, ASK("emergency-1", "s1", "GET", "phr"), "allow/policy", "break-glass"},
    {0, ASK("emergency-1", "s2", "GET", "pwd"), "deny/policy", ""},             // not proved
    {0, ASK("alice", "s3", "GET", "phr"), "deny/policy", ""},                   // another subject
    {0, ASK("emergency-1", "s4", "PUT", "phr"), "deny/no-rule", "break-glass"}, // nothing allows it
    {1, ASK("emergency-1", "s1", "KILL", "phr"), "allow/policy", "break-glass"},
    {2, ASK("emergency-1", "s1", "END", "phr"), "terminate/policy", "break-glass"},
    {3, ASK("emergency-1", "s1", "GET", "phr"), "terminate/terminated", ""}, // a tombstone is no rule
    {0, ASK("emergency-1", "s5", "GET", "phr"), "allow/policy", "break-glass"},
    {31 * MINUTE, ASK("emergency-1", "s5", "GET", "phr"), "deny/policy", ""}, // the proof is too old
    {0, ASK("emergency-1", "s6", "GET", "phr"), "allow/policy", "break-glass"},
    {60 * MINUTE, ASK("emergency-1", "s6", "GET", "phr"), "deny/policy", ""}, // expired
};

Test(engine_exceptions, open_what_they_may_and_are_named)
{
    struct harness h = {0};
    cr_assert(harness_load(&h, FOLDER), "%s", (const char *)h.said.at);
    for (size_t i = 0; i < COUNT_OF(STEPS); i++) {
        harness_ask(&h, HARNESS_NOW + STEPS[i].after_ms, STEPS[i].json);
        cr_expect_str_eq(harness_effect(&h), STEPS[i].effect, "%zu\n" STR_FMT, i,
                         STR_ARG(buf_view(&h.answer)));
        cr_expect(strstr(harness_get(&h, "context.exceptions"), STEPS[i].exceptions) != NULL, "%zu\n" STR_FMT,
                  i, STR_ARG(buf_view(&h.answer)));
        bool named = harness_get(&h, "context.exceptions")[0] != '\0';
        cr_expect_eq(named, STEPS[i].exceptions[0] != '\0', "%zu\n" STR_FMT, i, STR_ARG(buf_view(&h.answer)));
        bool obliged = strstr(harness_get(&h, "context.obligations"), "notification") != NULL;
        cr_expect_eq(obliged, named, "%zu\n" STR_FMT, i, STR_ARG(buf_view(&h.answer)));
    }
    harness_fini(&h);
}

Test(engine_exceptions, an_answer_is_not_good_beyond_them)
{
    struct harness h = {0};
    cr_assert(harness_load(&h, FOLDER), "%s", (const char *)h.said.at);
    harness_ask(&h, HARNESS_NOW + 29 * MINUTE, ASK("emergency-1", "s1", "GET", "phr"));
    cr_expect_str_eq(harness_get(&h, "context.valid.until"), "1795422600", STR_FMT,
                     STR_ARG(buf_view(&h.answer)));
    harness_fini(&h);
}
