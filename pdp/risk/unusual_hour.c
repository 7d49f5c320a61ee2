// SPDX-License-Identifier: Apache-2.0
// HOT
#include "risk/familiar.h"

static const double HOURS = 24, DOUBT = 4; // DOUBT: contexts by which the user's own hours are believed half

// Somebody else comes at any hour.
struct signal_reading unusual_hour_read(struct signal_view *view)
{
    if (view->in->seen == NULL) {
        return READ_NOTHING;
    }
    double all = 0, here = profile_hour(view->user, view->context.hour % 24, &all);
    struct familiar f = {1 / HOURS, (here + DOUBT / HOURS) / (all + DOUBT), here};
    return (struct signal_reading){familiar_evidence(&f, view->rule, f.known), false};
}
