// SPDX-License-Identifier: Apache-2.0
// What is proposed to whom, in words; and that doing so does change the effect.
#include "cli/explain/account.h"

#include "support/harness.h"

#include <criterion/criterion.h>
#include <stdio.h>

#define STRENGTHS                                                                         \
    "apiVersion: pdp/v1\nkind: Strengths\nmetadata: {name: s}\nlevels:\n"                 \
    "  - {name: password, proves: '\"pwd\" in session.amr', ask: {acr_values: [aal1]}}\n" \
    "  - {name: mfa, proves: '\"otp\" in session.amr', ask: {acr_values: [aal2]}}\n---\n"
#define POLICY(name) "apiVersion: pdp/v1\nkind: Policy\nmetadata: {name: " name "}\n"
#define ALLOW "  - {id: all, effect: allow}\n"
#define LIST(name, type, entries)                                                                         \
    "---\napiVersion: pdp/v1\nkind: List\nmetadata: {name: " name "}\ntype: " type "\nentries: [" entries \
    "]\n"
#define ASK(subject, context)                                                                           \
    "{'subject': {'type': 'user', 'id': 'u', 'properties': {" subject "}}, 'action': {'name': 'GET'}, " \
    "'resource': {'type': 'route', 'id': '/a/b'}, 'context': {" context "}}"
#define SESSION "'session': {'id': 's1', 'auth_time': 1795420000, 'amr': ['pwd']}"

struct seen {
    struct arena arena;
    struct buf said;
    unsigned wish;
    uint64_t asked;
};

static void judged(void *user, const struct watched *watched)
{
    struct seen *seen = user;
    struct account account;
    arena_reset(&seen->arena);
    buf_clear(&seen->said);
    cr_assert(account_make(watched, seen->wish, &seen->arena, &account));
    account_changes(&account, &seen->said);
    seen->asked = account.changes.asked;
}

static const char *said(struct seen *seen)
{
    buf_byte(&seen->said, '\0');
    return (const char *)seen->said.at;
}

static void ask_seen(struct harness *h, struct seen *seen, const char *json)
{
    const struct watch watch = {.judged = judged, .user = seen};
    worker_watch(h->worker, &watch);
    harness_ask(h, HARNESS_NOW, json);
    worker_watch(h->worker, NULL);
}

