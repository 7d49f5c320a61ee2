// SPDX-License-Identifier: Apache-2.0
// What monitoring sees of the parts beside decisions: audit log, breaker, gateways, webhooks, keys.
#include "daemon/clock.h"
#include "daemon/server/server_inner.h"

#include <stdio.h>

static void put_audit(struct server *server, struct metrics *out)
{
    struct auditor_status status;
    if (server->auditor == NULL) {
        return;
    }
    auditor_status(server->auditor, &status);
    metrics_counter(out, "pdp_audit_records_total", "records in the audit log", status.records);
    metrics_gauge(out, "pdp_audit_unsigned_records", "of those, records that no checkpoint vouches for yet",
                  (double)(status.records - status.signed_records));
    metrics_gauge(out, "pdp_audit_segments", "segments of the audit log", (double)status.segments);
    metrics_gauge(out, "pdp_audit_segment_bytes", "bytes of the segment that is written",
                  (double)status.bytes);
    metrics_counter(out, "pdp_audit_lost_total", "records that had no room", status.lost);
    metrics_counter(out, "pdp_audit_refused_total", "answers refused because their record had no room",
                    status.refused);
    metrics_counter(out, "pdp_audit_coalesced_total", "denials that were counted and not kept",
                    status.coalesced);
    metrics_counter(out, "pdp_audit_sink_lost_total", "records that were not sent to the syslog server",
                    status.sink_lost);
    metrics_gauge(out, "pdp_audit_failing", "1: no record can be written", status.stalled);
}

static void put_breaker(struct server *server, struct metrics *out)
{
    uint64_t ended = 0;
    bool holds = engine_breaker(server->engine, clock_now().wall_ms, &ended);
    metrics_gauge(out, "pdp_breaker_open", "1: policies end no sessions, they deny", holds);
    metrics_gauge(out, "pdp_breaker_ends", "sessions that policies were to end in five minutes, held or not",
                  (double)ended);
}

// ---- Gateways ----------------------------------------------------------------------------------------

static void put_notices(struct server *server, struct metrics *out)
{
    struct notices_stats stats = notices_stats(server->notices);
    metrics_counter(out, "pdp_notices_total", "notices to gateways", stats.head);
    metrics_counter(out, "pdp_notices_lapped_total",
                    "times that a reader of notices was too slow, and began anew", stats.lapped);
    if (server->notices_loop.loop == NULL) {
        return;
    }
    struct node_counts counts = {0};
    loop_count(server->notices_loop.loop, &counts);
    metrics_gauge(out, "pdp_notices_subscribers", "connections to the notices endpoint",
                  (double)counts.connections);
    metrics_counter(out, "pdp_notices_cut_total", "subscribers closed because they left notices lying",
                    counts.refusals[NODE_REFUSAL_BACKLOG] + counts.refusals[NODE_REFUSAL_SLOW_READER]);
}

static void put_gateways(struct server *server, struct metrics *out)
{
    struct orders_stats stats;
    if (server->orders == NULL) {
        return;
    }
    orders_stats(server->orders, clock_now().steady_ms, &stats);
    metrics_family(out, "pdp_gateways", "gateways at the orders endpoint", METRICS_GAUGE);
    metrics_value(out, "pdp_gateways", "state", STR("live"), (double)(stats.connected - stats.late));
    metrics_value(out, "pdp_gateways", "state", STR("silent"), (double)stats.late);
    metrics_value(out, "pdp_gateways", "state", STR("gone"), (double)stats.gone);
    metrics_counter(out, "pdp_orders_total", "orders given to gateways", stats.given);
    metrics_family(out, "pdp_order_parts_total", "what became of an order at each gateway that was there",
                   METRICS_COUNTER);
    metrics_value(out, "pdp_order_parts_total", "result", STR("confirmed"), (double)stats.confirmed);
    metrics_value(out, "pdp_order_parts_total", "result", STR("silent"), (double)stats.silent);
    metrics_family(out, "pdp_order_confirm_seconds_total", "time that confirmations took in all",
                   METRICS_COUNTER);
    metrics_plain(out, "pdp_order_confirm_seconds_total", stats.confirm_ms / 1000);
}

