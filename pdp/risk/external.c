// SPDX-License-Identifier: Apache-2.0
// HOT
#include "risk/signals.h"

struct signal_reading external_read(struct signal_view *view)
{
    double said = view->in->external_evidence, most = view->rule->evidence;
    if (view->in->event != EVENT_SIGNAL || said != said) {
        return READ_NOTHING;
    }
    said = said < most ? said : most;
    return (struct signal_reading){said > -most ? said : -most, false};
}
