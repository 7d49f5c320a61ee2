// SPDX-License-Identifier: Apache-2.0
#include "session/table.h"
#include "unit/session/help.h"

static const int64_t KEEP_MS = T0 + 30 * DAY;
static struct session_room room; // large

// One session that there is already, in the order in which they begin.
struct there {
    int64_t auth_ms, over_ms; // after T0; over 0: not
    bool issued, asserted;
};

struct newcomer {
    uint32_t most;
    bool vouched;
    int64_t auth_ms;
};

static enum pdp_err put(struct session_table *table, const char *id, const struct there *there)
{
    struct session_key key = help_key(table, "alice", id);
    struct session_held held;
    session_hold(table, &key, &held);
    struct session_delta delta = {.put_session = true, .put_user = true, .create = true};
    delta.session = help_record(SESSION_ACTIVE, T0 + there->auth_ms);
    delta.session.over_ms = there->over_ms != 0 ? T0 + there->over_ms : 0;
    delta.session.issued = there->issued;
    delta.session.asserted = there->asserted;
    enum pdp_err err = session_commit(table, &held, &key, &delta, T0);
    session_release(table, &held);
    return err;
}

static enum pdp_err begin(struct session_table *table, const char *id, const struct newcomer *new,
                          int64_t now_ms)
{
    struct session_key key = help_key(table, "alice", id);
    struct session_held held;
    session_hold(table, &key, &held);
    room.heed = room.most = new->most;
    room.vouched = new->vouched;
    room.since_ms = T0 + new->auth_ms;
    room.keep_until_ms = KEEP_MS;
    session_room(table, &held, now_ms, &room);
    struct session_delta delta = {.put_session = true, .put_user = true, .create = true, .room = &room};
    delta.session = help_record(SESSION_ACTIVE, T0 + new->auth_ms);
    enum pdp_err err = session_commit(table, &held, &key, &delta, now_ms);
    session_release(table, &held);
    return err;
}

#define I .issued = true
#define A .asserted = true
#define ALL true

static const struct {
    const char *name;
    struct there there[4];
    struct newcomer new;
    const char *ended; // by number, in the order of their end: an `x` behind those that were over already
    bool refused;
} CASES[] = {
    {"below the limit", {{1, 0, I}, {2, 0, I}}, {3, ALL, HOUR}, "", false},
    {"at the limit", {{1, 0, I}, {2, 0, I}}, {2, ALL, HOUR}, "0", false},
    {"authenticated longest ago, not first to begin",
     {{5, 0, I}, {2, 0, I}, {3, 0, I}},
     {3, ALL, HOUR},
     "1",
     false},
    {"as long ago: who began first", {{5, 0, I}, {5, 0, I}, {5, 0, I}}, {3, ALL, HOUR}, "0", false},
    {"a limit that was lowered", {{4, 0, I}, {1, 0, I}, {3, 0, I}, {2, 0, I}}, {2, ALL, HOUR}, "132", false},
    {"down to one", {{4, 0, I}, {1, 0, I}, {3, 0, I}, {2, 0, I}}, {1, ALL, HOUR}, "1320", false},
    {"one that is over counts no more", {{1, 0, I}, {2, 10, I}}, {2, ALL, HOUR}, "1x", false},
    {"over to the millisecond, rounded up to seconds", {{1, HOUR, I}}, {1, ALL, HOUR}, "0x", false},
    {"not over yet", {{1, HOUR + 1, I}}, {1, ALL, HOUR}, "0", false},
    {"over, and another must end", {{1, 0, I}, {2, 10, I}, {3, 0, I}}, {2, ALL, HOUR}, "1x0", false},
    {"a stranger ends no session of an issuer", {{1, 0, I}}, {1, false, HOUR}, "", true},
    {"nor one whose time was told", {{1, 0, A}}, {1, false, HOUR}, "", true},
    {"a stranger ends another", {{1, 0, I}, {2, 0, 0, 0}}, {2, false, HOUR}, "1", false},
    {"but not two where one stands higher", {{1, 0, I}, {2, 0, 0, 0}}, {1, false, HOUR}, "", true},
    {"one that somebody vouches for ends any", {{1, 0, A}, {2, 0, 0, 0}}, {2, ALL, HOUR}, "0", false},
    {"an older one ends none that is newer", {{2 * HOUR, 0, I}}, {1, ALL, HOUR}, "", true},
    {"clocks may differ", {{HOUR + 60000, 0, I}}, {1, ALL, HOUR}, "0", false},
    {"but not by more", {{HOUR + 60001, 0, I}}, {1, ALL, HOUR}, "", true},
    {"the older ones of several", {{2 * HOUR, 0, I}, {1, 0, I}}, {2, ALL, HOUR}, "1", false},
    {"what is over ends whoever asks", {{1, 5, I}}, {1, false, HOUR}, "0x", false},
};

