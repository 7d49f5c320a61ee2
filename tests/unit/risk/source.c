// SPDX-License-Identifier: Apache-2.0
#include "risk/source_table.h"

#include "risk.h"

#define PART INT64_C(5000)
#define SPAN INT64_C(300000)
// The beginning of a span.
#define S0 (T0 / SPAN * SPAN)

static const struct hash_key KEY = {3, 5};

static struct sources *sources_made(struct hash_key key)
{
    struct sources *sources = NULL;
    cr_assert_eq(source_new(key, &sources), PDP_ERR_OK);
    return sources;
}

static struct source_names from(uint8_t net)
{
    struct sighting seen = berlin(T0);
    seen.ip = ip4(203, 0, net, 7);
    return source_names_of(&seen, STR("t13d1516h2_8daaf6152771_02713d6af862"));
}

static struct source_view view_at(struct sources *sources, uint8_t net, int64_t now_ms)
{
    struct source_view view;
    struct source_names names = from(net);
    source_read(sources, &names, now_ms, &view);
    return view;
}

static void tell(struct sources *sources, uint8_t net, enum source_news news, uint64_t who, int64_t now_ms)
{
    struct source_names names = from(net);
    source_add(sources, &names, news, who, now_ms);
}

static bool says(struct sources *sources, uint8_t net, int64_t now_ms, struct source_figures want)
{
    struct source_view view = view_at(sources, net, now_ms);
    return memcmp(&view.of[SOURCE_PREFIX], &want, sizeof want) == 0;
}

static const struct source_figures NOTHING;

Test(risk_source, names_prefixes_networks_and_clients)
{
    struct sighting seen = berlin(T0), other = seen;
    other.ip = ip4(203, 0, 113, 200);
    struct source_names a = source_names_of(&seen, STR("x")), b = source_names_of(&other, STR("y"));
    cr_expect_eq(a.of[SOURCE_PREFIX], b.of[SOURCE_PREFIX]);
    cr_expect_eq(a.of[SOURCE_ASN], 64500);
    cr_expect_neq(a.of[SOURCE_JA4], b.of[SOURCE_JA4]);
    other.ip = ip4(203, 0, 112, 7);
    cr_expect_neq(a.of[SOURCE_PREFIX], source_names_of(&other, STR("x")).of[SOURCE_PREFIX]);
    seen.ip = (struct ip){{0x20, 1, 0xd, 0xb8, 0, 1, 2}, false};
    other.ip = (struct ip){{0x20, 1, 0xd, 0xb8, 0, 1, 3}, false};
    a = source_names_of(&seen, (struct str){0});
    cr_expect_eq(a.of[SOURCE_PREFIX], source_names_of(&other, (struct str){0}).of[SOURCE_PREFIX]);
    cr_expect_eq(a.of[SOURCE_JA4], 0);
    other.ip.bytes[5] = 2;
    cr_expect_neq(a.of[SOURCE_PREFIX], source_names_of(&other, (struct str){0}).of[SOURCE_PREFIX]);
    seen.flags = 0;
    seen.asn = 0;
    a = source_names_of(&seen, (struct str){0});
    cr_expect(a.of[0] == 0 && a.of[1] == 0 && a.of[2] == 0);
}

