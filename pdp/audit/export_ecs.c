// SPDX-License-Identifier: Apache-2.0
// Elastic Common Schema 9.5: what was decided stands in event.type and event.action, not in event.outcome.
#include "audit/export_forms.h"

#define ECS_VERSION "9.5.0-dev"

struct kind {
    const char *field, *text; // the first row that fits counts
    const char *category, *type, *also;
};

static const struct kind KINDS[] = {
    {"effect", "terminate", "session", "end", NULL},
    {"event", "login", "authentication", "start", NULL},
    {"event", "start", "authentication", "start", NULL},
    {"event", "login_failed", "authentication", "start", NULL},
    {"event", "logout", "authentication", "end", NULL},
    {"kind", "event", "authentication", "info", NULL},
    {"kind", "order", "iam", "admin", "change"},
    {"kind", "read", "iam", "admin", "info"},
    {"effect", "allow", "api", "access", "allowed"},
    {"effect", "step_up", "api", "access", "denied"},
    {"effect", "deny", "api", "access", "denied"},
};
static const struct kind OTHER = {NULL, NULL, "process", "info", NULL};

static const struct kind *kind_of(const struct query_record *record)
{
    for (size_t i = 0; i < COUNT_OF(KINDS); i++) {
        if (export_is(record, KINDS[i].field, KINDS[i].text)) {
            return &KINDS[i];
        }
    }
    return &OTHER;
}

static const char *outcome(const struct query_record *record)
{
    const struct value *ok = value_get(&record->fields, STR("ok"));
    bool failed = export_is(record, "event", "login_failed") || export_is(record, "kind", "refusal") ||
                  export_is(record, "kind", "lost") || (ok != NULL && ok->kind == VALUE_BOOL && !ok->as.b);
    return failed ? "failure" : "success";
}

static struct str action_of(const struct query_record *record)
{
    static const char *const FIELDS[] = {"event", "op", "effect", "kind"};
    struct str action = {0};
    for (size_t i = 0; i < COUNT_OF(FIELDS) && action.len == 0; i++) {
        action = export_text(record, FIELDS[i]);
    }
    return action;
}

static void put_words(struct emit *emit, const char *key, const char *first, const char *second)
{
    emit_key(emit, str_of(key));
    emit_list(emit, second != NULL ? 2 : 1);
    emit_str(emit, str_of(first));
    if (second != NULL) {
        emit_str(emit, str_of(second));
    }
    emit_end(emit);
}

static void put_event(struct emit *emit, const struct query_record *record)
{
    const struct kind *kind = kind_of(record);
    double score;
    emit_key(emit, STR("event"));
    emit_map(emit, SIZE_MAX);
    emit_key_str(emit, "kind", STR("event"));
    put_words(emit, "category", kind->category, NULL);
    put_words(emit, "type", kind->type, kind->also);
    emit_key_str(emit, "outcome", str_of(outcome(record)));
    emit_key_str(emit, "action", action_of(record));
    export_key_text(emit, "reason", export_text(record, "reason"));
    export_key_text(emit, "code", export_text(record, "code"));
    export_key_text(emit, "id", export_text(record, "id"));
    emit_key_int(emit, "sequence", (int64_t)record->index);
    emit_key_str(emit, "provider", STR("pdpd"));
    emit_key_str(emit, "dataset", STR("pdp.audit"));
    if (export_number(record, "risk.score", &score)) {
        emit_key_double(emit, "risk_score", score);
        emit_key_double(emit, "risk_score_norm", score);
    }
    emit_end(emit);
}

static void put_user(struct emit *emit, const struct query_record *record)
{
    struct str subject = export_text(record, "subject"), by = export_text(record, "by");
    struct str level = export_text(record, "risk.level");
    double score;
    if (subject.len + by.len + level.len == 0) {
        return;
    }
    emit_key(emit, STR("user"));
    emit_map(emit, SIZE_MAX);
    export_key_text(emit, "id", subject.len > 0 ? subject : by);
    if (export_number(record, "risk.score", &score)) {
        emit_key(emit, STR("risk"));
        emit_map(emit, SIZE_MAX);
        emit_key_str(emit, "calculated_level", level);
        emit_key_double(emit, "calculated_score", score);
        emit_key_double(emit, "calculated_score_norm", score);
        emit_end(emit);
    }
    emit_end(emit);
}

