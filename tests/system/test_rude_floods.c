// SPDX-License-Identifier: Apache-2.0
// Many of everything: tiny frames, idle connections, floods, strangers' sessions, lines for the log. Limits
// hold, and a peer that behaves is answered all the while.
#include "system/rude.h"

#include <nng/nng.h>
#include <nng/protocol/reqrep0/req.h>

enum {
    IDLE_MOST = RUDE_SANITIZED ? 1500 : 10000, // connections that one address opens
    TINY = RUDE_SANITIZED ? 20000 : 100000,
    CONTEXTS = 200,
    SESSIONS_MOST = 3000,
    CREATIONS = 2000,
    STRANGERS = RUDE_SANITIZED ? 3000 : 12000,
};
static const double SLOWEST_MS = 50;
static int idle_most = IDLE_MOST, peer_most; // as descriptors allow; and how many it is granted

// libnng 1.5.2 loses the message that it was writing when a connection breaks (nng #1713).
const char *__lsan_default_suppressions(void);
const char *__lsan_default_suppressions(void)
{
    return "leak:nni_msg_\nleak:nni_chunk_";
}

#define ALICE "\"subject\": {\"type\": \"user\", \"id\": \"alice\"}, \"action\": {\"name\": \"GET\"}"
#define ROUTE "\"resource\": {\"type\": \"route\", \"id\": \"/a\"}"

// ---- Many ---------------------------------------------------------------------------------------

struct tiny {
    int fd;
    size_t seen;
};

static void *tiny_read(void *user)
{
    struct tiny *tiny = user;
    static char answer[8192];
    uint32_t id = 0;
    while (tiny->seen < TINY && answer_next(tiny->fd, SP_TCP, &id, answer, sizeof answer) >= 0 &&
           id == tiny->seen) {
        tiny->seen++;
    }
    return NULL;
}

// As many empty messages as fit, in one write: each is answered, in order.
static void tiny_frames_are_answered(const struct daemon *daemon)
{
    unsigned char *all = malloc(TINY * 12);
    size_t len = 0;
    for (uint32_t i = 0; i < TINY && all != NULL; i++) {
        len += frame_bytes(all + len, SP_TCP, i, "", 0);
    }
    struct tiny tiny = {connect_tcp(daemon), 0};
    pthread_t reader;
    bool open = tiny.fd >= 0 && shake(tiny.fd);
    CHECK(open);
    if (open && pthread_create(&reader, NULL, tiny_read, &tiny) == 0) {
        CHECK(send_whole(tiny.fd, all, len));
        (void)pthread_join(reader, NULL);
    }
    CHECK(tiny.seen == TINY);
    (void)close(tiny.fd);
    free(all);
}

// One address takes all that it may have and more; others are let in.
static void the_idle_leave_room(const struct daemon *daemon)
{
    static int fds[IDLE_MOST];
    struct calm calm = {.name = "beside idle ones, ipc", .anew = true, .every_ms = 2};
    json_int_t refused = admin_number(daemon, "refusals", "peer_connections");
    calm_start(&calm, daemon);
    for (int i = 0; i < idle_most; i++) {
        fds[i] = connect_tcp(daemon);
        CHECK(fds[i] >= 0);
        (void)send_whole(fds[i], HELLO, sizeof HELLO);
    }
    int64_t until = now_ms() + DEADLINE_MS;
    json_int_t turned_away = 0;
    while (turned_away < idle_most - peer_most && now_ms() < until) {
        turned_away = admin_number(daemon, "refusals", "peer_connections") - refused;
        (void)poll(NULL, 0, 5);
    }
    CHECK(turned_away >= idle_most - peer_most);
    CHECK(calm_stop(&calm).unanswered == 0);
    for (int i = 0; i < idle_most; i++) {
        (void)close(fds[i]);
    }
}

