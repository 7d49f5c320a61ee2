// SPDX-License-Identifier: Apache-2.0
#include "http/route.h"
#include "http/server.h"
#include "http/tls.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

enum {
    BODY_KEPT = 8192,           // memory that a connection keeps between requests
    SWALLOWED_MAX = 1024 * 1024 // of a body that is too long; then the connection is cut
};

struct http_chunk {
    struct http_chunk *next;
    max_align_t bytes[];
};

static struct http_conn *conn_of(struct MHD_Connection *connection)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
    return info != NULL ? info->socket_context : NULL;
}

// ---- What endpoints see ------------------------------------------------------------------------------

const struct http_request *http_request(const struct http_call *call)
{
    return &call->request;
}

void *http_self(const struct http_call *call)
{
    return call->self;
}

struct text http_header(const struct http_request *request, const char *name, bool *more)
{
    struct text found = {0};
    if (more != NULL) {
        *more = false;
    }
    for (size_t i = 0; i < request->header_count; i++) {
        if (!text_is(request->headers[i].name, name)) {
            continue;
        }
        if (found.at != NULL) {
            if (more != NULL) {
                *more = true;
            }
            return found;
        }
        found = request->headers[i].value;
    }
    return found;
}

void *http_memory(struct http_call *call, size_t bytes)
{
    struct http_chunk *chunk = bytes < SIZE_MAX / 2 ? calloc(1, sizeof *chunk + bytes) : NULL;
    if (chunk == NULL) {
        return NULL;
    }
    chunk->next = call->memory;
    call->memory = chunk;
    return chunk->bytes;
}

void http_keep(struct http_call *call, void *kept)
{
    call->kept = kept;
}

void *http_kept(const struct http_call *call)
{
    return call->kept;
}

static void forget_memory(struct http_call *call)
{
    while (call->memory != NULL) {
        struct http_chunk *chunk = call->memory;
        call->memory = chunk->next;
        free(chunk);
    }
}

// ---- Replies -----------------------------------------------------------------------------------------

void http_reply_owned(struct http_call *call, unsigned status, const char *type, char *body, size_t len)
{
    if (call->replied) {
        free(body);
        return;
    }
    call->replied = true;
    if (body == NULL || call->no_memory) {
        free(body);
        call->no_memory = true;
        return;
    }
    call->status = status;
    call->type = type;
    call->reply = body;
    call->reply_len = len;
}

void http_reply(struct http_call *call, unsigned status, const char *type, struct text body)
{
    char *copy = malloc(body.len + 1);
    if (copy != NULL && body.len > 0) {
        memcpy(copy, body.at, body.len);
    }
    http_reply_owned(call, status, type, copy, body.len);
}

void http_refuse(struct http_call *call, unsigned status, const char *format, ...)
{
    char text[1024];
    va_list args;
    va_start(args, format);
    int len = vsnprintf(text, sizeof text - 1, format, args);
    va_end(args);
    size_t used = len < 0 ? 0 : (size_t)len < sizeof text - 1 ? (size_t)len : sizeof text - 2;
    text[used++] = '\n';
    http_reply(call, status, HTTP_TEXT, (struct text){text, used});
}

bool http_reply_header(struct http_call *call, const char *name, struct text value)
{
    char *copy = call->reply_header_count < HTTP_REPLY_HEADERS ? http_memory(call, value.len + 1) : NULL;
    if (copy == NULL) {
        call->no_memory = true;
        return false;
    }
    for (size_t i = 0; i < value.len; i++) {
        unsigned char c = (unsigned char)value.at[i];
        copy[i] = c < 0x20 || c == 0x7f ? ' ' : (char)c;
    }
    call->reply_headers[call->reply_header_count].name = name;
    call->reply_headers[call->reply_header_count++].value = copy;
    return true;
}

static bool head_of(const struct http_call *call, struct MHD_Response *response)
{
    bool right = MHD_add_response_header(response, MHD_HTTP_HEADER_CACHE_CONTROL, "no-store") == MHD_YES;
    if (call->type != NULL) {
        right =
            right && MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, call->type) == MHD_YES;
    }
    for (size_t i = 0; i < call->reply_header_count; i++) {
        const char *name = call->reply_headers[i].name, *value = call->reply_headers[i].value;
        // libmicrohttpd refuses an empty value, which says nothing.
        right = right && (value[0] == '\0' || MHD_add_response_header(response, name, value) == MHD_YES);
    }
    if (atomic_load_explicit(&call->server->leaving, memory_order_relaxed)) {
        right = right && MHD_add_response_header(response, MHD_HTTP_HEADER_CONNECTION, "close") == MHD_YES;
    }
    return right;
}

