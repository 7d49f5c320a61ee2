// SPDX-License-Identifier: Apache-2.0
#include "risk/signals.h"

#include "risk.h"

Test(risk_signals, have_ids_and_slots_of_their_own)
{
    bool used[SLOT_NONE] = {false};
    for (size_t i = 0; i < SIGNAL_COUNT; i++) {
        const struct signal_row *row = &SIGNALS[i];
        const uint16_t slots[2] = {row->slot, row->calm_slot};
        for (size_t k = 0; k < 2; k++) {
            cr_assert_leq(slots[k], SLOT_NONE, "those above are of models' own");
            if (slots[k] != SLOT_NONE) {
                cr_expect(!used[slots[k]], STR_FMT, STR_ARG(row->id));
                cr_expect_lt(slots[k], 63, "risk.c has a bit for each");
                used[slots[k]] = true;
            }
        }
        cr_expect_eq(strlen(row->id.at), row->id.len);
        cr_expect(row->help != NULL && row->builtin.half_life_ms > 0 && row->builtin.cap <= 20);
        cr_expect(row->builtin.evidence <= row->builtin.cap);
        cr_expect((row->read == NULL) == (i < SIGNAL_FIRST_READ), STR_FMT, STR_ARG(row->id));
        cr_expect(str_eq(risk_signal_name(model(), i), row->id));
        for (size_t k = 0; k < i; k++) {
            cr_expect(!str_eq(SIGNALS[k].id, row->id));
        }
    }
    cr_expect_eq(risk_signal_count(model()), SIGNAL_COUNT);
    cr_expect_eq(risk_signal_name(model(), SIGNAL_COUNT).len, 0);
}

// Slots are written in states that outlive a reload, an upgrade and a restart.
Test(risk_signals, keep_their_slots_for_ever)
{
    static const struct {
        const char *id;
        uint8_t slot, calm_slot;
    } SLOTS[] = {
        {"step-up-passed", 255, 0},   {"other-sessions", 255, 255},  {"fingerprint-change", 1, 255},
        {"agent-change", 2, 255},     {"tool-agent", 3, 255},        {"country-change", 4, 255},
        {"asn-change", 5, 255},       {"impossible-travel", 6, 255}, {"request-rate", 7, 255},
        {"step-up-failed", 8, 255},   {"anonymous-network", 9, 255}, {"external", 10, 11},
        {"ja4-change", 40, 255},      {"source-failures", 24, 255},  {"source-subjects", 25, 255},
        {"source-sessions", 26, 255}, {"concurrent-use", 27, 255},   {"rare-network", 12, 255},
        {"new-network", 13, 255},     {"new-device", 14, 255},       {"new-fingerprint", 15, 255},
        {"unusual-hour", 16, 255},
    };
    cr_assert_eq(COUNT_OF(SLOTS), SIGNAL_COUNT);
    for (size_t i = 0; i < SIGNAL_COUNT; i++) {
        cr_expect(str_eq(SIGNALS[i].id, str_of(SLOTS[i].id)), "%s", SLOTS[i].id);
        cr_expect_eq(SIGNALS[i].slot, SLOTS[i].slot, "%s", SLOTS[i].id);
        cr_expect_eq(SIGNALS[i].calm_slot, SLOTS[i].calm_slot, "%s", SLOTS[i].id);
    }
}

// What differs between the anchor and what is seen, and what that gives.
enum {
    IP = 1,
    ASN = 2,
    LAND = 4,
    PRINT = 8,
    FAMILY = 16,
    SYSTEM = 32,
    TOOL = 64,
    V6 = 128,
    V6_HOST = 256
};

static const struct {
    const char *name;
    int differs;
    double fingerprint, agent, tool, country, asn;
} CASES[] = {
    {"nothing", 0, 0, 0, 0, 0, 0},
    {"carrier NAT: the address alone", IP, 0, 0, 0, 0, 0},
    {"Wi-Fi to cellular", IP | ASN, 0, 0, 0, 0, 0.5},
    {"a new country and its network count once", IP | ASN | LAND, 0, 0, 0, 1, 0},
    {"a new country in one network", IP | LAND, 0, 0, 0, 1, 0},
    {"a geo database swapped: the address stayed", ASN | LAND, 0, 0, 0, 0, 0},
    {"a browser update that changes the fingerprint", PRINT, 2, 0, 0, 0, 0},
    {"another device at another address", IP | PRINT, 5, 0, 0, 0, 0},
    {"another browser", FAMILY, 0, 2, 0, 0, 0},
    {"another system", SYSTEM, 0, 2, 0, 0, 0},
    {"both", FAMILY | SYSTEM, 0, 2, 0, 0, 0},
    {"a tool counts once", FAMILY | SYSTEM | TOOL, 0, 0, 5, 0, 0},
    {"dual stack", V6, 0, 0, 0, 0, 0},
    {"dual stack with a new fingerprint", V6 | PRINT, 5, 0, 0, 0, 0},
    {"IPv6 privacy rotation", V6_HOST | PRINT, 2, 0, 0, 0, 0},
};

static struct sighting differing(struct sighting s, int differs)
{
    s.ip = (differs & IP) != 0 ? ip4(192, 0, 2, 200) : s.ip;
    s.asn += (differs & ASN) != 0;
    s.country = (differs & LAND) != 0 ? COUNTRY('F', 'R') : s.country;
    s.fingerprint += (differs & PRINT) != 0;
    s.agent_family = (uint16_t)(s.agent_family + ((differs & FAMILY) != 0));
    s.agent_os = (uint16_t)(s.agent_os + ((differs & SYSTEM) != 0));
    s.flags |= (differs & TOOL) != 0 ? SIGHT_TOOL_AGENT : 0;
    return s;
}

