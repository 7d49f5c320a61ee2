// SPDX-License-Identifier: Apache-2.0
// HOT
#include "node/pool.h"

void pool_fini(struct pool *pool)
{
    while (pool->count > 0) {
        buf_fini(&pool->kept[--pool->count]);
    }
}

struct buf pool_take(struct pool *pool, size_t limit)
{
    struct buf buf = {0};
    if (pool->count > 0) {
        buf = pool->kept[--pool->count];
        pool->least = pool->count < pool->least ? pool->count : pool->least;
    }
    buf.limit = limit;
    return buf;
}

void pool_give(struct pool *pool, struct buf *buf)
{
    if (buf->at != NULL && buf->cap <= POOL_KEPT_BYTES && pool->count < POOL_KEPT) {
        buf_clear(buf);
        pool->kept[pool->count++] = *buf;
    } else {
        buf_fini(buf);
    }
    *buf = (struct buf){0};
}

void pool_trim(struct pool *pool)
{
    for (size_t most = (pool->least + 1) / 2; most > 0; most--) {
        buf_fini(&pool->kept[--pool->count]);
    }
    pool->least = pool->count;
}
