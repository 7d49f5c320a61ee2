// SPDX-License-Identifier: Apache-2.0
// HOT
// What gateways must hear of a session: told under the shard's lock, so in the order in which it happened.
#include "session/table.h"

void tell_slot(struct session_table *table, enum notice_kind kind, struct hash128 id, uint32_t epoch,
               enum pdp_code code, int64_t now_ms)
{
    if (table->config.notices != NULL) {
        char ref[NOTICE_REF_BYTES];
        session_ref_print(id, ref);
        (void)notices_session(table->config.notices, kind, ref, epoch, code, now_ms);
    }
}

void tell_commit(struct session_table *table, const struct session_held *held, uint8_t was, int64_t now_ms)
{
    const struct slot *slot = slot_at(table, held->slot);
    if (slot->state == SESSION_TERMINATED && was != SESSION_TERMINATED) {
        tell_slot(table, NOTICE_ENDED, slot->id, slot->epoch, (enum pdp_code)slot->of.ended.end_code, now_ms);
    } else if (slot->state == SESSION_CHALLENGED && was != SESSION_CHALLENGED) {
        tell_slot(table, NOTICE_STEP_UP, slot->id, slot->epoch, PDP_CODE_POLICY, now_ms);
    }
}

void tell_cutoff(struct session_table *table, int64_t now_ms)
{
    if (table->config.notices != NULL) {
        const struct notice notice = {.kind = NOTICE_CUTOFF, .code = PDP_CODE_TERMINATED, .at_ms = now_ms};
        (void)notices_add(table->config.notices, &notice);
    }
}

void session_tell(struct session_table *table, struct hash128 id, uint32_t epoch, int64_t now_ms)
{
    tell_slot(table, NOTICE_STEP_UP, id, epoch, PDP_CODE_POLICY, now_ms);
}