// ---- Webhooks ----------------------------------------------------------------------------------------

enum {
    HOOK_FAMILIES = 7
};

static double hook_value(const struct webhook_status *status, int family)
{
    const double values[HOOK_FAMILIES] = {(double)status->delivered,
                                          (double)status->failures,
                                          (double)status->refused,
                                          (double)status->given_up,
                                          (double)status->waiting,
                                          status->behind,
                                          status->failing};
    return values[family];
}

static void put_webhooks(struct server *server, struct metrics *out)
{
    static const struct {
        const char *name, *help;
        enum metrics_type type;
    } FAMILIES[HOOK_FAMILIES] = {
        {"pdp_webhook_delivered_total", "tokens that the receiver took", METRICS_COUNTER},
        {"pdp_webhook_failures_total", "tries that failed", METRICS_COUNTER},
        {"pdp_webhook_refused_total", "of those, tries that were answered 4xx", METRICS_COUNTER},
        {"pdp_webhook_given_up_total", "tokens that were refused for too long", METRICS_COUNTER},
        {"pdp_webhook_waiting", "ends that wait to be told", METRICS_GAUGE},
        {"pdp_webhook_behind", "1: more ends wait than the queue holds", METRICS_GAUGE},
        {"pdp_webhook_failing", "1: the last three tries failed", METRICS_GAUGE},
    };
    struct webhook_status status[CONFIG_WEBHOOKS_MAX];
    size_t count = server->config->webhook_count;
    for (size_t i = 0; i < count; i++) {
        webhook_status(server->webhooks[i], &status[i]);
    }
    for (int family = 0; count > 0 && family < HOOK_FAMILIES; family++) {
        metrics_family(out, FAMILIES[family].name, FAMILIES[family].help, FAMILIES[family].type);
        for (size_t i = 0; i < count; i++) {
            metrics_value(out, FAMILIES[family].name, "url", str_of(server->config->webhooks[i].url),
                          hook_value(&status[i], family));
        }
    }
}

// ---- Keys and certificates ---------------------------------------------------------------------------

static void put_keys(struct server *server, struct metrics *out)
{
    const struct session_table *table = engine_sessions(server->engine);
    uint8_t newest = 0;
    uint16_t set = session_key_set(table, &newest);
    metrics_gauge(out, "pdp_id_key_newest", "number of the key that ids of new sessions are hashed under",
                  newest);
    metrics_family(out, "pdp_id_key_records", "sessions and tombstones under a key of ids", METRICS_GAUGE);
    for (uint8_t i = 0; i < SESSION_KEYS; i++) {
        char number[4];
        int len = snprintf(number, sizeof number, "%u", i);
        if ((set >> i & 1) != 0) {
            metrics_value(out, "pdp_id_key_records", "key", (struct str){number, (size_t)len},
                          (double)session_key_uses(table, i));
        }
    }
}

static void put_certificates(struct server *server, struct metrics *out)
{
    struct admin_certificate list[SERVER_TLS_MAX];
    size_t count = server_tls_show(server, list);
    if (count == 0) {
        return;
    }
    metrics_family(out, "pdp_certificate_ends_timestamp_seconds", "when a certificate of ours ends",
                   METRICS_GAUGE);
    for (size_t i = 0; i < count; i++) {
        const struct metrics_label labels[] = {{"file", str_of(list[i].file)}};
        bool again = false;
        for (size_t k = 0; k < i; k++) {
            again = again || strcmp(list[k].file, list[i].file) == 0;
        }
        if (!again) {
            metrics_labelled(out, "pdp_certificate_ends_timestamp_seconds", labels, 1,
                             (double)list[i].cert_until_s);
        }
    }
}

void server_metrics_parts(struct server *server, struct metrics *out)
{
    put_audit(server, out);
    put_breaker(server, out);
    put_notices(server, out);
    put_gateways(server, out);
    put_webhooks(server, out);
    put_keys(server, out);
    put_certificates(server, out);
}
