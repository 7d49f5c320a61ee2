// SPDX-License-Identifier: Apache-2.0
// From an analyst's order to the last allow that any of 50 gateways gives for the session, while all of them
// ask as fast as they can; with answers kept and without.
#include "bench/common.h"

#include <pdp/pdp.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum {
    GATEWAYS = 50,
    KILLS = 100
};

struct gateway {
    struct pdp_client *client;
    pthread_t thread;
    _Atomic uint64_t allows;  // of the round
    _Atomic uint64_t last_ns; // when the last allow was given
    _Atomic uint32_t denied;  // newest round in which it was denied
};

static struct gateway gateways[GATEWAYS];
static _Atomic uint32_t current; // round; a session each
static _Atomic bool over;
static char mode;

static struct pdp_question *question_of(uint32_t round)
{
    char id[40];
    struct pdp_question *made = NULL;
    (void)snprintf(id, sizeof id, "kill-%c-%u", mode, round);
    if (pdp_question_new(&made) != PDP_ERR_OK) {
        bench_fail("question", id);
    }
    pdp_question_set_text(made, "subject.type", "user");
    pdp_question_set_text(made, "subject.id", id);
    pdp_question_set_text(made, "action.name", "GET");
    pdp_question_set_text(made, "resource.type", "route");
    pdp_question_set_text(made, "resource.id", "/");
    pdp_question_set_text(made, "context.session.id", id);
    pdp_question_set_int(made, "context.session.auth_time", (int64_t)time(NULL) - 10);
    return made;
}

static void *ask_on(void *arg)
{
    struct gateway *gateway = arg;
    uint32_t round = 0;
    struct pdp_question *asked = NULL;
    while (!atomic_load(&over)) {
        uint32_t now = atomic_load(&current);
        if (now != round) {
            pdp_question_free(&asked);
            asked = question_of(now);
            round = now;
        }
        if (round == 0) {
            (void)usleep(100);
            continue;
        }
        struct pdp_answer *answer = NULL;
        (void)pdp_decide(gateway->client, asked, 10000, &answer);
        if (pdp_answer_allows(answer)) {
            atomic_store(&gateway->last_ns, (uint64_t)bench_now_ns());
            atomic_fetch_add(&gateway->allows, 1);
        } else {
            atomic_store(&gateway->denied, round);
        }
        pdp_answer_free(&answer);
        if (mode == 'c') { // 50 threads that never wait would leave the daemon no processor
            (void)usleep(500);
        }
    }
    pdp_question_free(&asked);
    return NULL;
}

// Until every gateway has got an allow in this round, or a deny.
static void wait_all(uint32_t round, bool denied)
{
    for (size_t i = 0; i < GATEWAYS; i++) {
        while (denied ? atomic_load(&gateways[i].denied) != round : atomic_load(&gateways[i].allows) < 3) {
            (void)usleep(100);
        }
    }
}

static void kill_one(struct link_to *admin, uint32_t round, struct samples *took)
{
    char text[160];
    struct buf answer = {0};
    for (size_t i = 0; i < GATEWAYS; i++) {
        atomic_store(&gateways[i].allows, 0);
    }
    atomic_store(&current, round);
    wait_all(round, false);
    (void)snprintf(text, sizeof text,
                   "{\"op\": \"session.terminate\", \"session\": \"kill-%c-%u\", \"reason\": \"bench\"}",
                   mode, round);
    double from_ns = bench_now_ns(), last_ns = from_ns;
    link_ask(admin, str_of(text), &answer);
    wait_all(round, true);
    for (size_t i = 0; i < GATEWAYS; i++) {
        double at_ns = (double)atomic_load(&gateways[i].last_ns);
        last_ns = at_ns > last_ns ? at_ns : last_ns;
    }
    samples_add(took, (last_ns - from_ns) / 1e6);
    buf_fini(&answer);
}

