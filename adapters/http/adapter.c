// SPDX-License-Identifier: Apache-2.0
// The adapter as a whole: its settings, its parts, their life.
#include "common/identity.h"
#include "common/settings.h"
#include "http/server.h"
#include "http/tls.h"

#include <stdlib.h>

#define SECOND INT64_C(1000)

extern const struct pdp_adapter_kind pdp_http_adapter;

static const struct pdp_setting_about SETTINGS[] = {
    // Who may ask.
    {"tokens", "FILE", false, "who may ask: a line a token, `NAME sha256:HEX`"},
    {"open", "true", false, "anybody may ask; on loopback addresses and unix sockets only"},
    // TLS.
    {"cert", "FILE", false, "serve over TLS: certificate and chain, in PEM"},
    {"key", "FILE", false, "the key of `cert`"},
    {"client-ca", "FILE", false, "callers may show certificates that these authorities signed"},
    // Limits.
    {"connections", "N", false, "at once; 4096 unless told"},
    {"connections-per-address", "N", false, "at once from one address; as many as `connections` unless told"},
    {"idle", "TIME", false, "a connection without a whole request is closed; 60s unless told"},
    {"head", "BYTES", false, "of a request's head with its headers; 32768 unless told"},
    {"deadline", "TIME", false, "that an answer may take; 1s unless told"},
    // AuthZEN.
    {"issuer", "URL", false, "https address by which callers reach this: publishes the metadata of AuthZEN"},
    {"capability", "URN", true, "that the metadata names"},
    {"obligations", "true", false, "answers speak the obligations profile of AuthZEN"},
    // Forward-auth.
    {"forward", "GATEWAY", false, "answer `/forward-auth` for nginx, caddy, traefik, envoy or auto"},
    {"client-address", "HEADER", false,
     "who connected to the gateway: `x-real-ip` or `x-forwarded-for` (its last)"},
    {"details", "true|false", false, "refusals say why to the gateway; `true` for nginx unless told"},
    {"cookie-path", "PATH", false, "of the session's cookie, to take it away; `/` unless told"},
    {"cookie-domain", "DOMAIN", false, "of the session's cookie"},
    {"cookie-secure", "true|false", false, "`true` unless told"},
    {"clear-site-data", "true|false", false,
     "an ended session's site data is taken away too; `false` unless told"},
    {"backchannel-logout", "true|false", false,
     "take logout tokens of `jwt-issuer` at `/backchannel-logout`"},
    IDENTITY_SETTINGS,
};

static const struct http_part *const PARTS[] = {&http_authzen, &http_events, &http_forward, &http_logout};

struct pdp_adapter {
    struct pdp_adapter_setup setup;
    struct http_server server;
    struct http_opened parts[COUNT_OF(PARTS)];
    size_t part_count;
};

static enum pdp_err read_limits(const struct pdp_adapter_setup *setup, struct http_limits *limits,
                                struct pdp_adapter_wrong *wrong)
{
    *limits = (struct http_limits){
        .connections = 4096, .idle_ms = 60 * SECOND, .head_bytes = 32768, .deadline_ms = SECOND};
    enum pdp_err err = setting_number(setup, "connections", 1, 100000, &limits->connections, wrong);
    if (err == PDP_ERR_OK) {
        err = setting_number(setup, "connections-per-address", 1, 100000, &limits->connections_each, wrong);
    }
    if (err == PDP_ERR_OK) {
        err = setting_duration(setup, "idle", SECOND, 3600 * SECOND, &limits->idle_ms, wrong);
    }
    if (err == PDP_ERR_OK) {
        err = setting_number(setup, "head", 4096, 1024 * 1024, &limits->head_bytes, wrong);
    }
    return err == PDP_ERR_OK
               ? setting_duration(setup, "deadline", 1, 60 * SECOND, &limits->deadline_ms, wrong)
               : err;
}

