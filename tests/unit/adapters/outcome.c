// SPDX-License-Identifier: Apache-2.0
#include "common/outcome.h"

#include "wire/answer.h"

#include <criterion/criterion.h>

#define ANSWER(decision, effect, rest) \
    "{\"decision\": " decision ", \"context\": {\"effect\": \"" effect "\", \"code\": \"policy\"" rest "}}"

static const struct {
    const char *name, *answer;
    unsigned status;
    bool ended;
    const char *challenge;
} CASES[] = {
    {"allow", ANSWER("true", "allow", ""), 200, false, ""},
    {"deny", ANSWER("false", "deny", ""), 403, false, ""},
    {"terminate", ANSWER("false", "terminate", ""), 403, true, ""},
    {"ended before", "{\"decision\": false, \"context\": {\"effect\": \"deny\", \"code\": \"terminated\"}}",
     403, true, ""},
    {"an allow that contradicts itself", ANSWER("true", "deny", ""), 403, false, ""},
    {"a decision alone", "{\"decision\": true}", 403, false, ""},
    {"no JSON", "allow", 403, false, ""},
    {"step_up, nothing said", ANSWER("false", "step_up", ""), 401, false,
     "Bearer error=\"insufficient_user_authentication\", error_description=\"A different authentication "
     "level is "
     "required\""},
    {"step_up with all",
     ANSWER("false", "step_up",
            ", \"message\": \"please confirm\", \"require\": {\"max_age\": 900, \"acr_values\": [\"aal2\", "
            "\"urn:x:3\"]}"),
     401, false,
     "Bearer error=\"insufficient_user_authentication\", error_description=\"please confirm\", "
     "acr_values=\"aal2 "
     "urn:x:3\", max_age=\"900\""},
    {"step_up by age", ANSWER("false", "step_up", ", \"require\": {\"max_age\": 60}"), 401, false,
     "Bearer error=\"insufficient_user_authentication\", error_description=\"More recent authentication is "
     "required\", max_age=\"60\""},
    {"text that would break out",
     ANSWER("false", "step_up",
            ", \"message\": \"a\\\", evil=\\\"b\", \"require\": {\"acr_values\": [\"a\\\"b\", \"c d\", "
            "\"e\\r\\nf\"]}"),
     401, false,
     "Bearer error=\"insufficient_user_authentication\", error_description=\"A different authentication "
     "level is "
     "required\""},
    {"letters beyond ASCII", ANSWER("false", "step_up", ", \"message\": \"bitte bestätigen\""), 401, false,
     "Bearer error=\"insufficient_user_authentication\", error_description=\"A different authentication "
     "level is "
     "required\""},
};

Test(adapters_outcome, is_one_of_three_statuses)
{
    for (size_t i = 0; i < COUNT_OF(CASES); i++) {
        struct pdp_answer *answer = NULL;
        struct outcome out;
        (void)!answer_read(str_of(CASES[i].answer), &answer);
        outcome_of(answer, &out);
        cr_expect_eq(out.status, CASES[i].status, "%s: %u", CASES[i].name, out.status);
        cr_expect_eq(out.ended, CASES[i].ended, "%s", CASES[i].name);
        cr_expect_str_eq(out.challenge, CASES[i].challenge, "%s: %s", CASES[i].name, out.challenge);
        pdp_answer_free(&answer);
    }
    struct outcome none;
    outcome_of(NULL, &none);
    cr_expect(none.status == 403 && !none.ended);
}

Test(adapters_outcome, fields_can_stand_in_a_header)
{
    struct pdp_answer *answer = NULL;
    char out[OUTCOME_TEXT_MAX];
    cr_assert_eq(
        answer_read(STR("{\"decision\": true, \"context\": {\"effect\": \"allow\", \"code\": \"policy\", "
                        "\"rule\": \"a/b\", \"reason\": \"x\\r\\nSet-Cookie: y\\u007f\", "
                        "\"message\": \"bestätigt\", \"risk\": {\"score\": 41.26, \"level\": \"medium\"}, "
                        "\"resource\": {\"path\": \"/a/b\"}}}"),
                    &answer),
        PDP_ERR_OK);
    const struct {
        enum outcome_field field;
        const char *text;
    } FIELDS[] = {{OUTCOME_EFFECT, "allow"},      {OUTCOME_RISK, "41.3"},
                  {OUTCOME_LEVEL, "medium"},      {OUTCOME_CODE, "policy"},
                  {OUTCOME_RULE, "a/b"},          {OUTCOME_REASON, "x  Set-Cookie: y "},
                  {OUTCOME_MESSAGE, "bestätigt"}, {OUTCOME_DECISION, ""},
                  {OUTCOME_PATH, "/a/b"},         {OUTCOME_SESSION, ""}};
    cr_assert_eq(COUNT_OF(FIELDS), OUTCOME_FIELDS);
    for (size_t i = 0; i < COUNT_OF(FIELDS); i++) {
        cr_expect_eq(outcome_text(answer, FIELDS[i].field, out, sizeof out), strlen(FIELDS[i].text));
        cr_expect_str_eq(out, FIELDS[i].text, "%s: %s", outcome_variable(FIELDS[i].field), out);
    }
    cr_expect_eq(outcome_text(answer, OUTCOME_PATH, out, 4), 0, "a path is whole or not there");
    cr_expect_str_eq(out, "");
    cr_expect_eq(outcome_text(answer, OUTCOME_MESSAGE, out, 6), 4, "a letter is cut off whole: `%s`", out);
    cr_expect_eq(outcome_text(NULL, OUTCOME_CODE, out, sizeof out), strlen("no-answer"));
    pdp_answer_free(&answer);
}
