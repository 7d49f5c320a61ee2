// SPDX-License-Identifier: Apache-2.0
// Any bytes of a peer, in pieces of any size, while questions are asked, cancelled and late: each is answered
// once at most, and exactly once unless it was cancelled; and nothing that was not said is an allow.
#include "client/flow_inner.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

enum {
    ASKERS = 8
};

struct asker {
    uint64_t ticket;
    int calls;
    bool cancelled;
};

static void must(bool holds)
{
    if (!holds) {
        abort();
    }
}

static void answered(void *user, enum pdp_err err, struct pdp_answer *answer)
{
    struct asker *asker = user;
    must(++asker->calls == 1 && !asker->cancelled);
    must(err == PDP_ERR_OK || !pdp_answer_allows(answer));
    pdp_answer_free(&answer);
}

static void ask(struct pdp_flow *flow, struct asker *asker, int64_t now)
{
    struct pdp_question *question = NULL;
    must(pdp_question_new(&question) == PDP_ERR_OK);
    *asker = (struct asker){0};
    must(pdp_flow_ask(flow, question, NULL, 100, now, answered, asker, &asker->ticket) == PDP_ERR_OK);
    pdp_question_free(&question);
}

static void begin(struct pdp_flow *flow)
{
    buf_clear(&flow->in);
    buf_clear(&flow->out);
    flow_calls_requeue(flow);
    flow->state = FLOW_GREETING;
}

static void feed(struct pdp_flow *flow, struct str piece, int64_t now)
{
    buf_str(&flow->in, piece);
    enum pdp_err err = flow_take_in(flow);
    if (err == PDP_ERR_OK && flow->state == FLOW_UP) {
        err = flow_calls_fill(flow, now);
    }
    if (err != PDP_ERR_OK) {
        begin(flow);
    }
    must(flow->in.len <= flow->answer_max + SP_HEADER_MAX);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    struct pdp_options options = {
        .size = sizeof options, .form = PDP_FORM_JSON, .in_flight_max = 2 * ASKERS, .answer_bytes_max = 4096};
    struct pdp_flow *flow = NULL;
    struct asker askers[ASKERS];
    int64_t now = 0;
    must(pdp_flow_open("ipc:///x", &options, &flow) == PDP_ERR_OK);
    begin(flow);
    for (size_t i = 0; i < ASKERS; i++) {
        ask(flow, &askers[i], now);
    }
    size_t step = len > 0 ? bytes[0] % 16u + 1 : 1;
    for (size_t at = 1, turn = 0; at < len; at += step, turn++) {
        size_t most = len - at < step ? len - at : step;
        struct asker *asker = &askers[turn % ASKERS];
        feed(flow, (struct str){(const char *)bytes + at, most}, now);
        if (bytes[0] >= 192 && turn % 3 == 0 && pdp_flow_cancel(flow, asker->ticket)) {
            asker->cancelled = true;
        }
        if (bytes[0] >= 128) {
            now += 7;
            flow_calls_expire(flow, now);
        }
    }
    pdp_flow_close(&flow);
    for (size_t i = 0; i < ASKERS; i++) {
        must(askers[i].calls == (askers[i].cancelled ? 0 : 1));
    }
    return 0;
}
