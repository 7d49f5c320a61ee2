// SPDX-License-Identifier: Apache-2.0
// One request: asked about once, waits without holding the loop, and passes only where the answer allows.
//
// It is asked in the phase after `access`, so that `satisfy any` is no way around it and what access modules
// refuse is never asked about; and before `try_files` and `mirror`, so that nobody sees it earlier.
#include "pdp_nginx.h"

static void forget(void *data)
{
    struct pdp_ctx *ctx = data;
    if (ctx->ticket != 0) {
        link_cancel(ctx->conf->link, ctx->ticket);
        ctx->ticket = 0;
    }
    pdp_answer_free(&ctx->answer);
}

// nginx forgets a request's contexts when it is redirected inside; the list of clean-ups stays.
struct pdp_ctx *handler_ctx(ngx_http_request_t *r)
{
    struct pdp_ctx *ctx = ngx_http_get_module_ctx(r, ngx_http_pdp_module);
    if (ctx != NULL || !(r->internal || r->filter_finalize)) {
        return ctx;
    }
    for (ngx_pool_cleanup_t *at = r->pool->cleanup; at != NULL; at = at->next) {
        if (at->handler == forget) {
            return at->data;
        }
    }
    return NULL;
}

static struct pdp_ctx *new_ctx(ngx_http_request_t *r)
{
    ngx_pool_cleanup_t *cleanup = ngx_pool_cleanup_add(r->pool, sizeof(struct pdp_ctx));
    if (cleanup == NULL) {
        return NULL;
    }
    struct pdp_ctx *ctx = cleanup->data;
    ngx_memzero(ctx, sizeof *ctx);
    ctx->request = r;
    cleanup->handler = forget;
    ngx_http_set_ctx(r, ctx, ngx_http_pdp_module);
    return ctx;
}

static void answered(void *user, enum pdp_err err, struct pdp_answer *answer)
{
    struct pdp_ctx *ctx = user;
    struct pdp_link *link = ctx->conf->link;
    link_answered(link);
    if (link->closing) { // the worker ends now, and its requests with it
        pdp_answer_free(&answer);
        return;
    }
    ngx_http_request_t *r = ctx->request;
    ngx_connection_t *c = r->connection;
    ctx->ticket = 0;
    ctx->err = err;
    ctx->answer = answer;
    ngx_http_set_log_request(c->log, r);
    r->read_event_handler = ngx_http_block_reading;
    r->write_event_handler = ngx_http_core_run_phases;
    ngx_http_core_run_phases(r);
    ngx_http_run_posted_requests(c);
}

static void ask(ngx_http_request_t *r, struct pdp_ctx *ctx, const struct pdp_conf *conf)
{
    pdp_answer_free(&ctx->answer);
    ctx->asked = 1;
    ctx->conf = conf;
    ctx->err = PDP_ERR_CLOSED;
    ngx_str_null(&ctx->path);
    link_start(conf->link);
    if (conf->link->closing) {
        return;
    }
    size_t len = 0, count = 0;
    ctx->err = question_write(r, conf, conf->link->question, &len, &count, &ctx->subject);
    if (ctx->err == PDP_ERR_OK) {
        ctx->err = link_ask(conf->link, len, count, answered, ctx, &ctx->ticket);
    }
}

// Does what was asked, of whomever, stand for this location too? Everything that a question is made of is the
// same.
static bool asks_same(const struct pdp_conf *a, const struct pdp_conf *b)
{
    return a->link == b->link && a->subject == b->subject && a->subject_type.data == b->subject_type.data &&
           a->session == b->session && a->tenant == b->tenant && a->auth_time == b->auth_time &&
           a->acr == b->acr && a->amr == b->amr && a->roles == b->roles && a->device == b->device &&
           a->ja4 == b->ja4 && a->address == b->address && a->properties == b->properties &&
           a->cookie.data == b->cookie.data && a->forwarded_for == b->forwarded_for;
}

static ngx_int_t hold(ngx_http_request_t *r)
{
    // So that a client that goes away is noticed, and its question with it.
    r->read_event_handler = ngx_http_test_reading;
    r->write_event_handler = ngx_http_request_empty_handler;
    ngx_event_t *reads = r->connection->read;
    if (reads->ready) {
        ngx_post_event(reads, &ngx_posted_events); // it may have gone already
    } else if (ngx_handle_read_event(reads, 0) != NGX_OK) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }
    return NGX_AGAIN;
}

static ngx_int_t conclude(ngx_http_request_t *r, struct pdp_ctx *ctx)
{
    if (!pdp_answer_allows(ctx->answer)) {
        return refuse(r, ctx);
    }
    const char *why = path_check(r, ctx->answer, &ctx->path);
    if (why != NULL) {
        ngx_log_error(NGX_LOG_ERR, r->connection->log, 0, "pdp: refused though allowed: %s", why);
        ngx_str_null(&ctx->path);
        return NGX_HTTP_FORBIDDEN;
    }
    return NGX_DECLINED; // on to the next handler
}

ngx_int_t handler_phase(ngx_http_request_t *r)
{
    const struct pdp_conf *conf = ngx_http_get_module_loc_conf(r, ngx_http_pdp_module);
    if (!conf->on || r != r->main) {
        return NGX_DECLINED;
    }
    struct pdp_ctx *ctx = handler_ctx(r);
    if (ctx == NULL) {
        ctx = new_ctx(r);
    }
    if (ctx == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }
    ngx_http_set_ctx(r, ctx, ngx_http_pdp_module);
    if (ctx->ticket == 0 && (!ctx->asked || !asks_same(ctx->conf, conf))) {
        ask(r, ctx, conf);
    }
    return ctx->ticket != 0 ? hold(r) : conclude(r, ctx);
}
