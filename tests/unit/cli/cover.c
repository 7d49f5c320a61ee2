// SPDX-License-Identifier: Apache-2.0
// What a few questions have seen of a small folder: known beforehand.
#include "cli/test/cover.h"

#include <criterion/criterion.h>

#define NOW INT64_C(1795420800000) // 2026-11-23T08:00:00Z

static const char SHARED[] = "apiVersion: pdp/v1\nkind: Strengths\nmetadata: {name: levels}\nlevels:\n"
                             "  - {name: mfa, proves: '\"otp\" in session.amr'}\n"
                             "---\napiVersion: pdp/v1\nkind: Definitions\nmetadata: {name: words}\n"
                             "variables:\n  odd: 1 > 2\n  where: geo.country\n";
static const char WEB[] =
    "apiVersion: pdp/v1\nkind: Policy\nmetadata: {name: web}\ntarget: resource.type == \"route\"\n"
    "variables: {red: subject.color == \"red\"}\n"
    "rules:\n"
    "  - id: staff\n"
    "    effect: allow\n"
    "    actions: [GET, PUT]\n"
    "    when:\n"
    "      all:\n"
    "        - '\"staff\" in subject.roles'\n"
    "        - any: [device.managed, '!vars.red']\n"
    "  - {id: pay, effect: step_up, resources: [/pay/**], require: {strength: mfa}}\n"
    "  - {id: odd, effect: deny, when: 'vars.odd || subject.age > 200'}\n";
static const char FIRST[] =
    "apiVersion: pdp/v1\nkind: Policy\nmetadata: {name: first}\ncombine: first-match\n"
    "rules:\n"
    "  - {id: a, effect: allow, when: subject.id == \"bob\"}\n"
    "  - {id: b, effect: deny, when: subject.id == \"bob\"}\n"
    "  - {id: c, effect: deny, expires: 2026-01-01T00:00:00Z}\n";

struct world {
    struct diags diags;
    struct engine *engine;
    struct worker *worker;
    struct cover *cover;
};

static void begin(struct world *world, const struct snapshot_file *files, size_t count)
{
    const struct engine_config config = {.key = {1, 2}};
    const struct snapshot_input input = {
        .files = files, .file_count = count, .conditions = true, .now_ms = NOW};
    struct snapshot *snapshot = NULL;
    struct buf said = {0};
    diags_init(&world->diags, 10);
    enum pdp_err err = snapshot_build(&input, (struct hash_key){1, 2}, &world->diags, &snapshot);
    diags_render(&world->diags, &said);
    cr_assert_eq(err, PDP_ERR_OK, STR_FMT, STR_ARG(buf_view(&said)));
    buf_fini(&said);
    cr_assert_eq(cover_new(snapshot, files, count, &world->cover), PDP_ERR_OK);
    cr_assert_eq(engine_new(&config, &world->engine), PDP_ERR_OK);
    cr_assert_eq(worker_new(world->engine, &world->worker), PDP_ERR_OK);
    engine_publish(world->engine, &snapshot);
    worker_watch(world->worker, cover_watch(world->cover));
}

static void end(struct world *world)
{
    cover_free(&world->cover);
    worker_free(&world->worker);
    engine_free(&world->engine);
    diags_fini(&world->diags);
}

static void ask(struct world *world, const char *subject, const char *action, const char *path)
{
    const struct peer peer = {.name = STR("test"), .hash = 1, .grants = GRANT_ALL};
    struct buf question = {0}, answer = {0};
    buf_printf(&question,
               "{\"subject\": {\"type\": \"user\", %s}, \"action\": {\"name\": \"%s\"}, \"resource\": "
               "{\"type\": \"route\", \"id\": \"%s\"}}",
               subject, action, path);
    engine_answer(world->worker, &peer, buf_view(&question), NOW, &answer);
    buf_fini(&question);
    buf_fini(&answer);
}

#define ALICE "\"id\": \"alice\", \"properties\": {\"roles\": [\"staff\"], \"color\": \"blue\"}"
#define BOB "\"id\": \"bob\", \"properties\": {\"roles\": [], \"color\": \"red\", \"age\": 30}"

static const struct snapshot_file FILES[] = {
    {.name = {"p/a.yaml", 8}, .text = {SHARED, sizeof SHARED - 1}},
    {.name = {"p/b.yaml", 8}, .text = {WEB, sizeof WEB - 1}},
    {.name = {"p/c.yaml", 8}, .text = {FIRST, sizeof FIRST - 1}},
};

static void expect(const struct world *world, void (*put)(const struct cover *, struct buf *),
                   const char *expected)
{
    struct buf out = {0};
    put(world->cover, &out);
    buf_byte(&out, 0);
    cr_expect_str_eq((const char *)out.at, expected, "%s\nexpected:\n%s", out.at, expected);
    buf_fini(&out);
}

#define ODD "p/a.yaml:11:8: `1 > 2` of variable `odd` is always false, whatever is asked: not counted\n"
#define VARS_ODD \
    "p/b.yaml:15:36: `vars.odd` of rule `web/odd` is always false, whatever is asked: not counted\n"

