// SPDX-License-Identifier: Apache-2.0
// What monitoring sees. Everything here is read from counters that any thread may read; nothing takes a lock
// that a decision takes, but for the engine's list of workers.
#include "daemon/clock.h"
#include "daemon/log.h"
#include "daemon/server/server_inner.h"
#include "daemon/tell/metrics.h"
#include "engine/controls.h"

#include <unistd.h>

static const int64_t STUCK_MS = 10000; // a turn takes milliseconds

// ---- Parts -------------------------------------------------------------------------------------------

static void put_snapshot(struct server *server, struct metrics *out)
{
    pthread_mutex_lock(&server->lock);
    const struct snapshot_facts facts = server->served;
    char digest[sizeof server->served_digest];
    memcpy(digest, server->served_digest, sizeof digest);
    int64_t at_ms = server->served_at_ms;
    uint64_t good = server->reloads[0], bad = server->reloads[1];
    bool raised[ADMIN_ALARM_COUNT];
    for (size_t i = 0; i < ADMIN_ALARM_COUNT; i++) {
        raised[i] = server->alarms[i].since_ms != 0;
    }
    pthread_mutex_unlock(&server->lock);

    metrics_family(out, "pdp_snapshot_info", "what is served; always 1", METRICS_GAUGE);
    metrics_value(out, "pdp_snapshot_info", "digest", str_of(digest), 1);
    metrics_gauge(out, "pdp_snapshot_loaded_timestamp_seconds", "when that began", (double)at_ms / 1000);
    metrics_gauge(out, "pdp_policy_epoch", "rises with each snapshot that is served",
                  (double)engine_policy_epoch(server->engine));
    metrics_gauge(out, "pdp_policies", "policies that are served", facts.policies);
    metrics_gauge(out, "pdp_rules", "rules that are served", facts.rules);
    metrics_gauge(out, "pdp_lists", "lists that are served", facts.lists);
    metrics_gauge(out, "pdp_geo_databases", "geo databases that are served", facts.geo_databases);
    metrics_family(out, "pdp_reloads_total", "reloads since the start", METRICS_COUNTER);
    metrics_value(out, "pdp_reloads_total", "result", STR("done"), (double)good);
    metrics_value(out, "pdp_reloads_total", "result", STR("refused"), (double)bad);
    static const char *const NAMES[] = {
#define X(name, word) word,
        ADMIN_ALARM_LIST(X)
#undef X
    };
    metrics_family(out, "pdp_alarm", "1: somebody should look; `pdpctl status` says what it is",
                   METRICS_GAUGE);
    for (size_t i = 0; i < ADMIN_ALARM_COUNT; i++) {
        metrics_value(out, "pdp_alarm", "alarm", str_of(NAMES[i]), raised[i]);
    }
}

static void put_answers(const struct engine_counts *counts, struct metrics *out)
{
    metrics_counter(out, "pdp_questions_total", "questions answered, items of batches each",
                    counts->questions);
    metrics_counter(out, "pdp_events_total", "session events answered", counts->events);
    metrics_counter(out, "pdp_batches_total", "batches answered", counts->batches);
    metrics_counter(out, "pdp_searches_total", "searches answered, one a page", counts->searches);
    metrics_counter(out, "pdp_repeats_total", "questions that were asked before", counts->repeats);
    metrics_family(out, "pdp_answers_total", "answers by effect", METRICS_COUNTER);
    for (int i = 0; i < PDP_EFFECT_COUNT; i++) {
        metrics_value(out, "pdp_answers_total", "effect", str_of(pdp_effect_name((enum pdp_effect)i)),
                      (double)counts->effects[i]);
    }
    metrics_family(out, "pdp_answer_codes_total", "answers by code", METRICS_COUNTER);
    for (int i = 0; i < PDP_CODE_COUNT; i++) {
        metrics_value(out, "pdp_answer_codes_total", "code", str_of(pdp_code_name((enum pdp_code)i)),
                      (double)counts->codes[i]);
    }
    metrics_counter(out, "pdp_shadow_lost_total", "answers that had no room in the shadow world",
                    counts->shadow_lost);
}

static void put_sessions(struct server *server, struct metrics *out)
{
    struct session_stats stats;
    session_stats(engine_sessions(server->engine), &stats);
    metrics_gauge(out, "pdp_sessions", "live sessions held", (double)stats.sessions);
    metrics_gauge(out, "pdp_tombstones", "ended sessions remembered", (double)stats.tombstones);
    metrics_gauge(out, "pdp_users", "users held", (double)stats.users);
    metrics_gauge(out, "pdp_session_table_bytes", "memory of sessions and users", (double)stats.bytes);
    metrics_counter(out, "pdp_sessions_created_total", "sessions begun", stats.created);
    metrics_counter(out, "pdp_sessions_refused_total", "sessions that there was no room for", stats.refused);
}