static void contexts_are_answered(const struct daemon *daemon)
{
    static nng_ctx contexts[CONTEXTS];
    static nng_aio *aios[CONTEXTS];
    nng_socket sock;
    char url[160];
    (void)snprintf(url, sizeof url, "ipc://%s/decide.ipc", daemon->dir);
    CHECK(nng_req0_open(&sock) == 0 && nng_dial(sock, url, NULL, 0) == 0);
    for (int round = 0; round < 3; round++) {
        for (int i = 0; i < CONTEXTS; i++) {
            nng_msg *msg = NULL;
            CHECK(round > 0 ||
                  (nng_ctx_open(&contexts[i], sock) == 0 && nng_aio_alloc(&aios[i], NULL, NULL) == 0));
            CHECK(nng_msg_alloc(&msg, 0) == 0 && nng_msg_append(msg, QUESTION, strlen(QUESTION)) == 0);
            nng_aio_set_timeout(aios[i], DEADLINE_MS);
            nng_aio_set_msg(aios[i], msg);
            nng_ctx_send(contexts[i], aios[i]);
        }
        for (int i = 0; i < CONTEXTS; i++) {
            nng_aio_wait(aios[i]);
            CHECK(nng_aio_result(aios[i]) == 0);
            nng_ctx_recv(contexts[i], aios[i]);
        }
        for (int i = 0; i < CONTEXTS; i++) {
            nng_aio_wait(aios[i]);
            nng_msg *msg = nng_aio_result(aios[i]) == 0 ? nng_aio_get_msg(aios[i]) : NULL;
            CHECK(msg != NULL &&
                  memmem(nng_msg_body(msg), nng_msg_len(msg), "\"decision\":true", 15) != NULL);
            if (msg != NULL) {
                nng_msg_free(msg);
            }
        }
    }
    for (int i = 0; i < CONTEXTS; i++) {
        nng_ctx_close(contexts[i]);
        nng_aio_free(aios[i]);
    }
    nng_close(sock);
}

// ---- Floods -------------------------------------------------------------------------------------

struct flood {
    const struct daemon *daemon;
    const char *socket;
    const char *text;
    int at_once;
    pthread_t thread;
    _Atomic bool stop;
    _Atomic uint64_t answers;
};

// Each connection has a few questions underway all the time.
static void *flood_main(void *user)
{
    struct flood *flood = user;
    int fds[64];
    size_t len = strlen(flood->text);
    unsigned char *frame = malloc(len + 32);
    char *answer = malloc(RUDE_ANSWER_MAX);
    for (int i = 0; i < flood->at_once; i++) {
        fds[i] = connect_ipc(flood->daemon, flood->socket);
        if (fds[i] >= 0 && shake(fds[i])) {
            for (uint32_t k = 0; k < 3; k++) {
                (void)send_whole(fds[i], frame, frame_bytes(frame, SP_IPC, k, flood->text, len));
            }
        }
    }
    while (!atomic_load(&flood->stop)) {
        for (int i = 0; i < flood->at_once; i++) {
            uint32_t id = 0;
            if (answer_next(fds[i], SP_IPC, &id, answer, RUDE_ANSWER_MAX) >= 0) {
                atomic_fetch_add(&flood->answers, 1);
                (void)send_whole(fds[i], frame, frame_bytes(frame, SP_IPC, id, flood->text, len));
            }
        }
    }
    for (int i = 0; i < flood->at_once; i++) {
        (void)close(fds[i]);
    }
    free(answer);
    free(frame);
    return NULL;
}

static void flood_start(struct flood *flood, const struct daemon *daemon)
{
    flood->daemon = daemon;
    CHECK(pthread_create(&flood->thread, NULL, flood_main, flood) == 0);
    while (atomic_load(&flood->answers) == 0 && daemon_lives(daemon)) {
        (void)poll(NULL, 0, 1);
    }
}

static void flood_stop(struct flood *flood)
{
    atomic_store(&flood->stop, true);
    (void)pthread_join(flood->thread, NULL);
}

