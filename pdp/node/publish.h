// SPDX-License-Identifier: Apache-2.0
// The handler of the notices endpoint: what is in the ring goes to every subscriber, and a heartbeat where
// there is nothing. A subscriber that does not keep up is closed; it comes back and drops what it keeps.
#ifndef NODE_PUBLISH_H
#define NODE_PUBLISH_H

#include "node/node.h"
#include "session/notice.h"
#include "wire/notice.h"

struct publish_config {
    struct notices *notices; // borrowed for the publisher's life
    int64_t boot;            // drawn at start-up; above 0
    int64_t interval_ms;     // between two heartbeats
    // The audit log's newest checkpoint, into `text`; NULL: there is none.
    struct str (*checkpoint)(void *user, char text[static NOTICE_CHECKPOINT_MAX]);
    void *user;
};

struct publisher;

MUST_USE enum pdp_err publisher_new(const struct publish_config *config, struct publisher **out);
void publisher_free(struct publisher **publisher);
struct node_handler publisher_handler(struct publisher *publisher);
// Sends what is new, and a heartbeat where one is due. On the node's thread, after the ring's wake and when
// the time that it returns (steady) has come.
int64_t publisher_tick(void *publisher, struct node *node, struct node_now now);

#endif
