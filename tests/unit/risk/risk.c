// SPDX-License-Identifier: Apache-2.0
#include "risk/risk.h"

#include "risk.h"

static uint64_t next(uint64_t *state)
{
    *state = *state * 6364136223846793005u + 1442695040888963407u;
    return *state >> 17;
}

// ---- The built-in model, as docs/RISK.md says ---------------------------------------------------

enum kind {
    HERE,
    ELSEWHERE,
    ABROAD,
    OTHER_DEVICE,
    OTHER_ADDRESS_AND_DEVICE,
    STOLEN,
    SCRIPT,
    FAR,
    TOR
};

static struct sighting seen_as(enum kind kind, int64_t at_ms)
{
    struct sighting s = berlin(at_ms), far = moved(s, 64501, COUNTRY('D', 'E'));
    struct risk_agent agent;
    switch (kind) {
    case HERE:
        return s;
    case ELSEWHERE:
        return far;
    case ABROAD:
        return moved(s, 64501, COUNTRY('F', 'R'));
    case OTHER_DEVICE:
        s.fingerprint = 12;
        return s;
    case OTHER_ADDRESS_AND_DEVICE:
        far.asn = 64500;
        far.fingerprint = 12;
        return far;
    case STOLEN:
        far.country = COUNTRY('B', 'R');
        far.fingerprint = 12;
        return far;
    case SCRIPT:
        risk_agent_read(STR("curl/8.0"), &agent);
        s.agent_family = agent.family;
        s.agent_class = agent.device;
        s.flags |= SIGHT_TOOL_AGENT;
        return s;
    case FAR:
        far.asn = 64500;
        far.lat_deg = 37.77;
        far.lon_deg = -122.42;
        return far;
    case TOR:
        far.flags |= SIGHT_TOR | SIGHT_ANONYMOUS;
        return far;
    }
    return s;
}

static const struct {
    const char *name;
    enum kind kind;
    double least, most;
    enum risk_level level;
    const char *top; // NULL: none
} ONE[] = {
    {"an ordinary request", HERE, 2, 5, RISK_LOW, NULL},
    {"another network of the country", ELSEWHERE, 3, 8, RISK_LOW, "asn-change"},
    {"another country, all of a sudden", ABROAD, 45, 48, RISK_MEDIUM, "country-change"},
    {"an updated device", OTHER_DEVICE, 10, 29, RISK_LOW, "fingerprint-change"},
    {"another device at another address", OTHER_ADDRESS_AND_DEVICE, 80, 85, RISK_HIGH, "fingerprint-change"},
    {"another device in another country", STOLEN, 90, 99.5, RISK_CRITICAL, "fingerprint-change"},
    {"a script with the browser's session", SCRIPT, 80, 85, RISK_HIGH, "tool-agent"},
    {"impossible travel of the same device", FAR, 28, 29, RISK_LOW, "impossible-travel"},
    {"tor", TOR, 28, 30, RISK_LOW, "rare-network"},
};

Test(risk_score, weighs_single_findings_as_documented)
{
    for (size_t i = 0; i < COUNT_OF(ONE); i++) {
        struct sighting anchor = berlin(T0), seen = seen_as(ONE[i].kind, T0 + MINUTE);
        struct known known = {0};
        struct risk_result out = score(&known, (struct risk_input){.now_ms = T0 + MINUTE,
                                                                   .counts = true,
                                                                   .seen = &seen,
                                                                   .anchor = &anchor,
                                                                   .last = &anchor,
                                                                   .user_last = &anchor});
        cr_expect(out.score >= ONE[i].least && out.score <= ONE[i].most, "%s: %g", ONE[i].name, out.score);
        cr_expect_eq(out.level, ONE[i].level, "%s: level %d", ONE[i].name, out.level);
        cr_expect_eq(out.level, risk_level_of(model(), out.score));
        if (ONE[i].top == NULL) {
            cr_expect_eq(out.signal_count, 0, "%s", ONE[i].name);
        } else {
            cr_assert(out.signal_count > 0, "%s", ONE[i].name);
            cr_expect(str_eq(out.signals[0].id, str_of(ONE[i].top)), "%s: " STR_FMT, ONE[i].name,
                      STR_ARG(out.signals[0].id));
        }
    }
}

