// SPDX-License-Identifier: Apache-2.0
#include "envoy/check.h"

#include "common/facts.h"
#include "common/identity.h"
#include "ext_authz.pb-c.h"

#include <stdio.h>
#include <stdlib.h>

enum {
    HEADERS_MOST = 256,      // that a request may have; Envoy takes 100 unless told
    UNPACKED_MOST = 1 << 20, // bytes that a message may take once it is taken apart
    EXTENSION_PATH_MAX = 300
};

// What is known of one request while its question is made.
struct checking {
    const Extauthz__Attributes *attributes;
    const Extauthz__Http *http;
    struct identity_header headers[HEADERS_MOST];
    size_t header_count;
    struct text forwarded[FACTS_FORWARDED_MOST];
    struct facts facts;
    struct identity_read who;
};

// ---- Memory of a message -----------------------------------------------------------------------------

static void *budget_alloc(void *left_ptr, size_t bytes)
{
    size_t *left = left_ptr;
    if (bytes > *left) {
        return NULL;
    }
    *left -= bytes;
    return malloc(bytes);
}

static void budget_free(void *left, void *at)
{
    (void)left;
    free(at);
}

// ---- Headers -----------------------------------------------------------------------------------------

static struct text text_in(const ProtobufCBinaryData *data)
{
    static const char EMPTY[1] = "";
    return (struct text){data->len > 0 ? (const char *)data->data : EMPTY, data->len};
}

// Where nothing was sent, nothing is there.
static struct text sent(const ProtobufCBinaryData *data)
{
    return data->len > 0 ? text_in(data) : (struct text){0};
}

static struct text raw_value(const Extauthz__RawHeader *header)
{
    return header->raw_value.len > 0 ? text_in(&header->raw_value) : text_in(&header->value);
}

static bool add_header(struct checking *checking, struct text name, struct text value)
{
    if (checking->header_count == HEADERS_MOST) {
        return false;
    }
    if (name.len > 0 && name.at[0] != ':') { // what begins so is in fields of its own
        checking->headers[checking->header_count++] = (struct identity_header){name, value};
    }
    return true;
}

// All headers, from either of the two forms. false: more than are looked at.
static bool read_headers(struct checking *checking)
{
    const Extauthz__Http *http = checking->http;
    bool all = true;
    for (size_t i = 0; i < http->n_headers && all; i++) {
        all = add_header(checking, text_in(&http->headers[i]->key), text_in(&http->headers[i]->value));
    }
    size_t raw = http->header_map != NULL ? http->header_map->n_headers : 0;
    for (size_t i = 0; i < raw && all; i++) {
        const Extauthz__RawHeader *header = http->header_map->headers[i];
        all = add_header(checking, text_in(&header->key), raw_value(header));
    }
    return all;
}

// Those of a name, in their order; at most `room`. Returns how many there are.
static size_t lines_of(const struct checking *checking, const char *name, struct text *lines, size_t room)
{
    size_t count = 0;
    for (size_t i = 0; i < checking->header_count; i++) {
        if (text_is(checking->headers[i].name, name)) {
            if (count < room) {
                lines[count] = checking->headers[i].value;
            }
            count++;
        }
    }
    return count;
}

// ---- Who ---------------------------------------------------------------------------------------------

static void keep(struct text from, char to[CHECK_NAME_ROOM])
{
    if (from.at != NULL && from.len < CHECK_NAME_ROOM && memchr(from.at, '\0', from.len) == NULL) {
        memcpy(to, from.at, from.len); // the rest is zero
    }
}

static enum pdp_err identify(const struct check_rules *rules, int64_t now_ms, struct checking *checking,
                             struct check_asked *asked)
{
    identity_read(rules->identity, checking->headers, checking->header_count, true, now_ms, &checking->facts,
                  &checking->who);
    if (checking->who.verdict != IDENTITY_ASK) {
        asked->challenge = identity_challenge(&checking->who);
        asked->why = checking->who.why;
        return PDP_ERR_DENIED;
    }
    keep(checking->facts.subject_id, asked->subject);
    keep(checking->who.cookie, asked->cookie);
    return PDP_ERR_OK;
}

// ---- What --------------------------------------------------------------------------------------------

// `context_extensions` of a route: the tenant, the subject's type, properties of the resource; all else is
// `context.extensions`, for conditions.
static void put_extension(struct pdp_question *question, struct text key, struct text value)
{
    static const char PROPERTY[] = "resource.";
    bool property = key.len >= sizeof PROPERTY && memcmp(key.at, PROPERTY, sizeof PROPERTY - 1) == 0;
    const char *below = property ? "resource.properties." : "context.extensions.";
    char path[EXTENSION_PATH_MAX];
    size_t len = (size_t)snprintf(path, sizeof path, "%s", below);
    for (size_t i = property ? sizeof PROPERTY - 1 : 0; i < key.len; i++) {
        if (len + 3 > sizeof path || key.at[i] == '\0') {
            (void)pdp_question_set_text_n(question, "", "",
                                          0); // no such path: the question is broken for good
            return;
        }
        if (key.at[i] == '.' || key.at[i] == '\\') {
            path[len++] = '\\';
        }
        path[len++] = key.at[i];
    }
    path[len] = '\0';
    (void)pdp_question_set_text_n(question, path, value.at, value.len);
}

