// SPDX-License-Identifier: Apache-2.0
#include "policy/networks.h"

#include "model/sighting.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>

#define LISTS_MOST 8
#define ENTRIES_MOST 8
#define NOW INT64_C(1795420800000)

static const struct hash_key SEED = {1, 2};

static const struct networks_class *class_of(const char *name)
{
    for (size_t i = 0; name != NULL && NETWORKS_NAMES[i] != NULL; i++) {
        if (strcmp(NETWORKS_NAMES[i], name) == 0) {
            return &NETWORKS_CLASSES[i];
        }
    }
    return NULL;
}

struct plan {
    const char *network; // NULL: it says no class
    enum cel_set_kind kind;
    int64_t max_age_ms, updated_ms; // 0: not told
    bool missing;
    const char *entries[ENTRIES_MOST];
};

static struct lists_set *fill(const struct plan *plan)
{
    size_t count = 0, bytes = 0;
    while (count < ENTRIES_MOST && plan->entries[count] != NULL) {
        bytes += strlen(plan->entries[count++]);
    }
    const struct lists_head head = {.kind = plan->kind,
                                    .max_age_ms = plan->max_age_ms,
                                    .updated_ms = plan->updated_ms != 0 ? plan->updated_ms : LISTS_UNKNOWN,
                                    .network = class_of(plan->network)};
    struct lists_set *set = NULL;
    AUTO(lists_building_fini) struct lists_building building;
    cr_assert_eq(lists_new(&head, &set), PDP_ERR_OK);
    cr_assert_eq(lists_begin(&building, set, count, bytes, SEED), PDP_ERR_OK);
    for (size_t i = 0; i < count; i++) {
        cr_assert_eq(lists_add(&building, str_of(plan->entries[i])), PDP_ERR_OK, "%s", plan->entries[i]);
    }
    cr_assert_eq(lists_end(&building), PDP_ERR_OK);
    set->missing = plan->missing;
    return set;
}

static struct policy_lists *lists_of(const struct plan plans[static LISTS_MOST])
{
    struct policy_lists *lists = NULL;
    size_t count = 0;
    while (count < LISTS_MOST && (plans[count].network != NULL || plans[count].entries[0] != NULL)) {
        count++;
    }
    cr_assert_eq(lists_all_new(count, &lists), PDP_ERR_OK);
    for (size_t i = 0; i < count; i++) {
        lists->at[i] = fill(&plans[i]);
    }
    cr_assert_eq(networks_build(lists, NULL, &lists->networks), PDP_ERR_OK);
    return lists;
}

#define HOUR INT64_C(3600000)
#define FRESH .max_age_ms = HOUR, .updated_ms = NOW - HOUR
#define STALE .max_age_ms = HOUR, .updated_ms = NOW - HOUR - 1
#define CIDR .kind = CEL_SET_CIDR
#define ASN .kind = CEL_SET_ASN
#define VPN (SIGHT_VPN | SIGHT_ANONYMOUS)
#define TOR (SIGHT_TOR | SIGHT_ANONYMOUS)

