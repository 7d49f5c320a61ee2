// SPDX-License-Identifier: Apache-2.0
// Each finding where it is wanted, where it is not, and silenced.
#include "lint/lint.h"

#include "engine/watch.h"

#include <criterion/criterion.h>
#include <stdio.h>

#define HEAD(kind, name) "apiVersion: pdp/v1\nkind: " kind "\nmetadata: {name: " name "}\n"
#define STAFF "  - {id: staff, effect: allow, when: '\"staff\" in subject.roles'}\n"
#define WEB HEAD("Policy", "web") "rules:\n" STAFF
#define RULE(id, effect, rest) "  - {id: " id ", effect: " effect ", " rest "}\n"
#define WHEN(id, effect, when) RULE(id, effect, "when: '" when "'")
#define STRENGTHS                                                                                  \
    HEAD("Strengths", "s")                                                                         \
    "levels:\n  - {name: password, proves: '\"pwd\" in session.amr', ask: {acr_values: [aal1]}}\n" \
    "  - {name: mfa, proves: '\"otp\" in session.amr', ask: {acr_values: [aal2]}}\n---\n"
#define SESSIONS(target) HEAD("SessionPolicy", "s") "target: '" target "'\nlimits: {idle: 1h}\n---\n"
#define SIGNAL(when)       \
    HEAD("RiskModel", "m") \
    "signals: {}\nown:\n  - {id: own, when: '" when "', evidence: 2, on_missing: skip}\n---\n"
#define STEP_UP RULE("asks", "step_up", "require: {strength: mfa}, actions: [export]")
#define NOW_MS INT64_C(1795773600000) // 2026-11-27

// The codes that are found, in the order of their places, as `L01:12 L06:13`: code and line.
static void found(const char *yaml, char *out, size_t room)
{
    struct diags diags;
    struct snapshot *snapshot = NULL;
    struct snapshot_file file = {.name = STR("web.yaml"), .text = str_of(yaml)};
    struct snapshot_input input = {.files = &file, .file_count = 1, .conditions = true, .now_ms = NOW_MS};
    struct lint_findings findings;
    diags_init(&diags, 10);
    lint_findings_init(&findings);
    out[0] = '\0';
    enum pdp_err err = snapshot_build(&input, (struct hash_key){1, 2}, &diags, &snapshot);
    if (err != PDP_ERR_OK) {
        struct buf text = {0};
        diags_render(&diags, &text);
        cr_assert_fail("%.*s", (int)text.len, text.at);
    }
    struct snapshot_parts parts;
    snapshot_parts(snapshot, &parts);
    struct source source = {file.name, file.text};
    const struct lint_input asked = {.sources = &source,
                                     .source_count = 1,
                                     .program = parts.program,
                                     .set = parts.set,
                                     .lists = parts.lists,
                                     .names = parts.names,
                                     .schema = parts.schema,
                                     .risk = parts.risk,
                                     .now_ms = NOW_MS};
    cr_assert_eq(lint_run(&asked, &findings), PDP_ERR_OK);
    size_t len = 0;
    for (size_t i = 0; i < findings.count && len < room; i++) {
        uint32_t line = 0, column = 0;
        place_line_col(findings.list[i].place, &line, &column);
        cr_expect(findings.list[i].hint.len > 0, "%s says nothing to do",
                  LINT_ROWS[findings.list[i].code].word.at);
        len += (size_t)snprintf(out + len, room - len, "%s%s:%u", i > 0 ? " " : "",
                                LINT_ROWS[findings.list[i].code].code.at, line);
    }
    lint_findings_fini(&findings);
    snapshot_free(&snapshot);
    diags_fini(&diags);
}

