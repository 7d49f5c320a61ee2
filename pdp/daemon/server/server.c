// SPDX-License-Identifier: Apache-2.0
#include "daemon/server/server.h"

#include "daemon/clock.h"
#include "daemon/log.h"
#include "daemon/net/notify.h"
#include "daemon/server/server_inner.h"
#include "node/decide.h"

#include <errno.h>
#include <inttypes.h>
#include <malloc.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <unistd.h>

enum {
    TIDY_MS = 1000,
    INHERITED_MAX = 16
};
static const int MAPPED_BYTES = 1024 * 1024; // what is as large as this is given back as soon as it is freed
static const uint64_t TRIM_CLOSED = 64;      // connections gone before memory is given back to the system
static const uint32_t TRIM_WAITS = 30;

uint64_t server_peer_hash(void *worker, struct str name)
{
    return session_hash(engine_sessions(((struct server_worker *)worker)->server->engine), name);
}

void server_count(const struct server *server, struct node_counts *sum)
{
    for (size_t i = 0; i < server->worker_count; i++) {
        loop_count(server->workers[i].loop, sum);
    }
    const struct server_worker *const others[] = {&server->admin_loop, &server->notices_loop,
                                                  &server->orders_loop};
    for (size_t i = 0; i < COUNT_OF(others); i++) {
        if (others[i]->loop != NULL) {
            loop_count(others[i]->loop, sum);
        }
    }
    if (server->tls.shaker != NULL) {
        shaker_count(server->tls.shaker, sum);
    }
}

void server_latency(const struct server *server, struct histogram_sum *sum)
{
    for (size_t i = 0; i < server->worker_count; i++) {
        histogram_read(&server->workers[i].timed.took, sum);
    }
    server_adapters_latency(server, sum);
}

void server_print(const struct compiled *compiled)
{
    if (compiled->diagnostics.len != 0) {
        (void)!write(STDERR_FILENO, compiled->diagnostics.at, compiled->diagnostics.len);
    }
}

// ---- Reload ------------------------------------------------------------------------------------------

static void note_served(struct server *server, const struct compiled *compiled)
{
    pthread_mutex_lock(&server->lock);
    memcpy(server->served_digest, compiled->digest, sizeof server->served_digest);
    server->served = compiled->facts;
    server->served_at_ms = clock_now().wall_ms;
    pthread_mutex_unlock(&server->lock);
}

// Publishes what was compiled; the snapshot is the engine's then.
static void publish(struct server *server, struct compiled *compiled)
{
    pthread_mutex_lock(&server->lock);
    memcpy(server->geo, compiled->geo, sizeof server->geo); // where only lists were read, as it was
    server->geo_count = compiled->geo_count;
    pthread_mutex_unlock(&server->lock);
    engine_publish(server->engine, &compiled->snapshot);
    note_served(server, compiled);
    server_bundle_served(server, compiled);
    server_archive_served(server, compiled);
    if (server->compiler != NULL) {
        compiler_geo_optional(server->compiler, server->geo_count < server->config->geo_count);
    }
}

static void note_reload(struct server *server, const struct compiled *compiled, bool ok)
{
    pthread_mutex_lock(&server->lock);
    server->reload_at_ms = clock_now().wall_ms;
    server->reload_ok = ok;
    server->reloads[ok ? 0 : 1]++;
    snprintf(server->reload_error, sizeof server->reload_error, "%s", compiled->error);
    server->reload_lists = compiled->lists;
    memcpy(server->reload_list, compiled->list, sizeof server->reload_list);
    pthread_mutex_unlock(&server->lock);
}

// What was compiled, and tried where that was due, is served or refused. Returns whether it serves.
static bool take(struct server *server, struct compiled *compiled, bool *held)
{
    bool ok = compiled->snapshot != NULL && compile_remember(server->config, server->bundles, compiled);
    if (ok) {
        *held = server_rolled_settle(server, compiled);
        publish(server, compiled);
        server_say_reloaded(server, compiled);
    } else {
        server_say_refused(compiled, engine_policy_epoch(server->engine));
    }
    note_reload(server, compiled, ok);
    if (!compiled->lists) { // a list that was refused is told beside it
        server_alarm(server, ADMIN_ALARM_RELOAD_REFUSED, !ok, compiled->error);
    }
    return ok;
}

static void conclude(struct server *server, struct compiled *compiled)
{
    bool held = false;
    bool published = !compiled->order.preview && take(server, compiled, &held);
    compiler_settle(server->compiler, published);
    if (held) {
        server_mail_hold(server, compiled);
        compiler_ask_write(server->compiler);
    } else {
        server_admin_mail(server, compiled);
    }
    compiled_free(&compiled);
    notify_send("READY=1");
}

