// SPDX-License-Identifier: Apache-2.0
// What is refuted of conditions, and what may be; marks; and that a bound of work is kept.
#include "lint/reason.h"

#include "engine/attrs.h"

#include <criterion/criterion.h>
#include <stdio.h>

#define Y MAY_YES
#define N MAY_NO
#define U MAY_UNSURE

struct made {
    struct cel_env env;
    struct cel_program *program;
    struct diags diags;
    struct reason *reason;
};

static void make(struct made *m)
{
    *m = (struct made){.program = NULL};
    attrs_declare(&m->env);
    diags_init(&m->diags, 10);
    cr_assert_eq(cel_program_new(&m->env, NULL, &m->program), PDP_ERR_OK);
}

static uint32_t add(struct made *m, const char *text)
{
    struct cel_text cel = {.text = str_of(text)};
    uint32_t expr = 0;
    cr_assert_eq(cel_add(m->program, &cel, CEL_DYN, NULL, 0, 0, &m->diags, &expr), PDP_ERR_OK, "%s", text);
    return expr;
}

static void seal(struct made *m)
{
    const struct reason_input input = {.program = m->program};
    cr_assert_eq(cel_seal(m->program), PDP_ERR_OK);
    cr_assert_eq(reason_new(&input, &m->reason), PDP_ERR_OK);
}

static void drop(struct made *m)
{
    reason_free(&m->reason);
    cel_program_free(&m->program);
    diags_fini(&m->diags);
}

