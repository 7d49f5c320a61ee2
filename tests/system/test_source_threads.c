// SPDX-License-Identifier: Apache-2.0
// Threads that tell of a few sources, look at them and save them, while a flood takes places and loses them:
// nothing is lost, and no source is ever taken for another. A plain program, for ThreadSanitizer.
#include "risk/source.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>

enum {
    THREADS = 4,
    ROUNDS = 40000,
    SOURCES = 8,
    FIRST = 8,
    STRANGERS = 100000
};

// The beginning of a span; all of it lies within one.
#define T0 INT64_C(1795370400000)
#define PART INT64_C(5000)

static struct sources *all;
static atomic_int wrong;

static struct source_names name(uint64_t number)
{
    return (struct source_names){{number + 1, number + 1, number + 1}};
}

// So many different ones fail at a source as its number says; a stranger fails once in a while, by itself.
static void look(uint64_t number, int64_t now_ms)
{
    struct source_view view;
    struct source_names names = name(number);
    source_read(all, &names, now_ms, &view);
    for (size_t kind = 0; kind < SOURCE_KINDS; kind++) {
        const struct source_figures *seen = &view.of[kind];
        uint32_t most = number < SOURCES ? (uint32_t)number + 1 : 1;
        if (seen->failed_subjects > most || (seen->failed_subjects == 0) != (seen->failed == 0) ||
            seen->passed != 0) {
            atomic_fetch_add(&wrong, 1);
        }
    }
}

static void *run(void *arg)
{
    uint64_t random = *(uint64_t *)arg;
    for (int i = 0; i < ROUNDS; i++) {
        random = random * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
        uint64_t ours = (uint64_t)i % SOURCES, stranger = SOURCES + (random >> 33) % STRANGERS;
        struct source_names a = name(ours), b = name(stranger);
        source_add(all, &a, SOURCE_LOGIN_FAILED, (uint64_t)i / SOURCES % (ours + 1), T0 + i);
        source_add(all, &b, SOURCE_LOGIN_FAILED, stranger, T0 + i);
        source_add(all, &b, SOURCE_SESSION_GOOD, random, T0 + i);
        (void)source_told(all, random);
        look(ours, T0 + i);
        look(stranger, T0 + i);
        if (i % 10000 == 0) {
            struct buf bytes = {0};
            source_save(all, &bytes);
            buf_fini(&bytes);
        }
    }
    return NULL;
}

int main(void)
{
    pthread_t threads[THREADS];
    uint64_t seeds[THREADS];
    if (source_new((struct hash_key){1, 2}, &all) != PDP_ERR_OK) {
        return 2;
    }
    for (uint64_t i = 0; i < FIRST * SOURCES; i++) { // strong enough to stay from the beginning
        struct source_names names = name(i % SOURCES);
        source_add(all, &names, SOURCE_LOGIN_FAILED, 0, T0);
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
    for (uint64_t i = 0; i < SOURCES; i++) {
        struct source_view view;
        struct source_names names = name(i);
        source_read(all, &names, T0 + ROUNDS + PART, &view);
        for (size_t kind = 0; kind < SOURCE_KINDS; kind++) {
            const struct source_figures *seen = &view.of[kind];
            if (seen->failed != FIRST + THREADS * ROUNDS / SOURCES || seen->failed_subjects != i + 1) {
                printf("source %llu: %u failures of %u subjects\n", (unsigned long long)i, seen->failed,
                       seen->failed_subjects);
                atomic_fetch_add(&wrong, 1);
            }
        }
    }
    printf("%d wrong\n", atomic_load(&wrong));
    source_free(&all);
    return atomic_load(&wrong) != 0;
}
