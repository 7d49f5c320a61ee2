// SPDX-License-Identifier: Apache-2.0
// The agent with a decider of the test's own, which answers at once, later from other threads, much too late,
// or not at all: every question gets one ACK, no more are allowed than it allowed, and answers that come when
// the connection or the whole agent is gone find nobody and harm nothing. Meant for ThreadSanitizer too.
#include "haproxy/spop.h"
#include "wire/answer.h"

#include <netinet/in.h>
#include <pdp/adapter.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

extern const struct pdp_adapter_kind pdp_spoe_adapter;

enum {
    CLIENTS = 4,
    ANSWERERS = 2,
    TALKS = 20, // of one client, in one life of the agent
    ASKED = 40, // at once
    LIVES = 3
};

#define ALLOW                                                                                        \
    "{\"decision\": true, \"context\": {\"effect\": \"allow\", \"code\": \"policy\", \"resource\": " \
    "{\"path\": \"/a\"}}}"

static atomic_ullong asked, allowed, acks, seen_allowed, wrong;
static atomic_bool ending;

static void must(bool holds, const char *what)
{
    if (!holds) {
        (void)atomic_fetch_add(&wrong, 1);
        (void)fprintf(stderr, "FAILED: %s\n", what);
    }
}

// ---- The decider -------------------------------------------------------------------------------------

