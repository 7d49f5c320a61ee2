// SPDX-License-Identifier: Apache-2.0
#include "risk/fit.h"

#include "base/fmath.h"

#include <criterion/criterion.h>
#include <math.h>
#include <stdlib.h>

#define POINTS_MOST 40000

static struct measure_point points[POINTS_MOST];
static size_t count;

static void add(double value, bool attack, size_t times)
{
    for (size_t i = 0; i < times; i++) {
        cr_assert_lt(count, (size_t)POINTS_MOST);
        points[count++] = (struct measure_point){value, attack};
    }
}

// Of `each` points at each log-odds, as many attacks as σ(a·L + b) says.
static void add_calibrated(double a, double b, size_t each)
{
    for (int step = -16; step <= 16; step++) {
        double value = step / 4.0;
        size_t attacks = (size_t)(fmath_sigmoid(a * value + b) * (double)each + 0.5);
        add(value, true, attacks);
        add(value, false, each - attacks);
    }
}

Test(risk_fit, leaves_what_is_right_as_it_is)
{
    struct fit fit;
    add_calibrated(1, 0, 1000);
    cr_assert_eq(fit_platt(points, count, &fit), PDP_ERR_OK);
    cr_expect_float_eq(fit.a, 1, 0.01, "a %g", fit.a);
    cr_expect_float_eq(fit.b, 0, 0.01, "b %g", fit.b);
    cr_expect_eq(fit.notes, 0U, "%x", fit.notes);
    cr_expect_eq(fit.attacks + fit.others, count);
}

Test(risk_fit, finds_the_pair_that_made_the_labels)
{
    static const double PAIRS[][2] = {{2, 0.5}, {0.5, -2}, {0.3, 1}, {1.7, -3}};
    for (size_t i = 0; i < COUNT_OF(PAIRS); i++) {
        struct fit fit;
        count = 0;
        add_calibrated(PAIRS[i][0], PAIRS[i][1], 1000);
        cr_assert_eq(fit_platt(points, count, &fit), PDP_ERR_OK);
        cr_expect_float_eq(fit.a, PAIRS[i][0], 0.02, "%zu: a %g", i, fit.a);
        cr_expect_float_eq(fit.b, PAIRS[i][1], 0.03, "%zu: b %g", i, fit.b);
    }
}

// Two log-odds: the best pair meets the smoothed share at each, and can be written down.
Test(risk_fit, meets_two_shares_exactly)
{
    struct fit fit;
    add(-1, false, 90);
    add(-1, true, 10);
    add(2, false, 20);
    add(2, true, 80);
    cr_assert_eq(fit_platt(points, count, &fit), PDP_ERR_OK);
    double attack = 91.0 / 92, other = 1.0 / 112; // 90 attacks, 110 others
    double low = (10 * attack + 90 * other) / 100, high = (80 * attack + 20 * other) / 100;
    double slope = (fmath_log(high / (1 - high)) - fmath_log(low / (1 - low))) / 3;
    cr_expect_float_eq(fit.a, slope, 1e-6, "a %.9g, not %.9g", fit.a, slope);
    cr_expect_float_eq(fit.b, fmath_log(low / (1 - low)) + slope, 1e-6, "b %.9g", fit.b);
}

Test(risk_fit, answers_what_can_be_parted_with_a_bound_and_says_so)
{
    struct fit fit;
    add(-1, false, 60);
    add(1, true, 60);
    cr_assert_eq(fit_platt(points, count, &fit), PDP_ERR_OK);
    cr_expect_eq(fit.notes, (unsigned)FIT_SEPARABLE, "%x", fit.notes);
    // The smoothed targets, 61/62 at 1 and 1/62 at -1.
    cr_expect_float_eq(fit.a, fmath_log(61.0), 1e-6, "a %g", fit.a);
    cr_expect_float_eq(fit.b, 0, 1e-9, "b %g", fit.b);

    count = 0;
    add(-1e-6, false, 60);
    add(1e-6, true, 60);
    cr_assert_eq(fit_platt(points, count, &fit), PDP_ERR_OK);
    cr_expect_eq(fit.a, FIT_SLOPE_MOST);
    cr_expect_eq(fit.notes, (unsigned)(FIT_SEPARABLE | FIT_HELD), "%x", fit.notes);
}

