// SPDX-License-Identifier: Apache-2.0
// HOT
#include "risk/drift.h"
#include "risk/place.h"

// A script that copied a browser's header still shakes hands as what it is. A later version may shake hands
// in another way, and so may a browser behind an inspecting proxy that was switched on: that counts as alone.
struct signal_reading ja4_read(struct signal_view *view)
{
    const struct sighting *seen = view->in->seen, *anchor = view->in->anchor;
    if (seen == NULL) {
        return READ_NOTHING;
    }
    uint16_t is = seen->components[SIGHT_COMPONENT_JA4];
    if (is == 0) {
        return READ_MISSING;
    }
    if (anchor == NULL || !drift_ja4_differs(view->state->components[SIGHT_COMPONENT_JA4], is)) {
        return READ_NOTHING;
    }
    struct drift drift;
    drift_read(view, &drift);
    if (drift.another) {
        return READ_NOTHING; // agent-change and tool-agent tell that
    }
    double found = view->rule->evidence, alone = view->rule->params[0];
    if (drift.newer || !place_differs(anchor, seen)) {
        found = alone < found ? alone : found;
    }
    found -= drift_counted(view, 1U << SIGHT_COMPONENT_JA4);
    return (struct signal_reading){found > 0 ? found : 0, false};
}
