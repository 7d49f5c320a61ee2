// SPDX-License-Identifier: Apache-2.0
// What the rude tests share: questions of any size, answers by field, a peer that behaves all the while, and
// what the daemon takes of memory and descriptors.
#ifndef SYSTEM_RUDE_H
#define SYSTEM_RUDE_H

#include "system/daemon.h"

#include <dirent.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <stdatomic.h>

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define RUDE_SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define RUDE_SANITIZED 1
#endif
#endif
#ifndef RUDE_SANITIZED
#define RUDE_SANITIZED 0
#endif

static const unsigned char HELLO[] = {0, 'S', 'P', 0, 0, 0x30, 0, 0};

// ---- Frames and answers of any size -------------------------------------------------------------

enum {
    RUDE_FRAME_MAX = 70000,
    RUDE_ANSWER_MAX = 4 << 20
};

static inline size_t frame_bytes(unsigned char *out, enum sp_transport transport, uint32_t id,
                                 const void *bytes, size_t len)
{
    size_t at = sp_frame_write(transport, 4 + len, out);
    const unsigned char hops[4] = {(unsigned char)(0x80 | id >> 24), (unsigned char)(id >> 16),
                                   (unsigned char)(id >> 8), (unsigned char)id};
    memcpy(out + at, hops, sizeof hops);
    memcpy(out + at + 4, bytes, len);
    return at + 4 + len;
}

static inline bool send_whole(int fd, const void *bytes, size_t len)
{
    const char *at = bytes;
    while (len > 0) {
        struct pollfd wait = {.fd = fd, .events = POLLOUT};
        ssize_t sent = poll(&wait, 1, DEADLINE_MS) == 1 ? send(fd, at, len, MSG_NOSIGNAL | MSG_DONTWAIT) : -1;
        if (sent < 0 && errno == EAGAIN) {
            continue;
        }
        if (sent <= 0) {
            return false;
        }
        at += sent;
        len -= (size_t)sent;
    }
    return true;
}

// The next answer, whoever's it is: its body without the id goes to `out`, NUL-terminated. -1: there is none.
static inline ssize_t answer_next(int fd, enum sp_transport transport, uint32_t *id, char *out, size_t size)
{
    unsigned char header[SP_HEADER_MAX], hops[4];
    size_t head = sp_header_bytes(transport), body = 0;
    if (!recv_all(fd, header, head)) {
        return -1;
    }
    for (size_t i = head - 4; i < head; i++) {
        body = body << 8 | header[i];
    }
    if (body < 4 || body - 4 >= size || !recv_all(fd, hops, sizeof hops) || !recv_all(fd, out, body - 4)) {
        return -1;
    }
    out[body - 4] = '\0';
    *id = (uint32_t)(hops[0] & 0x7f) << 24 | (uint32_t)hops[1] << 16 | (uint32_t)hops[2] << 8 | hops[3];
    return (ssize_t)(body - 4);
}

static inline ssize_t ask_bytes(int fd, enum sp_transport transport, uint32_t id, const void *bytes,
                                size_t len, char *out, size_t size)
{
    unsigned char *frame = malloc(len + 32);
    uint32_t got = 0;
    bool sent = frame != NULL && send_whole(fd, frame, frame_bytes(frame, transport, id, bytes, len));
    free(frame);
    ssize_t answer = sent ? answer_next(fd, transport, &got, out, size) : -1;
    return got == id ? answer : -1;
}

// One question on a connection of its own, decoded: the caller's to json_decref. NULL: no answer.
static inline json_t *asked(const struct daemon *daemon, const char *socket, const char *text)
{
    char *out = malloc(RUDE_ANSWER_MAX);
    json_t *root = NULL;
    int fd = connect_ipc(daemon, socket);
    if (out != NULL && fd >= 0 && shake(fd) &&
        ask_bytes(fd, SP_IPC, 1, text, strlen(text), out, RUDE_ANSWER_MAX) >= 0) {
        root = json_loads(out, 0, NULL);
    }
    if (fd >= 0) {
        (void)close(fd);
    }
    free(out);
    return root;
}

