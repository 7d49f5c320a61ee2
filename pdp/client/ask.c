// SPDX-License-Identifier: Apache-2.0
#include "client/call.h"
#include "client/client.h"
#include "client/options.h"
#include "client/watch.h"
#include "wire/answer.h"
#include "wire/question.h"

#include <pdp/decider.h>
#include <stdlib.h>
#include <sys/random.h>

// Drawn anew for each question, so that nobody can guess the id of another's question.
static enum pdp_err draw_id(struct options_id *id)
{
    unsigned char bytes[OPTIONS_ID_BYTES];
    if (getrandom(bytes, sizeof bytes, 0) != (ssize_t)sizeof bytes) {
        return PDP_ERR_IO;
    }
    *id = options_id_of(bytes);
    return PDP_ERR_OK;
}

static enum wire_form form_of(const struct pdp_client *client)
{
    return options_form(client->form);
}

static struct pdp_answer *deny(struct pdp_client *client, enum pdp_err err)
{
    return options_deny(err, err == PDP_ERR_TIMEOUT && !pdp_connected(client) ? client->url : NULL);
}

// ---- One question ----------------------------------------------------------------------------------

static enum pdp_err encode_for(struct pdp_client *client, const struct pdp_question *question, bool event,
                               const char *gateway, int32_t deadline_ms, struct buf *out)
{
    TRY(options_check_deadline(deadline_ms));
    struct options_id id;
    TRY(draw_id(&id));
    struct question_bytes how = {.form = form_of(client),
                                 .event = event,
                                 .request_id = str_of(id.text),
                                 .deadline_ms = event ? 0 : deadline_ms,
                                 .gateway = str_of(gateway != NULL ? gateway : "")};
    return question_encode(question, &how, out);
}

static enum pdp_err encode(struct pdp_client *client, const struct pdp_question *question, bool event,
                           int32_t deadline_ms, struct buf *out)
{
    return encode_for(client, question, event, NULL, deadline_ms, out);
}

static enum pdp_err ask(struct pdp_client *client, const struct pdp_question *question, bool event,
                        int32_t deadline_ms, struct pdp_answer **answer)
{
    AUTO(buf_fini) struct buf message = {0};
    TRY(encode(client, question, event, deadline_ms, &message));
    nng_msg *reply = NULL;
    TRY(call_wait(client, &message, deadline_ms, &reply));
    enum pdp_err err = answer_read((struct str){nng_msg_body(reply), nng_msg_len(reply)}, answer);
    nng_msg_free(reply);
    return err;
}

static enum pdp_err ask_or_deny(struct pdp_client *client, const struct pdp_question *question, bool event,
                                int32_t deadline_ms, struct pdp_answer **answer)
{
    *answer = NULL;
    struct asked asked;
    enum pdp_err err = options_check_deadline(deadline_ms);
    bool kept = asked_begin(&asked, client, err == PDP_ERR_OK && !event ? question : NULL, answer);
    if (!kept && err == PDP_ERR_OK) {
        err = ask(client, question, event, deadline_ms, answer);
    }
    if (err == PDP_ERR_OK && !kept) {
        asked_end(&asked, answer);
    }
    if (err != PDP_ERR_OK && *answer == NULL) {
        *answer = deny(client, err);
    }
    asked_fini(&asked);
    return err;
}

enum pdp_err pdp_decide(struct pdp_client *client, const struct pdp_question *question, int32_t deadline_ms,
                        struct pdp_answer **answer)
{
    return ask_or_deny(client, question, false, deadline_ms, answer);
}

enum pdp_err pdp_event(struct pdp_client *client, const struct pdp_question *event, int32_t deadline_ms,
                       struct pdp_answer **answer)
{
    return ask_or_deny(client, event, true, deadline_ms, answer);
}

