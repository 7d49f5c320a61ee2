// SPDX-License-Identifier: Apache-2.0
// From an analyst's order to the last allow that any of 50 gateways gives for the session, while all of them
// ask as fast as they can; with answers kept and without. `bench_kill
// [TERMINATIONS [GATEWAYS]]`
//
// Beside it, in the same run, what the machine takes for the least that could be done: 50 threads that look
// at a flag as often as the gateways look into what they keep, which as many threads as libnng has set when a
// message comes over a socket.
#include "bench/common.h"

#include <pdp/pdp.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum {
    GATEWAYS_MOST = 50,
    KILLS_DEFAULT = 100,
    HEARERS = 4 // of the bare loop
};

struct gateway {
    struct pdp_client *client;
    pthread_t thread;
    _Atomic uint64_t allows;  // of the round
    _Atomic uint64_t last_ns; // when the last allow was given
    _Atomic uint32_t denied;  // newest round in which it was denied
};

static struct gateway gateways[GATEWAYS_MOST];
static _Atomic uint32_t current; // round; a session each
static _Atomic bool over;
static char mode;
static uint32_t kills = KILLS_DEFAULT, gateway_count = GATEWAYS_MOST;

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
    for (size_t i = 0; i < gateway_count; i++) {
        while (denied ? atomic_load(&gateways[i].denied) != round : atomic_load(&gateways[i].allows) < 3) {
            (void)usleep(100);
        }
    }
}

static double since_ms(double from_ns)
{
    double last_ns = from_ns;
    for (size_t i = 0; i < gateway_count; i++) {
        double at_ns = (double)atomic_load(&gateways[i].last_ns);
        last_ns = at_ns > last_ns ? at_ns : last_ns;
    }
    return (last_ns - from_ns) / 1e6;
}

static void kill_one(struct link_to *admin, uint32_t round, struct samples *took, struct samples *told_ms)
{
    char text[160];
    struct buf answer = {0};
    for (size_t i = 0; i < gateway_count; i++) {
        atomic_store(&gateways[i].allows, 0);
    }
    atomic_store(&current, round);
    wait_all(round, false);
    (void)snprintf(text, sizeof text,
                   "{\"op\": \"session.terminate\", \"session\": \"kill-%c-%u\", \"reason\": \"bench\"}",
                   mode, round);
    double from_ns = bench_now_ns();
    link_ask(admin, str_of(text), &answer);
    samples_add(told_ms, (bench_now_ns() - from_ns) / 1e6);
    wait_all(round, true);
    samples_add(took, since_ms(from_ns));
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
    for (size_t i = 0; i < gateway_count; i++) {
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
    struct samples took = {0}, acknowledged = {0};
    uint64_t hits = 0;
    mode = entries > 0 ? 'c' : 'n';
    atomic_store(&over, false);
    atomic_store(&current, 0);
    open_all(entries);
    for (uint32_t round = 1; round <= kills; round++) {
        kill_one(admin, round, &took, &acknowledged);
    }
    atomic_store(&over, true);
    for (size_t i = 0; i < gateway_count; i++) {
        struct pdp_cache_state state;
        (void)pthread_join(gateways[i].thread, NULL);
        pdp_cache_state(gateways[i].client, &state);
        hits += state.hits;
        pdp_close(&gateways[i].client);
    }
    double p50 = samples_quantile(&took, 0.5), p99 = samples_quantile(&took, 0.99),
           most = samples_quantile(&took, 1);
    char what[100];
    (void)snprintf(what, sizeof what, "termination to last allow, %u gateways that %s", gateway_count,
                   entries > 0 ? "keep answers" : "ask each time");
    (void)printf("%s: p50 %.2f ms, p99 %.2f ms, max %.2f ms, %u terminations, %llu answers from caches; "
                 "acknowledged after p50 %.2f ms, p99 %.2f ms\n",
                 what, p50, p99, most, kills, (unsigned long long)hits, samples_quantile(&acknowledged, 0.5),
                 samples_quantile(&acknowledged, 0.99));
    bench_row(p99 <= 5 ? BENCH_MET : BENCH_MISSED, what, "p99 5 ms", "p50 %.2f ms, p99 %.2f ms, max %.2f ms",
              p50, p99, most);
    samples_free(&took);
    samples_free(&acknowledged);
}

// ---- The bare loop -------------------------------------------------------------------------------------

static int ears[GATEWAYS_MOST][2];
static _Atomic uint32_t told[GATEWAYS_MOST]; // the newest round that its hearer was told of
static int hearing;

static void *hear(void *arg)
{
    (void)arg;
    struct epoll_event event;
    unsigned char bytes[128];
    while (!atomic_load(&over)) {
        if (epoll_wait(hearing, &event, 1, 100) == 1 &&
            recv(ears[event.data.u32][1], bytes, sizeof bytes, MSG_DONTWAIT) > 0) {
            uint32_t round = 0;
            memcpy(&round, bytes, sizeof round);
            atomic_store(&told[event.data.u32], round);
        }
    }
    return NULL;
}

static void *look_on(void *arg)
{
    struct gateway *gateway = arg;
    while (!atomic_load(&over)) {
        uint32_t round = atomic_load(&current);
        if (round != 0 && atomic_load(&told[gateway - gateways]) < round) {
            atomic_store(&gateway->last_ns, (uint64_t)bench_now_ns());
            atomic_fetch_add(&gateway->allows, 1);
        } else {
            atomic_store(&gateway->denied, round);
        }
        (void)usleep(500);
    }
    return NULL;
}

static void tell_all(uint32_t round, struct samples *took)
{
    unsigned char bytes[100] = {0}; // about a notice
    memcpy(bytes, &round, sizeof round);
    for (size_t i = 0; i < gateway_count; i++) {
        atomic_store(&gateways[i].allows, 0);
    }
    atomic_store(&current, round);
    wait_all(round, false);
    double from_ns = bench_now_ns();
    for (size_t i = 0; i < gateway_count; i++) {
        (void)send(ears[i][0], bytes, sizeof bytes, MSG_NOSIGNAL);
    }
    wait_all(round, true);
    samples_add(took, since_ms(from_ns));
}

static void open_ears(pthread_t hearers[static HEARERS])
{
    hearing = epoll_create1(EPOLL_CLOEXEC);
    for (uint32_t i = 0; i < gateway_count; i++) {
        struct epoll_event event = {.events = EPOLLIN, .data.u32 = i};
        memset(&gateways[i], 0, sizeof gateways[i]);
        if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ears[i]) != 0 ||
            epoll_ctl(hearing, EPOLL_CTL_ADD, ears[i][1], &event) != 0 ||
            pthread_create(&gateways[i].thread, NULL, look_on, &gateways[i]) != 0) {
            bench_fail("the bare loop", "");
        }
    }
    for (size_t i = 0; i < HEARERS; i++) {
        if (pthread_create(&hearers[i], NULL, hear, NULL) != 0) {
            bench_fail("pthread_create", "");
        }
    }
}

