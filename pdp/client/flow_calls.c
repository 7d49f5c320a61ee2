// SPDX-License-Identifier: Apache-2.0
#include "client/flow_inner.h"

#include "base/num.h"
#include "wire/answer.h"
#include "wire/cbor.h"
#include "wire/question.h"

#include <stdlib.h>
#include <sys/random.h>

#define SLOT_BITS 12 // of a ticket: which call it is; 4096 at most
#define ID_MARK 0x80000000u
#define OUT_MOST 65536 // bytes that wait to be written before more is added
#define FRAME_KEPT_MOST 8192
#define HELD_MOST ((size_t)16 << 20)
#define SILENT_MS 5000 // nothing is heard while something that is late was not answered
#define LOST_MS 60000  // the same, though other things are answered

static uint32_t wire_id(const struct flow_call *call)
{
    return (uint32_t)call->ticket | ID_MARK;
}

enum pdp_err flow_calls_init(struct pdp_flow *flow, uint32_t most)
{
    TAILQ_INIT(&flow->free);
    TAILQ_INIT(&flow->queued);
    TAILQ_INIT(&flow->sent);
    TAILQ_INIT(&flow->due);
    flow->calls = calloc(most, sizeof *flow->calls);
    if (flow->calls == NULL) {
        return PDP_ERR_NOMEM;
    }
    flow->call_count = most;
    for (uint32_t i = 0; i < most; i++) {
        TAILQ_INSERT_TAIL(&flow->free, &flow->calls[i], line);
    }
    return PDP_ERR_OK;
}

void flow_calls_fini(struct pdp_flow *flow)
{
    for (uint32_t i = 0; i < flow->call_count; i++) {
        buf_fini(&flow->calls[i].frame);
    }
    free(flow->calls);
    flow->calls = NULL;
    flow->call_count = 0;
    explicit_bzero(flow->pool, sizeof flow->pool);
}

enum pdp_err flow_calls_draw(struct pdp_flow *flow, unsigned char *out, size_t len)
{
    if (flow->pool_left < len) {
        if (getrandom(flow->pool, sizeof flow->pool, 0) != (ssize_t)sizeof flow->pool) {
            return PDP_ERR_IO;
        }
        flow->pool_left = sizeof flow->pool;
    }
    flow->pool_left -= len;
    memcpy(out, flow->pool + flow->pool_left, len);
    explicit_bzero(flow->pool + flow->pool_left, len);
    return PDP_ERR_OK;
}

// ---- Asking
// ------------------------------------------------------------------------------------------------

// What is asked: a question, or the entries of a CBOR map where that is NULL.
struct asking {
    const struct pdp_question *message;
    struct str entries;
    size_t entry_count;
    const char *gateway;
    int32_t deadline_ms;
};

static enum pdp_err put_entries(const struct asking *asking, struct str request_id, struct buf *out)
{
    struct str gateway = str_of(asking->gateway != NULL ? asking->gateway : "");
    size_t from = out->len;
    cbor_put_head(out, CBOR_MAP, asking->entry_count + 2 + (gateway.len > 0 ? 1 : 0));
    cbor_put_text(out, STR("request_id"));
    cbor_put_text(out, request_id);
    cbor_put_text(out, STR("deadline_ms"));
    cbor_put_int(out, asking->deadline_ms);
    if (gateway.len > 0) {
        cbor_put_text(out, STR("gateway"));
        cbor_put_text(out, gateway);
    }
    buf_str(out, asking->entries);
    return out->failed ? PDP_ERR_NOMEM : out->len - from > REQUEST_BYTES_MAX ? PDP_ERR_LIMIT : PDP_ERR_OK;
}

static enum pdp_err encode(struct pdp_flow *flow, const struct asking *asking, struct flow_call *call)
{
    unsigned char head[SP_HEADER_MAX] = {0}, drawn[OPTIONS_ID_BYTES];
    TRY(flow_calls_draw(flow, drawn, sizeof drawn));
    struct options_id id = options_id_of(drawn);
    const struct question_bytes how = {.form = flow->form,
                                       .request_id = str_of(id.text),
                                       .deadline_ms = asking->deadline_ms,
                                       .gateway = str_of(asking->gateway != NULL ? asking->gateway : "")};
    struct buf *frame = &call->frame;
    size_t header = sp_header_bytes(flow->transport);
    buf_put(frame, head, header);
    buf_put(frame, head, SP_SURVEY_BYTES);
    TRY(asking->entries.at == NULL ? question_encode(asking->message, &how, frame)
                                   : put_entries(asking, how.request_id, frame));
    (void)sp_frame_write(flow->transport, frame->len - header, frame->at);
    sp_survey_write(wire_id(call), frame->at + header);
    return PDP_ERR_OK;
}

