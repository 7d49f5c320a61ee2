// SPDX-License-Identifier: Apache-2.0
// One epoll loop over one node: a thread runs it to completion, nothing is handed to another thread.
#ifndef DAEMON_NET_LOOP_H
#define DAEMON_NET_LOOP_H

#include "daemon/config/identity.h"
#include "node/node.h"

struct loop_config {
    struct node_config node;
    const struct listener *listeners; // shared by loops; borrowed for the loop's life. Those with TLS are
                                      // watched by the thread of handshakes, which gives what it has
    size_t listener_count;
    int64_t drain_ms;               // what is owed at loop_stop is sent within this time
    const struct peer_rules *peers; // who may do what; NULL: what the listener says
    // May this peer be here? Asked when it comes, and every second while it stays. NULL: all may.
    bool (*admits)(void *user, const struct peer *peer);
    // The keyed hash of a peer's name; NULL: 0.
    uint64_t (*peer_hash)(void *user, struct str name);
    // Called on the loop's thread after loop_wake; NULL: nothing.
    void (*mail)(void *user, struct node *node, struct node_now now);
    // Called once a turn; true: there is more to do, and the next turn is at once. NULL: nothing.
    bool (*work)(void *user, struct node *node, struct node_now now);
    void *user;
    // Called once a turn, after loop_wake too; returns when it is due again (steady). NULL: nothing.
    int64_t (*tick)(void *ticker, struct node *node, struct node_now now);
    void *ticker;
};

struct loop;
struct arrival; // shake.h

MUST_USE enum pdp_err loop_new(const struct loop_config *config, struct loop **out);
void loop_free(struct loop **loop);
// Serves until loop_stop, then drains.
void loop_run(struct loop *loop);
void loop_stop(struct loop *loop);   // any thread
void loop_resume(struct loop *loop); // after loop_run: it may be run again
void loop_wake(struct loop *loop);   // any thread
// Takes over a connection whose handshake is done. Any thread.
void loop_adopt(struct loop *loop, struct arrival *arrival);
// Looks at the certificates of open connections again: those that have ended, or that the files which were
// read last do not bear, are closed. Any thread; returns at once.
void loop_sweep(struct loop *loop);
// Adds the node's counters to *sum. Any thread.
void loop_count(const struct loop *loop, struct node_counts *sum);
// Since when it is at its turn, on the steady clock; 0: it waits for something to do. Any thread.
int64_t loop_busy_since_ms(const struct loop *loop);

#endif
