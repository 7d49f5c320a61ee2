// SPDX-License-Identifier: Apache-2.0
// What a question says, read as declared; what a declaration shows of itself.
#include "cel/frame.h"
#include "unit/cel/lab.h"

static const struct str TEXTS[] = {{"low", 3}, {"high", 4}};
static const struct value LIST[] = {{.kind = VALUE_STRING, .n = 3, .as.text = "abc"},
                                    {.kind = VALUE_INT, .as.i = 7}};

#define TEXT(literal)                                                      \
    {                                                                      \
        .kind = VALUE_STRING, .n = sizeof(literal) - 1, .as.text = literal \
    }

static const struct {
    enum cel_type type;
    struct cel_schema schema;
    struct value value;
    uint16_t is;
    int64_t seconds; // of a timestamp or duration
} CASES[] = {
    {CEL_INT, {0}, {.kind = VALUE_INT, .as.i = 3}, VALUE_INT, 0},
    {CEL_INT, {0}, {.kind = VALUE_DOUBLE, .as.d = 3}, VALUE_DOUBLE, 0}, // left as it is: the caller compares
    {CEL_DOUBLE, {0}, {.kind = VALUE_INT, .as.i = -(INT64_C(1) << 53)}, VALUE_DOUBLE, 0},
    {CEL_DOUBLE, {0}, {.kind = VALUE_INT, .as.i = (INT64_C(1) << 53) + 1}, VALUE_INT, 0},
    {CEL_TIMESTAMP, {0}, TEXT("1970-01-01T00:01:00Z"), VALUE_TIMESTAMP, 60},
    {CEL_TIMESTAMP, {0}, {.kind = VALUE_INT, .as.i = -1}, VALUE_TIMESTAMP, -1},
    {CEL_TIMESTAMP, {0}, {.kind = VALUE_INT, .as.i = INT64_C(253402300799)}, VALUE_TIMESTAMP, 253402300799},
    {CEL_TIMESTAMP, {0}, {.kind = VALUE_INT, .as.i = INT64_C(253402300800)}, ATTR_UNREADABLE, 0},
    {CEL_TIMESTAMP, {0}, TEXT("1970-01-01"), ATTR_UNREADABLE, 0},
    {CEL_TIMESTAMP, {0}, TEXT(""), ATTR_UNREADABLE, 0},
    {CEL_DURATION, {0}, TEXT("1h30m"), VALUE_DURATION, 5400},
    {CEL_DURATION, {0}, TEXT("9999999999s"), ATTR_UNREADABLE, 0},
    {CEL_DURATION, {0}, TEXT("1 h"), ATTR_UNREADABLE, 0},
    {CEL_IP, {0}, TEXT("2001:db8::1"), VALUE_IP, 0},
    {CEL_IP, {0}, TEXT("10.0.0.0/8"), ATTR_UNREADABLE, 0},
    {CEL_STRING, {.max_bytes = 3}, TEXT("abc"), VALUE_STRING, 0},
    {CEL_STRING, {.max_bytes = 3}, TEXT("\xc3\xa4\xc3\xa4"), ATTR_BYTES, 0}, // bytes, not letters
    {CEL_STRING, {.values = TEXTS, .value_count = 2}, TEXT("high"), VALUE_STRING, 0},
    {CEL_STRING, {.values = TEXTS, .value_count = 2}, TEXT("hig"), ATTR_VALUE, 0},
    {CEL_STRING, {.values = TEXTS, .value_count = 2}, {.kind = VALUE_BOOL}, VALUE_BOOL, 0},
    {CEL_LIST_DYN,
     {.max_items = 2, .max_bytes = 3},
     {.kind = VALUE_LIST, .n = 2, .as.list = LIST},
     VALUE_LIST,
     0},
    {CEL_LIST_DYN, {.max_items = 1}, {.kind = VALUE_LIST, .n = 2, .as.list = LIST}, ATTR_ITEMS, 0},
    {CEL_LIST_STRING, {.max_bytes = 2}, {.kind = VALUE_LIST, .n = 2, .as.list = LIST}, ATTR_BYTES, 0},
};

Test(cel_attr, reads_as_declared)
{
    AUTO(arena_fini) struct arena arena;
    arena_init(&arena, 0, 0);
    for (size_t i = 0; i < COUNT_OF(CASES); i++) {
        struct cel_slot_info info = {.type = CASES[i].type, .schema = &CASES[i].schema};
        struct value v = CASES[i].value;
        uint16_t is = attr_read(&arena, &info, &v);
        cr_expect_eq(is, CASES[i].is, "case %zu: %u", i, is);
        bool timed = is == VALUE_TIMESTAMP || is == VALUE_DURATION;
        cr_expect(!timed || v.as.i == CASES[i].seconds, "case %zu: %lld", i, (long long)v.as.i);
        cr_expect(is < ATTR_UNREADABLE ? v.kind == is : v.kind == CASES[i].value.kind, "case %zu", i);
    }
}

