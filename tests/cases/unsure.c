// SPDX-License-Identifier: Apache-2.0
// Every way of being unsure, in every place where a condition can stand: none allows, none ends a session,
// each names what was missing, and the session goes on.
#include "support/harness.h"

#include <criterion/criterion.h>
#include <stdio.h>

#define MINUTE INT64_C(60000)

// A condition, what the question carries, and what the answer must name.
#define FORTY "1,2,3,4,5,6,7,8,9,0,1,2,3,4,5,6,7,8,9,0,1,2,3,4,5,6,7,8,9,0,1,2,3,4,5,6,7,8,9,0,"

static const struct situation {
    const char *name, *condition, *properties, *context, *named;
} SITUATIONS[] = {
    {"attribute missing", "subject.clearance == \"x\"", "", "", "`subject.clearance` is missing"},
    {"attribute null", "subject.clearance == \"x\"", "'clearance': null", "",
     "`subject.clearance` is missing"},
    {"attribute null, negated", "subject.clearance != \"x\"", "'clearance': null", "", "`subject.clearance`"},
    {"attribute of another type", "subject.clearance.startsWith(\"x\")", "'clearance': 3", "", "in `p"},
    {"a list where text is read", "subject.clearance == \"x\"", "'clearance': ['x']", "",
     "subject.clearance"},
    {"a list where text is refused", "subject.clearance != \"x\"", "'clearance': ['x']", "",
     "subject.clearance"},
    {"text where a number is compared", "subject.level >= 3", "'level': '4'", "", "in `p"},
    {"text where a list is searched", "\"hr\" in subject.roles", "'roles': 'hr'", "", "in `p"},
    {"text that is a condition", "subject.cleared", "'cleared': 'true'", "", ""},
    {"unknown field of the context", "context.client.auth == \"basic\"", "", "",
     "`context.client.auth` is missing"},
    {"context of another type", "context.client.auth == \"basic\"", "", ", 'client': 7", "context.client"},
    {"undeclared map", "subject.flags[\"x\"] == 1", "'flags': {'y': 1}", "", "no such key"},
    {"no geo database", "geo.country == \"DE\"", "", ", 'network': {'ip': '203.0.113.7'}",
     "`geo.country` is missing"},
    {"no network", "network.private", "", "", "`network.private` is missing"},
    {"address that is none", "network.ip == ip(\"10.0.0.1\")", "", ", 'network': {'ip': '10.0.0.256'}",
     "network.ip"},
    {"forwarded_for that is none", "network.ip in lists.office", "",
     ", 'network': {'ip': '10.9.9.9', 'forwarded_for': ['10.0.0.1', 'unknown']}", "network.ip"},
    {"travel without places", "travel.kmh > 900.0", "", ", 'network': {'ip': '203.0.113.7'}", "travel.kmh"},
    {"stale list", "\"alice\" in lists.old", "", "", "`lists.old` is stale or missing"},
    {"missing list file", "\"alice\" in lists.gone", "", "", "`lists.gone` is stale or missing"},
    {"divided by zero", "1 / subject.n == 1", "'n': 0", "", "divide by zero"},
    {"overflow", "9223372036854775807 + subject.n > 0", "'n': 1", "", "out of range"},
    {"index out of bounds", "subject.items[3] == 1", "'items': [1]", "", "out of bounds"},
    {"cannot be converted", "int(subject.text) == 1", "'text': 'one'", "",
     "`int` cannot make anything of this text in `p"},
    {"time that is none", "timestamp(subject.text) < now", "'text': 'yesterday'", "",
     "`timestamp` cannot make anything of this text in `p"},
    {"match limit", "subject.text.matches(\"^(a|a?)+$\")",
     "'text': 'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaab'", "", "pattern took too long"},
    {"step budget", "subject.items.all(a, subject.items.all(b, a < b || a >= b))",
     "'items': [" FORTY FORTY FORTY FORTY FORTY "1]", "", "too much work"},
    {"session attribute missing", "session.acr == \"aal2\"", "", "", "`session.acr` is missing"},
    {"device attribute missing", "device.managed", "", "", "`device.managed` is missing"},
    {"no operation for these types", "subject.text + 1 == 2", "'text': 'a'", "", ""},
};

