// SPDX-License-Identifier: Apache-2.0
// Runs the real pdpd in a folder of its own, and speaks SP to it over plain sockets.
#ifndef SYSTEM_DAEMON_H
#define SYSTEM_DAEMON_H

#include "sp/sp.h"

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static int checks, failures;

#define CHECK(cond)                                                                        \
    do {                                                                                   \
        checks++;                                                                          \
        if (!(cond)) {                                                                     \
            failures++;                                                                    \
            (void)fprintf(stderr, "%s:%d: %s: %s\n", __FILE__, __LINE__, __func__, #cond); \
        }                                                                                  \
    } while (0)

#define POLICY                                                  \
    "apiVersion: pdp/v1\nkind: Policy\nmetadata: {name: web}\n" \
    "rules:\n  - {id: read, effect: allow, actions: [GET]}\n"
#define QUESTION                                                                               \
    "{\"subject\": {\"type\": \"user\", \"id\": \"alice\"}, \"action\": {\"name\": \"GET\"}, " \
    "\"resource\": {\"type\": \"route\", \"id\": \"/a\"}}"

enum {
    DEADLINE_MS = 20000
};

struct daemon {
    char dir[64]; // holds policies/, decide.ipc, admin.ipc
    pid_t pid;
    int err;         // the reading end of its standard error
    char log[65536]; // what it said so far
    size_t log_len;
    uint16_t port; // of the tcp listener
};

static inline int64_t now_ms(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static inline void put_file(const struct daemon *daemon, const char *name, const char *text)
{
    char path[128];
    (void)snprintf(path, sizeof path, "%s/%s", daemon->dir, name);
    FILE *file = fopen(path, "w");
    if (file == NULL || fputs(text, file) < 0 || fclose(file) != 0) {
        perror(path);
        exit(1);
    }
}

static inline void daemon_folder(struct daemon *daemon)
{
    *daemon = (struct daemon){.pid = -1, .err = -1};
    (void)snprintf(daemon->dir, sizeof daemon->dir, "/tmp/pdpd-test-XXXXXX");
    char path[128];
    if (mkdtemp(daemon->dir) == NULL) {
        perror("mkdtemp");
        exit(1);
    }
    (void)snprintf(path, sizeof path, "%s/policies", daemon->dir);
    if (mkdir(path, 0700) != 0) {
        perror(path);
        exit(1);
    }
    put_file(daemon, "policies/web.yaml", POLICY);
    // However slow this machine is: tests of overload set their own.
    put_file(daemon, "patient.yaml", "limits: {queue: 20s}\n");
}

// Runs in the child; `args` are formatted with the folder's name. Never returns.
struct daemon_how {
    const char *args[16];        // NULL-terminated; `@` in front becomes `URLSCHEME` + folder, see arg_of
    void (*prepare)(void *user); // in the child, before exec; NULL: nothing
    void *user;
};

// `ipc@x` is `ipc://DIR/x`, `dir@x` is `DIR/x`; anything else is itself.
static inline const char *arg_of(const struct daemon *daemon, const char *arg, char *out, size_t size)
{
    if (strncmp(arg, "ipc@", 4) == 0) {
        (void)snprintf(out, size, "ipc://%s/%s", daemon->dir, arg + 4);
        return out;
    }
    if (strncmp(arg, "dir@", 4) == 0) {
        (void)snprintf(out, size, "%s/%s", daemon->dir, arg + 4);
        return out;
    }
    return arg;
}

static inline void daemon_exec(const struct daemon *daemon, const struct daemon_how *how)
{
    static char texts[16][160];
    char *argv[18] = {NULL};
    char program[512];
    const char *bin = getenv("PDP_BIN");
    (void)snprintf(program, sizeof program, "%s/pdpd", bin != NULL ? bin : "build/release/bin");
    argv[0] = program;
    for (size_t i = 0; i < 16 && how->args[i] != NULL; i++) {
        const char *arg = arg_of(daemon, how->args[i], texts[i], sizeof texts[i]);
        argv[i + 1] = strdup(arg);
    }
    if (how->prepare != NULL) {
        how->prepare(how->user);
    }
    execv(program, argv);
    perror(program);
    _exit(127);
}

static inline void daemon_spawn(struct daemon *daemon, const struct daemon_how *how)
{
    int ends[2];
    if (pipe(ends) != 0) {
        perror("pipe");
        exit(1);
    }
    daemon->log_len = 0;
    daemon->pid = fork();
    if (daemon->pid == 0) {
        (void)dup2(ends[1], STDERR_FILENO);
        (void)close(ends[0]);
        (void)close(ends[1]);
        daemon_exec(daemon, how);
    }
    (void)close(ends[1]);
    (void)fcntl(ends[0], F_SETFD, FD_CLOEXEC);
    daemon->err = ends[0];
}

// Reads what the daemon says until `word` is in it; false at its end or the deadline.
static inline bool daemon_says(struct daemon *daemon, const char *word)
{
    int64_t until = now_ms() + DEADLINE_MS;
    for (;;) {
        daemon->log[daemon->log_len] = '\0';
        if (strstr(daemon->log, word) != NULL) {
            return true;
        }
        struct pollfd fd = {.fd = daemon->err, .events = POLLIN};
        if (now_ms() > until || poll(&fd, 1, 1000) < 0) {
            return false;
        }
        if (fd.revents != 0) {
            ssize_t len =
                read(daemon->err, daemon->log + daemon->log_len, sizeof daemon->log - 1 - daemon->log_len);
            if (len <= 0) {
                return false;
            }
            daemon->log_len += (size_t)len;
        }
    }
}

// The exit status, or -1 where it was killed or did not end in time.
static inline int daemon_wait(struct daemon *daemon)
{
    (void)daemon_says(daemon, "\x01 never"); // to the end of its output, so that it cannot block on it
    int status = 0;
    pid_t pid = waitpid(daemon->pid, &status, 0);
    (void)close(daemon->err);
    bool sane = strstr(daemon->log, "Sanitizer") == NULL && strstr(daemon->log, "runtime error") == NULL;
    CHECK(sane);
    if (!sane) {
        (void)fputs(daemon->log, stderr);
    }
    return pid == daemon->pid && WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static inline const char *const *standard_args(void)
{
    static const char *const ARGS[] = {"--policies", "dir@policies",
                                       "--decide",   "ipc@decide.ipc",
                                       "--decide",   "tcp://127.0.0.1:0",
                                       "--admin",    "ipc@admin.ipc",
                                       "--workers",  "2",
                                       "--config",   "dir@patient.yaml",
                                       NULL};
    return ARGS;
}

static inline struct daemon_how standard_how(void)
{
    struct daemon_how how = {.args = {NULL}};
    for (size_t i = 0; standard_args()[i] != NULL; i++) {
        how.args[i] = standard_args()[i];
    }
    return how;
}

static inline bool daemon_ready(struct daemon *daemon)
{
    bool ready = daemon_says(daemon, "event=ready") && daemon_says(daemon, "took_ms=");
    const char *tcp = strstr(daemon->log, "tcp://127.0.0.1:");
    daemon->port = tcp != NULL ? (uint16_t)strtoul(tcp + strlen("tcp://127.0.0.1:"), NULL, 10) : 0;
    if (!ready) {
        (void)fputs(daemon->log, stderr);
    }
    return ready;
}

static inline int daemon_stop(struct daemon *daemon)
{
    (void)kill(daemon->pid, SIGTERM);
    return daemon_wait(daemon);
}

static inline void daemon_clean(const struct daemon *daemon)
{
    char command[128];
    (void)snprintf(command, sizeof command, "rm -rf '%s'", daemon->dir);
    CHECK(system(command) == 0);
}

// ---- Plain sockets ---------------------------------------------------------------------------------

static inline int connect_ipc(const struct daemon *daemon, const char *name)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    (void)snprintf(address.sun_path, sizeof address.sun_path, "%s/%s", daemon->dir, name);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd >= 0 && connect(fd, (struct sockaddr *)&address, sizeof address) != 0) {
        (void)close(fd);
        return -1;
    }
    return fd;
}

static inline int connect_tcp(const struct daemon *daemon)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(daemon->port)};
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd >= 0 && connect(fd, (struct sockaddr *)&address, sizeof address) != 0) {
        (void)close(fd);
        return -1;
    }
    return fd;
}

