// SPDX-License-Identifier: Apache-2.0
// HOT
#include "risk/signals.h"

struct signal_reading step_up_read(struct signal_view *view)
{
    return (struct signal_reading){view->in->event == EVENT_STEP_UP_FAILED ? view->rule->evidence : 0, false};
}
