// SPDX-License-Identifier: Apache-2.0
#include "session/table.h"

#include <stdlib.h>

static const uint32_t SHARDS_DEFAULT = 256;
static const uint32_t SHARDS_MOST = 65536;

static enum pdp_err shards_init(struct session_table *table)
{
    for (uint32_t i = 0; i <= table->shard_mask; i++) {
        struct shard *shard = &table->shards[i];
        invariant(pthread_mutex_init(&shard->lock, NULL) == 0);
        TRY(buckets_init(&shard->sessions));
        TRY(buckets_init(&shard->users));
    }
    for (uint32_t i = 0; i < TABLE_STRIPES; i++) {
        invariant(pthread_mutex_init(&table->stripes[i].lock, NULL) == 0);
        TRY(buckets_init(&table->stripes[i].ids));
    }
    return PDP_ERR_OK;
}

static void *zeroed(size_t count, size_t bytes)
{
    void *at = NULL;
    if (posix_memalign(&at, 64, count * bytes) != 0) {
        return NULL;
    }
    memset(at, 0, count * bytes);
    return at;
}

static void keys_init(struct session_table *table, const struct session_table_config *config)
{
    table->subject_key = key_derive(config->key, "subject");
    table->text_key = key_derive(config->key, "text");
    uint16_t set = config->id_key_set != 0 ? config->id_key_set : 1;
    uint8_t now = config->id_key_set != 0 ? config->id_key : 0;
    for (uint8_t i = 0; i < SESSION_KEYS; i++) {
        table->id_keys[i] =
            key_derive(config->id_key_set != 0 ? config->id_keys[i] : config->key, "session id");
    }
    invariant(now < SESSION_KEYS && (set >> now & 1) != 0);
    atomic_store(&table->id_ring, set | (uint32_t)now << 16);
}

enum pdp_err session_table_new(const struct session_table_config *config, struct session_table **out)
{
    *out = NULL;
    uint32_t shards = config->shards != 0 ? config->shards : SHARDS_DEFAULT;
    if ((shards & (shards - 1)) != 0 || shards > SHARDS_MOST) {
        return PDP_ERR_RANGE;
    }
    AUTO(session_table_free) struct session_table *table = calloc(1, sizeof *table);
    if (table == NULL) {
        return PDP_ERR_NOMEM;
    }
    table->config = *config;
    table->shard_mask = shards - 1;
    table->reserve = config->sessions_max / 8 + 1024;
    keys_init(table, config);
    invariant(pthread_mutex_init(&table->directory_lock, NULL) == 0);
    invariant(pthread_mutex_init(&table->sweep_lock, NULL) == 0);
    peers_init(&table->peers, config->creations_per_minute);
    gateways_init(&table->gateways, key_derive(config->key, "gateway"));
    table->shards = zeroed(shards, sizeof *table->shards);
    table->stripes = zeroed(TABLE_STRIPES, sizeof *table->stripes);
    if (table->shards == NULL || table->stripes == NULL) {
        return PDP_ERR_NOMEM;
    }
    TRY(shards_init(table));
    *out = STEAL(table);
    return PDP_ERR_OK;
}

static void slabs_fini(struct session_table *table, struct shard *shard)
{
    for (uint32_t i = 0; i < shard->slab_count; i++) {
        free(slab_of(table, shard->slabs[i] * TABLE_SLAB));
    }
    for (uint32_t i = 0; i < shard->user_slab_count; i++) {
        for (uint32_t u = 0; u < TABLE_USER_SLAB; u++) {
            free(shard->user_slabs[i][u].names);
        }
        free(shard->user_slabs[i]);
    }
    free(shard->slabs);
    free(shard->user_slabs);
}

static void shard_fini(struct session_table *table, struct shard *shard)
{
    slabs_fini(table, shard);
    buckets_fini(&shard->sessions);
    buckets_fini(&shard->users);
}

void session_table_free(struct session_table **table)
{
    struct session_table *t = *table;
    if (t == NULL) {
        return;
    }
    for (uint32_t i = 0; t->shards != NULL && i <= t->shard_mask; i++) {
        shard_fini(t, &t->shards[i]);
    }
    for (uint32_t i = 0; t->stripes != NULL && i < TABLE_STRIPES; i++) {
        buckets_fini(&t->stripes[i].ids);
    }
    for (uint32_t i = 0; i < TABLE_DIRECTORY; i++) {
        free(t->directory[i]);
    }
    free(t->shards);
    free(t->stripes);
    peers_fini(&t->peers);
    gateways_fini(&t->gateways);
    // Keys make hashes of session ids: gone with the table.
    explicit_bzero(t, sizeof *t);
    free(t);
    *table = NULL;
}

