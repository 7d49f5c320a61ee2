// SPDX-License-Identifier: Apache-2.0
// The network: bytes in pieces, late, lost with their connection. What comes out of the daemon is read at its
// edge, whether a peer gets it or not.
#include "sim/sim.h"

static struct node *node_of(struct sim *sim, const struct sim_link *link)
{
    return sim->machine.nodes[sim->peers[link->peer].admin];
}

static void close_link(struct sim *sim, struct sim_link *link)
{
    for (int i = 0; i < link->send_count; i++) {
        sim->requests[link->sends[i].request].sends--;
    }
    link->used = false;
    link->send_count = 0;
}

static int open_link(struct sim *sim, int at, int peer)
{
    struct sim_link *link = &sim->links[at];
    struct buf in = link->in, out = link->out;
    buf_clear(&in);
    buf_clear(&out);
    *link = (struct sim_link){
        .peer = peer, .in = in, .out = out, .transport = sim_one_in(sim, 2) ? SP_TCP : SP_IPC};
    const struct node_open open = {.handle = (uint64_t)at,
                                   .transport = link->transport,
                                   .origin = str_of(sim->peers[peer].name),
                                   .peer = sim->peers[peer].peer};
    if (node_open(node_of(sim, link), &open, sim->now, &link->node_id) != PDP_ERR_OK) {
        return SIM_NONE;
    }
    link->used = true;
    unsigned char hello[SP_HANDSHAKE_BYTES];
    sp_handshake_write(SP_REQ0, hello);
    buf_put(&link->in, hello, sizeof hello);
    link->put = sizeof hello;
    sim_note(sim, DID_OPEN, SIM_NONE, at, peer);
    return at;
}

int sim_link_of(struct sim *sim, int peer)
{
    int first = sim_below(sim, 3), unused = SIM_NONE;
    for (int i = 0; i < 3; i++) {
        int at = peer * 3 + (first + i) % 3;
        if (sim->links[at].used && sim->links[at].send_count < SIM_SENDS) {
            return at;
        }
        unused = sim->links[at].used ? unused : at;
    }
    return unused != SIM_NONE ? open_link(sim, unused, peer) : SIM_NONE;
}

void sim_send(struct sim *sim, int at, int request)
{
    struct sim_link *link = &sim->links[at];
    struct sim_request *asked = &sim->requests[request];
    for (int i = 0; i < link->send_count; i++) {
        asked->hop = link->sends[i].hop == asked->hop ? ++sim->hop : asked->hop;
    }
    unsigned char header[SP_HEADER_MAX];
    const unsigned char hop[4] = {(unsigned char)(0x80 | asked->hop >> 24), (unsigned char)(asked->hop >> 16),
                                  (unsigned char)(asked->hop >> 8), (unsigned char)asked->hop};
    size_t len = sp_frame_write(link->transport, sizeof hop + asked->len, header);
    buf_put(&link->in, header, len);
    buf_put(&link->in, hop, sizeof hop);
    buf_put(&link->in, asked->bytes, asked->len);
    link->put += len + sizeof hop + asked->len;
    link->sends[link->send_count++] =
        (struct sim_send){.request = request, .hop = asked->hop, .ends = link->put};
    asked->sends++;
    sim_note(sim, DID_SEND, asked->story, (int64_t)asked->number, at);
}

struct sim_send *sim_begun(struct sim *sim, uint64_t handle)
{
    struct sim_link *link = &sim->links[handle];
    for (int i = 0; i < link->send_count; i++) {
        struct sim_send *send = &link->sends[i];
        if (!send->begun) {
            if (send->ends > link->got) {
                sim_fail(sim, SIM_NONE, "a message was judged that had not arrived");
            }
            send->begun = true;
            return send;
        }
    }
    sim_fail(sim, SIM_NONE, "a message was judged that nobody sent");
    return NULL;
}

// ---- To the daemon ---------------------------------------------------------------------------------------

static void give_some(struct sim *sim, struct node *node, struct sim_link *link)
{
    struct node_space space;
    size_t left = link->in.len - link->given;
    if (left == 0 || !node_space(node, link->node_id, &space)) {
        return;
    }
    size_t len = sim_one_in(sim, 6) ? 1 + (size_t)sim_below(sim, 60) : left;
    len = len < left ? len : left;
    len = len < space.len ? len : space.len;
    memcpy(space.at, link->in.at + link->given, len);
    link->given += len;
    link->got += len;
    if (link->given == link->in.len) {
        buf_clear(&link->in);
        link->given = 0;
    }
    node_received(node, link->node_id, len, sim->now);
}

