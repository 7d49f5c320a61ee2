// SPDX-License-Identifier: Apache-2.0
#include "wire/question.h"

#include <criterion/criterion.h>
#include <math.h>

static struct pdp_question *fresh(void)
{
    struct pdp_question *question = NULL;
    cr_assert_eq(pdp_question_new(&question), PDP_ERR_OK);
    return question;
}

// The JSON of a question; the caller frees.
static struct buf json_of(const struct pdp_question *question, bool event, const char *id)
{
    struct buf out = {0};
    struct question_bytes how = {.form = WIRE_JSON, .event = event, .request_id = str_of(id)};
    enum pdp_err err = question_encode(question, &how, &out);
    cr_assert_eq(err, PDP_ERR_OK, "encode: %s", pdp_err_name(err));
    return out;
}

static void expect_json(const struct pdp_question *question, bool event, const char *id, const char *want)
{
    struct buf out = json_of(question, event, id);
    cr_expect(str_eq(buf_view(&out), str_of(want)), "got  " STR_FMT "\nwant %s", STR_ARG(buf_view(&out)),
              want);
    buf_fini(&out);
}

Test(wire_question, says_how_long_an_answer_is_waited_for)
{
    static const struct {
        int64_t deadline_ms;
        bool own;
        const char *want;
    } CASES[] = {
        {250, false, "{\"request_id\":\"r\",\"deadline_ms\":250,\"a\":1}"},
        {0, false, "{\"request_id\":\"r\",\"a\":1}"},
        {250, true, "{\"request_id\":\"r\",\"a\":1,\"deadline_ms\":7}"},
    };
    for (size_t i = 0; i < COUNT_OF(CASES); i++) {
        struct pdp_question *question = fresh();
        struct buf out = {0};
        pdp_question_set_int(question, "a", 1);
        if (CASES[i].own) {
            pdp_question_set_int(question, "deadline_ms", 7);
        }
        struct question_bytes how = {
            .form = WIRE_JSON, .request_id = STR("r"), .deadline_ms = CASES[i].deadline_ms};
        cr_assert_eq(question_encode(question, &how, &out), PDP_ERR_OK);
        cr_expect(str_eq(buf_view(&out), str_of(CASES[i].want)), STR_FMT, STR_ARG(buf_view(&out)));
        buf_fini(&out);
        pdp_question_free(&question);
    }
}

Test(wire_question, builds_a_tree_by_paths)
{
    struct pdp_question *question = fresh();
    const char *roles[] = {"hr", "it"};
    pdp_question_set_text(question, "subject.type", "user");
    pdp_question_set_text(question, "subject.id", "alice");
    pdp_question_set_texts(question, "subject.properties.roles", roles, 2);
    pdp_question_set_int(question, "context.activity.requests_1m", 12);
    pdp_question_set_bool(question, "context.device.managed", true);
    pdp_question_set_double(question, "context.activity.load", 0.5);
    pdp_question_set_text(question, "resource.properties.a\\.b\\\\c", "x");
    pdp_question_set_text(question, "subject.id", "bob");
    pdp_question_set_json(question, "resource.properties.shape", "{\"sides\": [3, 4.0, null]}");
    cr_expect_eq(pdp_question_error(question), PDP_ERR_OK);
    expect_json(question, false, "r1",
                "{\"request_id\":\"r1\",\"subject\":{\"type\":\"user\",\"id\":\"bob\",\"properties\":{"
                "\"roles\":[\"hr\","
                "\"it\"]}},\"context\":{\"activity\":{\"requests_1m\":12,\"load\":0.5},\"device\":{"
                "\"managed\":true}},"
                "\"resource\":{\"properties\":{\"a.b\\\\c\":\"x\",\"shape\":{\"sides\":[3,4.0,null]}}}}");
    pdp_question_reset(question);
    pdp_question_set_text(question, "request_id", "mine");
    expect_json(question, false, "r1", "{\"request_id\":\"mine\"}");
    pdp_question_free(&question);
    cr_expect_null(question);
}

Test(wire_question, wraps_events_once)
{
    struct pdp_question *question = fresh();
    pdp_question_set_text(question, "type", "login");
    pdp_question_set_text(question, "tenant", "acme");
    pdp_question_set_text(question, "subject.id", "alice");
    expect_json(question, true, "e1",
                "{\"request_id\":\"e1\",\"tenant\":\"acme\",\"event\":{\"type\":\"login\",\"subject\":{"
                "\"id\":\"alice\"}}}");
    pdp_question_free(&question);

    const char *whole = "{\"event\": {\"type\": \"logout\"}, \"request_id\": null}";
    cr_assert_eq(pdp_question_from_bytes(whole, strlen(whole), &question, NULL, 0), PDP_ERR_OK);
    expect_json(question, true, "e2", "{\"request_id\":\"e2\",\"event\":{\"type\":\"logout\"}}");
    pdp_question_free(&question);
}

