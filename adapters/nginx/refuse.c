// SPDX-License-Identifier: Apache-2.0
// What a request that may not pass is answered: 401 with the challenge of RFC 9470 or a redirect to where a
// proof is given, 403, or the status for a decision point that does not answer.
#include "pdp_nginx.h"

#include "common/outcome.h"

// Did nobody judge it?
static bool is_unanswered(const struct pdp_ctx *ctx)
{
    enum pdp_code code = pdp_answer_code(ctx->answer);
    if (ctx->answer == NULL) {
        return ctx->err == PDP_ERR_BUSY || ctx->err == PDP_ERR_CLOSED || ctx->err == PDP_ERR_IO ||
               ctx->err == PDP_ERR_NOMEM || ctx->err == PDP_ERR_TIMEOUT;
    }
    return ctx->err != PDP_ERR_OK || code == PDP_CODE_NO_ANSWER || code == PDP_CODE_OVERLOADED ||
           code == PDP_CODE_STALE;
}

static ngx_table_elt_t *add_header(ngx_http_request_t *r, const char *name, u_char *value, size_t len)
{
    ngx_table_elt_t *header = ngx_list_push(&r->headers_out.headers);
    if (header != NULL) {
        ngx_memzero(header, sizeof *header);
        header->hash = 1;
        header->key = (ngx_str_t){ngx_strlen(name), (u_char *)(uintptr_t)name};
        header->value = (ngx_str_t){len, value};
    }
    return header;
}

// ---- A session that is over
// ------------------------------------------------------------------------------------

static bool is_secure(ngx_http_request_t *r, ngx_str_t name)
{
#if (NGX_HTTP_SSL)
    if (r->connection->ssl != NULL) {
        return true;
    }
#endif
    (void)r;
    return name.len > 2 && name.data[0] == '_' && name.data[1] == '_'; // __Host- and __Secure- must be
}

static bool clear_cookie(ngx_http_request_t *r, const struct pdp_conf *conf)
{
    static const char FORM[] =
        "%V=; Path=%V%s%V; Expires=Thu, 01 Jan 1970 00:00:00 GMT; Max-Age=0; HttpOnly; SameSite=Lax%s";
    ngx_str_t root = ngx_string("/"), path = conf->cookie_path.len > 0 ? conf->cookie_path : root;
    ngx_str_t domain = conf->cookie_domain, name = conf->cookie;
    if (name.len == 0) {
        return true;
    }
    size_t room = sizeof FORM + name.len + path.len + domain.len + sizeof "; Domain=; Secure";
    u_char *value = ngx_pnalloc(r->pool, room);
    if (value == NULL) {
        return false;
    }
    u_char *end = ngx_snprintf(value, room, FORM, &name, &path, domain.len > 0 ? "; Domain=" : "", &domain,
                               is_secure(r, name) ? "; Secure" : "");
    return add_header(r, "Set-Cookie", value, (size_t)(end - value)) != NULL;
}

// ---- A proof is asked for
// --------------------------------------------------------------------------------------

static ngx_int_t challenge(ngx_http_request_t *r, const struct outcome *outcome)
{
    size_t len = strlen(outcome->challenge);
    u_char *value = ngx_pnalloc(r->pool, len + 1);
    if (value == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }
    ngx_memcpy(value, outcome->challenge, len);
    ngx_table_elt_t *header = add_header(r, "WWW-Authenticate", value, len);
    if (header == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }
    r->headers_out.www_authenticate = header;
    return NGX_HTTP_UNAUTHORIZED;
}

static bool is_url(ngx_str_t url)
{
    for (size_t i = 0; i < url.len; i++) {
        if (url.data[i] <= ' ' || url.data[i] > '~') {
            return false;
        }
    }
    return url.len > 0;
}

struct query {
    u_char *at, *end;
    char mark; // before the next name
};

static void put(struct query *query, const char *name, const char *text, size_t len)
{
    u_char *bytes = (u_char *)(uintptr_t)text;
    size_t room = (size_t)(query->end - query->at);
    size_t need = len + 2 * ngx_escape_uri(NULL, bytes, len, NGX_ESCAPE_URI_COMPONENT) + strlen(name) + 2;
    if (len > 0 && need <= room) {
        query->at = ngx_sprintf(query->at, "%c%s=", query->mark, name);
        query->at = (u_char *)ngx_escape_uri(query->at, bytes, len, NGX_ESCAPE_URI_COMPONENT);
        query->mark = '&';
    }
}

