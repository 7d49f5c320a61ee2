// SPDX-License-Identifier: Apache-2.0
#include "risk/travel.h"

#include "risk.h"

#define BERLIN .lat_deg = 52.52, .lon_deg = 13.40, .radius_km = 20
#define SYDNEY .lat_deg = -33.87, .lon_deg = 151.21, .radius_km = 20
#define POTSDAM .lat_deg = 52.39, .lon_deg = 13.06, .radius_km = 20
#define VAGUE .lat_deg = -33.87, .lon_deg = 151.21, .radius_km = 1000
#define CARRIER(number) .flags = SIGHT_CARRIER, .asn = (number)
#define NOWHERE .lat_deg = NAN, .lon_deg = NAN
// On the equator 1 degree is 111.195 km.
#define EQUATOR(lon) .lat_deg = 0, .lon_deg = (lon), .radius_km = 0

static const struct travel_rule RULE = {.max_kmh = 900, .max_radius_km = 200, .evidence = 4};

static const struct {
    const char *name;
    struct sighting was, is;
    bool verdict;
    double least, most;
} CASES[] = {
    {"same place, same instant", {0, BERLIN}, {0, BERLIN}, true, 0, 0},
    {"circles overlap", {0, BERLIN}, {1, POTSDAM}, true, 0, 0},
    {"a flight that exists", {0, BERLIN}, {24 * HOUR, SYDNEY}, true, 0, 0.8},
    {"half the globe in an hour", {0, BERLIN}, {HOUR, SYDNEY}, true, 3.9, 4},
    {"half the globe in no time", {0, BERLIN}, {0, SYDNEY}, true, 3.9, 4},
    {"place known too vaguely", {0, BERLIN}, {HOUR, VAGUE}, false, 0, 0},
    {"place was known too vaguely", {0, VAGUE}, {HOUR, BERLIN}, false, 0, 0},
    {"place not known", {0, BERLIN}, {HOUR, NOWHERE}, false, 0, 0},
    {"place was not known", {0, NOWHERE}, {HOUR, BERLIN}, false, 0, 0},
    {"clock went backwards", {HOUR, BERLIN}, {0, SYDNEY}, false, 0, 0},
    {"geo data changed", {0, BERLIN}, {HOUR, SYDNEY, .geo_version = 2}, false, 0, 0},
    {"a vpn", {0, BERLIN}, {HOUR, SYDNEY, .flags = SIGHT_VPN}, false, 0, 0},
    {"was a relay", {0, BERLIN, .flags = SIGHT_RELAY}, {HOUR, SYDNEY}, false, 0, 0},
    {"a satellite", {0, BERLIN}, {HOUR, SYDNEY, .flags = SIGHT_SATELLITE}, false, 0, 0},
    {"from one's own egress", {0, BERLIN, .flags = SIGHT_OWN_EGRESS}, {HOUR, SYDNEY}, false, 0, 0},
    {"to one's own egress", {0, BERLIN}, {HOUR, SYDNEY, .flags = SIGHT_OWN_EGRESS}, false, 0, 0},
    {"within a carrier", {0, BERLIN, CARRIER(1)}, {HOUR, SYDNEY, CARRIER(1)}, false, 0, 0},
    {"from carrier to carrier", {0, BERLIN, CARRIER(1)}, {HOUR, SYDNEY, CARRIER(2)}, true, 3.9, 4},
    {"carriers that nobody can tell apart",
     {0, BERLIN, CARRIER(0)},
     {HOUR, SYDNEY, CARRIER(0)},
     true,
     3.9,
     4},
    {"of a carrier in two countries",
     {0, BERLIN, CARRIER(1), .country = COUNTRY('D', 'E')},
     {HOUR, SYDNEY, CARRIER(1), .country = COUNTRY('A', 'U')},
     true,
     3.9,
     4},
    {"from a carrier's network home", {0, BERLIN, CARRIER(1)}, {HOUR, SYDNEY, .asn = 1}, true, 3.9, 4},
    {"tor is no excuse", {0, BERLIN}, {HOUR, SYDNEY, .flags = SIGHT_TOR}, true, 3.9, 4},
    {"an address that stayed",
     {0, BERLIN, .flags = SIGHT_HAS_IP},
     {HOUR, SYDNEY, .flags = SIGHT_HAS_IP},
     true,
     0,
     0},
    {"infinite coordinates", {0, BERLIN}, {HOUR, .lat_deg = INFINITY, .radius_km = 1}, false, 0, 0},
    {"a radius that is not known", {0, BERLIN}, {HOUR, .lat_deg = 1, .radius_km = NAN}, false, 0, 0},
    {"a negative radius", {0, BERLIN}, {HOUR, .lat_deg = 1, .radius_km = -5}, false, 0, 0},
    {"the whole of time", {INT64_MIN, BERLIN}, {INT64_MAX, SYDNEY}, true, 0, 0.01},
    {"the end of time", {INT64_MAX, BERLIN}, {INT64_MAX, SYDNEY}, true, 3.9, 4},
    // Where authentik went wrong. It failed only close to its limit: far beyond it must count fully.
    {"at the limit", {0, EQUATOR(0)}, {HOUR, EQUATOR(8.0939)}, true, 1.99, 2.01},
    {"twice the limit", {0, EQUATOR(0)}, {HOUR, EQUATOR(16.188)}, true, 3.98, 4},
    {"ten times the limit", {0, EQUATOR(0)}, {HOUR, EQUATOR(80.94)}, true, 3.999, 4},
    // Seconds divided by 86,400 were called hours: 3600 km in 4 hours is 900 km/h, not 21,600.
    {"hours are hours", {0, EQUATOR(0)}, {4 * HOUR, EQUATOR(32.3756)}, true, 1.99, 2.01},
    {"a walk in a day", {0, EQUATOR(0)}, {24 * HOUR, EQUATOR(8)}, true, 0, 0.02},
    // Its own tolerance was ignored: nearer than 100 km is no journey at any speed.
    {"within the tolerance", {0, EQUATOR(0)}, {1, EQUATOR(0.89)}, true, 0, 0},
    {"beyond the tolerance", {0, EQUATOR(0)}, {1, EQUATOR(0.91)}, true, 3.9, 4},
    // Missing coordinates were counted as travel from 0, 0: here they are no verdict.
    {"missing is not null island", {0, NOWHERE}, {1, BERLIN}, false, 0, 0},
};

