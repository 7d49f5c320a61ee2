// SPDX-License-Identifier: Apache-2.0
// The handler of the decide endpoint: the engine answers at once.
#ifndef NODE_DECIDE_H
#define NODE_DECIDE_H

#include "node/node.h"

// `worker` is the node's own, and outlives it.
struct node_handler decide_handler(struct worker *worker);

#endif