Test(risk_signals, compare_with_the_anchor)
{
    for (size_t i = 0; i < COUNT_OF(CASES); i++) {
        struct sighting anchor = berlin(T0), seen;
        if ((CASES[i].differs & V6_HOST) != 0) {
            anchor.ip = (struct ip){{0x20, 1, 0xd, 0xb8, 1, 2, 3, 4, 5}, false};
        }
        seen = differing(anchor, CASES[i].differs);
        seen.ip = (CASES[i].differs & V6) != 0 ? (struct ip){{0x20, 1, 0xd, 0xb8}, false} : seen.ip;
        seen.ip.bytes[15] ^= (CASES[i].differs & V6_HOST) != 0;
        struct known known = {0};
        struct risk_result out = ask(&known, T0, &anchor, &seen);
        cr_expect_eq(evidence(&out, "fingerprint-change"), CASES[i].fingerprint, "%s", CASES[i].name);
        cr_expect_eq(evidence(&out, "agent-change"), CASES[i].agent, "%s", CASES[i].name);
        cr_expect_eq(evidence(&out, "tool-agent"), CASES[i].tool, "%s", CASES[i].name);
        cr_expect_eq(evidence(&out, "country-change"), CASES[i].country, "%s", CASES[i].name);
        cr_expect_eq(evidence(&out, "asn-change"), CASES[i].asn, "%s", CASES[i].name);
    }
}

Test(risk_signals, say_nothing_where_either_side_is_not_known)
{
    struct sighting whole = berlin(T0),
                    blank = {.at_ms = T0, .lat_deg = NAN, .lon_deg = NAN, .radius_km = NAN};
    const struct sighting *pairs[][2] = {{&whole, &blank}, {&blank, &whole}, {&blank, &blank},
                                         {NULL, &whole},   {&whole, NULL},   {NULL, NULL}};
    for (size_t i = 0; i < COUNT_OF(pairs); i++) {
        struct known known = {0};
        struct risk_result out = ask(&known, T0, pairs[i][0], pairs[i][1]);
        cr_expect_eq(out.signal_count, 0, "pair %zu", i);
        cr_expect(!out.deny);
    }
}

Test(risk_signals, an_unread_agent_is_another_one)
{
    struct sighting anchor = berlin(T0), seen = anchor;
    seen.agent_family = seen.agent_os = 0;
    struct known known = {0};
    struct risk_result out = ask(&known, T0, &anchor, &seen);
    cr_expect_eq(evidence(&out, "agent-change"), 2);
    seen = anchor;
    seen.agent_os = 0;
    known = (struct known){0};
    out = ask(&known, T0, &anchor, &seen);
    cr_expect_eq(evidence(&out, "agent-change"), 0, "a system that is not named is no other one");
    // A session that a tool began has tools in it.
    anchor.flags |= SIGHT_TOOL_AGENT;
    seen = anchor;
    known = (struct known){0};
    out = ask(&known, T0, &anchor, &seen);
    cr_expect_eq(out.signal_count, 0);
}

static const struct {
    unsigned flags;
    double evidence;
} NETWORKS[] = {
    {0, 0},
    {SIGHT_TOR, 1.5},
    {SIGHT_PROXY | SIGHT_ANONYMOUS, 1.5},
    {SIGHT_RESIDENTIAL_PROXY, 1.5},
    {SIGHT_VPN | SIGHT_ANONYMOUS, 0.75},
    {SIGHT_HOSTING, 0.75},
    {SIGHT_ANONYMOUS, 0.75},
    {SIGHT_RELAY, 0},
    {SIGHT_RELAY | SIGHT_ANONYMOUS, 0},
    {SIGHT_SATELLITE, 0},
};

Test(risk_signals, weigh_networks)
{
    for (size_t i = 0; i < COUNT_OF(NETWORKS); i++) {
        struct sighting anchor = berlin(T0), seen = anchor;
        seen.flags = (uint16_t)(seen.flags | NETWORKS[i].flags);
        struct known known = {0};
        struct risk_result out = ask(&known, T0, &anchor, &seen);
        cr_expect_eq(evidence(&out, "anonymous-network"), NETWORKS[i].evidence, "flags %x",
                     NETWORKS[i].flags);
        cr_expect_eq(out.hard, NETWORKS[i].evidence);
    }
}

Test(risk_signals, believe_other_systems_within_bounds)
{
    static const struct {
        double said, evidence;
    } SAID[] = {{3, 3}, {100, 6}, {INFINITY, 6}, {-2, -2}, {-100, -6}, {0, 0}, {NAN, 0}};
    for (size_t i = 0; i < COUNT_OF(SAID); i++) {
        struct known known = {0};
        struct risk_input in = {
            .now_ms = T0, .counts = true, .event = EVENT_SIGNAL, .external_evidence = SAID[i].said};
        struct risk_result out = score(&known, in);
        cr_expect_eq(evidence(&out, "external"), SAID[i].evidence, "%g", SAID[i].said);
        in.now_ms += DAY;
        in.event = EVENT_NONE;
        out = score(&known, in);
        cr_expect_eq(evidence(&out, "external"), SAID[i].evidence / 2, "%g: fades, and only a signal speaks",
                     SAID[i].said);
    }
}