Test(cel_attr, memory_that_is_out_makes_no_address)
{
    struct cel_schema schema = {0};
    struct cel_slot_info info = {.type = CEL_IP, .schema = &schema};
    struct value v = TEXT("10.1.2.3");
    AUTO(arena_fini) struct arena arena;
    arena_init(&arena, 0, 1);
    cr_expect_eq(attr_read(&arena, &info, &v), ATTR_MEMORY);
}

// A small schema: `subject.a` and a second way to read it, `subject.pin` and the map that holds it.
static const struct cel_schema PLAIN = {.base = 7, .max_items = 5, .max_bytes = 9},
                               SECRET = {.base = 7, .sensitive = true},
                               KINDS = {.base = 7, .values = TEXTS, .value_count = 2};
static const struct cel_attr_decl ATTRS[] = {
    {{"subject.a", 9}, CEL_LIST_STRING, 4, &PLAIN},
    {{"subject.pin", 11}, CEL_STRING, 4, &SECRET},
    {{"subject.m.pin", 13}, CEL_STRING, 4, &SECRET},
    {{"subject.level", 13}, CEL_STRING, 4, &KINDS},
    {{"now", 3}, CEL_TIMESTAMP, 5, NULL},
};
static const struct cel_root_decl ROOTS[] = {
    {{"subject", 7}, true, 4}, {{"context", 7}, true, 6}, {{"context.device.parts", 20}, false, 0}};
static const struct cel_env ENV = {
    .roots = ROOTS, .root_count = COUNT_OF(ROOTS), .attrs = ATTRS, .attr_count = COUNT_OF(ATTRS)};

static const struct cel_slot_info *slot(struct cel_program *program, const char *path)
{
    uint32_t number = 0;
    cr_assert_eq(cel_slot(program, str_of(path), &number), PDP_ERR_OK, "%s", path);
    return cel_slot_at(program, number);
}

Test(cel_attr, a_slot_carries_what_the_schema_says)
{
    AUTO(cel_program_free) struct cel_program *program = NULL;
    uint32_t none = 0;
    cr_assert_eq(cel_program_new(&ENV, NULL, &program), PDP_ERR_OK);
    const struct cel_slot_info *a = slot(program, "subject.a");
    cr_expect(a->max_items == 5 && a->max_bytes == 9 && !a->sensitive && a->schema == &PLAIN);
    cr_expect(a->id == 4 && str_eq(a->rest, STR("a")) && a->type == CEL_LIST_STRING);
    cr_expect(slot(program, "subject.pin")->sensitive && slot(program, "subject.m.pin")->sensitive);
    cr_expect(str_eq(slot(program, "subject.m.pin")->rest, STR("m.pin")));
    cr_expect(slot(program, "subject.m")->sensitive, "what holds it shows it");
    cr_expect(!slot(program, "subject.free")->sensitive && slot(program, "subject.free")->max_items == 0);
    cr_expect(str_eq(slot(program, "context.device.x")->rest, STR("device.x")));
    cr_expect_eq(cel_slot(program, STR("context.device.parts.x"), &none), PDP_ERR_UNKNOWN);
    cr_expect_eq(cel_slot(program, STR("context.device.parts"), &none), PDP_ERR_UNKNOWN);
    cr_expect_eq(cel_slot(program, STR("subject.a.x"), &none), PDP_ERR_TYPE);
}

static const struct {
    const char *expr, *printed;
} PRINTED[] = {
    {"subject.pin == \"1\"", "(EQ_TEXT subject.pin ***)"},
    {"subject.free == \"1\"", "(EQ_TEXT subject.free \"1\")"},
    {"subject.m.other == \"1\"", "(EQ_TEXT subject.m.other \"1\")"},
    {"subject.m[\"pin\"] == \"1\"", "(EQ (CALL _[_] (SLOT subject.m) ***) ***)"},
    {"\"1\" != subject.pin", "(NE *** (SLOT subject.pin))"},
    {"subject.pin in [\"1\", \"2\"] && subject.free == \"3\"",
     "(AND (IN_TEXTS *** (SLOT subject.pin)) (EQ_TEXT subject.free \"3\"))"},
    {"subject.pin.matches(\"^1\")", "(MATCH \"***\" (SLOT subject.pin))"},
    {"(subject.pin + \"1\").startsWith(\"2\")", "(CALL startsWith (CALL _+_ (SLOT subject.pin) ***) ***)"},
    {"(subject.pin == \"1\" ? \"a\" : \"b\") == \"a\"",
     "(EQ (COND (EQ_TEXT subject.pin ***) \"a\" \"b\") \"a\")"},
    {"subject.a.exists(x, x == \"1\")",
     "(COMP 257 (SLOT subject.a) (EQ (LOCAL 0) \"1\") (EQ (LOCAL 0) \"1\"))"},
    {"[subject.pin].exists(x, x == \"1\")",
     "(COMP 257 (LIST (SLOT subject.pin)) (EQ (LOCAL 0) ***) (EQ (LOCAL 0) ***))"},
};

