// SPDX-License-Identifier: Apache-2.0
// HOT
#include "risk/source_weigh.h"

static const uint32_t EACH = 3; // logins of one subject that count

static uint32_t damped(uint32_t logins, uint32_t subjects)
{
    return subjects < UINT32_MAX / EACH && logins > EACH * subjects ? EACH * subjects : logins;
}

// One subject counts a few times only: a mail program with an old password speaks against nobody beside it,
// and one account that somebody logs into all the time speaks for nobody.
struct source_pair source_failures_pair(const struct source_figures *figures)
{
    return (struct source_pair){damped(figures->failed, figures->failed_subjects),
                                damped(figures->passed, figures->passed_subjects)};
}

struct signal_reading source_failures_read(struct signal_view *view)
{
    return source_reading(view, source_failures_pair);
}
