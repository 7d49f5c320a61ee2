// SPDX-License-Identifier: Apache-2.0
// The one place that reads the clocks.
#ifndef DAEMON_CLOCK_H
#define DAEMON_CLOCK_H

#include "node/node.h"

// Both clocks now. The wall's never goes back within the process, whichever thread asks.
struct node_now clock_now(void);
uint64_t clock_steady_ns(void); // of the clock that never jumps

#endif
