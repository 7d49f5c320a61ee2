// SPDX-License-Identifier: Apache-2.0
#include "haproxy/notify.h"

#include <arpa/inet.h>
#include <stdarg.h>
#include <stdio.h>

// X(NAME, name, place in the facts, how it is read: NULL is text that goes there)
#define ARGUMENT_LIST(X)                                          \
    X(METHOD, "method", method, NULL)                             \
    X(TARGET, "target", target, NULL)                             \
    X(HOST, "host", host, NULL)                                   \
    X(SCHEME, "scheme", scheme, NULL)                             \
    X(HTTPS, "https", scheme, take_https)                         \
    X(IP, "ip", address, take_ip)                                 \
    X(HEADERS, "headers", method, take_headers)                   \
    X(FORWARDED_FOR, "forwarded_for", method, take_forwarded)     \
    X(USER_AGENT, "user_agent", user_agent, NULL)                 \
    X(COOKIE, "cookie", method, take_cookie)                      \
    X(AUTHORIZATION, "authorization", method, take_authorization) \
    X(SESSION, "session", session_id, NULL)                       \
    X(SUBJECT, "subject", subject_id, NULL)                       \
    X(SUBJECT_TYPE, "subject_type", subject_type, NULL)           \
    X(TENANT, "tenant", tenant, NULL)                             \
    X(ROLES, "roles", roles, take_roles)                          \
    X(AUTH_TIME, "auth_time", auth_time_s, take_auth_time)        \
    X(ACR, "acr", acr, NULL)                                      \
    X(AMR, "amr", amr, take_amr)                                  \
    X(JA4, "ja4", ja4, NULL)                                      \
    X(DEVICE, "device", fingerprint, NULL)

enum argument {
#define X(name, text, member, take) ARGUMENT_##name,
    ARGUMENT_LIST(X)
#undef X
    ARGUMENT_COUNT
};
static const struct text NAMES[] = {
#define X(name, text, member, take) {text, sizeof text - 1},
    ARGUMENT_LIST(X)
#undef X
};

struct reading {
    const struct notify_rules *rules;
    struct notify *out;
    uint32_t seen;     // bits of enum argument; also of those that were null
    struct facts said; // by arguments
    struct identity_header headers[NOTIFY_HEADERS_MOST];
    size_t header_count;
};

__attribute__((format(printf, 2, 3))) static enum pdp_err wrong(struct reading *to, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    (void)vsnprintf(to->out->why, sizeof to->out->why, format, args);
    va_end(args);
    return PDP_ERR_MALFORMED;
}

static bool saw(const struct reading *to, enum argument argument)
{
    return (to->seen >> argument & 1) != 0;
}

static enum pdp_err add_header(struct reading *to, struct text name, struct text value)
{
    if (to->header_count == COUNT_OF(to->headers)) {
        (void)wrong(to, "more than %d headers", NOTIFY_HEADERS_MOST);
        return PDP_ERR_LIMIT;
    }
    to->headers[to->header_count++] = (struct identity_header){name, value};
    return PDP_ERR_OK;
}

// ---- Values that are more than text ---------------------------------------------------------------------

static enum pdp_err take_https(struct reading *to, const struct spop_value *value)
{
    if (value->kind != SPOP_BOOL) {
        return wrong(to, "argument `https` is no boolean");
    }
    to->said.scheme = value->yes ? TEXT("https") : TEXT("http");
    return PDP_ERR_OK;
}

static enum pdp_err take_ip(struct reading *to, const struct spop_value *value)
{
    struct notify *out = to->out;
    if (value->kind == SPOP_STRING) {
        to->said.address = value->text;
        return PDP_ERR_OK;
    }
    if (value->kind != SPOP_IPV4 && value->kind != SPOP_IPV6) {
        return wrong(to, "argument `ip` is no address");
    }
    int family = value->kind == SPOP_IPV4 ? AF_INET : AF_INET6;
    if (inet_ntop(family, value->address, out->address, sizeof out->address) == NULL) {
        return wrong(to, "argument `ip` cannot be written");
    }
    to->said.address = text_of(out->address);
    return PDP_ERR_OK;
}

static bool read_seconds(struct text text, int64_t *out)
{
    *out = 0;
    for (size_t i = 0; i < text.len; i++) {
        if (text.at[i] < '0' || text.at[i] > '9') {
            return false;
        }
        *out = *out * 10 + (text.at[i] - '0');
    }
    return text.len > 0 && text.len <= 12;
}