static inline bool send_all(int fd, const void *bytes, size_t len)
{
    return send(fd, bytes, len, MSG_NOSIGNAL) == (ssize_t)len;
}

static inline bool recv_all(int fd, void *bytes, size_t len)
{
    size_t have = 0;
    while (have < len) {
        struct pollfd wait = {.fd = fd, .events = POLLIN};
        if (poll(&wait, 1, DEADLINE_MS) <= 0) {
            return false;
        }
        ssize_t got = recv(fd, (char *)bytes + have, len - have, 0);
        if (got <= 0) {
            return false;
        }
        have += (size_t)got;
    }
    return true;
}

static inline bool shake(int fd)
{
    unsigned char ours[SP_HANDSHAKE_BYTES], theirs[SP_HANDSHAKE_BYTES];
    sp_handshake_write(SP_REQ0, ours);
    return send_all(fd, ours, sizeof ours) && recv_all(fd, theirs, sizeof theirs) &&
           sp_handshake_read((struct str){(const char *)theirs, sizeof theirs}, SP_REP0) == SP_WHOLE;
}

static inline size_t frame_put(unsigned char *out, enum sp_transport transport, uint32_t id, const char *text)
{
    size_t len = strlen(text), at = sp_frame_write(transport, 4 + len, out);
    const unsigned char hops[4] = {(unsigned char)(0x80 | id >> 24), (unsigned char)(id >> 16),
                                   (unsigned char)(id >> 8), (unsigned char)id};
    memcpy(out + at, hops, sizeof hops);
    memcpy(out + at + 4, text, len);
    return at + 4 + len;
}

