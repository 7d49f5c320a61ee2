// SPDX-License-Identifier: Apache-2.0
// The index of controls against a plain model: every control asked by itself. And what makes a control.
#include "session/controls.h"
#include "session/control_row.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>

#define NOW INT64_C(1795420800000)
#define DAY INT64_C(86400000)

static uint64_t state = 1;
static unsigned draw(unsigned most)
{
    state = state * UINT64_C(6364136223846793005) + 1442695040888963407;
    return (unsigned)(state >> 33) % most;
}

static struct session_table *table_new(void)
{
    struct session_table *table = NULL;
    const struct session_table_config config = {.key = {3, 4}, .shards = 1};
    cr_assert_eq(session_table_new(&config, &table), PDP_ERR_OK);
    return table;
}

static enum pdp_err make(struct session_table *table, struct control spec, struct control **out,
                         const char **why)
{
    spec.author = spec.author.at != NULL ? spec.author : STR("alice");
    spec.reason = spec.reason.at != NULL ? spec.reason : STR("why");
    spec.created_ms = spec.created_ms != 0 ? spec.created_ms : NOW - DAY;
    spec.expires_ms = spec.expires_ms != 0 ? spec.expires_ms : NOW + DAY;
    return control_new(table, &spec, out, why);
}

static const struct {
    enum control_kind kind;
    const char *value, *canonical; // canonical NULL: refused
} VALUES[] = {
    {CONTROL_ALL, "", ""},
    {CONTROL_ALL, "x", NULL},
    {CONTROL_SESSION, "s_0123456789abcdef01234567", "s_0123456789abcdef01234567"},
    {CONTROL_SESSION, "s_0123", NULL},
    {CONTROL_FAMILY, "f_0123456789abcdef01234567", "f_0123456789abcdef01234567"},
    {CONTROL_FAMILY, "s_0123456789abcdef01234567", NULL},
    {CONTROL_FAMILY, "f_0123456789abcdef0123456", NULL},
    {CONTROL_FAMILY, "f_0123456789ABCDEF01234567", NULL},
    {CONTROL_SUBJECT, "alice", "alice"},
    {CONTROL_SUBJECT, "", NULL},
    {CONTROL_ADDRESS, "::ffff:203.0.113.7", "203.0.113.7"},
    {CONTROL_ADDRESS, "2001:DB8::0:1", "2001:db8::1"},
    {CONTROL_ADDRESS, "203.0.113", NULL},
    {CONTROL_PREFIX, "203.0.113.0/24", "203.0.113.0/24"},
    {CONTROL_PREFIX, "203.0.113.1/24", NULL},
    {CONTROL_ASN, "3320", "AS3320"},
    {CONTROL_ASN, "AS3320", "AS3320"},
    {CONTROL_ASN, "AS0", NULL},
    {CONTROL_ASN, "4294967296", NULL},
    {CONTROL_COUNTRY, "DE", "DE"},
    {CONTROL_COUNTRY, "de", NULL},
    {CONTROL_COUNTRY, "DEU", NULL},
    {CONTROL_SUBJECT, "\xff", NULL},
};

Test(session_controls, values_are_made_canonical_or_refused)
{
    struct session_table *table = table_new();
    for (size_t i = 0; i < COUNT_OF(VALUES); i++) {
        struct control *control = NULL;
        const char *why = NULL;
        struct control spec = {.number = 7,
                               .target = {.kind = VALUES[i].kind, .value = str_of(VALUES[i].value)},
                               .effect = PDP_EFFECT_DENY};
        enum pdp_err err = make(table, spec, &control, &why);
        cr_expect_eq(err, VALUES[i].canonical != NULL ? PDP_ERR_OK : PDP_ERR_MALFORMED, "%s",
                     VALUES[i].value);
        if (VALUES[i].canonical == NULL) {
            cr_expect(control == NULL && why != NULL);
        } else if (control != NULL) {
            cr_expect(str_eq(control->target.value, str_of(VALUES[i].canonical)), "%s", VALUES[i].value);
            cr_expect(str_eq(control->name, STR("lock/7")));
        }
        control_drop(&control);
    }
    session_table_free(&table);
}