static enum pdp_err take_auth_time(struct reading *to, const struct spop_value *value)
{
    struct facts *facts = &to->said;
    bool number = value->kind >= SPOP_INT32 && value->kind <= SPOP_UINT64;
    facts->auth_time_s = (int64_t)value->number;
    facts->has_auth_time = number
                               ? value->number <= INT64_MAX
                               : value->kind == SPOP_STRING && read_seconds(value->text, &facts->auth_time_s);
    return facts->has_auth_time ? PDP_ERR_OK : wrong(to, "argument `auth_time` is no number of seconds");
}

// One header as an argument.
static enum pdp_err take_header(struct reading *to, const struct spop_value *value, const char *argument,
                                const char *header)
{
    return value->kind == SPOP_STRING ? add_header(to, text_of(header), value->text)
                                      : wrong(to, "argument `%s` is no text", argument);
}

static enum pdp_err take_forwarded(struct reading *to, const struct spop_value *value)
{
    return take_header(to, value, "forwarded_for", "x-forwarded-for");
}

static enum pdp_err take_cookie(struct reading *to, const struct spop_value *value)
{
    return take_header(to, value, "cookie", "cookie");
}

static enum pdp_err take_authorization(struct reading *to, const struct spop_value *value)
{
    return take_header(to, value, "authorization", "authorization");
}

// `hr, it` or `hr it`
static enum pdp_err take_list(struct reading *to, const char *name, const struct spop_value *value,
                              struct text list[static NOTIFY_LIST_MOST], size_t *count)
{
    if (value->kind != SPOP_STRING) {
        return wrong(to, "argument `%s` is no text", name);
    }
    const char *at = value->text.at, *end = at + value->text.len;
    while (at < end) {
        const char *begin = at;
        while (at < end && *at != ',' && *at != ' ' && *at != '\t') {
            at++;
        }
        if (at > begin && *count == NOTIFY_LIST_MOST) {
            (void)wrong(to, "argument `%s` has more than %d entries", name, NOTIFY_LIST_MOST);
            return PDP_ERR_LIMIT;
        }
        if (at > begin) {
            list[(*count)++] = (struct text){begin, (size_t)(at - begin)};
        }
        at++;
    }
    return PDP_ERR_OK;
}

static enum pdp_err take_roles(struct reading *to, const struct spop_value *value)
{
    to->said.roles = to->out->roles;
    return take_list(to, "roles", value, to->out->roles, &to->said.role_count);
}

static enum pdp_err take_amr(struct reading *to, const struct spop_value *value)
{
    to->said.amr = to->out->amr;
    return take_list(to, "amr", value, to->out->amr, &to->said.amr_count);
}

// ---- All headers at once --------------------------------------------------------------------------------

// Names and values in turn, until both are empty.
static enum pdp_err take_headers(struct reading *to, const struct spop_value *value)
{
    if (value->kind != SPOP_BINARY) {
        return wrong(to, "argument `headers` is not what `req.hdrs_bin` gives");
    }
    struct spop_reader in = {(const unsigned char *)value->text.at,
                             (const unsigned char *)value->text.at + value->text.len};
    for (;;) {
        struct text name, line;
        if (spop_read_text(&in, &name) != PDP_ERR_OK || spop_read_text(&in, &line) != PDP_ERR_OK) {
            return wrong(to, "argument `headers` ends too early");
        }
        if (name.len == 0) {
            return line.len == 0 && in.at == in.end ? PDP_ERR_OK : wrong(to, "a header has no name");
        }
        enum pdp_err err = add_header(to, name, line);
        if (err != PDP_ERR_OK) {
            return err;
        }
    }
}

// ---- The table of arguments -------------------------------------------------------------------------------

static const struct {
    size_t text; // its place in the facts, where it is text and nothing else
    enum pdp_err (*take)(struct reading *to, const struct spop_value *value);
} ARGUMENTS[] = {
#define X(name, text, member, take) {offsetof(struct facts, member), take},
    ARGUMENT_LIST(X)
#undef X
};
_Static_assert(ARGUMENT_COUNT <= 32, "`seen` has a bit for each");

