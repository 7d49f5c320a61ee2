// SPDX-License-Identifier: Apache-2.0
#include "conf/quote.h"

#include <criterion/criterion.h>

static const struct {
    const char *text;
    bool free;
    const char *quoted, *expr;
} CASES[] = {
    {"alice", true, "\"alice\"", "'alice'"},
    {"staff may read", false, "\"staff may read\"", "'staff may read'"},
    {"a.b-c_d", true, "\"a.b-c_d\"", "'a.b-c_d'"},
    {"a/b", false, "\"a/b\"", "'a/b'"},
    {"two  blanks", false, "\"two  blanks\"", "'two  blanks'"},
    {"ends ", false, "\"ends \"", "'ends '"},
    {"", false, "\"\"", "''"},
    {"101", false, "\"101\"", "'101'"},
    {"-a", false, "\"-a\"", "'-a'"},
    {"/a/**", false, "\"/a/**\"", "'/a/**'"},
    {"a: b", false, "\"a: b\"", "'a: b'"},
    {"a, b", false, "\"a, b\"", "'a, b'"},
    {"a #b", false, "\"a #b\"", "'a #b'"},
    {"NO", false, "\"NO\"", "'NO'"},
    {"Yes", false, "\"Yes\"", "'Yes'"},
    {"y", false, "\"y\"", "'y'"},
    {"null", false, "\"null\"", "'null'"},
    {"inf", false, "\"inf\"", "'inf'"},
    {"nobody", true, "\"nobody\"", "'nobody'"},
    {"it's", false, "\"it's\"", "\"it's\""},
    {"a == \"b\"", false, "'a == \"b\"'", "'a == \"b\"'"},
    {"\"it's\"", false, "'\"it''s\"'", "'\"it''s\"'"},
    {"a\\d", false, "'a\\d'", "'a\\d'"},
    {"\xc3\xa4", false, "\"\xc3\xa4\"", "'\xc3\xa4'"},
};

Test(conf_quote, quotes_what_needs_it)
{
    for (size_t i = 0; i < COUNT_OF(CASES); i++) {
        AUTO(buf_fini) struct buf out = {0};
        AUTO(buf_fini) struct buf expr = {0};
        struct str text = str_of(CASES[i].text);
        cr_expect_eq(quote_free(text), CASES[i].free, "%s", CASES[i].text);
        cr_expect(quote_simple(text), "%s", CASES[i].text);
        quote_put(text, &out);
        quote_expr(text, &expr);
        cr_expect(str_eq(buf_view(&out), str_of(CASES[i].quoted)), STR_FMT, STR_ARG(buf_view(&out)));
        cr_expect(str_eq(buf_view(&expr), str_of(CASES[i].expr)), STR_FMT, STR_ARG(buf_view(&expr)));
    }
}

Test(conf_quote, knows_what_needs_an_escape)
{
    static const char *const TEXTS[] = {"a\nb",         "a\tb",         "\x7f", "\xc2\x85",
                                        "\xe2\x80\xa8", "\xef\xbb\xbf", "\xff"};
    for (size_t i = 0; i < COUNT_OF(TEXTS); i++) {
        cr_expect_not(quote_simple(str_of(TEXTS[i])), "%zu", i);
    }
}