Test(session_controls, what_may_not_be_is_refused)
{
    static char text[1024];
    memset(text, 'x', sizeof text);
    const struct control wrong[] = {
        {.number = 0, .effect = PDP_EFFECT_DENY},
        {.number = 1, .effect = PDP_EFFECT_ALLOW},
        {.number = 1, .effect = PDP_EFFECT_STEP_UP},
        {.number = 1, .effect = PDP_EFFECT_DENY, .strength = {"mfa", 3}},
        {.number = 1, .effect = PDP_EFFECT_STEP_UP, .strength = {"mfa", 3}, .max_age_s = -1},
        {.number = 1, .effect = PDP_EFFECT_DENY, .reason = {text, 0}},
        {.number = 1, .effect = PDP_EFFECT_DENY, .reason = {text, 501}},
        {.number = 1, .effect = PDP_EFFECT_DENY, .message = {text, 501}},
        {.number = 1, .effect = PDP_EFFECT_DENY, .created_ms = NOW, .expires_ms = NOW},
        {.number = 1, .effect = PDP_EFFECT_DENY, .created_ms = NOW, .expires_ms = NOW + 401 * DAY},
        {.number = 1, .effect = PDP_EFFECT_DENY, .cut_off = true, .before_ms = NOW},
        {.number = 1, .effect = PDP_EFFECT_TERMINATE, .cut_off = true},
        {.number = 1, .effect = PDP_EFFECT_DENY, .pardon = true},
        {.number = 1, .effect = PDP_EFFECT_ALLOW, .pardon = true, .cut_off = true},
        {.number = 1, .effect = PDP_EFFECT_DENY, .signals = {"asn-change", 10}},
        {.number = 1, .effect = PDP_EFFECT_ALLOW, .pardon = true, .target = {.kind = CONTROL_GEO}},
        {.number = 1, .effect = PDP_EFFECT_DENY, .target = {.type = {"user", 4}}},
        {.number = 1,
         .effect = PDP_EFFECT_DENY,
         .target = {.kind = CONTROL_TENANT, .value = {"a", 1}, .tenant = {"b", 1}}},
    };
    struct session_table *table = table_new();
    for (size_t i = 0; i < COUNT_OF(wrong); i++) {
        struct control *control = NULL;
        const char *why = NULL;
        cr_expect_eq(make(table, wrong[i], &control, &why), PDP_ERR_MALFORMED, "%zu", i);
        cr_expect(control == NULL && why != NULL, "%zu", i);
        control_drop(&control);
    }
    session_table_free(&table);
}

Test(session_controls, what_is_wide)
{
    static const struct {
        enum control_kind kind;
        const char *value;
        bool wide;
    } WIDE[] = {
        {CONTROL_ALL, "", true},
        {CONTROL_ADDRESS, "127.0.0.1", true},
        {CONTROL_ADDRESS, "203.0.113.7", false},
        {CONTROL_PREFIX, "10.1.0.0/16", true},
        {CONTROL_PREFIX, "8.0.0.0/6", true}, // holds 10.0.0.0/8
        {CONTROL_PREFIX, "0.0.0.0/0", true},
        {CONTROL_PREFIX, "203.0.113.0/24", false},
        {CONTROL_PREFIX, "::/0", true},
        {CONTROL_PREFIX, "2001:db8::/32", false},
        {CONTROL_SUBJECT, "alice", false},
    };
    struct session_table *table = table_new();
    for (size_t i = 0; i < COUNT_OF(WIDE); i++) {
        struct control *control = NULL;
        const char *why = NULL;
        struct control spec = {.number = 1,
                               .target = {.kind = WIDE[i].kind, .value = str_of(WIDE[i].value)},
                               .effect = PDP_EFFECT_DENY};
        cr_assert_eq(make(table, spec, &control, &why), PDP_ERR_OK, "%s", why);
        cr_expect_eq(control_is_wide(control), WIDE[i].wide, "%s", WIDE[i].value);
        control_drop(&control);
    }
    session_table_free(&table);
}

// ---- The index against every control by itself -------------------------------------------------------

static char names[64][32];
static struct str some(const char *prefix, unsigned most)
{
    static unsigned at;
    char *name = names[at++ % 64];
    snprintf(name, sizeof names[0], "%s%u", prefix, draw(most));
    return str_of(name);
}

static struct str some_value(enum control_kind kind)
{
    static unsigned at;
    static char values[16][48];
    char *out = values[at++ % 16];
    switch (kind) {
    case CONTROL_ALL:
        return STR("");
    case CONTROL_FAMILY:
        snprintf(out, sizeof values[0], "f_%024u", draw(20));
        return str_of(out);
    case CONTROL_SESSION:
        snprintf(out, sizeof values[0], "s_%024u", draw(20));
        return str_of(out);
    case CONTROL_ADDRESS:
        snprintf(out, sizeof values[0], draw(2) ? "203.0.113.%u" : "2001:db8::%u", draw(8));
        return str_of(out);
    case CONTROL_PREFIX: {
        static const char *const PREFIXES[] = {"203.0.113.0/24", "203.0.0.0/16", "203.0.113.4/31",
                                               "0.0.0.0/0",      "::/0",         "2001:db8::/32",
                                               "2001:db8::4/126"};
        return str_of(PREFIXES[draw(COUNT_OF(PREFIXES))]);
    }
    case CONTROL_ASN:
        snprintf(out, sizeof values[0], "%u", 1 + draw(8));
        return str_of(out);
    case CONTROL_COUNTRY:
        snprintf(out, sizeof values[0], "D%c", 'A' + (int)draw(8));
        return str_of(out);
    default:
        return some("n", 8);
    }
}

