// SPDX-License-Identifier: Apache-2.0
// Calibration after Platt: the pair (a, b) with which 100·σ(a·L + b) is the share of attacks among questions
// that score so.
#ifndef RISK_FIT_H
#define RISK_FIT_H

#include "risk/measure.h"

// What a RiskModel takes.
#define FIT_SLOPE_LEAST 0.01
#define FIT_SLOPE_MOST 100.0
#define FIT_SHIFT_MOST 100.0

#define FIT_FEW 50 // fewer attacks, or fewer others, make a pair that the next fifty may turn over

// What is to be said of a pair beside its numbers. Bits.
enum fit_note {
    FIT_THIN = 1, // fewer than FIT_FEW of one kind
    FIT_SEPARABLE =
        2, // a log-odds parts all attacks from all others: how sure the pair is comes from the count
    FIT_BACKWARDS = 4,  // attacks do not have the higher log-odds: the slope is held at its least
    FIT_HELD = 8,       // a number would leave what a RiskModel takes, and is held at the bound
    FIT_UNSETTLED = 16, // the descent ended before it stood still
};

struct fit {
    double a, b;
    unsigned notes; // of enum fit_note
    size_t attacks, others;
};

// Fits (a, b) to log-odds (points' values) by maximum likelihood with Platt's smoothed targets, so that even
// separable points have an answer: Newton's steps with backtracking, in the order of the points. Where the
// best slope is below its least, that is taken and b is fitted alone.
// MISSING: there are no attacks, or nothing but attacks. RANGE: all log-odds are the same, or one is not
// finite. Both leave a 1 and b 0: the scores as they are. Linear in count for each of at most 100 steps; no
// allocation.
MUST_USE enum pdp_err fit_platt(const struct measure_point *points, size_t count, struct fit *out);

// σ(a·L + b) of each point, in place: log-odds become chances.
void fit_apply(const struct fit *fit, struct measure_point *points, size_t count);

#endif
