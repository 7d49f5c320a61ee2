// SPDX-License-Identifier: Apache-2.0
// Any bytes as an HTTP/2 connection that carries gRPC, and as a CheckRequest: nothing is taken twice, nothing
// is held once it is over, and what is no allow is never answered by one. The first byte says how the
// connection is served.
#include "common/identity.h"
#include "envoy/check.h"
#include "envoy/http2.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

enum {
    MEMORY = 1 << 20,
    WAITING_MOST = 8,
    DUE_MS = 50,
    NOW_MS = 1000
};

static struct check_rules rules = {.rewrite = true};
static const struct http2_limits LIMITS = {.streams = WAITING_MOST,
                                           .header_bytes = 1024,
                                           .message_bytes = 8192,
                                           .receive_ms = 100,
                                           .linger_ms = 100};

struct served {
    struct http2_stream *waiting[WAITING_MOST];
    size_t count;
    unsigned how;
    int64_t now_ms;
};

static void must(bool holds)
{
    if (!holds) {
        abort();
    }
}

// ---- A CheckRequest ----------------------------------------------------------------------------------

static void check(struct text message)
{
    struct pdp_question *question = NULL;
    struct check_asked asked;
    if (pdp_question_new(&question) != PDP_ERR_OK) {
        return;
    }
    enum pdp_err err = check_ask(&rules, message, true, NOW_MS, question, &asked);
    must(err != PDP_ERR_OK || (asked.target != NULL && asked.why == NULL));
    must(err != PDP_ERR_OK || pdp_question_error(question) == PDP_ERR_OK);
    unsigned char *reply = NULL;
    size_t reply_len = 0;
    if (check_reply(&rules, NULL, &asked, &reply, &reply_len) == PDP_ERR_OK) {
        // Both begin with the status: PERMISSION_DENIED, as in the denial, or UNAUTHENTICATED.
        struct text denial = check_denial();
        must(reply_len > 4 && memcmp(reply, denial.at, 3) == 0 && (reply[3] == 7 || reply[3] == 16));
    }
    free(reply);
    check_asked_fini(&asked);
    pdp_question_free(&question);
}

// ---- A connection ------------------------------------------------------------------------------------

static void answer(struct http2_stream *stream)
{
    http2_respond(stream, &(struct http2_answer){.http = 200, .status = GRPC_OK, .message = check_denial()});
}

static void forget(struct served *served, struct http2_stream *stream)
{
    for (size_t i = 0; i < served->count; i++) {
        if (served->waiting[i] == stream) {
            served->waiting[i] = served->waiting[--served->count];
            return;
        }
    }
    must(false); // it was asked for, or was answered before
}

static void asked(void *user, struct http2_stream *stream, const struct http2_request *request)
{
    struct served *served = user;
    must(http2_attached(stream) == NULL);
    must(request->fault != HTTP2_WHOLE || request->message.at != NULL);
    must(request->message.len <= LIMITS.message_bytes);
    if (request->fault == HTTP2_WHOLE) {
        check(request->message);
    }
    if ((served->how & 1) == 0 || served->count == WAITING_MOST) {
        answer(stream);
        return;
    }
    http2_attach(stream, served);
    if ((served->how & 2) != 0) {
        http2_wait(stream, served->now_ms + DUE_MS);
    }
    served->waiting[served->count++] = stream;
}

static void late(void *user, struct http2_stream *stream)
{
    must(http2_attached(stream) == user);
    forget(user, stream);
    answer(stream);
}

static void gone(void *user, struct http2_stream *stream)
{
    must(http2_attached(stream) == user);
    forget(user, stream);
}

static void drain(struct http2 *http2)
{
    const unsigned char *out = NULL;
    while (http2_output(http2, &out) > 0) {
        must(out != NULL);
    }
}

static void serve(struct http2 *http2, struct served *served, const uint8_t *bytes, size_t len)
{
    size_t piece = (served->how >> 4) != 0 ? (size_t)1 << (served->how >> 4) : len;
    for (size_t at = 0; at < len; at += piece) {
        size_t taken = len - at < piece ? len - at : piece;
        if (http2_feed(http2, served->now_ms, bytes + at, taken) != PDP_ERR_OK) {
            return;
        }
        served->now_ms += 10;
        http2_tick(http2, served->now_ms);
        if ((served->how & 4) == 0) {
            drain(http2);
        }
        if ((served->how & 8) != 0 && served->count > 0) {
            struct http2_stream *stream = served->waiting[--served->count];
            answer(stream);
        }
    }
}

static void connection(const uint8_t *bytes, size_t len)
{
    struct served served = {.how = len > 0 ? bytes[0] : 0, .now_ms = NOW_MS};
    struct http2_handler handler = {asked, late, gone, &served};
    struct http2 *http2 = NULL;
    size_t memory = MEMORY;
    if (len == 0 || http2_new(&LIMITS, &handler, &memory, served.now_ms, &http2) != PDP_ERR_OK) {
        return;
    }
    serve(http2, &served, bytes + 1, len - 1);
    must(http2_streams(http2) >= served.count && http2_streams(http2) <= LIMITS.streams);
    http2_tick(http2, served.now_ms + 1000000);
    drain(http2);
    http2_leave(http2);
    drain(http2);
    http2_free(&http2);
    must(served.count == 0 && memory == MEMORY);
}

static int64_t now_ms(void *user)
{
    (void)user;
    return NOW_MS;
}

static void say(void *user, enum pdp_log_level level, const char *event, const char *text)
{
    (void)user;
    (void)level;
    (void)event;
    (void)text;
}

static void settle(void)
{
    static const struct pdp_setting SETTINGS[] = {
        {"session", "cookie:sid"}, {"subject", "header:x-user"}, {"roles", "header:x-roles"}};
    struct pdp_adapter_setup setup = {.size = sizeof setup,
                                      .settings = SETTINGS,
                                      .setting_count = sizeof SETTINGS / sizeof *SETTINGS,
                                      .threads = 1,
                                      .now_ms = now_ms,
                                      .log = say};
    struct pdp_adapter_wrong wrong;
    must(identity_new(&setup, &rules.identity, &wrong) == PDP_ERR_OK);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    if (rules.identity == NULL) {
        settle();
    }
    connection(bytes, len);
    check((struct text){(const char *)bytes, len});
    return 0;
}
