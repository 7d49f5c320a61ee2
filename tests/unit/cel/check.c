// SPDX-License-Identifier: Apache-2.0
#include "unit/cel/lab.h"

// Message, the text that the caret covers, hint.
static const struct {
    const char *text, *message, *under, *hint;
} MISTAKES[] = {
    {"risk.score >= \"high\"", "`risk.score` is a double, but `\"high\"` is a string", "\"high\"",
     "compare with a number, such as 60"},
    {"risk.level >= \"high\"", "`risk.level` is a level, but `\"high\"` is a string", "\"high\"",
     "compare with level(\"high\")"},
    {"session.strength == 'mfa'", "`session.strength` is a strength, but `'mfa'` is a string", "'mfa'",
     "compare with strength('mfa')"},
    {"risk.level > 2", "`risk.level` is a level, but `2` is an int", "2", "compare with level(\"critical\")"},
    {"risk.level > strength('mfa')", "`risk.level` is a level, but `strength('mfa')` is a strength",
     "strength('mfa')", ""},
    {"network.ip == '10.0.0.1'", "`network.ip` is an ip, but `'10.0.0.1'` is a string", "'10.0.0.1'",
     "compare with ip('10.0.0.1')"},
    {"session.riks == 1", "there is no attribute `session.riks`", "session.riks", ""},
    {"risk.scroe > 1.0", "there is no attribute `risk.scroe`", "risk.scroe", "did you mean `risk.score`?"},
    {"subjekt.id == ''", "there is no attribute `subjekt`", "subjekt", "did you mean `subject`?"},
    {"session == 1", "`session` has no value of its own", "session",
     "name one of its fields, such as `session.auth_time`"},
    {"subject.id in lists.leaver", "there is no list `lists.leaver`", "lists.leaver",
     "did you mean `lists.leavers`?"},
    {"vars.office", "there is no variable `vars.office`", "vars.office", ""},
    {"lists.leavers == 1", "`lists.leavers` is a list document, but a value is expected", "lists.leavers",
     "lists are used as `x in lists.leavers`"},
    {"risk.score in lists.asns", "`risk.score` is a double, but `lists.asns` holds AS numbers", "risk.score",
     ""},
    {"level('hgih') == risk.level", "there is no level `hgih`", "'hgih'", "did you mean `high`?"},
    {"strength(subject.id) == session.strength", "the strength must be a text written out here", "subject.id",
     ""},
    {"subject.id.startWith('a')", "there is no function `startWith`", "startWith",
     "did you mean `startsWith`?"},
    {"startsWith(subject.id, 'a')", "there is no function `startsWith`", "startsWith",
     "write value.startsWith(…)"},
    {"subject.id.startsWith()", "`startsWith` takes 1 argument, not 0", "subject.id.startsWith()", ""},
    {"subject.id.startsWith(1)",
     "`startsWith` cannot be called on `subject.id`, which is a string, with (int)",
     "subject.id.startsWith(1)", ""},
    {"risk.score + 'a' == ''", "`+` does not go between a double and a string", "risk.score + 'a'", ""},
    {"risk.score && true", "`risk.score` is a double, but a bool is expected", "risk.score", ""},
    {"subject.id.name == ''", "`subject.id` is a string, which has no fields", "subject.id", ""},
    {"subject.id[0] == ''", "`subject.id` is a string, which has no element `0`", "0", ""},
    {"'a' in risk.score", "`risk.score` is a double, but a list or a map is expected", "risk.score", ""},
    {"subject.roles.all(r, r)", "`r` is a string, but a bool is expected", "r", ""},
    {"risk.score.exists(r, true)", "`risk.score` is a double, but a list or a map is expected", "risk.score",
     ""},
    {"resource.id.matches('^(?=a)b')", "the pattern is refused: look-around is not supported", "(", ""},
    {"resource.id.matches(r'(a)\\1')", "the pattern is refused: back-references are not supported", "\\", ""},
    {"resource.id.matches(subject.id)", "the pattern must be a text that is known when the policy is loaded",
     "subject.id", ""},
    {"within(now, 'Mon-Fri 7-19', 'Europe/Berlin')", "these hours cannot be read", "'Mon-Fri 7-19'",
     "hours look like \"Mon-Fri 07:00-19:00, Sat 09:00-12:00\""},
    {"within(now, 'Mon 07:00-19:00', 'Europe/Bern')", "there is no time zone `Europe/Bern`", "'Europe/Bern'",
     "a name such as Europe/Berlin, UTC, or +01:00"},
    {"network.ip in [ip('10.0.0.300')]", "`10.0.0.300` is no IP address", "'10.0.0.300'", ""},
    {"has(subject)", "has() takes a field, such as has(subject.email)", "subject", ""},
    {"a.b{c: 1}", "messages cannot be made here; `a.b` is no type", "a.b", ""},
    {"subject.id = 'x'", "compare with `==`", "=", ""},
    {"subject.id == 'x", "the text has no closing quote", "'x", ""},
    {"subject.id == '\\d'", "no such escape", "\\d",
     "for a pattern write r\"…\", in which a backslash is only itself"},
    {"(1 + 2", "the expression ends where `)` is expected", "", ""},
    {"1 +", "the expression ends where a value is expected", "", ""},
    {"", "the expression ends where a value is expected", "", ""},
    {"1 2", "an operator or the end is expected, but here is `2`", "2", ""},
    {"9223372036854775808 > 1", "the number does not fit in a 64-bit int", "9223372036854775808", ""},
    {"1e400 > 1.0", "the number is out of range", "1e400", ""},
    {"if == 1", "`if` is a reserved word", "if", "write `… ? … : …` for if … then … else"},
    {"for == 1", "`for` is a reserved word", "for", ""},
    {"session.requests", "`session.requests` is of type int, but a condition is true or false",
     "session.requests", ""},
};

