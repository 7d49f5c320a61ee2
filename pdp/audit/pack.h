// SPDX-License-Identifier: Apache-2.0
// Compresses a closed segment a part at a time, into frames of their own of at most a MiB.
#ifndef AUDIT_PACK_H
#define AUDIT_PACK_H

#include "audit/files.h"

struct pack;

// `name` is `….log` in `dir`; the compressed one takes its place when it is whole and durable.
MUST_USE enum pdp_err pack_new(const char *dir, uint64_t first, struct pack **out);
void pack_free(struct pack **pack); // what is not whole is removed
// One part. *done: the segment is compressed. After an error the old one is there as it was.
MUST_USE enum pdp_err pack_step(struct pack *pack, bool *done);

#endif
