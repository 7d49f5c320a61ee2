// SPDX-License-Identifier: Apache-2.0
#include "session/counters.h"

#include <criterion/criterion.h>
#include <math.h>

#define T0 INT64_C(1795370400000) // on the grid of an hour
#define MINUTE INT64_C(60000)
#define HOUR (60 * MINUTE)

static struct counters_table *make(int64_t window_ms, uint32_t entries)
{
    struct counters_table *table = NULL;
    cr_assert_eq(counters_new(window_ms, entries, &table), PDP_ERR_OK);
    return table;
}

static struct hash128 key(uint64_t number)
{
    return (struct hash128){number * UINT64_C(0x9E3779B97F4A7C15), number + 1};
}

// ---- The window --------------------------------------------------------------------------------------

static const struct {
    const char *name;
    int64_t added_ms, read_ms; // after T0
    double reads;
} WINDOWS[] = {
    {"at once", 0, 0, 5},
    {"just inside", 0, HOUR - 1, 5},
    {"the part that is partly out counts whole", 0, HOUR + HOUR / 8 - 1, 5},
    {"and then no longer", 0, HOUR + HOUR / 8, 0},
    {"at the end of a part", HOUR / 8 - 1, HOUR + HOUR / 8 - 1, 5},
    {"at the end of a part, gone", HOUR / 8 - 1, HOUR + HOUR / 8, 0},
    {"years later", 0, 100000 * HOUR, 0},
    {"the clock steps back", 0, -HOUR * 10, 5},
    {"the clock steps back to before all time", 0, -T0 - 1, 5},
};

Test(session_counters, counts_in_a_window)
{
    for (size_t i = 0; i < sizeof WINDOWS / sizeof *WINDOWS; i++) {
        struct counters_table *table = make(HOUR, 64);
        counters_add(table, key(1), 5, T0 + WINDOWS[i].added_ms);
        double read = counters_read(table, key(1), T0 + WINDOWS[i].read_ms);
        cr_expect_eq(read, WINDOWS[i].reads, "%s: %g", WINDOWS[i].name, read);
        cr_expect_eq(counters_read(table, key(2), T0 + WINDOWS[i].read_ms), 0);
        counters_free(&table);
        cr_expect_null(table);
    }
}

Test(session_counters, what_is_added_after_a_step_back_counts_from_the_latest_time)
{
    struct counters_table *table = make(HOUR, 64);
    counters_add(table, key(1), 5, T0);
    counters_add(table, key(1), 2, T0 - 30 * HOUR);
    cr_expect_eq(counters_read(table, key(1), T0 - 30 * HOUR), 7);
    cr_expect_eq(counters_read(table, key(1), T0 + HOUR - 1), 7);
    counters_free(&table);
}

Test(session_counters, what_cannot_be_told_stays_so_for_the_window)
{
    struct counters_table *table = make(HOUR, 64);
    counters_add(table, key(1), 5, T0);
    counters_add(table, key(1), INFINITY, T0);
    counters_add(table, key(1), 5, T0 + HOUR / 8);
    cr_expect(isinf(counters_read(table, key(1), T0)));
    cr_expect_eq(counters_read(table, key(1), T0 + HOUR + HOUR / 8), 5);
    counters_free(&table);
}

Test(session_counters, a_second_is_the_least_window_and_odd_ones_are_never_short)
{
    static const int64_t SPANS[] = {1, 7, 8, 9, 1000, 1001, HOUR - 1, HOUR + 1};
    for (size_t i = 0; i < sizeof SPANS / sizeof *SPANS; i++) {
        struct counters_table *table = make(SPANS[i], 8);
        counters_add(table, key(1), 1, T0 + 3);
        cr_expect_eq(counters_read(table, key(1), T0 + 3 + SPANS[i] - 1), 1, "%zu", i);
        cr_expect_eq(counters_read(table, key(1), T0 + 3 + SPANS[i] + SPANS[i] / 8 + 10), 0, "%zu", i);
        counters_free(&table);
    }
    struct counters_table *none = NULL;
    cr_expect_eq(counters_new(0, 8, &none), PDP_ERR_RANGE);
    cr_expect_null(none);
}

Test(session_counters, tells_how_full_it_is)
{
    struct counters_table *table = make(HOUR, 100);
    struct counters_stats stats;
    for (uint64_t i = 0; i < 1000; i++) {
        counters_add(table, key(i), 1, T0);
    }
    counters_stats(table, &stats);
    cr_expect_eq(stats.room, 128);
    cr_expect_eq(stats.keys, 128);
    cr_expect_eq(stats.displaced, 1000 - 128);
    cr_expect_lt(stats.bytes, 128 * 120 + 8192);
    cr_expect(!counters_is_shared(table));
    struct counters_table *other = counters_hold(table);
    cr_expect(counters_is_shared(table));
    counters_free(&other);
    cr_expect(!counters_is_shared(table));
    counters_free(&table);
}

