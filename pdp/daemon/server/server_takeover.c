// SPDX-License-Identifier: Apache-2.0
// The server gives way to a successor, or is one: see takeover.h for who says what.
#include "daemon/clock.h"
#include "daemon/log.h"
#include "daemon/net/notify.h"
#include "daemon/net/takeover.h"
#include "daemon/server/server_inner.h"

#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

static const int GO_MS = 10000;     // for a successor to look at the listeners
static const int SETTLE_MS = 90000; // for what is noted to be written while we serve
static const int READY_MS = 120000; // for it to load everything
static const int REGAIN_MS = 10000; // for the folder's lock to come back
static const int TRY_MS = 10;

static const char *const SIDES[] = {"decide", "admin", "notices", "orders", "metrics"};

// ---- The one that runs ---------------------------------------------------------------------------------

void server_takeover_listen(struct server *server)
{
    char why[TAKEOVER_WHY_MAX] = "";
    if (server->config->state != NULL &&
        takeover_listen(server->config->state, &server->takeover, why) != PDP_ERR_OK) {
        log_one(LOG_LEVEL_WARN, "takeover_impossible", "error", why);
    }
}

void server_takeover_end(struct server *server)
{
    if (server->handed_over && server->takeover >= 0) { // the successor has a socket of its own there
        close(server->takeover);
        server->takeover = -1;
    }
    takeover_unlisten(server->config->state != NULL ? server->config->state : ".", &server->takeover);
    if (server->successor >= 0) {
        close(server->successor);
        server->successor = -1;
    }
}

static void label(const struct listener *listener, const char *side, struct takeover_fd *out)
{
    AUTO(buf_fini) struct buf text = {.limit = sizeof out->label - 1};
    out->fd = listener->fd;
    buf_printf(&text, "%s ", side);
    url_print(&listener->spec.url, &text);
    (void)snprintf(out->label, sizeof out->label, STR_FMT, STR_ARG(buf_view(&text)));
}

struct takeover_fds {
    struct takeover_fd list[TAKEOVER_FDS_MAX];
    size_t count;
};

static void label_adapter(void *user, const char *kind, struct listener *listener)
{
    struct takeover_fds *fds = user;
    if (fds->count < TAKEOVER_FDS_MAX) {
        label(listener, kind, &fds->list[fds->count++]);
    }
}

static enum pdp_err give(struct server *server, int peer)
{
    struct takeover_fds all = {.count = 0};
    struct takeover_fd *fds = all.list;
    size_t count = 0;
    _Static_assert(4 * SERVER_LISTENERS_MAX + 1 + CONFIG_ADAPTERS_MAX * CONFIG_ADAPTER_LISTENERS_MAX <=
                       TAKEOVER_FDS_MAX,
                   "all listeners fit");
    const struct server_listeners *sides[] = {&server->decide, &server->admin, &server->notices_at,
                                              &server->orders_at};
    for (size_t s = 0; s < COUNT_OF(sides); s++) {
        for (size_t i = 0; i < sides[s]->count && count < TAKEOVER_FDS_MAX; i++) {
            label(&sides[s]->list[i], SIDES[s], &fds[count++]);
        }
    }
    if (server->metrics.fd >= 0 && count < TAKEOVER_FDS_MAX) {
        label(&server->metrics, SIDES[4], &fds[count++]);
    }
    all.count = count;
    server_adapters_each(server, label_adapter, &all);
    return takeover_give(peer, fds, all.count);
}

// What decisions have noted is written while they go on: a disk takes ten thousand rows a second, and what is
// left when we stop is what nobody is answered for. false: it does not come to an end, a signal waits, or the
// other is gone; nothing has happened then.
static bool settle(struct server *server, int peer)
{
    struct pollfd fds[] = {{.fd = server->signals, .events = POLLIN}, {.fd = peer, .events = POLLIN}};
    int64_t until_ms = clock_now().steady_ms + SETTLE_MS;
    uint64_t round = state_hurry(server->state);
    while (!state_is_written(server->state, round)) {
        int64_t now_ms = clock_now().steady_ms;
        atomic_store_explicit(&server->tick_ms, now_ms, memory_order_relaxed); // we are alive
        if (now_ms >= until_ms || poll(fds, COUNT_OF(fds), TRY_MS) != 0) {
            return false;
        }
    }
    return true;
}

