// SPDX-License-Identifier: Apache-2.0
// Locks by a condition: one more rule of three values that nothing lifts, over reloads too, and never looser
// than without.
#include "engine/where.h"

#include "engine/condition.h"
#include "engine/controls.h"
#include "support/harness.h"

#include <criterion/criterion.h>
#include <stdio.h>

#define NOW HARNESS_NOW
#define SECOND INT64_C(1000)
#define MINUTE (60 * SECOND)
#define HOUR (60 * MINUTE)
#define DAY (24 * HOUR)

static const char OPEN[] =
    "apiVersion: pdp/v1\nkind: Strengths\nmetadata: {name: levels}\nlevels:\n"
    "  - {name: mfa, proves: '\"otp\" in session.amr', ask: {acr_values: [aal2]}}\n"
    "---\napiVersion: pdp/v1\nkind: Policy\nmetadata: {name: open}\nrules:\n"
    "  - {id: all, effect: allow}\n"
    "  - {id: never, effect: deny, when: 'action.name == \"DENY\"'}\n"
    "  - {id: ask, effect: step_up, when: 'action.name == \"ASK\"', require: {strength: mfa}}\n"
    "  - {id: end, effect: terminate, when: 'action.name == \"END\"'}\n";
#define EXCEPTION                                                                               \
    "---\napiVersion: pdp/v1\nkind: Exception\nmetadata: {name: every, owner: me, ticket: T}\n" \
    "lifts: [\"*\"]\nwhen: 'true'\nexpires: 2030-01-01T00:00:00Z\n"
#define SCHEMA(FIELD)                                                           \
    "---\napiVersion: pdp/v1\nkind: Schema\nmetadata: {name: s}\nattributes:\n" \
    "  subject." FIELD ": {type: string}\n"

static uint64_t put(struct harness *h, struct control spec)
{
    struct control *control = NULL;
    const char *why = NULL;
    spec.target.kind = CONTROL_WHERE;
    spec.author = STR("alice");
    spec.reason = STR("incident 7");
    spec.created_ms = NOW - HOUR;
    spec.expires_ms = spec.expires_ms != 0 ? spec.expires_ms : NOW + DAY;
    spec.strength = spec.effect == PDP_EFFECT_STEP_UP ? STR("mfa") : (struct str){0};
    enum pdp_err err = engine_control_make(h->engine, &spec, &control, &why);
    cr_assert_eq(err, PDP_ERR_OK, "%s", why != NULL ? why : pdp_err_text(err));
    cr_assert_eq(engine_controls_add(h->engine, &control, 1), PDP_ERR_OK);
    control_drop(&control);
    return spec.number;
}

static uint64_t lock(struct harness *h, const char *where, enum pdp_effect effect)
{
    return put(h, (struct control){.target = {.value = str_of(where)}, .effect = effect});
}

static void take(struct harness *h, uint64_t number)
{
    struct control *was = NULL;
    cr_assert_eq(engine_control_remove(h->engine, number, &was), PDP_ERR_OK);
    control_drop(&was);
}

static const char *ask(struct harness *h, int64_t now_ms, const char *session, const char *action,
                       const char *more)
{
    char json[1024];
    (void)snprintf(json, sizeof json,
                   "{'tenant': 'acme', 'subject': {'type': 'user', 'id': 'alice', 'properties': {'roles': "
                   "['hr'], 'level': 'x'}}, 'action': {'name': '%s'}, 'resource': {'type': 'route', 'id': "
                   "'/pay'}, 'context': {'session': {'id': '%s', 'auth_time': %lld, 'amr': ['pwd']}, "
                   "'device': {'fingerprint': 'fp'}%s}}",
                   action, session, (long long)((NOW - HOUR) / 1000), more);
    harness_ask(h, now_ms, json);
    return harness_effect(h);
}

static bool said(const struct harness *h, const char *text)
{
    return str_find(buf_view(&h->answer), str_of(text), 0) != SIZE_MAX;
}

static struct harness begun(const char *yaml)
{
    struct harness h = {0};
    cr_assert(harness_load(&h, yaml), "%s", (const char *)h.said.at);
    return h;
}

