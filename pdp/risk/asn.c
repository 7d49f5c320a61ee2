// SPDX-License-Identifier: Apache-2.0
// HOT
#include "risk/place.h"

// A new country brings its networks along: that counts once, as the country.
struct signal_reading asn_read(struct signal_view *view)
{
    const struct sighting *seen = view->in->seen, *anchor = view->in->anchor;
    if (seen == NULL) {
        return READ_NOTHING;
    }
    if (seen->asn == 0) {
        return READ_MISSING;
    }
    if (anchor == NULL || anchor->asn == 0 || anchor->asn == seen->asn || !place_left(anchor, seen)) {
        return READ_NOTHING;
    }
    bool abroad = anchor->country != 0 && seen->country != 0 && anchor->country != seen->country;
    return (struct signal_reading){abroad ? 0 : view->rule->evidence, false};
}
