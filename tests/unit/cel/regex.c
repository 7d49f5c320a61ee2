// SPDX-License-Identifier: Apache-2.0
#include "cel/regex.h"

#include <criterion/criterion.h>

static const struct {
    const char *pattern, *text;
    int found;
} MATCHES[] = {
    {"^/admin$", "/admin", 1},
    {"^/admin$", "/admin\n", 0}, // DOLLAR_ENDONLY
    {"bc", "abcd", 1},
    {"", "", 1},
    {"a{2,3}$", "caaa", 1},
    {"a{,3}", "a{,3}", 1},
    {"x{", "x{", 1},
    {"\\v", "\v", 1},
    {"\\v", "\n", 0}, // RE2: the vertical tab alone
    {"\\s", "\v", 0},
    {"[\\s,]+$", " ,\t", 1},
    {"^\\S+$", "a b", 0},
    {"\\Qa.b\\E", "a.b", 1},
    {"\\Qa.b\\E", "axb", 0},
    {"\\Qa*", "a*", 1},
    {"(?i)ROUTE", "route", 1},
    {"(?i:R)oute", "route", 1},
    {"(?P<n>a)", "a", 1},
    {"(?<n>a)", "a", 1},
    {"[[:alpha:]]+", "1a", 1},
    {"[]a]", "]", 1},
    {"^[[:^alpha:]]$", "1", 1},
    {"[\\[:a]b", ":b", 1},
    {"[a[]", "[", 1},
    {"\\p{Greek}", "α", 1},
    {"\\pL", "1", 0},
    {"\\x{e9}", "é", 1},
    {"^.$", "é", 1},
    {"(a|b)*?c", "abc", 1},
    {"\\Aab\\z", "ab\n", 0},
    {"a.c", "a\nc", 0},
    {"(?s)a.c", "a\nc", 1},
    {"\\.", "x", 0},
    {"[\\x{e9}]", "é", 1},
};

Test(cel_regex, matches_as_re2_does)
{
    struct regex_scratch *scratch = NULL;
    cr_assert_eq(regex_scratch_new(10000, &scratch), PDP_ERR_OK);
    for (size_t i = 0; i < COUNT_OF(MATCHES); i++) {
        struct regex *regex = NULL;
        char why[REGEX_WHY_MAX];
        size_t at = 0;
        enum pdp_err err = regex_new(str_of(MATCHES[i].pattern), &regex, why, &at);
        cr_expect_eq(err, PDP_ERR_OK, "%s: %s at %zu", MATCHES[i].pattern, why, at);
        if (regex != NULL) {
            cr_expect_eq(regex_find(regex, scratch, str_of(MATCHES[i].text)), MATCHES[i].found, "%s",
                         MATCHES[i].pattern);
        }
        regex_free(&regex);
    }
    regex_scratch_free(&scratch);
}

static const struct {
    const char *pattern;
    size_t at;
    const char *why;
} REFUSED[] = {
    {"a(?=b)", 1, "look-around is not supported"},
    {"a(?!b)", 1, "look-around is not supported"},
    {"(?<=a)b", 0, "look-around is not supported"},
    {"(?<!a)b", 0, "look-around is not supported"},
    {"(a)\\1", 3, "back-references are not supported"},
    {"(?P<n>a)(?P=n)", 8, "back-references are not supported"},
    {"(?<n>a)\\k<n>", 7, "back-references are not supported"},
    {"(a)\\g1", 3, "back-references are not supported"},
    {"(?>a)", 0, "atomic groups are not supported"},
    {"a*+", 2, "possessive repetition is not supported"},
    {"a{2}+", 4, "possessive repetition is not supported"},
    {"a**", 1, "a repetition of a repetition is not supported"},
    {"a{1001}", 1, "more than 1000 repetitions are not supported"},
    {"a{99999999999999999999}", 1, "more than 1000 repetitions are not supported"},
    {"*a", 0, "there is nothing to repeat"},
    {"a|*", 2, "there is nothing to repeat"},
    {"(?R)", 0, "this kind of group is not supported"},
    {"(?1)", 0, "this kind of group is not supported"},
    {"(?(1)a)", 0, "this kind of group is not supported"},
    {"(?#x)", 0, "this kind of group is not supported"},
    {"(?x)a", 0, "this kind of group is not supported"},
    {"(*UTF)a", 0, "verbs such as (*…) are not supported"},
    {"a\\Kb", 1, "this escape is not supported"},
    {"\\R", 0, "this escape is not supported"},
    {"\\X", 0, "this escape is not supported"},
    {"\\C", 0, "this escape is not supported"},
    {"\\Gx", 0, "this escape is not supported"},
    {"\\Zx", 0, "this escape is not supported"},
    {"a\\", 1, "the pattern ends in a backslash"},
    {"[a", 0, "this [ is never closed"},
    // PCRE2 ends this class at the first ], and an alternative follows.
    {"[[:a]|b:]c]def", 1, "a class within a class looks like [:alpha:]; write a plain [ as \\["},
    {"[[:a](?=x):]]", 1, "a class within a class looks like [:alpha:]; write a plain [ as \\["},
    {"[[:]", 1, "a class within a class looks like [:alpha:]; write a plain [ as \\["},
    {"[\\1]", 1, "back-references are not supported"},
    {"\\p{", 0, "this escape has no closing }"},
    {"\\x{41", 0, "this escape has no closing }"},
    {"^*a", 1, "there is nothing to repeat"},
};