// The list is the explanation, exactly: nothing else went in.
Test(risk_score, is_the_sum_of_what_it_lists)
{
    struct sighting anchor = berlin(T0), seen = seen_as(STOLEN, T0 + MINUTE);
    seen.flags |= SIGHT_TOR;
    seen.lat_deg = -23;
    seen.lon_deg = -46;
    struct known known = {
        .user = {.tags = 9, .marks = {{.tag = 3, .at_s = (uint32_t)(T0 / SECOND), .value = 4096}}}};
    struct risk_result out =
        score(&known,
              (struct risk_input){
                  .now_ms = T0 + MINUTE, .counts = true, .seen = &seen, .anchor = &anchor, .last = &anchor});
    double sum = -3.4, hard = 0;
    for (size_t i = 0; i < out.signal_count; i++) {
        sum += out.signals[i].evidence;
        bool soft =
            str_eq(out.signals[i].id, STR("other-sessions")) || str_eq(out.signals[i].id, STR("new-network"));
        hard += soft ? 0 : out.signals[i].evidence;
        cr_expect(i == 0 || out.signals[i].evidence <= out.signals[i - 1].evidence, "strongest first");
        cr_expect(out.signals[i].because.len > 0, STR_FMT, STR_ARG(out.signals[i].id));
    }
    cr_expect_eq(out.signal_count, 7);
    cr_expect(fabs(sum - out.log_odds) < 1e-12);
    cr_expect(fabs(hard - out.hard) < 1e-12);
    cr_expect(evidence(&out, "other-sessions") > 0.9, "half of what the other session had");
    cr_expect_eq(evidence(&out, "no-such-signal"), 0);
}

static const struct {
    enum kind kind;
    const char *id, *because;
} WORDS[] = {
    {ELSEWHERE, "asn-change", "AS64501, session began in AS64500"},
    {ABROAD, "country-change", "FR, session began in DE"},
    {FAR, "impossible-travel", "9066 km in 30 min: 18131 km/h"},
    {SCRIPT, "tool-agent", "curl on windows, session began with chrome on windows"},
    {OTHER_DEVICE, "fingerprint-change", "another device fingerprint than the session began with"},
    {TOR, "anonymous-network", "from Tor"},
};

Test(risk_score, says_why)
{
    for (size_t i = 0; i < COUNT_OF(WORDS); i++) {
        struct sighting anchor = berlin(T0), seen = seen_as(WORDS[i].kind, T0 + 30 * MINUTE);
        struct known known = {0};
        struct risk_result out = score(&known, (struct risk_input){.now_ms = T0 + 30 * MINUTE,
                                                                   .counts = true,
                                                                   .seen = &seen,
                                                                   .anchor = &anchor,
                                                                   .last = &anchor});
        struct str because = {NULL, 0};
        for (size_t k = 0; k < out.signal_count; k++) {
            because = str_eq(out.signals[k].id, str_of(WORDS[i].id)) ? out.signals[k].because : because;
        }
        cr_expect(str_eq(because, str_of(WORDS[i].because)), "%s: " STR_FMT, WORDS[i].id, STR_ARG(because));
    }
    struct sighting anchor = berlin(T0), odd = seen_as(OTHER_DEVICE, T0);
    struct known known = {0};
    ask(&known, T0, &anchor, &odd);
    struct risk_result out = ask(&known, T0 + 12 * MINUTE, &anchor, &anchor);
    cr_assert_eq(out.signal_count, 1);
    cr_expect(str_eq(out.signals[0].because, STR("12 min ago, fading")), STR_FMT,
              STR_ARG(out.signals[0].because));
}

// ---- Properties ---------------------------------------------------------------------------------

static bool same_result(const struct risk_result *a, const struct risk_result *b)
{
    return memcmp(&a->score, &b->score, sizeof a->score) == 0 &&
           memcmp(&a->log_odds, &b->log_odds, sizeof a->log_odds) == 0 &&
           memcmp(&a->hard, &b->hard, sizeof a->hard) == 0 && a->level == b->level;
}

static struct risk_result peek(const struct known *known, int64_t now_ms, const struct sighting *anchor)
{
    struct known copy = *known;
    struct risk_result out =
        score(&copy, (struct risk_input){.now_ms = now_ms, .seen = anchor, .anchor = anchor});
    cr_assert_eq(memcmp(&copy, known, sizeof copy), 0, "a probe moves nothing");
    return out;
}

