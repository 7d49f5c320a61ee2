// SPDX-License-Identifier: Apache-2.0
#include "engine/breaker.h"

#include <criterion/criterion.h>

#define NOW INT64_C(1795420800000)

Test(engine_breaker, allows_a_share_or_the_least)
{
    struct breaker breaker = {.percent = 20, .least = 5};
    for (int i = 0; i < 5; i++) {
        cr_expect(breaker_allows(&breaker, 10, NOW), "%d", i);
    }
    cr_expect(!breaker_allows(&breaker, 10, NOW)); // six of sixteen
    cr_expect(breaker_holds(&breaker, 10, NOW));
    cr_expect(!breaker_holds(&breaker, 1000, NOW)); // of a thousand they are few
    cr_expect_eq(breaker_count(&breaker, NOW), 6);
}

Test(engine_breaker, is_calm_after_the_window_and_after_a_reset)
{
    struct breaker breaker = {.percent = 1, .least = 2};
    for (int i = 0; i < 50; i++) {
        (void)breaker_allows(&breaker, 100, NOW + i * 1000);
    }
    cr_expect(breaker_holds(&breaker, 100, NOW + 60000));
    cr_expect(breaker_holds(&breaker, 100, NOW - 3600000)); // a clock that steps back forgets nothing
    cr_expect(!breaker_holds(&breaker, 100, NOW + 50000 + BREAKER_WINDOW_MS + 30000));
    breaker_reset(&breaker);
    cr_expect(!breaker_holds(&breaker, 100, NOW + 60000));
    cr_expect(breaker_allows(&breaker, 100, NOW + 60000));
}

Test(engine_breaker, there_may_be_none)
{
    struct breaker breaker = {0};
    for (int i = 0; i < 1000; i++) {
        cr_expect(breaker_allows(&breaker, 1, NOW));
    }
}
