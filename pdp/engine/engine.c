// SPDX-License-Identifier: Apache-2.0
#include "engine/engine.h"

#include "engine/controls.h"
#include "engine/kept.h"
#include "engine/quarantine.h"
#include "engine/record_inner.h"

#include <stdio.h>
#include <stdlib.h>

static const size_t GEO_CACHE_ENTRIES = 4096;
static const size_t SWEEP_STEP = 1024;
static const size_t MESSAGE_ARENA_BYTES = 256 * 1024;
static const size_t SIDE_ARENA_BYTES = 64 * 1024;
static const size_t MESSAGE_ARENA_LIMIT = 64 * 1024 * 1024;

enum pdp_err engine_new(const struct engine_config *config, struct engine **out)
{
    *out = NULL;
    AUTO(engine_free) struct engine *engine = calloc(1, sizeof *engine);
    if (engine == NULL) {
        return PDP_ERR_NOMEM;
    }
    pthread_mutex_init(&engine->lock, NULL);
    pthread_mutex_init(&engine->controls_lock, NULL);
    engine->config = *config;
    engine->breaker.percent = config->breaker_percent;
    engine->breaker.least = config->breaker_least;
    struct hash128 drawn = hash_128(config->key, "counter", sizeof "counter" - 1);
    engine->counter_key = (struct hash_key){drawn.lo, drawn.hi};
    struct session_table_config table = {.key = config->key,
                                         .id_key_set = config->id_key_set,
                                         .id_key = config->id_key,
                                         .journal = config->journal,
                                         .sessions_max = config->sessions_max,
                                         .creations_per_minute = config->creations_per_minute};
    memcpy(table.id_keys, config->id_keys, sizeof table.id_keys);
    table.notices = config->notices;
    TRY(session_table_new(&table, &engine->sessions));
    drawn = hash_128(config->key, "source", sizeof "source" - 1);
    TRY(source_new((struct hash_key){drawn.lo, drawn.hi}, &engine->sources));
    TRY(population_new(&engine->population));
    TRY(recent_new(&engine->recent));
    *out = STEAL(engine);
    return PDP_ERR_OK;
}

static void free_list(struct snapshot *list)
{
    while (list != NULL) {
        struct snapshot *next = list->next;
        snapshot_free(&list);
        list = next;
    }
}

void engine_free(struct engine **engine)
{
    struct engine *e = *engine;
    if (e == NULL) {
        return;
    }
    struct snapshot *current = atomic_load(&e->current);
    snapshot_free(&current);
    free_list(e->retired);
    engine_controls_free(e);
    engine_quarantine_free(e);
    session_table_free(&e->sessions);
    source_free(&e->sources);
    population_free(&e->population);
    recent_free(&e->recent);
    kept_free(e);
    pthread_mutex_destroy(&e->controls_lock);
    pthread_mutex_destroy(&e->lock);
    free(e);
    *engine = NULL;
}

// What a base brings with it, and those that stand on it find there. Workers find their memory ready, so that
// a reload costs them no allocation. Where one cannot be made now, the worker tries again and denies until it
// can.
static void ready(struct engine *engine, struct snapshot *next)
{
    const struct snapshot *before = atomic_load(&engine->current);
    if (next->base != next) {
        next->shadow = next->base->shadow;
        return;
    }
    for (size_t i = 0; i < ENGINE_WORKERS_MAX; i++) {
        if (engine->workers[i] != NULL) {
            (void)snapshot_scratch_make(next, i);
        }
    }
    if (next->shadow_meaning != 0) {
        next->shadow =
            shadow_world_for(before != NULL ? before->shadow : NULL, next->shadow_meaning, &engine->config);
    }
    kept_give(engine, next);
}

void engine_publish(struct engine *engine, struct snapshot **snapshot)
{
    struct snapshot *next = STEAL(*snapshot);
    engine_controls_before(engine, next);
    pthread_mutex_lock(&engine->lock);
    ready(engine, next);
    next->epoch = atomic_load(&engine->policy_epoch) + 1;
    struct snapshot *old = atomic_exchange(&engine->current, next);
    atomic_store(&engine->policy_epoch, next->epoch);
    (void)notices_add(engine->config.notices,
                      &(struct notice){.kind = NOTICE_POLICY_EPOCH, .policy_epoch = next->epoch});
    if (old != NULL) {
        old->next = engine->retired;
        engine->retired = old;
    }
    pthread_mutex_unlock(&engine->lock);
    engine_controls_after(engine);
}