Test(risk_travel, weighs_each_move)
{
    for (size_t i = 0; i < COUNT_OF(CASES); i++) {
        double said = NAN;
        bool verdict = travel_evidence(&RULE, &CASES[i].was, &CASES[i].is, &said);
        cr_expect_eq(verdict, CASES[i].verdict, "%s: verdict %d", CASES[i].name, verdict);
        cr_expect(said >= CASES[i].least && said <= CASES[i].most, "%s: evidence %g", CASES[i].name, said);
    }
}

Test(risk_travel, is_measured_from_the_session_and_from_the_user)
{
    struct sighting was = berlin(T0), here = berlin(T0 + HOUR), there = moved(berlin(T0 + HOUR), 64500, 0);
    there.lat_deg = -33.87;
    there.lon_deg = 151.21;
    struct risk_input in = {
        .now_ms = T0 + HOUR, .counts = true, .seen = &there, .anchor = &was, .last = &was};
    struct known known = {0};
    struct risk_result out = score(&known, in);
    cr_expect(out.travel_km > 16000 && out.travel_km < 16100, "%g km", out.travel_km);
    cr_expect(fabs(out.travel_kmh - out.travel_km) < 1e-6, "%g km/h", out.travel_kmh);
    cr_expect(evidence(&out, "impossible-travel") > 2.4 && evidence(&out, "impossible-travel") <= 2.5,
              "the session's own device: a tunnel is likelier");
    known = (struct known){0};
    there.fingerprint++;
    out = score(&known, in);
    cr_expect(out.hard > 6, "another device as well: this and half of the other's evidence");
    there.fingerprint--;

    known = (struct known){0};
    in.last = NULL;
    in.user_last = &was;
    out = score(&known, in);
    cr_expect(evidence(&out, "impossible-travel") > 2.4);
    known = (struct known){0};
    in.anchor = NULL;
    out = score(&known, in);
    cr_expect(evidence(&out, "impossible-travel") > 3.9, "a device that is not known");
    in.anchor = &was;

    known = (struct known){0};
    in.seen = &here;
    in.user_last = &there;
    in.last = &was;
    out = score(&known, in);
    cr_expect(evidence(&out, "impossible-travel") > 2.4, "the user was elsewhere just now");

    known = (struct known){0};
    in.user_last = NULL;
    in.last = NULL;
    out = score(&known, in);
    cr_expect(isnan(out.travel_km) && isnan(out.travel_kmh), "nothing to compare with");
}

// A database swapped in mid-session, and a radius of 1000 km, which 40 % of addresses have.
Test(risk_travel, survives_a_new_database_and_vague_places)
{
    struct sighting was = berlin(T0), is = berlin(T0 + MINUTE);
    is.geo_version = 2;
    is.lat_deg = 37;
    is.lon_deg = -122;
    is.country = COUNTRY('U', 'S');
    is.asn = 64999;
    struct risk_input in = {.now_ms = T0 + MINUTE, .counts = true, .seen = &is, .anchor = &was, .last = &was};
    struct known known = {0};
    struct risk_result out = score(&known, in);
    cr_expect_eq(out.signal_count, 0, "the address did not change");
    in.seen = &(struct sighting){.at_ms = T0 + MINUTE,
                                 .lat_deg = 37,
                                 .lon_deg = -122,
                                 .radius_km = 1000,
                                 .geo_version = 1,
                                 .flags = SIGHT_HAS_IP,
                                 .ip = ip4(9, 9, 9, 9)};
    out = score(&known, in);
    cr_expect_eq(evidence(&out, "impossible-travel"), 0);
    cr_expect(isnan(out.travel_kmh));
}