Test(engine_where, a_condition_meets_misses_and_is_unsure)
{
    static const struct {
        const char *where;
        enum pdp_effect effect;
        const char *gives;
    } ROWS[] = {
        {"subject.id == \"alice\"", PDP_EFFECT_DENY, "deny/locked"},
        {"subject.id == \"bob\"", PDP_EFFECT_DENY, "allow/policy"},
        {"\"hr\" in subject.roles && resource.path.startsWith(\"/pay\")", PDP_EFFECT_DENY, "deny/locked"},
        {"subject.id == \"alice\"", PDP_EFFECT_STEP_UP, "step_up/locked"},
        {"geo.country == \"DE\"", PDP_EFFECT_DENY, "deny/unsure"},
        {"geo.country == \"DE\"", PDP_EFFECT_TERMINATE, "deny/unsure"}, // and ends nothing
        {"geo.country == \"DE\"", PDP_EFFECT_STEP_UP, "step_up/locked"},
        {"geo.country == \"DE\" && subject.id == \"bob\"", PDP_EFFECT_DENY, "allow/policy"},
        {"!(geo.country == \"DE\")", PDP_EFFECT_DENY, "deny/unsure"},
        {"risk.score > 90.0", PDP_EFFECT_DENY, "allow/policy"},
        {"risk.score < 90.0", PDP_EFFECT_DENY, "deny/locked"},
        {"1 / 0 == 1", PDP_EFFECT_DENY, "deny/unsure"},
        {"subject.id == \"alice\"", PDP_EFFECT_TERMINATE, "terminate/locked"},
    };
    struct harness h = begun(OPEN);
    cr_expect_str_eq(ask(&h, NOW, "s", "GET", ""), "allow/policy");
    for (size_t i = 0; i < COUNT_OF(ROWS); i++) {
        uint64_t number = lock(&h, ROWS[i].where, ROWS[i].effect);
        cr_expect_str_eq(ask(&h, NOW + SECOND, "s", "GET", ""), ROWS[i].gives, "%s: %s", ROWS[i].where,
                         harness_effect(&h));
        if (ROWS[i].effect == PDP_EFFECT_TERMINATE && i + 1 < COUNT_OF(ROWS)) {
            cr_expect(said(&h, "`geo.country` is missing"));
        }
        take(&h, number);
    }
    cr_expect_str_eq(ask(&h, NOW + 2 * SECOND, "s", "GET", ""), "terminate/terminated");
    harness_fini(&h);
}

Test(engine_where, no_exception_lifts_it)
{
    static char both[sizeof OPEN + sizeof EXCEPTION];
    (void)snprintf(both, sizeof both, "%s%s", OPEN, EXCEPTION);
    struct harness h = begun(both);
    (void)lock(&h, "subject.id == \"alice\"", PDP_EFFECT_DENY);
    cr_expect_str_eq(ask(&h, NOW, "s", "GET", ""), "deny/locked");
    cr_expect_str_eq(harness_get(&h, "context.rule"), "lock/1");
    cr_expect_str_eq(harness_get(&h, "context.reason"), "incident 7");
    harness_fini(&h);
}

Test(engine_where, a_tenant_narrows_it)
{
    struct harness h = begun(OPEN);
    struct control spec = {.target = {.value = STR("true"), .tenant = STR("other")},
                           .effect = PDP_EFFECT_DENY};
    uint64_t number = put(&h, spec);
    cr_expect_str_eq(ask(&h, NOW, "s", "GET", ""), "allow/policy");
    take(&h, number);
    spec.target.tenant = STR("acme");
    (void)put(&h, spec);
    cr_expect_str_eq(ask(&h, NOW, "s", "GET", ""), "deny/locked");
    harness_fini(&h);
}

Test(engine_where, it_expires)
{
    struct harness h = begun(OPEN);
    (void)put(&h, (struct control){.target = {.value = STR("true")},
                                   .effect = PDP_EFFECT_DENY,
                                   .expires_ms = NOW + SECOND});
    cr_expect_str_eq(ask(&h, NOW, "s", "GET", ""), "deny/locked");
    cr_expect_str_eq(ask(&h, NOW + SECOND, "s", "GET", ""), "allow/policy");
    harness_fini(&h);
}

