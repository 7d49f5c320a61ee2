// SPDX-License-Identifier: Apache-2.0
// The store's writer beside threads that end sessions, over a store in memory that fails when it is told to.
#include "daemon/state/writer.h"
#include "session/journal.h"
#include "session/row.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define NOW_MS INT64_C(1795420800000)
#define DAY_MS INT64_C(86400000)

enum {
    FAIL_NONE,
    FAIL_BEHIND, // what is only noted
    FAIL_ALL
};
enum {
    DEADLINE_S = 60,
    THREADS = 4,
    ENDS = 2000, // of one thread
    FLAPS = 200
};

static unsigned checks, wrong;

#define CHECK(cond)                                            \
    do {                                                       \
        checks++;                                              \
        if (!(cond)) {                                         \
            wrong++;                                           \
            fprintf(stderr, "line %d: %s\n", __LINE__, #cond); \
        }                                                      \
    } while (0)

struct world {
    _Atomic int fails;
    _Atomic unsigned failed, moved, alarms, recoveries;
    struct store *store;
    struct journal *journal;
    struct session_table *table;
    struct writer *writer;
};

static enum pdp_err fault(void *user, bool sync)
{
    struct world *world = user;
    int mode = atomic_load(&world->fails);
    if (mode == FAIL_ALL || (mode == FAIL_BEHIND && !sync)) {
        atomic_fetch_add(&world->failed, 1);
        return PDP_ERR_IO;
    }
    return PDP_ERR_OK;
}

static void on_added(void *user)
{
    struct world *world = user;
    if (world->writer != NULL) {
        writer_wake(world->writer);
    }
}

static void on_moved(void *user)
{
    atomic_fetch_add(&((struct world *)user)->moved, 1);
}

static void on_failing(void *user, const char *why)
{
    struct world *world = user;
    atomic_fetch_add(why != NULL ? &world->alarms : &world->recoveries, 1);
}

static void must(enum pdp_err err)
{
    if (err != PDP_ERR_OK) {
        fprintf(stderr, "%s\n", pdp_err_text(err));
        exit(1);
    }
}

static void world_open_lazy(struct world *world, int64_t leisure_ms)
{
    char why[STORE_WHY_MAX];
    *world = (struct world){0};
    must(store_open(&(struct store_config){.fault = fault, .user = world}, &world->store, why));
    must(journal_new(&(struct journal_config){.added = on_added, .user = world}, &world->journal));
    must(session_table_new(&(struct session_table_config){.key = {1, 2}, .journal = world->journal},
                           &world->table));
    struct writer_config config = {.store = world->store,
                                   .journal = world->journal,
                                   .table = world->table,
                                   .leisure_ms = leisure_ms,
                                   .host = {on_moved, on_failing, world}};
    must(writer_start(&config, &world->writer));
}

static void world_open(struct world *world)
{
    world_open_lazy(world, 1);
}

static void world_close(struct world *world)
{
    writer_stop(&world->writer);
    session_table_free(&world->table);
    journal_free(&world->journal);
    store_close(&world->store);
}

// Waits for a condition; the pause only saves the processor.
static bool come(bool (*holds)(const struct world *world, uint64_t than), const struct world *world,
                 uint64_t than)
{
    const struct timespec pause = {.tv_nsec = 1000000};
    for (time_t until = time(NULL) + DEADLINE_S; time(NULL) < until; nanosleep(&pause, NULL)) {
        if (holds(world, than)) {
            return true;
        }
    }
    return false;
}

static bool has_failed(const struct world *world, uint64_t than)
{
    return atomic_load((_Atomic unsigned *)(uintptr_t)&world->failed) > than;
}

static bool is_durable(const struct world *world, uint64_t seq)
{
    return journal_durable(world->journal) >= seq;
}

static bool is_refused(const struct world *world, uint64_t seq)
{
    return journal_failed(world->journal) >= seq;
}

static bool is_written(const struct world *world, uint64_t round)
{
    return writer_rounds(world->writer) >= round;
}

static bool has_recovered(const struct world *world, uint64_t than)
{
    return atomic_load((_Atomic unsigned *)(uintptr_t)&world->recoveries) > than;
}

// Returns the step that the session waits for; 0: none.
static uint64_t put_session(struct world *world, const char *id, enum session_state state, bool lasting)
{
    struct session_key key =
        session_key_of(world->table, 1, STR("acme"), STR("user"), STR("alice"), str_of(id));
    struct session_held held;
    session_hold(world->table, &key, &held);
    struct session_delta delta = {
        .put_session = true, .put_user = true, .create = held.session == NULL, .lasting = lasting};
    delta.session = held.session != NULL ? *held.session
                                         : (struct session_record){.id = key.id,
                                                                   .subject = key.subject,
                                                                   .first_seen_ms = NOW_MS,
                                                                   .last_seen_ms = NOW_MS,
                                                                   .keep_until_ms = NOW_MS + DAY_MS};
    delta.session.state = (uint8_t)state;
    delta.user = held.user != NULL ? *held.user : (struct user_record){.subject = key.subject};
    must(session_commit(world->table, &held, &key, &delta, NOW_MS));
    session_release(world->table, &held);
    return held.seq;
}

static uint64_t end_session(struct world *world, const char *id)
{
    struct session_view was;
    bool known = false;
    must(session_end(world->table, str_of(id), PDP_CODE_TERMINATED, NOW_MS, NOW_MS + DAY_MS, &was, &known));
    return was.seq;
}

struct counted {
    uint64_t states[SESSION_STATES];
};

static enum pdp_err count(void *user, const struct store_row *row)
{
    struct counted *counted = user;
    struct session_record record;
    struct str gateway;
    must(row_session_read(row->key, row->value, &record, &gateway));
    counted->states[record.state]++;
    return PDP_ERR_OK;
}

static struct counted stored(struct world *world)
{
    char why[STORE_WHY_MAX];
    struct counted counted = {0};
    writer_stop(&world->writer);
    must(store_load(world->store, STORE_SESSIONS, count, &counted, why));
    return counted;
}

// ---- What must hold ----------------------------------------------------------------------------------

// A row that could not be written behind, and a step of the same session since: the step stays.
static void an_old_row_undoes_no_step(void)
{
    struct world world;
    world_open(&world);
    atomic_store(&world.fails, FAIL_BEHIND);
    CHECK(put_session(&world, "one", SESSION_ACTIVE, false) == 0);
    CHECK(come(has_failed, &world, 0));
    uint64_t seq = put_session(&world, "one", SESSION_CHALLENGED, true);
    CHECK(seq != 0 && come(is_durable, &world, seq));
    atomic_store(&world.fails, FAIL_NONE);
    CHECK(come(has_recovered, &world, 0));
    struct counted counted = stored(&world);
    CHECK(counted.states[SESSION_CHALLENGED] == 1 && counted.states[SESSION_ACTIVE] == 0);
    world_close(&world);
}

static void what_failed_is_told_and_tried_again(void)
{
    struct world world;
    world_open(&world);
    atomic_store(&world.fails, FAIL_ALL);
    CHECK(put_session(&world, "one", SESSION_ACTIVE, false) == 0);
    uint64_t seq = end_session(&world, "never-seen");
    CHECK(come(is_refused, &world, seq));
    CHECK(!is_durable(&world, seq));
    CHECK(atomic_load(&world.alarms) == 1 && atomic_load(&world.recoveries) == 0);
    atomic_store(&world.fails, FAIL_NONE);
    CHECK(come(is_durable, &world, seq));
    CHECK(come(has_recovered, &world, 0));
    struct counted counted = stored(&world);
    CHECK(counted.states[SESSION_TERMINATED] == 1 && counted.states[SESSION_ACTIVE] == 1);
    CHECK(atomic_load(&world.alarms) == 1 && atomic_load(&world.recoveries) == 1);
    world_close(&world);
}

// What is only noted is tried again too, although nothing else comes.
static void what_was_noted_is_tried_again_by_itself(void)
{
    struct world world;
    struct store_stats stats;
    world_open(&world);
    atomic_store(&world.fails, FAIL_BEHIND);
    CHECK(put_session(&world, "one", SESSION_ACTIVE, false) == 0);
    CHECK(come(has_failed, &world, 0));
    atomic_store(&world.fails, FAIL_NONE);
    CHECK(come(has_recovered, &world, 0));
    store_stats(world.store, &stats);
    CHECK(stats.rows[STORE_SESSIONS] == 1);
    world_close(&world);
}

static void a_stop_over_a_failing_store_ends(void)
{
    struct world world;
    world_open(&world);
    atomic_store(&world.fails, FAIL_ALL);
    uint64_t seq = end_session(&world, "one");
    CHECK(put_session(&world, "two", SESSION_ACTIVE, false) == 0);
    struct counted counted = stored(&world);
    CHECK(counted.states[SESSION_TERMINATED] == 0 && !is_durable(&world, seq));
    world_close(&world);
}

// Whoever is about to let go of the folder does not wait for a round that comes at leisure.
static void a_round_can_be_hurried(void)
{
    struct world world;
    struct store_stats stats;
    world_open_lazy(&world, DAY_MS);
    CHECK(come(is_written, &world, 1)); // the one at the start
    CHECK(put_session(&world, "one", SESSION_ACTIVE, false) == 0);
    CHECK(come(is_written, &world, writer_hurry(world.writer)));
    store_stats(world.store, &stats);
    CHECK(stats.rows[STORE_SESSIONS] == 1);
    atomic_store(&world.fails, FAIL_BEHIND);
    CHECK(put_session(&world, "two", SESSION_ACTIVE, false) == 0);
    uint64_t round = writer_hurry(world.writer);
    CHECK(come(has_failed, &world, 0));
    CHECK(!is_written(&world, round)); // a round that failed is none
    atomic_store(&world.fails, FAIL_NONE);
    world_close(&world);
}

struct ender {
    struct world *world;
    unsigned number;
    pthread_t thread;
};

static void *end_many(void *user)
{
    struct ender *ender = user;
    for (unsigned i = 0; i < ENDS; i++) {
        char id[32];
        snprintf(id, sizeof id, "s-%u-%u", ender->number, i);
        if (i % 3 != 0) {
            (void)put_session(ender->world, id, SESSION_ACTIVE, i % 3 == 1);
        }
        if (i % 2 == 0) {
            (void)end_session(ender->world, id);
        }
    }
    return NULL;
}

// A disk that comes and goes under many threads: in the end everything is there, and ended is ended.
static void many_threads_lose_nothing(void)
{
    struct world world;
    struct ender enders[THREADS];
    world_open(&world);
    for (unsigned i = 0; i < THREADS; i++) {
        enders[i] = (struct ender){.world = &world, .number = i};
        must(pthread_create(&enders[i].thread, NULL, end_many, &enders[i]) == 0 ? PDP_ERR_OK : PDP_ERR_NOMEM);
    }
    for (unsigned i = 0; i < FLAPS; i++) {
        atomic_store(&world.fails, (int)(i % 3));
        const struct timespec pause = {.tv_nsec = 100000};
        nanosleep(&pause, NULL); // that the disk is in each state for a while
    }
    atomic_store(&world.fails, FAIL_NONE);
    for (unsigned i = 0; i < THREADS; i++) {
        pthread_join(enders[i].thread, NULL);
    }
    CHECK(come(is_durable, &world, journal_head(world.journal)));
    uint64_t alive = 0;
    for (unsigned i = 0; i < ENDS; i++) {
        alive += i % 3 != 0 && i % 2 != 0;
    }
    struct counted counted = stored(&world);
    CHECK(counted.states[SESSION_TERMINATED] == (uint64_t)THREADS * (ENDS / 2));
    CHECK(counted.states[SESSION_ACTIVE] == THREADS * alive);
    CHECK(atomic_load(&world.moved) != 0);
    CHECK(atomic_load(&world.alarms) == atomic_load(&world.recoveries));
    world_close(&world);
}

int main(void)
{
    an_old_row_undoes_no_step();
    what_failed_is_told_and_tried_again();
    what_was_noted_is_tried_again_by_itself();
    a_stop_over_a_failing_store_ends();
    a_round_can_be_hurried();
    many_threads_lose_nothing();
    printf("%u checks, %u wrong\n", checks, wrong);
    return wrong != 0;
}
