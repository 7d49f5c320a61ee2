// SPDX-License-Identifier: Apache-2.0
#include "wire/answer.h"

#include <criterion/criterion.h>

static const char FULL[] =
    "{\"decision\": false, \"context\": {\"effect\": \"step_up\", \"code\": \"policy\", \"decision_id\": "
    "\"d1\","
    "\"rule\": \"web/mfa\", \"rules\": [\"web/mfa\"], \"message\": \"please confirm\", \"reason\": \"fresh "
    "mfa\","
    "\"risk\": {\"score\": 41.2, \"level\": \"medium\", \"signals\": [{\"id\": \"new-asn\", \"evidence\": "
    "2}]},"
    "\"require\": {\"strength\": \"mfa\", \"max_age\": 900, \"acr_values\": [\"aal2\", \"aal3\"]},"
    "\"session\": {\"ref\": \"s_5f\", \"epoch\": 3}, \"valid\": {\"until\": 1795370123}, \"missing\": "
    "[\"geo.country\"]}}";

Test(wire_answer, reads_every_field)
{
    struct pdp_answer *answer = NULL;
    cr_assert_eq(answer_read(str_of(FULL), &answer), PDP_ERR_OK);
    cr_expect_not(pdp_answer_allows(answer));
    cr_expect_eq(pdp_answer_effect(answer), PDP_EFFECT_STEP_UP);
    cr_expect_eq(pdp_answer_code(answer), PDP_CODE_POLICY);
    cr_expect_eq(pdp_answer_score(answer), 41.2);
    cr_expect_str_eq(pdp_answer_level(answer), "medium");
    cr_expect_str_eq(pdp_answer_rule(answer), "web/mfa");
    cr_expect_str_eq(pdp_answer_message(answer), "please confirm");
    cr_expect_str_eq(pdp_answer_reason(answer), "fresh mfa");
    cr_expect_str_eq(pdp_answer_decision_id(answer), "d1");
    cr_expect_str_eq(pdp_answer_require_strength(answer), "mfa");
    cr_expect_eq(pdp_answer_require_max_age_s(answer), 900);
    cr_expect_eq(pdp_answer_require_acr_count(answer), 2);
    cr_expect_str_eq(pdp_answer_require_acr(answer, 1), "aal3");
    cr_expect_str_eq(pdp_answer_require_acr(answer, 2), "");
    cr_expect_str_eq(pdp_answer_session_ref(answer), "s_5f");
    cr_expect_eq(pdp_answer_valid_until_ms(answer), INT64_C(1795370123000));
    cr_expect_str_eq(pdp_answer_missing(answer, 0), "geo.country");
    const char *text = NULL;
    size_t len = 0;
    cr_expect(pdp_answer_get_text(answer, "context.risk.signals.0.id", &text, &len) && len == 7);
    double evidence = 0;
    cr_expect(pdp_answer_get_double(answer, "context.risk.signals.0.evidence", &evidence) && evidence == 2);
    int64_t epoch = 7;
    cr_expect_not(pdp_answer_get_int(answer, "context.risk.score", &epoch));
    cr_expect_eq(epoch, 7);
    cr_expect(pdp_answer_get_int(answer, "context.session.epoch", &epoch) && epoch == 3);
    cr_expect_eq(pdp_answer_get_count(answer, "context.risk.signals"), 1);
    cr_expect_not(pdp_answer_get_text(answer, "context.risk.signals.1.id", &text, &len));
    cr_expect_not(pdp_answer_get_text(answer, "context.rule.x", &text, &len));
    (void)pdp_answer_bytes(answer, &len);
    cr_expect_eq(len, sizeof FULL - 1);
    pdp_answer_free(&answer);
    cr_expect_null(answer);
}

Test(wire_answer, when_to_ask_again)
{
    static const struct {
        const char *text;
        int64_t ms;
    } SAID[] = {
        {"{\"decision\": false, \"context\": {\"effect\": \"deny\", \"code\": \"overloaded\", "
         "\"retry_after\": 312}}",
         312},
        {"{\"decision\": false, \"context\": {\"effect\": \"deny\", \"code\": \"overloaded\"}}", 0},
        {"{\"decision\": false, \"context\": {\"effect\": \"deny\", \"code\": \"overloaded\", "
         "\"retry_after\": -5}}",
         0},
        {"{\"decision\": false, \"context\": {\"effect\": \"deny\", \"code\": \"overloaded\", "
         "\"retry_after\": \"5\"}}",
         0},
    };
    for (size_t i = 0; i < sizeof SAID / sizeof *SAID; i++) {
        struct pdp_answer *answer = NULL;
        cr_assert_eq(answer_read(str_of(SAID[i].text), &answer), PDP_ERR_OK);
        cr_expect_eq(pdp_answer_retry_after_ms(answer), SAID[i].ms, "%s", SAID[i].text);
        pdp_answer_free(&answer);
    }
    cr_expect_eq(pdp_answer_retry_after_ms(NULL), 0);
}

