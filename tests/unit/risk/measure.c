// SPDX-License-Identifier: Apache-2.0
#include "risk/measure.h"

#include "base/fmath.h"

#include <criterion/criterion.h>
#include <math.h>

Test(risk_measure, counts_what_was_said_against_what_was_so)
{
    const struct measure_point points[] = {{0.05, false}, {0.05, false}, {0.05, true},
                                           {0.95, true},  {1, true},     {0.55, false}};
    struct measure_fit fit;
    measure_chances(points, COUNT_OF(points), &fit);
    cr_expect_eq(fit.bins[0].count, (size_t)3);
    cr_expect_eq(fit.bins[0].attacks, (size_t)1);
    cr_expect_float_eq(fit.bins[0].said, 0.05, 1e-15);
    cr_expect_eq(fit.bins[9].count, (size_t)2);
    cr_expect_float_eq(fit.bins[9].said, 0.975, 1e-15);
    cr_expect_eq(fit.bins[5].count, (size_t)1);
    cr_expect_eq(fit.bins[4].count, (size_t)0);
    cr_expect_float_eq(fit.gap, (fabs(0.15 - 1) + fabs(1.95 - 2) + 0.55) / 6, 1e-12, "%g", fit.gap);
    double brier = (2 * 0.05 * 0.05 + 0.95 * 0.95 + 0.05 * 0.05 + 0.55 * 0.55) / 6;
    cr_expect_float_eq(fit.brier, brier, 1e-12, "%g", fit.brier);
    double loss = -(2 * fmath_log(0.95) + fmath_log(0.05) + fmath_log(0.95) + fmath_log(0.45)) / 6;
    cr_expect_float_eq(fit.log_loss, loss, 1e-12, "%g", fit.log_loss);
}

Test(risk_measure, stays_finite_where_chances_are_not)
{
    const struct measure_point points[] = {{NAN, false}, {-INFINITY, true}, {INFINITY, false}, {0, true}};
    struct measure_fit fit;
    measure_chances(points, COUNT_OF(points), &fit);
    cr_expect_eq(fit.bins[0].count, (size_t)2);
    cr_expect_eq(fit.bins[9].count, (size_t)2);
    cr_expect_float_eq(fit.brier, 1, 1e-12);
    cr_expect_float_eq(fit.log_loss, -fmath_log(1e-12), 1e-6);
    measure_chances(points, 0, &fit);
    cr_expect(fit.gap == 0 && fit.log_loss == 0 && fit.brier == 0);
}

Test(risk_measure, counts_what_is_not_below)
{
    double values[] = {3, 1, NAN, 2, 2, 5};
    measure_sort(values, COUNT_OF(values));
    static const struct {
        double threshold;
        size_t count;
    } CASES[] = {{-1, 5}, {1, 5}, {1.5, 4}, {2, 4}, {2.5, 2}, {5, 1}, {5.1, 0}, {INFINITY, 0}};
    for (size_t i = 0; i < COUNT_OF(CASES); i++) {
        cr_expect_eq(measure_at_least(values, COUNT_OF(values), CASES[i].threshold), CASES[i].count, "%g",
                     CASES[i].threshold);
    }
    cr_expect_eq(measure_at_least(NULL, 0, 1), (size_t)0);
}

Test(risk_measure, finds_what_a_budget_allows)
{
    double hundred[100], ties[] = {1, 1, 1, 1, 1, 1, 1, 9, 9, 9}, threshold = 7;
    for (size_t i = 0; i < COUNT_OF(hundred); i++) {
        hundred[i] = (double)i;
    }
    static const struct {
        double share, threshold;
        bool found;
    } CASES[] = {{0.05, 95, true}, {0.01, 99, true}, {0.009, 0, false}, {0, 0, false},
                 {1, 0, true},     {2, 0, true},     {-1, 0, false},    {NAN, 0, false}};
    for (size_t i = 0; i < COUNT_OF(CASES); i++) {
        bool found = measure_budget(hundred, 100, CASES[i].share, &threshold);
        cr_expect_eq(found, CASES[i].found, "%g", CASES[i].share);
        cr_expect_eq(threshold, CASES[i].threshold, "%g: %g", CASES[i].share, threshold);
    }
    cr_expect(measure_budget(ties, 10, 0.3, &threshold) && threshold == 9);
    cr_expect(measure_budget(ties, 10, 0.5, &threshold) && threshold == 9, "of equal ones, all or none");
    cr_expect_not(measure_budget(ties, 10, 0.2, &threshold));
    cr_expect_not(measure_budget(NULL, 0, 0.5, &threshold));
}

Test(risk_measure, says_a_threshold_plainly)
{
    const double values[] = {3, 29.97, 30.1234, 30.1239, 83.2018};
    static const struct {
        double threshold, plain;
    } CASES[] = {{83.2018, 83}, {30.1239, 30.1235}, {30.1234, 30}, {29.97, 29}, {3, 3}, {2.5, 2}, {0, 0}};
    for (size_t i = 0; i < COUNT_OF(CASES); i++) {
        double plain = measure_plain(values, COUNT_OF(values), CASES[i].threshold);
        cr_expect_leq(plain, CASES[i].threshold);
        cr_expect(fabs(plain - CASES[i].plain) < 1e-3, "%g: %.10g", CASES[i].threshold, plain);
        cr_expect_eq(measure_at_least(values, 5, plain), measure_at_least(values, 5, CASES[i].threshold));
    }
    cr_expect_eq(measure_plain(values, 5, -1), -1);
    cr_expect_eq(measure_plain(values, 5, INFINITY), INFINITY);
}

// A budget is never overspent, and one more value would.
Test(risk_measure, a_budget_is_kept_and_used)
{
    double values[500];
    for (size_t i = 0; i < COUNT_OF(values); i++) {
        values[i] = (double)(i * i * 7919 % 97);
    }
    measure_sort(values, COUNT_OF(values));
    for (double share = 0.002; share < 1; share += 0.013) {
        double threshold = 0;
        double may = share * (double)COUNT_OF(values);
        bool found = measure_budget(values, COUNT_OF(values), share, &threshold);
        size_t asked = measure_at_least(values, COUNT_OF(values), threshold);
        cr_expect(!found || (double)asked <= may, "%g asks %zu", share, asked);
        size_t next = measure_at_least(values, COUNT_OF(values), found ? threshold - 1 : 96);
        cr_expect(next == asked || (double)next > may, "%g could ask %zu", share, next);
    }
}

Test(risk_measure, knows_the_area_under_the_curve)
{
    const double low[] = {1, 2, 3}, high[] = {4, 5}, mixed[] = {2, 3};
    double area = 7;
    cr_expect(measure_auc(high, 2, low, 3, &area) && area == 1);
    cr_expect(measure_auc(low, 3, high, 2, &area) && area == 0);
    cr_expect(measure_auc(low, 3, low, 3, &area) && area == 0.5);
    cr_expect(measure_auc(mixed, 2, low, 3, &area) && fabs(area - (1.5 + 2.5) / 6) < 1e-15, "%g", area);
    cr_expect_not(measure_auc(low, 0, low, 3, &area));
    cr_expect_eq(area, 0);
    cr_expect_not(measure_auc(low, 3, low, 0, &area));
}
