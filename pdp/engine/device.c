// SPDX-License-Identifier: Apache-2.0
// HOT
// The devices of a user: the last that were seen, and which of them an issuer asked to remember.
#include "engine/device.h"

#include "conf/conf.h"

static uint32_t seconds(int64_t at_ms)
{
    return (uint32_t)num_max(0, num_min(at_ms / TIME_MS_PER_S, UINT32_MAX));
}

// The time by which something is too late: a clock that steps back makes nothing fresh again.
static int64_t latest_ms(const struct ask *ask)
{
    return num_max(ask->now_ms, ask->user.last.at_ms);
}

static bool is_remembered(const struct ask *ask, const struct user_device *device)
{
    // A cut-off of the subject's sessions is one of their devices, also where it only may be meant.
    int64_t cut_ms =
        num_max((int64_t)ask->user.cutoff_s * TIME_MS_PER_S, num_max(ask->cut.before_ms, ask->cut.maybe_ms));
    return device->fingerprint != 0 && device->until_s != 0 &&
           (int64_t)device->since_s * TIME_MS_PER_S >= cut_ms &&
           latest_ms(ask) < (int64_t)device->until_s * TIME_MS_PER_S;
}

static bool may_tell(const struct ask *ask)
{
    return (ask->seen.flags & SIGHT_HAS_FINGERPRINT) != 0 && ask_may(ask, GRANT_ASSERT_DEVICE);
}

static struct user_device *find(struct ask *ask)
{
    for (size_t i = 0; i < USER_DEVICES; i++) {
        if (ask->user.devices[i].fingerprint == ask->seen.fingerprint) {
            return &ask->user.devices[i];
        }
    }
    return NULL;
}

// A free place first, then that of the one that was not seen for longest; one that is remembered gives way
// last.
static struct user_device *place_of(struct ask *ask)
{
    struct user_device *place = &ask->user.devices[0];
    for (size_t i = 0; i < USER_DEVICES && place->fingerprint != 0; i++) {
        struct user_device *device = &ask->user.devices[i];
        bool kept = is_remembered(ask, device), other = is_remembered(ask, place);
        if (device->fingerprint == 0 || (other && !kept) ||
            (other == kept && device->last_s < place->last_s)) {
            place = device;
        }
    }
    return place;
}

static void sign(struct ask *ask, const struct user_device *device)
{
    ask->user.device_by[device - ask->user.devices] = (uint32_t)ask->peer->hash;
}

void device_learn(struct ask *ask)
{
    if (!may_tell(ask)) {
        return;
    }
    uint32_t now_s = seconds(ask->now_ms);
    struct user_device *device = find(ask);
    if (device == NULL) {
        device = place_of(ask);
        *device = (struct user_device){.fingerprint = ask->seen.fingerprint, .first_s = now_s};
        sign(ask, device);
    }
    device->last_s = now_s;
}

bool device_remembered(const struct ask *ask, bool *remembered)
{
    *remembered = false;
    for (size_t i = 0; i < USER_DEVICES && may_tell(ask); i++) {
        const struct user_device *device = &ask->user.devices[i];
        *remembered |= device->fingerprint == ask->seen.fingerprint && is_remembered(ask, device);
    }
    return may_tell(ask);
}

int64_t device_until(const struct ask *ask)
{
    int64_t until_ms = INT64_MAX;
    for (size_t i = 0; i < USER_DEVICES && ask->reads_device; i++) {
        const struct user_device *device = &ask->user.devices[i];
        if (device->fingerprint == ask->seen.fingerprint && is_remembered(ask, device)) {
            until_ms = (int64_t)device->until_s * TIME_MS_PER_S;
        }
    }
    return until_ms;
}

// ---- What an event asks for ------------------------------------------------------------------------

static const struct value *property(const struct ask *ask, struct str name)
{
    const struct value *value = value_get(ask->request->event_properties, name);
    return value != NULL && value->kind != VALUE_NULL ? value : NULL;
}

// `30d`, or seconds.
static bool duration_of(const struct value *value, int64_t *ms)
{
    *ms = INT64_MAX;
    if (value == NULL) {
        return true;
    }
    if (value->kind == VALUE_INT) {
        *ms = num_mul_sat(value->as.i, TIME_MS_PER_S);
        return value->as.i > 0;
    }
    return value->kind == VALUE_STRING && conf_duration(value_text(value), ms) && *ms > 0;
}

bool device_read(const struct ask *ask, struct device_wish *out)
{
    const struct value *wish = property(ask, STR("remember_device"));
    *out = (struct device_wish){.said = wish != NULL};
    if (!duration_of(property(ask, STR("remember_for")), &out->for_ms) ||
        (wish != NULL && wish->kind != VALUE_BOOL)) {
        return false;
    }
    out->remember = wish != NULL && wish->as.b;
    return true;
}

int64_t device_remember(struct ask *ask, const struct device_wish *wish)
{
    struct user_device *device = wish->said && may_tell(ask) ? find(ask) : NULL;
    if (device == NULL) {
        return 0;
    }
    device->since_s = device->until_s = 0;
    int64_t until_ms = num_add_sat(ask->now_ms, num_min(wish->for_ms, ask->limits.remember_ms));
    if (!wish->remember || ask->limits.remember_ms == 0) {
        return 0;
    }
    device->since_s = seconds(ask->now_ms);
    device->until_s = seconds(until_ms);
    sign(ask, device);
    return is_remembered(ask, device) ? (int64_t)device->until_s * TIME_MS_PER_S : 0;
}

void device_forget_all(struct user_record *user)
{
    for (size_t i = 0; i < USER_DEVICES; i++) {
        user->devices[i].since_s = user->devices[i].until_s = 0;
    }
}
