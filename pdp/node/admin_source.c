// SPDX-License-Identifier: Apache-2.0
#include "node/admin_ops.h"

#include "base/time.h"

void admin_put_source(const struct admin_status *status, struct emit *emit)
{
    const struct admin_source *source = &status->source;
    emit_key(emit, STR("source"));
    emit_map(emit, EMIT_FEW);
    emit_key_str(emit, "kind", source->bundle ? STR("bundle") : STR("folder"));
    emit_key_str(emit, "path", str_of(source->path));
    if (source->bundle) {
        emit_key_str(emit, "name", str_of(source->name));
        emit_key_int(emit, "version", source->version);
        emit_key_str(emit, "digest", str_of(source->digest));
        admin_time(emit, "expires", source->expires_s * TIME_MS_PER_S);
        emit_key_str(emit, "on_expiry", source->deny_on_expiry ? STR("deny") : STR("serve"));
        emit_key(emit, STR("signers"));
        emit_list(emit, source->signer_count);
        for (size_t i = 0; i < source->signer_count; i++) {
            emit_str(emit, str_of(source->signers[i]));
        }
        emit_end(emit);
    }
    emit_end(emit);
}

static const char *const WORDS[] = {
#define X(name, word) word,
    ADMIN_ALARM_LIST(X)
#undef X
};

void admin_put_alarms(const struct admin_status *status, struct emit *emit)
{
    emit_key(emit, STR("alarms"));
    emit_list(emit, SIZE_MAX);
    for (size_t i = 0; status->alarms != NULL && i < ADMIN_ALARM_COUNT; i++) {
        const struct admin_alarm *alarm = &status->alarms[i];
        if (alarm->since_ms > 0) {
            emit_map(emit, EMIT_FEW);
            emit_key_str(emit, "alarm", str_of(WORDS[i]));
            admin_time(emit, "since", alarm->since_ms);
            emit_key_str(emit, "message", str_of(alarm->message));
            emit_end(emit);
        }
    }
    emit_end(emit);
}

void admin_put_certificates(const struct admin_status *status, struct emit *emit)
{
    if (status->certificate_count == 0) {
        return;
    }
    emit_key(emit, STR("certificates"));
    emit_list(emit, status->certificate_count);
    for (size_t i = 0; i < status->certificate_count; i++) {
        const struct admin_certificate *one = &status->certificates[i];
        emit_map(emit, EMIT_FEW);
        emit_key_str(emit, "file", str_of(one->file));
        admin_time(emit, "until", one->cert_until_s * TIME_MS_PER_S);
        if (one->crl != NULL) {
            emit_key_str(emit, "crl", str_of(one->crl));
            admin_time(emit, "crl_until", one->crl_until_s * TIME_MS_PER_S);
        }
        emit_end(emit);
    }
    emit_end(emit);
}
