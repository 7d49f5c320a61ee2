// SPDX-License-Identifier: Apache-2.0
// Envoy asks by gRPC: envoy.service.auth.v3.Authorization/Check.
#include "common/identity.h"
#include "common/settings.h"
#include "envoy/loop.h"

#include <stdlib.h>

static const int64_t DEADLINE_MS = 200; // as long as Envoy waits unless told
static const int64_t CONNECTIONS = 1024;
static const int64_t STREAMS = 1024;
static const size_t HEADER_BYTES = 16384;
static const int64_t RECEIVE_MS = 5000;
static const int64_t LINGER_MS = 10000;
static const int64_t SHAKE_MS = 5000;
static const int64_t IDLE_MS = 3600000;

static const struct pdp_setting_about SETTINGS[] = {
    {"cert", "FILE", false, "our certificate and its chain in PEM; with it, TLS"},
    {"key", "FILE", false, "and its key"},
    {"client-ca", "FILE", false,
     "who may have signed the certificates of gateways; with it, none comes without"},
    {"deadline", "DURATION", false,
     "for an answer, then it is a deny; less where the gateway waits less: 200ms"},
    {"connections", "N", false, "at once; the one that was quiet for longest gives way: 1024"},
    {"streams", "N", false, "calls at once on a connection: 1024"},
    {"session-cookie", "NAME", false,
     "the cookie that holds the session's id; a session that ends clears it"},
    {"path", "rewrite|header", false,
     "whether the canonical path replaces the request's, or is only told in X-Pdp-Path: rewrite"},
    IDENTITY_SETTINGS,
};

struct pdp_adapter {
    struct loop_rules rules;
    int *listeners;
    atomic_bool closing;
    struct loop **loops;
    size_t loop_count;
};

// ---- Settings ----------------------------------------------------------------------------------------

static enum pdp_err read_check(const struct pdp_adapter_setup *setup, struct pdp_adapter *adapter,
                               struct pdp_adapter_wrong *wrong)
{
    static const char *const PATHS[] = {"rewrite", "header", NULL};
    struct check_rules *check = &adapter->rules.conns.calls.check;
    int path = 0;
    enum pdp_err err = setting_choice(setup, "path", PATHS, &path, wrong);
    check->rewrite = path == 0;
    return err == PDP_ERR_OK ? identity_new(setup, &check->identity, wrong) : err;
}

static enum pdp_err read_limits(const struct pdp_adapter_setup *setup, struct pdp_adapter *adapter,
                                struct pdp_adapter_wrong *wrong)
{
    int64_t deadline_ms = DEADLINE_MS, connections = CONNECTIONS, streams = STREAMS;
    enum pdp_err err = setting_duration(setup, "deadline", 1, 60000, &deadline_ms, wrong);
    if (err == PDP_ERR_OK) {
        err = setting_number(setup, "connections", 1, 65536, &connections, wrong);
    }
    if (err == PDP_ERR_OK) {
        err = setting_number(setup, "streams", 1, 65536, &streams, wrong);
    }
    struct loop_rules *rules = &adapter->rules;
    rules->conns.calls.deadline_ms = deadline_ms;
    rules->conns_most = (size_t)((connections + setup->threads - 1) / setup->threads);
    rules->farewell_ms = deadline_ms + 1000;
    rules->conns.http2 = (struct http2_limits){.streams = (uint32_t)streams,
                                               .header_bytes = HEADER_BYTES,
                                               .message_bytes = CHECK_MESSAGE_MAX,
                                               .receive_ms = RECEIVE_MS,
                                               .linger_ms = LINGER_MS};
    rules->conns.shake_ms = SHAKE_MS;
    rules->conns.linger_ms = LINGER_MS;
    rules->conns.idle_ms = IDLE_MS;
    return err;
}

