// SPDX-License-Identifier: Apache-2.0
#include "unit/cel/lab.h"

#define N TRUTH_NO
#define Y TRUTH_YES
#define U TRUTH_UNSURE

static const struct {
    const char *text;
    enum truth is;
    const char *why; // of unsure
} CASES[] = {
    {"true", Y, NULL},
    {"resource.type == \"route\" && risk.level < level(\"high\")", Y, NULL},
    {"\"hr\" in subject.roles", Y, NULL},
    {"\"it\" in subject.roles", N, NULL},
    {"subject.roles.exists(r, r.startsWith('st'))", Y, NULL},
    {"risk.score >= 60", N, NULL},
    {"risk.score > 41 && session.requests == 12.0", Y, NULL},
    {"session.strength >= strength(\"mfa\")", Y, NULL},
    {"session.strength >= strength(\"phishing-resistant\")", N, NULL},
    {"context.client.auth in [\"basic\", \"ntlm\"]", Y, NULL},
    {"has(context.client.auth) && !has(context.client.cert)", Y, NULL},
    {"resource.id.matches('^/payroll/[0-9]+$')", Y, NULL},
    {"network.ip in lists.offices", Y, NULL},
    {"cidr('10.0.0.0/8').containsIP(network.ip)", Y, NULL},
    {"subject.id in lists.leavers", Y, NULL},
    {"subject.tenant != tenant", N, NULL},
    // What is not known is unsure, and says what was missing.
    {"geo.country == 'DE'", U, "`geo.country` is missing"},
    {"geo.country in lists.sanctioned", U, "`geo.country` is missing"},
    {"subject.ghost == 'x'", U, "`subject.ghost` is missing"},
    {"device.managed", U, "`device.managed` is an int, expected bool"},
    {"subject.level == 'high'", U, "`subject.level` is an int, expected string"},
    {"subject.level in ['high', 'low']", U, "`subject.level` is an int, expected string"},
    {"'a' != subject.level", U, "`subject.level` is an int, expected string"},
    {"subject.level in {'high': 1, 'low': 2}", U, "`subject.level` is an int, expected string"},
    {"subject.level in {1: 'high'}", N, NULL},
    {"subject.level in {}", N, NULL},
    {"--subject.level == 7", Y, NULL},
    {"--subject.tenant == 'acme'", U, "`-` does not take string"},
    {"--(-9223372036854775808) < 0", U, "out of range"},
    {"now != subject.tenant", U, "`subject.tenant` is a string, expected timestamp"},
    {"subject.level == now", U, "`subject.level` is an int, expected timestamp"},
    {"resource.tags == 'hr'", U, "`resource.tags` is a list, expected string"},
    {"subject.level == 7.0", Y, NULL},
    {"subject.id in lists.stale", U, "`lists.stale` is stale or missing"},
    {"\"hr\" in subject.text_roles", U, "`in` does not take string and string"},
    {"1 / (session.requests - 12) > 0", U, "divide by zero"},
    {"subject.level.startsWith('a')", U, "`startsWith` does not take int and string"},
    // Unsure is absorbed by what settles the matter, on either side.
    {"geo.country == 'DE' && false", N, NULL},
    {"geo.country == 'DE' && risk.score > 90.0", N, NULL},
    {"geo.country == 'DE' || risk.score > 9.0", Y, NULL},
    {"!(geo.country == 'DE')", U, "`geo.country` is missing"},
    {"[1, 2, 0].exists(x, 4 / x == 2)", Y, NULL},
    {"[1, 2, 0].all(x, 4 / x == 2)", N, NULL},
    {"[0, 2].all(x, 4 / x == 2)", U, "divide by zero"},
    {"subject.id", U, "not a truth"},
    // What a name stands for has variables of its own, though it is run within another walk.
    {"cel.bind(x, subject.roles.map(a, a), [5].exists(b, size(x) + b == 7))", Y, NULL},
    {"cel.bind(x, subject.roles.map(a, a), resource.tags.exists(b, size(x) > 0 && b == 'staff'))", Y, NULL},
    {"cel.bind(x, resource.tags.transformMap(i, a, a), subject.roles.transformList(i, b, size(x) + i) == [2, "
     "3])",
     Y, NULL},
    {"subject.roles.all(r, cel.bind(x, [r].map(a, a + '!'), [1, 2].all(b, x[0] == r + '!' && b > 0)))", Y,
     NULL},
};

Test(cel_run, judges_conditions)
{
    for (size_t i = 0; i < COUNT_OF(CASES); i++) {
        struct lab lab;
        lab_init(&lab);
        uint32_t expr = lab_add(&lab, CASES[i].text);
        lab_begin(&lab);
        struct value v = cel_run(lab.frame, expr);
        cr_expect_eq(cel_truth(lab.frame, expr), CASES[i].is, "%s", CASES[i].text);
        if (CASES[i].why != NULL) {
            struct str why = cel_why(lab.frame, &v);
            cr_expect(str_eq(why, str_of(CASES[i].why)), "%s: " STR_FMT, CASES[i].text, STR_ARG(why));
        }
        lab_fini(&lab);
    }
}

