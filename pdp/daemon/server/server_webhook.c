// SPDX-License-Identifier: Apache-2.0
// The webhooks of this daemon: with its threads, and as status and metrics show them.
#include "daemon/log.h"
#include "daemon/server/server_inner.h"

#include <stdio.h>

static enum pdp_err open_all(const struct config *config, const struct webhook_setup *common,
                             struct webhook **out)
{
    for (size_t i = 0; i < config->webhook_count; i++) {
        char why[WEBHOOK_WHY_MAX] = "";
        struct webhook_setup setup = *common;
        setup.config = &config->webhooks[i];
        setup.number = i;
        enum pdp_err err = webhook_new(&setup, &out[i], why);
        if (err != PDP_ERR_OK) {
            (void)fprintf(stderr, "pdpd: webhook: %s\n", why[0] != '\0' ? why : pdp_err_text(err));
            return err;
        }
    }
    return PDP_ERR_OK;
}

enum pdp_err server_webhooks_open(struct server *server)
{
    const struct webhook_setup common = {
        .engine = server->engine, .notices = server->notices, .state = server->config->state};
    return open_all(server->config, &common, server->webhooks);
}

bool server_webhooks_check(const struct config *config)
{
    struct webhook *webhooks[CONFIG_WEBHOOKS_MAX] = {0};
    bool good = open_all(config, &(struct webhook_setup){0}, webhooks) == PDP_ERR_OK;
    for (size_t i = 0; i < CONFIG_WEBHOOKS_MAX; i++) {
        webhook_free(&webhooks[i]);
    }
    return good;
}

enum pdp_err server_webhooks_start(struct server *server)
{
    for (size_t i = 0; i < server->config->webhook_count; i++) {
        TRY(webhook_start(server->webhooks[i]));
    }
    return PDP_ERR_OK;
}

void server_webhooks_stop(struct server *server)
{
    for (size_t i = 0; i < server->config->webhook_count; i++) {
        if (server->webhooks[i] != NULL) {
            webhook_stop(server->webhooks[i]);
        }
    }
}

void server_webhooks_free(struct server *server)
{
    for (size_t i = 0; i < CONFIG_WEBHOOKS_MAX; i++) {
        webhook_free(&server->webhooks[i]);
    }
}

void server_webhooks_watch(struct server *server)
{
    char message[600] = "";
    bool failing = false;
    for (size_t i = 0; i < server->config->webhook_count && !failing; i++) {
        struct webhook_status status;
        webhook_status(server->webhooks[i], &status);
        failing = status.failing;
        if (failing) {
            (void)snprintf(message, sizeof message, "`%.200s`: %.300s; %llu wait%s",
                           server->config->webhooks[i].url, status.error, (unsigned long long)status.waiting,
                           status.behind ? ", and more than the queue holds" : "");
        }
    }
    server_alarm(server, ADMIN_ALARM_WEBHOOK_FAILING, failing, message);
}

void server_webhooks_show(struct server *server, struct admin_status *out)
{
    for (size_t i = 0; i < server->config->webhook_count; i++) {
        struct webhook_status *status = &server->webhooks_seen[i];
        webhook_status(server->webhooks[i], status);
        server->webhooks_shown[i] = (struct admin_webhook){.url = server->config->webhooks[i].url,
                                                           .delivered = status->delivered,
                                                           .failures = status->failures,
                                                           .refused = status->refused,
                                                           .given_up = status->given_up,
                                                           .waiting = status->waiting,
                                                           .behind = status->behind,
                                                           .failing = status->failing,
                                                           .error = status->error};
    }
    out->webhooks = server->webhooks_shown;
    out->webhook_count = server->config->webhook_count;
}
