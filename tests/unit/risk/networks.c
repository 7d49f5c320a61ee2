// SPDX-License-Identifier: Apache-2.0
// What a class of network takes away from a change of address, and what it adds.
#include "risk/place.h"

#include "risk.h"

#include <stdio.h>

enum {
    NEAR = 1, // the same address
    ABROAD = 2,
    OTHER_AS = 4,
    OTHER_PRINT = 8,
};

static const struct {
    const char *name;
    uint16_t was, is; // SIGHT_…
    int differs;
    double country, asn, fingerprint;
} CHANGES[] = {
    {"no class at all", 0, 0, OTHER_AS, 0, 0.5, 0},
    {"no class, abroad", 0, 0, ABROAD, 1, 0, 0},
    {"out of one's own egress", SIGHT_OWN_EGRESS, 0, OTHER_AS, 0, 0, 0},
    {"back into it", 0, SIGHT_OWN_EGRESS, OTHER_AS, 0, 0, 0},
    {"from one of them to another abroad", SIGHT_OWN_EGRESS, SIGHT_OWN_EGRESS, ABROAD | OTHER_AS, 0, 0, 0},
    {"out of it and abroad", SIGHT_OWN_EGRESS, 0, ABROAD | OTHER_AS, 0, 0, 0},
    // Else a session stolen from somebody at work would be worth more than others.
    {"out of it with another device", SIGHT_OWN_EGRESS, 0, OTHER_AS | OTHER_PRINT, 0, 0, 5},
    {"into it with another device", 0, SIGHT_OWN_EGRESS, OTHER_AS | OTHER_PRINT, 0, 0, 5},
    {"in it, a browser that was updated", SIGHT_OWN_EGRESS, SIGHT_OWN_EGRESS, NEAR | OTHER_PRINT, 0, 0, 2},
    {"within a carrier", SIGHT_CARRIER, SIGHT_CARRIER, 0, 0, 0, 0},
    {"within a carrier, a browser that was updated", SIGHT_CARRIER, SIGHT_CARRIER, OTHER_PRINT, 0, 0, 2},
    {"a carrier's network abroad", SIGHT_CARRIER, SIGHT_CARRIER, ABROAD, 1, 0, 0},
    {"from carrier to carrier", SIGHT_CARRIER, SIGHT_CARRIER, OTHER_AS, 0, 0.5, 0},
    {"from carrier to carrier with another device", SIGHT_CARRIER, SIGHT_CARRIER, OTHER_AS | OTHER_PRINT, 0,
     0.5, 5},
    {"from a carrier home", SIGHT_CARRIER, 0, OTHER_AS, 0, 0.5, 0},
    {"in the same network, not a carrier's any more", SIGHT_CARRIER, 0, OTHER_PRINT, 0, 0, 5},
};

Test(risk_networks, weigh_a_change_of_address)
{
    for (size_t i = 0; i < COUNT_OF(CHANGES); i++) {
        struct sighting was = berlin(T0), is = berlin(T0);
        is.ip = (CHANGES[i].differs & NEAR) != 0 ? is.ip : ip4(198, 51, 100, 9);
        is.country = (CHANGES[i].differs & ABROAD) != 0 ? COUNTRY('F', 'R') : is.country;
        is.asn += (CHANGES[i].differs & OTHER_AS) != 0;
        is.fingerprint += (CHANGES[i].differs & OTHER_PRINT) != 0;
        was.flags |= CHANGES[i].was;
        is.flags |= CHANGES[i].is;
        struct known known = {0};
        struct risk_result out = ask(&known, T0, &was, &is);
        cr_expect_eq(evidence(&out, "country-change"), CHANGES[i].country, "%s", CHANGES[i].name);
        cr_expect_eq(evidence(&out, "asn-change"), CHANGES[i].asn, "%s", CHANGES[i].name);
        cr_expect_eq(evidence(&out, "fingerprint-change"), CHANGES[i].fingerprint, "%s", CHANGES[i].name);
    }
}

