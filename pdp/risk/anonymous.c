// SPDX-License-Identifier: Apache-2.0
// HOT
#include "risk/signals.h"

static const unsigned HIDDEN = SIGHT_TOR | SIGHT_PROXY | SIGHT_RESIDENTIAL_PROXY;
static const unsigned VEILED = SIGHT_ANONYMOUS | SIGHT_VPN | SIGHT_HOSTING;

// One's own people come from one's own egress, whatever others call it. A private relay hides the address
// from us but not the person from its operator: it says nothing here.
struct signal_reading anonymous_read(struct signal_view *view)
{
    const struct sighting *seen = view->in->seen;
    if (seen == NULL) {
        return READ_NOTHING;
    }
    if ((seen->flags & SIGHT_HAS_IP) == 0) {
        return READ_MISSING;
    }
    if ((seen->flags & SIGHT_OWN_EGRESS) != 0) {
        return READ_NOTHING;
    }
    double most = view->rule->evidence, vpn = view->rule->params[0];
    if ((seen->flags & HIDDEN) != 0) {
        return (struct signal_reading){most, false};
    }
    if ((seen->flags & VEILED) == 0 || (seen->flags & SIGHT_RELAY) != 0) {
        return (view->in->unsure_networks & (HIDDEN | VEILED)) != 0 ? READ_MISSING : READ_NOTHING;
    }
    return (struct signal_reading){vpn < most ? vpn : most, false};
}
