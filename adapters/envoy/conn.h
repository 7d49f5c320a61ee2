// SPDX-License-Identifier: Apache-2.0
// One connection: its bytes, its HTTP/2, its deadlines. Belongs to the thread of its calls.
#ifndef ENVOY_CONN_H
#define ENVOY_CONN_H

#include "envoy/call.h"
#include "envoy/wire.h"

struct conn_rules {
    struct call_rules calls;
    struct http2_limits http2;
    struct authz_tls *tls; // NULL: none
    int64_t shake_ms;      // until the peer speaks HTTP/2
    int64_t linger_ms;     // until it takes what is sent
    int64_t idle_ms;       // without a stream
};

#define CONN_SCRATCH 65536
// Shared by the connections of a thread, for the time of one call.
struct conn_scratch {
    unsigned char bytes[CONN_SCRATCH];
};

struct conn {
    struct conn *prev, *next; // of the loop
    const struct conn_rules *rules;
    struct calls *calls;
    struct wire wire;
    struct http2 *http2; // NULL: the handshake is not over
    char gateway[AUTHZ_NAME_MAX + 1];
    bool believed;              // by its address, or by its certificate
    int64_t opened_ms, used_ms; // used: when something came
    int64_t stuck_ms;           // since when the peer takes nothing; INT64_MAX: it does
    unsigned char *out;         // what it has not taken
    size_t out_len, out_sent;
    bool over, wants_write, again;
};

// Takes the descriptor over. `believed`: the peer's address is one of our gateways'. NOMEM closes it.
MUST_USE enum pdp_err conn_new(const struct conn_rules *rules, struct calls *calls, int fd, bool believed,
                               int64_t now_ms, struct conn **out);
void conn_free(struct conn **conn);

// Reads, serves and writes as far as it goes now. Afterwards: `over` where it is to be freed; `wants_write`
// where it waits for room to write, and for nothing else; `again` where it has more to do at once.
void conn_work(struct conn *conn, int64_t now_ms, struct conn_scratch *scratch);
// The same without reading.
void conn_flush(struct conn *conn, int64_t now_ms, struct conn_scratch *scratch);
// Deadlines. To be called at conn_due.
void conn_tick(struct conn *conn, int64_t now_ms, struct conn_scratch *scratch);
int64_t conn_due(const struct conn *conn);
// Takes no more requests; ends with the last one.
void conn_leave(struct conn *conn, int64_t now_ms, struct conn_scratch *scratch);
// Has it no stream?
bool conn_is_idle(const struct conn *conn);

#endif
