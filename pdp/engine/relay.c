// SPDX-License-Identifier: Apache-2.0
// HOT
#include "engine/relay.h"

#include "engine/quarantine.h"
#include "model/fault.h"

// Every tenant that both may speak for. A gateway of no tenants is one of all.
static void join_tenants(const struct peer *by, struct peer *other, struct arena *arena)
{
    if (by->tenant_count == 0) {
        return;
    }
    if (other->tenant_count == 0) {
        other->tenants = by->tenants;
        other->tenant_count = by->tenant_count;
        return;
    }
    struct str *both = ARENA_ARRAY(arena, struct str, other->tenant_count);
    size_t count = 0;
    for (size_t i = 0; both != NULL && i < other->tenant_count; i++) {
        for (size_t k = 0; k < by->tenant_count; k++) {
            if (str_eq(other->tenants[i], by->tenants[k])) {
                both[count++] = other->tenants[i];
                break;
            }
        }
    }
    other->tenants = both;
    other->tenant_count = count;
    if (count == 0) {
        other->grants = 0; // for none: no tenants would mean all
    }
}

bool relay_settle(struct worker *worker, const struct peer **peer, const struct value *root,
                  struct peer *other)
{
    const struct peer *by = *peer;
    const struct value *name = value_get(root, STR("gateway"));
    if (name == NULL || name->kind == VALUE_NULL) {
        return true;
    }
    const struct engine_config *config = &worker->engine->config;
    if ((by->grants & GRANT_RELAY) == 0 || engine_quarantined(worker->engine, by->name)) {
        (void)fault_set(&worker->fault, "gateway",
                        "this peer may not ask for other gateways; give it the grant `relay`");
        return false;
    }
    if (name->kind != VALUE_STRING || name->n == 0 || name->n > REQUEST_ID_MAX) {
        (void)fault_set(&worker->fault, "gateway", "expected text of 1 to 255 bytes");
        return false;
    }
    struct str text = value_text(name);
    *other = (struct peer){0};
    if (config->relayed == NULL || !config->relayed(config->relayed_user, text, other)) {
        *other = *by;
    } else {
        other->grants &= by->grants;
        join_tenants(by, other, &worker->arena);
    }
    other->name = text;
    other->hash = session_hash(worker->engine->sessions, text);
    other->grants &= ~(uint32_t)GRANT_RELAY;
    other->roles = 0;
    *peer = other;
    return true;
}
