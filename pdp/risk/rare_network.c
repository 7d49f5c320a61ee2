// SPDX-License-Identifier: Apache-2.0
// HOT
#include "risk/familiar.h"
#include "risk/place.h"

static const double RARE_COUNTRY = 0.01, RARE_NETWORK = 0.02;

// A session that moves to where few people are, and this user has not been. How rare a place is for everybody
// tells more than how new it is for one.
struct signal_reading rare_network_read(struct signal_view *view)
{
    const struct sighting *seen = view->in->seen, *anchor = view->in->anchor;
    if (seen == NULL) {
        return READ_NOTHING;
    }
    if (seen->asn == 0) {
        return READ_MISSING;
    }
    bool exempt = (seen->flags & (SIGHT_RELAY | SIGHT_SATELLITE | SIGHT_OWN_EGRESS)) != 0;
    if (anchor == NULL || anchor->asn == 0 || anchor->asn == seen->asn || !place_left(anchor, seen) ||
        exempt || profile_knows(view->user, PROFILE_NETWORK, seen->asn)) {
        return READ_NOTHING;
    }
    struct familiar f = FAMILIAR_NOTHING;
    familiar_rarity(&f, view, PROFILE_COUNTRY, RARE_COUNTRY, 0);
    familiar_rarity(&f, view, PROFILE_NETWORK, RARE_NETWORK, familiar_class(seen));
    double evidence = familiar_evidence(&f, view->rule, 0);
    return (struct signal_reading){evidence > 0 ? evidence : 0, false};
}