struct met {
    uint8_t by[512]; // truth by number
    bool denies[CONTROL_KIND_COUNT];
};

static void meet(void *user, const struct control *control, enum truth truth)
{
    struct met *met = user;
    uint8_t *by = &met->by[control->number]; // a role may be there for certain beside one that is no text
    *by = *by > 1 + truth ? *by : (uint8_t)(1 + truth);
    met->denies[control->key.kind] |= truth == TRUTH_UNSURE && control->effect != PDP_EFFECT_STEP_UP;
}

static struct value roles[3];
static struct value role_list = {.kind = VALUE_LIST, .n = 3, .as.list = roles};

static void some_facts(const struct session_table *table, struct control_facts *out)
{
    *out = (struct control_facts){.has_session = draw(4) != 0, .asn = draw(9)};
    char ref[32];
    snprintf(ref, sizeof ref, "s_%024u", draw(20));
    (void)session_ref_read(str_of(ref), &out->session);
    snprintf(ref, sizeof ref, "s_%024u", draw(20));
    (void)session_ref_read(str_of(ref), &out->family);
    struct str *const texts[] = {&out->tenant, &out->subject_type, &out->subject_id, &out->ja4,
                                 &out->gateway};
    for (size_t i = 0; i < COUNT_OF(texts); i++) {
        *texts[i] = draw(6) != 0 ? some("n", 8) : (struct str){0};
    }
    out->device = draw(5) != 0 ? session_hash(table, some("n", 8)) : 0;
    out->has_ip = draw(6) != 0;
    (void)ip_parse(some_value(CONTROL_ADDRESS), &out->ip);
    out->country = (uint16_t)(draw(5) != 0 ? 'D' << 8 | ('A' + (int)draw(8)) : 0);
    for (size_t i = 0; i < 3; i++) {
        roles[i] = draw(12) != 0 ? value_str(some("n", 8)) : value_int(3);
    }
    out->roles = draw(5) != 0 ? &role_list : NULL;
}

static enum controls_part_id part_of(const struct control *control)
{
    return control->pardon ? CONTROLS_PARDONS : control->cut_off ? CONTROLS_CUT_OFFS : CONTROLS_LOCKS;
}

static void check_one(const struct session_table *table, const struct controls *set,
                      enum controls_part_id part, const struct control_facts *facts)
{
    struct met met = {0};
    controls_find(set, part, facts, NOW, meet, &met);
    for (size_t i = 0; i < controls_count(set); i++) {
        const struct control *control = controls_at(set, i);
        enum truth truth = control_names(table, control, facts);
        if (part_of(control) != part || control->expires_ms <= NOW || truth == TRUTH_NO) {
            cr_assert_eq(met.by[control->number], 0, "%zu", i);
        } else if (truth == TRUTH_YES) {
            cr_assert_eq(met.by[control->number], 1 + TRUTH_YES, "%zu", i);
        } else {
            // One that denies stands for the others; of cut-offs the latest, so none that was left out is
            // later.
            bool stands = met.denies[control->key.kind];
            cr_assert(met.by[control->number] == 1 + TRUTH_UNSURE || stands, "%zu", i);
        }
    }
}

Test(session_controls, the_index_finds_what_each_by_itself_says)
{
    struct session_table *table = table_new();
    for (unsigned round = 0; round < 200; round++) {
        struct control *all[100] = {0};
        size_t count = 0;
        for (size_t i = 0; i < 1 + draw(60); i++) {
            const char *why = NULL;
            struct control spec = {.number = 1 + i, .cut_off = draw(3) == 0};
            spec.pardon = !spec.cut_off && draw(3) == 0;
            spec.target.kind = (enum control_kind)draw(CONTROL_WHERE); // mutes name nobody
            spec.target.value = some_value(spec.target.kind);
            spec.target.tenant =
                draw(4) == 0 && spec.target.kind != CONTROL_TENANT ? some("n", 8) : (struct str){0};
            spec.effect = spec.cut_off || draw(2) == 0 ? PDP_EFFECT_TERMINATE : PDP_EFFECT_STEP_UP;
            spec.effect = spec.pardon ? PDP_EFFECT_ALLOW : spec.effect;
            spec.strength = spec.effect == PDP_EFFECT_STEP_UP ? STR("mfa") : (struct str){0};
            spec.before_ms = spec.cut_off ? NOW - (int64_t)draw(1000) : 0;
            spec.expires_ms = draw(8) == 0 ? NOW : NOW + 1;
            cr_assert_eq(make(table, spec, &all[count], &why), PDP_ERR_OK, "%s", why);
            count++;
        }
        struct controls *set = NULL;
        enum pdp_err err = controls_new(table, all, count, &set);
        for (unsigned i = 0; i < 100 && err == PDP_ERR_OK; i++) {
            struct control_facts facts;
            some_facts(table, &facts);
            for (int part = 0; part < CONTROLS_PARTS; part++) {
                check_one(table, set, (enum controls_part_id)part, &facts);
            }
        }
        controls_free(&set);
        for (size_t i = 0; i < count; i++) {
            control_drop(&all[i]);
        }
    }
    session_table_free(&table);
}

