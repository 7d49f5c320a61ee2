// SPDX-License-Identifier: Apache-2.0
// Bytes of a connection, with or without TLS, without blocking.
#ifndef ENVOY_WIRE_H
#define ENVOY_WIRE_H

#include "envoy/tls.h"

enum wire_state {
    WIRE_DONE,        // *moved bytes
    WIRE_WANTS_READ,  // nothing now: when there is something to read
    WIRE_WANTS_WRITE, // or room to write
    WIRE_ENDED        // closed, or broken
};

struct wire {
    int fd;
    SSL *ssl; // NULL: none
    bool shaken;
};

// Takes the descriptor over. NOMEM closes it.
MUST_USE enum pdp_err wire_init(struct wire *wire, struct authz_tls *tls, int fd);
void wire_fini(struct wire *wire);

// The handshake, as far as it goes now. WIRE_DONE once it is over; `name` is then the gateway's.
enum wire_state wire_shake(struct wire *wire, struct authz_tls *tls, char name[AUTHZ_NAME_MAX + 1]);
// At least one byte where WIRE_DONE.
enum wire_state wire_read(struct wire *wire, void *out, size_t room, size_t *moved);
enum wire_state wire_write(struct wire *wire, const void *bytes, size_t len, size_t *moved);
// Does TLS hold bytes that epoll does not know of?
bool wire_has_more(const struct wire *wire);

#endif
