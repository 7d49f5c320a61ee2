// SPDX-License-Identifier: Apache-2.0
// What is known of one user, for people who may read of people.
#include "node/admin_ops.h"

#include "engine/controls.h"
#include "risk/profile_name.h"

#include <inttypes.h>

struct showing {
    struct admin_call *call;
    struct admin_whom whom;
    int64_t now_ms;
    struct user_record record;
    size_t live;
    struct risk_user risk;
};

static struct str c_text(const char *text, size_t size)
{
    return (struct str){text, strnlen(text, size)};
}

static void put_sessions(const struct showing *s, struct emit *emit)
{
    const struct session_view *views = s->call->admin->views;
    emit_key_int(emit, "live", (int64_t)s->live);
    emit_key(emit, STR("sessions"));
    emit_list(emit, SIZE_MAX);
    for (size_t i = 0; i < s->live && i < ADMIN_VIEWS; i++) {
        const struct session_record *record = &views[i].record;
        emit_map(emit, EMIT_FEW);
        emit_key_str(emit, "ref", c_text(views[i].ref, sizeof views[i].ref));
        emit_key_str(emit, "state", str_of(session_state_name((enum session_state)record->state)));
        admin_time(emit, "first_seen", record->first_seen_ms);
        admin_time(emit, "last_seen", record->last_seen_ms);
        admin_put_place(emit, &record->last);
        emit_end(emit);
    }
    emit_end(emit);
}

// ---- Devices -----------------------------------------------------------------------------------

static void put_device(const struct showing *s, const struct user_device *device, struct emit *emit)
{
    struct str name =
        arena_printf(&s->call->admin->arena, "#%08" PRIx32,
                     (uint32_t)(device->fingerprint ^ device->fingerprint >> 32)); // as a profile shows it
    emit_map(emit, EMIT_FEW);
    emit_key_str(emit, "device", name);
    admin_time(emit, "first_seen", (int64_t)device->first_s * 1000);
    admin_time(emit, "last_seen", (int64_t)device->last_s * 1000);
    if (device->until_s != 0) {
        admin_time(emit, "remembered_since", (int64_t)device->since_s * 1000);
        admin_time(emit, "remembered_until", (int64_t)device->until_s * 1000);
    }
    emit_end(emit);
}

static void put_devices(const struct showing *s, struct emit *emit)
{
    emit_key(emit, STR("devices"));
    emit_list(emit, SIZE_MAX);
    for (size_t i = 0; i < USER_DEVICES; i++) {
        if (s->record.devices[i].fingerprint != 0) {
            put_device(s, &s->record.devices[i], emit);
        }
    }
    emit_end(emit);
}

// ---- What holds for this user ------------------------------------------------------------------

static bool put_control(void *user, const struct control *control)
{
    const struct showing *s = user;
    const struct control_facts facts = {
        .tenant = s->whom.tenant, .subject_type = s->whom.type, .subject_id = s->whom.id};
    if (control->target.kind == CONTROL_SUBJECT &&
        (control->expires_ms == 0 || control->expires_ms > s->now_ms) &&
        control_names(engine_sessions(s->call->admin->engine), control, &facts) == TRUTH_YES) {
        emit_str(s->call->emit, control->name);
    }
    return true;
}

static void put_controls(struct showing *s, struct emit *emit)
{
    if (s->record.cutoff_s != 0) {
        admin_time(emit, "cut_off", (int64_t)s->record.cutoff_s * 1000);
    }
    emit_key(emit, STR("controls"));
    emit_list(emit, SIZE_MAX);
    engine_controls_each(s->call->admin->engine, 0, put_control, s);
    emit_end(emit);
}

// ---- What was learned --------------------------------------------------------------------------

static void put_value(const struct showing *s, const struct profile_entry *entry, struct emit *emit)
{
    (void)s;
    AUTO(buf_fini) struct buf name = {0};
    profile_name(entry, &name);
    emit_map(emit, 4);
    emit_key_str(emit, "feature", str_of(profile_feature_name(entry->feature)));
    emit_key_str(emit, "value", buf_view(&name));
    emit_key_double(emit, "count", (double)(int64_t)(entry->count * 100 + 0.5) / 100);
    admin_time(emit, "last", entry->last_ms);
    emit_end(emit);
}

// Of one feature what counts most comes first.
static void sort_values(struct profile_entry *entries, size_t count)
{
    for (size_t i = 1; i < count; i++) {
        struct profile_entry entry = entries[i];
        size_t at = i;
        for (; at > 0 && entries[at - 1].feature == entry.feature && entries[at - 1].count < entry.count;
             at--) {
            entries[at] = entries[at - 1];
        }
        entries[at] = entry;
    }
}

static void put_profile(struct showing *s, struct emit *emit)
{
    struct profile_entry entries[USER_VALUES];
    struct profile_context now;
    memcpy(&s->risk, s->record.risk, sizeof s->risk);
    size_t count = profile_list(&s->risk, s->now_ms, entries);
    sort_values(entries, count);
    profile_read(&(struct sighting){0}, s->now_ms, &now);
    emit_key(emit, STR("profile"));
    emit_map(emit, 3);
    emit_key_double(emit, "contexts", (double)(int64_t)(profile_total(&s->risk, &now) * 100 + 0.5) / 100);
    emit_key(emit, STR("values"));
    emit_list(emit, count);
    for (size_t i = 0; i < count; i++) {
        put_value(s, &entries[i], emit);
    }
    emit_end(emit);
    emit_key(emit, STR("hours"));
    emit_list(emit, COUNT_OF(s->risk.hours));
    for (size_t i = 0; i < COUNT_OF(s->risk.hours); i++) {
        emit_int(emit, s->risk.hours[i]);
    }
    emit_end(emit);
    emit_end(emit);
}

void admin_user_show(struct admin_call *call)
{
    struct showing s = {.call = call, .now_ms = node_asking_now(call->asking).wall_ms};
    struct emit *emit = call->emit;
    if (!admin_whom(call, "`subject` is missing: who is shown", &s.whom)) {
        return;
    }
    struct session_key key = admin_whom_key(call, &s.whom);
    if (!session_user_look(engine_sessions(call->admin->engine), &key, &s.record, call->admin->views,
                           ADMIN_VIEWS, &s.live)) {
        admin_fail(emit, ADMIN_NOBODY);
        return;
    }
    emit_map(emit, 2);
    emit_key_bool(emit, "ok", true);
    emit_key(emit, STR("user"));
    emit_map(emit, EMIT_FEW);
    emit_key_str(emit, "subject", s.whom.id);
    emit_key_str(emit, "type", s.whom.type);
    emit_key_str(emit, "tenant", s.whom.tenant);
    admin_time(emit, "first_seen", s.record.first_seen_ms);
    admin_time(emit, "last_seen", s.record.last.at_ms);
    admin_put_place(emit, &s.record.last);
    put_sessions(&s, emit);
    put_devices(&s, emit);
    put_controls(&s, emit);
    put_profile(&s, emit);
    emit_end(emit);
    emit_end(emit);
}