static const char *const EFFECTS[] = {"allow", "step_up", "deny", "terminate"};
static const char *const ALGORITHMS[] = {"most-restrictive", "first-match", "deny-unless-allow"};
// Where the condition stands. It is guarded by the action, so that PING is decided whatever it reads.
enum stand {
    IN_WHEN,
    IN_NOT,
    IN_TARGET,
    IN_ANY,
    IN_VARIABLE,
    IN_PROOF,
    PLACES
};
static const char *const PLACE_NAMES[] = {"when", "not", "target", "any", "variable", "proof"};

#define HEAD(kind, name) "---\napiVersion: pdp/v1\nkind: " kind "\nmetadata: {name: " name "}\n"
static const char COMMON[] = HEAD("List", "office") "type: cidr\nentries: [10.0.0.0/8]\n" HEAD(
    "List", "old") "type: string\nmax_age: 1h\nupdated: "
                   "2020-01-01T00:00:00Z\nentries: [alice]\n" HEAD("List",
                                                                   "gone") "type: string\nfile: gone.txt\n";

static void put_when(struct buf *out, enum stand place, const char *condition)
{
    switch (place) {
    case IN_WHEN:
        buf_printf(out, "    when: 'action.name == \"GET\" && (%s)'\n", condition);
        break;
    case IN_NOT:
        buf_printf(out, "    when:\n      all:\n        - action.name == \"GET\"\n        - not: '%s'\n",
                   condition);
        break;
    case IN_ANY:
        buf_printf(out, "    actions: [GET]\n    when:\n      any: ['%s', 'action.name == \"PING\"']\n",
                   condition);
        break;
    case IN_VARIABLE:
        buf_printf(out, "    when: 'action.name == \"GET\" && vars.v'\n");
        break;
    case IN_TARGET:
    case IN_PROOF:
    case PLACES:
        buf_printf(out, "    actions: [GET]\n");
        break;
    }
}

static void put_policies(struct buf *out, const struct situation *s, enum stand place, const char *effect,
                         const char *algorithm)
{
    bool allows = strcmp(effect, "allow") == 0;
    buf_clear(out);
    buf_printf(out, HEAD("Strengths", "s") "levels:\n  - {name: pwd, proves: '\"pwd\" in session.amr'}\n");
    buf_printf(out, "  - name: mfa\n    proves: '%s'\n", place == IN_PROOF ? s->condition : "false");
    buf_printf(out, HEAD("Policy", "base") "rules: [{id: all, effect: allow%s}]\n",
               allows ? ", actions: [PING]" : "");
    buf_printf(out, HEAD("Policy", "p") "combine: %s\n", algorithm);
    if (place == IN_TARGET) {
        buf_printf(out, "target: 'action.name == \"PING\" || (%s)'\n", s->condition);
    }
    if (place == IN_VARIABLE) {
        buf_printf(out, "variables: {v: '%s'}\n", s->condition);
    }
    buf_printf(out, "rules:\n  - id: r\n    effect: %s\n", effect);
    put_when(out, place, s->condition);
    if (strcmp(effect, "step_up") == 0) {
        buf_printf(out, "    require: {strength: mfa}\n");
    }
    buf_printf(out, "  - {id: ping, effect: allow, actions: [PING]}\n%s", COMMON);
    buf_byte(out, '\0');
}

static void ask(struct harness *h, int64_t now_ms, unsigned session, const char *action,
                const struct situation *s)
{
    AUTO(buf_fini) struct buf json = {0};
    buf_printf(
        &json,
        "{'subject': {'type': 'user', 'id': 'alice', 'properties': {%s}}, 'action': {'name': '%s'}, "
        "'resource': "
        "{'type': 'route', 'id': '/a'}, 'context': {'session': {'id': 's%u', 'auth_time': 1795420800} %s}}",
        s->properties, action, session, s->context);
    buf_byte(&json, '\0');
    harness_ask(h, now_ms, (const char *)json.at);
}

