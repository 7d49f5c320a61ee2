// SPDX-License-Identifier: Apache-2.0
#include "cel/bound.h"
#include "cel/frame.h"

#include "unit/cel/lab.h"

// Four elements of twelve bytes, or a text of thirty-two.
static const struct cel_sizes SMALL = {.items = 4, .inner = 2, .parts = 8, .bytes = 32, .text = 128};

static struct value many[4];

static bool largest(void *user, const struct cel_slot_info *slot, struct value *out)
{
    static const char TEXT[] = "abcdefghijklmnopqrstuvwxyzabcdef";
    (void)user;
    for (size_t i = 0; i < COUNT_OF(many); i++) {
        many[i] = value_str((struct str){TEXT, 32});
    }
    *out = slot->type == CEL_STRING || str_ends(slot->path, STR("text"))
               ? value_str((struct str){TEXT, 32})
               : (struct value){.kind = VALUE_LIST, .n = COUNT_OF(many), .as.list = many};
    return true;
}

static const struct {
    const char *text;
    uint64_t steps;
    bool reached; // by a question as large as SMALL
} CASES[] = {
    {"true", 1, true},
    {"subject.id == 'x'", 1, true},
    {"subject.id == 'x' || subject.id == 'y'", 3, true},
    {"subject.id in ['x', 'y']", 2, true},
    {"'x' in subject.roles", 3 + 4, true},
    {"subject.roles.exists(r, r == 'x')", 1 + 1 + 4 * 3, true},
    {"subject.roles.all(r, r != 'x' && size(r) == 32)", 1 + 1 + 4 * (1 + 3 + 4), true},
    {"subject.roles.exists(r, resource.roles.exists(q, q == 'x' && r == 'y'))", 2 + 4 * (2 + 4 * (1 + 3 + 3)),
     false},
    {"subject.id.matches('^x')", 1 + 1 + 4 + 2, true},
    {"subject.id.contains('x')", 3, true},
    {"subject.roles == subject.roles", 3 + 4, true},
    {"within(now, 'daily 10:00-11:00')", 1 + 1 + 8, true},
    {"subject.roles.map(r, r + r).exists(s, s == 'x')", 1 + (1 + 1 + 1 + 4 * (1 + 4)) + 4 * 3, true},
    {"subject.roles.filter(r, r != 'x').exists(s, s == 'x')", 1 + (2 + 1 + 4 * (3 + 1)) + 4 * 3, true},
    {"subject.id.split('').exists(s, s == 'x')", 1 + (3 + 2 + 33 + 8) + 33 * 3, false},
    {"subject.id.split('ab').exists(s, s == 'x')", 1 + (3 + 2 + 17 + 4) + 17 * 3, false},
    // What is remembered counts once, in a walk too.
    {"subject.roles.exists(r, r == 'x') == subject.roles.exists(r, r == 'x')", 1 + 2 + 13, true},
    {"subject.roles.exists(r, r == 'x' && 'y' in resource.roles) || 'y' in resource.roles",
     1 + (2 + 4 * (1 + 3 + 1)) + 1 + 6, false},
};

Test(cel_bound, adds_up_what_a_run_can_take)
{
    for (size_t i = 0; i < COUNT_OF(CASES); i++) {
        struct lab lab;
        struct cel_bound bound;
        lab_init(&lab);
        lab.host.resolve = largest;
        uint32_t expr = lab_add(&lab, CASES[i].text);
        cr_assert_eq(cel_bound(lab.program, expr, &SMALL, &bound), PDP_ERR_OK);
        cr_expect_eq(bound.steps, CASES[i].steps, "%s: at most %lu", CASES[i].text, bound.steps);
        lab_begin(&lab);
        uint32_t before = lab.frame->steps;
        (void)cel_run(lab.frame, expr);
        uint64_t took = before - lab.frame->steps;
        cr_expect(CASES[i].reached ? took == bound.steps : took <= bound.steps, "%s: took %lu of %lu",
                  CASES[i].text, took, bound.steps);
        lab_fini(&lab);
    }
}

static struct value_entry wide[64];

static bool widest(void *user, const struct cel_slot_info *slot, struct value *out)
{
    static char names[COUNT_OF(wide)][4];
    static char long_text[4096];
    (void)user;
    memset(long_text, 'a', sizeof long_text);
    for (size_t i = 0; i < COUNT_OF(wide); i++) {
        int len = snprintf(names[i], sizeof names[i], "k%zu", i);
        wide[i] = (struct value_entry){value_str((struct str){names[i], (size_t)len}), value_int(1)};
    }
    *out = str_ends(slot->path, STR("text")) ? value_str((struct str){long_text, sizeof long_text})
           : str_ends(slot->path, STR("key"))
               ? value_str(STR("k63"))
               : (struct value){.kind = VALUE_MAP, .n = COUNT_OF(wide), .as.map = wide};
    return true;
}

