// SPDX-License-Identifier: Apache-2.0
#include "policy/lists.h"

#include <criterion/criterion.h>
#include <stdio.h>

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

static struct lists_set *fill(enum cel_set_kind kind, const char *const *entries)
{
    size_t count = 0, bytes = 0;
    while (count < MAX_ENTRIES && entries[count] != NULL) {
        bytes += strlen(entries[count++]);
    }
    const struct lists_head head = {.kind = kind, .updated_ms = LISTS_UNKNOWN};
    struct lists_set *set = NULL;
    AUTO(lists_building_fini) struct lists_building building;
    cr_assert_eq(lists_new(&head, &set), PDP_ERR_OK);
    cr_assert_eq(lists_begin(&building, set, count, bytes, SEED), PDP_ERR_OK);
    for (size_t i = 0; i < count; i++) {
        cr_assert_eq(lists_add(&building, str_of(entries[i])), PDP_ERR_OK, "%s", entries[i]);
    }
    cr_assert_eq(lists_end(&building), PDP_ERR_OK);
    return set;
}

Test(policy_lists, holds)
{
    for (size_t i = 0; i < COUNT_OF(SETS); i++) {
        AUTO(lists_free) struct lists_set *set = fill(SETS[i].kind, SETS[i].entries);
        for (size_t k = 0; k < MAX_ENTRIES && SETS[i].asked[k].text != NULL; k++) {
            struct value value = value_str(str_of(SETS[i].asked[k].text));
            cr_expect_eq(lists_contains(set, &value, 0), SETS[i].asked[k].truth, "set %zu: %s", i,
                         SETS[i].asked[k].text);
        }
    }
}

Test(policy_lists, values_of_other_types_are_unsure)
{
    static const char *const NONE[MAX_ENTRIES] = {NULL};
    for (int kind = CEL_SET_STRING; kind <= CEL_SET_ASN; kind++) {
        AUTO(lists_free) struct lists_set *set = fill((enum cel_set_kind)kind, NONE);
        struct value values[] = {value_bool(true), value_null(), {0}, {.kind = VALUE_LIST}, value_double(1)};
        for (size_t i = 0; i < COUNT_OF(values); i++) {
            cr_expect_eq(lists_contains(set, &values[i], 0), TRUTH_UNSURE, "kind %d, value %zu", kind, i);
        }
    }
}

Test(policy_lists, takes_addresses_and_numbers)
{
    static const char *const NETS[MAX_ENTRIES] = {"10.0.0.0/8"};
    static const char *const ASNS[MAX_ENTRIES] = {"AS3320"};
    struct ip ip;
    cr_assert(ip_parse(STR("10.1.2.3"), &ip));
    AUTO(lists_free) struct lists_set *nets = fill(CEL_SET_CIDR, NETS);
    struct value value = {.kind = VALUE_IP, .as.ip = &ip};
    cr_expect_eq(lists_contains(nets, &value, 0), TRUTH_YES);
    AUTO(lists_free) struct lists_set *asns = fill(CEL_SET_ASN, ASNS);
    value = value_int(3320);
    cr_expect_eq(lists_contains(asns, &value, 0), TRUTH_YES);
    value = value_int(-1);
    cr_expect_eq(lists_contains(asns, &value, 0), TRUTH_UNSURE);
}

static char LONG[LISTS_ENTRY_MAX + 2]; // filled below