Test(cel_check, says_what_is_wrong_and_where)
{
    for (size_t i = 0; i < COUNT_OF(MISTAKES); i++) {
        struct lab lab;
        uint32_t expr = 0;
        lab_init(&lab);
        cr_expect_neq(lab_add_vars(&lab, MISTAKES[i].text, CEL_BOOL, NULL, 0, &expr), PDP_ERR_OK, "%s",
                      MISTAKES[i].text);
        cr_expect_eq(expr, UINT32_MAX);
        cr_expect_eq(lab.diags.count, 1, "%s: %zu", MISTAKES[i].text, lab.diags.count);
        if (lab.diags.count > 0) {
            const struct diag *diag = &lab.diags.list[0];
            struct str under = str_sub(str_of(MISTAKES[i].text), diag->place.at, diag->place.len);
            cr_expect(str_eq(diag->message, str_of(MISTAKES[i].message)), "%s: " STR_FMT, MISTAKES[i].text,
                      STR_ARG(diag->message));
            cr_expect(str_eq(under, str_of(MISTAKES[i].under)), "%s: under " STR_FMT, MISTAKES[i].text,
                      STR_ARG(under));
            cr_expect(str_eq(diag->hint, str_of(MISTAKES[i].hint)), "%s: hint " STR_FMT, MISTAKES[i].text,
                      STR_ARG(diag->hint));
        }
        lab_fini(&lab);
    }
}

Test(cel_check, reports_every_independent_mistake)
{
    struct lab lab;
    uint32_t expr = 0;
    lab_init(&lab);
    cr_expect_eq(
        lab_add_vars(&lab,
                     "risk.scroe > 1.0 && risk.level == 'high' && subject.id.matches('(?=a)') && nowhere",
                     CEL_BOOL, NULL, 0, &expr),
        PDP_ERR_UNKNOWN);
    cr_expect_eq(lab.diags.count, 4, "%zu", lab.diags.count);
    lab_fini(&lab);
}

Test(cel_check, risk_is_refused_where_it_may_not_be_read)
{
    struct lab lab;
    uint32_t expr = 0;
    lab_init(&lab);
    struct cel_text text = {.text = STR("risk.score > 1.0")};
    cr_expect_eq(cel_add(lab.program, &text, CEL_BOOL, NULL, 0, CEL_NO_RISK, &lab.diags, &expr),
                 PDP_ERR_REFUSED);
    cr_expect(str_eq(lab.diags.list[0].message, STR("`risk.score` may not be read here")));
    struct cel_var var = {STR("risky"), lab_add(&lab, "risk.score > 1.0")};
    struct cel_text through = {.text = STR("vars.risky")};
    cr_expect_eq(cel_add(lab.program, &through, CEL_BOOL, &var, 1, CEL_NO_RISK, &lab.diags, &expr),
                 PDP_ERR_REFUSED);
    cr_expect(str_eq(lab.diags.list[1].message, STR("`vars.risky` reads `risk`, which may not be read here")),
              STR_FMT, STR_ARG(lab.diags.list[1].message));
    lab_fini(&lab);
}

