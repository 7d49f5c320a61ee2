// SPDX-License-Identifier: Apache-2.0
// Classes of network that lists say, as conditions, answers and scores see them.
#include "data/mmdb.h"
#include "support/harness.h"

#include <criterion/criterion.h>
#include <stdio.h>

#define HEAD(kind, name) "---\napiVersion: pdp/v1\nkind: " kind "\nmetadata: {name: " name "}\n"
#define ASKED(name) "  - {id: " name ", effect: allow, actions: [" name "], when: geo." name "}\n"
#define ASKED_NOT(name) \
    "  - {id: not_" name ", effect: allow, actions: [not_" name "], when: '!geo." name "'}\n"
#define BOTH(name) ASKED(name) ASKED_NOT(name)

// clang-format off
static const char FOLDER[] =
    HEAD("Policy", "p") "rules:\n"
    BOTH("vpn") BOTH("tor") BOTH("hosting") BOTH("anonymous") BOTH("relay") BOTH("carrier") BOTH("own_egress")
    HEAD("List", "vpns") "type: cidr\nnetwork: vpn\nfile: vpns.txt\nmax_age: 1h\n"
    HEAD("List", "offices") "type: cidr\nnetwork: own_egress\nentries: [192.0.2.0/28]\n"
    HEAD("List", "phones") "type: asn\nnetwork: carrier\nentries: [AS64500]\n";
// clang-format on

static const struct hash_key SEED = {3, 4};
static const char *vpns; // the file; NULL: lost
static struct mmdb_file geo_file;

static enum pdp_err read_file(void *user, struct str path, struct str *text)
{
    (void)user;
    (void)path;
    *text = str_of(vpns);
    return vpns != NULL ? PDP_ERR_OK : PDP_ERR_IO;
}

static struct snapshot_input input_at(int64_t now_ms)
{
    static const struct snapshot_file DOCUMENT = {.name = {"p.yaml", 6}, .text = {FOLDER, sizeof FOLDER - 1}};
    static struct snapshot_file geo = {.name = {"geo.mmdb", 8}};
    geo.text = (struct str){(const char *)geo_file.bytes, geo_file.len};
    return (struct snapshot_input){.files = &DOCUMENT,
                                   .file_count = 1,
                                   .geo = &geo,
                                   .geo_count = geo_file.bytes != NULL,
                                   .read_file = read_file,
                                   .now_ms = now_ms};
}

static struct snapshot *load(struct harness *h, const char *database)
{
    struct snapshot *snapshot = NULL, *kept = NULL;
    struct diags diags;
    geo_file = database != NULL ? mmdb_made(database) : (struct mmdb_file){NULL, 0};
    if (database != NULL && geo_file.bytes == NULL) {
        cr_skip_test("the test databases cannot be made: perl with MaxMind::DB::Writer is needed");
    }
    cr_assert(harness_load(h, HEAD("Policy", "q") "rules: [{id: a, effect: deny}]\n"));
    diags_init(&diags, 10);
    const struct snapshot_input input = input_at(1000);
    cr_assert_eq(snapshot_build(&input, SEED, &diags, &snapshot), PDP_ERR_OK);
    diags_fini(&diags);
    cr_assert_eq(snapshot_share(snapshot, &kept), PDP_ERR_OK);
    engine_publish(h->engine, &snapshot);
    mmdb_file_free(&geo_file);
    return kept;
}

static void reload(struct harness *h, struct snapshot **kept, int64_t now_ms)
{
    struct snapshot *snapshot = NULL;
    struct diags diags;
    diags_init(&diags, 10);
    const struct snapshot_input input = input_at(now_ms);
    cr_assert_eq(snapshot_reload_lists(*kept, STR("vpns"), &input, SEED, &diags, &snapshot), PDP_ERR_OK);
    diags_fini(&diags);
    snapshot_free(kept);
    cr_assert_eq(snapshot_share(snapshot, kept), PDP_ERR_OK);
    engine_publish(h->engine, &snapshot);
    engine_tidy(h->engine, now_ms);
}

static const char *ask(struct harness *h, const char *action, const char *ip, int64_t now_ms)
{
    char text[512];
    snprintf(
        text, sizeof text,
        "{'subject': {'type': 'user', 'id': 'u'}, 'action': {'name': '%s'}, 'resource': {'type': 'x', 'id': "
        "'y'}, 'context': {'network': {'ip': '%s'}}}",
        action, ip);
    harness_ask(h, now_ms, text);
    return harness_effect(h);
}

#define YES "allow/policy"
#define NO "deny/no-rule"
#define UNSURE "deny/unsure"

// What `geo.NAME` and `!geo.NAME` allow.
static const struct {
    const char *ip, *name, *is, *is_not;
} TOLD[] = {
    {"10.1.2.3", "vpn", YES, NO},
    {"11.1.2.3", "vpn", NO, YES},
    {"10.1.2.3", "anonymous", YES, NO},
    {"11.1.2.3", "anonymous", UNSURE, UNSURE}, // no list says who is not anonymous
    {"10.1.2.3", "tor", UNSURE, UNSURE},       // nobody tells of Tor
    {"10.1.2.3", "relay", UNSURE, UNSURE},
    {"192.0.2.15", "own_egress", YES, NO},
    {"192.0.2.16", "own_egress", NO, YES},
    {"192.0.2.16", "carrier", UNSURE, UNSURE}, // there is no database of AS numbers
};