static enum pdp_err take_argument(struct reading *to, enum argument argument, const struct spop_value *value)
{
    if (saw(to, argument)) {
        return wrong(to, "argument `%s` is there twice", NAMES[argument].at);
    }
    to->seen |= UINT32_C(1) << argument;
    if (value->kind == SPOP_NULL) {
        return PDP_ERR_OK;
    }
    if (ARGUMENTS[argument].take != NULL) {
        return ARGUMENTS[argument].take(to, value);
    }
    if (value->kind != SPOP_STRING) {
        return wrong(to, "argument `%s` is no text", NAMES[argument].at);
    }
    memcpy((char *)&to->said + ARGUMENTS[argument].text, &value->text, sizeof value->text);
    return PDP_ERR_OK;
}

static enum pdp_err read_argument(struct reading *to, struct spop_reader *in)
{
    struct text name;
    struct spop_value value;
    if (spop_read_text(in, &name) != PDP_ERR_OK || spop_read_value(in, &value) != PDP_ERR_OK) {
        return wrong(to, "the message ends too early");
    }
    for (unsigned i = 0; i < ARGUMENT_COUNT; i++) {
        if (text_eq(name, NAMES[i])) {
            return take_argument(to, (enum argument)i, &value);
        }
    }
    return wrong(to, "argument `%.*s` is not known", (int)(name.len < 64 ? name.len : 64), name.at);
}

static enum pdp_err read_message(struct reading *to, struct spop_reader in)
{
    struct text name;
    unsigned char count;
    if (spop_read_text(&in, &name) != PDP_ERR_OK || spop_read_byte(&in, &count) != PDP_ERR_OK) {
        return wrong(to, "there is no message");
    }
    enum pdp_err err = PDP_ERR_OK;
    for (unsigned i = 0; i < count && err == PDP_ERR_OK; i++) {
        err = read_argument(to, &in);
    }
    if (err == PDP_ERR_OK && in.at != in.end) {
        return wrong(to, "there is more than one message");
    }
    return err;
}

// ---- What follows from all of them
// --------------------------------------------------------------------------

static enum pdp_err join_forwarded(struct reading *to)
{
    struct notify *out = to->out;
    struct text lines[NOTIFY_LINES_MOST];
    size_t count = 0;
    for (size_t i = 0; i < to->header_count; i++) {
        if (text_is(to->headers[i].name, "x-forwarded-for")) {
            if (count == COUNT_OF(lines)) {
                (void)wrong(to, "more than %d lines of X-Forwarded-For", NOTIFY_LINES_MOST);
                return PDP_ERR_LIMIT;
            }
            lines[count++] = to->headers[i].value;
        }
    }
    out->facts.forwarded_for = out->forwarded;
    out->facts.forwarded_count = facts_forwarded(lines, count, out->forwarded, COUNT_OF(out->forwarded));
    return PDP_ERR_OK;
}

// A header that a request may have once, where no argument says it. Servers differ in which of two they take.
static enum pdp_err only_one(struct reading *to, const char *header, enum argument argument, struct text *out)
{
    for (size_t i = 0; i < to->header_count && !saw(to, argument); i++) {
        if (!text_is(to->headers[i].name, header)) {
            continue;
        }
        if (out->at != NULL && !text_eq(*out, to->headers[i].value)) {
            return wrong(to, "header `%s` is there twice with different values", header);
        }
        *out = to->headers[i].value;
    }
    return PDP_ERR_OK;
}

// What arguments say of who it is wins over what was found in headers.
static void prefer_arguments(struct reading *to)
{
    struct facts *facts = &to->out->facts;
    const struct facts *said = &to->said;
    static const enum argument TEXTS[] = {ARGUMENT_SUBJECT, ARGUMENT_SUBJECT_TYPE, ARGUMENT_TENANT,
                                          ARGUMENT_SESSION, ARGUMENT_ACR};
    for (size_t i = 0; i < COUNT_OF(TEXTS); i++) {
        if (saw(to, TEXTS[i])) {
            size_t at = ARGUMENTS[TEXTS[i]].text;
            memcpy((char *)facts + at, (const char *)said + at, sizeof(struct text));
        }
    }
    if (saw(to, ARGUMENT_ROLES)) {
        facts->roles = said->roles;
        facts->role_count = said->role_count;
    }
    if (saw(to, ARGUMENT_AMR)) {
        facts->amr = said->amr;
        facts->amr_count = said->amr_count;
    }
    if (saw(to, ARGUMENT_AUTH_TIME)) {
        facts->has_auth_time = said->has_auth_time;
        facts->auth_time_s = said->auth_time_s;
    }
    // Nobody, with somebody's session: to ask so would be to take it from its owner, and end it.
    if (saw(to, ARGUMENT_SUBJECT) && facts->subject_id.at == NULL) {
        facts->session_id = (struct text){0};
    }
}

