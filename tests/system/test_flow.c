// SPDX-License-Identifier: Apache-2.0
// The descriptor face of libpdp against the real daemon: many questions at once from one poll(), while the
// daemon is killed, stopped and started anew. Each is answered once, and a deny never turns into an allow.
//
// system_flow --ask URL CA CERT KEY NAME: asks once, for tests of TLS; prints the code, and `connected` or
// not.
#include "system/daemon.h"

#include <pdp/flow.h>

__attribute__((visibility("default"))) const char *__lsan_default_suppressions(void);
const char *__lsan_default_suppressions(void)
{
    return "leak:libnng.so";
}

enum {
    ASKERS = 64,
    ASK_MS = 400
};

struct load;

struct asker {
    struct load *load;
    bool good; // what it asks is allowed
    bool waits;
    uint64_t ticket;
};

struct load {
    struct pdp_flow *flow;
    struct pdp_question *good, *bad;
    struct asker askers[ASKERS];
    long asked, answered, allowed, denied, silent;
};

static struct pdp_question *question(const char *method)
{
    struct pdp_question *made = NULL;
    if (pdp_question_new(&made) != PDP_ERR_OK) {
        exit(1);
    }
    pdp_question_set_text(made, "subject.type", "user");
    pdp_question_set_text(made, "subject.id", "alice");
    pdp_question_set_text(made, "action.name", method);
    pdp_question_set_text(made, "resource.type", "route");
    pdp_question_set_text(made, "resource.id", "/a");
    return made;
}

static void answered(void *user, enum pdp_err err, struct pdp_answer *answer)
{
    struct asker *asker = user;
    struct load *load = asker->load;
    bool allows = pdp_answer_allows(answer);
    CHECK(asker->waits);
    CHECK(!allows || (asker->good && err == PDP_ERR_OK));
    CHECK(err != PDP_ERR_OK || allows == asker->good);
    CHECK(err == PDP_ERR_OK || err == PDP_ERR_TIMEOUT || err == PDP_ERR_CLOSED);
    asker->waits = false;
    load->answered++;
    load->allowed += allows;
    load->denied += err == PDP_ERR_OK && !allows;
    load->silent += err != PDP_ERR_OK;
    pdp_answer_free(&answer);
}

static void ask_all(struct load *load)
{
    for (size_t i = 0; i < ASKERS; i++) {
        struct asker *asker = &load->askers[i];
        if (!asker->waits) {
            asker->good = i % 2 == 0;
            asker->load = load;
            asker->waits = pdp_flow_ask(load->flow, asker->good ? load->good : load->bad, NULL, ASK_MS,
                                        now_ms(), answered, asker, &asker->ticket) == PDP_ERR_OK;
            load->asked += asker->waits;
        }
    }
}

static void turn(struct pdp_flow *flow)
{
    unsigned wants = pdp_flow_wants(flow), ready = 0;
    struct pollfd fd = {.fd = pdp_flow_fd(flow),
                        .events = (short)(((wants & PDP_FLOW_READ) != 0 ? POLLIN : 0) |
                                          ((wants & PDP_FLOW_WRITE) != 0 ? POLLOUT : 0))};
    int64_t left = pdp_flow_due_ms(flow) - now_ms();
    if (poll(&fd, 1, left < 0 ? 0 : left > DEADLINE_MS ? DEADLINE_MS : (int)left) > 0) {
        ready |= (fd.revents & ~POLLOUT) != 0 ? PDP_FLOW_READ : 0u;
        ready |= (fd.revents & ~POLLIN) != 0 ? PDP_FLOW_WRITE : 0u;
    }
    pdp_flow_step(flow, ready, now_ms());
}

// Asks until so many more have come of `count`.
static void run(struct load *load, const long *count, long more)
{
    int64_t until = now_ms() + DEADLINE_MS;
    for (long from = *count; *count - from < more && now_ms() < until;) {
        ask_all(load);
        turn(load->flow);
    }
    CHECK(now_ms() < until);
}

static void load_begin(struct load *load, const char *url)
{
    *load = (struct load){.good = question("GET"), .bad = question("POST")};
    CHECK(pdp_flow_open(url, NULL, &load->flow) == PDP_ERR_OK);
}

