// SPDX-License-Identifier: Apache-2.0
// Buffers between uses: a few are kept warm, none of them large, and what a calm second did not need is
// freed.
#ifndef NODE_POOL_H
#define NODE_POOL_H

#include "base/buf.h"

#define POOL_KEPT 16
#define POOL_KEPT_BYTES 65536 // a larger one is freed at once

struct pool {
    struct buf kept[POOL_KEPT];
    size_t count, least; // least: the lowest count since the last trim
};

void pool_fini(struct pool *pool);
// An empty buffer with a limit; it may have no memory yet.
struct buf pool_take(struct pool *pool, size_t limit);
// Takes the buffer's memory over and leaves it empty.
void pool_give(struct pool *pool, struct buf *buf);
// Frees half of what was never needed since the last call.
void pool_trim(struct pool *pool);

#endif