Test(wire_question, refuses_what_cannot_be_asked)
{
    static const struct {
        const char *path, *text;
        enum pdp_err err;
    } CASES[] = {
        {"", "x", PDP_ERR_SYNTAX},
        {".", "x", PDP_ERR_SYNTAX},
        {"a.", "x", PDP_ERR_SYNTAX},
        {"a..b", "x", PDP_ERR_SYNTAX},
        {"a\\", "x", PDP_ERR_SYNTAX},
        {"a", "\xff", PDP_ERR_UTF8},
        {"\xc0\x80", "x", PDP_ERR_UTF8},
        {"taken.below", "x", PDP_ERR_TYPE},
        {"a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a", "x", PDP_ERR_DEPTH},
    };
    for (size_t i = 0; i < COUNT_OF(CASES); i++) {
        struct pdp_question *question = fresh();
        cr_expect_eq(pdp_question_set_text(question, "taken", "by text"), PDP_ERR_OK);
        enum pdp_err err = pdp_question_set_text(question, CASES[i].path, CASES[i].text);
        cr_expect_eq(err, CASES[i].err, "`%s`: %s", CASES[i].path, pdp_err_name(err));
        cr_expect_eq(pdp_question_set_int(question, "fine", 1), CASES[i].err, "the error sticks");
        struct buf out = {0};
        struct question_bytes how = {.form = WIRE_CBOR};
        cr_expect_eq(question_encode(question, &how, &out), CASES[i].err);
        cr_expect_eq(out.len, 0);
        buf_fini(&out);
        pdp_question_reset(question);
        cr_expect_eq(pdp_question_set_int(question, "fine", 1), PDP_ERR_OK);
        pdp_question_free(&question);
    }
}

Test(wire_question, refuses_bad_values)
{
    struct pdp_question *question = fresh();
    cr_expect_eq(pdp_question_set_double(question, "a", NAN), PDP_ERR_RANGE);
    pdp_question_reset(question);
    cr_expect_eq(pdp_question_set_double(question, "a", INFINITY), PDP_ERR_RANGE);
    pdp_question_reset(question);
    cr_expect_eq(pdp_question_set_json(question, "a", "{\"x\": 1, \"x\": 2}"), PDP_ERR_MALFORMED);
    pdp_question_reset(question);
    cr_expect_eq(pdp_question_set_json(question, "a", "[1"), PDP_ERR_MALFORMED);
    pdp_question_reset(question);
    cr_expect_eq(pdp_question_set_json(question, "a.b.c.d.e.f.g.h", "[[[[[[[[[[1]]]]]]]]]]"), PDP_ERR_DEPTH);
    pdp_question_free(&question);
    cr_expect_eq(pdp_question_set_int(NULL, "a", 1), PDP_ERR_MISSING);
    cr_expect_eq(pdp_question_error(NULL), PDP_ERR_MISSING);
}

Test(wire_question, bounds_what_it_holds)
{
    struct pdp_question *question = fresh();
    static char large[50000];
    memset(large, 'x', sizeof large - 1);
    pdp_question_set_text(question, "a", large);
    pdp_question_set_text(question, "b", large);
    cr_expect_eq(pdp_question_error(question), PDP_ERR_OK);
    struct buf out = {0};
    struct question_bytes how = {.form = WIRE_CBOR};
    cr_expect_eq(question_encode(question, &how, &out), PDP_ERR_LIMIT, "64 KiB on the wire");
    buf_fini(&out);
    for (int i = 0; i < 40; i++) {
        (void)pdp_question_set_text(question, "a", large);
    }
    cr_expect_eq(pdp_question_error(question), PDP_ERR_LIMIT, "1 MiB in memory");
    pdp_question_free(&question);
}

Test(wire_question, reads_whole_messages)
{
    static const struct {
        const char *bytes;
        size_t len;
        enum pdp_err err;
    } CASES[] = {
        {"{\"a\":1}", 7, PDP_ERR_OK},         {"\xa1\x61\x61\x01", 4, PDP_ERR_OK},
        {"[1]", 3, PDP_ERR_MALFORMED},        {"", 0, PDP_ERR_MALFORMED},
        {"{", 1, PDP_ERR_MALFORMED},          {"\x01", 1, PDP_ERR_MALFORMED},
        {"{\"a\":1}x", 8, PDP_ERR_MALFORMED},
    };
    for (size_t i = 0; i < COUNT_OF(CASES); i++) {
        struct pdp_question *question = NULL;
        char why[200] = "";
        enum pdp_err err = pdp_question_from_bytes(CASES[i].bytes, CASES[i].len, &question, why, sizeof why);
        cr_expect_eq(err, CASES[i].err, "%zu: %s", i, pdp_err_name(err));
        cr_expect_eq(question != NULL, err == PDP_ERR_OK);
        cr_expect_eq(why[0] != '\0', err != PDP_ERR_OK, "%zu says why", i);
        pdp_question_free(&question);
    }
}

