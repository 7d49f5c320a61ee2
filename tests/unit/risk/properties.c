// SPDX-License-Identifier: Apache-2.0
// What must hold for every model, state and input: found in random ones. Only the public functions and sizes
// are used, so that what a state is made of may change.
#include "base/num.h"

#include "risk/state.h"

#include "drawn.h"

#include <inttypes.h>
#include <stdlib.h>

enum {
    CASES = 4000, // of each property
    STEPS = 8     // of a history, at most
};
#define SECOND INT64_C(1000)
#define HOUR INT64_C(3600000)
#define T0 INT64_C(1795370000000)

TestSuite(risk_properties, .init = make_models);

// ---- States and inputs -------------------------------------------------------------------------------

struct known {
    _Alignas(16) unsigned char session[RISK_SESSION_BYTES], user[RISK_USER_BYTES];
};

static uint16_t land(char a, char b)
{
    return (uint16_t)((unsigned)a << 8 | (unsigned char)b);
}

// Values come from small sets, so that some meet.
static struct sighting ordinary(int64_t at_ms)
{
    static const double LATS[] = {52.52, 48.86, -33.87, 40.71, 0, 90, -90};
    static const double LONS[] = {13.40, 2.35, 151.21, -74.0, 0, 180, -180};
    static const double RADII[] = {0, 5, 20, 100, 200, 1000};
    size_t place = below(COUNT_OF(LATS));
    struct sighting s = {.at_ms = at_ms,
                         .lat_deg = LATS[place],
                         .lon_deg = LONS[place],
                         .radius_km = RADII[below(COUNT_OF(RADII))],
                         .asn = (uint32_t)(64500 + below(3)),
                         .country = one_in(2) ? land('D', 'E') : land('F', 'R'),
                         .geo_version = 1,
                         .fingerprint = 1 + below(3)};
    s.agent_family = (uint16_t)(1 + below(3));
    s.agent_os = (uint16_t)(1 + below(3));
    s.agent_version = (uint16_t)(100 + below(3));
    s.agent_class = (uint8_t)below(SIGHT_CLASS_COUNT);
    for (size_t i = 0; i < SIGHT_COMPONENTS; i++) {
        s.components[i] = (uint16_t)below(3);
    }
    s.ip = (struct ip){{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 192, 0, 2, (uint8_t)below(4)}, true};
    if (one_in(4)) {
        s.ip = (struct ip){{0x20, 1, 0xd, 0xb8, 0, 0, 0, (uint8_t)below(3), (uint8_t)below(3)}, false};
    }
    s.flags = SIGHT_HAS_IP | SIGHT_HAS_FINGERPRINT | SIGHT_HAS_AGENT;
    return s;
}

static struct sighting some_sighting(int64_t at_ms)
{
    struct sighting s = ordinary(at_ms);
    if (one_in(2)) {
        s.flags = (uint16_t)(s.flags | 1u << below(14));
    }
    if (one_in(6)) {
        s.flags = (uint16_t)(s.flags & ~(1u << below(14)));
    }
    if (one_in(8)) {
        s.lat_deg = s.lon_deg = s.radius_km = NAN;
    }
    if (one_in(8)) {
        s.asn = s.country = 0;
    }
    s.geo_version += one_in(8);
    return s;
}

static double any_double(void)
{
    static const double ODD[] = {NAN,   INFINITY, -INFINITY, -0.0,       0,
                                 1e308, -1e308,   5e-324,    90.0000001, 1e-300};
    if (one_in(2)) {
        return ODD[below(COUNT_OF(ODD))];
    }
    uint64_t bits = draw();
    double value;
    memcpy(&value, &bits, sizeof value);
    return one_in(2) ? value : between(-400, 400);
}

static int64_t any_time(void)
{
    static const int64_t ODD[] = {INT64_MIN, INT64_MIN + 1,   -1, 0, 1, INT64_MAX - 1,
                                  INT64_MAX, 4294967295000LL, T0};
    return one_in(2) ? ODD[below(COUNT_OF(ODD))] : one_in(2) ? (int64_t)draw() : T0 + (int64_t)below(1 << 30);
}