static void on_compiled(struct server *server)
{
    eventfd_t count;
    eventfd_read(server->compiled, &count);
    struct compiled *compiled = compiler_take(server->compiler);
    if (compiled != NULL) {
        server_locks_judge(server, compiled);
    }
    if (compiled != NULL && !server_trial_begin(server, compiled)) {
        conclude(server, compiled);
    }
}

static void on_trial(struct server *server)
{
    if (server_trial_step(server)) {
        conclude(server, server_trial_end(server));
    }
}

static void wake_main(void *user)
{
    eventfd_write(((struct server *)user)->compiled, 1);
}

// ---- Start -------------------------------------------------------------------------------------------

static int block_signals(void)
{
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGHUP);
    pthread_sigmask(SIG_BLOCK, &set, NULL);
    signal(SIGPIPE, SIG_IGN);
    signal(SIGXFSZ, SIG_IGN); // a file that may not grow is an error, not our end
    return signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
}

static void raise_descriptors(void)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur < limit.rlim_max) {
        limit.rlim_cur = limit.rlim_max;
        (void)setrlimit(RLIMIT_NOFILE, &limit);
    }
}

static bool draw(void *out, size_t len)
{
    return getrandom(out, len, 0) == (ssize_t)len;
}

static bool draw_for(void *user, void *out, size_t len)
{
    (void)user;
    return draw(out, len);
}

static bool relayed(void *user, struct str gateway, struct peer *out)
{
    return identity_relayed(user, gateway, out);
}

static enum pdp_err engine_start(struct server *server)
{
    struct engine_config config = {
        .sessions_max = (uint64_t)server->config->sessions_max,
        .creations_per_minute = (uint32_t)server->config->creations_per_minute,
        .counter_entries = (uint32_t)server->config->counter_entries,
        .notices = server->notices,
        .breaker_percent = (uint32_t)server->config->breaker_share,
        .breaker_least = (uint64_t)server->config->breaker_least,
        .proxies = server->config->proxies,
        .proxy_count = server->config->proxy_count,
        .random = draw_for,
        .relayed = relayed,
        .relayed_user = &server->config->peers,
    };
    if (!draw(&config.key, sizeof config.key) || !draw(&config.id_prefix, sizeof config.id_prefix) ||
        !draw(&server->seed, sizeof server->seed)) {
        return PDP_ERR_IO;
    }
    TRY(server_state_open(server, &config));
    TRY(engine_new(&config, &server->engine));
    TRY(worker_new(server->engine, &server->trier));
    return server_state_load(server);
}

static enum pdp_err workers_start(struct server *server)
{
    long cores = sysconf(_SC_NPROCESSORS_ONLN);
    size_t count = server->config->workers > 0 ? (size_t)server->config->workers
                   : cores > 0                 ? (size_t)cores
                                               : 1;
    count = count < CONFIG_WORKERS_MAX ? count : CONFIG_WORKERS_MAX;
    for (size_t i = 0; i < count; i++) {
        struct server_worker *worker = &server->workers[i];
        worker->server = server;
        TRY(worker_new(server->engine, &worker->worker));
        TRY(gate_new(engine_journal(server->engine), server_worker_wake, worker, &worker->gate));
        worker->decide = (struct decide){worker->worker, worker->gate};
        TRY(auditor_add(server->auditor, worker->worker));
        struct loop_config config = {
            .node = {.handler = timed_handler(&worker->timed, decide_handler(&worker->decide)),
                     .limits = server->config->limits,
                     .type = SP_REP0,
                     .seed = server->seed},
            .listeners = server->decide.list,
            .listener_count = server->decide.count,
            .drain_ms = server->config->drain_ms,
            .peers = &server->config->peers,
            .peer_hash = server_peer_hash,
            .mail = server_state_mail,
            .user = worker,
        };
        TRY(loop_new(&config, &worker->loop));
        server->worker_count++;
    }
    return PDP_ERR_OK;
}

static void *thread_main(void *loop)
{
    loop_run(loop);
    return NULL;
}

static enum pdp_err thread_start(struct server_worker *worker)
{
    worker->runs = pthread_create(&worker->thread, NULL, thread_main, worker->loop) == 0;
    return worker->runs ? PDP_ERR_OK : PDP_ERR_IO;
}

