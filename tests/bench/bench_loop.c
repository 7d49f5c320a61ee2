// SPDX-License-Identifier: Apache-2.0
// Decisions a second and latency over ipc and tcp, beside a bare echo on the daemon's own loop and beside a
// bare libnng echo, with a plain client and with libnng. The contestants take turns, slice by slice, so that
// what else the machine does hits all of them; a ratio is taken within a round, and its median over the
// rounds is shown. What the server's process itself was running for an answer says the same on a busy
// machine.
//
// `bench_loop [ROUNDS [SLICE_MS]]`
#include "bench/nng_peer.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

enum {
    DEPTHS = 4,
    ROUNDS_DEFAULT = 11,
    SLICE_MS_DEFAULT = 40,
    WARM_UP_MS = 1500
};
static const unsigned DEPTH[DEPTHS] = {1, 8, 64, 256};

enum server {
    PDPD,
    LOOP,
    NNG,
    SERVERS
};
enum client {
    PLAIN,
    LIBNNG,
    CLIENTS
};
static const char *const SERVER_NAMES[] = {"pdpd", "bare loop", "libnng echo"};
static const char *const CLIENT_NAMES[] = {"plain", "libnng"};
static const char *const FORM_NAMES[] = {"CBOR", "JSON"};
static const char *const TRANSPORT_NAMES[] = {[SP_TCP] = "tcp", [SP_IPC] = "ipc"};

struct cell {
    struct samples rate, p50, p99, cpu; // one a round; cpu: of the server, ns an answer
    struct samples rate_of[SERVERS], p50_of[SERVERS], cpu_of[SERVERS]; // ours through theirs, one a round
};

// [server][client][transport][form]
struct place {
    clockid_t cpu;    // of the server's process
    const char *path; // of ipc
    char url[256];
    unsigned port;
    struct link_to link;
    struct nng_client *nng;
};
static struct place places[SERVERS][CLIENTS][2][2];
static struct cell cells[SERVERS][CLIENTS][2][2][DEPTHS];
static struct question questions[2];
static uint64_t number = 1; // never used twice: a repeat costs less
static struct samples latency;

static void place_at(enum server server, int transport, int form, const char *path, const struct child *child)
{
    unsigned port = child->port;
    for (int client = 0; client < CLIENTS; client++) {
        struct place *place = &places[server][client][transport][form];
        place->path = path;
        if (clock_getcpuclockid(child->pid, &place->cpu) != 0) {
            bench_fail("no clock of", child->log);
        }
        place->port = port;
        if (transport == SP_IPC) {
            snprintf(place->url, sizeof place->url, "ipc://%s", path);
        } else {
            snprintf(place->url, sizeof place->url, "tcp://127.0.0.1:%u", port);
        }
        if (client == PLAIN) {
            link_open(&place->link, (enum sp_transport)transport, path, port);
        } else {
            place->nng = nng_client_open(place->url);
        }
    }
}

static void run(const struct place *place, enum client client, struct load *load)
{
    load->number = number;
    load->latency = &latency;
    samples_clear(&latency);
    if (client == PLAIN) {
        struct link_to link = place->link;
        link_load(&link, load);
    } else {
        nng_client_load(place->nng, load);
    }
    number = load->number;
}

// ---- Servers -------------------------------------------------------------------------------------

static struct child children[8];
static size_t child_count;

static struct child *start(const char *name, const char *const *argv)
{
    struct child *child = &children[child_count++];
    child_start(child, name, argv);
    return child;
}

static void start_pdpd(void)
{
    static char path[256], url[300];
    snprintf(path, sizeof path, "%s", bench_path("pdpd.sock"));
    snprintf(url, sizeof url, "ipc://%s", path);
    const char *const argv[] = {bench_bin("pdpd"),
                                "--policies",
                                "policies/baseline",
                                "--decide",
                                url,
                                "--decide",
                                "tcp://127.0.0.1:0",
                                "--geo",
                                bench_path("geo/city.mmdb"),
                                "--geo",
                                bench_path("geo/asn.mmdb"),
                                "--geo",
                                bench_path("geo/anonymous.mmdb"),
                                "--workers",
                                "1",
                                NULL};
    struct child *child = start("pdpd", argv);
    for (int form = 0; form < 2; form++) {
        place_at(PDPD, SP_IPC, form, path, child);
        place_at(PDPD, SP_TCP, form, NULL, child);
    }
}