#define ALLOW "{\"decision\": true, \"context\": {\"effect\": \"allow\", \"code\": \"policy\"}}"

Test(wire_answer, only_a_whole_allow_allows)
{
    static const char *const DENIED[] = {
        "",
        "{}",
        "[]",
        "null",
        "\xf6",
        "true",
        "{\"decision\": true}",
        "{\"decision\": true, \"context\": {}}",
        "{\"decision\": true, \"context\": {\"effect\": \"allow\"}}",
        "{\"decision\": true, \"context\": {\"effect\": \"allow\", \"code\": \"news\"}}",
        "{\"decision\": true, \"context\": {\"effect\": \"deny\", \"code\": \"policy\"}}",
        "{\"decision\": false, \"context\": {\"effect\": \"allow\", \"code\": \"policy\"}}",
        "{\"decision\": 1, \"context\": {\"effect\": \"allow\", \"code\": \"policy\"}}",
        "{\"decision\": \"true\", \"context\": {\"effect\": \"allow\", \"code\": \"policy\"}}",
        "{\"decision\": true, \"context\": {\"effect\": \"Allow\", \"code\": \"policy\"}}",
        "{\"decision\": true, \"context\": {\"effect\": [\"allow\"], \"code\": \"policy\"}}",
        "{\"decision\": true, \"decision\": true, \"context\": {\"effect\": \"allow\", \"code\": "
        "\"policy\"}}",
        "{\"context\": {\"effect\": \"allow\", \"code\": \"policy\"}}",
        ALLOW "x",
    };
    for (size_t i = 0; i < COUNT_OF(DENIED); i++) {
        struct pdp_answer *answer = NULL;
        enum pdp_err err = answer_read(str_of(DENIED[i]), &answer);
        cr_expect_eq(err, PDP_ERR_MALFORMED, "%s", DENIED[i]);
        cr_expect(answer != NULL && !pdp_answer_allows(answer) &&
                      pdp_answer_effect(answer) == PDP_EFFECT_DENY,
                  "%s", DENIED[i]);
        cr_expect_eq(pdp_answer_code(answer), PDP_CODE_NO_ANSWER);
        cr_expect_neq(pdp_answer_reason(answer)[0], '\0');
        pdp_answer_free(&answer);
    }
    struct pdp_answer *answer = NULL;
    cr_expect_eq(answer_read(STR(ALLOW), &answer), PDP_ERR_OK);
    cr_expect(pdp_answer_allows(answer));
    pdp_answer_free(&answer);
}

Test(wire_answer, no_prefix_of_an_allow_allows)
{
    for (size_t len = 0; len < sizeof ALLOW - 1; len++) {
        struct pdp_answer *answer = NULL;
        cr_expect_eq(answer_read((struct str){ALLOW, len}, &answer), PDP_ERR_MALFORMED);
        cr_expect_not(pdp_answer_allows(answer));
        pdp_answer_free(&answer);
    }
}

Test(wire_answer, nothing_reads_as_deny)
{
    size_t len = 9;
    int64_t number = 0;
    cr_expect_not(pdp_answer_allows(NULL));
    cr_expect_eq(pdp_answer_effect(NULL), PDP_EFFECT_DENY);
    cr_expect_eq(pdp_answer_code(NULL), PDP_CODE_NO_ANSWER);
    cr_expect_eq(pdp_answer_score(NULL), -1);
    cr_expect_str_eq(pdp_answer_reason(NULL), "");
    cr_expect_str_eq(pdp_answer_missing(NULL, 0), "");
    cr_expect_null(pdp_answer_bytes(NULL, &len));
    cr_expect_eq(len, 0);
    cr_expect_not(pdp_answer_get_int(NULL, "a", &number));
    cr_expect_eq(pdp_answer_get_count(NULL, ""), 0);
    pdp_answer_free(NULL);
}

