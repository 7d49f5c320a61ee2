// SPDX-License-Identifier: Apache-2.0
// The real daemon over ipc and tcp: libnng peers, nngcat, and peers that are rude.
#include "system/daemon.h"

#include <dirent.h>
#include <nng/nng.h>
#include <nng/protocol/reqrep0/req.h>

enum {
    RUDE_EACH = 300,
    CONTEXTS = 64,
    SLOWEST_MS = 500
};

// libnng 1.5.2 loses the message that it was writing when a connection breaks (nng #1713).
const char *__lsan_default_suppressions(void);
const char *__lsan_default_suppressions(void)
{
    return "leak:nni_msg_\nleak:nni_chunk_";
}

// ---- libnng ------------------------------------------------------------------------------------------

static void decide_url(const struct daemon *daemon, bool tcp, char *url, size_t size)
{
    if (tcp) {
        (void)snprintf(url, size, "tcp://127.0.0.1:%u", daemon->port);
    } else {
        (void)snprintf(url, size, "ipc://%s/decide.ipc", daemon->dir);
    }
}

static void a_blocking_req_is_answered(const struct daemon *daemon, bool tcp)
{
    nng_socket sock;
    char url[160];
    decide_url(daemon, tcp, url, sizeof url);
    CHECK(nng_req0_open(&sock) == 0);
    CHECK(nng_socket_set_ms(sock, NNG_OPT_RECVTIMEO, DEADLINE_MS) == 0);
    CHECK(nng_dial(sock, url, NULL, 0) == 0);
    for (int i = 0; i < 200; i++) {
        char *answer = NULL;
        size_t len = 0;
        CHECK(nng_send(sock, (void *)(uintptr_t)QUESTION, strlen(QUESTION), 0) == 0);
        if (nng_recv(sock, &answer, &len, NNG_FLAG_ALLOC) != 0) {
            CHECK(answer != NULL); // no answer came
            break;
        }
        json_t *root = json_loadb(answer, len, 0, NULL);
        CHECK(json_is_true(json_object_get(root, "decision")));
        json_decref(root);
        nng_free(answer, len);
    }
    nng_close(sock);
}

// All at once on one connection; each answer must be that of its question.
static void many_contexts_are_answered(const struct daemon *daemon, bool tcp)
{
    nng_socket sock;
    nng_ctx contexts[CONTEXTS];
    nng_aio *aios[CONTEXTS];
    char url[160];
    decide_url(daemon, tcp, url, sizeof url);
    CHECK(nng_req0_open(&sock) == 0 && nng_dial(sock, url, NULL, 0) == 0);
    for (int i = 0; i < CONTEXTS; i++) {
        char text[512];
        (void)snprintf(text, sizeof text, "{\"request_id\": \"r%d\", %s", i, &QUESTION[1]);
        nng_msg *msg = NULL;
        CHECK(nng_ctx_open(&contexts[i], sock) == 0 && nng_aio_alloc(&aios[i], NULL, NULL) == 0);
        CHECK(nng_msg_alloc(&msg, 0) == 0 && nng_msg_append(msg, text, strlen(text)) == 0);
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
        char id[16];
        (void)snprintf(id, sizeof id, "r%d", i);
        nng_aio_wait(aios[i]);
        nng_msg *msg = nng_aio_result(aios[i]) == 0 ? nng_aio_get_msg(aios[i]) : NULL;
        CHECK(msg != NULL);
        json_t *root = msg != NULL ? json_loadb(nng_msg_body(msg), nng_msg_len(msg), 0, NULL) : NULL;
        const char *echoed =
            json_string_value(json_object_get(json_object_get(root, "context"), "request_id"));
        CHECK(echoed != NULL && strcmp(echoed, id) == 0);
        json_decref(root);
        if (msg != NULL) {
            nng_msg_free(msg);
        }
        nng_ctx_close(contexts[i]);
        nng_aio_free(aios[i]);
    }
    nng_close(sock);
}

static void nngcat_is_answered(const struct daemon *daemon)
{
    if (access("/usr/bin/nngcat", X_OK) != 0) {
        (void)fprintf(stderr, "nngcat is not installed: skipped\n");
        return;
    }
    char command[512], answer[8192] = "";
    (void)snprintf(command, sizeof command,
                   "nngcat --req --dial ipc://%s/decide.ipc -D '%s' --raw --recv-timeout 10", daemon->dir,
                   QUESTION);
    FILE *pipe = popen(command, "re");
    CHECK(pipe != NULL && fread(answer, 1, sizeof answer - 1, pipe) > 0);
    CHECK(pipe != NULL && pclose(pipe) == 0);
    CHECK(allows(answer));
}

// ---- Rude peers ----------------------------------------------------------------------------------------

struct calm { // a peer that behaves, all the while
    int fd;
    uint32_t id;
    int64_t slowest_ms;
};

