// SPDX-License-Identifier: Apache-2.0
#include "policy/lists.h"

#include <criterion/criterion.h>

#define MAX_ENTRIES 12

static const struct {
    enum cel_set_kind kind;
    const char *entries[MAX_ENTRIES];
    struct {
        const char *text;
        enum truth truth;
    } asked[MAX_ENTRIES];
} SETS[] = {
    {CEL_SET_STRING,
     {"mallory", "eve", "eve", ""},
     {{"mallory", TRUTH_YES}, {"eve", TRUTH_YES}, {"Eve", TRUTH_NO}, {"mallor", TRUTH_NO}, {"", TRUTH_YES}}},
    {CEL_SET_CIDR,
     {"10.20.30.0/28", "10.20.30.8/29", "192.0.2.1", "2001:db8:40::/48", "::ffff:198.51.100.0/120",
      "10.20.30.16/32", "fe80::1"},
     {{"10.20.30.0", TRUTH_YES},
      {"10.20.30.15", TRUTH_YES},
      {"10.20.30.16", TRUTH_YES},
      {"10.20.30.17", TRUTH_NO},
      {"10.20.29.255", TRUTH_NO},
      {"::ffff:10.20.30.4", TRUTH_YES},
      {"192.0.2.2", TRUTH_NO},
      {"2001:db8:40:ffff::1", TRUTH_YES},
      {"2001:db8:41::", TRUTH_NO},
      {"198.51.100.200", TRUTH_YES},
      {"::a14:1e00", TRUTH_NO},
      {"not an address", TRUTH_UNSURE}}},
    {CEL_SET_CIDR,
     {"0.0.0.0/0"},
     {{"255.255.255.255", TRUTH_YES}, {"0.0.0.0", TRUTH_YES}, {"::", TRUTH_NO}, {"2001:db8::", TRUTH_NO}}},
    {CEL_SET_CIDR,
     {"::/0"},
     {{"1.2.3.4", TRUTH_NO}, {"::", TRUTH_YES}, {"ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", TRUTH_YES}}},
    {CEL_SET_CIDR, {NULL}, {{"1.2.3.4", TRUTH_NO}, {"::1", TRUTH_NO}}},
    {CEL_SET_COUNTRY,
     {"KP", "NO", "zz", "AA"},
     {{"KP", TRUTH_YES},
      {"no", TRUTH_YES},
      {"ZZ", TRUTH_YES},
      {"AA", TRUTH_YES},
      {"DE", TRUTH_NO},
      {"D", TRUTH_UNSURE},
      {"1A", TRUTH_UNSURE},
      {"", TRUTH_UNSURE}}},
    {CEL_SET_ASN,
     {"AS3320", "64500", "as1", "4294967295", "3320"},
     {{"3320", TRUTH_YES},
      {"AS64500", TRUTH_YES},
      {"1", TRUTH_YES},
      {"2", TRUTH_NO},
      {"4294967295", TRUTH_YES},
      {"AS", TRUTH_UNSURE},
      {"4294967296", TRUTH_UNSURE}}},
};

static const struct hash_key SEED = {1, 2};

static void fill(struct lists_set *set, enum cel_set_kind kind, const char *const *entries,
                 struct arena *arena)
{
    size_t count = 0;
    while (count < MAX_ENTRIES && entries[count] != NULL) {
        count++;
    }
    *set = (struct lists_set){.kind = kind};
    cr_assert_eq(lists_room(set, count, SEED, arena), PDP_ERR_OK);
    for (size_t i = 0; i < count; i++) {
        cr_assert_eq(lists_add(set, str_of(entries[i])), PDP_ERR_OK, "%s", entries[i]);
    }
    lists_sort(set);
}

Test(policy_lists, holds)
{
    for (size_t i = 0; i < COUNT_OF(SETS); i++) {
        AUTO(arena_fini) struct arena arena;
        arena_init(&arena, 0, 0);
        struct lists_set set;
        fill(&set, SETS[i].kind, SETS[i].entries, &arena);
        for (size_t k = 0; k < MAX_ENTRIES && SETS[i].asked[k].text != NULL; k++) {
            struct value value = value_str(str_of(SETS[i].asked[k].text));
            cr_expect_eq(lists_contains(&set, &value, 0), SETS[i].asked[k].truth, "set %zu: %s", i,
                         SETS[i].asked[k].text);
        }
    }
}

Test(policy_lists, values_of_other_types_are_unsure)
{
    AUTO(arena_fini) struct arena arena;
    arena_init(&arena, 0, 0);
    static const char *const NONE[MAX_ENTRIES] = {NULL};
    for (int kind = CEL_SET_STRING; kind <= CEL_SET_ASN; kind++) {
        struct lists_set set;
        fill(&set, (enum cel_set_kind)kind, NONE, &arena);
        struct value values[] = {value_bool(true), value_null(), {0}, {.kind = VALUE_LIST}, value_double(1)};
        for (size_t i = 0; i < COUNT_OF(values); i++) {
            cr_expect_eq(lists_contains(&set, &values[i], 0), TRUTH_UNSURE, "kind %d, value %zu", kind, i);
        }
    }
}