static struct sighting any_sighting(void)
{
    struct sighting s = some_sighting(any_time());
    s.lat_deg = one_in(3) ? s.lat_deg : any_double();
    s.lon_deg = one_in(3) ? s.lon_deg : any_double();
    s.radius_km = one_in(3) ? s.radius_km : any_double();
    s.asn = one_in(2) ? s.asn : (uint32_t)draw();
    s.country = one_in(2) ? s.country : (uint16_t)draw();
    s.geo_version = one_in(2) ? s.geo_version : (uint16_t)draw();
    s.fingerprint = one_in(2) ? s.fingerprint : draw();
    s.flags = one_in(2) ? s.flags : (uint16_t)draw();
    s.agent_version = (uint16_t)draw();
    s.components[below(SIGHT_COMPONENTS)] = (uint16_t)draw();
    return s;
}

// An input with the sightings that it points at.
struct given {
    struct risk_input in;
    struct sighting seen, anchor, last, user_last;
};

static void join(struct given *g)
{
    g->in.seen = g->in.seen != NULL ? &g->seen : NULL;
    g->in.anchor = g->in.anchor != NULL ? &g->anchor : NULL;
    g->in.last = g->in.last != NULL ? &g->last : NULL;
    g->in.user_last = g->in.user_last != NULL ? &g->user_last : NULL;
}

static struct given copy(const struct given *g)
{
    return *g;
}

static void draw_input(struct given *g, int64_t now_ms, enum event_type event)
{
    *g = (struct given){.seen = some_sighting(now_ms),
                        .anchor = some_sighting(num_sub_sat(now_ms, HOUR)),
                        .last = some_sighting(num_sub_sat(now_ms, (int64_t)below(10 * (uint64_t)HOUR))),
                        .user_last = some_sighting(num_sub_sat(now_ms, (int64_t)below(10 * (uint64_t)HOUR)))};
    g->in = (struct risk_input){.now_ms = now_ms, .event = event, .counts = true, .passed_strength = -1};
    g->in.seen = one_in(10) ? NULL : &g->seen;
    g->in.anchor = one_in(6) ? NULL : &g->anchor;
    g->in.last = one_in(6) ? NULL : &g->last;
    g->in.user_last = one_in(3) ? NULL : &g->user_last;
    g->in.external_evidence = event == EVENT_SIGNAL ? between(-8, 8) : 0;
    g->in.unsure_networks = one_in(4) ? (uint32_t)(1u << below(14)) : 0;
    if (event == EVENT_STEP_UP_PASSED) {
        g->in.passed_strength = (int32_t)below(4) - 1;
    }
}

static enum event_type some_event(void)
{
    static const enum event_type EVENTS[] = {EVENT_NONE,           EVENT_NONE,   EVENT_NONE,
                                             EVENT_STEP_UP_FAILED, EVENT_SIGNAL, EVENT_LOGIN,
                                             EVENT_STEP_UP_PASSED};
    return EVENTS[below(COUNT_OF(EVENTS))];
}

// ---- Scoring -----------------------------------------------------------------------------------------

static struct arena SCRATCH[2];

static struct risk_result run_in(struct arena *arena, const struct made *made, struct given *g,
                                 struct known *known, bool explain)
{
    struct risk_result out;
    memset(&out, 0xA5, sizeof out);
    join(g);
    arena_reset(arena);
    risk_score(made->model, &g->in, known->session, known->user, arena, explain, &out);
    return out;
}

static struct risk_result run(const struct made *made, struct given *g, struct known *known)
{
    return run_in(&SCRATCH[0], made, g, known, false);
}

// In other memory, so that a result before it can still be looked at.
static struct risk_result rerun(const struct made *made, struct given *g, struct known *known)
{
    return run_in(&SCRATCH[1], made, g, known, true);
}

static struct risk_result look(const struct made *made, struct given *g, const struct known *known)
{
    struct known moved = *known;
    g->in.counts = false;
    struct risk_result out = rerun(made, g, &moved);
    cr_assert_arr_eq(&moved, known, sizeof moved, "a probe moves nothing");
    return out;
}

// A state that some history leads to. Returns the time of its last step, which is a question.
static int64_t live(const struct made *made, struct known *known, size_t *steps)
{
    int64_t now_ms = T0 + (int64_t)below(1000000);
    size_t count = below(STEPS);
    struct given g;
    for (size_t i = 0; i < count; i++) {
        draw_input(&g, now_ms, some_event());
        (void)run(made, &g, known);
        now_ms += (int64_t)below(one_in(2) ? 2000 : 20 * (uint64_t)HOUR);
    }
    draw_input(&g, now_ms, EVENT_NONE);
    (void)run(made, &g, known);
    *steps = count;
    return now_ms;
}