static void run_bare(void)
{
    pthread_t hearers[HEARERS];
    struct samples took = {0};
    atomic_store(&over, false);
    atomic_store(&current, 0);
    open_ears(hearers);
    for (uint32_t round = 1; round <= kills; round++) {
        tell_all(round, &took);
    }
    atomic_store(&over, true);
    for (size_t i = 0; i < HEARERS; i++) {
        (void)pthread_join(hearers[i], NULL);
    }
    for (size_t i = 0; i < gateway_count; i++) {
        (void)pthread_join(gateways[i].thread, NULL);
        (void)close(ears[i][0]);
        (void)close(ears[i][1]);
    }
    (void)close(hearing);
    bench_row(BENCH_NO_BUDGET, "the same threads, told over a bare socket", "–",
              "p50 %.2f ms, p99 %.2f ms, max %.2f ms", samples_quantile(&took, 0.5),
              samples_quantile(&took, 0.99), samples_quantile(&took, 1));
    samples_free(&took);
}

int main(int argc, char **argv)
{
    kills = argc > 1 ? (uint32_t)strtoul(argv[1], NULL, 10) : KILLS_DEFAULT;
    gateway_count = argc > 2 ? (uint32_t)strtoul(argv[2], NULL, 10) : GATEWAYS_MOST;
    gateway_count = gateway_count <= GATEWAYS_MOST ? gateway_count : GATEWAYS_MOST;
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
    const char *args[] = {
        bench_bin("pdpd"), "--policies", policies,   "--decide", decide,      "--admin", admin_url,
        "--notices",       notices,      "--orders", orders,     "--workers", "2",       NULL};
    struct child child;
    struct link_to admin;
    child_start(&child, "kill", args);
    link_open(&admin, SP_IPC, bench_path("kill-a.ipc"), 0);
    run(&admin, 0);
    run(&admin, 1000);
    run_bare();
    link_close(&admin);
    child_stop(&child);
    return 0;
}
