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

TestSuite(node_node, .init = begin, .fini = end);

Test(node_node, connections_are_limited_in_all_and_by_origin)
{
    for (uint64_t i = 0; i < 4; i++) {
        cr_expect_neq(machine_open(&m, i, SP_IPC, "uid:1"), UINT64_MAX);
    }
    cr_expect_eq(machine_open(&m, 9, SP_IPC, "uid:1"), UINT64_MAX);
    cr_expect_eq(machine_refused(&m, NODE_REFUSAL_PEER_CONNECTIONS), 1u);
    uint64_t last = 0;
    for (uint64_t i = 4; i < 8; i++) {
        last = machine_open(&m, i, SP_IPC, "uid:2");
    }
    cr_expect_eq(machine_open(&m, 9, SP_IPC, "uid:3"), UINT64_MAX);
    cr_expect_eq(machine_refused(&m, NODE_REFUSAL_CONNECTIONS), 1u);
    node_lost(m.node, last);
    machine_reap(&m);
    cr_expect_neq(machine_open(&m, 9, SP_IPC, "uid:3"), UINT64_MAX);
}

Test(node_node, a_name_that_is_too_long_is_refused)
{
    static const char name[NODE_NAME_MAX + 1];
    struct node_open open = {.peer.name = {name, sizeof name}};
    uint64_t id;
    cr_expect_eq(node_open(m.node, &open, m.now, &id), PDP_ERR_RANGE);
    cr_expect_eq(machine_refused(&m, NODE_REFUSAL_NAME), 1u);
}

Test(node_node, ids_do_not_come_back)
{
    uint64_t before = 0;
    for (int i = 0; i < 1000; i++) {
        uint64_t id = machine_open(&m, 3, SP_TCP, "a");
        cr_assert_neq(id, before);
        uint64_t handle;
        cr_expect(node_handle(m.node, id, &handle) && handle == 3);
        cr_expect(!node_handle(m.node, before, &handle));
        node_received(m.node, before, 10, m.now); // an event of the one before does nothing
        node_sent(m.node, before, 10, m.now);
        node_lost(m.node, id);
        machine_reap(&m);
        m.closed_count = 0;
        before = id;
    }
}

static const struct {
    const char *name;
    struct str bytes;
    bool take;        // what is offered is taken
    int64_t after_ms; // still there one millisecond earlier
    enum node_refusal why;
} LATE[] = {
    {"says nothing", {"", 0}, true, 5000, NODE_REFUSAL_HANDSHAKE_LATE},
    {"half a handshake", {"\0SP\0", 4}, true, 5000, NODE_REFUSAL_HANDSHAKE_LATE},
    {"does not even take ours", {"", 0}, false, 5000, NODE_REFUSAL_HANDSHAKE_LATE},
    {"half a frame", {"\0SP\0\0\x30\0\0\0\0", 10}, true, 10000, NODE_REFUSAL_FRAME_LATE},
    {"half a body", {"\0SP\0\0\x30\0\0\0\0\0\0\0\0\0\x09\x80", 17}, true, 10000, NODE_REFUSAL_FRAME_LATE},
    {"never asks", {"\0SP\0\0\x30\0\0", 8}, true, 600000, NODE_REFUSAL_IDLE},
    {"takes no answer",
     {"\0SP\0\0\x30\0\0\0\0\0\0\0\0\0\4\x80\0\0\1", 20},
     false,
     10000,
     NODE_REFUSAL_SLOW_READER},
};

Test(node_node, deadlines)
{
    for (size_t i = 0; i < COUNT_OF(LATE); i++) {
        int64_t start = m.now.steady_ms;
        struct buf got = {0};
        uint64_t id = machine_open(&m, i, SP_TCP, "a");
        machine_feed(&m, id, LATE[i].bytes);
        struct node_output output;
        if (LATE[i].take) {
            machine_drain(&m, &got, SIZE_MAX);
        } else if (node_next_output(m.node, &output)) {
            node_sent(m.node, id, 0, m.now);
        }
        uint64_t before = machine_refused(&m, LATE[i].why);
        cr_expect_leq(node_deadline(m.node), start + LATE[i].after_ms, "%s", LATE[i].name);
        machine_at(&m, start + LATE[i].after_ms - 1);
        cr_expect_eq(node_connections(m.node), 1u, "%s: too early", LATE[i].name);
        machine_at(&m, start + LATE[i].after_ms);
        cr_expect_eq(node_connections(m.node), 0u, "%s: still there", LATE[i].name);
        cr_expect_eq(machine_refused(&m, LATE[i].why), before + 1, "%s", LATE[i].name);
        buf_fini(&got);
    }
}

Test(node_node, a_peer_that_keeps_asking_is_never_idle)
{
    uint64_t id = machine_open(&m, 1, SP_TCP, "a");
    struct buf hello = {0}, asked = {0}, got = {0};
    put_hello(&hello, SP_REQ0);
    put_frame(&asked, SP_TCP, 1, STR("x"));
    machine_feed(&m, id, buf_view(&hello));
    machine_drain(&m, &got, SIZE_MAX);
    for (int i = 0; i < 100; i++) {
        machine_at(&m, m.now.steady_ms + 500000);
        machine_feed(&m, id, buf_view(&asked));
        machine_drain(&m, &got, SIZE_MAX);
    }
    cr_expect_eq(node_connections(m.node), 1u);
    cr_expect_eq(m.answered, 100u);
    buf_fini(&hello);
    buf_fini(&asked);
    buf_fini(&got);
}

