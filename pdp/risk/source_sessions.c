// SPDX-License-Identifier: Apache-2.0
// HOT
#include "risk/source_weigh.h"

// Harvested or guessed session ids: many that are nobody's, or another's, beside few that are good.
struct source_pair source_sessions_pair(const struct source_figures *figures)
{
    return (struct source_pair){figures->refused_sessions, figures->sessions};
}

struct signal_reading source_sessions_read(struct signal_view *view)
{
    return source_reading(view, source_sessions_pair);
}
