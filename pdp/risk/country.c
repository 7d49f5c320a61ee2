// SPDX-License-Identifier: Apache-2.0
// HOT
#include "risk/place.h"

// An address that did not change cannot have changed country: then only the geo data did.
struct signal_reading country_read(struct signal_view *view)
{
    const struct sighting *seen = view->in->seen, *anchor = view->in->anchor;
    if (seen == NULL) {
        return READ_NOTHING;
    }
    if (seen->country == 0) {
        return READ_MISSING;
    }
    bool changed = anchor != NULL && anchor->country != 0 && anchor->country != seen->country &&
                   place_left(anchor, seen);
    return (struct signal_reading){changed ? view->rule->evidence : 0, false};
}