static const struct {
    const char *one;
    unsigned may;
    const char *other;
    unsigned then;
    bool refuted;
} CASES[] = {
    // A missing attribute makes both unsure, and neither no.
    {"subject.a == \"x\"", Y, "subject.a == \"y\"", Y, true},
    {"subject.a == \"x\"", Y | U, "subject.a == \"y\"", Y | U, false},
    {"subject.a == \"x\"", Y, "subject.a == \"y\"", U, true},
    {"subject.a == \"x\"", U, "subject.a == \"y\"", N, true},
    {"subject.a == \"x\"", N, "subject.a != \"x\"", N, true},
    // Another kind: an attribute that is compared with a number is unsure where it is text.
    {"subject.a == \"x\"", Y, "subject.a > 3", Y | N, true},
    {"subject.a == \"x\"", Y, "subject.a > 3", U, false},
    {"has(subject.a)", N, "subject.a == \"x\"", U, false},
    {"has(subject.a)", N, "subject.a == \"x\"", Y | N, true},
    {"has(subject.a)", Y, "subject.a == subject.b", U, false},
    {"has(subject.a)", U, "has(subject.a)", Y | N, true},
    // Truths of the operators.
    {"subject.a == 1 && subject.b == 2", Y, "subject.b == 2", N | U, true},
    {"subject.a == 1 && subject.b == 2", N, "subject.b == 2", Y, false},
    {"subject.a == 1 && subject.b == 2", U, "subject.b == 2", N, true},
    {"subject.a == 1 || subject.b == 2", N, "subject.b == 2", U, true},
    {"subject.a == 1 || subject.a == 2", Y, "subject.a in [3, 4]", Y, true},
    {"!(subject.a == 1 || subject.b == 2)", Y, "subject.a == 1", Y | U, true},
    {"subject.a == 1 ? subject.b == 2 : subject.b == 3", Y, "subject.b == 4", Y, true},
    {"subject.a == 1 ? subject.b == 2 : subject.b == 3", Y, "subject.b == 3 && subject.a == 1", Y, true},
    {"subject.a == 1 ? subject.b == 2 : subject.b == 3", U, "subject.a == 1 && subject.b == 2", Y, true},
    // NaN is neither less nor more, where a question may send it.
    {"subject.a < 3.0", N, "subject.a >= 3.0", N, false},
    {"geo.latitude < 3.0", N, "geo.latitude >= 3.0", N, true},
    // Order of two attributes, as equality has it.
    {"subject.a < subject.b", Y, "subject.b < subject.a", Y, true},
    {"subject.a < subject.b", Y, "subject.a == subject.b", Y, true},
    {"subject.a <= subject.b", Y, "subject.b <= subject.a && subject.a != subject.b", Y, true},
    {"subject.a < subject.b", U, "subject.a == subject.b", Y, false},
    // Times: differences, whichever way round they are written.
    {"now - session.started > duration(\"1h\")", Y, "session.started + duration(\"30m\") > now", Y, true},
    {"now - session.started > duration(\"1h\")", Y, "session.started + duration(\"90m\") > now", Y, false},
    {"session.last_seen - session.started == duration(\"1s\")", Y, "session.last_seen == session.started", Y,
     true},
    {"session.last_seen > session.started", Y, "session.started > session.last_seen", Y, true},
    // What an operand's own functions can give.
    {"now.getHours() >= 12", N, "now.getHours() < 12", N, true},
    {"now.getHours(\"+02:00\") < 12", U | N, "now.getHours(\"+02:00\") >= 12", U | N, true},
    {"session.started.getHours() < 12", U | N, "session.started.getHours() >= 12", U | N, false},
    {"now.getHours(subject.zone) < 12", U | N, "now.getHours(subject.zone) >= 12", U | N, false},
    {"now.getHours(\"+02:00\") == 24", Y, "true", Y, true},
    {"size(session.amr) < 0", Y, "true", Y, true},
    // Levels, truths, addresses.
    {"risk.level > level(\"high\")", Y, "risk.level != level(\"critical\")", Y, true},
    {"device.managed", N, "device.managed == true", Y, true},
    {"device.managed", U, "device.managed == true", N, true},
    {"network.ip == ip(\"10.1.2.3\")", Y, "cidr(\"10.0.0.0/8\").containsIP(network.ip)", N, true},
    {"cidr(\"10.0.0.0/8\").containsIP(network.ip)", N, "cidr(\"10.0.0.0/9\").containsIP(network.ip)", Y,
     true},
    {"cidr(\"::/0\").containsIP(network.ip)", Y, "cidr(\"0.0.0.0/0\").containsIP(network.ip)", Y, true},
    // Bits behind a prefix say nothing.
    {"cidr(\"192.0.2.1/24\").containsIP(network.ip)", Y, "cidr(\"192.0.2.9/24\").containsIP(network.ip)", Y,
     false},
    {"cidr(\"192.0.2.1/24\").containsIP(network.ip)", Y, "cidr(\"192.0.2.0/24\").containsIP(network.ip)", N,
     true},
    // One of several addresses; a null, which no attribute is; what every text and every path starts with.
    {"network.ip in [ip(\"10.0.0.1\"), ip(\"10.0.0.2\")]", Y, "cidr(\"10.0.0.0/30\").containsIP(network.ip)",
     N, true},
    {"network.ip in [ip(\"10.0.0.1\"), ip(\"10.0.0.2\")]", Y,
     "network.ip == ip(\"10.0.0.1\") || network.ip == ip(\"10.0.0.2\")", N, true},
    {"network.ip in [ip(\"10.0.0.1\"), ip(\"10.0.0.9\")]", Y, "cidr(\"10.0.0.0/30\").containsIP(network.ip)",
     N, false},
    {"subject.a == null", Y, "true", Y, true},
    {"subject.a == null", N, "subject.a == \"x\"", Y, false},
    {"subject.a == null", U, "has(subject.a)", Y, true},
    {"subject.a.startsWith(\"\")", N, "true", Y, true},
    {"resource.path.startsWith(\"/\")", N, "true", Y, true},
    {"subject.a.startsWith(\"/\")", N, "true", Y, false},
    // A null may come out of what has another type.
    {"(subject.c ? null : session.started) < timestamp(\"2030-01-01T00:00:00Z\")", Y, "true", Y, false},
    {"(subject.c ? null : session.started) == timestamp(\"2030-01-01T00:00:00Z\")", N, "true", Y, false},
    // What is not understood is a truth like any other, and the same one wherever it stands.
    {"subject.list.exists(x, x == 1)", Y, "subject.list.exists(x, x == 1)", N | U, true},
    {"subject.list.exists(x, x == 1)", Y, "subject.list.exists(x, x == 2)", N, false},
    {"subject.list.exists(x, x == 1)", Y, "has(subject.list)", N, true},
    {"\"a\" in session.amr", Y, "\"b\" in session.amr", U, true},
    {"subject.a + \"x\" == \"ax\"", Y, "has(subject.a)", N | U, true},
};

