// SPDX-License-Identifier: Apache-2.0
// HOT
#include "risk/source_weigh.h"

// Spraying: many different ones that fail, beside few that do not.
struct source_pair source_subjects_pair(const struct source_figures *figures)
{
    return (struct source_pair){figures->failed_subjects, figures->passed_subjects};
}

struct signal_reading source_subjects_read(struct signal_view *view)
{
    return source_reading(view, source_subjects_pair);
}
