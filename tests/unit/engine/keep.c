// SPDX-License-Identifier: Apache-2.0
// What is kept besides sessions: the same scores to the last bit after it went to a file and came back.
#include "engine/keep.h"

#include "engine/worker.h"
#include "seal/sections.h"
#include "support/harness.h"

#include <criterion/criterion.h>
#include <stdio.h>

#define NOW HARNESS_NOW

static const char POLICY[] = "apiVersion: pdp/v1\nkind: Policy\nmetadata: {name: p}\nrules:\n"
                             "  - {id: all, effect: allow}\n";

static void load(struct harness *h)
{
    *h = (struct harness){0};
    cr_assert(harness_load(h, POLICY), STR_FMT, STR_ARG(buf_view(&h->said)));
}

static void step(struct harness *h, unsigned n)
{
    char text[700];
    const char *type = n % 31 == 0 ? "login" : "login_failed";
    (void)snprintf(
        text, sizeof text,
        "{'request_id': 'e%u', 'event': {'type': '%s', 'subject': {'type': 'user', 'id': 'u%u'}, 'context': "
        "{'network': {'ip': '203.0.%u.9'}, 'session': {'id': 's%u'}}}}",
        n, type, n % 40, n % 3, n);
    harness_ask(h, NOW + n * INT64_C(1500), text);
}

static double score(struct harness *h, unsigned n)
{
    char text[700];
    (void)snprintf(
        text, sizeof text,
        "{'subject': {'type': 'user', 'id': 'x%u'}, 'action': {'name': 'GET'}, 'resource': {'type': 'x', "
        "'id': 'y'}, 'context': {'purpose': 'probe', 'network': {'ip': '203.0.%u.77'}, 'session': {'id': "
        "'x%u', "
        "'auth_time': %lld}}}",
        n, n % 3, n, (long long)(NOW / 1000));
    harness_ask(h, NOW + n * INT64_C(1500), text);
    const struct value *risk = value_get(value_get(&h->root, STR("context")), STR("risk"));
    const struct value *found = value_get(risk, STR("score"));
    cr_assert(found != NULL && found->kind == VALUE_DOUBLE);
    return found->as.d;
}

static void save(struct harness *h, struct buf *bytes)
{
    cr_assert_eq(engine_keep(h->engine, bytes), PDP_ERR_OK);
}

static enum pdp_err recall(struct harness *h, const struct buf *bytes, char why[static KEEP_WHY_MAX])
{
    return engine_recall(h->engine, buf_view(bytes), why);
}

Test(engine_keep, gives_the_same_scores_after_a_save_and_a_load)
{
    struct harness plain, kept;
    load(&plain);
    load(&kept);
    double least = 100, most = 0;
    for (unsigned n = 0; n < 600; n++) {
        step(&plain, n);
        step(&kept, n);
        if (n % 50 == 49) {
            struct buf bytes = {0};
            char why[KEEP_WHY_MAX];
            save(&kept, &bytes);
            harness_fini(&kept);
            load(&kept);
            cr_assert_eq(recall(&kept, &bytes, why), PDP_ERR_OK, "%s", why);
            cr_expect_str_eq(why, "");
            buf_fini(&bytes);
        }
        double a = score(&plain, n), b = score(&kept, n);
        cr_assert_eq(memcmp(&a, &b, sizeof a), 0, "event %u: %.17g and %.17g", n, a, b);
        least = a < least ? a : least;
        most = a > most ? a : most;
    }
    cr_expect(least < 5 && most > 10, "from %g to %g", least, most);
    harness_fini(&plain);
    harness_fini(&kept);
}

Test(engine_keep, refuses_every_flipped_bit_and_every_cut)
{
    struct harness h;
    struct buf bytes = {0}, none = {0};
    char why[KEEP_WHY_MAX];
    load(&h);
    save(&h, &none);
    step(&h, 1);
    save(&h, &bytes);
    for (size_t i = 0; i < bytes.len; i++) {
        cr_assert_eq(engine_recall(h.engine, (struct str){(const char *)bytes.at, i}, why), PDP_ERR_CORRUPT);
        for (unsigned bit = 0; bit < 8; bit++) {
            bytes.at[i] ^= (unsigned char)(1U << bit);
            cr_assert_eq(recall(&h, &bytes, why), PDP_ERR_CORRUPT, "bit %u of byte %zu", bit, i);
            cr_assert_str_eq(why, "it is cut short or damaged");
            bytes.at[i] ^= (unsigned char)(1U << bit);
        }
    }
    cr_expect_eq(recall(&h, &bytes, why), PDP_ERR_OK);
    cr_expect_eq(recall(&h, &none, why), PDP_ERR_OK);
    buf_fini(&bytes);
    buf_fini(&none);
    harness_fini(&h);
}

#define S(text)                \
    {                          \
        text, sizeof(text) - 1 \
    }

Test(engine_keep, uses_what_it_can_and_says_what_it_cannot)
{
    static const struct {
        struct section section;
        enum pdp_err err;
        const char *why;
    } CASES[] = {
        {{S("later"), 1, S("x")}, PDP_ERR_OK, "section `later` of version 1 is of another release"},
        {{S("sources"), 99, S("x")}, PDP_ERR_OK, "section `sources` of version 99 is of another release"},
        {{S("sources"), SOURCE_VERSION, S("x")},
         PDP_ERR_CORRUPT,
         "section `sources` is not what was written"},
        {{S("sources"), SOURCE_VERSION, S("12345678\0\0\0\0\0\0\0\0")},
         PDP_ERR_UNKNOWN,
         "section `sources` was made with other keys"},
    };
    struct harness h;
    load(&h);
    for (size_t i = 0; i < COUNT_OF(CASES); i++) {
        struct buf bytes = {0};
        char why[KEEP_WHY_MAX];
        cr_assert_eq(sections_write(&CASES[i].section, 1, &bytes), PDP_ERR_OK);
        cr_expect_eq(recall(&h, &bytes, why), CASES[i].err, "%zu", i);
        cr_expect_str_eq(why, CASES[i].why);
        buf_fini(&bytes);
    }
    harness_fini(&h);
}
