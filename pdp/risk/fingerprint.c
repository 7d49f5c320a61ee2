// SPDX-License-Identifier: Apache-2.0
// HOT
#include "risk/drift.h"
#include "risk/place.h"

#define JA4_ALONE (1U << SIGHT_COMPONENT_JA4)
// Nobody's fonts change on the way to another address: a fingerprint that is new with them alone is not
// explained.
#define STAYS (1U << SIGHT_COMPONENT_FONTS | 1U << SIGHT_COMPONENT_CANVAS)

static bool is_new(const struct sighting *was, const struct sighting *is)
{
    return (was->flags & is->flags & SIGHT_HAS_FINGERPRINT) != 0 && was->fingerprint != is->fingerprint;
}

// From nothing at drift_least to all of it at drift_full.
static double grown(const struct signal_rule *rule, double share)
{
    double least = rule->params[FINGERPRINT_DRIFT_LEAST], full = rule->params[FINGERPRINT_DRIFT_FULL];
    if (share >= full) {
        return share > 0 ? 1 : 0;
    }
    return share > least ? (share - least) / (full - least) : 0;
}

// A fingerprint that drifts alone is mostly an update; one that changes along with the address is another
// device somewhere else. Components, where both are known, tell which of its parts changed: then those count
// and the fingerprint as a whole no longer does, but where it changed and nothing explains it: half of the
// way from alone to all of it, since all that is known of the device is the same.
struct signal_reading fingerprint_read(struct signal_view *view)
{
    const struct sighting *seen = view->in->seen, *anchor = view->in->anchor;
    if (seen == NULL) {
        return READ_NOTHING;
    }
    struct drift drift;
    drift_read(view, &drift);
    if ((seen->flags & SIGHT_HAS_FINGERPRINT) == 0 && drift.compared == 0) {
        return READ_MISSING;
    }
    if (anchor == NULL) {
        return READ_NOTHING;
    }
    double most = view->rule->evidence, alone = view->rule->params[FINGERPRINT_ALONE];
    alone = alone < most ? alone : most;
    double at_worst = place_moved(anchor, seen) ? most : alone;
    if (!drift.covers) {
        return (struct signal_reading){is_new(anchor, seen) ? at_worst : 0, false};
    }
    // Another TLS client and nothing else is for ja4-change to tell.
    // That it is another machine is known then, and a carrier's other address is no excuse for that.
    double apart = place_differs(anchor, seen) ? most : alone;
    double found = drift.counted != JA4_ALONE ? apart * grown(view->rule, drift.share) : 0;
    bool explained = (drift.differs & ~STAYS) != 0 || drift.newer;
    double whole = is_new(anchor, seen) && (!explained || drift.older) ? (alone + at_worst) / 2 : 0;
    return (struct signal_reading){found > whole ? found : whole, false};
}
