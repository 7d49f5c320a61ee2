// SPDX-License-Identifier: Apache-2.0
// Threads that add to few keys of a small table: nothing is lost, and a key under pressure never reads too
// little. A plain program, for ThreadSanitizer.
#include "session/counters.h"

#include <pthread.h>
#include <stdio.h>

enum {
    THREADS = 4,
    ROUNDS = 50000,
    KEYS = 16,
    STRANGERS = 4096
};

#define T0 INT64_C(1795370400000)
#define HOUR INT64_C(3600000)

static struct counters_table *roomy, *full;

static struct hash128 key(uint64_t number)
{
    return (struct hash128){number * UINT64_C(0x9E3779B97F4A7C15), number + 1};
}

static void *run(void *arg)
{
    uint64_t random = *(uint64_t *)arg;
    for (int i = 0; i < ROUNDS; i++) {
        random = random * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
        counters_add(roomy, key((uint64_t)i % KEYS), 1, T0 + i);
        counters_add(full, key((uint64_t)i % KEYS), 1, T0 + i);
        counters_add(full, key(KEYS + (random >> 33) % STRANGERS), 1, T0 + i);
        (void)counters_read(full, key((random >> 40) % STRANGERS), T0 + i);
    }
    return NULL;
}

int main(void)
{
    pthread_t threads[THREADS];
    uint64_t seeds[THREADS];
    int failures = 0;
    if (counters_new(HOUR, 4096, &roomy) != PDP_ERR_OK || counters_new(HOUR, 64, &full) != PDP_ERR_OK) {
        return 2;
    }
    for (uint64_t i = 0; i < THREADS; i++) {
        seeds[i] = i;
        if (pthread_create(&threads[i], NULL, run, &seeds[i]) != 0) {
            return 2;
        }
    }
    for (int i = 0; i < THREADS; i++) {
        pthread_join(threads[i], NULL);
    }
    const double each = (double)THREADS * ROUNDS / KEYS;
    for (uint64_t i = 0; i < KEYS; i++) {
        double exact = counters_read(roomy, key(i), T0 + ROUNDS),
               least = counters_read(full, key(i), T0 + ROUNDS);
        if (exact != each || least < each) {
            fprintf(stderr, "key %u: %g and %g of %g\n", (unsigned)i, exact, least, each);
            failures++;
        }
    }
    counters_free(&roomy);
    counters_free(&full);
    return failures == 0 ? 0 : 1;
}