struct owed {
    struct owed *next;
    pdp_answered answered;
    void *user;
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t there = PTHREAD_COND_INITIALIZER;
static struct owed *soon, *never; // those of `never` are told when the agent is gone

static void tell(pdp_answered answered, void *user)
{
    struct pdp_answer *answer = NULL;
    (void)!answer_read((struct str){ALLOW, sizeof ALLOW - 1}, &answer);
    (void)atomic_fetch_add(&allowed, 1);
    answered(user, PDP_ERR_OK, answer);
}

static void owe(struct owed **list, pdp_answered answered, void *user)
{
    struct owed *one = calloc(1, sizeof *one);
    if (one == NULL) {
        abort();
    }
    (void)pthread_mutex_lock(&lock);
    *one = (struct owed){*list, answered, user};
    *list = one;
    (void)pthread_cond_signal(&there);
    (void)pthread_mutex_unlock(&lock);
}

static enum pdp_err ask(const struct pdp_decider *decider, const struct pdp_question *message,
                        const char *gateway, int64_t now_ms, int32_t deadline_ms, pdp_answered answered,
                        void *user)
{
    (void)decider, (void)now_ms;
    must(pdp_question_error(message) == PDP_ERR_OK && gateway == NULL && deadline_ms == 60, "what is asked");
    switch (atomic_fetch_add(&asked, 1) % 8) {
    case 0:
        return PDP_ERR_BUSY;
    case 1:
        owe(&never, answered, user);
        return PDP_ERR_OK;
    case 2:
    case 3:
    case 4:
        owe(&soon, answered, user);
        return PDP_ERR_OK;
    case 5:
        answered(user, PDP_ERR_TIMEOUT, NULL);
        return PDP_ERR_OK;
    default:
        tell(answered, user);
        return PDP_ERR_OK;
    }
}

static void *answer_soon(void *user)
{
    (void)user;
    (void)pthread_mutex_lock(&lock);
    while (!atomic_load(&ending) || soon != NULL) {
        struct owed *one = soon;
        if (one == NULL) {
            (void)pthread_cond_wait(&there, &lock);
            continue;
        }
        soon = one->next;
        (void)pthread_mutex_unlock(&lock);
        tell(one->answered, one->user);
        free(one);
        (void)pthread_mutex_lock(&lock);
    }
    (void)pthread_mutex_unlock(&lock);
    return NULL;
}

static void answer_never(void)
{
    while (never != NULL) {
        struct owed *one = never;
        never = one->next;
        tell(one->answered, one->user);
        free(one);
    }
}

// ---- HAProxy -----------------------------------------------------------------------------------------

static struct spop_value word(const char *text)
{
    return (struct spop_value){.kind = SPOP_STRING, .text = text_of(text)};
}

static void write_hello(struct spop_writer *out)
{
    struct spop_value version = word("2.0"), size = {.kind = SPOP_UINT32, .number = 4096},
                      can = word("pipelining");
    unsigned char *begin = spop_begin_frame(out, SPOP_HAPROXY_HELLO, 0, 0);
    spop_write_pair(out, "supported-versions", &version);
    spop_write_pair(out, "max-frame-size", &size);
    spop_write_pair(out, "capabilities", &can);
    spop_end_frame(out, begin);
}

static void write_notify(struct spop_writer *out, uint64_t id)
{
    struct spop_value method = word("GET"), target = word("/a");
    unsigned char *begin = spop_begin_frame(out, SPOP_NOTIFY, id, id + 1);
    spop_write_text(out, TEXT("request"));
    spop_write_byte(out, 2);
    spop_write_pair(out, "method", &method);
    spop_write_pair(out, "target", &target);
    spop_end_frame(out, begin);
}

static bool send_all(int fd, const unsigned char *bytes, const unsigned char *end)
{
    while (bytes < end) {
        ssize_t n = send(fd, bytes, (size_t)(end - bytes), MSG_NOSIGNAL);
        if (n <= 0) {
            return false;
        }
        bytes += n;
    }
    return true;
}

static bool receive_all(int fd, unsigned char *bytes, size_t len)
{
    for (size_t have = 0; have < len;) {
        ssize_t n = recv(fd, bytes + have, len - have, 0);
        if (n <= 0) {
            return false;
        }
        have += (size_t)n;
    }
    return true;
}

// One whole frame; false: it is over.
static bool receive_frame(int fd, unsigned char bytes[static 8192], struct spop_frame *frame)
{
    size_t used;
    enum spop_status why;
    if (!receive_all(fd, bytes, SPOP_LENGTH_BYTES)) {
        return false;
    }
    size_t len = (size_t)bytes[2] << 8 | bytes[3];
    return len <= 4096 && receive_all(fd, bytes + SPOP_LENGTH_BYTES, len) &&
           spop_read_frame(bytes, SPOP_LENGTH_BYTES + len, 4096, frame, &used, &why) == SPOP_WHOLE;
}

static bool allows(const struct spop_frame *frame)
{
    static const unsigned char BEGIN[] = "\x01\x03\x02\x06"
                                         "effect\x08\x05"
                                         "allow";
    size_t len = sizeof BEGIN - 1;
    return (size_t)(frame->payload.end - frame->payload.at) > len &&
           memcmp(frame->payload.at, BEGIN, len) == 0;
}

static void read_acks(int fd, uint64_t first)
{
    unsigned char bytes[8192];
    bool seen[ASKED] = {false};
    for (unsigned i = 0; i < ASKED; i++) {
        struct spop_frame frame;
        if (!receive_frame(fd, bytes, &frame) || frame.type == SPOP_AGENT_DISCONNECT) {
            must(atomic_load(&ending), "an ACK for each question");
            return;
        }
        uint64_t at = frame.stream_id - first;
        must(frame.type == SPOP_ACK && frame.frame_id == frame.stream_id + 1, "an ACK");
        must(at < ASKED && !seen[at], "one ACK for each question");
        seen[at < ASKED ? at : 0] = true;
        (void)atomic_fetch_add(&acks, 1);
        (void)atomic_fetch_add(&seen_allowed, allows(&frame));
    }
}

static int dial(const struct sockaddr_in *address)
{
    const struct timeval most = {.tv_sec = 60}; // instead of for ever
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    (void)setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &most, sizeof most);
    if (fd >= 0 && connect(fd, (const struct sockaddr *)address, sizeof *address) != 0) {
        (void)close(fd);
        fd = -1;
    }
    return fd;
}

