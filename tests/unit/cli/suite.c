// SPDX-License-Identifier: Apache-2.0
#include "cli/test/suite.h"

#include "cli/test/mmdb.h"
#include "cli/test/shapes.h"
#include "engine/watch.h"
#include "wire/wire.h"

#include <criterion/criterion.h>
#include <pthread.h>
#include <stdio.h>

// Policies and tests in one text each, and a runner over them.
struct stage {
    struct diags diags;
    struct suite *suite;
    struct suite_runner *runner;
    struct buf said;
};

static const char POLICIES[] =
    "apiVersion: pdp/v1\nkind: Policy\nmetadata: {name: web}\nrules:\n"
    "  - {id: all, effect: allow, when: '!has(subject.banned)'}\n"
    "  - {id: often, effect: deny, when: counters.reads > 3.0, reason: too often}\n"
    "  - {id: abroad, effect: deny, resources: [/home/**], when: geo.country != \"DE\"}\n"
    "  - {id: prove, effect: step_up, actions: [POST], require: {strength: mfa, max_age: 15m}, message: "
    "prove it}\n"
    "  - {id: noted, effect: allow, actions: [PUT], obligations: [{type: log}, {type: mail}]}\n"
    "  - {id: staff, effect: deny, actions: [DELETE], when: '!(\"staff\" in subject.roles)'}\n"
    "  - {id: stolen, effect: terminate, when: risk.level >= level(\"high\")}\n"
    "---\napiVersion: pdp/v1\nkind: Counter\nmetadata: {name: reads}\nkey: [subject.id]\nwindow: 10m\n"
    "---\napiVersion: pdp/v1\nkind: Exception\nmetadata: {name: glass, owner: o, ticket: T}\nlifts: "
    "[web/prove]\n"
    "when: subject.id == \"ann\"\nexpires: 2030-01-01T00:00:00Z\n"
    "---\napiVersion: pdp/v1\nkind: Strengths\nmetadata: {name: all}\n"
    "levels: [{name: mfa, proves: '\"otp\" in session.amr', ask: {acr_values: [aal2]}}]\n";

static struct snapshot *built_with(const struct snapshot_file *geo, size_t geo_count)
{
    const struct snapshot_file file = {.name = STR("web.yaml"), .text = str_of(POLICIES)};
    const struct snapshot_input input = {.files = &file, .file_count = 1, .geo = geo, .geo_count = geo_count};
    struct snapshot *snapshot = NULL;
    struct diags diags;
    struct buf said = {0};
    diags_init(&diags, 10);
    enum pdp_err err = snapshot_build(&input, (struct hash_key){1, 2}, &diags, &snapshot);
    diags_render(&diags, &said);
    cr_assert_eq(err, PDP_ERR_OK, "%.*s", (int)said.len, (const char *)said.at);
    buf_fini(&said);
    diags_fini(&diags);
    return snapshot;
}

static struct snapshot *built(void)
{
    return built_with(NULL, 0);
}

static enum pdp_err read_tests(struct stage *stage, const char *yaml)
{
    const struct snapshot_file file = {.name = STR("web_test.yaml"), .text = str_of(yaml)};
    *stage = (struct stage){0};
    diags_init(&stage->diags, 100);
    enum pdp_err err = suite_read(&file, 1, &stage->diags, &stage->suite);
    diags_render(&stage->diags, &stage->said);
    return err;
}

static void set(struct stage *stage, const char *yaml)
{
    enum pdp_err err = read_tests(stage, yaml);
    cr_assert_eq(err, PDP_ERR_OK, "%.*s", (int)stage->said.len, (const char *)stage->said.at);
    struct snapshot *snapshot = built();
    cr_assert_eq(suite_check(stage->suite, snapshot, &stage->diags), PDP_ERR_OK);
    cr_assert_eq(suite_runner_new(&snapshot, &stage->runner), PDP_ERR_OK);
}

static void strike(struct stage *stage)
{
    suite_runner_free(&stage->runner);
    suite_free(&stage->suite);
    diags_fini(&stage->diags);
    buf_fini(&stage->said);
}

// Each play as `name turn: effect/code` and what was missed.
static bool tell(void *user, const struct suite_told *told)
{
    struct buf *out = user;
    buf_str(out, told->play->name);
    if (told->play->turns > 1) {
        buf_printf(out, " %u", told->play->turn);
    }
    if (told->verdict != NULL) {
        buf_printf(out, ": %s/%s", pdp_effect_name(told->verdict->effect),
                   pdp_code_name(told->verdict->code));
    } else {
        buf_str(out, STR(": event"));
    }
    for (size_t i = 0; i < told->miss_count; i++) {
        const struct suite_miss *miss = &told->misses[i];
        buf_printf(out, "; %s" STR_FMT "%s" STR_FMT,
                   miss->claim != NULL ? SUITE_CLAIM_NAMES[miss->claim->kind] : "",
                   STR_ARG(miss->claim != NULL ? miss->claim->expected : STR("")),
                   miss->claim != NULL ? " but " : "", STR_ARG(miss->got));
    }
    buf_byte(out, '\n');
    return true;
}