// Asks and reads the answer as text into `out`; false on any failure or another's id.
static inline bool ask(int fd, enum sp_transport transport, uint32_t id, const char *text, char *out,
                       size_t size)
{
    unsigned char frame[4096], header[SP_HEADER_MAX];
    size_t len = frame_put(frame, transport, id, text), head = sp_header_bytes(transport);
    if (!send_all(fd, frame, len) || !recv_all(fd, header, head)) {
        return false;
    }
    size_t body = (size_t)header[head - 2] << 8 | header[head - 1] | (size_t)header[head - 3] << 16;
    unsigned char hops[4];
    if (body < 4 || body - 4 >= size || !recv_all(fd, hops, 4) || !recv_all(fd, out, body - 4)) {
        return false;
    }
    out[body - 4] = '\0';
    return hops[3] == (unsigned char)id && (hops[0] & 0x80) != 0;
}

static inline bool allows(const char *answer)
{
    json_t *root = json_loads(answer, 0, NULL);
    bool yes = json_is_true(json_object_get(root, "decision"));
    json_decref(root);
    return yes;
}

// One question of the admin endpoint; NULL on failure. The caller's to json_decref.
static inline json_t *admin(const struct daemon *daemon, const char *text)
{
    static char out[1 << 20];
    int fd = connect_ipc(daemon, "admin.ipc");
    json_t *root = NULL;
    if (fd >= 0 && shake(fd) && ask(fd, SP_IPC, 7, text, out, sizeof out)) {
        root = json_loads(out, 0, NULL);
    }
    if (fd >= 0) {
        (void)close(fd);
    }
    return root;
}

static inline json_int_t admin_number(const struct daemon *daemon, const char *map, const char *key)
{
    json_t *root = admin(daemon, "{\"op\": \"status\"}");
    json_t *at = map != NULL ? json_object_get(root, map) : root;
    json_int_t number =
        json_is_integer(json_object_get(at, key)) ? json_integer_value(json_object_get(at, key)) : -1;
    json_decref(root);
    return number;
}

#endif
