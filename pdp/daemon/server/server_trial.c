// SPDX-License-Identifier: Apache-2.0
// What is about to be served is tried on the sessions that live first, in small steps between whatever else
// the main thread has to do.
#include "daemon/clock.h"
#include "daemon/log.h"
#include "daemon/server/server_inner.h"

#include <stdio.h>
#include <stdlib.h>

static const int64_t SLICE_MS = 5; // then the main thread looks around

static bool wanted(const struct server *server, const struct compiled *compiled)
{
    const struct config *config = server->config;
    uint64_t live = session_live(engine_sessions(server->engine));
    bool bounded = config->reload_share > 0 && live > (uint64_t)config->reload_least;
    return compiled->snapshot != NULL && !compiled->lists && (compiled->order.preview || bounded);
}

bool server_trial_begin(struct server *server, struct compiled *compiled)
{
    const struct admin_guarded *guarded = &server->config->administrators;
    const struct trial_admins admins = {guarded->subjects, guarded->subject_count, guarded->addresses,
                                        guarded->address_count};
    if (!wanted(server, compiled)) {
        return false;
    }
    if (trial_new(server->trier, compiled->snapshot, &admins, !compiled->order.preview, &server->trial) !=
        PDP_ERR_OK) {
        // Without memory for it nothing is known: what nobody has looked at is not served.
        snprintf(compiled->error, sizeof compiled->error,
                 "memory is out: it could not be tried on live sessions");
        snapshot_free(&compiled->snapshot);
        return false;
    }
    server->tried = compiled;
    return true;
}

bool server_trial_step(struct server *server)
{
    int64_t until_ms = clock_now().steady_ms + SLICE_MS;
    for (bool more = true; more;) {
        struct node_now now = clock_now();
        if (now.steady_ms >= until_ms) {
            return false;
        }
        more = trial_step(server->trial, now.wall_ms);
    }
    return true;
}

// false: it ends more than it may, and says so.
static bool within_share(const struct server *server, const struct trial_result *result,
                         struct compiled *compiled)
{
    const struct config *config = server->config;
    uint64_t ends = trial_ends(result);
    bool many = config->reload_share > 0 && ends > (uint64_t)config->reload_least &&
                (double)ends * 100.0 > (double)config->reload_share * (double)result->live;
    if (!many || (compiled->order.confirm >= 0 && ends <= (uint64_t)compiled->order.confirm)) {
        return true;
    }
    snprintf(compiled->error, sizeof compiled->error,
             "it would end %llu of %llu live sessions, and more than %lld percent want a `confirm`: see "
             "`--preview`, "
             "then `--confirm %llu`",
             (unsigned long long)ends, (unsigned long long)result->live, (long long)config->reload_share,
             (unsigned long long)ends);
    return false;
}

static void log_trial(const struct compiled *compiled, const struct trial_result *result, bool served)
{
    struct log_line line;
    log_begin(&line, served ? LOG_LEVEL_INFO : LOG_LEVEL_WARN, served ? "reload_tried" : "reload_held_back");
    log_text(&line, "snapshot", compiled->digest);
    log_int(&line, "ends", (int64_t)trial_ends(result));
    log_int(&line, "live", (int64_t)result->live);
    log_int(&line, "looked", (int64_t)result->looked);
    log_text(&line, "by", compiled->by);
    log_end(&line);
}

struct compiled *server_trial_end(struct server *server)
{
    struct compiled *compiled = STEAL(server->tried);
    const struct trial_result *result = trial_result(server->trial);
    compiled->trial = malloc(sizeof *compiled->trial);
    if (compiled->trial != NULL) {
        *compiled->trial = *result;
    }
    if (!compiled->order.preview) {
        bool served = within_share(server, result, compiled);
        log_trial(compiled, result, served);
        if (!served) {
            trial_free(&server->trial); // it looks at the snapshot
            snapshot_free(&compiled->snapshot);
        }
    }
    trial_free(&server->trial);
    return compiled;
}

void server_trial_drop(struct server *server)
{
    trial_free(&server->trial);
    compiled_free(&server->tried);
    worker_free(&server->trier);
}