enum pdp_err client_call(struct pdp_client *client, struct str message, int32_t deadline_ms,
                         struct buf *reply)
{
    TRY(options_check_deadline(deadline_ms));
    AUTO(buf_fini) struct buf copy = {0};
    buf_str(&copy, message);
    if (copy.failed) {
        return PDP_ERR_NOMEM;
    }
    nng_msg *msg = NULL;
    TRY(call_wait(client, &copy, deadline_ms, &msg));
    buf_put(reply, nng_msg_body(msg), nng_msg_len(msg));
    nng_msg_free(msg);
    return reply->failed ? PDP_ERR_NOMEM : PDP_ERR_OK;
}

// ---- With a callback ---------------------------------------------------------------------------------

struct pending {
    struct pdp_client *client;
    pdp_answered answered;
    void *user;
    enum pdp_err (*read)(struct str bytes, struct pdp_answer **out);
    struct asked asked;
};

static void answered(void *user, const struct outcome *outcome)
{
    struct pending *pending = user;
    enum pdp_err err = outcome->err;
    struct pdp_answer *answer = NULL;
    if (err == PDP_ERR_OK) {
        err = pending->read((struct str){nng_msg_body(outcome->reply), nng_msg_len(outcome->reply)}, &answer);
        nng_msg_free(outcome->reply);
    }
    if (err == PDP_ERR_OK) {
        asked_end(&pending->asked, &answer);
    }
    if (answer == NULL) {
        answer = deny(pending->client, err);
    }
    pending->answered(pending->user, err, answer);
    asked_fini(&pending->asked);
    free(pending);
}

// `question` is what may be answered from what was kept; NULL: nothing may.
static enum pdp_err start(struct pdp_client *client, const struct pdp_question *question, struct buf *message,
                          int32_t deadline_ms, const struct pending *what)
{
    struct pending *pending = malloc(sizeof *pending);
    if (pending == NULL) {
        return PDP_ERR_NOMEM;
    }
    struct pdp_answer *kept = NULL;
    *pending = *what;
    if (asked_begin(&pending->asked, client, question, &kept)) {
        pending->answered(pending->user, PDP_ERR_OK, kept);
        asked_fini(&pending->asked);
        free(pending);
        return PDP_ERR_OK;
    }
    enum pdp_err err = call_start(client, message, deadline_ms, answered, pending);
    if (err != PDP_ERR_OK) {
        asked_fini(&pending->asked);
        free(pending);
    }
    return err;
}

enum pdp_err pdp_decide_async(struct pdp_client *client, const struct pdp_question *question,
                              int32_t deadline_ms, pdp_answered callback, void *user)
{
    AUTO(buf_fini) struct buf message = {0};
    TRY(encode(client, question, false, deadline_ms, &message));
    struct pending what = {.client = client, .answered = callback, .user = user, .read = answer_read};
    return start(client, question, &message, deadline_ms, &what);
}

enum pdp_err pdp_ask_async(struct pdp_client *client, const struct pdp_question *message, const char *gateway,
                           int32_t deadline_ms, pdp_answered callback, void *user)
{
    AUTO(buf_fini) struct buf bytes = {0};
    TRY(encode_for(client, message, false, gateway, deadline_ms, &bytes));
    struct pending what = {.client = client, .answered = callback, .user = user, .read = answer_read_any};
    return start(client, NULL, &bytes, deadline_ms, &what);
}

// ---- Batches ---------------------------------------------------------------------------------------

static const char *const SEMANTICS[] = {
    [PDP_EXECUTE_ALL] = "execute_all",
    [PDP_DENY_ON_FIRST_DENY] = "deny_on_first_deny",
    [PDP_PERMIT_ON_FIRST_PERMIT] = "permit_on_first_permit",
};

static enum pdp_err check_batch(const struct pdp_question *const *questions, size_t count,
                                enum pdp_semantic semantic)
{
    if ((size_t)semantic >= COUNT_OF(SEMANTICS)) {
        return PDP_ERR_RANGE;
    }
    if (count == 0 || count > REQUEST_BATCH_MAX) {
        return PDP_ERR_LIMIT;
    }
    for (size_t i = 0; i < count; i++) {
        TRY(pdp_question_error(questions[i]));
    }
    return PDP_ERR_OK;
}