// MHD_NO cuts the connection.
static enum MHD_Result send_reply(struct http_call *call)
{
    if (call->no_memory) {
        return MHD_NO;
    }
    struct MHD_Response *response =
        MHD_create_response_from_buffer(call->reply_len, call->reply, MHD_RESPMEM_MUST_FREE);
    if (response == NULL) {
        return MHD_NO;
    }
    call->reply = NULL;
    enum MHD_Result result =
        head_of(call, response) ? MHD_queue_response(call->connection, call->status, response) : MHD_NO;
    MHD_destroy_response(response);
    return result;
}

// ---- Questions ---------------------------------------------------------------------------------------

// On any thread. Where the connection sleeps it is woken; else the thread that asked sees that it need not
// sleep.
static void on_answer(void *user, enum pdp_err err, struct pdp_answer *answer)
{
    struct http_call *call = user;
    struct http_server *server = call->server;
    struct MHD_Connection *connection = call->connection;
    call->err = err;
    call->answer = answer;
    if (atomic_exchange(&call->wait, HTTP_ANSWERED) == HTTP_ASLEEP) {
        MHD_resume_connection(connection);
    }
    atomic_fetch_sub(&server->asked, 1);
}

void http_ask(struct http_call *call, const struct pdp_question *question, http_answered *then)
{
    struct http_server *server = call->server;
    const struct pdp_adapter_setup *setup = &server->setup;
    call->then = then;
    call->asking = true;
    call->err = PDP_ERR_CLOSED;
    call->answer = NULL;
    atomic_store(&call->wait, HTTP_ASKED);
    atomic_fetch_add(&server->asked, 1); // before `closing` is looked at: see settle
    enum pdp_err err = PDP_ERR_CLOSED;
    if (!atomic_load(&server->closing)) {
        err = pdp_decider_ask(&setup->decider, question, call->request.caller, setup->now_ms(setup->user),
                              (int32_t)server->limits.deadline_ms, on_answer, call);
    }
    if (err != PDP_ERR_OK) {
        on_answer(call, err, NULL);
    }
}

static void take_answer(struct http_call *call)
{
    struct pdp_answer *answer = call->answer;
    http_answered *then = call->then;
    call->answer = NULL;
    call->asking = false;
    then(call, call->err, answer);
    pdp_answer_free(&answer);
}

// Answers that are there are taken; where one is not there yet, the connection sleeps, and this returns
// false.
static bool answered(struct http_call *call)
{
    while (call->asking) {
        if (atomic_load(&call->wait) != HTTP_ANSWERED) {
            MHD_suspend_connection(call->connection);
            if (atomic_exchange(&call->wait, HTTP_ASLEEP) == HTTP_ANSWERED) {
                atomic_store(&call->wait, HTTP_ANSWERED);
                MHD_resume_connection(call->connection);
            }
            return false;
        }
        take_answer(call);
    }
    return true;
}

// ---- The way of a request ----------------------------------------------------------------------------

static void forget(struct http_call *call)
{
    pdp_answer_free(&call->answer);
    forget_memory(call);
    free(call->reply);
    if (call->body_room > BODY_KEPT) {
        free(call->body);
        call->body = NULL;
        call->body_room = 0;
    }
    call->request = (struct http_request){0};
    call->body_len = 0;
    call->endpoint = NULL;
    call->self = NULL;
    call->begun = call->unread = call->too_long = call->served = call->no_memory = call->asking =
        call->replied = false;
    call->then = NULL;
    call->kept = NULL;
    call->status = 0;
    call->type = NULL;
    call->reply = NULL;
    call->reply_len = 0;
    call->reply_header_count = 0;
}

void call_fini(struct http_call *call)
{
    forget(call);
    free(call->target);
    free(call->body);
    call->target = call->body = NULL;
}

// libmicrohttpd goes on to take the query apart, argument by argument, and where they are too many it never
// answers. It has found the query already; it now finds it empty. The text is in its own buffer, and is never
// read again.
static void hide_query(const char *target)
{
    char *query = target != NULL ? strchr((char *)(uintptr_t)target, '?') : NULL;
    if (query != NULL) {
        query[1] = '\0';
    }
}

void *call_begins(void *server, const char *target, struct MHD_Connection *connection)
{
    (void)server;
    struct http_conn *conn = conn_of(connection);
    size_t len = target != NULL ? strlen(target) : 0;
    if (conn == NULL) {
        return NULL;
    }
    struct http_call *call = &conn->call;
    forget(call);
    if (len + 1 > call->target_room) {
        char *more = realloc(call->target, len + 1);
        if (more == NULL) {
            return NULL;
        }
        call->target = more;
        call->target_room = len + 1;
    }
    memcpy(call->target, target != NULL ? target : "", len);
    call->target[len] = '\0';
    hide_query(target);
    return call;
}

