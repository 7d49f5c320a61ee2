// SPDX-License-Identifier: Apache-2.0
#include "risk/fade.h"

#include "base/fmath.h"

#include <criterion/criterion.h>
#include <math.h>

Test(risk_fade, is_the_exponential)
{
    for (uint32_t hours = 0; hours < 62 * 1440; hours++) {
        double want = fmath_exp2(-(double)hours / 1440), is = fade(1, 5, 5 + hours);
        cr_assert(fabs(is - want) <= 1e-14 * want + 1e-300, "%u h: %.17g, not %.17g", hours, is, want);
    }
    cr_expect_eq(fade(3, 9, 9), 3);
    cr_expect_eq(fade(3, 9, 2), 3, "what lies ahead of its time counts as it is");
    cr_expect_eq(fade(3, 0, UINT32_MAX), 0);
}
