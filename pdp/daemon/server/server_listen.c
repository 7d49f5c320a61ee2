// SPDX-License-Identifier: Apache-2.0
// What the server listens on: its own, or what the service manager gave.
#include "daemon/log.h"
#include "daemon/server/server_inner.h"

#include <stdio.h>

static enum pdp_err open_one(void *user, const char *side, const struct listen_spec *spec,
                             struct listener *out)
{
    char why[LISTEN_WHY_MAX] = "";
    (void)user;
    (void)side;
    enum pdp_err err = listener_open(spec, out, why);
    if (err != PDP_ERR_OK) {
        struct buf url = {0};
        url_print(&spec->url, &url);
        struct log_line line;
        log_begin(&line, LOG_LEVEL_ERROR, "listen_failed");
        log_str(&line, "url", buf_view(&url));
        log_text(&line, "error", why);
        log_end(&line);
        buf_fini(&url);
    }
    return err;
}

static enum pdp_err open_listeners(const struct config_listeners *specs, struct server_listeners *out)
{
    for (size_t i = 0; i < specs->count; i++) {
        TRY(open_one(NULL, NULL, &specs->list[i], &out->list[out->count]));
        out->count++;
    }
    return PDP_ERR_OK;
}

// Those whose name begins with `admin` are the analysts', with `notices` or `orders` the gateways'; all
// others are for questions.
struct server_listeners *server_side_of(struct server *server, struct str name)
{
    return str_starts(name, STR("admin"))     ? &server->admin
           : str_starts(name, STR("notices")) ? &server->notices_at
           : str_starts(name, STR("orders"))  ? &server->orders_at
                                              : &server->decide;
}

enum pdp_err server_take_inherited(struct server *server, const struct notify_fd *fds, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct server_listeners *side = server_adapters_side(server, fds[i].name);
        side = side != NULL ? side : server_side_of(server, fds[i].name);
        char why[LISTEN_WHY_MAX] = "";
        struct listener *listener = &side->list[side->count];
        enum pdp_err err = listener_inherit(fds[i].fd, listener, why);
        bool open_to_all = err == PDP_ERR_OK && !url_is_loopback(&listener->spec.url);
        if (open_to_all && (side == &server->admin || server->config->simulate)) {
            snprintf(why, sizeof why, "neither admin nor simulate may be reached from other machines");
            err = PDP_ERR_DENIED;
        }
        if (err != PDP_ERR_OK) {
            struct log_line line;
            log_begin(&line, LOG_LEVEL_ERROR, "listen_failed");
            log_int(&line, "descriptor", fds[i].fd);
            log_text(&line, "error", why);
            log_end(&line);
            return err;
        }
        listener->spec.grants |= server->config->simulate ? GRANT_SIMULATE : 0U;
        side->count++;
    }
    return PDP_ERR_OK;
}

static void note_urls(struct server *server, const struct server_listeners *side)
{
    for (size_t i = 0; i < side->count; i++) {
        size_t before = server->urls.len;
        url_print(&side->list[i].spec.url, &server->urls);
        server->listeners[server->listener_count++].len = server->urls.len - before;
    }
}

// For the status and the log: before any thread can ask. The texts are placed when all are written, since the
// buffer may have moved.
void server_place_urls(struct server *server)
{
    note_urls(server, &server->decide);
    note_urls(server, &server->admin);
    note_urls(server, &server->notices_at);
    note_urls(server, &server->orders_at);
    size_t at = 0;
    for (size_t i = 0; i < server->listener_count; i++) {
        server->listeners[i].at = (const char *)server->urls.at + at;
        at += server->listeners[i].len;
    }
}

const char *server_endpoint_of(const struct server *server, size_t listener)
{
    const struct {
        const char *name;
        size_t count;
    } SIDES[] = {{"decide", server->decide.count},
                 {"admin", server->admin.count},
                 {"notices", server->notices_at.count},
                 {"orders", server->orders_at.count}};
    size_t side = 0;
    while (side + 1 < COUNT_OF(SIDES) && listener >= SIDES[side].count) {
        listener -= SIDES[side++].count;
    }
    return SIDES[side].name;
}

bool server_listeners_open(struct server *server)
{
    return server->config->takeover || // they were handed over
           (open_listeners(&server->config->decide, &server->decide) == PDP_ERR_OK &&
            open_listeners(&server->config->admin, &server->admin) == PDP_ERR_OK &&
            open_listeners(&server->config->notices, &server->notices_at) == PDP_ERR_OK &&
            open_listeners(&server->config->orders, &server->orders_at) == PDP_ERR_OK &&
            server_adapters_listen(server, open_one, NULL) == PDP_ERR_OK);
}

static void side_end(struct server_listeners *side)
{
    while (side->count > 0) {
        listener_close(&side->list[--side->count]);
    }
}

void server_listeners_end(struct server *server)
{
    side_end(&server->decide);
    side_end(&server->admin);
    side_end(&server->notices_at);
    side_end(&server->orders_at);
}
