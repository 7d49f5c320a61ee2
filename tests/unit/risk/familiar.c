// SPDX-License-Identifier: Apache-2.0
#include "risk/familiar.h"

#include "risk.h"

#define EPOCH POPULATION_EPOCH_MS

struct world {
    struct population *population;
    struct risk_user user;
};

// A thousand others of the same provider, twenty of another, and a user of twenty days.
static struct world world(void)
{
    struct world w = {0};
    cr_assert_eq(population_new(&w.population), PDP_ERR_OK);
    population_turn(w.population, T0 - 40 * DAY);
    for (int i = 0; i < 1020; i++) {
        struct risk_user other = {0};
        struct sighting seen = berlin(T0);
        seen.fingerprint = 5000 + (uint64_t)i;
        seen.ip = ip4(10, 0, (uint8_t)(i % 50), 1);
        if (i >= 1000) {
            seen.asn = 65000;
            seen.ip = ip4(192, 0, 2, 1);
        }
        risk_learn(&seen, T0 - 40 * DAY, &other, w.population);
    }
    for (int i = 0; i < 20; i++) {
        struct sighting own = berlin(T0);
        risk_learn(&own, T0 - (20 - i) * DAY, &w.user, w.population);
    }
    population_turn(w.population, T0);
    return w;
}

static double odds(struct world *w, const struct sighting *seen)
{
    struct risk_result out;
    risk_score(
        model(),
        &(struct risk_input){.now_ms = T0, .seen = seen, .passed_strength = -1, .population = w->population},
        NULL, &w->user, &ARENA, true, &out);
    return out.log_odds;
}

static double asked(struct world *w, const struct sighting *seen, const char *signal)
{
    struct risk_result out;
    risk_score(
        model(),
        &(struct risk_input){.now_ms = T0, .seen = seen, .passed_strength = -1, .population = w->population},
        NULL, &w->user, &ARENA, true, &out);
    return evidence(&out, signal);
}

Test(risk_familiar, what_is_known_reassures_and_what_is_rare_does_not)
{
    struct world w = world();
    struct sighting own = berlin(T0), rare = berlin(T0), stranger = berlin(T0);
    rare.asn = 65000;
    rare.ip = ip4(192, 0, 2, 9);
    stranger.asn = 65111;
    stranger.ip = ip4(203, 0, 200, 9);
    stranger.country = COUNTRY('K', 'P');
    cr_expect(asked(&w, &own, "new-network") < -0.5, "%g", asked(&w, &own, "new-network"));
    cr_expect(asked(&w, &own, "new-fingerprint") < -0.5);
    cr_expect(asked(&w, &rare, "new-network") > 0.5, "%g", asked(&w, &rare, "new-network"));
    cr_expect(asked(&w, &stranger, "new-network") > asked(&w, &rare, "new-network"));
    struct risk_user known = w.user;
    w.user = (struct risk_user){0};
    cr_expect(asked(&w, &own, "new-network") < 0.3, "of a new user the common is not odd");
    cr_expect(asked(&w, &stranger, "new-network") > 0.5, "and the rare is");
    cr_expect_eq(asked(&w, &own, "new-fingerprint"), 0, "nearly every fingerprint is rare");
    w.user = known;
    stranger.flags |= SIGHT_HOSTING;
    double hosting = odds(&w, &stranger);
    stranger.flags |= SIGHT_RELAY;
    cr_expect(hosting > odds(&w, &stranger), "a class of network that attackers come from");
    population_free(&w.population);
}

Test(risk_familiar, hours_of_the_day_are_the_users_own)
{
    struct world w = world();
    struct risk_result out;
    struct sighting own = berlin(T0);
    struct risk_input in = {.now_ms = T0, .seen = &own, .passed_strength = -1, .population = w.population};
    risk_score(model(), &in, NULL, &w.user, &ARENA, true, &out);
    double usual = evidence(&out, "unusual-hour");
    in.now_ms = T0 + 12 * HOUR;
    risk_score(model(), &in, NULL, &w.user, &ARENA, true, &out);
    cr_expect(usual < 0 && evidence(&out, "unusual-hour") > 0);
    cr_expect(usual >= -0.25 && evidence(&out, "unusual-hour") <= 0.5);
    population_free(&w.population);
}

// Slowly, and never above the threshold: it takes as many days as the user's own habits are old.
Test(risk_familiar, one_sighting_is_not_a_habit)
{
    struct world w = world();
    struct sighting thief = berlin(T0);
    thief.asn = 65111;
    thief.ip = ip4(203, 0, 200, 9);
    double before = asked(&w, &thief, "new-network");
    risk_learn(&thief, T0, &w.user, NULL);
    double once = asked(&w, &thief, "new-network");
    for (int i = 1; i < 60; i++) {
        risk_learn(&thief, T0 + i * SECOND, &w.user, NULL);
    }
    cr_expect_eq(asked(&w, &thief, "new-network"), once, "as often as one likes within an hour");
    cr_expect(before > 0 && once < before);
    struct sighting own = berlin(T0);
    cr_expect(asked(&w, &own, "new-network") < once, "what is known for long reassures more");
    population_free(&w.population);
}

// What a session shows is not excused by the user's own browser: whoever steals it copies that too.
Test(risk_familiar, reassures_the_less_the_more_the_session_shows)
{
    struct world w = world();
    struct sighting anchor = berlin(T0), tor = berlin(T0);
    tor.ip = ip4(198, 51, 100, 7);
    tor.asn = 65222;
    tor.flags |= SIGHT_TOR;
    struct risk_result calm, shown;
    struct risk_input in = {
        .now_ms = T0, .seen = &anchor, .anchor = &anchor, .passed_strength = -1, .population = w.population};
    struct risk_state state = {0};
    risk_score(model(), &in, &state, &w.user, &ARENA, true, &calm);
    in.seen = &tor;
    risk_score(model(), &in, &state, &w.user, &ARENA, true, &shown);
    cr_expect(evidence(&shown, "rare-network") > 2.5, "%g", evidence(&shown, "rare-network"));
    cr_expect(evidence(&shown, "new-fingerprint") > evidence(&calm, "new-fingerprint") / 2);
    cr_expect(shown.level >= RISK_MEDIUM);
    population_free(&w.population);
}

// An answer that is kept must not outlive the hour: counts fade and habits are told by hours.
Test(risk_familiar, holds_until_the_next_hour)
{
    struct world w = world();
    struct risk_result out;
    struct sighting own = berlin(T0);
    struct risk_input in = {.now_ms = T0, .seen = &own, .passed_strength = -1, .population = w.population};
    risk_score(model(), &in, NULL, &w.user, &ARENA, true, &out);
    int64_t next_ms = (T0 / HOUR + 1) * HOUR;
    cr_expect_eq(out.until_ms, next_ms);
    double score = out.score;
    in.now_ms = next_ms - 1;
    risk_score(model(), &in, NULL, &w.user, &ARENA, true, &out);
    cr_expect_eq(out.score, score, "nothing has changed by then");
    risk_score(model(), &in, NULL, NULL, &ARENA, true, &out);
    cr_expect_eq(out.until_ms, INT64_MAX, "nothing is known that could change");
    population_free(&w.population);
}