static struct known lived(const struct made *made, int64_t *now_ms)
{
    struct known known = {0};
    size_t steps = 0;
    *now_ms = live(made, &known, &steps);
    return known;
}

static bool same_double(double a, double b)
{
    return memcmp(&a, &b, sizeof a) == 0;
}

// To the last bit. `until`: when the level may change is compared too.
static bool same(const struct risk_result *a, const struct risk_result *b)
{
    bool is = same_double(a->score, b->score) && same_double(a->hard, b->hard) &&
              same_double(a->log_odds, b->log_odds) && a->level == b->level && a->deny == b->deny &&
              a->signal_count == b->signal_count && a->until_ms == b->until_ms &&
              str_eq(a->missing, b->missing);
    for (size_t i = 0; is && i < a->signal_count; i++) {
        is = str_eq(a->signals[i].id, b->signals[i].id) &&
             same_double(a->signals[i].evidence, b->signals[i].evidence);
    }
    return is;
}

static bool sound(const struct made *made, const struct risk_result *out, int64_t now_ms)
{
    double sum = made->prior;
    for (size_t i = 0; i < out->signal_count; i++) {
        sum += out->signals[i].evidence;
        if (!(fabs(out->signals[i].evidence) <= 40) || out->signals[i].evidence == 0) {
            return false;
        }
    }
    return out->score >= 0 && out->score <= 100 && isfinite(out->log_odds) && isfinite(out->hard) &&
           out->level < RISK_LEVEL_COUNT && out->level == risk_level_of(made->model, out->score) &&
           out->until_ms >= now_ms && out->signal_count <= SIGNAL_COUNT && fabs(sum - out->log_odds) <= 1e-9;
}

static const struct made *some_model(void)
{
    return &MADE[below(MODELS)];
}

// Every failure names the case by which it is found again.
#define FOR_CASES(i) for (uint64_t i = 0; i < CASES && (seed_now = i * UINT64_C(1000003) + 17, true); i++)

// ---- Time --------------------------------------------------------------------------------------------

Test(risk_properties, an_interval_split_by_probes_is_the_same)
{
    FOR_CASES(i)
    {
        const struct made *made = some_model();
        int64_t now_ms = 0;
        struct known one = lived(made, &now_ms), two = one;
        struct given last, between_them;
        int64_t span = 2 + (int64_t)below(one_in(2) ? 5000 : 50 * (uint64_t)HOUR);
        draw_input(&last, now_ms + span, some_event());
        for (size_t probes = 1 + below(3); probes > 0; probes--) {
            draw_input(&between_them, now_ms + 1 + (int64_t)below((uint64_t)span - 1), some_event());
            (void)look(made, &between_them, &two);
        }
        struct given again = copy(&last);
        struct risk_result whole = run(made, &last, &one), split = rerun(made, &again, &two);
        cr_assert(same(&whole, &split), "case %" PRIu64 ": %.17g, not %.17g", i, split.log_odds,
                  whole.log_odds);
        cr_assert_arr_eq(&one, &two, sizeof one, "case %" PRIu64, i);
    }
}

// Seen is what was always seen, as far as a session's anchor and last sighting tell.
static void draw_calm(struct given *g, int64_t now_ms)
{
    struct sighting home = ordinary(now_ms);
    home.radius_km = 5;
    *g = (struct given){.seen = home, .anchor = home, .last = home, .user_last = home};
    g->in = (struct risk_input){.now_ms = now_ms,
                                .counts = true,
                                .passed_strength = -1,
                                .seen = &g->seen,
                                .anchor = &g->anchor,
                                .last = &g->last,
                                .user_last = &g->user_last};
}

Test(risk_properties, an_interval_split_by_questions_that_find_nothing_is_the_same)
{
    FOR_CASES(i)
    {
        const struct made *made = &PACED[below(MODELS)];
        int64_t now_ms = 0;
        struct known one = lived(made, &now_ms), two = one;
        struct given last, calm;
        int64_t span = 2 + (int64_t)below(one_in(2) ? 5000 : 50 * (uint64_t)HOUR);
        draw_input(&last, now_ms + span, EVENT_NONE);
        int64_t at_ms = now_ms;
        for (size_t questions = 1 + below(3); questions > 0; questions--) {
            at_ms += 1 + (int64_t)below((uint64_t)span);
            if (at_ms >= now_ms + span) {
                break;
            }
            draw_calm(&calm, at_ms);
            calm.in.seen = NULL; // nothing is seen, nothing is found, and the model counts no requests
            (void)run(made, &calm, &two);
        }
        struct given again = copy(&last);
        struct risk_result whole = run(made, &last, &one), split = rerun(made, &again, &two);
        cr_assert(same(&whole, &split), "case %" PRIu64 ": %.17g, not %.17g", i, split.log_odds,
                  whole.log_odds);
        cr_assert_arr_eq(&one, &two, sizeof one, "case %" PRIu64, i);
    }
}