static void expect_run(const char *yaml, const char *expected)
{
    struct stage stage;
    struct buf out = {0}, again = {0};
    set(&stage, yaml);
    struct suite_options options = {.told = tell, .user = &out};
    cr_assert_eq(suite_run(stage.runner, stage.suite, &options), PDP_ERR_OK);
    cr_expect(str_eq(buf_view(&out), str_of(expected)), "got\n%.*s\ninstead of\n%s", (int)out.len,
              (const char *)out.at, expected);
    options.user = &again;
    options.explain = true;
    cr_assert_eq(suite_run(stage.runner, stage.suite, &options), PDP_ERR_OK);
    cr_expect(str_eq(buf_view(&out), buf_view(&again)), "the second time\n%.*s", (int)again.len,
              (const char *)again.at);
    buf_fini(&out);
    buf_fini(&again);
    strike(&stage);
}

#define HEAD "apiVersion: pdp/v1\nkind: Test\nmetadata: {name: t}\nnow: 2026-11-23T09:00:00Z\n"
#define LIFE                                                                                     \
    "apiVersion: pdp/v1\nkind: Scenario\nmetadata: {name: s}\nstart: 2026-11-23T09:00:00Z\n"     \
    "given:\n  ann: {subject: {type: user, id: ann}}\n  bob: {subject: {type: user, id: bob}}\n" \
    "  page: {resource: {type: route, id: /x}}\n"
#define GIVEN                                                                   \
    "given:\n  ann: {subject: {type: user, id: ann}}\n"                         \
    "  bob: {subject: {type: user, id: bob, properties: {roles: [staff]}}}\n"   \
    "  page: {resource: {type: route, id: /x}}\n  get: {action: {name: GET}}\n" \
    "  post: {action: {name: POST}}\n"

Test(cli_suite, lays_fixtures_over_one_another)
{
    struct stage stage;
    cr_assert_eq(
        read_tests(
            &stage, HEAD
            "tenant: acme\nrequest: {action: {name: GET, properties: {a: 1, b: 2}}}\ngiven:\n"
            "  ann: {subject: {type: user, id: ann, properties: {roles: [a, b], n: '7', t: true}}}\n"
            "  none: {subject: {properties: {roles: [c], n: null}}, resource: {type: route, id: /x}}\n"
            "cases:\n  - name: one\n    with: [ann, none]\n"
            "    request: {action: {properties: {b: null, c: 0.5}}, context: {session: {id: s, "
            "auth_time: -5m}}}\n    expect: {effect: allow}\n"
            "  - name: two\n    with: ann\n    now: 2026-11-23T10:00:00.5Z\n"
            "    request: {resource: {type: r, id: '{n}'}, context: {session: {id: s, auth_time: -1s}}}\n"
            "    expect: {effect: allow}\n"),
        PDP_ERR_OK, "%.*s", (int)stage.said.len, (const char *)stage.said.at);
    const struct suite_doc *doc = suite_at(stage.suite, 0);
    static const char *const ROOTS[] = {"{\"action\": {\"name\": \"GET\", \"properties\": {\"a\": 1, \"c\": "
                                        "0.5}}, \"subject\": {\"type\": \"user\", "
                                        "\"id\": \"ann\", \"properties\": {\"roles\": [\"c\"], \"t\": "
                                        "true}}, \"resource\": {\"type\": \"route\", "
                                        "\"id\": \"/x\"}, \"context\": {\"session\": {\"id\": \"s\", "
                                        "\"auth_time\": 1795424100}}, \"tenant\": \"acme\"}",
                                        "{\"action\": {\"name\": \"GET\", \"properties\": {\"a\": 1, \"b\": "
                                        "2}}, \"subject\": {\"type\": \"user\", "
                                        "\"id\": \"ann\", \"properties\": {\"roles\": [\"a\", \"b\"], \"n\": "
                                        "\"7\", \"t\": true}}, \"resource\": "
                                        "{\"type\": \"r\", \"id\": \"{n}\"}, \"context\": {\"session\": "
                                        "{\"id\": \"s\", \"auth_time\": 1795427999}}, "
                                        "\"tenant\": \"acme\"}"};
    for (size_t i = 0; i < COUNT_OF(ROOTS); i++) {
        struct buf root = {0};
        value_print(&root, doc->plays[i].root, 4000);
        cr_expect(str_eq(buf_view(&root), str_of(ROOTS[i])), "%.*s", (int)root.len, (const char *)root.at);
        buf_fini(&root);
    }
    strike(&stage);
}

