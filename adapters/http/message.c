// SPDX-License-Identifier: Apache-2.0
#include "http/message.h"

#include <stdio.h>

#define WHY_MAX 300
#define TEXT_MAX 500

// ---- Questions ---------------------------------------------------------------------------------------

// pdp_question_from_bytes takes lists and CBOR too; here a message is a JSON object, and nothing else.
static const char *no_object(struct text body)
{
    size_t at = 0;
    while (at < body.len && strchr(" \t\r\n", body.at[at]) != NULL && body.at[at] != '\0') {
        at++;
    }
    if (at == body.len) {
        return "the body is empty; expected a JSON object";
    }
    if (body.at[at] == '[') {
        return "the body is a list; expected a JSON object";
    }
    return body.at[at] == '{' ? NULL : "the body is no JSON object";
}

bool message_read(struct http_call *call, const char *const *without, struct pdp_question **question)
{
    struct text body = http_request(call)->body, tenant = http_request(call)->tenant;
    char why[WHY_MAX] = "";
    const char *wrong = no_object(body);
    *question = NULL;
    if (wrong != NULL) {
        http_refuse(call, 400, "%s", wrong);
        return false;
    }
    enum pdp_err err = pdp_question_from_bytes(body.at, body.len, question, why, sizeof why);
    if (err != PDP_ERR_OK) {
        http_refuse(call, err == PDP_ERR_NOMEM ? 500 : 400, "the body cannot be read: %s",
                    why[0] != '\0' ? why : pdp_err_text(err));
        return false;
    }
    for (size_t i = 0; without[i] != NULL; i++) {
        (void)pdp_question_set_json(*question, without[i], "null"); // as good as not there
    }
    if (tenant.at != NULL) {
        (void)pdp_question_set_text_n(*question, "tenant", tenant.at, tenant.len);
    }
    return true; // errors stick: such a question is not asked
}

// ---- Answers -----------------------------------------------------------------------------------------

struct failure {
    unsigned status;
    int64_t retry_ms; // 0: not said
    char text[TEXT_MAX];
};

static const struct {
    enum pdp_err err;
    unsigned status;
} STATUS_OF[] = {
    {PDP_ERR_BUSY, 503}, {PDP_ERR_MALFORMED, 400}, {PDP_ERR_LIMIT, 400}, {PDP_ERR_DEPTH, 400},
    {PDP_ERR_UTF8, 400}, {PDP_ERR_SYNTAX, 400},    {PDP_ERR_TYPE, 400},  {PDP_ERR_RANGE, 400},
};

static void of_error(enum pdp_err err, struct failure *failure)
{
    failure->status = 500;
    for (size_t i = 0; i < COUNT_OF(STATUS_OF); i++) {
        failure->status = STATUS_OF[i].err == err ? STATUS_OF[i].status : failure->status;
    }
    failure->retry_ms = err == PDP_ERR_BUSY ? 1000 : 0;
    (void)snprintf(failure->text, sizeof failure->text, "no decision: %s", pdp_err_text(err));
}

static struct text text_at(const struct pdp_answer *answer, const char *path)
{
    struct text text = {"", 0};
    (void)pdp_answer_get_text(answer, path, &text.at, &text.len);
    return text;
}

// What somebody lacks is told like any other mistake. It is the caller's where the caller may not ask, and
// ours where the daemon does not believe us who the caller is.
static const struct {
    const char *field, *begins; // NULL: any field
    unsigned status;
} LACKS[] = {
    {"peer", "", 403},
    {"tenant", "is none that this peer", 403},
    {NULL, "this peer may not send it", 403},
    {"gateway", "this peer may not ask for other gateways", 500},
};

static unsigned status_of(struct text field, struct text message, int64_t told)
{
    for (size_t i = 0; i < COUNT_OF(LACKS); i++) {
        size_t len = strlen(LACKS[i].begins);
        if ((LACKS[i].field == NULL || text_eq(field, text_of(LACKS[i].field))) && message.len >= len &&
            memcmp(message.at, LACKS[i].begins, len) == 0) {
            return LACKS[i].status;
        }
    }
    return told >= 400 && told <= 599 ? (unsigned)told : 500;
}

static void of_fault(const struct pdp_answer *answer, int64_t status, struct failure *failure)
{
    struct text field = text_at(answer, "context.error.field");
    struct text message = text_at(answer, "context.error.message");
    const char *quote = field.len > 0 ? "`" : "", *behind = field.len > 0 ? " " : "";
    failure->status = status_of(field, message, status);
    (void)snprintf(failure->text, sizeof failure->text, "%s%.*s%s%s%.*s", quote, (int)field.len, field.at,
                   quote, behind, (int)message.len, message.at);
}

// Does it say that nothing was decided?
static bool undecided(enum pdp_err err, const struct pdp_answer *answer, struct failure *failure)
{
    int64_t status = 0;
    bool decision = false;
    *failure = (struct failure){0};
    if (pdp_answer_get_int(answer, "context.error.status", &status)) {
        of_fault(answer, status, failure);
        failure->retry_ms = pdp_answer_retry_after_ms(answer);
        return true;
    }
    if (err != PDP_ERR_OK || answer == NULL) {
        of_error(err != PDP_ERR_OK ? err : PDP_ERR_CLOSED, failure);
        return true;
    }
    enum pdp_code code = pdp_answer_code(answer);
    if (pdp_answer_get_bool(answer, "decision", &decision) && !decision &&
        (code == PDP_CODE_OVERLOADED || code == PDP_CODE_STALE)) {
        failure->status = 503;
        failure->retry_ms = pdp_answer_retry_after_ms(answer);
        (void)snprintf(failure->text, sizeof failure->text, "no decision: %s", pdp_answer_reason(answer));
        return true;
    }
    return false;
}

bool message_failed(struct http_call *call, enum pdp_err err, const struct pdp_answer *answer)
{
    struct failure failure;
    if (!undecided(err, answer, &failure)) {
        return false;
    }
    if (failure.status == 503) {
        char seconds[24];
        int64_t s = failure.retry_ms > 0 ? (failure.retry_ms + 999) / 1000 : 1;
        int len = snprintf(seconds, sizeof seconds, "%lld", (long long)s);
        (void)http_reply_header(call, "Retry-After", (struct text){seconds, (size_t)len});
    }
    http_refuse(call, failure.status, "%s", failure.text);
    return true;
}