Test(risk_source, counts_logins_and_sessions)
{
    struct sources *sources = sources_made(KEY);
    tell(sources, 113, SOURCE_LOGIN_FAILED, 0, S0 - 1);
    for (uint64_t n = 0; n < 20; n++) {
        tell(sources, 113, SOURCE_LOGIN_FAILED, n, S0);
        tell(sources, 113, SOURCE_LOGIN_FAILED, n / 2, S0 + 1);
        tell(sources, 113, SOURCE_LOGIN_PASSED, n / 4, S0 + 2);
        tell(sources, 113, SOURCE_SESSION_REFUSED, n, S0 + 3);
        tell(sources, 113, SOURCE_SESSION_REFUSED, n, S0 + 3);
        tell(sources, 113, SOURCE_SESSION_GOOD, n / 10, S0 + 4);
    }
    cr_expect(says(sources, 113, S0 + PART - 1, (struct source_figures){.failed = 1, .failed_subjects = 1}),
              "not before the part of five seconds is over");
    cr_expect(says(sources, 113, S0 + PART, (struct source_figures){41, 20, 20, 5, 20, 2}));
    struct source_view view = view_at(sources, 113, S0 + PART);
    for (size_t kind = 1; kind < SOURCE_KINDS; kind++) {
        cr_expect_eq(memcmp(&view.of[kind], &view.of[0], sizeof view.of[0]), 0, "by ASN and by JA4 as well");
    }
    view = view_at(sources, 112, S0 + PART);
    cr_expect_eq(view.of[SOURCE_PREFIX].failed, 0, "another prefix");
    cr_expect_eq(view.of[SOURCE_ASN].failed, 41, "of the same network");
    source_free(&sources);
    cr_expect_null(sources);
}

Test(risk_source, forgets_after_its_window)
{
    struct sources *sources = sources_made(KEY);
    tell(sources, 113, SOURCE_LOGIN_FAILED, 1, S0);
    tell(sources, 113, SOURCE_LOGIN_FAILED, 2, S0 + SPAN);
    tell(sources, 113, SOURCE_LOGIN_FAILED, 1, S0 + SPAN);
    cr_expect(
        says(sources, 113, S0 + SPAN + PART, (struct source_figures){.failed = 3, .failed_subjects = 2}));
    cr_expect(
        says(sources, 113, S0 + 2 * SPAN - 1, (struct source_figures){.failed = 3, .failed_subjects = 2}));
    cr_expect(says(sources, 113, S0 + 2 * SPAN, (struct source_figures){.failed = 2, .failed_subjects = 2}));
    cr_expect(says(sources, 113, S0 + 3 * SPAN, NOTHING));
    source_free(&sources);
}

// Else every network with people in it would need a place.
Test(risk_source, counts_successes_only_beside_failures)
{
    struct sources *sources = sources_made(KEY);
    tell(sources, 113, SOURCE_LOGIN_PASSED, 1, S0);
    tell(sources, 113, SOURCE_SESSION_GOOD, 1, S0);
    cr_expect(says(sources, 113, S0 + PART, NOTHING));
    tell(sources, 113, SOURCE_LOGIN_FAILED, 2, S0 + PART);
    tell(sources, 113, SOURCE_LOGIN_PASSED, 2, S0 + PART); // of the very part in which the first one failed
    tell(sources, 113, SOURCE_LOGIN_PASSED, 3, S0 + 2 * PART);
    cr_expect(says(sources, 113, S0 + 3 * PART, (struct source_figures){1, 1, 1, 1, 0, 0}));
    // Over once nothing failed in its window, whatever succeeded since, and whoever looked.
    for (int looks = 0; looks < 2; looks++) {
        tell(sources, 113, SOURCE_LOGIN_PASSED, 4, S0 + SPAN);
        if (looks != 0) {
            cr_expect(says(sources, 113, S0 + 2 * SPAN, NOTHING));
        }
        tell(sources, 113, SOURCE_LOGIN_PASSED, 5, S0 + 2 * SPAN);
        tell(sources, 113, SOURCE_LOGIN_FAILED, 6, S0 + 2 * SPAN);
        cr_expect(says(sources, 113, S0 + 2 * SPAN + PART, (struct source_figures){1, 0, 1, 0, 0, 0}));
        source_free(&sources);
        sources = sources_made(KEY);
        tell(sources, 113, SOURCE_LOGIN_FAILED, 2, S0 + PART);
    }
    source_free(&sources);
}

// ---- The same events give the same bits ----------------------------------------------------------

struct told {
    uint8_t net;
    enum source_news news;
    uint64_t who;
    int64_t at_ms;
};

enum {
    TOLD = 4000
};

static uint64_t next_of(uint64_t *state)
{
    *state = *state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return *state >> 33;
}