Test(policy_lists, refuses_entries)
{
    static const struct {
        enum cel_set_kind kind;
        const char *entry;
        enum pdp_err err;
    } REFUSED[] = {
        {CEL_SET_CIDR, "10.20.30.1/28", PDP_ERR_SYNTAX},
        {CEL_SET_CIDR, "10.0.0.0/33", PDP_ERR_SYNTAX},
        {CEL_SET_CIDR, "example.org", PDP_ERR_SYNTAX},
        {CEL_SET_CIDR, "", PDP_ERR_SYNTAX},
        {CEL_SET_COUNTRY, "DEU", PDP_ERR_SYNTAX},
        {CEL_SET_COUNTRY, "ä", PDP_ERR_SYNTAX},
        {CEL_SET_ASN, "AS", PDP_ERR_SYNTAX},
        {CEL_SET_ASN, "-1", PDP_ERR_SYNTAX},
        {CEL_SET_ASN, "4294967296", PDP_ERR_SYNTAX},
        {CEL_SET_STRING, LONG, PDP_ERR_LIMIT},
        {CEL_SET_STRING, "a\rb", PDP_ERR_RANGE},
        {CEL_SET_STRING, "a\x7F", PDP_ERR_RANGE},
        {CEL_SET_STRING, "a\xFF", PDP_ERR_UTF8},
        {CEL_SET_CIDR, "10.0.0.0/8\x01", PDP_ERR_RANGE},
    };
    memset(LONG, 'x', sizeof LONG - 1);
    for (size_t i = 0; i < COUNT_OF(REFUSED); i++) {
        const struct lists_head head = {.kind = REFUSED[i].kind};
        AUTO(lists_free) struct lists_set *set = NULL;
        AUTO(lists_building_fini) struct lists_building building;
        cr_assert_eq(lists_new(&head, &set), PDP_ERR_OK);
        cr_assert_eq(lists_begin(&building, set, 1, strlen(REFUSED[i].entry), SEED), PDP_ERR_OK);
        cr_expect_eq(lists_add(&building, str_of(REFUSED[i].entry)), REFUSED[i].err, "%s", REFUSED[i].entry);
    }
}

#define NEVER LISTS_UNKNOWN
#define AHEAD LISTS_AHEAD_MS

Test(policy_lists, age)
{
    static const struct {
        const char *name;
        int64_t max_age_ms, updated_ms, loaded_ms, now_ms;
        bool stale;
        int64_t until_ms;
        bool missing;
    } AGES[] = {
        {"young", 1000, 5000, NEVER, 5500, false, 6001, false},
        {"just young", 1000, 5000, NEVER, 6000, false, 6001, false},
        {"old", 1000, 5000, NEVER, 6001, true, INT64_MAX, false},
        {"a clock that is a little behind", 1000, 5000, NEVER, 10, false, 6001, false},
        {"no clock is so far behind", 1000, AHEAD + 11, NEVER, 10, true, 11, false},
        {"just not", 1000, AHEAD + 10, NEVER, 10, false, AHEAD + 1011, false},
        {"the end of time", 1000, INT64_MAX, NEVER, INT64_MIN + 1, true, INT64_MAX - AHEAD, false},
        {"its beginning", 1000, INT64_MIN + 1, NEVER, INT64_MAX, true, INT64_MAX, false},
        {"since it was loaded", 1000, NEVER, 5000, 6000, false, 6001, false},
        {"too long since", 1000, NEVER, 5000, 6001, true, INT64_MAX, false},
        {"loaded after what is replayed", 1000, NEVER, AHEAD * 9, 10, false, AHEAD * 9 + 1001, false},
        {"its own time counts", 1000, 5000, 9000, 6001, true, INT64_MAX, false},
        {"nobody said", 1000, NEVER, NEVER, 0, true, INT64_MAX, false},
        {"without a limit", 0, NEVER, NEVER, INT64_MAX, false, INT64_MAX, false},
        {"from the future, without a limit", 0, INT64_MAX, NEVER, 0, false, INT64_MAX, false},
        {"lost", 0, 0, 0, 0, true, INT64_MAX, true},
    };
    const struct value value = value_str(STR("x"));
    for (size_t i = 0; i < COUNT_OF(AGES); i++) {
        struct lists_set set = {.head.max_age_ms = AGES[i].max_age_ms,
                                .updated_ms = AGES[i].updated_ms,
                                .loaded_ms = AGES[i].loaded_ms,
                                .missing = AGES[i].missing};
        cr_expect_eq(lists_stale(&set, AGES[i].now_ms), AGES[i].stale, "%s", AGES[i].name);
        cr_expect_eq(lists_contains(&set, &value, AGES[i].now_ms), AGES[i].stale ? TRUTH_UNSURE : TRUTH_NO,
                     "%s", AGES[i].name);
        int64_t until_ms = lists_until(&set, AGES[i].now_ms);
        cr_expect_eq(until_ms, AGES[i].until_ms, "%s: %lld", AGES[i].name, (long long)until_ms);
        if (until_ms != INT64_MAX) { // that is the very first moment
            cr_expect_eq(lists_stale(&set, until_ms - 1), AGES[i].stale, "%s", AGES[i].name);
            cr_expect_neq(lists_stale(&set, until_ms), AGES[i].stale, "%s", AGES[i].name);
        }
    }
}

