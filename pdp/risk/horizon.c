// SPDX-License-Identifier: Apache-2.0
// HOT
#include "risk/horizon.h"

#include "base/fmath.h"
#include "base/num.h"

static const double LN2 = 0x1.62e42fefa39efp-1;
static const double MARGIN = 1e-9;     // log-odds: more than rounding does to edges, sums and scores
static const double LONGEST_MS = 1e15; // beyond this nobody asks

// How long until a sum of falling exponentials, `value` now, can be at `target`. A sum of exponentials is
// log-convex: it lies above the one exponential that has its value and slope now.
static double span_ms(double value, double pace, double target)
{
    if (!(target > 0)) {
        return __builtin_inf();
    }
    if (!(value > target)) {
        return 0;
    }
    return fmath_log(value / target) / LN2 * (value / pace);
}

int64_t horizon_until(const struct horizon *h, double prior, double below, double above, int64_t now_ms)
{
    // Each is bounded with the other held where it is: B that returns late, A that does not fade.
    double falls = h->fading > 0 ? span_ms(h->fading, h->fading_pace,
                                           below + MARGIN - prior + h->returning + h->steady_most)
                                 : __builtin_inf();
    double rises = h->returning > 0 ? span_ms(h->returning, h->returning_pace,
                                              prior + h->fading - h->steady - above + MARGIN)
                                    : __builtin_inf();
    double span = falls < rises ? falls : rises;
    if (!(span < LONGEST_MS)) {
        return INT64_MAX;
    }
    span -= 1;
    return num_add_sat(now_ms, span > 0 ? (int64_t)span : 0);
}
