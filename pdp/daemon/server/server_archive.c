// SPDX-License-Identifier: Apache-2.0
// What is served is kept, so that it can be served again.
#include "daemon/clock.h"
#include "daemon/log.h"
#include "daemon/server/server_inner.h"

#include <stdio.h>
#include <stdlib.h>

static const int64_t AGAIN_MS = 10000; // after a write that failed

enum pdp_err server_archive_open(struct server *server)
{
    char why[ARCHIVE_WHY_MAX];
    enum pdp_err err = archive_open(server->config->state, true, &server->archive, why);
    if (err != PDP_ERR_OK) {
        log_one(LOG_LEVEL_ERROR, "served_refused", "error", why);
    }
    return err;
}

// Of what serves: what was noted and is not in the folder, or could not be kept at all.
static void alarm_unkept(struct server *server, bool raised, const char *why)
{
    char message[600];
    (void)snprintf(message, sizeof message, "what is served is not kept, and cannot be gone back to: %.520s",
                   why);
    server_alarm(server, ADMIN_ALARM_SERVED_UNKEPT, raised, message);
    if (raised) {
        log_one(LOG_LEVEL_ERROR, "served_unkept", "error", why);
    }
}

void server_archive_write(void *user)
{
    struct server *server = user;
    char why[ARCHIVE_WHY_MAX];
    enum pdp_err err = archive_write(server->archive, why);
    bool fails = err != PDP_ERR_OK && err != PDP_ERR_BUSY;
    if (fails && !atomic_exchange(&server->archive_fails, true)) {
        alarm_unkept(server, true, why);
    } else if (err == PDP_ERR_OK && atomic_exchange(&server->archive_fails, false)) {
        alarm_unkept(server, server->unkept[0] != '\0', server->unkept);
        log_one(LOG_LEVEL_INFO, "served_kept", "meaning", "what is served is in the state folder again");
    }
    if (err != PDP_ERR_OK || !archive_behind(server->archive)) { // else another write follows
        server_mail_settle(server, why);
    }
}

static void fill_entry(const struct compiled *compiled, struct archive_entry *out)
{
    *out = (struct archive_entry){.since_ms = clock_now().wall_ms, .version = compiled->bundle.version};
    memcpy(out->snapshot, compiled->digest, sizeof out->snapshot);
    memcpy(out->geo, compiled->geo_digest, sizeof out->geo);
    memcpy(out->name, compiled->bundle.name, sizeof out->name);
    memcpy(out->by, compiled->by, sizeof out->by);
    memcpy(out->reason, compiled->pin.reason, sizeof out->reason);
    if (compiled->by[0] == '\0') {
        (void)snprintf(out->by, sizeof out->by, "start");
    }
    if (compiled->sources != NULL) {
        memcpy(out->sources, compiled->sources->digest, sizeof out->sources);
        out->bytes = compiled->sources->bytes.len;
        out->held = compiled->sources;
    }
}

void server_archive_served(struct server *server, const struct compiled *compiled)
{
    struct archive_entry *entry = malloc(sizeof *entry);
    if (entry != NULL) {
        fill_entry(compiled, entry);
        archive_served(server->archive, entry, compiled->lists);
        free(entry);
    }
    memcpy(server->unkept, compiled->unkept, sizeof server->unkept);
    if (!atomic_load(&server->archive_fails)) {
        alarm_unkept(server, compiled->unkept[0] != '\0', compiled->unkept);
    }
    if (server->compiler != NULL) {
        compiler_ask_write(server->compiler);
    } else {
        server_archive_write(server); // at the start nobody waits yet
    }
}

void server_archive_watch(struct server *server, int64_t now_ms)
{
    if (now_ms >= server->archive_again_ms && archive_behind(server->archive)) {
        server->archive_again_ms = now_ms + AGAIN_MS;
        compiler_ask_write(server->compiler);
    }
}

void server_archive_close(struct server *server)
{
    if (server->archive != NULL && archive_behind(server->archive)) {
        server_archive_write(server);
    }
    archive_close(&server->archive);
}