static void put_extensions(struct checking *checking, struct pdp_question *question)
{
    const Extauthz__Attributes *attributes = checking->attributes;
    for (size_t i = 0; i < attributes->n_context_extensions; i++) {
        struct text key = text_in(&attributes->context_extensions[i]->key);
        struct text value = text_in(&attributes->context_extensions[i]->value);
        if (text_eq(key, TEXT("tenant"))) {
            checking->facts.tenant = value;
        } else if (text_eq(key, TEXT("subject_type"))) {
            checking->facts.subject_type = value;
        } else {
            put_extension(question, key, value);
        }
    }
}

static void put_source(struct checking *checking, struct pdp_question *question)
{
    const Extauthz__Peer *source = checking->attributes->source;
    if (source == NULL) {
        return;
    }
    if (source->address != NULL && source->address->socket_address != NULL) {
        checking->facts.address = sent(&source->address->socket_address->address);
    }
    struct text principal = sent(&source->principal);
    if (principal.at != NULL) {
        (void)pdp_question_set_text_n(question, "context.tls.principal", principal.at, principal.len);
    }
}

static enum pdp_err put_request(struct checking *checking)
{
    const Extauthz__Http *http = checking->http;
    struct facts *facts = &checking->facts;
    struct text lines[FACTS_FORWARDED_MOST];
    facts->method = text_in(&http->method);
    facts->target = text_in(&http->path);
    facts->host = sent(&http->host);
    facts->scheme = sent(&http->scheme);
    if (lines_of(checking, "user-agent", lines, 1) == 1) {
        facts->user_agent = lines[0];
    }
    size_t count = lines_of(checking, "x-forwarded-for", lines, COUNT_OF(lines));
    if (count > COUNT_OF(lines)) {
        return PDP_ERR_LIMIT;
    }
    facts->forwarded_count =
        facts_forwarded(lines, count, checking->forwarded, COUNT_OF(checking->forwarded));
    facts->forwarded_for = checking->forwarded;
    return PDP_ERR_OK;
}

static enum pdp_err copy_target(const ProtobufCBinaryData *path, struct check_asked *asked)
{
    if (path->len > 0 && memchr(path->data, '\0', path->len) != NULL) {
        asked->why = "the path has a NUL in it";
        return PDP_ERR_MALFORMED;
    }
    asked->target = calloc(1, path->len + 1);
    if (asked->target == NULL) {
        return PDP_ERR_NOMEM;
    }
    if (path->len > 0) {
        memcpy(asked->target, path->data, path->len);
    }
    return PDP_ERR_OK;
}

static enum pdp_err ask(const struct check_rules *rules, int64_t now_ms, struct checking *checking,
                        struct pdp_question *question, struct check_asked *asked)
{
    if (checking->http == NULL) {
        asked->why = "this is no CheckRequest about HTTP";
        return PDP_ERR_MALFORMED;
    }
    if (!read_headers(checking) || put_request(checking) != PDP_ERR_OK) {
        asked->why = "the request has more headers than are looked at";
        return PDP_ERR_LIMIT;
    }
    enum pdp_err err = identify(rules, now_ms, checking, asked);
    if (err == PDP_ERR_OK) {
        put_extensions(checking, question);
        put_source(checking, question);
        err = copy_target(&checking->http->path, asked);
    }
    if (err == PDP_ERR_OK && (err = facts_ask(&checking->facts, question)) != PDP_ERR_OK) {
        asked->why = "the request has text in it that is none, or more than a question can hold";
    }
    return err;
}

static enum pdp_err take_apart(const struct check_rules *rules, const Extauthz__CheckRequest *request,
                               int64_t now_ms, struct pdp_question *question, struct check_asked *asked)
{
    struct checking *checking = calloc(1, sizeof *checking);
    if (checking == NULL) {
        return PDP_ERR_NOMEM;
    }
    checking->attributes = request->attributes;
    if (request->attributes != NULL && request->attributes->request != NULL) {
        checking->http = request->attributes->request->http;
    }
    enum pdp_err err = ask(rules, now_ms, checking, question, asked);
    identity_read_fini(&checking->who);
    free(checking);
    return err;
}

enum pdp_err check_ask(const struct check_rules *rules, struct text message, bool believed, int64_t now_ms,
                       struct pdp_question *question, struct check_asked *asked)
{
    *asked = (struct check_asked){.why = "the bytes are no CheckRequest"};
    if (!believed) {
        asked->why = "this peer is not among `trusted`, and shows no certificate";
        return PDP_ERR_DENIED;
    }
    size_t left = UNPACKED_MOST;
    ProtobufCAllocator allocator = {budget_alloc, budget_free, &left};
    Extauthz__CheckRequest *request =
        extauthz__check_request__unpack(&allocator, message.len, (const uint8_t *)message.at);
    if (request == NULL) {
        return PDP_ERR_MALFORMED;
    }
    asked->why = NULL;
    enum pdp_err err = take_apart(rules, request, now_ms, question, asked);
    extauthz__check_request__free_unpacked(request, &allocator);
    return err;
}

void check_asked_fini(struct check_asked *asked)
{
    free(asked->target);
    asked->target = NULL;
}
