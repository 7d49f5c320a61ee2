// SPDX-License-Identifier: Apache-2.0
#include "cli/test/desk.h"

#include "node/admin.h"
#include "node/roles.h"

#include <stdlib.h>

struct desk {
    struct node *node;
    struct gate *gate;
    struct admin *admin;
    struct buf sent; // by the node, on the connection that is open
};

static void wake(void *user)
{
    (void)user; // nothing is held back: there is no journal
}

static void no_status(void *user, struct admin_status *out)
{
    (void)user;
    *out = (struct admin_status){0};
}

static void not_told(void *user, const struct peer *by, struct str ref, struct str reason)
{
    (void)user;
    (void)by;
    (void)ref;
    (void)reason;
}

enum pdp_err desk_new(struct engine *engine, struct desk **out)
{
    *out = NULL;
    AUTO(desk_free) struct desk *desk = calloc(1, sizeof *desk);
    if (desk == NULL) {
        return PDP_ERR_NOMEM;
    }
    const struct admin_host host = {.status = no_status, .ended = not_told};
    TRY(gate_new(engine_journal(engine), wake, desk, &desk->gate));
    TRY(admin_new(engine, desk->gate, &host, &desk->admin));
    struct node_config config = {.handler = admin_handler(desk->admin),
                                 .limits = NODE_LIMITS_DEFAULT,
                                 .type = SP_REP0,
                                 .seed = {UINT64_C(0x6465736b), 1}};
    config.limits.queue_ms = 0;
    TRY(node_new(&config, &desk->node));
    *out = STEAL(desk);
    return PDP_ERR_OK;
}

void desk_free(struct desk **desk_ptr)
{
    struct desk *desk = STEAL(*desk_ptr);
    if (desk != NULL) {
        node_free(&desk->node);
        gate_free(&desk->gate);
        admin_free(&desk->admin);
        buf_fini(&desk->sent);
        free(desk);
    }
}

// ---- One connection an order -----------------------------------------------------------------------

static void feed(struct desk *desk, uint64_t id, const struct buf *bytes, struct node_now now)
{
    struct node_space space;
    size_t done = 0;
    while (done < bytes->len && node_space(desk->node, id, &space)) {
        size_t len = bytes->len - done < space.len ? bytes->len - done : space.len;
        memcpy(space.at, bytes->at + done, len);
        node_received(desk->node, id, len, now);
        done += len;
    }
}

static void take(struct desk *desk, struct node_now now)
{
    struct node_ready ready;
    struct node_output output;
    while (node_next_ready(desk->node, now, &ready)) {
    }
    while (node_next_output(desk->node, &output)) {
        buf_put(&desk->sent, output.bytes.at, output.bytes.len);
        node_sent(desk->node, output.id, output.bytes.len, now);
    }
}

// The first message behind the handshake, if it is whole.
static bool answered(const struct desk *desk, struct buf *answer)
{
    struct sp_frame frame;
    struct str hops, message;
    struct str bytes = str_sub(buf_view(&desk->sent), SP_HANDSHAKE_BYTES, SIZE_MAX);
    if (desk->sent.len <= SP_HANDSHAKE_BYTES ||
        sp_frame_read(SP_TCP, bytes, NODE_LIMITS_DEFAULT.output_bytes, &frame) != SP_WHOLE ||
        sp_hops_split(frame.body, &hops, &message) != SP_WHOLE) {
        return false;
    }
    buf_str(answer, message);
    return true;
}

static void write_order(struct str message, struct buf *out)
{
    static const unsigned char HOP[] = {0x80, 0, 0, 1};
    unsigned char hello[SP_HANDSHAKE_BYTES], header[SP_HEADER_MAX];
    sp_handshake_write(SP_REQ0, hello);
    buf_put(out, hello, sizeof hello);
    buf_put(out, header, sp_frame_write(SP_TCP, sizeof HOP + message.len, header));
    buf_put(out, HOP, sizeof HOP);
    buf_str(out, message);
}

static bool ask(struct desk *desk, uint64_t id, struct str message, struct node_now now, struct buf *answer)
{
    AUTO(buf_fini) struct buf bytes = {0};
    write_order(message, &bytes);
    if (bytes.failed) {
        return false;
    }
    feed(desk, id, &bytes, now);
    take(desk, now);
    for (bool more = true; more;) { // what scans sessions
        more = admin_work(desk->admin, desk->node, now);
        take(desk, now);
    }
    return answered(desk, answer);
}

enum pdp_err desk_give(struct desk *desk, struct str by, struct str message, int64_t at_ms,
                       struct buf *answer)
{
    const struct node_now now = {.steady_ms = at_ms, .wall_ms = at_ms};
    const struct node_open open = {
        .transport = SP_TCP, .origin = STR("desk"), .peer = {.name = by, .roles = ROLE_ANALYST}};
    uint64_t id = 0, handle = 0;
    buf_clear(answer);
    buf_clear(&desk->sent);
    TRY(node_open(desk->node, &open, now, &id));
    bool there = ask(desk, id, message, now, answer);
    node_lost(desk->node, id);
    while (node_next_closed(desk->node, &handle)) {
    }
    if (answer->failed || desk->sent.failed) {
        return PDP_ERR_NOMEM;
    }
    return there ? PDP_ERR_OK : PDP_ERR_CLOSED;
}
