// SPDX-License-Identifier: Apache-2.0
// What came, as it came: the target of the request line, the address that connected, the entries of
// X-Forwarded-For. Which of it counts is judged by the decision point.
#include "pdp_nginx.h"

#include "common/cookie.h"

enum {
    LINES_MOST = 32, // of one header
    WORDS_MOST = 32  // of a list in a value
};

static const char REAL_ADDRESS[] = "realip_remote_addr";

// ---- Values
// ----------------------------------------------------------------------------------------------------

// A value that is empty is not there.
static enum pdp_err value_of(ngx_http_request_t *r, ngx_http_complex_value_t *complex, struct text *out)
{
    ngx_str_t value = ngx_null_string;
    *out = (struct text){0};
    if (complex == NULL) {
        return PDP_ERR_OK;
    }
    if (ngx_http_complex_value(r, complex, &value) != NGX_OK) {
        return PDP_ERR_NOMEM;
    }
    if (value.len > 0) {
        *out = text_of_ngx(value);
    }
    return PDP_ERR_OK;
}

// Words with blanks or commas between. More than there is room for is an error: what is left out might be
// what restricts.
static enum pdp_err words_of(ngx_http_request_t *r, ngx_http_complex_value_t *complex, struct text *out,
                             size_t *count)
{
    struct text rest, word;
    *count = 0;
    enum pdp_err err = value_of(r, complex, &rest);
    while (err == PDP_ERR_OK && rest.len > 0) {
        size_t len = 0;
        while (len < rest.len && rest.at[len] != ' ' && rest.at[len] != ',') {
            len++;
        }
        word = (struct text){rest.at, len};
        rest = len < rest.len ? (struct text){rest.at + len + 1, rest.len - len - 1} : (struct text){0};
        if (word.len > 0 && *count == WORDS_MOST) {
            return PDP_ERR_LIMIT;
        }
        if (word.len > 0) {
            out[(*count)++] = word;
        }
    }
    return err;
}

// The headers that are looked at, each line as it came.
enum header {
    HEADER_COOKIE,
    HEADER_FORWARDED_FOR,
    HEADER_USER_AGENT,
    HEADERS
};

struct lines {
    struct text at[LINES_MOST];
    size_t count;
};

// LIMIT where there are more lines of one than can be looked at.
static enum pdp_err look_at(ngx_http_request_t *r, struct lines headers[static HEADERS])
{
    static const char *const NAMES[HEADERS] = {"cookie", "x-forwarded-for", "user-agent"};
    for (ngx_list_part_t *part = &r->headers_in.headers.part; part != NULL; part = part->next) {
        ngx_table_elt_t *lines = part->elts;
        for (ngx_uint_t i = 0; i < part->nelts; i++) {
            size_t which = 0;
            while (which < HEADERS && !text_is(text_of_ngx(lines[i].key), NAMES[which])) {
                which++;
            }
            if (which < HEADERS && headers[which].count == LINES_MOST) {
                return PDP_ERR_LIMIT;
            }
            if (which < HEADERS) {
                headers[which].at[headers[which].count++] = text_of_ngx(lines[i].value);
            }
        }
    }
    return PDP_ERR_OK;
}

// ---- What the request says
// -------------------------------------------------------------------------------------

// The address that connected, also where realip has put another in its place. One of a unix socket is none.
static enum pdp_err address_of(ngx_http_request_t *r, const struct pdp_conf *conf, struct text *out)
{
    if (conf->address != NULL) {
        return value_of(r, conf->address, out);
    }
    ngx_str_t name = {sizeof REAL_ADDRESS - 1, (u_char *)(uintptr_t)REAL_ADDRESS};
    ngx_http_variable_value_t *before = ngx_http_get_variable(r, &name, ngx_hash_key(name.data, name.len));
    if (before == NULL) {
        return PDP_ERR_NOMEM;
    }
    *out = before->not_found || before->len == 0 ? text_of_ngx(r->connection->addr_text)
                                                 : (struct text){(const char *)before->data, before->len};
    if (out->len >= 5 && memcmp(out->at, "unix:", 5) == 0) {
        *out = (struct text){0};
    }
    return PDP_ERR_OK;
}

// The session's id. A cookie that is there twice is refused: the site behind may take the other one.
static enum pdp_err session_of(ngx_http_request_t *r, const struct pdp_conf *conf,
                               const struct lines *cookies, struct text *out)
{
    struct text first;
    if (conf->session != NULL && conf->cookie.len > 0 &&
        cookie_find(cookies->at, cookies->count, text_of_ngx(conf->cookie), &first) == COOKIE_AMBIGUOUS) {
        return PDP_ERR_MALFORMED;
    }
    return value_of(r, conf->session, out);
}

