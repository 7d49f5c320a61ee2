// SPDX-License-Identifier: Apache-2.0
#include "common/facts.h"

#include "wire/question.h"

#include <criterion/criterion.h>

static void expect_question(const struct facts *facts, enum pdp_err err, const char *json)
{
    struct pdp_question *question = NULL;
    cr_assert_eq(pdp_question_new(&question), PDP_ERR_OK);
    enum pdp_err is = facts_ask(facts, question);
    cr_expect_eq(is, err, "%s", pdp_err_name(is));
    if (json != NULL) {
        struct buf out = {0};
        const struct question_bytes how = {.form = WIRE_JSON};
        cr_assert_eq(question_encode(question, &how, &out), PDP_ERR_OK);
        buf_byte(&out, '\0');
        cr_expect_str_eq((const char *)out.at, json);
        buf_fini(&out);
    }
    pdp_question_free(&question);
}

Test(adapters_facts, hand_over_what_came)
{
    const struct text forwarded[] = {TEXT("203.0.113.7"), TEXT("10.0.0.2")},
                      amr[] = {TEXT("pwd"), TEXT("otp")}, roles[] = {TEXT("hr")};
    const struct facts facts = {.method = TEXT("GET"),
                                .target = TEXT("/a//b?x=%2F"),
                                .host = TEXT("Shop.example"),
                                .scheme = TEXT("HTTPS"),
                                .address = TEXT("10.0.0.3"),
                                .forwarded_for = forwarded,
                                .forwarded_count = 2,
                                .user_agent = TEXT("curl/7"),
                                .fingerprint = TEXT("f1"),
                                .ja4 = TEXT("t13d"),
                                .tenant = TEXT("acme"),
                                .subject_type = TEXT("service"),
                                .subject_id = TEXT("alice"),
                                .session_id = TEXT("secret"),
                                .has_auth_time = true,
                                .auth_time_s = 17,
                                .acr = TEXT("aal2"),
                                .amr = amr,
                                .amr_count = 2,
                                .roles = roles,
                                .role_count = 1};
    expect_question(
        &facts, PDP_ERR_OK,
        "{\"tenant\":\"acme\","
        "\"subject\":{\"type\":\"service\",\"id\":\"alice\",\"properties\":{\"roles\":[\"hr\"]}},"
        "\"action\":{\"name\":\"GET\"},"
        "\"resource\":{\"type\":\"route\",\"id\":\"/a//b?x=%2F\",\"properties\":{\"host\":\"Shop.example\","
        "\"scheme\":\"https\"}},"
        "\"context\":{\"session\":{\"id\":\"secret\",\"acr\":\"aal2\",\"amr\":[\"pwd\",\"otp\"],"
        "\"auth_time\":17},"
        "\"device\":{\"fingerprint\":\"f1\",\"user_agent\":\"curl/7\",\"components\":{\"ja4\":\"t13d\"}},"
        "\"network\":{\"ip\":\"10.0.0.3\",\"forwarded_for\":[\"203.0.113.7\",\"10.0.0.2\"]}}}");
}

Test(adapters_facts, who_is_not_known_is_anonymous_and_has_no_roles)
{
    const struct text roles[] = {TEXT("admin")};
    const struct facts facts = {.method = TEXT("GET"),
                                .target = TEXT("/"),
                                .subject_type = TEXT("service"),
                                .acr = TEXT("aal3"),
                                .roles = roles,
                                .role_count = 1};
    expect_question(
        &facts, PDP_ERR_OK,
        "{\"subject\":{\"type\":\"anonymous\",\"id\":\"anonymous\"},\"action\":{\"name\":\"GET\"},"
        "\"resource\":{\"type\":\"route\",\"id\":\"/\"}}");
}

Test(adapters_facts, break_the_question_where_text_is_none)
{
    const struct text nul[] = {TEXT("a\0b")};
    const struct facts bad_target = {.method = TEXT("GET"), .target = TEXT("/\xc0\xaf")};
    const struct facts bad_list = {
        .method = TEXT("GET"), .target = TEXT("/"), .forwarded_for = nul, .forwarded_count = 1};
    expect_question(&bad_target, PDP_ERR_UTF8, NULL);
    expect_question(&bad_list, PDP_ERR_UTF8, NULL);
}

Test(adapters_facts, forwarded_for_is_read_in_order_and_the_last_entries_are_kept)
{
    const struct text lines[] = {TEXT("1.1.1.1 , 2.2.2.2"), TEXT(""), TEXT("3.3.3.3,, \t4.4.4.4")};
    struct text out[FACTS_FORWARDED_MOST];
    size_t count = facts_forwarded(lines, 3, out, COUNT_OF(out));
    const char *const ALL[] = {"1.1.1.1", "2.2.2.2", "", "3.3.3.3", "", "4.4.4.4"};
    cr_assert_eq(count, COUNT_OF(ALL));
    for (size_t i = 0; i < count; i++) {
        cr_expect(text_eq(out[i], text_of(ALL[i])), "%zu: %.*s", i, (int)out[i].len, out[i].at);
    }
    count = facts_forwarded(lines, 3, out, 2);
    cr_assert_eq(count, 2);
    cr_expect(text_eq(out[0], TEXT("")) && text_eq(out[1], TEXT("4.4.4.4")));
    cr_expect_eq(facts_forwarded(lines, 3, out, 0), 0);
}