// Bursts and pauses of up to three spans.
static void make_events(uint64_t seed, struct told out[static TOLD])
{
    int64_t at = S0;
    for (size_t i = 0; i < TOLD; i++) {
        uint64_t draw = next_of(&seed);
        at += draw % 400 == 0 ? (int64_t)(next_of(&seed) % (3 * SPAN)) : (int64_t)(draw % 2000);
        out[i] = (struct told){(uint8_t)(next_of(&seed) % 3), (enum source_news)(next_of(&seed) % 4),
                               next_of(&seed) % 25, at};
    }
}

static void tell_all(struct sources *sources, const struct told *told, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        tell(sources, told[i].net, told[i].news, told[i].who, told[i].at_ms);
    }
}

static bool same_view(struct sources *a, struct sources *b, int64_t now_ms)
{
    bool same = true;
    for (uint8_t net = 0; net < 3; net++) {
        struct source_view x = view_at(a, net, now_ms), y = view_at(b, net, now_ms);
        same = same && memcmp(&x, &y, sizeof x) == 0;
    }
    return same;
}

Test(risk_source, does_not_change_when_an_interval_is_split)
{
    static struct told told[TOLD];
    make_events(1, told);
    struct sources *plain = sources_made(KEY), *looked_at = sources_made(KEY);
    for (size_t i = 0; i < TOLD; i++) {
        tell_all(plain, &told[i], 1);
        tell_all(looked_at, &told[i], 1);
        for (int64_t at = told[i].at_ms; i + 1 < TOLD && at < told[i + 1].at_ms; at += 1 + SPAN / 7) {
            (void)view_at(looked_at, (uint8_t)(i % 3), at);
        }
        cr_assert(i % 50 != 0 || same_view(plain, looked_at, told[i].at_ms), "event %zu", i);
    }
    source_free(&plain);
    source_free(&looked_at);
}

Test(risk_source, does_not_depend_on_the_order_within_a_part)
{
    static struct told told[TOLD], turned[TOLD];
    make_events(2, told);
    memcpy(turned, told, sizeof turned);
    for (size_t i = 0; i < TOLD;) {
        size_t end = i;
        while (end < TOLD && told[end].at_ms / PART == told[i].at_ms / PART) {
            end++;
        }
        for (size_t k = i; k < end; k++) {
            turned[k] = told[end - 1 - (k - i)];
        }
        i = end;
    }
    struct sources *one = sources_made(KEY), *other = sources_made(KEY);
    size_t done = 0;
    for (size_t i = 1; i < TOLD; i++) {
        if (told[i].at_ms / PART != told[i - 1].at_ms / PART) {
            tell_all(one, &told[done], i - done);
            tell_all(other, &turned[done], i - done);
            done = i;
            cr_assert(same_view(one, other, told[i].at_ms), "event %zu", i);
        }
    }
    source_free(&one);
    source_free(&other);
}

Test(risk_source, does_not_depend_on_its_key)
{
    static struct told told[TOLD];
    make_events(3, told);
    struct sources *one = sources_made(KEY), *other = sources_made((struct hash_key){UINT64_MAX, 12345});
    for (size_t i = 0; i < TOLD; i++) {
        tell_all(one, &told[i], 1);
        tell_all(other, &told[i], 1);
        cr_assert(i % 50 != 0 || same_view(one, other, told[i].at_ms), "event %zu", i);
    }
    source_free(&one);
    source_free(&other);
}

Test(risk_source, goes_on_after_a_save_and_a_load)
{
    static struct told told[TOLD];
    make_events(4, told);
    struct sources *plain = sources_made(KEY), *kept = sources_made(KEY);
    for (size_t i = 0; i < TOLD; i++) {
        tell_all(plain, &told[i], 1);
        tell_all(kept, &told[i], 1);
        if (i % 200 == 0) {
            struct buf bytes = {0}, again = {0};
            source_save(kept, &bytes);
            source_free(&kept);
            kept = sources_made(KEY);
            cr_assert_eq(source_load(kept, buf_view(&bytes)), PDP_ERR_OK);
            source_save(kept, &again);
            cr_assert(!bytes.failed && str_eq(buf_view(&bytes), buf_view(&again)));
            buf_fini(&bytes);
            buf_fini(&again);
        }
        cr_assert(i % 50 != 0 || same_view(plain, kept, told[i].at_ms), "event %zu", i);
    }
    source_free(&plain);
    source_free(&kept);
}