// ---- Against an exact model ----------------------------------------------------------------------------

enum {
    KEYS = 400,
    STEPS = 6000
};

struct event {
    uint32_t key;
    double amount;
    int64_t at_ms;
};

struct world {
    struct counters_table *table;
    struct event events[STEPS];
    size_t count, first;
    int64_t now_ms, latest_ms; // latest_ms: of anything that was added
    uint64_t random;
};

static uint64_t roll(struct world *w, uint64_t below)
{
    w->random = w->random * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (w->random >> 33) % below;
}

// What a key really had in the window that ends at the latest time that was seen.
static double truth(const struct world *w, uint32_t number, int64_t window_ms)
{
    double sum = 0;
    for (size_t i = 0; i < w->count; i++) {
        const struct event *event = &w->events[i];
        sum += event->key == number && event->at_ms > w->latest_ms - window_ms ? event->amount : 0;
    }
    return sum;
}

static void step(struct world *w, int64_t window_ms, bool steps_back)
{
    uint32_t number = (uint32_t)(roll(w, 3) == 0 ? roll(w, 8) : roll(w, KEYS));
    double amount = (double)roll(w, 1000) / 8;
    w->now_ms += (int64_t)roll(w, (uint64_t)window_ms / 100);
    w->now_ms += roll(w, 500) == 0 ? window_ms : 0;
    w->now_ms -= steps_back && roll(w, 50) == 0 ? (int64_t)roll(w, (uint64_t)window_ms / 2) : 0;
    w->latest_ms = w->now_ms > w->latest_ms ? w->now_ms : w->latest_ms;
    w->events[w->count++] = (struct event){number, amount, w->latest_ms};
    counters_add(w->table, key(number), amount, w->now_ms);
}

static void compare(struct world *w, int64_t window_ms, uint64_t seed)
{
    for (uint32_t number = 0; number < KEYS; number += 7) {
        double is = counters_read(w->table, key(number), w->latest_ms);
        double was = truth(w, number, window_ms);
        cr_assert(is >= was, "seed %d, step %zu, key %u: %g, truly %g", (int)seed, w->count, number, is, was);
    }
}

Test(session_counters, never_counts_too_little)
{
    static struct world w;
    static const uint32_t ROOMS[] = {8, 64, 1024};
    for (uint64_t seed = 0; seed < 12; seed++) {
        const int64_t window_ms = seed % 2 == 0 ? HOUR : 1009;
        w = (struct world){.now_ms = T0, .latest_ms = T0, .random = seed};
        w.table = make(window_ms, ROOMS[seed % 3]);
        for (size_t i = 0; i < STEPS; i++) {
            step(&w, window_ms, seed >= 6);
            if (i % 200 == 0) {
                compare(&w, window_ms, seed);
            }
        }
        counters_free(&w.table);
    }
}

// Without pressure it is the truth, but for the part that is partly out of the window.
Test(session_counters, is_exact_to_a_part_where_there_is_room)
{
    static struct world w;
    w = (struct world){.now_ms = T0, .latest_ms = T0, .random = 77};
    w.table = make(HOUR, 65536);
    for (size_t i = 0; i < STEPS; i++) {
        step(&w, HOUR, false);
        uint32_t number = w.events[i].key;
        double is = counters_read(w.table, key(number), w.latest_ms);
        if (i % 50 == 0) {
            cr_expect(is >= truth(&w, number, HOUR) && is <= truth(&w, number, HOUR + HOUR / 8), "%zu", i);
        }
    }
    counters_free(&w.table);
}

// Many newcomers lift what others read, by no more than their share of what was added.
Test(session_counters, pressure_is_bounded)
{
    struct counters_table *table = make(HOUR, 1024);
    for (uint64_t i = 0; i < 10240; i++) {
        counters_add(table, key(i), 1, T0);
    }
    double most = 0;
    for (uint64_t i = 20000; i < 21000; i++) {
        double read = counters_read(table, key(i), T0);
        most = read > most ? read : most;
    }
    cr_expect(most > 0 && most <= 24, "%g", most);
    counters_free(&table);
}

Test(session_counters, the_same_events_give_the_same_bits)
{
    static struct world w;
    struct counters_table *other = make(HOUR, 64);
    w = (struct world){.now_ms = T0, .latest_ms = T0, .random = 5};
    w.table = make(HOUR, 64);
    for (size_t i = 0; i < STEPS; i++) {
        step(&w, HOUR, false);
        counters_add(other, key(w.events[i].key), w.events[i].amount, w.events[i].at_ms);
        cr_assert_eq(counters_read(w.table, key(i % KEYS), w.now_ms),
                     counters_read(other, key(i % KEYS), w.now_ms));
    }
    counters_free(&w.table);
    counters_free(&other);
}