static const struct {
    const char *yaml, *json, *effect, *said;
    const char *then,
        *gives; // a question that does as is said; NULL: what is said is no matter of a question
} CASES[] = {
    {POLICY("p") "rules:\n  - {id: r, effect: allow, when: '\"hr\" in subject.roles'}\n",
     ASK("'roles': ['staff']", ""), "deny/no-rule",
     "  allow if subject.roles held \"hr\": it is [\"staff\"]\n", ASK("'roles': ['staff', 'hr']", ""),
     "allow/policy"},
    {POLICY("p") "rules:\n" ALLOW "  - {id: r, effect: deny, when: context.rows > 100}\n",
     ASK("", "'rows': 250"), "deny/policy", "  allow if context.rows were at most 100: it is 250\n",
     ASK("", "'rows': 100"), "allow/policy"},
    {POLICY("p") "rules:\n" ALLOW "  - {id: r, effect: deny, when: context.rows >= 100}\n", ASK("", ""),
     "deny/unsure", "  allow if context.rows were below 100: it is missing\n", ASK("", "'rows': 99"),
     "allow/policy"},
    // Two restrictions in two policies are two changes.
    {POLICY("p") "rules:\n" ALLOW "  - {id: r, effect: deny, when: '!device.managed'}\n---\n" POLICY(
         "q") "rules:\n  - {id: r, effect: terminate, when: 'context.vpn'}\n",
     ASK("", "'vpn': true"), "terminate/policy", "  deny if context.vpn were false: it is true\n",
     ASK("", "'vpn': false"), "deny/unsure"},
    // A list, an address in a list, and an exception that a list opens.
    {POLICY("p") "rules:\n" ALLOW "  - {id: r, effect: deny, when: 'subject.id in lists.leavers'}\n" LIST(
         "leavers", "string", "u"),
     ASK("", ""), "deny/policy",
     "  allow if subject.id were not in lists.leavers: it is \"u\"\n"
     "  (as it is asked, by whom and for what, no change was found)\n",
     NULL, NULL},
    {POLICY("p") "rules:\n" ALLOW "  - {id: r, effect: deny, when: '!(network.ip in lists.office)'}\n" LIST(
         "office", "cidr", "192.0.2.0/24"),
     ASK("", "'network': {'ip': '203.0.113.7'}"), "deny/policy",
     "  allow if network.ip were in lists.office: it is 203.0.113.7\n",
     ASK("", "'network': {'ip': '192.0.2.9'}"), "allow/policy"},
    {POLICY("p") "rules:\n" ALLOW
                 "  - {id: r, effect: deny, when: '!cidr(\"10.1.0.0/16\").containsIP(network.ip)'}\n",
     ASK("", "'network': {'ip': '203.0.113.7'}"), "deny/policy",
     "  allow if network.ip were inside 10.1.0.0/16: it is 203.0.113.7\n",
     ASK("", "'network': {'ip': '10.1.0.0'}"), "allow/policy"},
    {POLICY("p") "rules:\n" ALLOW "  - {id: r, effect: deny, when: 'context.amount > 10'}\n---\n"
                 "apiVersion: pdp/v1\nkind: Exception\nmetadata: {name: e}\nlifts: [p/r]\n"
                 "when: context.ticket == 'INC'\nexpires: 2030-01-01T00:00:00Z\n",
     ASK("", "'amount': 1000000, 'ticket': 'none'"), "deny/policy",
     "  allow if context.amount were at most 10: it is 1000000\n"
     "  or allow if context.ticket were \"INC\": it is \"none\"\n",
     ASK("", "'amount': 1000000, 'ticket': 'INC'"), "allow/policy"},
    // Proofs, of a rule and of an exception.
    {STRENGTHS POLICY("p") "rules:\n" ALLOW
                           "  - {id: r, effect: step_up, require: {strength: mfa, max_age: 5m}}\n",
     ASK("", SESSION), "step_up/policy", "  allow after a step-up to mfa\n", NULL, NULL},
    {STRENGTHS POLICY(
         "p") "rules:\n" ALLOW
              "  - {id: r, effect: step_up, require: {strength: mfa}, when: '!device.managed'}\n",
     ASK("", ""), "step_up/policy", "  allow if device.managed were true: it is missing\n",
     ASK("", "'device': {'managed': true}"), "allow/policy"},
    {STRENGTHS POLICY("p") "rules:\n" ALLOW "  - {id: r, effect: deny}\n---\n"
                           "apiVersion: pdp/v1\nkind: Exception\nmetadata: {name: e}\nlifts: ['*']\n"
                           "require: {strength: mfa}\nwhen: 'context.glass'\nexpires: 2030-01-01T00:00:00Z\n",
     ASK("", SESSION ", 'glass': false"), "deny/policy",
     "  allow after a step-up to mfa if context.glass were true (it is false)\n", NULL, NULL},
    // What a login may tell of it: what decides is said.
    {STRENGTHS POLICY("p") "rules:\n" ALLOW "  - {id: r, effect: step_up, require: {strength: mfa, max_age: "
                           "5m}}\n  - {id: d, effect: deny, when: 'session.acr == \"aal1\"'}\n",
     ASK("", "'session': {'id': 's1', 'auth_time': 1795420000, 'acr': 'aal1', 'amr': ['pwd']}"),
     "deny/policy",
     "  allow after a step-up to mfa that gives acr \"aal2\" and amr [\"pwd\", \"otp\"]\n"
     "  or step_up if session.acr were any but \"aal1\": it is \"aal1\"\n",
     NULL, NULL},
    {STRENGTHS POLICY("p") "rules:\n" ALLOW "  - {id: r, effect: step_up, require: {strength: mfa, max_age: "
                           "5m}}\n  - {id: d, effect: deny, when: '!(\"otp\" in session.amr)'}\n",
     ASK("", SESSION), "deny/policy",
     "  allow after a step-up to mfa\n  or step_up if session.amr held \"otp\": it is [\"pwd\"]\n", NULL,
     NULL},
    // Time.
    {POLICY("p") "rules:\n" ALLOW
                 "  - {id: r, effect: deny, when: '!within(now, \"Mon-Fri 09:00-17:00\")'}\n",
     ASK("", ""), "deny/policy", "  allow at 2026-11-23T09:00:00Z\n", NULL, NULL},
    {POLICY("p") "rules:\n" ALLOW
                 "  - {id: r, effect: deny, when: 'now - session.auth_time > duration(\"5m\")'}\n",
     ASK("", SESSION), "deny/policy",
     "  allow if session.auth_time were between 2026-11-23T07:55:00Z and 2026-11-23T08:00:00Z: it is "
     "2026-11-23T07:46:40Z\n",
     ASK("", "'session': {'id': 's2', 'auth_time': 1795420500, 'amr': ['pwd']}"), "allow/policy"},
    {POLICY("p") "rules:\n" ALLOW "  - {id: r, effect: deny, starts: 2026-11-23T10:00:00Z}\n", ASK("", ""),
     "allow/policy", "  deny at 2026-11-23T10:00:00Z\n", NULL, NULL},
    {POLICY("p") "rules:\n  - {id: r, effect: allow, expires: 2026-11-24T00:00:00Z}\n", ASK("", ""),
     "allow/policy", "  deny at 2026-11-24T00:00:00Z\n", NULL, NULL},
    // Ways to combine.
    {POLICY("p") "combine: first-match\nrules:\n  - {id: a, effect: deny, when: 'context.a'}\n"
                 "  - {id: b, effect: allow}\n",
     ASK("", "'a': true"), "deny/policy", "  allow if context.a were false: it is true\n",
     ASK("", "'a': false"), "allow/policy"},
    {POLICY("p") "combine: deny-unless-allow\nrules:\n  - {id: a, effect: allow, when: 'context.a'}\n",
     ASK("", ""), "deny/unsure", "  allow if context.a were true: it is missing\n", ASK("", "'a': true"),
     "allow/policy"},
    {STRENGTHS POLICY("p") "combine: first-match\nrules:\n"
                           "  - {id: r, effect: step_up, require: {strength: mfa}}\n" ALLOW "---\n"
                           "apiVersion: pdp/v1\nkind: Exception\nmetadata: {name: e}\nlifts: [p/r]\n"
                           "when: 'context.glass'\nexpires: 2030-01-01T00:00:00Z\n",
     ASK("", "'glass': false"), "deny/no-rule", "  allow if context.glass were true: it is false\n",
     ASK("", "'glass': true"), "allow/policy"},
    // Texts.
    {POLICY("p") "rules:\n" ALLOW "  - {id: r, effect: deny, when: 'context.t.matches(\"^a\")'}\n",
     ASK("", "'t': 'abc'"), "deny/policy", "  allow if context.t did not begin with \"a\": it is \"abc\"\n",
     ASK("", "'t': 'other'"), "allow/policy"},
    // What is said of many values holds for all of them.
    {POLICY("p") "rules:\n" ALLOW "  - {id: r, effect: deny, when: 'subject.dept in [\"a\", \"b\"]'}\n",
     ASK("'dept': 'a'", ""), "deny/policy",
     "  allow if subject.dept were any but \"a\" and \"b\": it is \"a\"\n", ASK("'dept': 'c'", ""),
     "allow/policy"},
    {POLICY("p") "rules:\n" ALLOW "  - {id: r, effect: deny, when: 'context.n > 5 || context.n < 0'}\n",
     ASK("", "'n': 9"), "deny/policy", "  allow if context.n were between 0 and 5: it is 9\n",
     ASK("", "'n': 0"), "allow/policy"},
    {POLICY("p") "rules:\n  - {id: r, effect: allow, when: 'context.n >= 10 && context.n < 20'}\n",
     ASK("", "'n': 9"), "deny/no-rule", "  allow if context.n were at least 10 and below 20: it is 9\n",
     ASK("", "'n': 19"), "allow/policy"},
    {POLICY("p") "rules:\n  - {id: r, effect: allow, when: 'context.n > 10 && context.n < 20'}\n",
     ASK("", "'n': 30"), "deny/no-rule", "  allow if context.n were above 10 and below 20: it is 30\n",
     ASK("", "'n': 11"), "allow/policy"},
    {POLICY("p") "rules:\n" ALLOW "  - {id: r, effect: deny, when: 'context.k.matches(\"^a[0-9]+$\")'}\n",
     ASK("", "'k': 'a1'"), "deny/policy", "  allow if context.k were \"~0\", for one: it is \"a1\"\n",
     ASK("", "'k': '~0'"), "allow/policy"},
    {POLICY("p") "rules:\n" ALLOW "  - {id: r, effect: deny, when: 'context.n != 1 || context.n * 2 == 4'}\n",
     ASK("", "'n': 2"), "deny/policy", "  allow if context.n were 1: it is 2\n", ASK("", "'n': 1"),
     "allow/policy"},
    {POLICY("p") "rules:\n" ALLOW "  - {id: r, effect: deny, when: 'context.n > 7 || context.n * 2 == 4'}\n",
     ASK("", "'n': 9"), "deny/policy", "  allow if context.n were 7, for one: it is 9\n", ASK("", "'n': 7"),
     "allow/policy"},
    {POLICY("p") "rules:\n" ALLOW "  - {id: r, effect: deny, when: 'context.k.startsWith(\"a\") || "
                 "context.k.startsWith(\"ab\") || context.k.endsWith(\"z\") || context.k == \"q\"'}\n",
     ASK("", "'k': 'a1'"), "deny/policy",
     "  allow if context.k did not begin with \"a\" and did not end with \"z\" and were any but \"q\": it is "
     "\"a1\"\n",
     ASK("", "'k': 'b'"), "allow/policy"},
    {POLICY("p") "rules:\n" ALLOW
                 "  - {id: r, effect: deny, when: 'cidr(\"10.0.0.0/8\").containsIP(network.ip) && "
                 "!cidr(\"10.1.0.0/16\").containsIP(network.ip)'}\n"
                 "  - {id: q, effect: deny, when: 'network.ip == ip(\"10.1.2.3\")'}\n",
     ASK("", "'network': {'ip': '10.0.0.1'}"), "deny/policy",
     "  allow if network.ip were 10.1.0.0, for one: it is 10.0.0.1\n"
     "  or allow if network.ip were outside 10.0.0.0/8: it is 10.0.0.1\n",
     ASK("", "'network': {'ip': '11.0.0.0'}"), "allow/policy"},
    // No question names such a path.
    {POLICY("p") "rules:\n" ALLOW "  - {id: r, effect: deny, when: 'resource.path == \"https://x/y\" || "
                 "resource.path == \"/c\"'}\n",
     ASK("", ""), "allow/policy",
     "  deny if resource.path were \"/c\": it is \"/a/b\"\n"
     "  (as it is asked, by whom and for what, no change was found)\n",
     NULL, NULL},
    // What is proved becomes too old.
    {STRENGTHS POLICY("p") "rules:\n" ALLOW
                           "  - {id: r, effect: step_up, require: {strength: password, max_age: 1h}}\n",
     ASK("", SESSION), "allow/policy", "  step_up at 2026-11-23T08:46:40.001Z\n", NULL, NULL},
    {STRENGTHS POLICY("p") "rules:\n" ALLOW "  - {id: r, effect: step_up, require: {strength: password, "
                           "max_age: 1h}, when: '\"hr\" in subject.roles'}\n",
     ASK("'roles': []", SESSION), "allow/policy",
     "  step_up at 2026-11-23T08:46:40.001Z if subject.roles held \"hr\" (it is [])\n", NULL, NULL},
    {POLICY("p") "rules:\n  - {id: r, effect: allow, when: 'context.t.startsWith(\"a-\") && "
                 "context.t.endsWith(\".x\")'}\n",
     ASK("", "'t': 'b'"), "deny/no-rule", "  allow if context.t were \"a-.x\": it is \"b\"\n",
     ASK("", "'t': 'a-.x'"), "allow/policy"},
    {POLICY("p") "rules:\n  - {id: r, effect: allow, when: 'resource.owner == subject.department'}\n",
     ASK("'department': 'sales'", ""), "deny/unsure",
     "  allow if resource.owner were \"sales\": it is missing\n", NULL, NULL},
    // What is asked is changed last; what nobody may see is masked; two names are one attribute.
    {POLICY("p") "rules:\n  - {id: r, effect: allow, actions: [HEAD]}\n", ASK("", ""), "deny/no-rule",
     "  allow if action.name were \"HEAD\": it is \"GET\"\n"
     "  (as it is asked, by whom and for what, no change was found)\n",
     NULL, NULL},
    {"apiVersion: pdp/v1\nkind: Schema\nmetadata: {name: s}\nattributes:\n"
     "  subject.iban: {type: string, sensitive: true}\n---\n" POLICY(
         "p") "rules:\n  - {id: r, effect: allow, when: 'subject.iban == \"DE1\"'}\n",
     ASK("'iban': 'FR2'", ""), "deny/no-rule", "  allow if subject.iban were ***: it is ***\n",
     ASK("'iban': 'DE1'", ""), "allow/policy"},
    {POLICY("p") "rules:\n  - {id: r, effect: allow, when: 'subject.a && subject.properties.a && "
                 "has(subject.properties)'}\n",
     ASK("'a': false", ""), "deny/no-rule", "  allow if subject.a were true: it is false\n",
     ASK("'a': true", ""), "allow/policy"},
    {POLICY("p") "rules:\n" ALLOW "  - {id: r, effect: deny, when: 'has(subject.suspended)'}\n",
     ASK("'suspended': true", ""), "deny/policy", "  allow if subject.suspended were left out: it is true\n",
     ASK("", ""), "allow/policy"},
    // What a Schema declares.
    {"apiVersion: pdp/v1\nkind: Schema\nmetadata: {name: s}\nattributes:\n"
     "  context.sort: {enum: [low, high]}\n  context.until: {type: timestamp}\n---\n" POLICY(
         "p") "rules:\n" ALLOW "  - {id: r, effect: deny, when: 'context.sort == \"high\"'}\n"
              "  - {id: q, effect: deny, when: 'context.until < now'}\n",
     ASK("", "'sort': 'high', 'until': '2026-11-23T07:00:00Z'"), "deny/policy",
     "  allow if context.sort were \"low\" (it is \"high\") and context.until were at least "
     "2026-11-23T08:00:00Z (it is 2026-11-23T07:00:00Z)\n",
     ASK("", "'sort': 'low', 'until': '2026-11-23T08:00:00Z'"), "allow/policy"},
    {POLICY("p") "rules:\n" ALLOW "  - {id: r, effect: deny, when: '!(subject.id in lists.a) || "
                 "subject.id in lists.b'}\n" LIST("a", "string", "x") LIST("b", "string", "u"),
     ASK("", ""), "deny/policy",
     "  allow if subject.id were in lists.a: it is \"u\"\n"
     "  (as it is asked, by whom and for what, no change was found)\n",
     NULL, NULL},
    {"apiVersion: pdp/v1\nkind: Counter\nmetadata: {name: rows}\nkey: [subject.id]\nwindow: 1h\nadd: "
     "context.rows\n---\n" POLICY("p") "rules:\n" ALLOW
                                       "  - {id: r, effect: deny, when: counters.rows > 100}\n",
     ASK("", "'rows': 250"), "deny/policy", "  allow if counters.rows were at most 100: it is 250\n",
     ASK("", "'rows': 100"), "allow/policy"},
    {"apiVersion: pdp/v1\nkind: Definitions\nmetadata: {name: d}\nroles: {boss: [staff]}\n---\n" POLICY(
         "p") "rules:\n" ALLOW "  - {id: r, effect: deny, when: '\"staff\" in subject.roles'}\n",
     ASK("'roles': ['boss']", ""), "deny/policy",
     "  allow if subject.roles did not hold \"staff\": it is [\"boss\", \"staff\"]\n", ASK("'roles': []", ""),
     "allow/policy"},
    // Nobody has yet signed in tomorrow.
    {POLICY("p") "rules:\n" ALLOW "  - {id: r, effect: deny, when: 'session.auth_time < now'}\n",
     ASK("", SESSION), "deny/policy",
     "  allow if session.auth_time were 2026-11-23T08:00:00Z: it is 2026-11-23T07:46:40Z\n",
     ASK("", "'session': {'id': 's2', 'auth_time': 1795420800, 'amr': ['pwd']}"), "allow/policy"},
    // A number that is proposed can be asked as it is written; what is missing need not be whole.
    {POLICY("p") "rules:\n" ALLOW "  - {id: r, effect: deny, when: 'int(subject.f) == 1'}\n",
     ASK("'f': 1.5", ""), "deny/policy", "  allow if subject.f were 0, for one: it is 1.5\n",
     ASK("'f': 0.0", ""), "allow/policy"},
    {POLICY("p") "rules:\n" ALLOW "  - {id: r, effect: deny, when: 'subject.n + 2 > subject.k'}\n",
     ASK("'k': 1", ""), "deny/unsure", "  allow if subject.n were -1: it is missing\n",
     ASK("'k': 1, 'n': -1", ""), "allow/policy"},
    {POLICY("p") "rules:\n" ALLOW "  - {id: r, effect: deny, when: 'subject.n > 5'}\n", ASK("", ""),
     "deny/unsure", "  allow if subject.n were at most 5: it is missing\n", ASK("'n': 4.5", ""),
     "allow/policy"},
    // Tests that are compared with each other; an address; whether it is a private one is read off it.
    {POLICY("p") "rules:\n" ALLOW "  - {id: r, effect: deny, when: '(subject.n > 3) == (subject.f > 1.0)'}\n",
     ASK("'n': 5, 'f': 1.5", ""), "deny/policy",
     "  allow if subject.f were at most 1: it is 1.5\n  or allow if subject.n were at most 3: it is 5\n",
     ASK("'n': 3, 'f': 1.5", ""), "allow/policy"},
    {POLICY("p") "rules:\n" ALLOW "  - {id: r, effect: deny, when: 'network.ip == ip(\"203.0.113.7\")'}\n",
     ASK("", "'network': {'ip': '203.0.113.7'}"), "deny/policy",
     "  allow if network.ip were any but 203.0.113.7: it is 203.0.113.7\n",
     ASK("", "'network': {'ip': '203.0.113.8'}"), "allow/policy"},
    {POLICY("p") "rules:\n" ALLOW "  - {id: r, effect: deny, when: '!network.private'}\n",
     ASK("", "'network': {'ip': '203.0.113.7'}"), "deny/policy",
     "  allow if network.ip were inside 10.0.0.0/8: it is 203.0.113.7\n"
     "  or allow if network.ip were inside 172.16.0.0/12: it is 203.0.113.7\n"
     "  or allow if network.ip were inside 192.168.0.0/16: it is 203.0.113.7\n"
     "  or allow if network.ip were inside 100.64.0.0/10: it is 203.0.113.7\n"
     "  or allow if network.ip were inside 127.0.0.0/8: it is 203.0.113.7\n",
     ASK("", "'network': {'ip': '10.1.2.3'}"), "allow/policy"},
    // Of lists only what is in them is proposed.
    {POLICY("p") "rules:\n" ALLOW "  - {id: r, effect: deny, when: '!(subject.name in lists.l) || "
                 "subject.name.startsWith(\"b\")'}\n" LIST("l", "string", "bob"),
     ASK("'name': 'u'", ""), "deny/policy",
     "  none of up to 3 attributes that was tried gives allow or step_up\n", NULL, NULL},
    {POLICY("p") "rules:\n" ALLOW "  - {id: r, effect: deny, when: '!(subject.name in lists.l) || "
                 "subject.name.startsWith(\"b\")'}\n" LIST("l", "string", "bob, carol, dave"),
     ASK("'name': 'u'", ""), "deny/policy", "  allow if subject.name were \"carol\", for one: it is \"u\"\n",
     ASK("'name': 'carol'", ""), "allow/policy"},
    {POLICY("p") "rules:\n" ALLOW "  - {id: r, effect: deny, when: '!(network.ip in lists.l) || "
                 "cidr(\"10.0.0.0/8\").containsIP(network.ip)'}\n" LIST("l", "cidr", "10.0.0.0/8"),
     ASK("", "'network': {'ip': '203.0.113.7'}"), "deny/policy",
     "  none of up to 3 attributes that was tried gives allow or step_up\n", NULL, NULL},
    {POLICY("p") "rules:\n" ALLOW
                 "  - {id: r, effect: deny, when: '!(subject.name in lists.l)'}\n" LIST("l", "string", ""),
     ASK("'name': 'u'", ""), "deny/policy",
     "  none of up to 3 attributes that was tried gives allow or step_up\n", NULL, NULL},
    {POLICY("p") "rules:\n" ALLOW "  - {id: r, effect: deny, when: '!(network.ip in lists.l) || "
                 "!(network.ip in lists.m)'}\n" LIST("l", "cidr", "192.0.2.0/24")
                     LIST("m", "cidr", "10.0.0.0/8"),
     ASK("", "'network': {'ip': '203.0.113.7'}"), "deny/policy",
     "  none of up to 3 attributes that was tried gives allow or step_up\n", NULL, NULL},
    {POLICY("p") "rules:\n" ALLOW "  - {id: r, effect: deny, when: '!(network.ip in lists.l) || "
                 "!(network.ip in lists.m)'}\n" LIST("l", "cidr", "10.0.0.0/8")
                     LIST("m", "cidr", "10.2.0.0/16, 11.0.0.0/8"),
     ASK("", "'network': {'ip': '203.0.113.7'}"), "deny/policy",
     "  allow if network.ip were in lists.l and in lists.m: it is 203.0.113.7\n",
     ASK("", "'network': {'ip': '10.2.3.4'}"), "allow/policy"},
    {POLICY("p") "rules:\n" ALLOW "  - {id: r, effect: deny, when: '!(subject.name in lists.l)'}\n"
                 "  - {id: q, effect: deny, when: 'subject.name in lists.m'}\n" LIST("l", "string", "a, b")
                     LIST("m", "string", "b"),
     ASK("", ""), "deny/unsure",
     "  allow if subject.name were given and in lists.l and not in lists.m: it is missing\n",
     ASK("'name': 'a'", ""), "allow/policy"},
    // Nothing helps.
    {POLICY("p") "rules:\n" ALLOW "  - {id: r, effect: deny}\n", ASK("", ""), "deny/policy",
     "  none of up to 3 attributes that was tried gives allow or step_up\n", NULL, NULL},
};

