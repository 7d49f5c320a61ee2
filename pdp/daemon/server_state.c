// SPDX-License-Identifier: Apache-2.0
#include "daemon/log.h"
#include "daemon/server_inner.h"
#include "engine/controls.h"

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
        return err;
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
    }
    controls_load_drop(&loading.controls);
    if (err != PDP_ERR_OK) {
        log_refused(why);
        return err;
    }
    struct log_line line;
    log_begin(&line, loaded.lost != 0 ? LOG_LEVEL_WARN : LOG_LEVEL_INFO, "state_loaded");
    log_int(&line, "sessions", (int64_t)loaded.sessions);
    log_int(&line, "tombstones", (int64_t)loaded.tombstones);
    log_int(&line, "users", (int64_t)loaded.users);
    log_int(&line, "controls", (int64_t)engine_controls_count(server->engine));
    log_int(&line, "lost", (int64_t)loaded.lost);
    log_int(&line, "took_ms", loaded.took_ms);
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
    return server->state != NULL ? state_start(server->state, server->engine, &host) : PDP_ERR_OK;
}

void server_worker_wake(void *worker)
{
    loop_wake(((struct server_worker *)worker)->loop);
}

void server_state_mail(void *user, struct node *node, struct node_now now)
{
    gate_release(((struct server_worker *)user)->gate, node, now);
}