static bool is_pinned(const struct engine *engine, const struct snapshot *snapshot)
{
    for (size_t i = 0; i < ENGINE_WORKERS_MAX; i++) {
        if (engine->workers[i] != NULL && atomic_load(&engine->workers[i]->pinned) == snapshot) {
            return true;
        }
    }
    return false;
}

// Takes the retired snapshots that nobody holds out of the list. The lock is held.
static struct snapshot *take_free(struct engine *engine)
{
    struct snapshot *out = NULL;
    for (struct snapshot **at = &engine->retired; *at != NULL;) {
        struct snapshot *one = *at;
        if (is_pinned(engine, one)) {
            at = &one->next;
        } else {
            *at = one->next;
            one->next = out;
            out = one;
        }
    }
    return out;
}

void engine_tidy(struct engine *engine, int64_t now_ms)
{
    pthread_mutex_lock(&engine->lock);
    struct snapshot *done = take_free(engine);
    kept_tidy(engine, now_ms);
    const struct snapshot *serving = atomic_load(&engine->current);
    struct shadow_world *shadow = serving != NULL ? serving->shadow : NULL;
    if (shadow != NULL) {
        atomic_fetch_add(&shadow->held, 1);
    }
    pthread_mutex_unlock(&engine->lock);
    free_list(done);
    engine_controls_tidy(engine, now_ms);
    (void)session_sweep(engine->sessions, now_ms, SWEEP_STEP);
    if (shadow != NULL) {
        (void)session_sweep(shadow->sessions, now_ms, SWEEP_STEP);
        shadow_world_drop(&shadow);
    }
}

bool engine_breaker(struct engine *engine, int64_t now_ms, uint64_t *ended)
{
    *ended = breaker_count(&engine->breaker, now_ms);
    return breaker_holds(&engine->breaker, session_live(engine->sessions), now_ms);
}

void engine_breaker_reset(struct engine *engine)
{
    breaker_reset(&engine->breaker);
}

struct session_table *engine_sessions(struct engine *engine)
{
    return engine->sessions;
}

struct journal *engine_journal(const struct engine *engine)
{
    return engine->config.journal;
}

uint64_t engine_policy_epoch(const struct engine *engine)
{
    return atomic_load(&engine->policy_epoch);
}

bool engine_serving(struct engine *engine, struct worker *worker, char digest[static 80],
                    struct snapshot_facts *facts)
{
    (void)engine;
    digest[0] = '\0';
    *facts = (struct snapshot_facts){0};
    const struct snapshot *snapshot = worker_pin(worker);
    if (snapshot != NULL) {
        memcpy(digest, snapshot->digest, sizeof snapshot->digest);
        *facts = snapshot->facts;
    }
    worker_unpin(worker);
    return snapshot != NULL;
}

void engine_lists(struct engine *engine, struct worker *worker, int64_t now_ms,
                  void (*each)(void *user, const struct policy_list_facts *list), void *user)
{
    (void)engine;
    struct policy_list_facts facts;
    const struct snapshot *snapshot = worker_pin(worker);
    for (uint32_t i = 0; snapshot != NULL && policy_list_describe(snapshot->lists, i, now_ms, &facts); i++) {
        each(user, &facts);
    }
    worker_unpin(worker);
}

// ---- Workers -----------------------------------------------------------------------------------

static bool worker_enlist(struct engine *engine, struct worker *worker)
{
    bool found = false;
    pthread_mutex_lock(&engine->lock);
    for (size_t i = 0; i < ENGINE_WORKERS_MAX && !found; i++) {
        if (engine->workers[i] == NULL) {
            engine->workers[i] = worker;
            worker->index = i;
            found = true;
        }
    }
    struct snapshot *now = atomic_load(&engine->current);
    if (found && now != NULL) {
        (void)snapshot_scratch_make(now, worker->index);
    }
    pthread_mutex_unlock(&engine->lock);
    return found;
}