static void expect_alive(struct harness *h, int64_t now_ms, unsigned session, const struct situation *s,
                         const char *what)
{
    struct session_view view;
    char id[32];
    snprintf(id, sizeof id, "s%u", session);
    cr_expect(session_look(engine_sessions(h->engine), str_of(id), &view), "%s: the session is gone", what);
    cr_expect_neq(view.record.state, SESSION_TERMINATED, "%s: the session was ended", what);
    ask(h, now_ms, session, "PING", s);
    cr_expect_str_eq(harness_effect(h), "allow/policy", "%s: afterwards\n" STR_FMT, what,
                     STR_ARG(buf_view(&h->answer)));
}

static void judge(struct harness *h, const struct situation *s, const char *effect, const char *algorithm,
                  const char *what, enum stand place)
{
    const char *got = harness_get(h, "context.effect");
    bool plain = strcmp(algorithm, "most-restrictive") == 0;
    bool step_up = strcmp(effect, "step_up") == 0;
    cr_expect(strcmp(got, "allow") != 0 && strcmp(got, "terminate") != 0, "%s\n" STR_FMT, what,
              STR_ARG(buf_view(&h->answer)));
    cr_expect_str_eq(harness_get(h, "decision"), "false", "%s", what);
    if (plain) {
        cr_expect_str_eq(harness_effect(h), step_up ? "step_up/policy" : "deny/unsure", "%s\n" STR_FMT, what,
                         STR_ARG(buf_view(&h->answer)));
    }
    // What did not decide need not be named: a deny-unless-allow without an allow denies for certain.
    if (place != IN_PROOF && !(step_up && !plain)) {
        cr_expect(strstr(harness_get(h, "context.missing"), s->named) != NULL &&
                      harness_get(h, "context.missing")[0] == '[',
                  "%s: `%s` is not named\n" STR_FMT, what, s->named, STR_ARG(buf_view(&h->answer)));
    }
}

// An engine that believes 10.9.9.9 to be a proxy.
static void start(struct harness *h)
{
    static struct cidr proxy;
    cr_assert(cidr_parse(STR("10.9.9.9/32"), false, &proxy));
    struct engine_config config = {.key = {3, 4}, .id_prefix = 7, .proxies = &proxy, .proxy_count = 1};
    h->peer = (struct peer){.name = STR("test"), .hash = 5, .grants = GRANT_ALL};
    arena_init(&h->arena, 0, 0);
    cr_assert_eq(engine_new(&config, &h->engine), PDP_ERR_OK);
    cr_assert_eq(worker_new(h->engine, &h->worker), PDP_ERR_OK);
}

static void check(struct harness *h, struct buf *yaml, const struct situation *s, enum stand place,
                  const char *effect, const char *algorithm, unsigned session)
{
    char what[256];
    snprintf(what, sizeof what, "%s: %s in %s, %s", s->name, effect, PLACE_NAMES[place], algorithm);
    put_policies(yaml, s, place, effect, algorithm);
    bool loaded = harness_load(h, (const char *)yaml->at);
    cr_assert(loaded, "%s\n%s", what, (const char *)h->said.at);
    int64_t now_ms = HARNESS_NOW + session;
    ask(h, now_ms, session, "PING", s); // the session begins, so that it could end
    cr_expect_str_eq(harness_effect(h), "allow/policy", "%s: before\n" STR_FMT, what,
                     STR_ARG(buf_view(&h->answer)));
    ask(h, now_ms + 1, session, "GET", s);
    judge(h, s, effect, algorithm, what, place);
    expect_alive(h, now_ms + 2, session, s, what);
}

