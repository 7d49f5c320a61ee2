// SPDX-License-Identifier: Apache-2.0
#include "common/cookie.h"

#include <criterion/criterion.h>

static const struct {
    const char *name, *headers[3];
    enum cookie_found found;
    const char *value;
} CASES[] = {
    {"no header", {NULL}, COOKIE_NONE, NULL},
    {"alone", {"sid=abc"}, COOKIE_ONE, "abc"},
    {"among others", {"a=1; sid=abc; b=2"}, COOKIE_ONE, "abc"},
    {"no blank behind the semicolon", {"a=1;sid=abc;b=2"}, COOKIE_ONE, "abc"},
    {"in the second header", {"a=1", "sid=abc"}, COOKIE_ONE, "abc"},
    {"blanks around", {" \t sid \t= abc \t;"}, COOKIE_ONE, "abc"},
    {"an equals sign in the value", {"sid=a=b=="}, COOKIE_ONE, "a=b=="},
    {"quotes are the value's", {"sid=\"abc\""}, COOKIE_ONE, "\"abc\""},
    {"empty", {"sid="}, COOKIE_ONE, ""},
    {"empty at the end", {"a=1; sid="}, COOKIE_ONE, ""},
    {"no value at all", {"sid"}, COOKIE_NONE, NULL},
    {"another case is another name", {"SID=abc"}, COOKIE_NONE, NULL},
    {"a longer name", {"xsid=abc; sidx=abc; sid.x=1"}, COOKIE_NONE, NULL},
    {"in another's value", {"a=sid=abc"}, COOKIE_NONE, NULL},
    {"in another's quotes", {"a=\"x; sid=evil\"; sid=abc"}, COOKIE_AMBIGUOUS, NULL},
    {"twice", {"sid=a; sid=b"}, COOKIE_AMBIGUOUS, NULL},
    {"twice in two headers", {"sid=a", "sid=b"}, COOKIE_AMBIGUOUS, NULL},
    {"twice the same", {"sid=a; sid=a"}, COOKIE_ONE, "a"},
    {"the same and then another", {"sid=a; sid=a", "sid=b"}, COOKIE_AMBIGUOUS, NULL},
    {"a comma separates nothing", {"a=1, sid=abc"}, COOKIE_NONE, NULL},
    {"empty pairs", {";;; ;sid=a;;"}, COOKIE_ONE, "a"},
};

Test(adapters_cookie, finds_one_or_says_that_it_cannot_tell)
{
    for (size_t i = 0; i < COUNT_OF(CASES); i++) {
        struct text headers[3], value = TEXT("left over");
        size_t count = 0;
        while (count < 3 && CASES[i].headers[count] != NULL) {
            headers[count] = text_of(CASES[i].headers[count]);
            count++;
        }
        enum cookie_found found = cookie_find(headers, count, TEXT("sid"), &value);
        cr_expect_eq(found, CASES[i].found, "%s: %d", CASES[i].name, found);
        cr_expect(text_eq(value, text_of(CASES[i].value)), "%s: `%.*s`", CASES[i].name, (int)value.len,
                  value.at);
        cr_expect_eq(value.at == NULL, CASES[i].found != COOKIE_ONE, "%s", CASES[i].name);
    }
}

Test(adapters_cookie, knows_what_can_be_a_name)
{
    const char *const GOOD[] = {"sid", "__Host-sid", "a.b_c~d!"}, *const BAD[] = {"",    "a b",  "a=b",
                                                                                  "a;b", "\x80", "a\n"};
    for (size_t i = 0; i < COUNT_OF(GOOD); i++) {
        cr_expect(cookie_named(text_of(GOOD[i])), "%s", GOOD[i]);
    }
    for (size_t i = 0; i < COUNT_OF(BAD); i++) {
        cr_expect_not(cookie_named(text_of(BAD[i])), "%s", BAD[i]);
    }
}
