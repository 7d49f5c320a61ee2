// SPDX-License-Identifier: Apache-2.0
// Workers begin sessions of one subject at the same time: at no moment do more live than the limit allows,
// and a session that ended for another is never allowed again. Meant for ThreadSanitizer too.
#include "support/harness.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>

enum {
    WORKERS = 4,
    BEGINNINGS = 2000, // of each worker
    ENDS_MOST = 3,     // as in RULES
    REFUSE_MOST = 2
};

#define LIMIT(name, subject, limits)                                             \
    "---\napiVersion: pdp/v1\nkind: SessionPolicy\nmetadata: {name: " name "}\n" \
    "target: subject.id == \"" subject "\"\nlimits: {idle: 2h, " limits "}\n"
#define RULES                                                                                          \
    "apiVersion: pdp/v1\nkind: Policy\nmetadata: {name: p}\nrules:\n"                                  \
    "  - {id: all, effect: allow}\n" LIMIT("ends", "ends", "concurrent: 3, on_concurrent: end-oldest") \
        LIMIT("refuses", "refuses", "concurrent: 2")

static struct harness harness;
static _Atomic(unsigned) begun[2], refused, broken;
static atomic_bool stop;

static void fail(const char *what, const char *who, unsigned number)
{
    atomic_fetch_add(&broken, 1);
    fprintf(stderr, "%s: %s (%u)\n", who, what, number);
}

static bool allowed(struct worker *worker, const char *subject, const char *session, int64_t now_ms,
                    struct buf *out)
{
    char text[512];
    int len =
        snprintf(text, sizeof text,
                 "{\"subject\":{\"type\":\"user\",\"id\":\"%s\"},\"action\":{\"name\":\"GET\"},"
                 "\"resource\":{\"type\":\"thing\",\"id\":\"x\"},\"context\":{\"session\":{\"id\":\"%s\","
                 "\"auth_time\":1795420800}}}",
                 subject, session);
    buf_clear(out);
    engine_answer(worker, &harness.peer, (struct str){text, (size_t)len}, now_ms, out);
    return str_starts(buf_view(out), STR("{\"decision\":true"));
}

static void *begin(void *user)
{
    struct worker *worker = user;
    struct buf out = {0};
    char session[64], last[64] = "";
    for (unsigned i = 0; i < BEGINNINGS; i++) {
        snprintf(session, sizeof session, "%p-%u", user, i);
        if (allowed(worker, "ends", session, HARNESS_NOW + i, &out)) {
            atomic_fetch_add(&begun[0], 1);
        } else {
            fail("a new one was refused", "ends", i);
        }
        // The one before may have ended for it; then it stays so.
        if (last[0] != '\0' && !allowed(worker, "ends", last, HARNESS_NOW + i, &out) &&
            allowed(worker, "ends", last, HARNESS_NOW + i, &out)) {
            fail("came back", "ends", i);
        }
        memcpy(last, session, sizeof last);
        snprintf(session, sizeof session, "%p-r%u", user, i);
        bool more = allowed(worker, "refuses", session, HARNESS_NOW + i, &out);
        atomic_fetch_add(more ? &begun[1] : &refused, 1);
    }
    buf_fini(&out);
    return NULL;
}

static uint32_t living(const char *subject)
{
    struct session_table *table = engine_sessions(harness.engine);
    struct session_key key = session_key_of(table, 0, STR(""), STR("user"), str_of(subject), STR(""));
    struct session_held held;
    session_hold(table, &key, &held);
    uint32_t live = held.user != NULL ? held.user->live_sessions : 0;
    session_release(table, &held);
    return live;
}

static void *watch(void *user)
{
    unsigned *most = user;
    while (!atomic_load(&stop)) {
        unsigned ends = living("ends"), refuses = living("refuses");
        if (ends > ENDS_MOST || refuses > REFUSE_MOST) {
            fail("more live than may", ends > ENDS_MOST ? "ends" : "refuses",
                 ends > ENDS_MOST ? ends : refuses);
        }
        *most = ends > *most ? ends : *most;
    }
    return NULL;
}

static void check_after(void)
{
    struct session_stats stats;
    session_stats(engine_sessions(harness.engine), &stats);
    if (living("ends") != ENDS_MOST || living("refuses") != REFUSE_MOST) {
        fail("another number lives", "both", living("ends"));
    }
    if (stats.sessions != ENDS_MOST + REFUSE_MOST || atomic_load(&begun[1]) != REFUSE_MOST ||
        stats.sessions + stats.tombstones != atomic_load(&begun[0]) + atomic_load(&begun[1])) {
        fail("does not add up", "sessions", (unsigned)stats.sessions);
    }
}

int main(void)
{
    pthread_t threads[WORKERS + 1];
    struct worker *workers[WORKERS];
    unsigned most = 0;
    if (!harness_load(&harness, RULES)) {
        fprintf(stderr, "%s\n", (const char *)harness.said.at);
        return 2;
    }
    for (int i = 0; i < WORKERS; i++) {
        if (worker_new(harness.engine, &workers[i]) != PDP_ERR_OK ||
            pthread_create(&threads[i], NULL, begin, workers[i]) != 0) {
            return 2;
        }
    }
    if (pthread_create(&threads[WORKERS], NULL, watch, &most) != 0) {
        return 2;
    }
    for (int i = 0; i < WORKERS; i++) {
        pthread_join(threads[i], NULL);
        worker_free(&workers[i]);
    }
    atomic_store(&stop, true);
    pthread_join(threads[WORKERS], NULL);
    check_after();
    printf("%u began, %u were refused, %u lived at once, %u failures\n", atomic_load(&begun[0]),
           atomic_load(&refused), most, atomic_load(&broken));
    harness_fini(&harness);
    return atomic_load(&broken) == 0 && most == ENDS_MOST ? 0 : 1;
}
