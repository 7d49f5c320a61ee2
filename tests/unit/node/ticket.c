// SPDX-License-Identifier: Apache-2.0
#include "unit/node/machine.h"

#include <criterion/criterion.h>

static struct machine m;

static void begin(void)
{
    struct node_limits limits = machine_limits();
    machine_begin(&m, &limits);
}

static void end(void)
{
    machine_end(&m);
}

TestSuite(node_ticket, .init = begin, .fini = end);

static uint64_t ask(uint32_t count, const char *message)
{
    uint64_t id = machine_open(&m, 1, SP_TCP, "a");
    struct buf asked = {0}, hello = {0};
    put_hello(&asked, SP_REQ0);
    for (uint32_t i = 0; i < count; i++) {
        put_frame(&asked, SP_TCP, i, str_of(message));
    }
    machine_feed(&m, id, buf_view(&asked));
    machine_turns(&m);
    machine_drain(&m, &hello, SIZE_MAX);
    buf_fini(&asked);
    buf_fini(&hello);
    return id;
}

Test(node_ticket, parked_questions_are_answered_in_any_order)
{
    ask(2, "park");
    cr_assert_eq(m.ticket_count, 2u);
    struct buf got = {0}, wanted = {0};
    cr_expect_eq(node_complete(m.node, m.tickets[1], STR("second"), m.now), PDP_ERR_OK);
    cr_expect_eq(node_complete(m.node, m.tickets[0], STR("first"), m.now), PDP_ERR_OK);
    machine_drain(&m, &got, SIZE_MAX);
    put_frame(&wanted, SP_TCP, 1, STR("second"));
    put_frame(&wanted, SP_TCP, 0, STR("first"));
    cr_expect(str_eq(buf_view(&got), buf_view(&wanted)));
    buf_fini(&got);
    buf_fini(&wanted);
}

Test(node_ticket, a_ticket_serves_once)
{
    ask(1, "park");
    cr_expect_eq(node_complete(m.node, m.tickets[0], STR("x"), m.now), PDP_ERR_OK);
    cr_expect_eq(node_complete(m.node, m.tickets[0], STR("x"), m.now), PDP_ERR_UNKNOWN);
    struct node_ticket invented = {77, 1};
    cr_expect_eq(node_complete(m.node, invented, STR("x"), m.now), PDP_ERR_UNKNOWN);
    cr_expect_eq(node_complete(m.node, (struct node_ticket){0}, STR("x"), m.now), PDP_ERR_UNKNOWN);
}

Test(node_ticket, no_more_are_in_flight_than_the_limit)
{
    uint64_t id = ask(10, "park");
    cr_expect_eq(m.ticket_count, 3u);
    struct node_space space;
    cr_expect(!node_space(m.node, id, &space));
    for (size_t i = 0; i < 10; i++) {
        cr_expect_eq(node_complete(m.node, m.tickets[i], STR("x"), m.now), PDP_ERR_OK);
        machine_turns(&m);
    }
    cr_expect_eq(m.ticket_count, 10u);
    cr_expect(node_space(m.node, id, &space));
}

Test(node_ticket, a_peer_that_left_gets_nothing_and_its_place_is_used_again)
{
    uint64_t id = ask(1, "park");
    node_lost(m.node, id);
    machine_reap(&m);
    uint64_t next = machine_open(&m, 2, SP_TCP, "a");
    cr_expect_neq(id, next);
    cr_expect_eq(node_complete(m.node, m.tickets[0], STR("for the one before"), m.now), PDP_ERR_CLOSED);
    struct buf got = {0};
    machine_drain(&m, &got, SIZE_MAX);
    cr_expect_eq(got.len, (size_t)SP_HANDSHAKE_BYTES);
    buf_fini(&got);
}

Test(node_ticket, an_ended_peer_is_kept_until_its_ticket_is_done)
{
    uint64_t id = ask(1, "park");
    node_ended(m.node, id, m.now);
    machine_at(&m, 1 << 30);
    cr_expect_eq(m.closed_count, 0u);
    struct buf got = {0};
    cr_expect_eq(node_complete(m.node, m.tickets[0], STR("late"), m.now), PDP_ERR_OK);
    machine_drain(&m, &got, SIZE_MAX);
    cr_expect_eq(got.len, 8 + 4 + 4u);
    cr_expect_eq(m.closed_count, 1u);
    buf_fini(&got);
}
