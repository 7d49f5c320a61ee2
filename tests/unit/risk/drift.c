// SPDX-License-Identifier: Apache-2.0
// A device against the one that the session began with, component by component.
#include "risk/drift.h"

#include "risk.h"

#define BIT(name) (1 << SIGHT_COMPONENT_##name)

// What differs beside the components.
enum {
    MOVED = 1 << 8,  // another address in the same network
    ASN = 1 << 9,    // another network, in the same country
    PRINT = 1 << 10, // the fingerprint as a whole
    NEWER = 1 << 11, // the agent's version
    OLDER = 1 << 12,
    FAMILY = 1 << 13,
    CLASS = 1 << 14,
    QUIC = 1 << 15, // the JA4 is of another transport
};

static struct sighting begun(void)
{
    struct sighting s = berlin(T0);
    for (size_t i = 0; i < SIGHT_COMPONENTS; i++) {
        s.components[i] = (uint16_t)(100 + 2 * i);
    }
    return s;
}

static struct sighting differing(int differs)
{
    struct sighting s = begun();
    for (size_t i = 0; i < SIGHT_COMPONENTS; i++) {
        s.components[i] = (uint16_t)(s.components[i] + ((differs >> i & 1) != 0 ? 1000 : 0));
    }
    s.ip = (differs & (MOVED | ASN)) != 0 ? ip4(192, 0, 2, 200) : s.ip;
    s.asn += (differs & ASN) != 0;
    s.fingerprint += (differs & PRINT) != 0;
    s.agent_version = (uint16_t)(s.agent_version + ((differs & NEWER) != 0) - ((differs & OLDER) != 0));
    s.agent_family = (uint16_t)(s.agent_family + ((differs & FAMILY) != 0));
    s.agent_class = (differs & CLASS) != 0 ? SIGHT_CLASS_TABLET : s.agent_class;
    s.components[SIGHT_COMPONENT_JA4] ^= (differs & QUIC) != 0;
    return s;
}

#define UPDATE (PRINT | BIT(BROWSER) | NEWER)
#define MACHINE (PRINT | BIT(GPU) | BIT(FONTS) | BIT(SCREEN) | BIT(JA4))
#define EVERY_PART 0xff

static const struct {
    const char *name;
    int differs;
    double fingerprint, ja4, agent; // least
    double over;                    // the most above that, of the fingerprint
} CASES[] = {
    {"nothing", 0, 0, 0, 0, 0},
    {"the address alone", ASN, 0, 0, 0, 0},
    {"an update", UPDATE, 0, 0, 0, 0},
    {"an update at another address", UPDATE | ASN, 0, 0, 0, 0},
    {"a small update, which the agent does not tell", PRINT | BIT(BROWSER) | ASN, 0, 0, 0, 0},
    {"an update that the component does not tell", PRINT | NEWER | ASN, 0, 0, 0, 0},
    {"an update that shakes hands in another way", UPDATE | BIT(JA4) | ASN, 0, 2, 0, 0},
    {"an update on another monitor", UPDATE | BIT(JA4) | BIT(SCREEN) | ASN, 0, 2, 0, 0},
    {"an update back", PRINT | BIT(BROWSER) | OLDER | ASN, 3.5, 0, 0, 0},
    {"a version that fell, and no more", OLDER, 0, 0, 0.5, 0},
    {"a fingerprint that nothing explains", PRINT, 2, 0, 0, 0},
    {"the same at another address", PRINT | ASN, 3.5, 0, 0, 0},
    {"a font that was installed", PRINT | BIT(FONTS), 2, 0, 0, 0},
    {"other fonts at another address", PRINT | BIT(FONTS) | BIT(CANVAS) | ASN, 3.5, 0, 0, 0},
    {"other fonts, the fingerprint is the same", BIT(FONTS) | ASN, 0, 0, 0, 0},
    {"another monitor", PRINT | BIT(SCREEN), 0, 0, 0, 0},
    {"another monitor at another address", PRINT | BIT(SCREEN) | ASN, 0, 0, 0, 0},
    {"a journey to another zone", PRINT | BIT(TIMEZONE) | ASN, 0, 0, 0, 0},
    {"another machine", MACHINE, 2, 0, 0, 0},
    {"another machine at another address", MACHINE | MOVED, 5, 0, 0, 0},
    {"the same, its fingerprint copied", (MACHINE & ~PRINT) | MOVED, 5, 0, 0, 0},
    {"the same with a later version", MACHINE | UPDATE | MOVED, 5, 0, 0, 0},
    {"a graphics driver", PRINT | BIT(GPU), 1, 0, 0, 0.2},
    {"a machine of the same make", PRINT | BIT(GPU) | MOVED, 2.7, 0, 0, 0.1},
    {"another TLS client", BIT(JA4), 0, 2, 0, 0},
    {"another TLS client at another address", BIT(JA4) | MOVED, 0, 4, 0, 0},
    {"one that copied the fingerprint's parts", BIT(JA4) | BIT(BROWSER) | MOVED, 0, 4, 0, 0},
    {"QUIC instead of TCP", BIT(JA4) | QUIC | MOVED, 0, 0, 0, 0},
    {"another browser", FAMILY, 0, 0, 2, 0},
    {"another browser with its TLS client", FAMILY | BIT(BROWSER) | BIT(JA4) | PRINT | MOVED, 3.7, 0, 0, 0.1},
    {"another class of device", CLASS, 0, 0, 2, 0},
    {"everything", EVERY_PART | FAMILY | PRINT | ASN, 5, 0, 0, 0},
};

