// SPDX-License-Identifier: Apache-2.0
#include "wire/wire.h"

#include <criterion/criterion.h>

#define S(text)                \
    {                          \
        text, sizeof(text) - 1 \
    }

static const struct str RULES[] = {S("web/fresh-mfa"), S("web/other")};
static const struct str ACR[] = {S("aal2")};
static const struct str MISSING[] = {S("geo.country"), S("lists.leavers is stale")};
static const struct str EXCEPTIONS[] = {S("break-glass")};
static const struct verdict_signal SIGNALS[] = {
    {S("new-asn"), 1.90000001, S("AS3320, never seen for alice")},
    {S("rate"), -0.33333333333333331, {0}},
};
static const struct value_entry PROPERTY = {{.kind = VALUE_STRING, .n = 2, .as.text = "to"},
                                            {.kind = VALUE_STRING, .n = 3, .as.text = "soc"}};
static const struct value PROPERTIES = {.kind = VALUE_MAP, .n = 1, .as.map = &PROPERTY};
static const struct verdict_obligation OBLIGATIONS[] = {
    {S("web/fresh-mfa/0"), S("notify"), &PROPERTIES},
    {{0}, S("log"), NULL},
};

static const struct verdict FULL = {
    .effect = PDP_EFFECT_STEP_UP,
    .code = PDP_CODE_POLICY,
    .rule = S("web/fresh-mfa"),
    .rules = RULES,
    .rule_count = 2,
    .exceptions = EXCEPTIONS,
    .exception_count = 1,
    .message = S("please confirm"),
    .reason = S("payroll needs \"mfa\""),
    .has_risk = true,
    .score = 41.23456789,
    .level = RISK_MEDIUM,
    .signals = SIGNALS,
    .signal_count = 2,
    .missing = MISSING,
    .missing_count = 2,
    .has_require = true,
    .require_strength = S("mfa"),
    .require_max_age_s = 900,
    .require_acr = ACR,
    .require_acr_count = 1,
    .obligations = OBLIGATIONS,
    .obligation_count = 2,
    .has_session = true,
    .session_ref = "s_5f0c5f0c5f0c5f0c5f0c5f0c",
    .session_epoch = 3,
    .session_state = "challenged",
    .valid_until_ms = 1795370123999,
    .policy_epoch = 812,
    .decision_id = "d_1",
    .snapshot = S("sha256:00"),
    .request_id = S("r1"),
    .resource_path = S("/payroll/42"),
    .client_ip = S("203.0.113.7"),
    .client_ip_why = S("network.ip"),
    .repeated = true,
    .simulated = true,
};

#define BEFORE_RISK                                                                                        \
    "{\"decision\":false,\"context\":{\"effect\":\"step_up\",\"code\":\"policy\",\"decision_id\":\"d_1\"," \
    "\"rule\":\"web/fresh-mfa\",\"rules\":[\"web/fresh-mfa\",\"web/other\"],\"snapshot\":\"sha256:00\","   \
    "\"message\":\"please confirm\",\"reason\":\"payroll needs \\\"mfa\\\"\","
#define AFTER_RISK                                                                                       \
    "\"require\":{\"strength\":\"mfa\",\"max_age\":900,\"acr_values\":[\"aal2\"]},"                      \
    "\"session\":{\"ref\":\"s_5f0c5f0c5f0c5f0c5f0c5f0c\",\"epoch\":3,\"state\":\"challenged\"},"         \
    "\"valid\":{\"until\":1795370123,\"policy_epoch\":812,\"offline\":0},"                               \
    "\"obligations\":[{\"id\":\"web/fresh-mfa/0\",\"type\":\"notify\",\"properties\":{\"to\":\"soc\"}}," \
    "{\"type\":\"log\"}],\"missing\":[\"geo.country\",\"lists.leavers is stale\"],"                      \
    "\"exceptions\":[\"break-glass\"],\"resource\":{\"path\":\"/payroll/42\"},"                          \
    "\"client\":{\"ip\":\"203.0.113.7\",\"why\":\"network.ip\"},\"request_id\":\"r1\","                  \
    "\"repeated\":true,\"simulated\":true}}"

static const struct verdict ZERO;
static const struct verdict ALLOW = {.effect = PDP_EFFECT_ALLOW, .code = PDP_CODE_POLICY, .rule = S("a/b")};
static const struct verdict STRANGE = {.effect = (enum pdp_effect)77,
                                       .code = (enum pdp_code) - 1,
                                       .has_risk = true,
                                       .level = (enum risk_level)9};

