// SPDX-License-Identifier: Apache-2.0
// HOT
#include "risk/familiar.h"

static const double RARE_SYSTEM = 0.05, RARE_BROWSER = 0.05;

// Versions are nothing here: they rise.
struct signal_reading new_device_read(struct signal_view *view)
{
    const struct sighting *seen = view->in->seen;
    if (seen == NULL) {
        return READ_NOTHING;
    }
    if ((seen->flags & SIGHT_HAS_AGENT) == 0) {
        return READ_MISSING;
    }
    struct familiar f = FAMILIAR_NOTHING;
    familiar_weigh(&f, view, PROFILE_SYSTEM, RARE_SYSTEM, 0);
    familiar_weigh(&f, view, PROFILE_BROWSER, RARE_BROWSER, 0);
    return (struct signal_reading){familiar_evidence(&f, view->rule, f.known), false};
}
