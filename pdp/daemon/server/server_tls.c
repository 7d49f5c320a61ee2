// SPDX-License-Identifier: Apache-2.0
#include "daemon/clock.h"
#include "daemon/log.h"
#include "daemon/server/server_inner.h"

#include "base/num.h"
#include "base/time.h"

#include <stdio.h>

enum {
    HANDSHAKES_MOST = 1024,
    HANDSHAKES_ORIGIN_MOST = 256
};
static const int64_t LOOK_MS = 10000;                  // from one look at expiries to the next
static const int64_t SOON_S = INT64_C(14) * 24 * 3600; // before the end of a certificate
static const int64_t SOON_CRL_S = INT64_C(24) * 3600;  // and of a revocation list

// ---- Files -------------------------------------------------------------------------------------------

static void log_certificate(enum log_level level, const char *event, const char *error)
{
    log_one(level, event, "error", error);
}

static struct tls *tls_find(const struct server_tls *all, const struct tls_config *config)
{
    for (size_t i = 0; i < all->count; i++) {
        if (all->configs[i] == config) {
            return all->list[i];
        }
    }
    return NULL;
}

static enum pdp_err open_side(struct server_tls *all, const struct config_listeners *listeners)
{
    for (size_t i = 0; i < listeners->count; i++) {
        const struct tls_config *config = listeners->list[i].tls;
        char why[TLS_WHY_MAX];
        if (config == NULL || tls_find(all, config) != NULL) {
            continue;
        }
        enum pdp_err err = tls_new(config, &all->list[all->count], why);
        if (err != PDP_ERR_OK) {
            log_certificate(LOG_LEVEL_ERROR, "certificate_refused", why);
            return err;
        }
        all->configs[all->count++] = config;
    }
    return PDP_ERR_OK;
}

enum pdp_err server_tls_open(const struct config *config, struct server_tls *all)
{
    const struct config_listeners *const sides[] = {&config->decide, &config->admin, &config->notices,
                                                    &config->orders};
    for (size_t i = 0; i < COUNT_OF(sides); i++) {
        TRY(open_side(all, sides[i]));
    }
    return PDP_ERR_OK;
}

void server_tls_close(struct server_tls *all)
{
    shaker_free(&all->shaker);
    while (all->count > 0) {
        tls_free(&all->list[--all->count]);
    }
}

// ---- Handshakes --------------------------------------------------------------------------------------

static void arrived_decide(void *user, struct arrival *arrival)
{
    struct server *server = user;
    loop_adopt(server->workers[server->tls.next_worker++ % server->worker_count].loop, arrival);
}

static void arrived_admin(void *user, struct arrival *arrival)
{
    struct server *server = user;
    loop_adopt(server->admin_loop.loop, arrival);
}

static void arrived_notices(void *user, struct arrival *arrival)
{
    struct server *server = user;
    loop_adopt(server->notices_loop.loop, arrival);
}

static void arrived_orders(void *user, struct arrival *arrival)
{
    struct server *server = user;
    loop_adopt(server->orders_loop.loop, arrival);
}

static size_t listeners_note(struct server *server, const struct server_listeners *side,
                             void (*arrived)(void *user, struct arrival *arrival), size_t count)
{
    for (size_t i = 0; i < side->count; i++) {
        const struct listener *listener = &side->list[i];
        if (listener->spec.url.tls) {
            server->tls.from[count++] = (struct shake_listener){
                listener, tls_find(&server->tls, listener->spec.tls), arrived, server};
        }
    }
    return count;
}

void server_tls_stop(struct server *server)
{
    if (server->tls.shaker != NULL) {
        shaker_stop(server->tls.shaker);
    }
}

enum pdp_err server_tls_start(struct server *server)
{
    if (server->tls.shaker != NULL) {
        return shaker_start(server->tls.shaker);
    }
    size_t count = listeners_note(server, &server->decide, arrived_decide, 0);
    count = listeners_note(server, &server->admin, arrived_admin, count);
    count = listeners_note(server, &server->notices_at, arrived_notices, count);
    count = listeners_note(server, &server->orders_at, arrived_orders, count);
    if (count == 0) {
        return PDP_ERR_OK;
    }
    struct shake_config config = {.listeners = server->tls.from,
                                  .listener_count = count,
                                  .deadline_ms = server->config->limits.handshake_ms,
                                  .most = HANDSHAKES_MOST,
                                  .origin_most = HANDSHAKES_ORIGIN_MOST};
    TRY(shaker_new(&config, &server->tls.shaker));
    return shaker_start(server->tls.shaker);
}

