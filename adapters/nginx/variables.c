// SPDX-License-Identifier: Apache-2.0
// `$pdp_effect` and its like: empty until there is an answer.
#include "pdp_nginx.h"

#include "common/outcome.h"

// Beside the fields of an outcome.
enum {
    VARIABLE_SUBJECT = OUTCOME_FIELDS
};

static void set(ngx_http_variable_value_t *v, ngx_str_t text)
{
    v->valid = 1;
    v->no_cacheable = 1;
    v->not_found = 0;
    v->data = text.data;
    v->len = (unsigned)text.len & 0xfffffff;
}

static ngx_int_t get(ngx_http_request_t *r, ngx_http_variable_value_t *v, uintptr_t data)
{
    const struct pdp_ctx *ctx = handler_ctx(r->main);
    ngx_str_t text = ngx_null_string;
    if (ctx == NULL || !ctx->asked || ctx->ticket != 0) {
        set(v, text);
        return NGX_OK;
    }
    if (data == VARIABLE_SUBJECT || data == OUTCOME_PATH) {
        set(v, data == VARIABLE_SUBJECT ? ctx->subject : ctx->path);
        return NGX_OK;
    }
    text.data = ngx_pnalloc(r->pool, OUTCOME_TEXT_MAX);
    if (text.data == NULL) {
        return NGX_ERROR;
    }
    text.len = outcome_text(ctx->answer, (enum outcome_field)data, (char *)text.data, OUTCOME_TEXT_MAX);
    set(v, text);
    return NGX_OK;
}

static ngx_int_t add(ngx_conf_t *cf, const char *name, uintptr_t data)
{
    u_char full[64];
    u_char *end = ngx_snprintf(full, sizeof full, "pdp_%s", name);
    ngx_str_t text = {(size_t)(end - full), full};
    text.data = ngx_pstrdup(cf->pool, &text);
    ngx_http_variable_t *variable =
        text.data != NULL ? ngx_http_add_variable(cf, &text, NGX_HTTP_VAR_NOCACHEABLE) : NULL;
    if (variable == NULL) {
        return NGX_ERROR;
    }
    variable->get_handler = get;
    variable->data = data;
    return NGX_OK;
}

ngx_int_t variables_add(ngx_conf_t *cf)
{
    for (uintptr_t field = 0; field < OUTCOME_FIELDS; field++) {
        if (add(cf, outcome_variable((enum outcome_field)field), field) != NGX_OK) {
            return NGX_ERROR;
        }
    }
    return add(cf, "subject", VARIABLE_SUBJECT);
}