Test(explain_words, says_what_to_change_and_it_does)
{
    for (size_t i = 0; i < COUNT_OF(CASES); i++) {
        struct harness h = {0};
        struct seen seen = {.wish = 0};
        arena_init(&seen.arena, 0, 0);
        cr_assert(harness_load(&h, CASES[i].yaml), "%s\n" STR_FMT, CASES[i].yaml, STR_ARG(buf_view(&h.said)));
        ask_seen(&h, &seen, CASES[i].json);
        cr_expect_str_eq(harness_effect(&h), CASES[i].effect, "%s: %s", CASES[i].yaml, harness_effect(&h));
        if (CASES[i].said != NULL) {
            cr_expect_str_eq(said(&seen), CASES[i].said, "%s: %s", CASES[i].yaml, said(&seen));
        }
        if (CASES[i].then != NULL) {
            harness_ask(&h, HARNESS_NOW, CASES[i].then);
            cr_expect_str_eq(harness_effect(&h), CASES[i].gives, "%s: then %s", CASES[i].yaml,
                             harness_effect(&h));
        }
        arena_fini(&seen.arena);
        buf_fini(&seen.said);
        harness_fini(&h);
    }
}

// ---- Sessions ----------------------------------------------------------------------------------

#define FROM(device, agent, ip)                                                                           \
    "{'subject': {'type': 'user', 'id': 'u'}, 'action': {'name': 'GET'}, 'resource': {'type': 'route', "  \
    "'id': '/a'}, 'context': {" SESSION ", 'device': {'fingerprint': '" device "', 'user_agent': '" agent \
    "'}, 'network': {'ip': '" ip "'}}, 'explain': 'full'}"