// Everything is answered, written and let go of; the engine stays as it is.
static enum pdp_err let_go(struct server *server)
{
    server_http_stop(server); // it looks at the store
    server_threads_stop(server);
    if (server->bundles != NULL) {
        bundles_yield(server->bundles);
    }
    auditor_yield(server->auditor);
    archive_yield(server->archive);
    server_sketches_stop(server);
    return state_yield(server->state);
}

static enum pdp_err take_back(struct server *server)
{
    char why[STATE_WHY_MAX] = "";
    int64_t until_ms = clock_now().steady_ms + REGAIN_MS;
    enum pdp_err err = state_regain(server->state, why);
    while (err == PDP_ERR_BUSY && clock_now().steady_ms < until_ms) { // the other is still ending
        (void)poll(NULL, 0, TRY_MS);
        err = state_regain(server->state, why);
    }
    if (err == PDP_ERR_OK && server->bundles != NULL) {
        err = bundles_regain(server->bundles);
    }
    if (err != PDP_ERR_OK) {
        log_one(LOG_LEVEL_ERROR, "takeover_lost", "error", why);
        return err;
    }
    char audit_why[AUDIT_WHY_MAX];
    if (auditor_regain(server->auditor, audit_why) != PDP_ERR_OK) {
        log_one(LOG_LEVEL_ERROR, "takeover_lost", "error", audit_why);
        return PDP_ERR_IO;
    }
    archive_regain(server->archive);
    TRY(server_state_start(server));
    TRY(server_threads_start(server));
    return server_http_start(server);
}

// The socket is closed at both ends, and nobody serves but us: `ready` may have come in the last moment.
static bool ends(int peer, pid_t pid)
{
    struct pollfd gone = {.fd = peer, .events = POLLIN};
    if (takeover_hear(peer, "ready", READY_MS)) {
        return false;
    }
    if (poll(&gone, 1, 0) == 0) { // it lives and says nothing
        (void)kill(pid, SIGKILL);
        return !takeover_hear(peer, "ready", REGAIN_MS);
    }
    return true;
}

static void forget_files(struct server_listeners *side)
{
    for (size_t i = 0; i < side->count; i++) {
        side->list[i].file_number = 0; // the successor's now
    }
}

static void forget_file(void *user, const char *kind, struct listener *listener)
{
    (void)user;
    (void)kind;
    listener->file_number = 0;
}

static void hand_over(struct server *server, pid_t pid)
{
    char text[48];
    server->handed_over = true;
    forget_files(&server->decide);
    forget_files(&server->admin);
    forget_files(&server->notices_at);
    forget_files(&server->orders_at);
    server_adapters_each(server, forget_file, NULL);
    (void)snprintf(text, sizeof text, "MAINPID=%ld", (long)pid);
    notify_send(text);
}

static void log_gap(enum log_level level, const char *event, pid_t pid, int64_t since_ms)
{
    struct log_line line;
    log_begin(&line, level, event);
    log_int(&line, "pid", pid);
    log_int(&line, "gap_ms", clock_now().steady_ms - since_ms);
    log_end(&line);
}

// From here on nobody is answered until somebody serves again.
static enum server_next hand_over_or_back(struct server *server, int peer, pid_t pid)
{
    int64_t since_ms = clock_now().steady_ms;
    atomic_store_explicit(&server->stopping, true, memory_order_relaxed);
    if (let_go(server) == PDP_ERR_OK && takeover_say(peer, "done") && !ends(peer, pid)) {
        hand_over(server, pid);
        log_gap(LOG_LEVEL_INFO, "handed_over", pid, since_ms);
        return SERVER_STOP;
    }
    enum server_next next = take_back(server) == PDP_ERR_OK ? SERVER_GO_ON : SERVER_BROKEN;
    atomic_store_explicit(&server->stopping, next != SERVER_GO_ON, memory_order_relaxed);
    log_gap(LOG_LEVEL_WARN, "takeover_failed", pid, since_ms);
    return next;
}