Test(cli_suite, cases_know_nothing_of_each_other)
{
    AUTO(buf_fini) struct buf yaml = {0};
    AUTO(buf_fini) struct buf expected = {0};
    buf_str(&yaml, STR(HEAD GIVEN "request: {context: {session: {id: s1, auth_time: -5m}}}\ncases:\n"));
    for (int i = 0; i < 50; i++) { // more than the counter lets through, were it one life
        buf_printf(&yaml, "  - {name: c%d, with: [ann, page, get], expect: {effect: allow}}\n", i);
        buf_printf(&expected, "c%d: allow/policy\n", i);
    }
    buf_byte(&yaml, '\0');
    buf_byte(&expected, '\0');
    expect_run((const char *)yaml.at, (const char *)expected.at);
}

Test(cli_suite, a_scenario_is_one_life)
{
    expect_run(
        LIFE
        "steps:\n"
        "  - {name: login, with: ann, event: {type: login, context: {session: {id: s1}}}}\n"
        "  - {name: read, at: +1s, every: 10s, times: 5, with: [ann, page], request: {action: {name: GET}, "
        "context: {session: {id: s1}}, request_id: 'r{n}'}}\n"
        "  - {name: later, at: +15m, with: [ann, page], request: {action: {name: GET}, context: {session: "
        "{id: "
        "s1}}}, expect: {effect: allow}}\n"
        "  - {name: logout, at: +1s, with: ann, event: {type: logout, context: {session: {id: s1}}}}\n"
        "  - {name: after, at: +1s, with: [ann, page], request: {action: {name: GET}, context: {session: "
        "{id: "
        "s1}}}, expect: {effect: terminate, code: terminated}}\n",
        "login: event\nread 0: allow/policy\nread 1: allow/policy\nread 2: allow/policy\n"
        "read 3: deny/policy\nread 4: deny/policy\nlater: allow/policy\nlogout: event\n"
        "after: terminate/terminated\n");
}

Test(cli_suite, what_is_ordinary_has_a_world_of_its_own)
{
    expect_run(LIFE "tenant: acme\nordinary:\n"
                    "  - {name: works, every: 1s, times: 4, with: [ann, page]}\n"
                    "  - {name: is-refused, with: [ann, page]}\n"
                    "  - {name: meant-so, with: [ann, page], expect: {effect: deny}}\n"
                    "  - {name: proves, with: [bob, page], request: {action: {name: POST}}}\n"
                    "request: {action: {name: GET}}\nsteps:\n"
                    "  - {name: begins-anew, every: 1s, times: 2, with: [ann, page]}\n",
               "works 0: allow/policy\nworks 1: allow/policy\nworks 2: allow/policy\n"
               "works 3: deny/policy; a rightful user is denied what is ordinary\n"
               "is-refused: deny/policy; a rightful user is denied what is ordinary\n"
               "meant-so: deny/policy\nproves: step_up/policy\n"
               "begins-anew 0: allow/policy\nbegins-anew 1: allow/policy\n");
}

static void expect_over(const char *given, const char *expected)
{
    const struct snapshot_file over = {.name = STR("ours.yaml"), .text = str_of(given)};
    const struct snapshot_file file = {
        .name = STR("s.yaml"),
        .text = STR(LIFE "tenant: acme\nrequest: {action: {name: GET}}\nsteps:\n"
                         "  - {name: reads, with: [ann, page], expect: {effect: allow}}\n"
                         "  - {name: ends, with: [ann, page], request: "
                         "{resource: {properties: {a: 1}}}}\n")};
    struct stage stage = {0};
    struct buf out = {0};
    diags_init(&stage.diags, 100);
    if (suite_read_over(&file, 1, &over, &stage.diags, &stage.suite) != PDP_ERR_OK) {
        diags_render(&stage.diags, &out);
    }
    for (size_t i = 0; stage.suite != NULL && i < suite_at(stage.suite, 0)->play_count; i++) {
        struct emit emit;
        emit_init(&emit, WIRE_JSON, &out);
        emit_value(&emit, suite_at(stage.suite, 0)->plays[i].root);
        buf_byte(&out, '\n');
    }
    cr_expect(str_eq(buf_view(&out), str_of(expected)), "got\n%.*s\ninstead of\n%s", (int)out.len,
              (const char *)out.at, expected);
    buf_fini(&out);
    strike(&stage);
}

