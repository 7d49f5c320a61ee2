// SPDX-License-Identifier: Apache-2.0
#include "risk/horizon.h"

#include "base/fmath.h"
#include "risk.h"

// The level may not change before the horizon: tried on random sums of suspicion and reassurance.
Test(risk_horizon, is_never_later_than_the_crossing)
{
    uint64_t state = 99;
    int bounded = 0;
    for (int n = 0; n < 20000; n++) {
        double value[6];
        int64_t half[6];
        struct horizon h = {0};
        double sum = -3.4;
        for (int i = 0; i < 6; i++) {
            state = state * 6364136223846793005u + 1442695040888963407u;
            value[i] = (double)(state >> 51) / 2048;
            half[i] = (int64_t)(1 + (state >> 7) % 1000) * MINUTE;
            sum += i < 3 ? value[i] : -value[i];
            if (i < 3) {
                horizon_fades(&h, value[i], 1 / (double)half[i]);
            } else {
                horizon_returns(&h, value[i], 1 / (double)half[i]);
            }
        }
        double below = sum - (double)(n % 17) / 7, above = sum + 1e-6 + (double)(n % 5) / 3;
        int64_t until = horizon_until(&h, -3.4, below, above, 0);
        cr_assert(until >= 0);
        bounded += until > 0 && until < INT64_MAX;
        for (int part = 1; part <= 4; part++) {
            int64_t at = until < 1000 * DAY ? until / 4 * part : 250 * DAY * part;
            double then = -3.4;
            for (int i = 0; i < 6; i++) {
                then += fmath_decay(i < 3 ? value[i] : -value[i], at, half[i]);
            }
            cr_assert(then >= below - 1e-9 && then < above, "%d: %g at %" PRId64 " of %g..%g", n, then, at,
                      below, above);
        }
    }
    cr_expect(bounded > 5000, "only %d cases say anything", bounded);
}

Test(risk_horizon, of_one_signal_is_exact)
{
    struct horizon h = {0};
    horizon_fades(&h, 4, 1 / (double)HOUR);
    int64_t until = horizon_until(&h, 0, 1, INFINITY, T0);
    cr_expect(until <= T0 + 2 * HOUR && until > T0 + 2 * HOUR - 10, "%" PRId64, until - T0);
    cr_expect_eq(horizon_until(&h, 0, -1, INFINITY, T0), INT64_MAX, "never falls so far");
    h = (struct horizon){0};
    horizon_returns(&h, 4, 1 / (double)HOUR);
    until = horizon_until(&h, 0, -INFINITY, -1, T0);
    cr_expect(until <= T0 + 2 * HOUR && until > T0 + 2 * HOUR - 10, "what fades of reassurance raises");
    cr_expect_eq(horizon_until(&h, 0, -INFINITY, 0.5, T0), INT64_MAX);
    h = (struct horizon){0};
    cr_expect_eq(horizon_until(&h, 0, -1, 1, T0), INT64_MAX, "nothing fades");
    horizon_fades(&h, 4, 1 / (double)HOUR);
    cr_expect_eq(horizon_until(&h, 0, 1, INFINITY, INT64_MAX), INT64_MAX);
}