static const struct {
    const char *name;
    struct plan plans[LISTS_MOST];
    const char *ip;
    bool asn_told;
    uint32_t asn;
    uint32_t flags, unsure, decided;
} CASES[] = {
    {"no list says a class", {{NULL, CIDR, .entries = {"10.0.0.0/8"}}}, "10.1.2.3", true, 1, 0, 0, 0},
    {"in it", {{"vpn", CIDR, .entries = {"10.0.0.0/8"}}}, "10.255.255.255", true, 0, VPN, 0, SIGHT_VPN},
    {"just above it", {{"vpn", CIDR, .entries = {"10.0.0.0/8"}}}, "11.0.0.0", true, 0, 0, 0, SIGHT_VPN},
    {"just below it", {{"vpn", CIDR, .entries = {"10.0.0.0/8"}}}, "9.255.255.255", true, 0, 0, 0, SIGHT_VPN},
    {"an empty list tells of its class",
     {{"vpn", CIDR, .entries = {NULL}}},
     "9.0.0.1",
     true,
     0,
     0,
     0,
     SIGHT_VPN},
    {"the whole of IPv4, and its last address",
     {{"hosting", CIDR, .entries = {"0.0.0.0/0"}}},
     "255.255.255.255",
     true,
     0,
     SIGHT_HOSTING,
     0,
     SIGHT_HOSTING},
    {"which is not IPv6", {{"hosting", CIDR, .entries = {"0.0.0.0/0"}}}, "::1", true, 0, 0, 0, SIGHT_HOSTING},
    {"the whole of IPv6",
     {{"hosting", CIDR, .entries = {"::/0"}}},
     "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
     true,
     0,
     SIGHT_HOSTING,
     0,
     SIGHT_HOSTING},
    {"the last prefix of IPv6",
     {{"hosting", CIDR, .entries = {"ffff::/16"}}},
     "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
     true,
     0,
     SIGHT_HOSTING,
     0,
     SIGHT_HOSTING},
    {"behind which nothing comes",
     {{"hosting", CIDR, .entries = {"ffff::/16", "::/16"}}},
     "0:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
     true,
     0,
     SIGHT_HOSTING,
     0,
     SIGHT_HOSTING},
    {"a prefix within the second half",
     {{"tor", CIDR, .entries = {"2001:db8::ff00/120"}}},
     "2001:db8::ffff",
     true,
     0,
     TOR,
     0,
     SIGHT_TOR},
    {"and behind it",
     {{"tor", CIDR, .entries = {"2001:db8::ff00/120"}}},
     "2001:db8::1:0",
     true,
     0,
     0,
     0,
     SIGHT_TOR},
    {"two neighbours of one list",
     {{"relay", CIDR, .entries = {"192.0.2.0/25", "192.0.2.128/25"}}},
     "192.0.2.128",
     true,
     0,
     SIGHT_RELAY,
     0,
     SIGHT_RELAY},
    {"one within another unite",
     {{"carrier", CIDR, .entries = {"10.0.0.0/8"}}, {"proxy", CIDR, .entries = {"10.9.0.0/16"}}},
     "10.9.9.9",
     true,
     0,
     SIGHT_CARRIER | SIGHT_PROXY | SIGHT_ANONYMOUS,
     0,
     SIGHT_CARRIER | SIGHT_PROXY},
    {"and behind the inner one the outer goes on",
     {{"carrier", CIDR, .entries = {"10.0.0.0/8"}}, {"proxy", CIDR, .entries = {"10.9.0.0/16"}}},
     "10.10.0.0",
     true,
     0,
     SIGHT_CARRIER,
     0,
     SIGHT_CARRIER | SIGHT_PROXY},
    {"two lists of one class",
     {{"own_egress", CIDR, .entries = {"192.0.2.7"}}, {"own_egress", CIDR, .entries = {"192.0.2.8"}}},
     "192.0.2.8",
     true,
     0,
     SIGHT_OWN_EGRESS,
     0,
     SIGHT_OWN_EGRESS},
    {"by AS number",
     {{"satellite", ASN, .entries = {"AS14593"}}},
     "192.0.2.8",
     true,
     14593,
     SIGHT_SATELLITE,
     0,
     SIGHT_SATELLITE},
    {"by the highest",
     {{"satellite", ASN, .entries = {"4294967295"}}},
     "192.0.2.8",
     true,
     UINT32_MAX,
     SIGHT_SATELLITE,
     0,
     SIGHT_SATELLITE},
    {"another AS number",
     {{"satellite", ASN, .entries = {"AS14593"}}},
     "192.0.2.8",
     true,
     14594,
     0,
     0,
     SIGHT_SATELLITE},
    {"an address that is of no AS", {{"vpn", ASN, .entries = {"0"}}}, "192.0.2.8", true, 0, 0, 0, SIGHT_VPN},
    {"no database of AS numbers",
     {{"vpn", ASN, .entries = {"AS1"}}},
     "192.0.2.8",
     false,
     0,
     0,
     VPN,
     SIGHT_VPN},
    {"which does not matter where prefixes tell",
     {{"vpn", ASN, .entries = {"AS1"}}, {"vpn", CIDR, .entries = {"192.0.2.0/24"}}},
     "192.0.2.8",
     false,
     0,
     VPN,
     0,
     SIGHT_VPN},
    {"as old as it may be",
     {{"tor", CIDR, FRESH, .entries = {"192.0.2.0/24"}}},
     "192.0.2.8",
     true,
     0,
     TOR,
     0,
     SIGHT_TOR},
    {"stale: what is suspicious stays so",
     {{"tor", CIDR, STALE, .entries = {"192.0.2.0/24"}}},
     "192.0.2.8",
     true,
     0,
     TOR,
     0,
     SIGHT_TOR},
    {"stale: what it lacks is not known",
     {{"tor", CIDR, STALE, .entries = {"192.0.2.0/24"}}},
     "192.0.3.8",
     true,
     0,
     0,
     TOR,
     SIGHT_TOR},
    {"stale: it relieves nobody",
     {{"own_egress", CIDR, STALE, .entries = {"192.0.2.0/24"}}},
     "192.0.2.8",
     true,
     0,
     0,
     SIGHT_OWN_EGRESS,
     SIGHT_OWN_EGRESS},
    {"but a fresh one of the class does",
     {{"own_egress", CIDR, STALE, .entries = {"192.0.2.0/24"}},
      {"own_egress", CIDR, .entries = {"192.0.2.0/25"}}},
     "192.0.2.8",
     true,
     0,
     SIGHT_OWN_EGRESS,
     0,
     SIGHT_OWN_EGRESS},
    {"a file that is lost",
     {{"carrier", CIDR, .missing = true, .entries = {NULL}}},
     "192.0.2.8",
     true,
     0,
     0,
     SIGHT_CARRIER,
     SIGHT_CARRIER},
};

