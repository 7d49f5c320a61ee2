// SPDX-License-Identifier: Apache-2.0
// HOT
#include "wire/wire.h"

#include "wire/cbor.h"

// A constant key. In CBOR its bytes are constant too, and go out as a few stores.
#define KEY(emit, name) put_key(emit, "" name, sizeof(name) - 1)

__attribute__((always_inline)) static inline void put_key(struct emit *emit, const char *key, size_t len)
{
    struct buf *out = emit->out;
    if (emit->form != WIRE_CBOR || emit->depth > EMIT_DEPTH_MAX || len > 23 || !buf_room(out, 1 + len)) {
        emit_key(emit, (struct str){key, len});
        return;
    }
    emit->level[emit->depth].count++;
    emit->keyed = true;
    unsigned char *at = out->at + out->len;
    *at = (unsigned char)(CBOR_TEXT << 5 | len);
    memcpy(at + 1, key, len);
    out->len += 1 + len;
}

#define TEXT(emit, name, ...) put_text(emit, "" name, sizeof(name) - 1, __VA_ARGS__)

__attribute__((always_inline)) static inline void put_text(struct emit *emit, const char *key, size_t len,
                                                           struct str s)
{
    if (s.len != 0) {
        put_key(emit, key, len);
        emit_str(emit, s);
    }
}

// Nearest in 4 decimals, for readers of the short form; what is too large to have them stays.
static double to_4_decimals(double d)
{
    if (!(d > -1e9 && d < 1e9)) {
        return d;
    }
    double scaled = d * 1e4;
    return (double)(int64_t)(scaled < 0 ? scaled - 0.5 : scaled + 0.5) / 1e4;
}

static void put_number(struct emit *emit, double d, bool full)
{
    emit_double(emit, emit->form == WIRE_JSON && !full ? to_4_decimals(d) : d);
}

static void put_risk(struct emit *emit, const struct verdict *verdict, bool full)
{
    bool sums = full && !verdict->repeated; // a remembered score is not the one of these
    KEY(emit, "risk");
    emit_map(emit, sums ? 5 : 3);
    KEY(emit, "score");
    put_number(emit, verdict->score, full);
    KEY(emit, "level");
    bool known = (unsigned)verdict->level < RISK_LEVEL_COUNT;
    emit_str(emit, RISK_LEVEL_NAMES[known ? verdict->level : RISK_CRITICAL]);
    if (sums) {
        KEY(emit, "log_odds");
        emit_double(emit, verdict->log_odds);
        KEY(emit, "hard");
        emit_double(emit, verdict->hard);
    }
    KEY(emit, "signals");
    emit_list(emit, verdict->signal_count);
    for (size_t i = 0; i < verdict->signal_count; i++) {
        const struct verdict_signal *signal = &verdict->signals[i];
        emit_map(emit, EMIT_FEW);
        KEY(emit, "id");
        emit_str(emit, signal->id);
        KEY(emit, "evidence");
        put_number(emit, signal->evidence, full);
        TEXT(emit, "because", signal->because);
        emit_end(emit);
    }
    emit_end(emit);
    emit_end(emit);
}

static void put_require(struct emit *emit, const struct verdict *verdict)
{
    KEY(emit, "require");
    emit_map(emit, EMIT_FEW);
    TEXT(emit, "strength", verdict->require_strength);
    if (verdict->require_max_age_s > 0) {
        KEY(emit, "max_age");
        emit_int(emit, verdict->require_max_age_s);
    }
    emit_texts(emit, STR("acr_values"), verdict->require_acr, verdict->require_acr_count);
    emit_end(emit);
}

static void put_session(struct emit *emit, const struct verdict *verdict)
{
    KEY(emit, "session");
    emit_map(emit, EMIT_FEW);
    size_t len = strnlen(verdict->session_ref, sizeof verdict->session_ref);
    TEXT(emit, "ref", (struct str){verdict->session_ref, len});
    KEY(emit, "epoch");
    emit_uint(emit, verdict->session_epoch);
    TEXT(emit, "state", str_of(verdict->session_state));
    if (verdict->session_renew) {
        KEY(emit, "renew");
        emit_bool(emit, true);
    }
    emit_texts(emit, STR("ended"), verdict->ended, verdict->ended_count);
    emit_end(emit);
}

// Without `until` an answer must not be kept. Whole seconds, never later than the bound.
static void put_valid(struct emit *emit, const struct verdict *verdict)
{
    KEY(emit, "valid");
    emit_map(emit, EMIT_FEW);
    if (verdict->valid_until_ms > 0) {
        KEY(emit, "until");
        emit_int(emit, verdict->valid_until_ms / 1000);
    }
    KEY(emit, "policy_epoch");
    emit_uint(emit, verdict->policy_epoch);
    KEY(emit, "offline");
    emit_int(emit, 0);
    emit_end(emit);
}

static void put_obligations(struct emit *emit, const struct verdict *verdict)
{
    KEY(emit, "obligations");
    emit_list(emit, verdict->obligation_count);
    for (size_t i = 0; i < verdict->obligation_count; i++) {
        const struct verdict_obligation *obligation = &verdict->obligations[i];
        emit_map(emit, EMIT_FEW);
        TEXT(emit, "id", obligation->id);
        TEXT(emit, "type", obligation->type);
        if (obligation->properties != NULL) {
            KEY(emit, "properties");
            emit_value(emit, obligation->properties);
        }
        emit_end(emit);
    }
    emit_end(emit);
}

