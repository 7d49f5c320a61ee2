// SPDX-License-Identifier: Apache-2.0
// OCSF 1.9: decisions are API Activity (6003) with the profile security_control, events and ends are
// Authentication (3002), the rest base events.
#include "audit/export_forms.h"

#define OCSF_VERSION "1.9.0-dev"

enum {
    CLASS_BASE = 0,
    CLASS_AUTHENTICATION = 3002,
    CLASS_API = 6003,
    ACTIVITY_OTHER = 99
};

static const struct {
    const char *effect;
    int action, disposition, severity, status;
} EFFECTS[] = {
    {"allow", 1, 1, 1, 1},      // Allowed, Allowed
    {"step_up", 2, 23, 2, 2},   // Denied, Challenge
    {"deny", 2, 2, 3, 2},       // Denied, Blocked
    {"terminate", 2, 24, 4, 2}, // Denied, Access Revoked
};

static const struct {
    const char *action;
    int activity;
} ACTIVITIES[] = {
    {"POST", 1}, {"create", 1}, {"GET", 2},    {"HEAD", 2},  {"read", 2},   {"list", 2},
    {"PUT", 3},  {"PATCH", 3},  {"update", 3}, {"write", 3}, {"DELETE", 4}, {"delete", 4},
};

static const struct {
    const char *event;
    int activity;
} EVENTS[] = {
    {"start", 1},
    {"login", 1},
    {"login_failed", 1},
    {"logout", 2},
};

static int effect_of(const struct query_record *record)
{
    for (size_t i = 0; i < COUNT_OF(EFFECTS); i++) {
        if (export_is(record, "effect", EFFECTS[i].effect)) {
            return (int)i;
        }
    }
    return -1;
}

static bool is_order(const struct query_record *record)
{
    return export_is(record, "kind", "order") || export_is(record, "kind", "read");
}

static int class_of(const struct query_record *record)
{
    bool decision = export_is(record, "kind", "decision");
    if (export_is(record, "kind", "event") || (decision && export_is(record, "effect", "terminate"))) {
        return CLASS_AUTHENTICATION;
    }
    return decision || is_order(record) ? CLASS_API : CLASS_BASE;
}

static int activity_of(const struct query_record *record, int class)
{
    if (class == CLASS_AUTHENTICATION && export_is(record, "kind", "decision")) {
        return 2; // Logoff: the session is over
    }
    for (size_t i = 0; class == CLASS_AUTHENTICATION && i < COUNT_OF(EVENTS); i++) {
        if (export_is(record, "event", EVENTS[i].event)) {
            return EVENTS[i].activity;
        }
    }
    for (size_t i = 0; class == CLASS_API && i < COUNT_OF(ACTIVITIES); i++) {
        if (export_is(record, "action", ACTIVITIES[i].action)) {
            return ACTIVITIES[i].activity;
        }
    }
    return ACTIVITY_OTHER;
}

static void put_metadata(struct emit *emit, const struct query_record *record, bool controls)
{
    emit_key(emit, STR("metadata"));
    emit_map(emit, SIZE_MAX);
    emit_key_str(emit, "version", STR(OCSF_VERSION));
    emit_key(emit, STR("product"));
    emit_map(emit, 2);
    emit_key_str(emit, "name", STR("pdpd"));
    emit_key_str(emit, "vendor_name", STR("pdp"));
    emit_end(emit);
    if (controls) {
        emit_key(emit, STR("profiles"));
        emit_list(emit, 1);
        emit_str(emit, STR("security_control"));
        emit_end(emit);
    }
    export_key_text(emit, "uid", export_text(record, "id"));
    emit_key_int(emit, "sequence", (int64_t)record->index);
    export_key_text(emit, "correlation_uid", export_text(record, "request_id"));
    export_key_text(emit, "tenant_uid", export_text(record, "tenant"));
    emit_key_str(emit, "log_name", STR("audit"));
    emit_end(emit);
}

static void put_user(struct emit *emit, const struct query_record *record)
{
    struct str subject = export_text(record, "subject"), by = export_text(record, "by");
    emit_key(emit, STR("user"));
    emit_map(emit, SIZE_MAX);
    emit_key_str(emit, "uid", subject.len > 0 ? subject : by.len > 0 ? by : STR("unknown"));
    emit_end(emit);
}

static void put_session(struct emit *emit, const struct query_record *record)
{
    struct str ref = export_text(record, "session.ref");
    if (ref.len == 0) {
        return;
    }
    emit_key(emit, STR("session"));
    emit_map(emit, SIZE_MAX);
    emit_key_str(emit, "uid", ref);
    if (export_is(record, "effect", "terminate")) {
        emit_key_str(emit, "expiration_reason", export_text(record, "code"));
    }
    emit_end(emit);
}

