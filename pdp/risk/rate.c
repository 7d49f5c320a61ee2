// SPDX-License-Identifier: Apache-2.0
// HOT
#include "base/fmath.h"
#include "base/num.h"
#include "risk/signals.h"

enum {
    LAMBDA,
    FACTOR,
    BURST
};

static const double MS_PER_SECOND = 1000;

void rate_prepare(struct signal_rule *rule)
{
    rule->derived = fmath_log(rule->params[FACTOR]);
}

// Poisson CUSUM of RISK.md §3. Sightings of one millisecond are one: a batch, a burst within an instant.
struct signal_reading rate_read(struct signal_view *view)
{
    const struct signal_rule *rule = view->rule;
    struct risk_state *state = view->state;
    if (view->in->event != EVENT_NONE) {
        return READ_NOTHING;
    }
    double slack = rule->params[BURST] * rule->derived, most = slack + rule->evidence;
    double sum = 0;
    if (state_begun(state)) {
        bool another = view->now_ms > state->last_ms && view->in->counts;
        double quiet_s = (double)num_sub_sat(view->now_ms, state->last_ms) / MS_PER_SECOND;
        double lost = (rule->params[FACTOR] - 1) * rule->params[LAMBDA] * quiet_s;
        sum = (double)state->cusum + (another ? rule->derived : 0) - lost;
        // Bounded, so that it cools down as soon as the rate does. NaN, of a state that was broken, is none.
        sum = sum > 0 ? sum : 0;
        sum = sum < most ? sum : most;
    }
    if (view->in->counts) {
        state->cusum = (float)sum;
    }
    double above = sum - slack;
    return (struct signal_reading){above > 0 ? above : 0, false};
}
