// SPDX-License-Identifier: Apache-2.0
// Two at once on one session, and all that looks like it and is not.
#include "risk/signals.h"

#include "risk.h"

// Contexts by letter.
static struct sighting context(char letter, int64_t at_ms)
{
    struct sighting s = berlin(at_ms);
    switch (letter) {
    case 'T': // another device, in another network
        s.fingerprint = 77;
        s.ip = ip4(198, 51, 100, 9);
        s.asn = 64501;
        break;
    case 'C': // another device in the same network: a cookie replayed from the same provider
        s.fingerprint = 78;
        s.ip = ip4(203, 0, 114, 9);
        break;
    case 'N': // the owner's browser, that address and all, but another device: two at one desk
        s.fingerprint = 79;
        break;
    case '6': // dual stack
        s.ip = (struct ip){{0x20, 1, 0xd, 0xb8, 1}, false};
        break;
    case 'V': // through a tunnel that nobody knows as one
        s.ip = ip4(192, 0, 2, 9);
        s.asn = 64510;
        s.country = COUNTRY('A', 'U');
        s.lat_deg = -33.87;
        s.lon_deg = 151.21;
        break;
    case 'M': // carrier
        s.ip = ip4(192, 0, 2, 10);
        s.asn = 64520;
        break;
    case 'U': // updated
        s.fingerprint = 12;
        break;
    case 'W': // updated, and elsewhere
        s.fingerprint = 12;
        s.ip = ip4(192, 0, 2, 10);
        break;
    case '-': // nothing is known
        s = (struct sighting){.at_ms = at_ms, .lat_deg = NAN, .lon_deg = NAN, .radius_km = NAN};
        break;
    default:
        break;
    }
    return s;
}

enum {
    BARE = 1,    // nobody tells a fingerprint
    TUNNELS = 2, // V is known as a VPN
    APP = 4      // every second question is the app's own, not its web view's
};

static struct sighting dressed(char letter, int64_t at_ms, int how, size_t number)
{
    struct sighting s = context(letter, at_ms);
    if ((how & BARE) != 0 && letter != '-') {
        s.agent_os = (uint16_t)(s.agent_os + (s.fingerprint >= 77));
        s.fingerprint = 0;
        s.flags &= (uint16_t)~SIGHT_HAS_FINGERPRINT;
    }
    s.flags |= (how & TUNNELS) != 0 && letter == 'V' ? SIGHT_VPN : 0;
    s.agent_family = (uint16_t)(s.agent_family + ((how & APP) != 0 && number % 2 != 0));
    return s;
}

// The evidence after questions from these contexts, so many seconds apart; the first one begins the session.
static double after(const char *letters, int gap_s, int how)
{
    struct known known = {0};
    struct sighting anchor = dressed(letters[0], T0, how, 0);
    double found = 0;
    int64_t at = T0;
    for (size_t i = 0; letters[i] != '\0'; i++, at += gap_s * SECOND) {
        struct sighting seen = dressed(letters[i], at, how, i);
        struct risk_result out = ask(&known, at, i > 0 ? &anchor : NULL, &seen);
        found = evidence(&out, "concurrent-use");
    }
    return found;
}

static const struct {
    const char *name, *letters;
    int gap_s, how;
    double least, most;
} CASES[] = {
    {"nobody else", "OOOOOOOO", 4, 0, 0, 0},
    {"one goes, another comes", "OOOTTTTT", 4, 0, 0, 0},
    {"and comes back: two at once", "OTO", 4, 0, 1.9, 2},
    {"back and forth", "OTOT", 4, 0, 3.9, 4},
    {"the thief asks more often", "OOTTTOTTTO", 4, 0, 3.9, 4},
    {"from the same provider", "OCOC", 4, 0, 3.9, 4},
    {"without fingerprints, by their systems", "OTOT", 4, BARE, 3.9, 4},
    {"slowly, one takes over from the other", "OTOTOTOT", 120, 0, 0, 0},
    {"two at one desk cannot be told", "ONONONON", 4, 0, 0, 0},
    {"dual stack", "O6O6O6O666O6O", 1, 0, 0, 0},
    {"dual stack without fingerprints", "O6O6O6O666O6O", 1, BARE, 0, 0},
    {"a split tunnel that nobody knows", "OVOVOVOVOVOV", 2, 0, 0, 0},
    {"a split tunnel without fingerprints", "OVOVOVOVOVOV", 2, BARE | TUNNELS, 0, 0},
    {"from both ends of the world, without fingerprints", "OVO", 2, BARE, 0, 0},
    {"again and again", "OVOVOVOVO", 2, BARE, 3.9, 4},
    {"Wi-Fi and cellular", "OMOMOMMMO", 2, 0, 0, 0},
    {"Wi-Fi and cellular without fingerprints", "OMOMOMMMO", 2, BARE, 0, 0},
    {"an update", "OOOUUUUU", 4, 0, 0, 0},
    {"an update while on the way", "OMOMUWUWUW", 4, 0, 0, 0},
    {"an app and its web view on two stacks", "O6O6O6O6", 1, APP | BARE, 0, 0},
    {"nothing known in between", "O-O-O-O-", 1, 0, 0, 0},
    {"nothing known in between two at once", "O-T-O-T-O", 2, 0, 3.9, 4},
};

