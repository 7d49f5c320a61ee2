// SPDX-License-Identifier: Apache-2.0
// Answers as HAProxy sees them: read back from the bytes, variable by variable.
#include "haproxy/reply.h"

#include "wire/answer.h"

#include <criterion/criterion.h>
#include <stdio.h>

#define ANSWER(decision, effect, rest) \
    "{\"decision\": " decision ", \"context\": {\"effect\": \"" effect "\", \"code\": \"policy\"" rest "}}"
#define PATH ", \"resource\": {\"path\": \"/a/b\"}"

// Each variable as `name=value`, numbers in digits; `name` alone is unset.
static const struct {
    const char *name, *answer; // NULL: none
    const char *variables;
} CASES[] = {
    {"allow",
     ANSWER("true", "allow",
            PATH ", \"rule\": \"web/read\", \"risk\": {\"score\": 40.2, \"level\": \"medium\"}, "
                 "\"decision_id\": \"d-1\", \"session\": {\"ref\": \"s_1\"}"),
     "effect=allow risk=41 level=medium code=policy rule=web/read reason message decision=d-1 path=/a/b "
     "session=s_1 "
     "subject=alice challenge acr_values max_age "},
    {"allow, but of what", ANSWER("true", "allow", ""),
     "effect=deny risk level code=policy rule reason message decision path session subject=alice challenge "
     "acr_values "
     "max_age "},
    {"an allow that contradicts itself", ANSWER("false", "allow", PATH),
     "effect=deny risk level code=no-answer rule reason=the_answer_is_not_one_that_this_library_knows "
     "message "
     "decision path=/a/b session subject=alice challenge acr_values max_age "},
    {"step_up",
     ANSWER("false", "step_up",
            PATH ", \"require\": {\"max_age\": 900, \"acr_values\": [\"aal2\", \"phr\"]}"),
     "effect=step_up risk level code=policy rule reason message decision path=/a/b session subject=alice "
     "challenge=Bearer_error=\"insufficient_user_authentication\",_error_description=\"More_recent_"
     "authentication_is_"
     "required\",_acr_values=\"aal2_phr\",_max_age=\"900\" acr_values=aal2_phr max_age=900 "},
    {"terminate", ANSWER("false", "terminate", PATH ", \"risk\": {\"score\": 100, \"level\": \"critical\"}"),
     "effect=terminate risk=100 level=critical code=policy rule reason message decision path=/a/b session "
     "subject=alice challenge acr_values max_age "},
    {"none", NULL,
     "effect=deny risk level code=no-answer rule reason=late message decision path session subject=alice "
     "challenge "
     "acr_values max_age "},
};

static void put(char *out, size_t room, const char *name, size_t len)
{
    size_t at = strlen(out);
    for (size_t i = 0; i < len && at + 1 < room; i++) {
        out[at++] = name[i] == ' ' ? '_' : name[i];
    }
    out[at] = '\0';
}

static void put_value(char *out, size_t room, const struct spop_value *value)
{
    char number[32];
    (void)snprintf(number, sizeof number, "=%llu", (unsigned long long)value->number);
    if (value->kind == SPOP_STRING) {
        put(out, room, "=", 1);
        put(out, room, value->text.at, value->text.len);
    } else {
        cr_expect_eq(value->kind, SPOP_UINT32);
        put(out, room, number, strlen(number));
    }
}

// The variables of an ACK; the frame must be one, and whole.
static void read_back(const unsigned char *bytes, size_t len, uint32_t most, unsigned char scope, char *out,
                      size_t room)
{
    struct spop_frame frame;
    size_t used;
    enum spop_status why;
    out[0] = '\0';
    cr_assert_eq(spop_read_frame(bytes, len, most, &frame, &used, &why), SPOP_WHOLE);
    cr_expect_eq(used, len);
    cr_expect(frame.type == SPOP_ACK && frame.flags == SPOP_FIN && frame.stream_id == 300 &&
              frame.frame_id == 2);
    while (frame.payload.at < frame.payload.end) {
        unsigned char action, count, at;
        struct text name;
        struct spop_value value;
        cr_assert_eq(spop_read_byte(&frame.payload, &action), PDP_ERR_OK);
        cr_assert_eq(spop_read_byte(&frame.payload, &count), PDP_ERR_OK);
        cr_assert_eq(spop_read_byte(&frame.payload, &at), PDP_ERR_OK);
        cr_assert_eq(spop_read_text(&frame.payload, &name), PDP_ERR_OK);
        cr_expect_eq(at, scope);
        put(out, room, name.at, name.len);
        cr_assert((action == 1 && count == 3) || (action == 2 && count == 2));
        if (action == 1) {
            cr_assert_eq(spop_read_value(&frame.payload, &value), PDP_ERR_OK);
            put_value(out, room, &value);
        }
        put(out, room, "\n", 1);
        out[strlen(out) - 1] = ' ';
    }
}