static void thread_end(struct server_worker *worker)
{
    if (worker->runs) {
        loop_stop(worker->loop);
        pthread_join(worker->thread, NULL);
        worker->runs = false;
    }
}

void server_threads_stop(struct server *server)
{
    server_adapters_stop(server);
    server_tls_stop(server);
    for (size_t i = 0; i < server->worker_count; i++) {
        if (server->workers[i].runs) {
            loop_stop(server->workers[i].loop); // all at once, so that they drain side by side
        }
    }
    for (size_t i = 0; i < server->worker_count; i++) {
        thread_end(&server->workers[i]);
    }
    thread_end(&server->admin_loop);
    thread_end(&server->notices_loop);
    thread_end(&server->orders_loop);
    server_webhooks_stop(server); // when all ends are in the ring
}

static enum pdp_err threads_run(struct server *server)
{
    TRY(server_tls_start(server)); // what arrives before a loop runs waits for it
    for (size_t i = 0; i < server->worker_count; i++) {
        TRY(thread_start(&server->workers[i]));
    }
    struct server_worker *const others[] = {&server->admin_loop, &server->notices_loop, &server->orders_loop};
    for (size_t i = 0; i < COUNT_OF(others); i++) {
        if (others[i]->loop != NULL) {
            TRY(thread_start(others[i]));
        }
    }
    TRY(server_webhooks_start(server));
    return server_adapters_start(server);
}

enum pdp_err server_threads_start(struct server *server)
{
    for (size_t i = 0; i < server->worker_count; i++) {
        loop_resume(server->workers[i].loop);
    }
    struct server_worker *const others[] = {&server->admin_loop, &server->notices_loop, &server->orders_loop};
    for (size_t i = 0; i < COUNT_OF(others); i++) {
        if (others[i]->loop != NULL) {
            loop_resume(others[i]->loop);
        }
    }
    return threads_run(server);
}

static enum pdp_err threads_start(struct server *server)
{
    TRY(workers_start(server));
    TRY(server_gateways_new(server));
    TRY(server_adapters_new(server));
    if (server->admin.count > 0) {
        TRY(server_admin_new(server));
    }
    const struct compiler_start start = {.serving = &server->first,
                                         .sources = server->first_sources,
                                         .archive = server->archive,
                                         .wake = wake_main,
                                         .write = server_archive_write,
                                         .user = server};
    TRY(compiler_new(server->config, server->bundles, server->seed, &start, &server->compiler));
    sources_drop(&server->first_sources); // the compiler holds them, for as long as they serve
    compiler_geo_optional(server->compiler, server->geo_count < server->config->geo_count);
    TRY(server_state_start(server));
    TRY(auditor_start(server->auditor));
    TRY(server_takeover_ready(server));
    return threads_run(server);
}

// ---- Serving -----------------------------------------------------------------------------------------

// After many connections have come and gone, what they held goes back to the system. In a calm second, since
// the workers wait for their heap meanwhile; or after half a minute, if there is none.
static void give_memory_back(struct server *server)
{
    struct node_counts counts = {0};
    server_count(server, &counts);
    uint64_t closed = counts.opened > counts.connections ? counts.opened - counts.connections : 0;
    bool calm = counts.opened == server->opened_seen;
    server->opened_seen = counts.opened;
    if (closed < server->closed_trimmed + TRIM_CLOSED) {
        return;
    }
    if (calm || ++server->trim_waits >= TRIM_WAITS) {
        malloc_trim(0);
        server->closed_trimmed = closed;
        server->trim_waits = 0;
    }
}

static bool on_signal(struct server *server)
{
    struct signalfd_siginfo info;
    bool stop = false;
    while (read(server->signals, &info, sizeof info) == (ssize_t)sizeof info) {
        if (info.ssi_signo == SIGHUP) {
            log_one(LOG_LEVEL_INFO, "reloading", "because", "SIGHUP");
            notify_reloading();
            char why[TLS_WHY_MAX];
            (void)server_tls_reload(server, why); // told by the log and an alarm
            server_adapters_reload(server);
            if (!server_rolled_refuses_signal(server)) {
                (void)compiler_ask(server->compiler, STR("SIGHUP"), (struct compile_order){.confirm = -1});
            }
        } else {
            log_one(LOG_LEVEL_INFO, "stopping", "because", info.ssi_signo == SIGTERM ? "SIGTERM" : "SIGINT");
            stop = true;
        }
    }
    return stop;
}