Test(cel_run, equal_parts_of_all_expressions_are_one)
{
    struct lab lab;
    lab_init(&lab);
    uint32_t a = lab_add(&lab, "subject.roles.exists(r, r == 'hr') && risk.score > 1.0");
    uint32_t b = lab_add(&lab, "subject . roles.exists(other, other == \"hr\") && (risk.score > 1.0)");
    cr_expect_eq(a, b);
    lab_begin(&lab);
    lab_resolved = 0;
    cr_expect_eq(cel_truth(lab.frame, a), TRUTH_YES);
    cr_expect_eq(cel_truth(lab.frame, b), TRUTH_YES);
    cr_expect_eq(lab_resolved, 2, "an attribute is asked for once a request, not %u times", lab_resolved);
    lab_begin(&lab);
    cr_expect_eq(cel_truth(lab.frame, a), TRUTH_YES);
    cr_expect_eq(lab_resolved, 4, "and anew in the next");
    lab_fini(&lab);
}

// A shared node inside a comprehension may not remember the value of another turn.
Test(cel_run, nothing_that_uses_a_variable_is_remembered)
{
    struct lab lab;
    lab_init(&lab);
    uint32_t a = lab_add(&lab, "[1, 2, 3].map(x, x * session.requests) == [12, 24, 36]");
    uint32_t b =
        lab_add(&lab, "[1, 2].all(x, [3, 4].all(y, x * session.requests + y > x * session.requests))");
    uint32_t c = lab_add(
        &lab, "[1, 2, 3].map(x, [1, 2, 3].filter(y, y < x * session.requests / 12).size()) == [0, 1, 2]");
    lab_begin(&lab);
    cr_expect_eq(cel_truth(lab.frame, a), TRUTH_YES);
    cr_expect_eq(cel_truth(lab.frame, b), TRUTH_YES);
    cr_expect_eq(cel_truth(lab.frame, c), TRUTH_YES);
    lab_fini(&lab);
}

static const struct {
    const char *text;
    int64_t after_ms; // from LAB_NOW; -1: never
    bool bounded;
} TURNS[] = {
    {"risk.score > 1.0", -1, true},
    // auth_time is ten minutes ago
    {"now - session.auth_time > duration('15m')", 300001, true},
    {"now - session.auth_time >= duration('15m')", 300000, true},
    {"now - session.auth_time < duration('15m')", 300000, true},
    {"now - session.auth_time > duration('5m')", -1, true},
    {"session.auth_time > now - duration('15m')", 300000, true},
    {"session.auth_time + duration('1h') < now", 3000001, true},
    {"session.auth_time + duration('10m') <= now", -1, true},
    {"session.auth_time + duration('10m') == now", 1, true},
    {"now < timestamp('2025-11-22T08:26:40.0005Z')", 1, true},
    {"timestamp(subject.starts_on) > now", 3425600000, true},
    {"now - duration('1h') < now", -1, true},
    {"now.getHours() == 8", -1, false},
    {"string(now) == ''", -1, false},
    {"within(now, 'Mon-Fri 07:00-19:00', 'Europe/Berlin')", 164000000, true},
    {"within(now, 'Sat 09:00-12:00', 'Europe/Berlin')", 9200000, true},
    {"within(now + duration('1h'), 'Sat 09:00-12:00', 'Europe/Berlin')", 5600000, true},
    {"risk.score > 1.0 || now.getHours() == 8", -1, true}, // not run, so it bounds nothing
};

Test(cel_run, says_until_when_time_changes_nothing)
{
    for (size_t i = 0; i < COUNT_OF(TURNS); i++) {
        struct lab lab;
        lab_init(&lab);
        uint32_t expr = lab_add(&lab, TURNS[i].text);
        lab_begin(&lab);
        enum truth before = cel_truth(lab.frame, expr);
        bool bounded = false;
        int64_t until = cel_horizon(lab.frame, &bounded);
        int64_t wanted = TURNS[i].after_ms < 0 ? INT64_MAX : LAB_NOW + TURNS[i].after_ms;
        cr_expect_eq(until, wanted, "%s: %lld", TURNS[i].text, (long long)(until - LAB_NOW));
        cr_expect_eq(bounded, TURNS[i].bounded, "%s", TURNS[i].text);
        if (TURNS[i].after_ms > 0) { // the millisecond before: the same; at it: another
            cel_begin(lab.frame, &lab.host, &lab.arena, until - 1);
            cr_expect_eq(cel_truth(lab.frame, expr), before, "%s: a millisecond before", TURNS[i].text);
            cel_begin(lab.frame, &lab.host, &lab.arena, until);
            cr_expect_neq(cel_truth(lab.frame, expr), before, "%s: at the turn", TURNS[i].text);
        }
        lab_fini(&lab);
    }
}

