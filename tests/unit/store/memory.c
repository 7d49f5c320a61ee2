// SPDX-License-Identifier: Apache-2.0
#include "rows.h"

struct world {
    enum pdp_err next; // what the next transaction fails with
    bool synced;
};

static enum pdp_err fault(void *user, bool sync)
{
    struct world *world = user;
    enum pdp_err err = world->next;
    world->next = PDP_ERR_OK;
    world->synced = sync;
    return err;
}

static struct store *store_with(struct store_config config)
{
    struct store *store = NULL;
    char why[STORE_WHY_MAX];
    cr_assert_eq(store_open(&config, &store, why), PDP_ERR_OK, "%s", why);
    return store;
}

Test(store_memory, ranks_decide_who_stays)
{
    const struct {
        const char *name;
        struct store_op ops[3];
        size_t count;
        const char *held;
        uint64_t dropped;
    } CASES[] = {
        {"the later of equals", {PUT(META, "a", 0, "x"), PUT(META, "a", 0, "y")}, 2, "a/0=y ", 0},
        {"the higher", {PUT(META, "a", 0, "x"), PUT(META, "a", 1, "")}, 2, "a/1= ", 0},
        {"a late write of the living",
         {PUT(META, "a", 1, "dead"), PUT(META, "a", 0, "x")},
         2,
         "a/1=dead ",
         1},
        {"an erase of the lower", {PUT(META, "a", 1, "dead"), ERASE(META, "a", 0)}, 2, "a/1=dead ", 1},
        {"an erase of the same", {PUT(META, "a", 1, "dead"), ERASE(META, "a", 1)}, 2, "", 0},
        {"erased, then anew",
         {PUT(META, "a", 9, "x"), ERASE(META, "a", 9), PUT(META, "a", 0, "y")},
         3,
         "a/0=y ",
         0},
        {"an erase of nothing", {ERASE(META, "a", 0)}, 1, "", 0},
        {"in order of keys",
         {PUT(META, "b", 0, "2"), PUT(META, "ab", 0, "1"), PUT(META, "a", 0, "0")},
         3,
         "a/0=0 ab/0=1 b/0=2 ",
         0},
        {"tables are apart",
         {PUT(META, "a", 0, "x"), PUT(USERS, "a", 1, "y"), ERASE(CONTROLS, "a", 9)},
         3,
         "a/0=x ",
         0},
    };
    for (size_t i = 0; i < COUNT_OF(CASES); i++) {
        AUTO(store_close) struct store *store = store_with((struct store_config){0});
        uint64_t token = 0;
        struct store_stats stats;
        cr_expect_eq(store_submit(store, CASES[i].ops, CASES[i].count, false, &token), PDP_ERR_OK);
        cr_expect_eq(work(store), PDP_ERR_OK);
        store_stats(store, &stats);
        cr_expect_str_eq(held(store, STORE_META), CASES[i].held, "%s: %s", CASES[i].name,
                         held(store, STORE_META));
        cr_expect_eq(stats.dropped, CASES[i].dropped, "%s", CASES[i].name);
    }
}

Test(store_memory, holds_many_rows)
{
    AUTO(store_close) struct store *store = store_with((struct store_config){0});
    for (uint32_t i = 0; i < 5000; i++) {
        uint64_t token = 0;
        struct store_op op = {{.table = STORE_USERS, .key = {(char *)&i, sizeof i}, .value = STR("v")},
                              i % 3 == 0};
        cr_assert_eq(store_submit(store, &op, 1, false, &token), i % 3 == 0 ? PDP_ERR_RANGE : PDP_ERR_OK);
        work(store);
    }
    cr_expect_eq(store_count(store, STORE_USERS), 5000 - 1667);
    for (uint32_t i = 0; i < 5000; i++) {
        submit(store, (struct store_op){{.table = STORE_USERS, .key = {(char *)&i, sizeof i}}, true}, false);
        work(store);
    }
    struct store_stats stats;
    store_stats(store, &stats);
    cr_expect_eq(stats.rows[STORE_USERS], 0);
    cr_expect_eq(stats.bytes, 0);
}

