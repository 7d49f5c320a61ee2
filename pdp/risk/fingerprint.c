// SPDX-License-Identifier: Apache-2.0
// HOT
#include "risk/place.h"

// A fingerprint that drifts alone is mostly an update; one that changes along with the address is another
// device somewhere else.
struct signal_reading fingerprint_read(struct signal_view *view)
{
    const struct sighting *seen = view->in->seen, *anchor = view->in->anchor;
    if (seen == NULL) {
        return READ_NOTHING;
    }
    if ((seen->flags & SIGHT_HAS_FINGERPRINT) == 0) {
        return READ_MISSING;
    }
    if (anchor == NULL || (anchor->flags & SIGHT_HAS_FINGERPRINT) == 0 ||
        anchor->fingerprint == seen->fingerprint) {
        return READ_NOTHING;
    }
    double most = view->rule->evidence, alone = view->rule->params[0];
    return (struct signal_reading){alone < most && !place_moved(anchor, seen) ? alone : most, false};
}