static void release(struct pdp_flow *flow, struct flow_call *call)
{
    struct flow_line *line = call->state == FLOW_CALL_QUEUED ? &flow->queued : &flow->sent;
    TAILQ_REMOVE(line, call, line);
    flow->held_bytes -= call->frame.len;
    buf_clear(&call->frame);
    if (call->frame.cap > FRAME_KEPT_MOST) {
        buf_fini(&call->frame);
    }
    call->state = FLOW_CALL_FREE;
    TAILQ_INSERT_HEAD(&flow->free, call, line);
}

static void insert_due(struct pdp_flow *flow, struct flow_call *call)
{
    struct flow_call *before = TAILQ_LAST(&flow->due, flow_line);
    while (before != NULL && before->deadline_ms > call->deadline_ms) {
        before = TAILQ_PREV(before, flow_line, due);
    }
    if (before != NULL) {
        TAILQ_INSERT_AFTER(&flow->due, before, call, due);
    } else {
        TAILQ_INSERT_HEAD(&flow->due, call, due);
    }
}

static enum pdp_err begin(struct pdp_flow *flow, const struct asking *asking, int64_t now_ms,
                          pdp_answered answered, void *user, uint64_t *ticket)
{
    *ticket = 0;
    TRY(options_check_deadline(asking->deadline_ms));
    struct flow_call *call = TAILQ_FIRST(&flow->free);
    if (call == NULL || flow->held_bytes > HELD_MOST) {
        return PDP_ERR_BUSY;
    }
    call->ticket = ++flow->serial << SLOT_BITS | (uint64_t)(call - flow->calls);
    enum pdp_err err = encode(flow, asking, call);
    if (err != PDP_ERR_OK) {
        buf_fini(&call->frame);
        return err;
    }
    TAILQ_REMOVE(&flow->free, call, line);
    TAILQ_INSERT_TAIL(&flow->queued, call, line);
    call->state = FLOW_CALL_QUEUED;
    call->open = true;
    call->deadline_ms = num_add_sat(now_ms, asking->deadline_ms);
    call->answered = answered;
    call->user = user;
    flow->held_bytes += call->frame.len;
    insert_due(flow, call);
    *ticket = call->ticket;
    return PDP_ERR_OK;
}

enum pdp_err pdp_flow_ask(struct pdp_flow *flow, const struct pdp_question *message, const char *gateway,
                          int32_t deadline_ms, int64_t now_ms, pdp_answered answered, void *user,
                          uint64_t *ticket)
{
    const struct asking asking = {.message = message, .gateway = gateway, .deadline_ms = deadline_ms};
    return begin(flow, &asking, now_ms, answered, user, ticket);
}

enum pdp_err pdp_flow_ask_entries(struct pdp_flow *flow, const void *entries, size_t len, size_t count,
                                  const char *gateway, int32_t deadline_ms, int64_t now_ms,
                                  pdp_answered answered, void *user, uint64_t *ticket)
{
    const struct asking asking = {
        .entries = {entries, len}, .entry_count = count, .gateway = gateway, .deadline_ms = deadline_ms};
    *ticket = 0;
    if (flow->form != WIRE_CBOR) {
        return PDP_ERR_UNSUPPORTED;
    }
    if (entries == NULL || len > REQUEST_BYTES_MAX || count > REQUEST_BYTES_MAX) {
        return entries == NULL ? PDP_ERR_MISSING : PDP_ERR_LIMIT;
    }
    return begin(flow, &asking, now_ms, answered, user, ticket);
}

enum pdp_err flow_calls_fill(struct pdp_flow *flow, int64_t now_ms)
{
    struct flow_call *call = NULL;
    while (flow->out.len - flow->out_sent < OUT_MOST && (call = TAILQ_FIRST(&flow->queued)) != NULL) {
        buf_str(&flow->out, buf_view(&call->frame));
        if (flow->out.failed) {
            return PDP_ERR_NOMEM;
        }
        TAILQ_REMOVE(&flow->queued, call, line);
        TAILQ_INSERT_TAIL(&flow->sent, call, line);
        call->state = FLOW_CALL_SENT;
        call->sent_ms = now_ms;
    }
    return PDP_ERR_OK;
}