enum pdp_err worker_new(struct engine *engine, struct worker **out)
{
    *out = NULL;
    struct worker *worker = aligned_alloc(_Alignof(struct worker), sizeof *worker);
    if (worker == NULL) {
        return PDP_ERR_NOMEM;
    }
    memset(worker, 0, sizeof *worker);
    arena_init(&worker->arena, MESSAGE_ARENA_BYTES, MESSAGE_ARENA_LIMIT);
    arena_init(&worker->side, SIDE_ARENA_BYTES, MESSAGE_ARENA_LIMIT);
    worker->agents = calloc(AGENT_CACHE_ENTRIES, sizeof *worker->agents);
    worker->room = calloc(1, sizeof *worker->room);
    worker->lately = calloc(1, sizeof *worker->lately);
    if (worker->lately != NULL) {
        pthread_mutex_init(&worker->lately->lock, NULL);
    }
    enum pdp_err err = worker->agents != NULL && worker->room != NULL && worker->lately != NULL
                           ? geo_cache_new(GEO_CACHE_ENTRIES, &worker->geo_cache)
                           : PDP_ERR_NOMEM;
    if (err == PDP_ERR_OK && !worker_enlist(engine, worker)) {
        err = PDP_ERR_LIMIT;
    }
    if (err == PDP_ERR_OK) {
        worker->engine = engine;
        *out = STEAL(worker);
        return PDP_ERR_OK;
    }
    worker_free(&worker);
    return err;
}

void worker_free(struct worker **worker)
{
    struct worker *w = *worker;
    if (w == NULL) {
        return;
    }
    if (w->engine != NULL) {
        pthread_mutex_lock(&w->engine->lock);
        w->engine->workers[w->index] = NULL;
        pthread_mutex_unlock(&w->engine->lock);
    }
    geo_cache_free(&w->geo_cache);
    free(w->agents);
    free(w->room);
    recorder_free(&w->recorder);
    if (w->lately != NULL) {
        pthread_mutex_destroy(&w->lately->lock);
        free(w->lately);
    }
    arena_fini(&w->arena);
    arena_fini(&w->side);
    free(w);
    *worker = NULL;
}

const struct fault *worker_fault(const struct worker *worker)
{
    return &worker->fault;
}

static void add_counters(struct engine_counts *out, const struct counters *counters)
{
    for (size_t i = 0; i < PDP_EFFECT_COUNT; i++) {
        out->effects[i] += atomic_load_explicit(&counters->effects[i], memory_order_relaxed);
    }
    for (size_t i = 0; i < PDP_CODE_COUNT; i++) {
        out->codes[i] += atomic_load_explicit(&counters->codes[i], memory_order_relaxed);
    }
    out->questions += atomic_load_explicit(&counters->questions, memory_order_relaxed);
    out->events += atomic_load_explicit(&counters->events, memory_order_relaxed);
    out->batches += atomic_load_explicit(&counters->batches, memory_order_relaxed);
    out->repeats += atomic_load_explicit(&counters->repeats, memory_order_relaxed);
    out->searches += atomic_load_explicit(&counters->searches, memory_order_relaxed);
    out->shadow_lost += atomic_load_explicit(&counters->shadow_lost, memory_order_relaxed);
    for (size_t i = 0; i < PDP_EFFECT_COUNT * PDP_EFFECT_COUNT; i++) {
        size_t was = i / PDP_EFFECT_COUNT, would = i % PDP_EFFECT_COUNT;
        out->shadow[was][would] += atomic_load_explicit(&counters->shadow[was][would], memory_order_relaxed);
    }
}

void engine_count(struct engine *engine, struct engine_counts *out)
{
    *out = (struct engine_counts){0};
    pthread_mutex_lock(&engine->lock);
    for (size_t i = 0; i < ENGINE_WORKERS_MAX; i++) {
        if (engine->workers[i] != NULL) {
            add_counters(out, &engine->workers[i]->counters);
        }
    }
    pthread_mutex_unlock(&engine->lock);
}