// A gateway that keeps an allow asks again before time alone turns a lock.
Test(engine_where, an_allow_is_kept_no_longer_than_time_lets_the_lock_sleep)
{
    struct harness h = begun(OPEN);
    (void)lock(&h, "now > timestamp(\"2026-11-23T08:01:00Z\")", PDP_EFFECT_DENY);
    cr_expect_str_eq(ask(&h, NOW, "s", "GET", ""), "allow/policy");
    long long until_s = 0;
    (void)sscanf(harness_get(&h, "context.valid.until"), "%lld", &until_s);
    cr_expect(until_s > 0 && until_s * SECOND <= NOW + MINUTE + SECOND, "%lld", until_s);
    cr_expect_str_eq(ask(&h, NOW + MINUTE + SECOND, "s", "GET", ""), "deny/locked");
    harness_fini(&h);
}

Test(engine_where, it_goes_on_over_reloads_and_is_unsure_where_it_does_not_fit)
{
    static char typed[sizeof OPEN + 200];
    (void)snprintf(typed, sizeof typed, "%s" SCHEMA("level"), OPEN);
    struct harness h = begun(typed);
    uint64_t number = lock(&h, "subject.level.startsWith(\"x\")", PDP_EFFECT_DENY);
    cr_expect_str_eq(ask(&h, NOW, "s", "GET", ""), "deny/locked");
    cr_assert(harness_load(&h, typed));
    cr_expect_str_eq(ask(&h, NOW, "s", "GET", ""), "deny/locked");
    take(&h, number);
    number = lock(&h, "subject.level == 3 && false", PDP_EFFECT_TERMINATE); // text is no number
    cr_expect_str_eq(ask(&h, NOW, "s", "GET", ""), "deny/unsure");
    cr_expect(said(&h, "does not fit"));
    cr_assert(harness_load(&h, OPEN)); // here it may be anything
    cr_expect_str_eq(ask(&h, NOW, "s", "GET", ""), "allow/policy", "%s", harness_effect(&h));
    cr_assert(harness_load(&h, typed));
    cr_expect_str_eq(ask(&h, NOW, "s", "GET", ""), "deny/unsure");
    take(&h, number);
    cr_expect_str_eq(ask(&h, NOW, "s", "GET", ""), "allow/policy");
    harness_fini(&h);
}

Test(engine_where, what_is_typed_is_checked_with_its_place)
{
    struct harness h = begun(OPEN);
    struct diags diags;
    struct buf text = {0};
    bool always = true;
    diags_init(&diags, 10);
    cr_expect_neq(engine_condition_check(h.engine, h.worker, STR("session.nope == 1"), &diags, &always),
                  PDP_ERR_OK);
    diags_render(&diags, &text);
    cr_expect(str_find(buf_view(&text), STR("--where:1:1: error:"), 0) != SIZE_MAX, STR_FMT,
              STR_ARG(buf_view(&text)));
    cr_expect(str_find(buf_view(&text), STR("^"), 0) != SIZE_MAX);
    cr_expect(!always);
    cr_expect_eq(engine_condition_check(h.engine, h.worker, STR("true || risk.score > 3.0"), &diags, &always),
                 PDP_ERR_OK);
    cr_expect(always);
    cr_expect_eq(engine_condition_check(h.engine, h.worker, STR("risk.score > 3.0"), &diags, &always),
                 PDP_ERR_OK);
    cr_expect(!always);
    diags_fini(&diags);
    buf_fini(&text);
    harness_fini(&h);
}

Test(engine_where, there_are_no_more_than_a_question_can_afford)
{
    struct harness h = begun(OPEN);
    struct control *control = NULL;
    const char *why = NULL;
    for (size_t i = 0; i < WHERE_MOST; i++) {
        char text[64];
        (void)snprintf(text, sizeof text, "subject.id == \"nobody-%zu\"", i);
        (void)lock(&h, text, PDP_EFFECT_DENY);
    }
    cr_expect_str_eq(ask(&h, NOW, "s", "GET", ""), "allow/policy");
    struct control spec = {.target = {.kind = CONTROL_WHERE, .value = STR("true")},
                           .effect = PDP_EFFECT_DENY,
                           .created_ms = NOW,
                           .expires_ms = NOW + HOUR,
                           .author = STR("a"),
                           .reason = STR("b")};
    cr_assert_eq(engine_control_make(h.engine, &spec, &control, &why), PDP_ERR_OK);
    cr_expect_eq(engine_controls_add(h.engine, &control, 1), PDP_ERR_LIMIT);
    control_drop(&control);
    cr_expect_str_eq(ask(&h, NOW, "s", "GET", ""), "allow/policy", "nothing has changed");
    harness_fini(&h);
}