static struct ip few_addresses(uint64_t state)
{
    struct ip ip = {.v4 = (state >> 60 & 1) != 0};
    for (int k = 0; k < 16; k++) {
        // few values, so that prefixes nest and addresses hit
        ip.bytes[k] = (uint8_t)((state >> (k % 4 * 8 + 16) & 3) * 85);
    }
    if (ip.v4) {
        memset(ip.bytes, 0, 10);
        memset(ip.bytes + 10, 0xFF, 2);
    }
    return ip;
}

// Against asking each prefix in turn.
Test(policy_lists, prefixes_agree_with_a_plain_search)
{
    uint64_t state = 88172645463325252U;
    for (int round = 0; round < 100; round++) {
        const struct lists_head head = {.kind = CEL_SET_CIDR};
        AUTO(lists_free) struct lists_set *set = NULL;
        AUTO(lists_building_fini) struct lists_building building;
        struct cidr cidrs[40];
        cr_assert_eq(lists_new(&head, &set), PDP_ERR_OK);
        cr_assert_eq(lists_begin(&building, set, COUNT_OF(cidrs), 0, SEED), PDP_ERR_OK);
        for (size_t i = 0; i < COUNT_OF(cidrs); i++) {
            state = state * 6364136223846793005U + 1442695040888963407U;
            struct ip ip = few_addresses(state);
            // the widest seldom, or nothing is left to ask
            unsigned least = i % 8 == 0 && round % 4 == 0 ? 0 : 3;
            unsigned bits = least + (unsigned)(state >> 33) % ((ip.v4 ? 33 : 129) - least);
            cidrs[i] = (struct cidr){ip_mask(&ip, bits), (uint8_t)bits};
            AUTO(buf_fini) struct buf text = {0};
            cidr_print(&text, &cidrs[i]);
            cr_assert_eq(lists_add(&building, buf_view(&text)), PDP_ERR_OK, STR_FMT,
                         STR_ARG(buf_view(&text)));
        }
        cr_assert_eq(lists_end(&building), PDP_ERR_OK);
        for (size_t i = 0; i < 200; i++) {
            state = state * 6364136223846793005U + 1442695040888963407U;
            struct ip ip = few_addresses(state);
            bool want = false;
            for (size_t k = 0; k < COUNT_OF(cidrs); k++) {
                want = want || cidr_holds(&cidrs[k], &ip);
            }
            struct value value = {.kind = VALUE_IP, .as.ip = &ip};
            cr_assert_eq(lists_contains(set, &value, 0), want ? TRUTH_YES : TRUTH_NO);
        }
    }
}

Test(policy_lists, a_table_of_strings_is_whole)
{
    enum {
        COUNT = 20000
    };
    const struct lists_head head = {.kind = CEL_SET_STRING};
    AUTO(lists_free) struct lists_set *set = NULL;
    AUTO(lists_building_fini) struct lists_building building;
    cr_assert_eq(lists_new(&head, &set), PDP_ERR_OK);
    cr_assert_eq(lists_begin(&building, set, COUNT * 2, COUNT * 2 * 16, SEED), PDP_ERR_OK);
    for (int i = 0; i < COUNT * 2; i++) { // each twice
        char text[32];
        snprintf(text, sizeof text, "user-%d", i % COUNT * 2);
        cr_assert_eq(lists_add(&building, str_of(text)), PDP_ERR_OK);
    }
    cr_assert_eq(lists_end(&building), PDP_ERR_OK);
    for (int i = 0; i < COUNT * 2; i++) {
        char text[32];
        snprintf(text, sizeof text, "user-%d", i);
        const struct value value = value_str(str_of(text));
        cr_assert_eq(lists_contains(set, &value, 0), i % 2 == 0 ? TRUTH_YES : TRUTH_NO, "%s", text);
    }
    cr_expect_eq(set->entries, COUNT * 2);
}
