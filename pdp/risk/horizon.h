// SPDX-License-Identifier: Apache-2.0
// Until when the passing of time alone cannot change a level: a bound never later than the truth.
#ifndef RISK_HORIZON_H
#define RISK_HORIZON_H

#include "base/err.h"

// L(t) = prior + A(t) − B(t) − C: suspicion and reassurance, both sums of exponentials that fall, and what
// the context in hand reassures, which stays as long as it does.
struct horizon {
    double fading, fading_pace;       // A now, and Σ value/half-life
    double returning, returning_pace; // B now
    double steady, steady_most;       // C now, and what it is at most once suspicion has faded
};

// `pace` is one by the half-life in milliseconds.
static inline void horizon_fades(struct horizon *h, double value, double pace)
{
    h->fading += value;
    h->fading_pace += value * pace;
}

static inline void horizon_returns(struct horizon *h, double value, double pace)
{
    h->returning += value;
    h->returning_pace += value * pace;
}

// The level holds while below <= L < above (either may be infinite). INT64_MAX: for ever.
int64_t horizon_until(const struct horizon *h, double prior, double below, double above, int64_t now_ms);

#endif