Test(node_node, one_byte_now_and_then_does_not_extend_a_frame)
{
    uint64_t id = machine_open(&m, 1, SP_TCP, "a");
    struct buf asked = {0}, got = {0};
    put_hello(&asked, SP_REQ0);
    put_frame(&asked, SP_TCP, 1, STR("a question of some length"));
    int64_t start = m.now.steady_ms;
    for (size_t i = 0; i < asked.len && node_connections(m.node) > 0; i++) {
        machine_feed(&m, id, str_sub(buf_view(&asked), i, 1));
        machine_drain(&m, &got, SIZE_MAX);
        machine_at(&m, m.now.steady_ms + (i < 8 ? 0 : 900));
    }
    cr_expect_eq(m.answered, 0u);
    cr_expect_leq(m.now.steady_ms, start + 11000);
    cr_expect_eq(machine_refused(&m, NODE_REFUSAL_FRAME_LATE), 1u);
    buf_fini(&asked);
    buf_fini(&got);
}

Test(node_node, draining_answers_what_has_arrived_and_takes_no_more)
{
    uint64_t busy = machine_open(&m, 1, SP_TCP, "a");
    uint64_t calm = machine_open(&m, 2, SP_TCP, "a");
    uint64_t shaking = machine_open(&m, 3, SP_TCP, "a");
    struct buf hello = {0}, asked = {0}, got = {0};
    put_hello(&hello, SP_REQ0);
    put_hello(&asked, SP_REQ0);
    for (uint32_t i = 0; i < 9; i++) {
        put_frame(&asked, SP_TCP, i, STR("x"));
    }
    machine_feed(&m, calm, buf_view(&hello));
    machine_drain(&m, &got, SIZE_MAX);
    buf_clear(&got);
    machine_feed(&m, busy, buf_view(&asked));
    node_drain(m.node, m.now);
    struct node_space space;
    cr_expect(!node_space(m.node, busy, &space) && !node_space(m.node, shaking, &space));
    machine_turns(&m);
    machine_drain(&m, &got, SIZE_MAX);
    cr_expect_eq(m.answered, 9u);
    cr_expect_eq(got.len, 9 * (8 + 4 + 1u));
    cr_expect_eq(node_connections(m.node), 0u);
    cr_expect_eq(machine_open(&m, 4, SP_TCP, "a"), UINT64_MAX);
    buf_fini(&hello);
    buf_fini(&asked);
    buf_fini(&got);
}

Test(node_node, cutting_counts_each_that_was_owed)
{
    machine_open(&m, 1, SP_TCP, "a");
    machine_open(&m, 2, SP_TCP, "a");
    node_cut(m.node);
    machine_reap(&m);
    cr_expect_eq(m.closed_count, 2u);
    cr_expect_eq(machine_refused(&m, NODE_REFUSAL_DRAIN), 2u);
}

Test(node_node, spare_buffers_are_given_back_in_calm_times)
{
    uint64_t id = machine_open(&m, 1, SP_TCP, "a");
    struct buf got = {0};
    machine_feed(&m, id, STR("\0SP\0\0\x30\0\0"));
    machine_drain(&m, &got, SIZE_MAX);
    for (int i = 0; i < 10; i++) {
        machine_at(&m, m.now.steady_ms + 1000);
    }
    cr_expect_gt(node_deadline(m.node), m.now.steady_ms + 100000); // nothing left to trim
    buf_fini(&got);
}

Test(node_node, a_crowd_that_left_leaves_no_tables_behind)
{
    struct node_limits limits = machine_limits();
    limits.connections = limits.peer_connections = 5000;
    machine_end(&m);
    machine_begin(&m, &limits);
    static uint64_t ids[5000];
    for (int round = 0; round < 3; round++) {
        for (uint64_t i = 0; i < COUNT_OF(ids); i++) {
            ids[i] = machine_open(&m, i, SP_TCP, "a");
            cr_assert_neq(ids[i], UINT64_MAX);
        }
        for (size_t i = 0; i < COUNT_OF(ids); i++) {
            if (i != 7 && i != 1003) {
                node_lost(m.node, ids[i]);
            }
        }
        uint64_t handle = 0;
        size_t closed = 0;
        while (node_next_closed(m.node, &handle)) {
            closed++;
        }
        cr_expect_eq(closed, COUNT_OF(ids) - 2);
        m.now.steady_ms += 1000;
        node_expire(m.node, m.now);
        cr_expect(node_handle(m.node, ids[7], &handle) && handle == 7);
        cr_expect(node_handle(m.node, ids[1003], &handle) && handle == 1003);
        cr_expect(!node_handle(m.node, ids[1004], &handle) && !node_handle(m.node, ids[4999], &handle));
        uint64_t again = machine_open(&m, 1, SP_TCP, "a");
        cr_expect(node_handle(m.node, again, &handle) && handle == 1);
        node_lost(m.node, ids[7]);
        node_lost(m.node, ids[1003]);
        node_lost(m.node, again);
        m.closed_count = 0;
        machine_reap(&m);
    }
    cr_expect_eq(node_connections(m.node), 0u);
}

Test(node_node, each_refusal_has_a_name)
{
    for (int i = 0; i < NODE_REFUSAL_COUNT; i++) {
        cr_expect(strlen(node_refusal_name((enum node_refusal)i)) > 3);
        cr_expect(strlen(node_refusal_text((enum node_refusal)i)) > 3);
    }
    cr_expect_str_eq(node_refusal_name(NODE_REFUSAL_COUNT), "unknown");
}