Test(risk_fit, never_turns_the_score_round)
{
    struct fit fit;
    add(-1, true, 80);
    add(-1, false, 20);
    add(1, false, 80);
    add(1, true, 20);
    cr_assert_eq(fit_platt(points, count, &fit), PDP_ERR_OK);
    cr_expect_eq(fit.a, FIT_SLOPE_LEAST);
    cr_expect(fit.notes & FIT_BACKWARDS);
    cr_expect_float_eq(fit.b, 0, 1e-6, "half of all are attacks: b %g", fit.b);
}

Test(risk_fit, holds_the_shift_within_what_a_model_takes)
{
    struct fit fit;
    add(-1000, false, 60);
    add(-990, true, 60);
    cr_assert_eq(fit_platt(points, count, &fit), PDP_ERR_OK);
    cr_expect_eq(fit.b, FIT_SHIFT_MOST, "b %g", fit.b);
    cr_expect(fit.notes & FIT_HELD);
    cr_expect(fit.a >= FIT_SLOPE_LEAST && fit.a < 1, "a %g", fit.a);
}

Test(risk_fit, refuses_what_has_no_answer)
{
    struct fit fit = {.a = 7};
    cr_expect_eq(fit_platt(points, 0, &fit), PDP_ERR_MISSING);
    cr_expect(fit.a == 1 && fit.b == 0);
    add(1, true, 60);
    add(2, true, 60);
    cr_expect_eq(fit_platt(points, count, &fit), PDP_ERR_MISSING, "attacks only");
    cr_expect_eq(fit.attacks, (size_t)120);
    count = 0;
    add(1, false, 60);
    cr_expect_eq(fit_platt(points, count, &fit), PDP_ERR_MISSING, "others only");
    add(1, true, 60);
    cr_expect_eq(fit_platt(points, count, &fit), PDP_ERR_RANGE, "all the same");
    add(NAN, true, 1);
    add(2, true, 1);
    cr_expect_eq(fit_platt(points, count, &fit), PDP_ERR_RANGE, "no number");
    points[count - 2].value = INFINITY;
    cr_expect_eq(fit_platt(points, count, &fit), PDP_ERR_RANGE, "infinity");
    cr_expect(fit.a == 1 && fit.b == 0);
}

Test(risk_fit, says_when_labels_are_few)
{
    struct fit fit;
    add(-1, false, 49);
    add(1, false, 400);
    add(0, true, 49);
    cr_assert_eq(fit_platt(points, count, &fit), PDP_ERR_OK);
    cr_expect(fit.notes & FIT_THIN);
    add(0, true, 1);
    cr_assert_eq(fit_platt(points, count, &fit), PDP_ERR_OK);
    cr_expect_not(fit.notes & FIT_THIN);
}

// The loss of the pair is not above that of any pair near it, whatever the points.
Test(risk_fit, no_pair_near_it_is_better)
{
    srandom(11);
    for (int round = 0; round < 20; round++) {
        struct fit fit;
        count = 0;
        for (int i = 0; i < 400; i++) {
            double value = (double)(random() % 2000 - 1000) / 100;
            add(value, random() % 100 < (value > 2 ? 60 : 25), 1);
        }
        if (fit_platt(points, count, &fit) != PDP_ERR_OK || (fit.notes & ~(unsigned)FIT_THIN) != 0) {
            continue;
        }
        double attack = ((double)fit.attacks + 1) / ((double)fit.attacks + 2);
        double other = 1 / ((double)fit.others + 2), loss[5] = {0};
        const double moved[5][2] = {{0, 0}, {1e-3, 0}, {-1e-3, 0}, {0, 1e-3}, {0, -1e-3}};
        for (size_t k = 0; k < 5; k++) {
            for (size_t i = 0; i < count; i++) {
                double z = (fit.a + moved[k][0]) * points[i].value + fit.b + moved[k][1];
                double target = points[i].attack ? attack : other;
                loss[k] += target * fmath_log(1 + fmath_exp(-z)) + (1 - target) * fmath_log(1 + fmath_exp(z));
            }
            cr_expect_geq(loss[k], loss[0], "round %d, move %zu", round, k);
        }
    }
}

Test(risk_fit, applies_its_pair)
{
    const struct fit fit = {.a = 2, .b = -1};
    add(0.5, true, 1);
    add(-40, false, 1);
    fit_apply(&fit, points, count);
    cr_expect_float_eq(points[0].value, 0.5, 1e-15);
    cr_expect(points[1].value >= 0 && points[1].value < 1e-30);
}