static void load_end(struct load *load)
{
    for (size_t i = 0; i < ASKERS; i += 3) {
        if (load->askers[i].waits && pdp_flow_cancel(load->flow, load->askers[i].ticket)) {
            load->askers[i].waits = false;
            load->answered++;
        }
    }
    pdp_flow_close(&load->flow);
    CHECK(load->asked == load->answered);
    (void)printf("     %ld asked: %ld allowed, %ld denied, %ld not answered\n", load->asked, load->allowed,
                 load->denied, load->silent);
    pdp_question_free(&load->good);
    pdp_question_free(&load->bad);
}

static void start(struct daemon *daemon)
{
    struct daemon_how how = standard_how();
    daemon_spawn(daemon, &how);
    CHECK(daemon_ready(daemon));
}

static void killed_and_started(struct daemon *daemon)
{
    struct load load;
    char url[128];
    (void)snprintf(url, sizeof url, "ipc://%s/decide.ipc", daemon->dir);
    load_begin(&load, url);
    for (int i = 0; i < 3; i++) {
        start(daemon);
        run(&load, &load.allowed, 2000);
        CHECK(kill(daemon->pid, SIGKILL) == 0);
        (void)daemon_wait(daemon);
        run(&load, &load.silent, ASKERS);
        CHECK(!pdp_flow_connected(load.flow));
    }
    start(daemon);
    run(&load, &load.denied, 500);
    load_end(&load);
    CHECK(daemon_stop(daemon) == 0);
}

static void stopped(struct daemon *daemon)
{
    struct load load;
    char url[128];
    int status = 0;
    start(daemon);
    (void)snprintf(url, sizeof url, "tcp://localhost:%u", daemon->port);
    load_begin(&load, url);
    run(&load, &load.allowed, 500);
    CHECK(kill(daemon->pid, SIGSTOP) == 0);
    CHECK(waitpid(daemon->pid, &status, WUNTRACED) == daemon->pid);
    run(&load, &load.silent, 2 * ASKERS);
    CHECK(kill(daemon->pid, SIGCONT) == 0);
    run(&load, &load.allowed, 500);
    load_end(&load);
    CHECK(daemon_stop(daemon) == 0);
}

// ---- One question
// ----------------------------------------------------------------------------------------------

static void tell(void *user, enum pdp_err err, struct pdp_answer *answer)
{
    (void)printf("%s %s\n", pdp_effect_name(pdp_answer_effect(answer)),
                 err == PDP_ERR_OK ? pdp_code_name(pdp_answer_code(answer)) : pdp_err_name(err));
    pdp_answer_free(&answer);
    *(bool *)user = true;
}

static int ask_once(char **argv)
{
    struct pdp_options options = {.size = sizeof options,
                                  .ca_file = argv[1],
                                  .cert_file = argv[2][0] != '\0' ? argv[2] : NULL,
                                  .key_file = argv[3][0] != '\0' ? argv[3] : NULL,
                                  .server_name = argv[4][0] != '\0' ? argv[4] : NULL};
    struct pdp_flow *flow = NULL;
    struct pdp_question *asked = question("GET");
    uint64_t ticket = 0;
    bool done = false, connected = false;
    enum pdp_err err = pdp_flow_open(argv[0], &options, &flow);
    if (err == PDP_ERR_OK) {
        err = pdp_flow_ask(flow, asked, NULL, 1500, now_ms(), tell, &done, &ticket);
    }
    if (err != PDP_ERR_OK) {
        (void)printf("refused %s\n", pdp_err_name(err));
    }
    while (err == PDP_ERR_OK && !done) {
        turn(flow);
        connected |= pdp_flow_connected(flow);
    }
    (void)puts(connected ? "connected" : "not connected");
    pdp_question_free(&asked);
    pdp_flow_close(&flow);
    return 0;
}

int main(int argc, char **argv)
{
    if (argc == 7 && strcmp(argv[1], "--ask") == 0) {
        return ask_once(argv + 2);
    }
    struct daemon daemon;
    daemon_folder(&daemon);
    killed_and_started(&daemon);
    stopped(&daemon);
    daemon_clean(&daemon);
    (void)printf("%d checks, %d failed\n", checks, failures);
    return failures == 0 ? 0 : 1;
}
