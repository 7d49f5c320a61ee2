// SPDX-License-Identifier: Apache-2.0
#include "engine/anew.h"

#include "engine/kept.h"
#include "engine/worker.h"

static bool any_counted(const struct snapshot *base)
{
    struct counters_stats stats = {0};
    for (uint32_t i = 0; i < base->facts.counters; i++) {
        if (base->counters[i] == NULL) {
            return true; // there was no memory for it; there may be now
        }
        counters_stats(base->counters[i], &stats);
        if (stats.keys > 0 || stats.displaced > 0) {
            return true;
        }
    }
    return false;
}

// Tables of counters are large and seldom written: where nothing was, they stay.
static void clear_counters(struct engine *engine, struct snapshot *base)
{
    if (!any_counted(base)) {
        return;
    }
    for (uint32_t i = 0; i < base->facts.counters; i++) {
        counters_free(&base->counters[i]);
    }
    kept_free(engine);
    kept_give(engine, base);
}

enum pdp_err engine_anew(struct engine *engine)
{
    invariant(engine->config.journal == NULL && atomic_load(&engine->controls) == NULL);
    TRY(session_table_clear(engine->sessions));
    source_clear(engine->sources);
    population_clear(engine->population);
    recent_free(&engine->recent);
    TRY(recent_new(&engine->recent));
    breaker_reset(&engine->breaker);
    struct snapshot *serving = atomic_load(&engine->current);
    if (serving == NULL) {
        return PDP_ERR_OK;
    }
    clear_counters(engine, serving->base);
    if (serving->shadow != NULL) {
        atomic_store(&serving->shadow->since_ms, INT64_MIN);
        TRY(session_table_clear(serving->shadow->sessions));
    }
    return PDP_ERR_OK;
}
