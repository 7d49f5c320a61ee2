// SPDX-License-Identifier: Apache-2.0
// Any bytes as a session's state, a user's state and a stream of contexts: no crash, never a score that is
// not one.
#include "risk/risk.h"

#include <stdlib.h>

static struct arena ARENA;

static const struct risk_model *model(void)
{
    static const struct str STRENGTHS[] = {{"password", 8}, {"mfa", 3}};
    static const struct risk_model *made;
    static struct arena lasting;
    if (made == NULL) {
        struct diags diags;
        arena_init(&lasting, 0, 0);
        arena_init(&ARENA, 0, 0);
        diags_init(&diags, 1);
        if (risk_model_read(NULL, 0, NULL, STRENGTHS, 2, &lasting, &diags, &made) != PDP_ERR_OK) {
            abort();
        }
        diags_fini(&diags);
    }
    return made;
}

struct input {
    const uint8_t *at;
    size_t len;
};

// Fills *out from what is left; zero where that has run out.
static void take(struct input *in, void *out, size_t len)
{
    size_t most = len < in->len ? len : in->len;
    memset(out, 0, len);
    if (most > 0) {
        memcpy(out, in->at, most);
        in->at += most;
        in->len -= most;
    }
}

static uint8_t take_byte(struct input *in)
{
    uint8_t byte = 0;
    take(in, &byte, 1);
    return byte;
}

static void take_sighting(struct input *in, struct sighting *s)
{
    take(in, &s->at_ms, sizeof s->at_ms);
    take(in, &s->lat_deg, sizeof s->lat_deg);
    take(in, &s->lon_deg, sizeof s->lon_deg);
    take(in, &s->radius_km, sizeof s->radius_km);
    take(in, s->ip.bytes, sizeof s->ip.bytes);
    s->ip.v4 = (take_byte(in) & 1) != 0;
    take(in, &s->asn, sizeof s->asn);
    take(in, &s->country, sizeof s->country);
    take(in, &s->flags, sizeof s->flags);
    take(in, &s->geo_version, sizeof s->geo_version);
    take(in, &s->fingerprint, sizeof s->fingerprint);
    struct str text = {(const char *)in->at, in->len < 64 ? in->len : 64};
    struct risk_agent agent;
    risk_agent_read(text, &agent);
    s->agent_family = agent.family;
    s->agent_os = agent.os;
    s->agent_version = agent.version;
    s->agent_class = agent.device;
    take(in, s->components, sizeof s->components);
}

static void check(const struct risk_result *out, int64_t now_ms)
{
    if (!(out->score >= 0 && out->score <= 100) || out->log_odds != out->log_odds || out->hard != out->hard ||
        out->level >= RISK_LEVEL_COUNT || out->until_ms < now_ms || out->signal_count > VERDICT_SIGNALS_MAX) {
        abort();
    }
    double sum = -3.4;
    for (size_t i = 0; i < out->signal_count; i++) {
        sum += out->signals[i].evidence;
        if (out->signals[i].id.len == 0) {
            abort();
        }
    }
    if (!(sum - out->log_odds < 1e-9 && out->log_odds - sum < 1e-9)) {
        abort();
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    _Alignas(8) unsigned char state[RISK_SESSION_BYTES], user[RISK_USER_BYTES], before[RISK_SESSION_BYTES];
    const struct risk_model *made = model();
    struct input in = {bytes, len};
    take(&in, state, sizeof state);
    take(&in, user, sizeof user);
    for (int rounds = 0; rounds < 16 && in.len > 0; rounds++) {
        struct sighting context[4];
        struct risk_input ask = {0};
        uint8_t given = take_byte(&in);
        memset(context, 0, sizeof context);
        for (size_t i = 0; i < COUNT_OF(context); i++) {
            take_sighting(&in, &context[i]);
        }
        take(&in, &ask.now_ms, sizeof ask.now_ms);
        take(&in, &ask.external_evidence, sizeof ask.external_evidence);
        ask.event = (enum event_type)(take_byte(&in) % EVENT_COUNT);
        ask.passed_strength = (int8_t)take_byte(&in);
        ask.counts = (given & 1) != 0;
        ask.seen = (given & 2) != 0 ? &context[0] : NULL;
        ask.anchor = (given & 4) != 0 ? &context[1] : NULL;
        ask.last = (given & 8) != 0 ? &context[2] : NULL;
        ask.user_last = (given & 16) != 0 ? &context[3] : NULL;
        struct risk_result out;
        arena_reset(&ARENA);
        memcpy(before, state, sizeof state);
        risk_score(made, &ask, state, (given & 32) != 0 ? user : NULL, &ARENA, (given & 64) != 0, &out);
        check(&out, ask.now_ms);
        if (!ask.counts && memcmp(before, state, sizeof state) != 0) {
            abort();
        }
    }
    return 0;
}