#define OURS "apiVersion: pdp/v1\nkind: Given\nmetadata: {name: ours}\n"

Test(cli_suite, what_a_folder_gives_is_laid_over_a_library)
{
    expect_over(
        OURS "tenant: shop\nrequest: {action: {name: read}}\n"
             "given:\n  ann: {subject: {type: clerk, properties: {shift: 2}}}\n"
             "  page: {resource: {id: /y, properties: {a: 0, b: 2}}}\n",
        "{\"action\":{\"name\":\"read\"},\"subject\":{\"type\":\"clerk\",\"id\":\"ann\",\"properties\":{"
        "\"shift\":2}},\"resource\":{\"type\":\"route\",\"id\":\"/y\",\"properties\":{\"a\":0,\"b\":2}},"
        "\"tenant\":\"shop\"}\n"
        "{\"action\":{\"name\":\"read\"},\"subject\":{\"type\":\"clerk\",\"id\":\"ann\",\"properties\":{"
        "\"shift\":2}},\"resource\":{\"type\":\"route\",\"id\":\"/y\",\"properties\":{\"a\":1,\"b\":2}},"
        "\"tenant\":\"shop\"}\n");
    expect_over(OURS "given: {ana: {}}\nskip: {t: why}\n",
                "ours.yaml:4:9: error: no scenario has a fixture `ana`\n    4 | given: {ana: {}}\n"
                "      |         ^~~\n  hint: did you mean `ann`?\n"
                "ours.yaml:5:8: error: there is no scenario `t`\n    5 | skip: {t: why}\n"
                "      |        ^\n  hint: there are `s`\n");
    expect_over(OURS "given: {ann: {subject: {idd: x}}, page: 1}\nskip: {s: ''}\n",
                "ours.yaml:4:25: error: `subject` has no key `idd`\n"
                "    4 | given: {ann: {subject: {idd: x}}, page: 1}\n"
                "      |                         ^~~\n  hint: did you mean `id`?\n"
                "ours.yaml:4:41: error: a fixture must be a mapping\n"
                "    4 | given: {ann: {subject: {idd: x}}, page: 1}\n"
                "      |                                         ^\n"
                "ours.yaml:5:8: error: a scenario is skipped with a reason\n    5 | skip: {s: ''}\n"
                "      |        ^\n  hint: such as `s: no services ask here`\n");
    expect_over(
        "apiVersion: pdp/v1\nkind: Test\n",
        "ours.yaml:1:1: error: a file that is laid over scenarios holds one document of kind `Given`\n"
        "    1 | apiVersion: pdp/v1\n      | ^~~~~~~~~~~~~~~~~~\n");
    expect_over(
        OURS "---\n" OURS,
        "ours.yaml:5:1: error: a file that is laid over scenarios holds one document of kind `Given`\n"
        "    5 | apiVersion: pdp/v1\n      | ^~~~~~~~~~~~~~~~~~\n");
}

#define ORDERS                                                                                            \
    LIFE "  net: {context: {session: {id: s1}, device: {fingerprint: d1}, network: {ip: 203.0.113.7}}}\n" \
         "request: {action: {name: GET}}\nsteps:\n"                                                       \
         "  - {name: login, with: [ann, net], event: {type: login, properties: {amr: [pwd]}}}\n"

Test(cli_suite, analysts_order)
{
    expect_run(
        ORDERS
        "  - {name: locks, order: {op: lock.add, target: {kind: subject, value: ann}, effect: deny, for: 60, "
        "reason: looks}, expect: {ok: true}}\n"
        "  - {name: denied, with: [ann, net, page], expect: {effect: deny, code: locked}}\n"
        "  - {name: unlocks, order: {op: lock.rm, id: 1, reason: seen}}\n"
        "  - {name: goes-on, with: [ann, net, page], expect: {effect: allow}}\n"
        "  - {name: locks-again, order: {op: lock.add, target: {kind: address, value: 203.0.113.7}, effect: "
        "deny, for: 660, reason: looks}}\n"
        "  - {name: denied-again, at: +659s, with: [ann, net, page], expect: {code: locked}}\n"
        "  - {name: it-ends, at: +1s, with: [ann, net, page], expect: {effect: allow}}\n"
        "  - {name: ends, order: {op: session.terminate, session: s1, reason: stolen}}\n"
        "  - {name: over, with: [ann, net, page], expect: {effect: terminate, code: terminated}}\n",
        "login: event\nlocks: event\ndenied: deny/locked\nunlocks: event\ngoes-on: allow/policy\n"
        "locks-again: event\ndenied-again: deny/locked\nit-ends: allow/policy\nends: event\n"
        "over: terminate/terminated\n");
}