// Both contexts in one session, the first of which begins it.
static struct risk_result compare(const struct sighting *first, const struct sighting *then)
{
    struct known known = {0};
    (void)ask(&known, T0, NULL, first);
    return ask(&known, T0 + MINUTE, first, then);
}

Test(risk_drift, weighs_what_changed)
{
    for (size_t i = 0; i < COUNT_OF(CASES); i++) {
        struct sighting first = begun(), then = differing(CASES[i].differs);
        struct risk_result out = compare(&first, &then);
        double found = evidence(&out, "fingerprint-change");
        cr_expect(found >= CASES[i].fingerprint && found <= CASES[i].fingerprint + CASES[i].over + 1e-3,
                  "%s: fingerprint-change %g", CASES[i].name, found);
        cr_expect_float_eq(evidence(&out, "ja4-change"), CASES[i].ja4, 1e-3, "%s: ja4-change %g",
                           CASES[i].name, evidence(&out, "ja4-change"));
        if ((CASES[i].differs & FAMILY) == 0) {
            cr_expect_float_eq(evidence(&out, "agent-change"), CASES[i].agent, 1e-3, "%s: agent-change %g",
                               CASES[i].name, evidence(&out, "agent-change"));
        }
    }
}

// The stronger counts in full and the weaker not at all, whichever it is.
Test(risk_drift, counts_once)
{
    struct sighting first = begun(), then = differing(FAMILY | BIT(BROWSER) | BIT(JA4) | PRINT | MOVED);
    struct risk_result out = compare(&first, &then);
    double device = evidence(&out, "fingerprint-change"), agent = evidence(&out, "agent-change");
    cr_expect_gt(device, 1);
    cr_expect_float_eq(device + agent, device > 2 ? device : 2, 1e-3, "%g %g", device, agent);
    // Where the fingerprint is muted, the others speak for themselves.
    struct known known = {0};
    (void)ask(&known, T0, NULL, &first);
    out = score(&known, (struct risk_input){.now_ms = T0 + MINUTE,
                                            .counts = true,
                                            .seen = &then,
                                            .anchor = &first,
                                            .muted = 1U << SIGNAL_FINGERPRINT});
    cr_expect_eq(evidence(&out, "agent-change"), 2);
}

Test(risk_drift, too_few_components_do_not_speak_for_the_whole)
{
    struct sighting first = begun(), then = differing(PRINT | MOVED);
    memset(then.components, 0, sizeof then.components);
    then.components[SIGHT_COMPONENT_TIMEZONE] = first.components[SIGHT_COMPONENT_TIMEZONE];
    struct risk_result out = compare(&first, &then);
    cr_expect_eq(evidence(&out, "fingerprint-change"), 5, "as if nothing but the fingerprint were known");
    memset(first.components, 0, sizeof first.components);
    first.components[SIGHT_COMPONENT_BROWSER] = then.components[SIGHT_COMPONENT_BROWSER] = 9;
    out = compare(&first, &then);
    cr_expect_eq(evidence(&out, "fingerprint-change"), 5, "a browser's name says little");
}