static void put_controls(struct server *server, struct metrics *out)
{
    metrics_gauge(out, "pdp_controls", "locks and cut-offs that hold",
                  (double)engine_controls_count(server->engine));
    metrics_gauge(out, "pdp_controls_epoch", "rises with each of their changes",
                  (double)engine_controls_epoch(server->engine));
}

// Answers that wait for the disk.
static void put_held(const struct server *server, struct metrics *out)
{
    size_t held = server->admin_loop.loop != NULL ? gate_held(server->admin_loop.gate) : 0;
    for (size_t i = 0; i < server->worker_count; i++) {
        held += gate_held(server->workers[i].gate);
    }
    metrics_gauge(out, "pdp_answers_held", "answers that wait until what they tell of is durable",
                  (double)held);
}

static void put_delays(const struct node_counts *counts, struct metrics *out)
{
    double bounds[NODE_DELAY_COUNT - 1];
    for (size_t i = 0; i < COUNT_OF(bounds); i++) {
        bounds[i] = (double)NODE_DELAYS_MS[i] / 1000;
    }
    metrics_histogram(out, "pdp_queue_delay_seconds", "how long messages waited for their turn", bounds,
                      counts->delays, COUNT_OF(bounds), (double)counts->delay_ms / 1000);
}

static void put_traffic(const struct node_counts *counts, struct metrics *out)
{
    metrics_gauge(out, "pdp_connections", "connections open", (double)counts->connections);
    metrics_counter(out, "pdp_connections_opened_total", "connections accepted", counts->opened);
    metrics_counter(out, "pdp_messages_total", "messages received", counts->messages);
    metrics_counter(out, "pdp_messages_answered_total", "messages answered", counts->answers);
    metrics_counter(out, "pdp_messages_parked_total", "messages whose answer had to wait", counts->parked);
    metrics_counter(out, "pdp_received_bytes_total", "bytes received", counts->bytes_in);
    metrics_counter(out, "pdp_sent_bytes_total", "bytes sent", counts->bytes_out);
    metrics_family(out, "pdp_refusals_total", "connections and messages refused, by kind", METRICS_COUNTER);
    for (int i = 0; i < NODE_REFUSAL_COUNT; i++) {
        metrics_value(out, "pdp_refusals_total", "kind", str_of(node_refusal_name((enum node_refusal)i)),
                      (double)counts->refusals[i]);
    }
    put_delays(counts, out);
}

static void put_latency(const struct server *server, struct metrics *out)
{
    struct histogram_sum sum = {0};
    double bounds[HISTOGRAM_COUNT - 1];
    server_latency(server, &sum);
    for (size_t i = 0; i < COUNT_OF(bounds); i++) {
        bounds[i] = (double)HISTOGRAM_NS[i] / 1e9;
    }
    metrics_histogram(out, "pdp_decision_seconds",
                      "how long answering took, without queue and network; one message of 16 is timed",
                      bounds, sum.counts, COUNT_OF(bounds), (double)sum.sum_ns / 1e9);
}

static void put_store(struct server *server, struct metrics *out)
{
    struct state_stats stats;
    if (server->state == NULL) {
        return;
    }
    state_stats(server->state, &stats);
    metrics_counter(out, "pdp_journal_rows_total", "steps that must last", stats.head);
    metrics_gauge(out, "pdp_journal_lag", "steps that the store has not confirmed yet",
                  (double)(stats.head - (stats.durable < stats.head ? stats.durable : stats.head)));
    metrics_gauge(out, "pdp_journal_waiting_rows", "rows that wait for the store", (double)stats.waiting);
    metrics_gauge(out, "pdp_journal_waiting_bytes", "and their bytes", (double)stats.waiting_bytes);
    metrics_family(out, "pdp_store_rows", "rows stored, by table", METRICS_GAUGE);
    for (int i = 0; i < STORE_TABLE_COUNT; i++) {
        metrics_value(out, "pdp_store_rows", "table", str_of(store_table_name((enum store_table)i)),
                      (double)stats.store.rows[i]);
    }
    metrics_gauge(out, "pdp_store_bytes", "bytes of the file and its log", (double)stats.store.bytes);
    metrics_gauge(out, "pdp_store_failing", "1: nothing that must last is acknowledged", stats.store.broken);
    metrics_counter(out, "pdp_store_commits_total", "transactions", stats.store.commits);
    metrics_counter(out, "pdp_store_syncs_total", "transactions that were synced", stats.store.syncs);
    metrics_family(out, "pdp_store_sync_seconds_total", "time that syncs took in all", METRICS_COUNTER);
    metrics_plain(out, "pdp_store_sync_seconds_total", (double)stats.store.sync_ns / 1e9);
    metrics_counter(out, "pdp_store_errors_total", "batches that failed", stats.store.failed);
    metrics_counter(out, "pdp_store_mended_total", "times the file was opened anew after an error",
                    stats.store.mended);
}