static enum pdp_err clear_buckets(struct buckets *buckets)
{
    if (buckets->items == 0 && buckets->count == BUCKETS_SEGMENT) {
        return PDP_ERR_OK;
    }
    buckets_fini(buckets);
    return buckets_init(buckets);
}

static enum pdp_err clear_shard(struct session_table *table, struct shard *shard)
{
    slabs_fini(table, shard);
    shard->slabs = NULL;
    shard->user_slabs = NULL;
    shard->slab_count = shard->slab_cap = shard->user_slab_count = shard->user_slab_cap = 0;
    shard->free_slot = shard->free_user = shard->dirty_slab = shard->dirty_user = 0;
    TRY(clear_buckets(&shard->sessions));
    return clear_buckets(&shard->users);
}

static void clear_counts(struct session_table *table)
{
    _Atomic uint64_t *const counts[] = {&table->records, &table->tombstones, &table->users,
                                        &table->created, &table->refused,    &table->bytes};
    for (size_t i = 0; i < COUNT_OF(counts); i++) {
        atomic_store(counts[i], 0);
    }
    for (size_t i = 0; i < SESSION_KEYS; i++) {
        atomic_store(&table->id_uses[i], 0);
    }
}

enum pdp_err session_table_clear(struct session_table *table)
{
    clear_counts(table);
    table->sweep_shard = table->sweep_at = 0;
    table->changed_shard = 0;
    atomic_store(&table->forgotten_ms, 0);
    if (table->config.creations_per_minute != 0) {
        peers_fini(&table->peers);
        peers_init(&table->peers, table->config.creations_per_minute);
    }
    for (uint32_t i = 0; i <= table->shard_mask; i++) {
        if (table->shards[i].slab_count + table->shards[i].user_slab_count > 0) {
            TRY(clear_shard(table, &table->shards[i]));
        }
    }
    // After the shards, whose slabs are found by it.
    for (uint32_t i = 0; i <= table->slab_count / TABLE_DIRECTORY; i++) {
        free(table->directory[i]);
        table->directory[i] = NULL;
    }
    table->slab_count = 0;
    for (uint32_t i = 0; i < TABLE_STRIPES; i++) {
        TRY(clear_buckets(&table->stripes[i].ids));
    }
    return PDP_ERR_OK;
}

static uint64_t read_count(const _Atomic uint64_t *counter)
{
    return atomic_load_explicit(counter, memory_order_relaxed);
}

static uint64_t chain_bytes(const struct session_table *table)
{
    uint64_t bytes = 0;
    for (uint32_t i = 0; i <= table->shard_mask; i++) {
        table_lock(&table->shards[i].lock);
        bytes += buckets_bytes(&table->shards[i].sessions) + buckets_bytes(&table->shards[i].users);
        table_unlock(&table->shards[i].lock);
    }
    for (uint32_t i = 0; i < TABLE_STRIPES; i++) {
        table_lock(&table->stripes[i].lock);
        bytes += buckets_bytes(&table->stripes[i].ids);
        table_unlock(&table->stripes[i].lock);
    }
    return bytes;
}

void session_stats(const struct session_table *table, struct session_stats *out)
{
    uint64_t records = read_count(&table->records), tombstones = read_count(&table->tombstones);
    *out = (struct session_stats){
        .sessions = records > tombstones ? records - tombstones : 0,
        .users = read_count(&table->users),
        .tombstones = tombstones,
        .created = read_count(&table->created),
        .refused = read_count(&table->refused),
    };
    out->bytes = sizeof *table + (table->shard_mask + 1) * sizeof *table->shards +
                 TABLE_STRIPES * sizeof *table->stripes + read_count(&table->bytes) + chain_bytes(table);
}

const char *session_state_name(enum session_state state)
{
    static const char *const NAMES[] = {
        [SESSION_NONE] = "none",
        [SESSION_ACTIVE] = "active",
        [SESSION_CHALLENGED] = "challenged",
        [SESSION_TERMINATED] = "terminated",
        [SESSION_ROTATED] = "rotated",
    };
    return (size_t)state < COUNT_OF(NAMES) ? NAMES[state] : "none";
}

uint64_t session_live(const struct session_table *table)
{
    uint64_t tombstones = atomic_load_explicit(&table->tombstones, memory_order_relaxed);
    uint64_t records = atomic_load_explicit(&table->records, memory_order_relaxed);
    return records > tombstones ? records - tombstones : 0;
}
