// SPDX-License-Identifier: Apache-2.0
// Threads that submit, one that writes, one that polls, one that copies and looks: as in a daemon.
#include "store/file.h"
#include "support/scratch.h"

#include <pthread.h>
#include <stdatomic.h>

enum {
    SUBMITTERS = 3,
    BATCHES = 200
};

static struct store *store;
static struct scratch scratch;
static char file[SCRATCH_MAX], copy[SCRATCH_MAX];
static atomic_uint submitted, completed, copies, wrong;
static atomic_bool over;

#define CHECK(cond, what)                                     \
    do {                                                      \
        if (!(cond)) {                                        \
            fprintf(stderr, "line %d: %s\n", __LINE__, what); \
            atomic_fetch_add(&wrong, 1);                      \
        }                                                     \
    } while (0)

static void *submits(void *arg)
{
    char name = (char)('a' + *(int *)arg);
    for (int i = 0; i < BATCHES; i++) {
        char key[16], value[16];
        snprintf(key, sizeof key, "%c%03d", name, i);
        snprintf(value, sizeof value, "%d", i);
        struct store_op ops[] = {
            {{STORE_SESSIONS, 0, str_of(key), str_of(value)}, false},
            {{STORE_USERS, 0, {key, 1}, str_of(value)}, false},
        };
        uint64_t token = 0;
        enum pdp_err err = PDP_ERR_BUSY;
        while ((err = store_submit(store, ops, 2, i % 5 == 0, &token)) == PDP_ERR_BUSY) {
            sched_yield();
        }
        CHECK(err == PDP_ERR_OK && token != 0, "submit");
        atomic_fetch_add(&submitted, 1);
    }
    return NULL;
}

static void *writes(void *arg)
{
    (void)arg;
    while (!atomic_load(&over)) {
        if (!store_work(store)) {
            sched_yield();
        }
    }
    return NULL;
}

static void *polls(void *arg)
{
    (void)arg;
    uint64_t last = 0;
    struct store_completion done;
    while (atomic_load(&completed) < SUBMITTERS * BATCHES) {
        if (!store_poll(store, &done)) {
            sched_yield();
            continue;
        }
        CHECK(done.token == last + 1, "tokens complete in order");
        CHECK(done.err == PDP_ERR_OK, pdp_err_name(done.err));
        last = done.token;
        atomic_fetch_add(&completed, 1);
    }
    return NULL;
}

static void found(void *user, const char *what)
{
    (void)user;
    CHECK(false, what);
}

static void *looks(void *arg)
{
    (void)arg;
    char why[STORE_WHY_MAX] = "";
    struct store_stats stats;
    struct file_facts facts;
    struct file_look look = {.found = found};
    while (!atomic_load(&over)) {
        store_stats(store, &stats);
        CHECK(stats.rows[STORE_USERS] <= SUBMITTERS, "users");
        CHECK(store_backup(store, copy, why) == PDP_ERR_OK, why);
        CHECK(file_check(copy, NULL, &look, &facts, why) == PDP_ERR_OK, why);
        CHECK(file_check(file, NULL, &look, &facts, why) == PDP_ERR_OK, why);
        atomic_fetch_add(&copies, 1);
    }
    return NULL;
}

int main(void)
{
    char why[STORE_WHY_MAX];
    int names[SUBMITTERS];
    pthread_t threads[SUBMITTERS], writer, poller, looker;
    scratch_make(&scratch);
    snprintf(file, sizeof file, "%s", scratch_path(&scratch, "sessions.db"));
    snprintf(copy, sizeof copy, "%s", scratch_path(&scratch, "copy.db"));
    struct store_config config = {.path = file, .queue_batches = 40, .log_pages = 50};
    CHECK(store_open(&config, &store, why) == PDP_ERR_OK, why);
    pthread_create(&writer, NULL, writes, NULL);
    pthread_create(&poller, NULL, polls, NULL);
    pthread_create(&looker, NULL, looks, NULL);
    for (int i = 0; i < SUBMITTERS; i++) {
        names[i] = i;
        pthread_create(&threads[i], NULL, submits, &names[i]);
    }
    for (int i = 0; i < SUBMITTERS; i++) {
        pthread_join(threads[i], NULL);
    }
    pthread_join(poller, NULL);
    while (atomic_load(&copies) == 0) {
        sched_yield();
    }
    atomic_store(&over, true);
    pthread_join(writer, NULL);
    pthread_join(looker, NULL);
    CHECK(store_count(store, STORE_SESSIONS) == SUBMITTERS * BATCHES, "rows");
    CHECK(store_shut(&store) == PDP_ERR_OK, "shut");
    printf("%u batches, %u copies, %u wrong\n", atomic_load(&submitted), atomic_load(&copies),
           atomic_load(&wrong));
    scratch_drop(&scratch);
    return atomic_load(&wrong) == 0 ? 0 : 1;
}