static void put_process(const struct server *server, struct metrics *out)
{
    metrics_family(out, "pdp_build_info", "which pdpd this is; always 1", METRICS_GAUGE);
    metrics_value(out, "pdp_build_info", "version", STR(PDP_VERSION), 1);
    metrics_gauge(out, "pdp_uptime_seconds", "since the start",
                  (double)(clock_now().steady_ms - server->started_ms) / 1000);
    metrics_gauge(out, "pdp_workers", "threads that answer", (double)server->worker_count);
}

// ---- Pages -------------------------------------------------------------------------------------------

static bool is_serving(const struct server *server)
{
    return atomic_load_explicit((_Atomic bool *)(uintptr_t)&server->serving, memory_order_acquire);
}

static unsigned write_metrics(void *user, struct buf *out)
{
    struct server *server = user;
    struct metrics metrics = {*out};
    struct engine_counts counts;
    engine_count(server->engine, &counts);
    put_snapshot(server, &metrics);
    put_answers(&counts, &metrics);
    put_sessions(server, &metrics);
    if (is_serving(server)) {
        struct node_counts traffic = {0};
        server_count(server, &traffic);
        put_traffic(&traffic, &metrics);
        put_latency(server, &metrics);
        put_controls(server, &metrics);
        put_held(server, &metrics);
        put_store(server, &metrics);
        server_metrics_parts(server, &metrics);
        put_process(server, &metrics);
    }
    *out = metrics.text;
    return 200;
}

// Is any thread that others wait for stuck?
static bool lives(struct server *server, int64_t now_ms)
{
    int64_t tick_ms = atomic_load_explicit(&server->tick_ms, memory_order_relaxed);
    if (!is_serving(server)) {
        return true; // it starts
    }
    bool stuck = tick_ms != 0 && now_ms - tick_ms > STUCK_MS;
    for (size_t i = 0; i < server->worker_count; i++) {
        int64_t since_ms = loop_busy_since_ms(server->workers[i].loop);
        stuck = stuck || (since_ms != 0 && now_ms - since_ms > STUCK_MS);
    }
    return !stuck || atomic_load_explicit(&server->stopping, memory_order_relaxed);
}

static unsigned write_live(void *user, struct buf *out)
{
    bool ok = lives(user, clock_now().steady_ms);
    buf_str(out, ok ? STR("live\n") : STR("not live: a thread is stuck\n"));
    return ok ? 200 : 503;
}

// What keeps it from being ready; NULL: nothing.
static const char *unready(struct server *server)
{
    if (atomic_load_explicit(&server->stopping, memory_order_relaxed)) {
        return "it is stopping";
    }
    if (!is_serving(server) || engine_policy_epoch(server->engine) == 0) {
        return "no policies are loaded yet";
    }
    struct state_stats stats;
    if (server->state != NULL) {
        state_stats(server->state, &stats);
        return stats.store.broken ? "what must last cannot be stored" : NULL;
    }
    return NULL;
}

static unsigned write_ready(void *user, struct buf *out)
{
    const char *why = unready(user);
    if (why != NULL) {
        buf_printf(out, "not ready: %s\n", why);
        return 503;
    }
    buf_str(out, STR("ready\n"));
    return 200;
}

static const char TEXT_TYPE[] = "text/plain; charset=utf-8";
static const struct http_page PAGES[] = {
    {"/metrics", "text/plain; version=0.0.4; charset=utf-8", write_metrics},
    {"/live", TEXT_TYPE, write_live},
    {"/ready", TEXT_TYPE, write_ready},
};

enum pdp_err server_http_start(struct server *server)
{
    return server->metrics.fd < 0
               ? PDP_ERR_OK
               : http_new(server->metrics.fd, PAGES, COUNT_OF(PAGES), server, &server->http);
}

void server_http_stop(struct server *server)
{
    http_free(&server->http);
}

enum pdp_err server_metrics_start(struct server *server)
{
    if (!server->config->has_metrics) {
        return PDP_ERR_OK;
    }
    char why[LISTEN_WHY_MAX] = "";
    enum pdp_err err = PDP_ERR_OK;
    if (server->metrics.fd < 0) { // else it was handed over
        err = listener_open(&server->config->metrics, &server->metrics, why);
    }
    if (err == PDP_ERR_OK) {
        err = server_http_start(server);
    }
    if (err != PDP_ERR_OK) {
        log_one(LOG_LEVEL_ERROR, "metrics_failed", "error", why[0] != '\0' ? why : pdp_err_text(err));
    }
    return err;
}

void server_metrics_end(struct server *server)
{
    http_free(&server->http);
    listener_close(&server->metrics);
}