// Analysts that ask without end do not slow questions down, nor questions without end the analysts.
static void floods_keep_to_their_side(const struct daemon *daemon)
{
    struct flood analysts = {
        .socket = "admin.ipc", .text = "{\"op\": \"session.list\", \"limit\": 1000}", .at_once = 16};
    struct flood gateways = {.socket = "decide.ipc", .text = QUESTION, .at_once = 60};
    struct calm calm = {.name = "beside analysts, ipc", .every_ms = 1};
    flood_start(&analysts, daemon);
    calm_start(&calm, daemon);
    while (atomic_load(&calm.asked) < 500 && daemon_lives(daemon)) {
        (void)poll(NULL, 0, 5);
    }
    struct calm_said said = calm_stop(&calm);
    CHECK(said.unanswered == 0 && (RUDE_SANITIZED || said.median_ms < SLOWEST_MS));
    flood_stop(&analysts);

    flood_start(&gateways, daemon);
    int64_t worst = 0;
    for (int i = 0; i < 100; i++) {
        int64_t began = now_us();
        CHECK(admin_number(daemon, NULL, "policy_epoch") >= 1);
        int64_t took = now_us() - began;
        worst = took > worst ? took : worst;
    }
    flood_stop(&gateways);
    (void)fprintf(stderr, "analyst beside questions: worst of 100 %.2f ms\n", (double)worst / 1e3);
}

// Peers that always have batches of 256 underway get their turns, and no more.
static void batches_take_turns(const struct daemon *daemon)
{
    static char text[4096];
    size_t len = (size_t)snprintf(text, sizeof text, "{" ALICE "," ROUTE ", \"evaluations\": [{}");
    for (int i = 1; i < 256; i++) {
        len += (size_t)snprintf(text + len, sizeof text - len, ",{}");
    }
    (void)snprintf(text + len, sizeof text - len, "]}");
    struct flood batches = {.socket = "decide.ipc", .text = text, .at_once = 8};
    struct calm calm = {.name = "beside batches, tcp", .every_ms = 1, .tcp = true};
    flood_start(&batches, daemon);
    calm_start(&calm, daemon);
    while (atomic_load(&calm.asked) < 300 && daemon_lives(daemon)) {
        (void)poll(NULL, 0, 5);
    }
    CHECK(calm_stop(&calm).unanswered == 0);
    flood_stop(&batches);
}

// ---- Strangers ----------------------------------------------------------------------------------

// A new session id in every question: as many begin as one peer may begin, memory stays, who was there before
// stays.
static void strangers_are_capped(const struct daemon *daemon)
{
    char text[1024], answer[8192];
    int fd = connect_ipc(daemon, "decide.ipc");
    CHECK(fd >= 0 && shake(fd));
    static const char FORM[] =
        "{" ROUTE ", \"action\": {\"name\": \"GET\"}, \"subject\": {\"type\": \"user\", \"id\": \"%s-%d\"}, "
        "\"context\": {\"session\": {\"id\": \"%s-%d\", \"auth_time\": %lld}}}";
    long long at = (long long)time(NULL) - 10;
    (void)snprintf(text, sizeof text, FORM, "resident", 0, "resident", 0, at);
    CHECK(ask(fd, SP_IPC, 1, text, answer, sizeof answer) && allows(answer));
    size_t begun = 0, refused = 0, rss = daemon_rss_kib(daemon);
    for (int i = 0; i < STRANGERS; i++) {
        (void)snprintf(text, sizeof text, FORM, i % 2 != 0 ? "one" : "many", i % 2 != 0 ? 0 : i, "s", i, at);
        bool answered = ask(fd, SP_IPC, (uint32_t)i & 0xff, text, answer, sizeof answer);
        CHECK(answered);
        if (!answered) {
            break;
        }
        begun += allows(answer);
        refused += strstr(answer, "\"overloaded\"") != NULL;
    }
    CHECK(begun + refused == STRANGERS && refused > 0);
    CHECK(begun <= CREATIONS * 3 && begun <= SESSIONS_MOST);
    CHECK(admin_number(daemon, "sessions", "live") <= SESSIONS_MOST);
    CHECK(RUDE_SANITIZED || daemon_rss_kib(daemon) < rss + 8192);
    (void)snprintf(text, sizeof text, FORM, "resident", 0, "resident", 0, at);
    CHECK(ask(fd, SP_IPC, 1, text, answer, sizeof answer) && allows(answer));
    (void)fprintf(stderr, "%d strangers: %zu begun, %zu refused\n", STRANGERS, begun, refused);
    (void)close(fd);
}

// ---- The log ------------------------------------------------------------------------------------

