// SPDX-License-Identifier: Apache-2.0
// The bugs of others, and their rules at the edges: RISK.md §2. Each case names what it guards against.
#include "risk/travel.h"

#include "risk.h"

#define NOWHERE .lat_deg = NAN, .lon_deg = NAN, .radius_km = NAN
#define EQUATOR(lon) .lat_deg = 0, .lon_deg = (lon), .radius_km = 0
#define KM_A_DEGREE 111.19508 // on the equator
#define ANYWHERE SIGHT_HAS_IP

static const struct travel_rule RULE = {.max_kmh = 900, .max_radius_km = 200, .evidence = 4};

// From 0, 0 along the equator.
static bool drive(double km, double hours, struct travel_move *move)
{
    const struct sighting was = {.at_ms = T0, EQUATOR(0)};
    const struct sighting is = {.at_ms = T0 + (int64_t)(hours * (double)HOUR + 0.5),
                                EQUATOR(km / KM_A_DEGREE)};
    return travel_measure(&RULE, &was, &is, move);
}

// ---- authentik: four bugs of its impossible travel ---------------------------------------------------

static const struct {
    const char *bug;
    double km, hours, least, most;
} AUTHENTIK[] = {
    // Its rule held only for moves near the limit: what is far beyond passed.
    {"fails only close to the limit: half of it", 450, 1, 0.15, 0.25},
    {"fails only close to the limit: just below", 890, 1, 1.8, 1.99},
    {"fails only close to the limit: at it", 900, 1, 1.99, 2.01},
    {"fails only close to the limit: just above", 910, 1, 2.01, 2.2},
    {"fails only close to the limit: twice", 1800, 1, 3.98, 4},
    {"fails only close to the limit: ten times", 9000, 1, 3.999, 4},
    {"fails only close to the limit: half the globe in a minute", 20000, 1.0 / 60, 3.999, 4},
    {"fails only close to the limit: half the globe in no time", 20000, 0, 3.999, 4},
    // 86,400 is the seconds of a day: what it called hours were days, and each flight was 24 times as fast.
    {"seconds by 86,400 called hours: a flight over an ocean", 5570, 7, 0, 1.5},
    {"seconds by 86,400 called hours: 900 km/h for four hours", 3600, 4, 1.99, 2.01},
    {"seconds by 86,400 called hours: a week", 15000, 168, 0, 0.02},
    {"seconds by 86,400 called hours: half an hour", 450, 0.5, 1.99, 2.01},
    // It had a tolerance, and compared without it.
    {"its tolerance ignored: the next town at once", 20, 0, 0, 0},
    {"its tolerance ignored: within 100 km at once", 99.9, 0, 0, 0},
    {"its tolerance ignored: beyond 100 km at once", 100.1, 0, 3.99, 4},
    {"its tolerance ignored: beyond 100 km in an hour", 120, 1, 0, 0.03},
};

Test(risk_field, authentik_speed)
{
    for (size_t i = 0; i < COUNT_OF(AUTHENTIK); i++) {
        struct travel_move move;
        cr_assert(drive(AUTHENTIK[i].km, AUTHENTIK[i].hours, &move), "%s", AUTHENTIK[i].bug);
        cr_expect(move.evidence >= AUTHENTIK[i].least && move.evidence <= AUTHENTIK[i].most, "%s: %g",
                  AUTHENTIK[i].bug, move.evidence);
        cr_expect(move.km > AUTHENTIK[i].km - 0.1 && move.km < AUTHENTIK[i].km + 0.1, "%s: %g km",
                  AUTHENTIK[i].bug, move.km);
    }
}

// However fast, faster is never less: over the whole range, the limit and both its sides.
Test(risk_field, authentik_faster_is_never_less)
{
    double before = 0;
    for (double km = 0; km <= 20000; km += 7) {
        struct travel_move move;
        cr_assert(drive(km, 1, &move));
        cr_assert(move.evidence >= before, "%g km in an hour: %g after %g", km, move.evidence, before);
        before = move.evidence;
    }
}

