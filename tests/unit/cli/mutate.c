// SPDX-License-Identifier: Apache-2.0
// A small folder with tests that are weak in known places: what survives is known too.
#include "cli/test/mutate.h"

#include <criterion/criterion.h>

#define HEAD(kind, name) "apiVersion: pdp/v1\nkind: " kind "\nmetadata: {name: " name "}\n"

static const char WEB[] =
    HEAD("Policy", "web") "target: resource.type == \"page\"\n"
                          "variables: {unused: subject.age > 1, old: subject.age >= 18}\n"
                          "rules:\n"
                          "  - id: adults\n"
                          "    effect: allow\n"
                          "    actions: [GET, PUT]\n"
                          "    when: vars.old\n"
                          "  - id: nobody\n"
                          "    effect: deny\n"
                          "    when: subject.id == \"eve\"\n";

#define CASE(name, who, age, action, effect)                                                   \
    "  - {name: " name ", request: {subject: {type: user, id: " who ", properties: {age: " age \
    "}}, action: {name: " action "}, resource: {type: page, id: x}}, expect: {effect: " effect "}}\n"
#define TESTS                                                                           \
    HEAD("Test", "web")                                                                 \
    "now: 2026-11-23T09:00:00Z\ncases:\n" CASE("an adult", "bob", "18", "GET", "allow") \
        CASE("a child", "bob", "17", "GET", "deny") CASE("she", "eve", "20", "GET", "deny")
// What is missing above: PUT, another action, another type of resource.
#define ALL                                                                                                \
    CASE("writes", "bob", "18", "PUT", "allow")                                                            \
    CASE("deletes", "bob", "18", "DELETE", "deny")                                                         \
    CASE("an older one", "bob", "19", "GET", "allow")                                                      \
    "  - {name: a file, request: {subject: {type: user, id: bob, properties: {age: 18}}, action: {name: "  \
    "GET}, resource: {type: file, id: x}}, expect: {effect: deny}}\n"                                      \
    "  - {name: she and a file, request: {subject: {type: user, id: eve, properties: {age: 18}}, action: " \
    "{name: GET}, resource: {type: file, id: x}}, expect: {code: no-policy}}\n"

struct world {
    struct diags diags;
    struct snapshot_file file, test;
    struct snapshot_input input;
    struct suite *suite;
    struct suite_runner *runner;
    struct cover *cover;
    struct mutate mutate;
    struct buf said;
};

static void begin(struct world *world, const char *policy, const char *tests)
{
    struct snapshot *snapshot = NULL;
    *world = (struct world){.file = {.name = STR("web.yaml"), .text = str_of(policy)},
                            .test = {.name = STR("web_test.yaml"), .text = str_of(tests)}};
    world->input = (struct snapshot_input){.files = &world->file, .file_count = 1};
    diags_init(&world->diags, 10);
    enum pdp_err err = snapshot_build(&world->input, (struct hash_key){1, 2}, &world->diags, &snapshot);
    err = err == PDP_ERR_OK ? suite_read(&world->test, 1, &world->diags, &world->suite) : err;
    diags_render(&world->diags, &world->said);
    cr_assert_eq(err, PDP_ERR_OK, STR_FMT, STR_ARG(buf_view(&world->said)));
    cr_assert_eq(cover_new(snapshot, &world->file, 1, &world->cover), PDP_ERR_OK);
    cr_assert_eq(suite_runner_new(&snapshot, &world->runner), PDP_ERR_OK);
    suite_runner_watch(world->runner, cover_watch(world->cover));
}

static void try_all(struct world *world, size_t threads, bool thorough)
{
    const struct mutate_order order = {.dir = ".",
                                       .input = world->input,
                                       .suite = world->suite,
                                       .runner = world->runner,
                                       .cover = world->cover,
                                       .threads = threads,
                                       .thorough = thorough};
    cr_assert_eq(mutate_run(&order, &world->mutate), PDP_ERR_OK);
}

// Plays the tests, which pass, and tries all mutants.
static void run(struct world *world, const char *policy, const char *tests, size_t threads)
{
    begin(world, policy, tests);
    try_all(world, threads, false);
    buf_clear(&world->said);
    mutate_print(&world->mutate, &world->said);
    buf_byte(&world->said, 0);
}

