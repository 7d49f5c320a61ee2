// SPDX-License-Identifier: Apache-2.0
#include "model/request.h"

#include <criterion/criterion.h>
#include <math.h>
#include <stdio.h>

// Trees as constants: M(E("key", T("text")), …), L(I(1), …).
#define ENTRIES(...) ((const struct value_entry[]){__VA_ARGS__})
#define VALUES(...) ((const struct value[]){__VA_ARGS__})
#define M(...)                                                                                 \
    {                                                                                          \
        .kind = VALUE_MAP, .n = COUNT_OF(ENTRIES(__VA_ARGS__)), .as.map = ENTRIES(__VA_ARGS__) \
    }
#define L(...)                                                                                 \
    {                                                                                          \
        .kind = VALUE_LIST, .n = COUNT_OF(VALUES(__VA_ARGS__)), .as.list = VALUES(__VA_ARGS__) \
    }
#define T(s)                                                     \
    {                                                            \
        .kind = VALUE_STRING, .n = sizeof(s) - 1, .as.text = (s) \
    }
#define I(x)                           \
    {                                  \
        .kind = VALUE_INT, .as.i = (x) \
    }
#define D(x)                              \
    {                                     \
        .kind = VALUE_DOUBLE, .as.d = (x) \
    }
#define B(x)                            \
    {                                   \
        .kind = VALUE_BOOL, .as.b = (x) \
    }
#define E(key, ...)         \
    {                       \
        T(key), __VA_ARGS__ \
    }
#define NOTHING            \
    {                      \
        .kind = VALUE_NULL \
    }
#define EMPTY_MAP         \
    {                     \
        .kind = VALUE_MAP \
    }
#define EMPTY_LIST         \
    {                      \
        .kind = VALUE_LIST \
    }

#define SUBJECT E("subject", M(E("type", T("user")), E("id", T("alice")), E("properties", M(E("x", I(1))))))
#define ACTION E("action", M(E("name", T("GET"))))
#define RESOURCE E("resource", M(E("type", T("route")), E("id", T("/payroll/42"))))
#define SESSION                                                                              \
    E("session", M(E("id", T("opaque")), E("auth_time", I(1795370000)), E("acr", T("aal1")), \
                   E("amr", L(T("pwd"), T("otp")))))
#define DEVICE                                                                                    \
    E("device", M(E("fingerprint", T("f1")), E("user_agent", T("curl/8")), E("managed", B(true)), \
                  E("components", M(E("os", T("Linux")), E("ja4", T("t13d"))))))
#define NETWORK E("network", M(E("ip", T("203.0.113.7")), E("forwarded_for", L(T("203.0.113.7")))))
#define CONTEXT E("context", M(SESSION, DEVICE, NETWORK, E("activity", M(E("n", I(12))))))

static const struct value QUESTION = M(E("tenant", T("acme")), E("request_id", T("r1")), SUBJECT, ACTION,
                                       RESOURCE, CONTEXT, E("strange", L(I(1))));
static const struct value LEAST = M(RESOURCE, ACTION, SUBJECT);
static const struct value LOGIN =
    M(E("request_id", T("r2")),
      E("event", M(E("type", T("login")), SUBJECT, CONTEXT, E("properties", M(E("acr", T("aal2")))))));

static enum pdp_err read_it(const struct value *root, struct request *out, struct fault *why)
{
    memset(out, 0xff, sizeof *out);
    *why = (struct fault){0};
    return request_read(root, out, why);
}

static void expect_text(struct str s, const char *want)
{
    cr_expect(str_eq(s, str_of(want)), "%.*s, not %s", STR_ARG(s), want);
}

