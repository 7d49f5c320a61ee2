// SPDX-License-Identifier: Apache-2.0
// What an analyst's orders cost: from an order to end a session to the last allow that its asker gets, and
// what a reload of 10,000 rules does to decisions. `bench_control [TERMINATIONS [RELOADS]]`
#include "bench/common.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum {
    RULES = 10000,
    TERMINATIONS_DEFAULT = 300,
    RELOADS_DEFAULT = 5
};

static struct child pdpd;
static char decide_path[256], admin_path[256];

static void start_pdpd(const char *policies)
{
    char decide[300], admin[300];
    snprintf(decide_path, sizeof decide_path, "%s", bench_path("control-decide.sock"));
    snprintf(admin_path, sizeof admin_path, "%s", bench_path("control-admin.sock"));
    snprintf(decide, sizeof decide, "ipc://%s", decide_path);
    snprintf(admin, sizeof admin, "ipc://%s", admin_path);
    const char *const argv[] = {bench_bin("pdpd"),
                                "--policies",
                                policies,
                                "--decide",
                                decide,
                                "--admin",
                                admin,
                                "--geo",
                                bench_path("geo/city.mmdb"),
                                "--geo",
                                bench_path("geo/asn.mmdb"),
                                "--geo",
                                bench_path("geo/anonymous.mmdb"),
                                "--workers",
                                "1",
                                NULL};
    child_start(&pdpd, "control-pdpd", argv);
}

static bool says(const struct buf *answer, const char *text)
{
    return memmem(answer->at, answer->len, text, strlen(text)) != NULL;
}

// ---- Termination -----------------------------------------------------------------------------------

// Asks about one session without a pause until the daemon says terminate.
struct asker {
    uint64_t session;
    _Atomic bool begun;
    double last_allow; // when the last one was received
    double last_asked; // when the question of the last allow was sent
};

static void *ask_on(void *user)
{
    struct asker *asker = user;
    struct link_to link;
    struct question question;
    struct buf answer = {0};
    question_make(&question, WIRE_JSON, true, time(NULL) - 60);
    link_open(&link, SP_IPC, decide_path, 0);
    // Numbers of one session, each another question.
    for (uint64_t number = BENCH_SESSIONS * (asker->session / BENCH_SESSIONS * 10000000 + 1) +
                           asker->session % BENCH_SESSIONS;
         ; number += BENCH_SESSIONS) {
        question_number(&question, question.bytes.at, number);
        double asked = bench_now_ns();
        link_ask(&link, buf_view(&question.bytes), &answer);
        if (says(&answer, "\"decision\":true")) {
            asker->last_allow = bench_now_ns();
            asker->last_asked = asked;
            atomic_store(&asker->begun, true);
        } else if (says(&answer, "\"effect\":\"terminate\"")) {
            break;
        } else if (!atomic_load(&asker->begun)) {
            bench_fail("is not allowed at first", (const char *)answer.at);
        }
    }
    link_close(&link);
    buf_fini(&answer);
    question_free(&question);
    return NULL;
}

// Nanoseconds from the order to the last allow received; 0 where none came after it.
static double terminate_one(struct link_to *admin, uint64_t session, unsigned *late)
{
    struct asker asker = {.session = session};
    struct buf answer = {0};
    char order[160];
    pthread_t thread;
    snprintf(order, sizeof order,
             "{\"op\":\"session.terminate\",\"session\":\"sess-%08llx\",\"reason\":\"bench\"}",
             (unsigned long long)(session % BENCH_SESSIONS));
    pthread_create(&thread, NULL, ask_on, &asker);
    while (!atomic_load(&asker.begun)) {
        nanosleep(&(struct timespec){.tv_nsec = 200000}, NULL);
    }
    nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
    double ordered = bench_now_ns();
    link_ask(admin, (struct str){order, strlen(order)}, &answer);
    double acknowledged = bench_now_ns();
    if (!says(&answer, "\"ok\":true")) {
        bench_fail("the order was refused", (const char *)answer.at);
    }
    pthread_join(thread, NULL);
    *late += asker.last_asked > acknowledged;
    buf_fini(&answer);
    return asker.last_allow > ordered ? asker.last_allow - ordered : 0;
}

