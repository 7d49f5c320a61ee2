// SPDX-License-Identifier: Apache-2.0
// The node under any order of bytes, pauses, short sends, leavings and time: nothing outlives its connection,
// what is owed stays within the limits, and everything that was opened is closed.
#include "../unit/node/machine.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

enum {
    PEERS = 3
};

struct script {
    const uint8_t *at, *end;
};

static uint8_t next(struct script *script)
{
    return script->at < script->end ? *script->at++ : 0;
}

static struct str next_text(struct script *script, size_t most)
{
    size_t left = (size_t)(script->end - script->at);
    struct str text = {(const char *)script->at, most < left ? most : left};
    script->at += text.len;
    return text;
}

static void feed_frame(struct machine *machine, uint64_t id, struct script *script)
{
    static const char *const WORDS[] = {"x", "park", "big", "a question"};
    struct buf frame = {0};
    uint8_t how = next(script);
    put_frame(&frame, (how & 4) != 0 ? SP_IPC : SP_TCP, how, str_of(WORDS[how & 3]));
    machine_feed(machine, id, buf_view(&frame));
    buf_fini(&frame);
}

static void take_some(struct machine *machine, size_t most)
{
    struct node_output output;
    for (int i = 0; i < 8 && node_next_output(machine->node, &output); i++) {
        size_t len = output.bytes.len < most ? output.bytes.len : most;
        node_sent(machine->node, output.id, len, machine->now);
    }
    struct node_change change;
    while (node_next_change(machine->node, &change)) {
    }
}

static void step(struct machine *machine, uint64_t *ids, struct script *script)
{
    uint8_t what = next(script);
    uint64_t *id = &ids[(what >> 4) % PEERS];
    switch (what & 15) {
    case 0:
        node_lost(machine->node, *id);
        *id = machine_open(machine, what, (what & 0x80) != 0 ? SP_IPC : SP_TCP, "a");
        break;
    case 1:
        machine_feed(machine, *id, STR("\0SP\0\0\x30\0\0"));
        break;
    case 2:
    case 3:
        feed_frame(machine, *id, script);
        break;
    case 4:
    case 5:
        machine_feed(machine, *id, next_text(script, next(script)));
        break;
    case 6:
        take_some(machine, next(script));
        break;
    case 7:
        take_some(machine, SIZE_MAX);
        break;
    case 8:
        node_writable(machine->node, *id);
        break;
    case 9:
        for (struct node_ready ready; node_next_ready(machine->node, machine->now, &ready);) {
            if (ready.reads) {
                machine_feed(machine, ready.id, next_text(script, next(script)));
            }
        }
        break;
    case 10:
        machine_at(machine, machine->now.steady_ms + next(script) * 100);
        break;
    case 14:
        node_readable(machine->node, *id, (what & 0x80) != 0, machine->now);
        break;
    case 11:
        node_ended(machine->node, *id, machine->now);
        break;
    case 12:
        if (machine->ticket_count > 0) {
            (void)node_complete(machine->node, machine->tickets[--machine->ticket_count], STR("late"),
                                machine->now);
        }
        break;
    case 13:
        if (next(script) == 77) {
            node_drain(machine->node, machine->now);
        }
        break;
    default:
        machine_reap(machine);
        break;
    }
    machine_reap(machine);
    machine->closed_count = 0;
    if (machine->ticket_count > COUNT_OF(machine->tickets) - 8) {
        machine->ticket_count = 0; // forgotten tickets do no harm either
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    static struct machine machine;
    struct node_limits limits = machine_limits();
    machine_begin(&machine, &limits);
    struct script script = {bytes, bytes + len};
    uint64_t ids[PEERS] = {0};
    for (int steps = 0; script.at < script.end && steps < 2000; steps++) {
        step(&machine, ids, &script);
    }
    machine.closed_count = 0;
    machine_at(&machine, machine.now.steady_ms + 1000000);
    node_cut(machine.node);
    machine_reap(&machine);
    struct node_counts counts = {0};
    node_count(machine.node, &counts);
    if (node_connections(machine.node) != 0 || counts.connections != 0 || counts.answers > counts.messages) {
        abort();
    }
    machine_end(&machine);
    return 0;
}