Test(engine_networks, are_read_in_conditions)
{
    struct harness h = {0};
    char other[32];
    vpns = "10.0.0.0/8\n";
    AUTO(snapshot_free) struct snapshot *kept = load(&h, NULL);
    cr_assert_not_null(kept);
    for (size_t i = 0; i < COUNT_OF(TOLD); i++) {
        snprintf(other, sizeof other, "not_%s", TOLD[i].name);
        cr_expect_str_eq(ask(&h, TOLD[i].name, TOLD[i].ip, 2000), TOLD[i].is, "%s %s", TOLD[i].ip,
                         TOLD[i].name);
        cr_expect_str_eq(ask(&h, other, TOLD[i].ip, 2000), TOLD[i].is_not, "%s %s", TOLD[i].ip, other);
    }
    harness_fini(&h);
}

Test(engine_networks, are_found_by_AS_number)
{
    struct harness h = {0};
    vpns = "10.0.0.0/8\n";
    AUTO(snapshot_free) struct snapshot *kept = load(&h, "asn");
    cr_assert_not_null(kept);
    cr_expect_str_eq(ask(&h, "carrier", "203.0.113.7", 2000), YES);
    cr_expect_str_eq(ask(&h, "not_carrier", "198.51.100.7", 2000), YES);
    cr_expect_str_eq(ask(&h, "not_carrier", "10.1.2.3", 2000), YES, "no AS has it");
    harness_fini(&h);
}

Test(engine_networks, turn_with_the_list)
{
    struct harness h = {0};
    vpns = "10.0.0.0/8\n";
    AUTO(snapshot_free) struct snapshot *kept = load(&h, NULL);
    cr_assert_not_null(kept);
    cr_expect_str_eq(ask(&h, "vpn", "10.1.2.3", 2000), YES);
    cr_expect_str_eq(ask(&h, "not_vpn", "11.1.2.3", 2000), YES);
    vpns = "11.0.0.0/8\n";
    reload(&h, &kept, 3000);
    cr_expect_str_eq(ask(&h, "not_vpn", "10.1.2.3", 3000), YES);
    cr_expect_str_eq(ask(&h, "vpn", "11.1.2.3", 3000), YES);
    cr_expect_str_eq(ask(&h, "own_egress", "192.0.2.1", 3000), YES, "the others are as they were");
    harness_fini(&h);
}

Test(engine_networks, of_a_stale_list_are_suspicious_at_most)
{
    struct harness h = {0};
    vpns = "10.0.0.0/8\n";
    AUTO(snapshot_free) struct snapshot *kept = load(&h, NULL);
    cr_assert_not_null(kept);
    cr_expect_str_eq(ask(&h, "not_vpn", "11.1.2.3", 3601000), YES);
    cr_expect_str_eq(harness_get(&h, "context.valid.until"), "3601");
    cr_expect_str_eq(ask(&h, "not_vpn", "11.1.2.3", 3601001), UNSURE);
    cr_expect_str_eq(ask(&h, "vpn", "10.1.2.3", 3601001), YES);
    reload(&h, &kept, 3700000);
    cr_expect_str_eq(ask(&h, "not_vpn", "11.1.2.3", 3700000), YES);
    harness_fini(&h);
}

Test(engine_networks, of_a_lost_list_are_not_known)
{
    struct harness h = {0};
    vpns = NULL;
    AUTO(snapshot_free) struct snapshot *kept = load(&h, "anonymous");
    cr_assert_not_null(kept);
    cr_expect_str_eq(ask(&h, "not_vpn", "203.0.113.7", 2000), UNSURE,
                     "though a database says that it is none");
    cr_expect_str_eq(ask(&h, "not_tor", "203.0.113.7", 2000), YES);
    cr_expect_str_eq(ask(&h, "tor", "203.0.113.250", 2000), YES);
    cr_expect_str_eq(ask(&h, "vpn", "192.0.2.200", 2000), YES, "a database says that it is one");
    harness_fini(&h);
}

// A VPN scores, but for the company's own exit, which a database takes for one.
Test(engine_networks, reach_the_score)
{
    static const char *const POLICIES[] = {
        "", HEAD("List", "offices") "type: cidr\nnetwork: own_egress\nentries: [192.0.2.200]\n",
        HEAD("List", "exits") "type: cidr\nnetwork: tor\nentries: [192.0.2.200]\n",
        HEAD("List", "relays") "type: cidr\nnetwork: relay\nentries: [192.0.2.200]\n"};
    static const char *const SCORES[] = {"6.5989", "3.2295", "13.0108", "3.2295"};
    for (size_t i = 0; i < COUNT_OF(POLICIES); i++) {
        struct harness h = {0};
        char yaml[512];
        snprintf(yaml, sizeof yaml, "%s%s", HEAD("Policy", "p") "rules: [{id: a, effect: allow}]\n",
                 POLICIES[i]);
        struct mmdb_file file = mmdb_made("anonymous");
        if (file.bytes == NULL) {
            cr_skip_test("the test databases cannot be made: perl with MaxMind::DB::Writer is needed");
        }
        const struct snapshot_file document = {.name = STR("p.yaml"), .text = str_of(yaml)};
        const struct snapshot_file geo = {.name = STR("geo.mmdb"),
                                          .text = {(const char *)file.bytes, file.len}};
        const struct snapshot_input input = {
            .files = &document, .file_count = 1, .geo = &geo, .geo_count = 1, .now_ms = 1000};
        cr_assert(harness_load_input(&h, &input), STR_FMT, STR_ARG(buf_view(&h.said)));
        (void)ask(&h, "read", "192.0.2.200", 2000);
        cr_expect(strncmp(harness_get(&h, "context.risk.score"), SCORES[i], 5) == 0, "%zu: %s", i,
                  harness_get(&h, "context.risk.score"));
        mmdb_file_free(&file);
        harness_fini(&h);
    }
}
