// SPDX-License-Identifier: Apache-2.0
// The notices endpoint of a real daemon: stock libnng SUB sockets, and peers that are rude.
#include "system/daemon.h"
#include "wire/notice.h"

#include <nng/nng.h>
#include <nng/protocol/pubsub0/sub.h>

#define SESSION_QUESTION                                                                                 \
    "{\"subject\": {\"type\": \"user\", \"id\": \"alice\"}, \"action\": {\"name\": \"GET\"}, "           \
    "\"resource\": {\"type\": \"route\", \"id\": \"/a\"}, \"context\": {\"session\": {\"id\": \"one\", " \
    "\"auth_time\": %lld}}}"

__attribute__((visibility("default"))) const char *__lsan_default_suppressions(void);
const char *__lsan_default_suppressions(void)
{
    return "leak:libnng.so";
}

struct sub {
    nng_socket socket;
    struct arena arena;
    nng_msg *msg;
};

static void sub_open(struct sub *sub, const struct daemon *daemon)
{
    char url[128];
    (void)snprintf(url, sizeof url, "ipc://%s/notices.ipc", daemon->dir);
    *sub = (struct sub){.socket = NNG_SOCKET_INITIALIZER};
    arena_init(&sub->arena, 0, 0);
    CHECK(nng_sub0_open(&sub->socket) == 0);
    CHECK(nng_socket_set(sub->socket, NNG_OPT_SUB_SUBSCRIBE, "", 0) == 0);
    CHECK(nng_socket_set_ms(sub->socket, NNG_OPT_RECVTIMEO, DEADLINE_MS) == 0);
    CHECK(nng_dial(sub->socket, url, NULL, 0) == 0);
}

static void sub_close(struct sub *sub)
{
    if (sub->msg != NULL) {
        nng_msg_free(sub->msg);
    }
    (void)nng_close(sub->socket);
    arena_fini(&sub->arena);
}

static bool sub_next(struct sub *sub, struct bulletin *out)
{
    *out = (struct bulletin){0};
    if (sub->msg != NULL) {
        nng_msg_free(sub->msg);
        sub->msg = NULL;
    }
    arena_reset(&sub->arena);
    return nng_recvmsg(sub->socket, &sub->msg, 0) == 0 &&
           notice_read((struct str){nng_msg_body(sub->msg), nng_msg_len(sub->msg)}, &sub->arena, out) ==
               PDP_ERR_OK;
}

// The next of a kind; every number in between must be there.
static bool sub_until(struct sub *sub, enum notice_kind kind, struct bulletin *out)
{
    uint64_t last = 0;
    for (int64_t until = now_ms() + DEADLINE_MS; now_ms() < until && sub_next(sub, out);) {
        bool next = last == 0 || out->notice.seq == last + (out->notice.kind != NOTICE_HEARTBEAT);
        CHECK(next);
        last = out->notice.seq;
        if (out->notice.kind == kind) {
            return true;
        }
    }
    return false;
}

static bool ask_session(const struct daemon *daemon)
{
    static char question[512], answer[8192];
    (void)snprintf(question, sizeof question, SESSION_QUESTION, (long long)time(NULL) - 10);
    int fd = connect_ipc(daemon, "decide.ipc");
    bool asked = fd >= 0 && shake(fd) && ask(fd, SP_IPC, 9, question, answer, sizeof answer);
    if (fd >= 0) {
        (void)close(fd);
    }
    return asked && allows(answer);
}

static void terminate(const struct daemon *daemon, char ref[NOTICE_REF_BYTES])
{
    json_t *done =
        admin(daemon, "{\"op\": \"session.terminate\", \"session\": \"one\", \"reason\": \"test\"}");
    json_t *one = json_array_get(json_object_get(done, "terminated"), 0);
    CHECK(json_is_true(json_object_get(done, "ok")));
    CHECK(notice_ref_read(str_of(json_string_value(json_object_get(one, "ref"))), ref));
    json_decref(done);
}

// An end and a reload are told to all, in order and numbered; heartbeats say what the last number was.
static void tells_all(struct daemon *daemon)
{
    struct sub subs[3];
    struct bulletin first, told, beat;
    char ref[NOTICE_REF_BYTES];
    for (size_t i = 0; i < COUNT_OF(subs); i++) {
        sub_open(&subs[i], daemon);
        CHECK(sub_next(&subs[i], &first) && first.notice.kind == NOTICE_HEARTBEAT && first.boot > 0);
        CHECK(first.interval_ms == 50 && first.notice.policy_epoch == 1);
    }
    CHECK(ask_session(daemon));
    terminate(daemon, ref);
    for (size_t i = 0; i < COUNT_OF(subs); i++) {
        CHECK(sub_until(&subs[i], NOTICE_ENDED, &told) && strcmp(told.notice.ref, ref) == 0);
        CHECK(told.notice.code == PDP_CODE_TERMINATED && told.boot == first.boot);
        CHECK(sub_until(&subs[i], NOTICE_HEARTBEAT, &beat) && beat.notice.seq == told.notice.seq);
    }
    CHECK(!ask_session(daemon));
    json_decref(admin(daemon, "{\"op\": \"reload\"}"));
    for (size_t i = 0; i < COUNT_OF(subs); i++) {
        CHECK(sub_until(&subs[i], NOTICE_POLICY_EPOCH, &told) && told.notice.policy_epoch == 2);
        sub_close(&subs[i]);
    }
}