static void calm_asks(struct calm *calm)
{
    char answer[8192];
    int64_t began = now_ms();
    CHECK(ask(calm->fd, SP_IPC, ++calm->id & 0xff, QUESTION, answer, sizeof answer) && allows(answer));
    int64_t took = now_ms() - began;
    calm->slowest_ms = took > calm->slowest_ms ? took : calm->slowest_ms;
}

static const unsigned char HELLO[] = {0, 'S', 'P', 0, 0, 0x30, 0, 0};

static const struct {
    const char *name;
    bool hello;
    unsigned char bytes[16];
    size_t len;
    bool stay; // keeps the connection open until all are there
    const char *refusal;
} RUDE[] = {
    {"leaves before a word", false, {0}, 0, false, "handshake_left"},
    {"leaves within the handshake", false, {0, 'S', 'P'}, 3, false, "handshake_left"},
    {"garbage", false, "GET / HTTP/1.1\r", 15, true, "handshake_bad"},
    {"another protocol", false, {0, 'S', 'P', 0, 0, 0x10, 0, 0}, 8, true, "handshake_type"},
    {"half a frame", true, {1, 0, 0, 0, 0, 0, 0, 0, 9, 0x80}, 10, false, "frame_left"},
    {"2^63", true, {1, 0x80, 0, 0, 0, 0, 0, 0, 0}, 9, true, "frame_long"},
    {"no id", true, {1, 0, 0, 0, 0, 0, 0, 0, 2, 1, 1}, 11, true, "hops_bad"},
};

// A peer that is gone before it was accepted counts as one that left, whatever it had sent.
static json_int_t refused(const struct daemon *daemon, const char *name)
{
    bool left = strcmp(name, "handshake_left") == 0;
    return admin_number(daemon, "refusals", name) +
           (left ? 0 : admin_number(daemon, "refusals", "handshake_left"));
}

static void wait_for_refusals(const struct daemon *daemon, const char *name, json_int_t least)
{
    int64_t until = now_ms() + DEADLINE_MS;
    json_int_t seen = refused(daemon, name);
    while (seen < least && now_ms() < until) {
        (void)poll(NULL, 0, 5);
        seen = refused(daemon, name);
    }
    CHECK(seen >= least);
    if (seen < least) {
        (void)fprintf(stderr, "%s: %lld of %lld\n", name, (long long)seen, (long long)least);
    }
}

static void the_rude_are_refused(const struct daemon *daemon, struct calm *calm)
{
    static int fds[RUDE_EACH];
    for (size_t kind = 0; kind < COUNT_OF(RUDE); kind++) {
        json_int_t before = refused(daemon, RUDE[kind].refusal);
        for (int i = 0; i < RUDE_EACH; i++) {
            fds[i] = connect_ipc(daemon, "decide.ipc");
            CHECK(fds[i] >= 0);
            if (RUDE[kind].hello) {
                (void)send_all(fds[i], HELLO, sizeof HELLO);
            }
            (void)send_all(fds[i], RUDE[kind].bytes, RUDE[kind].len);
            if (!RUDE[kind].stay) {
                (void)close(fds[i]);
            }
            if (i % 20 == 0) {
                calm_asks(calm);
            }
        }
        for (int i = 0; RUDE[kind].stay && i < RUDE_EACH; i++) {
            (void)close(fds[i]);
        }
        wait_for_refusals(daemon, RUDE[kind].refusal, before + RUDE_EACH);
    }
}

static void the_silent_and_the_deaf_hurt_nobody(const struct daemon *daemon, struct calm *calm)
{
    enum {
        SILENT = 200,
        DEAF = 8
    };
    static int silent[SILENT], deaf[DEAF];
    for (int i = 0; i < SILENT; i++) { // half frames that stay half
        silent[i] = connect_ipc(daemon, "decide.ipc");
        CHECK(send_all(silent[i], HELLO, sizeof HELLO) && send_all(silent[i], "\1\0\0\0\0\0\0\xff\xff", 9));
    }
    for (int i = 0; i < DEAF; i++) { // ask until nothing more is taken, and read nothing
        unsigned char frame[512];
        size_t len = frame_put(frame, SP_IPC, 1, QUESTION);
        deaf[i] = connect_ipc(daemon, "decide.ipc");
        CHECK(send_all(deaf[i], HELLO, sizeof HELLO));
        for (int k = 0; k < 100000; k++) {
            ssize_t sent = send(deaf[i], frame, len, MSG_DONTWAIT | MSG_NOSIGNAL);
            if (sent != (ssize_t)len) {
                struct pollfd room = {.fd = deaf[i], .events = POLLOUT};
                if ((sent > 0 && sent < (ssize_t)len) || poll(&room, 1, 50) <= 0) {
                    break;
                }
            }
        }
        calm_asks(calm);
    }
    CHECK(admin_number(daemon, NULL, "connections") >= SILENT + DEAF);
    for (int i = 0; i < SILENT; i++) {
        (void)close(silent[i]);
    }
    for (int i = 0; i < DEAF; i++) {
        (void)close(deaf[i]);
    }
    calm_asks(calm);
}

