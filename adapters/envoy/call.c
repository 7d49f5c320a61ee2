// SPDX-License-Identifier: Apache-2.0
#include "envoy/call.h"

#include "ext_authz.pb-c.h"

#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

static const size_t UNFINISHED_MOST = 64 << 20; // bytes of requests that are not whole yet, of a thread

struct call {
    struct call *next; // in the box
    struct call_box *box;
    const struct call_rules *rules;
    struct check_asked asked;
    enum pdp_err err;
    struct pdp_answer *answer;
    // Of the owning thread alone:
    pthread_t thread;
    bool asking, at_once;
    struct http2_stream *stream; // NULL: nobody waits any more
    void *whose;
};

struct call_box {
    pthread_mutex_t lock;
    struct call *first, **end;
    size_t held; // by its owner, and by each question under way
    bool closed;
    int wake;
};

// ---- The box -----------------------------------------------------------------------------------------

static struct call_box *box_new(void)
{
    struct call_box *box = calloc(1, sizeof *box);
    if (box == NULL) {
        return NULL;
    }
    box->wake = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    if (box->wake < 0) {
        free(box);
        return NULL;
    }
    (void)pthread_mutex_init(&box->lock, NULL);
    box->end = &box->first;
    box->held = 1;
    return box;
}

static void box_hold(struct call_box *box)
{
    (void)pthread_mutex_lock(&box->lock);
    box->held++;
    (void)pthread_mutex_unlock(&box->lock);
}

static void box_let_go(struct call_box *box)
{
    (void)pthread_mutex_lock(&box->lock);
    bool last = --box->held == 0;
    (void)pthread_mutex_unlock(&box->lock);
    if (last) {
        (void)close(box->wake);
        (void)pthread_mutex_destroy(&box->lock);
        free(box);
    }
}

static void box_wake(const struct call_box *box)
{
    static const uint64_t ONE = 1;
    (void)!write(box->wake, &ONE, sizeof ONE);
}

static struct call *box_empty(struct call_box *box)
{
    uint64_t count;
    (void)!read(box->wake, &count, sizeof count);
    (void)pthread_mutex_lock(&box->lock);
    struct call *all = box->first;
    box->first = NULL;
    box->end = &box->first;
    (void)pthread_mutex_unlock(&box->lock);
    return all;
}

static void call_free(struct call *call)
{
    pdp_answer_free(&call->answer);
    check_asked_fini(&call->asked);
    free(call);
}

// The box outlives the call: its hold is given back last.
static void call_end(struct call *call)
{
    struct call_box *box = call->box;
    call_free(call);
    box_let_go(box);
}

// ---- Responding --------------------------------------------------------------------------------------

static void respond_status(struct http2_stream *stream, enum grpc_status status, const char *why)
{
    http2_respond(stream, &(struct http2_answer){.http = 200, .status = status, .why = why});
}

// Whatever happened, a Check is answered by a CheckResponse: an error of gRPC is what `failure_mode_allow`
// opens for.
static void respond_check(const struct call_rules *rules, struct http2_stream *stream,
                          const struct pdp_answer *answer, const struct check_asked *asked)
{
    unsigned char *bytes = NULL;
    size_t len = 0;
    struct http2_answer reply = {.http = 200, .status = GRPC_OK, .message = check_denial()};
    if (check_reply(&rules->check, answer, asked, &bytes, &len) == PDP_ERR_OK) {
        reply.message = (struct text){(const char *)bytes, len};
    }
    http2_respond(stream, &reply);
    free(bytes);
}

static void respond_call(struct call *call)
{
    const struct pdp_answer *answer = call->err == PDP_ERR_OK ? call->answer : NULL;
    respond_check(call->rules, call->stream, answer, &call->asked);
    call->stream = NULL;
}

// ---- Check -------------------------------------------------------------------------------------------

// On any thread, or on our own while it asks.
static void on_answered(void *user, enum pdp_err err, struct pdp_answer *answer)
{
    struct call *call = user;
    call->err = err;
    call->answer = answer;
    if (pthread_equal(call->thread, pthread_self()) && call->asking) {
        call->at_once = true;
        return;
    }
    struct call_box *box = call->box;
    (void)pthread_mutex_lock(&box->lock);
    bool closed = box->closed;
    if (!closed) {
        call->next = NULL;
        *box->end = call;
        box->end = &call->next;
        box_wake(box); // under the lock: the descriptor is there as long as the box is open
    }
    (void)pthread_mutex_unlock(&box->lock);
    if (closed) {
        call_end(call);
    }
}

