// SPDX-License-Identifier: Apache-2.0
// How right scores are, and what a threshold would ask of people: bins, losses, ranks. Pure, off the hot
// path.
#ifndef RISK_MEASURE_H
#define RISK_MEASURE_H

#include "base/err.h"

#define MEASURE_BINS 10

// One question of which is known whether it was an attack. `value`: its log-odds, or its chance from 0 to 1.
struct measure_point {
    double value;
    bool attack;
};

// Of the chances that fall into one of equally wide bins.
struct measure_bin {
    size_t count, attacks;
    double said; // the mean of the chances; 0 where there are none
};

struct measure_fit {
    struct measure_bin bins[MEASURE_BINS];
    double gap;      // expected calibration error: the mean of |said − seen|, by count
    double log_loss; // mean of −ln of what the truth was given; a chance counts as 1e-12 away from 0 and 1
    double brier;    // mean of (chance − truth)²
};

// Chances against the truth. A value that is NaN, or outside of 0 to 1, counts as the nearer end, NaN as 1.
// Without points all is 0.
void measure_chances(const struct measure_point *points, size_t count, struct measure_fit *out);

// Ascending, in place; NaN first.
void measure_sort(double *values, size_t count);

// What follows takes values sorted so.

// How many are not below the threshold.
size_t measure_at_least(const double *sorted, size_t count, double threshold);

// The lowest value such that at most `share` (0..1) of all are not below it: what a budget of questions
// allows. false, with *threshold 0, where even the highest value alone is more than that.
bool measure_budget(const double *sorted, size_t count, double share, double *threshold);

// The threshold with the fewest decimals, 9 at most, that takes the same as `threshold`, and is not above it.
double measure_plain(const double *sorted, size_t count, double threshold);

// The chance that an attack's value is above another's, ties half (Mann and Whitney): the area under the
// curve. false, with *out 0, where there are none of one kind.
bool measure_auc(const double *attacks, size_t attack_count, const double *others, size_t other_count,
                 double *out);

#endif
