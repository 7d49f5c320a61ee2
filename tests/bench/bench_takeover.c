// SPDX-License-Identifier: Apache-2.0
// How long nobody is answered while one pdpd takes over from another that has just begun many sessions:
// `bench_takeover [SESSIONS...]`.
#include "bench/common.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static const double BEGIN_S = 0.5; // of one stretch of beginning sessions

// ---- Files -------------------------------------------------------------------------------------------

static void write_file(const char *path, const char *text)
{
    FILE *file = fopen(path, "w");
    if (file == NULL || fputs(text, file) < 0 || fclose(file) != 0) {
        bench_fail("cannot write", path);
    }
}

static void make_files(unsigned run)
{
    (void)mkdir(bench_path("takeover-policies"), 0700);
    if (mkdir(bench_path("takeover-state-%u", run), 0700) != 0) {
        bench_fail("cannot make", bench_path("takeover-state-%u", run));
    }
    write_file(bench_path("takeover-policies/open.yaml"),
               "apiVersion: pdp/v1\nkind: Policy\nmetadata: {name: open}\nrules:\n"
               "  - {id: read, effect: allow}\n");
    write_file(bench_path("takeover.yaml"), "creations_per_minute: 0\nlimits: {queue: 60s}\n");
}

static void start(struct child *child, unsigned run, const char *name, const char *flag)
{
    char policies[300], config[300], state[300], decide[300], admin[300];
    (void)snprintf(policies, sizeof policies, "%s", bench_path("takeover-policies"));
    (void)snprintf(config, sizeof config, "%s", bench_path("takeover.yaml"));
    (void)snprintf(state, sizeof state, "%s", bench_path("takeover-state-%u", run));
    (void)snprintf(decide, sizeof decide, "ipc://%s", bench_path("takeover.ipc"));
    (void)snprintf(admin, sizeof admin, "ipc://%s", bench_path("takeover-a.ipc"));
    const char *argv[] = {bench_bin("pdpd"),
                          "--config",
                          config,
                          "--policies",
                          policies,
                          "--decide",
                          decide,
                          "--admin",
                          admin,
                          "--state",
                          state,
                          "--workers",
                          "2",
                          flag,
                          NULL};
    child_start(child, name, argv);
}

// The number behind a word of a daemon's log; -1: it says no such thing.
static double said(const char *name, const char *event, const char *field)
{
    char line[2048], word[64];
    double number = -1;
    FILE *file = fopen(bench_path("%s.log", name), "r");
    (void)snprintf(word, sizeof word, " %s=", field);
    while (file != NULL && fgets(line, sizeof line, file) != NULL) {
        const char *at = strstr(line, event) != NULL ? strstr(line, word) : NULL;
        number = at != NULL ? strtod(at + strlen(word), NULL) : number;
    }
    if (file != NULL) {
        (void)fclose(file);
    }
    return number;
}

// ---- One that asks all the time -----------------------------------------------------------------------

struct prober {
    pthread_t thread;
    const struct question *question;
    _Atomic bool over;
    uint64_t answers;
    double longest_ms;
};

static bool move_all(int fd, unsigned char *at, size_t len, bool out)
{
    while (len != 0) {
        ssize_t moved = out ? send(fd, at, len, MSG_NOSIGNAL) : recv(fd, at, len, 0);
        if (moved <= 0) {
            return false;
        }
        at += moved;
        len -= (size_t)moved;
    }
    return true;
}

// As a gateway does: what was not answered is asked again, over a new connection.
static bool ask(int fd, struct buf *message)
{
    unsigned char head[13] = {1}, answer[1 << 16];
    size_t len = message->len + 4;
    for (size_t i = 0; i < 8; i++) {
        head[1 + i] = (unsigned char)(len >> (56 - 8 * i));
    }
    head[9] = 0x80;
    if (!move_all(fd, head, sizeof head, true) || !move_all(fd, message->at, message->len, true) ||
        !move_all(fd, head, 9, false)) {
        return false;
    }
    len = (size_t)head[6] << 16 | (size_t)head[7] << 8 | head[8];
    return len <= sizeof answer && move_all(fd, answer, len, false);
}

