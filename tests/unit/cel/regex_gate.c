// SPDX-License-Identifier: Apache-2.0
#include "cel/regex.h"

#include <criterion/criterion.h>

static const struct {
    const char *pattern;
    enum regex_form form;
    const char *prefix, *suffix, *part;
} CASES[] = {
    {"", REGEX_FORM_PART, "", "", ""},
    {"abc", REGEX_FORM_PART, "", "", "abc"},
    {"^/api/", REGEX_FORM_PREFIX, "/api/", "", "/api/"},
    {"^abc$", REGEX_FORM_WHOLE, "abc", "abc", "abc"},
    {"^$", REGEX_FORM_WHOLE, "", "", ""},
    {"foo$", REGEX_FORM_SUFFIX, "", "foo", "foo"},
    {"^/api/.*", REGEX_FORM_PREFIX, "/api/", "", "/api/"},
    {"^/api/.*$", REGEX_FORM_LINE, "/api/", "", "/api/"},
    {".*foo", REGEX_FORM_PART, "", "", "foo"},
    {".*foo$", REGEX_FORM_SUFFIX, "", "foo", "foo"},
    {"foo.*$", REGEX_FORM_ANY, "", "", "foo"},
    {"^.*foo", REGEX_FORM_ANY, "", "", "foo"},
    {"a\\.b\\/c", REGEX_FORM_PART, "", "", "a.b/c"},
    {"\\Qa.b*\\E", REGEX_FORM_PART, "", "", "a.b*"},
    {"a{2", REGEX_FORM_PART, "", "", "a{2"},
    {"\\t\\n", REGEX_FORM_PART, "", "", "\t\n"},
    {"^/u/[a-z]+/profile$", REGEX_FORM_ANY, "/u/", "/profile", "/profile"},
    {"^/u/\\d+/x", REGEX_FORM_ANY, "/u/", "", "/u/"},
    {"ab*c", REGEX_FORM_ANY, "", "", "a"},
    {"ab+cd", REGEX_FORM_ANY, "", "", "ab"},
    {"xab{0,2}cde", REGEX_FORM_ANY, "", "", "cde"},
    {"xab{2,}c", REGEX_FORM_ANY, "", "", "xab"},
    {"ä?öü", REGEX_FORM_ANY, "", "", "öü"},
    {"ab(c|d)efg$", REGEX_FORM_ANY, "", "efg", "efg"},
    {"ab(?:[)(]|\\))efg", REGEX_FORM_ANY, "", "", "efg"},
    {"a|b", REGEX_FORM_ANY, "", "", ""},
    {"(?i)abc", REGEX_FORM_ANY, "", "", ""},
    {"abc(?i)def", REGEX_FORM_ANY, "", "", ""},
    {"a(?P<n>x)bc", REGEX_FORM_ANY, "", "", "bc"},
    {"\\bword\\b", REGEX_FORM_ANY, "", "", "word"},
    {"[[:alpha:]]]x", REGEX_FORM_ANY, "", "", "]x"},
    {"\\x41bc", REGEX_FORM_ANY, "", "", ""},
    {"a^b", REGEX_FORM_ANY, "", "", "a"},
    {"a$b", REGEX_FORM_ANY, "", "", "a"},
};

Test(cel_regex_gate, finds_what_every_match_holds)
{
    for (size_t i = 0; i < COUNT_OF(CASES); i++) {
        char why[REGEX_WHY_MAX];
        size_t at = 0;
        struct regex *regex = NULL;
        cr_assert_eq(regex_new(str_of(CASES[i].pattern), &regex, why, &at), PDP_ERR_OK, "%s: %s",
                     CASES[i].pattern, why);
        const struct regex_gate *gate = regex_gate_of(regex);
        cr_expect_eq(gate->form, CASES[i].form, "%s: form %d", CASES[i].pattern, gate->form);
        cr_expect(str_eq(gate->prefix, str_of(CASES[i].prefix)), "%s: prefix " STR_FMT, CASES[i].pattern,
                  STR_ARG(gate->prefix));
        cr_expect(str_eq(gate->suffix, str_of(CASES[i].suffix)), "%s: suffix " STR_FMT, CASES[i].pattern,
                  STR_ARG(gate->suffix));
        cr_expect(str_eq(gate->part, str_of(CASES[i].part)), "%s: part " STR_FMT, CASES[i].pattern,
                  STR_ARG(gate->part));
        regex_free(&regex);
    }
}
