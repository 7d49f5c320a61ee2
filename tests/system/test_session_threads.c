// SPDX-License-Identifier: Apache-2.0
// Threads on few subjects and ids: at most one owner of an id, no tombstone lost, and what was acknowledged
// as ended is never seen alive again. A plain program, for ThreadSanitizer.
#include "session/session.h"

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

enum {
    THREADS = 4,
    SUBJECTS = 3,
    IDS = 400,
    ROUNDS = 100000,
    WINDOW = 16,
    CHURN = 8
};

#define T0 INT64_C(1795370000000)
#define FOR_EVER INT64_MAX

static struct session_table *table;
static struct session_key keys[SUBJECTS][IDS];
static char names[IDS][24], subject_names[SUBJECTS][24]; // keys borrow them
static struct hash128 subjects[SUBJECTS];
static _Atomic int ended[IDS];  // 1: session_end has returned for this id
static _Atomic int owners[IDS]; // subject + 1 of whoever created it
static _Atomic int failures;
static pthread_barrier_t start;

static void fail(const char *what, int id)
{
    fprintf(stderr, "id %d: %s\n", id, what);
    atomic_fetch_add(&failures, 1);
}

static uint64_t roll(uint64_t *random, uint64_t below)
{
    *random = *random * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (*random >> 33) % below;
}

static struct session_record fresh(void)
{
    return (struct session_record){.state = SESSION_ACTIVE,
                                   .epoch = 1,
                                   .auth_time_ms = T0,
                                   .last_seen_ms = T0,
                                   .keep_until_ms = FOR_EVER};
}

// Ids that are swept while they are created again have no constant owner; all others do.
static bool churns(int id)
{
    return id < CHURN;
}

static void check_owner(int id, struct hash128 subject)
{
    int owner = atomic_load(&owners[id]);
    if (owner > 0 && !hash128_eq(subjects[owner - 1], subject)) {
        fail("has two owners", id);
    }
}

static void create(struct session_held *held, int subject, int id)
{
    struct session_delta delta = {.put_session = true, .put_user = true, .create = true, .session = fresh()};
    if (churns(id)) {
        delta.session.keep_until_ms = 1000; // may be swept at once
    }
    enum pdp_err err = session_commit(table, held, &keys[subject][id], &delta, T0);
    if (err == PDP_ERR_OK && !churns(id)) {
        int nobody = 0;
        if (!atomic_compare_exchange_strong(&owners[id], &nobody, subject + 1)) {
            fail("was created twice", id);
        }
    } else if (err != PDP_ERR_OK && err != PDP_ERR_STATE) {
        fail("could not be created", id);
    }
}

// One decision: hold, look, change, release.
static void decide(uint64_t *random, int subject, int id)
{
    // Read before the hold: had the end returned by then, this hold must see it.
    int over = atomic_load(&ended[id]);
    struct session_held held;
    session_hold(table, &keys[subject][id], &held);
    if (roll(random, 32) == 0) {
        sched_yield(); // so that others come upon the lock, on a machine with few cores too
    }
    if (over && (held.session == NULL || held.session->state != SESSION_TERMINATED)) {
        fail("lives after its end was acknowledged", id);
    }
    if (held.found == SESSION_ABSENT) {
        create(&held, subject, id);
    } else if (held.session->subject.lo != 0 && !churns(id)) {
        check_owner(id, held.session->subject);
        bool own = hash128_eq(held.session->subject, subjects[subject]);
        if (own != (held.found == SESSION_FOUND)) {
            fail("is found by the wrong subject", id);
        }
    }
    if (held.found == SESSION_FOUND && held.session != NULL) {
        // As a decision that does not know better would: it writes the session as alive, or ends it.
        bool dead = held.session->state == SESSION_TERMINATED;
        struct session_delta delta = {.put_session = true, .session = *held.session};
        delta.session.state = roll(random, 64) == 0 && !churns(id) ? SESSION_TERMINATED : SESSION_ACTIVE;
        delta.session.requests++;
        enum pdp_err err = session_commit(table, &held, &keys[subject][id], &delta, T0);
        if (dead && delta.session.state == SESSION_ACTIVE && err != PDP_ERR_STATE) {
            fail("was brought back", id);
        }
    }
    session_release(table, &held);
}

