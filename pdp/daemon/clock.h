// SPDX-License-Identifier: Apache-2.0
// The one place that reads the clocks.
#ifndef DAEMON_CLOCK_H
#define DAEMON_CLOCK_H

#include "node/node.h"

// Both clocks now. The wall's never goes back within the process, whichever thread asks.
struct node_now clock_now(void);

#endif
