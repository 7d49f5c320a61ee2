// SPDX-License-Identifier: Apache-2.0
#include "engine/kept.h"

#include "base/num.h"
#include "base/time.h"

#include <stdlib.h>

static struct hash128 add_to(struct hash_key key, struct hash128 hash, struct str text)
{
    struct hash128 both[2] = {hash, hash_128(key, text.at, text.len)};
    return hash_128(key, both, sizeof both);
}

static struct hash128 identity_of(const struct engine *engine, const struct snapshot *snapshot,
                                  const struct policy_counter *counter)
{
    struct hash128 hash = hash_128(engine->counter_key, &counter->window_ms, sizeof counter->window_ms);
    hash = add_to(engine->counter_key, hash, counter->name);
    for (uint32_t i = 0; i < counter->key_count; i++) {
        hash = add_to(engine->counter_key, hash, cel_slot_at(snapshot->program, counter->key[i])->path);
    }
    return hash;
}

static void kept_drop(struct counter_kept *kept)
{
    counters_free(&kept->table);
    *kept = (struct counter_kept){0};
}

// Its place, a free one, or that of the one that was longest in no snapshot; NULL: there is none.
static struct counter_kept *place_of(struct engine *engine, struct hash128 identity)
{
    struct counter_kept *free_place = NULL;
    for (size_t i = 0; i < ENGINE_COUNTERS_MAX; i++) {
        struct counter_kept *kept = &engine->kept[i];
        if (kept->table != NULL && hash128_eq(kept->identity, identity)) {
            return kept;
        }
        if (kept->table == NULL) {
            free_place = free_place == NULL || free_place->table != NULL ? kept : free_place;
        } else if (!counters_is_shared(kept->table) &&
                   (free_place == NULL ||
                    (free_place->table != NULL && kept->unserved_ms < free_place->unserved_ms))) {
            free_place = kept;
        }
    }
    if (free_place != NULL && free_place->table != NULL) {
        kept_drop(free_place);
    }
    return free_place;
}

static struct counters_table *table_for(struct engine *engine, const struct snapshot *snapshot,
                                        const struct policy_counter *counter)
{
    struct hash128 identity = identity_of(engine, snapshot, counter);
    struct counter_kept *kept = place_of(engine, identity);
    if (kept == NULL) {
        return NULL;
    }
    if (kept->table == NULL) {
        struct str name = str_sub(counter->name, 0, sizeof kept->name - 1);
        *kept = (struct counter_kept){.identity = identity, .window_ms = counter->window_ms};
        memcpy(kept->name, name.at, name.len);
        if (counters_new(counter->window_ms, engine->config.counter_entries, &kept->table) != PDP_ERR_OK) {
            return NULL;
        }
    }
    kept->unserved_ms = INT64_MAX;
    return counters_hold(kept->table);
}

void kept_give(struct engine *engine, struct snapshot *snapshot)
{
    size_t count = 0;
    const struct policy_counter *counters = policy_counters(snapshot->policies, &count);
    if (count > 0 && engine->kept == NULL) {
        engine->kept = calloc(ENGINE_COUNTERS_MAX, sizeof *engine->kept);
    }
    for (size_t i = 0; engine->kept != NULL && i < count; i++) {
        snapshot->counters[i] = table_for(engine, snapshot, &counters[i]);
    }
}

void kept_tidy(struct engine *engine, int64_t now_ms)
{
    for (size_t i = 0; engine->kept != NULL && i < ENGINE_COUNTERS_MAX; i++) {
        struct counter_kept *kept = &engine->kept[i];
        if (kept->table == NULL || counters_is_shared(kept->table)) {
            continue;
        }
        kept->unserved_ms = num_min(kept->unserved_ms, now_ms);
        // An eighth more: the window is kept by eighths.
        int64_t keep_ms = num_add_sat(kept->window_ms, kept->window_ms / COUNTERS_PARTS + TIME_MS_PER_S);
        if (num_sub_sat(now_ms, kept->unserved_ms) > keep_ms) {
            kept_drop(kept);
        }
    }
}

void kept_free(struct engine *engine)
{
    for (size_t i = 0; engine->kept != NULL && i < ENGINE_COUNTERS_MAX; i++) {
        kept_drop(&engine->kept[i]);
    }
    free(engine->kept);
    engine->kept = NULL;
}

static void describe(const struct counter_kept *kept, bool served, struct engine_counter *out)
{
    struct counters_stats stats;
    counters_stats(kept->table, &stats);
    *out = (struct engine_counter){.window_ms = kept->window_ms,
                                   .served = served,
                                   .room = stats.room,
                                   .keys = stats.keys,
                                   .displaced = stats.displaced,
                                   .bytes = stats.bytes};
    memcpy(out->name, kept->name, sizeof kept->name);
}

size_t engine_counters(struct engine *engine, struct engine_counter *out, size_t most)
{
    size_t count = 0;
    pthread_mutex_lock(&engine->lock);
    for (int served = 1; served >= 0 && engine->kept != NULL; served--) {
        for (size_t i = 0; i < ENGINE_COUNTERS_MAX && count < most; i++) {
            const struct counter_kept *kept = &engine->kept[i];
            if (kept->table != NULL && counters_is_shared(kept->table) == (served != 0)) {
                describe(kept, served != 0, &out[count++]);
            }
        }
    }
    pthread_mutex_unlock(&engine->lock);
    return count;
}