// ---- Clocks --------------------------------------------------------------------------------------

Test(risk_source, stands_still_while_the_clock_is_behind)
{
    struct sources *sources = sources_made(KEY);
    tell(sources, 113, SOURCE_LOGIN_FAILED, 1, S0);
    cr_expect(says(sources, 113, S0 + PART, (struct source_figures){.failed = 1, .failed_subjects = 1}));
    cr_expect(
        says(sources, 113, S0 - 10 * MINUTE, (struct source_figures){.failed = 1, .failed_subjects = 1}));
    tell(sources, 113, SOURCE_LOGIN_FAILED, 2, S0 - 10 * MINUTE);
    cr_expect(says(sources, 113, S0 + 2 * PART, (struct source_figures){.failed = 2, .failed_subjects = 2}));
    source_free(&sources);
}

Test(risk_source, begins_from_where_a_clock_is_that_stepped_far_back)
{
    struct sources *sources = sources_made(KEY);
    tell(sources, 113, SOURCE_LOGIN_FAILED, 1, S0 + 30 * DAY); // a clock that was wrong
    tell(sources, 113, SOURCE_LOGIN_FAILED, 2, S0);
    cr_expect(says(sources, 113, S0 + PART, (struct source_figures){.failed = 2, .failed_subjects = 2}));
    cr_expect(says(sources, 113, S0 + 2 * SPAN, NOTHING), "and is forgotten in its time");
    source_free(&sources);
}

Test(risk_source, takes_any_time)
{
    static const int64_t TIMES[] = {INT64_MIN, -1, 0, 1, INT64_MAX, INT64_MAX - 1, S0, INT64_MIN, INT64_MAX};
    struct sources *sources = sources_made(KEY);
    for (size_t i = 0; i < COUNT_OF(TIMES); i++) {
        tell(sources, 113, (enum source_news)(i % 4), i, TIMES[i]);
        struct source_view view = view_at(sources, 113, TIMES[i]);
        cr_expect(view.of[0].failed <= COUNT_OF(TIMES));
    }
    source_free(&sources);
}

// ---- Strangers -----------------------------------------------------------------------------------

// Every prefix of a /8 fails once: none of them is much, and the one that fails often stays.
Test(risk_source, is_not_hidden_by_a_flood)
{
    struct sources *sources = sources_made(KEY);
    struct source_names bad = from(113);
    for (uint64_t n = 0; n < 10; n++) {
        source_add(sources, &bad, SOURCE_LOGIN_FAILED, n, S0);
    }
    for (uint64_t n = 1; n <= 65536; n++) {
        const struct source_names other = {{bad.of[0] + (n << 8), bad.of[1] + n, bad.of[2] + n}};
        source_add(sources, &other, SOURCE_LOGIN_FAILED, n, S0 + 1);
    }
    struct source_view view = view_at(sources, 113, S0 + PART);
    for (size_t kind = 0; kind < SOURCE_KINDS; kind++) {
        cr_expect_eq(view.of[kind].failed, 10);
        cr_expect_eq(view.of[kind].failed_subjects, 10);
    }
    // What is about to become much finds a place all the same.
    for (uint64_t n = 0; n < 40; n++) {
        tell(sources, 7, SOURCE_LOGIN_FAILED, n, S0 + PART);
    }
    view = view_at(sources, 7, S0 + 2 * PART);
    cr_expect_eq(view.of[SOURCE_PREFIX].failed, 40);
    source_free(&sources);
}