// Rules stand from line 6 on, behind `staff`.
static const struct {
    const char *name, *rules, *found;
} RULES[] = {
    {"nothing", "", ""},
    // L01: texts, numbers, sets, hours, ages, networks, levels, what is missing.
    {"two texts", WHEN("r", "deny", "subject.a == \"x\" && subject.a == \"y\""), "L01:6"},
    {"two texts, one in a set", WHEN("r", "deny", "subject.a in [\"x\", \"z\"] && subject.a == \"y\""),
     "L01:6"},
    {"one text in a set", WHEN("r", "deny", "subject.a in [\"x\", \"y\"] && subject.a == \"y\""), "L03:6"},
    {"a text and a prefix", WHEN("r", "deny", "subject.a == \"xy\" && subject.a.startsWith(\"y\")"), "L01:6"},
    {"two prefixes", WHEN("r", "deny", "subject.a.startsWith(\"x\") && subject.a.startsWith(\"y\")"),
     "L01:6"},
    {"a prefix and no part of it",
     WHEN("r", "deny", "subject.a.startsWith(\"xy\") && !subject.a.contains(\"x\")"), "L01:6"},
    {"two prefixes that meet",
     WHEN("r", "deny", "subject.a.startsWith(\"x\") && subject.a.startsWith(\"xy\")"), "L03:6"},
    {"numbers", WHEN("r", "deny", "subject.n > 5 && subject.n < 3"), "L01:6"},
    {"numbers that meet", WHEN("r", "deny", "subject.n > 3 && subject.n < 5"), ""},
    {"no integer between", WHEN("r", "deny", "session.requests > 3 && session.requests < 4"), "L01:6"},
    {"a number among others", WHEN("r", "deny", "subject.n in [1, 2] && subject.n == 3"), "L01:6"},
    {"no such hour",
     WHEN("r", "deny", "within(now, \"daily 08:00-12:00\") && within(now, \"daily 13:00-14:00\")"), "L01:6"},
    {"hours of two zones",
     WHEN("r", "deny",
          "within(now, \"daily 08:00-12:00\") && within(now, \"daily 13:00-14:00\", \"+05:00\")"),
     ""},
    {"ages",
     WHEN("r", "deny",
          "now - session.started > duration(\"2h\") && session.started > now - duration(\"1h\")"),
     "L01:6"},
    {"ages that meet",
     WHEN("r", "deny",
          "now - session.started > duration(\"1h\") && session.started > now - duration(\"2h\")"),
     ""},
    {"networks",
     WHEN("r", "deny",
          "cidr(\"10.0.0.0/8\").containsIP(network.ip) && cidr(\"192.0.2.0/24\").containsIP(network.ip)"),
     "L01:6"},
    {"a network in a network",
     WHEN("r", "deny",
          "cidr(\"10.1.0.0/16\").containsIP(network.ip) && cidr(\"10.0.0.0/8\").containsIP(network.ip)"),
     "L03:6"},
    {"levels", WHEN("r", "deny", "risk.level > level(\"medium\") && risk.level < level(\"high\")"), "L01:6"},
    {"missing and not", WHEN("r", "deny", "has(subject.a) && !has(subject.a)"), "L01:6"},
    {"missing and compared", WHEN("r", "deny", "!has(subject.a) && subject.a == \"x\""), "L01:6"},
    {"two attributes", WHEN("r", "deny", "subject.a == subject.b && subject.a != subject.b"), "L01:6"},
    {"an alternative is left",
     WHEN("r", "deny", "subject.a == \"x\" && (subject.a == \"y\" || subject.b == \"z\")"), "L04:6"},
    {"actions", RULE("r", "deny", "actions: [GET], when: 'action.name == \"POST\"'"), "L01:6"},
    {"resources", RULE("r", "deny", "resources: [\"/a/**\"], when: 'resource.path.startsWith(\"/b/\")'"),
     "L01:6"},
    {"resources that meet",
     RULE("r", "deny", "resources: [\"/a/**\"], when: 'resource.path.startsWith(\"/a/b\")'"), ""},
    {"denied whenever allowed",
     WHEN("no", "deny", "subject.a in [\"x\", \"y\"]") WHEN("r", "allow", "subject.a == \"x\""), "L01:7"},
    {"denied now and then",
     WHEN("no", "deny", "subject.a == \"x\"") WHEN("r", "allow", "subject.a in [\"x\", \"y\"]"), ""},
    // L02
    {"shadowed by a wider path",
     RULE("a", "deny", "resources: [\"/a/**\"]") RULE("b", "deny", "resources: [\"/a/b/*\"], actions: [GET]"),
     "L02:7"},
    {"shadowed by an earlier step_up", WHEN("a", "deny", "subject.n > 3") WHEN("b", "deny", "subject.n > 5"),
     "L02:7"},
    {"words of its own",
     RULE("b", "deny", "when: subject.n > 5, reason: five") WHEN("a", "deny", "subject.n > 3"), ""},
    {"a terminate is not shadowed by a deny",
     WHEN("a", "deny", "subject.n > 3") WHEN("b", "terminate", "subject.n > 5"), ""},
    {"a rollout covers nobody for sure",
     RULE("a", "deny", "when: subject.n > 3, rollout: {percent: 50}") WHEN("b", "deny", "subject.n > 5"), ""},
    {"a time",
     RULE("a", "deny", "when: subject.n > 3, expires: 2030-01-01T00:00:00Z")
         WHEN("b", "deny", "subject.n > 5"),
     ""},
    {"an allow twice", WHEN("b", "allow", "\"staff\" in subject.roles && subject.n == 1"), "L02:6"},
    {"twice the same", WHEN("a", "deny", "subject.n == 1") WHEN("b", "deny", "subject.n == 1"), "L02:7"},
    // Several others together: networks, hours, texts, numbers, truths, actions, resources; and what leaves a
    // gap.
    {"halves of a network",
     RULE("a", "deny", "when: 'cidr(\"10.0.0.0/9\").containsIP(network.ip)', reason: low")
         RULE("b", "deny", "when: 'cidr(\"10.128.0.0/9\").containsIP(network.ip)', reason: high")
             WHEN("r", "deny", "cidr(\"10.0.0.0/8\").containsIP(network.ip)"),
     "L02:8"},
    {"a quarter is missing",
     RULE("a", "deny", "when: 'cidr(\"10.0.0.0/9\").containsIP(network.ip)', reason: low")
         RULE("b", "deny", "when: 'cidr(\"10.128.0.0/10\").containsIP(network.ip)', reason: high")
             WHEN("r", "deny", "cidr(\"10.0.0.0/8\").containsIP(network.ip)"),
     ""},
    {"both halves of a day",
     RULE("a", "deny", "when: now.getHours() < 12, reason: x")
         RULE("b", "deny", "when: now.getHours() >= 12, reason: y") WHEN("r", "deny", "subject.k == 1"),
     "L01:5 L08:6 L08:7 L02:8"},
    {"numbers, and the one between",
     RULE("a", "deny", "when: subject.n < 3, reason: low") RULE("b", "deny",
                                                                "when: subject.n > 3, reason: high")
         RULE("c", "deny", "when: subject.n == 3, reason: three") WHEN("r", "deny", "subject.n in [1, 3, 7]"),
     "L02:9"},
    {"all but the one between",
     RULE("a", "deny", "when: subject.n < 3, reason: low")
         RULE("b", "deny", "when: subject.n > 3, reason: high") WHEN("r", "deny", "subject.n in [1, 3, 7]"),
     ""},
    {"an attribute that may be missing",
     RULE("a", "deny", "when: device.managed, reason: x, actions: [x]") RULE(
         "b", "deny", "when: '!device.managed', reason: y, actions: [x]") RULE("r", "deny", "actions: [x]"),
     "L06:6 L06:7"},
    {"the same, where it is there",
     RULE("a", "allow", "when: 'device.managed && subject.k == 1'")
         RULE("b", "allow", "when: '!device.managed && subject.k == 1'")
             WHEN("r", "allow", "has(device.managed) && subject.k == 1"),
     "L02:6 L02:7"},
    {"values of a list",
     WHEN("a", "allow", "subject.dept == \"a\" && subject.n < 5") WHEN("b", "allow", "subject.dept == \"b\"")
         WHEN("r", "allow", "subject.dept in [\"a\", \"b\"] && subject.n in [1, 2]"),
     "L02:8"},
    {"actions",
     RULE("a", "deny", "actions: [x], when: subject.n > 3")
         RULE("b", "deny", "actions: [y], when: subject.n > 2")
             RULE("r", "deny", "actions: [x, y], when: subject.n > 5"),
     "L02:8"},
    {"resources",
     RULE("a", "deny", "resources: [\"/a/**\"], when: subject.n > 3")
         RULE("b", "deny", "resources: [\"/b/*\"], when: subject.n > 2")
             RULE("r", "deny", "resources: [\"/a/x\", \"/b/*\"], when: subject.n > 5"),
     "L02:8"},
    {"resources, one of them elsewhere",
     RULE("a", "deny", "resources: [\"/a/**\"], when: subject.n > 3")
         RULE("b", "deny", "resources: [\"/b/*\"], when: subject.n > 2")
             RULE("r", "deny", "resources: [\"/a/x\", \"/b/*\", \"/c\"], when: subject.n > 5"),
     ""},
    {"denied by one or the other",
     WHEN("a", "deny", "subject.n < 5") WHEN("b", "terminate", "subject.n > 3")
         WHEN("r", "allow", "subject.n in [1, 4, 9]"),
     "L01:8"},
    {"denied or allowed as much",
     WHEN("a", "deny", "subject.n < 5") WHEN("b", "allow", "subject.n >= 5 && subject.k == 1")
         WHEN("r", "allow", "subject.n in [1, 4, 9] && subject.k == 1"),
     "L02:8"},
    {"a terminate by denies",
     WHEN("a", "deny", "subject.n < 5") WHEN("b", "deny", "subject.n > 3")
         WHEN("r", "terminate", "subject.n in [1, 4, 9]"),
     ""},
    // Each of the first and third is covered by its neighbours: only one may be said to be needless.
    {"a row of which two may not both go",
     RULE("a", "allow", "when: 'subject.n >= 0 && subject.n <= 10'")
         RULE("b", "allow", "when: 'subject.n >= 5 && subject.n <= 15'")
             RULE("c", "allow", "when: 'subject.n >= 10 && subject.n <= 20'")
                 RULE("d", "allow", "when: 'subject.n >= -5 && subject.n <= 5'"),
     "L02:6"},
    // L03, L04
    {"either of two", WHEN("r", "deny", "session.requests < 5 || session.requests > 3"), "L03:6"},
    {"either of two, or no number", WHEN("r", "deny", "subject.n < 5 || subject.n > 3"), ""},
    {"said twice", WHEN("r", "deny", "subject.a == \"x\" && subject.b == \"y\" && subject.a == \"x\""),
     "L03:6"},
    {"true", RULE("r", "deny", "when: 'true', actions: [x]"), "L03:6"},
    {"has before it is read", WHEN("r", "deny", "has(subject.a) && subject.a == \"x\""), ""},
    // L06
    {"lacks a device", WHEN("r", "deny", "!device.managed"), "L06:6"},
    {"asks whether it has one", WHEN("r", "deny", "has(device.managed) && !device.managed"), ""},
    {"an allow may lack", WHEN("r", "allow", "device.managed"), ""},
    {"lacks a place", WHEN("r", "terminate", "geo.country == \"KP\""), "L06:6"},
    {"lacks a place, and asks for it", WHEN("r", "deny", "has(geo.country) && geo.country == \"KP\""), ""},
    // L07
    {"a slow pattern", WHEN("r", "deny", "subject.a.matches(\"(a+)+b$\")"), "L07:6"},
    {"a slow pattern, tied", WHEN("r", "deny", "subject.a.matches(\"^[a-z]+/x$\")"), ""},
    // L08
    {"raw time", WHEN("r", "deny", "now.getHours() < 7"), "L08:6"},
    {"a time compared", WHEN("r", "deny", "subject.until == now || session.started < now - duration(\"1h\")"),
     ""},
    {"raw time of a rule that never holds", WHEN("r", "deny", "now.getHours() < 8 && now.getHours() > 18"),
     "L01:6"},
    {"hours that no day has", WHEN("r", "deny", "now.getHours() > 23"), "L01:6"},
    // L11
    {"amr by hand", WHEN("r", "allow", "\"otp\" in session.amr"), "L11:6"},
    {"amr in a deny", WHEN("r", "deny", "!(\"otp\" in session.amr)"), ""},
    // L12
    {"a new device ends",
     WHEN("r", "terminate", "has(device.first_seen) && device.first_seen > now - duration(\"1h\")"), "L12:6"},
    {"a new device and a level",
     WHEN("r", "terminate",
          "has(device.first_seen) && device.first_seen > now - duration(\"1h\") && risk.level >= "
          "level(\"high\")"),
     ""},
    {"a new device, or a level",
     WHEN("r", "terminate", "risk.level >= level(\"high\") || risk.signals[\"new-device\"] > 1.0"), "L12:6"},
    // L14
    {"anybody", RULE("r", "allow", "actions: [GET]"), "L14:6"},
    {"a tenant is not somebody", WHEN("r", "allow", "tenant == \"acme\""), "L14:6"},
    // L15
    {"no path", WHEN("r", "deny", "resource.path == \"/a/../b\""), "L15:6"},
    {"a path", WHEN("r", "deny", "resource.path == \"/a/b\""), ""},
    {"no path among paths", WHEN("r", "deny", "resource.path in [\"/a\", \"a\"]"), "L15:6"},
    {"a resource of routes", RULE("r", "deny", "resources: [\"/a//b\"], when: 'resource.type == \"route\"'"),
     "L15:6"},
    {"a resource of anything", RULE("r", "deny", "resources: [\"/a//b\"]"), "L15:6"},
    {"a resource of no route",
     RULE("r", "deny", "resources: [\"/a//b\"], when: 'resource.type != \"route\"'"), ""},
    {"a resource that is no path's", RULE("r", "deny", "resources: [\"a//b\"]"), ""},
    // Silences
    {"silenced on its line", "  - {id: r, effect: allow, actions: [GET]} # pdp:lint-ok L14 for everybody\n",
     ""},
    {"silenced by its word",
     "  - {id: r, effect: allow, actions: [GET]} # pdp:lint-ok allow-anybody for everybody\n", ""},
    {"silenced above", "  # pdp:lint-ok L14 for everybody\n  # really\n" RULE("r", "allow", "actions: [GET]"),
     ""},
    {"silenced too far above", "  # pdp:lint-ok L14 for everybody\n\n" RULE("r", "allow", "actions: [GET]"),
     "L16:6 L14:8"},
    {"another code silenced", "  - {id: r, effect: allow, actions: [GET]} # pdp:lint-ok L03 for everybody\n",
     "L14:6 L16:6"},
    {"no reason", "  - {id: r, effect: allow, actions: [GET]} # pdp:lint-ok L14\n", "L14:6 L16:6"},
    {"no such code", "  - {id: r, effect: allow, actions: [GET]} # pdp:lint-ok L99 for everybody\n",
     "L14:6 L16:6"},
    {"in a text", "  - {id: r, effect: allow, actions: [GET], reason: 'pdp:lint-ok L14 x'}\n", "L14:6"},
    {"nothing to silence", "  # pdp:lint-ok L01 once it was so\n", "L16:6"},
};