// false: it can serve no more.
static bool serve(struct server *server)
{
    struct pollfd fds[] = {{.fd = server->signals, .events = POLLIN},
                           {.fd = server->compiled, .events = POLLIN},
                           {.fd = server->takeover, .events = POLLIN}};
    int64_t tidy_ms = 0;
    enum server_next next = SERVER_GO_ON;
    for (bool stop = false; !stop && next == SERVER_GO_ON;) {
        fds[1].fd = server->trial == NULL ? server->compiled : -1; // one after the other
        (void)poll(fds, COUNT_OF(fds), server->trial == NULL ? TIDY_MS : 0);
        if ((fds[0].revents & POLLIN) != 0) {
            stop = on_signal(server);
        }
        if ((fds[1].revents & POLLIN) != 0) {
            on_compiled(server);
        }
        if (server->trial != NULL) {
            on_trial(server);
        }
        if ((fds[2].revents & POLLIN) != 0 && !stop) {
            next = server_takeover(server);
        }
        struct node_now now = clock_now();
        atomic_store_explicit(&server->tick_ms, now.steady_ms, memory_order_relaxed);
        if (now.steady_ms >= tidy_ms && next == SERVER_GO_ON) {
            // Where peers set the clock, ours says nothing of what may be forgotten.
            engine_tidy(server->engine, server->config->simulate ? INT64_MIN : now.wall_ms);
            give_memory_back(server);
            server_bundle_watch(server, now.wall_ms);
            server_archive_watch(server, now.steady_ms);
            server_tls_watch(server, now);
            server_audit_watch(server);
            server_webhooks_watch(server);
            server_breaker_watch(server, now.wall_ms);
            tidy_ms = now.steady_ms + TIDY_MS;
        }
    }
    return next != SERVER_BROKEN;
}

static void server_end(struct server *server)
{
    server_metrics_end(server);
    server_takeover_end(server);
    server_threads_stop(server);
    server_sketches_stop(server);
    if (server->state != NULL) {
        state_stop(server->state); // writes what is left of the table
    }
    server_webhooks_free(server);
    auditor_close(&server->auditor);
    audit_folder_close(&server->audit_folder);
    compiler_free(&server->compiler);
    server_trial_drop(server);
    sources_drop(&server->first_sources);
    server_archive_close(server);
    bundles_close(&server->bundles);
    loop_free(&server->admin_loop.loop);
    server_gateways_free(server);
    admin_free(&server->admin_handler);
    gate_free(&server->admin_loop.gate);
    server_adapters_free(server);
    for (size_t i = 0; i < CONFIG_WORKERS_MAX; i++) {
        loop_free(&server->workers[i].loop);
        worker_free(&server->workers[i].worker);
        gate_free(&server->workers[i].gate);
    }
    server_listeners_end(server);
    server_mails_free(server);
    server_tls_close(&server->tls);
    pthread_mutex_destroy(&server->tls.reload);
    snapshot_free(&server->first);
    compiled_free(&server->compiled_first);
    engine_free(&server->engine);
    state_close(&server->state);
    notices_free(&server->notices);
    buf_fini(&server->urls);
    if (server->signals >= 0) {
        close(server->signals);
    }
    if (server->compiled >= 0) {
        close(server->compiled);
    }
    pthread_mutex_destroy(&server->lock);
    free(server);
}

void server_compile_refused(const struct compiled *compiled)
{
    if (compiled != NULL) {
        server_print(compiled);
        server_bundle_refused(compiled, 0);
    }
    log_one(LOG_LEVEL_ERROR, "start_refused", "error", compiled != NULL ? compiled->error : "memory is out");
}

// What a successor compiled before it took over, if names are hashed the same way still.
static struct compiled *compiled_once(struct server *server, struct hash_key seed)
{
    bool same = memcmp(&seed, &server->seed, sizeof seed) == 0 && !server_rolled(server);
    if (server->compiled_first != NULL && same && server->compiled_first->pin.at_ms == 0) {
        return STEAL(server->compiled_first);
    }
    return server_compile_start(server);
}