// A remembered `now` may not hide from a second use that it cannot be bounded.
Test(cel_run, a_memo_does_not_hide_an_unbounded_now)
{
    struct lab lab;
    lab_init(&lab);
    uint32_t a = lab_add(&lab, "session.auth_time > now - duration('15m')");
    uint32_t b = lab_add(&lab, "(now - duration('15m')).getHours() == 8");
    lab_begin(&lab);
    bool bounded = false;
    cel_truth(lab.frame, a);
    cel_horizon(lab.frame, &bounded);
    cr_expect(bounded);
    cel_truth(lab.frame, b);
    cel_horizon(lab.frame, &bounded);
    cr_expect_not(bounded);
    lab_fini(&lab);
}

Test(cel_run, work_is_counted)
{
    struct lab lab;
    lab_init(&lab);
    uint32_t expr =
        lab_add(&lab, "subject.roles.all(a, [1,2,3,4,5,6,7,8,9,10].all(b, [1,2,3,4,5,6,7,8,9,10].all(c, "
                      "[1,2,3,4,5,6,7,8,9,10].all(d, [1,2,3,4,5,6,7,8,9,10].all(e, [1,2,3,4,5,6,7,8,9,10]"
                      ".all(f, a != 'x'))))))");
    lab_begin(&lab);
    struct value v = cel_run(lab.frame, expr);
    cr_expect(v.kind == VALUE_ERROR && v.n == CEL_ERROR_BUDGET);
    cr_expect_eq(cel_truth(lab.frame, expr), TRUTH_UNSURE, "the rest of the request is unsure too");
    lab_fini(&lab);
}

// Values that hold one part a thousand million times over cost steps, not time, when loaded and when run.
Test(cel_run, doubling_ends)
{
    static const char *const SEEDS[] = {"[1, 1]", "[session.requests]", "[now - now]",
                                        "{'a': session.requests}"};
    for (size_t i = 0; i < COUNT_OF(SEEDS); i++) {
        struct lab lab;
        struct buf text = {0};
        lab_init(&lab);
        buf_printf(&text, "cel.bind(x0, %s, ", SEEDS[i]);
        for (int n = 1; n < 40; n++) {
            buf_printf(&text, "cel.bind(x%d, [x%d, x%d], ", n, n - 1, n - 1);
        }
        buf_str(&text, STR("x39 == x39"));
        for (int n = 0; n < 40; n++) {
            buf_byte(&text, ')');
        }
        buf_byte(&text, 0);
        uint32_t expr = lab_add(&lab, (const char *)text.at);
        lab_begin(&lab);
        struct value v = cel_run(lab.frame, expr);
        cr_expect(v.kind == VALUE_ERROR && v.n == CEL_ERROR_BUDGET, "%s", SEEDS[i]);
        buf_fini(&text);
        lab_fini(&lab);
    }
}

Test(cel_run, a_bad_pattern_takes_no_time)
{
    struct lab lab;
    lab_init(&lab);
    uint32_t expr = lab_add(
        &lab, "(subject.id + "
              "'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa!').matches('^(([a-z])+.)+[A-Z]([a-z])+$')");
    lab_begin(&lab);
    struct value v = cel_run(lab.frame, expr);
    cr_expect(v.kind == VALUE_ERROR && v.n == CEL_ERROR_MATCH_LIMIT);
    lab_fini(&lab);
}

Test(cel_run, joins_and_negates)
{
    struct lab lab;
    lab_init(&lab);
    uint32_t yes = lab_add(&lab, "risk.score > 1.0"), unsure = lab_add(&lab, "geo.country == 'DE'");
    uint32_t parts[] = {yes, unsure}, all = 0, any = 0, none = 0, not_unsure = 0;
    cr_assert_eq(cel_join(lab.program, true, parts, 2, &all), PDP_ERR_OK);
    cr_assert_eq(cel_join(lab.program, false, parts, 2, &any), PDP_ERR_OK);
    cr_assert_eq(cel_join(lab.program, true, NULL, 0, &none), PDP_ERR_OK);
    cr_assert_eq(cel_negate(lab.program, unsure, &not_unsure), PDP_ERR_OK);
    cr_expect_eq(cel_constant(lab.program, none), TRUTH_YES);
    cr_expect_eq(cel_constant(lab.program, all), TRUTH_UNSURE);
    lab_begin(&lab);
    cr_expect_eq(cel_truth(lab.frame, all), TRUTH_UNSURE);
    cr_expect_eq(cel_truth(lab.frame, any), TRUTH_YES);
    cr_expect_eq(cel_truth(lab.frame, not_unsure), TRUTH_UNSURE);
    cr_expect_neq(cel_join(lab.program, true, parts, 2, &all), PDP_ERR_OK, "sealed");
    lab_fini(&lab);
}
