// SPDX-License-Identifier: Apache-2.0
// The handler of the orders endpoint, and the register of gateways: an order asks every gateway to drop what
// it keeps and to confirm that; who is silent, and who has vanished, is told by name.
//
// A gateway that vanished gets no allow from a cache any longer than three heartbeats, and when it comes back
// it has dropped everything; so nobody waits for one. A gateway that is only silent may serve what it keeps
// until then.
#ifndef NODE_ORDERS_H
#define NODE_ORDERS_H

#include "node/node.h"
#include "session/notice.h"
#include "wire/notice.h"

#define ORDERS_OPEN_MAX 64 // orders that wait for confirmations

struct orders_config {
    struct notices *notices;     // borrowed, for its epochs; NULL: there are none
    int64_t boot, interval_ms;   // as of the publisher
    int64_t gone_ms;             // a gateway that vanished is named for so long
    void (*wake)(void *user);    // an order was given: orders_tick is due. Any thread
    void (*settled)(void *user); // an order is settled: orders_take has it. On the node's thread
    void *user;
};

struct orders;

MUST_USE enum pdp_err orders_new(const struct orders_config *config, struct orders **out);
void orders_free(struct orders **orders);
struct node_handler orders_handler(struct orders *orders);
// Sends orders and asks who is there. On the node's thread; as publisher_tick.
int64_t orders_tick(void *orders, struct node *node, struct node_now now);

// ---- Giving orders: any thread -----------------------------------------------------------------------

// Orders every gateway to drop the answers of these sessions (which must be over already, so that no new ones
// arise), or all answers where `everything` or more than NOTICE_REFS_MAX. Settled when all have confirmed, or
// after wait_ms. *number is above 0, or 0 on BUSY (too many wait) and NOMEM. What is not taken for a minute
// after it was settled is forgotten.
MUST_USE enum pdp_err orders_give(struct orders *orders, const struct str *refs, size_t count,
                                  bool everything, int64_t wait_ms, struct node_now now, uint32_t *number);

enum order_state {
    ORDER_SILENT,    // connected, and has not confirmed
    ORDER_CONFIRMED, // has dropped what was ordered
    ORDER_GONE,      // its connection went, before or meanwhile
};

struct order_gateway {
    char name[NOTICE_NAME_MAX + 1]; // as it calls itself; empty: it has not said
    char peer[NODE_NAME_MAX + 1];   // who it is by its connection
    enum order_state state;
    int64_t ms; // CONFIRMED: after the order; else since it was last heard
};

struct order_result {
    int64_t took_ms; // to the last confirmation, or the whole wait
    size_t count, confirmed, silent, gone;
    struct order_gateway *gateways; // silent ones first, then gone, then confirmed ones
};
// The result of an order that is settled, once; false: it is not yet, or is not known. The caller frees it.
bool orders_take(struct orders *orders, uint32_t number, struct order_result *out);
bool orders_known(struct orders *orders, uint32_t number); // and not taken
void order_result_fini(struct order_result *result);

struct orders_stats {
    uint64_t connected, gone; // gateways now
    uint64_t late;            // of those connected: not heard of for three heartbeats
    uint64_t given, confirmed,
        silent;        // since the start: orders; parts of them that were confirmed, and that were not
    double confirm_ms; // of all confirmations together
};
void orders_stats(struct orders *orders, int64_t now_ms, struct orders_stats *out); // any thread
// Who is there now, and who has vanished lately, as if all were silent. NOMEM.
MUST_USE enum pdp_err orders_register(struct orders *orders, struct node_now now, struct order_result *out);

#endif
