// SPDX-License-Identifier: Apache-2.0
#include "cel/types.h"

#include <criterion/criterion.h>

Test(cel_unify, parameters_take_the_most_general_type)
{
    struct arena arena;
    arena_init(&arena, 0, 0);
    struct unify u = {.arena = &arena};
    const struct type *a = unify_fresh(&u), *ints = types_list(&arena, types_of(T_INT));
    cr_expect(unify_assignable(&u, a, types_of(T_INT)));
    cr_expect(types_equal(unify_apply(&u, a, true), types_of(T_INT)));
    cr_expect_not(unify_assignable(&u, a, types_of(T_STRING)), "an int already");
    cr_expect(types_equal(unify_apply(&u, a, true), types_of(T_INT)), "a failure leaves no trace");
    cr_expect(unify_assignable(&u, a, types_of(T_DYN)));
    cr_expect(types_equal(unify_apply(&u, a, true), types_of(T_DYN)));
    const struct type *b = unify_fresh(&u);
    cr_expect(unify_assignable(&u, types_list(&arena, b), ints));
    cr_expect(types_equal(unify_apply(&u, types_list(&arena, b), true), ints));
    cr_expect_not(unify_assignable(&u, b, types_of(T_BOOL)));
    arena_fini(&arena);
}

Test(cel_unify, no_type_holds_itself)
{
    struct arena arena;
    arena_init(&arena, 0, 0);
    struct unify u = {.arena = &arena};
    const struct type *a = unify_fresh(&u), *b = unify_fresh(&u);
    cr_expect_not(unify_assignable(&u, a, types_list(&arena, a)));
    cr_expect(unify_assignable(&u, a, types_list(&arena, b)));
    cr_expect_not(unify_assignable(&u, b, types_map(&arena, types_of(T_STRING), a)));
    cr_expect_eq(unify_apply(&u, a, true)->kind, T_LIST);
    arena_fini(&arena);
}

Test(cel_unify, all_or_nothing)
{
    struct arena arena;
    arena_init(&arena, 0, 0);
    struct unify u = {.arena = &arena};
    const struct type *a = unify_fresh(&u);
    const struct type *to[] = {a, types_of(T_BOOL)}, *from[] = {types_of(T_INT), types_of(T_STRING)};
    cr_expect_not(unify_assignable_all(&u, to, from, 2));
    cr_expect_eq(unify_apply(&u, a, false)->kind, T_PARAM, "still free");
    arena_fini(&arena);
}
