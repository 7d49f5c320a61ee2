// SPDX-License-Identifier: Apache-2.0
#include "daemon/clock.h"
#include "daemon/log.h"
#include "daemon/server/server_inner.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static void host_status(void *user, struct admin_status *out)
{
    struct server *server = user;
    struct node_now now = clock_now();
    *out = (struct admin_status){
        .pid = getpid(),
        .uptime_s = (now.steady_ms - server->started_ms) / 1000,
        .simulate = server->config->simulate,
        .listeners = server->listeners,
        .listener_count = server->listener_count,
        .geo = server->geo_shown,
    };
    server_count(server, &out->counts);
    server_latency(server, &out->latency);
    out->certificate_count = server_tls_show(server, server->certificates_shown);
    out->certificates = server->certificates_shown;
    server_state_show(server, out);
    pthread_mutex_lock(&server->lock);
    memcpy(server->geo_shown, server->geo, sizeof server->geo);
    memcpy(server->reload_shown, server->reload_error, sizeof server->reload_error);
    memcpy(server->reload_list_shown, server->reload_list, sizeof server->reload_list);
    server_bundle_show(server, out);
    out->reload_lists = server->reload_lists;
    out->geo_count = server->geo_count;
    out->reload_at_ms = server->reload_at_ms;
    out->reload_ok = server->reload_ok;
    pthread_mutex_unlock(&server->lock);
    out->reload_error = str_of(server->reload_shown);
    out->reload_list = str_of(server->reload_list_shown);
    server_audit_show(server, out);
    server_rolled_show(server, out);
    server_webhooks_show(server, out);
}

static uint64_t host_reload(void *user, const struct peer *by, struct admin_taking taking)
{
    struct server *server = user;
    return compiler_ask(server->compiler, by->name, (struct compile_order){taking.preview, taking.confirm});
}

static uint64_t host_reload_lists(void *user, struct str list)
{
    struct server *server = user;
    return compiler_ask_lists(server->compiler, list);
}

static bool host_reload_certs(void *user, char why[ADMIN_WHY_MAX])
{
    struct server *server = user;
    _Static_assert(ADMIN_WHY_MAX >= TLS_WHY_MAX, "the reason has room");
    if (server->tls.count == 0) {
        snprintf(why, ADMIN_WHY_MAX, "no listener has TLS: there are no certificates to read");
        return false;
    }
    return server_tls_reload(server, why) == PDP_ERR_OK;
}

static void host_ended(void *user, const struct peer *by, struct str ref, struct str reason)
{
    (void)user;
    struct log_line line;
    log_begin(&line, LOG_LEVEL_INFO, "session_terminated");
    log_str(&line, "session", ref);
    log_str(&line, "by", by->name);
    log_str(&line, "reason", reason);
    log_end(&line);
}

static void host_controlled(void *user, const struct peer *by, const char *what,
                            const struct control *control, struct str reason)
{
    (void)user;
    struct log_line line;
    log_begin(&line, LOG_LEVEL_INFO, "controlled");
    log_text(&line, "order", what);
    log_str(&line, "control", control->name);
    log_text(&line, "kind", control_kind_name(control->target.kind));
    log_str(&line, "value", control->target.value);
    log_text(&line, "effect", pdp_effect_name(control->effect));
    log_str(&line, "by", by->name);
    log_str(&line, "reason", reason);
    log_end(&line);
}

// ---- Mail: from the main thread to the admin's -----------------------------------------------------

static bool mail_take(struct server *server, struct server_mail *out)
{
    pthread_mutex_lock(&server->lock);
    bool some = server->mail_count > 0;
    if (some) {
        *out = server->mails[0];
        server->mail_count--;
        memmove(server->mails, server->mails + 1, server->mail_count * sizeof *server->mails);
    }
    pthread_mutex_unlock(&server->lock);
    return some;
}

static void mail_free(struct server_mail *mail)
{
    buf_fini(&mail->error);
    buf_fini(&mail->diagnostics);
    free(mail->trial);
    mail->trial = NULL;
}