Test(model_request, reads_every_field_of_a_question)
{
    struct request r;
    struct fault why;
    cr_assert_eq(read_it(&QUESTION, &r, &why), PDP_ERR_OK, "%s: %s", why.field, why.what);
    cr_expect_eq(r.event, EVENT_NONE);
    expect_text(r.tenant, "acme");
    expect_text(r.request_id, "r1");
    expect_text(r.subject_type, "user");
    expect_text(r.subject_id, "alice");
    expect_text(r.action_name, "GET");
    expect_text(r.resource_type, "route");
    expect_text(r.resource_id, "/payroll/42");
    cr_expect_not_null(r.subject_properties);
    cr_expect_null(r.action_properties);
    cr_expect_null(r.resource_properties);
    cr_expect_not_null(r.context);
    cr_expect(r.has_session);
    expect_text(r.session_id, "opaque");
    expect_text(r.acr, "aal1");
    cr_expect_eq(r.amr->n, 2);
    cr_expect(r.has_auth_time);
    cr_expect_eq(r.auth_time_ms, INT64_C(1795370000000));
    expect_text(r.fingerprint, "f1");
    expect_text(r.user_agent, "curl/8");
    expect_text(r.ja4, "t13d");
    cr_expect(r.has_managed && r.managed);
    cr_expect_eq(r.components->n, 2);
    expect_text(r.ip, "203.0.113.7");
    cr_expect_eq(r.forwarded_for->n, 1);
    cr_expect_not(r.probe || r.explain_full);
    cr_expect_not_null(value_get(&r.root, STR("strange")));
}

Test(model_request, what_is_absent_is_missing)
{
    struct request r;
    struct fault why;
    cr_assert_eq(read_it(&LEAST, &r, &why), PDP_ERR_OK);
    cr_expect_null(r.tenant.at);
    cr_expect_null(r.request_id.at);
    cr_expect_null(r.context);
    cr_expect_not(r.has_session || r.has_auth_time || r.has_managed || r.managed || r.probe);
    cr_expect_null(r.session_id.at);
    cr_expect_null(r.ip.at);
    cr_expect_null(r.amr);
}

Test(model_request, reads_an_event)
{
    struct request r;
    struct fault why;
    cr_assert_eq(read_it(&LOGIN, &r, &why), PDP_ERR_OK, "%s: %s", why.field, why.what);
    cr_expect_eq(r.event, EVENT_LOGIN);
    expect_text(r.request_id, "r2");
    expect_text(r.subject_id, "alice");
    expect_text(r.session_id, "opaque");
    cr_expect(r.has_session);
    cr_expect_eq(r.event_properties->n, 1);
    cr_expect_not_null(r.context);
}

// ---- One change to a good question -------------------------------------------------------------

// A copy of `map` in which what `path` names is `v`, added where it was not there.
static struct value with(const struct value *map, struct str path, struct value v, struct arena *arena)
{
    size_t dot = str_find_byte(path, '.', 0);
    struct str key = str_sub(path, 0, dot);
    uint32_t n = map->kind == VALUE_MAP ? map->n : 0;
    struct value_entry *entries = ARENA_ARRAY(arena, struct value_entry, n + 1);
    cr_assert_not_null(entries);
    uint32_t at = n;
    for (uint32_t i = 0; i < n; i++) {
        entries[i] = map->as.map[i];
        at = str_eq(value_text(&entries[i].key), key) ? i : at;
    }
    entries[at].key = value_str(key);
    entries[at].value =
        dot == path.len ? v : with(&entries[at].value, str_sub(path, dot + 1, path.len), v, arena);
    return (struct value){.kind = VALUE_MAP, .n = at == n ? n + 1 : n, .as.map = entries};
}

static char long_id[REQUEST_RESOURCE_MAX + 1];
#define LONG_ID(len)                                         \
    {                                                        \
        .kind = VALUE_STRING, .n = (len), .as.text = long_id \
    }