Test(policy_lists, takes_addresses_and_numbers)
{
    AUTO(arena_fini) struct arena arena;
    arena_init(&arena, 0, 0);
    static const char *const NETS[MAX_ENTRIES] = {"10.0.0.0/8"};
    static const char *const ASNS[MAX_ENTRIES] = {"AS3320"};
    struct lists_set set;
    struct ip ip;
    cr_assert(ip_parse(STR("10.1.2.3"), &ip));
    fill(&set, CEL_SET_CIDR, NETS, &arena);
    struct value value = {.kind = VALUE_IP, .as.ip = &ip};
    cr_expect_eq(lists_contains(&set, &value, 0), TRUTH_YES);
    fill(&set, CEL_SET_ASN, ASNS, &arena);
    value = value_int(3320);
    cr_expect_eq(lists_contains(&set, &value, 0), TRUTH_YES);
    value = value_int(-1);
    cr_expect_eq(lists_contains(&set, &value, 0), TRUTH_UNSURE);
}

Test(policy_lists, refuses_entries)
{
    static const struct {
        enum cel_set_kind kind;
        const char *entry;
    } REFUSED[] = {
        {CEL_SET_CIDR, "10.20.30.1/28"},
        {CEL_SET_CIDR, "10.0.0.0/33"},
        {CEL_SET_CIDR, "example.org"},
        {CEL_SET_CIDR, ""},
        {CEL_SET_COUNTRY, "DEU"},
        {CEL_SET_COUNTRY, "ä"},
        {CEL_SET_ASN, "AS"},
        {CEL_SET_ASN, "-1"},
        {CEL_SET_ASN, "4294967296"},
    };
    for (size_t i = 0; i < COUNT_OF(REFUSED); i++) {
        AUTO(arena_fini) struct arena arena;
        arena_init(&arena, 0, 0);
        struct lists_set set = {.kind = REFUSED[i].kind};
        cr_assert_eq(lists_room(&set, 1, SEED, &arena), PDP_ERR_OK);
        cr_expect_eq(lists_add(&set, str_of(REFUSED[i].entry)), PDP_ERR_SYNTAX, "%s", REFUSED[i].entry);
    }
}

Test(policy_lists, stale_is_unsure)
{
    static const struct {
        struct lists_set set;
        int64_t now_ms;
        enum truth truth;
    } AGES[] = {
        {{.max_age_ms = 1000, .dated = true, .updated_ms = 5000}, 6000, TRUTH_NO},
        {{.max_age_ms = 1000, .dated = true, .updated_ms = 5000}, 6001, TRUTH_UNSURE},
        {{.max_age_ms = 1000, .dated = true, .updated_ms = 5000}, 10, TRUTH_NO},
        {{.max_age_ms = 1000, .dated = true, .updated_ms = INT64_MIN + 1}, INT64_MAX, TRUTH_UNSURE},
        {{.max_age_ms = 1000}, 0, TRUTH_UNSURE},
        {{.max_age_ms = 0}, INT64_MAX, TRUTH_NO},
        {{.missing = true}, 0, TRUTH_UNSURE},
    };
    struct value value = value_str(STR("x"));
    for (size_t i = 0; i < COUNT_OF(AGES); i++) {
        cr_expect_eq(lists_contains(&AGES[i].set, &value, AGES[i].now_ms), AGES[i].truth, "%zu", i);
    }
}

// Against asking each prefix in turn.
Test(policy_lists, prefixes_agree_with_a_plain_search)
{
    AUTO(arena_fini) struct arena arena;
    arena_init(&arena, 0, 0);
    uint64_t state = 88172645463325252U;
    for (int round = 0; round < 50; round++) {
        struct lists_set set = {.kind = CEL_SET_CIDR};
        struct cidr cidrs[40];
        cr_assert_eq(lists_room(&set, COUNT_OF(cidrs), SEED, &arena), PDP_ERR_OK);
        for (size_t i = 0; i < COUNT_OF(cidrs) + 200; i++) {
            state = state * 6364136223846793005U + 1442695040888963407U;
            struct ip ip = {.v4 = (state >> 60 & 1) != 0};
            for (int k = 0; k < 16; k++) {
                // few values, so that prefixes nest and addresses hit
                ip.bytes[k] = (uint8_t)((state >> (k % 4 * 8 + 16) & 3) * 85);
            }
            if (ip.v4) {
                memset(ip.bytes, 0, 10);
                memset(ip.bytes + 10, 0xFF, 2);
            }
            if (i < COUNT_OF(cidrs)) {
                unsigned bits = (unsigned)(state >> 33) % (ip.v4 ? 33 : 129);
                cidrs[i] = (struct cidr){ip_mask(&ip, bits), (uint8_t)bits};
                AUTO(buf_fini) struct buf text = {0};
                cidr_print(&text, &cidrs[i]);
                cr_assert_eq(lists_add(&set, buf_view(&text)), PDP_ERR_OK, "%.*s", (int)text.len,
                             (char *)text.at);
                lists_sort(&set);
                continue;
            }
            bool want = false;
            for (size_t k = 0; k < COUNT_OF(cidrs); k++) {
                want = want || cidr_holds(&cidrs[k], &ip);
            }
            struct value value = {.kind = VALUE_IP, .as.ip = &ip};
            cr_assert_eq(lists_contains(&set, &value, 0), want ? TRUTH_YES : TRUTH_NO);
        }
    }
}