Test(cases_unsure, in_a_condition_allows_nothing_and_ends_nothing, .timeout = 300)
{
    struct harness h = {0};
    AUTO(buf_fini) struct buf yaml = {0};
    unsigned session = 0;
    start(&h);
    for (size_t i = 0; i < COUNT_OF(SITUATIONS); i++) {
        for (size_t effect = 0; effect < COUNT_OF(EFFECTS); effect++) {
            for (size_t algorithm = 0; algorithm < COUNT_OF(ALGORITHMS); algorithm++) {
                for (enum stand place = IN_WHEN; place < IN_PROOF; place++) {
                    check(&h, &yaml, &SITUATIONS[i], place, EFFECTS[effect], ALGORITHMS[algorithm],
                          session++);
                }
            }
        }
        // A strength that cannot be told is not proved.
        check(&h, &yaml, &SITUATIONS[i], IN_PROOF, "step_up", "most-restrictive", session++);
    }
    harness_fini(&h);
}

Test(cases_unsure, a_limit_that_may_be_the_sessions_own_holds_and_ends_nothing)
{
    struct harness h = {0};
    AUTO(buf_fini) struct buf yaml = {0};
    start(&h);
    for (unsigned i = 0; i < COUNT_OF(SITUATIONS); i++) {
        const struct situation *s = &SITUATIONS[i];
        buf_clear(&yaml);
        buf_printf(
            &yaml,
            HEAD("Policy", "base") "rules: [{id: all, effect: allow}]\n" HEAD(
                "SessionPolicy",
                "short") "target: 'action.name == \"GET\" && (%s)'\nlimits: {idle: 1m, absolute: 2m}\n%s",
            s->condition, COMMON);
        buf_byte(&yaml, '\0');
        if (strstr(s->condition, "travel.") != NULL) { // not known where limits are looked up
            cr_expect(!harness_load(&h, (const char *)yaml.at), "%s", s->name);
            continue;
        }
        cr_assert(harness_load(&h, (const char *)yaml.at), "%s", (const char *)h.said.at);
        ask(&h, HARNESS_NOW, i, "PING", s);
        cr_expect_str_eq(harness_effect(&h), "allow/policy", "%s\n" STR_FMT, s->name,
                         STR_ARG(buf_view(&h.answer)));
        ask(&h, HARNESS_NOW + 10 * MINUTE, i, "GET", s);
        cr_expect_str_eq(harness_effect(&h), "deny/unsure", "%s\n" STR_FMT, s->name,
                         STR_ARG(buf_view(&h.answer)));
        cr_expect(strlen(harness_get(&h, "context.missing")) > 2, "%s", s->name);
        expect_alive(&h, HARNESS_NOW + 10 * MINUTE + 1, i, s, s->name);
    }
    harness_fini(&h);
}

// ---- Questions that cannot be read -------------------------------------------------------------------

