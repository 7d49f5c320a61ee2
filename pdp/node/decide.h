// SPDX-License-Identifier: Apache-2.0
// The handler of the decide endpoint: the engine answers at once, and what must last is said once it does.
#ifndef NODE_DECIDE_H
#define NODE_DECIDE_H

#include "node/gate.h"

// One node's; the caller's storage.
struct decide {
    struct worker *worker; // the node's own, and outlives it
    struct gate *gate;
};

struct node_handler decide_handler(struct decide *decide);

#endif
