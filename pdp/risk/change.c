// SPDX-License-Identifier: Apache-2.0
// HOT
#include "risk/signals.h"

// A family that was not recognised still differs from one that was; an unknown system says nothing.
struct signal_reading change_agent_read(struct signal_view *view)
{
    const struct sighting *seen = view->in->seen, *anchor = view->in->anchor;
    if (seen == NULL) {
        return READ_NOTHING;
    }
    if ((seen->flags & SIGHT_HAS_AGENT) == 0) {
        return READ_MISSING;
    }
    if (anchor == NULL || (anchor->flags & SIGHT_HAS_AGENT) == 0) {
        return READ_NOTHING;
    }
    bool tool = (seen->flags & ~anchor->flags & SIGHT_TOOL_AGENT) != 0; // tool-agent counts that, once
    bool family = seen->agent_family != anchor->agent_family;
    bool os = seen->agent_os != anchor->agent_os && seen->agent_os != 0 && anchor->agent_os != 0;
    return (struct signal_reading){!tool && (family || os) ? view->rule->evidence : 0, false};
}
