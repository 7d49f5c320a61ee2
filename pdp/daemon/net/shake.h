// SPDX-License-Identifier: Apache-2.0
// TLS handshakes on a thread of their own: a signature, a slow peer and a thousand silent ones hold no loop.
#ifndef DAEMON_NET_SHAKE_H
#define DAEMON_NET_SHAKE_H

#include "daemon/net/listen.h"
#include "daemon/net/stream.h"

// A connection whose handshake is done, on its way to a loop, which takes it over with its stream.
struct arrival {
    struct link link;
    struct stream *stream;
    const struct listener *listener;
    struct accepted accepted;           // its descriptor is the stream's
    char certificate[TLS_NAME_MAX + 1]; // the name that it proves; empty: none was asked for
};
void arrival_free(struct arrival **arrival);

struct shake_listener {
    const struct listener *listener;
    struct tls *tls;
    // Called on the thread of handshakes; takes the arrival over.
    void (*arrived)(void *user, struct arrival *arrival);
    void *user;
};

struct shake_config {
    const struct shake_listener *listeners; // borrowed
    size_t listener_count;
    int64_t deadline_ms;  // for a handshake
    uint32_t most;        // at once; one more and the oldest gives way
    uint32_t origin_most; // at once, of one address; one more is closed
};

struct shaker;

MUST_USE enum pdp_err shaker_new(const struct shake_config *config, struct shaker **out);
// Serves until it is stopped; may be started again then.
MUST_USE enum pdp_err shaker_start(struct shaker *shaker);
void shaker_stop(struct shaker *shaker); // ends the thread, and the handshakes under way
void shaker_free(struct shaker **shaker);
// Adds what was refused to *sum. Any thread.
void shaker_count(const struct shaker *shaker, struct node_counts *sum);

#endif