// The text, number or truth at a dotted path, printed into one of a few static places; "" where it is not
// there.
static inline const char *at_path(json_t *root, const char *path)
{
    static _Thread_local char places[8][256];
    static _Thread_local unsigned turn;
    char *out = places[turn++ % 8], name[64];
    out[0] = '\0';
    json_t *at = root;
    while (at != NULL && *path != '\0') {
        size_t len = strcspn(path, ".");
        (void)snprintf(name, sizeof name, "%.*s", (int)len, path);
        at = json_is_array(at) ? json_array_get(at, strtoul(name, NULL, 10)) : json_object_get(at, name);
        path += len + (path[len] == '.');
    }
    if (json_is_string(at)) {
        (void)snprintf(out, 256, "%s", json_string_value(at));
    } else if (json_is_integer(at)) {
        (void)snprintf(out, 256, "%lld", (long long)json_integer_value(at));
    } else if (json_is_real(at)) {
        (void)snprintf(out, 256, "%.17g", json_real_value(at));
    } else if (json_is_boolean(at)) {
        (void)snprintf(out, 256, "%s", json_is_true(at) ? "true" : "false");
    }
    return out;
}

// `allow/policy`; "no answer" where there is none. Also sees to it that `decision` says the same.
static inline const char *effect_of(json_t *answer)
{
    static _Thread_local char out[64];
    if (answer == NULL) {
        return "no answer";
    }
    const char *effect = at_path(answer, "context.effect");
    (void)snprintf(out, sizeof out, "%.31s/%.31s", effect, at_path(answer, "context.code"));
    CHECK(json_is_true(json_object_get(answer, "decision")) == (strcmp(effect, "allow") == 0));
    return out;
}

// ---- JSON as CBOR, with the keys of each map in turn or the other way round ---------------------

static inline size_t cbor_head(unsigned char *out, unsigned major, uint64_t n)
{
    size_t bytes = n < 24 ? 0 : n < 256 ? 1 : n < 65536 ? 2 : 8;
    out[0] = (unsigned char)(major << 5 | (bytes == 0 ? n : bytes == 8 ? 27 : 23 + bytes));
    for (size_t i = 0; i < bytes; i++) {
        out[1 + i] = (unsigned char)(n >> 8 * (bytes - 1 - i));
    }
    return 1 + bytes;
}

static inline size_t cbor_text(unsigned char *out, const char *text, size_t len)
{
    size_t head = cbor_head(out, 3, len);
    memcpy(out + head, text, len);
    return head + len;
}

static inline size_t cbor_of(json_t *v, bool backwards, unsigned char *out)
{
    size_t len = 0, count = json_is_object(v) ? json_object_size(v) : json_array_size(v);
    if (json_is_string(v)) {
        return cbor_text(out, json_string_value(v), json_string_length(v));
    }
    if (json_is_integer(v)) {
        json_int_t n = json_integer_value(v);
        return n < 0 ? cbor_head(out, 1, (uint64_t)(-1 - n)) : cbor_head(out, 0, (uint64_t)n);
    }
    if (json_is_boolean(v) || json_is_null(v)) {
        out[0] = json_is_null(v) ? 0xf6 : json_is_true(v) ? 0xf5 : 0xf4;
        return 1;
    }
    const char *keys[64] = {NULL};
    size_t n = 0;
    for (void *at = json_object_iter(v); at != NULL && n < 64; at = json_object_iter_next(v, at)) {
        keys[n++] = json_object_iter_key(at);
    }
    len = cbor_head(out, json_is_object(v) ? 5 : 4, count);
    for (size_t i = 0; i < count; i++) {
        const char *key = json_is_object(v) ? keys[backwards ? count - 1 - i : i] : NULL;
        len += key != NULL ? cbor_text(out + len, key, strlen(key)) : 0;
        len += cbor_of(key != NULL ? json_object_get(v, key) : json_array_get(v, i), backwards, out + len);
    }
    return len;
}

// ---- What the daemon takes ----------------------------------------------------------------------

static inline size_t daemon_descriptors(const struct daemon *daemon)
{
    char path[64];
    (void)snprintf(path, sizeof path, "/proc/%d/fd", (int)daemon->pid);
    DIR *dir = opendir(path);
    size_t count = 0;
    while (dir != NULL && readdir(dir) != NULL) {
        count++;
    }
    if (dir != NULL) {
        (void)closedir(dir);
    }
    return count > 2 ? count - 2 : 0;
}