static void terminations(unsigned count)
{
    struct samples ns = {0};
    struct link_to admin;
    unsigned late = 0;
    start_pdpd("policies/baseline");
    link_open(&admin, SP_IPC, admin_path, 0);
    for (unsigned i = 0; i < count && i < BENCH_SESSIONS; i++) {
        samples_add(&ns, terminate_one(&admin, i, &late));
    }
    link_close(&admin);
    child_stop(&pdpd);
    double p99 = samples_quantile(&ns, 0.99);
    printf("%zu terminations under questions: order to last allow %.0f µs p50, %.0f µs p99, %.0f µs most; "
           "allowed though "
           "asked after the acknowledgement: %u\n",
           ns.count, samples_quantile(&ns, 0.5) / 1e3, p99 / 1e3, samples_quantile(&ns, 1) / 1e3, late);
    bench_row(p99 <= 5e6 && late == 0 ? BENCH_MET : BENCH_MISSED,
              "termination ordered to last allow received, p99", "≤ 5 ms", "%.2f ms", p99 / 1e6);
    bench_row(late == 0 ? BENCH_MET : BENCH_MISSED, "allows of questions sent after the acknowledgement", "0",
              "%u", late);
    samples_free(&ns);
}

// ---- Reload ----------------------------------------------------------------------------------------

struct reload {
    _Atomic bool done;
    double took_ns;
};

static void *reload_once(void *user)
{
    struct reload *reload = user;
    struct link_to admin;
    struct buf answer = {0};
    link_open(&admin, SP_IPC, admin_path, 0);
    double began = bench_now_ns();
    link_ask(&admin, STR("{\"op\":\"reload\"}"), &answer);
    reload->took_ns = bench_now_ns() - began;
    if (!says(&answer, "\"ok\":true")) {
        bench_fail("the reload was refused", (const char *)answer.at);
    }
    link_close(&admin);
    buf_fini(&answer);
    atomic_store(&reload->done, true);
    return NULL;
}

static bool not_done(void *user)
{
    struct reload *reload = user;
    return !atomic_load(&reload->done);
}

static void load_for(struct link_to *link, struct load *load, struct samples *latency, struct samples *p99)
{
    samples_clear(latency);
    link_load(link, load);
    samples_add(p99, samples_quantile(latency, 0.99));
}

static void reloads(unsigned count)
{
    struct samples latency = {0}, before = {0}, during = {0}, after = {0}, ratio = {0}, took = {0};
    struct question question;
    struct link_to link;
    bench_write_rules(bench_path("rules-reload"), RULES);
    start_pdpd(bench_path("rules-reload"));
    question_make(&question, WIRE_CBOR, true, time(NULL) - 60);
    link_open(&link, SP_IPC, decide_path, 0);
    struct load load = {.question = &question, .depth = 1, .seconds = 1, .latency = &latency, .number = 1};
    link_load(&link, &load); // warms up
    for (unsigned i = 0; i < count; i++) {
        struct reload reload = {.done = false};
        pthread_t thread;
        load.seconds = 0.5;
        load.go_on = NULL;
        load_for(&link, &load, &latency, &before);
        pthread_create(&thread, NULL, reload_once, &reload);
        load.go_on = not_done;
        load.user = &reload;
        load_for(&link, &load, &latency, &during);
        pthread_join(thread, NULL);
        load.go_on = NULL;
        load_for(&link, &load, &latency, &after);
        samples_add(&took, reload.took_ns);
        samples_add(&ratio, during.at[during.count - 1] / before.at[before.count - 1]);
    }
    link_close(&link);
    child_stop(&pdpd);
    double r = samples_quantile(&ratio, 0.5);
    printf("%u reloads of %d rules under load: p99 %.1f µs before, %.1f µs during (%.0f ms), %.1f µs after\n",
           count, RULES, samples_quantile(&before, 0.5) / 1e3, samples_quantile(&during, 0.5) / 1e3,
           samples_quantile(&took, 0.5) / 1e6, samples_quantile(&after, 0.5) / 1e3);
    bench_row(r <= 2 ? BENCH_MET : BENCH_MISSED, "reload of 10,000 rules under load, decision p99",
              "at most doubles", "%.2f times", r);
    question_free(&question);
    samples_free(&latency);
    samples_free(&before);
    samples_free(&during);
    samples_free(&after);
    samples_free(&ratio);
    samples_free(&took);
}

int main(int argc, char **argv)
{
    terminations(argc > 1 ? (unsigned)strtoul(argv[1], NULL, 10) : TERMINATIONS_DEFAULT);
    reloads(argc > 2 ? (unsigned)strtoul(argv[2], NULL, 10) : RELOADS_DEFAULT);
    return 0;
}
