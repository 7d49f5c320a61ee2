// SPDX-License-Identifier: Apache-2.0
// The endpoints that gateways listen on: each has a loop and a thread of its own, so that no question waits
// for a notice, and no notice for a question.
#include "daemon/server/server_inner.h"
#include "engine/quarantine.h"

#include <sys/random.h>

// Whoever may ask may hear when answers end, and confirm that it dropped them; but not from quarantine, where
// nothing that it says is believed.
static bool admits(void *user, const struct peer *peer)
{
    const struct server_worker *side = user;
    return (peer->grants & GRANT_ASK) != 0 && !engine_quarantined(side->server->engine, peer->name);
}

static struct node_limits gateway_limits(const struct config *config)
{
    struct node_limits limits = config->limits;
    limits.backlog_bytes = 1024 * 1024;
    limits.output_bytes = 1024 * 1024; // of a subscriber that does not keep up; then it is closed
    limits.idle_ms = INT64_MAX / 2;    // it is we who speak
    return limits;
}

static enum pdp_err loop_for(struct server *server, const struct server_listeners *side,
                             struct node_config node, struct loop_config *ticks, struct server_worker *out)
{
    ticks->node = node;
    ticks->node.limits = gateway_limits(server->config);
    ticks->node.seed = server->seed;
    ticks->listeners = side->list;
    ticks->listener_count = side->count;
    ticks->peers = &server->config->peers;
    ticks->drain_ms = 0;
    ticks->peer_hash = server_peer_hash;
    ticks->admits = admits;
    out->server = server;
    ticks->user = out;
    return loop_new(ticks, &out->loop);
}

static void wake_publisher(void *user)
{
    loop_wake(((struct server *)user)->notices_loop.loop);
}

static void wake_orders(void *user)
{
    loop_wake(((struct server *)user)->orders_loop.loop);
}

void server_order_settled(void *user)
{
    const struct server *server = user;
    if (server->admin_loop.loop != NULL) {
        loop_wake(server->admin_loop.loop);
    }
}

// Whoever keeps heartbeats can prove later that the audit log has only grown since.
static struct str newest_checkpoint(void *user, char text[static NOTICE_CHECKPOINT_MAX])
{
    const struct server *server = user;
    if (server->auditor == NULL) {
        return (struct str){0};
    }
    struct auditor_status status;
    auditor_status(server->auditor, &status);
    size_t len = strnlen(status.note, sizeof status.note);
    if (len > NOTICE_CHECKPOINT_MAX) {
        return (struct str){0};
    }
    memcpy(text, status.note, len);
    return (struct str){text, len};
}

static enum pdp_err publisher_start(struct server *server)
{
    const struct publish_config config = {.notices = server->notices,
                                          .boot = server->boot,
                                          .interval_ms = server->config->heartbeat_ms,
                                          .checkpoint = newest_checkpoint,
                                          .user = server};
    TRY(publisher_new(&config, &server->publisher));
    struct loop_config ticks = {.tick = publisher_tick, .ticker = server->publisher};
    struct node_config node = {.handler = publisher_handler(server->publisher), .type = SP_PUB0};
    TRY(loop_for(server, &server->notices_at, node, &ticks, &server->notices_loop));
    notices_wake(server->notices, wake_publisher, server);
    return PDP_ERR_OK;
}

static enum pdp_err orders_start(struct server *server)
{
    const struct orders_config config = {.notices = server->notices,
                                         .boot = server->boot,
                                         .interval_ms = server->config->heartbeat_ms,
                                         .gone_ms = server->config->gateways_gone_ms,
                                         .wake = wake_orders,
                                         .settled = server_order_settled,
                                         .user = server};
    TRY(orders_new(&config, &server->orders));
    struct loop_config ticks = {.tick = orders_tick, .ticker = server->orders};
    struct node_config node = {.handler = orders_handler(server->orders), .type = SP_SURVEYOR0};
    return loop_for(server, &server->orders_at, node, &ticks, &server->orders_loop);
}

enum pdp_err server_notices_new(struct server *server)
{
    if (getrandom(&server->boot, sizeof server->boot, 0) != (ssize_t)sizeof server->boot) {
        return PDP_ERR_IO;
    }
    server->boot = (server->boot & INT64_MAX) | 1;
    const struct notices_config config = {.room = 0};
    return notices_new(&config, &server->notices);
}

enum pdp_err server_gateways_new(struct server *server)
{
    if (server->notices_at.count > 0) {
        TRY(publisher_start(server));
    }
    return server->orders_at.count > 0 ? orders_start(server) : PDP_ERR_OK;
}

void server_gateways_free(struct server *server)
{
    if (server->notices != NULL) {
        notices_wake(server->notices, NULL, NULL);
    }
    loop_free(&server->notices_loop.loop);
    loop_free(&server->orders_loop.loop);
    publisher_free(&server->publisher);
    orders_free(&server->orders);
}