// Takes *asked over where it is not NULL.
static struct call *call_new(struct calls *calls, struct http2_stream *stream, struct check_asked *asked,
                             const struct call_peer *peer)
{
    struct call *call = calloc(1, sizeof *call);
    if (call == NULL) {
        return NULL;
    }
    call->box = calls->box;
    call->rules = calls->rules;
    call->asked = *asked;
    asked->target = NULL;
    call->thread = calls->thread;
    call->stream = stream;
    call->whose = peer->whose;
    box_hold(calls->box);
    return call;
}

// The gateway must have its answer before it gives up: to it, silence is an error.
static int64_t patience(const struct call_rules *rules, struct text timeout)
{
    int64_t theirs_ms = 0;
    if (!grpc_timeout(timeout, &theirs_ms)) {
        return rules->deadline_ms;
    }
    theirs_ms -= theirs_ms / 8;
    return theirs_ms < rules->deadline_ms ? theirs_ms : rules->deadline_ms;
}

static enum pdp_err ask(struct calls *calls, struct call *call, const char *gateway, int64_t patience_ms)
{
    const struct call_rules *rules = calls->rules;
    call->asking = true;
    enum pdp_err err = pdp_decider_ask(&rules->decider, calls->question, gateway[0] != '\0' ? gateway : NULL,
                                       rules->now_ms(rules->user), (int32_t)patience_ms, on_answered, call);
    call->asking = false; // an answer on another thread lies in the box by now, which is ours to empty
    return err;
}

// Whatever is wrong with it, OK is what may be asked.
static enum pdp_err read_check(struct calls *calls, const struct http2_request *request,
                               const struct call_peer *peer, struct check_asked *asked)
{
    static const char *const WHY[] = {[HTTP2_TOO_BIG] = "the CheckRequest is longer than 64 KiB",
                                      [HTTP2_HEADERS_TOO_BIG] = "the headers of the call are too long",
                                      [HTTP2_BROKEN] = "the call holds no whole message"};
    const struct call_rules *rules = calls->rules;
    *asked = (struct check_asked){0};
    if (calls->waiting >= calls->waiting_most) {
        return PDP_ERR_BUSY;
    }
    if (request->fault != HTTP2_WHOLE) {
        asked->why = WHY[request->fault];
        return PDP_ERR_MALFORMED;
    }
    pdp_question_reset(calls->question);
    return check_ask(&rules->check, request->message, peer->believed, rules->now_ms(rules->user),
                     calls->question, asked);
}

static void check_serve(struct calls *calls, struct http2_stream *stream, const struct http2_request *request,
                        const struct call_peer *peer, int64_t now_ms)
{
    if (request->fault == HTTP2_COMPRESSED) {
        respond_status(stream, GRPC_UNIMPLEMENTED, "compressed messages are not taken");
        return;
    }
    struct check_asked asked;
    struct call *call = NULL;
    if (read_check(calls, request, peer, &asked) == PDP_ERR_OK) {
        call = call_new(calls, stream, &asked, peer);
    }
    if (call == NULL) {
        respond_check(calls->rules, stream, NULL, &asked);
        check_asked_fini(&asked);
        return;
    }
    int64_t patience_ms = patience(calls->rules, request->timeout);
    enum pdp_err err = ask(calls, call, peer->gateway, patience_ms);
    if (err != PDP_ERR_OK || call->at_once) {
        call->err = err != PDP_ERR_OK ? err : call->err;
        respond_call(call);
        call_end(call);
        return;
    }
    calls->waiting++;
    http2_attach(stream, call);
    http2_wait(stream, now_ms + patience_ms);
}

void call_late(struct http2_stream *stream)
{
    struct call *call = http2_attached(stream);
    if (call != NULL) {
        call->stream = NULL; // the box, or the closing of it, ends the call
        respond_check(call->rules, stream, NULL, &call->asked);
    }
}

void call_gone(struct http2_stream *stream)
{
    struct call *call = http2_attached(stream);
    if (call != NULL) {
        call->stream = NULL;
    }
}