#define OWN FROM("d1", "Mozilla/5.0 (X11; Linux x86_64; rv:120.0) Gecko/20100101 Firefox/120.0", "192.0.2.1")
#define STRANGER                                                                                    \
    FROM("d2", "Mozilla/5.0 (Windows NT 10.0) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0", \
         "203.0.113.9")
#define PASSED                                                                                             \
    "{'event': {'type': 'step_up_passed', 'subject': {'type': 'user', 'id': 'u'}, 'context': {'session': " \
    "{'id': 's1'}, 'device': {'fingerprint': 'd2'}, 'network': {'ip': '203.0.113.9'}}, 'properties': "     \
    "{'acr': 'aal2', 'amr': ['pwd', 'otp']}}, 'request_id': 'e1'}"

static const char RISKY[] =
    STRENGTHS POLICY("p") "rules:\n" ALLOW "  - {id: r, effect: step_up, require: {strength: mfa, max_age: "
                          "1h}, when: 'risk.level >= level(\"medium\")'}\n"
                          "  - {id: d, effect: deny, when: 'risk.score >= 60.0'}\n";

Test(explain_words, a_step_up_does_what_is_said)
{
    struct harness h = {0};
    struct seen seen = {.wish = 1U << PDP_EFFECT_ALLOW};
    arena_init(&seen.arena, 0, 0);
    cr_assert(harness_load(&h, RISKY), STR_FMT, STR_ARG(buf_view(&h.said)));
    ask_seen(&h, &seen, OWN);
    cr_expect_str_eq(harness_effect(&h), "allow/policy");
    ask_seen(&h, &seen, STRANGER);
    cr_expect_str_eq(harness_effect(&h), "deny/policy");
    const char *text = said(&seen);
    cr_expect_not_null(strstr(text, "  allow after a step-up to mfa\n"), "%s", text);
    harness_ask(&h, HARNESS_NOW, PASSED);
    harness_ask(&h, HARNESS_NOW, STRANGER);
    cr_expect_str_eq(harness_effect(&h), "allow/policy");
    arena_fini(&seen.arena);
    buf_fini(&seen.said);
    harness_fini(&h);
}

