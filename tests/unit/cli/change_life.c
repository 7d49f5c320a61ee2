// SPDX-License-Identifier: Apache-2.0
// Which step is the incident, and the Scenario that is written of a life: it is read again as one.
#include "cli/change/life.h"
#include "cli/test/suite.h"
#include "geo/geo.h"

#include <criterion/criterion.h>
#include <math.h>
#include <stdlib.h>

#define START INT64_C(1795424400000)

struct told {
    bool event;
    const char *effect, *level, *json;
    int64_t at_ms;
};

static void live(struct life *life, const struct told *told, size_t count)
{
    *life = (struct life){.ref = STR("s_0123456789abcdef01234567"), .ended_ms = INT64_MAX, .ids = 1};
    arena_init(&life->arena, 0, 0);
    life->steps = calloc(count, sizeof *life->steps);
    for (size_t i = 0; i < count; i++) {
        struct value *root = ARENA_NEW(&life->arena, struct value);
        struct fault why;
        if (told[i].json != NULL) {
            cr_assert_eq(wire_decode(WIRE_JSON, str_of(told[i].json), &life->arena, root, &why), PDP_ERR_OK,
                         "%s", why.what);
        }
        life->steps[i] =
            (struct life_step){.at_ms = START + told[i].at_ms,
                               .event = told[i].event,
                               .root = root,
                               .before = UINT32_MAX,
                               .view = {.effect = str_of(told[i].effect),
                                        .has_risk = told[i].level != NULL,
                                        .level = str_of(told[i].level != NULL ? told[i].level : ""),
                                        .score = 50},
                               .place = {.latitude = NAN, .longitude = NAN, .radius_km = NAN}};
    }
    life->count = count;
}

Test(change_life, the_incident_is_the_first_that_should_not_have_been_allowed)
{
    static const struct {
        const char *name;
        struct told told[6];
        size_t count;
        int64_t since_ms;
        size_t incident;
    } CASES[] = {
        {"risk rose to where it ended",
         {{false, "allow", "low", NULL, 0},
          {false, "allow", "medium", NULL, 1},
          {false, "allow", "high", NULL, 2},
          {true, "recorded", "low", NULL, 3},
          {false, "allow", "high", NULL, 4},
          {false, "deny", "high", NULL, 5}},
         6,
         INT64_MIN,
         2},
        {"it fell in between",
         {{false, "allow", "high", NULL, 0},
          {false, "allow", "low", NULL, 1},
          {false, "allow", "high", NULL, 2}},
         3,
         INT64_MIN,
         2},
        {"it never rose: the last",
         {{false, "allow", "low", NULL, 0},
          {false, "allow", "low", NULL, 1},
          {false, "deny", "low", NULL, 2}},
         3,
         INT64_MIN,
         1},
        {"a denial between says nothing",
         {{false, "allow", "high", NULL, 0},
          {false, "deny", "high", NULL, 1},
          {false, "allow", "high", NULL, 2}},
         3,
         INT64_MIN,
         0},
        {"from a time on",
         {{false, "allow", "high", NULL, 0},
          {false, "deny", "high", NULL, 10},
          {false, "allow", "low", NULL, 20}},
         3,
         START + 5,
         2},
        {"nothing was allowed",
         {{true, "recorded", NULL, NULL, 0}, {false, "deny", "low", NULL, 1}},
         2,
         INT64_MIN,
         LIFE_NONE},
        {"nothing from then on", {{false, "allow", "low", NULL, 0}}, 1, START + 5, LIFE_NONE},
    };
    for (size_t i = 0; i < COUNT_OF(CASES); i++) {
        struct life life;
        live(&life, CASES[i].told, CASES[i].count);
        cr_expect_eq(life_incident(&life, CASES[i].since_ms), CASES[i].incident, "%s: %zu", CASES[i].name,
                     life_incident(&life, CASES[i].since_ms));
        life_fini(&life);
    }
}

#define SUBJECT                                    \
    "\"subject\":{\"type\":\"user\",\"id\":\"al: " \
    "ice\",\"properties\":{\"roles\":[\"staff\",\"true\",\"12\"],\"since\":1.5,\"x\":null}}"
#define LAPTOP                                                         \
    "\"device\":{\"fingerprint\":\"d1\",\"user_agent\":\"a \\\"b\\\" " \
    "#c\"},\"network\":{\"ip\":\"2001:db8::7\"}"