#define WHO "'subject': {'type': 'user', 'id': 'alice'}, 'action': {'name': 'GET'}"
#define ROUTE ", 'resource': {'type': 'route', 'id': '/a'}"
#define SESSION ", 'context': {'session': {'id': 's1', 'auth_time': 1795420800}}"
static const struct {
    const char *json, *field;
} MALFORMED[] = {
    {"", ""},
    {"{", ""},
    {"null", ""},
    {"[]", "question"},
    {"[1, 2]", "question"},
    {"{}", "subject"},
    {"{" WHO ROUTE SESSION, ""},
    {"{" WHO ROUTE SESSION "} {}", ""},
    {"{" WHO ROUTE ", 'x': 1, 'x': 2" SESSION "}", ""},
    {"{" WHO ROUTE ", 'x': 18446744073709551615" SESSION "}", ""},
    {"{" WHO ROUTE ", 'x': 1e999" SESSION "}", ""},
    {"{" WHO ROUTE ", 'x': '\xff'" SESSION "}", ""},
    {"{" WHO ROUTE ", 'x': '\\ud800'" SESSION "}", ""},
    {"{" WHO ROUTE ", 'x': [[[[[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]]]]]" SESSION "}", ""},
    {"{'subject': 'alice', 'action': {'name': 'GET'}" ROUTE SESSION "}", "subject"},
    {"{'subject': {'type': 'user'}, 'action': {'name': 'GET'}" ROUTE SESSION "}", "subject.id"},
    {"{'subject': {'type': 'user', 'id': ''}, 'action': {'name': 'GET'}" ROUTE SESSION "}", "subject.id"},
    {"{'subject': {'type': 'user', 'id': 7}, 'action': {'name': 'GET'}" ROUTE SESSION "}", "subject.id"},
    {"{'subject': {'type': 'user', 'id': null}, 'action': {'name': 'GET'}" ROUTE SESSION "}", "subject.id"},
    {"{'subject': {'type': 'user', 'id': 'alice', 'properties': []}, 'action': {'name': 'GET'}" ROUTE SESSION
     "}",
     "subject.properties"},
    {"{'subject': {'type': 'user', 'id': 'alice'}" ROUTE SESSION "}", "action"},
    {"{'subject': {'type': 'user', 'id': 'alice'}, 'action': {}" ROUTE SESSION "}", "action.name"},
    {"{'subject': {'type': 'user', 'id': 'alice'}, 'action': {'name': ['GET']}" ROUTE SESSION "}",
     "action.name"},
    {"{" WHO SESSION "}", "resource"},
    {"{" WHO ", 'resource': {'type': 'route'}" SESSION "}", "resource.id"},
    {"{" WHO ", 'resource': {'type': 'route', 'id': '/a/../b'}" SESSION "}", "resource.id"},
    {"{" WHO ", 'resource': {'type': 'route', 'id': '/a//b'}" SESSION "}", "resource.id"},
    {"{" WHO ", 'resource': {'type': 'route', 'id': '/a%2Fb'}" SESSION "}", "resource.id"},
    {"{" WHO ", 'resource': {'type': 'route', 'id': '/a;x'}" SESSION "}", "resource.id"},
    {"{" WHO ", 'resource': {'type': 'route', 'id': '/a\\u0000'}" SESSION "}", "resource.id"},
    {"{" WHO ", 'resource': {'type': 'route', 'id': 'a'}" SESSION "}", "resource.id"},
    {"{" WHO ROUTE ", 'context': []}", "context"},
    {"{" WHO ROUTE ", 'context': {'session': 's1'}}", "context.session"},
    {"{" WHO ROUTE ", 'context': {'session': {'id': ''}}}", "context.session.id"},
    {"{" WHO ROUTE ", 'context': {'session': {'id': 's1', 'auth_time': 'now'}}}",
     "context.session.auth_time"},
    {"{" WHO ROUTE ", 'context': {'session': {'id': 's1', 'auth_time': 1e300}}}",
     "context.session.auth_time"},
    {"{" WHO ROUTE ", 'context': {'session': {'id': 's1', 'amr': 'pwd'}}}", "context.session.amr"},
    {"{" WHO ROUTE ", 'context': {'session': {'id': 's1', 'amr': [1]}}}", "context.session.amr"},
    {"{" WHO ROUTE ", 'context': {'session': {'id': 's1'}, 'device': {'managed': 'yes'}}}",
     "context.device.managed"},
    {"{" WHO ROUTE ", 'context': {'session': {'id': 's1'}, 'network': {'ip': 7}}}", "context.network.ip"},
    {"{" WHO ROUTE ", 'context': {'session': {'id': 's1'}, 'network': {'forwarded_for': '10.0.0.1'}}}",
     "context.network.forwarded_for"},
    {"{" WHO ROUTE ", 'context': {'session': {'id': 's1'}, 'purpose': 7}}", "context.purpose"},
    {"{" WHO ROUTE ", 'explain': 'loud'" SESSION "}", "explain"},
    {"{" WHO ROUTE ", 'request_id': ''" SESSION "}", "request_id"},
    {"{" WHO ROUTE ", 'tenant': 7" SESSION "}", "tenant"},
    {"{" WHO ROUTE ", 'event': {}" SESSION "}", ""},
    {"{'event': {'type': 'logout', 'subject': {'type': 'user', 'id': 'alice'}, 'context': {'session': {'id': "
     "'s1'}}}}",
     "request_id"},
    {"{'request_id': 'e', 'event': {'type': 'explode', 'subject': {'type': 'user', 'id': 'alice'}, "
     "'context': {'session': "
     "{'id': 's1'}}}}",
     "event.type"},
    {"{'request_id': 'e', 'event': {'type': 'login', 'context': {'session': {'id': 's1'}}}}", "subject"},
    {"{'request_id': 'e', 'event': 'logout'}", "event"},
    {"{'evaluations': 7}", "evaluations"},
    {"{'evaluations': [7]}", ""},
    {"{'evaluations': [{}]}", ""},
    {"{'evaluations': [], 'options': 7}", ""},
    {"{'evaluations': [{" WHO ROUTE SESSION "}], 'options': {'evaluations_semantic': 'any'}}", ""},
};

