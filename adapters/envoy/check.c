// SPDX-License-Identifier: Apache-2.0
#include "envoy/check.h"

#include "common/cookie.h"
#include "common/facts.h"
#include "ext_authz.pb-c.h"

#include <stdio.h>
#include <stdlib.h>

enum {
    LINES_MOST = 64,         // headers of one name that are looked at
    UNPACKED_MOST = 1 << 20, // bytes that a message may take once it is taken apart
    EXTENSION_PATH_MAX = 300
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

static bool collect(struct text name, struct text value, const char *wanted, struct text *lines,
                    size_t *count)
{
    if (!text_is(name, wanted)) {
        return true;
    }
    if (*count == LINES_MOST) {
        return false;
    }
    lines[(*count)++] = value;
    return true;
}

// All headers of a name, in their order, from either of the two forms. false: more than are looked at.
static bool lines_of(const Extauthz__Http *http, const char *name, struct text lines[LINES_MOST],
                     size_t *count)
{
    bool all = true;
    *count = 0;
    for (size_t i = 0; i < http->n_headers; i++) {
        const Extauthz__Pair *pair = http->headers[i];
        all = all && collect(text_in(&pair->key), text_in(&pair->value), name, lines, count);
    }
    size_t raw = http->header_map != NULL ? http->header_map->n_headers : 0;
    for (size_t i = 0; i < raw; i++) {
        const Extauthz__RawHeader *header = http->header_map->headers[i];
        all = all && collect(text_in(&header->key), raw_value(header), name, lines, count);
    }
    return all;
}

// ---- Who ---------------------------------------------------------------------------------------------

static enum pdp_err session_from_cookie(const char *name, const Extauthz__Http *http, struct facts *facts)
{
    struct text lines[LINES_MOST], value;
    size_t count;
    if (!lines_of(http, "cookie", lines, &count)) {
        return PDP_ERR_LIMIT;
    }
    switch (cookie_find(lines, count, text_of(name), &value)) {
    case COOKIE_NONE:
        return PDP_ERR_OK;
    case COOKIE_ONE:
        facts->session_id = value;
        return PDP_ERR_OK;
    case COOKIE_AMBIGUOUS:
        break;
    }
    return PDP_ERR_DUPLICATE;
}

static enum pdp_err session_from_header(const char *name, const Extauthz__Http *http, struct facts *facts)
{
    struct text lines[LINES_MOST];
    size_t count;
    if (!lines_of(http, name, lines, &count) || count > 1) {
        return PDP_ERR_DUPLICATE;
    }
    if (count == 1 && facts->session_id.at != NULL) {
        return text_eq(facts->session_id, lines[0]) ? PDP_ERR_OK : PDP_ERR_DUPLICATE;
    }
    if (count == 1) {
        facts->session_id = lines[0];
    }
    return PDP_ERR_OK;
}

static enum pdp_err identify(const struct check_rules *rules, const Extauthz__Http *http, struct facts *facts)
{
    enum pdp_err err = PDP_ERR_OK;
    if (rules->session_cookie != NULL) {
        err = session_from_cookie(rules->session_cookie, http, facts);
    }
    if (err == PDP_ERR_OK && rules->session_header != NULL) {
        err = session_from_header(rules->session_header, http, facts);
    }
    return err;
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

static void put_extensions(const Extauthz__Attributes *attributes, struct facts *facts,
                           struct pdp_question *question)
{
    for (size_t i = 0; i < attributes->n_context_extensions; i++) {
        struct text key = text_in(&attributes->context_extensions[i]->key);
        struct text value = text_in(&attributes->context_extensions[i]->value);
        if (text_eq(key, TEXT("tenant"))) {
            facts->tenant = value;
        } else if (text_eq(key, TEXT("subject_type"))) {
            facts->subject_type = value;
        } else {
            put_extension(question, key, value);
        }
    }
}

static void put_source(const Extauthz__Peer *source, struct facts *facts, struct pdp_question *question)
{
    if (source == NULL) {
        return;
    }
    if (source->address != NULL && source->address->socket_address != NULL) {
        facts->address = sent(&source->address->socket_address->address);
    }
    struct text principal = sent(&source->principal);
    if (principal.at != NULL) {
        (void)pdp_question_set_text_n(question, "context.tls.principal", principal.at, principal.len);
    }
}

static enum pdp_err put_request(const struct check_rules *rules, const Extauthz__Http *http,
                                struct facts *facts, struct pdp_question *question)
{
    struct text lines[LINES_MOST], forwarded[FACTS_FORWARDED_MOST];
    size_t count;
    facts->method = text_in(&http->method);
    facts->target = text_in(&http->path);
    facts->host = sent(&http->host);
    facts->scheme = sent(&http->scheme);
    if (lines_of(http, "user-agent", lines, &count) && count == 1) {
        facts->user_agent = lines[0];
    }
    if (!lines_of(http, "x-forwarded-for", lines, &count)) {
        return PDP_ERR_LIMIT;
    }
    facts->forwarded_count = facts_forwarded(lines, count, forwarded, COUNT_OF(forwarded));
    facts->forwarded_for = forwarded;
    enum pdp_err err = identify(rules, http, facts);
    return err != PDP_ERR_OK ? err : facts_ask(facts, question);
}

static enum pdp_err copy_of(const ProtobufCBinaryData *path, char **out)
{
    if (path->len > 0 && memchr(path->data, '\0', path->len) != NULL) {
        return PDP_ERR_MALFORMED;
    }
    *out = calloc(1, path->len + 1);
    if (*out == NULL) {
        return PDP_ERR_NOMEM;
    }
    if (path->len > 0) {
        memcpy(*out, path->data, path->len);
    }
    return PDP_ERR_OK;
}

static enum pdp_err ask(const struct check_rules *rules, const Extauthz__CheckRequest *request,
                        struct pdp_question *question, char **target)
{
    const Extauthz__Attributes *attributes = request->attributes;
    const Extauthz__Http *http =
        attributes != NULL && attributes->request != NULL ? attributes->request->http : NULL;
    if (http == NULL) {
        return PDP_ERR_MALFORMED;
    }
    struct facts facts = {0};
    put_extensions(attributes, &facts, question);
    put_source(attributes->source, &facts, question);
    enum pdp_err err = put_request(rules, http, &facts, question);
    return err != PDP_ERR_OK ? err : copy_of(&http->path, target);
}

enum pdp_err check_ask(const struct check_rules *rules, struct text message, struct pdp_question *question,
                       char **target)
{
    *target = NULL;
    size_t left = UNPACKED_MOST;
    ProtobufCAllocator allocator = {budget_alloc, budget_free, &left};
    Extauthz__CheckRequest *request =
        extauthz__check_request__unpack(&allocator, message.len, (const uint8_t *)message.at);
    if (request == NULL) {
        return PDP_ERR_MALFORMED;
    }
    enum pdp_err err = ask(rules, request, question, target);
    extauthz__check_request__free_unpacked(request, &allocator);
    return err;
}
