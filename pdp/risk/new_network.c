// SPDX-License-Identifier: Apache-2.0
// HOT
#include "risk/familiar.h"

static const double RARE_COUNTRY = 0.01, RARE_NETWORK = 0.02, RARE_PREFIX = 0.002;

// Each under the one above it, so that a new country costs once, not again as network and as prefix.
struct signal_reading new_network_read(struct signal_view *view)
{
    const struct sighting *seen = view->in->seen;
    if (seen == NULL) {
        return READ_NOTHING;
    }
    if ((seen->flags & SIGHT_HAS_IP) == 0) {
        return READ_MISSING;
    }
    struct familiar f = FAMILIAR_NOTHING;
    familiar_weigh(&f, view, PROFILE_COUNTRY, RARE_COUNTRY, 0);
    familiar_weigh(&f, view, PROFILE_NETWORK, RARE_NETWORK, familiar_class(seen));
    double known = f.known;
    familiar_weigh(&f, view, PROFILE_PREFIX, RARE_PREFIX, 0);
    return (struct signal_reading){familiar_evidence(&f, view->rule, known), false};
}