static size_t put_all(struct session_table *table, const struct there *there)
{
    size_t count = 0;
    for (; count < 4 && there[count].auth_ms != 0; count++) {
        char id[2] = {(char)('0' + count), '\0'};
        cr_assert_eq(put(table, id, &there[count]), PDP_ERR_OK);
    }
    return count;
}

static void expect_ended(struct session_table *table, const char *name, const char *want, size_t there)
{
    uint32_t ended = 0;
    for (const char *c = want; *c != '\0'; c++) {
        char id[2] = {*c, '\0'};
        bool over = c[1] == 'x';
        cr_assert_lt(ended, room.ended_count, "%s", name);
        const struct session_ended *was = &room.ended[ended++];
        struct session_record record;
        help_found(table, "alice", id, &record);
        cr_expect(hash128_eq(was->id, record.id), "%s: %s", name, id);
        cr_expect_eq(was->why, over ? PDP_CODE_EXPIRED : PDP_CODE_CONCURRENT, "%s: %s", name, id);
        cr_expect_eq(record.state, SESSION_TERMINATED, "%s: %s", name, id);
        cr_expect_eq(record.end_code, was->why);
        cr_expect_eq(record.epoch, was->epoch);
        cr_expect_eq(record.keep_until_ms, KEEP_MS);
        c += over;
    }
    cr_expect_eq(room.ended_count, ended, "%s: %u ended", name, room.ended_count);
    struct session_stats stats;
    session_stats(table, &stats);
    cr_expect_eq(stats.tombstones, ended, "%s", name);
    cr_expect_eq(stats.sessions, there - ended + 1, "%s", name);
}

Test(session_live, ends_the_oldest_for_a_new_one)
{
    for (size_t i = 0; i < COUNT_OF(CASES); i++) {
        struct session_table *table = help_table((struct session_table_config){.shards = 1});
        cr_assert_eq(help_put(table, "bob", "b", SESSION_ACTIVE, T0), PDP_ERR_OK);
        size_t there = put_all(table, CASES[i].there);
        enum pdp_err err = begin(table, "new", &CASES[i].new, T0 + HOUR);
        cr_expect_eq(err, CASES[i].refused ? PDP_ERR_LIMIT : PDP_ERR_OK, "%s: %d", CASES[i].name, err);
        cr_expect_eq(room.fits, !CASES[i].refused, "%s", CASES[i].name);
        struct session_record record;
        cr_expect_eq(help_found(table, "bob", "b", &record), SESSION_FOUND);
        cr_expect_eq(record.state, SESSION_ACTIVE, "%s: another subject's", CASES[i].name);
        if (CASES[i].refused) {
            cr_expect_eq(help_found(table, "alice", "new", NULL), SESSION_ABSENT, "%s", CASES[i].name);
            cr_expect_eq(room.ended_count, 0);
        } else {
            expect_ended(table, CASES[i].name, CASES[i].ended, there + 1);
        }
        session_table_free(&table);
    }
}

Test(session_live, ends_nobody_where_the_new_one_cannot_begin)
{
    struct session_table *table = help_table((struct session_table_config){.shards = 1, .sessions_max = 2});
    struct session_record record;
    cr_assert_eq(put(table, "0", &(struct there){1, 0, I}), PDP_ERR_OK);
    cr_assert_eq(help_put(table, "bob", "b", SESSION_ACTIVE, T0), PDP_ERR_OK);
    cr_expect_eq(begin(table, "new", &(struct newcomer){1, ALL, HOUR}, T0 + HOUR), PDP_ERR_BUSY);
    help_found(table, "alice", "0", &record);
    cr_expect_eq(record.state, SESSION_ACTIVE);
    cr_expect_eq(room.ended_count, 0);
    session_table_free(&table);
}