static struct reply reply_of(const struct pdp_answer *answer)
{
    return (struct reply){.stream_id = 300,
                          .frame_id = 2,
                          .scope = SPOP_SCOPE_TRANSACTION,
                          .answer = answer,
                          .code = PDP_CODE_NO_ANSWER,
                          .reason = "late",
                          .subject = TEXT("alice")};
}

static struct pdp_answer *answer_of(const char *json)
{
    struct pdp_answer *answer = NULL;
    if (json != NULL) {
        (void)!answer_read((struct str){json, strlen(json)}, &answer);
        cr_assert_not_null(answer);
    }
    return answer;
}

Test(haproxy_reply, small_frames_lose_words_first_and_then_deny)
{
    char json[2048], reason[600], path[400];
    memset(reason, 'r', sizeof reason - 1);
    memset(path, 'p', sizeof path - 1);
    reason[sizeof reason - 1] = path[sizeof path - 1] = '\0';
    path[0] = '/';
    (void)snprintf(json, sizeof json,
                   ANSWER("true", "allow", ", \"resource\": {\"path\": \"%s\"}, \"reason\": \"%s\""), path,
                   reason);
    struct pdp_answer *answer = answer_of(json);
    unsigned with_reason = 0, allowed = 0;
    for (uint32_t most = SPOP_FRAME_SIZE_MIN; most < 1400; most++) {
        struct reply reply = reply_of(answer);
        unsigned char bytes[4096];
        char variables[4096];
        struct spop_writer out = {bytes, bytes + sizeof bytes, false};
        reply_write(&reply, most, &out);
        cr_assert_not(out.full, "%u", most);
        read_back(bytes, (size_t)(out.at - bytes), most, 2, variables, sizeof variables);
        bool allows = strncmp(variables, "effect=allow ", 13) == 0;
        cr_expect(allows || strncmp(variables, "effect=deny ", 12) == 0);
        cr_expect_eq(allows, strstr(variables, path) != NULL, "%u: %s", most, variables);
        cr_expect(allows || strstr(variables, reason) == NULL);
        allowed += allows;
        with_reason += strstr(variables, reason) != NULL;
    }
    cr_expect(with_reason > 0 && with_reason < allowed && allowed < 1144, "%u, %u", with_reason, allowed);
    pdp_answer_free(&answer);
}

Test(haproxy_reply, a_path_that_is_too_long_for_any_frame_is_denied)
{
    static char json[20000], path[17000], variables[20000];
    static unsigned char bytes[65536];
    memset(path, 'p', sizeof path - 1);
    path[0] = '/';
    (void)snprintf(json, sizeof json, ANSWER("true", "allow", ", \"resource\": {\"path\": \"%s\"}"), path);
    struct pdp_answer *answer = answer_of(json);
    struct reply reply = reply_of(answer);
    struct spop_writer out = {bytes, bytes + sizeof bytes, false};
    reply_write(&reply, 65536, &out);
    read_back(bytes, (size_t)(out.at - bytes), 65536, 2, variables, sizeof variables);
    cr_expect_eq(strncmp(variables, "effect=deny ", 12), 0, "%.40s", variables);
    pdp_answer_free(&answer);
}

Test(haproxy_reply, variables)
{
    for (size_t i = 0; i < COUNT_OF(CASES); i++) {
        struct pdp_answer *answer = answer_of(CASES[i].answer);
        struct reply reply = reply_of(answer);
        unsigned char bytes[4096];
        char variables[2048];
        struct spop_writer out = {bytes, bytes + sizeof bytes, false};
        reply_write(&reply, 16380, &out);
        cr_assert_not(out.full);
        read_back(bytes, (size_t)(out.at - bytes), 16380, 2, variables, sizeof variables);
        cr_expect_str_eq(variables, CASES[i].variables, "%s: %s", CASES[i].name, variables);
        pdp_answer_free(&answer);
    }
}