static void put_source(struct emit *emit, const struct query_record *record)
{
    struct str ip = export_text(record, "ip"), country = export_text(record, "geo.country");
    int64_t asn = export_int(record, "geo.asn");
    if (ip.len == 0 && country.len == 0 && asn == 0) {
        return;
    }
    emit_key(emit, STR("source"));
    emit_map(emit, SIZE_MAX);
    export_key_text(emit, "ip", ip);
    if (country.len > 0) {
        emit_key(emit, STR("geo"));
        emit_map(emit, 1);
        emit_key_str(emit, "country_iso_code", country);
        emit_end(emit);
    }
    if (asn > 0) {
        emit_key(emit, STR("as"));
        emit_map(emit, 1);
        emit_key_int(emit, "number", asn);
        emit_end(emit);
    }
    emit_end(emit);
}

// `policy/rule`.
static void put_rule(struct emit *emit, const struct query_record *record)
{
    struct str rule = export_text(record, "rule");
    size_t slash = str_find_byte(rule, '/', 0);
    if (rule.len == 0) {
        return;
    }
    emit_key(emit, STR("rule"));
    emit_map(emit, SIZE_MAX);
    emit_key_str(emit, "id", rule);
    emit_key_str(emit, "name", slash < rule.len ? str_sub(rule, slash + 1, SIZE_MAX) : rule);
    emit_key_str(emit, "ruleset", str_sub(rule, 0, slash));
    export_key_text(emit, "version", export_text(record, "snapshot"));
    emit_end(emit);
}

static void put_related(struct emit *emit, const struct query_record *record)
{
    struct str subject = export_text(record, "subject"), ip = export_text(record, "ip");
    if (subject.len + ip.len == 0) {
        return;
    }
    emit_key(emit, STR("related"));
    emit_map(emit, SIZE_MAX);
    emit_texts(emit, STR("user"), &subject, subject.len > 0 ? 1 : 0);
    emit_texts(emit, STR("ip"), &ip, ip.len > 0 ? 1 : 0);
    emit_end(emit);
}

static void put_labels(struct emit *emit, const struct query_record *record)
{
    static const struct {
        const char *path, *label;
    } LABELS[] = {{"kind", "kind"},     {"tenant", "tenant"},           {"gateway", "gateway"},
                  {"action", "action"}, {"session.ref", "session_ref"}, {"request_id", "request_id"},
                  {"target", "target"}, {"resource", "resource"},       {"resource_type", "resource_type"}};
    emit_key(emit, STR("labels"));
    emit_map(emit, SIZE_MAX);
    for (size_t i = 0; i < COUNT_OF(LABELS); i++) {
        export_key_text(emit, LABELS[i].label, export_text(record, LABELS[i].path));
    }
    emit_end(emit);
}

void export_ecs(struct emit *emit, const struct query_record *record)
{
    struct value at = value_time_ms(export_int(record, "time"));
    struct str agent = export_text(record, "user_agent");
    emit_map(emit, SIZE_MAX);
    emit_key(emit, STR("@timestamp"));
    emit_value(emit, &at);
    emit_key(emit, STR("ecs"));
    emit_map(emit, 1);
    emit_key_str(emit, "version", STR(ECS_VERSION));
    emit_end(emit);
    put_event(emit, record);
    put_user(emit, record);
    put_source(emit, record);
    if (agent.len > 0) {
        emit_key(emit, STR("user_agent"));
        emit_map(emit, 1);
        emit_key_str(emit, "original", agent);
        emit_end(emit);
    }
    put_rule(emit, record);
    put_related(emit, record);
    put_labels(emit, record);
    emit_end(emit);
}