Test(risk_properties, a_clock_that_steps_back_is_the_time_of_the_last_question)
{
    FOR_CASES(i)
    {
        const struct made *made = some_model();
        int64_t now_ms = 0;
        struct known one = lived(made, &now_ms), two = one;
        struct given g, back;
        draw_input(&g, now_ms, some_event());
        back = copy(&g);
        back.in.now_ms = one_in(4) ? any_time() : now_ms - 1 - (int64_t)below(100 * (uint64_t)HOUR);
        if (back.in.now_ms > now_ms) {
            continue;
        }
        struct risk_result there = run(made, &g, &one), behind = rerun(made, &back, &two);
        cr_assert(same(&there, &behind), "case %" PRIu64 ": %.17g, not %.17g", i, behind.log_odds,
                  there.log_odds);
        cr_assert_arr_eq(&one, &two, sizeof one, "case %" PRIu64, i);
    }
}

// What events found cools less at an earlier time: without reassurance nothing is lower there.
Test(risk_properties, a_clock_that_steps_back_never_lowers)
{
    FOR_CASES(i)
    {
        const struct made *made = some_model();
        struct known known = {0};
        struct given g;
        int64_t now_ms = T0;
        for (size_t steps = 1 + below(STEPS); steps > 0; steps--) {
            now_ms += (int64_t)below(one_in(2) ? 2000 : 20 * (uint64_t)HOUR);
            draw_input(&g, now_ms, one_in(2) ? EVENT_SIGNAL : EVENT_STEP_UP_FAILED);
            g.in.external_evidence = fabs(g.in.external_evidence);
            (void)run(made, &g, &known);
        }
        draw_calm(&g, now_ms);
        double before = look(made, &g, &known).log_odds;
        g.in.now_ms = now_ms - (int64_t)below(200 * (uint64_t)HOUR);
        double back = look(made, &g, &known).log_odds;
        cr_assert(back >= before, "case %" PRIu64 ": %.17g after %.17g", i, back, before);
    }
}

Test(risk_properties, the_level_stays_until_it_is_said_to)
{
    FOR_CASES(i)
    {
        const struct made *made = &PACED[below(MODELS)];
        int64_t now_ms = 0;
        struct known known = lived(made, &now_ms);
        struct given g;
        draw_calm(&g, now_ms + (int64_t)below(10 * (uint64_t)HOUR));
        struct risk_result now = look(made, &g, &known);
        int64_t from = g.in.now_ms, span = now.until_ms - from;
        span = span < 1000 * HOUR ? span : 1000 * HOUR;
        for (int k = 0; span > 0 && k < 3; k++) {
            g.in.now_ms = k == 0 ? from + span - 1 : from + (int64_t)below((uint64_t)span);
            enum risk_level then = look(made, &g, &known).level;
            cr_assert_eq(then, now.level, "case %" PRIu64 ": after %" PRId64 " of %" PRId64 " ms", i,
                         g.in.now_ms - from, span);
        }
    }
}

// ---- Order, memory, repetition -----------------------------------------------------------------------

static void shuffle(size_t *order, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        size_t other = below(i + 1);
        order[i] = order[other];
        order[other] = i;
    }
}

// The question that begins a session, so that all is known of what the session began with.
static void begin(const struct made *made, struct known *known, int64_t now_ms)
{
    struct given g;
    draw_input(&g, now_ms, EVENT_NONE);
    g.in.seen = &g.seen;
    g.in.anchor = NULL;
    for (size_t i = 0; i < SIGHT_COMPONENTS; i++) {
        g.seen.components[i] = (uint16_t)(1 + below(2));
    }
    (void)run(made, &g, known);
}