Test(lint_reason, refutes_what_cannot_be_and_nothing_else)
{
    for (size_t i = 0; i < COUNT_OF(CASES); i++) {
        struct made m;
        make(&m);
        uint32_t one = add(&m, CASES[i].one), other = add(&m, CASES[i].other);
        seal(&m);
        for (int turned = 0; turned < 2; turned++) {
            struct reason_mark mark = reason_mark(m.reason);
            reason_assume(m.reason, turned ? other : one, turned ? CASES[i].then : CASES[i].may);
            reason_assume(m.reason, turned ? one : other, turned ? CASES[i].may : CASES[i].then);
            cr_expect_eq(reason_refuted(m.reason, 1000), CASES[i].refuted, "%u of %s, %u of %s%s",
                         CASES[i].may, CASES[i].one, CASES[i].then, CASES[i].other, turned ? ", turned" : "");
            reason_undo(m.reason, mark);
            cr_expect_not(reason_refuted(m.reason, 1000), "%s: something is left of it", CASES[i].one);
        }
        drop(&m);
    }
}

Test(lint_reason, goes_back_to_marks_within_marks)
{
    struct made m;
    make(&m);
    uint32_t x = add(&m, "subject.a == \"x\""), y = add(&m, "subject.a == \"y\""),
             less = add(&m, "subject.n < 3"), more = add(&m, "subject.n > 5");
    seal(&m);
    reason_assume(m.reason, x, MAY_YES);
    struct reason_mark outer = reason_mark(m.reason);
    reason_assume(m.reason, less, MAY_YES);
    struct reason_mark inner = reason_mark(m.reason);
    reason_assume(m.reason, more, MAY_YES);
    cr_expect(reason_plain(m.reason));
    reason_undo(m.reason, inner);
    cr_expect_not(reason_plain(m.reason));
    reason_undo(m.reason, outer);
    reason_assume(m.reason, more, MAY_YES);
    cr_expect_not(reason_plain(m.reason), "less was forgotten");
    reason_assume(m.reason, y, MAY_YES);
    cr_expect(reason_plain(m.reason), "x was not");
    drop(&m);
}

// Each of many alternatives is refuted by the next: more than is paid for.
Test(lint_reason, says_nothing_where_it_would_take_too_long)
{
    struct made m;
    char text[4096];
    size_t len = 0;
    make(&m);
    for (int i = 0; i < 12; i++) {
        len += (size_t)snprintf(text + len, sizeof text - len,
                                "%s(subject.a%d == 1 || subject.b%d == 1 || subject.c == %d)",
                                i > 0 ? " && " : "", i, i, i);
    }
    uint32_t many = add(&m, text);
    char none[4096];
    len = 0;
    for (int i = 0; i < 12; i++) {
        len += (size_t)snprintf(none + len, sizeof none - len, "%ssubject.a%d == 2 && subject.b%d == 2",
                                i > 0 ? " && " : "", i, i);
    }
    uint32_t others = add(&m, none);
    seal(&m);
    reason_assume(m.reason, many, MAY_YES);
    reason_assume(m.reason, others, MAY_YES);
    cr_expect_not(reason_refuted(m.reason, 0));
    cr_expect(reason_refuted(m.reason, 5000), "c cannot be 0 and 1");
    drop(&m);
}