// A session with some of everything in it.
static void some_history(struct known *known, uint64_t *state, int64_t *now)
{
    struct sighting anchor = berlin(*now);
    size_t count = 1 + (size_t)next(state) % 6;
    for (size_t i = 0; i < count; i++) {
        *now += (int64_t)(next(state) % (uint64_t)(2 * HOUR));
        struct sighting seen = seen_as((enum kind)(next(state) % 9), *now);
        static const enum event_type EVENTS[] = {EVENT_NONE,           EVENT_NONE,           EVENT_NONE,
                                                 EVENT_STEP_UP_FAILED, EVENT_STEP_UP_PASSED, EVENT_SIGNAL};
        struct risk_input in = {.now_ms = *now, .counts = true, .seen = &seen, .anchor = &anchor};
        in.event = EVENTS[next(state) % COUNT_OF(EVENTS)];
        in.passed_strength = 1 + (int32_t)(next(state) % 2);
        in.external_evidence = (double)(next(state) % 9) - 4;
        score(known, in);
    }
}

Test(risk_score, does_not_change_a_bit_when_an_interval_is_split)
{
    uint64_t state = 5;
    for (int n = 0; n < 3000; n++) {
        struct known whole = {0};
        int64_t now = T0;
        some_history(&whole, &state, &now);
        struct sighting anchor = berlin(now);
        ask(&whole, now, &anchor, &anchor); // whoever comes back here does so now
        struct known split = whole;
        int64_t end = now + (int64_t)(next(&state) % (uint64_t)(3 * DAY)) + 2;
        for (int64_t at = now; at < end; at += 1 + (int64_t)(next(&state) % (uint64_t)(end - now))) {
            peek(&split, at, &anchor);
            // A sighting that shows nothing new moves no pair; only the clock and the count of requests go
            // on.
            struct risk_result out = ask(&split, at, &anchor, &anchor);
            cr_assert(out.until_ms >= at);
        }
        cr_assert_eq(memcmp(split.session.entries, whole.session.entries, sizeof split.session.entries), 0);
        struct risk_result a = peek(&whole, end, &anchor), b = peek(&split, end, &anchor);
        cr_assert(same_result(&a, &b), "%d: %a and %a", n, a.score, b.score);
    }
}

Test(risk_score, holds_its_level_until_it_says)
{
    uint64_t state = 77;
    int said = 0;
    for (int n = 0; n < 3000; n++) {
        struct known known = {0};
        int64_t now = T0;
        some_history(&known, &state, &now);
        struct sighting anchor = berlin(now);
        struct risk_result first = peek(&known, now, &anchor);
        cr_assert(first.until_ms >= now);
        said += first.until_ms < INT64_MAX;
        int64_t span = first.until_ms < now + 400 * DAY ? first.until_ms - now : 400 * DAY;
        for (int64_t part = 1; part <= 8 && span > 0; part++) {
            struct risk_result then = peek(&known, now + span / 8 * part - (part == 8), &anchor);
            cr_assert_eq(then.level, first.level, "%d: changes before %" PRId64, n, span);
        }
    }
    cr_expect(said > 1000, "only %d say anything", said);
}

Test(risk_score, never_falls_when_the_clock_steps_back)
{
    uint64_t state = 11;
    for (int n = 0; n < 3000; n++) {
        struct known known = {0};
        int64_t now = T0;
        some_history(&known, &state, &now);
        struct sighting anchor = berlin(now);
        ask(&known, now, &anchor, &anchor);
        double before = peek(&known, now, &anchor).score;
        int64_t back = now - (int64_t)(next(&state) % (uint64_t)(30 * DAY));
        cr_assert(peek(&known, back, &anchor).score >= before, "%d", n);
        cr_assert(ask(&known, back, &anchor, &anchor).score >= before, "%d", n);
        cr_assert(peek(&known, INT64_MIN, &anchor).score >= before, "%d", n);
    }
}

Test(risk_score, gives_the_same_bytes_for_the_same_events)
{
    struct known twice[2];
    for (int i = 0; i < 2; i++) {
        uint64_t state = 123;
        twice[i] = (struct known){0};
        int64_t now = T0;
        for (int n = 0; n < 200; n++) {
            some_history(&twice[i], &state, &now);
        }
    }
    cr_expect_eq(memcmp(&twice[0], &twice[1], sizeof twice[0]), 0);
}

static uint64_t mix(uint64_t hash, const void *bytes, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        hash = (hash ^ ((const unsigned char *)bytes)[i]) * 0x100000001b3u;
    }
    return hash;
}

