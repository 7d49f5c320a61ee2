// SPDX-License-Identifier: Apache-2.0
#include "base/histogram.h"

#include <criterion/criterion.h>

Test(base_histogram, counts_each_step_up_to_its_bound)
{
    static struct histogram h;
    struct histogram_sum sum = {0};
    for (size_t i = 0; i < HISTOGRAM_COUNT - 1; i++) {
        cr_expect(i == 0 || HISTOGRAM_NS[i - 1] < HISTOGRAM_NS[i]);
        histogram_add(&h, HISTOGRAM_NS[i]);
        histogram_add(&h, HISTOGRAM_NS[i] + 1);
    }
    histogram_add(&h, 0);
    histogram_read(&h, &sum);
    uint64_t all = 0;
    for (size_t i = 0; i < HISTOGRAM_COUNT; i++) {
        cr_expect_eq(sum.counts[i], i < HISTOGRAM_COUNT - 1 ? 2u : 1u, "step %zu: %llu", i,
                     (unsigned long long)sum.counts[i]);
        all += sum.counts[i];
    }
    cr_expect_eq(all, 2u * (HISTOGRAM_COUNT - 1) + 1);
    histogram_read(&h, &sum); // adds
    cr_expect_eq(sum.counts[1], 4u);
}

Test(base_histogram, tells_quantiles_between_the_bounds)
{
    struct histogram_sum sum = {0};
    cr_expect_eq(histogram_quantile(&sum, 0.5), 0u);
    sum.counts[1] = 100; // all between 1 and 2 µs
    cr_expect_eq(histogram_quantile(&sum, 0.5), 1500u);
    cr_expect_eq(histogram_quantile(&sum, 1), 2000u);
    cr_expect_eq(histogram_quantile(&sum, 0), 1000u);
    sum.counts[HISTOGRAM_COUNT - 1] = 100; // half took longer than can be told
    cr_expect_eq(histogram_quantile(&sum, 0.99), HISTOGRAM_NS[HISTOGRAM_COUNT - 2]);
}
