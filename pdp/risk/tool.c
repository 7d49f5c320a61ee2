// SPDX-License-Identifier: Apache-2.0
// HOT
#include "risk/signals.h"

struct signal_reading tool_read(struct signal_view *view)
{
    const struct sighting *seen = view->in->seen, *anchor = view->in->anchor;
    if (seen == NULL) {
        return READ_NOTHING;
    }
    if ((seen->flags & SIGHT_HAS_AGENT) == 0) {
        return READ_MISSING;
    }
    bool browser =
        anchor != NULL && (anchor->flags & (SIGHT_HAS_AGENT | SIGHT_TOOL_AGENT)) == SIGHT_HAS_AGENT;
    return (struct signal_reading){
        browser && (seen->flags & SIGHT_TOOL_AGENT) != 0 ? view->rule->evidence : 0, false};
}