static bool body_longer(const struct http_request *request)
{
    struct text length = http_header(request, MHD_HTTP_HEADER_CONTENT_LENGTH, NULL);
    size_t bytes = 0;
    for (size_t i = 0; i < length.len && bytes <= HTTP_BODY_MAX; i++) {
        bytes = bytes * 10 + (size_t)(length.at[i] - '0'); // digits: libmicrohttpd has looked
    }
    return bytes > HTTP_BODY_MAX;
}

// The gateway's own id of the request goes back as it came, whatever becomes of it.
static void echo_request_id(struct http_call *call)
{
    struct text id = http_header(&call->request, "X-Request-ID", NULL);
    if (id.len > 0) {
        (void)http_reply_header(call, "X-Request-ID", id);
    }
}

static void begin(struct http_call *call, struct http_conn *conn, const char *path, const char *method,
                  const char *version)
{
    const char *why = NULL;
    unsigned status = 0;
    call->begun = true;
    call->request.peer = conn->peer;
    call->request.secure = call->server->tls != NULL;
    bool right = head_read(call, path, method, version, &why, &status);
    if (!right) {
        call->unread = true;
        http_refuse(call, status, "%s", why);
        return;
    }
    echo_request_id(call);
    if (body_longer(&call->request)) {
        call->unread = true;
        http_refuse(call, MHD_HTTP_CONTENT_TOO_LARGE, "the body is longer than %d bytes", HTTP_BODY_MAX);
        return;
    }
    call->request.certificate = call->server->tls != NULL ? tls_client(call->server->tls, conn) : NULL;
    route(call);
}

// May the body be left unread? It is where nobody knows where it ends, where it is long, and where the client
// waits to hear whether it should send it at all.
static bool early(const struct http_call *call)
{
    return call->unread || http_header(&call->request, MHD_HTTP_HEADER_EXPECT, NULL).at != NULL;
}

static enum MHD_Result receive(struct http_call *call, const char *upload, size_t len)
{
    call->too_long = call->too_long || len > HTTP_BODY_MAX - call->body_len;
    if (call->replied || call->too_long) {
        // Swallowed: libmicrohttpd sends nothing before a body has ended.
        call->body_len += len;
        return call->body_len <= SWALLOWED_MAX ? MHD_YES : MHD_NO;
    }
    if (call->body_len + len > call->body_room) {
        size_t room = call->body_room > 0 ? call->body_room : 1024;
        while (room < call->body_len + len) {
            room *= 2;
        }
        char *more = realloc(call->body, room);
        if (more == NULL) {
            return MHD_NO;
        }
        call->body = more;
        call->body_room = room;
    }
    memcpy(call->body + call->body_len, upload, len);
    call->body_len += len;
    return MHD_YES;
}

static void serve(struct http_call *call, struct http_conn *conn)
{
    call->served = true;
    atomic_store_explicit(&conn->since_ms, server_steady_ms(), memory_order_relaxed);
    if (call->replied) {
        return;
    }
    if (call->too_long) {
        http_refuse(call, MHD_HTTP_CONTENT_TOO_LARGE, "the body is longer than %d bytes", HTTP_BODY_MAX);
        return;
    }
    call->request.body = (struct text){call->body_len > 0 ? call->body : "", call->body_len};
    call->endpoint->serve(call);
}

enum MHD_Result call_goes_on(void *user, struct MHD_Connection *connection, const char *path,
                             const char *method, const char *version, const char *upload,
                             size_t *upload_bytes, void **state)
{
    struct http_server *server = user;
    struct http_call *call = *state;
    struct http_conn *conn = conn_of(connection);
    if (call == NULL || conn == NULL) {
        return MHD_NO;
    }
    if (!call->begun) {
        call->counted = true;
        atomic_fetch_add(&server->busy, 1);
        begin(call, conn, path, method, version);
        // A reply that does not wait for the end of the request ends the connection.
        return call->replied && early(call) ? send_reply(call) : MHD_YES;
    }
    if (*upload_bytes > 0) {
        size_t len = *upload_bytes;
        *upload_bytes = 0;
        return receive(call, upload, len);
    }
    if (!call->served) {
        serve(call, conn);
    }
    if (!answered(call)) {
        return MHD_YES;
    }
    if (!call->replied) {
        http_refuse(call, MHD_HTTP_INTERNAL_SERVER_ERROR, "this request was left without a reply");
    }
    return send_reply(call);
}

void call_ends(void *user, struct MHD_Connection *connection, void **state,
               enum MHD_RequestTerminationCode why)
{
    struct http_server *server = user;
    struct http_call *call = *state;
    (void)connection;
    (void)why;
    *state = NULL;
    if (call == NULL) {
        return;
    }
    forget(call);
    if (call->counted) {
        call->counted = false;
        atomic_fetch_sub(&server->busy, 1);
    }
}
