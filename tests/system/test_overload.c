// SPDX-License-Identifier: Apache-2.0
// Several peers flood the decide endpoint: the others go on being answered, those who flood are the ones that
// are refused, and an analyst's termination is acknowledged while the flood lasts.
#include "system/rude.h"

enum {
    FLOODERS = 3,
    CONNECTIONS = RUDE_SANITIZED ? 40 : 200, // of each
    DEEP = 200,                              // questions in one write
    CALM = RUDE_SANITIZED ? 30 : 200,        // questions that must be answered beside the flood
};

#define LIMITS (RUDE_SANITIZED ? "limits: {queue: 200ms}\n" : "limits: {queue: 25ms}\n")
#define SESSION_OF(id)                                                                                      \
    "{\"subject\": {\"type\": \"user\", \"id\": \"carol\"}, \"action\": {\"name\": \"GET\"}, "              \
    "\"resource\": {\"type\": \"route\", \"id\": \"/a\"}, \"context\": {\"session\": {\"id\": \"" id "\", " \
    "\"auth_time\": \"%s\"}}}"

// Each flooder has an address of its own, so that it is an origin of its own.
static int connect_from(const struct daemon *daemon, unsigned last)
{
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct sockaddr_in from = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(0x7f000000U | last)};
    struct sockaddr_in to = {
        .sin_family = AF_INET, .sin_port = htons(daemon->port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    if (fd < 0 || bind(fd, (struct sockaddr *)&from, sizeof from) != 0 ||
        connect(fd, (struct sockaddr *)&to, sizeof to) != 0) {
        perror("connect");
        exit(1);
    }
    return fd;
}

struct flooder {
    const struct daemon *daemon;
    pthread_t thread;
    unsigned last;
    atomic_bool stop;
    atomic_size_t rounds;
};

// Writes what the sockets take and throws the answers away, as fast as it can.
static void *flood(void *user)
{
    struct flooder *flooder = user;
    static const char text[] = QUESTION;
    static _Thread_local unsigned char all[DEEP * (sizeof text + 32)];
    static _Thread_local char sink[65536];
    struct pollfd fds[CONNECTIONS];
    size_t len = 0, sent[CONNECTIONS] = {0};
    for (uint32_t i = 0; i < DEEP; i++) {
        len += frame_bytes(all + len, SP_TCP, i, text, sizeof text - 1);
    }
    for (size_t i = 0; i < CONNECTIONS; i++) {
        fds[i] =
            (struct pollfd){.fd = connect_from(flooder->daemon, flooder->last), .events = POLLIN | POLLOUT};
        (void)!shake(fds[i].fd);
        (void)fcntl(fds[i].fd, F_SETFL, O_NONBLOCK);
    }
    while (!atomic_load(&flooder->stop)) {
        (void)poll(fds, CONNECTIONS, 100);
        for (size_t i = 0; i < CONNECTIONS; i++) {
            ssize_t n = send(fds[i].fd, all + sent[i], len - sent[i], MSG_NOSIGNAL);
            sent[i] = n > 0 ? (sent[i] + (size_t)n) % len : sent[i];
            while (recv(fds[i].fd, sink, sizeof sink, 0) == (ssize_t)sizeof sink) {
            }
        }
        atomic_fetch_add(&flooder->rounds, 1);
    }
    for (size_t i = 0; i < CONNECTIONS; i++) {
        (void)close(fds[i].fd);
    }
    return NULL;
}

static void wait_for_rounds(struct flooder *flooders, size_t more)
{
    size_t from = atomic_load(&flooders[0].rounds);
    for (int64_t until = now_ms() + DEADLINE_MS;
         atomic_load(&flooders[0].rounds) < from + more && now_ms() < until;) {
        (void)poll(NULL, 0, 2);
    }
    CHECK(atomic_load(&flooders[0].rounds) >= from + more);
}

static long overloaded(const struct daemon *daemon)
{
    json_t *status = asked(daemon, "admin.ipc", "{\"op\": \"status\"}");
    long count = strtol(at_path(status, "answers.codes.overloaded"), NULL, 10);
    json_decref(status);
    return count;
}

static void wait_for_refusals(const struct daemon *daemon)
{
    int64_t until = now_ms() + DEADLINE_MS;
    long from = overloaded(daemon), now = from;
    while (now == from && now_ms() < until) {
        now = overloaded(daemon);
        (void)poll(NULL, 0, 2);
    }
    CHECK(now > from);
}

static const char *carols(void)
{
    static char text[512];
    char at[32];
    time_t now = time(NULL);
    struct tm tm;
    (void)strftime(at, sizeof at, "%Y-%m-%dT%H:%M:%SZ", gmtime_r(&now, &tm));
    (void)snprintf(text, sizeof text, SESSION_OF("carols"), at);
    return text;
}

// Over ipc: another origin than those who flood. How fast this machine is must not decide: of those who are
// calm, each is answered, and so many are allowed in the end.
static void the_calm_are_answered(const struct daemon *daemon)
{
    static char answer[65536];
    int fd = connect_ipc(daemon, "decide.ipc");
    CHECK(fd >= 0 && shake(fd));
    int64_t until = now_ms() + 5 * DEADLINE_MS;
    uint32_t asked = 0, answered = 0, allowed = 0;
    while (allowed < CALM && answered == asked && now_ms() < until) {
        answered += ask_bytes(fd, SP_IPC, asked++, QUESTION, strlen(QUESTION), answer, sizeof answer) >= 0;
        allowed += strstr(answer, "\"decision\":true") != NULL;
    }
    CHECK(answered == asked);
    CHECK(allowed == CALM);
    (void)printf("%u asked beside the flood, %u allowed\n", asked, allowed);
    (void)close(fd);
}

static void a_termination_is_acknowledged(const struct daemon *daemon)
{
    json_t *before = asked(daemon, "decide.ipc", carols());
    CHECK(strcmp(effect_of(before), "no answer") != 0);
    int64_t from = now_ms();
    json_t *done = asked(daemon, "admin.ipc",
                         "{\"op\": \"session.terminate\", \"session\": \"carols\", \"reason\": \"a test\"}");
    int64_t took = now_ms() - from;
    CHECK(json_is_true(json_object_get(done, "ok")));
    for (int i = 0; i < 20; i++) {
        json_t *after = asked(daemon, "decide.ipc", carols());
        CHECK(strcmp(effect_of(after), "no answer") != 0 && strncmp(effect_of(after), "allow", 5) != 0);
        json_decref(after);
    }
    (void)printf("acknowledged in %lld ms beside the flood\n", (long long)took);
    json_decref(done);
    json_decref(before);
}

int main(void)
{
    struct daemon daemon;
    static struct flooder flooders[FLOODERS];
    daemon_folder(&daemon);
    put_file(&daemon, "pdpd.yaml", LIMITS);
    struct daemon_how how = {.args = {"--policies", "dir@policies", "--decide", "tcp://127.0.0.1:0",
                                      "--decide", "ipc@decide.ipc", "--admin", "ipc@admin.ipc", "--workers",
                                      "1", "--config", "dir@pdpd.yaml", NULL}};
    daemon_spawn(&daemon, &how);
    CHECK(daemon_ready(&daemon));
    for (unsigned i = 0; i < FLOODERS; i++) {
        flooders[i].daemon = &daemon;
        flooders[i].last = 2 + i;
        CHECK(pthread_create(&flooders[i].thread, NULL, flood, &flooders[i]) == 0);
    }
    wait_for_refusals(&daemon);
    a_termination_is_acknowledged(&daemon);
    the_calm_are_answered(&daemon);
    wait_for_rounds(flooders, 2); // and it lasted all the while
    wait_for_refusals(&daemon);
    for (unsigned i = 0; i < FLOODERS; i++) {
        atomic_store(&flooders[i].stop, true);
        (void)pthread_join(flooders[i].thread, NULL);
    }
    the_calm_are_answered(&daemon);
    CHECK(daemon_stop(&daemon) == 0);
    daemon_clean(&daemon);
    (void)printf("%d checks, %d failed\n", checks, failures);
    return failures > 0;
}
