// SPDX-License-Identifier: Apache-2.0
// HOT
#include "risk/place.h"

#include "base/num.h"

static const int64_t SUDDEN_MS = INT64_C(30) * 60 * 1000;
// Networks whose address says nothing of where the person is.
static const unsigned NO_PLACE = SIGHT_VPN | SIGHT_RELAY | SIGHT_SATELLITE | SIGHT_OWN_EGRESS;

// Nobody is abroad half an hour after a question from home, however vaguely both places are known.
static bool is_sudden(const struct sighting *last, const struct sighting *seen)
{
    return last != NULL && last->country != 0 && last->country != seen->country &&
           ((last->flags | seen->flags) & NO_PLACE) == 0 && last->geo_version == seen->geo_version &&
           place_moved(last, seen) && seen->at_ms >= last->at_ms &&
           num_sub_sat(seen->at_ms, last->at_ms) < SUDDEN_MS;
}

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
    if (anchor == NULL || anchor->country == 0 || anchor->country == seen->country ||
        !place_left(anchor, seen)) {
        return READ_NOTHING;
    }
    double plain = view->rule->evidence, sudden = view->rule->params[0];
    bool more = sudden > plain && is_sudden(view->in->last, seen);
    return (struct signal_reading){more ? sudden : plain, false};
}
