// SPDX-License-Identifier: Apache-2.0
#include "engine/forget.h"

#include "engine/worker.h"
#include "risk/profile.h"

struct forgetting {
    bool devices;
    size_t values, device_count;
};

static void forget_risk(struct forgetting *f, struct user_record *record)
{
    struct risk_user user;
    struct profile_entry entries[USER_VALUES];
    memcpy(&user, record->risk, sizeof user);
    f->values += profile_list(&user, 0, entries);
    profile_forget(&user);
    memcpy(record->risk, &user, sizeof user);
}

static void forget_devices(struct forgetting *f, struct user_record *record)
{
    for (size_t i = 0; i < USER_DEVICES; i++) {
        f->device_count += record->devices[i].fingerprint != 0;
        record->devices[i] = (struct user_device){0};
        record->device_by[i] = 0;
    }
}

static void forget(void *user, struct user_record *record)
{
    struct forgetting *f = user;
    // When the user was seen last stays: it is the clock by which what is remembered grows old.
    record->last = (struct sighting){.at_ms = record->last.at_ms,
                                     .lat_deg = __builtin_nan(""),
                                     .lon_deg = __builtin_nan(""),
                                     .radius_km = __builtin_nan("")};
    forget_risk(f, record);
    if (f->devices) {
        forget_devices(f, record);
    }
}

static struct shadow_world *hold_shadow(struct engine *engine)
{
    pthread_mutex_lock(&engine->lock);
    const struct snapshot *serving = atomic_load(&engine->current);
    struct shadow_world *shadow = serving != NULL ? serving->shadow : NULL;
    if (shadow != NULL) {
        atomic_fetch_add(&shadow->held, 1);
    }
    pthread_mutex_unlock(&engine->lock);
    return shadow;
}

static void forget_in_shadow(struct engine *engine, struct str tenant, struct str type, struct str id,
                             bool devices)
{
    struct shadow_world *shadow = hold_shadow(engine);
    if (shadow == NULL) {
        return;
    }
    uint64_t seq = 0;
    struct forgetting f = {.devices = devices};
    struct session_key key = session_key_of(shadow->sessions, 0, tenant, type, id, STR(""));
    (void)session_user_change(shadow->sessions, &key, forget, &f, &seq);
    shadow_world_drop(&shadow);
}

bool engine_forget_user(struct engine *engine, struct str tenant, struct str type, struct str id,
                        bool devices, struct engine_forgotten *out)
{
    *out = (struct engine_forgotten){0};
    struct forgetting f = {.devices = devices};
    struct session_key key = session_key_of(engine->sessions, 0, tenant, type, id, STR(""));
    if (!session_user_change(engine->sessions, &key, forget, &f, &out->seq)) {
        return false;
    }
    forget_in_shadow(engine, tenant, type, id, devices);
    out->values = f.values;
    out->devices = f.device_count;
    return true;
}
