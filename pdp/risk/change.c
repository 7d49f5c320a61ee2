// SPDX-License-Identifier: Apache-2.0
// HOT
#include "risk/drift.h"

#define AGENT_PARTS (1U << SIGHT_COMPONENT_OS | 1U << SIGHT_COMPONENT_BROWSER)

static bool both_differ(uint16_t was, uint16_t is)
{
    return was != is && was != 0 && is != 0;
}

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
    bool another = seen->agent_family != anchor->agent_family ||
                   both_differ(anchor->agent_os, seen->agent_os) ||
                   both_differ(anchor->agent_class, seen->agent_class);
    bool older = both_differ(anchor->agent_version, seen->agent_version) &&
                 seen->agent_version < anchor->agent_version;
    double older_most = view->rule->params[0], found = another ? view->rule->evidence : 0;
    if (!another && older) {
        found = older_most < view->rule->evidence ? older_most : view->rule->evidence;
    }
    found -= found > 0 ? drift_counted(view, AGENT_PARTS) : 0;
    return (struct signal_reading){found > 0 ? found : 0, false};
}
