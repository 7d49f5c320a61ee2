// SPDX-License-Identifier: Apache-2.0
#include "daemon/log.h"
#include "daemon/server/server_inner.h"
#include "engine/controls.h"
#include "engine/quarantine.h"

#include <stdio.h>

static void log_refused(const char *why)
{
    log_one(LOG_LEVEL_ERROR, "state_refused", "error", why);
}

struct hash_key server_seed_of(struct hash_key names)
{
    struct hash128 seed = hash_128(names, "seed", sizeof "seed" - 1);
    return (struct hash_key){seed.lo, seed.hi};
}

enum pdp_err server_state_open(struct server *server, struct engine_config *config)
{
    if (server->config->state == NULL) {
        return PDP_ERR_OK;
    }
    char why[STATE_WHY_MAX];
    enum pdp_err err = state_open(server->config, &server->state, why);
    if (err != PDP_ERR_OK) {
        log_refused(why);
        return PDP_ERR_REFUSED;
    }
    const struct state_keys *keys = state_keys(server->state);
    config->key = keys->names;
    memcpy(config->id_keys, keys->ids, sizeof config->id_keys);
    config->id_key_set = keys->id_set;
    config->id_key = keys->id;
    config->journal = state_journal(server->state);
    // Names of strengths are hashed under it, and records keep such hashes.
    server->seed = server_seed_of(keys->names);
    return PDP_ERR_OK;
}

struct loading {
    struct engine *engine;
    struct controls_load controls;
};

static enum pdp_err load_control(void *user, struct str key, struct str value)
{
    struct loading *loading = user;
    if (str_starts(key, STR(QUARANTINE_ROW))) {
        return engine_quarantine_load(loading->engine, key, value);
    }
    return controls_load_row(&loading->controls, loading->engine, key, value);
}

enum pdp_err server_state_load(struct server *server)
{
    if (server->state == NULL) {
        return PDP_ERR_OK;
    }
    char why[STATE_WHY_MAX];
    struct state_loaded loaded;
    struct loading loading = {.engine = server->engine};
    enum pdp_err err = state_load(server->state, server->engine, load_control, &loading, &loaded, why);
    if (err == PDP_ERR_OK) {
        snprintf(why, sizeof why, "controls could not be put in force");
        err = controls_load_end(&loading.controls, server->engine);
        err = err == PDP_ERR_OK ? engine_quarantine_load_end(server->engine) : err;
    }
    controls_load_drop(&loading.controls);
    if (err != PDP_ERR_OK) {
        log_refused(why);
        return PDP_ERR_REFUSED;
    }
    server_sketches_load(server);
    struct log_line line;
    log_begin(&line, loaded.lost != 0 ? LOG_LEVEL_WARN : LOG_LEVEL_INFO, "state_loaded");
    log_int(&line, "sessions", (int64_t)loaded.sessions);
    log_int(&line, "tombstones", (int64_t)loaded.tombstones);
    log_int(&line, "users", (int64_t)loaded.users);
    log_int(&line, "controls", (int64_t)engine_controls_count(server->engine));
    log_int(&line, "lost", (int64_t)loaded.lost);
    log_int(&line, "took_ms", loaded.took_ms);
    log_int(&line, "keys_retired", (int64_t)state_retire_ids(server->state, server->engine));
    log_end(&line);
    return PDP_ERR_OK;
}

// ---- For the admin -----------------------------------------------------------------------------------

void server_state_show(struct server *server, struct admin_status *out)
{
    if (server->state == NULL) {
        return;
    }
    _Static_assert(COUNT_OF(out->state.rows) == STORE_TABLE_COUNT, "ADMIN_STATE_TABLES names each");
    struct state_stats stats;
    state_stats(server->state, &stats);
    out->state = (struct admin_state){
        .path = server->config->state,
        .head = stats.head,
        .durable = stats.durable,
        .waiting = stats.waiting,
        .waiting_bytes = stats.waiting_bytes,
        .bytes = stats.store.bytes,
        .commits = stats.store.commits,
        .syncs = stats.store.syncs,
        .failed = stats.store.failed,
        .sync_ns = stats.store.sync_ns,
        .sync_most_ns = stats.store.sync_most_ns,
        .failing = stats.store.broken,
        .last_error = server->store_error_shown,
    };
    memcpy(out->state.rows, stats.store.rows, sizeof out->state.rows);
    memcpy(server->store_error_shown, stats.store.last_error, sizeof server->store_error_shown);
}

size_t server_keys(void *user, struct admin_key *out, size_t most)
{
    struct server *server = user;
    size_t count = 0;
    if (server->state == NULL) {
        return 0;
    }
    const struct state_keys *keys = state_keys(server->state);
    for (uint8_t i = 0; i < SESSION_KEYS && count < most; i++) {
        if ((keys->id_set >> i & 1) != 0) {
            out[count++] =
                (struct admin_key){i, i == keys->id, session_key_uses(engine_sessions(server->engine), i)};
        }
    }
    return count;
}

enum pdp_err server_rotate_keys(void *user, const struct peer *by, struct str reason, unsigned *number,
                                struct str *why)
{
    struct server *server = user;
    uint8_t next = 0;
    *number = 0;
    *why = (struct str){0};
    if (server->state == NULL) {
        return PDP_ERR_UNSUPPORTED;
    }
    enum pdp_err err = state_rotate_ids(server->state, server->engine, &next, server->rotate_why);
    if (err != PDP_ERR_OK) {
        *why = str_of(server->rotate_why);
        return err;
    }
    *number = next;
    struct log_line line;
    log_begin(&line, LOG_LEVEL_INFO, "key_rotated");
    log_int(&line, "key", next);
    log_str(&line, "by", by->name);
    log_str(&line, "reason", reason);
    log_end(&line);
    return PDP_ERR_OK;
}

// Only those are woken that hold something back.
static void on_moved(void *user)
{
    struct server *server = user;
    for (size_t i = 0; i < server->worker_count; i++) {
        if (gate_held(server->workers[i].gate) != 0) {
            loop_wake(server->workers[i].loop);
        }
    }
    server_adapters_wake(server);
    if (server->admin_loop.loop != NULL && gate_held(server->admin_loop.gate) != 0) {
        loop_wake(server->admin_loop.loop);
    }
}

static void on_failing(void *user, const char *why)
{
    struct server *server = user;
    if (why != NULL) {
        log_one(LOG_LEVEL_ERROR, "store_failing", "error", why);
    } else {
        log_one(LOG_LEVEL_INFO, "store_recovered", "meaning", "what waited is durable");
    }
    server_alarm(server, ADMIN_ALARM_STORE_FAILING, why != NULL, why != NULL ? why : "");
}

enum pdp_err server_state_start(struct server *server)
{
    const struct state_host host = {.moved = on_moved, .failing = on_failing, .user = server};
    if (server->state == NULL) {
        return PDP_ERR_OK;
    }
    TRY(state_start(server->state, server->engine, &host));
    return server_sketches_start(server);
}

void server_worker_wake(void *worker)
{
    loop_wake(((struct server_worker *)worker)->loop);
}

void server_state_mail(void *user, struct node *node, struct node_now now)
{
    gate_release(((struct server_worker *)user)->gate, node, now);
}
