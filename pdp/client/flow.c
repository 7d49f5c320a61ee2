// SPDX-License-Identifier: Apache-2.0
#include "client/flow_inner.h"

#include "base/num.h"

#include <stdlib.h>

#define BACKOFF_FIRST_MS 10
#define ROUNDS_MOST 4 // of reading, in one step
#define IN_KEPT_MOST (256 * 1024)

static void flow_free(struct pdp_flow **flow_ptr)
{
    struct pdp_flow *flow = STEAL(*flow_ptr);
    if (flow != NULL) {
        flow_link_fini(flow);
        flow_calls_fini(flow);
        buf_fini(&flow->in);
        buf_fini(&flow->out);
        free(flow);
    }
}

enum pdp_err pdp_flow_open(const char *url, const struct pdp_options *options, struct pdp_flow **flow)
{
    *flow = NULL;
    struct pdp_options settled;
    TRY(options_read(options, &settled));
    TRY(options_check_url(url));
    if (settled.notices_url != NULL || settled.orders_url != NULL || settled.cache_entries > 0) {
        return PDP_ERR_UNSUPPORTED;
    }
    AUTO(flow_free) struct pdp_flow *made = calloc(1, sizeof *made);
    if (made == NULL) {
        return PDP_ERR_NOMEM;
    }
    made->fd = -1;
    made->form = options_form(settled.form);
    made->reconnect_ms = settled.reconnect_ms;
    made->answer_max = (size_t)settled.answer_bytes_max + SP_HOPS_BYTES;
    memcpy(made->url, url, strlen(url) + 1);
    TRY(flow_calls_init(made, settled.in_flight_max));
    TRY(flow_link_init(made, url, &settled));
    *flow = STEAL(made);
    return PDP_ERR_OK;
}

void pdp_flow_close(struct pdp_flow **flow)
{
    if (flow != NULL && *flow != NULL) {
        flow_calls_end(*flow, PDP_ERR_CLOSED);
        flow_free(flow);
    }
}

// ---- What the host is to wait for
// ------------------------------------------------------------------------------

int pdp_flow_fd(const struct pdp_flow *flow)
{
    return flow->fd;
}

bool pdp_flow_connected(const struct pdp_flow *flow)
{
    return flow->state == FLOW_UP;
}

unsigned pdp_flow_wants(const struct pdp_flow *flow)
{
    switch (flow->state) {
    case FLOW_DOWN:
        return 0;
    case FLOW_CONNECTING:
        return PDP_FLOW_WRITE;
    case FLOW_SECURING:
    case FLOW_GREETING:
    case FLOW_UP:
        break;
    }
    return flow->blocked ? PDP_FLOW_READ | PDP_FLOW_WRITE : PDP_FLOW_READ;
}

int64_t pdp_flow_due_ms(const struct pdp_flow *flow)
{
    int64_t due = flow_calls_due_ms(flow);
    if (flow->state == FLOW_DOWN) {
        return num_min(due, flow->redial_ms);
    }
    if (flow->state != FLOW_UP) {
        return num_min(due, flow->give_up_ms);
    }
    bool unwritten = !flow->blocked && !TAILQ_EMPTY(&flow->queued);
    return unwritten ? 0 : num_min(due, flow_calls_lost_ms(flow));
}

// ---- Moving on
// -------------------------------------------------------------------------------------------------

// Doubled each time, and anything between half of it and all, so that many hosts do not come back at once.
static int64_t next_pause_ms(struct pdp_flow *flow)
{
    unsigned char drawn = 0;
    int64_t pause = flow->backoff_ms > 0 ? 2 * flow->backoff_ms : BACKOFF_FIRST_MS;
    pause = num_max(2, num_min(pause, flow->reconnect_ms));
    flow->backoff_ms = pause;
    (void)!flow_calls_draw(flow, &drawn, 1);
    return pause / 2 + pause * drawn / 512;
}

static void give_up(struct pdp_flow *flow, int64_t now_ms)
{
    flow_link_close(flow);
    buf_clear(&flow->in);
    buf_clear(&flow->out);
    flow->out_sent = 0;
    flow->blocked = false;
    flow->state = FLOW_DOWN;
    flow->redial_ms = num_add_sat(now_ms, num_max(1, next_pause_ms(flow)));
    flow_calls_requeue(flow);
}

