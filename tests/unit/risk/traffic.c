// SPDX-License-Identifier: Apache-2.0
#include "risk/traffic.h"

#include <criterion/criterion.h>
#include <math.h>

static struct arena arena;
static struct traffic traffic;

static void build(const struct traffic_question *questions, size_t count, uint32_t sessions, uint32_t users)
{
    arena_init(&arena, 0, 0);
    cr_assert_eq(traffic_build(questions, count, sessions, users, &arena, &traffic), PDP_ERR_OK);
}

// Three sessions of two users, one question of nobody.
static const struct traffic_question QUESTIONS[] = {
    {.score = 3, .session = 1, .user = 1, .known = true},
    {.score = 64, .hard = 4, .session = 1, .user = 1, .known = true, .attack = true},
    {.score = 3, .session = 2, .user = 1},
    {.score = 40, .hard = -1, .session = 3, .user = 2, .known = true},
    {.score = 100, .hard = 9},
};

Test(risk_traffic, counts_questions_sessions_and_users)
{
    struct traffic_rates rates;
    build(QUESTIONS, COUNT_OF(QUESTIONS), 3, 2);
    cr_expect_eq(traffic.sessions.count, (size_t)3);
    cr_expect_eq(traffic.users.count, (size_t)2);
    cr_expect_eq(traffic.bins[0], (size_t)2);
    cr_expect_eq(traffic.bins[12], (size_t)1);
    cr_expect_eq(traffic.bins[TRAFFIC_BINS - 1], (size_t)1, "100 is in the last bin");

    traffic_rates(&traffic, 30, &rates);
    cr_expect_float_eq(rates.questions, 3.0 / 5, 1e-15);
    cr_expect_float_eq(rates.sessions, 2.0 / 3, 1e-15);
    cr_expect_float_eq(rates.users, 1, 1e-15);
    cr_expect_float_eq(rates.ended, 2.0 / 5, 1e-15, "familiarity alone ends nobody");
    cr_expect_float_eq(rates.ended_sessions, 1.0 / 3, 1e-15);
    cr_expect_float_eq(rates.ended_users, 1.0 / 2, 1e-15);
    cr_expect_float_eq(rates.attacks, 1, 1e-15);
    cr_expect_float_eq(rates.others, 1.0 / 2, 1e-15);
    cr_expect_eq(rates.question_count, (size_t)3);

    traffic_rates(&traffic, 64.5, &rates);
    cr_expect_float_eq(rates.sessions, 0, 1e-15);
    cr_expect_float_eq(rates.attacks, 0, 1e-15);
    arena_fini(&arena);
}

Test(risk_traffic, stands_nothing_and_nonsense)
{
    const struct traffic_question nonsense[] = {
        {.score = NAN, .hard = NAN, .session = 99, .user = 99}, {.score = -INFINITY}, {.score = INFINITY}};
    struct traffic_rates rates;
    build(NULL, 0, 0, 0);
    traffic_rates(&traffic, 0, &rates);
    cr_expect(rates.questions == 0 && rates.sessions == 0 && rates.attacks == 0);
    arena_fini(&arena);

    build(nonsense, COUNT_OF(nonsense), 1, 1);
    cr_expect_eq(traffic.sessions.count, (size_t)0, "a number that was not announced is nobody's");
    cr_expect_eq(traffic.bins[TRAFFIC_BINS - 1], (size_t)2);
    cr_expect_eq(traffic.bins[0], (size_t)1);
    cr_expect_eq(traffic.hard_questions.count, (size_t)0);
    arena_fini(&arena);
}

Test(risk_traffic, says_where_memory_is_out)
{
    arena_init(&arena, 64, 128);
    cr_expect_eq(traffic_build(QUESTIONS, COUNT_OF(QUESTIONS), 3000, 2000, &arena, &traffic), PDP_ERR_NOMEM);
    cr_expect_null(traffic.questions.scores);
    arena_fini(&arena);
}
