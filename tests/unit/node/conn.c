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

TestSuite(node_conn, .init = begin, .fini = end);

static void session(struct buf *out, enum sp_transport transport, uint16_t type, uint32_t count)
{
    put_hello(out, type);
    for (uint32_t i = 0; i < count; i++) {
        char text[32];
        int len = snprintf(text, sizeof text, "question %u", i);
        put_frame(out, transport, i, (struct str){text, (size_t)len});
    }
}

Test(node_conn, every_split_point_gives_the_same_bytes)
{
    for (int transport = SP_TCP; transport <= SP_IPC; transport++) {
        struct buf asked = {0}, wanted = {0};
        session(&asked, (enum sp_transport)transport, SP_REQ0, 3);
        session(&wanted, (enum sp_transport)transport, SP_REP0, 3);
        for (size_t cut = 0; cut <= asked.len; cut++) {
            uint64_t id = machine_open(&m, cut, (enum sp_transport)transport, "a");
            struct buf got = {0};
            struct str all = buf_view(&asked);
            machine_feed(&m, id, str_sub(all, 0, cut));
            machine_drain(&m, &got, SIZE_MAX);
            machine_feed(&m, id, str_sub(all, cut, all.len));
            machine_drain(&m, &got, SIZE_MAX);
            cr_assert(str_eq(buf_view(&got), buf_view(&wanted)), "cut at %zu", cut);
            node_lost(m.node, id);
            m.closed_count = 0;
            machine_reap(&m);
            cr_assert_eq(m.closed_count, 1u);
            buf_fini(&got);
        }
        buf_fini(&asked);
        buf_fini(&wanted);
    }
}

Test(node_conn, byte_by_byte_both_ways)
{
    struct buf asked = {0}, wanted = {0}, got = {0};
    session(&asked, SP_IPC, SP_REQ0, 20);
    session(&wanted, SP_IPC, SP_REP0, 20);
    uint64_t id = machine_open(&m, 1, SP_IPC, "a");
    for (size_t i = 0; i < asked.len; i++) {
        cr_assert_eq(machine_feed(&m, id, str_sub(buf_view(&asked), i, 1)), 1u);
        machine_drain(&m, &got, 1);
    }
    cr_expect(str_eq(buf_view(&got), buf_view(&wanted)));
    buf_fini(&asked);
    buf_fini(&wanted);
    buf_fini(&got);
}

static const struct {
    const char *name;
    enum sp_transport transport;
    struct str after_hello; // NULL: instead of it
    struct str bytes;
    enum node_refusal why;
} RUDE[] = {
    {"garbage", SP_TCP, {0}, {"hello there", 11}, NODE_REFUSAL_HANDSHAKE_BAD},
    {"one wrong byte", SP_IPC, {0}, {"\x16", 1}, NODE_REFUSAL_HANDSHAKE_BAD},
    {"a rep", SP_TCP, {0}, {"\0SP\0\0\x31\0\0", 8}, NODE_REFUSAL_HANDSHAKE_TYPE},
    {"2^63 over tcp", SP_TCP, {"", 0}, {"\x80\0\0\0\0\0\0\0", 8}, NODE_REFUSAL_FRAME_LONG},
    {"2^63 over ipc", SP_IPC, {"", 0}, {"\1\x80\0\0\0\0\0\0\0", 9}, NODE_REFUSAL_FRAME_LONG},
    {"2^64 - 1", SP_TCP, {"", 0}, {"\xff\xff\xff\xff\xff\xff\xff\xff", 8}, NODE_REFUSAL_FRAME_LONG},
    {"one above the limit", SP_TCP, {"", 0}, {"\0\0\0\0\0\0\x10\1", 8}, NODE_REFUSAL_FRAME_LONG},
    {"a kind of frame that is none", SP_IPC, {"", 0}, {"\2", 1}, NODE_REFUSAL_FRAME_BAD},
    {"no id", SP_TCP, {"", 0}, {"\0\0\0\0\0\0\0\3abc", 11}, NODE_REFUSAL_HOPS_BAD},
    {"no message", SP_TCP, {"", 0}, {"\0\0\0\0\0\0\0\0", 8}, NODE_REFUSAL_HOPS_BAD},
};

Test(node_conn, the_rude_are_closed_at_once_and_counted)
{
    for (size_t i = 0; i < COUNT_OF(RUDE); i++) {
        uint64_t id = machine_open(&m, i, RUDE[i].transport, "a");
        struct buf asked = {0}, got = {0};
        if (RUDE[i].after_hello.at != NULL) {
            put_hello(&asked, SP_REQ0);
        }
        buf_str(&asked, RUDE[i].bytes);
        uint64_t before = machine_refused(&m, RUDE[i].why);
        machine_feed(&m, id, buf_view(&asked));
        m.closed_count = 0;
        machine_drain(&m, &got, SIZE_MAX);
        cr_expect_eq(m.closed_count, 1u, "%s", RUDE[i].name);
        cr_expect_eq(machine_refused(&m, RUDE[i].why), before + 1, "%s", RUDE[i].name);
        cr_expect_eq(got.len, (size_t)SP_HANDSHAKE_BYTES, "%s", RUDE[i].name);
        buf_fini(&asked);
        buf_fini(&got);
    }
    cr_expect_eq(m.answered, 0u);
    cr_expect_eq(node_connections(m.node), 0u);
}

