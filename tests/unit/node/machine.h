// SPDX-License-Identifier: Apache-2.0
// A node without a daemon: peers are buffers, time is a number, the handler echoes or parks.
#ifndef UNIT_NODE_MACHINE_H
#define UNIT_NODE_MACHINE_H

#include "node/gate.h"

#include <stdio.h>
#include <stdlib.h>

struct machine {
    struct node *node;
    struct node_now now;
    struct node_ticket tickets[64];
    size_t ticket_count;
    size_t answered;
    uint64_t closed[64]; // handles, as they were closed
    size_t closed_count;
    struct gate *gate;   // where answers wait for the journal
    uint64_t gate_seq;   // for which step
    enum pdp_err parked; // what gate_park said last
};

// Echoes; a message that begins with `park` is parked, `gate` by the gate; `big` is answered with 100,000
// bytes.
static inline enum node_outcome machine_answer(void *user, struct node_asking *asking, struct str message,
                                               struct buf *out)
{
    struct machine *machine = user;
    machine->answered++;
    if (str_starts(message, STR("park"))) {
        invariant(machine->ticket_count < COUNT_OF(machine->tickets));
        invariant(node_park(asking, &machine->tickets[machine->ticket_count]) == PDP_ERR_OK);
        machine->ticket_count++;
        return NODE_PARKED;
    }
    if (str_starts(message, STR("gate"))) {
        machine->parked = gate_park(machine->gate, asking, machine->gate_seq, message, STR("refused"));
        buf_str(out, machine->parked != PDP_ERR_OK ? STR("unsaved") : STR(""));
        return machine->parked != PDP_ERR_OK ? NODE_DONE : NODE_PARKED;
    }
    if (str_starts(message, STR("big"))) {
        for (int i = 0; i < 10000; i++) {
            buf_put(out, "0123456789", 10);
        }
        return NODE_DONE;
    }
    buf_str(out, message);
    return NODE_DONE;
}

static inline struct node_limits machine_limits(void)
{
    struct node_limits limits = NODE_LIMITS_DEFAULT;
    limits.connections = 8;
    limits.peer_connections = 4;
    limits.in_flight = 3;
    limits.turn_messages = 4;
    limits.message_bytes = 4096;
    limits.backlog_bytes = 1000;
    limits.output_bytes = 150000;
    return limits;
}

static inline void machine_begin(struct machine *machine, const struct node_limits *limits)
{
    *machine = (struct machine){.now = {1000, 1795370000000}};
    struct node_config config = {.handler = {.answer = machine_answer, .user = machine},
                                 .limits = *limits,
                                 .type = SP_REP0,
                                 .seed = {1, 2}};
    invariant(node_new(&config, &machine->node) == PDP_ERR_OK);
}

static inline uint64_t machine_open(struct machine *machine, uint64_t handle, enum sp_transport transport,
                                    const char *origin)
{
    struct node_open open = {.handle = handle, .transport = transport, .origin = str_of(origin)};
    open.peer = (struct peer){.name = STR("uid:7"), .hash = 7, .grants = GRANT_ALL};
    uint64_t id = 0;
    enum pdp_err err = node_open(machine->node, &open, machine->now, &id);
    return err == PDP_ERR_OK ? id : UINT64_MAX;
}

// Gives at most what the node takes; returns how much that was.
static inline size_t machine_feed(struct machine *machine, uint64_t id, struct str bytes)
{
    size_t done = 0;
    struct node_space space;
    while (done < bytes.len && node_space(machine->node, id, &space)) {
        size_t len = bytes.len - done < space.len ? bytes.len - done : space.len;
        memcpy(space.at, bytes.at + done, len);
        node_received(machine->node, id, len, machine->now);
        done += len;
    }
    return done;
}

static inline void machine_reap(struct machine *machine)
{
    uint64_t handle = 0;
    while (node_next_closed(machine->node, &handle)) {
        invariant(machine->closed_count < COUNT_OF(machine->closed));
        machine->closed[machine->closed_count++] = handle;
    }
}

// Takes everything that is offered (by any connection) into `got`, at most `each` bytes a send.
static inline void machine_drain(struct machine *machine, struct buf *got, size_t each)
{
    struct node_output output;
    while (node_next_output(machine->node, &output)) {
        size_t len = output.bytes.len < each ? output.bytes.len : each;
        buf_put(got, output.bytes.at, len);
        node_sent(machine->node, output.id, len, machine->now);
        if (len != 0) {
            node_writable(machine->node, output.id);
        }
    }
    machine_reap(machine);
}

static inline void machine_turns(struct machine *machine)
{
    for (int i = 0; i < 1000 && node_runnable(machine->node); i++) {
        struct node_ready ready;
        while (node_next_ready(machine->node, machine->now, &ready)) {
        }
    }
}

static inline void machine_at(struct machine *machine, int64_t steady_ms)
{
    machine->now.steady_ms = steady_ms;
    node_expire(machine->node, machine->now);
    machine_reap(machine);
}

static inline uint64_t machine_refused(const struct machine *machine, enum node_refusal why)
{
    struct node_counts counts = {0};
    node_count(machine->node, &counts);
    return counts.refusals[why];
}

static inline void machine_end(struct machine *machine)
{
    node_free(&machine->node);
}

static inline void put_frame(struct buf *out, enum sp_transport transport, uint32_t id, struct str message)
{
    unsigned char header[SP_HEADER_MAX];
    buf_put(out, header, sp_frame_write(transport, 4 + message.len, header));
    const unsigned char hops[4] = {(unsigned char)(0x80 | id >> 24), (unsigned char)(id >> 16),
                                   (unsigned char)(id >> 8), (unsigned char)id};
    buf_put(out, hops, sizeof hops);
    buf_str(out, message);
}

static inline void put_hello(struct buf *out, uint16_t type)
{
    unsigned char hello[SP_HANDSHAKE_BYTES];
    sp_handshake_write(type, hello);
    buf_put(out, hello, sizeof hello);
}

#endif