static enum pdp_err judge(struct reading *to)
{
    struct notify *out = to->out;
    const struct identity_read *read = &out->read;
    bool known = saw(to, ARGUMENT_SUBJECT) && out->facts.subject_id.at != NULL;
    if (read->verdict == IDENTITY_ASK || (read->verdict == IDENTITY_NO_TOKEN && known)) {
        return PDP_ERR_OK;
    }
    (void)wrong(to, "%s", read->why);
    if (read->verdict == IDENTITY_REFUSED) {
        return PDP_ERR_MALFORMED;
    }
    out->challenge =
        read->verdict == IDENTITY_NO_TOKEN ? "Bearer realm=\"pdp\"" : "Bearer error=\"invalid_token\"";
    return PDP_ERR_DENIED;
}

static enum pdp_err identify(struct reading *to, int64_t now_ms)
{
    struct notify *out = to->out;
    const struct notify_rules *rules = to->rules;
    if (rules->needs_headers && !saw(to, ARGUMENT_HEADERS) && !saw(to, ARGUMENT_COOKIE) &&
        !saw(to, ARGUMENT_AUTHORIZATION) && !saw(to, ARGUMENT_SESSION)) {
        return wrong(
            to, "argument `headers` is missing, in which the settings look for the session and the user");
    }
    if (rules->identity == NULL) {
        prefer_arguments(to);
        return PDP_ERR_OK;
    }
    // What a header says of the user is for a proxy in front of HAProxy to say, not for a client.
    char peer[sizeof out->address];
    size_t len = out->facts.address.len < sizeof peer ? out->facts.address.len : 0;
    if (len > 0) {
        memcpy(peer, out->facts.address.at, len);
    }
    peer[len] = '\0';
    bool believed = len > 0 && identity_trusts(rules->identity, peer);
    identity_read(rules->identity, to->headers, to->header_count, believed, now_ms, &out->facts, &out->read);
    prefer_arguments(to);
    return judge(to);
}

static enum pdp_err finish(struct reading *to, int64_t now_ms)
{
    struct notify *out = to->out;
    out->facts = to->said;
    if (to->said.method.at == NULL || to->said.target.at == NULL) {
        return wrong(to, "argument `%s` is missing", to->said.method.at == NULL ? "method" : "target");
    }
    static const enum argument AGAIN[] = {ARGUMENT_FORWARDED_FOR, ARGUMENT_COOKIE, ARGUMENT_AUTHORIZATION};
    for (size_t i = 0; i < COUNT_OF(AGAIN); i++) {
        if (saw(to, ARGUMENT_HEADERS) && saw(to, AGAIN[i])) {
            return wrong(to, "argument `%s` says again what `headers` says", NAMES[AGAIN[i]].at);
        }
    }
    enum pdp_err err = join_forwarded(to);
    if (err == PDP_ERR_OK) {
        err = only_one(to, "user-agent", ARGUMENT_USER_AGENT, &out->facts.user_agent);
    }
    if (err == PDP_ERR_OK) {
        err = only_one(to, "host", ARGUMENT_HOST, &out->facts.host);
    }
    return err == PDP_ERR_OK ? identify(to, now_ms) : err;
}

enum pdp_err notify_read(struct spop_reader payload, const struct notify_rules *rules, int64_t now_ms,
                         struct notify *out)
{
    memset(&out->facts, 0, sizeof out->facts);
    out->read.verdict = IDENTITY_ASK;
    out->read.claims = NULL;
    out->why[0] = '\0';
    out->challenge = NULL;
    struct reading to = {.rules = rules, .out = out};
    enum pdp_err err = read_message(&to, payload);
    if (err == PDP_ERR_OK) {
        err = finish(&to, now_ms);
    }
    if (err != PDP_ERR_OK) {
        memset(&out->facts, 0, sizeof out->facts);
    }
    return err;
}

void notify_fini(struct notify *notify)
{
    identity_read_fini(&notify->read);
}