// ---- The end of a question
// -----------------------------------------------------------------------------------

// Nobody waits for it any more.
static void close_call(struct pdp_flow *flow, struct flow_call *call)
{
    call->open = false;
    TAILQ_REMOVE(&flow->due, call, due);
    if (call->state == FLOW_CALL_QUEUED) {
        release(flow, call);
    }
}

bool pdp_flow_cancel(struct pdp_flow *flow, uint64_t ticket)
{
    size_t slot = (size_t)(ticket & ((1u << SLOT_BITS) - 1));
    struct flow_call *call = slot < flow->call_count ? &flow->calls[slot] : NULL;
    if (call == NULL || ticket == 0 || call->ticket != ticket || call->state == FLOW_CALL_FREE ||
        !call->open) {
        return false;
    }
    close_call(flow, call);
    return true;
}

static void deny(struct pdp_flow *flow, struct flow_call *call, enum pdp_err err)
{
    pdp_answered answered = call->answered;
    void *user = call->user;
    bool away = err == PDP_ERR_TIMEOUT && flow->state != FLOW_UP;
    close_call(flow, call);
    answered(user, err, options_deny(err, away ? flow->url : NULL));
}

void flow_calls_expire(struct pdp_flow *flow, int64_t now_ms)
{
    struct flow_call *call = NULL;
    while ((call = TAILQ_FIRST(&flow->due)) != NULL && call->deadline_ms <= now_ms) {
        deny(flow, call, PDP_ERR_TIMEOUT);
    }
}

void flow_calls_end(struct pdp_flow *flow, enum pdp_err err)
{
    struct flow_call *call = NULL;
    while ((call = TAILQ_FIRST(&flow->due)) != NULL) {
        deny(flow, call, err);
    }
}

static struct flow_call *find(const struct pdp_flow *flow, uint32_t id)
{
    size_t slot = id & ((1u << SLOT_BITS) - 1);
    struct flow_call *call = slot < flow->call_count ? &flow->calls[slot] : NULL;
    return call != NULL && call->state == FLOW_CALL_SENT && wire_id(call) == id ? call : NULL;
}

enum pdp_err flow_calls_take(struct pdp_flow *flow, struct str body)
{
    struct str hops, message;
    if (sp_hops_split(body, &hops, &message) != SP_WHOLE || hops.len != SP_SURVEY_BYTES) {
        return PDP_ERR_MALFORMED;
    }
    struct flow_call *call = find(flow, sp_survey_number(hops) | ID_MARK);
    if (call == NULL) {
        return PDP_ERR_OK;
    }
    pdp_answered answered = call->open ? call->answered : NULL;
    void *user = call->user;
    if (call->open) {
        close_call(flow, call);
    }
    release(flow, call);
    flow->backoff_ms = 0; // whoever answers is well
    if (answered != NULL) {
        struct pdp_answer *answer = NULL;
        enum pdp_err err = answer_read_any(message, &answer);
        answered(user, err, answer != NULL ? answer : options_deny(err, NULL));
    }
    return PDP_ERR_OK;
}

void flow_calls_requeue(struct pdp_flow *flow)
{
    struct flow_call *call = NULL;
    while ((call = TAILQ_LAST(&flow->sent, flow_line)) != NULL) {
        if (call->open) {
            TAILQ_REMOVE(&flow->sent, call, line);
            TAILQ_INSERT_HEAD(&flow->queued, call, line);
            call->state = FLOW_CALL_QUEUED;
        } else {
            release(flow, call);
        }
    }
}

int64_t flow_calls_due_ms(const struct pdp_flow *flow)
{
    const struct flow_call *call = TAILQ_FIRST(&flow->due);
    return call != NULL ? call->deadline_ms : INT64_MAX;
}

int64_t flow_calls_lost_ms(const struct pdp_flow *flow)
{
    const struct flow_call *oldest = TAILQ_FIRST(&flow->sent);
    if (oldest == NULL || oldest->open) {
        return INT64_MAX;
    }
    int64_t silent = num_add_sat(num_max(flow->heard_ms, oldest->sent_ms), SILENT_MS);
    return num_min(silent, num_add_sat(oldest->sent_ms, LOST_MS));
}