// One that sends, one of another protocol, one that never reads: each is closed and counted; the others go
// on.
static void bears_the_rude(struct daemon *daemon)
{
    unsigned char hello[SP_HANDSHAKE_BYTES], byte;
    struct sub sub;
    struct bulletin beat;
    sub_open(&sub, daemon);
    int fd = connect_ipc(daemon, "notices.ipc");
    sp_handshake_write(SP_SUB0, hello);
    CHECK(send_all(fd, hello, sizeof hello) && send_all(fd, "\1\0\0\0\0\0\0\0\1x", 10));
    while (recv(fd, &byte, 1, 0) > 0) { // to its end
    }
    (void)close(fd);
    CHECK(admin_number(daemon, "refusals", "unasked") == 1);
    fd = connect_ipc(daemon, "notices.ipc");
    sp_handshake_write(SP_REQ0, hello);
    CHECK(send_all(fd, hello, sizeof hello));
    while (recv(fd, &byte, 1, 0) > 0) {
    }
    (void)close(fd);
    CHECK(admin_number(daemon, "refusals", "handshake_type") == 1);
    CHECK(sub_until(&sub, NOTICE_HEARTBEAT, &beat));
    sub_close(&sub);
}

// One that never reads is closed when too much waits for it; the ends of thousands of sessions reach the
// others.
static void leaves_the_slow(struct daemon *daemon)
{
    unsigned char hello[SP_HANDSHAKE_BYTES];
    struct sub sub;
    struct bulletin told;
    sub_open(&sub, daemon);
    CHECK(nng_socket_set_int(sub.socket, NNG_OPT_RECVBUF, 8192) == 0);
    int fd = connect_ipc(daemon, "notices.ipc");
    sp_handshake_write(SP_SUB0, hello);
    CHECK(send_all(fd, hello, sizeof hello));
    static char text[65536];
    uint64_t seq = 0;
    for (int round = 0; round < 100 && admin_number(daemon, "refusals", "backlog") < 1; round++) {
        int at = snprintf(text, sizeof text,
                          "{\"op\": \"session.terminate\", \"reason\": \"test\", \"sessions\": [");
        for (int i = 0; i < 200; i++) {
            at += snprintf(text + at, sizeof text - (size_t)at, "%s\"s%d-%d\"", i > 0 ? ", " : "", round, i);
        }
        (void)snprintf(text + at, sizeof text - (size_t)at, "]}");
        json_decref(admin(daemon, text));
        for (int i = 0; i < 200 && sub_until(&sub, NOTICE_ENDED, &told); i++) {
            CHECK(seq == 0 || told.notice.seq == seq + 1);
            seq = told.notice.seq;
        }
    }
    CHECK(admin_number(daemon, "refusals", "backlog") == 1);
    (void)close(fd);
    sub_close(&sub);
}

// What speaks against a session makes void what a gateway keeps of it.
static void tells_of_signals(const struct daemon *daemon)
{
    static char message[512], answer[8192];
    struct sub sub;
    struct bulletin told;
    sub_open(&sub, daemon);
    CHECK(sub_next(&sub, &told)); // it is there
    int fd = connect_ipc(daemon, "decide.ipc");
    CHECK(fd >= 0 && shake(fd));
    static const char EVENT[] =
        "{\"request_id\": \"%s\", \"event\": {\"type\": \"%s\", \"subject\": {\"type\": \"user\", "
        "\"id\": \"bob\"}, \"context\": {\"session\": {\"id\": \"three\"}}, "
        "\"properties\": {\"evidence\": 2.0}}}";
    static const char *const TYPES[] = {"login", "signal"};
    for (size_t i = 0; i < COUNT_OF(TYPES); i++) {
        (void)snprintf(message, sizeof message, EVENT, TYPES[i], TYPES[i]);
        CHECK(ask(fd, SP_IPC, (uint32_t)(11 + i), message, answer, sizeof answer) &&
              strstr(answer, "\"recorded\":true") != NULL);
    }
    CHECK(sub_until(&sub, NOTICE_STEP_UP, &told));
    CHECK(told.notice.ref[0] != '\0' && strstr(answer, told.notice.ref) != NULL);
    (void)close(fd);
    sub_close(&sub);
}

// Heartbeats carry the newest checkpoint of the audit log.
static void carries_the_checkpoint(const struct daemon *daemon)
{
    struct sub sub;
    struct bulletin told = {0};
    bool carried = false;
    sub_open(&sub, daemon);
    for (int64_t until = now_ms() + DEADLINE_MS; !carried && now_ms() < until && sub_next(&sub, &told);) {
        carried = told.notice.kind == NOTICE_HEARTBEAT && told.checkpoint.len != 0;
    }
    CHECK(carried && str_starts(told.checkpoint, STR("pdp-audit")));
    sub_close(&sub);
}

int main(void)
{
    struct daemon daemon;
    daemon_folder(&daemon);
    char config[256];
    (void)snprintf(config, sizeof config, "heartbeat: 50ms\naudit:\n  path: %s/audit\n", daemon.dir);
    put_file(&daemon, "pdpd.yaml", config);
    struct daemon_how how = {.args = {"--config", "dir@pdpd.yaml", "--policies", "dir@policies", "--decide",
                                      "ipc@decide.ipc", "--admin", "ipc@admin.ipc", "--notices",
                                      "ipc@notices.ipc", NULL}};
    daemon_spawn(&daemon, &how);
    CHECK(daemon_ready(&daemon));
    tells_all(&daemon);
    tells_of_signals(&daemon);
    carries_the_checkpoint(&daemon);
    bears_the_rude(&daemon);
    leaves_the_slow(&daemon);
    CHECK(daemon_stop(&daemon) == 0);
    daemon_clean(&daemon);
    (void)printf("%d checks, %d failed\n", checks, failures);
    return failures == 0 ? 0 : 1;
}