Test(cli_suite, an_order_ends_sessions_before_the_next_step)
{
    expect_run(ORDERS "  - {name: ends, order: {op: session.terminate, target: {kind: device, value: d1}, "
                      "reason: lost}, peer: {name: eve}, expect: {ok: true}}\n"
                      "  - {name: over, at: +1ms, with: [ann, net, page], expect: {code: terminated}}\n",
               "login: event\nends: event\nover: terminate/terminated\n");
}

Test(cli_suite, an_order_that_is_refused_is_missed_unless_it_is_expected)
{
    expect_run(
        ORDERS
        "  - {name: why, order: {op: lock.rm, id: 1}}\n"
        "  - {name: meant-so, order: {op: lock.rm, id: 7, reason: r}, expect: {ok: false, error: there "
        "is no lock}}\n"
        "  - {name: otherwise, order: {op: lock.rm, id: 7, reason: r}, expect: {ok: true, error: [mute]}}\n"
        "  - {name: whole, order: {op: lock.add, target: {kind: asn, value: 64496}, effect: deny, for: "
        "60, reason: r, lock_out: true}, expect: {error: x}}\n",
        "login: event\nwhy: event; the order was refused: a `reason` of 1 to 500 bytes is required\n"
        "meant-so: event\notherwise: event; oktrue but false; errormute but there is no lock of this "
        "`id`; it may have expired\nwhole: event; errorx but none\n");
}

// What can be written is what the endpoint knows.
Test(cli_suite, every_operation_is_one_of_the_endpoint)
{
    const char *const *ops = shape_field(&SHAPE_ORDER, STR("op"))->choices;
    for (size_t i = 0; ops[i] != NULL; i++) {
        char yaml[1024];
        struct stage stage;
        struct buf out = {0};
        snprintf(yaml, sizeof yaml, LIFE "steps: [{name: %s, order: {op: %s}}]\n", ops[i], ops[i]);
        set(&stage, yaml);
        const struct suite_options options = {.told = tell, .user = &out};
        cr_assert_eq(suite_run(stage.runner, stage.suite, &options), PDP_ERR_OK);
        cr_expect(str_find(buf_view(&out), STR("is none of"), 0) == SIZE_MAX, "%.*s", (int)out.len,
                  (const char *)out.at);
        buf_fini(&out);
        strike(&stage);
    }
}

// What was ordered holds in its world alone, and numbers begin anew.
Test(cli_suite, orders_end_with_their_world)
{
    expect_run(
        LIFE
        "ordinary:\n"
        "  - {name: quarantines, order: {op: peer.quarantine, peer: pdpctl, reason: r}}\n"
        "  - {name: mistrusted, with: [ann], event: {type: login, context: {session: {id: s1}}}, expect: "
        "{recorded: false}}\n"
        "  - {name: locks, order: {op: lock.add, target: {kind: all}, effect: deny, for: 60, "
        "reason: r, lock_out: true}}\n"
        "  - {name: denied, with: [ann, page], expect: {code: locked}}\n"
        "request: {action: {name: GET}}\nsteps:\n"
        "  - {name: free, with: [ann, page], expect: {effect: allow}}\n"
        "  - {name: first, order: {op: lock.add, target: {kind: subject, value: bob}, effect: deny, "
        "for: 60, reason: r}}\n"
        "  - {name: one, order: {op: lock.rm, id: 1, reason: r}}\n",
        "quarantines: event\nmistrusted: event\nlocks: event\ndenied: deny/locked\nfree: "
        "allow/policy\nfirst: event\none: "
        "event\n");
}

Test(cli_suite, every_claim_holds_where_it_does)
{
    expect_run(
        HEAD GIVEN
        "cases:\n"
        "  - {name: a, with: [ann, page, get], expect: {effect: [deny, allow], code: policy, rule: web/all, "
        "rules: [web/all], risk: [0, 50], level: [low, medium], signals: {tool-agent: false}, obligations: "
        "[], "
        "exceptions: [], missing: []}}\n"
        "  - {name: b, with: [bob, page, post], expect: {effect: step_up, strength: mfa, max_age: 15m, "
        "message: "
        "prove it, rule: [web/all, web/prove]}}\n"
        "  - {name: c, with: [ann, page, post], expect: {effect: allow, exceptions: glass}}\n"
        "  - {name: d, with: [bob, page], request: {action: {name: PUT}}, expect: {obligations: [mail, "
        "log]}}\n"
        "  - {name: e, with: [bob, page], request: {action: {name: GET}, resource: {id: /home/x}}, expect: "
        "{effect: deny, code: unsure, missing: [geo.country]}}\n"
        "  - {name: f, with: [bob], request: {action: {name: GET}}, expect: {code: malformed}}\n",
        "a: allow/policy\nb: step_up/policy\nc: allow/policy\nd: allow/policy\ne: deny/unsure\n"
        "f: deny/malformed\n");
}