static void put_endpoint(struct emit *emit, const struct query_record *record)
{
    struct str ip = export_text(record, "ip"), gateway = export_text(record, "gateway");
    emit_key(emit, STR("src_endpoint"));
    emit_map(emit, SIZE_MAX);
    export_key_text(emit, "ip", ip);
    emit_key_str(emit, "name", gateway.len > 0 ? gateway : STR("admin"));
    emit_end(emit);
}

static void put_api(struct emit *emit, const struct query_record *record)
{
    struct str action = export_text(record, "action");
    emit_key(emit, STR("actor"));
    emit_map(emit, SIZE_MAX);
    put_user(emit, record);
    put_session(emit, record);
    emit_end(emit);
    emit_key(emit, STR("api"));
    emit_map(emit, SIZE_MAX);
    emit_key_str(emit, "operation", action.len > 0 ? action : export_text(record, "op"));
    emit_end(emit);
    put_endpoint(emit, record);
    struct str resource = export_text(record, "resource");
    if (resource.len > 0) {
        emit_key(emit, STR("resources"));
        emit_list(emit, 1);
        emit_map(emit, SIZE_MAX);
        emit_key_str(emit, "name", resource);
        export_key_text(emit, "type", export_text(record, "resource_type"));
        emit_end(emit);
        emit_end(emit);
    }
}

static void put_authentication(struct emit *emit, const struct query_record *record)
{
    put_user(emit, record);
    put_session(emit, record);
    put_endpoint(emit, record);
    emit_key(emit, STR("service"));
    emit_map(emit, SIZE_MAX);
    emit_key_str(emit, "name", export_text(record, "gateway"));
    emit_end(emit);
}

static void put_risk(struct emit *emit, const struct query_record *record)
{
    static const char *const LEVELS[] = {"low", "medium", "high", "critical"};
    double score;
    if (!export_number(record, "risk.score", &score)) {
        return;
    }
    for (size_t i = 0; i < COUNT_OF(LEVELS); i++) {
        if (export_is(record, "risk.level", LEVELS[i])) {
            emit_key_int(emit, "risk_level_id", (int64_t)i + 1);
        }
    }
    emit_key_int(emit, "risk_score", (int64_t)(score + 0.5));
}

static void put_control(struct emit *emit, const struct query_record *record, int effect)
{
    emit_key_int(emit, "action_id", EFFECTS[effect].action);
    emit_key_int(emit, "disposition_id", EFFECTS[effect].disposition);
    put_risk(emit, record);
    struct str rule = export_text(record, "rule");
    if (rule.len > 0) {
        emit_key(emit, STR("policy"));
        emit_map(emit, SIZE_MAX);
        emit_key_str(emit, "uid", rule);
        export_key_text(emit, "version", export_text(record, "snapshot"));
        emit_key_bool(emit, "is_applied", true);
        emit_end(emit);
    }
}

static bool failed(const struct query_record *record)
{
    const struct value *ok = value_get(&record->fields, STR("ok"));
    return export_is(record, "kind", "refusal") || export_is(record, "event", "login_failed") ||
           (ok != NULL && ok->kind == VALUE_BOOL && !ok->as.b);
}

void export_ocsf(struct emit *emit, const struct query_record *record)
{
    int class = class_of(record), activity = activity_of(record, class), effect = effect_of(record);
    bool controls = effect >= 0 && class != CLASS_BASE;
    emit_map(emit, SIZE_MAX);
    emit_key_int(emit, "activity_id", activity);
    if (activity == ACTIVITY_OTHER) {
        struct str action = export_text(record, "action"), event = export_text(record, "event");
        struct str op = export_text(record, "op"), kind = export_text(record, "kind");
        emit_key_str(emit, "activity_name",
                     action.len > 0  ? action
                     : event.len > 0 ? event
                     : op.len > 0    ? op
                                     : kind);
    }
    emit_key_int(emit, "category_uid", class / 1000);
    emit_key_int(emit, "class_uid", class);
    emit_key_int(emit, "type_uid", (int64_t) class * 100 + activity);
    emit_key_int(emit, "time", export_int(record, "time"));
    emit_key_int(emit, "severity_id", effect >= 0 ? EFFECTS[effect].severity : 1);
    emit_key_int(emit, "status_id", failed(record) ? 2 : effect >= 0 ? EFFECTS[effect].status : 1);
    export_key_text(emit, "status_code", export_text(record, "code"));
    export_key_text(emit, "message", export_text(record, "reason"));
    put_metadata(emit, record, controls);
    if (class == CLASS_API) {
        put_api(emit, record);
    } else if (class == CLASS_AUTHENTICATION) {
        put_authentication(emit, record);
    }
    if (controls) {
        put_control(emit, record, effect);
    }
    emit_end(emit);
}
