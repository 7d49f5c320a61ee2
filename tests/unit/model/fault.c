// SPDX-License-Identifier: Apache-2.0
#include "model/fault.h"

#include <criterion/criterion.h>

static const struct {
    struct str raw;
    const char *quoted;
} QUOTES[] = {
#define ROW(raw, quoted)               \
    {                                  \
        {raw, sizeof(raw) - 1}, quoted \
    }
    ROW("", "``"),
    ROW("plain", "`plain`"),
    ROW("a`b\\c", "`a\\x60b\\x5cc`"),
    ROW("a\n\0\x7f", "`a\\x0a\\x00\\x7f`"),
    ROW("\xff\xc3", "`\\xff\\xc3`"),
    ROW("\xc2\x85", "`\\xc2\\x85`"),
    ROW("\xc3\xbc\xe2\x82\xac\xf0\x9f\x92\xb0", "`\xc3\xbc\xe2\x82\xac\xf0\x9f\x92\xb0`"),
    ROW("\x1b[31mred", "`\\x1b[31mred`"),
};

Test(model_fault, quotes_text_from_outside)
{
    for (size_t i = 0; i < COUNT_OF(QUOTES); i++) {
        struct fault_quote quote = fault_quote(QUOTES[i].raw);
        cr_expect_str_eq(quote.text, QUOTES[i].quoted, "%zu: %s", i, quote.text);
    }
}

Test(model_fault, cuts_between_code_points)
{
    char text[400];
    for (size_t len = 0; len + 2 < sizeof text; len++) {
        memset(text, 'x', len);
        memcpy(text + len, "\xc3\xbc", 2);
        struct fault_quote quote = fault_quote((struct str){text, len + 2});
        cr_expect(str_is_utf8(str_of(quote.text)), "%zu: %s", len, quote.text);
        text[len + 2] = '\0';
        struct fault why;
        cr_expect_eq(fault_set(&why, text, "%s", text), PDP_ERR_MALFORMED);
        cr_expect(str_is_utf8(str_of(why.field)) && str_is_utf8(str_of(why.what)), "%zu", len);
        cr_expect(strlen(why.what) + 3 > sizeof why.what || strlen(why.what) == len + 2, "%zu", len);
    }
    cr_expect_eq(fault_set(NULL, "x", "y"), PDP_ERR_MALFORMED);
    cr_expect_eq(fault_at(NULL, 1, "y"), PDP_ERR_MALFORMED);
}