static void open_all(uint32_t entries)
{
    char decide[300], notices[300], orders[300];
    (void)snprintf(decide, sizeof decide, "ipc://%s", bench_path("kill.ipc"));
    (void)snprintf(notices, sizeof notices, "ipc://%s", bench_path("kill-n.ipc"));
    (void)snprintf(orders, sizeof orders, "ipc://%s", bench_path("kill-o.ipc"));
    struct pdp_options options = {
        .size = sizeof options, .notices_url = notices, .orders_url = orders, .cache_entries = entries};
    for (size_t i = 0; i < GATEWAYS; i++) {
        memset(&gateways[i], 0, sizeof gateways[i]);
        struct pdp_cache_state state = {0};
        if (pdp_connect(decide, &options, &gateways[i].client) != PDP_ERR_OK) {
            bench_fail("pdp_connect", decide);
        }
        while (!state.live) {
            (void)usleep(1000);
            pdp_cache_state(gateways[i].client, &state);
        }
        if (pthread_create(&gateways[i].thread, NULL, ask_on, &gateways[i]) != 0) {
            bench_fail("pthread_create", "");
        }
    }
}

static void run(struct link_to *admin, uint32_t entries)
{
    struct samples took = {0};
    uint64_t hits = 0;
    mode = entries > 0 ? 'c' : 'n';
    atomic_store(&over, false);
    atomic_store(&current, 0);
    open_all(entries);
    for (uint32_t round = 1; round <= KILLS; round++) {
        kill_one(admin, round, &took);
    }
    atomic_store(&over, true);
    for (size_t i = 0; i < GATEWAYS; i++) {
        struct pdp_cache_state state;
        (void)pthread_join(gateways[i].thread, NULL);
        pdp_cache_state(gateways[i].client, &state);
        hits += state.hits;
        pdp_close(&gateways[i].client);
    }
    double p50 = samples_quantile(&took, 0.5), p99 = samples_quantile(&took, 0.99),
           most = samples_quantile(&took, 1);
    const char *what = entries > 0 ? "termination to last allow, 50 gateways that keep answers"
                                   : "termination to last allow, 50 gateways that ask each time";
    (void)printf("%s: p50 %.2f ms, p99 %.2f ms, max %.2f ms, %d terminations, %llu answers from caches\n",
                 what, p50, p99, most, KILLS, (unsigned long long)hits);
    bench_row(p99 <= 5 ? BENCH_MET : BENCH_MISSED, what, "p99 5 ms", "p50 %.2f ms, p99 %.2f ms, max %.2f ms",
              p50, p99, most);
    samples_free(&took);
}

int main(void)
{
    char decide[300], admin_url[300], notices[300], orders[300];
    const char *dir = bench_path("kill-policies");
    (void)mkdir(dir, 0700);
    (void)snprintf(decide, sizeof decide, "ipc://%s", bench_path("kill.ipc"));
    (void)snprintf(admin_url, sizeof admin_url, "ipc://%s", bench_path("kill-a.ipc"));
    (void)snprintf(notices, sizeof notices, "ipc://%s", bench_path("kill-n.ipc"));
    (void)snprintf(orders, sizeof orders, "ipc://%s", bench_path("kill-o.ipc"));
    FILE *file = fopen(bench_path("kill-policies/open.yaml"), "w");
    if (file == NULL ||
        fputs("apiVersion: pdp/v1\nkind: Policy\nmetadata: {name: open}\nrules:\n  - {id: read, effect: "
              "allow, actions: [GET]}\n",
              file) < 0 ||
        fclose(file) != 0) {
        bench_fail("policies", dir);
    }
    char policies[300];
    (void)snprintf(policies, sizeof policies, "%s", bench_path("kill-policies"));
    const char *argv[] = {
        bench_bin("pdpd"), "--policies", policies,   "--decide", decide,      "--admin", admin_url,
        "--notices",       notices,      "--orders", orders,     "--workers", "2",       NULL};
    struct child child;
    struct link_to admin;
    child_start(&child, "kill", argv);
    link_open(&admin, SP_IPC, bench_path("kill-a.ipc"), 0);
    run(&admin, 0);
    run(&admin, 1000);
    link_close(&admin);
    child_stop(&child);
    return 0;
}