static bool allows(const struct harness *h)
{
    struct str all = buf_view(&h->answer);
    return str_find(all, STR("\"decision\":true"), 0) != SIZE_MAX ||
           str_find(all, STR("terminate"), 0) != SIZE_MAX ||
           str_find(all, STR("\"recorded\":true"), 0) != SIZE_MAX;
}

static const char ALLOW_ALL[] = HEAD("Policy", "p") "rules: [{id: all, effect: allow}]\n";
static const char GOOD[] = "{" WHO ROUTE SESSION "}";

static void load_all(struct harness *h)
{
    cr_assert(harness_load(h, ALLOW_ALL), "%s", (const char *)h->said.at);
    harness_ask(h, HARNESS_NOW, GOOD);
    cr_assert_str_eq(harness_effect(h), "allow/policy");
}

static void answer(struct harness *h, struct str bytes)
{
    buf_clear(&h->answer);
    engine_answer(h->worker, &h->peer, bytes, HARNESS_NOW + 1, &h->answer);
    cr_expect_gt(h->answer.len, 0);
}

// What is no JSON is answered as CBOR, where words stand as they are.
static void answer_text(struct harness *h, const char *json)
{
    AUTO(buf_fini) struct buf text = {0};
    for (const char *c = json; *c != '\0'; c++) {
        buf_byte(&text, *c == '\'' ? '"' : (unsigned char)*c);
    }
    answer(h, buf_view(&text));
}

Test(cases_unsure, a_question_that_cannot_be_read_allows_nothing_and_ends_nothing)
{
    struct harness h = {0};
    load_all(&h);
    for (size_t i = 0; i < COUNT_OF(MALFORMED); i++) {
        struct session_view before, after;
        cr_assert(session_look(engine_sessions(h.engine), STR("s1"), &before));
        answer_text(&h, MALFORMED[i].json);
        cr_expect_not(allows(&h), "%s\n" STR_FMT, MALFORMED[i].json, STR_ARG(buf_view(&h.answer)));
        bool named = str_find(buf_view(&h.answer), STR("malformed"), 0) != SIZE_MAX &&
                     str_find(buf_view(&h.answer), str_of(MALFORMED[i].field), 0) != SIZE_MAX;
        bool batch = strncmp(MALFORMED[i].json, "{'evaluations': []", 18) == 0;
        cr_expect(named || batch, "%s\n" STR_FMT, MALFORMED[i].json, STR_ARG(buf_view(&h.answer)));
        cr_assert(session_look(engine_sessions(h.engine), STR("s1"), &after));
        cr_expect_eq(memcmp(&before.record, &after.record, sizeof before.record), 0, "%s: the session moved",
                     MALFORMED[i].json);
    }
    harness_ask(&h, HARNESS_NOW + 2, GOOD);
    cr_expect_str_eq(harness_effect(&h), "allow/policy");
    harness_fini(&h);
}

// Every cut of a good question, and every bit of it turned, in both forms.
static void cut_and_turn(struct harness *h, struct buf *bytes, const char *yes)
{
    for (size_t len = 0; len < bytes->len; len++) {
        char *exact = malloc(len + 1); // so that ASan sees a read past the end
        memcpy(exact, bytes->at, len);
        answer(h, (struct str){exact, len});
        cr_expect_eq(str_find(buf_view(&h->answer), str_of(yes), 0), SIZE_MAX, "cut at %zu", len);
        free(exact);
    }
    for (size_t i = 0; i < bytes->len * 8; i++) {
        bytes->at[i / 8] ^= (unsigned char)(1u << i % 8);
        answer(h, buf_view(bytes)); // may be another good question, but must not end the session
        cr_expect_eq(str_find(buf_view(&h->answer), STR("terminate"), 0), SIZE_MAX, "bit %zu\n" STR_FMT, i,
                     STR_ARG(buf_view(&h->answer)));
        bytes->at[i / 8] ^= (unsigned char)(1u << i % 8);
    }
}