Test(cli_suite, every_claim_tells_what_came_where_it_does_not)
{
    expect_run(
        HEAD GIVEN
        "cases:\n"
        "  - {name: a, with: [ann, page, get], expect: {effect: [deny, terminate], code: unsure, rule: "
        "web/prove, "
        "rules: [web/all, web/prove], risk: [90, 100], level: high, signals: {tool-agent: true, new-device: "
        "[1, 2]}, obligations: [log], exceptions: glass, missing: [x], strength: mfa, max_age: 5m, message: "
        "hm, "
        "reason: hm}}\n"
        "  - {name: b, with: [bob, page, post], expect: {effect: allow, strength: mfa, max_age: 1h30m, "
        "missing: "
        "[]}}\n"
        "  - {name: c, with: [bob, page], request: {action: {name: PUT}}, expect: {obligations: [mail]}}\n",
        "a: allow/policy; effectdeny or terminate but allow; codeunsure but policy; ruleweb/prove but "
        "web/all; "
        "rulesweb/all, web/prove but web/all; risk90 to 100 but 3.23; levelhigh but low; signalsin the "
        "ledger "
        "but not in the ledger; signals1 to 2 but not in the ledger; obligationslog but none; "
        "exceptionsglass "
        "but none; missingx but none; strengthmfa but none; max_age5m but none; messagehm but none; reasonhm "
        "but a rule decided\n"
        "b: step_up/policy; effectallow but step_up; max_age1h30m but 15m\n"
        "c: allow/policy; obligationsmail but log, mail\n");
}

Test(cli_suite, what_is_refused_is_missed_unless_it_is_expected)
{
    expect_run(
        LIFE
        "steps:\n"
        "  - {name: may-not, with: ann, peer: {name: edge, grants: [ask]}, event: {type: login, context: "
        "{session: {id: s1}}}}\n"
        "  - {name: expected, with: ann, peer: {name: edge, grants: [ask]}, event: {type: login, context: "
        "{session: {id: s1}}}, expect: {recorded: false, code: malformed}}\n"
        "  - {name: otherwise, with: ann, event: {type: login, context: {session: {id: s1}}}, expect: "
        "{recorded: "
        "false, risk: [50, 60]}}\n"
        "  - {name: asks, with: [ann, page], peer: {name: edge, grants: [issue]}, request: {action: {name: "
        "GET}}}\n",
        "may-not: event; the event was refused: this peer may not send it; give its listener the grant "
        "`issue`\n"
        "expected: event\n"
        "otherwise: event; recordedfalse but true; risk50 to 60 but 3.23\n"
        "asks: deny/malformed; the question is malformed: `peer` may not ask questions; give its listener "
        "the "
        "grant `ask`\n");
}

Test(cli_suite, an_attack_must_be_stopped_where_it_says)
{
    static const char HEADER[] =
        "apiVersion: pdp/v1\nkind: Scenario\nmetadata: {name: s, labels: {class: attack}}\n"
        "given: {ann: {subject: {type: user, id: ann}, resource: {type: route, id: /x}}}\n"
        "stops: reads\nsteps:\n  - {name: reads, every: 1s, times: TIMES, with: ann, request: {action: "
        "{name: GET}}}\n  - {name: goes-on, with: ann, request: {action: {name: GET}}}\n";
    AUTO(buf_fini) struct buf yaml = {0};
    size_t at = str_find(str_of(HEADER), STR("TIMES"), 0);
    buf_printf(&yaml, "%.*s2%s%c", (int)at, HEADER, &HEADER[at + 5], 0);
    expect_run((const char *)yaml.at,
               "reads 0: allow/policy\nreads 1: allow/policy; the attack is not stopped here\n"
               "goes-on: allow/policy\n");
    buf_clear(&yaml);
    buf_printf(&yaml, "%.*s4%s%c", (int)at, HEADER, &HEADER[at + 5], 0);
    expect_run((const char *)yaml.at, "reads 0: allow/policy\nreads 1: allow/policy\nreads 2: allow/policy\n"
                                      "reads 3: deny/policy\ngoes-on: deny/policy\n");
}

Test(cli_suite, peers_are_believed_as_far_as_their_grants_go)
{
    expect_run(
        LIFE
        "steps:\n"
        "  - {name: believed, with: page, request: {subject: {type: user, id: ann, properties: {roles: "
        "[staff]}}, action: {name: DELETE}}, expect: {effect: allow}}\n"
        "  - {name: not-believed, with: page, peer: {name: edge, grants: [ask]}, request: {subject: {type: "
        "user, "
        "id: ann, properties: {roles: [staff]}}, action: {name: DELETE}}, expect: {code: unsure, missing: "
        "[subject.roles]}}\n",
        "believed: allow/policy\nnot-believed: deny/unsure\n");
}