static void talk(const struct sockaddr_in *address, unsigned number)
{
    unsigned char bytes[8192];
    struct spop_frame frame;
    int fd = dial(address);
    struct spop_writer out = {bytes, bytes + sizeof bytes, false};
    write_hello(&out);
    if (fd >= 0 && send_all(fd, bytes, out.at) && receive_frame(fd, bytes, &frame)) {
        out = (struct spop_writer){bytes, bytes + sizeof bytes, false};
        for (uint64_t i = 0; i < ASKED; i++) {
            write_notify(&out, number * 1000 + i);
        }
        bool sent = send_all(fd, bytes, out.at);
        if (sent && number % 4 != 0) { // every fourth leaves with its questions under way
            read_acks(fd, number * 1000);
        }
    }
    if (fd >= 0) {
        (void)close(fd);
    }
}

static void *client(void *user)
{
    const struct sockaddr_in *address = user;
    for (unsigned i = 0; i < TALKS && !atomic_load(&ending); i++) {
        talk(address, i);
    }
    return NULL;
}

// ---- One life of the agent ---------------------------------------------------------------------------

static int64_t now_ms(void *user)
{
    struct timespec now;
    (void)user;
    (void)clock_gettime(CLOCK_REALTIME, &now);
    return (int64_t)now.tv_sec * 1000;
}

static void quiet(void *user, enum pdp_log_level level, const char *event, const char *text)
{
    (void)user, (void)level, (void)event, (void)text;
}

static int listener_at(struct sockaddr_in *address)
{
    socklen_t len = sizeof *address;
    *address = (struct sockaddr_in){.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0 || bind(fd, (struct sockaddr *)address, sizeof *address) != 0 || listen(fd, 64) != 0 ||
        getsockname(fd, (struct sockaddr *)address, &len) != 0) {
        abort();
    }
    return fd;
}

// `hurry`: the agent is closed while clients ask.
static void live(bool hurry)
{
    static const struct pdp_decider_ops OPS = {.size = sizeof OPS, .ask = ask};
    static const struct pdp_setting SETTINGS[] = {{"deadline", "60ms"}};
    struct sockaddr_in address;
    int listener = listener_at(&address);
    struct pdp_adapter_setup setup = {.size = sizeof setup,
                                      .decider = {&OPS, NULL},
                                      .listeners = &listener,
                                      .listener_count = 1,
                                      .settings = SETTINGS,
                                      .setting_count = 1,
                                      .threads = 3,
                                      .now_ms = now_ms,
                                      .log = quiet};
    struct pdp_adapter *adapter = NULL;
    struct pdp_adapter_wrong why;
    pthread_t threads[CLIENTS + ANSWERERS];
    atomic_store(&ending, false);
    must(pdp_spoe_adapter.open(&setup, &adapter, &why) == PDP_ERR_OK, "opens");
    unsigned long long before = atomic_load(&acks);
    for (int i = 0; i < CLIENTS + ANSWERERS; i++) {
        (void)pthread_create(&threads[i], NULL, i < CLIENTS ? client : answer_soon, &address);
    }
    while (hurry && atomic_load(&acks) < before + 200) {
        (void)sched_yield();
    }
    for (int i = 0; i < CLIENTS && !hurry; i++) {
        (void)pthread_join(threads[i], NULL);
    }
    atomic_store(&ending, true);
    pdp_spoe_adapter.close(&adapter);
    must(adapter == NULL, "leaves NULL behind");
    (void)close(listener);
    (void)pthread_mutex_lock(&lock);
    (void)pthread_cond_broadcast(&there);
    (void)pthread_mutex_unlock(&lock);
    for (int i = hurry ? 0 : CLIENTS; i < CLIENTS + ANSWERERS; i++) {
        (void)pthread_join(threads[i], NULL);
    }
    answer_never();
}

int main(void)
{
    for (int i = 0; i < LIVES; i++) {
        live(false);
        live(true);
    }
    unsigned long long told = atomic_load(&allowed), through = atomic_load(&seen_allowed);
    must(through > 0 && through <= told, "no more is allowed than was");
    printf("%llu asked, %llu ACKs, %llu allowed of %llu, %llu wrong\n", atomic_load(&asked),
           atomic_load(&acks), through, told, atomic_load(&wrong));
    return atomic_load(&wrong) != 0;
}
