// SPDX-License-Identifier: Apache-2.0
#include "session/peers.h"

#include <criterion/criterion.h>

#define T0 INT64_C(1795370000000)

static struct peers PEERS;

static int take_all(uint64_t peer, int64_t now_ms)
{
    int taken = 0;
    while (taken < 100000 && peers_take(&PEERS, peer, now_ms)) {
        taken++;
    }
    return taken;
}

Test(session_peers, give_a_minutes_worth_and_refill_evenly)
{
    static const struct {
        int64_t at_ms;
        int want;
    } STEPS[] = {
        {T0, 10},        {T0, 0},         {T0 + 5999, 0},  {T0 + 6000, 1},      {T0 + 36000, 5},
        {T0 + 36000, 0}, {T0 - 99999, 0}, {T0 - 93999, 1}, {T0 + 10000000, 10}, {INT64_MAX, 10},
        {INT64_MIN, 0},
    };
    peers_init(&PEERS, 10);
    for (size_t i = 0; i < COUNT_OF(STEPS); i++) {
        int taken = take_all(1, STEPS[i].at_ms);
        cr_expect_eq(taken, STEPS[i].want, "step %zu: %d", i, taken);
    }
    peers_fini(&PEERS);
}

Test(session_peers, keep_peers_apart_and_strangers_together)
{
    peers_init(&PEERS, 2);
    int taken = 0;
    for (uint64_t peer = 1; peer <= 100000; peer++) {
        taken += take_all(peer * UINT64_C(0x9E3779B97F4A7C15), T0);
    }
    cr_expect_gt(taken, 1500, "most that come first have credit of their own: %d", taken);
    cr_expect_leq(taken, 2 * (PEERS_MAX + 1), "invented names give no more: %d", taken);
    cr_expect_gt(take_all(42, T0 + 60000), 0, "old places are free again after a minute");
    peers_fini(&PEERS);
}

Test(session_peers, take_back_what_was_not_used)
{
    peers_init(&PEERS, 1);
    cr_expect(peers_take(&PEERS, 5, T0));
    cr_expect_not(peers_take(&PEERS, 5, T0));
    peers_give(&PEERS, 5);
    peers_give(&PEERS, 5);
    cr_expect_eq(take_all(5, T0), 1, "never more than a minute's worth");
    peers_fini(&PEERS);
}

Test(session_peers, have_no_limit_where_none_is_set)
{
    peers_init(&PEERS, 0);
    cr_expect_eq(take_all(5, T0), 100000);
    peers_fini(&PEERS);
}

Test(session_peers, count_the_largest_limit_without_overflow)
{
    peers_init(&PEERS, UINT32_MAX);
    cr_expect(peers_take(&PEERS, 5, 0));
    cr_expect(peers_take(&PEERS, 5, INT64_MAX));
    peers_fini(&PEERS);
}
