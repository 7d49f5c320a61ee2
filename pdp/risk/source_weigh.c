// SPDX-License-Identifier: Apache-2.0
// HOT
#include "risk/source_weigh.h"

#include "base/fmath.h"

static const double FULL = 8; // so many times the ordinary ratio is all the evidence

// Of those who came in from a source, the share of intruders grows with what failed there and falls with what
// did not: the evidence is the logarithm of that ratio. A crowd of which some fail has a small one.
static double weigh_one(const struct signal_rule *rule, struct source_pair pair, double wide)
{
    if (!(pair.bad >= rule->params[SOURCE_LEAST] * wide)) {
        return 0;
    }
    double ordinary = rule->params[SOURCE_RATIO] * wide * (pair.good + 1);
    double times = ordinary > 0 ? pair.bad / ordinary : FULL;
    if (!(times > 1)) {
        return 0;
    }
    return times < FULL ? rule->evidence * fmath_log(times) / fmath_log(FULL) : rule->evidence;
}

struct source_worst source_weigh(const struct signal_view *view,
                                 struct source_pair (*pair_of)(const struct source_figures *figures))
{
    struct source_worst worst = {SOURCE_PREFIX, 0};
    const struct source_view *source = view->in->source;
    for (enum source_kind kind = SOURCE_PREFIX; source != NULL && kind < SOURCE_KINDS; kind++) {
        double wide = kind == SOURCE_PREFIX ? 1 : view->rule->params[SOURCE_WIDE];
        double evidence = weigh_one(view->rule, pair_of(&source->of[kind]), wide);
        if (evidence > worst.evidence) {
            worst = (struct source_worst){kind, evidence};
        }
    }
    return worst;
}

struct signal_reading source_reading(const struct signal_view *view,
                                     struct source_pair (*pair_of)(const struct source_figures *figures))
{
    const struct sighting *seen = view->in->seen;
    if (seen == NULL) {
        return READ_NOTHING;
    }
    double evidence = source_weigh(view, pair_of).evidence;
    return (struct signal_reading){evidence, evidence == 0 && (seen->flags & SIGHT_HAS_IP) == 0};
}
