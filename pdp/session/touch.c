// SPDX-License-Identifier: Apache-2.0
// Sessions that a gateway saw without asking.
#include "session/table.h"

#include "base/num.h"

static bool is_over(const struct shard *shard, const struct slot *slot, int64_t now_ms)
{
    uint32_t cutoff_s = slot->user != 0 ? user_at(shard, slot->user)->record.cutoff_s : 0;
    bool cut = cutoff_s != 0 && slot_time_ms(slot, SLOT_AUTH) < (int64_t)cutoff_s * 1000;
    bool late = slot->over_s != 0 && slot->over_s != UINT32_MAX && (int64_t)slot->over_s * 1000 <= now_ms;
    return !table_is_live(slot) || cut || late;
}

// When its limits end it is put off by as much as it was seen later: right for a limit of idleness. Of one of
// age, which the next question looks at anyhow, it says too late, never too early.
static void see(struct slot *slot, uint32_t count, int64_t at_ms)
{
    int64_t later_ms = at_ms - slot_time_ms(slot, SLOT_LAST_SEEN);
    slot->requests = count > UINT32_MAX - slot->requests ? UINT32_MAX : slot->requests + count;
    if (later_ms <= 0) {
        return;
    }
    slot_set_time(slot, SLOT_LAST_SEEN, at_ms);
    if (slot->over_s != 0 && slot->over_s != UINT32_MAX) {
        slot->over_s = slot_keep_until_s((int64_t)slot->over_s * 1000 + later_ms);
    }
}

bool session_touch(struct session_table *table, struct str ref, uint32_t count, int64_t at_ms, int64_t now_ms)
{
    struct hash128 id = {0};
    struct shard *shard = NULL;
    uint32_t at = session_ref_read(ref, &id) ? table_lock_slot(table, id, true, &shard) : 0;
    if (at == 0) {
        return false;
    }
    if (slot_at(table, at)->state == SESSION_ROTATED) {
        at = family_tip(table, shard, at);
    }
    bool lives = at != 0 && !is_over(shard, slot_at(table, at), now_ms);
    if (lives) {
        see(slot_at(table, at), count, num_min(at_ms, now_ms));
        lasting_note(table, shard, at);
    }
    table_unlock(&shard->lock);
    return lives;
}
