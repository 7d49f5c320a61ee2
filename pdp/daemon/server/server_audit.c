// SPDX-License-Identifier: Apache-2.0
#include "daemon/log.h"
#include "daemon/server/server_inner.h"

#include <stdio.h>

enum pdp_err server_audit_open(struct server *server)
{
    char why[AUDIT_WHY_MAX];
    enum pdp_err err = auditor_open(server->config, &server->auditor, why);
    if (err != PDP_ERR_OK) {
        fprintf(stderr, "pdpd: %s\n", why[0] != '\0' ? why : pdp_err_text(err));
        return err;
    }
    if (server->auditor != NULL) {
        err = audit_folder_open(auditor_folder(server->auditor), &server->audit_folder);
    }
    return err;
}

void server_audit_watch(struct server *server)
{
    struct auditor_status status;
    auditor_status(server->auditor, &status);
    server_alarm(server, ADMIN_ALARM_AUDIT_STALLED, status.trouble[0] != '\0', status.trouble);
}

void server_audit_show(struct server *server, struct admin_status *out)
{
    struct auditor_status *status = &server->audit_shown;
    auditor_status(server->auditor, status);
    out->audit = (struct admin_audit){
        .on = status->on,
        .stalled = status->stalled,
        .records = status->records,
        .signed_records = status->signed_records,
        .first = status->first,
        .segments = status->segments,
        .coalesced = status->coalesced,
        .lost = status->lost,
        .refused = status->refused,
        .sink_lost = status->sink_lost,
        .name = status->origin,
        .note = status->note,
    };
}

static enum pdp_err host_list(void *user, struct audit_segments *out)
{
    struct audit_source source = audit_folder_source(((struct server *)user)->audit_folder);
    return source.list(source.user, out);
}

static enum pdp_err host_read(void *user, const char *name, uint64_t at, void *out, size_t len, size_t *got)
{
    struct audit_source source = audit_folder_source(((struct server *)user)->audit_folder);
    return source.read(source.user, name, at, out, len, got);
}

static enum pdp_err host_unseal(void *user, const struct envelope *envelope, struct buf *out)
{
    return auditor_unseal(((struct server *)user)->auditor, envelope, out);
}

static enum pdp_err host_forget(void *user, struct str who, size_t *count)
{
    return auditor_forget(((struct server *)user)->auditor, who, count);
}

static enum pdp_err host_rotate_key(void *user)
{
    return auditor_rotate_key(((struct server *)user)->auditor);
}

void server_audit_host(struct server *server, struct admin_host *host)
{
    if (server->auditor != NULL) {
        host->audit = (struct admin_audit_host){
            .source = {host_list, host_read, host_unseal, server},
            .forget = host_forget,
            .rotate_key = host_rotate_key,
            .user = server,
        };
    }
}