// A login tells nothing of a resource: what is missing then is judged with the question.
Test(engine_where, events_are_refused_by_what_is_certain)
{
    static const char LOGIN[] =
        "{'request_id': 'e%d', 'event': {'type': 'login', 'subject': {'type': 'user', "
        "'id': 'alice'}, 'context': {'session': {'id': 's%d'}}, 'properties': "
        "{'amr': ['pwd']}}}";
    static const struct {
        const char *where, *recorded;
    } ROWS[] = {{"subject.id == \"alice\"", "false"},
                {"subject.id == \"bob\"", "true"},
                {"resource.path.startsWith(\"/pay\")", "true"},
                {"risk.score > 90.0", "true"}};
    struct harness h = begun(OPEN);
    for (size_t i = 0; i < COUNT_OF(ROWS); i++) {
        char text[512];
        uint64_t number = lock(&h, ROWS[i].where, PDP_EFFECT_DENY);
        (void)snprintf(text, sizeof text, LOGIN, (int)i, (int)i);
        harness_ask(&h, NOW, text);
        cr_expect_str_eq(harness_get(&h, "event.recorded"), ROWS[i].recorded, "%s", ROWS[i].where);
        take(&h, number);
    }
    harness_fini(&h);
}

Test(engine_where, one_that_ends_what_was_before_leaves_what_is_later)
{
    struct harness h = begun(OPEN);
    uint64_t number = put(&h, (struct control){.target = {.value = STR("subject.id == \"alice\"")},
                                               .effect = PDP_EFFECT_TERMINATE,
                                               .before_ms = NOW - HOUR});
    cr_expect_str_eq(ask(&h, NOW, "s", "GET", ""), "allow/policy");
    take(&h, number);
    (void)put(&h, (struct control){.target = {.value = STR("subject.id == \"alice\"")},
                                   .effect = PDP_EFFECT_TERMINATE,
                                   .before_ms = NOW - HOUR + 1});
    cr_expect_str_eq(ask(&h, NOW, "s", "GET", ""), "terminate/locked");
    cr_expect_str_eq(ask(&h, NOW, "never-seen", "GET", ""), "deny/locked");
    harness_fini(&h);
}

// ---- Never looser: every answer is as strict with locks as without -----------------------------------

static uint64_t state = 7;
static unsigned draw(unsigned most)
{
    state = state * UINT64_C(6364136223846793005) + 1442695040888963407;
    return (unsigned)(state >> 33) % most;
}

static void some_condition(unsigned depth, struct buf *out)
{
    static const char *const LEAVES[] = {
        "true",          "false",           "subject.id == \"alice\"", "geo.country == \"DE\"",
        "1 / 0 == 1",    "risk.hard < 1.0", "action.name == \"GET\"",  "\"hr\" in subject.roles",
        "session.known", "device.managed",  "subject.nobody == 3",     "has(subject.nobody)"};
    unsigned kind = depth == 0 ? 0 : draw(4);
    if (kind == 0) {
        buf_printf(out, "(%s)", LEAVES[draw(COUNT_OF(LEAVES))]);
    } else if (kind == 1) {
        buf_printf(out, "!");
        some_condition(depth - 1, out);
    } else {
        buf_printf(out, "(");
        some_condition(depth - 1, out);
        buf_printf(out, kind == 2 ? " && " : " || ");
        some_condition(depth - 1, out);
        buf_printf(out, ")");
    }
}

static int rank_of(const char *effect)
{
    static const char *const ORDER[] = {"allow", "step_up", "deny", "terminate"};
    for (size_t i = 0; i < COUNT_OF(ORDER); i++) {
        if (strncmp(effect, ORDER[i], strlen(ORDER[i])) == 0) {
            return (int)i;
        }
    }
    return -1;
}