static inline size_t daemon_rss_kib(const struct daemon *daemon)
{
    char path[64], line[128];
    size_t kib = 0;
    (void)snprintf(path, sizeof path, "/proc/%d/status", (int)daemon->pid);
    FILE *file = fopen(path, "re");
    while (file != NULL && fgets(line, sizeof line, file) != NULL) {
        if (strncmp(line, "VmRSS:", 6) == 0) {
            kib = strtoul(line + 6, NULL, 10);
        }
    }
    if (file != NULL) {
        (void)fclose(file);
    }
    return kib;
}

static inline bool daemon_lives(const struct daemon *daemon)
{
    return waitpid(daemon->pid, NULL, WNOHANG) == 0;
}

// ---- A peer that behaves ------------------------------------------------------------------------

static inline int64_t now_us(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

enum {
    CALM_MOST = 200000
};

struct calm {
    const struct daemon *daemon;
    const char *name;
    bool tcp;
    bool anew; // a connection for each question; the time then counts from connect
    int every_ms;
    pthread_t thread;
    _Atomic bool stop;
    _Atomic uint32_t asked;
    uint32_t unanswered;
    uint32_t *took_us; // of each answer
};

static inline int calm_connect(const struct calm *calm)
{
    int fd = calm->tcp ? connect_tcp(calm->daemon) : connect_ipc(calm->daemon, "decide.ipc");
    if (fd >= 0 && !shake(fd)) {
        (void)close(fd);
        fd = -1;
    }
    return fd;
}

static inline void *calm_main(void *user)
{
    struct calm *calm = user;
    enum sp_transport transport = calm->tcp ? SP_TCP : SP_IPC;
    int fd = -1;
    char answer[8192];
    while (!atomic_load(&calm->stop) && calm->asked < CALM_MOST) {
        int64_t began = now_us();
        if (fd < 0) {
            fd = calm_connect(calm);
        }
        bool right = fd >= 0 && ask(fd, transport, calm->asked & 0xff, QUESTION, answer, sizeof answer) &&
                     strstr(answer, "\"decision\":true") != NULL;
        calm->took_us[calm->asked] = (uint32_t)(now_us() - began);
        calm->unanswered += !right;
        calm->asked++;
        if (fd >= 0 && (calm->anew || !right)) {
            (void)close(fd);
            fd = -1;
        }
        (void)poll(NULL, 0, calm->every_ms);
    }
    if (fd >= 0) {
        (void)close(fd);
    }
    return NULL;
}

static inline void calm_start(struct calm *calm, const struct daemon *daemon)
{
    calm->daemon = daemon;
    calm->asked = 0;
    calm->unanswered = 0;
    atomic_store(&calm->stop, false);
    calm->took_us = calloc(CALM_MOST, sizeof *calm->took_us);
    if (calm->took_us == NULL || pthread_create(&calm->thread, NULL, calm_main, calm) != 0) {
        perror("calm");
        exit(1);
    }
}

static inline int compare_us(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return (x > y) - (x < y);
}

struct calm_said {
    double median_ms, slow_ms, worst_ms; // slow: the 99.9th percentile
    uint32_t asked, unanswered;
};

static inline struct calm_said calm_stop(struct calm *calm)
{
    atomic_store(&calm->stop, true);
    (void)pthread_join(calm->thread, NULL);
    struct calm_said said = {.asked = calm->asked, .unanswered = calm->unanswered};
    qsort(calm->took_us, calm->asked, sizeof *calm->took_us, compare_us);
    if (calm->asked > 0) {
        said.median_ms = calm->took_us[calm->asked / 2] / 1e3;
        said.slow_ms = calm->took_us[(uint64_t)calm->asked * 999 / 1000] / 1e3;
        said.worst_ms = calm->took_us[calm->asked - 1] / 1e3;
    }
    (void)fprintf(stderr, "%-28s %6u asked, %u unanswered, median %.2f ms, p99.9 %.2f ms, worst %.2f ms\n",
                  calm->name, said.asked, said.unanswered, said.median_ms, said.slow_ms, said.worst_ms);
    free(calm->took_us);
    calm->took_us = NULL;
    return said;
}

static inline uint32_t random_of(uint32_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 17;
    *state ^= *state << 5;
    return *state;
}

#endif
