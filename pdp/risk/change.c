// SPDX-License-Identifier: Apache-2.0
// HOT
#include "risk/drift.h"

#define AGENT_PARTS (1U << SIGHT_COMPONENT_OS | 1U << SIGHT_COMPONENT_BROWSER)

// A family that was not recognised still differs from one that was; an unknown system or device says nothing.
// A version that rises is an update, one that falls is hardly ever one.
struct signal_reading change_agent_read(struct signal_view *view)
{
    const struct sighting *seen = view->in->seen, *anchor = view->in->anchor;
    if (seen == NULL) {
        return READ_NOTHING;
    }
    if ((seen->flags & SIGHT_HAS_AGENT) == 0) {
        return READ_MISSING;
    }
    if (anchor == NULL || (anchor->flags & SIGHT_HAS_AGENT) == 0 ||
        (seen->flags & ~anchor->flags & SIGHT_TOOL_AGENT) != 0) { // tool-agent counts that, once
        return READ_NOTHING;
    }
    double most = view->rule->evidence, older = view->rule->params[0], found = 0;
    switch (risk_agent_compare(anchor, seen)) {
    case AGENT_ANOTHER:
        found = most;
        break;
    case AGENT_OLDER:
        found = older < most ? older : most;
        break;
    case AGENT_NEWER:
    case AGENT_SAME:
        break;
    }
    found -= found > 0 ? drift_counted(view, AGENT_PARTS) : 0;
    return (struct signal_reading){found > 0 ? found : 0, false};
}