Test(store_memory, refuses_rows_out_of_bounds)
{
    AUTO(store_close) struct store *store = store_with((struct store_config){0});
    static char big[STORE_VALUE_MAX + 1];
    const struct store_row bad[] = {
        {.table = STORE_META},
        {.table = STORE_META, .key = {big, STORE_KEY_MAX + 1}},
        {.table = STORE_META, .key = STR("a"), .value = {big, sizeof big}},
        {.table = STORE_TABLE_COUNT, .key = STR("a")},
    };
    uint64_t token = 1;
    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        struct store_op ops[] = {PUT(META, "good", 0, ""), {bad[i], false}};
        cr_expect_eq(store_submit(store, ops, 2, true, &token), PDP_ERR_RANGE);
        cr_expect_eq(token, 0);
    }
    cr_expect_eq(store_submit(store, NULL, 0, true, &token), PDP_ERR_RANGE);
    struct store_op most = {
        {.table = STORE_META, .key = {big, STORE_KEY_MAX}, .value = {big, STORE_VALUE_MAX}}, false};
    cr_expect_eq(store_submit(store, &most, 1, true, &token), PDP_ERR_OK);
    cr_expect_eq(work(store), PDP_ERR_OK);
}

Test(store_memory, a_full_queue_is_busy)
{
    struct store_config config = {.queue_batches = 2};
    AUTO(store_close) struct store *store = store_with(config);
    struct store_op op = PUT(META, "a", 0, "x");
    uint64_t token = 0;
    struct store_completion done;
    submit(store, op, false);
    submit(store, op, false);
    cr_expect_eq(store_submit(store, &op, 1, false, &token), PDP_ERR_BUSY);
    store_work(store);
    cr_expect_eq(store_submit(store, &op, 1, false, &token), PDP_ERR_BUSY, "what was not polled counts");
    cr_assert(store_poll(store, &done));
    cr_expect_eq(submit(store, op, false), 3);

    struct store_config narrow = {.queue_bytes = 100};
    AUTO(store_close) struct store *small = store_with(narrow);
    submit(small, op, false); // larger than all the room: taken alone
    cr_expect_eq(store_submit(small, &op, 1, false, &token), PDP_ERR_BUSY);
}

Test(store_memory, completes_in_order_and_syncs_a_group_once)
{
    struct world world = {0};
    struct store_config config = {.fault = fault, .user = &world};
    AUTO(store_close) struct store *store = store_with(config);
    submit(store, PUT(META, "a", 0, "1"), false);
    submit(store, PUT(META, "a", 0, "2"), true);
    submit(store, PUT(META, "a", 0, "3"), false);
    struct store_completion done;
    cr_expect_not(store_poll(store, &done));
    while (store_work(store)) {
    }
    for (uint64_t token = 1; token <= 3; token++) {
        cr_assert(store_poll(store, &done));
        cr_expect_eq(done.token, token);
        cr_expect_eq(done.err, PDP_ERR_OK);
        cr_expect_eq(done.sync, token == 2);
    }
    struct store_stats stats;
    store_stats(store, &stats);
    cr_expect_eq(stats.commits, 1);
    cr_expect_eq(stats.syncs, 1);
    cr_expect(world.synced);
    cr_expect_str_eq(held(store, STORE_META), "a/0=3 ");
}

