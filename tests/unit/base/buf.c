// SPDX-License-Identifier: Apache-2.0
#include "base/buf.h"

#include <criterion/criterion.h>

Test(base_buf, failure_sticks_and_keeps_a_prefix)
{
    struct buf buf = {.limit = 300};
    for (int i = 0; i < 100; i++) {
        buf_put(&buf, "0123456789", 10);
    }
    cr_expect(buf.failed);
    cr_expect_eq(buf.len, 300u);
    buf_clear(&buf);
    buf_printf(&buf, "%d-%s", 7, "x");
    cr_expect(str_eq(buf_view(&buf), STR("7-x")) && !buf.failed);
    buf_fini(&buf);
}

static const struct {
    struct str raw;
    const char *shown;
} ESCAPES[] = {
    {{"plain", 5}, "plain"},
    {{"a\nb\x1b[0m", 7}, "a\\x0ab\\x1b[0m"},
    {{"back\\slash", 10}, "back\\x5cslash"},
    {{"gr\xC3\xBCn", 5}, "gr\xC3\xBCn"},
    {{"\xC3(", 2}, "\\xc3("},
    {{"\xE2\x80\xAEtxt", 6}, "\\xe2\\x80\\xaetxt"}, // right-to-left override
    {{"\0", 1}, "\\x00"},
};

Test(base_buf, escapes_what_could_fool_a_reader)
{
    for (size_t i = 0; i < COUNT_OF(ESCAPES); i++) {
        struct buf out = {0};
        buf_escaped(&out, ESCAPES[i].raw);
        cr_expect(str_eq(buf_view(&out), str_of(ESCAPES[i].shown)), "row %zu: " STR_FMT, i,
                  STR_ARG(buf_view(&out)));
        buf_fini(&out);
    }
}