Test(engine_where, locks_only_restrict_and_what_is_unsure_ends_nothing)
{
    static const char *const ACTIONS[] = {"GET", "DENY", "ASK", "END"};
    static const enum pdp_effect EFFECTS[] = {PDP_EFFECT_DENY, PDP_EFFECT_STEP_UP, PDP_EFFECT_TERMINATE};
    for (unsigned round = 0; round < 300; round++) {
        struct harness with = begun(OPEN), without = begun(OPEN);
        const char *action = ACTIONS[draw(COUNT_OF(ACTIONS))];
        bool ends = false;
        unsigned count = 1 + draw(3);
        (void)ask(&with, NOW, "s", "GET", "");
        (void)ask(&without, NOW, "s", "GET", "");
        for (unsigned i = 0; i < count; i++) {
            AUTO(buf_fini) struct buf text = {0};
            enum pdp_effect effect = EFFECTS[draw(COUNT_OF(EFFECTS))];
            ends = ends || effect == PDP_EFFECT_TERMINATE;
            some_condition(3, &text);
            buf_byte(&text, '\0');
            (void)lock(&with, (const char *)text.at, effect);
        }
        int least = rank_of(ask(&without, NOW + 1, "s", action, ""));
        const char *effect = ask(&with, NOW + 1, "s", action, "");
        cr_assert_geq(rank_of(effect), least, "round %u: %s", round, effect);
        cr_assert(rank_of(effect) < 3 || least == 3 || ends, "round %u: nothing says to end it", round);
        cr_assert(strcmp(effect, "terminate/unsure") != 0, "round %u", round);
        harness_fini(&with);
        harness_fini(&without);
    }
}

// ---- Records -----------------------------------------------------------------------------------------

Test(engine_where, a_record_tells_what_it_can_and_the_rest_is_unsure)
{
    static const struct {
        const char *where;
        enum truth truth;
    } ROWS[] = {
        {"subject.id == \"alice\" && tenant == \"acme\" && subject.type == \"user\"", TRUTH_YES},
        {"subject.id == \"bob\"", TRUTH_NO},
        {"gateway == \"test\"", TRUTH_YES},
        {"cidr(\"203.0.113.0/24\").containsIP(network.ip)", TRUTH_YES},
        {"network.private", TRUTH_NO},
        {"session.state == \"active\" && session.requests > 0 && !session.issued", TRUTH_YES},
        {"session.last_seen < now", TRUTH_YES},
        {"session.auth_time < now", TRUTH_UNSURE},
        {"geo.country == \"DE\"", TRUTH_UNSURE},
        {"geo.vpn", TRUTH_UNSURE},
        {"!geo.vpn", TRUTH_UNSURE},
        {"\"hr\" in subject.roles", TRUTH_UNSURE},
        {"has(subject.roles)", TRUTH_UNSURE}, // not absent: not told
        {"!has(subject.roles)", TRUTH_UNSURE},
        {"!has(context.nothing)", TRUTH_UNSURE},
        {"action.name == \"GET\"", TRUTH_UNSURE},
        {"risk.hard < 1.0", TRUTH_UNSURE},
        {"subject.id == \"bob\" && geo.country == \"DE\"", TRUTH_NO},
    };
    struct harness h = begun(OPEN);
    struct session_view view;
    (void)ask(&h, NOW, "s", "GET", ", 'network': {'ip': '203.0.113.7'}");
    cr_assert(session_look(engine_sessions(h.engine), STR("s"), &view));
    for (size_t i = 0; i < COUNT_OF(ROWS); i++) {
        struct condition_scan *scan = NULL;
        cr_assert_eq(condition_scan_begin(h.worker, str_of(ROWS[i].where), NOW + SECOND, &scan), PDP_ERR_OK);
        cr_expect_eq(condition_scan_ask(scan, &view), ROWS[i].truth, "%s: %d", ROWS[i].where,
                     condition_scan_ask(scan, &view));
        condition_scan_end(&scan);
        cr_expect_null(scan);
    }
    harness_fini(&h);
}
