// SPDX-License-Identifier: Apache-2.0
#include "risk/population.h"

#include <criterion/criterion.h>

#define EPOCH POPULATION_EPOCH_MS
#define T0 (INT64_C(1795370000000) / EPOCH * EPOCH)
#define DAY INT64_C(86400000)

static struct population *made(void)
{
    struct population *population;
    cr_assert_eq(population_new(&population), PDP_ERR_OK);
    population_turn(population, T0);
    return population;
}

Test(risk_population, what_is_added_counts_from_the_epoch_after_the_next)
{
    struct population *p = made();
    population_add(p, 7);
    cr_expect_eq(population_count(p, 7), 0);
    population_turn(p, T0 + EPOCH - 1);
    population_turn(p, T0 + EPOCH);
    cr_expect_eq(population_count(p, 7), 0, "some may still add to the epoch before");
    population_add(p, 7);
    population_turn(p, T0 + 2 * EPOCH);
    cr_expect_eq(population_count(p, 7), 1);
    population_turn(p, T0 + 3 * EPOCH);
    cr_expect_eq(population_count(p, 7), 2);
    population_turn(p, T0 + EPOCH);
    cr_expect_eq(population_count(p, 7), 2, "a clock that steps back takes nothing away");
    population_free(&p);
    cr_expect_null(p);
    population_free(&p);
}

Test(risk_population, a_pause_loses_nothing)
{
    struct population *p = made();
    population_add(p, 7);
    population_turn(p, T0 + EPOCH);
    population_add(p, 7);
    population_turn(p, T0 + 50 * EPOCH);
    cr_expect_eq(population_count(p, 7), 2);
    population_free(&p);
}

Test(risk_population, halves_every_30_days_however_often_it_is_asked)
{
    struct population *often = made(), *once = made();
    for (int i = 0; i < 1000; i++) {
        population_add(often, 7);
        population_add(once, 7);
    }
    for (int64_t at = T0; at < T0 + 95 * DAY; at += DAY / 3) {
        population_turn(often, at);
    }
    population_turn(once, T0 + DAY);
    population_turn(once, T0 + 95 * DAY - DAY / 3);
    cr_expect_eq(population_count(often, 7), 125);
    cr_expect_eq(population_count(once, 7), 125);
    population_turn(once, INT64_MAX);
    cr_expect_eq(population_count(once, 7), 0);
    population_free(&often);
    population_free(&once);
}

Test(risk_population, never_counts_too_few_and_seldom_too_many)
{
    enum {
        MANY = 100000
    };
    struct population *p = made();
    for (uint64_t key = 0; key < MANY; key++) {
        population_add(p, key * 977);
    }
    population_turn(p, T0 + 2 * EPOCH);
    uint64_t over = 0;
    for (uint64_t key = 0; key < MANY; key++) {
        uint32_t count = population_count(p, key * 977);
        cr_assert_geq(count, 1);
        over += count - 1;
    }
    cr_expect_lt(over, MANY, "%llu", (unsigned long long)over);
    population_free(&p);
}

Test(risk_population, is_saved_and_loaded_to_the_bit)
{
    struct population *was = made(), *is = made();
    for (uint64_t key = 0; key < 5000; key++) {
        population_add(was, key);
        if (key % 1000 == 0) {
            population_turn(was, T0 + (int64_t)key / 1000 * EPOCH);
        }
    }
    struct buf bytes = {0}, again = {0};
    population_save(was, &bytes);
    cr_assert_eq(population_load(is, buf_view(&bytes)), PDP_ERR_OK);
    population_save(is, &again);
    cr_expect(str_eq(buf_view(&bytes), buf_view(&again)));
    population_turn(was, T0 + 9 * EPOCH);
    population_turn(is, T0 + 9 * EPOCH);
    for (uint64_t key = 0; key < 5000; key++) {
        cr_assert_eq(population_count(was, key), population_count(is, key));
    }
    struct str whole = buf_view(&bytes);
    for (size_t cut = 0; cut < whole.len; cut += cut < 64 ? 1 : 997) {
        cr_expect_eq(population_load(is, str_sub(whole, 0, cut)), PDP_ERR_CORRUPT, "%zu", cut);
    }
    for (size_t i = 0; i < 64;
         i++) { // whatever a bit makes of it, it is refused or taken, and nothing breaks
        bytes.at[i % 40] = (unsigned char)(bytes.at[i % 40] ^ 1U << i % 8);
        (void)!population_load(is, buf_view(&bytes));
    }
    buf_fini(&bytes);
    buf_fini(&again);
    population_free(&was);
    population_free(&is);
}