// Compiles first, so that nobody is answered before there is something to answer by.
static int server_start(struct server *server, const struct notify_fd *fds, size_t fd_count)
{
    struct hash_key seed = {0};
    if (server->config->takeover && server_takeover_begin(server) != PDP_ERR_OK) {
        return SERVER_BAD_INPUT;
    }
    seed = server->seed;
    enum pdp_err err = server->signals < 0 || server->compiled < 0 ? PDP_ERR_IO : server_notices_new(server);
    err = err == PDP_ERR_OK ? engine_start(server) : err;
    if (err == PDP_ERR_REFUSED) {
        return SERVER_BAD_INPUT;
    }
    if (err != PDP_ERR_OK) {
        log_one(LOG_LEVEL_ERROR, "start_failed", "error",
                err == PDP_ERR_IO ? strerror(errno) : pdp_err_text(err));
        return SERVER_FAILED;
    }
    if (server_metrics_start(server) != PDP_ERR_OK) {
        return SERVER_FAILED;
    }
    if (server_bundles_open(server->config, true, &server->bundles) != PDP_ERR_OK) {
        log_one(LOG_LEVEL_ERROR, "start_refused", "error", "the state of bundles cannot be used");
        return SERVER_BAD_INPUT;
    }
    if (server_tls_open(server->config, &server->tls) != PDP_ERR_OK) {
        log_one(LOG_LEVEL_ERROR, "start_refused", "error", "a certificate cannot be used");
        return SERVER_BAD_INPUT;
    }
    if (server_webhooks_open(server) != PDP_ERR_OK) {
        log_one(LOG_LEVEL_ERROR, "start_refused", "error", "a file of a webhook cannot be used");
        return SERVER_BAD_INPUT;
    }
    if (server_audit_open(server) != PDP_ERR_OK) {
        log_one(LOG_LEVEL_ERROR, "start_refused", "error", "the audit log cannot be used");
        return SERVER_BAD_INPUT;
    }
    if (server_archive_open(server) != PDP_ERR_OK) {
        log_one(LOG_LEVEL_ERROR, "start_refused", "error", "what was served before cannot be read");
        return SERVER_BAD_INPUT;
    }
    bool first = server->bundles != NULL && bundles_first(server->bundles);
    struct compiled *compiled = compiled_once(server, seed);
    if (compiled == NULL || compiled->snapshot == NULL ||
        !compile_remember(server->config, server->bundles, compiled)) {
        server_compile_refused(compiled);
        compiled_free(&compiled);
        return SERVER_BAD_INPUT;
    }
    server_print(compiled); // warnings
    enum pdp_err shared = snapshot_share(compiled->snapshot, &server->first);
    server->first_sources = sources_hold(compiled->sources);
    server_locks_judge(server, compiled);
    publish(server, compiled);
    int status = SERVER_FAILED;
    if (shared == PDP_ERR_OK && server_take_inherited(server, fds, fd_count) == PDP_ERR_OK &&
        server_listeners_open(server)) {
        server_warn(server, first);
        server_rolled_start(server, compiled);
        server_place_urls(server);
        err = threads_start(server);
        status = err == PDP_ERR_OK ? SERVER_DONE : err == PDP_ERR_REFUSED ? SERVER_BAD_INPUT : SERVER_FAILED;
    }
    if (status == SERVER_DONE) {
        atomic_store_explicit(&server->serving, true, memory_order_release);
        server_takeover_listen(server); // before it says so: a successor may come at once
        server_say_ready(server, compiled);
    }
    compiled_free(&compiled);
    return status;
}

int server_run(struct config *config)
{
    struct notify_fd fds[INHERITED_MAX];
    size_t fd_count = notify_inherited(fds, INHERITED_MAX);
    const char *wrong = config_settle(config, fd_count > 0);
    if (wrong != NULL) {
        fprintf(stderr, "pdpd: %s\n", wrong);
        return SERVER_BAD_INPUT;
    }
    struct server *server = calloc(1, sizeof *server);
    if (server == NULL) {
        return SERVER_FAILED;
    }
    server->config = config;
    server->metrics.fd = server->takeover = server->successor = -1;
    server->started_ms = clock_now().steady_ms;
    pthread_mutex_init(&server->lock, NULL);
    pthread_mutex_init(&server->tls.reload, NULL);
    raise_descriptors();
    // Else the allocator raises the bar with each large thing that is freed, and keeps the lists of old
    // snapshots.
    (void)mallopt(M_MMAP_THRESHOLD, MAPPED_BYTES);
    server->signals = block_signals();
    server->compiled = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    int status = server_start(server, fds, fd_count);
    if (status == SERVER_DONE) {
        notify_send("READY=1");
        status = serve(server) ? SERVER_DONE : SERVER_FAILED;
        atomic_store_explicit(&server->stopping, true, memory_order_relaxed);
        notify_send("STOPPING=1");
        server_threads_stop(server);
        log_one(LOG_LEVEL_INFO, "stopped", "status", status == SERVER_DONE ? "0" : "1");
    }
    server_end(server);
    return status;
}