Test(lint_lint, finds_in_rules)
{
    for (size_t i = 0; i < COUNT_OF(RULES); i++) {
        char yaml[4096], got[512];
        snprintf(yaml, sizeof yaml, "%s%s", WEB, RULES[i].rules);
        found(yaml, got, sizeof got);
        cr_expect_str_eq(got, RULES[i].found, "%s: found %s", RULES[i].name, got);
    }
}

// Whole folders of other documents.
static const struct {
    const char *name, *yaml, *found;
} FOLDERS[] = {
    {"L01 behind one that matches",
     HEAD("Policy", "web") "combine: first-match\nrules:\n" WHEN("a", "allow", "subject.a in [\"x\", \"y\"]")
         WHEN("b", "deny", "subject.a == \"x\""),
     "L01:7"},
    {"L01 behind a step_up, which may be proved",
     STRENGTHS HEAD("Policy", "web") "combine: first-match\nrules:\n" RULE(
         "a", "step_up", "require: {strength: mfa}, actions: [x]") RULE("b", "deny", "actions: [x]"),
     ""},
    {"L01 against the target",
     HEAD("Policy", "web") "target: action.name == \"GET\"\nrules:\n" RULE("a", "deny", "actions: [POST]"),
     "L01:6"},
    {"L01 against the target's path",
     HEAD("Policy", "web") "target: resource.type == \"route\" && "
                           "resource.path.startsWith(\"/a/\")\nrules:\n" RULE(
                               "a", "terminate",
                               "resources: [\"/b/**\"], when: has(resource.path) && subject.id == \"x\""),
     "L01:6"},
    {"L01, but an exception lifts the deny",
     HEAD("Exception",
          "e") "lifts: [web/no]\nwhen: subject.id == \"x\"\nexpires: 2027-01-01T00:00:00Z\n---\n" WEB
         WHEN("no", "deny", "subject.a in [\"x\", \"y\"]") WHEN("r", "allow", "subject.a == \"x\""),
     ""},
    {"L02 across policies", WEB "---\n" HEAD("Policy", "other") "rules:\n" STAFF, "L02:11"},
    {"L02 across policies, but the closing deny",
     WEB "---\n" HEAD("Policy", "other") "combine: deny-unless-allow\nrules:\n" STAFF, "L02:5"},
    {"L02 of a weaker step_up",
     STRENGTHS WEB RULE("a", "step_up", "require: {strength: mfa, max_age: 5m}")
         RULE("b", "step_up", "require: {strength: password, max_age: 1h}, actions: [x]"),
     "L02:14"},
    {"L02 of a younger proof",
     STRENGTHS WEB RULE("a", "step_up", "require: {strength: mfa, max_age: 1h}")
         RULE("b", "step_up", "require: {strength: password, max_age: 5m}, actions: [x]"),
     ""},
    {"L03 in a variable",
     HEAD("Policy", "web") "variables:\n  v: session.requests > 1 || session.requests < 2\nrules:\n" WHEN(
         "r", "deny", "vars.v"),
     "L03:5 L03:7"},
    {"L03 by a Schema",
     HEAD("Schema",
          "s") "attributes:\n  subject.kind: {enum: [a, b]}\n  subject.roles: {type: [string]}\n---\n" WEB
         WHEN("r", "deny", "subject.kind in [\"a\", \"b\"]"),
     "L03:13"},
    {"L04 of a target", HEAD("Policy", "web") "target: subject.n > 1 && subject.n < 0\nrules:\n" STAFF,
     "L04:4"},
    {"L05",
     HEAD("RiskModel", "r") "prior: -3\nsignals:\n  tool-agent: {evidence: 3, cap: 3, on_missing: skip}\n"
                            "thresholds: {medium: 20, high: 30, critical: 40}\n---\n" WEB WHEN(
                                "r", "deny", "risk.score > 60.0"),
     "L05:14"},
    {"L05 of a level that is reached",
     HEAD("RiskModel", "r") "prior: -3\nsignals:\n  tool-agent: {evidence: 3, cap: 3, on_missing: skip}\n"
                            "thresholds: {medium: 20, high: 30, critical: 40}\n---\n" WEB WHEN(
                                "r", "deny", "risk.level == level(\"critical\")"),
     ""},
    {"L06 of what is required",
     HEAD("Schema", "s") "attributes:\n  context.device.posture: {type: string, required: true}\n---\n" WEB
         WHEN("r", "deny", "context.device.posture == \"bad\""),
     ""},
    {"L09 of a list", HEAD("List", "l") "type: string\nentries: [x]\n---\n" WEB, "L09:3"},
    {"L09 of a list that says a class",
     HEAD("List", "l") "type: cidr\nnetwork: vpn\nentries: [192.0.2.0/24]\n---\n" WEB, ""},
    {"L09 of a list in use",
     HEAD("List", "l") "type: string\nentries: [x]\n---\n" WEB WHEN("r", "deny", "subject.id in lists.l"),
     ""},
    {"L09 of a variable", HEAD("Policy", "web") "variables:\n  v: subject.n > 1\nrules:\n" STAFF, "L09:5"},
    {"L09 of a variable that another policy has too",
     HEAD("Policy", "web") "variables:\n  v: subject.n > 1\nrules:\n" STAFF "---\n" HEAD(
         "Policy", "other") "variables:\n  v: subject.n > 1\nrules:\n" WHEN("r", "deny", "vars.v"),
     "L09:5"},
    {"L09 of a shared variable",
     HEAD("Definitions",
          "d") "variables:\n  v: subject.n > 1\n  w: subject.n > 2\n---\n" WEB WHEN("r", "deny", "vars.v"),
     "L09:6"},
    {"L09 of a counter", HEAD("Counter", "c") "key: [subject.id]\nwindow: 1h\n---\n" WEB, "L09:3"},
    {"L09 of a strength", STRENGTHS WEB, "L09:6"},
    {"L10 of what nobody proves",
     HEAD("Strengths", "s") "levels:\n  - {name: mfa, proves: 'session.acr == \"a\" && session.acr == "
                            "\"b\"', ask: {acr_values: [a]}}\n---\n" WEB STEP_UP,
     "L04:5 L10:12"},
    {"L10 of what nobody asks for",
     HEAD("Strengths", "s") "levels:\n  - {name: mfa, proves: 'session.acr == \"a\"'}\n---\n" WEB STEP_UP,
     "L10:12"},
    {"L10 of services",
     STRENGTHS WEB RULE("r", "step_up", "require: {strength: mfa}, when: subject.type == \"service\""),
     "L10:13"},
    {"L10 not", STRENGTHS WEB STEP_UP, ""},
    {"L12 by signals", WEB WHEN("r", "terminate", "risk.signals[\"new-network\"] > 1.0"), "L12:6"},
    {"L12 not by signals of the session",
     WEB WHEN("r", "terminate", "risk.signals[\"fingerprint-change\"] > 1.0"), ""},
    {"L13 of time",
     HEAD("Exception", "e") "lifts: [web/no]\nexpires: 2028-01-01T00:00:00Z\n---\n" WEB RULE("no", "deny",
                                                                                             "actions: [x]"),
     "L13:5"},
    {"L13 of everything", HEAD("Exception", "e") "lifts: ['*']\nexpires: 2027-01-01T00:00:00Z\n---\n" WEB,
     "L13:4"},
    {"L06 in a target",
     HEAD("Policy", "web") "target: geo.country == \"DE\"\nrules:\n" RULE("r", "deny", "actions: [x]"),
     "L06:4"},
    {"L06 in a target of what allows",
     HEAD("Policy", "web") "target: geo.country == \"DE\"\nrules:\n" RULE("r", "allow", "actions: [x]"), ""},
    {"L06 in a target that asks for it",
     HEAD("Policy", "web") "target: has(geo.country) && geo.country == \"DE\"\nrules:\n" RULE("r", "deny",
                                                                                              "actions: [x]"),
     ""},
    // What session policies and the risk model ask.
    {"L03 of a session policy", SESSIONS("subject.kind != \"a\" || subject.kind != \"b\"") WEB, "L03:4"},
    {"L04 of a part of a session policy",
     SESSIONS("subject.kind == \"a\" || (subject.kind == \"b\" && subject.kind == \"c\")") WEB, "L04:4"},
    {"nothing of a session policy", SESSIONS("subject.kind == \"a\" || subject.kind == \"b\"") WEB, ""},
    {"L06 of a session policy", SESSIONS("subject.kind == \"a\" && !device.managed") WEB, "L06:4"},
    {"L06 not of a session policy", SESSIONS("has(device.managed) && !device.managed") WEB, ""},
    {"L08 of a session policy", SESSIONS("now.getHours() < 7") WEB, "L08:4"},
    {"L03 of a signal", SIGNAL("subject.a != \"x\" || subject.a != \"y\"") WEB, "L03:6"},
    {"L04 of a signal", SIGNAL("subject.a == \"x\" && subject.a == \"y\"") WEB, "L04:6"},
    {"what a signal lacks its on_missing says", SIGNAL("!device.managed") WEB, ""},
    {"L17 of a rule", WEB RULE("r", "deny", "actions: [x], expires: 2026-01-01T00:00:00Z"), "L17:6"},
    {"L17 of an exception",
     HEAD("Exception", "e") "lifts: [web/no]\nexpires: 2026-01-01T00:00:00Z\n---\n" WEB RULE("no", "deny",
                                                                                             "actions: [x]"),
     "L17:5"},
    {"L17 not yet", WEB RULE("r", "deny", "actions: [x], expires: 2027-01-01T00:00:00Z"), ""},
    {"L14 by the target",
     HEAD("Policy", "web") "target: subject.type == \"user\"\nrules:\n" RULE("r", "allow", "actions: [GET]"),
     ""},
};

Test(lint_lint, finds_in_folders)
{
    for (size_t i = 0; i < COUNT_OF(FOLDERS); i++) {
        char got[512];
        found(FOLDERS[i].yaml, got, sizeof got);
        cr_expect_str_eq(got, FOLDERS[i].found, "%s: found %s", FOLDERS[i].name, got);
    }
}

Test(lint_lint, knows_codes_and_words)
{
    cr_expect_eq(lint_code_of(STR("L01")), LINT_UNREACHABLE);
    cr_expect_eq(lint_code_of(STR("slow-pattern")), LINT_PATTERN);
    cr_expect_eq(lint_code_of(STR("l01")), LINT_COUNT);
    cr_expect_eq(lint_code_of(STR("")), LINT_COUNT);
}
