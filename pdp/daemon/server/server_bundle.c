// SPDX-License-Identifier: Apache-2.0
#include "base/time.h"
#include "daemon/clock.h"
#include "daemon/log.h"
#include "daemon/server/server_inner.h"

#include <stdio.h>

enum pdp_err server_bundles_open(const struct config *config, bool writes, struct bundles **out)
{
    char why[BUNDLES_WHY_MAX];
    *out = NULL;
    enum pdp_err err = config->bundle != NULL ? bundles_open(config, writes, out, why) : PDP_ERR_OK;
    if (err != PDP_ERR_OK) {
        fprintf(stderr, "pdpd: %s\n", why);
    }
    return err;
}

void server_bundle_warn(const struct server *server, bool first)
{
    if (server->bundles == NULL) {
        return;
    }
    if (first) {
        log_one(LOG_LEVEL_WARN, "bundle_first", "meaning",
                "no version is remembered yet: that this bundle is the latest cannot be told");
    }
    if (server->config->bundle_unsigned) {
        log_one(LOG_LEVEL_WARN, "bundle_unsigned", "meaning",
                "whoever writes the file is believed: never in production");
    }
}

static void log_bundle(struct log_line *line, const struct bundle_facts *facts)
{
    if (facts->name[0] != '\0') {
        log_text(line, "bundle", facts->name);
        log_int(line, "bundle_version", facts->version);
        log_text(line, "bundle_digest", facts->digest);
    }
}

void server_bundle_served(struct server *server, const struct compiled *compiled)
{
    struct log_line line;
    if (server->bundles == NULL || compiled->lists) {
        return;
    }
    pthread_mutex_lock(&server->lock);
    server->bundle = compiled->bundle;
    pthread_mutex_unlock(&server->lock);
    log_begin(&line, LOG_LEVEL_INFO, "bundle_served");
    log_bundle(&line, &compiled->bundle);
    log_int(&line, "signers", (int64_t)compiled->bundle.signer_count);
    log_end(&line);
}

void server_bundle_refused(const struct compiled *compiled, uint64_t serving)
{
    struct log_line line;
    if (compiled->refusal == SERVED_NONE) {
        return;
    }
    log_begin(&line, LOG_LEVEL_ERROR, "bundle_refused");
    log_text(&line, "reason", served_refusal_word(compiled->refusal));
    log_bundle(&line, &compiled->bundle);
    log_text(&line, "message", compiled->error);
    log_int(&line, "serving_generation", (int64_t)serving);
    log_end(&line);
}

void server_alarm(struct server *server, enum admin_alarm_kind kind, bool raised, const char *message)
{
    struct admin_alarm *alarm = &server->alarms[kind];
    pthread_mutex_lock(&server->lock);
    alarm->since_ms = !raised ? 0 : alarm->since_ms > 0 ? alarm->since_ms : clock_now().wall_ms;
    snprintf(alarm->message, sizeof alarm->message, "%s", raised ? message : "");
    pthread_mutex_unlock(&server->lock);
}

// Only the main thread raises alarms and changes what is served, so it reads both without the lock.
void server_bundle_watch(struct server *server, int64_t now_ms)
{
    bool raised = server->alarms[ADMIN_ALARM_BUNDLE_EXPIRED].since_ms > 0;
    bool expired = server->bundles != NULL && now_ms >= server->bundle.expires_s * TIME_MS_PER_S;
    if (raised == expired) {
        return;
    }
    server_alarm(server, ADMIN_ALARM_BUNDLE_EXPIRED, expired,
                 server->config->bundle_expiry_denies
                     ? "the bundle that is served has expired: everything is denied"
                     : "the bundle that is served has expired, and serves on");
    if (expired) {
        struct log_line line;
        log_begin(&line, LOG_LEVEL_ERROR, "bundle_expired");
        log_bundle(&line, &server->bundle);
        log_text(&line, "on_expiry", server->config->bundle_expiry_denies ? "deny" : "serve");
        log_end(&line);
    }
}

void server_bundle_show(struct server *server, struct admin_status *out)
{
    struct bundle_facts *shown = &server->bundle_shown;
    *shown = server->bundle;
    memcpy(server->alarms_shown, server->alarms, sizeof server->alarms);
    out->alarms = server->alarms_shown;
    out->source = (struct admin_source){
        .path = server->bundles != NULL ? server->config->bundle : server->config->policies,
        .bundle = server->bundles != NULL,
        .name = shown->name,
        .digest = shown->digest,
        .version = shown->version,
        .expires_s = shown->expires_s,
        .deny_on_expiry = server->config->bundle_expiry_denies,
        .signer_count = shown->signer_count,
    };
    for (size_t i = 0; i < shown->signer_count; i++) {
        out->source.signers[i] = shown->signers[i];
    }
}

void server_breaker_watch(struct server *server, int64_t now_ms)
{
    uint64_t ended = 0;
    char message[200];
    bool holds = engine_breaker(server->engine, now_ms, &ended);
    snprintf(message, sizeof message,
             "policies would have ended %llu sessions in five minutes: they deny instead; mute the rule, or "
             "`pdpctl breaker reset`",
             (unsigned long long)ended);
    server_alarm(server, ADMIN_ALARM_BREAKER, holds, message);
}