// A carrier is known by its AS number: without one, no two addresses are of the same.
Test(risk_networks, a_carrier_without_a_number_is_any)
{
    struct sighting was = berlin(T0), is = moved(berlin(T0), 0, COUNTRY('D', 'E'));
    was.asn = 0;
    was.flags |= SIGHT_CARRIER;
    is.flags |= SIGHT_CARRIER;
    cr_expect(place_moved(&was, &is));
    was.asn = is.asn = 64500;
    cr_expect(!place_moved(&was, &is));
    is.ip = (struct ip){{0x20, 1, 0xd, 0xb8}, false};
    cr_expect(!place_moved(&was, &is), "a phone with two stacks");
}

// ---- Who hides ---------------------------------------------------------------------------------

static const struct {
    const char *name;
    uint16_t flags, unsure;
    double evidence;
    bool missing;
} HIDING[] = {
    {"one's own egress that a database calls hosting", SIGHT_OWN_EGRESS | SIGHT_HOSTING, 0, 0, false},
    {"one's own egress that a database calls a VPN", SIGHT_OWN_EGRESS | SIGHT_ANONYMOUS | SIGHT_VPN, 0, 0,
     false},
    {"one's own egress, whatever is not known", SIGHT_OWN_EGRESS, SIGHT_TOR | SIGHT_VPN, 0, false},
    {"a carrier is no disguise", SIGHT_CARRIER, 0, 0, false},
    {"nothing, and all is known", 0, 0, 0, false},
    {"nothing, but the list of Tor is stale", 0, SIGHT_TOR | SIGHT_ANONYMOUS, 0, true},
    {"nothing, but a list of hosting is stale", 0, SIGHT_HOSTING, 0, true},
    {"what relieves is not missing", 0, SIGHT_OWN_EGRESS | SIGHT_RELAY | SIGHT_CARRIER, 0, false},
    {"something, and more may be", SIGHT_HOSTING, SIGHT_TOR, 0.75, false},
    {"the worst", SIGHT_TOR, SIGHT_VPN, 1.5, false},
};

static const struct risk_model *strict(struct arena *arena)
{
    static const struct source SOURCE = {
        {"risk.yaml", 9},
        {"apiVersion: pdp/v1\nkind: RiskModel\nmetadata: {name: ours}\nsignals:\n"
         "  anonymous-network: {on_missing: deny}\n",
         100}};
    struct source source = SOURCE;
    struct conf_doc *docs = NULL;
    const struct risk_model *made = NULL;
    size_t count = 0;
    struct diags diags;
    source.text.len = strlen(source.text.at);
    arena_init(arena, 0, 0);
    diags_init(&diags, 4);
    cr_assert_eq(conf_parse(&source, arena, &diags, &docs, &count), PDP_ERR_OK);
    cr_assert_eq(risk_model_read(docs, count, NULL, NULL, 0, arena, &diags, &made), PDP_ERR_OK);
    diags_fini(&diags);
    return made;
}

Test(risk_networks, weigh_who_hides)
{
    struct arena arena;
    const struct risk_model *deny = strict(&arena);
    for (size_t i = 0; i < COUNT_OF(HIDING); i++) {
        struct sighting seen = berlin(T0);
        seen.flags |= HIDING[i].flags;
        struct known known = {0};
        struct risk_input in = {
            .now_ms = T0, .counts = true, .seen = &seen, .unsure_networks = HIDING[i].unsure};
        struct risk_result out = score(&known, in);
        cr_expect_eq(evidence(&out, "anonymous-network"), HIDING[i].evidence, "%s", HIDING[i].name);
        known = (struct known){0};
        risk_score(deny, &in, &known.session, &known.user, &arena, true, &out);
        cr_expect_eq(out.deny, HIDING[i].missing, "%s", HIDING[i].name);
        in.event = EVENT_LOGIN;
        risk_score(deny, &in, &known.session, &known.user, &arena, true, &out);
        cr_expect(!out.deny, "%s: an event need not tell", HIDING[i].name);
    }
    arena_fini(&arena);
}
