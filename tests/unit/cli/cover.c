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

// ---- What other documents than policies ask, and for whom rollouts are --------------------------------

static const char MODEL[] =
    "apiVersion: pdp/v1\nkind: RiskModel\nmetadata: {name: model}\nsignals: {}\nown:\n"
    "  - {id: odd, when: 'context.odd || context.strange', evidence: 1, on_missing: skip}\n"
    "---\napiVersion: pdp/v1\nkind: SessionPolicy\nmetadata: {name: writers}\n"
    "target: action.name == \"PUT\"\nlimits: {idle: 15m}\n";
static const char ROLLED[] = "apiVersion: pdp/v1\nkind: Policy\nmetadata: {name: half}\n"
                             "target: resource.type == \"route\"\n"
                             "rollout: {percent: 50}\n"
                             "rules:\n"
                             "  - {id: all, effect: allow}\n"
                             "  - {id: few, effect: deny, when: subject.few, rollout: {percent: 50}}\n"
                             "  - {id: dark, effect: deny, shadow: true}\n"
                             "  - {id: full, effect: deny, when: subject.few, rollout: {percent: 100}}\n"
                             "  - {id: none, effect: deny, when: subject.few, rollout: {percent: 0}}\n";
static const char TEAM[] = "apiVersion: pdp/v1\nkind: Scope\nmetadata: {name: team}\ntenants: [acme, other]\n"
                           "---\napiVersion: pdp/v1\nkind: Policy\nmetadata: {name: team}\n"
                           "rules: [{id: all, effect: allow}]\n";
static const struct snapshot_file OTHERS[] = {
    {.name = {"q/a.yaml", 8}, .text = {MODEL, sizeof MODEL - 1}},
    {.name = {"q/b.yaml", 8}, .text = {ROLLED, sizeof ROLLED - 1}},
    {.name = {"q/team/c.yaml", 13}, .text = {TEAM, sizeof TEAM - 1}},
};

struct other {
    const char *who, *action, *context, *tenant;
    int64_t later_ms;
};

static void ask_other(struct world *world, const struct other *other)
{
    const struct peer peer = {.name = STR("test"), .hash = 1, .grants = GRANT_ALL};
    struct buf question = {0}, answer = {0};
    buf_printf(&question,
               "{\"tenant\": \"%s\", \"subject\": {\"type\": \"user\", \"id\": \"%s\", \"properties\": "
               "{\"few\": %s}}, \"action\": {\"name\": \"%s\"}, \"resource\": {\"type\": \"route\", \"id\": "
               "\"/a\"}, \"context\": {%s}}",
               other->tenant, other->who, *other->who == 'f' ? "true" : "false", other->action,
               other->context);
    engine_answer(world->worker, &peer, buf_view(&question), NOW + other->later_ms, &answer);
    cr_assert_geq(str_find(buf_view(&answer), STR("malformed"), 0), answer.len);
    buf_fini(&question);
    buf_fini(&answer);
}

#define SESSION "\"session\": {\"id\": \"s1\", \"auth_time\": 1795420800}"

Test(cli_cover, sees_conditions_of_all_documents)
{
    struct world world;
    begin(&world, OTHERS, COUNT_OF(OTHERS));
    expect(&world, cover_print,
           "rules       0 of 6 held, 0.0 %\n"
           "conditions  0 of 20 outcomes were seen, 0.0 %\n"
           "q/b.yaml:7:10: rule `half/all` never held\n"
           "q/b.yaml:8:10: rule `half/few` never held\n"
           "q/b.yaml:9:10: rule `half/dark` never held\n"
           "q/b.yaml:10:10: rule `half/full` never held\n"
           "q/b.yaml:11:10: rule `half/none` never held\n"
           "q/team/c.yaml:9:14: rule `team/all` never held\n"
           "q/a.yaml:6:22: `context.odd` of signal `odd` was never looked at\n"
           "q/a.yaml:6:37: `context.strange` of signal `odd` was never looked at\n"
           "q/a.yaml:11:9: `action.name == \"PUT\"` of session policy `writers` was never looked at\n"
           "q/b.yaml:4:9: `resource.type == \"route\"` of target `half` was never looked at\n"
           "q/b.yaml:5:10: `rollout` of policy `half` was never drawn\n"
           "q/b.yaml:8:35: `subject.few` of rule `half/few` was never looked at\n"
           "q/b.yaml:8:57: `rollout` of rule `half/few` was never drawn\n"
           "q/b.yaml:10:36: `subject.few` of rule `half/full` was never looked at\n"
           "q/b.yaml:11:36: `subject.few` of rule `half/none` was never looked at\n"
           "q/team/c.yaml:4:10: `tenants` of scope `team` was never looked at\n");
    end(&world);
}

