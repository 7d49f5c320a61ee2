// SPDX-License-Identifier: Apache-2.0
// One connection that its host drives: its questions, its bytes, its socket. Between flow*.c.
#ifndef CLIENT_FLOW_INNER_H
#define CLIENT_FLOW_INNER_H

#include "base/buf.h"
#include "client/options.h"
#include "sp/sp.h"

#include <pdp/flow.h>
#include <sys/queue.h>
#include <sys/socket.h>

#define FLOW_ADDRESSES_MAX 8
#define FLOW_POOL_BYTES (16 * OPTIONS_ID_BYTES)

enum flow_state {
    FLOW_DOWN,       // there is no socket; redial_ms says when there is one again
    FLOW_CONNECTING, // there is one, not connected yet
    FLOW_SECURING,   // the handshake of TLS
    FLOW_GREETING,   // the peer's eight bytes are awaited
    FLOW_UP,
};

enum flow_call_state {
    FLOW_CALL_FREE,
    FLOW_CALL_QUEUED, // to be written
    FLOW_CALL_SENT,
};

// One question. One that nobody waits for any more is not open, but keeps its place, and with it its id on
// the wire, until the daemon has answered or the connection has broken: so no answer is ever taken for that
// of another question, and a daemon that does not answer is not asked without end.
struct flow_call {
    TAILQ_ENTRY(flow_call) line; // of free, queued or sent
    TAILQ_ENTRY(flow_call) due;  // of due, while open
    enum flow_call_state state;
    bool open;
    uint64_t ticket; // its lower 31 bits are the id on the wire
    int64_t deadline_ms, sent_ms;
    struct buf frame; // kept, to be sent again as it is
    pdp_answered answered;
    void *user;
};

TAILQ_HEAD(flow_line, flow_call);

struct flow_address {
    struct sockaddr_storage at;
    socklen_t len;
};

struct flow_tls; // of one address with TLS

struct pdp_flow {
    // Questions.
    struct flow_call *calls;
    uint32_t call_count;
    uint64_t serial;
    struct flow_line free, queued, sent, due; // queued and sent in the order of asking; due: earliest first
    size_t held_bytes;                        // of all frames
    unsigned char pool[FLOW_POOL_BYTES];      // random bytes that no id was made of yet
    size_t pool_left;
    // Bytes.
    enum sp_transport transport;
    enum wire_form form;
    size_t answer_max; // of a frame's body
    struct buf in, out;
    size_t out_sent; // of out
    bool blocked;    // the socket took less than it was given
    // The connection.
    enum flow_state state;
    int fd;
    int64_t redial_ms, give_up_ms; // of FLOW_DOWN; of the states between that and FLOW_UP
    int64_t heard_ms;              // when bytes came last
    int64_t backoff_ms, reconnect_ms;
    struct flow_address addresses[FLOW_ADDRESSES_MAX];
    size_t address_count, address_next;
    struct flow_tls *tls; // NULL without
    char url[OPTIONS_URL_MAX];
};

// ---- flow_calls.c: questions -----------------------------------------------------------------------------

MUST_USE enum pdp_err flow_calls_init(struct pdp_flow *flow, uint32_t most);
void flow_calls_fini(struct pdp_flow *flow);
// Moves what waits into `out`, as long as that is short. NOMEM: the connection is to be broken.
MUST_USE enum pdp_err flow_calls_fill(struct pdp_flow *flow, int64_t now_ms);
// Takes one frame's body: calls back, or drops it where nobody asked that. MALFORMED: no answer can look so.
MUST_USE enum pdp_err flow_calls_take(struct pdp_flow *flow, struct str body);
// Ends those whose deadline has passed.
void flow_calls_expire(struct pdp_flow *flow, int64_t now_ms);
// Ends all.
void flow_calls_end(struct pdp_flow *flow, enum pdp_err err);
// The connection broke: what is open waits to be sent again, the rest is forgotten.
void flow_calls_requeue(struct pdp_flow *flow);
// The earliest deadline; INT64_MAX without one.
int64_t flow_calls_due_ms(const struct pdp_flow *flow);
// When a connection that answers nothing counts as broken; INT64_MAX: not in sight.
int64_t flow_calls_lost_ms(const struct pdp_flow *flow);
// Random bytes, or IO.
MUST_USE enum pdp_err flow_calls_draw(struct pdp_flow *flow, unsigned char *out, size_t len);

// ---- flow_link.c: the socket -----------------------------------------------------------------------------

// Address, transport and what TLS needs.
MUST_USE enum pdp_err flow_link_init(struct pdp_flow *flow, const char *url,
                                     const struct pdp_options *options);
void flow_link_fini(struct pdp_flow *flow);
// Each moves the connection on. Any error: it is broken, and flow_link_close is next.
MUST_USE enum pdp_err flow_link_dial(struct pdp_flow *flow, int64_t now_ms);
MUST_USE enum pdp_err flow_link_connected(struct pdp_flow *flow);
// *full: the round was used up, and more may be there.
MUST_USE enum pdp_err flow_link_receive(struct pdp_flow *flow, bool *full);
MUST_USE enum pdp_err flow_link_send(struct pdp_flow *flow);
void flow_link_close(struct pdp_flow *flow);

// ---- flow_tls.c ------------------------------------------------------------------------------------------

// *out NULL, and OK, where `url` has no TLS. Errors of pdp_connect.
MUST_USE enum pdp_err flow_tls_new(const char *url, const char *host, const struct pdp_options *options,
                                   struct flow_tls **out);
void flow_tls_free(struct flow_tls **tls);
// A new connection, after the end of the last.
MUST_USE enum pdp_err flow_tls_begin(struct flow_tls *tls);
void flow_tls_end(struct flow_tls *tls);
// Takes bytes of the socket. *secure: the handshake is through, and the peer is who it should be. What the
// bytes mean is appended to `out`, never before that.
MUST_USE enum pdp_err flow_tls_arrived(struct flow_tls *tls, struct str bytes, bool *secure, struct buf *out);
// Seals bytes, all of them; and what is to be sent on the socket, until it was told to be sent.
MUST_USE enum pdp_err flow_tls_seal(struct flow_tls *tls, struct str bytes);
struct str flow_tls_pending(struct flow_tls *tls);
void flow_tls_sent(struct flow_tls *tls, size_t sent);

// ---- flow.c ----------------------------------------------------------------------------------------------

// Takes in what lies in `in`. Any error: the connection is to be broken. What the fuzzer feeds.
MUST_USE enum pdp_err flow_take_in(struct pdp_flow *flow);

#endif