Test(change_life, a_scenario_can_be_read_again)
{
    static const struct told TOLD[] = {
        {true, "recorded", NULL,
         "{\"tenant\":\"acme\",\"event\":{\"type\":\"login\"," SUBJECT
         ",\"context\":{\"session\":{\"id\":\"session-1\"}," LAPTOP "},\"properties\":{\"amr\":[\"pwd\"]}}}",
         0},
        {false, "allow", "low",
         "{\"tenant\":\"acme\"," SUBJECT
         ",\"action\":{\"name\":\"GET\"},\"resource\":{\"type\":\"route\",\"id\":\"/a b\"},"
         "\"context\":{\"session\":{\"id\":\"session-1\"}," LAPTOP ",\"client\":{\"auth\":\"oidc\"}}}",
         1500},
        {false, "allow", "high",
         "{\"tenant\":\"acme\"," SUBJECT
         ",\"action\":{\"name\":\"GET\"},\"resource\":{\"type\":\"route\",\"id\":\"/b\"},"
         "\"context\":{\"session\":{\"id\":\"session-1\"},\"network\":{\"ip\":\"203.0.113.9\"}}}",
         61500},
    };
    struct life life;
    struct buf out = {0}, said = {0};
    struct diags diags;
    struct suite *suite = NULL;
    live(&life, TOLD, COUNT_OF(TOLD));
    life.steps[0].place = (struct life_place){.ip = STR("2001:db8::7"),
                                              .country = STR("NO"),
                                              .latitude = 59.9,
                                              .longitude = 10.75,
                                              .radius_km = 20,
                                              .asn = 64500,
                                              .org = STR("A: \"net\""),
                                              .known = GEO_COUNTRY | GEO_ANONYMITY};
    life.steps[1].place = life.steps[0].place;
    life.steps[2].place = (struct life_place){.ip = STR("203.0.113.9"),
                                              .latitude = NAN,
                                              .longitude = NAN,
                                              .radius_km = NAN,
                                              .flags = SIGHT_TOR | SIGHT_ANONYMOUS,
                                              .known = GEO_ANONYMITY};
    life.steps[2].before = 7;
    life.steps[1].before = 2;
    life_write(&life, 2, &out);
    const struct snapshot_file file = {.name = STR("p/incident_test.yaml"), .text = buf_view(&out)};
    diags_init(&diags, 20);
    enum pdp_err err = suite_read(&file, 1, &diags, &suite);
    diags_render(&diags, &said);
    cr_assert_eq(err, PDP_ERR_OK, STR_FMT "\n" STR_FMT, STR_ARG(buf_view(&out)), STR_ARG(buf_view(&said)));
    cr_assert_eq(suite_count(suite), 1);
    const struct suite_doc *doc = suite_at(suite, 0);
    cr_expect(str_eq(doc->class, STR("attack")) && doc->stops == 2 && doc->geo != NULL);
    cr_expect_eq(doc->start_ms, START);
    cr_assert_eq(doc->play_count, 3);
    cr_expect_eq(doc->plays[2].at_ms, START + 61500);
    const struct value *roles = value_path(doc->plays[1].root, STR("subject.properties.roles"));
    cr_expect(roles != NULL && roles->n == 3 && value_is_text(&roles->as.list[1], STR("true")) &&
              value_is_text(&roles->as.list[2], STR("12")));
    const struct value *agent = value_path(doc->plays[1].root, STR("context.device.user_agent"));
    cr_expect(agent != NULL && value_is_text(agent, STR("a \"b\" #c")));
    cr_expect(value_path(doc->plays[1].root, STR("context.client.auth")) != NULL);
    cr_expect(str_find(buf_view(&out), STR("  # here 4 questions of the session are not in the log\n"), 0) !=
                  SIZE_MAX,
              STR_FMT, STR_ARG(buf_view(&out)));
    cr_expect(str_find(buf_view(&out), STR("\"203.0.113.9/32\": {anonymous: true, tor: true}"), 0) !=
                  SIZE_MAX,
              STR_FMT, STR_ARG(buf_view(&out)));
    cr_expect(str_find(buf_view(&out), STR("latitude: 59.9, longitude: 10.75, radius_km: 20, asn: 64500"),
                       0) != SIZE_MAX,
              STR_FMT, STR_ARG(buf_view(&out)));
    suite_free(&suite);
    diags_fini(&diags);
    buf_fini(&out);
    buf_fini(&said);
    life_fini(&life);
}
