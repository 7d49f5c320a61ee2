// SPDX-License-Identifier: Apache-2.0
// What pdpctl uses of libpdp beyond its public headers.
#ifndef CLIENT_CLIENT_H
#define CLIENT_CLIENT_H

#include "base/buf.h"

#include <pdp/client.h>

// Sends any message, such as `{"op": "status"}`, and appends the bytes of the reply. As pdp_decide in
// everything else.
MUST_USE enum pdp_err client_call(struct pdp_client *client, struct str message, int32_t deadline_ms,
                                  struct buf *reply);

#endif