Test(session_controls, a_row_brings_back_what_was_written)
{
    struct session_table *table = table_new();
    struct control *control = NULL, *back = NULL;
    const char *why = NULL;
    struct control spec = {.number = 77,
                           .target = {CONTROL_SUBJECT, STR("alice"), STR("acme"), STR("user")},
                           .effect = PDP_EFFECT_STEP_UP,
                           .strength = STR("mfa"),
                           .max_age_s = 60,
                           .message = STR("hello")};
    cr_assert_eq(make(table, spec, &control, &why), PDP_ERR_OK);
    unsigned char key[CONTROL_ROW_KEY];
    struct buf value = {0}, again = {0};
    struct arena arena;
    arena_init(&arena, 0, 0);
    control_row_key(77, key);
    control_row_write(control, &value);
    struct str name = {(const char *)key, sizeof key};
    cr_assert_eq(control_row_read(table, name, buf_view(&value), &arena, &back), PDP_ERR_OK);
    control_row_write(back, &again);
    cr_expect(str_eq(buf_view(&value), buf_view(&again)));
    cr_expect(back->number == 77 && str_eq(back->name, STR("lock/77")));
    control_drop(&back);
    for (size_t cut = 0; cut < value.len; cut++) { // never half read
        enum pdp_err err = control_row_read(table, name, str_sub(buf_view(&value), 0, cut), &arena, &back);
        cr_expect_eq(err, PDP_ERR_CORRUPT, "%zu", cut);
        cr_expect_null(back);
    }
    cr_expect_eq(control_row_read(table, STR("7"), buf_view(&value), &arena, &back), PDP_ERR_CORRUPT);
    buf_fini(&value);
    buf_fini(&again);
    arena_fini(&arena);
    control_drop(&control);
    session_table_free(&table);
}

Test(session_controls, a_pardon_comes_back_from_its_row)
{
    struct session_table *table = table_new();
    struct control *control = NULL, *back = NULL;
    const char *why = NULL;
    struct control spec = {.number = 78,
                           .pardon = true,
                           .target = {.kind = CONTROL_SUBJECT, .value = STR("alice")},
                           .effect = PDP_EFFECT_ALLOW,
                           .signals = STR("asn-change external")};
    unsigned char key[CONTROL_ROW_KEY];
    struct buf value = {0};
    struct arena arena;
    arena_init(&arena, 0, 0);
    cr_assert_eq(make(table, spec, &control, &why), PDP_ERR_OK, "%s", why);
    control_row_key(78, key);
    control_row_write(control, &value);
    struct str name = {(const char *)key, sizeof key};
    cr_assert_eq(control_row_read(table, name, buf_view(&value), &arena, &back), PDP_ERR_OK);
    cr_expect(back->pardon && !back->cut_off && str_eq(back->signals, STR("asn-change external")));
    cr_expect(str_eq(back->name, STR("pardon/78")));
    control_drop(&back);
    control_drop(&control);
    buf_fini(&value);
    arena_fini(&arena);
    session_table_free(&table);
}

Test(session_controls, too_many_of_one_target_are_refused)
{
    struct session_table *table = table_new();
    struct control *all[CONTROLS_SAME_MAX + 1] = {0};
    struct controls *set = NULL;
    for (size_t i = 0; i <= CONTROLS_SAME_MAX; i++) {
        const char *why = NULL;
        struct control spec = {.number = 1 + i, .effect = PDP_EFFECT_DENY};
        cr_assert_eq(make(table, spec, &all[i], &why), PDP_ERR_OK);
    }
    cr_expect_eq(controls_new(table, all, CONTROLS_SAME_MAX + 1, &set), PDP_ERR_LIMIT);
    cr_expect_null(set);
    cr_expect_eq(controls_new(table, all, CONTROLS_SAME_MAX, &set), PDP_ERR_OK);
    cr_expect_eq(controls_get(set, 3)->number, 3);
    cr_expect_null(controls_get(set, 99));
    controls_free(&set);
    for (size_t i = 0; i <= CONTROLS_SAME_MAX; i++) {
        control_drop(&all[i]);
    }
    session_table_free(&table);
}
