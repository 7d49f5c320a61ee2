// SPDX-License-Identifier: Apache-2.0
// Threads that give sessions one id after the other, beside threads that look for every id that was ever
// given and try to begin sessions under those that come next: an id that a session has had is its own for
// ever. A plain program, for ThreadSanitizer.
#include "session/session.h"

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>

enum {
    OWNERS = 2,   // threads that rotate, one session each
    THIEVES = 2,  // threads that look and claim
    TURNS = 3000, // ids of each session
};

#define T0 INT64_C(1795370000000)
#define FOR_EVER INT64_MAX

static struct session_table *table;
static _Atomic int reached[OWNERS]; // the number of the id that the session has; those before are old
static _Atomic int claimed[OWNERS][TURNS + 2];
static _Atomic int failures, done;
static _Atomic int looks, claims;
static pthread_barrier_t start;

static void fail(const char *what, int owner, int number)
{
    fprintf(stderr, "id %d of session %d: %s\n", number, owner, what);
    atomic_fetch_add(&failures, 1);
}

struct named {
    char subject[24], id[32];
};

static struct session_key key_of(struct named *names, const char *who, int number, int owner, int turn)
{
    snprintf(names->subject, sizeof names->subject, "%s%d", who, number);
    snprintf(names->id, sizeof names->id, "id-%d-%d", owner, turn);
    return session_key_of(table, 7, STR("acme"), STR("user"), str_of(names->subject), str_of(names->id));
}

static const struct session_record FRESH = {.state = SESSION_ACTIVE,
                                            .epoch = 1,
                                            .auth_time_ms = T0,
                                            .first_seen_ms = T0,
                                            .last_seen_ms = T0,
                                            .keep_until_ms = FOR_EVER};

static void *own(void *arg)
{
    int owner = (int)(intptr_t)arg;
    struct named names, others;
    struct session_held held;
    pthread_barrier_wait(&start);
    for (int turn = 1; turn <= TURNS; turn++) {
        for (int before = atomic_load(&looks); atomic_load(&looks) == before;) {
            sched_yield(); // so that the others are never far
        }
        struct session_key key = key_of(&names, "owner", owner, owner, atomic_load(&reached[owner]));
        struct session_key next = key_of(&others, "owner", owner, owner, turn);
        const struct session_rotation rotation = {.id = next.id, .key = next.number, .overlap_ms = 1};
        session_hold(table, &key, &held);
        struct session_delta delta = {.put_session = true, .rotate = &rotation, .session = *held.session};
        enum pdp_err err = session_commit(table, &held, &key, &delta, T0);
        session_release(table, &held);
        if (err == PDP_ERR_OK) {
            atomic_store(&reached[owner], turn);
        } else if (err != PDP_ERR_STATE) {
            fail("could not be given", owner, turn);
        }
        if (atomic_exchange(&claimed[owner][turn], err == PDP_ERR_OK ? 1 : 0) == 1 && err == PDP_ERR_OK) {
            fail("belongs to two", owner, turn);
        }
    }
    atomic_fetch_add(&done, 1);
    return NULL;
}

// Any id that the session has, or had, when we began to look.
static void look(int thief, int owner, int turn)
{
    struct named names;
    struct session_held held;
    struct session_key key = key_of(&names, "thief", thief, owner, turn);
    session_hold(table, &key, &held);
    if (held.found != SESSION_FOREIGN) {
        fail("is nobody's for a moment", owner, turn);
    } else if (held.session->state != SESSION_ACTIVE) {
        fail("does not lead to its session", owner, turn);
    }
    session_release(table, &held);
    atomic_fetch_add(&looks, 1);
}

static void claim(int thief, int owner, int turn)
{
    struct named names;
    struct session_held held;
    struct session_key key = key_of(&names, "thief", thief, owner, turn);
    session_hold(table, &key, &held);
    if (held.found == SESSION_ABSENT) {
        struct session_delta delta = {
            .put_session = true, .put_user = true, .create = true, .session = FRESH};
        if (session_commit(table, &held, &key, &delta, T0) == PDP_ERR_OK &&
            atomic_exchange(&claimed[owner][turn], 1) == 1) {
            fail("was claimed twice", owner, turn);
        }
        atomic_fetch_add(&claims, 1);
    }
    session_release(table, &held);
}

static void *steal(void *arg)
{
    int thief = (int)(intptr_t)arg;
    uint64_t random = (uint64_t)thief + 1;
    pthread_barrier_wait(&start);
    while (atomic_load(&done) < OWNERS) {
        random = random * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
        int owner = (int)(random >> 33) % OWNERS, here = atomic_load(&reached[owner]);
        int turn = (random >> 40) % 4 == 0 ? here : (int)((random >> 44) % ((uint64_t)here + 1));
        if (atomic_load(&claimed[owner][turn]) == 1 && turn <= here && turn != 0) {
            struct named names;
            struct session_held held;
            struct session_key key = key_of(&names, "owner", owner, owner, turn);
            session_hold(table, &key, &held);
            bool theirs = held.found == SESSION_FOUND;
            session_release(table, &held);
            if (theirs) {
                look(thief, owner, turn);
            }
        } else if (turn == 0) {
            look(thief, owner, turn);
        }
        if ((random >> 50) % 8 == 0 && here + 1 <= TURNS) {
            claim(thief, owner, here + 1);
        }
        if ((random >> 54) % 16 == 0) {
            sched_yield();
        }
    }
    return NULL;
}

static void begin(int owner)
{
    struct named names;
    struct session_held held;
    struct session_key key = key_of(&names, "owner", owner, owner, 0);
    struct session_delta delta = {.put_session = true, .put_user = true, .create = true, .session = FRESH};
    session_hold(table, &key, &held);
    if (session_commit(table, &held, &key, &delta, T0) != PDP_ERR_OK) {
        fail("could not begin", owner, 0);
    }
    session_release(table, &held);
}

int main(void)
{
    const struct session_table_config config = {.key = {1, 2}, .shards = 8};
    pthread_t threads[OWNERS + THIEVES];
    if (session_table_new(&config, &table) != PDP_ERR_OK) {
        return 1;
    }
    if (pthread_barrier_init(&start, NULL, OWNERS + THIEVES) != 0) {
        return 1;
    }
    for (int i = 0; i < OWNERS; i++) {
        begin(i);
    }
    for (int i = 0; i < OWNERS + THIEVES; i++) {
        if (pthread_create(&threads[i], NULL, i < OWNERS ? own : steal, (void *)(intptr_t)(i % OWNERS)) !=
            0) {
            return 1;
        }
    }
    for (int i = 0; i < OWNERS + THIEVES; i++) {
        pthread_join(threads[i], NULL);
    }
    struct session_stats stats;
    session_stats(table, &stats);
    int given = 0;
    for (int i = 0; i < OWNERS; i++) {
        given += atomic_load(&reached[i]) > 0;
    }
    if (given != OWNERS || stats.tombstones == 0 || atomic_load(&claims) == 0) {
        fail("was never given", 0, 0);
    }
    printf("%llu ids replaced, %d looks, %d claims\n", (unsigned long long)stats.tombstones,
           atomic_load(&looks), atomic_load(&claims));
    session_table_free(&table);
    return atomic_load(&failures) != 0;
}
