// SPDX-License-Identifier: Apache-2.0
#include "node/pool.h"

#include <criterion/criterion.h>

Test(node_pool, keeps_few_and_none_that_is_large)
{
    struct pool pool = {0};
    struct buf bufs[POOL_KEPT + 4];
    for (size_t i = 0; i < COUNT_OF(bufs); i++) {
        bufs[i] = pool_take(&pool, 1 << 20);
        cr_expect(buf_grow(&bufs[i], 1000));
    }
    struct buf large = pool_take(&pool, 0);
    cr_expect(buf_grow(&large, POOL_KEPT_BYTES + 1));
    pool_give(&pool, &large);
    cr_expect_eq(pool.count, 0u);
    for (size_t i = 0; i < COUNT_OF(bufs); i++) {
        pool_give(&pool, &bufs[i]);
        cr_expect(bufs[i].at == NULL);
    }
    cr_expect_eq(pool.count, (size_t)POOL_KEPT);

    struct buf warm = pool_take(&pool, 10);
    cr_expect(warm.cap >= 1000 && warm.len == 0 && warm.limit == 10 && !warm.failed);
    pool_give(&pool, &warm);
    pool_trim(&pool); // least since the beginning is 0
    cr_expect_eq(pool.count, (size_t)POOL_KEPT);
    for (int i = 0; i < 6; i++) {
        pool_trim(&pool);
    }
    cr_expect_eq(pool.count, 0u);
    pool_fini(&pool);
}
