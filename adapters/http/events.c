// SPDX-License-Identifier: Apache-2.0
// Session events. What a caller may say of sessions is for the daemon to judge, by the caller's grants.
#include "http/message.h"
#include "http/part.h"

static void on_event(struct http_call *call, enum pdp_err err, const struct pdp_answer *answer)
{
    bool recorded = false;
    size_t len = 0;
    // What is no event was made none that can be answered: see below.
    if (!pdp_answer_get_bool(answer, "event.recorded", &recorded)) {
        if (!message_failed(call, err, answer)) {
            http_refuse(call, 400, "the body has no `event`");
        }
        return;
    }
    char *json = pdp_answer_json(answer, "", &len);
    http_reply_owned(call, 200, HTTP_JSON, json, len);
}

static void serve_event(struct http_call *call)
{
    static const char *const WITHOUT[] = {"subject", "evaluations", "hits", "search", NULL};
    struct pdp_question *question = NULL;
    if (message_read(call, WITHOUT, &question)) {
        http_ask(call, question, on_event);
        pdp_question_free(&question);
    }
}

static enum pdp_err events_open(const struct pdp_adapter_setup *setup, void **self,
                                struct pdp_adapter_wrong *wrong)
{
    static char there;
    (void)setup;
    (void)wrong;
    *self = &there;
    return PDP_ERR_OK;
}

static void events_close(void **self)
{
    *self = NULL;
}

static const struct http_endpoint ENDPOINTS[] = {
    {"POST", "/v1/events", .tenants = true, .token_header = "Authorization", .json = true,
     .serve = serve_event},
};

const struct http_part http_events = {
    .name = "events",
    .open = events_open,
    .close = events_close,
    .endpoints = ENDPOINTS,
    .endpoint_count = COUNT_OF(ENDPOINTS),
};
