// SPDX-License-Identifier: Apache-2.0
// What nginx sees: the module, and where it stands among others.
#include "pdp_nginx.h"

static ngx_int_t init(ngx_conf_t *cf)
{
    ngx_http_core_main_conf_t *core = ngx_http_conf_get_module_main_conf(cf, ngx_http_core_module);
    ngx_http_handler_pt *handler = ngx_array_push(&core->phases[NGX_HTTP_PRECONTENT_PHASE].handlers);
    if (handler == NULL) {
        return NGX_ERROR;
    }
    *handler = handler_phase;
    return NGX_OK;
}

static void each_link(ngx_cycle_t *cycle, void (*call)(struct pdp_link *link))
{
    struct pdp_main_conf *conf = ngx_http_cycle_get_module_main_conf(cycle, ngx_http_pdp_module);
    struct pdp_link **links = conf != NULL ? conf->links.elts : NULL;
    for (ngx_uint_t i = 0; links != NULL && i < conf->links.nelts; i++) {
        call(links[i]);
    }
}

// Workers connect at once, so that the first request need not wait; what else runs asks nothing.
static ngx_int_t init_process(ngx_cycle_t *cycle)
{
    if (ngx_process == NGX_PROCESS_WORKER || ngx_process == NGX_PROCESS_SINGLE) {
        each_link(cycle, link_start);
    }
    return NGX_OK;
}

static void exit_process(ngx_cycle_t *cycle)
{
    each_link(cycle, link_close);
}

static ngx_http_module_t context = {
    .preconfiguration = variables_add,
    .postconfiguration = init,
    .create_main_conf = conf_main_create,
    .create_loc_conf = conf_create,
    .merge_loc_conf = conf_merge,
};

ngx_module_t ngx_http_pdp_module = {
    NGX_MODULE_V1,
    &context,
    conf_commands,
    NGX_HTTP_MODULE,
    NULL,         // init master
    NULL,         // init module
    init_process, //
    NULL,         // init thread
    NULL,         // exit thread
    exit_process, //
    NULL,         // exit master
    NGX_MODULE_V1_PADDING,
};

// What nginx reads of a module that is loaded. Handlers of a phase run from the last module to the first:
// this one stands behind `mirror` and `try_files`, so that it runs before them.
PDP_API ngx_module_t *ngx_modules[] = {&ngx_http_pdp_module, NULL};
PDP_API char *ngx_module_names[] = {(char *)(uintptr_t) "ngx_http_pdp_module", NULL};
PDP_API char *ngx_module_order[] = {
    (char *)(uintptr_t) "ngx_http_pdp_module", (char *)(uintptr_t) "ngx_http_auth_request_module",
    (char *)(uintptr_t) "ngx_http_auth_basic_module", (char *)(uintptr_t) "ngx_http_access_module", NULL};
