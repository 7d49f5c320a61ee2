// SPDX-License-Identifier: Apache-2.0
// Whose turn it is: origins share a turn, whatever each of them brings.
#include "unit/node/machine.h"

#include <criterion/criterion.h>

enum {
    EACH = 40, // connections of the one who floods
    DEEP = 100 // questions on each of them
};

static struct machine m;
static int64_t waited[8]; // of the questions answered, by the digit that they begin with: the longest
static size_t count[8];

static enum node_outcome note(void *user, struct node_asking *asking, struct str message, struct buf *out)
{
    (void)user;
    size_t who = message.len > 0 ? (size_t)(message.at[0] - '0') % COUNT_OF(waited) : 0;
    int64_t ms = node_asking_waited_ms(asking);
    waited[who] = ms > waited[who] ? ms : waited[who];
    count[who]++;
    m.now.steady_ms += who == 0;         // each of the flood's costs a millisecond
    if (str_eq(message, STR("4work"))) { // three times as much, of which nothing is seen
        node_asking_charge(asking, 20000);
        return NODE_DONE;
    }
    for (int i = 0; message.len > 1 && i < 100; i++) { // `5big`: a hundred times as much as others
        buf_put(out, "0123456789012345678901234567890123456789012345678901234567890123456789", 70);
    }
    return NODE_DONE;
}

static void begin(void)
{
    m = (struct machine){.now = {1000, 1795370000000}};
    struct node_config config = {
        .handler = {note, NULL}, .limits = NODE_LIMITS_DEFAULT, .type = SP_REP0, .seed = {1, 2}};
    cr_assert_eq(node_new(&config, &m.node), PDP_ERR_OK);
    memset(waited, 0, sizeof waited);
    memset(count, 0, sizeof count);
}

static void end(void)
{
    machine_end(&m);
}

TestSuite(node_turn, .init = begin, .fini = end);

struct sender {
    uint64_t id;
    struct buf bytes;
};

static struct sender sender(uint64_t handle, const char *origin, const char *text, int questions)
{
    struct sender out = {.id = machine_open(&m, handle, SP_TCP, origin)};
    put_hello(&out.bytes, SP_REQ0);
    for (int i = 0; i < questions; i++) {
        put_frame(&out.bytes, SP_TCP, (uint32_t)i, str_of(text));
    }
    return out;
}

static struct sender *of_id(struct sender *senders, size_t n, uint64_t id)
{
    for (size_t i = 0; i < n; i++) {
        if (senders[i].id == id) {
            return &senders[i];
        }
    }
    return NULL;
}

// One turn as a daemon has it: all that have sent something are told of, then served as the node says.
static void turn(struct sender *senders, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (senders[i].bytes.len > 0) {
            node_readable(m.node, senders[i].id, false, m.now);
        }
    }
    struct node_ready ready;
    while (node_next_ready(m.node, m.now, &ready)) {
        struct sender *from = of_id(senders, n, ready.id);
        struct node_space space;
        if (!ready.reads || from == NULL || !node_space(m.node, ready.id, &space)) {
            continue;
        }
        size_t len = from->bytes.len < space.len ? from->bytes.len : space.len;
        memcpy(space.at, from->bytes.at, len);
        node_received(m.node, ready.id, len, m.now);
        buf_drop(&from->bytes, len);
    }
    struct buf got = {0};
    machine_drain(&m, &got, SIZE_MAX);
    buf_fini(&got);
}

Test(node_turn, a_calm_origin_waits_for_one_share_of_a_flood)
{
    static struct sender senders[EACH + 1];
    for (size_t i = 0; i < EACH; i++) {
        senders[i] = sender(i, "flood", "0", DEEP);
    }
    senders[EACH] = sender(EACH, "calm", "1", 1);
    turn(senders, EACH + 1);
    cr_expect_eq(count[1], 1u);
    // The share is some 250 questions of this size, and a last connection may finish what it has begun.
    cr_expect(waited[1] > 0 && waited[1] <= 350, "waited %lld ms", (long long)waited[1]);
    for (int i = 0; i < 100; i++) {
        turn(senders, EACH + 1);
    }
    cr_expect_eq(count[0], (size_t)EACH * DEEP, "answered %zu", count[0]);
    cr_expect(waited[0] > 1000, "the flood waits for itself: %lld ms", (long long)waited[0]);
    for (size_t i = 0; i <= EACH; i++) {
        buf_fini(&senders[i].bytes);
    }
}

static size_t charge_more(const char *text, size_t which)
{
    static struct sender senders[4];
    for (size_t i = 0; i < 2; i++) {
        senders[i] = sender(i, "dear", text, 60);
        senders[2 + i] = sender(2 + i, "cheap", "6", 60);
    }
    turn(senders, 4);
    size_t dear = count[which];
    cr_expect_eq(count[6], 120u, "all of the cheap one's fit its share: %zu", count[6]);
    cr_expect(dear < 120 + 64, "%zu", dear);
    for (int i = 0; i < 200 && count[which] < 120; i++) {
        turn(senders, 4);
    }
    cr_expect_eq(count[which], 120u);
    for (size_t i = 0; i < 4; i++) {
        buf_fini(&senders[i].bytes);
    }
    return dear;
}

Test(node_turn, what_costs_more_is_charged_more)
{
    (void)charge_more("5big", 5); // each answer is a whole share, and more
}

// Work that bytes do not tell counts as bytes do.
Test(node_turn, what_is_charged_by_the_handler_counts)
{
    size_t work = charge_more("4work", 4);
    cr_expect(work > 0 && work < 120, "%zu in one turn", work);
}

Test(node_turn, the_wait_of_a_question_begins_when_it_is_seen)
{
    static struct sender senders[1];
    senders[0] = sender(1, "a", "1", 0);
    turn(senders, 1);
    put_frame(&senders[0].bytes, SP_TCP, 9, STR("2"));
    node_readable(m.node, senders[0].id, false, m.now);
    m.now.steady_ms += 70; // the loop was held up
    node_readable(m.node, senders[0].id, false, m.now);
    turn(senders, 1);
    cr_expect_eq(waited[2], 70);
    m.now.steady_ms += 5000; // quiet time is no wait
    put_frame(&senders[0].bytes, SP_TCP, 10, STR("3"));
    turn(senders, 1);
    cr_expect_eq(waited[3], 0);
    struct node_counts counts = {0};
    node_count(m.node, &counts);
    cr_expect_eq(counts.delays[6], 1u); // up to 100 ms
    cr_expect_eq(counts.delays[0], 1u);
    cr_expect_eq(counts.delay_ms, 70u);
    buf_fini(&senders[0].bytes);
}

Test(node_turn, one_that_leaves_takes_its_turn_with_it)
{
    uint64_t gone = machine_open(&m, 1, SP_TCP, "a"), stays = machine_open(&m, 2, SP_TCP, "b");
    node_readable(m.node, gone, false, m.now);
    node_readable(m.node, stays, true, m.now);
    cr_expect(node_runnable(m.node));
    node_lost(m.node, gone);
    machine_reap(&m);
    struct node_ready ready;
    cr_expect(node_next_ready(m.node, m.now, &ready));
    cr_expect(ready.id == stays && ready.reads && ready.hung_up);
    cr_expect(!node_next_ready(m.node, m.now, &ready));
    cr_expect(!node_runnable(m.node));
    node_readable(m.node, gone, false, m.now); // an id that is gone does nothing
    cr_expect(!node_runnable(m.node));
}