#define STEPPED(acr)                                                                                       \
    "{'event': {'type': 'step_up_passed', 'subject': {'type': 'user', 'id': 'u'}, 'context': {'session': " \
    "{'id': 's1'}}, 'properties': {'acr': '" acr "', 'amr': ['pwd', 'otp']}}, 'request_id': 'e1'}"

// The same login told in another way does not do.
Test(explain_words, a_step_up_does_as_it_is_told)
{
    static const struct {
        const char *event, *gives;
    } TOLD[] = {{STEPPED("aal1"), "deny/policy"}, {STEPPED("aal2"), "allow/policy"}};
    static const char SIGNED_IN[] =
        ASK("", "'session': {'id': 's1', 'auth_time': 1795420000, 'acr': 'aal1', 'amr': ['pwd']}");
    for (size_t i = 0; i < COUNT_OF(TOLD); i++) {
        struct harness h = {0};
        cr_assert(harness_load(
            &h, STRENGTHS POLICY("p") "rules:\n" ALLOW
                                      "  - {id: r, effect: step_up, require: {strength: mfa, max_age: 5m}}\n"
                                      "  - {id: d, effect: deny, when: 'session.acr == \"aal1\"'}\n"));
        harness_ask(&h, HARNESS_NOW, SIGNED_IN);
        cr_expect_str_eq(harness_effect(&h), "deny/policy");
        harness_ask(&h, HARNESS_NOW, TOLD[i].event);
        harness_ask(&h, HARNESS_NOW, SIGNED_IN);
        cr_expect_str_eq(harness_effect(&h), TOLD[i].gives, "%zu: %s", i, harness_effect(&h));
        harness_fini(&h);
    }
}

