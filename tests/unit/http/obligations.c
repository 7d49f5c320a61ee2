// SPDX-License-Identifier: Apache-2.0
#include "http/obligations.h"

#include "wire/answer.h"

#include <criterion/criterion.h>
#include <stdlib.h>

#define HEAD "\"decision\":false,\"context\":{\"effect\":"
#define BOB "{\"subject\":{\"type\":\"user\",\"id\":\"bob\"}"

// answer, request, the answer's `context.obligations` (NULL: there is none)
static const struct {
    const char *name, *answer, *request, *obligations;
} CASES[] = {
    {"a deny", "{" HEAD "\"deny\",\"code\":\"policy\",\"obligations\":[]}}", BOB "}", NULL},
    {"an allow",
     "{\"decision\":true,\"context\":{\"effect\":\"allow\",\"code\":\"policy\",\"obligations\":[]}}", BOB "}",
     NULL},
    {"a step-up with what to ask for",
     "{" HEAD "\"step_up\",\"code\":\"policy\",\"require\":{\"strength\":\"mfa\",\"max_age\":900,\"acr_"
              "values\":[\"aal2\",\"aal3\"]}}}",
     BOB "}",
     "[{\"id\":\"obl-1\",\"type\":\"step-up\",\"properties\":{\"acr_value\":\"aal2\",\"max_age\":900}}]"},
    {"a step-up by its strength",
     "{" HEAD "\"step_up\",\"code\":\"policy\",\"require\":{\"strength\":\"mfa\"}}}", BOB "}",
     "[{\"id\":\"obl-1\",\"type\":\"step-up\",\"properties\":{\"acr_value\":\"mfa\"}}]"},
    {"a step-up that asks for nothing", "{" HEAD "\"step_up\",\"code\":\"policy\"}}", BOB "}", NULL},
    {"the end of a session", "{" HEAD "\"terminate\",\"code\":\"policy\"}}", BOB "}",
     "[{\"id\":\"obl-1\",\"type\":\"session_termination\",\"properties\":{\"subject\":\"bob\"}}]"},
    {"of nobody that is named", "{" HEAD "\"terminate\",\"code\":\"policy\"}}", "{}", NULL},
    {"a gateway that cannot", "{" HEAD "\"terminate\",\"code\":\"policy\"}}",
     BOB ",\"context\":{\"supported_obligations\":[\"step-up\",\"unheard-of\"]}}", NULL},
    {"a gateway that can", "{" HEAD "\"terminate\",\"code\":\"policy\"}}",
     BOB ",\"context\":{\"supported_obligations\":[\"session_termination\"]}}",
     "[{\"id\":\"obl-1\",\"type\":\"session_termination\",\"properties\":{\"subject\":\"bob\"}}]"},
    {"obligations of rules, whatever it can",
     "{\"decision\":true,\"context\":{\"effect\":\"allow\",\"code\":\"policy\",\"obligations\":[{\"type\":"
     "\"notification\",\"properties\":"
     "{\"to\":\"x\"}},{\"type\":\"watermark\",\"properties\":{\"text\":\"y\"}},{\"type\":\"log\"}]}}",
     BOB ",\"context\":{\"supported_obligations\":[]}}",
     "[{\"id\":\"obl-1\",\"type\":\"notification\",\"properties\":{\"to\":\"x\"}},{\"id\":\"obl-2\",\"type\":"
     "\"custom\",\"properties\":"
     "{\"type\":\"watermark\",\"properties\":{\"text\":\"y\"}}},{\"id\":\"obl-3\",\"type\":\"custom\","
     "\"properties\":{\"type\":\"log\","
     "\"properties\":{}}}]"},
};

static json_t *rewritten(const char *answer_text, const char *request)
{
    struct pdp_answer *answer = NULL;
    size_t len = 0;
    cr_assert_eq(answer_read_any((struct str){answer_text, strlen(answer_text)}, &answer), PDP_ERR_OK, "%s",
                 answer_text);
    char *text = obligations_of(answer, text_of(request), &len);
    cr_assert_not_null(text);
    json_t *root = json_loadb(text, len, 0, NULL);
    free(text);
    pdp_answer_free(&answer);
    return root;
}

Test(http_obligations, are_what_the_answer_asks_for)
{
    for (size_t i = 0; i < COUNT_OF(CASES); i++) {
        json_t *root = rewritten(CASES[i].answer, CASES[i].request);
        json_t *is = json_object_get(json_object_get(root, "context"), "obligations");
        json_t *expected = CASES[i].obligations != NULL ? json_loads(CASES[i].obligations, 0, NULL) : NULL;
        cr_expect((expected == NULL && is == NULL) || json_equal(is, expected), "%s: %s", CASES[i].name,
                  is != NULL ? json_dumps(is, JSON_COMPACT) : "none");
        json_decref(expected);
        json_decref(root);
    }
}

Test(http_obligations, are_of_each_item_of_a_batch)
{
    json_t *root = rewritten("{\"evaluations\":[{" HEAD "\"terminate\",\"code\":\"policy\"}},{" HEAD
                             "\"terminate\",\"code\":\"policy\"}}]}",
                             BOB ",\"evaluations\":[{\"subject\":{\"type\":\"user\",\"id\":\"eve\"}},{}]}");
    const char *const NAMES[] = {"eve", "bob"};
    for (size_t i = 0; i < COUNT_OF(NAMES); i++) {
        const char *subject = NULL;
        json_t *answer = json_array_get(json_object_get(root, "evaluations"), i);
        cr_expect_eq(json_unpack(answer, "{s:{s:[{s:{s:s}}]}}", "context", "obligations", "properties",
                                 "subject", &subject),
                     0);
        cr_expect_str_eq(subject, NAMES[i]);
    }
    json_decref(root);
}