static void end(struct world *world)
{
    mutate_fini(&world->mutate);
    suite_runner_free(&world->runner);
    cover_free(&world->cover);
    suite_free(&world->suite);
    diags_fini(&world->diags);
    buf_fini(&world->said);
}

static void expect(const char *policy, const char *tests, size_t threads, const char *expected)
{
    struct world world;
    run(&world, policy, tests, threads);
    cr_expect_str_eq((const char *)world.said.at, expected, "%s\nexpected:\n%s", world.said.at, expected);
    end(&world);
}

#define SURVIVORS                                                                             \
    "web.yaml:4:9: no test notices that `resource.type == \"page\"` is left out (web)\n"      \
    "    4 - target: resource.type == \"page\"\n"                                             \
    "    4 + target: true\n"                                                                  \
    "  hint: add a test in which this condition is no, and all else holds\n"                  \
    "web.yaml:9:14: no test notices that `actions` is left out (web/adults)\n"                \
    "    9 -     actions: [GET, PUT]\n"                                                       \
    "  hint: add a test with another action or resource, for which the rule must not count\n" \
    "web.yaml:9:20: no test notices that `PUT` is left out of `actions` (web/adults)\n"       \
    "    9 -     actions: [GET, PUT]\n"                                                       \
    "    9 +     actions: [GET]\n"                                                            \
    "  hint: add a test with what this action or pattern alone matches\n"

Test(cli_mutate, tells_what_weak_tests_leave)
{
    const char *expected =
        "mutants     15 of 18 noticed, 3 survive; not counted: 5 that mean the same\n" SURVIVORS;
    expect(WEB, TESTS, 1, expected);
    expect(WEB, TESTS, 3, expected);
}

Test(cli_mutate, has_nothing_to_tell_of_strong_ones)
{
    expect(WEB, TESTS ALL, 2, "mutants     18 of 18 noticed; not counted: 5 that mean the same\n");
}

Test(cli_mutate, takes_a_reason_in_place)
{
    struct buf policy = {0};
    buf_printf(&policy, "%s", WEB);
    buf_byte(&policy, 0);
    char *at = strstr((char *)policy.at, "target: resource.type == \"page\"\n");
    struct buf marked = {0};
    buf_printf(&marked,
               "%.*s# pdp:mutant-ok every resource is a page\n# as long as there are no others\n"
               "target: resource.type == \"page\"\n%s"
               "  # pdp:mutant-ok\n  - {id: last, effect: deny, when: subject.id == \"mallory\"}\n"
               "  # pdp:mutant-ok not any more\n  - {id: more, effect: deny, when: subject.id == \"eve\"}%c",
               (int)(at - (char *)policy.at), (char *)policy.at,
               at + strlen("target: resource.type == \"page\"\n"), 0);
    struct world world;
    run(&world, (const char *)marked.at, TESTS, 2);
    cr_expect_eq(world.mutate.counts[MUTATE_ACCEPTED], 1 + 2, "%zu", world.mutate.counts[MUTATE_ACCEPTED]);
    cr_expect(strstr((const char *)world.said.at, "(web)") == NULL, "%s", world.said.at);
    cr_expect(strstr((const char *)world.said.at, "  hint: `pdp:mutant-ok` accepts it once a reason stands "
                                                  "behind it\n") != NULL);
    end(&world);
    buf_fini(&marked);
    buf_fini(&policy);
}

// One that was right once.
Test(cli_mutate, tells_of_a_reason_that_nothing_needs)
{
    struct buf policy = {0};
    buf_printf(&policy, "# pdp:mutant-ok is no text of a rule\n%s    # pdp:mutant-ok she is gone%c", WEB, 0);
    expect((const char *)policy.at, TESTS ALL, 2,
           "mutants     18 of 18 noticed; not counted: 5 that mean the same\n"
           "web.yaml:1:3: `pdp:mutant-ok` accepts nothing: take it out\n"
           "web.yaml:15:7: `pdp:mutant-ok` accepts nothing: take it out\n");
    buf_fini(&policy);
}

