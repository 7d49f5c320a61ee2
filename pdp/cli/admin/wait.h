// SPDX-License-Identifier: Apache-2.0
// Waiting for gateways that were given an order.
#ifndef CLI_WAIT_H
#define CLI_WAIT_H

#include "cli/local.h"

// The message that waits for an order.
void wait_message(int64_t order, struct buf *out);
// Its answer, for people: how many have confirmed and in what time, and by name who has not. CLI_NO where a
// gateway that is connected has not.
int wait_show(const struct value *root, struct buf *out);

#endif