static void log_settling(enum log_level level, const char *event, pid_t pid, int64_t since_ms)
{
    struct log_line line;
    log_begin(&line, level, event);
    log_int(&line, "pid", pid);
    log_int(&line, "settled_ms", clock_now().steady_ms - since_ms);
    log_end(&line);
}

enum server_next server_takeover(struct server *server)
{
    int peer = -1;
    pid_t pid = 0;
    takeover_accept(server->takeover, &peer, &pid);
    if (peer < 0) {
        return SERVER_GO_ON;
    }
    struct state_stats stats;
    state_stats(server->state, &stats);
    enum server_next next = SERVER_GO_ON;
    if (!stats.store.broken && give(server, peer) == PDP_ERR_OK && takeover_hear(peer, "go", GO_MS)) {
        int64_t since_ms = clock_now().steady_ms;
        bool settled = settle(server, peer);
        log_settling(settled ? LOG_LEVEL_INFO : LOG_LEVEL_WARN, settled ? "handing_over" : "takeover_put_off",
                     pid, since_ms);
        next = settled ? hand_over_or_back(server, peer, pid) : SERVER_GO_ON;
    }
    close(peer);
    return next;
}

// ---- The successor ---------------------------------------------------------------------------------------

// Is it what `spec` asks for? Port 0 asks for any.
static bool same_place(const struct url *spec, const struct url *is)
{
    if (spec->transport != is->transport || spec->tls != is->tls) {
        return false;
    }
    return spec->transport == SP_IPC ? strcmp(spec->path, is->path) == 0
                                     : memcmp(&spec->ip.bytes, &is->ip.bytes, sizeof is->ip.bytes) == 0 &&
                                           (spec->port == is->port || spec->port == 0);
}

static bool labelled(const char *text, const char *side, const struct listen_spec *spec)
{
    const char *why = "";
    size_t len = strlen(side);
    struct url url;
    return strncmp(text, side, len) == 0 && text[len] == ' ' &&
           url_parse(str_of(text + len + 1), &url, &why) == PDP_ERR_OK && same_place(&spec->url, &url);
}

// The listener that was handed over for `spec`, or a new one.
static enum pdp_err adopt(struct takeover_fd *fds, size_t count, const char *side,
                          const struct listen_spec *spec, struct listener *out)
{
    char why[LISTEN_WHY_MAX] = "";
    for (size_t i = 0; i < count; i++) {
        if (fds[i].fd >= 0 && labelled(fds[i].label, side, spec)) {
            enum pdp_err err = listener_inherit(fds[i].fd, out, why);
            struct listen_spec own = *spec;
            own.url = out->spec.url;
            own.url.tls = spec->url.tls;
            out->spec = own;
            fds[i].fd = err == PDP_ERR_OK ? -1 : fds[i].fd;
            return err;
        }
    }
    enum pdp_err err = listener_open(spec, out, why);
    if (err != PDP_ERR_OK) {
        log_one(LOG_LEVEL_ERROR, "listen_failed", "error", why);
    }
    return err;
}

static enum pdp_err adopt_side(struct takeover_fd *fds, size_t count, const char *side,
                               const struct config_listeners *specs, struct server_listeners *out)
{
    for (size_t i = 0; i < specs->count; i++) {
        TRY(adopt(fds, count, side, &specs->list[i], &out->list[out->count]));
        out->count++;
    }
    return PDP_ERR_OK;
}

static enum pdp_err adopt_adapter(void *user, const char *side, const struct listen_spec *spec,
                                  struct listener *out)
{
    struct takeover_fds *fds = user;
    return adopt(fds->list, fds->count, side, spec, out);
}