static void turns(struct sim *sim, struct node *node)
{
    struct node_ready ready;
    for (int i = 0; i < 100 && node_runnable(node); i++) {
        while (node_next_ready(node, sim->now, &ready)) {
            if (ready.reads) {
                give_some(sim, node, &sim->links[ready.handle]);
            }
        }
    }
}

void sim_give(struct sim *sim, int at)
{
    struct sim_link *link = &sim->links[at];
    if (!link->used) {
        return;
    }
    struct node *node = node_of(sim, link);
    if (link->given < link->in.len) {
        node_readable(node, link->node_id, false, sim->now);
    }
    if (link->stuck) {
        link->stuck = false;
        node_writable(node, link->node_id);
    }
    turns(sim, node);
    sim_note(sim, DID_GIVE, SIM_NONE, at, (int64_t)link->got);
}

void sim_lose(struct sim *sim, int at)
{
    struct sim_link *link = &sim->links[at];
    if (!link->used) {
        return;
    }
    if (sim->machine.nodes[0] != NULL) {
        node_lost(node_of(sim, link), link->node_id);
        uint64_t handle;
        while (node_next_closed(node_of(sim, link), &handle)) {
            close_link(sim, &sim->links[handle]);
        }
    }
    close_link(sim, link);
    sim_note(sim, DID_LOST, SIM_NONE, at, 0);
}

// ---- From the daemon -------------------------------------------------------------------------------------

static void answered(struct sim *sim, struct sim_link *link, struct str body)
{
    struct str hops, message;
    if (sp_hops_split(body, &hops, &message) != SP_WHOLE || hops.len != 4) {
        sim_fail(sim, SIM_NONE, "an answer without the id of its request");
        return;
    }
    const unsigned char *hop = (const unsigned char *)hops.at;
    uint32_t number =
        (uint32_t)(hop[0] & 0x7f) << 24 | (uint32_t)hop[1] << 16 | (uint32_t)hop[2] << 8 | hop[3];
    for (int i = 0; i < link->send_count; i++) {
        if (link->sends[i].begun && link->sends[i].hop == number) {
            const struct sim_send send = link->sends[i];
            memmove(&link->sends[i], &link->sends[i + 1], (size_t)(link->send_count - i - 1) * sizeof send);
            link->send_count--;
            sim->requests[send.request].sends--;
            ledger_answer(sim, link, &send, message);
            return;
        }
    }
    sim_fail(sim, SIM_NONE, "an answer to what was not asked here: %u on connection %d", number,
             (int)(link - sim->links));
}

static void read_out(struct sim *sim, struct sim_link *link)
{
    struct str bytes = buf_view(&link->out);
    if (!link->greeted && bytes.len >= SP_HANDSHAKE_BYTES) {
        if (sp_handshake_read(bytes, SP_REP0) != SP_WHOLE) {
            sim_fail(sim, SIM_NONE, "the daemon's handshake is none");
        }
        link->greeted = true;
        bytes = str_sub(bytes, SP_HANDSHAKE_BYTES, bytes.len);
    }
    struct sp_frame frame;
    while (link->greeted && !sim->failed &&
           sp_frame_read(link->transport, bytes, 1 << 20, &frame) == SP_WHOLE) {
        answered(sim, link, frame.body);
        bytes = str_sub(bytes, frame.used, bytes.len);
    }
    buf_drop(&link->out, link->out.len - bytes.len);
}

static void pump(struct sim *sim, struct node *node, bool all)
{
    struct node_output output;
    while (!sim->failed && node_next_output(node, &output)) {
        struct sim_link *link = &sim->links[output.handle];
        size_t len = output.bytes.len;
        if (!all && sim_one_in(sim, 12)) {
            len = (size_t)sim_below(sim, (int)len + 1);
            link->stuck = len < output.bytes.len;
        }
        buf_str(&link->out, str_sub(output.bytes, 0, len));
        node_sent(node, output.id, len, sim->now);
        read_out(sim, link);
    }
    struct node_change change;
    while (node_next_change(node, &change)) {
    }
    uint64_t handle;
    while (node_next_closed(node, &handle)) {
        close_link(sim, &sim->links[handle]);
        sim_note(sim, DID_LOST, SIM_NONE, (int64_t)handle, 1);
    }
}

void sim_pump(struct sim *sim, bool all)
{
    pump(sim, sim->machine.nodes[0], all);
    pump(sim, sim->machine.nodes[1], all);
}