// Another compiler or flag that gives other scores is noticed here. Change the constant only with the model.
Test(risk_score, gives_the_same_bits_everywhere)
{
    uint64_t hash = 0xcbf29ce484222325u, state = 2026;
    for (int n = 0; n < 2000; n++) {
        struct known known = {0};
        int64_t now = T0;
        some_history(&known, &state, &now);
        struct sighting anchor = berlin(now);
        struct risk_result out = peek(&known, now + (int64_t)(next(&state) % (uint64_t)DAY), &anchor);
        hash = mix(mix(hash, &known, sizeof known), &out.score, sizeof out.score);
        hash = mix(mix(hash, &out.hard, sizeof out.hard), &out.until_ms, sizeof out.until_ms);
    }
    cr_expect_eq(hash, UINT64_C(0x5c22af08eaffe1e0), "hash is 0x%016" PRIx64, hash);
}

// What is seen at one instant is a set: its order does not matter.
Test(risk_score, does_not_depend_on_the_order_of_an_instant)
{
    uint64_t state = 31;
    for (int n = 0; n < 2000; n++) {
        struct known base = {0}, other;
        int64_t now = T0;
        some_history(&base, &state, &now);
        other = base;
        now += 1 + (int64_t)(next(&state) % (uint64_t)HOUR);
        struct sighting anchor = berlin(T0), a = seen_as((enum kind)(next(&state) % 9), now),
                        b = seen_as((enum kind)(next(&state) % 9), now);
        struct risk_input first = {.now_ms = now, .counts = true, .seen = &a, .anchor = &anchor};
        struct risk_input second = {.now_ms = now, .counts = true, .seen = &b, .anchor = &anchor};
        if (n % 3 == 0) {
            second.event = EVENT_SIGNAL;
            second.external_evidence = (double)(next(&state) % 9) - 4;
        }
        score(&base, first);
        score(&base, second);
        score(&other, second);
        score(&other, first);
        cr_assert_eq(memcmp(&base.session, &other.session, sizeof base.session), 0, "%d", n);
    }
}

Test(risk_score, takes_any_time_and_any_number)
{
    static const int64_t TIMES[] = {INT64_MIN, INT64_MIN + 1, -1, 0, 1, T0, INT64_MAX - 1, INT64_MAX};
    static const double NUMBERS[] = {NAN, INFINITY, -INFINITY, -0.0, 1e308, 5e-324, 200};
    for (size_t t = 0; t < COUNT_OF(TIMES); t++) {
        for (size_t u = 0; u < COUNT_OF(TIMES); u++) {
            for (size_t d = 0; d < COUNT_OF(NUMBERS); d++) {
                struct sighting was = berlin(TIMES[t]), is = seen_as(STOLEN, TIMES[u]);
                is.lat_deg = NUMBERS[d];
                was.lon_deg = NUMBERS[(d + t) % COUNT_OF(NUMBERS)];
                is.radius_km = NUMBERS[(d + u) % COUNT_OF(NUMBERS)];
                struct known known = {0};
                struct risk_input in = {.now_ms = TIMES[t],
                                        .counts = true,
                                        .seen = &is,
                                        .anchor = &was,
                                        .last = &was,
                                        .user_last = &was,
                                        .external_evidence = NUMBERS[d]};
                score(&known, in);
                in.now_ms = TIMES[u];
                in.event = EVENT_SIGNAL;
                struct risk_result out = score(&known, in);
                cr_assert(!isnan(out.log_odds) && !isnan(out.hard));
                cr_assert(out.until_ms >= TIMES[u]);
                struct risk_result later = peek(&known, INT64_MAX, &was);
                cr_assert(later.score > 0);
            }
        }
    }
}

Test(risk_score, works_with_nothing_at_all)
{
    struct risk_result out;
    risk_score(model(), &(struct risk_input){.now_ms = T0, .counts = true, .passed_strength = -1}, NULL, NULL,
               &ARENA, true, &out);
    cr_expect(out.score > 2 && out.score < 5);
    cr_expect_eq(out.signal_count, 0);
    cr_expect_eq(out.until_ms, INT64_MAX);
    cr_expect(!out.deny);
    struct arena none;
    arena_init(&none, 0, 1);
    struct sighting anchor = berlin(T0), seen = seen_as(STOLEN, T0);
    struct risk_state state = {0};
    risk_score(model(), &(struct risk_input){.now_ms = T0, .counts = true, .seen = &seen, .anchor = &anchor},
               &state, NULL, &none, true, &out);
    cr_expect_eq(out.signal_count, 0, "an arena that is full costs the list, not the score");
    cr_expect(out.score > 90);
    arena_fini(&none);
}