Test(cases_unsure, a_question_that_was_cut_or_damaged)
{
    struct harness h = {0};
    AUTO(buf_fini) struct buf json = {0};
    AUTO(buf_fini) struct buf cbor = {0};
    AUTO(arena_fini) struct arena arena;
    // The damaged subject would be fixation, which ends a session rightly: ask without one.
    static const char QUESTION[] = "{" WHO ROUTE ", 'context': {'network': {'ip': '10.1.2.3'}}}";
    struct value root;
    struct fault why;
    arena_init(&arena, 0, 0);
    load_all(&h);
    for (const char *c = QUESTION; *c != '\0'; c++) {
        buf_byte(&json, *c == '\'' ? '"' : (unsigned char)*c);
    }
    cr_assert_eq(wire_decode(WIRE_JSON, buf_view(&json), &arena, &root, &why), PDP_ERR_OK);
    struct emit emit;
    emit_init(&emit, WIRE_CBOR, &cbor);
    emit_value(&emit, &root);
    cut_and_turn(&h, &json, "\"decision\":true");
    cut_and_turn(&h, &cbor, "decision\xf5");
    harness_ask(&h, HARNESS_NOW + 2, GOOD);
    cr_expect_str_eq(harness_effect(&h), "allow/policy");
    harness_fini(&h);
}

Test(cases_unsure, no_policies_are_loaded)
{
    struct harness h = {0};
    cr_expect_not(harness_load(&h, "rules: ["));
    harness_ask(&h, HARNESS_NOW, GOOD);
    cr_expect_str_eq(harness_effect(&h), "deny/stale", STR_FMT, STR_ARG(buf_view(&h.answer)));
    harness_ask(&h, HARNESS_NOW,
                "{'request_id': 'e1', 'event': {'type': 'login', 'subject': {'type': 'user', 'id': 'alice'}, "
                "'context': "
                "{'session': {'id': 's1'}}}}");
    cr_expect_not(allows(&h), STR_FMT, STR_ARG(buf_view(&h.answer)));
    harness_ask(&h, HARNESS_NOW, "{'evaluations': [{" WHO ROUTE SESSION "}]}");
    cr_expect_not(allows(&h), STR_FMT, STR_ARG(buf_view(&h.answer)));
    load_all(&h); // and then they are
    harness_fini(&h);
}

Test(cases_unsure, a_refused_reload_changes_nothing)
{
    struct harness h = {0};
    char before[80], after[80];
    struct snapshot_facts facts;
    load_all(&h);
    cr_assert(engine_serving(h.engine, h.worker, before, &facts));
    uint64_t epoch = engine_policy_epoch(h.engine);
    static const char *const BAD[] = {
        "rules: [", "", HEAD("Policy", "p") "rules: [{id: all, effect: alow}]\n",
        HEAD("Policy", "p") "rules: [{id: all, effect: allow, when: 'nosuch'}]\n"};
    for (size_t i = 0; i < COUNT_OF(BAD); i++) {
        cr_expect_not(harness_load(&h, BAD[i]), "%s", BAD[i]);
        cr_assert(engine_serving(h.engine, h.worker, after, &facts));
        cr_expect_str_eq(after, before);
        cr_expect_eq(engine_policy_epoch(h.engine), epoch);
        harness_ask(&h, HARNESS_NOW + 1, GOOD);
        cr_expect_str_eq(harness_effect(&h), "allow/policy", "%s\n" STR_FMT, BAD[i],
                         STR_ARG(buf_view(&h.answer)));
        cr_expect_str_eq(harness_get(&h, "context.snapshot"), before);
    }
    harness_fini(&h);
}