Test(explain_words, a_score_is_said_with_what_it_is_from)
{
    struct harness h = {0};
    struct seen seen = {.wish = 1U << PDP_EFFECT_STEP_UP};
    arena_init(&seen.arena, 0, 0);
    cr_assert(harness_load(&h, RISKY));
    ask_seen(&h, &seen, OWN);
    ask_seen(&h, &seen, STRANGER);
    cr_expect_str_eq(said(&seen),
                     "  step_up if risk.level were medium: it is critical at 94.3, of which 61.3 from "
                     "fingerprint-change\n",
                     "%s", said(&seen));
    arena_fini(&seen.arena);
    buf_fini(&seen.said);
    harness_fini(&h);
}

// One engine is looked into, the other is not: they answer alike for ever.
Test(explain_words, looking_moves_nothing)
{
    static const char *const LIFE[] = {OWN, STRANGER, STRANGER, OWN, PASSED, STRANGER, OWN};
    struct harness looked = {0}, plain = {0};
    struct seen seen = {.wish = 0};
    arena_init(&seen.arena, 0, 0);
    cr_assert(harness_load(&looked, RISKY) && harness_load(&plain, RISKY));
    for (size_t i = 0; i < COUNT_OF(LIFE); i++) {
        ask_seen(&looked, &seen, LIFE[i]);
        harness_ask(&plain, HARNESS_NOW, LIFE[i]);
        cr_expect(str_eq(buf_view(&looked.answer), buf_view(&plain.answer)), "%zu: " STR_FMT "\n" STR_FMT, i,
                  STR_ARG(buf_view(&looked.answer)), STR_ARG(buf_view(&plain.answer)));
    }
    arena_fini(&seen.arena);
    buf_fini(&seen.said);
    harness_fini(&looked);
    harness_fini(&plain);
}