// Every item has an id of its own: the same id with another question is an error.
static enum pdp_err encode_batch(struct pdp_client *client, const struct pdp_question *const *questions,
                                 size_t count, enum pdp_semantic semantic, int32_t deadline_ms,
                                 struct buf *out)
{
    TRY(check_batch(questions, count, semantic));
    struct emit emit;
    emit_init(&emit, form_of(client), out);
    emit_map(&emit, 3);
    emit_key_int(&emit, "deadline_ms", deadline_ms);
    emit_key(&emit, STR("options"));
    emit_map(&emit, 1);
    emit_key_str(&emit, "evaluations_semantic", str_of(SEMANTICS[semantic]));
    emit_end(&emit);
    emit_key(&emit, STR("evaluations"));
    emit_list(&emit, count);
    for (size_t i = 0; i < count; i++) {
        struct options_id id;
        TRY(draw_id(&id));
        question_emit(questions[i], str_of(id.text), &emit);
    }
    emit_end(&emit);
    emit_end(&emit);
    if (out->failed) {
        return PDP_ERR_NOMEM;
    }
    return out->len > REQUEST_BYTES_MAX ? PDP_ERR_LIMIT : PDP_ERR_OK;
}

static enum pdp_err ask_batch(struct pdp_client *client, const struct pdp_question *const *questions,
                              size_t count, enum pdp_semantic semantic, int32_t deadline_ms,
                              struct pdp_answer **answers)
{
    AUTO(buf_fini) struct buf message = {0};
    TRY(options_check_deadline(deadline_ms));
    TRY(encode_batch(client, questions, count, semantic, deadline_ms, &message));
    nng_msg *reply = NULL;
    TRY(call_wait(client, &message, deadline_ms, &reply));
    enum pdp_err err =
        answer_read_batch((struct str){nng_msg_body(reply), nng_msg_len(reply)}, count, answers);
    nng_msg_free(reply);
    return err;
}

enum pdp_err pdp_batch(struct pdp_client *client, const struct pdp_question *const *questions, size_t count,
                       enum pdp_semantic semantic, int32_t deadline_ms, struct pdp_answer **answers)
{
    for (size_t i = 0; i < count; i++) {
        answers[i] = NULL;
    }
    struct asked asked;
    struct pdp_answer *none = NULL;
    (void)asked_begin(&asked, client, NULL, &none);
    enum pdp_err err = ask_batch(client, questions, count, semantic, deadline_ms, answers);
    for (size_t i = 0; i < count && err == PDP_ERR_OK; i++) {
        asked_end(&asked, &answers[i]);
    }
    for (size_t i = 0; i < count && err != PDP_ERR_OK; i++) {
        if (answers[i] == NULL) {
            answers[i] = deny(client, err);
        }
    }
    asked_fini(&asked);
    return err;
}

// ---- As a decider ------------------------------------------------------------------------------------

static enum pdp_err decider_decide(const struct pdp_decider *decider, const struct pdp_question *question,
                                   int64_t now_ms, int32_t deadline_ms, struct pdp_answer **answer)
{
    (void)now_ms;
    return pdp_decide(decider->self, question, deadline_ms, answer);
}

static enum pdp_err decider_event(const struct pdp_decider *decider, const struct pdp_question *event,
                                  int64_t now_ms, int32_t deadline_ms, struct pdp_answer **answer)
{
    (void)now_ms;
    return pdp_event(decider->self, event, deadline_ms, answer);
}

static enum pdp_err decider_ask(const struct pdp_decider *decider, const struct pdp_question *message,
                                const char *gateway, int64_t now_ms, int32_t deadline_ms,
                                pdp_answered callback, void *user)
{
    (void)now_ms;
    return pdp_ask_async(decider->self, message, gateway, deadline_ms, callback, user);
}

struct pdp_decider pdp_decider_of_client(struct pdp_client *client)
{
    static const struct pdp_decider_ops OPS = {sizeof OPS, decider_decide, decider_event, decider_ask};
    return (struct pdp_decider){&OPS, client};
}