Test(session_live, counts_what_a_cut_off_ended_no_more)
{
    struct session_table *table = help_table((struct session_table_config){.shards = 1});
    cr_assert_eq(put(table, "0", &(struct there){1, 0, I}), PDP_ERR_OK);
    struct session_key key = help_key(table, "alice", "0");
    struct session_held held;
    session_hold(table, &key, &held);
    struct session_delta delta = {.put_user = true, .user = *held.user};
    delta.user.cutoff_s = (uint32_t)(T0 / 1000 + 60);
    cr_assert_eq(session_commit(table, &held, &key, &delta, T0), PDP_ERR_OK);
    session_release(table, &held);
    cr_expect_eq(begin(table, "new", &(struct newcomer){1, false, HOUR}, T0 + HOUR), PDP_ERR_OK);
    cr_expect_eq(room.ended_count, 1);
    cr_expect_eq(room.ended[0].why, PDP_CODE_TERMINATED);
    session_table_free(&table);
}

struct chain {
    struct session_table *table;
    int order[40], live; // numbers of those that live, by when they began
};

static void expect_chain(const struct chain *c)
{
    struct session_key key = help_key(c->table, "alice", "");
    struct session_held held;
    session_hold(c->table, &key, &held);
    uint32_t at = held.user_slot != 0 ? user_at(held.shard, held.user_slot)->oldest : 0, before = 0;
    for (int i = 0; i < c->live; i++) {
        cr_assert_neq(at, 0);
        cr_assert_eq(slot_time_ms(slot_at(c->table, at), SLOT_AUTH), T0 + c->order[i]);
        cr_assert_eq(slot_at(c->table, at)->older, before);
        before = at;
        at = slot_at(c->table, at)->newer;
    }
    cr_assert_eq(at, 0);
    cr_assert(c->live == 0 || user_at(held.shard, held.user_slot)->newest == before);
    session_release(c->table, &held);
}

// Sessions come and go in any order: the chain holds those that live, in the order in which they began.
Test(session_live, chains_those_that_live)
{
    enum {
        STEPS = 20000
    };
    struct chain c = {.table = help_table((struct session_table_config){.shards = 1})};
    uint64_t random = 5;
    char id[16];
    for (int i = 1; i < STEPS; i++) {
        random = random * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
        int what = (int)((random >> 33) % 500), place = c.live > 0 ? what % c.live : 0;
        if (what == 0) { // forgets the living too
            session_sweep(c.table, T0 + 3 * DAY, 100000);
            c.live = 0;
        } else if (c.live == 0 || (what % 2 == 0 && c.live < (int)COUNT_OF(c.order))) {
            snprintf(id, sizeof id, "%d", i);
            cr_assert_eq(put(c.table, id, &(struct there){i, 0, I}), PDP_ERR_OK);
            c.order[c.live++] = i;
        } else {
            bool known = false;
            snprintf(id, sizeof id, "%d", c.order[place]);
            cr_assert_eq(help_end(c.table, id, T0, T0, &known), PDP_ERR_OK);
            memmove(&c.order[place], &c.order[place + 1], (size_t)(--c.live - place) * sizeof *c.order);
        }
        expect_chain(&c);
    }
    session_table_free(&c.table);
}

// More than are looked at, under a limit that came later: every beginning brings the number down.
Test(session_live, ends_no_more_at_once_than_it_looks_at)
{
    enum {
        MANY = 2500
    };
    struct session_table *table = help_table((struct session_table_config){0});
    struct session_stats stats;
    char id[16];
    for (int i = 0; i < MANY; i++) {
        snprintf(id, sizeof id, "s%d", i);
        cr_assert_eq(put(table, id, &(struct there){i + 1, 0, I}), PDP_ERR_OK);
    }
    static const uint64_t LEFT[] = {MANY + 1 - SESSION_ROOM_MOST, MANY + 2 - 2 * SESSION_ROOM_MOST, 3, 3};
    for (size_t i = 0; i < COUNT_OF(LEFT); i++) {
        snprintf(id, sizeof id, "new%zu", i);
        cr_assert_eq(begin(table, id, &(struct newcomer){3, ALL, HOUR}, T0 + HOUR), PDP_ERR_OK);
        session_stats(table, &stats);
        cr_expect_eq(stats.sessions, LEFT[i], "%zu: %llu", i, (unsigned long long)stats.sessions);
    }
    session_table_free(&table);
}