Test(cli_cover, before_anything_was_asked)
{
    struct world world;
    begin(&world, FILES, COUNT_OF(FILES));
    expect(&world, cover_print,
           "rules       0 of 6 held, 0.0 %\n"
           "conditions  0 of 22 outcomes were seen, 0.0 %\n"
           "p/b.yaml:7:9: rule `web/staff` never held\n"
           "p/b.yaml:14:10: rule `web/pay` never held\n"
           "p/b.yaml:15:10: rule `web/odd` never held\n"
           "p/c.yaml:6:10: rule `first/a` never held\n"
           "p/c.yaml:7:10: rule `first/b` never held\n"
           "p/c.yaml:8:10: rule `first/c` never held\n"
           "p/a.yaml:5:26: `\"otp\" in session.amr` of strength `mfa` was never looked at\n" ODD
           "p/b.yaml:4:9: `resource.type == \"route\"` of target `web` was never looked at\n"
           "p/b.yaml:5:18: `subject.color == \"red\"` of variable `red` was never looked at\n"
           "p/b.yaml:9:14: `actions` of rule `web/staff` were never looked at\n"
           "p/b.yaml:12:12: `\"staff\" in subject.roles` of rule `web/staff` was never looked at\n"
           "p/b.yaml:13:17: `device.managed` of rule `web/staff` was never looked at\n"
           "p/b.yaml:13:35: `vars.red` of rule `web/staff` was never looked at\n"
           "p/b.yaml:14:43: `resources` of rule `web/pay` were never looked at\n" VARS_ODD
           "p/b.yaml:15:48: `subject.age > 200` of rule `web/odd` was never looked at\n"
           "p/c.yaml:6:34: `subject.id == \"bob\"` of rule `first/a` was never looked at\n"
           "p/c.yaml:7:33: `subject.id == \"bob\"` of rule `first/b` was never looked at\n");
    end(&world);
}

Test(cli_cover, tells_what_two_questions_saw)
{
    struct world world;
    begin(&world, FILES, COUNT_OF(FILES));
    ask(&world, ALICE, "GET", "/pay/1"); // managed is not known, the age neither
    ask(&world, BOB, "POST", "/news");
    expect(
        &world, cover_print,
        "rules       3 of 6 held, 50.0 %\n"
        "conditions  13 of 22 outcomes were seen, 59.1 %\n"
        "p/b.yaml:15:10: rule `web/odd` never held for certain; it was unsure once\n"
        "p/c.yaml:7:10: rule `first/b` never held\n"
        "p/c.yaml:8:10: rule `first/c` never held\n"
        "p/a.yaml:5:26: `\"otp\" in session.amr` of strength `mfa` was neither true nor false; it was unsure "
        "2 times\n" ODD "p/b.yaml:4:9: `resource.type == \"route\"` of target `web` was never false\n"
        "p/b.yaml:12:12: `\"staff\" in subject.roles` of rule `web/staff` was never false\n"
        "p/b.yaml:13:17: `device.managed` of rule `web/staff` was neither true nor false; it was unsure "
        "once\n"
        "p/b.yaml:13:35: `vars.red` of rule `web/staff` was never true\n" VARS_ODD
        "p/b.yaml:15:48: `subject.age > 200` of rule `web/odd` was never true; it was unsure once\n"
        "p/c.yaml:7:33: `subject.id == \"bob\"` of rule `first/b` was never true\n");
    // `first/b` was looked at for alice alone: for bob `first/a` came first.
    end(&world);
}

Test(cli_cover, is_a_tracefile)
{
    struct world world;
    begin(&world, FILES, COUNT_OF(FILES));
    ask(&world, ALICE, "GET", "/pay/1");
    ask(&world, BOB, "POST", "/news");
    expect(
        &world, cover_lcov,
        "TN:\nSF:p/"
        "a.yaml\nFNF:0\nFNH:0\nBRDA:5,0,0,0\nBRDA:5,0,1,0\nBRF:2\nBRH:0\nDA:5,2\nDA:11,2\nLF:2\nLH:2\n"
        "end_of_record\n"
        "TN:\nSF:p/b.yaml\nFN:7,web/staff\nFN:14,web/pay\nFN:15,web/odd\nFNDA:1,web/staff\nFNDA:1,web/pay\n"
        "FNDA:0,web/odd\nFNF:3\nFNH:2\n"
        "BRDA:4,0,0,2\nBRDA:4,0,1,0\nBRDA:5,1,0,1\nBRDA:5,1,1,1\nBRDA:9,2,0,1\nBRDA:9,2,1,1\n"
        "BRDA:12,3,0,1\nBRDA:12,3,1,0\nBRDA:13,4,0,0\nBRDA:13,4,1,0\nBRDA:13,5,0,0\nBRDA:13,5,1,1\n"
        "BRDA:14,6,0,1\nBRDA:14,6,1,1\nBRDA:15,8,0,0\nBRDA:15,8,1,1\nBRF:16\nBRH:10\n"
        "DA:4,2\nDA:5,2\nDA:7,1\nDA:9,2\nDA:12,1\nDA:13,1\nDA:14,1\nDA:15,0\nLF:8\nLH:7\nend_of_record\n"
        "TN:\nSF:p/c.yaml\nFN:6,first/a\nFN:7,first/b\nFN:8,first/c\nFNDA:1,first/a\nFNDA:0,first/b\n"
        "FNDA:0,first/c\nFNF:3\nFNH:1\nBRDA:6,0,0,1\nBRDA:6,0,1,1\nBRDA:7,1,0,0\nBRDA:7,1,1,1\nBRF:4\n"
        "BRH:3\nDA:6,1\nDA:7,0\nDA:8,0\nLF:3\nLH:1\nend_of_record\n");
    end(&world);
}