static const struct {
    const char *bug;
    struct sighting was, is;
} NOT_PLACED[] = {
    {"missing coordinates counted as travel: was", {T0, NOWHERE}, {T0 + 1, EQUATOR(90)}},
    {"missing coordinates counted as travel: is", {T0, EQUATOR(90)}, {T0 + 1, NOWHERE}},
    {"missing coordinates counted as travel: both", {T0, NOWHERE}, {T0 + 1, NOWHERE}},
    {"missing coordinates counted as travel: latitude alone",
     {T0, .lat_deg = 0, .lon_deg = NAN, .radius_km = 1},
     {T0 + 1, EQUATOR(90)}},
    {"missing coordinates counted as travel: longitude alone",
     {T0, .lat_deg = NAN, .lon_deg = 0, .radius_km = 1},
     {T0 + 1, EQUATOR(90)}},
    {"missing coordinates counted as travel: no radius",
     {T0, .lat_deg = 0, .lon_deg = 0, .radius_km = NAN},
     {T0 + 1, EQUATOR(90)}},
    {"a radius of 1000 km", {T0, EQUATOR(0)}, {T0 + 1, .lat_deg = 0, .lon_deg = 90, .radius_km = 1000}},
    {"a radius of 1000 km, before",
     {T0, .lat_deg = 0, .lon_deg = 90, .radius_km = 1000},
     {T0 + 1, EQUATOR(0)}},
    {"a radius just over the most",
     {T0, EQUATOR(0)},
     {T0 + 1, .lat_deg = 0, .lon_deg = 90, .radius_km = 200.001}},
    {"a geo database swapped mid-session, the address too",
     {T0, EQUATOR(0), .geo_version = 1, .flags = ANYWHERE},
     {T0 + 1, EQUATOR(90), .geo_version = 2, .flags = ANYWHERE, .ip.v4 = true}},
    {"a geo database swapped mid-session, the address stays",
     {T0, EQUATOR(0), .geo_version = 1, .flags = ANYWHERE},
     {T0 + 1, EQUATOR(90), .geo_version = 2, .flags = ANYWHERE}},
    {"beyond the poles", {T0, EQUATOR(0)}, {T0 + 1, .lat_deg = 90.001, .lon_deg = 0, .radius_km = 0}},
    {"beyond the date line", {T0, EQUATOR(0)}, {T0 + 1, .lat_deg = 0, .lon_deg = -180.001, .radius_km = 0}},
};

Test(risk_field, a_place_that_is_not_known_is_no_journey)
{
    for (size_t i = 0; i < COUNT_OF(NOT_PLACED); i++) {
        struct travel_move move = {9, 9, 9, 9};
        double evidence = 9;
        cr_expect(!travel_measure(&RULE, &NOT_PLACED[i].was, &NOT_PLACED[i].is, &move), "%s",
                  NOT_PLACED[i].bug);
        cr_expect(move.km == 0 && move.kmh == 0 && move.ms == 0 && move.evidence == 0, "%s",
                  NOT_PLACED[i].bug);
        cr_expect(!travel_evidence(&RULE, &NOT_PLACED[i].was, &NOT_PLACED[i].is, &evidence), "%s",
                  NOT_PLACED[i].bug);
        cr_expect_eq(evidence, 0, "%s", NOT_PLACED[i].bug);
    }
}

// The same in a score: nothing is added, and no condition reads a speed.
Test(risk_field, and_scores_nothing)
{
    for (size_t i = 0; i < COUNT_OF(NOT_PLACED); i++) {
        const struct risk_input in = {.now_ms = T0 + 1,
                                      .counts = true,
                                      .seen = &NOT_PLACED[i].is,
                                      .last = &NOT_PLACED[i].was,
                                      .user_last = &NOT_PLACED[i].was};
        struct known known = {0};
        struct risk_result out = score(&known, in);
        cr_expect_eq(evidence(&out, "impossible-travel"), 0, "%s", NOT_PLACED[i].bug);
        cr_expect(isnan(out.travel_km) && isnan(out.travel_kmh), "%s", NOT_PLACED[i].bug);
        cr_expect_eq(out.level, RISK_LOW, "%s", NOT_PLACED[i].bug);
    }
}