static double cpu_ns(const struct place *place)
{
    struct timespec t = {0};
    clock_gettime(place->cpu, &t);
    return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

// Bytes of an answer once the sessions are warm, and how many were allowed.
static size_t warm_up(int form)
{
    struct load load = {.question = &questions[form], .depth = 64, .seconds = WARM_UP_MS / 1000.0};
    run(&places[PDPD][PLAIN][SP_IPC][form], PLAIN, &load);
    return (size_t)(load.bytes / load.answers);
}

static void show_answer(void)
{
    struct question question;
    struct buf answer = {0};
    question_make(&question, WIRE_JSON, true, time(NULL) - 60);
    question_number(&question, question.bytes.at, number++);
    link_ask(&places[PDPD][PLAIN][SP_IPC][WIRE_JSON].link, buf_view(&question.bytes), &answer);
    printf("an answer: %.*s\n", (int)answer.len, (const char *)answer.at);
    buf_fini(&answer);
    question_free(&question);
}

static void start_loops(int form, size_t answer)
{
    static char paths[2][256];
    char bytes[24], url[300];
    snprintf(bytes, sizeof bytes, "%zu", answer);
    snprintf(paths[form], sizeof paths[form], "%s", bench_path("loop-%s.sock", FORM_NAMES[form]));
    snprintf(url, sizeof url, "ipc://%s", paths[form]);
    const char *const ipc[] = {bench_bin("../bench/echo_loop"), url, "1", bytes, NULL};
    const struct child *by_ipc = start(form == WIRE_CBOR ? "loop-ipc-cbor" : "loop-ipc-json", ipc);
    const char *const tcp[] = {bench_bin("../bench/echo_loop"), "tcp://127.0.0.1:0", "1", bytes, NULL};
    const struct child *by_tcp = start(form == WIRE_CBOR ? "loop-tcp-cbor" : "loop-tcp-json", tcp);
    place_at(LOOP, SP_IPC, form, paths[form], by_ipc);
    place_at(LOOP, SP_TCP, form, NULL, by_tcp);
}

static void start_nng(const char *self, const size_t answer[2])
{
    static char path[256];
    char url[300], cbor[24], json[24];
    snprintf(path, sizeof path, "%s", bench_path("nng.sock"));
    snprintf(url, sizeof url, "ipc://%s", path);
    snprintf(cbor, sizeof cbor, "%zu", answer[WIRE_CBOR]);
    snprintf(json, sizeof json, "%zu", answer[WIRE_JSON]);
    const char *const argv[] = {self, "serve-nng", url, cbor, json, NULL};
    struct child *child = start("nng", argv);
    for (int form = 0; form < 2; form++) {
        place_at(NNG, SP_IPC, form, path, child);
        place_at(NNG, SP_TCP, form, NULL, child);
    }
}

// ---- Rounds --------------------------------------------------------------------------------------

static void slice(enum server server, enum client client, int transport, int form, int depth, double seconds)
{
    struct cell *cell = &cells[server][client][transport][form][depth];
    struct load load = {.question = &questions[form], .depth = DEPTH[depth], .seconds = seconds};
    const struct place *place = &places[server][client][transport][form];
    double before = cpu_ns(place);
    run(place, client, &load);
    samples_add(&cell->cpu, (cpu_ns(place) - before) / (double)load.answers);
    samples_add(&cell->rate, (double)load.answers * 1e9 / load.took_ns);
    samples_add(&cell->p50, samples_quantile(&latency, 0.5));
    samples_add(&cell->p99, samples_quantile(&latency, 0.99));
}

static double last(const struct samples *samples)
{
    return samples->at[samples->count - 1];
}

static void round_of(int transport, int form, int depth, double seconds)
{
    for (int client = 0; client < CLIENTS; client++) {
        for (int server = 0; server < SERVERS; server++) {
            slice((enum server)server, (enum client)client, transport, form, depth, seconds);
        }
    }
    // The bare libnng echo is asked by libnng, the bare loop by the client that asked pdpd.
    for (int client = 0; client < CLIENTS; client++) {
        struct cell *ours = &cells[PDPD][client][transport][form][depth];
        const struct cell *loop = &cells[LOOP][client][transport][form][depth];
        const struct cell *nng = &cells[NNG][LIBNNG][transport][form][depth];
        samples_add(&ours->rate_of[LOOP], last(&ours->rate) / last(&loop->rate));
        samples_add(&ours->p50_of[LOOP], last(&ours->p50) / last(&loop->p50));
        samples_add(&ours->cpu_of[LOOP], last(&ours->cpu) / last(&loop->cpu));
        samples_add(&ours->cpu_of[NNG], last(&ours->cpu) / last(&nng->cpu));
        samples_add(&ours->rate_of[NNG], last(&ours->rate) / last(&nng->rate));
        samples_add(&ours->p50_of[NNG], last(&ours->p50) / last(&nng->p50));
    }
}

static void show(int transport, int form)
{
    printf("\n%s, %s: answers a second (p50 / p99 in µs), the server's own µs an answer\n%-24s",
           TRANSPORT_NAMES[transport], FORM_NAMES[form], "");
    for (int depth = 0; depth < DEPTHS; depth++) {
        printf("  %29s %-4u", "depth", DEPTH[depth]);
    }
    printf("\n");
    for (int client = 0; client < CLIENTS; client++) {
        for (int server = 0; server < SERVERS; server++) {
            printf("%-13s %-6s     ", SERVER_NAMES[server], CLIENT_NAMES[client]);
            for (int depth = 0; depth < DEPTHS; depth++) {
                struct cell *cell = &cells[server][client][transport][form][depth];
                printf("  %9.0f (%6.1f /%7.1f) %6.2f", samples_quantile(&cell->rate, 0.5),
                       samples_quantile(&cell->p50, 0.5) / 1e3, samples_quantile(&cell->p99, 0.5) / 1e3,
                       samples_quantile(&cell->cpu, 0.5) / 1e3);
            }
            printf("\n");
        }
        for (int server = LOOP; server < SERVERS; server++) {
            printf("pdpd / %-11s      ", SERVER_NAMES[server]);
            for (int depth = 0; depth < DEPTHS; depth++) {
                struct cell *cell = &cells[PDPD][client][transport][form][depth];
                printf("  %9.2f (%6.2f         ) %6.2f", samples_quantile(&cell->rate_of[server], 0.5),
                       samples_quantile(&cell->p50_of[server], 0.5),
                       samples_quantile(&cell->cpu_of[server], 0.5));
            }
            printf("\n");
        }
    }
}

static void judge(void)
{
    struct cell *cell = cells[PDPD][PLAIN][SP_IPC][WIRE_CBOR];
    static const char *const WHAT[] = {"decisions a second over ipc, CBOR, depth 64", "the same, depth 256"};
    for (int i = 0; i < 2; i++) {
        double loop = samples_quantile(&cell[2 + i].rate_of[LOOP], 0.5);
        bench_row(loop >= 0.4 ? BENCH_MET : BENCH_MISSED, WHAT[i], "≥ 0.4 of the bare loop",
                  "%.2f (%.0f a second)", loop, samples_quantile(&cell[2 + i].rate, 0.5));
        double nng = samples_quantile(&cell[2 + i].rate_of[NNG], 0.5);
        bench_row(nng >= 4 ? BENCH_MET : BENCH_MISSED, WHAT[i], "≥ 4 times a bare libnng echo", "%.1f times",
                  nng);
        bench_row(BENCH_NO_BUDGET, "the daemon's own time for one of these", "–",
                  "%.2f µs, %.1f times the bare loop's, %.2f of a libnng echo's",
                  samples_quantile(&cell[2 + i].cpu, 0.5) / 1e3,
                  samples_quantile(&cell[2 + i].cpu_of[LOOP], 0.5),
                  samples_quantile(&cell[2 + i].cpu_of[NNG], 0.5));
    }
    double one = samples_quantile(&cell[0].p50_of[LOOP], 0.5);
    bench_row(one <= 1.3 ? BENCH_MET : BENCH_MISSED, "one at a time over ipc, p50",
              "≤ 1.3 times the bare loop", "%.2f times (%.1f µs)", one,
              samples_quantile(&cell[0].p50, 0.5) / 1e3);
}

int main(int argc, char **argv)
{
    if (argc == 5 && strcmp(argv[1], "serve-nng") == 0) {
        nng_serve(argv[2], "tcp://127.0.0.1:0", strtoul(argv[3], NULL, 10), strtoul(argv[4], NULL, 10));
    }
    unsigned long rounds = argc > 1 ? strtoul(argv[1], NULL, 10) : ROUNDS_DEFAULT;
    double seconds = (double)(argc > 2 ? strtoul(argv[2], NULL, 10) : SLICE_MS_DEFAULT) / 1000.0;
    size_t answer[2];
    for (int form = 0; form < 2; form++) {
        question_make(&questions[form], (enum wire_form)form, true, time(NULL) - 60);
    }
    start_pdpd();
    for (int form = 0; form < 2; form++) {
        answer[form] = warm_up(form);
        start_loops(form, answer[form]);
        printf("%s: question %zu bytes, answer %zu bytes\n", FORM_NAMES[form], questions[form].bytes.len,
               answer[form]);
    }
    show_answer();
    start_nng(argv[0], answer);
    for (unsigned long round = 0; round < rounds; round++) {
        for (int i = 0; i < 2 * 2 * DEPTHS; i++) {
            round_of(i % 2, i / 2 % 2, i / 4, seconds);
        }
    }
    for (int i = 0; i < 4; i++) {
        show(1 - i % 2, i / 2);
    }
    judge();
    for (size_t i = 0; i < child_count; i++) {
        child_stop(&children[i]);
    }
    return 0;
}