// ---- Proofs, other sessions, failures -----------------------------------------------------------

static struct risk_result pass(struct known *known, int64_t now_ms, const struct sighting *anchor,
                               const struct sighting *seen, int32_t strength)
{
    return score(known, (struct risk_input){.now_ms = now_ms,
                                            .counts = true,
                                            .seen = seen,
                                            .anchor = anchor,
                                            .event = EVENT_STEP_UP_PASSED,
                                            .passed_strength = strength});
}

Test(risk_score, a_passed_step_up_clears_and_reassures)
{
    struct sighting anchor = berlin(T0), odd = seen_as(STOLEN, T0);
    struct known known = {0};
    cr_expect_eq(ask(&known, T0, &anchor, &odd).level, RISK_CRITICAL);
    score(&known,
          (struct risk_input){.now_ms = T0, .counts = true, .event = EVENT_SIGNAL, .external_evidence = 2});
    struct risk_result out = pass(&known, T0 + MINUTE, &anchor, &odd, 1);
    cr_expect_eq(evidence(&out, "step-up-passed"), -4.5);
    cr_expect_eq(evidence(&out, "fingerprint-change"), 0, "the context is the user's own");
    cr_expect_eq(evidence(&out, "country-change"), 0);
    cr_expect(evidence(&out, "external") > 1.9, "what another system found is not unsaid by it");
    cr_expect(out.score < 3.2 && out.hard < 0);
    cr_expect(out.until_ms < INT64_MAX || out.level == RISK_LOW);

    // A weaker proof after a stronger one takes nothing back; a proof that is none does nothing.
    out = pass(&known, T0 + 2 * MINUTE, &anchor, &odd, 2);
    cr_expect_eq(evidence(&out, "step-up-passed"), -6);
    out = pass(&known, T0 + 2 * MINUTE, &anchor, &odd, 1);
    cr_expect_eq(evidence(&out, "step-up-passed"), -6);
    struct known fresh = {0};
    cr_expect_eq(evidence(&(struct risk_result){0}, "step-up-passed"), 0);
    out = pass(&fresh, T0, &anchor, &anchor, -1);
    cr_expect_eq(out.signal_count, 0);
    out = pass(&fresh, T0, &anchor, &anchor, 3);
    cr_expect_eq(out.signal_count, 0);
}

Test(risk_score, reassurance_that_fades_raises_risk)
{
    struct sighting anchor = berlin(T0), odd = seen_as(STOLEN, T0);
    struct known known = {0};
    pass(&known, T0, &anchor, &anchor, 2);
    struct risk_result out = ask(&known, T0, &anchor, &odd);
    cr_expect_eq(out.level, RISK_LOW);
    cr_assert(out.until_ms < T0 + 2 * DAY, "the rise is foreseen");
    // The suspicion is refreshed all along; the reassurance is not.
    struct risk_result later = ask(&known, T0 + DAY, &anchor, &odd);
    cr_expect(later.score > out.score && later.level > RISK_LOW, "%g", later.score);
}

Test(risk_score, moves_the_anchor_to_what_was_verified)
{
    struct sighting anchor = berlin(T0), last = seen_as(STOLEN, T0 + MINUTE),
                    event = {.at_ms = T0 + 2 * MINUTE};
    event.lat_deg = event.lon_deg = event.radius_km = NAN;
    struct known known = {0};
    ask(&known, T0 + MINUTE, &anchor, &last);
    pass(&known, T0 + 2 * MINUTE, &anchor, &event, 1);
    risk_anchor_move(&anchor, &last, &event);
    cr_expect_eq(anchor.fingerprint, last.fingerprint);
    cr_expect_eq(anchor.country, last.country);
    cr_expect_eq(anchor.lat_deg, last.lat_deg);
    cr_expect_eq(anchor.flags, last.flags);
    cr_expect_eq(anchor.at_ms, event.at_ms);
    struct risk_result out = ask(&known, T0 + 3 * MINUTE, &anchor, &last);
    cr_expect_eq(out.signal_count, 1, "only the reassurance");
    risk_anchor_move(&anchor, NULL, NULL);
    cr_expect_eq(anchor.fingerprint, last.fingerprint);
}

