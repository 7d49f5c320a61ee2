// SPDX-License-Identifier: Apache-2.0
// What is kept besides sessions: loaded at the start, saved now and then and at the end. It never stops a
// daemon.
#include "daemon/log.h"
#include "daemon/server/server_inner.h"

void server_sketches_load(struct server *server)
{
    char why[STATE_WHY_MAX];
    enum pdp_err err = sketches_load(server->config->state, server->engine, why);
    if (err != PDP_ERR_OK) {
        log_one(LOG_LEVEL_ERROR, "sketches_refused", "error", why);
    } else if (why[0] != '\0') {
        log_one(LOG_LEVEL_WARN, "sketches_passed_over", "error", why);
    }
}

static void on_failing(void *user, const char *why)
{
    (void)user;
    if (why != NULL) {
        log_one(LOG_LEVEL_ERROR, "sketches_unkept", "error", why);
    } else {
        log_one(LOG_LEVEL_INFO, "sketches_kept", "meaning",
                "what sources and the like are known for is on disk again");
    }
}

enum pdp_err server_sketches_start(struct server *server)
{
    const struct sketches_config config = {
        .dir = server->config->state, .engine = server->engine, .failing = on_failing, .user = server};
    return sketches_start(&config, &server->sketches);
}

void server_sketches_stop(struct server *server)
{
    sketches_stop(&server->sketches);
}