static enum pdp_err read_settings(const struct pdp_adapter_setup *setup, struct pdp_adapter *adapter,
                                  struct pdp_adapter_wrong *wrong)
{
    enum pdp_err err = settings_check(SETTINGS, COUNT_OF(SETTINGS), setup, wrong);
    err = err == PDP_ERR_OK ? read_check(setup, adapter, wrong) : err;
    err = err == PDP_ERR_OK ? read_limits(setup, adapter, wrong) : err;
    return err == PDP_ERR_OK ? authz_tls_new(setup, &adapter->rules.conns.tls, wrong) : err;
}

static enum pdp_err keep_setup(const struct pdp_adapter_setup *setup, struct pdp_adapter *adapter)
{
    struct loop_rules *rules = &adapter->rules;
    adapter->listeners = calloc(setup->listener_count + 1, sizeof *adapter->listeners);
    adapter->loops = calloc(setup->threads, sizeof *adapter->loops);
    if (adapter->listeners == NULL || adapter->loops == NULL) {
        return PDP_ERR_NOMEM;
    }
    for (size_t i = 0; i < setup->listener_count; i++) {
        adapter->listeners[i] = setup->listeners[i];
    }
    rules->listeners = adapter->listeners;
    rules->listener_count = setup->listener_count;
    rules->log = setup->log;
    rules->user = rules->conns.calls.user = setup->user;
    rules->conns.calls.decider = setup->decider;
    rules->conns.calls.now_ms = setup->now_ms;
    rules->conns.calls.closing = &adapter->closing;
    return PDP_ERR_OK;
}

// ---- The kind ----------------------------------------------------------------------------------------

static void authz_close(struct pdp_adapter **adapter_ptr)
{
    struct pdp_adapter *adapter = *adapter_ptr;
    *adapter_ptr = NULL;
    if (adapter == NULL) {
        return;
    }
    atomic_store(&adapter->closing, true);
    for (size_t i = 0; i < adapter->loop_count; i++) {
        loop_nudge(adapter->loops[i]);
    }
    for (size_t i = 0; i < adapter->loop_count; i++) {
        loop_join(&adapter->loops[i]);
    }
    authz_tls_free(&adapter->rules.conns.tls);
    identity_free(&adapter->rules.conns.calls.check.identity);
    free(adapter->loops);
    free(adapter->listeners);
    free(adapter);
}

static enum pdp_err authz_open(const struct pdp_adapter_setup *setup, struct pdp_adapter **out,
                               struct pdp_adapter_wrong *wrong)
{
    *out = NULL;
    struct pdp_adapter *adapter = calloc(1, sizeof *adapter);
    if (adapter == NULL) {
        return PDP_ERR_NOMEM;
    }
    enum pdp_err err = read_settings(setup, adapter, wrong);
    err = err == PDP_ERR_OK ? keep_setup(setup, adapter) : err;
    for (unsigned i = 0; i < setup->threads && err == PDP_ERR_OK; i++) {
        err = loop_start(&adapter->rules, &adapter->loops[i]);
        adapter->loop_count += err == PDP_ERR_OK;
    }
    if (err != PDP_ERR_OK) {
        authz_close(&adapter);
        return err;
    }
    *out = adapter;
    return PDP_ERR_OK;
}

static void authz_reload(struct pdp_adapter *adapter)
{
    const struct loop_rules *rules = &adapter->rules;
    char why[PDP_ADAPTER_WHY_MAX];
    identity_reload(rules->conns.calls.check.identity);
    if (rules->conns.tls != NULL && authz_tls_reload(rules->conns.tls, why, sizeof why) != PDP_ERR_OK) {
        rules->log(rules->user, PDP_LOG_ERROR, "ext_authz_tls_refused", why);
    }
}

const struct pdp_adapter_kind pdp_ext_authz_adapter = {
    .size = sizeof pdp_ext_authz_adapter,
    .name = "ext-authz",
    .help = "Envoy's external authorization over gRPC (envoy.service.auth.v3)",
    .settings = SETTINGS,
    .setting_count = COUNT_OF(SETTINGS),
    .open = authz_open,
    .reload = authz_reload,
    .close = authz_close,
};