static enum pdp_err adopt_all(struct server *server, struct takeover_fds *all)
{
    struct takeover_fd *fds = all->list;
    size_t count = all->count;
    const struct config *config = server->config;
    TRY(adopt_side(fds, count, SIDES[0], &config->decide, &server->decide));
    TRY(adopt_side(fds, count, SIDES[1], &config->admin, &server->admin));
    TRY(adopt_side(fds, count, SIDES[2], &config->notices, &server->notices_at));
    TRY(adopt_side(fds, count, SIDES[3], &config->orders, &server->orders_at));
    TRY(config->has_metrics ? adopt(fds, count, SIDES[4], &config->metrics, &server->metrics) : PDP_ERR_OK);
    return server_adapters_listen(server, adopt_adapter, all);
}

static enum pdp_err refused(const char *why)
{
    log_one(LOG_LEVEL_ERROR, "takeover_refused", "error", why);
    return PDP_ERR_STATE;
}

// What would be served: what was gone back to where a roll-back is in force, whatever the folder holds.
static struct compiled *compile_as_before(struct server *server, struct bundles *bundles)
{
    AUTO(archive_close) struct archive *archive = NULL;
    char why[ARCHIVE_WHY_MAX];
    struct archive_pin pin = {0};
    if (archive_open(server->config->state, false, &archive, why) == PDP_ERR_OK) {
        archive_pin(archive, &pin);
    }
    return pin.at_ms != 0 ? compile_back(server->config, bundles, archive, &pin, server->seed)
                          : compile_run(server->config, bundles, server->seed, true);
}

// Policies first: what does not compile disturbs nobody.
static enum pdp_err compile_first(struct server *server)
{
    AUTO(bundles_close) struct bundles *bundles = NULL;
    struct hash_key names;
    if (!state_peek(server->config, &names)) {
        return refused("the state folder has no keys that can be read\n  hint: start without `--takeover`");
    }
    server->seed = server_seed_of(names);
    TRY(server_bundles_open(server->config, false, &bundles));
    server->compiled_first = compile_as_before(server, bundles);
    if (server->compiled_first == NULL || server->compiled_first->snapshot == NULL) {
        server_compile_refused(server->compiled_first);
        return PDP_ERR_SYNTAX;
    }
    if (bundles != NULL) { // it must be remembered, too, and that takes the folder
        compiled_free(&server->compiled_first);
    }
    return PDP_ERR_OK;
}

enum pdp_err server_takeover_begin(struct server *server)
{
    struct takeover_fds fds = {.count = 0};
    char why[TAKEOVER_WHY_MAX] = "";
    TRY(compile_first(server));
    if (takeover_ask(server->config->state, &server->successor, fds.list, &fds.count, why) != PDP_ERR_OK) {
        return refused(why);
    }
    enum pdp_err err = adopt_all(server, &fds);
    for (size_t i = 0; i < fds.count; i++) {
        if (fds.list[i].fd >= 0) { // not asked for any more
            close(fds.list[i].fd);
        }
    }
    TRY(err);
    if (!takeover_say(server->successor, "go") || !takeover_hear(server->successor, "done", READY_MS)) {
        return refused("the running pdpd has not let go; it serves on");
    }
    return PDP_ERR_OK;
}

static void claim_file(void *user, const char *kind, struct listener *listener)
{
    struct stat info;
    (void)user;
    (void)kind;
    if (listener->spec.url.transport == SP_IPC && lstat(listener->spec.url.path, &info) == 0) {
        listener->file_device = info.st_dev;
        listener->file_number = info.st_ino;
    }
}

static void claim_files(struct server_listeners *side)
{
    for (size_t i = 0; i < side->count; i++) {
        claim_file(NULL, NULL, &side->list[i]);
    }
}

enum pdp_err server_takeover_ready(struct server *server)
{
    if (server->successor < 0) {
        return PDP_ERR_OK;
    }
    if (!takeover_say(server->successor, "ready")) {
        return refused("the one that ran is heard no more: whether it serves cannot be told");
    }
    close(server->successor);
    server->successor = -1;
    claim_files(&server->decide);
    claim_files(&server->admin);
    claim_files(&server->notices_at);
    claim_files(&server->orders_at);
    server_adapters_each(server, claim_file, NULL);
    return PDP_ERR_OK;
}
