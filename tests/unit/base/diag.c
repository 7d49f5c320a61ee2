// SPDX-License-Identifier: Apache-2.0
#include "base/diag.h"

#include <criterion/criterion.h>

static void expect_text(struct diags *diags, const char *want)
{
    struct buf out = {0};
    diags_render(diags, &out);
    cr_expect(str_eq(buf_view(&out), str_of(want)), "got:\n" STR_FMT "\nexpected:\n%s",
              STR_ARG(buf_view(&out)), want);
    buf_fini(&out);
    diags_fini(diags);
}

Test(base_diag, shows_line_caret_and_hint)
{
    struct source file = {STR("policies/payments.yaml"), STR("rules:\n    when: session.risk >= \"high\"\n")};
    struct diags diags;
    diags_init(&diags, 10);
    (void)diag_error(&diags, PDP_ERR_TYPE, (struct place){&file, 33, 6},
                     "`session.risk` is a number, but `\"high\"` is text");
    diag_hint(&diags, "compare with a number from 0 to 100, such as %d", 60);
    expect_text(&diags,
                "policies/payments.yaml:2:27: error: `session.risk` is a number, but `\"high\"` is text\n"
                "    2 |     when: session.risk >= \"high\"\n"
                "      |                           ^~~~~~\n"
                "  hint: compare with a number from 0 to 100, such as 60\n");
}

Test(base_diag, counts_columns_in_code_points_and_sorts)
{
    struct source file = {STR("a.yaml"), STR("\xC3\xBC: x\ty\nz")};
    struct diags diags;
    diags_init(&diags, 10);
    (void)diag_error(&diags, PDP_ERR_SYNTAX, (struct place){&file, 8, 1}, "second");
    diag_warning(&diags, (struct place){&file, 4, 1}, "first");
    expect_text(&diags, "a.yaml:1:4: warning: first\n    1 | \xC3\xBC: x y\n      |    ^\n"
                        "a.yaml:2:1: error: second\n    2 | z\n      | ^\n");
}

Test(base_diag, keeps_a_bounded_number)
{
    struct diags diags;
    diags_init(&diags, 2);
    for (int i = 0; i < 5; i++) {
        (void)diag_error(&diags, PDP_ERR_TYPE, (struct place){0}, "number %d", i);
        cr_expect_eq(diag_wants_hint(&diags), i < 2); // hints of others are not worth looking for
        diag_hint(&diags, "hint %d", i);
    }
    cr_expect_eq(diags.errors, 5u);
    expect_text(&diags, "error: number 0\n  hint: hint 0\nerror: number 1\n  hint: hint 1\n… and 3 more\n");
}

Test(base_diag, survives_places_outside_the_text)
{
    struct source file = {STR("x\x1b[31m.yaml"), STR("ab")};
    struct diags diags;
    diags_init(&diags, 2);
    (void)diag_error(&diags, PDP_ERR_TYPE, (struct place){&file, 4000000, 4000000}, "far");
    expect_text(&diags, "x\\x1b[31m.yaml:1:3: error: far\n    1 | ab\n      |   ^\n");
}