static const struct {
    const char *path;
    struct value v;
    const char *field, *what; // NULL: it is read
} CHANGES[] = {
    {"subject", NOTHING, "subject", "is missing"},
    {"subject", T("alice"), "subject", "expected a map, found string"},
    {"subject", EMPTY_MAP, "subject.type", "is missing"},
    {"subject.type", NOTHING, "subject.type", "is missing"},
    {"subject.id", NOTHING, "subject.id", "is missing"},
    {"subject.id", T(""), "subject.id", "is empty"},
    {"subject.id", I(7), "subject.id", "expected text, found int"},
    {"subject.id", LONG_ID(255), NULL, NULL},
    {"subject.id", LONG_ID(256), "subject.id", "has 256 bytes, at most 255 are allowed"},
    {"subject.properties", L(I(1)), "subject.properties", "expected a map, found list"},
    {"subject.properties", NOTHING, NULL, NULL},
    {"action", NOTHING, "action", "is missing"},
    {"action.name", NOTHING, "action.name", "is missing"},
    {"action.name", L(T("GET")), "action.name", "expected text, found list"},
    {"action.properties", I(1), "action.properties", "expected a map, found int"},
    {"resource", EMPTY_LIST, "resource", "expected a map, found list"},
    {"resource.type", NOTHING, "resource.type", "is missing"},
    {"resource.id", B(true), "resource.id", "expected text, found bool"},
    {"resource.type", LONG_ID(256), "resource.type", "has 256 bytes, at most 255 are allowed"},
    {"resource.id", LONG_ID(16384), NULL, NULL},
    {"resource.id", LONG_ID(16385), "resource.id", "has 16385 bytes, at most 16384 are allowed"},
    {"resource.properties", T("x"), "resource.properties", "expected a map, found string"},
    {"tenant", I(1), "tenant", "expected text, found int"},
    {"tenant", T(""), "tenant", "is empty"},
    {"tenant", NOTHING, NULL, NULL},
    {"request_id", T(""), "request_id", "is empty"},
    {"request_id", LONG_ID(256), "request_id", "has 256 bytes, at most 255 are allowed"},
    {"context", L(I(1)), "context", "expected a map, found list"},
    {"context", NOTHING, NULL, NULL},
    {"context.session", T("s"), "context.session", "expected a map, found string"},
    {"context.session.id", T(""), "context.session.id", "is empty"},
    {"context.session.id", I(1), "context.session.id", "expected text, found int"},
    {"context.session.auth_time", B(true), "context.session.auth_time",
     "expected seconds since 1970 or RFC 3339 text, found bool"},
    {"context.session.auth_time", T("yesterday\n"), "context.session.auth_time",
     "expected seconds since 1970 or RFC 3339 text, found `yesterday\\x0a`"},
    {"context.session.auth_time", T("1795370000"), "context.session.auth_time",
     "expected seconds since 1970 or RFC 3339 text, found `1795370000`"},
    {"context.session.auth_time", I(INT64_MAX), "context.session.auth_time",
     "lies outside the years 1 to 9999"},
    {"context.session.auth_time", I(INT64_MIN), "context.session.auth_time",
     "lies outside the years 1 to 9999"},
    {"context.session.auth_time", I(1795370000000), "context.session.auth_time",
     "lies outside the years 1 to 9999"},
    {"context.session.auth_time", D(1e300), "context.session.auth_time", "lies outside the years 1 to 9999"},
    {"context.session.auth_time", D(NAN), "context.session.auth_time", "lies outside the years 1 to 9999"},
    {"context.session.auth_time", T("0000-01-01T00:00:00Z"), "context.session.auth_time",
     "expected seconds since 1970 or RFC 3339 text, found `0000-01-01T00:00:00Z`"},
    {"context.session.acr", L(T("aal1")), "context.session.acr", "expected text, found list"},
    {"context.session.acr", T(""), NULL, NULL},
    {"context.session.amr", T("pwd"), "context.session.amr", "expected a list of text, found string"},
    {"context.session.amr", L(T("pwd"), I(1)), "context.session.amr",
     "expected a list of text, found int in it"},
    {"context.session.amr", L(NOTHING), "context.session.amr", "expected a list of text, found null in it"},
    {"context.session.amr", EMPTY_LIST, NULL, NULL},
    {"context.device", I(1), "context.device", "expected a map, found int"},
    {"context.device.managed", T("true"), "context.device.managed", "expected true or false, found string"},
    {"context.device.managed", I(1), "context.device.managed", "expected true or false, found int"},
    {"context.device.fingerprint", I(1), "context.device.fingerprint", "expected text, found int"},
    {"context.device.user_agent", L(T("a"), T("b")), "context.device.user_agent",
     "expected text, found list"},
    {"context.device.components", T("x"), "context.device.components", "expected a map, found string"},
    {"context.device.components.ja4", I(1), "context.device.components.ja4", "expected text, found int"},
    {"context.device.components.os", I(1), NULL, NULL},
    {"context.network", NOTHING, NULL, NULL},
    {"context.network", T("203.0.113.7"), "context.network", "expected a map, found string"},
    {"context.network.ip", L(T("1.2.3.4")), "context.network.ip", "expected text, found list"},
    {"context.network.ip", T("no address"), NULL, NULL}, // unsure, not malformed: see model/hop.h
    {"context.network.forwarded_for", T("1.2.3.4, 5.6.7.8"), "context.network.forwarded_for",
     "expected a list of text, found string"},
    {"context.activity", I(1), "context.activity", "expected a map, found int"},
    {"context.purpose", I(1), "context.purpose", "expected text, found int"},
    {"explain", T("full"), NULL, NULL},
    {"explain", T("brief"), NULL, NULL},
    {"explain", T("Full"), "explain", "expected `brief` or `full`"},
    {"explain", B(true), "explain", "expected `brief` or `full`"},
    {"anything", EMPTY_MAP, NULL, NULL},
    {"event", NOTHING, NULL, NULL},
    {"event", T("login"), "event", "expected a map, found string"},
    {"event", M(E("type", T("login"))), "subject", "stands beside `event`: put it inside"},
};