static const struct cover_point *point_of(const struct world *world, const char *text, const char *name)
{
    size_t count = 0;
    const struct cover_point *points = cover_points(world->cover, &count);
    for (size_t i = 0; i < count; i++) {
        if (str_eq(points[i].text, str_of(text)) && str_eq(points[i].name, str_of(name))) {
            return &points[i];
        }
    }
    cr_assert_fail("no point `%s` of `%s`", text, name);
    return NULL;
}

static void expect_counts(const struct cover_point *point, uint64_t yes, uint64_t no, uint64_t unsure)
{
    cr_expect(point->yes == yes && point->no == no && point->unsure == unsure,
              "`" STR_FMT "` of " STR_FMT ": %llu yes, %llu no, %llu unsure", STR_ARG(point->text),
              STR_ARG(point->name), (unsigned long long)point->yes, (unsigned long long)point->no,
              (unsigned long long)point->unsure);
}

// A question of no session looks up no limit. The second of the session is one that the session alone
// answers: it was idle for too long, by the very limit that the condition is about. Then it is over, and
// nothing is asked.
Test(cli_cover, sees_limits_that_the_session_alone_decides)
{
    static const struct other NONE = {"ann", "GET", "", "acme", 0}, GET = {"ann", "GET", SESSION, "acme", 0},
                              PUT = {"ann", "PUT", SESSION, "acme", 1200000};
    struct world world;
    begin(&world, OTHERS, COUNT_OF(OTHERS));
    const struct cover_point *target = point_of(&world, "action.name == \"PUT\"", "writers");
    ask_other(&world, &NONE);
    expect_counts(target, 0, 0, 0);
    ask_other(&world, &GET);
    expect_counts(target, 0, 1, 0);
    ask_other(&world, &PUT);
    expect_counts(target, 1, 1, 0);
    ask_other(&world, &PUT);
    expect_counts(target, 1, 1, 0);
    end(&world);
}

// Both arms of a rollout are wanted, where all else holds. Of a rule it does not matter who is drawn where
// its policy left them out.
Test(cli_cover, sees_both_arms_of_a_rollout)
{
    static const struct other OUT = {"fred", "GET", "", "else", 0}, IN = {"fay", "GET", "", "else", 0},
                              NOT_FEW = {"ann", "GET", "", "acme", 0}, IN_OUT = {"fox", "GET", "", "else", 0};
    struct world world;
    begin(&world, OTHERS, COUNT_OF(OTHERS));
    const struct cover_point *policy = point_of(&world, "rollout", "half"),
                             *rule = point_of(&world, "rollout", "half/few"),
                             *tenants = point_of(&world, "tenants", "team");
    ask_other(&world, &OUT);
    expect_counts(policy, 0, 1, 0);
    expect_counts(rule, 0, 0, 0);
    ask_other(&world, &IN);
    expect_counts(policy, 1, 1, 0);
    expect_counts(rule, 1, 0, 0);
    ask_other(&world, &NOT_FEW);
    expect_counts(rule, 1, 0, 0);
    ask_other(&world, &IN_OUT);
    expect_counts(policy, 2, 2, 0);
    expect_counts(rule, 1, 1, 0);
    expect_counts(tenants, 1, 3, 0);
    end(&world);
}

Test(cli_cover, sees_signals)
{
    struct world world;
    begin(&world, OTHERS, COUNT_OF(OTHERS));
    ask_other(&world, &(struct other){"ann", "GET", "\"odd\": true, \"strange\": false", "acme", 0});
    expect_counts(point_of(&world, "context.odd", "odd"), 1, 0, 0);
    expect_counts(point_of(&world, "context.strange", "odd"), 0, 1, 0);
    end(&world);
}
