// SPDX-License-Identifier: Apache-2.0
#include "daemon/tell/set.h"

#include "wire/wire.h"

#include <stdio.h>

#define SESSION_REVOKED "https://schemas.openid.net/secevent/caep/event-type/session-revoked"

// Who caused it, by why it ended; and in words, which receivers may ask for.
static const struct {
    enum pdp_code code;
    const char *by, *words;
} WHY[] = {
    {PDP_CODE_TERMINATED, "admin", "the session was ended"},
    {PDP_CODE_LOCKED, "admin", "an analyst's lock ended the session"},
    {PDP_CODE_POLICY, "policy", "a rule ended the session"},
    {PDP_CODE_EXPIRED, "policy", "a limit of the session's time has passed"},
    {PDP_CODE_CONCURRENT, "policy", "the subject has as many sessions as it may"},
    {PDP_CODE_FIXATION, "policy", "the session's id was used by another subject"},
    {PDP_CODE_REUSED, "policy", "an id was used that another one had replaced"},
};

static void put_simple(struct emit *emit, const char *key, const char *format, const char *member,
                       struct str value)
{
    emit_key(emit, str_of(key));
    emit_map(emit, EMIT_FEW);
    emit_key_str(emit, "format", str_of(format));
    emit_key_str(emit, member, value);
    emit_end(emit);
}

static void put_user(const struct config_webhook *config, struct emit *emit, struct str id)
{
    switch (config->subject) {
    case WEBHOOK_ISS_SUB:
        emit_key(emit, STR("user"));
        emit_map(emit, EMIT_FEW);
        emit_key_str(emit, "format", STR("iss_sub"));
        emit_key_str(emit, "iss", str_of(config->subject_issuer));
        emit_key_str(emit, "sub", id);
        emit_end(emit);
        break;
    case WEBHOOK_EMAIL:
        put_simple(emit, "user", "email", "email", id);
        break;
    case WEBHOOK_OPAQUE:
        put_simple(emit, "user", "opaque", "id", id);
        break;
    default:
        break; // nobody's name leaves
    }
}

static void begin(const struct config_webhook *config, struct emit *emit, struct str id, int64_t now_s,
                  struct buf *out)
{
    emit_init(emit, WIRE_JSON, out);
    emit_map(emit, EMIT_FEW);
    emit_key_str(emit, "iss", str_of(config->issuer));
    emit_key_str(emit, "jti", id);
    emit_key_int(emit, "iat", now_s);
    emit_key_str(emit, "aud", str_of(config->audience));
    emit_key(emit, STR("sub_id"));
    emit_map(emit, EMIT_FEW);
    emit_key_str(emit, "format", STR("complex"));
}

// Behind the subject: ends the token.
static void put_event(struct emit *emit, const char *by, struct str reason, struct str message, int64_t at_ms)
{
    emit_end(emit);
    emit_key(emit, STR("events"));
    emit_map(emit, EMIT_FEW);
    emit_key(emit, STR(SESSION_REVOKED));
    emit_map(emit, EMIT_FEW);
    emit_key_str(emit, "initiating_entity", str_of(by));
    emit_key(emit, STR("reason_admin"));
    emit_map(emit, EMIT_FEW);
    emit_key_str(emit, "en", reason);
    emit_end(emit);
    if (message.len > 0) {
        emit_key(emit, STR("reason_user"));
        emit_map(emit, EMIT_FEW);
        emit_key_str(emit, "en", message);
        emit_end(emit);
    }
    emit_key_int(emit, "event_timestamp", at_ms / 1000);
    emit_end(emit);
    emit_end(emit);
    emit_end(emit);
}

void set_session(const struct config_webhook *config, const struct session_view *ended, int64_t now_s,
                 struct buf *out)
{
    struct emit emit;
    char id[80];
    const char *by = "system", *words = "the session is over";
    for (size_t i = 0; i < COUNT_OF(WHY); i++) {
        if ((uint8_t)WHY[i].code == ended->record.end_code) {
            by = WHY[i].by;
            words = WHY[i].words;
        }
    }
    (void)snprintf(id, sizeof id, "%.31s.%lld", ended->ref, (long long)ended->record.ended_ms);
    begin(config, &emit, str_of(id), now_s, out);
    put_simple(&emit, "session", "opaque", "id", str_of(ended->ref));
    put_user(config, &emit, str_of(ended->subject_id));
    if (ended->tenant[0] != '\0') {
        put_simple(&emit, "tenant", "opaque", "id", str_of(ended->tenant));
    }
    put_event(&emit, by, str_of(words), (struct str){0}, ended->record.ended_ms);
}

bool set_tells(const struct config_webhook *config, const struct control *control)
{
    return control->cut_off && (control->target.kind == CONTROL_TENANT ||
                                (control->target.kind == CONTROL_SUBJECT && config->subject != WEBHOOK_NONE));
}

void set_cutoff(const struct config_webhook *config, const struct control *control, int64_t now_s,
                struct buf *out)
{
    struct emit emit;
    char id[80];
    bool subject = control->target.kind == CONTROL_SUBJECT;
    struct str tenant = subject ? control->target.tenant : control->target.value;
    (void)snprintf(id, sizeof id, "cutoff-%llu.%lld", (unsigned long long)control->number,
                   (long long)control->created_ms);
    begin(config, &emit, str_of(id), now_s, out);
    if (subject) {
        put_user(config, &emit, control->target.value);
    }
    if (tenant.len > 0) {
        put_simple(&emit, "tenant", "opaque", "id", tenant);
    }
    put_event(&emit, "admin", STR("sessions that began before a time were cut off"), control->message,
              control->before_ms);
}