// ---- Anew, and in time -------------------------------------------------------------------------------

static void sweep_all(struct server *server)
{
    for (size_t i = 0; i < server->worker_count; i++) {
        loop_sweep(server->workers[i].loop);
    }
    struct loop *const others[] = {server->admin_loop.loop, server->notices_loop.loop,
                                   server->orders_loop.loop};
    for (size_t i = 0; i < COUNT_OF(others); i++) {
        if (others[i] != NULL) {
            loop_sweep(others[i]);
        }
    }
}

enum pdp_err server_tls_reload(struct server *server, char why[TLS_WHY_MAX])
{
    enum pdp_err err = PDP_ERR_OK;
    why[0] = '\0';
    pthread_mutex_lock(&server->tls.reload);
    for (size_t i = 0; i < server->tls.count && err == PDP_ERR_OK; i++) {
        err = tls_reload(server->tls.list[i], why);
    }
    pthread_mutex_unlock(&server->tls.reload);
    sweep_all(server);
    server_alarm(server, ADMIN_ALARM_CERTIFICATE_REFUSED, err != PDP_ERR_OK, why);
    if (err != PDP_ERR_OK) {
        log_certificate(LOG_LEVEL_ERROR, "certificate_refused", why);
    } else if (server->tls.count > 0) {
        struct log_line line;
        log_begin(&line, LOG_LEVEL_INFO, "certificates_reloaded");
        log_int(&line, "certificates", (int64_t)server->tls.count);
        log_end(&line);
    }
    return err;
}

// The file that ends first, and when; INT64_MAX: none.
static int64_t first_end(struct server *server, bool lists, const char **file)
{
    int64_t first_s = INT64_MAX;
    for (size_t i = 0; i < server->tls.count; i++) {
        struct tls_facts facts;
        tls_facts(server->tls.list[i], &facts);
        int64_t until_s = lists ? facts.crl_until_s : facts.cert_until_s;
        if (until_s != 0 && until_s < first_s) {
            const struct tls_config *config = tls_config_of(server->tls.list[i]);
            first_s = until_s;
            *file = lists ? config->crl : config->cert;
        }
    }
    return first_s;
}

static void watch_one(struct server *server, enum admin_alarm_kind kind, bool lists, int64_t now_s)
{
    const char *file = "";
    int64_t until_s = first_end(server, lists, &file);
    char message[600];
    struct buf at = {0};
    time_print(&at, until_s == INT64_MAX ? 0 : until_s, 0);
    snprintf(message, sizeof message, "`%s` %s " STR_FMT "; put another in its place and reload", file,
             until_s <= now_s ? "ended" : "ends", STR_ARG(buf_view(&at)));
    buf_fini(&at);
    bool soon = until_s - now_s < (lists ? SOON_CRL_S : SOON_S) && until_s != INT64_MAX;
    server_alarm(server, kind, soon, message);
}

void server_tls_watch(struct server *server, struct node_now now)
{
    if (server->tls.count == 0 || now.steady_ms < server->tls.look_ms) {
        return;
    }
    server->tls.look_ms = num_add_sat(now.steady_ms, LOOK_MS);
    watch_one(server, ADMIN_ALARM_CERTIFICATE_ENDS, false, now.wall_ms / TIME_MS_PER_S);
    watch_one(server, ADMIN_ALARM_REVOCATIONS_END, true, now.wall_ms / TIME_MS_PER_S);
    sweep_all(server); // of connections, for certificates that have ended since
}

size_t server_tls_show(struct server *server, struct admin_certificate *out)
{
    for (size_t i = 0; i < server->tls.count; i++) {
        struct tls_facts facts;
        const struct tls_config *config = tls_config_of(server->tls.list[i]);
        tls_facts(server->tls.list[i], &facts);
        out[i] = (struct admin_certificate){config->cert, config->crl, facts.cert_until_s, facts.crl_until_s};
    }
    return server->tls.count;
}