// A step-up that was passed is no signal: it says that what came before it was the user. What a session began
// with is not at once with what comes after.
Test(risk_properties, what_comes_at_once_comes_in_any_order)
{
    FOR_CASES(i)
    {
        enum {
            MANY = 5
        };
        const struct made *made = some_model();
        int64_t now_ms = 0;
        struct known one = lived(made, &now_ms), two;
        struct given all[MANY], probe;
        size_t order[MANY], count = 2 + below(MANY - 1);
        bool calms = one_in(3);
        begin(made, &one, now_ms);
        two = one;
        now_ms += (int64_t)below(one_in(2) ? 2000 : 20 * (uint64_t)HOUR);
        for (size_t k = 0; k < count; k++) {
            enum event_type event = some_event();
            draw_input(&all[k], now_ms, event == EVENT_STEP_UP_PASSED ? EVENT_STEP_UP_FAILED : event);
            all[k].in.external_evidence =
                calms ? all[k].in.external_evidence : fabs(all[k].in.external_evidence);
            all[k].in.anchor = &all[k].anchor;
        }
        shuffle(order, count);
        for (size_t k = 0; k < count; k++) {
            struct given in_order = copy(&all[k]), other = copy(&all[order[k]]);
            (void)run(made, &in_order, &one);
            (void)run(made, &other, &two);
        }
        draw_calm(&probe, now_ms + (int64_t)below(20 * (uint64_t)HOUR));
        struct risk_result a = rerun(made, &probe, &one), b = run_in(&SCRATCH[0], made, &probe, &two, false);
        cr_assert(same(&a, &b), "case %" PRIu64 ": %.17g, not %.17g", i, b.log_odds, a.log_odds);
        cr_assert_arr_eq(one.session, two.session, sizeof one.session, "case %" PRIu64, i);
        // What a session leaves to others is the most that it ever was: where more signals speak than a
        // session keeps, that depends on which gave way first.
        const struct risk_state *kept = (const struct risk_state *)(const void *)one.session;
        if (!calms && kept->entries[STATE_ENTRIES - 1].value == 0) {
            cr_assert_arr_eq(one.user, two.user, sizeof one.user, "case %" PRIu64, i);
        }
    }
}

// As bytes, in other memory, after any step; told or not; on one worker or on another.
Test(risk_properties, a_state_is_its_bytes)
{
    FOR_CASES(i)
    {
        const struct made *made = some_model();
        struct known one = {0};
        struct known *two = calloc(1, sizeof *two);
        int64_t now_ms = T0;
        size_t steps = 1 + below(STEPS);
        if (one_in(3)) { // any bytes are a state
            for (size_t k = 0; k < sizeof one; k++) {
                ((unsigned char *)&one)[k] = (unsigned char)draw();
            }
            memcpy(two, &one, sizeof one);
        }
        for (size_t k = 0; k < steps; k++) {
            struct given g, again;
            struct known *moved = calloc(1, sizeof *moved);
            draw_input(&g, now_ms, some_event());
            again = copy(&g);
            struct risk_result a = run(made, &g, &one), b = rerun(made, &again, two);
            cr_assert(same(&a, &b), "case %" PRIu64 ": %.17g, not %.17g", i, b.log_odds, a.log_odds);
            cr_assert_arr_eq(&one, two, sizeof one, "case %" PRIu64, i);
            cr_assert(sound(made, &a, now_ms), "case %" PRIu64 ": %g", i, a.log_odds);
            memcpy(moved, two, sizeof *two);
            memset(two, 0xEE, sizeof *two);
            free(two);
            two = moved;
            now_ms += (int64_t)below(one_in(2) ? 2000 : 20 * (uint64_t)HOUR);
        }
        free(two);
    }
}

// ---- Anything ----------------------------------------------------------------------------------------

Test(risk_properties, anything_has_a_score)
{
    FOR_CASES(i)
    {
        const struct made *made = some_model();
        struct known known = {0};
        if (one_in(2)) {
            for (size_t k = 0; k < sizeof known; k++) {
                ((unsigned char *)&known)[k] = one_in(8) ? 0xFF : (unsigned char)draw();
            }
        }
        for (size_t steps = 1 + below(4); steps > 0; steps--) {
            struct given g;
            draw_input(&g, any_time(), (enum event_type)below(EVENT_COUNT));
            g.seen = any_sighting();
            g.anchor = any_sighting();
            g.last = any_sighting();
            g.user_last = one_in(2) ? g.last : any_sighting();
            g.in.external_evidence = any_double();
            g.in.passed_strength = one_in(2) ? (int32_t)draw() : (int32_t)below(4);
            g.in.muted = one_in(4) ? (uint32_t)draw() : 0;
            g.in.counts = !one_in(4);
            struct known before = known;
            struct risk_result out = run(made, &g, &known);
            cr_assert(sound(made, &out, g.in.now_ms),
                      "case %" PRIu64 ": score %g, log-odds %g, until %" PRId64, i, out.score, out.log_odds,
                      out.until_ms);
            cr_assert(g.in.counts || memcmp(&before, &known, sizeof known) == 0, "case %" PRIu64, i);
        }
    }
}