Test(policy_networks, tell)
{
    for (size_t i = 0; i < COUNT_OF(CASES); i++) {
        AUTO(policy_lists_free) struct policy_lists *lists = lists_of(CASES[i].plans);
        struct policy_network out = {7, 7, 7};
        struct ip ip;
        cr_assert(ip_parse(str_of(CASES[i].ip), &ip));
        policy_network(lists, &ip, CASES[i].asn_told, CASES[i].asn, NOW, &out);
        cr_expect_eq(out.flags, CASES[i].flags, "%s: flags 0x%x", CASES[i].name, out.flags);
        cr_expect_eq(out.unsure, CASES[i].unsure, "%s: unsure 0x%x", CASES[i].name, out.unsure);
        cr_expect_eq(out.decided, CASES[i].decided, "%s: decided 0x%x", CASES[i].name, out.decided);
    }
}

Test(policy_networks, say_until_when)
{
    static const struct plan PLANS[LISTS_MOST] = {
        {"vpn", CIDR, .entries = {"10.0.0.0/8"}},
        {"tor", CIDR, .max_age_ms = 2 * HOUR, .updated_ms = NOW, .entries = {"10.0.0.0/8"}},
        {"relay", CIDR, .max_age_ms = HOUR, .updated_ms = NOW, .entries = {"10.0.0.0/8"}},
        {NULL, CIDR, .max_age_ms = 1, .updated_ms = NOW, .entries = {"10.0.0.0/8"}},
    };
    AUTO(policy_lists_free) struct policy_lists *lists = lists_of(PLANS);
    cr_expect_eq(policy_network_until(lists, NOW), NOW + HOUR + 1);
    cr_expect_eq(policy_network_until(lists, NOW + HOUR + 1), NOW + 2 * HOUR + 1);
    cr_expect_eq(policy_network_until(lists, NOW + 3 * HOUR), INT64_MAX);
    cr_expect_eq(policy_network_until(NULL, NOW), INT64_MAX);
}

// ---- Against each list by itself ---------------------------------------------------------------------

static uint64_t draw(void)
{
    static uint64_t state = 88172645463325252U;
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return state;
}

// Crowded into few bits, so that prefixes nest, meet and repeat.
static void put_prefix(char *out, size_t len, bool v6)
{
    unsigned third = (unsigned)(draw() % 4), last = (unsigned)(draw() % 256);
    if (v6) {
        unsigned bits = 56 + (unsigned)(draw() % 73), low = (unsigned)(draw() % 4) << 14;
        snprintf(out, len, "2001:db8:0:%x:%x::%x/%u", third << 6, low, last, bits);
    } else {
        snprintf(out, len, "192.0.%u.%u/%u", third, last, 20 + (unsigned)(draw() % 13));
    }
}