Test(node_conn, a_message_over_too_many_hops_is_dropped_alone)
{
    uint64_t id = machine_open(&m, 1, SP_TCP, "a");
    struct buf asked = {0}, got = {0};
    put_hello(&asked, SP_REQ0);
    unsigned char header[SP_HEADER_MAX];
    buf_put(&asked, header, sp_frame_write(SP_TCP, 36, header));
    for (int i = 0; i < 9; i++) {
        buf_put(&asked, "\0\0\0\1", 4);
    }
    put_frame(&asked, SP_TCP, 5, STR("still here"));
    machine_feed(&m, id, buf_view(&asked));
    machine_drain(&m, &got, SIZE_MAX);
    cr_expect_eq(m.answered, 1u);
    cr_expect_eq(machine_refused(&m, NODE_REFUSAL_HOPS_DEEP), 1u);
    cr_expect_eq(got.len, 8 + 8 + 4 + STR("still here").len);
    buf_fini(&asked);
    buf_fini(&got);
}

Test(node_conn, one_flood_does_not_starve_another_peer)
{
    uint64_t flood = machine_open(&m, 1, SP_TCP, "a");
    uint64_t calm = machine_open(&m, 2, SP_TCP, "b");
    struct buf many = {0}, one = {0}, got = {0};
    session(&many, SP_TCP, SP_REQ0, 40);
    session(&one, SP_TCP, SP_REQ0, 1);
    machine_feed(&m, flood, buf_view(&many));
    cr_expect_eq(m.answered, 4u);
    cr_expect(node_runnable(m.node));
    struct node_space space;
    cr_expect(!node_space(m.node, flood, &space)); // it has had its turn
    machine_feed(&m, calm, buf_view(&one));
    cr_expect_eq(m.answered, 5u);
    struct node_ready ready;
    cr_expect(node_next_ready(m.node, m.now, &ready));
    cr_expect_eq(m.answered, 9u);
    for (int i = 0; i < 20; i++) {
        machine_turns(&m);
        machine_drain(&m, &got, SIZE_MAX);
    }
    cr_expect_eq(m.answered, 41u);
    buf_fini(&many);
    buf_fini(&one);
    buf_fini(&got);
}

Test(node_conn, a_slow_reader_is_not_read_then_closed)
{
    uint64_t id = machine_open(&m, 1, SP_TCP, "a");
    struct buf asked = {0}, got = {0};
    put_hello(&asked, SP_REQ0);
    put_frame(&asked, SP_TCP, 1, STR("big"));
    put_frame(&asked, SP_TCP, 2, STR("small"));
    machine_feed(&m, id, buf_view(&asked));
    machine_turns(&m);
    cr_expect_eq(m.answered, 1u); // the second waits until the backlog is taken
    struct node_space space;
    cr_expect(!node_space(m.node, id, &space));
    struct node_output output;
    cr_assert(node_next_output(m.node, &output));
    node_sent(m.node, id, 100, m.now);
    cr_expect(!node_next_output(m.node, &output)); // until it is writable
    struct node_change change;
    cr_assert(node_next_change(m.node, &change));
    cr_expect(!change.read && change.write);

    // Taking crumbs is no progress; taking a share is.
    machine_at(&m, 1000 + 9000);
    node_writable(m.node, id);
    cr_assert(node_next_output(m.node, &output));
    node_sent(m.node, id, NODE_PROGRESS_BYTES, m.now);
    machine_at(&m, 10000 + 9000);
    cr_expect_eq(node_connections(m.node), 1u);
    node_writable(m.node, id);
    cr_assert(node_next_output(m.node, &output));
    node_sent(m.node, id, 1, m.now);
    machine_at(&m, 10000 + 10000);
    cr_expect_eq(node_connections(m.node), 0u);
    cr_expect_eq(machine_refused(&m, NODE_REFUSAL_SLOW_READER), 1u);
    buf_fini(&asked);
    buf_fini(&got);
}

Test(node_conn, a_slow_reader_that_reads_in_the_end_gets_all)
{
    uint64_t id = machine_open(&m, 1, SP_IPC, "a");
    struct buf asked = {0}, got = {0};
    put_hello(&asked, SP_REQ0);
    for (uint32_t i = 0; i < 3; i++) {
        put_frame(&asked, SP_IPC, i, STR("big"));
    }
    machine_feed(&m, id, buf_view(&asked));
    for (int i = 0; i < 5; i++) {
        machine_drain(&m, &got, 777);
        machine_turns(&m);
    }
    cr_expect_eq(got.len, 8 + 3 * (9 + 4 + 100000u));
    cr_expect_eq(node_connections(m.node), 1u);
    buf_fini(&asked);
    buf_fini(&got);
}