Test(wire_answer, refusals_give_their_reason)
{
    struct pdp_answer *answer = NULL;
    cr_assert_eq(
        answer_read(STR("{\"decision\": false, \"context\": {\"effect\": \"deny\", \"code\": \"malformed\", "
                        "\"error\": "
                        "{\"status\": 400, \"field\": \"subject\", \"message\": \"subject is missing\"}}}"),
                    &answer),
        PDP_ERR_OK);
    cr_expect_eq(pdp_answer_code(answer), PDP_CODE_MALFORMED);
    cr_expect_str_eq(pdp_answer_reason(answer), "subject is missing");
    pdp_answer_free(&answer);
    answer = answer_deny(PDP_CODE_OVERLOADED, "busy");
    cr_expect_str_eq(pdp_answer_reason(answer), "busy");
    cr_expect_eq(pdp_answer_code(answer), PDP_CODE_OVERLOADED);
    pdp_answer_free(&answer);
}

Test(wire_answer, batches_keep_their_order)
{
    struct pdp_answer *answers[3] = {0};
    cr_assert_eq(
        answer_read_batch(STR("{\"evaluations\": [" ALLOW ", {\"decision\": false, \"context\": {\"effect\": "
                              "\"terminate\", \"code\": \"policy\"}}]}"),
                          3, answers),
        PDP_ERR_OK);
    cr_expect(pdp_answer_allows(answers[0]));
    cr_expect_eq(pdp_answer_effect(answers[1]), PDP_EFFECT_TERMINATE);
    cr_expect_null(answers[2], "not evaluated");
    for (size_t i = 0; i < 3; i++) {
        pdp_answer_free(&answers[i]);
    }
}

Test(wire_answer, bad_batches_deny_every_item)
{
    static const char *const BAD[] = {
        "",
        ALLOW,
        "{\"evaluations\": [" ALLOW ", {}]}",
        "{\"evaluations\": [" ALLOW "," ALLOW "," ALLOW "]}",
        "{\"evaluations\": 3}",
    };
    for (size_t i = 0; i < COUNT_OF(BAD); i++) {
        struct pdp_answer *answers[2] = {0};
        cr_expect_neq(answer_read_batch(str_of(BAD[i]), 2, answers), PDP_ERR_OK, "%s", BAD[i]);
        for (size_t at = 0; at < 2; at++) {
            cr_expect(answers[at] != NULL && !pdp_answer_allows(answers[at]), "%s", BAD[i]);
            pdp_answer_free(&answers[at]);
        }
    }
}

Test(wire_answer, many_answers_open_no_door)
{
    const char *const MANY[] = {"{\"evaluations\": [{\"decision\": true}]}",
                                "{\"results\": [{\"id\": \"alice\"}]}"};
    for (size_t i = 0; i < COUNT_OF(MANY); i++) {
        struct pdp_answer *answer = NULL;
        cr_expect_eq(answer_read_any(str_of(MANY[i]), &answer), PDP_ERR_OK);
        cr_expect_not(pdp_answer_allows(answer));
        pdp_answer_free(&answer);
        cr_expect_eq(answer_read(str_of(MANY[i]), &answer), PDP_ERR_MALFORMED);
        pdp_answer_free(&answer);
    }
    struct pdp_answer *answer = NULL;
    cr_expect_eq(answer_read_any(STR("{\"decision\": true, \"evaluations\": []}"), &answer),
                 PDP_ERR_MALFORMED);
    cr_expect_not(pdp_answer_allows(answer));
    pdp_answer_free(&answer);
}

Test(wire_answer, is_json_whatever_it_came_in)
{
    const unsigned char CBOR[] = {0xa1, 0x67, 'r',  'e',  's', 'u', 'l',  't',
                                  's',  0x81, 0xa1, 0x62, 'i', 'd', 0x61, 'a'};
    struct pdp_answer *answer = NULL;
    size_t len = 0;
    cr_assert_eq(answer_read_any((struct str){(const char *)CBOR, sizeof CBOR}, &answer), PDP_ERR_OK);
    char *whole = pdp_answer_json(answer, "", &len);
    char *part = pdp_answer_json(answer, "results.0", NULL);
    cr_expect_str_eq(whole, "{\"results\":[{\"id\":\"a\"}]}");
    cr_expect_eq(len, strlen(whole));
    cr_expect_str_eq(part, "{\"id\":\"a\"}");
    cr_expect_null(pdp_answer_json(answer, "results.1", &len));
    cr_expect_eq(len, 0);
    cr_expect_null(pdp_answer_json(NULL, "", NULL));
    free(whole);
    free(part);
    pdp_answer_free(&answer);
}
