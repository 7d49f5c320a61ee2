// SPDX-License-Identifier: Apache-2.0
#include "cel/parts.h"

#include "base/buf.h"

#include <criterion/criterion.h>

// `ALL[a, ANY[b, c]]`, with the text of each part.
static size_t show(struct str text, const struct cel_part *parts, size_t count, size_t at, struct buf *out)
{
    static const char *const NAMES[] = {
        [CEL_PART_ATOM] = "", [CEL_PART_ALL] = "ALL", [CEL_PART_ANY] = "ANY", [CEL_PART_NOT] = "NOT"};
    const struct cel_part *part = &parts[at];
    buf_printf(out, "%s{" STR_FMT "}", NAMES[part->op], STR_ARG(str_sub(text, part->at, part->len)));
    size_t next = at + 1;
    while (next < count && parts[next].parent == at) {
        buf_str(out, next == at + 1 ? STR("[") : STR(" "));
        next = show(text, parts, count, next, out);
    }
    buf_str(out, next > at + 1 ? STR("]") : STR(""));
    return next;
}

static const struct {
    const char *text, *parts;
} CASES[] = {
    {"a", "{a}"},
    {"a && b && c", "ALL{a && b && c}[{a} {b} {c}]"},
    {"a || b && !c", "ANY{a || b && !c}[{a} ALL{b && !c}[{b} NOT{!c}[{c}]]]"},
    {"(a || b) && c", "ALL{(a || b) && c}[ANY{a || b}[{a} {b}] {c}]"},
    {"c && (a || b)", "ALL{c && (a || b)}[{c} ANY{a || b}[{a} {b}]]"},
    {"((a || b) && c) || d", "ANY{((a || b) && c) || d}[ALL{(a || b) && c}[ANY{a || b}[{a} {b}] {c}] {d}]"},
    {"(a + b) == c && d", "ALL{(a + b) == c && d}[{(a + b) == c} {d}]"},
    {"([1] + [2])[0] == x", "{([1] + [2])[0] == x}"},
    {"!!a", "NOT{!!a}[NOT{!a}[{a}]]"},
    {"! !!a", "NOT{! !!a}[{a}]"},
    {"!(a && b)", "NOT{!(a && b)}[ALL{a && b}[{a} {b}]]"},
    {"a ? b && c : d", "{a ? b && c : d}"},
    {"xs.exists(x, x == 1 && y) && has(a.b)", "ALL{xs.exists(x, x == 1 && y) && has(a.b)}"
                                              "[{xs.exists(x, x == 1 && y)} {has(a.b)}]"},
    {"a == \")(\" && b", "ALL{a == \")(\" && b}[{a == \")(\"} {b}]"},
    {"a && (b) // why", "ALL{a && (b)}[{a} {b}]"},
    {"(a) && ((b || c) && d) && f([e])[0]",
     "ALL{(a) && ((b || c) && d) && f([e])[0]}[{a} ALL{(b || c) && d}[ANY{b || c}[{b} {c}] {d}] {f([e])[0]}]"},
    {"((a)) == 1 || (((b)) && c) || (d || (e))",
     "ANY{((a)) == 1 || (((b)) && c) || (d || (e))}[{((a)) == 1} ALL{((b)) && c}[{b} {c}] ANY{d || (e)}[{d} {e}]]"},
};

Test(cel_parts, says_the_structure_as_written)
{
    for (size_t i = 0; i < COUNT_OF(CASES); i++) {
        struct arena arena;
        struct buf out = {0};
        struct cel_part *parts = NULL;
        size_t count = 0;
        arena_init(&arena, 0, 0);
        struct str text = str_of(CASES[i].text);
        cr_assert_eq(cel_parts(text, &arena, &parts, &count), PDP_ERR_OK, "%s", CASES[i].text);
        cr_expect_eq(show(text, parts, count, 0, &out), count);
        buf_byte(&out, 0);
        cr_expect_str_eq((const char *)out.at, CASES[i].parts);
        buf_fini(&out);
        arena_fini(&arena);
    }
}

Test(cel_parts, gives_nothing_of_what_is_no_expression)
{
    static const char *const BAD[] = {"", "a &&", "a)", "\"", "a b", "1 + "};
    for (size_t i = 0; i < COUNT_OF(BAD); i++) {
        struct arena arena;
        struct cel_part *parts = NULL;
        size_t count = 7;
        arena_init(&arena, 0, 0);
        cr_expect_neq(cel_parts(str_of(BAD[i]), &arena, &parts, &count), PDP_ERR_OK, "%s", BAD[i]);
        cr_expect_eq(count, 0);
        arena_fini(&arena);
    }
}
