// SPDX-License-Identifier: Apache-2.0
// Threads ask while snapshots are swapped and sessions are ended: no decision begun after an ending was
// acknowledged allows, and no snapshot goes while somebody reads it. Meant for ThreadSanitizer too.
#include "support/harness.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

enum {
    ASKERS = 3,
    SESSIONS = 64,
    RELOADS = 20
};

#define RULES                                                         \
    "apiVersion: pdp/v1\nkind: Policy\nmetadata: {name: p}\nrules:\n" \
    "  - {id: all, effect: allow}\n"                                  \
    "  - {id: roles, effect: deny, when: 'has(subject.roles) && \"none\" in subject.roles'}\n"
// Of the reloads one has nothing in shadow, one begins a world of its own, one goes on with it.
#define SHADOW(requests) \
    RULES "  - {id: late, effect: terminate, shadow: true, when: session.requests > " requests "}\n"
static const char *const FOLDERS[] = {RULES, SHADOW("5"), SHADOW("5"), SHADOW("9")};

static struct harness harness;
static atomic_bool ended[SESSIONS]; // acknowledged, not merely ordered
static atomic_bool stop;
static atomic_ullong asked, allowed, refused, broken;

static void ask_one(struct worker *worker, unsigned session, unsigned number, struct buf *out)
{
    char text[512];
    bool was_ended = atomic_load(&ended[session]);
    int len = snprintf(text, sizeof text,
                       "{\"request_id\":\"q%u\",\"subject\":{\"type\":\"user\",\"id\":\"u%u\"},\"action\":{"
                       "\"name\":\"GET\"},"
                       "\"resource\":{\"type\":\"thing\",\"id\":\"x\"},\"context\":{\"session\":{\"id\":\"s%"
                       "u\",\"auth_time\":"
                       "1795420800}}}",
                       number, session % 8, session);
    buf_clear(out);
    engine_answer(worker, &harness.peer, (struct str){text, (size_t)len}, HARNESS_NOW + number, out);
    bool allows = str_starts(buf_view(out), STR("{\"decision\":true"));
    atomic_fetch_add(&asked, 1);
    atomic_fetch_add(allows ? &allowed : &refused, 1);
    if (allows && was_ended) {
        atomic_fetch_add(&broken, 1);
        fprintf(stderr, "session %u was allowed after it was ended: " STR_FMT "\n", session,
                STR_ARG(buf_view(out)));
    }
}

static void *asker(void *user)
{
    struct worker *worker = user;
    struct buf out = {0};
    unsigned seed = (unsigned)(uintptr_t)worker;
    for (unsigned i = 0; !atomic_load(&stop); i++) {
        seed = seed * 1664525U + 1013904223U;
        ask_one(worker, (seed >> 16) % SESSIONS, i, &out);
    }
    buf_fini(&out);
    return NULL;
}

static void *ender(void *user)
{
    struct session_table *table = engine_sessions(harness.engine);
    (void)user;
    for (unsigned i = 0; i < SESSIONS / 2; i++) {
        char id[16];
        struct session_view was;
        bool known = false;
        int len = snprintf(id, sizeof id, "s%u", i);
        // Some are ended before they were ever seen: they must not begin either.
        if (session_end(table, (struct str){id, (size_t)len}, PDP_CODE_LOCKED, HARNESS_NOW,
                        HARNESS_NOW + 1000000000, &was, &known) == PDP_ERR_OK) {
            atomic_store(&ended[i], true);
        }
        for (unsigned long long until = atomic_load(&asked) + 500; atomic_load(&asked) < until;) {
        }
    }
    return NULL;
}

int main(void)
{
    if (!harness_load(&harness, RULES)) {
        fprintf(stderr, "%s\n", (const char *)harness.said.at);
        return 2;
    }
    pthread_t threads[ASKERS + 1];
    struct worker *workers[ASKERS];
    for (int i = 0; i < ASKERS; i++) {
        if (worker_new(harness.engine, &workers[i]) != PDP_ERR_OK ||
            pthread_create(&threads[i], NULL, asker, workers[i]) != 0) {
            return 2;
        }
    }
    if (pthread_create(&threads[ASKERS], NULL, ender, NULL) != 0) {
        return 2;
    }
    for (int i = 0; i < RELOADS; i++) {
        if (!harness_load(&harness, FOLDERS[(size_t)i % (sizeof FOLDERS / sizeof *FOLDERS)])) {
            return 2;
        }
    }
    pthread_join(threads[ASKERS], NULL);
    atomic_store(&stop, true);
    for (int i = 0; i < ASKERS; i++) {
        pthread_join(threads[i], NULL);
        worker_free(&workers[i]);
    }
    printf("%llu asked, %llu allowed, %llu refused, %llu allowed after an acknowledged ending\n",
           (unsigned long long)atomic_load(&asked), (unsigned long long)atomic_load(&allowed),
           (unsigned long long)atomic_load(&refused), (unsigned long long)atomic_load(&broken));
    bool some = atomic_load(&allowed) > 0 && atomic_load(&refused) > 0;
    harness_fini(&harness);
    return atomic_load(&broken) == 0 && some ? 0 : 1;
}