static void end(int id)
{
    struct session_view was;
    bool known = false;
    if (session_end(table, (struct str){names[id], strlen(names[id])}, PDP_CODE_LOCKED, T0, FOR_EVER, &was,
                    &known) != PDP_ERR_OK) {
        fail("could not be ended", id);
        return;
    }
    atomic_store(&ended[id], 1);
}

static void list(void)
{
    static const size_t PAGE = 16;
    struct session_view *views = calloc(PAGE, sizeof *views);
    uint64_t cursor = 0;
    for (size_t pages = 0; views != NULL; pages++) {
        session_list(table, &cursor, views, PAGE);
        if (cursor == 0 || pages > 1000) {
            break;
        }
    }
    free(views);
}

static void *work(void *arg)
{
    uint64_t random = (uint64_t)(uintptr_t)arg;
    pthread_barrier_wait(&start);
    for (int i = 0; i < ROUNDS; i++) {
        // All threads meet at a few ids that move on, so that most races are about beginnings.
        int base = (int)((int64_t)i * (IDS - CHURN - WINDOW) / ROUNDS);
        bool churn = roll(&random, 8) == 0;
        int id = churn ? (int)roll(&random, CHURN) : CHURN + base + (int)roll(&random, WINDOW);
        uint64_t what = roll(&random, 1000);
        if (what < 960) {
            decide(&random, (int)roll(&random, SUBJECTS), id);
        } else if (what < 975 && !churn) {
            end(id);
        } else if (what < 998) {
            session_sweep(table, T0, 64);
        } else {
            list();
        }
    }
    return NULL;
}

static void check_after(void)
{
    struct session_stats stats;
    session_stats(table, &stats);
    uint64_t listed = 0, cursor = 0;
    do {
        struct session_view view;
        listed += session_list(table, &cursor, &view, 1);
    } while (cursor != 0);
    if (listed != stats.sessions + stats.tombstones) {
        fail("is missing or listed twice", -1);
    }
    for (int id = CHURN; id < IDS; id++) {
        struct session_view view;
        bool known = session_look(table, (struct str){names[id], strlen(names[id])}, &view);
        if (atomic_load(&ended[id]) && (!known || view.record.state != SESSION_TERMINATED)) {
            fail("lost its tombstone", id);
        }
        if (atomic_load(&owners[id]) != 0 && !known) {
            fail("was forgotten", id);
        }
    }
}

int main(void)
{
    struct session_table_config config = {.key = {1, 2}, .shards = 4};
    if (session_table_new(&config, &table) != PDP_ERR_OK) {
        return 1;
    }
    for (int s = 0; s < SUBJECTS; s++) {
        snprintf(subject_names[s], sizeof subject_names[s], "subject%d", s);
        for (int id = 0; id < IDS; id++) {
            snprintf(names[id], sizeof names[id], "id%d", id);
            keys[s][id] =
                session_key_of(table, 1, STR("t"), STR("user"), str_of(subject_names[s]), str_of(names[id]));
        }
        subjects[s] = keys[s][0].subject;
    }
    pthread_t threads[THREADS];
    if (pthread_barrier_init(&start, NULL, THREADS) != 0) {
        return 1;
    }
    for (uintptr_t i = 0; i < THREADS; i++) {
        if (pthread_create(&threads[i], NULL, work, (void *)(i + 1)) != 0) {
            return 1;
        }
    }
    for (int i = 0; i < THREADS; i++) {
        pthread_join(threads[i], NULL);
    }
    check_after();
    session_table_free(&table);
    printf("%d failures\n", atomic_load(&failures));
    return atomic_load(&failures) != 0;
}