// A thousand rules about other things are not searched.
Test(explain_words, a_large_folder_costs_what_is_about_the_question)
{
    struct buf yaml = {0};
    struct harness h = {0};
    struct seen seen = {.wish = 0};
    arena_init(&seen.arena, 0, 0);
    for (int p = 0; p < 250; p++) {
        buf_printf(&yaml,
                   "---\napiVersion: pdp/v1\nkind: Policy\nmetadata: {name: p%d}\ntarget: "
                   "resource.path.startsWith('/%d/')\nrules:\n",
                   p, p);
        for (int r = 0; r < 4; r++) {
            buf_printf(&yaml, "  - {id: r%d, effect: %s, when: 'context.n%d > %d && context.m == \"%d\"'}\n",
                       r, r == 0 ? "allow" : "deny", r, p, p);
        }
    }
    buf_byte(&yaml, '\0');
    cr_assert(harness_load(&h, (const char *)yaml.at + 4), STR_FMT, STR_ARG(buf_view(&h.said)));
    ask_seen(
        &h, &seen,
        "{'subject': {'type': 'user', 'id': 'u'}, 'action': {'name': 'GET'}, 'resource': {'type': 'route', "
        "'id': '/77/b'}, 'context': {'n0': 1, 'n1': 0, 'n2': 0, 'n3': 0, 'm': '77'}}");
    cr_expect_str_eq(said(&seen), "  allow if context.n0 were above 77: it is 1\n", "%s", said(&seen));
    cr_expect_lt(seen.asked, 100);
    arena_fini(&seen.arena);
    buf_fini(&seen.said);
    buf_fini(&yaml);
    harness_fini(&h);
}