// What a search looks through is paid for, however little comes of it, and the bound knows.
Test(cel_bound, searches_are_paid_for)
{
    static const struct {
        const char *text;
        uint32_t least;
    } SEARCHES[] = {
        {"subject.text.split(subject.key, 1) == ['x']", 4096 / 16},
        {"subject.map[subject.key] == 1", 64 / 32},
        {"subject.map[?subject.key] == optional.of(1)", 64 / 32},
        {"cel.bind(m, {'a': subject.map}, m.a.k63 == 1)", 64 / 32},
        {"cel.bind(m, {'a': subject.map}, has(m.a.k63))", 64 / 32},
    };
    static const struct cel_sizes WIDE = {
        .items = 64, .inner = 64, .parts = 256, .bytes = 4096, .text = 65536};
    for (size_t i = 0; i < COUNT_OF(SEARCHES); i++) {
        struct lab lab;
        struct cel_bound bound;
        lab_init(&lab);
        lab.host.resolve = widest;
        uint32_t expr = lab_add(&lab, SEARCHES[i].text);
        cr_assert_eq(cel_bound(lab.program, expr, &WIDE, &bound), PDP_ERR_OK);
        lab_begin(&lab);
        uint32_t before = lab.frame->steps;
        cr_expect_eq(cel_run(lab.frame, expr).kind, VALUE_BOOL, "%s", SEARCHES[i].text);
        uint64_t took = before - lab.frame->steps;
        cr_expect_geq(took, SEARCHES[i].least, "%s: took %lu", SEARCHES[i].text, took);
        cr_expect_leq(took, bound.steps, "%s: took %lu of %lu", SEARCHES[i].text, took, bound.steps);
        lab_fini(&lab);
    }
}

// Ordinary conditions, with no word about how large attributes are.
static const char *const PASS[] = {
    "subject.roles.exists(r, resource.roles.exists(q, q == r))",
    "subject.a.exists(x, resource.a.exists(y, x == y && y != 'z'))",
    "subject.grants.exists(g, resource.tags.exists(t, g.scope == t && g.level > 3))",
    "subject.a == resource.a && subject.b == resource.b",
    "subject.name.lowerAscii().replace(' ', '-').split('-').exists(p, p in resource.tags)",
    "subject.tags.map(t, t.lowerAscii()).join(',').contains('x')",
    "subject.accounts.filter(a, a.limit > 100).map(a, a.id).exists(i, i == resource.id)",
    "subject.a.exists(x, x.exists(y, y == 'x'))",
    "'%s of %s'.format([subject.id, subject.a]) == 'x'",
};

static const char *const REFUSED[] = {
    "subject.a.exists(x, resource.a.exists(y, context.a.exists(z, x == y && y == z)))",
    "subject.name.split('').exists(a, subject.name.split('').exists(b, a == b))",
    "subject.a.map(x, resource.a).map(y, y.map(z, context.a)).size() > 3 && "
    "subject.a.exists(x, resource.a.exists(y, context.a.exists(z, true == x)))",
};

Test(cel_bound, ordinary_conditions_pass)
{
    struct lab lab;
    struct place place = {0};
    uint64_t steps = 0;
    lab_init(&lab);
    for (size_t i = 0; i < COUNT_OF(PASS); i++) {
        uint32_t expr = lab_add(&lab, PASS[i]);
        cr_expect_eq(cel_bound_check(lab.program, expr, 0, place, STR("it"), &lab.diags, &steps), PDP_ERR_OK,
                     "%s: %lu", PASS[i], steps);
        cr_expect_eq(cel_bound_check(lab.program, expr, 100000, place, STR("it"), &lab.diags, &steps),
                     PDP_ERR_LIMIT, "%s", PASS[i]);
    }
    for (size_t i = 0; i < COUNT_OF(REFUSED); i++) {
        uint32_t expr = lab_add(&lab, REFUSED[i]);
        cr_expect_eq(cel_bound_check(lab.program, expr, 0, place, STR("it"), &lab.diags, &steps),
                     PDP_ERR_LIMIT, "%s: %lu", REFUSED[i], steps);
    }
    lab_fini(&lab);
}

// Names that stand for walks within walks: the walk over the graph stays short, the sum saturates.
Test(cel_bound, saturates)
{
    struct lab lab;
    struct cel_bound bound;
    AUTO(buf_fini) struct buf text = {0};
    lab_init(&lab);
    buf_str(&text, STR("subject.roles.exists(r, size("));
    for (int i = 19; i >= 0; i--) {
        buf_printf(&text, "cel.bind(a%d, ", i);
    }
    buf_str(&text, STR("[r]"));
    for (int i = 0; i < 20; i++) {
        buf_printf(&text, ", a%d + a%d + a%d.map(x, r))", i, i, i);
    }
    buf_str(&text, STR(") > 0)"));
    buf_byte(&text, '\0');
    const char *whole = (const char *)text.at;
    uint32_t expr = lab_add(&lab, whole);
    cr_assert_eq(cel_bound(lab.program, expr, NULL, &bound), PDP_ERR_OK);
    cr_expect_gt(bound.steps, UINT64_C(1000000000));
    lab_fini(&lab);
}
