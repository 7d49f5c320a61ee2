// SPDX-License-Identifier: Apache-2.0
// A geo database that is replaced while sessions go on: nobody moved, so nothing is found.
#include "data/mmdb.h"
#include "support/harness.h"

#include <criterion/criterion.h>
#include <stdio.h>

#define MINUTE INT64_C(60000)
#define BERLIN "203.0.113.7"         // Sydney, says the next database
#define BERLIN_TOO "203.0.113.9"     // likewise
#define BERLIN_STILL "203.0.113.200" // of which the next one tells nothing
#define SYDNEY "192.0.2.7"

static void load(struct harness *h, const char *database)
{
    static const char POLICY[] =
        "apiVersion: pdp/v1\nkind: Policy\nmetadata: {name: p}\nrules: [{id: a, effect: allow}]\n";
    struct mmdb_file file = mmdb_made(database);
    if (file.bytes == NULL) {
        cr_skip_test("the test databases cannot be made: perl with MaxMind::DB::Writer is needed");
    }
    const struct snapshot_file document = {.name = STR("p.yaml"), .text = {POLICY, sizeof POLICY - 1}};
    const struct snapshot_file geo = {.name = STR("geo.mmdb"), .text = {(const char *)file.bytes, file.len}};
    const struct snapshot_input input = {
        .files = &document, .file_count = 1, .geo = &geo, .geo_count = 1, .now_ms = HARNESS_NOW};
    cr_assert(harness_load_input(h, &input), STR_FMT, STR_ARG(buf_view(&h->said)));
    mmdb_file_free(&file);
}

static void ask(struct harness *h, int64_t now_ms, const char *ip)
{
    char text[512];
    snprintf(
        text, sizeof text,
        "{'subject': {'type': 'user', 'id': 'u'}, 'action': {'name': 'GET'}, 'resource': {'type': 'x', 'id': "
        "'y'}, 'context': {'session': {'id': 's', 'auth_time': %lld}, 'network': {'ip': '%s'}}, 'explain': "
        "'full'}",
        (long long)(HARNESS_NOW / 1000), ip);
    harness_ask(h, now_ms, text);
    cr_assert_str_eq(harness_effect(h), "allow/policy");
}

// The databases before and after a swap between two questions, and what the second one finds.
static const struct {
    const char *name, *before, *after, *was, *is, *signal;
} SWAPS[] = {
    {"one database: who is in Sydney a minute later has not travelled", "city", "city", BERLIN, SYDNEY,
     "impossible-travel"},
    {"one database, one address", "city", "city", BERLIN, BERLIN, ""},
    {"swapped, the address stays", "city", "city-moved", BERLIN, BERLIN, ""},
    {"swapped back, the address stays", "city-moved", "city", BERLIN, BERLIN, ""},
    {"swapped for one that does not know it", "city", "city-moved", BERLIN_STILL, BERLIN_STILL, ""},
    {"swapped for one that begins to know it", "city-moved", "city", BERLIN_STILL, BERLIN_STILL, ""},
    // A country that is another may be one, though it may be the database alone: that is little, and no
    // journey.
    {"the address changes with the swap", "city", "city-moved", BERLIN, BERLIN_TOO, "country-change"},
    {"the address changes with the swap, abroad", "city-moved", "city", BERLIN, SYDNEY, ""},
    {"for one that does not know the next address", "city", "city-moved", BERLIN, BERLIN_STILL, ""},
};

Test(engine_swap, of_a_database_moves_nobody)
{
    for (size_t i = 0; i < COUNT_OF(SWAPS); i++) {
        struct harness h = {0};
        load(&h, SWAPS[i].before);
        ask(&h, HARNESS_NOW, SWAPS[i].was);
        load(&h, SWAPS[i].after);
        ask(&h, HARNESS_NOW + MINUTE, SWAPS[i].is);
        bool travels = str_eq(str_of(SWAPS[i].signal), STR("impossible-travel"));
        const char *found = harness_get(&h, "context.risk.signals");
        bool nothing = strstr(found, "change") == NULL && strstr(found, "travel") == NULL &&
                       strstr(found, "rare") == NULL;
        cr_expect(SWAPS[i].signal[0] == '\0' ? nothing : strstr(found, SWAPS[i].signal) != NULL, "%s: %s",
                  SWAPS[i].name, found);
        cr_expect_str_eq(harness_get(&h, "context.risk.level"), travels ? "high" : "low", "%s",
                         SWAPS[i].name);
        ask(&h, HARNESS_NOW + 2 * MINUTE, SWAPS[i].is);
        cr_expect_str_eq(harness_get(&h, "context.risk.level"), travels ? "high" : "low", "%s",
                         SWAPS[i].name);
        harness_fini(&h);
    }
}