Test(cli_suite, each_document_has_places_of_its_own)
{
    expect_run(
        HEAD GIVEN
        "places: {203.0.113.0/24: {country: DE}}\nrequest: {resource: {type: route, id: /home/x}, "
        "context: {network: {ip: 203.0.113.7}}}\ncases:\n"
        "  - {name: at-home, with: [ann, get], expect: {effect: allow}}\n"
        "---\napiVersion: pdp/v1\nkind: Test\nmetadata: {name: u}\nplaces: {203.0.113.0/24: {country: "
        "CH}}\n" GIVEN
        "request: {resource: {type: route, id: /home/x}, context: {network: {ip: 203.0.113.7}}}\ncases:\n"
        "  - {name: abroad, with: [ann, get], expect: {effect: deny, code: policy}}\n"
        "---\napiVersion: pdp/v1\nkind: Test\nmetadata: {name: v}\n" GIVEN
        "request: {resource: {type: route, id: /home/x}, context: {network: {ip: 203.0.113.7}}}\ncases:\n"
        "  - {name: nowhere, with: [ann, get], expect: {effect: deny, code: unsure}}\n",
        "at-home: allow/policy\nabroad: deny/policy\nnowhere: deny/unsure\n");
}

Test(cli_suite, without_places_a_document_has_the_databases_of_the_folder)
{
    AUTO(mmdb_fini) struct mmdb mmdb = {0};
    AUTO(buf_fini) struct buf bytes = {0};
    AUTO(buf_fini) struct buf out = {0};
    struct stage stage;
    struct cidr cidr;
    cr_assert(cidr_parse(STR("203.0.113.0/24"), false, &cidr));
    mmdb_map(&mmdb.data, 1);
    mmdb_text(&mmdb.data, STR("country"));
    mmdb_map(&mmdb.data, 1);
    mmdb_text(&mmdb.data, STR("iso_code"));
    mmdb_text(&mmdb.data, STR("DE"));
    mmdb_add(&mmdb, &cidr, 0);
    mmdb_write(&mmdb, STR("GeoIP2-Country"), &bytes);
    const struct snapshot_file geo = {.name = STR("country.mmdb"), .text = buf_view(&bytes)};
    const char *cases =
        "request: {resource: {type: route, id: /home/x}, context: {network: {ip: 203.0.113.7}}}\n"
        "cases:\n  - {name: asks, with: [ann, get], expect: {code: policy}}\n";
    AUTO(buf_fini) struct buf yaml = {0};
    buf_printf(&yaml, "%s%s%s", HEAD, GIVEN, cases);
    buf_printf(&yaml, "---\napiVersion: pdp/v1\nkind: Test\nmetadata: {name: u}\nplaces: {}\n%s%s%c", GIVEN,
               cases, 0);
    cr_assert_eq(read_tests(&stage, (const char *)yaml.at), PDP_ERR_OK);
    struct snapshot *snapshot = built_with(&geo, 1);
    cr_assert_eq(suite_runner_new(&snapshot, &stage.runner), PDP_ERR_OK);
    const struct suite_options options = {.told = tell, .user = &out};
    for (int i = 0; i < 2; i++) {
        cr_assert_eq(suite_run(stage.runner, stage.suite, &options), PDP_ERR_OK);
    }
    const char *once = "asks: allow/policy\nasks: deny/unsure; codepolicy but unsure\n";
    buf_clear(&yaml);
    buf_printf(&yaml, "%s%s", once, once);
    cr_expect(str_eq(buf_view(&out), buf_view(&yaml)), "%.*s", (int)out.len, (const char *)out.at);
    strike(&stage);
}

Test(cli_suite, a_matrix_says_each_cell)
{
    expect_run(
        HEAD GIVEN
        "  news: {resource: {type: route, id: /news}}\nmatrix:\n"
        "  - name: m\n    subjects: [ann, bob]\n    resources: [page, news]\n    actions: [GET, POST]\n"
        "    expect:\n      ann: allow\n      bob: {page: {GET: allow, POST: {effect: step_up, strength: "
        "mfa}}, news: "
        "{GET: allow, POST: deny}}\n",
        "m: ann, page, GET: allow/policy\nm: ann, page, POST: allow/policy\nm: ann, news, GET: allow/policy\n"
        "m: ann, news, POST: allow/policy\nm: bob, page, GET: allow/policy\nm: bob, page, POST: "
        "step_up/policy\n"
        "m: bob, news, GET: allow/policy\nm: bob, news, POST: step_up/policy; effectdeny but step_up\n");
}