static bool log_is_clean(const struct daemon *daemon)
{
    for (const char *line = daemon->log; *line != '\0'; line = strchr(line, '\n') + 1) {
        const char *end = strchr(line, '\n');
        if (end == NULL || strncmp(line, "level=", 6) != 0 ||
            strstr(line, "level=error event=forged") == line) {
            return false;
        }
        for (const char *at = line; at < end; at++) {
            if ((unsigned char)*at < ' ' || *at == 0x7f) {
                return false;
            }
        }
    }
    static const char *const NEVER[] = {"\xc2\x9b", "\xe2\x80\xae", "\x1b", "secret-of-log"};
    for (size_t i = 0; i < COUNT_OF(NEVER); i++) {
        if (strstr(daemon->log, NEVER[i]) != NULL) {
            return false;
        }
    }
    return true;
}

static void the_log_cannot_be_forged(struct daemon *daemon)
{
    static const char *const REASONS[] = {
        "a\\nlevel=error event=forged",
        "\\u001b[31mred\\u001b[0m",
        "c1\\u009b31m",
        "\\u202eturned",
        "\\\" by=root reason=\\\"",
        "a\\u0000b",
        "\\u007f",
        "back\\\\slash",
        "x\\r\\nlevel=error event=forged",
    };
    for (size_t i = 0; i < COUNT_OF(REASONS); i++) {
        char text[512];
        (void)snprintf(
            text, sizeof text,
            "{\"op\": \"session.terminate\", \"session\": \"secret-of-log-%zu\", \"reason\": \"%s\"}", i,
            REASONS[i]);
        json_t *root = asked(daemon, "admin.ipc", text);
        CHECK(strcmp(at_path(root, "ok"), "true") == 0);
        json_decref(root);
    }
    // And a file's name, told when it is refused.
    put_file(daemon, "policies/x\nlevel=error event=forged \x1b[2J.yaml", "nonsense: [\n");
    (void)kill(daemon->pid, SIGHUP);
    CHECK(daemon_says(daemon, "event=reload_failed") && daemon_says(daemon, "serving_generation=1\n"));
    CHECK(log_is_clean(daemon));
    if (!log_is_clean(daemon)) {
        (void)fputs(daemon->log, stderr);
    }
}

// ---- Together -----------------------------------------------------------------------------------

static void configure(const struct daemon *daemon, struct daemon_how *how)
{
    char text[2048];
    (void)snprintf(
        text, sizeof text,
        "policies: %s/policies\nworkers: 1\ndecide: [\"ipc://%s/decide.ipc\", \"tcp://127.0.0.1:0\"]\n"
        "admin: ipc://%s/admin.ipc\nsessions_max: %d\ncreations_per_minute: %d\n"
        "limits: {connections: %d, peer_connections: %d, queue: 20s}\n",
        daemon->dir, daemon->dir, daemon->dir, SESSIONS_MOST, CREATIONS, idle_most, peer_most);
    put_file(daemon, "pdpd.yaml", text);
    *how = (struct daemon_how){.args = {"--config", "dir@pdpd.yaml"}};
}

static void take_descriptors(void)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
        limit.rlim_cur = limit.rlim_max;
        (void)setrlimit(RLIMIT_NOFILE, &limit);
        idle_most = limit.rlim_max < IDLE_MOST + 200 ? (int)limit.rlim_max - 200 : IDLE_MOST;
    }
    peer_most = idle_most / 2;
}

int main(void)
{
    struct daemon daemon;
    struct daemon_how how;
    take_descriptors();
    daemon_folder(&daemon);
    configure(&daemon, &how);
    daemon_spawn(&daemon, &how);
    CHECK(daemon_ready(&daemon));
    if (failures == 0) {
        tiny_frames_are_answered(&daemon);
        contexts_are_answered(&daemon);
        floods_keep_to_their_side(&daemon);
        batches_take_turns(&daemon);
        the_idle_leave_room(&daemon);
        strangers_are_capped(&daemon);
        the_log_cannot_be_forged(&daemon);
    }
    CHECK(daemon_lives(&daemon));
    CHECK(daemon_stop(&daemon) == 0);
    daemon_clean(&daemon);
    (void)printf("%d checks, %d failed\n", checks, failures);
    return failures != 0;
}
