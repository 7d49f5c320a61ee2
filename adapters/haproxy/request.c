// SPDX-License-Identifier: Apache-2.0
#include "haproxy/request.h"

#include "common/cookie.h"

#include <arpa/inet.h>
#include <stdarg.h>
#include <stdio.h>

// Lines of one header, in their order.
struct lines {
    struct text at[REQUEST_LINES_MOST];
    size_t count;
};

struct reading {
    const struct request_rules *rules;
    struct request *out;
    uint32_t seen; // arguments, by their place in ARGUMENTS; also those that were null
    struct lines forwarded, cookies, agents, hosts, sessions;
};

__attribute__((format(printf, 2, 3))) static enum pdp_err wrong(struct reading *to, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    (void)vsnprintf(to->out->why, sizeof to->out->why, format, args);
    va_end(args);
    return PDP_ERR_MALFORMED;
}

static enum pdp_err add_line(struct reading *to, struct lines *lines, struct text value)
{
    if (lines->count == COUNT_OF(lines->at)) {
        (void)wrong(to, "more than %d lines of one header", REQUEST_LINES_MOST);
        return PDP_ERR_LIMIT;
    }
    lines->at[lines->count++] = value;
    return PDP_ERR_OK;
}

// ---- Values that are more than text ---------------------------------------------------------------------

static enum pdp_err take_https(struct reading *to, const struct spop_value *value)
{
    if (value->kind != SPOP_BOOL) {
        return wrong(to, "argument `https` is no boolean");
    }
    to->out->facts.scheme = value->yes ? TEXT("https") : TEXT("http");
    return PDP_ERR_OK;
}

static enum pdp_err take_ip(struct reading *to, const struct spop_value *value)
{
    struct request *out = to->out;
    if (value->kind == SPOP_STRING) {
        out->facts.address = value->text;
        return PDP_ERR_OK;
    }
    if (value->kind != SPOP_IPV4 && value->kind != SPOP_IPV6) {
        return wrong(to, "argument `ip` is no address");
    }
    int family = value->kind == SPOP_IPV4 ? AF_INET : AF_INET6;
    if (inet_ntop(family, value->address, out->address, sizeof out->address) == NULL) {
        return wrong(to, "argument `ip` cannot be written");
    }
    out->facts.address = text_of(out->address);
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
    struct facts *facts = &to->out->facts;
    bool number = value->kind >= SPOP_INT32 && value->kind <= SPOP_UINT64;
    facts->auth_time_s = (int64_t)value->number;
    facts->has_auth_time = number
                               ? value->number <= INT64_MAX
                               : value->kind == SPOP_STRING && read_seconds(value->text, &facts->auth_time_s);
    return facts->has_auth_time ? PDP_ERR_OK : wrong(to, "argument `auth_time` is no number of seconds");
}

static enum pdp_err take_forwarded(struct reading *to, const struct spop_value *value)
{
    return value->kind == SPOP_STRING ? add_line(to, &to->forwarded, value->text)
                                      : wrong(to, "argument `forwarded_for` is no text");
}

static enum pdp_err take_cookie(struct reading *to, const struct spop_value *value)
{
    return value->kind == SPOP_STRING ? add_line(to, &to->cookies, value->text)
                                      : wrong(to, "argument `cookie` is no text");
}

// `hr, it` or `hr it`
static enum pdp_err take_list(struct reading *to, const char *name, const struct spop_value *value,
                              struct text list[static REQUEST_LIST_MOST], size_t *count)
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
        if (at > begin && *count == REQUEST_LIST_MOST) {
            (void)wrong(to, "argument `%s` has more than %d entries", name, REQUEST_LIST_MOST);
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
    to->out->facts.roles = to->out->roles;
    return take_list(to, "roles", value, to->out->roles, &to->out->facts.role_count);
}

static enum pdp_err take_amr(struct reading *to, const struct spop_value *value)
{
    to->out->facts.amr = to->out->amr;
    return take_list(to, "amr", value, to->out->amr, &to->out->facts.amr_count);
}

// ---- All headers at once --------------------------------------------------------------------------------

static enum pdp_err take_header(struct reading *to, struct text name, struct text value)
{
    const struct {
        const char *name;
        struct lines *lines;
    } KEPT[] = {{"x-forwarded-for", &to->forwarded},
                {"cookie", &to->cookies},
                {"user-agent", &to->agents},
                {"host", &to->hosts}};
    enum pdp_err err = PDP_ERR_OK;
    for (size_t i = 0; i < COUNT_OF(KEPT) && err == PDP_ERR_OK; i++) {
        if (text_is(name, KEPT[i].name)) {
            err = add_line(to, KEPT[i].lines, value);
        }
    }
    struct text session = to->rules->session_header;
    if (err == PDP_ERR_OK && session.len > 0 && session.len == name.len &&
        strncasecmp(session.at, name.at, name.len) == 0) {
        err = add_line(to, &to->sessions, value);
    }
    return err;
}

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
        enum pdp_err err = take_header(to, name, line);
        if (err != PDP_ERR_OK) {
            return err;
        }
    }
}

// ---- The table of arguments -------------------------------------------------------------------------------