static const struct {
    const struct verdict *verdict;
    bool full;
    const char *json;
} CASES[] = {
    {&FULL, false,
     BEFORE_RISK "\"risk\":{\"score\":41.2346,\"level\":\"medium\",\"signals\":[{\"id\":\"new-asn\","
                 "\"evidence\":1.9,\"because\":\"AS3320, never seen for alice\"},"
                 "{\"id\":\"rate\",\"evidence\":-0.3333}]}," AFTER_RISK},
    {&FULL, true,
     BEFORE_RISK "\"risk\":{\"score\":41.23456789,\"level\":\"medium\",\"signals\":[{\"id\":\"new-asn\","
                 "\"evidence\":1.90000001,\"because\":\"AS3320, never seen for alice\"},"
                 "{\"id\":\"rate\",\"evidence\":-0.3333333333333333}]}," AFTER_RISK},
    {&ZERO, false,
     "{\"decision\":false,\"context\":{\"effect\":\"deny\",\"code\":\"malformed\","
     "\"valid\":{\"policy_epoch\":0,\"offline\":0},\"obligations\":[]}}"},
    {&ALLOW, false,
     "{\"decision\":true,\"context\":{\"effect\":\"allow\",\"code\":\"policy\",\"rule\":\"a/b\","
     "\"valid\":{\"policy_epoch\":0,\"offline\":0},\"obligations\":[]}}"},
    {&STRANGE, false,
     "{\"decision\":false,\"context\":{\"effect\":\"deny\",\"code\":\"malformed\","
     "\"risk\":{\"score\":0.0,\"level\":\"critical\",\"signals\":[]},"
     "\"valid\":{\"policy_epoch\":0,\"offline\":0},\"obligations\":[]}}"},
};

static void expect_json(const struct buf *out, const char *want, size_t row)
{
    cr_expect(str_eq(buf_view(out), str_of(want)), "%zu:\n%.*s\nnot\n%s", row, STR_ARG(buf_view(out)), want);
}

Test(wire_verdict, the_answer_in_json)
{
    for (size_t i = 0; i < COUNT_OF(CASES); i++) {
        struct buf out = {0};
        struct emit emit;
        emit_init(&emit, WIRE_JSON, &out);
        wire_verdict(&emit, CASES[i].verdict, CASES[i].full);
        expect_json(&out, CASES[i].json, i);
        buf_fini(&out);
    }
}

// Written in CBOR, read back, written in JSON: the same as in JSON at once.
Test(wire_verdict, both_forms_say_the_same)
{
    for (size_t i = 0; i < COUNT_OF(CASES); i++) {
        struct buf cbor = {0}, json = {0}, direct = {0};
        struct emit emit;
        struct arena arena;
        struct value v;
        struct fault why = {0};
        arena_init(&arena, 0, 0);
        emit_init(&emit, WIRE_CBOR, &cbor);
        wire_verdict(&emit, CASES[i].verdict, true);
        cr_assert_eq(wire_decode(WIRE_CBOR, buf_view(&cbor), &arena, &v, &why), PDP_ERR_OK, "%zu: %s: %s", i,
                     why.field, why.what);
        emit_init(&emit, WIRE_JSON, &json);
        emit_value(&emit, &v);
        emit_init(&emit, WIRE_JSON, &direct);
        wire_verdict(&emit, CASES[i].verdict, true);
        cr_expect(str_eq(buf_view(&json), buf_view(&direct)), "%zu: %.*s", i, STR_ARG(buf_view(&json)));
        buf_fini(&cbor);
        buf_fini(&json);
        buf_fini(&direct);
        arena_fini(&arena);
    }
}

Test(wire_verdict, a_full_buffer_is_never_overrun)
{
    for (int form = WIRE_CBOR; form <= WIRE_JSON; form++) {
        for (size_t limit = 1; limit < 600; limit++) {
            struct buf out = {.limit = limit};
            struct emit emit;
            emit_init(&emit, (enum wire_form)form, &out);
            wire_verdict(&emit, &FULL, true);
            cr_expect(out.failed && out.len <= limit, "%zu", limit);
            buf_fini(&out);
        }
    }
}

static const struct {
    enum pdp_code code;
    struct str id;
    struct fault why;
    const char *json;
} FAULTS[] = {
    {PDP_CODE_MALFORMED,
     S("r1"),
     {"subject.id", "is missing"},
     "{\"decision\":false,\"context\":{\"effect\":\"deny\",\"code\":\"malformed\",\"request_id\":\"r1\","
     "\"error\":{\"status\":400,\"field\":\"subject.id\",\"message\":\"is missing\"}}}"},
    {PDP_CODE_OVERLOADED,
     {0},
     {"", "too many questions"},
     "{\"decision\":false,\"context\":{\"effect\":\"deny\",\"code\":\"overloaded\","
     "\"error\":{\"status\":503,\"message\":\"too many questions\"}}}"},
    {PDP_CODE_NO_ANSWER,
     {0},
     {"", ""},
     "{\"decision\":false,\"context\":{\"effect\":\"deny\",\"code\":\"no-answer\",\"error\":{\"status\":504}}"
     "}"},
    {PDP_CODE_POLICY,
     {0},
     {"", ""},
     "{\"decision\":false,\"context\":{\"effect\":\"deny\",\"code\":\"policy\",\"error\":{\"status\":403}}}"},
};

Test(wire_verdict, faults)
{
    for (size_t i = 0; i < COUNT_OF(FAULTS); i++) {
        struct buf out = {0};
        struct emit emit;
        emit_init(&emit, WIRE_JSON, &out);
        wire_fault(&emit, FAULTS[i].code, FAULTS[i].id, &FAULTS[i].why);
        expect_json(&out, FAULTS[i].json, i);
        buf_fini(&out);
        emit_init(&emit, WIRE_CBOR, &out);
        wire_fault(&emit, FAULTS[i].code, FAULTS[i].id, NULL);
        cr_expect_not(out.failed);
        buf_fini(&out);
    }
}