Test(model_request, names_the_field_that_is_wrong)
{
    memset(long_id, 'x', sizeof long_id);
    for (size_t i = 0; i < COUNT_OF(CHANGES); i++) {
        struct arena arena;
        struct request r;
        struct fault why;
        arena_init(&arena, 0, 0);
        struct value root = with(&QUESTION, str_of(CHANGES[i].path), CHANGES[i].v, &arena);
        enum pdp_err err = read_it(&root, &r, &why);
        cr_expect_eq(err, CHANGES[i].field != NULL ? PDP_ERR_MALFORMED : PDP_ERR_OK, "%zu %s: %s: %s", i,
                     CHANGES[i].path, why.field, why.what);
        cr_expect_str_eq(why.field, CHANGES[i].field != NULL ? CHANGES[i].field : "", "%zu %s", i, why.field);
        cr_expect_str_eq(why.what, CHANGES[i].what != NULL ? CHANGES[i].what : "", "%zu %s", i, why.what);
        if (strcmp(CHANGES[i].path, "request_id") != 0) {
            cr_expect(str_eq(r.request_id, STR("r1")), "%zu %s: request_id is lost", i, CHANGES[i].path);
        }
        cr_expect_eq(request_read(&root, &r, NULL), err);
        arena_fini(&arena);
    }
}

static const struct {
    const char *path;
    struct value v;
    const char *field, *what;
} EVENT_CHANGES[] = {
    {"event.type", NOTHING, "event.type", "is missing"},
    {"event.type", I(1), "event.type", "expected text, found int"},
    {"event.type", T("none"), "event.type", "no event is named `none`"},
    {"event.type", T("Login"), "event.type", "no event is named `Login`"},
    {"event.type", T("step_up_passed"), NULL, NULL},
    {"event.type", T("signal"), NULL, NULL},
    {"event.subject", NOTHING, "subject", "is missing"},
    {"event.subject.id", NOTHING, "subject.id", "is missing"},
    {"event.context", I(1), "context", "expected a map, found int"},
    {"event.context.session.id", I(1), "context.session.id", "expected text, found int"},
    {"event.properties", I(1), "event.properties", "expected a map, found int"},
    {"event.properties", NOTHING, NULL, NULL},
    {"subject", EMPTY_MAP, "subject", "stands beside `event`: put it inside"},
    {"evaluations", EMPTY_LIST, "evaluations", "stands beside `event`: put it inside"},
    {"tenant", T("acme"), NULL, NULL},
    {"tenant", I(1), "tenant", "expected text, found int"},
};