Test(risk_score, carries_over_to_the_users_other_sessions)
{
    struct sighting anchor = berlin(T0), odd = seen_as(STOLEN, T0);
    struct known a = {0}, b = {0};
    ask(&a, T0, &anchor, &anchor);
    ask(&a, T0 + MINUTE, &anchor, &odd);
    struct risk_result own = ask(&a, T0 + 2 * MINUTE, &anchor, &odd);
    cr_expect_eq(evidence(&own, "other-sessions"), 0, "a session is none of its own others");
    b.user = a.user;
    struct risk_result out = ask(&b, T0 + 2 * MINUTE, &anchor, &anchor);
    cr_expect_eq(evidence(&out, "other-sessions"), 2, "half of it, capped");
    cr_expect_eq(out.hard, 0, "which ends nobody's session");
    cr_expect_eq(out.level, RISK_LOW);
    out = ask(&b, T0 + 2 * DAY, &anchor, &anchor);
    cr_expect(evidence(&out, "other-sessions") > 0.7 && evidence(&out, "other-sessions") < 0.8, "%g",
              evidence(&out, "other-sessions"));
    a.user = b.user;
    pass(&a, T0 + 2 * DAY, &anchor, &odd, 1);
    b.user = a.user;
    out = ask(&b, T0 + 2 * DAY, &anchor, &anchor);
    cr_expect_eq(evidence(&out, "other-sessions"), 0, "it was the user after all");
}

Test(risk_score, remembers_the_worst_of_many_sessions)
{
    struct sighting anchor = berlin(T0);
    struct risk_user user = {0};
    for (int i = 0; i < 40; i++) {
        struct known known = {.user = user};
        struct sighting seen = seen_as(i == 3 ? STOLEN : ELSEWHERE, T0 + i);
        ask(&known, T0 + i, &anchor, &seen);
        user = known.user;
        cr_expect_eq(known.session.tag, (uint32_t)(i + 1));
    }
    struct known known = {.user = user};
    struct risk_result out = ask(&known, T0 + MINUTE, &anchor, &anchor);
    cr_expect_eq(evidence(&out, "other-sessions"), 2, "%g", evidence(&out, "other-sessions"));
}

Test(risk_score, lesser_sessions_push_no_worse_one_out)
{
    struct sighting anchor = berlin(T0), stolen = seen_as(STOLEN, T0), other = seen_as(ELSEWHERE, T0);
    struct risk_user user = {0};
    for (int i = 0; i < USER_SESSIONS + 1; i++) {
        struct known known = {.user = user};
        ask(&known, T0, &anchor, i < USER_SESSIONS ? &stolen : &other);
        user = known.user;
    }
    for (size_t i = 0; i < USER_SESSIONS; i++) {
        cr_expect_eq(user.marks[i].tag, i + 1);
        cr_expect_eq(user.marks[i].value, 6 * 2048);
    }
}

Test(risk_score, reassurance_does_not_come_back_with_the_clock)
{
    struct sighting anchor = berlin(T0);
    struct known known = {0};
    pass(&known, T0, &anchor, &anchor, 2);
    struct risk_result out = ask(&known, T0 + 8 * HOUR, &anchor, &anchor);
    cr_expect_eq(evidence(&out, "step-up-passed"), -3);
    out = ask(&known, T0, &anchor, &anchor);
    cr_expect_eq(evidence(&out, "step-up-passed"), -3);
    cr_expect_eq(out.signal_count, 1);
}

Test(risk_score, a_failed_login_touches_nobody)
{
    struct sighting anchor = berlin(T0), odd = seen_as(STOLEN, T0);
    struct known known = {0};
    struct risk_result out = score(
        &known,
        (struct risk_input){
            .now_ms = T0, .counts = true, .seen = &odd, .anchor = &anchor, .event = EVENT_LOGIN_FAILED});
    cr_expect_eq(out.signal_count, 0);
    static const struct known ZERO;
    cr_expect_eq(memcmp(&known, &ZERO, sizeof known), 0);
    out = score(&known, (struct risk_input){.now_ms = T0, .counts = true, .event = EVENT_STEP_UP_FAILED});
    cr_expect_eq(evidence(&out, "step-up-failed"), 2.5);
    cr_expect_eq(out.level, RISK_LOW);
}
