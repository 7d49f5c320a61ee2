// SPDX-License-Identifier: Apache-2.0
// AuthZEN 1.0: what its endpoints are asked becomes a message of ours, and our answer is one of theirs
// already.
#include "http/part.h"

#include <stdlib.h>

#define WHY_MAX 300

struct authzen {
    bool obligations;
};

// ---- Evaluation --------------------------------------------------------------------------------------

static void on_decision(struct http_call *call, enum pdp_err err, const struct pdp_answer *answer)
{
    int64_t status = 200;
    size_t len = 0;
    if (err != PDP_ERR_OK) {
        http_refuse(call, 500, "no answer: %s", pdp_err_text(err));
        return;
    }
    (void)pdp_answer_get_int(answer, "context.error.status", &status);
    char *json = pdp_answer_json(answer, "", &len);
    http_reply_owned(call, status >= 400 && status <= 599 ? (unsigned)status : 200, HTTP_JSON, json, len);
}

static void serve_evaluation(struct http_call *call)
{
    struct text body = http_request(call)->body;
    struct pdp_question *question = NULL;
    char why[WHY_MAX] = "";
    enum pdp_err err = pdp_question_from_bytes(body.at, body.len, &question, why, sizeof why);
    if (err != PDP_ERR_OK) {
        http_refuse(call, err == PDP_ERR_NOMEM ? 500 : 400, "the body is not a question: %s", why);
        return;
    }
    http_ask(call, question, on_decision);
    pdp_question_free(&question);
}

// ---- The part ----------------------------------------------------------------------------------------

static enum pdp_err authzen_open(const struct pdp_adapter_setup *setup, void **self,
                                 struct pdp_adapter_wrong *wrong)
{
    (void)setup;
    (void)wrong;
    *self = calloc(1, sizeof(struct authzen));
    return *self != NULL ? PDP_ERR_OK : PDP_ERR_NOMEM;
}

static void authzen_close(void **self)
{
    free(*self);
    *self = NULL;
}

static const struct http_endpoint ENDPOINTS[] = {
    {"POST", "/access/v1/evaluation", false, "Authorization", true, serve_evaluation},
};

const struct http_part http_authzen = {
    .name = "authzen",
    .open = authzen_open,
    .close = authzen_close,
    .endpoints = ENDPOINTS,
    .endpoint_count = sizeof ENDPOINTS / sizeof *ENDPOINTS,
};