static enum pdp_err open_parts(struct pdp_adapter *adapter, const struct pdp_adapter_setup *setup,
                               struct pdp_adapter_wrong *wrong)
{
    for (size_t i = 0; i < COUNT_OF(PARTS); i++) {
        void *self = NULL;
        enum pdp_err err = PARTS[i]->open(setup, &self, wrong);
        if (err != PDP_ERR_OK) {
            return err;
        }
        if (self != NULL) {
            adapter->parts[adapter->part_count++] = (struct http_opened){PARTS[i], self};
        }
    }
    return PDP_ERR_OK;
}

static void adapter_close(struct pdp_adapter **adapter_ptr)
{
    struct pdp_adapter *adapter = *adapter_ptr;
    *adapter_ptr = NULL;
    if (adapter == NULL) {
        return;
    }
    server_stop(&adapter->server);
    for (size_t i = adapter->part_count; i > 0; i--) {
        adapter->parts[i - 1].part->close(&adapter->parts[i - 1].self);
    }
    callers_free(&adapter->server.callers);
    tls_free(&adapter->server.tls);
    free(adapter);
}

// Forward-auth may be all that is wanted; but who wanted more should not have to guess.
static void warn_of_nobody(const struct pdp_adapter_setup *setup, const struct callers *callers)
{
    if (callers_none(callers) && setting_text(setup, "client-ca") == NULL) {
        setup->log(setup->user, PDP_LOG_WARN, "http_nobody_may_ask",
                   "AuthZEN and events answer 401 to everybody: give `tokens`, `client-ca` or `open`");
    }
}

static enum pdp_err open_all(struct pdp_adapter *adapter, const struct pdp_adapter_setup *setup,
                             struct pdp_adapter_wrong *wrong)
{
    struct http_server *server = &adapter->server;
    enum pdp_err err = settings_check(SETTINGS, COUNT_OF(SETTINGS), setup, wrong);
    err = err == PDP_ERR_OK ? read_limits(setup, &server->limits, wrong) : err;
    err = err == PDP_ERR_OK ? callers_new(setup, &server->callers, wrong) : err;
    err = err == PDP_ERR_OK ? tls_new(setup, &server->tls, wrong) : err;
    err = err == PDP_ERR_OK ? open_parts(adapter, setup, wrong) : err;
    server->parts = adapter->parts;
    server->part_count = adapter->part_count;
    if (err != PDP_ERR_OK) {
        return err;
    }
    warn_of_nobody(setup, server->callers);
    return server_start(server, setup, wrong);
}

static enum pdp_err adapter_open(const struct pdp_adapter_setup *setup, struct pdp_adapter **out,
                                 struct pdp_adapter_wrong *wrong)
{
    *out = NULL;
    wrong->setting = SIZE_MAX;
    wrong->why[0] = '\0';
    struct pdp_adapter *adapter = calloc(1, sizeof *adapter);
    if (adapter == NULL) {
        return PDP_ERR_NOMEM;
    }
    adapter->setup = *setup;
    enum pdp_err err = open_all(adapter, setup, wrong);
    if (err != PDP_ERR_OK) {
        adapter_close(&adapter);
    }
    *out = adapter;
    return err;
}

static void adapter_reload(struct pdp_adapter *adapter)
{
    const struct pdp_adapter_setup *setup = &adapter->setup;
    struct http_server *server = &adapter->server;
    char why[PDP_ADAPTER_WHY_MAX] = "";
    if (callers_reload(server->callers, why) != PDP_ERR_OK) {
        setup->log(setup->user, PDP_LOG_ERROR, "http_tokens_kept", why);
    }
    if (server->tls != NULL && tls_reload(server->tls, why) != PDP_ERR_OK) {
        setup->log(setup->user, PDP_LOG_ERROR, "http_certificates_kept", why);
    }
    for (size_t i = 0; i < adapter->part_count; i++) {
        if (adapter->parts[i].part->reload != NULL) {
            adapter->parts[i].part->reload(adapter->parts[i].self);
        }
    }
}

const struct pdp_adapter_kind pdp_http_adapter = {
    .size = sizeof pdp_http_adapter,
    .name = "http",
    .help = "AuthZEN 1.0, session events and forward-auth over HTTP",
    .settings = SETTINGS,
    .setting_count = COUNT_OF(SETTINGS),
    .open = adapter_open,
    .reload = adapter_reload,
    .close = adapter_close,
};
