// SPDX-License-Identifier: Apache-2.0
#include "cel/space.h"

#include <criterion/criterion.h>

static const struct {
    const char *text, *plain, *quoted; // NULL: it stays; what it is in a plain scalar, and in quotes
} CASES[] = {
    {"a==b&&c!=d||!e", "a == b && c != d || !e", "a == b && c != d || !e"},
    {"a  ==  b", "a == b", "a == b"},
    {"( a||b )&&c", "(a || b) && c", "(a || b) && c"},
    {"a<b", "a < b", "a < b"},
    {"a<=b", "a <= b", "a <= b"},
    {"f( x,y )", "f(x, y)", "f(x, y)"},
    {"f (x)", "f(x)", "f(x)"},
    {"a . b . c( )", "a.b.c()", "a.b.c()"},
    {"a [ 0 ]", "a[0]", "a[0]"},
    {"[ 1,2 ]", "[1, 2]", "[1, 2]"},
    {"a in[1]", "a in [1]", "a in [1]"},
    {"a-1", "a - 1", "a - 1"},
    {"a - - 1", "a - -1", "a - -1"},
    {"- 1+a", "-1 + a", "-1 + a"},
    {"[- 1, - a]", "[-1, -a]", "[-1, -a]"},
    {"! ! a", "!!a", "!!a"},
    {"a*b/c%d", "a * b / c % d", "a * b / c % d"},
    {"a?b:c", "a ? b:c", "a ? b : c"},
    {"{'a':1}", "{\"a\":1}", "{\"a\": 1}"},
    {"{\"a\" :b?c:d}", "{\"a\" :b ? c:d}", "{\"a\": b ? c : d}"},
    {"a=='b'", "a == \"b\"", "a == \"b\""},
    {"a=='b\"c'", "a == 'b\"c'", "a == 'b\"c'"},
    {"a=='b\\n'", "a == 'b\\n'", "a == 'b\\n'"},
    {"a==r'b'", "a == r'b'", "a == r'b'"},
    {"a=='''b'''", "a == '''b'''", "a == '''b'''"},
    {"a.`b-c`==1", "a.`b-c` == 1", "a.`b-c` == 1"},
    {"l.all(x,x>0)", "l.all(x, x > 0)", "l.all(x, x > 0)"},
    {"a&&\n  b", "a &&\n  b", "a &&\n  b"},
    {"a // why\n&&b", "a // why\n&& b", "a // why\n&& b"},
    {" a ", " a ", " a "},
    {"not a", NULL, NULL},
    {"a ==", NULL, NULL},
    {"a = b", NULL, NULL},
    {"60%", NULL, NULL},
    {"", NULL, NULL},
};

static void check(const char *text, bool plain, const char *wanted)
{
    AUTO(arena_fini) struct arena arena;
    AUTO(buf_fini) struct buf out = {0};
    arena_init(&arena, 0, 0);
    bool done = space_print(str_of(text), plain, &arena, &out);
    cr_expect_eq(done, wanted != NULL, "%s", text);
    cr_expect(str_eq(buf_view(&out), str_of(wanted != NULL ? wanted : "")), "%s: " STR_FMT, text,
              STR_ARG(buf_view(&out)));
}

Test(cel_space, sets_blanks_right)
{
    for (size_t i = 0; i < COUNT_OF(CASES); i++) {
        check(CASES[i].text, true, CASES[i].plain);
        check(CASES[i].text, false, CASES[i].quoted);
        if (CASES[i].plain != NULL) { // what was written stays
            check(CASES[i].plain, true, CASES[i].plain);
            check(CASES[i].quoted, false, CASES[i].quoted);
        }
    }
}

Test(cel_space, tells_the_same_from_another)
{
    AUTO(arena_fini) struct arena arena;
    arena_init(&arena, 0, 0);
    cr_expect(space_same(STR("a=='b'"), STR("a == \"b\""), &arena));
    cr_expect_not(space_same(STR("a == 'b'"), STR("a == 'c'"), &arena));
    cr_expect_not(space_same(STR("a < b"), STR("a <= b"), &arena));
    cr_expect_not(space_same(STR("a"), STR("a b"), &arena));
    cr_expect_not(space_same(STR("a b"), STR("a"), &arena));
    cr_expect_not(space_same(STR("1"), STR("1u"), &arena));
    cr_expect_not(space_same(STR("="), STR("="), &arena));
    cr_expect(space_same(STR(""), STR("  "), &arena));
}