// ---- What a score would be without a signal: as a model that has not that signal says -------------

#define MODEL(signals) \
    "---\napiVersion: pdp/v1\nkind: RiskModel\nmetadata: {name: m}\nprior: -3.4\nsignals: {" signals "}\n"
#define FINGERPRINT "fingerprint-change: {on_missing: skip}"
#define AGENT "agent-change: {on_missing: skip}"
#define JA4 "ja4-change: {on_missing: skip}"
#define NEW_DEVICE "new-device: {on_missing: skip}"
#define NEW_NETWORK "new-network: {on_missing: skip}"
#define EXTERNAL "external: {}"
#define ALL_SIGNALS FINGERPRINT ", " AGENT ", " JA4 ", " NEW_DEVICE ", " NEW_NETWORK ", " EXTERNAL
#define FOUND                                                                                             \
    "{'event': {'type': 'signal', 'subject': {'type': 'user', 'id': 'u'}, 'context': {'session': {'id': " \
    "'s1'}}, 'properties': {'evidence': 1.5}}, 'request_id': 'e7'}"

static const struct {
    const char *id, *model; // the model without it
} SIGNALS_LEFT_OUT[] = {
    {"fingerprint-change", MODEL(AGENT ", " JA4 ", " NEW_DEVICE ", " NEW_NETWORK ", " EXTERNAL)},
    {"agent-change", MODEL(FINGERPRINT ", " JA4 ", " NEW_DEVICE ", " NEW_NETWORK ", " EXTERNAL)},
    {"new-network", MODEL(FINGERPRINT ", " AGENT ", " JA4 ", " NEW_DEVICE ", " EXTERNAL)},
    {"external", MODEL(FINGERPRINT ", " AGENT ", " JA4 ", " NEW_DEVICE ", " NEW_NETWORK)},
};

struct without {
    struct arena arena;
    double score[COUNT_OF(SIGNALS_LEFT_OUT)], plain;
};

static void note_without(void *user, const struct watched *watched)
{
    struct without *without = user;
    struct account account;
    arena_reset(&without->arena);
    cr_assert(account_make(watched, 0, &without->arena, &account));
    without->plain = watched->risk->score;
    for (size_t i = 0; i < COUNT_OF(SIGNALS_LEFT_OUT); i++) {
        without->score[i] = -1;
        for (size_t k = 0; k < account.signal_count; k++) {
            bool is = str_eq(account.signals[k].id, str_of(SIGNALS_LEFT_OUT[i].id));
            without->score[i] = is ? account.signals[k].score : without->score[i];
        }
    }
}

static void live(const char *model, struct without *out)
{
    struct harness h = {0};
    struct buf yaml = {0};
    const struct watch watch = {.judged = note_without, .user = out};
    buf_printf(&yaml, "%s%s", RISKY, model);
    buf_byte(&yaml, '\0');
    *out = (struct without){.plain = -1};
    arena_init(&out->arena, 0, 0);
    cr_assert(harness_load(&h, (const char *)yaml.at), STR_FMT, STR_ARG(buf_view(&h.said)));
    for (int i = 0; i < 3; i++) {
        harness_ask(&h, HARNESS_NOW - 60000 + 1000 * i, OWN);
    }
    harness_ask(&h, HARNESS_NOW - 1000, FOUND);
    worker_watch(h.worker, &watch);
    harness_ask(&h, HARNESS_NOW, STRANGER);
    arena_fini(&out->arena);
    buf_fini(&yaml);
    harness_fini(&h);
}

Test(explain_words, a_score_without_a_signal_is_that_of_a_model_without_it)
{
    struct without all;
    live(MODEL(ALL_SIGNALS), &all);
    for (size_t i = 0; i < COUNT_OF(SIGNALS_LEFT_OUT); i++) {
        struct without one;
        live(SIGNALS_LEFT_OUT[i].model, &one);
        cr_expect_geq(all.score[i], 0, "%s did not speak", SIGNALS_LEFT_OUT[i].id);
        cr_expect_float_eq(all.score[i], one.plain, 1e-6, "without %s: %g, in truth %g",
                           SIGNALS_LEFT_OUT[i].id, all.score[i], one.plain);
    }
}
