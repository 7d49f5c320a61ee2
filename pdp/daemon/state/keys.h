// SPDX-License-Identifier: Apache-2.0
// The file `keys` of the state folder: one line a key, and a digest over all.
#ifndef DAEMON_STATE_KEYS_H
#define DAEMON_STATE_KEYS_H

#include "base/buf.h"
#include "daemon/state/state.h"

enum {
    KEYS_BYTES_MAX = 4096
};

MUST_USE enum pdp_err keys_write(const struct state_keys *keys, struct buf *out);
// CORRUPT, with *out zeroed, where the text is not byte for byte what keys_write gives.
MUST_USE enum pdp_err keys_read(struct str text, struct state_keys *out);

#endif