Test(cel_attr, a_program_shows_nothing_that_a_sensitive_attribute_is_compared_with)
{
    AUTO(cel_program_free) struct cel_program *program = NULL;
    cr_assert_eq(cel_program_new(&ENV, NULL, &program), PDP_ERR_OK);
    for (size_t i = 0; i < COUNT_OF(PRINTED); i++) {
        AUTO(buf_fini) struct buf out = {0};
        AUTO(diags_fini) struct diags diags;
        struct cel_text text = {.text = str_of(PRINTED[i].expr)};
        uint32_t expr = 0;
        diags_init(&diags, 5);
        cr_assert_eq(cel_add(program, &text, CEL_BOOL, NULL, 0, 0, &diags, &expr), PDP_ERR_OK, "%s",
                     PRINTED[i].expr);
        cel_print(program, expr, &out);
        cr_expect(str_eq(buf_view(&out), str_of(PRINTED[i].printed)), "%s: " STR_FMT, PRINTED[i].expr,
                  STR_ARG(buf_view(&out)));
    }
}

Test(cel_attr, a_value_is_shown_in_one_way)
{
    AUTO(cel_program_free) struct cel_program *program = NULL;
    AUTO(buf_fini) struct buf out = {0};
    struct value v = value_str(STR("1234"));
    uint32_t plain = 0, secret = 0;
    cr_assert_eq(cel_program_new(&ENV, NULL, &program), PDP_ERR_OK);
    cr_assert_eq(cel_slot(program, STR("subject.free"), &plain), PDP_ERR_OK);
    cr_assert_eq(cel_slot(program, STR("subject.m"), &secret), PDP_ERR_OK);
    cel_slot_show(program, plain, &v, 100, &out);
    cel_slot_show(program, secret, &v, 100, &out);
    cel_slot_show(program, 99, &v, 100, &out); // no such slot: shows nothing
    cr_expect(str_eq(buf_view(&out), STR("\"1234\"" CEL_MASK CEL_MASK)), STR_FMT, STR_ARG(buf_view(&out)));
}

static const struct {
    const char *expr, *said;
} ENUMS[] = {
    {"subject.level == \"low\"", NULL},
    {"\"low\" != subject.level", NULL},
    {"subject.level in [\"low\", \"high\", subject.x]", NULL},
    {"subject.level == subject.x", NULL},
    {"[\"x\"].exists(l, l == subject.level)", NULL},
    {"subject.level == \"hihg\"", "`subject.level` is never `hihg`"},
    {"\"hihg\" != subject.level", "`subject.level` is never `hihg`"},
    {"subject.level in [\"low\", \"none\"]", "`subject.level` is never `none`"},
    {"vars.l == \"none\"", "`subject.level` is never `none`"},
    {"subject.level == 3", "`subject.level` is a string, but `3` is an int"},
};

Test(cel_attr, a_text_beside_an_enum_is_one_of_its_texts)
{
    AUTO(cel_program_free) struct cel_program *program = NULL;
    struct cel_var var = {.name = STR("l")};
    struct cel_text level = {.text = STR("subject.level")};
    AUTO(diags_fini) struct diags none;
    diags_init(&none, 1);
    cr_assert_eq(cel_program_new(&ENV, NULL, &program), PDP_ERR_OK);
    cr_assert_eq(cel_add(program, &level, CEL_DYN, NULL, 0, 0, &none, &var.expr), PDP_ERR_OK);
    for (size_t i = 0; i < COUNT_OF(ENUMS); i++) {
        AUTO(diags_fini) struct diags diags;
        struct cel_text text = {.text = str_of(ENUMS[i].expr)};
        uint32_t expr = 0;
        diags_init(&diags, 5);
        enum pdp_err err = cel_add(program, &text, CEL_BOOL, &var, 1, 0, &diags, &expr);
        cr_expect_eq(err == PDP_ERR_OK, ENUMS[i].said == NULL, "%s", ENUMS[i].expr);
        cr_expect(ENUMS[i].said == NULL ||
                      (diags.count == 1 && str_eq(diags.list[0].message, str_of(ENUMS[i].said))),
                  "%s: " STR_FMT, ENUMS[i].expr, STR_ARG(diags.count > 0 ? diags.list[0].message : STR("")));
    }
}
