// SPDX-License-Identifier: Apache-2.0
#include "base/arena.h"

#include <criterion/criterion.h>

Test(base_arena, aligns_and_keeps_what_it_gave)
{
    struct arena arena;
    arena_init(&arena, 256, 0);
    unsigned char *all[500];
    for (size_t i = 0; i < COUNT_OF(all); i++) {
        size_t align = (size_t)1 << (i % 5);
        all[i] = arena_alloc(&arena, i, align);
        cr_assert_not_null(all[i]);
        cr_assert_eq((uintptr_t)all[i] % align, 0u);
        if (i > 0) {
            memset(all[i], (int)(i & 255), i);
        }
    }
    for (size_t i = 0; i < COUNT_OF(all); i++) {
        for (size_t j = 0; j < i; j++) {
            cr_assert_eq(all[i][j], (unsigned char)(i & 255));
        }
    }
    arena_fini(&arena);
}

Test(base_arena, a_reset_takes_nothing_new_from_the_heap)
{
    struct arena arena;
    arena_init(&arena, 128, 0);
    size_t used = 0;
    for (int round = 0; round < 50; round++) {
        for (size_t i = 1; i < 60; i++) {
            cr_assert_not_null(arena_alloc(&arena, i * 7 % 300 + 1, 8));
        }
        cr_assert(round < 2 || arena.used_bytes == used, "round %d: %zu, was %zu", round, arena.used_bytes,
                  used);
        used = arena.used_bytes;
        arena_reset(&arena);
    }
    arena_fini(&arena);
}

Test(base_arena, a_limit_holds)
{
    struct arena arena;
    arena_init(&arena, 1024, 4096);
    size_t given = 0;
    while (arena_alloc(&arena, 100, 1) != NULL) {
        given += 100;
    }
    cr_expect(given > 2000 && given <= 4096, "%zu", given);
    cr_expect_null(arena_alloc(&arena, SIZE_MAX, 8));
    cr_expect_null(arena_zero(&arena, SIZE_MAX / 2, 8, 8));
    arena_fini(&arena);
}