// As score(), of very many questions: without words, and with nothing kept but what counts.
static struct risk_result quiet(struct known *known, struct risk_input in)
{
    static struct arena scratch;
    struct risk_result out;
    in.passed_strength = -1;
    arena_reset(&scratch);
    risk_score(model(), &in, &known->session, &known->user, &scratch, false, &out);
    return out;
}

// ---- ModSecurity: what is updated often never cools ---------------------------------------------------

// Evidence of `kind`, then a question each `every` for `span`: what is left must be what is left of a session
// that nobody asked about, to the last bit.
static double left_after(enum event_type event, int64_t every, int64_t span)
{
    struct known known = {0};
    struct sighting home = berlin(T0), other = moved(berlin(T0), 64501, COUNTRY('F', 'R'));
    other.fingerprint++;
    struct risk_input in = {.now_ms = T0,
                            .counts = true,
                            .event = event,
                            .external_evidence = 4,
                            .seen = event == EVENT_NONE ? &other : NULL,
                            .anchor = &home};
    (void)score(&known, in);
    in = (struct risk_input){.now_ms = T0, .counts = true, .seen = &home, .anchor = &home};
    for (int64_t at = every; every > 0 && at < span; at += every) {
        in.now_ms = T0 + at;
        (void)quiet(&known, in);
    }
    in.now_ms = T0 + span;
    in.counts = false;
    return quiet(&known, in).log_odds;
}

Test(risk_field, modsecurity_updated_often_it_still_cools)
{
    static const enum event_type EVENTS[] = {EVENT_NONE, EVENT_STEP_UP_FAILED, EVENT_SIGNAL};
    // Slower than the rate's own limit, and not in whole seconds, where integers lose what is left over.
    static const int64_t EVERY[] = {433, 617, 999, 1001, 60 * SECOND, 3 * HOUR};
    for (size_t e = 0; e < COUNT_OF(EVENTS); e++) {
        double alone = left_after(EVENTS[e], 0, 6 * HOUR), begun = left_after(EVENTS[e], 0, 1);
        cr_expect_lt(alone, begun - 0.5, "event %d has cooled: %g of %g", (int)EVENTS[e], alone, begun);
        for (size_t i = 0; i < COUNT_OF(EVERY); i++) {
            double asked = left_after(EVENTS[e], EVERY[i], 6 * HOUR);
            cr_expect_eq(asked, alone, "event %d, every %" PRId64 " ms: %.17g, not %.17g", (int)EVENTS[e],
                         EVERY[i], asked, alone);
        }
    }
}

// Weaker evidence that comes again and again does not keep stronger evidence warm.
Test(risk_field, modsecurity_weaker_evidence_keeps_nothing_warm)
{
    struct sighting home = berlin(T0), far = moved(berlin(T0), 64501, COUNTRY('D', 'E')), drifted = home;
    far.fingerprint++;
    drifted.fingerprint++;
    struct known known = {0};
    struct risk_result out = ask(&known, T0, &home, &far);
    double first = evidence(&out, "fingerprint-change");
    double last = first;
    for (int64_t at = MINUTE; at <= 48 * HOUR; at += 10 * MINUTE) {
        out = ask(&known, T0 + at, &home, &drifted);
        cr_assert(evidence(&out, "fingerprint-change") <= last, "it grew at %" PRId64, at);
        last = evidence(&out, "fingerprint-change");
    }
    cr_expect_eq(last, evidence(&out, "fingerprint-change"));
    cr_expect(last > 0 && last < first / 2, "%g of %g", last, first);
}

// What is smallest is not stuck where integers would round it to itself: in the end it is nothing.
Test(risk_field, modsecurity_the_last_bit_fades_too)
{
    struct known known = {0};
    struct risk_input in = {
        .now_ms = T0, .counts = true, .event = EVENT_SIGNAL, .external_evidence = 1.0 / 2048};
    (void)score(&known, in);
    in = (struct risk_input){.now_ms = T0, .counts = true};
    double before = 1;
    for (int day = 1; day <= 60; day++) {
        in.now_ms = T0 + day * DAY;
        struct risk_result out = score(&known, in);
        double left = evidence(&out, "external");
        cr_assert(left < before, "day %d: %g after %g", day, left, before);
        before = left;
    }
    cr_expect(before < 1e-12, "%g", before);
}

