// SPDX-License-Identifier: Apache-2.0
// HOT
#include "risk/familiar.h"

static const double RARE_PRINT = 0.0001;

// Nearly all are rare: that alone says nothing of anybody.
struct signal_reading new_fingerprint_read(struct signal_view *view)
{
    const struct sighting *seen = view->in->seen;
    if (seen == NULL) {
        return READ_NOTHING;
    }
    if ((seen->flags & SIGHT_HAS_FINGERPRINT) == 0) {
        return READ_MISSING;
    }
    struct familiar f = FAMILIAR_NOTHING;
    familiar_weigh(&f, view, PROFILE_PRINT, RARE_PRINT, -1);
    return (struct signal_reading){familiar_evidence(&f, view->rule, f.known), false};
}