static void on_mail(void *user, struct node *node, struct node_now now)
{
    struct server *server = ((struct server_worker *)user)->server;
    struct server_mail mail;
    gate_release(server->admin_loop.gate, node, now);
    admin_orders_settled(server->admin_handler, node, now);
    while (mail_take(server, &mail)) {
        struct admin_reload result = {mail.number, buf_view(&mail.error), buf_view(&mail.diagnostics),
                                      mail.trial,  mail.preview,          mail.candidate};
        admin_reloaded(server->admin_handler, node, &result, now);
        mail_free(&mail);
    }
}

static bool on_work(void *user, struct node *node, struct node_now now)
{
    return admin_work(((struct server_worker *)user)->server->admin_handler, node, now);
}

static struct server_mail mail_of(struct compiled *compiled)
{
    struct server_mail mail = {
        .number = compiled->number, .trial = STEAL(compiled->trial), .preview = compiled->order.preview};
    memcpy(mail.candidate, compiled->digest, sizeof mail.candidate);
    buf_str(&mail.error, str_of(compiled->error));
    buf_str(&mail.diagnostics, buf_view(&compiled->diagnostics));
    return mail;
}

static void mail_send(struct server *server, struct server_mail mail)
{
    pthread_mutex_lock(&server->lock);
    if (server->mail_count == SERVER_MAILS_MAX) { // a later number answers those of the earlier ones too
        mail_free(&server->mails[--server->mail_count]);
    }
    server->mails[server->mail_count++] = mail;
    pthread_mutex_unlock(&server->lock);
    if (server->admin_loop.loop != NULL) {
        loop_wake(server->admin_loop.loop);
    }
}

void server_admin_mail(struct server *server, struct compiled *compiled)
{
    mail_send(server, mail_of(compiled));
}

void server_mail_hold(struct server *server, struct compiled *compiled)
{
    pthread_mutex_lock(&server->lock);
    mail_free(&server->held); // the later number answers those of the earlier one
    server->held = mail_of(compiled);
    pthread_mutex_unlock(&server->lock);
}

void server_mail_settle(struct server *server, const char *why)
{
    pthread_mutex_lock(&server->lock);
    struct server_mail mail = server->held;
    server->held = (struct server_mail){0};
    pthread_mutex_unlock(&server->lock);
    if (mail.number == 0) {
        return;
    }
    if (why[0] != '\0') {
        buf_printf(&mail.error,
                   "it serves, and could not be written to the disk: a restart may forget it; look at "
                   "`status`, make "
                   "room, and give the order again (%s)",
                   why);
    }
    mail_send(server, mail);
}

void server_mails_free(struct server *server)
{
    mail_free(&server->held);
    struct server_mail mail;
    while (mail_take(server, &mail)) {
        mail_free(&mail);
    }
}

enum pdp_err server_admin_new(struct server *server)
{
    struct admin_host host = {
        .status = host_status,
        .reload = host_reload,
        .reload_lists = host_reload_lists,
        .served = server_served,
        .rollback = server_rollback,
        .reload_certs = host_reload_certs,
        .ended = host_ended,
        .controlled = host_controlled,
        .keys = server_keys,
        .rotate_keys = server_rotate_keys,
        .bounds = {server->config->controls_confirm, server->config->controls_two_persons},
        .guarded = server->config->administrators,
        .user = server,
        .orders = server->orders,
        .order_wake = server_order_settled,
    };
    server_audit_host(server, &host);
    server->admin_loop.server = server;
    TRY(gate_new(engine_journal(server->engine), server_worker_wake, &server->admin_loop,
                 &server->admin_loop.gate));
    TRY(admin_new(server->engine, server->admin_loop.gate, &host, &server->admin_handler));
    TRY(auditor_add(server->auditor, admin_worker(server->admin_handler)));
    struct node_limits limits = NODE_LIMITS_DEFAULT;
    limits.connections = 256;
    limits.peer_connections = 128;
    limits.turn_messages = 1;
    limits.in_flight = 16;
    struct loop_config config = {
        .node = {.handler = admin_handler(server->admin_handler),
                 .limits = limits,
                 .type = SP_REP0,
                 .seed = server->seed},
        .listeners = server->admin.list,
        .listener_count = server->admin.count,
        .drain_ms = server->config->drain_ms,
        .peers = &server->config->peers,
        .peer_hash = server_peer_hash,
        .mail = on_mail,
        .work = on_work,
        .user = &server->admin_loop,
    };
    return loop_new(&config, &server->admin_loop.loop);
}