// Where a value is not printed, equal text says nothing of it.
Test(cli_mutate, takes_nothing_for_equal_that_is_masked)
{
    struct buf policy = {0};
    buf_printf(
        &policy,
        "%s---\n" HEAD("Schema", "s") "attributes: {resource.pin: {type: string, sensitive: true}}\n---\n" //
        HEAD("Policy", "secret") "target: resource.type == \"vault\"\nrules: [{id: r, effect: deny, when: "
                                 "has(resource.pin) && resource.pin == \"1\"}]\n%c",
        WEB, 0);
    struct world world;
    run(&world, (const char *)policy.at, TESTS ALL, 2);
    cr_expect_eq(world.mutate.counts[MUTATE_SAME], 0);
    cr_expect_geq(world.mutate.counts[MUTATE_SURVIVED], 5, "%s", world.said.at);
    end(&world);
    buf_fini(&policy);
}

// A mistake that compiles to nothing that can be served is counted, and no test is played against it.
Test(cli_mutate, counts_what_does_not_compile)
{
    static const char SCOPED[] = HEAD("Scope", "s") "effects: [deny]\n---\n" HEAD(
        "Policy", "p") "rules:\n  - {id: r, effect: deny, actions: [GET]}\n";
    static const char TEST[] = HEAD(
        "Test", "t") "cases:\n  - {name: c, request: {subject: {type: user, id: x}, action: {name: GET}, "
                     "resource: {type: page, id: x}}, expect: {rule: p/r}}\n";
    expect(SCOPED, TEST, 1,
           "mutants     1 of 2 noticed, 1 survives; not counted: 1 that does not compile\n"
           "web.yaml:10:36: no test notices that `actions` is left out (p/r)\n"
           "   10 -   - {id: r, effect: deny, actions: [GET]}\n"
           "   10 +   - {id: r, effect: deny}\n"
           "  hint: add a test with another action or resource, for which the rule must not count\n");
}

// No test of a rule that does nothing can be written: then lint is named.
Test(cli_mutate, names_lint_where_a_rule_does_nothing)
{
    struct buf policy = {0};
    buf_printf(&policy,
               "%s  - {id: also, effect: deny, when: subject.id == \"eve\" && subject.age > 2}\n"
               "  - {id: never, effect: deny, when: subject.age > 5 && subject.age < 4}%c",
               WEB, 0);
    struct world world;
    begin(&world, (const char *)policy.at, TESTS ALL);
    try_all(&world, 1, false);
    const struct mutate_order order = {.dir = ".", .input = world.input, .cover = world.cover};
    cr_assert_eq(mutate_lint(&order, &world.mutate), PDP_ERR_OK);
    buf_clear(&world.said);
    mutate_print(&world.mutate, &world.said);
    buf_byte(&world.said, 0);
    const char *said = (const char *)world.said.at;
    cr_expect(
        strstr(said,
               "the rule is left out (web/also)\n   14 -   - {id: also, effect: deny, when: subject.id == "
               "\"eve\" && subject.age > 2}\n  hint: no answer depends on this rule: see what `pdpctl "
               "lint` says of it (L02 shadowed-rule)\n") != NULL,
        "%s", said);
    cr_expect(strstr(said, "says of it (L01 unreachable-rule)\n") != NULL, "%s", said);
    // What it stands in the shadow of is to be tested, though no test can tell the two apart.
    const char *also = strstr(said, "(web/also)");
    cr_expect(strstr(said, "  hint: add a test in which this rule decides\n") < also, "%s", said);
    cr_expect(also != NULL && strstr(also, "  hint: add ") == NULL, "%s", said);
    end(&world);
    buf_fini(&policy);
}

// ---- Which tests can notice -----------------------------------------------------------------------------