static void put_required(struct query *query, const struct pdp_answer *answer)
{
    char text[256] = "";
    size_t len = 0;
    for (size_t i = 0; i < pdp_answer_require_acr_count(answer); i++) {
        const char *acr = pdp_answer_require_acr(answer, i);
        size_t more = strlen(acr);
        if (more + 1 < sizeof text - len) {
            len += len > 0 ? 1 : 0;
            text[len > 0 ? len - 1 : 0] = len > 0 ? ' ' : text[0];
            memcpy(text + len, acr, more);
            len += more;
        }
    }
    put(query, "acr_values", text, len);
    if (pdp_answer_require_max_age_s(answer) > 0) {
        u_char *end = ngx_snprintf((u_char *)text, sizeof text, "%L", pdp_answer_require_max_age_s(answer));
        put(query, "max_age", text, (size_t)(end - (u_char *)text));
    }
}

// The way back is the request's own target, without a host: a login page that goes to no other host than its
// own sends nobody elsewhere.
static ngx_int_t redirect(ngx_http_request_t *r, const struct pdp_ctx *ctx, ngx_str_t url)
{
    size_t room = url.len + 3 * r->unparsed_uri.len + 1024;
    u_char *value = ngx_pnalloc(r->pool, room);
    if (value == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }
    struct query query = {.at = ngx_cpymem(value, url.data, url.len),
                          .end = value + room,
                          .mark = ngx_strlchr(url.data, url.data + url.len, '?') != NULL ? '&' : '?'};
    put(&query, "return", (const char *)r->unparsed_uri.data, r->unparsed_uri.len);
    put_required(&query, ctx->answer);
    ngx_http_clear_location(r);
    r->headers_out.location = add_header(r, "Location", value, (size_t)(query.at - value));
    return r->headers_out.location != NULL ? NGX_HTTP_MOVED_TEMPORARILY : NGX_HTTP_INTERNAL_SERVER_ERROR;
}

// A browser that wants a page is sent to where the proof is given. What would lose its body is not.
static ngx_int_t step_up(ngx_http_request_t *r, const struct pdp_conf *conf, const struct pdp_ctx *ctx,
                         const struct outcome *outcome)
{
    ngx_str_t url = ngx_null_string;
    if (conf->step_up != NULL && ngx_http_complex_value(r, conf->step_up, &url) != NGX_OK) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }
    bool page = (r->method & (NGX_HTTP_GET | NGX_HTTP_HEAD)) != 0;
    return page && is_url(url) ? redirect(r, ctx, url) : challenge(r, outcome);
}

// ---- All of it
// -------------------------------------------------------------------------------------------------

static void tell(ngx_http_request_t *r, const struct pdp_ctx *ctx, bool unanswered)
{
    enum pdp_err err = ctx->err;
    ngx_uint_t level = unanswered ? NGX_LOG_ERR : NGX_LOG_INFO;
    ngx_log_error(level, r->connection->log, 0, "pdp: %s (%s) %s%s%s",
                  pdp_effect_name(pdp_answer_effect(ctx->answer)),
                  err == PDP_ERR_OK ? pdp_code_name(pdp_answer_code(ctx->answer)) : pdp_err_text(err),
                  pdp_answer_rule(ctx->answer), pdp_answer_reason(ctx->answer)[0] != '\0' ? ": " : "",
                  pdp_answer_reason(ctx->answer));
}

ngx_int_t refuse(ngx_http_request_t *r, struct pdp_ctx *ctx)
{
    const struct pdp_conf *conf = ngx_http_get_module_loc_conf(r, ngx_http_pdp_module);
    struct outcome outcome;
    outcome_of(ctx->answer, &outcome);
    bool unanswered = is_unanswered(ctx), again = ctx->refused;
    ctx->refused = 1;
    if (again) {
        return NGX_HTTP_FORBIDDEN;
    }
    tell(r, ctx, unanswered);
    if (unanswered) {
        return (ngx_int_t)conf->fail_status;
    }
    if (!add_header(r, "Cache-Control", (u_char *)(uintptr_t) "no-store", 8) ||
        (outcome.ended && !clear_cookie(r, conf))) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }
    return outcome.effect == PDP_EFFECT_STEP_UP ? step_up(r, conf, ctx, &outcome) : NGX_HTTP_FORBIDDEN;
}