// A burst that is over cools while questions go on at an ordinary pace.
Test(risk_field, modsecurity_a_burst_cools_under_questions)
{
    struct known known = {0};
    struct risk_result out = {0};
    for (int i = 0; i < 500; i++) {
        out = quiet(&known, (struct risk_input){.now_ms = T0 + i * 10, .counts = true});
    }
    double burst = evidence(&out, "request-rate");
    cr_expect_eq(burst, 3);
    for (int i = 0; i < 7200; i++) {
        out = quiet(&known, (struct risk_input){.now_ms = T0 + 5 * SECOND + i * SECOND, .counts = true});
    }
    cr_expect(evidence(&out, "request-rate") < 0.01, "%g", evidence(&out, "request-rate"));
}

// ---- A geo database swapped mid-session ---------------------------------------------------------------

// All that a database tells is other; `moves`: so is the address. Then it is swapped back.
static void swap_database(bool moves, struct risk_result out[static 3])
{
    struct known known = {0};
    struct sighting anchor = berlin(T0), was = berlin(T0 + MINUTE), now = was, back = was;
    now.geo_version = 2;
    now.lat_deg = -33.87;
    now.lon_deg = 151.21;
    now.country = COUNTRY('A', 'U');
    now.asn = 64999;
    now.at_ms = T0 + 2 * MINUTE;
    back.at_ms = T0 + 3 * MINUTE;
    if (moves) {
        now.ip = ip4(203, 0, 113, 8);
    }
    const struct sighting *seen[3] = {&was, &now, &back}, *last[3] = {&anchor, &was, &now};
    for (size_t i = 0; i < 3; i++) {
        const struct risk_input in = {.now_ms = seen[i]->at_ms,
                                      .counts = true,
                                      .seen = seen[i],
                                      .anchor = &anchor,
                                      .last = last[i],
                                      .user_last = last[i]};
        out[i] = score(&known, in);
    }
}

Test(risk_field, a_swapped_database_moves_nobody)
{
    struct risk_result out[3];
    swap_database(false, out);
    for (size_t i = 0; i < 3; i++) {
        cr_expect_eq(out[i].signal_count, 0, "question %zu", i);
        cr_expect_eq(out[i].score, out[0].score, "question %zu", i);
    }
}

Test(risk_field, a_swapped_database_and_another_address_is_no_journey)
{
    struct risk_result out[3];
    swap_database(true, out);
    for (size_t i = 0; i < 3; i++) {
        cr_expect_eq(evidence(&out[i], "impossible-travel"), 0, "question %zu", i);
        cr_expect_eq(out[i].level, RISK_LOW, "question %zu", i);
    }
}

// ---- Rules of others, where ours must agree -----------------------------------------------------------

static const struct {
    const char *rule;
    double km, hours;
    uint16_t was, is;
    bool speaks; // it alone lifts the level
} RULES[] = {
    // All call it impossible.
    {"Okta 805, Elastic 800, Panther 900, authentik 1000 km/h: far beyond", 8000, 1, 0, 0, true},
    {"the same from Tor, which hides nobody's speed", 8000, 1, 0, SIGHT_TOR, true},
    {"Elastic: 500 km within 90 minutes, at more than twice its 800 km/h", 2700, 1.5, 0, 0, true},
    // None does.
    {"a nonstop flight, New York to London", 5570, 7, 0, 0, false},
    {"a train", 500, 2, 0, 0, false},
    {"Elastic: below its 500 km, at its speed", 400, 0.5, 0, 0, false},
    {"authentik: within its 100 km", 95, 0, 0, 0, false},
    {"Elastic: beyond its 90 minutes", 1300, 2, 0, 0, false},
    {"Okta: below its 805 km/h", 800, 1, 0, 0, false},
    // Panther's exemptions, on either side.
    {"Panther: to a VPN", 8000, 1, 0, SIGHT_VPN, false},
    {"Panther: from a VPN", 8000, 1, SIGHT_VPN, 0, false},
    {"Panther: to a relay", 8000, 1, 0, SIGHT_RELAY, false},
    {"Panther: from a relay", 8000, 1, SIGHT_RELAY, 0, false},
    {"Panther: to a satellite", 8000, 1, 0, SIGHT_SATELLITE, false},
    {"Panther: from a satellite", 8000, 1, SIGHT_SATELLITE, 0, false},
};