Test(risk_concurrent, tells_two_at_once_from_one_on_the_way)
{
    for (size_t i = 0; i < COUNT_OF(CASES); i++) {
        double found = after(CASES[i].letters, CASES[i].gap_s, CASES[i].how);
        cr_expect(found >= CASES[i].least && found <= CASES[i].most, "%s: %g", CASES[i].name, found);
    }
}

Test(risk_concurrent, forgets_when_it_is_quiet)
{
    struct known known = {0};
    struct sighting anchor = context('O', T0);
    int64_t at = T0;
    // A change a quarter of an hour, each a moment after the other: never two within five minutes.
    for (size_t i = 0; i < 40; i++, at += 15 * MINUTE) {
        struct sighting before = context(i % 2 == 0 ? 'O' : 'T', at),
                        then = context(i % 2 == 0 ? 'T' : 'O', at + SECOND);
        (void)ask(&known, at, &anchor, &before);
        struct risk_result out = ask(&known, at + SECOND, &anchor, &then);
        cr_assert_eq(evidence(&out, "concurrent-use"), 0, "%zu", i);
    }
}

Test(risk_concurrent, is_moved_by_questions_that_count_alone)
{
    struct known known = {0};
    struct sighting anchor = context('O', T0), theirs = context('T', T0);
    (void)ask(&known, T0, &anchor, &anchor);
    struct known was = known;
    for (size_t i = 0; i < 10; i++) {
        struct sighting seen = i % 2 == 0 ? theirs : anchor;
        (void)score(&known, (struct risk_input){.now_ms = T0 + 1, .seen = &seen, .anchor = &anchor});
    }
    cr_expect_eq(memcmp(&was.session, &known.session, sizeof was.session), 0);
}

Test(risk_concurrent, begins_anew_with_a_proof)
{
    struct known known = {0};
    struct sighting anchor = context('O', T0), theirs = context('T', T0);
    (void)ask(&known, T0, &anchor, &anchor);
    (void)ask(&known, T0 + SECOND, &anchor, &theirs);
    (void)score(&known, (struct risk_input){.now_ms = T0 + 2 * SECOND,
                                            .event = EVENT_STEP_UP_PASSED,
                                            .counts = true,
                                            .seen = &anchor,
                                            .anchor = &anchor,
                                            .passed_strength = 2});
    struct risk_result out = ask(&known, T0 + 3 * SECOND, &anchor, &anchor);
    cr_expect_eq(evidence(&out, "concurrent-use"), 0);
}

Test(risk_concurrent, is_pardoned_with_what_it_was_drawn_from)
{
    struct known known = {0};
    struct sighting anchor = context('O', T0), theirs = context('T', T0);
    for (size_t i = 0; i < 6; i++) {
        (void)ask(&known, T0 + (int64_t)i * SECOND, &anchor, i % 2 == 0 ? &anchor : &theirs);
    }
    struct risk_pardons pardons;
    for (size_t i = 0; i < RISK_SIGNALS_MAX; i++) {
        pardons.at_ms[i] = T0 + 10 * SECOND;
    }
    struct risk_result out = score(&known, (struct risk_input){.now_ms = T0 + 11 * SECOND,
                                                               .counts = true,
                                                               .seen = &anchor,
                                                               .anchor = &anchor,
                                                               .pardons = &pardons});
    cr_expect_eq(evidence(&out, "concurrent-use"), 0);
    out = score(&known, (struct risk_input){.now_ms = T0 + 12 * SECOND,
                                            .counts = true,
                                            .seen = &theirs,
                                            .anchor = &anchor,
                                            .pardons = &pardons});
    cr_expect_eq(evidence(&out, "concurrent-use"), 0, "one change is none");
}

Test(risk_concurrent, says_so)
{
    struct known known = {0};
    struct sighting anchor = context('O', T0), theirs = context('T', T0);
    struct risk_result out = {0};
    for (size_t i = 0; i < 4; i++) {
        out = ask(&known, T0 + (int64_t)i * SECOND, &anchor, i % 2 == 0 ? &anchor : &theirs);
    }
    for (size_t i = 0; i < out.signal_count; i++) {
        if (str_eq(out.signals[i].id, STR("concurrent-use"))) {
            cr_expect(str_eq(out.signals[i].because,
                             STR("back and forth between two devices or places within 30 s")),
                      STR_FMT, STR_ARG(out.signals[i].because));
            return;
        }
    }
    cr_expect(false, "it is not named");
}