static size_t descriptors(const struct daemon *daemon)
{
    char path[64];
    size_t count = 0;
    (void)snprintf(path, sizeof path, "/proc/%d/fd", (int)daemon->pid);
    DIR *dir = opendir(path);
    while (dir != NULL && readdir(dir) != NULL) {
        count++;
    }
    if (dir != NULL) {
        (void)closedir(dir);
    }
    return count;
}

static void rude_peers(const struct daemon *daemon)
{
    struct calm calm = {.fd = connect_ipc(daemon, "decide.ipc")};
    CHECK(calm.fd >= 0 && shake(calm.fd));
    calm_asks(&calm);
    size_t before = descriptors(daemon);
    the_rude_are_refused(daemon, &calm);
    the_silent_and_the_deaf_hurt_nobody(daemon, &calm);
    CHECK(calm.slowest_ms <= SLOWEST_MS);
    (void)fprintf(stderr, "slowest answer beside rude peers: %lld ms\n", (long long)calm.slowest_ms);
    int64_t until = now_ms() + DEADLINE_MS;
    while (descriptors(daemon) > before + 1 && now_ms() < until) {
        (void)poll(NULL, 0, 5);
    }
    CHECK(descriptors(daemon) <= before + 1);
    (void)close(calm.fd);
}

// ---- Shapes on the wire --------------------------------------------------------------------------------

static void tcp_byte_by_byte(const struct daemon *daemon)
{
    int fd = connect_tcp(daemon);
    unsigned char all[1024];
    char answer[8192];
    memcpy(all, HELLO, sizeof HELLO);
    size_t len = sizeof HELLO + frame_put(all + sizeof HELLO, SP_TCP, 9, QUESTION);
    for (size_t i = 0; i < len; i++) {
        CHECK(send_all(fd, all + i, 1));
    }
    unsigned char head[SP_HANDSHAKE_BYTES + 12];
    CHECK(recv_all(fd, head, sizeof head));
    CHECK(head[sizeof head - 1] == 9);
    size_t body = (size_t)head[14] << 8 | head[15];
    CHECK(body < sizeof answer && recv_all(fd, answer, body - 4));
    answer[body - 4] = '\0';
    CHECK(allows(answer));
    // What was asked before our end is still answered.
    CHECK(send_all(fd, all + sizeof HELLO, len - sizeof HELLO));
    CHECK(shutdown(fd, SHUT_WR) == 0);
    CHECK(recv_all(fd, head, 12) && recv_all(fd, answer, body - 4));
    CHECK(recv(fd, answer, 1, 0) == 0);
    (void)close(fd);
}

static void a_long_pipeline_is_answered_in_order(const struct daemon *daemon)
{
    enum {
        DEPTH = 2000
    };
    int fd = connect_ipc(daemon, "decide.ipc");
    CHECK(shake(fd));
    pid_t writer = fork();
    if (writer == 0) {
        unsigned char frame[512];
        for (uint32_t i = 0; i < DEPTH; i++) {
            size_t len = frame_put(frame, SP_IPC, i, QUESTION);
            if (!send_all(fd, frame, len)) {
                _exit(1);
            }
        }
        _exit(0);
    }
    bool right = true;
    static char answer[65536];
    for (uint32_t i = 0; i < DEPTH && right; i++) {
        unsigned char head[13];
        right = recv_all(fd, head, sizeof head) && (((uint32_t)head[11] << 8 | head[12]) == (i & 0xffff));
        size_t body = (size_t)head[7] << 8 | head[8];
        right = right && recv_all(fd, answer, body - 4);
    }
    CHECK(right);
    int status = 0;
    CHECK(waitpid(writer, &status, 0) == writer && status == 0);
    (void)close(fd);
}

int main(void)
{
    struct daemon daemon;
    daemon_folder(&daemon);
    struct daemon_how how = standard_how();
    daemon_spawn(&daemon, &how);
    CHECK(daemon_ready(&daemon));
    if (failures == 0) {
        for (int tcp = 0; tcp < 2; tcp++) {
            a_blocking_req_is_answered(&daemon, tcp != 0);
            many_contexts_are_answered(&daemon, tcp != 0);
        }
        nngcat_is_answered(&daemon);
        tcp_byte_by_byte(&daemon);
        a_long_pipeline_is_answered_in_order(&daemon);
        rude_peers(&daemon);
    }
    CHECK(daemon_stop(&daemon) == 0);
    daemon_clean(&daemon);
    (void)printf("%d checks, %d failed\n", checks, failures);
    return failures != 0;
}
