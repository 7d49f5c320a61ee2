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

// What is left of the sum after `ms` without a sighting.
static double sum_left(const struct signal_rule *rule, double sum, int64_t ms)
{
    double lost = (rule->params[FACTOR] - 1) * rule->params[LAMBDA] * ((double)ms / MS_PER_SECOND);
    return sum > lost ? sum - lost : 0;
}

// Poisson CUSUM of RISK.md §3. Sightings of one millisecond are one: a batch, a burst within an instant.
struct signal_reading rate_read(struct signal_view *view)
{
    const struct signal_rule *rule = view->rule;
    struct risk_state *state = view->state;
    if (view->in->event != EVENT_NONE) {
        return READ_NOTHING;
    }
    double slack = rule->params[BURST] * rule->derived;
    double sum = state->begun != 0 && state->cusum > 0 ? (double)state->cusum : 0;
    if (state->begun != 0) {
        bool another = view->now_ms > state->last_ms && view->in->counts;
        sum = sum_left(rule, sum, num_sub_sat(view->now_ms, state->last_ms)) + (another ? rule->derived : 0);
        // Bounded, so that it cools down as soon as the rate does.
        sum = sum < slack + rule->evidence ? sum : slack + rule->evidence;
    }
    if (view->in->counts) {
        state->cusum = (float)sum;
    }
    double above = sum - slack;
    return (struct signal_reading){above > 0 ? above : 0, false};
}