Test(risk_field, agrees_with_others_where_they_agree)
{
    for (size_t i = 0; i < COUNT_OF(RULES); i++) {
        struct sighting was = {
            .at_ms = T0, EQUATOR(0), .ip = ip4(192, 0, 2, 1), .geo_version = 1, .flags = SIGHT_HAS_IP};
        struct sighting is = {.at_ms = T0 + (int64_t)(RULES[i].hours * (double)HOUR),
                              EQUATOR(RULES[i].km / KM_A_DEGREE),
                              .ip = ip4(192, 0, 2, 2),
                              .geo_version = 1,
                              .flags = SIGHT_HAS_IP};
        was.flags |= RULES[i].was;
        is.flags |= RULES[i].is;
        struct known known = {0};
        const struct risk_input in = {.now_ms = is.at_ms, .counts = true, .seen = &is, .last = &was};
        struct risk_result out = score(&known, in);
        cr_expect_eq(evidence(&out, "impossible-travel") > 2 && out.level > RISK_LOW, RULES[i].speaks,
                     "%s: %g, score %g", RULES[i].rule, evidence(&out, "impossible-travel"), out.score);
    }
}

static const char *const CHROME = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like "
                                  "Gecko) Chrome/118.0.0.0 Safari/537.36";
static const char *const CHROME_NEXT = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, "
                                       "like Gecko) Chrome/119.0.0.0 Safari/537.36";
static const char *const FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:109.0) Gecko/20100101 Firefox/119.0";

static const struct {
    const char *rule, *agent;
    bool other_ip, other_print;
    enum risk_level least, most;
} STOLEN[] = {
    // Panther: one session id, a new address and an agent that is less than .95 alike.
    {"Panther: a new address, the same agent", CHROME, true, false, RISK_LOW, RISK_LOW},
    {"Panther: a new address, an agent of the next version", CHROME_NEXT, true, false, RISK_LOW, RISK_LOW},
    {"Panther: the same address, an agent of the next version", CHROME_NEXT, false, false, RISK_LOW,
     RISK_LOW},
    {"Panther: a new address and another agent, with another fingerprint", FIREFOX, true, true, RISK_HIGH,
     RISK_CRITICAL},
    // Elastic: one session, more than one address or agent, and a tool.
    {"Elastic: a tool at a new address", "curl/8.4.0", true, false, RISK_HIGH, RISK_CRITICAL},
    {"Elastic: a tool at the same address", "python-requests/2.31.0", false, false, RISK_HIGH, RISK_CRITICAL},
    {"Elastic: more than one address, and no tool", CHROME, true, false, RISK_LOW, RISK_LOW},
};

Test(risk_field, stolen_sessions)
{
    for (size_t i = 0; i < COUNT_OF(STOLEN); i++) {
        struct sighting anchor = berlin(T0), seen = berlin(T0 + MINUTE);
        struct risk_agent agent;
        risk_agent_read(str_of(STOLEN[i].agent), &agent);
        seen.agent_family = agent.family;
        seen.agent_os = agent.os;
        seen.agent_version = agent.version;
        seen.agent_class = agent.device;
        seen.flags |= agent.tool ? SIGHT_TOOL_AGENT : 0;
        seen.ip = STOLEN[i].other_ip ? ip4(203, 0, 113, 200) : seen.ip;
        seen.fingerprint += STOLEN[i].other_print;
        struct known known = {0};
        struct risk_result out = ask(&known, T0 + MINUTE, &anchor, &seen);
        cr_expect(out.level >= STOLEN[i].least && out.level <= STOLEN[i].most, "%s: score %g", STOLEN[i].rule,
                  out.score);
    }
}
