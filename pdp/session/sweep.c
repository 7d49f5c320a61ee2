// SPDX-License-Identifier: Apache-2.0
#include "session/table.h"

#include "base/num.h"
#include "session/lifecycle.h"

// When it was last heard of, or ended, or was replaced.
static int64_t last_ms(const struct slot *slot)
{
    int64_t over_ms = slot->state == SESSION_TERMINATED ? slot->of.ended.ended_ms
                      : slot->state == SESSION_ROTATED  ? slot->of.rotated.rotated_ms
                                                        : 0;
    return num_max(slot_time_ms(slot, SLOT_LAST_SEEN), over_ms);
}

static int64_t forget_at_ms(const struct slot *slot)
{
    if (slot->keep_until_s == UINT32_MAX) {
        return INT64_MAX;
    }
    if (slot->keep_until_s != 0) {
        return (int64_t)slot->keep_until_s * 1000;
    }
    return num_add_sat(last_ms(slot), TABLE_UNSEEN_KEEP_MS);
}

// Only the sweep writes it, under its lock.
static void note_forgotten(struct session_table *table, int64_t last_ms)
{
    int64_t before_ms = num_add_sat(last_ms, LIFECYCLE_AHEAD_MS + 1);
    if (before_ms > atomic_load_explicit(&table->forgotten_ms, memory_order_relaxed)) {
        atomic_store_explicit(&table->forgotten_ms, before_ms, memory_order_release);
    }
}

static void sweep_slot(struct session_table *table, struct shard *shard, uint64_t place, int64_t now_ms)
{
    uint32_t at = shard->slabs[place / TABLE_SLAB] * TABLE_SLAB + (uint32_t)(place % TABLE_SLAB);
    const struct slot *slot = slot_at(table, at);
    // By an id that was replaced its session can be ended for as long as that lives, and by none of them may
    // another begin for as long as it is remembered that it ended: both may be longer than was to be seen
    // when it was replaced.
    bool past = slot->state != SESSION_NONE && forget_at_ms(slot) < now_ms;
    if (past && !(slot->state == SESSION_ROTATED && family_known(table, shard, at))) {
        note_forgotten(table, last_ms(slot));
        (void)commit_forget(table, shard, at); // or with the next round
    }
}

static void sweep_user(struct session_table *table, struct shard *shard, uint64_t place, int64_t keep_ms,
                       int64_t now_ms)
{
    const struct user *user = user_at(shard, (uint32_t)place + 1);
    if (user->names != NULL && user->slots == 0 && num_add_sat(user->record.last.at_ms, keep_ms) < now_ms) {
        note_forgotten(table, num_mul_sat((int64_t)user->record.cutoff_s, 1000) - LIFECYCLE_AHEAD_MS - 1);
        if (lasting_erase_user(table, user->record.subject)) {
            users_forget(table, shard, (uint32_t)place + 1);
        }
    }
}

// Goes on in one shard: first through its slots, then its users. true: the shard is done.
static bool sweep_shard(struct session_table *table, struct shard *shard, int64_t now_ms, size_t most,
                        size_t *looked)
{
    uint64_t half = table->config.sessions_max / 2;
    bool many = half != 0 && atomic_load_explicit(&table->users, memory_order_relaxed) > half;
    int64_t keep_ms = many ? TABLE_USER_KEEP_FULL_MS : TABLE_USER_KEEP_MS;
    table_lock(&shard->lock);
    uint64_t slots = (uint64_t)shard->slab_count * TABLE_SLAB;
    uint64_t end = slots + (uint64_t)shard->user_slab_count * TABLE_USER_SLAB;
    size_t here = 0;
    for (; here < most && here < TABLE_LOCK_MOST && table->sweep_at < end; here++, table->sweep_at++) {
        if (table->sweep_at < slots) {
            sweep_slot(table, shard, table->sweep_at, now_ms);
        } else {
            sweep_user(table, shard, table->sweep_at - slots, keep_ms, now_ms);
        }
    }
    bool done = table->sweep_at >= end;
    table_unlock(&shard->lock);
    *looked += here;
    return done;
}

size_t session_sweep(struct session_table *table, int64_t now_ms, size_t most)
{
    size_t looked = 0;
    table_lock(&table->sweep_lock);
    for (uint64_t visited = 0; looked < most && visited <= table->shard_mask;) {
        if (sweep_shard(table, &table->shards[table->sweep_shard], now_ms, most - looked, &looked)) {
            table->sweep_shard = (table->sweep_shard + 1) & table->shard_mask;
            table->sweep_at = 0;
            visited++;
        }
    }
    table_unlock(&table->sweep_lock);
    return looked;
}

int64_t session_forgotten_ms(const struct session_table *table)
{
    return atomic_load_explicit((_Atomic int64_t *)(uintptr_t)&table->forgotten_ms, memory_order_acquire);
}