// ---- What is played --------------------------------------------------------------------------------

static bool only_b(void *user, const struct suite_doc *doc, const struct suite_play *play)
{
    (void)user;
    (void)doc;
    return play == NULL || str_eq(play->name, STR("b"));
}

static bool stop(void *user, const struct suite_told *told)
{
    (void)told;
    return --*(int *)user > 0;
}

Test(cli_suite, plays_what_is_wanted_until_it_is_enough)
{
    struct stage stage;
    struct buf out = {0};
    int left = 2;
    set(&stage, HEAD GIVEN "cases:\n  - {name: a, with: [ann, page, get], expect: {effect: deny}}\n"
                           "  - {name: b, with: [ann, page, get], expect: {effect: deny}}\n"
                           "  - {name: c, with: [ann, page, get], expect: {effect: deny}}\n");
    struct suite_options options = {.wants = only_b, .told = tell, .user = &out};
    cr_assert_eq(suite_run(stage.runner, stage.suite, &options), PDP_ERR_OK);
    cr_expect(str_eq(buf_view(&out), STR("b: allow/policy; effectdeny but allow\n")));
    buf_clear(&out);
    options = (struct suite_options){.any_policy = true, .told = tell, .user = &out};
    cr_assert_eq(suite_run(stage.runner, stage.suite, &options), PDP_ERR_OK);
    cr_expect(str_eq(buf_view(&out), STR("a: allow/policy\nb: allow/policy\nc: allow/policy\n")));
    options = (struct suite_options){.told = stop, .user = &left};
    cr_assert_eq(suite_run(stage.runner, stage.suite, &options), PDP_ERR_OK);
    cr_expect_eq(left, 0);
    buf_fini(&out);
    strike(&stage);
}

static void judged(void *user, const struct watched *watched)
{
    (void)watched;
    ++*(int *)user;
}

Test(cli_suite, decisions_can_be_watched)
{
    struct stage stage;
    int seen = 0;
    const struct watch watch = {.judged = judged, .user = &seen};
    set(&stage, HEAD GIVEN "cases:\n  - {name: a, with: [ann, page, get], expect: {effect: allow}}\n"
                           "  - {name: b, with: [ann, page, post], expect: {effect: allow}}\n");
    suite_runner_watch(stage.runner, &watch);
    cr_assert_eq(suite_run(stage.runner, stage.suite, &(struct suite_options){0}), PDP_ERR_OK);
    cr_expect_eq(seen, 2);
    strike(&stage);
}

// ---- Two threads over one suite ----------------------------------------------------------------------

struct lane {
    const struct suite *suite;
    struct buf out;
    enum pdp_err err;
};

static void *run_lane(void *user)
{
    struct lane *lane = user;
    struct suite_runner *runner = NULL;
    struct snapshot *snapshot = built();
    const struct suite_options options = {.told = tell, .user = &lane->out};
    lane->err = suite_runner_new(&snapshot, &runner);
    for (int i = 0; i < 20 && lane->err == PDP_ERR_OK; i++) {
        lane->err = suite_run(runner, lane->suite, &options);
    }
    suite_runner_free(&runner);
    return NULL;
}

Test(cli_suite, two_threads_play_one_suite)
{
    struct stage stage;
    cr_assert_eq(
        read_tests(
            &stage, LIFE
            "places: {203.0.113.0/24: {country: DE}}\nsteps:\n"
            "  - {name: login, with: ann, event: {type: login, context: {session: {id: s1}}}}\n"
            "  - {name: read, at: +1s, every: 10s, times: 9, with: [ann, page], request: {action: {name: "
            "GET}, context: {session: {id: s1}, network: {ip: 203.0.113.7}}}}\n"),
        PDP_ERR_OK);
    struct lane lanes[2] = {{.suite = stage.suite}, {.suite = stage.suite}};
    pthread_t threads[2];
    for (size_t i = 0; i < 2; i++) {
        cr_assert_eq(pthread_create(&threads[i], NULL, run_lane, &lanes[i]), 0);
    }
    for (size_t i = 0; i < 2; i++) {
        pthread_join(threads[i], NULL);
        cr_expect_eq(lanes[i].err, PDP_ERR_OK);
    }
    cr_expect(str_eq(buf_view(&lanes[0].out), buf_view(&lanes[1].out)));
    cr_expect_gt(lanes[0].out.len, 1000);
    buf_fini(&lanes[0].out);
    buf_fini(&lanes[1].out);
    strike(&stage);
}