Test(cli_cover, notes_which_rules_were_touched)
{
    struct world world;
    begin(&world, FILES, COUNT_OF(FILES));
    ask(&world, ALICE, "GET", "/pay/1");
    const uint64_t *bits = cover_reached(world.cover);
    cr_expect_eq(cover_rule_words(world.cover), 1);
    cr_expect_eq(bits[COVER_TOUCHED], 1 << 0 | 1 << 1 | 1 << 2); // the last because it is unsure
    cr_expect_eq(bits[COVER_NEAR], 1 << 0 | 1 << 1 | 1 << 2 | 1 << 3 | 1 << 4); // the last expired
    cover_forget_reached(world.cover);
    ask(&world, BOB, "POST", "/news");
    cr_expect_eq(bits[COVER_TOUCHED], 1 << 3);
    cr_expect_eq(bits[COVER_NEAR], 1 << 2 | 1 << 3); // of a first-match policy, no rule behind it
    cr_expect_eq(cover_rule_number(world.cover, STR("first/a")), 3);
    cr_expect_eq(cover_rule_number(world.cover, STR("first")), UINT32_MAX);
    end(&world);
}

// What nobody knows to be about a question tells nothing of its conditions, and neither does what lies
// outside of a rule's times.
Test(cli_cover, counts_where_it_can_matter)
{
    static const char YAML[] =
        "apiVersion: pdp/v1\nkind: Policy\nmetadata: {name: p}\ntarget: subject.level == 1\n"
        "variables: {red: subject.color == \"red\"}\n"
        "rules:\n"
        "  - {id: a, effect: deny, actions: [GET], when: vars.red}\n"
        "  - {id: b, effect: deny, starts: 2027-01-01T00:00:00Z, when: vars.red}\n";
    const struct snapshot_file file = {.name = STR("p.yaml"), .text = {YAML, sizeof YAML - 1}};
    struct world world;
    begin(&world, &file, 1);
    ask(&world, "\"id\": \"x\", \"properties\": {\"color\": \"red\"}", "GET", "/");
    expect(&world, cover_print,
           "rules       0 of 2 held, 0.0 %\n"
           "conditions  0 of 10 outcomes were seen, 0.0 %\n"
           "p.yaml:7:10: rule `p/a` never held for certain; it was unsure once\n"
           "p.yaml:8:10: rule `p/b` never held\n"
           "p.yaml:4:9: `subject.level == 1` of target `p` was neither true nor false; it was unsure once\n"
           "p.yaml:5:18: `subject.color == \"red\"` of variable `red` was never looked at\n"
           "p.yaml:7:36: `actions` of rule `p/a` were never looked at\n"
           "p.yaml:7:49: `vars.red` of rule `p/a` was never looked at\n"
           "p.yaml:8:63: `vars.red` of rule `p/b` was never looked at\n");
    end(&world);
}

// Hundreds of rules are looked at with the steps of one question: the frame begins anew in between.
Test(cli_cover, is_not_short_of_steps)
{
    struct buf yaml = {0};
    buf_printf(&yaml, "apiVersion: pdp/v1\nkind: Policy\nmetadata: {name: many}\nrules:\n");
    for (int i = 0; i < 400; i++) {
        buf_printf(&yaml,
                   "  - {id: r%d, effect: deny, actions: [a%d], when: 'subject.roles.exists(r, r + \"%d\" == "
                   "\"x\" || r.matches(\"y%d$\") || r.contains(\"z%d\"))'}\n",
                   i, i % 2, i, i, i);
    }
    const struct snapshot_file file = {.name = STR("p.yaml"), .text = buf_view(&yaml)};
    struct world world;
    begin(&world, &file, 1);
    struct buf roles = {0};
    buf_printf(&roles, "\"id\": \"x\", \"properties\": {\"roles\": [\"r0\"");
    for (int i = 1; i < 60; i++) {
        buf_printf(&roles, ", \"r%d\"", i);
    }
    buf_printf(&roles, "]}%c", 0);
    ask(&world, (const char *)roles.at, "a1", "/");
    ask(&world, (const char *)roles.at, "a0", "/");
    size_t count = 0;
    const struct cover_point *points = cover_points(world.cover, &count);
    for (size_t i = 0; i < count; i++) {
        cr_expect_eq(points[i].unsure, 0, "%zu", i);
        cr_expect_eq(points[i].no, 1, "%zu", i);
    }
    end(&world);
    buf_fini(&roles);
    buf_fini(&yaml);
}