void calls_take(struct calls *calls, void (*ready)(void *user, void *whose), void *user)
{
    struct call *call = box_empty(calls->box);
    while (call != NULL) {
        struct call *next = call->next;
        if (call->stream != NULL) {
            ready(user, call->whose);
        }
        if (call->stream != NULL) { // its time may have been up just now
            respond_call(call);
        }
        calls->waiting--;
        call_end(call);
        call = next;
    }
}

// ---- Health ------------------------------------------------------------------------------------------

static bool names_us(const ProtobufCBinaryData *service)
{
    static const char OURS[] = "envoy.service.auth.v3.Authorization";
    return service->len == 0 ||
           (service->len == sizeof OURS - 1 && memcmp(service->data, OURS, service->len) == 0);
}

static void health_serve(struct calls *calls, struct http2_stream *stream,
                         const struct http2_request *request, const struct call_peer *peer, int64_t now_ms)
{
    static const char SERVING[] = "\x08\x01", NOT_SERVING[] = "\x08\x02"; // status 1, status 2
    (void)peer;
    (void)now_ms;
    if (request->fault != HTTP2_WHOLE) {
        respond_status(stream,
                       request->fault == HTTP2_COMPRESSED ? GRPC_UNIMPLEMENTED : GRPC_INVALID_ARGUMENT,
                       "a HealthCheckRequest was expected");
        return;
    }
    Extauthz__HealthRequest *health =
        extauthz__health_request__unpack(NULL, request->message.len, (const uint8_t *)request->message.at);
    if (health == NULL) {
        respond_status(stream, GRPC_INVALID_ARGUMENT, "a HealthCheckRequest was expected");
    } else if (!names_us(&health->service)) {
        respond_status(stream, GRPC_NOT_FOUND, "no such service");
    } else {
        bool closing = atomic_load(calls->rules->closing);
        http2_respond(stream, &(struct http2_answer){.http = 200,
                                                     .status = GRPC_OK,
                                                     .message = closing ? TEXT(NOT_SERVING) : TEXT(SERVING)});
    }
    extauthz__health_request__free_unpacked(health, NULL);
}

// ---- Methods -----------------------------------------------------------------------------------------

static const struct {
    const char *path;
    void (*serve)(struct calls *calls, struct http2_stream *stream, const struct http2_request *request,
                  const struct call_peer *peer, int64_t now_ms);
} METHODS[] = {
    {"/envoy.service.auth.v3.Authorization/Check", check_serve},
    {"/grpc.health.v1.Health/Check", health_serve},
};

void call_serve(struct calls *calls, struct http2_stream *stream, const struct http2_request *request,
                const struct call_peer *peer, int64_t now_ms)
{
    if (!text_eq(request->method, TEXT("POST"))) {
        http2_respond(stream, &(struct http2_answer){.http = 405});
        return;
    }
    if (!grpc_is_content_type(request->content_type)) {
        http2_respond(stream, &(struct http2_answer){.http = 415});
        return;
    }
    for (size_t i = 0; i < COUNT_OF(METHODS); i++) {
        if (text_eq(request->path, text_of(METHODS[i].path))) {
            METHODS[i].serve(calls, stream, request, peer, now_ms);
            return;
        }
    }
    respond_status(stream, GRPC_UNIMPLEMENTED, "no such method");
}

// ---- All of a thread ---------------------------------------------------------------------------------

enum pdp_err calls_init(struct calls *calls, const struct call_rules *rules, size_t most)
{
    *calls = (struct calls){.rules = rules, .waiting_most = most, .memory = UNFINISHED_MOST};
    enum pdp_err err = pdp_question_new(&calls->question);
    if (err != PDP_ERR_OK) {
        return err;
    }
    calls->box = box_new();
    if (calls->box == NULL) {
        pdp_question_free(&calls->question);
        return PDP_ERR_NOMEM;
    }
    return PDP_ERR_OK;
}

void calls_fini(struct calls *calls)
{
    if (calls->box == NULL) {
        return;
    }
    (void)pthread_mutex_lock(&calls->box->lock);
    calls->box->closed = true;
    (void)pthread_mutex_unlock(&calls->box->lock);
    for (struct call *call = box_empty(calls->box), *next; call != NULL; call = next) {
        next = call->next;
        call_end(call);
    }
    box_let_go(calls->box);
    calls->box = NULL;
    pdp_question_free(&calls->question);
}

int calls_wake_fd(const struct calls *calls)
{
    return calls->box->wake;
}

void calls_wake(const struct calls *calls)
{
    box_wake(calls->box);
}