// Either text that goes to a place in the facts, or a function.
static const struct {
    const char *name;
    size_t text;
    enum pdp_err (*take)(struct reading *to, const struct spop_value *value);
} ARGUMENTS[] = {
    {"method", offsetof(struct facts, method), NULL},
    {"target", offsetof(struct facts, target), NULL},
    {"host", offsetof(struct facts, host), NULL},
    {"scheme", offsetof(struct facts, scheme), NULL},
    {"https", 0, take_https},
    {"ip", 0, take_ip},
    {"headers", 0, take_headers},
    {"forwarded_for", 0, take_forwarded},
    {"user_agent", offsetof(struct facts, user_agent), NULL},
    {"cookie", 0, take_cookie},
    {"session", offsetof(struct facts, session_id), NULL},
    {"subject", offsetof(struct facts, subject_id), NULL},
    {"subject_type", offsetof(struct facts, subject_type), NULL},
    {"tenant", offsetof(struct facts, tenant), NULL},
    {"roles", 0, take_roles},
    {"auth_time", 0, take_auth_time},
    {"acr", offsetof(struct facts, acr), NULL},
    {"amr", 0, take_amr},
    {"ja4", offsetof(struct facts, ja4), NULL},
    {"device", offsetof(struct facts, fingerprint), NULL},
};
_Static_assert(COUNT_OF(ARGUMENTS) <= 32, "`seen` has a bit for each");

static bool saw(const struct reading *to, const char *name)
{
    for (size_t i = 0; i < COUNT_OF(ARGUMENTS); i++) {
        if (strcmp(ARGUMENTS[i].name, name) == 0) {
            return (to->seen >> i & 1) != 0;
        }
    }
    return false;
}

static enum pdp_err take_argument(struct reading *to, size_t i, const struct spop_value *value)
{
    if ((to->seen >> i & 1) != 0) {
        return wrong(to, "argument `%s` is there twice", ARGUMENTS[i].name);
    }
    to->seen |= UINT32_C(1) << i;
    if (value->kind == SPOP_NULL) {
        return PDP_ERR_OK;
    }
    if (ARGUMENTS[i].take != NULL) {
        return ARGUMENTS[i].take(to, value);
    }
    if (value->kind != SPOP_STRING) {
        return wrong(to, "argument `%s` is no text", ARGUMENTS[i].name);
    }
    memcpy((char *)&to->out->facts + ARGUMENTS[i].text, &value->text, sizeof value->text);
    return PDP_ERR_OK;
}

static enum pdp_err read_argument(struct reading *to, struct spop_reader *in)
{
    struct text name;
    struct spop_value value;
    if (spop_read_text(in, &name) != PDP_ERR_OK || spop_read_value(in, &value) != PDP_ERR_OK) {
        return wrong(to, "the message ends too early");
    }
    for (size_t i = 0; i < COUNT_OF(ARGUMENTS); i++) {
        if (text_eq(name, text_of(ARGUMENTS[i].name))) {
            return take_argument(to, i, &value);
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

// A header that a request may have once. Servers differ in which of two they take.
static enum pdp_err only_one(struct reading *to, const struct lines *lines, const char *header,
                             const char *argument, struct text *out)
{
    if (saw(to, argument) || lines->count == 0) {
        return PDP_ERR_OK;
    }
    for (size_t i = 1; i < lines->count; i++) {
        if (!text_eq(lines->at[0], lines->at[i])) {
            return wrong(to, "header `%s` is there twice with different values", header);
        }
    }
    *out = lines->at[0];
    return PDP_ERR_OK;
}

static enum pdp_err find_session(struct reading *to)
{
    const struct request_rules *rules = to->rules;
    struct facts *facts = &to->out->facts;
    if (saw(to, "session")) {
        return PDP_ERR_OK;
    }
    if (rules->session_header.len > 0) {
        return saw(to, "headers")
                   ? only_one(to, &to->sessions, "of the session", "session", &facts->session_id)
                   : wrong(to, "argument `headers` is missing, which has the session's header");
    }
    if (rules->session_cookie.len == 0) {
        return PDP_ERR_OK;
    }
    if (!saw(to, "headers") && !saw(to, "cookie")) {
        return wrong(to, "argument `headers` or `cookie` is missing, which has the session's cookie");
    }
    return cookie_find(to->cookies.at, to->cookies.count, rules->session_cookie, &facts->session_id) ==
                   COOKIE_AMBIGUOUS
               ? wrong(to, "the session's cookie is there twice with different values")
               : PDP_ERR_OK;
}

static enum pdp_err finish(struct reading *to)
{
    struct request *out = to->out;
    if (out->facts.method.at == NULL || out->facts.target.at == NULL) {
        return wrong(to, "argument `%s` is missing", out->facts.method.at == NULL ? "method" : "target");
    }
    if (saw(to, "headers") && (saw(to, "forwarded_for") || saw(to, "cookie"))) {
        return wrong(to, "argument `%s` says again what `headers` says",
                     saw(to, "cookie") ? "cookie" : "forwarded_for");
    }
    out->facts.forwarded_for = out->forwarded;
    out->facts.forwarded_count =
        facts_forwarded(to->forwarded.at, to->forwarded.count, out->forwarded, COUNT_OF(out->forwarded));
    enum pdp_err err = only_one(to, &to->agents, "user-agent", "user_agent", &out->facts.user_agent);
    if (err == PDP_ERR_OK) {
        err = only_one(to, &to->hosts, "host", "host", &out->facts.host);
    }
    return err == PDP_ERR_OK ? find_session(to) : err;
}

enum pdp_err request_read(struct spop_reader payload, const struct request_rules *rules, struct request *out)
{
    memset(&out->facts, 0, sizeof out->facts);
    out->why[0] = '\0';
    struct reading to = {.rules = rules, .out = out};
    enum pdp_err err = read_message(&to, payload);
    if (err == PDP_ERR_OK) {
        err = finish(&to);
    }
    if (err != PDP_ERR_OK) {
        memset(&out->facts, 0, sizeof out->facts);
    }
    return err;
}