Test(node_conn, an_answer_above_the_hard_limit_closes)
{
    struct node_limits limits = machine_limits();
    limits.output_bytes = 5000;
    machine_end(&m);
    machine_begin(&m, &limits);
    uint64_t id = machine_open(&m, 1, SP_TCP, "a");
    struct buf asked = {0}, got = {0};
    put_hello(&asked, SP_REQ0);
    put_frame(&asked, SP_TCP, 1, STR("big"));
    machine_feed(&m, id, buf_view(&asked));
    machine_drain(&m, &got, SIZE_MAX);
    cr_expect_eq(m.closed_count, 1u);
    cr_expect_eq(machine_refused(&m, NODE_REFUSAL_BACKLOG), 1u);
    buf_fini(&asked);
    buf_fini(&got);
}

Test(node_conn, deaf_readers_together_hold_no_more_than_a_budget)
{
    struct node_limits limits = machine_limits();
    limits.waiting_bytes = 300000;
    machine_end(&m);
    machine_begin(&m, &limits);
    struct buf asked = {0}, got = {0};
    put_hello(&asked, SP_REQ0);
    put_frame(&asked, SP_TCP, 1, STR("big"));
    uint64_t ids[6];
    for (uint64_t i = 0; i < 6; i++) { // each takes a little and leaves 100,000 bytes lying
        ids[i] = machine_open(&m, i, SP_TCP, i < 3 ? "a" : "b");
        machine_feed(&m, ids[i], buf_view(&asked));
        struct node_output output;
        while (node_next_output(m.node, &output)) {
            node_sent(m.node, output.id, 100, m.now);
        }
        machine_reap(&m);
    }
    cr_expect_eq(node_connections(m.node), 2u, "%zu", node_connections(m.node));
    cr_expect_eq(machine_refused(&m, NODE_REFUSAL_BACKLOG), 4u);
    // One that reads in the end makes room for another.
    for (int i = 0; i < 3000 && node_connections(m.node) == 2; i++) {
        struct node_output output;
        node_writable(m.node, ids[0]);
        if (!node_next_output(m.node, &output)) {
            break;
        }
        node_sent(m.node, output.id, output.bytes.len < 1000 ? output.bytes.len : 1000, m.now);
    }
    uint64_t late = machine_open(&m, 9, SP_TCP, "c");
    machine_feed(&m, late, buf_view(&asked));
    struct node_output output;
    while (node_next_output(m.node, &output)) {
        node_sent(m.node, output.id, 100, m.now);
    }
    cr_expect_eq(node_connections(m.node), 3u, "%zu", node_connections(m.node));
    buf_fini(&asked);
    buf_fini(&got);
}

Test(node_conn, what_was_asked_before_the_end_is_answered)
{
    uint64_t id = machine_open(&m, 1, SP_TCP, "a");
    struct buf asked = {0}, wanted = {0}, got = {0};
    session(&asked, SP_TCP, SP_REQ0, 30);
    session(&wanted, SP_TCP, SP_REP0, 30);
    machine_feed(&m, id, buf_view(&asked));
    node_ended(m.node, id, m.now);
    for (int i = 0; i < 20; i++) {
        machine_turns(&m);
        machine_drain(&m, &got, SIZE_MAX);
    }
    cr_expect(str_eq(buf_view(&got), buf_view(&wanted)));
    cr_expect_eq(m.closed_count, 1u);
    buf_fini(&asked);
    buf_fini(&wanted);
    buf_fini(&got);
}

static const struct {
    const char *name;
    struct str bytes;
    enum node_refusal why;
} LEAVING[] = {
    {"before a word", {"", 0}, NODE_REFUSAL_HANDSHAKE_LEFT},
    {"within the handshake", {"\0SP", 3}, NODE_REFUSAL_HANDSHAKE_LEFT},
    {"within a frame", {"\0SP\0\0\x30\0\0\0\0\0", 11}, NODE_REFUSAL_FRAME_LEFT},
};

Test(node_conn, leaving_is_told_apart)
{
    for (size_t i = 0; i < COUNT_OF(LEAVING); i++) {
        for (int gone = 0; gone < 2; gone++) {
            uint64_t id = machine_open(&m, i, SP_TCP, "a");
            uint64_t before = machine_refused(&m, LEAVING[i].why);
            struct buf got = {0};
            machine_feed(&m, id, LEAVING[i].bytes);
            if (gone == 0) {
                node_ended(m.node, id, m.now);
                machine_drain(&m, &got, SIZE_MAX);
            } else {
                node_lost(m.node, id);
            }
            machine_reap(&m);
            cr_expect_eq(node_connections(m.node), 0u, "%s", LEAVING[i].name);
            cr_expect_eq(machine_refused(&m, LEAVING[i].why), before + 1, "%s", LEAVING[i].name);
            buf_fini(&got);
        }
    }
}