Test(cel_regex, refuses_what_re2_refuses)
{
    for (size_t i = 0; i < COUNT_OF(REFUSED); i++) {
        struct regex *regex = NULL;
        char why[REGEX_WHY_MAX];
        size_t at = 99;
        cr_expect_neq(regex_new(str_of(REFUSED[i].pattern), &regex, why, &at), PDP_ERR_OK, "%s",
                      REFUSED[i].pattern);
        cr_expect_str_eq(why, REFUSED[i].why, "%s: %s", REFUSED[i].pattern, why);
        cr_expect_eq(at, REFUSED[i].at, "%s: at %zu", REFUSED[i].pattern, at);
        regex_free(&regex);
    }
}

Test(cel_regex, pcre_own_complaints_come_through)
{
    static const char *const BAD[] = {"(a",         "a)",          "[b-a]",   "\\p{Klingon}",
                                      "[[:nope:]]", "\\x{110000}", "(?P<1>a)"};
    for (size_t i = 0; i < COUNT_OF(BAD); i++) {
        struct regex *regex = NULL;
        char why[REGEX_WHY_MAX] = "";
        size_t at = 0;
        cr_expect_neq(regex_new(str_of(BAD[i]), &regex, why, &at), PDP_ERR_OK, "%s", BAD[i]);
        cr_expect_neq(why[0], '\0');
        cr_expect_leq(at, strlen(BAD[i]));
    }
}

Test(cel_regex, hard_patterns_end_at_the_limit)
{
    static const char *const HARD[] = {"^(([a-z])+.)+[A-Z]([a-z])+$", "(a+)+$", "(a|aa)+$"};
    struct regex_scratch *scratch = NULL;
    cr_assert_eq(regex_scratch_new(10000, &scratch), PDP_ERR_OK);
    for (size_t i = 0; i < COUNT_OF(HARD); i++) {
        struct regex *regex = NULL;
        char why[REGEX_WHY_MAX];
        size_t at = 0;
        cr_assert_eq(regex_new(str_of(HARD[i]), &regex, why, &at), PDP_ERR_OK);
        cr_expect_eq(
            regex_find(regex, scratch, STR("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa!")), -1,
            "%s", HARD[i]);
        regex_free(&regex);
    }
    regex_scratch_free(&scratch);
}

// The JIT of PCRE2 10.42 misses these where it looks for a start by itself.
Test(cel_regex, misses_no_match)
{
    static const char *const PATTERNS[] = {"(?:a|).+.a", "(a|).+?.a", "(a|).+?.aa{0,1}"};
    AUTO(regex_scratch_free) struct regex_scratch *scratch = NULL;
    cr_assert_eq(regex_scratch_new(10000, &scratch), PDP_ERR_OK);
    for (size_t i = 0; i < COUNT_OF(PATTERNS); i++) {
        AUTO(regex_free) struct regex *regex = NULL;
        char why[REGEX_WHY_MAX];
        size_t at = 0;
        cr_assert_eq(regex_new(str_of(PATTERNS[i]), &regex, why, &at), PDP_ERR_OK);
        cr_expect_eq(regex_find(regex, scratch, STR("a/ab")), 1, "%s", PATTERNS[i]);
    }
}

Test(cel_regex, a_long_text_is_no_long_match)
{
    AUTO(regex_scratch_free) struct regex_scratch *scratch = NULL;
    AUTO(regex_free) struct regex *regex = NULL;
    static char text[50000];
    char why[REGEX_WHY_MAX];
    size_t at = 0;
    memset(text, 'c', sizeof text);
    cr_assert_eq(regex_scratch_new(10000, &scratch), PDP_ERR_OK);
    cr_assert_eq(regex_new(STR("c[0-9]x?"), &regex, why, &at), PDP_ERR_OK);
    cr_expect_eq(regex_find(regex, scratch, (struct str){text, sizeof text}), 0);
    text[sizeof text - 1] = '7';
    cr_expect_eq(regex_find(regex, scratch, (struct str){text, sizeof text}), 1);
}