// A newcomer takes a place with nothing of whoever had it.
Test(risk_source, gives_no_source_the_figures_of_another)
{
    struct sources *sources = sources_made(KEY);
    struct source_names first = from(1);
    for (uint64_t n = 1; n <= 30000; n++) {
        const struct source_names other = {{first.of[0] + (n << 8), first.of[1] + n, 0}};
        source_add(sources, &other, SOURCE_LOGIN_FAILED, n, S0);
        struct source_view view;
        source_read(sources, &other, S0 + PART, &view);
        cr_assert(view.of[0].failed <= 1 && view.of[1].failed <= 1 && view.of[0].failed_subjects <= 1);
    }
    source_free(&sources);
}

Test(risk_source, tells_a_repeat)
{
    struct sources *sources = sources_made(KEY);
    cr_expect(!source_told(sources, 8));
    cr_expect(source_told(sources, 8));
    cr_expect(!source_told(sources, 10));
    cr_expect(source_told(sources, 8));
    source_free(&sources);
}

// ---- The bytes -----------------------------------------------------------------------------------

static void saved(struct sources *sources, struct buf *bytes)
{
    static struct told told[TOLD];
    make_events(5, told);
    tell_all(sources, told, 300);
    (void)source_told(sources, 77);
    source_save(sources, bytes);
    cr_assert(!bytes->failed);
}

static bool is_empty(struct sources *sources)
{
    struct sources *none = sources_made(KEY);
    struct buf a = {0}, b = {0};
    source_save(none, &a);
    source_save(sources, &b);
    bool same = str_eq(buf_view(&a), buf_view(&b));
    source_free(&none);
    buf_fini(&a);
    buf_fini(&b);
    return same;
}

Test(risk_source, refuses_bytes_that_are_cut_or_longer)
{
    struct sources *sources = sources_made(KEY);
    struct buf bytes = {0};
    saved(sources, &bytes);
    for (size_t len = 0; len < bytes.len; len++) {
        cr_assert_eq(source_load(sources, (struct str){(const char *)bytes.at, len}), PDP_ERR_CORRUPT, "%zu",
                     len);
    }
    cr_expect(is_empty(sources));
    buf_byte(&bytes, 0);
    cr_expect_eq(source_load(sources, buf_view(&bytes)), PDP_ERR_CORRUPT);
    buf_fini(&bytes);
    source_free(&sources);
}

// What is read has one form only: it is written again as it was.
Test(risk_source, takes_flipped_bytes_for_others_or_for_none)
{
    struct sources *sources = sources_made(KEY);
    struct buf bytes = {0};
    saved(sources, &bytes);
    for (size_t i = 0; i < bytes.len; i++) {
        bytes.at[i] ^= (unsigned char)(1U << i % 8);
        enum pdp_err err = source_load(sources, buf_view(&bytes));
        cr_assert(err == PDP_ERR_OK || err == PDP_ERR_CORRUPT || (err == PDP_ERR_UNKNOWN && i < 8), "%zu", i);
        if (err != PDP_ERR_OK) {
            cr_assert(i % 16 != 0 || is_empty(sources));
        }
        bytes.at[i] ^= (unsigned char)(1U << i % 8);
    }
    buf_fini(&bytes);
    source_free(&sources);
}

Test(risk_source, does_not_take_what_another_key_has_spread)
{
    struct sources *one = sources_made(KEY), *other = sources_made((struct hash_key){9, 9});
    struct buf bytes = {0};
    saved(one, &bytes);
    cr_expect_eq(source_load(other, buf_view(&bytes)), PDP_ERR_UNKNOWN);
    buf_fini(&bytes);
    source_free(&one);
    source_free(&other);
}

Test(risk_source, has_a_fixed_size)
{
    struct sources *sources = sources_made(KEY);
    size_t bytes = sizeof *sources;
    for (size_t kind = 0; kind < SOURCE_KINDS; kind++) {
        bytes += sources->kinds[kind].set_count *
                 (sizeof(struct source_set) + SOURCE_WAYS * sizeof(struct source_entry));
    }
    cr_expect_lt(bytes, 6U << 20, "%zu bytes", bytes);
    source_free(&sources);
}