static struct lists_set *random_set(enum cel_set_kind kind, const struct networks_class *class)
{
    const struct lists_head head = {.kind = kind, .updated_ms = LISTS_UNKNOWN, .network = class};
    size_t count = draw() % 30;
    struct lists_set *set = NULL;
    AUTO(lists_building_fini) struct lists_building building;
    cr_assert_eq(lists_new(&head, &set), PDP_ERR_OK);
    cr_assert_eq(lists_begin(&building, set, count, count * 64, SEED), PDP_ERR_OK);
    for (size_t i = 0; i < count; i++) {
        char text[64], plain[64];
        struct cidr cidr;
        AUTO(buf_fini) struct buf printed = {0};
        if (kind == CEL_SET_ASN) {
            snprintf(plain, sizeof plain, "%u",
                     (unsigned)(draw() % 64 + (draw() % 8 == 0 ? 4294967232U : 0)));
        } else {
            put_prefix(text, sizeof text, draw() % 2 == 0);
            cr_assert(cidr_parse(str_of(text), true, &cidr), "%s", text);
            cidr_print(&printed, &cidr);
            snprintf(plain, sizeof plain, STR_FMT, STR_ARG(buf_view(&printed)));
        }
        cr_assert_eq(lists_add(&building, str_of(plain)), PDP_ERR_OK, "%s", plain);
    }
    cr_assert_eq(lists_end(&building), PDP_ERR_OK);
    return set;
}

static void random_ip(struct ip *out)
{
    char text[64];
    put_prefix(text, sizeof text, draw() % 2 == 0);
    *strchr(text, '/') = '\0';
    cr_assert(ip_parse(str_of(text), out));
}

static uint64_t one_by_one(const struct policy_lists *lists, const struct value *value, bool asn)
{
    uint64_t bits = 0;
    for (size_t i = 0; i < lists->count; i++) {
        bool asks = (lists->at[i]->head.kind == CEL_SET_ASN) == asn;
        bits |= asks && lists_contains(lists->at[i], value, 0) == TRUTH_YES ? UINT64_C(1) << i : 0;
    }
    return bits;
}

Test(policy_networks, agree_with_each_list)
{
    for (int round = 0; round < 60; round++) {
        AUTO(policy_lists_free) struct policy_lists *lists = NULL;
        size_t count = 1 + draw() % 20;
        cr_assert_eq(lists_all_new(count, &lists), PDP_ERR_OK);
        for (size_t i = 0; i < count; i++) {
            lists->at[i] =
                random_set(draw() % 3 == 0 ? CEL_SET_ASN : CEL_SET_CIDR, &NETWORKS_CLASSES[draw() % 9]);
        }
        cr_assert_eq(networks_build(lists, NULL, &lists->networks), PDP_ERR_OK);
        for (int asked = 0; asked < 400; asked++) {
            struct ip ip;
            random_ip(&ip);
            struct value value = {.kind = VALUE_IP, .as.ip = &ip};
            cr_assert_eq(networks_of_ip(lists->networks, &ip), one_by_one(lists, &value, false));
            uint32_t asn = (uint32_t)(draw() % 64 + (draw() % 2 == 0 ? 4294967232U : 0));
            value = value_int(asn);
            cr_assert_eq(networks_of_asn(lists->networks, asn), one_by_one(lists, &value, true), "AS%u", asn);
        }
    }
}

// ---- Reading a list anew -----------------------------------------------------------------------------

Test(policy_networks, rebuild_only_what_changed)
{
    static const struct plan PLANS[LISTS_MOST] = {
        {"vpn", CIDR, .entries = {"10.0.0.0/8"}},
        {"tor", CIDR, .entries = {"2001:db8::/32"}},
        {"satellite", ASN, .entries = {"AS14593"}},
        {NULL, CIDR, .entries = {"10.0.0.0/8"}},
    };
    static const struct plan OTHER = {"vpn", CIDR, .entries = {"11.0.0.0/8"}};
    AUTO(policy_lists_free) struct policy_lists *was = lists_of(PLANS);
    AUTO(policy_lists_free) struct policy_lists *now = NULL;
    AUTO(networks_free) struct networks *rebuilt = NULL;
    cr_assert_eq(policy_lists_share(was, &now), PDP_ERR_OK);
    for (int kind = 0; kind < NETWORKS_KINDS; kind++) {
        cr_expect_eq(now->networks->tables[kind], was->networks->tables[kind], "kind %d", kind);
        cr_expect_neq(now->networks->tables[kind], NULL, "kind %d", kind);
    }
    lists_free(&now->at[3]);
    now->at[3] = fill(&PLANS[3]);
    cr_assert_eq(networks_build(now, was->networks, &rebuilt), PDP_ERR_OK);
    cr_expect_eq(rebuilt->tables[NETWORKS_V4], was->networks->tables[NETWORKS_V4], "it says no class");
    networks_free(&rebuilt);
    lists_free(&now->at[0]);
    now->at[0] = fill(&OTHER);
    cr_assert_eq(networks_build(now, was->networks, &rebuilt), PDP_ERR_OK);
    cr_expect_neq(rebuilt->tables[NETWORKS_V4], was->networks->tables[NETWORKS_V4]);
    cr_expect_eq(rebuilt->tables[NETWORKS_V6], was->networks->tables[NETWORKS_V6]);
    cr_expect_eq(rebuilt->tables[NETWORKS_ASN], was->networks->tables[NETWORKS_ASN]);
    struct ip ip;
    cr_assert(ip_parse(STR("11.0.0.1"), &ip));
    cr_expect_eq(networks_of_ip(rebuilt, &ip), 1);
    cr_expect_eq(networks_of_ip(was->networks, &ip), 0);
}

