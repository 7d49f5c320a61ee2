// SPDX-License-Identifier: Apache-2.0
#include "node/timer.h"

#include <criterion/criterion.h>

#define MANY 500

Test(node_timer, comes_out_in_order_whatever_is_moved_and_removed)
{
    static struct timer timers[MANY];
    struct timer_heap heap = {0};
    cr_assert_eq(timer_heap_reserve(&heap, MANY), PDP_ERR_OK);
    uint32_t dice = 1;
    for (int step = 0; step < 20000; step++) {
        dice = dice * 1664525 + 1013904223;
        struct timer *timer = &timers[(dice >> 8) % MANY];
        if ((dice & 3) == 0) {
            timer_remove(&heap, timer);
        } else {
            timer_set(&heap, timer, (int64_t)(dice >> 16));
        }
    }
    size_t held = heap.count, seen = 0;
    int64_t before = 0;
    for (struct timer *first = timer_first(&heap); first != NULL; first = timer_first(&heap)) {
        cr_expect_geq(first->due_ms, before);
        before = first->due_ms;
        timer_remove(&heap, first);
        timer_remove(&heap, first); // twice is nothing
        seen++;
    }
    cr_expect_eq(seen, held);
    timer_heap_fini(&heap);
}