// A bit of everything that decides whether a rule is near.
static const char MIXED[] =
    HEAD("Strengths", "s") "levels:\n  - {name: pwd, proves: '\"pwd\" in session.amr'}\n"
                           "  - {name: otp, proves: '\"otp\" in session.amr'}\n---\n" //
    HEAD("Policy", "first") "combine: first-match\ntarget: subject.age > 10\nrules:\n"
                            "  - {id: part, effect: deny, when: subject.age > 60, rollout: {percent: 50}}\n"
                            "  - {id: old, effect: allow, actions: [a, b], when: subject.age >= 40}\n"
                            "  - {id: young, effect: deny, resources: [/x/**], when: subject.age < 20}\n"
                            "  - {id: rest, effect: allow, when: subject.id != \"eve\"}\n---\n" //
    HEAD("Policy",
         "closed") "combine: deny-unless-allow\ntarget: resource.id == \"/y\"\nrules:\n"
                   "  - {id: in, effect: allow, when: 'subject.id in [\"bob\", \"eve\"]'}\n"
                   "  - {id: proof, effect: step_up, actions: [b], require: {strength: otp, max_age: "
                   "15m}}\n---\n" //
    HEAD("Policy",
         "more") "rules:\n"
                 "  - {id: never, effect: deny, exceptions: never, when: subject.age == 30}\n"
                 "  - {id: lifted, effect: deny, when: subject.age > 20 && subject.age <= 50}\n"
                 "  - {id: late, effect: deny, starts: 2026-11-01T00:00:00Z, expires: "
                 "2026-11-20T00:00:00Z}\n"
                 "  - {id: text, effect: deny, when: 'resource.id.startsWith(\"/yy\")'}\n"
                 "  - {id: pattern, effect: deny, when: 'subject.id.matches(\"^e[a-u]e$\")'}\n"
                 "  - {id: hours, effect: deny, when: 'within(now, \"Mon-Fri 09:01-19:00\")'}\n"
                 "  - {id: days, effect: deny, when: 'within(now, \"Tue-Fri 08:00-19:00\")'}\n"
                 "  - {id: end, effect: terminate, actions: [c], when: subject.missing == 1}\n---\n" //
    HEAD("Exception", "e") "lifts: ['*']\nwhen: subject.id == \"bob\"\nrequire: {strength: pwd}\n"
                           "expires: 2026-12-01T00:00:00Z\n";

// Every question of the grid, with the effects that are known by now; `allow` where none is.
static void put_grid(struct buf *out, const enum pdp_effect *effects)
{
    static const char *const WHO[] = {"bob", "eve"}, *const WHERE[] = {"/x/1", "/y"},
                             *const HOW[] = {"a", "b", "c"};
    static const int AGES[] = {5, 15, 25, 30, 40, 45, 70};
    buf_clear(out);
    buf_str(out,
            STR(HEAD("Test", "web") "now: 2026-11-23T09:00:00Z\nrequest: {context: {session: {auth_time: "
                                    "-20m, amr: [pwd]}}}\ncases:\n"));
    for (unsigned i = 0; i < 2 * 2 * 3 * 7; i++) {
        buf_printf(
            out,
            "  - {name: n%u, request: {subject: {type: user, id: %s, properties: {age: %d}}, action: {name: "
            "%s}, resource: {type: route, id: %s}}, expect: {effect: %s}}\n",
            i, WHO[i % 2], AGES[i / 12], HOW[i / 4 % 3], WHERE[i / 2 % 2],
            pdp_effect_name(effects != NULL ? effects[i] : PDP_EFFECT_ALLOW));
    }
    buf_byte(out, 0);
}

static bool note_effect(void *user, const struct suite_told *told)
{
    enum pdp_effect *effects = user;
    effects[told->play->number] = told->verdict->effect;
    return true;
}

// What is left out because it cannot notice does not notice.
Test(cli_mutate, plays_all_that_can_notice)
{
    enum pdp_effect effects[2 * 2 * 3 * 7] = {PDP_EFFECT_DENY};
    const struct suite_options options = {.told = note_effect, .user = effects};
    struct buf tests = {0};
    struct world world;
    put_grid(&tests, NULL);
    begin(&world, MIXED, (const char *)tests.at);
    cr_assert_eq(suite_run(world.runner, world.suite, &options), PDP_ERR_OK);
    end(&world);
    put_grid(&tests, effects);
    begin(&world, MIXED, (const char *)tests.at);
    try_all(&world, 2, true);
    struct mutate all = world.mutate;
    try_all(&world, 2, false);
    cr_assert_eq(all.mutants.count, world.mutate.mutants.count);
    cr_expect_gt(all.counts[MUTATE_NOTICED], 30, "%zu", all.counts[MUTATE_NOTICED]);
    cr_expect_gt(all.counts[MUTATE_SURVIVED], 5, "%zu", all.counts[MUTATE_SURVIVED]);
    for (size_t i = 0; i < all.mutants.count; i++) {
        const struct mutant *mutant = &all.mutants.list[i];
        cr_expect_eq(all.fates[i], world.mutate.fates[i], STR_FMT " of " STR_FMT ": %d, without the rest %d",
                     STR_ARG(mutant->what), STR_ARG(mutant->owner), all.fates[i], world.mutate.fates[i]);
    }
    mutate_fini(&all);
    end(&world);
    buf_fini(&tests);
}