// What is no number says what zero says of evidence, and nothing of a place.
Test(risk_properties, what_is_no_number_says_nothing)
{
    FOR_CASES(i)
    {
        const struct made *made = some_model();
        int64_t now_ms = 0;
        const struct known known = lived(made, &now_ms);
        struct given g;
        draw_input(&g, now_ms + (int64_t)below(HOUR), EVENT_SIGNAL);
        g.in.external_evidence = 0;
        struct known a = known, b = known;
        struct risk_result zero = run(made, &g, &a);
        g.in.external_evidence = NAN;
        struct risk_result none = rerun(made, &g, &b);
        cr_assert(same(&zero, &none), "case %" PRIu64 ": %.17g, not %.17g", i, none.log_odds, zero.log_odds);
        cr_assert_arr_eq(&a, &b, sizeof a, "case %" PRIu64, i);
        double *const odd[] = {&g.seen.lat_deg, &g.seen.lon_deg, &g.seen.radius_km};
        *odd[below(COUNT_OF(odd))] = one_in(2) ? NAN : INFINITY;
        g.in.seen = &g.seen;
        none = look(made, &g, &known);
        cr_assert(isnan(none.travel_km) && isnan(none.travel_kmh), "case %" PRIu64, i);
    }
}

// ---- More is never less ------------------------------------------------------------------------------

Test(risk_properties, stronger_evidence_never_scores_less)
{
    FOR_CASES(i)
    {
        const struct made *made = some_model();
        int64_t now_ms = 0;
        const struct known known = lived(made, &now_ms);
        struct given g;
        draw_input(&g, now_ms + (int64_t)below(10 * (uint64_t)HOUR), EVENT_SIGNAL);
        double sign = one_in(2) ? 1 : -1, weak = between(0, 8), strong = weak + between(0, 4);
        g.in.external_evidence = sign > 0 ? weak : -strong;
        struct known a = known, b = known;
        struct risk_result less = run(made, &g, &a);
        g.in.external_evidence = sign > 0 ? strong : -weak;
        struct risk_result more = rerun(made, &g, &b);
        cr_assert(weak == 0 || (more.log_odds >= less.log_odds && more.score >= less.score &&
                                more.level >= less.level),
                  "case %" PRIu64 ": %g scores %.17g, %g scores %.17g", i, sign > 0 ? weak : -strong,
                  less.log_odds, g.in.external_evidence, more.log_odds);
    }
}

Test(risk_properties, what_is_suspicious_never_relieves)
{
    static const uint16_t SUSPICIOUS[] = {SIGHT_TOR, SIGHT_PROXY, SIGHT_RESIDENTIAL_PROXY};
    FOR_CASES(i)
    {
        const struct made *made = some_model();
        int64_t now_ms = 0;
        const struct known known = lived(made, &now_ms);
        struct given g;
        draw_input(&g, now_ms + (int64_t)below(10 * (uint64_t)HOUR), EVENT_NONE);
        g.in.seen = &g.seen;
        g.seen.flags |= SIGHT_HAS_IP;
        uint16_t flag = SUSPICIOUS[below(COUNT_OF(SUSPICIOUS))];
        g.seen.flags = (uint16_t)(g.seen.flags & ~flag);
        g.in.unsure_networks = 0;
        struct risk_result less = look(made, &g, &known);
        double before = less.log_odds;
        g.seen.flags = (uint16_t)(g.seen.flags | flag);
        struct risk_result more = look(made, &g, &known);
        cr_assert(more.log_odds >= before, "case %" PRIu64 ": with 0x%x %.17g, without %.17g", i, flag,
                  more.log_odds, before);
    }
}

Test(risk_properties, levels_rise_with_the_score)
{
    for (size_t m = 0; m < MODELS; m++) {
        enum risk_level before = RISK_LOW;
        for (double score = -1; score <= 101; score += 0.01) {
            enum risk_level level = risk_level_of(MADE[m].model, score);
            cr_assert(level >= before && level < RISK_LEVEL_COUNT, "model %zu at %g", m, score);
            before = level;
        }
        cr_expect_eq(before, RISK_CRITICAL);
        cr_expect_eq(risk_level_of(MADE[m].model, NAN), RISK_CRITICAL, "what cannot be is the highest");
    }
}
