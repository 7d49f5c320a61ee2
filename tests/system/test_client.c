// SPDX-License-Identifier: Apache-2.0
// libpdp against a libnng REP that can be told to be slow, silent, rude or gone. Plain program: it has
// threads.
#include <pdp/pdp.h>

#include <nng/nng.h>
#include <nng/protocol/reqrep0/rep.h>
#include <pthread.h>
#include <signal.h>
#include <spawn.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define ALLOW \
    "{\"decision\": true, \"context\": {\"effect\": \"allow\", \"code\": \"policy\", \"rule\": \"p/r\"}}"
#define DENY "{\"decision\": false, \"context\": {\"effect\": \"deny\", \"code\": \"no-rule\"}}"
#define LONG_MS 20000

static int checks, failures;

#define CHECK(cond)                                                          \
    do {                                                                     \
        checks++;                                                            \
        if (!(cond)) {                                                       \
            failures++;                                                      \
            (void)fprintf(stderr, "%s:%d: %s\n", __func__, __LINE__, #cond); \
        }                                                                    \
    } while (0)

static int64_t now_ms(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

// libnng 1.5.2 loses the message that it was writing when a connection breaks (nng #1713): one a broken
// connection.
__attribute__((visibility("default"))) const char *__lsan_default_suppressions(void);
const char *__lsan_default_suppressions(void)
{
    return "leak:libnng.so";
}

// ---- The stand-in ----------------------------------------------------------------------------------

enum manner {
    MANNER_ANSWER,
    MANNER_SILENT
};

struct server {
    char url[128];
    nng_socket socket;
    pthread_t thread;
    const char *answer;
    size_t answer_len;
    enum manner manner;
    atomic_int seen, stop;
    char last[4096]; // what was asked last, of the silent one
    size_t last_len;
};

// One at a time. A silent one reads and never replies. It looks up now and then: in libnng 1.5.2 a REP socket
// that is closed in the instant in which another thread begins to receive waits for that thread for ever.
static void *serve(void *arg)
{
    struct server *server = arg;
    while (!atomic_load(&server->stop)) {
        nng_msg *msg = NULL;
        int rv = nng_recvmsg(server->socket, &msg, 0);
        if (rv == NNG_ETIMEDOUT) {
            continue;
        }
        if (rv != 0) {
            break;
        }
        server->last_len = nng_msg_len(msg) < sizeof server->last ? nng_msg_len(msg) : sizeof server->last;
        memcpy(server->last, nng_msg_body(msg), server->last_len);
        atomic_fetch_add(&server->seen, 1);
        if (server->manner == MANNER_SILENT) {
            nng_msg_free(msg);
            continue;
        }
        nng_msg_clear(msg);
        if (nng_msg_append(msg, server->answer, server->answer_len) != 0 ||
            nng_sendmsg(server->socket, msg, 0) != 0) {
            nng_msg_free(msg);
            break;
        }
    }
    return NULL;
}

static void server_start(struct server *server, const char *answer, enum manner manner)
{
    server->answer = answer;
    server->answer_len = strlen(answer);
    server->manner = manner;
    atomic_store(&server->seen, 0);
    atomic_store(&server->stop, 0);
    if (nng_rep0_open(&server->socket) != 0 ||
        nng_socket_set_ms(server->socket, NNG_OPT_RECVTIMEO, 10) != 0 ||
        nng_listen(server->socket, server->url, NULL, 0) != 0 ||
        pthread_create(&server->thread, NULL, serve, server) != 0) {
        (void)fprintf(stderr, "cannot listen at %s\n", server->url);
        exit(2);
    }
}

static void *close_nng(void *id)
{
    (void)nng_close((nng_socket){.id = (uint32_t)(uintptr_t)id});
    return NULL;
}

// libnng 1.5.2 may wait for ever in nng_close where a connection breaks in that instant (test_huge_answer
// breaks one). libpdp's own close does not hang then, and neither may this: the socket is left behind after a
// while.
static void server_stop(struct server *server)
{
    atomic_store(&server->stop, 1);
    (void)pthread_join(server->thread, NULL);
    pthread_t closer;
    struct timespec until;
    CHECK(pthread_create(&closer, NULL, close_nng, (void *)(uintptr_t)server->socket.id) == 0);
    (void)clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += 5;
    if (pthread_timedjoin_np(closer, NULL, &until) != 0) {
        (void)pthread_detach(closer);
        (void)printf("     libnng did not close %s\n", server->url);
    }
}

static void server_name(struct server *server, const char *name)
{
    memset(server, 0, sizeof *server);
    (void)snprintf(server->url, sizeof server->url, "ipc:///tmp/pdp-test-%s-%ld.sock", name, (long)getpid());
}

// Below the ephemeral ports: a client that dials one of those on this machine may be connected to itself.
// For servers that come back: libnng removes the file of a closed ipc listener some time later, maybe the
// next one's.
static void server_port(struct server *server, int offset)
{
    memset(server, 0, sizeof *server);
    (void)snprintf(server->url, sizeof server->url, "tcp://127.0.0.1:%ld",
                   20000 + (long)getpid() % 12000 + offset);
}

static bool wait_for(atomic_int *count, int least)
{
    for (int64_t end = now_ms() + LONG_MS; now_ms() < end; (void)usleep(1000)) {
        if (atomic_load(count) >= least) {
            return true;
        }
    }
    return false;
}

static struct pdp_question *question(void)
{
    struct pdp_question *made = NULL;
    if (pdp_question_new(&made) != PDP_ERR_OK) {
        exit(2);
    }
    pdp_question_set_text(made, "subject.type", "user");
    pdp_question_set_text(made, "subject.id", "alice");
    pdp_question_set_text(made, "action.name", "GET");
    pdp_question_set_text(made, "resource.type", "route");
    pdp_question_set_text(made, "resource.id", "/");
    return made;
}

static struct pdp_client *client_of(const char *url, const struct pdp_options *options)
{
    struct pdp_client *client = NULL;
    if (pdp_connect(url, options, &client) != PDP_ERR_OK) {
        (void)fprintf(stderr, "cannot connect to %s\n", url);
        exit(2);
    }
    return client;
}

// The server is a process that is killed: a libnng 1.5.2 REP socket that is closed while peers connect may
// wait for ever.
static pid_t spawn_server(char *url)
{
    char *argv[] = {"test_client", "--serve", url, NULL};
    pid_t pid = 0;
    if (posix_spawn(&pid, "/proc/self/exe", NULL, NULL, argv, environ) != 0) {
        (void)fprintf(stderr, "cannot start a server\n");
        exit(2);
    }
    return pid;
}

static void kill_server(pid_t pid)
{
    (void)kill(pid, SIGKILL);
    (void)waitpid(pid, NULL, 0);
}

static int serve_for_ever(const char *url)
{
    struct server server;
    memset(&server, 0, sizeof server);
    (void)snprintf(server.url, sizeof server.url, "%s", url);
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
    server_start(&server, ALLOW, MANNER_ANSWER);
    (void)pthread_join(server.thread, NULL);
    return 0;
}

static bool wait_connected(struct pdp_client *client, bool wanted)
{
    for (int64_t end = now_ms() + LONG_MS; now_ms() < end; (void)usleep(1000)) {
        if (pdp_connected(client) == wanted) {
            return true;
        }
    }
    return false;
}

// ---- Tests -----------------------------------------------------------------------------------------

static void test_answers(void)
{
    static const struct {
        const char *bytes;
        enum pdp_err err;
        bool allows;
    } CASES[] = {
        {ALLOW, PDP_ERR_OK, true},
        {DENY, PDP_ERR_OK, false},
        {"", PDP_ERR_MALFORMED, false},
        {"{\"decision\": true}", PDP_ERR_MALFORMED, false},
        {"\xff\xff", PDP_ERR_MALFORMED, false},
        {"{\"decision\": true, \"context\": {\"effect\": \"allow\", \"code\"", PDP_ERR_MALFORMED, false},
    };
    struct pdp_question *asked = question();
    for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++) {
        struct server server;
        server_name(&server, "answers");
        server_start(&server, CASES[i].bytes, MANNER_ANSWER);
        struct pdp_client *client = client_of(server.url, NULL);
        struct pdp_answer *answer = NULL;
        CHECK(pdp_decide(client, asked, LONG_MS, &answer) == CASES[i].err);
        CHECK(answer != NULL);
        CHECK(pdp_answer_allows(answer) == CASES[i].allows);
        pdp_answer_free(&answer);
        pdp_close(&client);
        CHECK(client == NULL);
        server_stop(&server);
    }
    pdp_question_free(&asked);
}

static void test_no_daemon(void)
{
    struct pdp_client *client = client_of("ipc:///tmp/pdp-test-nobody.sock", NULL);
    struct pdp_question *asked = question();
    struct pdp_answer *answer = NULL;
    int64_t start = now_ms();
    CHECK(pdp_decide(client, asked, 50, &answer) == PDP_ERR_TIMEOUT);
    CHECK(now_ms() - start >= 50 && now_ms() - start < 5000);
    CHECK(!pdp_answer_allows(answer));
    CHECK(pdp_answer_code(answer) == PDP_CODE_NO_ANSWER);
    CHECK(strstr(pdp_answer_reason(answer), "nobody answers at ipc:///tmp/pdp-test-nobody.sock") != NULL);
    CHECK(!pdp_connected(client));
    pdp_answer_free(&answer);
    pdp_question_free(&asked);
    pdp_close(&client);
}

static void test_silent_daemon(void)
{
    struct server server;
    server_name(&server, "silent");
    server_start(&server, "", MANNER_SILENT);
    struct pdp_client *client = client_of(server.url, NULL);
    struct pdp_question *asked = question();
    for (int i = 0; i < 20; i++) { // slots come back after each
        struct pdp_answer *answer = NULL;
        CHECK(pdp_decide(client, asked, i == 0 ? 500 : 5, &answer) == PDP_ERR_TIMEOUT);
        CHECK(pdp_answer_effect(answer) == PDP_EFFECT_DENY);
        CHECK(pdp_answer_code(answer) == PDP_CODE_NO_ANSWER);
        pdp_answer_free(&answer);
    }
    // On a busy machine the connection may take longer than all of these questions had.
    CHECK(wait_connected(client, true));
    pdp_question_free(&asked);
    pdp_close(&client);
    server_stop(&server);
}

// A daemon that is stopped, as one on a busy machine is: questions fill the connection until one is not taken
// in time. When it goes on, so does the connection, though nobody asks meanwhile.
static void test_stopped_daemon(void)
{
    static char filler[60001];
    memset(filler, 'x', sizeof filler - 1);
    struct server server;
    server_name(&server, "stopped");
    pid_t pid = spawn_server(server.url);
    struct pdp_client *client = client_of(server.url, NULL);
    struct pdp_question *asked = question();
    pdp_question_set_text(asked, "context.filler", filler);
    struct pdp_answer *answer = NULL;
    CHECK(pdp_decide(client, asked, LONG_MS, &answer) == PDP_ERR_OK);
    pdp_answer_free(&answer);

    int status = 0;
    CHECK(kill(pid, SIGSTOP) == 0);
    CHECK(waitpid(pid, &status, WUNTRACED) == pid && WIFSTOPPED(status)); // it may have run on for a moment
    for (int i = 0; i < 250 && pdp_connected(client); i++) {
        CHECK(pdp_decide(client, asked, 10, &answer) == PDP_ERR_TIMEOUT);
        pdp_answer_free(&answer);
    }
    CHECK(!pdp_connected(client));
    CHECK(kill(pid, SIGCONT) == 0);
    CHECK(wait_connected(client, true));
    CHECK(pdp_decide(client, asked, LONG_MS, &answer) == PDP_ERR_OK && pdp_answer_allows(answer));
    pdp_answer_free(&answer);
    pdp_question_free(&asked);
    pdp_close(&client);
    kill_server(pid);
    (void)unlink(server.url + strlen("ipc://"));
}

static void test_bad_use(void)
{
    struct pdp_client *client = NULL;
    CHECK(pdp_connect("", NULL, &client) == PDP_ERR_SYNTAX && client == NULL);
    CHECK(pdp_connect("nonsense", NULL, &client) == PDP_ERR_SYNTAX && client == NULL);
    CHECK(pdp_connect("ws://x/", NULL, &client) == PDP_ERR_UNSUPPORTED && client == NULL);
    CHECK(pdp_connect("tcp://", NULL, &client) == PDP_ERR_SYNTAX && client == NULL);
    struct pdp_options options = {.size = sizeof options, .in_flight_max = 5000};
    CHECK(pdp_connect("tcp://127.0.0.1:1", &options, &client) == PDP_ERR_RANGE && client == NULL);
    options = (struct pdp_options){.size = 3};
    CHECK(pdp_connect("tcp://127.0.0.1:1", &options, &client) == PDP_ERR_RANGE && client == NULL);

    client = client_of("tcp://127.0.0.1:1", NULL);
    struct pdp_question *asked = question();
    struct pdp_answer *answer = NULL;
    CHECK(pdp_decide(client, asked, 0, &answer) == PDP_ERR_RANGE && !pdp_answer_allows(answer));
    pdp_answer_free(&answer);
    CHECK(pdp_decide(client, NULL, 5, &answer) == PDP_ERR_MISSING && !pdp_answer_allows(answer));
    pdp_answer_free(&answer);
    pdp_question_set_text(asked, "a..b", "x");
    CHECK(pdp_decide(client, asked, 5, &answer) == PDP_ERR_SYNTAX && !pdp_answer_allows(answer));
    pdp_answer_free(&answer);
    pdp_question_free(&asked);
    pdp_close(&client);
    pdp_close(&client);
}

struct job {
    struct pdp_client *client;
    struct pdp_question *asked;
    struct pdp_answer *answer;
    enum pdp_err err;
};

static void *decide_job(void *arg)
{
    struct job *job = arg;
    job->err = pdp_decide(job->client, job->asked, LONG_MS, &job->answer);
    return NULL;
}

// A connection that breaks after the question was read: the next daemon gets the same bytes, id and all.
static void test_sent_again(void)
{
    struct server first, second;
    server_port(&first, 0);
    server_start(&first, "", MANNER_SILENT);
    server_port(&second, 0);
    struct job job = {.client = client_of(first.url, NULL), .asked = question()};
    pthread_t thread;
    CHECK(pthread_create(&thread, NULL, decide_job, &job) == 0);
    CHECK(wait_for(&first.seen, 1));
    server_stop(&first);
    server_start(&second, ALLOW, MANNER_ANSWER);
    (void)pthread_join(thread, NULL);
    CHECK(job.err == PDP_ERR_OK);
    CHECK(pdp_answer_allows(job.answer));
    CHECK(second.last_len == first.last_len && memcmp(second.last, first.last, first.last_len) == 0);
    pdp_answer_free(&job.answer);
    pdp_question_free(&job.asked);
    pdp_close(&job.client);
    server_stop(&second);
}

// A client that is closed under a caller: the caller is answered deny and has left before the close returns.
static void test_close_under_callers(void)
{
    struct server server;
    server_name(&server, "close");
    server_start(&server, "", MANNER_SILENT);
    struct job job = {.client = client_of(server.url, NULL), .asked = question()};
    struct pdp_client *closing = job.client;
    pthread_t thread;
    CHECK(pthread_create(&thread, NULL, decide_job, &job) == 0);
    CHECK(wait_for(&server.seen, 1));
    pdp_close(&closing);
    (void)pthread_join(thread, NULL);
    CHECK(job.err == PDP_ERR_CLOSED && !pdp_answer_allows(job.answer));
    pdp_answer_free(&job.answer);
    pdp_question_free(&job.asked);
    server_stop(&server);
}

struct tally {
    atomic_int called, allowed, late, closed;
};

static void count_answer(void *user, enum pdp_err err, struct pdp_answer *answer)
{
    struct tally *tally = user;
    atomic_fetch_add(&tally->allowed, pdp_answer_allows(answer));
    atomic_fetch_add(&tally->late, err == PDP_ERR_TIMEOUT);
    atomic_fetch_add(&tally->closed, err == PDP_ERR_CLOSED);
    pdp_answer_free(&answer);
    atomic_fetch_add(&tally->called, 1);
}

static void test_callbacks(void)
{
    struct server server;
    server_name(&server, "callbacks");
    server_start(&server, ALLOW, MANNER_ANSWER);
    struct pdp_client *client = client_of(server.url, NULL);
    struct pdp_question *asked = question();
    struct tally tally = {0};
    int started = 0;
    while (started < 2000) {
        enum pdp_err err = pdp_decide_async(client, asked, LONG_MS, count_answer, &tally);
        started += err == PDP_ERR_OK;
        if (err == PDP_ERR_BUSY) {
            (void)usleep(100);
        } else if (err != PDP_ERR_OK) {
            break;
        }
    }
    CHECK(started == 2000);
    CHECK(wait_for(&tally.called, 2000));
    CHECK(atomic_load(&tally.allowed) == 2000);
    server_stop(&server);

    // Nobody there: each is called at its deadline, also out of order; the last ones by the close.
    struct tally late = {0};
    for (int i = 0; i < 50; i++) {
        CHECK(pdp_decide_async(client, asked, 100 - i, count_answer, &late) == PDP_ERR_OK);
    }
    CHECK(wait_for(&late.called, 50));
    CHECK(atomic_load(&late.late) == 50);
    for (int i = 0; i < 50; i++) {
        CHECK(pdp_decide_async(client, asked, LONG_MS, count_answer, &late) == PDP_ERR_OK);
    }
    pdp_close(&client);
    CHECK(atomic_load(&late.called) == 100 && atomic_load(&late.closed) == 50 &&
          atomic_load(&late.allowed) == 0);
    pdp_question_free(&asked);
}

static void test_overload(void)
{
    struct server server;
    server_name(&server, "overload");
    server_start(&server, "", MANNER_SILENT);
    struct pdp_options options = {.size = sizeof options, .in_flight_max = 2};
    struct pdp_client *client = client_of(server.url, &options);
    struct pdp_question *asked = question();
    struct tally tally = {0};
    CHECK(pdp_decide_async(client, asked, LONG_MS, count_answer, &tally) == PDP_ERR_OK);
    CHECK(pdp_decide_async(client, asked, LONG_MS, count_answer, &tally) == PDP_ERR_OK);
    CHECK(pdp_decide_async(client, asked, LONG_MS, count_answer, &tally) == PDP_ERR_BUSY);
    struct pdp_answer *answer = NULL;
    CHECK(pdp_decide(client, asked, LONG_MS, &answer) == PDP_ERR_BUSY);
    CHECK(pdp_answer_code(answer) == PDP_CODE_OVERLOADED && !pdp_answer_allows(answer));
    pdp_answer_free(&answer);
    pdp_close(&client);
    CHECK(atomic_load(&tally.closed) == 2);
    pdp_question_free(&asked);
    server_stop(&server);
}

static void test_batches(void)
{
    struct server server;
    server_name(&server, "batches");
    server_start(&server, "{\"evaluations\": [" ALLOW ", " DENY "]}", MANNER_ANSWER);
    struct pdp_client *client = client_of(server.url, NULL);
    struct pdp_question *asked = question();
    const struct pdp_question *items[257];
    for (size_t i = 0; i < 257; i++) {
        items[i] = asked;
    }
    static struct pdp_answer *answers[257];
    CHECK(pdp_batch(client, items, 3, PDP_DENY_ON_FIRST_DENY, LONG_MS, answers) == PDP_ERR_OK);
    CHECK(pdp_answer_allows(answers[0]) && !pdp_answer_allows(answers[1]) && answers[2] == NULL);
    pdp_answer_free(&answers[0]);
    pdp_answer_free(&answers[1]);
    CHECK(pdp_batch(client, items, 1, PDP_EXECUTE_ALL, LONG_MS, answers) == PDP_ERR_MALFORMED);
    CHECK(!pdp_answer_allows(answers[0]));
    pdp_answer_free(&answers[0]);
    CHECK(pdp_batch(client, items, 0, PDP_EXECUTE_ALL, LONG_MS, answers) == PDP_ERR_LIMIT);
    CHECK(pdp_batch(client, items, 257, PDP_EXECUTE_ALL, LONG_MS, answers) == PDP_ERR_LIMIT);
    for (size_t i = 0; i < 257; i++) {
        CHECK(!pdp_answer_allows(answers[i]));
        pdp_answer_free(&answers[i]);
    }
    pdp_question_free(&asked);
    pdp_close(&client);
    server_stop(&server);
}

// An answer above the limit breaks the connection; it is a deny by the deadline, and memory is bounded.
static void test_huge_answer(void)
{
    static char huge[200000];
    memset(huge, ' ', sizeof huge - 1);
    memcpy(huge, ALLOW, sizeof ALLOW - 1);
    struct server server;
    server_name(&server, "huge");
    server_start(&server, huge, MANNER_ANSWER);
    struct pdp_options options = {.size = sizeof options, .answer_bytes_max = 100000};
    struct pdp_client *client = client_of(server.url, &options);
    struct pdp_question *asked = question();
    struct pdp_answer *answer = NULL;
    CHECK(pdp_decide(client, asked, 200, &answer) != PDP_ERR_OK);
    CHECK(!pdp_answer_allows(answer));
    pdp_answer_free(&answer);
    pdp_question_free(&asked);
    pdp_close(&client);
    server_stop(&server);
}

// Many threads on one client while the daemon goes and comes: nobody hangs, nobody gets another's answer.
struct crowd {
    struct pdp_client *client;
    struct pdp_question *asked;
    atomic_int allowed, denied, stop;
};

static void *crowd_member(void *arg)
{
    struct crowd *crowd = arg;
    while (!atomic_load(&crowd->stop)) {
        struct pdp_answer *answer = NULL;
        enum pdp_err err = pdp_decide(crowd->client, crowd->asked, 20, &answer);
        bool allows = pdp_answer_allows(answer);
        if (allows != (err == PDP_ERR_OK)) {
            abort();
        }
        atomic_fetch_add(allows ? &crowd->allowed : &crowd->denied, 1);
        pdp_answer_free(&answer);
    }
    return NULL;
}

static void test_crowd(void)
{
    struct server server;
    server_port(&server, 1);
    struct pdp_options options = {.size = sizeof options, .reconnect_ms = 5, .form = PDP_FORM_JSON};
    struct crowd crowd = {.client = client_of(server.url, &options), .asked = question()};
    pthread_t threads[8];
    for (size_t i = 0; i < 8; i++) {
        CHECK(pthread_create(&threads[i], NULL, crowd_member, &crowd) == 0);
    }
    for (int round = 0; round < 4; round++) {
        int before = atomic_load(&crowd.allowed);
        pid_t pid = spawn_server(server.url);
        CHECK(wait_for(&crowd.allowed, before + 50));
        kill_server(pid);
        before = atomic_load(&crowd.denied);
        CHECK(wait_for(&crowd.denied, before + 8));
    }
    atomic_store(&crowd.stop, 1);
    for (size_t i = 0; i < 8; i++) {
        (void)pthread_join(threads[i], NULL);
    }
    pdp_question_free(&crowd.asked);
    pdp_close(&crowd.client);
}

static void test_decider(void)
{
    struct pdp_decider none = {0};
    struct pdp_answer *answer = NULL;
    struct pdp_question *asked = question();
    CHECK(pdp_decider_decide(&none, asked, 0, 5, &answer) == PDP_ERR_CLOSED && !pdp_answer_allows(answer));
    struct server server;
    server_name(&server, "decider");
    server_start(&server, ALLOW, MANNER_ANSWER);
    struct pdp_client *client = client_of(server.url, NULL);
    struct pdp_decider decider = pdp_decider_of_client(client);
    CHECK(pdp_decider_decide(&decider, asked, 0, LONG_MS, &answer) == PDP_ERR_OK &&
          pdp_answer_allows(answer));
    pdp_answer_free(&answer);
    CHECK(pdp_decider_event(&decider, asked, 0, LONG_MS, &answer) == PDP_ERR_OK);
    pdp_answer_free(&answer);
    pdp_question_free(&asked);
    pdp_close(&client);
    server_stop(&server);
}

int main(int argc, char **argv)
{
    if (argc == 3 && strcmp(argv[1], "--serve") == 0) {
        return serve_for_ever(argv[2]);
    }
    static const struct {
        const char *name;
        void (*run)(void);
    } TESTS[] = {
        {"answers", test_answers},
        {"no daemon", test_no_daemon},
        {"silent daemon", test_silent_daemon},
        {"stopped daemon", test_stopped_daemon},
        {"bad use", test_bad_use},
        {"sent again", test_sent_again},
        {"close under callers", test_close_under_callers},
        {"callbacks", test_callbacks},
        {"overload", test_overload},
        {"batches", test_batches},
        {"huge answer", test_huge_answer},
        {"decider", test_decider},
        {"crowd", test_crowd}, // last: it may wedge libnng's reaper
    };
    (void)setvbuf(stdout, NULL, _IOLBF, 0);
    for (size_t i = 0; i < sizeof TESTS / sizeof *TESTS; i++) {
        int before = failures;
        int64_t start = now_ms();
        TESTS[i].run();
        (void)printf("%s %s (%lld ms)\n", failures == before ? "ok  " : "FAIL", TESTS[i].name,
                     (long long)(now_ms() - start));
    }
    (void)printf("%d checks, %d failed\n", checks, failures);
    return failures == 0 ? 0 : 1;
}