static void put_seen(struct emit *emit, const struct verdict *verdict)
{
    if (verdict->resource_path.len != 0) {
        KEY(emit, "resource");
        emit_map(emit, 1);
        TEXT(emit, "path", verdict->resource_path);
        emit_end(emit);
    }
    if (verdict->client_ip.len != 0 || verdict->client_ip_why.len != 0) {
        KEY(emit, "client");
        emit_map(emit, EMIT_FEW);
        TEXT(emit, "ip", verdict->client_ip);
        TEXT(emit, "why", verdict->client_ip_why);
        emit_end(emit);
    }
}

// In the short form only what would have been another effect is told.
static void put_shadow(struct emit *emit, const struct verdict *verdict, bool full)
{
    const struct verdict_shadow *shadow = &verdict->shadow;
    if (!shadow->judged || (!full && shadow->effect == verdict->effect)) {
        return;
    }
    KEY(emit, "shadow");
    emit_map(emit, EMIT_FEW);
    KEY(emit, "effect");
    emit_str(emit, str_of(pdp_effect_name(shadow->effect)));
    KEY(emit, "code");
    emit_str(emit, str_of(pdp_code_name(shadow->code)));
    TEXT(emit, "rule", shadow->rule);
    if (full && shadow->has_risk) {
        KEY(emit, "score");
        put_number(emit, shadow->score, full);
        KEY(emit, "level");
        emit_str(
            emit,
            RISK_LEVEL_NAMES[(unsigned)shadow->level < RISK_LEVEL_COUNT ? shadow->level : RISK_CRITICAL]);
    }
    emit_end(emit);
}

static void put_head(struct emit *emit, enum pdp_effect effect, enum pdp_code code)
{
    emit_map(emit, 2);
    KEY(emit, "decision");
    emit_bool(emit, effect == PDP_EFFECT_ALLOW);
    KEY(emit, "context");
    emit_map(emit, EMIT_FEW);
    KEY(emit, "effect");
    emit_str(emit, str_of(pdp_effect_name(effect)));
    KEY(emit, "code");
    emit_str(emit, str_of(pdp_code_name(code)));
}

void wire_verdict(struct emit *emit, const struct verdict *verdict, bool full)
{
    put_head(emit, verdict->effect, verdict->code);
    size_t len = strnlen(verdict->decision_id, sizeof verdict->decision_id);
    TEXT(emit, "decision_id", (struct str){verdict->decision_id, len});
    TEXT(emit, "rule", verdict->rule);
    emit_texts(emit, STR("rules"), verdict->rules, verdict->rule_count);
    TEXT(emit, "snapshot", verdict->snapshot);
    TEXT(emit, "message", verdict->message);
    TEXT(emit, "reason", verdict->reason);
    if (verdict->has_risk) {
        put_risk(emit, verdict, full);
    }
    if (verdict->has_require) {
        put_require(emit, verdict);
    }
    if (verdict->has_session) {
        put_session(emit, verdict);
    }
    put_valid(emit, verdict);
    put_obligations(emit, verdict);
    emit_texts(emit, STR("missing"), verdict->missing, verdict->missing_count);
    emit_texts(emit, STR("exceptions"), verdict->exceptions, verdict->exception_count);
    put_shadow(emit, verdict, full);
    put_seen(emit, verdict);
    TEXT(emit, "request_id", verdict->request_id);
    if (verdict->repeated) {
        KEY(emit, "repeated");
        emit_bool(emit, true);
    }
    if (verdict->simulated) {
        KEY(emit, "simulated");
        emit_bool(emit, true);
    }
    emit_end(emit);
    emit_end(emit);
}

// What an HTTP gateway would have said; AuthZEN carries it in the body.
static int status_of(enum pdp_code code)
{
    switch (code) {
    case PDP_CODE_MALFORMED:
        return 400;
    case PDP_CODE_OVERLOADED:
    case PDP_CODE_STALE:
        return 503;
    case PDP_CODE_NO_ANSWER:
        return 504;
    default:
        return 403;
    }
}

void wire_fault(struct emit *emit, enum pdp_code code, struct str request_id, const struct fault *why)
{
    const struct verdict verdict = {.code = code, .request_id = request_id};
    wire_refusal(emit, &verdict, why);
}

void wire_refusal(struct emit *emit, const struct verdict *verdict, const struct fault *why)
{
    enum pdp_code code = verdict->code;
    put_head(emit, PDP_EFFECT_DENY, code);
    emit_texts(emit, STR("missing"), verdict->missing, verdict->missing_count);
    TEXT(emit, "request_id", verdict->request_id);
    if (verdict->retry_after_ms > 0) {
        KEY(emit, "retry_after");
        emit_int(emit, verdict->retry_after_ms);
    }
    KEY(emit, "error");
    emit_map(emit, EMIT_FEW);
    KEY(emit, "status");
    emit_int(emit, status_of(code));
    if (why != NULL) {
        TEXT(emit, "field", (struct str){why->field, strnlen(why->field, sizeof why->field)});
        TEXT(emit, "message", (struct str){why->what, strnlen(why->what, sizeof why->what)});
    }
    emit_end(emit);
    emit_end(emit);
    emit_end(emit);
}