Test(risk_drift, follows_the_anchor)
{
    struct sighting first = begun(), other = differing(MACHINE | MOVED), blank = begun();
    struct known known = {0};
    memset(blank.components, 0, sizeof blank.components);
    (void)ask(&known, T0, NULL, &blank);
    cr_expect_eq(known.session.components[SIGHT_COMPONENT_GPU], 0);
    (void)ask(&known, T0, &blank, &other);
    cr_expect_eq(known.session.components[SIGHT_COMPONENT_GPU], 0, "of another device");
    struct risk_input probe = {.now_ms = T0, .seen = &first, .anchor = &blank};
    (void)score(&known, probe);
    cr_expect_eq(known.session.components[SIGHT_COMPONENT_GPU], 0, "a probe moves nothing");
    (void)ask(&known, T0, &blank, &first);
    cr_expect_eq(known.session.components[SIGHT_COMPONENT_GPU], first.components[SIGHT_COMPONENT_GPU]);

    // A proof makes the context in which it was given the session's own.
    struct risk_input proof = {.now_ms = T0 + MINUTE,
                               .counts = true,
                               .event = EVENT_STEP_UP_PASSED,
                               .passed_strength = 2,
                               .seen = &other,
                               .anchor = &first,
                               .last = &other};
    (void)score(&known, proof);
    cr_expect_arr_eq(known.session.components, other.components, sizeof other.components);
    struct risk_result out = ask(&known, T0 + HOUR, &other, &other);
    cr_expect_eq(evidence(&out, "fingerprint-change"), 0);

    // One that is told without a device verifies where the session was last: components that are not of that
    // one are forgotten.
    struct sighting told = {.at_ms = T0, .lat_deg = NAN, .lon_deg = NAN, .radius_km = NAN};
    proof.seen = &told;
    proof.anchor = &other;
    proof.last = &other;
    (void)score(&known, proof);
    cr_expect_arr_eq(known.session.components, other.components, sizeof other.components);
    proof.last = &first;
    (void)score(&known, proof);
    cr_expect_eq(known.session.components[SIGHT_COMPONENT_GPU], 0);
}

Test(risk_drift, says_which_components)
{
    struct sighting first = begun(), then = differing(MACHINE | MOVED);
    struct risk_result out = compare(&first, &then);
    cr_assert(out.signal_count > 0);
    cr_expect(str_eq(out.signals[0].because,
                     STR("another device than the session began with: ja4, gpu, screen, fonts")),
              STR_FMT, STR_ARG(out.signals[0].because));
    then = differing(OLDER);
    then.agent_version = 90;
    out = compare(&first, &then);
    cr_assert_eq(out.signal_count, 1);
    cr_expect(str_eq(out.signals[0].because, STR("chrome on windows 90, session began with 118")), STR_FMT,
              STR_ARG(out.signals[0].because));
    then = differing(CLASS);
    out = compare(&first, &then);
    cr_expect(str_eq(out.signals[0].because, STR("tablet, session began with desktop")), STR_FMT,
              STR_ARG(out.signals[0].because));
    then = differing(BIT(JA4) | MOVED);
    out = compare(&first, &then);
    cr_expect(str_eq(out.signals[0].because,
                     STR("another TLS client than the session began with, by the same agent")),
              STR_FMT, STR_ARG(out.signals[0].because));
}

Test(risk_drift, any_components_give_evidence_within_bounds)
{
    uint64_t state = 7;
    for (int n = 0; n < 20000; n++) {
        struct sighting pair[2] = {begun(), begun()};
        for (size_t i = 0; i < 2; i++) {
            for (size_t k = 0; k < SIGHT_COMPONENTS; k++) {
                state = state * 6364136223846793005u + 1442695040888963407u;
                pair[i].components[k] = (uint16_t)(state >> 60 & 3);
            }
            pair[i].fingerprint = state >> 40 & 1;
            pair[i].ip.bytes[15] = (uint8_t)(state >> 41 & 1);
            pair[i].agent_version = (uint16_t)(state >> 42 & 3);
        }
        struct risk_result out = compare(&pair[0], &pair[1]);
        double found = evidence(&out, "fingerprint-change"), ja4 = evidence(&out, "ja4-change");
        cr_assert(found >= 0 && found <= 5 && ja4 >= 0 && ja4 <= 4 && found + ja4 <= 9);
    }
}
