// SPDX-License-Identifier: Apache-2.0
// Values by which tests turn: what stands at a bound and beside it, texts, strangers, addresses.
#include "cli/values.h"

#include <criterion/criterion.h>
#include <math.h>

#define NONE                \
    {                       \
        .kind = VALUE_ERROR \
    }
#define INT(x)                         \
    {                                  \
        .kind = VALUE_INT, .as.i = (x) \
    }
#define DOUBLE(x)                         \
    {                                     \
        .kind = VALUE_DOUBLE, .as.d = (x) \
    }
#define LEVEL(x)                         \
    {                                    \
        .kind = VALUE_LEVEL, .as.i = (x) \
    }

static const struct {
    struct value bound;
    uint8_t kind;          // of the attribute
    struct value sides[3]; // below, at, above; NONE: there is none
} NEAR[] = {
    {INT(5), VALUE_INT, {INT(4), INT(5), INT(6)}},
    {INT(INT64_MAX), VALUE_INT, {INT(INT64_MAX - 1), INT(INT64_MAX), INT(INT64_MAX)}},
    {DOUBLE(2.5), VALUE_INT, {INT(2), NONE, INT(3)}},
    {DOUBLE(2), VALUE_INT, {INT(1), INT(2), INT(3)}},
    {DOUBLE(1e300), VALUE_INT, {NONE, NONE, NONE}},
    {INT(0), VALUE_UINT, {NONE, {.kind = VALUE_UINT}, {.kind = VALUE_UINT, .as.u = 1}}},
    {INT(3), VALUE_DOUBLE, {DOUBLE(0x1.7ffffffffffffp+1), DOUBLE(3), DOUBLE(0x1.8000000000001p+1)}},
    {LEVEL(0), VALUE_LEVEL, {NONE, LEVEL(0), LEVEL(1)}},
    {LEVEL(3), VALUE_LEVEL, {LEVEL(2), LEVEL(3), NONE}},
    {{.kind = VALUE_TIMESTAMP, .as.i = 60},
     VALUE_NULL,
     {{.kind = VALUE_TIMESTAMP, .as.i = 59},
      {.kind = VALUE_TIMESTAMP, .as.i = 60},
      {.kind = VALUE_TIMESTAMP, .as.i = 61}}},
    {{.kind = VALUE_BOOL, .as.b = true}, VALUE_BOOL, {NONE, NONE, NONE}},
};

Test(cli_values, near_a_bound_is_the_least_that_counts)
{
    const struct cel_env env = {.level_count = 4};
    for (size_t i = 0; i < sizeof NEAR / sizeof *NEAR; i++) {
        for (int side = -1; side <= 1; side++) {
            const struct value *want = &NEAR[i].sides[side + 1];
            struct value got;
            bool there = values_near(&env, NEAR[i].kind, &NEAR[i].bound, side, &got);
            cr_expect_eq(there, want->kind != VALUE_ERROR, "%zu, side %d", i, side);
            bool same = !there || (got.kind == want->kind && got.as.u == want->as.u);
            cr_expect(same, "%zu, side %d: kind %d, %lld", i, side, got.kind, (long long)got.as.i);
        }
    }
}

Test(cli_values, texts_hold_what_they_have_to)
{
    static const struct {
        enum values_part part;
        const char *with, *head, *tail;
        bool route;
        const char *text;
    } TEXTS[] = {
        {VALUES_STARTS, "svc-", "a", "z", false, "svc-z"}, {VALUES_ENDS, ".pdf", "a", "z", false, "a.pdf"},
        {VALUES_HOLDS, "b", "a", "z", false, "abz"},       {VALUES_ENDS, ".pdf", "", "", true, "/.pdf"},
        {VALUES_ENDS, "/x", "", "", true, "/x"},           {VALUES_HOLDS, "b", "/a", "z", true, "/a/bz"},
        {VALUES_STARTS, "/a", "/a", "", true, "/a"},
    };
    struct arena arena;
    arena_init(&arena, 0, 0);
    for (size_t i = 0; i < sizeof TEXTS / sizeof *TEXTS; i++) {
        struct str text = values_text(&arena, TEXTS[i].part, str_of(TEXTS[i].with), str_of(TEXTS[i].head),
                                      str_of(TEXTS[i].tail), TEXTS[i].route);
        cr_expect(str_eq(text, str_of(TEXTS[i].text)), "%zu: " STR_FMT, i, STR_ARG(text));
    }
    arena_fini(&arena);
}

Test(cli_values, addresses_are_inside_or_nobodys)
{
    static const char *const NETWORKS[] = {"10.20.0.0/16", "192.0.2.1/32", "0.0.0.0/0", "2001:db8::/33",
                                           "::/0"};
    unsigned char ones[16], zeros[16] = {0};
    memset(ones, 0xff, sizeof ones);
    for (size_t i = 0; i < sizeof NETWORKS / sizeof *NETWORKS; i++) {
        struct cidr cidr;
        cr_assert(cidr_parse(str_of(NETWORKS[i]), false, &cidr));
        struct ip first = values_inside(&cidr, zeros), last = values_inside(&cidr, ones);
        cr_expect(cidr_holds(&cidr, &first) && cidr_holds(&cidr, &last), "%s", NETWORKS[i]);
        cr_expect(ip_eq(&first, &cidr.base), "%s: the first", NETWORKS[i]);
        cr_expect_eq(ip_eq(&first, &last), i == 1, "%s: the last", NETWORKS[i]);
    }
    for (uint32_t n = 0; n < VALUES_ADDRESSES; n++) {
        struct ip ip = values_address(n);
        cr_expect(!ip_is_private(&ip), "%u", n);
    }
    for (uint32_t n = 0; n < 9; n++) {
        struct ip ip;
        struct value address = values_stranger(CEL_SET_CIDR, n),
                     country = values_stranger(CEL_SET_COUNTRY, n);
        cr_expect(ip_parse(value_text(&address), &ip), "%u", n);
        cr_expect_eq(country.n, 2, "%u", n);
        cr_expect_eq(values_stranger(CEL_SET_ASN, n).kind, VALUE_INT, "%u", n);
    }
}
