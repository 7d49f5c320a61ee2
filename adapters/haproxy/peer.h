// SPDX-License-Identifier: Apache-2.0
// One connection of HAProxy as a pure machine: bytes in, frames that ask something out, bytes to send. It
// knows no socket and no clock.
#ifndef HAPROXY_PEER_H
#define HAPROXY_PEER_H

#include "haproxy/spop.h"

// Bytes that grow up to a limit and are taken from the front.
struct peer_bytes {
    unsigned char *at;
    size_t from, len, size; // those that count are at + from, `len` of them
};

struct peer_rules {
    uint32_t max_frame_size; // ours; that of the connection is the smaller one
    bool async;              // say that we can, to who asks for it
};

enum peer_state {
    PEER_NEW,    // no HELLO yet
    PEER_OPEN,   // asks
    PEER_ENDING, // only what is to be sent counts; then it is over
};

struct peer {
    const struct peer_rules *rules; // borrowed
    enum peer_state state;
    enum spop_status status; // why it ends
    bool healthcheck;        // it was one, and ends well
    uint32_t max_frame_size; // agreed; before the HELLO, ours
    uint64_t frames;         // that came whole
    uint64_t skipped;        // those of a type that is not known
    struct peer_bytes in, out;
};

void peer_init(struct peer *peer, const struct peer_rules *rules);
void peer_fini(struct peer *peer);

// Where to put what arrives, and how much there is room for: at least one byte, or 0 where the frames that
// are there must be taken first (peer_next). Memory grows with what has come, never with what a length
// claims. NOMEM: at is NULL.
MUST_USE enum pdp_err peer_room(struct peer *peer, unsigned char **at, size_t *room);
void peer_took(struct peer *peer, size_t len);

// Works through what has arrived until a NOTIFY: true with *frame, which is borrowed until the next
// peer_room. The handshake and all else is answered here; what breaks the protocol ends the connection with a
// DISCONNECT that says so. false: nothing whole is left.
bool peer_next(struct peer *peer, struct spop_frame *frame);

// Begins an answer of at most `most` bytes: room for it in *out. NOMEM leaves *out full.
MUST_USE enum pdp_err peer_begin(struct peer *peer, size_t most, struct spop_writer *out);
// What was written is to be sent; nothing of it is where it did not fit.
void peer_commit(struct peer *peer, const struct spop_writer *out);
// Says farewell and takes nothing more. Not a second time.
void peer_end(struct peer *peer, enum spop_status status);
// What is to be sent (`at` NULL: nothing), and how much of it was.
static inline struct text peer_pending(const struct peer *peer)
{
    bool any = peer->out.len > 0;
    return any ? (struct text){(const char *)peer->out.at + peer->out.from, peer->out.len} : (struct text){0};
}
void peer_sent(struct peer *peer, size_t len);
// Has a frame begun to arrive that is not whole?
static inline bool peer_waits(const struct peer *peer)
{
    return peer->in.len > 0;
}

#endif