Test(store_memory, a_failed_batch_leaves_nothing)
{
    struct world world = {0};
    struct store_config config = {.fault = fault, .user = &world};
    AUTO(store_close) struct store *store = store_with(config);
    submit(store, PUT(META, "a", 0, "old"), true);
    submit(store, PUT(META, "b", 0, "old"), true);
    work(store);

    struct store_op ops[] = {PUT(META, "a", 1, "new"), ERASE(META, "b", 0), PUT(META, "c", 0, "new"),
                             PUT(META, "c", 0, "newer")};
    uint64_t token = 0;
    world.next = PDP_ERR_IO;
    cr_assert_eq(store_submit(store, ops, COUNT_OF(ops), true, &token), PDP_ERR_OK);
    cr_expect_eq(work(store), PDP_ERR_IO);
    cr_expect_str_eq(held(store, STORE_META), "a/0=old b/0=old ");
    struct store_stats stats;
    store_stats(store, &stats);
    cr_expect_eq(stats.failed, 1);
    cr_expect_eq(stats.puts, 2);

    // Together they fail; one by one they may fit.
    world.next = PDP_ERR_LIMIT;
    submit(store, PUT(META, "a", 0, "new"), true);
    submit(store, PUT(META, "b", 0, "new"), true);
    cr_expect_eq(work(store), PDP_ERR_OK);
    cr_expect_str_eq(held(store, STORE_META), "a/0=new b/0=new ");
}

Test(store_memory, a_cut_keeps_what_was_synced_and_a_front_of_the_rest)
{
    static const char *const LEFT[] = {"a/0=1 ", "a/0=2 ", "a/0=2 b/0=2 ", "b/0=2 ", "b/0=2 "};
    for (size_t keep = 0; keep < COUNT_OF(LEFT); keep++) {
        struct store_config config = {.undo = true};
        AUTO(store_close) struct store *store = store_with(config);
        submit(store, PUT(META, "a", 0, "0"), false);
        work(store);
        submit(store, PUT(META, "a", 0, "1"), true);
        work(store);
        submit(store, PUT(META, "a", 0, "2"), false);
        work(store);
        submit(store, PUT(META, "b", 0, "2"), false);
        work(store);
        submit(store, ERASE(META, "a", 0), false);
        work(store);
        submit(store, PUT(META, "lost", 0, "in the queue"), true);
        store_cut(store, keep);
        struct store_completion done;
        cr_expect_not(store_work(store));
        cr_expect_not(store_poll(store, &done));
        cr_expect_str_eq(held(store, STORE_META), LEFT[keep], "keep %zu: %s", keep, held(store, STORE_META));
        store_cut(store, 0);
        cr_expect_str_eq(held(store, STORE_META), LEFT[keep], "what survived is durable");
        cr_expect_gt(submit(store, PUT(META, "z", 0, ""), true), 6, "tokens go on");
        cr_expect_eq(work(store), PDP_ERR_OK);
    }
}

static enum pdp_err stop(void *user, const struct store_row *row)
{
    (void)row;
    *(size_t *)user += 1;
    return PDP_ERR_REFUSED;
}

Test(store_memory, an_error_of_the_reader_stops_the_walk)
{
    AUTO(store_close) struct store *store = store_with((struct store_config){0});
    char why[STORE_WHY_MAX];
    size_t seen = 0;
    submit(store, PUT(META, "a", 0, ""), false);
    submit(store, PUT(META, "b", 0, ""), false);
    work(store);
    cr_expect_eq(store_load(store, STORE_META, stop, &seen, why), PDP_ERR_REFUSED);
    cr_expect_eq(seen, 1);
    uint64_t good = 0;
    cr_expect_eq(store_load_part(store, STORE_META, 0, 2, stop, &seen, &good, why), PDP_ERR_REFUSED);
    cr_expect_eq(seen, 2);
    cr_expect_eq(store_load_part(store, STORE_META, 1, 2, stop, &seen, &good, why), PDP_ERR_OK);
    cr_expect(seen == 2 && good == 0, "all of it is the first part");
    cr_expect_eq(store_load_whole(store, STORE_META, 2, why), PDP_ERR_OK);
    cr_expect_eq(store_load_whole(store, STORE_META, 1, why), PDP_ERR_CORRUPT);
    cr_expect_eq(store_backup(store, "nowhere.db", why), PDP_ERR_UNSUPPORTED);
}
