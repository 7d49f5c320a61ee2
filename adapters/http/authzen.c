// SPDX-License-Identifier: Apache-2.0
// AuthZEN 1.0. Its questions are messages of ours but for what their paths say; its answers are ours, whose
// `context` is free there.
#include "common/settings.h"
#include "http/message.h"
#include "http/metadata.h"
#include "http/obligations.h"
#include "http/part.h"

#include <stdlib.h>

struct authzen {
    bool obligations;
    struct metadata *metadata; // NULL: none
};

// ---- Evaluation --------------------------------------------------------------------------------------

static void on_decision(struct http_call *call, enum pdp_err err, const struct pdp_answer *answer)
{
    const struct authzen *authzen = http_self(call);
    size_t len = 0;
    if (message_failed(call, err, answer)) {
        return;
    }
    char *json = authzen->obligations ? obligations_of(answer, http_request(call)->body, &len)
                                      : pdp_answer_json(answer, "", &len);
    http_reply_owned(call, 200, HTTP_JSON, json, len);
}

// `without` is what would make another kind of message of it.
static void ask(struct http_call *call, const char *const *without, const char *search)
{
    struct pdp_question *question = NULL;
    if (!message_read(call, without, &question)) {
        return;
    }
    if (search != NULL) {
        (void)pdp_question_set_text(question, "search", search);
    }
    http_ask(call, question, on_decision);
    pdp_question_free(&question);
}

static void serve_evaluation(struct http_call *call)
{
    static const char *const WITHOUT[] = {"evaluations", "event", "hits", "search", NULL};
    ask(call, WITHOUT, NULL);
}

static void serve_evaluations(struct http_call *call)
{
    static const char *const WITHOUT[] = {"event", "hits", "search", NULL};
    ask(call, WITHOUT, NULL);
}

// ---- Search ------------------------------------------------------------------------------------------

static const char *const NO_SEARCH[] = {"evaluations", "event", "hits", NULL};

static void serve_search_subject(struct http_call *call)
{
    ask(call, NO_SEARCH, "subject");
}

static void serve_search_resource(struct http_call *call)
{
    ask(call, NO_SEARCH, "resource");
}

static void serve_search_action(struct http_call *call)
{
    static const char *const WITHOUT[] = {"evaluations", "event", "hits", "action", NULL};
    ask(call, WITHOUT, "action");
}

// ---- Metadata ----------------------------------------------------------------------------------------

static void serve_metadata(struct http_call *call)
{
    const struct authzen *authzen = http_self(call);
    if (authzen->metadata == NULL) {
        http_refuse(call, 404, "there is no metadata: give the setting `issuer`");
        return;
    }
    size_t len = 0;
    char *json = metadata_of(authzen->metadata, http_request(call)->tenant, &len);
    http_reply_owned(call, 200, HTTP_JSON, json, len);
}

// ---- The part ----------------------------------------------------------------------------------------

static void authzen_close(void **self)
{
    struct authzen *authzen = *self;
    *self = NULL;
    if (authzen != NULL) {
        metadata_free(&authzen->metadata);
        free(authzen);
    }
}

static enum pdp_err authzen_open(const struct pdp_adapter_setup *setup, void **self,
                                 struct pdp_adapter_wrong *wrong)
{
    *self = NULL;
    struct authzen *authzen = calloc(1, sizeof *authzen);
    if (authzen == NULL) {
        return PDP_ERR_NOMEM;
    }
    void *made = authzen;
    enum pdp_err err = setting_bool(setup, "obligations", &authzen->obligations, wrong);
    err = err == PDP_ERR_OK ? metadata_new(setup, authzen->obligations, &authzen->metadata, wrong) : err;
    if (err != PDP_ERR_OK) {
        authzen_close(&made);
    }
    *self = made;
    return err;
}

static const char TOKEN[] = "Authorization";

static const struct http_endpoint ENDPOINTS[] = {
    {"POST", METADATA_EVALUATION, .tenants = true, .token_header = TOKEN, .json = true,
     .serve = serve_evaluation},
    {"POST", METADATA_EVALUATIONS, .tenants = true, .token_header = TOKEN, .json = true,
     .serve = serve_evaluations},
    {"POST", METADATA_SUBJECT, .tenants = true, .token_header = TOKEN, .json = true,
     .serve = serve_search_subject},
    {"POST", METADATA_RESOURCE, .tenants = true, .token_header = TOKEN, .json = true,
     .serve = serve_search_resource},
    {"POST", METADATA_ACTION, .tenants = true, .token_header = TOKEN, .json = true,
     .serve = serve_search_action},
    {"GET", METADATA_PATH, .tenant_below = true, .serve = serve_metadata},
};

const struct http_part http_authzen = {
    .name = "authzen",
    .open = authzen_open,
    .close = authzen_close,
    .endpoints = ENDPOINTS,
    .endpoint_count = COUNT_OF(ENDPOINTS),
};
