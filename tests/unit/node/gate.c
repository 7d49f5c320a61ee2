// SPDX-License-Identifier: Apache-2.0
// Answers that wait for the journal: in order, once durable; refused once the store has failed.
#include "node/gate.h"

#include "session/journal.h"
#include "unit/node/machine.h"

#include <criterion/criterion.h>

static struct machine m;
static struct journal *journal;
static unsigned woken;

static void wake(void *user)
{
    (void)user;
    woken++;
}

static void begin(void)
{
    struct node_limits limits = machine_limits();
    machine_begin(&m, &limits);
    cr_assert_eq(journal_new(&(struct journal_config){0}, &journal), PDP_ERR_OK);
    cr_assert_eq(gate_new(journal, wake, NULL, &m.gate), PDP_ERR_OK);
    woken = 0;
}

static void end(void)
{
    gate_free(&m.gate);
    journal_free(&journal);
    machine_end(&m);
}

TestSuite(node_gate, .init = begin, .fini = end);

static uint64_t step(void)
{
    const struct journal_row row = {.table = JOURNAL_META, .key = STR("key"), .value = STR("value")};
    uint64_t seq = 0;
    cr_assert_eq(journal_add(journal, &row, 1, true, &seq), PDP_ERR_OK);
    return seq;
}

static void nothing(void *user, const struct journal_row *row)
{
    (void)user;
    (void)row;
}

static void settle(uint64_t seq, bool failed)
{
    cr_assert_geq(journal_take(journal, SIZE_MAX, nothing, NULL), seq);
    journal_settle(journal, seq, failed);
}

static uint64_t connect(void)
{
    uint64_t id = machine_open(&m, 1, SP_TCP, "a");
    struct buf hello = {0};
    put_hello(&hello, SP_REQ0);
    machine_feed(&m, id, buf_view(&hello));
    buf_clear(&hello);
    machine_drain(&m, &hello, SIZE_MAX);
    buf_fini(&hello);
    return id;
}

static void ask(uint64_t id, uint32_t number, uint64_t seq, const char *message)
{
    struct buf asked = {0};
    m.gate_seq = seq;
    put_frame(&asked, SP_TCP, number, str_of(message));
    machine_feed(&m, id, buf_view(&asked));
    machine_turns(&m);
    buf_fini(&asked);
}

// What the peer has got since: one after the other, by number and text. NULL ends the list.
static void expect_got(const uint32_t *numbers, const char *const *texts)
{
    struct buf got = {0}, wanted = {0};
    machine_drain(&m, &got, SIZE_MAX);
    for (size_t i = 0; texts[i] != NULL; i++) {
        put_frame(&wanted, SP_TCP, numbers[i], str_of(texts[i]));
    }
    cr_expect(str_eq(buf_view(&got), buf_view(&wanted)), "%zu bytes, not %zu", got.len, wanted.len);
    buf_fini(&got);
    buf_fini(&wanted);
}

Test(node_gate, answers_go_in_order_once_they_are_durable)
{
    uint64_t id = connect(), first = step(), second = step();
    cr_expect(gate_holds(m.gate, first));
    cr_expect_not(gate_holds(m.gate, 0), "waits for nothing");
    ask(id, 1, first, "gate-1");
    ask(id, 2, second, "gate-2");
    cr_expect_eq(gate_held(m.gate), 2);
    gate_release(m.gate, m.node, m.now);
    expect_got(NULL, (const char *const[]){NULL});
    settle(first, false);
    cr_expect_not(gate_holds(m.gate, first));
    cr_expect(gate_holds(m.gate, second));
    gate_release(m.gate, m.node, m.now);
    expect_got((const uint32_t[]){1}, (const char *const[]){"gate-1", NULL});
    settle(second, false);
    gate_release(m.gate, m.node, m.now);
    expect_got((const uint32_t[]){2}, (const char *const[]){"gate-2", NULL});
    cr_expect_eq(gate_held(m.gate), 0);
    cr_expect_eq(woken, 0);
}

Test(node_gate, what_failed_is_refused_and_what_came_after_all_is_not)
{
    uint64_t id = connect(), first = step();
    ask(id, 1, first, "gate-1");
    settle(first, true);
    uint64_t second = step();
    ask(id, 2, second, "gate-2");
    gate_release(m.gate, m.node, m.now);
    expect_got((const uint32_t[]){1}, (const char *const[]){"refused", NULL});
    cr_expect_eq(gate_held(m.gate), 1, "of the second nobody knows yet");
    settle(second, true);
    settle(second, false);
    gate_release(m.gate, m.node, m.now);
    expect_got((const uint32_t[]){2}, (const char *const[]){"gate-2", NULL});
}

// The store settled between the handler's look and its parking: nobody else would wake the node.
Test(node_gate, what_is_settled_as_it_is_parked_wakes)
{
    uint64_t id = connect(), first = step();
    settle(first, false);
    ask(id, 1, first, "gate-1");
    cr_expect_eq(woken, 1);
    uint64_t second = step();
    settle(second, true);
    ask(id, 2, second, "gate-2");
    cr_expect_eq(woken, 2);
    gate_release(m.gate, m.node, m.now);
    expect_got((const uint32_t[]){1, 2}, (const char *const[]){"gate-1", "refused", NULL});
}

Test(node_gate, what_cannot_be_durable_is_not_parked)
{
    uint64_t id = connect();
    ask(id, 1, UINT64_MAX, "gate-1");
    cr_expect_eq(m.parked, PDP_ERR_CLOSED);
    cr_expect_eq(gate_held(m.gate), 0);
    expect_got((const uint32_t[]){1}, (const char *const[]){"unsaved", NULL});
}

Test(node_gate, a_peer_that_left_holds_nobody_up)
{
    uint64_t gone = connect(), first = step(), second = step();
    ask(gone, 1, first, "gate-1");
    node_lost(m.node, gone);
    machine_reap(&m);
    uint64_t id = connect();
    ask(id, 2, second, "gate-2");
    settle(second, false);
    gate_release(m.gate, m.node, m.now);
    expect_got((const uint32_t[]){2}, (const char *const[]){"gate-2", NULL});
    cr_expect_eq(gate_held(m.gate), 0);
}

Test(node_gate, without_a_journal_nothing_waits)
{
    struct gate *none = NULL;
    cr_assert_eq(gate_new(NULL, wake, NULL, &none), PDP_ERR_OK);
    cr_expect_not(gate_holds(none, 7));
    gate_release(none, m.node, m.now);
    gate_free(&none);
}

// What is still held at the end is freed, and answered nobody.
Test(node_gate, an_end_frees_what_is_held)
{
    uint64_t id = connect();
    ask(id, 1, step(), "gate-1");
    cr_expect_eq(gate_held(m.gate), 1);
}