Test(wire_question, cbor_and_json_mean_the_same)
{
    struct pdp_question *question = fresh();
    pdp_question_set_text(question, "subject.id", "ålice");
    pdp_question_set_int(question, "n", INT64_MIN);
    pdp_question_set_double(question, "d", 1.0);
    struct buf cbor = {0};
    struct question_bytes how = {.form = WIRE_CBOR, .request_id = STR("r")};
    cr_assert_eq(question_encode(question, &how, &cbor), PDP_ERR_OK);
    struct pdp_question *back = NULL;
    cr_assert_eq(pdp_question_from_bytes(cbor.at, cbor.len, &back, NULL, 0), PDP_ERR_OK);
    expect_json(back, false, "other",
                "{\"request_id\":\"r\",\"subject\":{\"id\":\"ålice\"},\"n\":-9223372036854775808,\"d\":1.0}");
    buf_fini(&cbor);
    pdp_question_free(&back);
    pdp_question_free(&question);
}

Test(wire_question, nobody_speaks_for_another_by_what_they_send)
{
    struct pdp_question *question = NULL;
    char why[200];
    const char *text = "{\"gateway\":\"edge-9\",\"subject\":{\"type\":\"user\",\"id\":\"a\"}}";
    cr_assert_eq(pdp_question_from_bytes(text, strlen(text), &question, why, sizeof why), PDP_ERR_OK);
    AUTO(buf_fini) struct buf out = {0};
    struct question_bytes how = {.form = WIRE_JSON};
    cr_assert_eq(question_encode(question, &how, &out), PDP_ERR_OK);
    cr_expect(str_eq(buf_view(&out), STR("{\"subject\":{\"type\":\"user\",\"id\":\"a\"}}")), STR_FMT,
              STR_ARG(buf_view(&out)));
    buf_clear(&out);
    how.gateway = STR("edge-1");
    cr_assert_eq(question_encode(question, &how, &out), PDP_ERR_OK);
    cr_expect(
        str_eq(buf_view(&out), STR("{\"gateway\":\"edge-1\",\"subject\":{\"type\":\"user\",\"id\":\"a\"}}")),
        STR_FMT, STR_ARG(buf_view(&out)));
    pdp_question_free(&question);
}

// Where the last path led is remembered: what hung there may be gone meanwhile.
Test(wire_question, finds_its_place_again)
{
    struct pdp_question *question = fresh();
    pdp_question_set_int(question, "a.b.c", 1);
    pdp_question_set_int(question, "a.b.d", 2);
    pdp_question_set_json(question, "a", "{\"z\": 3}");
    pdp_question_set_int(question, "a.b.e", 4);
    expect_json(question, false, "", "{\"a\":{\"z\":3,\"b\":{\"e\":4}}}");
    pdp_question_set_texts(question, "a.b", (const char *const[]){"x"}, 1);
    pdp_question_set_int(question, "a.y", 5);
    expect_json(question, false, "", "{\"a\":{\"z\":3,\"b\":[\"x\"],\"y\":5}}");
    cr_expect_eq(pdp_question_set_int(question, "a.b.c", 6), PDP_ERR_TYPE);
    pdp_question_reset(question);
    pdp_question_set_int(question, "a.b", 1);
    pdp_question_set_text(question, "a", "scalar");
    cr_expect_eq(pdp_question_set_int(question, "a.c", 2), PDP_ERR_TYPE);
    pdp_question_reset(question);
    pdp_question_set_int(question, "a.b", 1);
    expect_json(question, false, "", "{\"a\":{\"b\":1}}");
    pdp_question_set_int(question, "x\\.y.z", 2);
    pdp_question_set_int(question, "x\\.y.w", 3);
    pdp_question_set_int(question, "x.y.w", 4);
    cr_expect_eq(pdp_question_set_int(question, "x.y.", 5), PDP_ERR_SYNTAX);
    pdp_question_free(&question);
    question = fresh();
    pdp_question_set_int(question, "x\\.y.z", 2);
    pdp_question_set_int(question, "x\\.y.w", 3);
    pdp_question_set_int(question, "x.y.w", 4);
    pdp_question_set_int(question, "x.yy", 5);
    expect_json(question, false, "", "{\"x.y\":{\"z\":2,\"w\":3},\"x\":{\"y\":{\"w\":4},\"yy\":5}}");
    pdp_question_free(&question);
}