static void *probe(void *user)
{
    struct prober *prober = user;
    struct buf copy = {0};
    struct link_to link = {.fd = -1};
    buf_str(&copy, buf_view(&prober->question->bytes));
    for (uint64_t number = 0; !atomic_load(&prober->over); number++) {
        question_number(prober->question, copy.at, number << 32);
        double began = bench_now_ns();
        for (bool done = false; !done;) {
            if (link.fd < 0) {
                link_open(&link, SP_IPC, bench_path("takeover.ipc"), 0);
            }
            done = ask(link.fd, &copy);
            if (!done) {
                link_close(&link);
            }
        }
        double took_ms = (bench_now_ns() - began) / 1e6;
        prober->longest_ms = took_ms > prober->longest_ms ? took_ms : prober->longest_ms;
        prober->answers++;
        (void)usleep(500);
    }
    link_close(&link);
    buf_fini(&copy);
    return NULL;
}

// ---- A run ---------------------------------------------------------------------------------------------

static uint64_t live(void)
{
    struct link_to admin;
    struct buf answer = {0};
    link_open(&admin, SP_IPC, bench_path("takeover-a.ipc"), 0);
    link_ask(&admin, STR("{\"op\": \"status\"}"), &answer);
    link_close(&admin);
    buf_byte(&answer, '\0');
    const char *at = memmem(answer.at, answer.len, "\"live\":", 7);
    uint64_t count = at != NULL ? strtoull(at + 7, NULL, 10) : 0;
    buf_fini(&answer);
    return count;
}

// On a busy machine some are refused as late; they come again in the next round.
static void begin_sessions(const struct question *question, uint64_t sessions)
{
    struct link_to link;
    struct load load = {.question = question, .depth = 64, .seconds = BEGIN_S};
    link_open(&link, SP_IPC, bench_path("takeover.ipc"), 0);
    do {
        link_load(&link, &load);
    } while (load.number < sessions || live() < sessions);
    link_close(&link);
}

static void run(unsigned number, uint64_t sessions)
{
    struct question question, probed;
    struct child old = {0}, new = {0};
    struct prober prober = {.question = &probed};
    make_files(number);
    question_make(&question, WIRE_CBOR, true, (int64_t)time(NULL) - 10);
    question_make(&probed, WIRE_CBOR, true, (int64_t)time(NULL) - 10);
    question.sessions = sessions;
    start(&old, number, "takeover-old", NULL);
    begin_sessions(&question, sessions);
    if (pthread_create(&prober.thread, NULL, probe, &prober) != 0) {
        bench_fail("pthread_create", "");
    }
    start(&new, number, "takeover-new", "--takeover");
    (void)waitpid(old.pid, NULL, 0);
    (void)usleep(200000);
    atomic_store(&prober.over, true);
    (void)pthread_join(prober.thread, NULL);
    double settled = said("takeover-old", "handing_over", "settled_ms");
    double gap = said("takeover-old", "handed_over", "gap_ms");
    double loaded = said("takeover-new", "state_loaded", "took_ms");
    double found = said("takeover-new", "state_loaded", "sessions");
    if (gap < 0 || found < (double)sessions) {
        bench_fail("sessions are missing; see", new.log);
    }
    bench_row(
        BENCH_NO_BUDGET, "takeover with sessions just begun", "–",
        "%.0f: written in %.0f ms while serving; then nobody answered for %.0f ms, of which loading %.0f "
        "ms; longest answer %.0f ms",
        found, settled, gap, loaded, prober.longest_ms);
    child_stop(&new);
    question_free(&question);
    question_free(&probed);
}

int main(int argc, char **argv)
{
    static const uint64_t SESSIONS[] = {1000, 50000};
    for (int i = 1; i < argc; i++) {
        run((unsigned)i, strtoull(argv[i], NULL, 10));
    }
    for (unsigned i = 0; argc == 1 && i < sizeof SESSIONS / sizeof *SESSIONS; i++) {
        run(i, SESSIONS[i]);
    }
    return 0;
}
