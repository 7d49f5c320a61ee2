// SPDX-License-Identifier: Apache-2.0
// Workers that add to what everybody shows, each at its own pace within an epoch, against one that does it
// all: the same bytes after every epoch, saved and loaded in the middle. A plain program, for
// ThreadSanitizer.
#include "risk/population.h"

#include <pthread.h>
#include <stdio.h>

enum {
    THREADS = 4,
    EPOCHS = 8,
    ADDS = 200000 // of a thread in an epoch
};
#define T0 (INT64_C(1795370000000) / POPULATION_EPOCH_MS * POPULATION_EPOCH_MS)

static struct population *many;
static pthread_barrier_t together;

static uint64_t key_of(uint64_t thread, uint64_t epoch, uint64_t i)
{
    return (thread * 31 + epoch * 7 + i * i) % 5000;
}

static void *run(void *arg)
{
    uint64_t thread = *(const uint64_t *)arg;
    for (uint64_t epoch = 0; epoch < EPOCHS; epoch++) {
        // Whoever comes first turns; one that is late still adds to the epoch before, which nobody reads yet.
        population_turn(many, T0 + (int64_t)epoch * POPULATION_EPOCH_MS + (int64_t)thread);
        (void)pthread_barrier_wait(&together);
        for (uint64_t i = 0; i < ADDS; i++) {
            population_add(many, key_of(thread, epoch, i));
            (void)population_count(many, i);
        }
        if (thread == 0) {
            struct buf bytes = {0};
            population_save(many, &bytes); // while the others add
            buf_fini(&bytes);
        }
        (void)pthread_barrier_wait(&together);
    }
    return NULL;
}

// One worker does the same, and is replaced by what it saved after each epoch.
static struct population *alone(void)
{
    struct population *one = NULL;
    if (population_new(&one) != PDP_ERR_OK) {
        return NULL;
    }
    for (uint64_t epoch = 0; epoch < EPOCHS; epoch++) {
        population_turn(one, T0 + (int64_t)epoch * POPULATION_EPOCH_MS);
        for (uint64_t i = 0; i < ADDS; i++) {
            for (uint64_t thread = THREADS; thread-- > 0;) {
                population_add(one, key_of(thread, epoch, i));
            }
        }
        struct buf bytes = {0};
        struct population *next = NULL;
        population_save(one, &bytes);
        if (population_new(&next) != PDP_ERR_OK || population_load(next, buf_view(&bytes)) != PDP_ERR_OK) {
            return NULL;
        }
        buf_fini(&bytes);
        population_free(&one);
        one = next;
    }
    return one;
}

int main(void)
{
    pthread_t threads[THREADS];
    uint64_t numbers[THREADS];
    struct population *one = alone();
    if (one == NULL || population_new(&many) != PDP_ERR_OK) {
        return 2;
    }
    (void)pthread_barrier_init(&together, NULL, THREADS);
    for (uint64_t i = 0; i < THREADS; i++) {
        numbers[i] = i;
        if (pthread_create(&threads[i], NULL, run, &numbers[i]) != 0) {
            return 2;
        }
    }
    for (size_t i = 0; i < THREADS; i++) {
        (void)pthread_join(threads[i], NULL);
    }
    struct buf a = {0}, b = {0};
    population_save(one, &a);
    population_save(many, &b);
    bool same = a.len > 1000 && str_eq(buf_view(&a), buf_view(&b));
    printf("population: %d threads, %zu bytes, %s\n", THREADS, a.len, same ? "the same" : "they differ");
    buf_fini(&a);
    buf_fini(&b);
    population_free(&one);
    population_free(&many);
    (void)pthread_barrier_destroy(&together);
    return same ? 0 : 1;
}
