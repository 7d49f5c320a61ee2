// SPDX-License-Identifier: Apache-2.0
// Two ways to the same question: what one writes is what the other builds, to the letter.
#include "common/facts_entries.h"
#include "wire/question.h"

#include <criterion/criterion.h>

#define T(literal)                   \
    {                                \
        literal, sizeof(literal) - 1 \
    }

static const struct text SOME[] = {T("a"), T(""), T("198.51.100.7")};
static const char LONG[] = "/aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
                           "aaaaaaaaaaaaaaaaaaaaaaaa"
                           "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
                           "aaaaaaaaaaaaaaaaaaaaaaaa"
                           "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
                           "aaaaaaaaaaaaaaaaaaaaaaaa";

#define BASE .method = T("GET"), .target = T("/a?b"), .scheme = T("HTTPS"), .host = T("shop.example")

static const struct facts ROWS[] = {
    {BASE},
    {BASE, .subject_id = T("alice")},
    {BASE, .subject_id = T("alice"), .subject_type = T("staff"), .tenant = T("acme")},
    {BASE, .subject_id = T("alice"), .roles = SOME, .role_count = 2},
    {BASE, .roles = SOME, .role_count = 2},
    {BASE, .session_id = T("s"), .acr = T("aal1"), .amr = SOME, .amr_count = 1},
    {BASE, .session_id = T("s"), .has_auth_time = true, .auth_time_s = 1795370000},
    {BASE, .session_id = T("s"), .has_auth_time = true, .auth_time_s = -1},
    {BASE, .session_id = T("s"), .has_auth_time = true, .auth_time_s = INT64_MIN},
    {BASE, .acr = T("aal1"), .has_auth_time = true},
    {BASE, .address = T("203.0.113.7"), .forwarded_for = SOME, .forwarded_count = 3},
    {BASE, .forwarded_for = SOME, .forwarded_count = 1},
    {BASE, .user_agent = T("Mozilla/5.0 (\xc3\xbc)"), .fingerprint = T("f"), .ja4 = T("t13d")},
    {BASE, .ja4 = T("t13d")},
    {.method = T("POST"), .target = {LONG, sizeof LONG - 1}},
    {.method = T("POST"), .target = T("/"), .scheme = T("a-scheme-that-is-long")},
};

static struct buf json(const struct pdp_question *question)
{
    struct buf out = {0};
    const struct question_bytes how = {.form = WIRE_JSON};
    cr_assert_eq(question_encode(question, &how, &out), PDP_ERR_OK);
    return out;
}

// The entries with a head in front of them.
static struct pdp_question *question_of(const struct facts *facts, const struct facts_property *properties,
                                        size_t property_count)
{
    unsigned char bytes[8192];
    char why[200] = "";
    size_t len = 0, count = 0;
    struct pdp_question *question = NULL;
    cr_assert_eq(facts_entries(facts, properties, property_count, bytes + 1, sizeof bytes - 1, &len, &count),
                 PDP_ERR_OK);
    bytes[0] = (unsigned char)(0xa0 + count);
    enum pdp_err err = pdp_question_from_bytes(bytes, len + 1, &question, why, sizeof why);
    cr_assert_eq(err, PDP_ERR_OK, "%s", why);
    return question;
}

static void expect_same(struct pdp_question *one, struct pdp_question *other, size_t row)
{
    struct buf a = json(one), b = json(other);
    cr_expect(str_eq(buf_view(&a), buf_view(&b)), "row %zu: " STR_FMT "\nnot " STR_FMT, row,
              STR_ARG(buf_view(&a)), STR_ARG(buf_view(&b)));
    buf_fini(&a);
    buf_fini(&b);
    pdp_question_free(&one);
    pdp_question_free(&other);
}

Test(adapters_facts_entries, say_what_facts_ask)
{
    for (size_t i = 0; i < sizeof ROWS / sizeof *ROWS; i++) {
        struct pdp_question *built = NULL;
        cr_assert_eq(pdp_question_new(&built), PDP_ERR_OK);
        cr_expect_eq(facts_ask(&ROWS[i], built), PDP_ERR_OK);
        expect_same(question_of(&ROWS[i], NULL, 0), built, i);
    }
}

Test(adapters_facts_entries, take_properties)
{
    static const struct facts_property MORE[] = {
        {true, T("floor"), T("3")}, {false, T("a.b"), T("x")}, {true, T("desk"), T("")}};
    for (int known = 0; known < 2; known++) {
        struct facts facts = {BASE};
        facts.subject_id = known != 0 ? TEXT("alice") : (struct text){0};
        struct pdp_question *built = NULL;
        cr_assert_eq(pdp_question_new(&built), PDP_ERR_OK);
        cr_expect_eq(facts_ask(&facts, built), PDP_ERR_OK);
        if (known != 0) {
            (void)pdp_question_set_text(built, "subject.properties.floor", "3");
            (void)pdp_question_set_text(built, "subject.properties.desk", "");
        }
        (void)pdp_question_set_text(built, "resource.properties.a\\.b", "x");
        expect_same(question_of(&facts, MORE, 3), built, (size_t)known);
    }
}

Test(adapters_facts_entries, fit_or_are_nothing)
{
    unsigned char bytes[4096];
    for (size_t i = 0; i < sizeof ROWS / sizeof *ROWS; i++) {
        size_t whole = 0, len = 0, count = 0;
        cr_assert_eq(facts_entries(&ROWS[i], NULL, 0, bytes, sizeof bytes, &whole, &count), PDP_ERR_OK);
        for (size_t room = 0; room < whole; room++) {
            memset(bytes, 0x55, sizeof bytes);
            cr_expect_eq(facts_entries(&ROWS[i], NULL, 0, bytes, room, &len, &count), PDP_ERR_LIMIT);
            cr_expect(len == 0 && bytes[room] == 0x55, "row %zu, %zu bytes", i, room);
        }
    }
}
