// SPDX-License-Identifier: Apache-2.0
// What the tests of the folder share: contexts, and one way to score.
#ifndef UNIT_RISK_RISK_H
#define UNIT_RISK_RISK_H

#include "base/ip.h"
#include "risk/state.h"

#include <criterion/criterion.h>
#include <inttypes.h>
#include <math.h>

#define SECOND INT64_C(1000)
#define MINUTE INT64_C(60000)
#define HOUR INT64_C(3600000)
#define DAY (24 * HOUR)
#define T0 INT64_C(1795370000000)

#define COUNTRY(a, b) ((uint16_t)((a) << 8 | (b)))

struct known {
    struct risk_state session;
    struct risk_user user;
};

static struct arena ARENA;

static const struct risk_model *model(void)
{
    static const struct str STRENGTHS[] = {{"password", 8}, {"mfa", 3}, {"phishing-resistant", 18}};
    static const struct risk_model *made;
    if (made == NULL) {
        arena_init(&ARENA, 0, 0);
        struct diags diags;
        diags_init(&diags, 8);
        cr_assert_eq(risk_model_read(NULL, 0, NULL, STRENGTHS, 3, &ARENA, &diags, &made), PDP_ERR_OK);
        diags_fini(&diags);
    }
    return made;
}

static inline struct ip ip4(uint8_t a, uint8_t b, uint8_t c, uint8_t d)
{
    return (struct ip){{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, a, b, c, d}, true};
}

// An ordinary browser in Berlin.
static inline struct sighting berlin(int64_t at_ms)
{
    struct risk_agent agent;
    risk_agent_read(STR("Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) "
                        "Chrome/118.0.0.0 Safari/537.36"),
                    &agent);
    return (struct sighting){.at_ms = at_ms,
                             .lat_deg = 52.52,
                             .lon_deg = 13.40,
                             .radius_km = 20,
                             .ip = ip4(203, 0, 113, 7),
                             .asn = 64500,
                             .country = COUNTRY('D', 'E'),
                             .geo_version = 1,
                             .agent_family = agent.family,
                             .agent_os = agent.os,
                             .agent_version = agent.version,
                             .agent_class = agent.device,
                             .fingerprint = 11,
                             .flags = SIGHT_HAS_IP | SIGHT_HAS_FINGERPRINT | SIGHT_HAS_AGENT};
}

static inline struct sighting moved(struct sighting s, uint32_t asn, uint16_t country)
{
    s.ip = ip4(198, 51, 100, 9);
    s.asn = asn;
    s.country = country;
    return s;
}

static inline struct risk_result score(struct known *known, struct risk_input in)
{
    struct risk_result out;
    if (in.passed_strength == 0) {
        in.passed_strength = -1;
    }
    risk_score(model(), &in, &known->session, &known->user, &ARENA, true, &out);
    cr_assert(out.score >= 0 && out.score <= 100, "score %g", out.score);
    return out;
}

// A question at `now` from `seen` in a session that began at `anchor`.
static inline struct risk_result ask(struct known *known, int64_t now, const struct sighting *anchor,
                                     const struct sighting *seen)
{
    return score(known, (struct risk_input){.now_ms = now, .counts = true, .seen = seen, .anchor = anchor});
}

static inline double evidence(const struct risk_result *result, const char *id)
{
    return risk_evidence(result, str_of(id));
}

#endif