Test(model_request, names_what_is_wrong_with_an_event)
{
    for (size_t i = 0; i < COUNT_OF(EVENT_CHANGES); i++) {
        struct arena arena;
        struct request r;
        struct fault why;
        arena_init(&arena, 0, 0);
        struct value root = with(&LOGIN, str_of(EVENT_CHANGES[i].path), EVENT_CHANGES[i].v, &arena);
        enum pdp_err err = read_it(&root, &r, &why);
        cr_expect_eq(err, EVENT_CHANGES[i].field != NULL ? PDP_ERR_MALFORMED : PDP_ERR_OK, "%zu: %s: %s", i,
                     why.field, why.what);
        cr_expect_str_eq(why.field, EVENT_CHANGES[i].field != NULL ? EVENT_CHANGES[i].field : "", "%zu %s", i,
                         why.field);
        cr_expect_str_eq(why.what, EVENT_CHANGES[i].what != NULL ? EVENT_CHANGES[i].what : "", "%zu %s", i,
                         why.what);
        expect_text(r.request_id, "r2");
        arena_fini(&arena);
    }
}

static const struct {
    struct value v;
    int64_t ms;
} TIMES[] = {
    {I(0), 0},
    {I(-1), -1000},
    {D(1.5), 1500},
    {D(-0.5), -500},
    {D(-0.0005), -1},
    {D(1795370000.25), INT64_C(1795370000250)},
    {T("2026-11-22T20:33:20Z"), INT64_C(1795379600000)},
    {T("2026-11-22T20:33:20.1239+01:00"), INT64_C(1795376000123)},
    {{.kind = VALUE_TIMESTAMP, .n = 999999999, .as.i = -1}, -1},
    {I(253402300799), INT64_C(253402300799000)},
    {I(-62135596800), INT64_C(-62135596800000)},
};

Test(model_request, every_form_of_auth_time)
{
    for (size_t i = 0; i < COUNT_OF(TIMES); i++) {
        struct arena arena;
        struct request r;
        struct fault why;
        arena_init(&arena, 0, 0);
        struct value root = with(&QUESTION, STR("context.session.auth_time"), TIMES[i].v, &arena);
        cr_expect_eq(read_it(&root, &r, &why), PDP_ERR_OK, "%zu: %s", i, why.what);
        cr_expect(r.has_auth_time);
        cr_expect_eq(r.auth_time_ms, TIMES[i].ms, "%zu: %lld", i, (long long)r.auth_time_ms);
        arena_fini(&arena);
    }
}

Test(model_request, a_session_without_id_is_none)
{
    struct arena arena;
    struct request r;
    struct fault why;
    arena_init(&arena, 0, 0);
    struct value root = with(&QUESTION, STR("context.session.id"), value_null(), &arena);
    cr_expect_eq(read_it(&root, &r, &why), PDP_ERR_OK);
    cr_expect_not(r.has_session);
    cr_expect(r.has_auth_time);
    root = with(&QUESTION, STR("context.purpose"), value_str(STR("probe")), &arena);
    cr_expect_eq(read_it(&root, &r, &why), PDP_ERR_OK);
    cr_expect(r.probe);
    root = with(&QUESTION, STR("explain"), value_str(STR("full")), &arena);
    cr_expect_eq(read_it(&root, &r, &why), PDP_ERR_OK);
    cr_expect(r.explain_full);
    arena_fini(&arena);
}

static const struct value OTHERS[] = {NOTHING, B(true), I(1), D(1), T("x"), L(I(1)), {0}};

Test(model_request, only_a_map_is_a_question)
{
    for (size_t i = 0; i < COUNT_OF(OTHERS); i++) {
        struct request r;
        struct fault why;
        cr_expect_eq(read_it(&OTHERS[i], &r, &why), PDP_ERR_MALFORMED);
        cr_expect_str_eq(why.field, "question");
        cr_expect_not(r.has_session);
        cr_expect_null(r.request_id.at);
    }
}

Test(model_request, events_have_names)
{
    cr_expect_str_eq(event_name(EVENT_NONE), "none");
    cr_expect_str_eq(event_name(EVENT_LOGIN_FAILED), "login_failed");
    cr_expect_str_eq(event_name(EVENT_COUNT), "none");
    cr_expect_str_eq(event_name((enum event_type) - 1), "none");
}
