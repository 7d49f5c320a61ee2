// SPDX-License-Identifier: Apache-2.0
// How often something took how long, in steps from a microsecond to a second. One thread adds, any may read.
#ifndef BASE_HISTOGRAM_H
#define BASE_HISTOGRAM_H

#include "base/err.h"

#include <stdatomic.h>

#define HISTOGRAM_COUNT 19
extern const uint64_t HISTOGRAM_NS[HISTOGRAM_COUNT - 1]; // upper bounds, inclusive; the last step has none

struct histogram {
    _Atomic uint64_t counts[HISTOGRAM_COUNT], sum_ns;
};

struct histogram_sum {
    uint64_t counts[HISTOGRAM_COUNT], sum_ns;
};

void histogram_add(struct histogram *histogram, uint64_t ns);
void histogram_read(const struct histogram *histogram, struct histogram_sum *sum); // adds to *sum
// What the share `q` (0..1) of all stays at or below, between the bounds of its step; 0 where there is
// nothing.
uint64_t histogram_quantile(const struct histogram_sum *sum, double q);

#endif