static enum pdp_err take_greeting(struct pdp_flow *flow)
{
    enum sp_got got = sp_handshake_read(buf_view(&flow->in), SP_REP0);
    if (got == SP_WHOLE) {
        buf_drop(&flow->in, SP_HANDSHAKE_BYTES);
        flow->state = FLOW_UP;
    }
    return got == SP_WHOLE || got == SP_MORE ? PDP_ERR_OK : PDP_ERR_MALFORMED;
}

static enum pdp_err take_frames(struct pdp_flow *flow)
{
    size_t used = 0;
    for (;;) {
        struct sp_frame frame;
        struct str rest = str_sub(buf_view(&flow->in), used, flow->in.len);
        enum sp_got got = sp_frame_read(flow->transport, rest, flow->answer_max, &frame);
        if (got == SP_MORE) {
            buf_drop(&flow->in, used);
            return PDP_ERR_OK;
        }
        if (got != SP_WHOLE) {
            return PDP_ERR_MALFORMED;
        }
        TRY(flow_calls_take(flow, frame.body));
        used += frame.used;
    }
}

enum pdp_err flow_take_in(struct pdp_flow *flow)
{
    if (flow->state == FLOW_GREETING) {
        TRY(take_greeting(flow));
    }
    if (flow->state == FLOW_UP) {
        TRY(take_frames(flow));
    }
    if (flow->in.len == 0 && flow->in.cap > IN_KEPT_MOST) {
        buf_fini(&flow->in);
    }
    return PDP_ERR_OK;
}

// The end of the connection is told after all that came before it.
static enum pdp_err read_all(struct pdp_flow *flow, int64_t now_ms)
{
    bool full = true;
    for (int i = 0; i < ROUNDS_MOST && full; i++) {
        size_t had = flow->in.len;
        enum pdp_err err = flow_link_receive(flow, &full);
        if (flow->in.len != had) {
            flow->heard_ms = now_ms;
        }
        TRY(flow_take_in(flow));
        TRY(err);
    }
    return PDP_ERR_OK;
}

static enum pdp_err write_all(struct pdp_flow *flow, int64_t now_ms)
{
    for (int i = 0; i < ROUNDS_MOST && !flow->blocked; i++) {
        if (flow->state == FLOW_UP) {
            TRY(flow_calls_fill(flow, now_ms));
        }
        TRY(flow_link_send(flow));
        if (flow->state != FLOW_UP || TAILQ_EMPTY(&flow->queued)) {
            break;
        }
    }
    return PDP_ERR_OK;
}

static enum pdp_err move_on(struct pdp_flow *flow, unsigned ready, int64_t now_ms)
{
    if (flow->state == FLOW_DOWN) {
        return now_ms >= flow->redial_ms ? flow_link_dial(flow, now_ms) : PDP_ERR_OK;
    }
    if (flow->state != FLOW_UP && now_ms >= flow->give_up_ms) {
        return PDP_ERR_TIMEOUT;
    }
    if (flow->state == FLOW_CONNECTING) {
        return (ready & PDP_FLOW_WRITE) != 0 ? flow_link_connected(flow) : PDP_ERR_OK;
    }
    if ((ready & PDP_FLOW_WRITE) != 0) {
        flow->blocked = false;
    }
    if ((ready & PDP_FLOW_READ) != 0) {
        TRY(read_all(flow, now_ms));
    }
    return now_ms >= flow_calls_lost_ms(flow) ? PDP_ERR_TIMEOUT : PDP_ERR_OK;
}

void pdp_flow_step(struct pdp_flow *flow, unsigned ready, int64_t now_ms)
{
    flow_calls_expire(flow, now_ms);
    enum pdp_err err = move_on(flow, ready, now_ms);
    if (err == PDP_ERR_OK && flow->state > FLOW_CONNECTING) {
        err = write_all(flow, now_ms);
    }
    if (err != PDP_ERR_OK) {
        give_up(flow, now_ms);
    }
}