// A policy's conditions are never so deep, nor texts from a file so long or so broken.
Test(cel_check, refuses_what_no_file_can_hold)
{
    AUTO(buf_fini) struct buf deep = {0}, large = {0};
    for (int i = 0; i < 150; i++) {
        buf_str(&deep, STR("[1].all(i, v, "));
    }
    while (large.len <= 1 << 20) {
        buf_str(&large, STR("true || "));
    }
    buf_str(&deep, STR("true"));
    for (int i = 0; i < 150; i++) {
        buf_byte(&deep, ')');
    }
    const struct {
        struct str text, message;
    } ODD[] = {
        {buf_view(&deep), STR("too many variables are in scope here")},
        {buf_view(&large), STR("the expression is longer than 1 MiB")},
        {STR("subject.id == '\xFF'"), STR("the expression is not valid UTF-8")},
    };
    for (size_t i = 0; i < COUNT_OF(ODD); i++) {
        const struct cel_limits limits = {.depth = 200};
        struct cel_program *program = NULL;
        struct cel_text text = {.text = ODD[i].text};
        struct diags diags;
        uint32_t expr = 0;
        diags_init(&diags, 4);
        cr_assert_eq(cel_program_new(&LAB_ENV, &limits, &program), PDP_ERR_OK);
        cr_expect_neq(cel_add(program, &text, CEL_BOOL, NULL, 0, 0, &diags, &expr), PDP_ERR_OK);
        cr_assert(diags.count > 0);
        cr_expect(str_eq(diags.list[0].message, ODD[i].message), STR_FMT, STR_ARG(diags.list[0].message));
        cel_program_free(&program);
        diags_fini(&diags);
    }
}

Test(cel_check, variables_stand_for_expressions)
{
    struct lab lab;
    lab_init(&lab);
    struct cel_var var = {STR("staff"), lab_add(&lab, "'staff' in subject.roles")};
    uint32_t expr = 0, plain = 0;
    cr_assert_eq(lab_add_vars(&lab, "vars.staff && risk.score < 50.0", CEL_BOOL, &var, 1, &expr), PDP_ERR_OK);
    plain = lab_add(&lab, "'staff' in subject.roles && risk.score < 50.0");
    cr_expect_eq(expr, plain, "the same node, however it is written");
    cr_expect_neq(lab_add_vars(&lab, "vars.staf", CEL_BOOL, &var, 1, &expr), PDP_ERR_OK);
    cr_expect(str_eq(lab.diags.list[0].hint, STR("did you mean `vars.staff`?")));
    cr_expect_neq(lab_add_vars(&lab, "vars.staff == 'x'", CEL_BOOL, &var, 1, &expr), PDP_ERR_OK,
                  "its type is known");
    lab_begin(&lab);
    cr_expect_eq(cel_truth(lab.frame, plain), TRUTH_YES);
    lab_fini(&lab);
}

// Hostile text: deep, long, broken. None may crash, and all that is refused says so.
Test(cel_check, hostile_text_is_refused_and_no_more)
{
    static const char *const OPENERS[] = {"(",  "[",   "{",     "-",     "!", "a.b(",   "f(", "[[",
                                          "a?", "{1:", "x in ", "a.?b[", "'", "\"\"\"", "`",  "a.`",
                                          "\\", "1+",  "a.",    "//",    "@", "\xff",   "0x", "1e"};
    for (size_t i = 0; i < COUNT_OF(OPENERS); i++) {
        struct lab lab;
        uint32_t expr = 0;
        char text[40001];
        size_t len = 0, step = strlen(OPENERS[i]);
        for (; len + step < sizeof text; len += step) {
            memcpy(text + len, OPENERS[i], step);
        }
        text[len] = '\0';
        lab_init(&lab);
        cr_expect_neq(lab_add_vars(&lab, text, CEL_DYN, NULL, 0, &expr), PDP_ERR_OK, "%s", OPENERS[i]);
        cr_expect_eq(lab.diags.errors, 1);
        lab_fini(&lab);
    }
}

Test(cel_check, long_conditions_are_not_deep_ones)
{
    struct lab lab;
    struct buf text = {0};
    lab_init(&lab);
    for (int i = 0; i < 2000; i++) {
        buf_printf(&text, "%ssubject.id == 'u%d'", i > 0 ? " || " : "", i);
    }
    buf_byte(&text, 0);
    uint32_t expr = lab_add(&lab, (const char *)text.at);
    lab_begin(&lab);
    cr_expect_eq(cel_truth(lab.frame, expr), TRUTH_NO);
    buf_fini(&text);
    lab_fini(&lab);
}