static enum pdp_err auth_time_of(ngx_http_request_t *r, const struct pdp_conf *conf, struct facts *facts)
{
    struct text text;
    enum pdp_err err = value_of(r, conf->auth_time, &text);
    if (err != PDP_ERR_OK || text.at == NULL) {
        return err;
    }
    time_t seconds = ngx_atotm((u_char *)(uintptr_t)text.at, text.len);
    facts->has_auth_time = seconds != NGX_ERROR;
    facts->auth_time_s = (int64_t)seconds;
    return facts->has_auth_time ? PDP_ERR_OK : PDP_ERR_MALFORMED;
}

static struct text scheme_of(ngx_http_request_t *r)
{
#if (NGX_HTTP_SSL)
    if (r->connection->ssl != NULL) {
        return TEXT("https");
    }
#endif
    return TEXT("http");
}

#define TRY(call)                       \
    do {                                \
        enum pdp_err try_err_ = (call); \
        if (try_err_ != PDP_ERR_OK) {   \
            return try_err_;            \
        }                               \
    } while (0)

// The bytes that facts borrow.
struct room {
    struct lines headers[HEADERS];
    struct text forwarded[FACTS_FORWARDED_MOST], amr[WORDS_MOST], roles[WORDS_MOST];
};

static enum pdp_err who(ngx_http_request_t *r, const struct pdp_conf *conf, struct room *room,
                        struct facts *facts)
{
    TRY(value_of(r, conf->subject, &facts->subject_id));
    TRY(value_of(r, conf->tenant, &facts->tenant));
    TRY(session_of(r, conf, &room->headers[HEADER_COOKIE], &facts->session_id));
    TRY(value_of(r, conf->acr, &facts->acr));
    TRY(auth_time_of(r, conf, facts));
    TRY(words_of(r, conf->amr, room->amr, &facts->amr_count));
    TRY(words_of(r, conf->roles, room->roles, &facts->role_count));
    facts->amr = room->amr;
    facts->roles = room->roles;
    if (conf->subject_type.len > 0) {
        facts->subject_type = text_of_ngx(conf->subject_type);
    }
    return PDP_ERR_OK;
}

static enum pdp_err where_from(ngx_http_request_t *r, const struct pdp_conf *conf, struct room *room,
                               struct facts *facts)
{
    const struct lines *forwarded = &room->headers[HEADER_FORWARDED_FOR];
    const struct lines *agents = &room->headers[HEADER_USER_AGENT];
    TRY(address_of(r, conf, &facts->address));
    TRY(value_of(r, conf->device, &facts->fingerprint));
    TRY(value_of(r, conf->ja4, &facts->ja4));
    if (agents->count > 1) {
        return PDP_ERR_MALFORMED; // which one the site believes is not known
    }
    facts->user_agent = agents->count > 0 ? agents->at[0] : (struct text){0};
    if (conf->forwarded_for) {
        facts->forwarded_count =
            facts_forwarded(forwarded->at, forwarded->count, room->forwarded, FACTS_FORWARDED_MOST);
        facts->forwarded_for = room->forwarded;
    }
    return PDP_ERR_OK;
}

// Those that have a value.
static enum pdp_err properties_of(ngx_http_request_t *r, const struct pdp_conf *conf,
                                  struct facts_property out[static PROPERTIES_MOST], size_t *count)
{
    struct property *properties = conf->properties != NULL ? conf->properties->elts : NULL;
    *count = 0;
    for (ngx_uint_t i = 0; properties != NULL && i < conf->properties->nelts; i++) {
        struct text value;
        TRY(value_of(r, &properties[i].value, &value));
        if (value.at != NULL) {
            out[(*count)++] =
                (struct facts_property){properties[i].of_subject, text_of_ngx(properties[i].name), value};
        }
    }
    return PDP_ERR_OK;
}

enum pdp_err question_write(ngx_http_request_t *r, const struct pdp_conf *conf,
                            unsigned char out[static QUESTION_BYTES], size_t *len, size_t *count,
                            ngx_str_t *subject)
{
    struct room room;
    struct facts_property properties[PROPERTIES_MOST];
    size_t property_count = 0;
    struct facts facts = {.method = text_of_ngx(r->method_name),
                          .target = text_of_ngx(r->unparsed_uri),
                          .scheme = scheme_of(r)};
    ngx_str_null(subject);
    for (size_t i = 0; i < HEADERS; i++) {
        room.headers[i].count = 0;
    }
    if (r->headers_in.server.len > 0) {
        facts.host = text_of_ngx(r->headers_in.server);
    }
    TRY(look_at(r, room.headers));
    TRY(who(r, conf, &room, &facts));
    TRY(where_from(r, conf, &room, &facts));
    TRY(properties_of(r, conf, properties, &property_count));
    *subject = (ngx_str_t){facts.subject_id.len, (u_char *)(uintptr_t)facts.subject_id.at};
    return facts_entries(&facts, properties, property_count, out, QUESTION_BYTES, len, count);
}
