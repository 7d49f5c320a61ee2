// SPDX-License-Identifier: Apache-2.0
// ngx_http_pdp_module: asks a decision point before a request goes on. Between the files of this folder.
#ifndef NGINX_PDP_NGINX_H
#define NGINX_PDP_NGINX_H

#include "common/facts_entries.h"

#include <ngx_config.h>

#include <ngx_core.h>
#include <ngx_http.h>
#include <pdp/flow.h>

extern ngx_module_t ngx_http_pdp_module;

// ---- link.c: one connection of one worker
// --------------------------------------------------------------------

// One `pdp_connect`. Read by the master, which never steps the flow; each worker makes its own connection.
struct pdp_link {
    struct pdp_flow *flow;
    unsigned char *question; // room for one, written anew for each request
    ngx_str_t url;
    int32_t deadline_ms;
    ngx_connection_t *connection; // of the flow's descriptor; NULL: none
    ngx_event_t posted, timer;
    ngx_uint_t waiting; // requests that wait for an answer
    unsigned started : 1;
    unsigned stepping : 1;
    unsigned closing : 1;
};

// Connects as soon as the worker's loop runs.
void link_start(struct pdp_link *link);
// Answers nobody any more and closes. Of a process that ends, or a cycle that nobody uses.
void link_close(struct pdp_link *link);
// Asks with the `count` entries in the first `len` bytes of `link->question`; written at the end of this turn
// of the loop. As pdp_flow_ask_entries; `answered` calls link_answered first.
MUST_USE enum pdp_err link_ask(struct pdp_link *link, size_t len, size_t count, pdp_answered answered,
                               void *user, uint64_t *ticket);
void link_answered(struct pdp_link *link);
void link_cancel(struct pdp_link *link, uint64_t ticket);

// ---- conf.c: directives
// ----------------------------------------------------------------------------------------

#define PROPERTIES_MOST 32

struct property {
    bool of_subject;
    ngx_str_t name;
    ngx_http_complex_value_t value;
};

struct pdp_main_conf {
    ngx_array_t links; // of struct pdp_link *
};

// What one location was told. All that a question is made of is a pointer or a number, so that two locations
// that ask the same are known to.
struct pdp_conf {
    ngx_flag_t on;
    ngx_str_t on_file; // where it was switched on, for a message
    ngx_uint_t on_line;
    struct pdp_link *link;
    ngx_http_complex_value_t *subject;
    ngx_str_t subject_type;
    ngx_http_complex_value_t *session, *tenant, *auth_time, *acr, *amr, *roles, *device, *ja4, *address;
    ngx_array_t *properties; // of struct property
    ngx_flag_t forwarded_for;
    ngx_str_t cookie; // that holds the session; empty: none is known
    ngx_str_t cookie_path, cookie_domain;
    ngx_http_complex_value_t *step_up;
    ngx_uint_t fail_status;
};

extern ngx_command_t conf_commands[];
void *conf_main_create(ngx_conf_t *cf);
void *conf_create(ngx_conf_t *cf);
char *conf_merge(ngx_conf_t *cf, void *parent, void *child);

// ---- question.c: a request as a question
// -------------------------------------------------------------------------

// Writes the question into `out`, *len bytes of *count entries. MALFORMED: it cannot be told what the request
// says (a session cookie twice, a value that is none); LIMIT, NOMEM. None of these may pass. *subject is
// borrowed.
#define QUESTION_BYTES 65000
MUST_USE enum pdp_err question_write(ngx_http_request_t *r, const struct pdp_conf *conf,
                                     unsigned char out[static QUESTION_BYTES], size_t *len, size_t *count,
                                     ngx_str_t *subject);

// ---- handler.c: one request
// --------------------------------------------------------------------------------------

struct pdp_ctx {
    ngx_http_request_t *request;
    const struct pdp_conf *conf; // what was asked, and of whom
    uint64_t ticket;             // 0: nothing is under way
    unsigned asked : 1;
    unsigned refused : 1; // headers of a refusal are there already
    enum pdp_err err;
    struct pdp_answer *answer; // NULL reads as a deny
    ngx_str_t subject, path;   // the path is empty unless the request may pass
};

// What is known of a request, also after an internal redirect; NULL: it was not asked about.
struct pdp_ctx *handler_ctx(ngx_http_request_t *r);
ngx_int_t handler_phase(ngx_http_request_t *r);

// ---- refuse.c, path.c, variables.c
// -------------------------------------------------------------------------------

// The status to answer with, with the headers that go with it; never one that lets the request pass.
ngx_int_t refuse(ngx_http_request_t *r, struct pdp_ctx *ctx);

// Is what was judged what nginx serves? *path is the judged path where it is; else a static text says why
// not.
const char *path_check(ngx_http_request_t *r, const struct pdp_answer *answer, ngx_str_t *path);

ngx_int_t variables_add(ngx_conf_t *cf);

static inline struct text text_of_ngx(ngx_str_t s)
{
    return (struct text){(const char *)s.data, s.len};
}

#endif
