// SPDX-License-Identifier: Apache-2.0
// What a score costs, warm: median of many runs of processor time, in nanoseconds. `--json` for one line a
// figure, `--calm` for the ordinary request alone.
#include "risk/risk.h"

#include "base/fmath.h"
#include "risk/population.h"
#include "risk/state.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define RUNS 501
#define CALLS 2000

static struct arena ARENA;
static const struct risk_model *MODEL;
static struct population *POPULATION;
static volatile double SINK;

static double now_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

static int by_size(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

struct scene {
    const char *name;
    struct sighting anchor, last, user_last, seen;
    struct risk_state state;
    struct risk_user user;
    bool explain;
};

static void run_score(const struct scene *scene)
{
    struct risk_state state = scene->state;
    struct risk_user user = scene->user;
    for (int i = 0; i < CALLS; i++) {
        struct risk_input in = {.now_ms = scene->seen.at_ms + i,
                                .counts = true,
                                .seen = &scene->seen,
                                .anchor = &scene->anchor,
                                .last = &scene->last,
                                .user_last = &scene->user_last,
                                .population = POPULATION,
                                .passed_strength = -1};
        struct risk_result out;
        arena_reset(&ARENA);
        risk_score(MODEL, &in, &state, &user, &ARENA, scene->explain, &out);
        SINK = out.score;
    }
}

static void run_exp2(const struct scene *scene)
{
    (void)scene;
    for (int i = 0; i < CALLS; i++) {
        SINK = fmath_exp2(-(double)i * 0.01);
    }
}

static void run_circle(const struct scene *scene)
{
    for (int i = 0; i < CALLS; i++) {
        SINK = fmath_great_circle_km(scene->anchor.lat_deg, (double)i * 0.01, scene->seen.lat_deg, 17);
    }
}

static void run_agent(const struct scene *scene)
{
    (void)scene;
    for (int i = 0; i < CALLS; i++) {
        struct risk_agent agent;
        risk_agent_read(
            STR("Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) "
                "Chrome/118.0.0.0 Safari/537.36 Edg/118.0.2088.46"),
            &agent);
        SINK = agent.family;
    }
}

static void measure(const char *name, void (*run)(const struct scene *), const struct scene *scene, bool json)
{
    static double took[RUNS];
    for (int i = 0; i < RUNS; i++) {
        double from = now_ns();
        run(scene);
        took[i] = (now_ns() - from) / CALLS;
    }
    qsort(took, RUNS, sizeof *took, by_size);
    printf(json ? "{\"bench\": \"risk\", \"name\": \"%s\", \"median_ns\": %.1f, \"p99_ns\": %.1f}\n"
                : "%-40s %8.1f ns median %8.1f ns p99\n",
           name, took[RUNS / 2], took[RUNS * 99 / 100]);
}

static void scenes(struct scene *calm, struct scene *storm)
{
    int64_t at = 1795370000000;
    struct sighting home = {.at_ms = at,
                            .lat_deg = 52.52,
                            .lon_deg = 13.4,
                            .radius_km = 20,
                            .asn = 64500,
                            .country = 'D' << 8 | 'E',
                            .geo_version = 1,
                            .agent_family = 1,
                            .agent_os = 1,
                            .fingerprint = 11,
                            .ip = {.bytes = {[10] = 0xff, 0xff, 203, 0, 113, 7}, .v4 = true},
                            .flags = SIGHT_HAS_IP | SIGHT_HAS_FINGERPRINT | SIGHT_HAS_AGENT};
    *calm = (struct scene){.anchor = home, .last = home, .user_last = home, .seen = home};
    for (int i = 0; i < 20; i++) { // a user of twenty days
        risk_learn(&home, at - (20 - i) * INT64_C(86400000), &calm->user, POPULATION);
    }
    *storm = *calm;
    storm->last.at_ms -= 60000;
    storm->user_last.at_ms -= 90000;
    storm->user_last.lat_deg = 48;
    storm->seen.lat_deg = -33.87;
    storm->seen.lon_deg = 151.21;
    storm->seen.ip.bytes[15] = 8;
    storm->seen.asn = 64501;
    storm->seen.fingerprint = 12;
    storm->seen.agent_family = 2;
    storm->seen.flags |= SIGHT_TOR;
    // Every place holds evidence that is half gone, and three other sessions left theirs.
    for (size_t i = 0; i < STATE_ENTRIES; i++) {
        storm->state.entries[i] =
            (struct risk_entry){(uint16_t)i, 4096, (uint32_t)(at / 1000) - 3600 * (uint32_t)(i + 1)};
    }
    for (size_t i = 0; i < 3; i++) {
        storm->user.marks[i] =
            (struct user_mark){.tag = (uint16_t)(i + 5), .at_s = (uint32_t)(at / 1000) - 9000, .value = 4096};
    }
}

int main(int argc, char **argv)
{
    static const struct str STRENGTHS[] = {{"password", 8}, {"mfa", 3}};
    bool json = argc > 1 && strcmp(argv[1], "--json") == 0;
    struct diags diags;
    struct arena lasting;
    diags_init(&diags, 1);
    arena_init(&lasting, 0, 0);
    arena_init(&ARENA, 0, 0);
    if (risk_model_read(NULL, 0, NULL, STRENGTHS, 2, &lasting, &diags, &MODEL) != PDP_ERR_OK) {
        return 1;
    }
    if (population_new(&POPULATION) != PDP_ERR_OK) {
        return 1;
    }
    population_turn(POPULATION, 1795370000000);
    struct scene calm, storm;
    scenes(&calm, &storm);
    measure("score, nothing odd", run_score, &calm, json);
    if (argc > 1 && strcmp(argv[1], "--calm") == 0) {
        return 0;
    }
    measure("score, every signal speaks", run_score, &storm, json);
    storm.explain = true;
    measure("score, every signal, with words", run_score, &storm, json);
    measure("exp2", run_exp2, NULL, json);
    measure("great circle", run_circle, &storm, json);
    measure("user agent", run_agent, NULL, json);
    population_free(&POPULATION);
    arena_fini(&ARENA);
    arena_fini(&lasting);
    diags_fini(&diags);
    return 0;
}