Test(policy_networks, keep_each_bound_once)
{
    static const struct plan PLANS[LISTS_MOST] = {
        {"vpn", CIDR, .entries = {"192.0.2.0/25", "192.0.2.128/25", "ffff::/16"}},
        {"tor", CIDR, .entries = {"192.0.3.0/24"}},
    };
    AUTO(policy_lists_free) struct policy_lists *lists = lists_of(PLANS);
    cr_expect_eq(lists->networks->tables[NETWORKS_V4]->key_count, 3, "neighbours of one list are one");
    cr_expect_eq(lists->networks->tables[NETWORKS_V6]->key_count, 1, "none comes after the last address");
}

// ---- Bounds ------------------------------------------------------------------------------------------

static struct policy_lists *many(size_t count)
{
    static const struct plan PLAN = {"vpn", CIDR, .entries = {"10.0.0.0/8"}};
    struct policy_lists *lists = NULL;
    cr_assert_eq(lists_all_new(count, &lists), PDP_ERR_OK);
    for (size_t i = 0; i < count; i++) {
        lists->at[i] = fill(&PLAN);
    }
    return lists;
}

Test(policy_networks, are_64_lists_at_most)
{
    struct networks *networks = NULL;
    struct ip ip;
    AUTO(policy_lists_free) struct policy_lists *most = many(NETWORKS_MOST);
    AUTO(policy_lists_free) struct policy_lists *more = many(NETWORKS_MOST + 1);
    cr_assert(ip_parse(STR("10.0.0.1"), &ip));
    cr_assert_eq(networks_build(most, NULL, &networks), PDP_ERR_OK);
    cr_expect_eq(networks_of_ip(networks, &ip), UINT64_MAX);
    networks_free(&networks);
    cr_expect_eq(networks_build(more, NULL, &networks), PDP_ERR_LIMIT);
    cr_expect_eq(networks, NULL);
}

// 17 lists, so that each number is in another combination of them.
static struct policy_lists *combined(uint32_t numbers)
{
    struct policy_lists *lists = NULL;
    cr_assert_eq(lists_all_new(17, &lists), PDP_ERR_OK);
    for (size_t i = 0; i < 17; i++) {
        const struct lists_head head = {.kind = CEL_SET_ASN, .network = &NETWORKS_CLASSES[0]};
        AUTO(lists_building_fini) struct lists_building building;
        cr_assert_eq(lists_new(&head, &lists->at[i]), PDP_ERR_OK);
        cr_assert_eq(lists_begin(&building, lists->at[i], numbers, (size_t)numbers * 8, SEED), PDP_ERR_OK);
        for (uint32_t n = 1; n <= numbers; n++) {
            char text[16];
            snprintf(text, sizeof text, "%u", n);
            if ((n >> i & 1) != 0) {
                cr_assert_eq(lists_add(&building, str_of(text)), PDP_ERR_OK);
            }
        }
        cr_assert_eq(lists_end(&building), PDP_ERR_OK);
    }
    return lists;
}

Test(policy_networks, meet_in_65536_ways_at_most)
{
    AUTO(networks_free) struct networks *networks = NULL;
    AUTO(policy_lists_free) struct policy_lists *most = combined(65535); // and none of them
    AUTO(policy_lists_free) struct policy_lists *more = combined(65536);
    cr_assert_eq(networks_build(most, NULL, &networks), PDP_ERR_OK);
    for (uint32_t n = 1; n <= 65535; n++) {
        cr_assert_eq(networks_of_asn(networks, n), n);
    }
    cr_expect_eq(networks_of_asn(networks, 65536), 0);
    networks_free(&networks);
    cr_expect_eq(networks_build(more, NULL, &networks), PDP_ERR_LIMIT);
}
