// SPDX-License-Identifier: Apache-2.0
#include "unit/cel/lab.h"

Test(cel_print, keys_are_the_conjuncts_an_index_can_use)
{
    struct lab lab;
    struct cel_key keys[8];
    lab_init(&lab);
    uint32_t expr =
        lab_add(&lab, "resource.type == 'route' && (subject.id in ['b', 'a'] && 'x' == subject.tenant) && "
                      "resource.id.startsWith('/pay') && risk.score > 1.0 && 'staff' in subject.roles");
    cr_assert_eq(cel_keys(lab.program, expr, keys, 8), 5);
    cr_expect_eq(keys[0].op, CEL_KEY_EQ);
    cr_expect(value_is_text(&keys[0].values[0], STR("route")));
    cr_expect(str_eq(cel_slot_at(lab.program, keys[0].slot)->path, STR("resource.type")));
    cr_expect(keys[1].op == CEL_KEY_IN && keys[1].count == 2);
    cr_expect_eq(keys[2].op, CEL_KEY_EQ);
    cr_expect(keys[3].op == CEL_KEY_PREFIX && value_is_text(&keys[3].values[0], STR("/pay")));
    cr_expect(keys[4].op == CEL_KEY_HAS && value_is_text(&keys[4].values[0], STR("staff")));
    uint32_t loose = lab_add(&lab, "resource.type == 'route' || subject.id == 'a'");
    cr_expect_eq(cel_keys(lab.program, loose, keys, 8), 0, "of different attributes there is none");
    uint32_t either = lab_add(&lab, "subject.id == 'a' && device.managed || subject.id.endsWith('bc') || "
                                    "subject.id.matches('^d.*x')");
    cr_assert_eq(cel_keys(lab.program, either, keys, 8), 3);
    cr_expect(keys[0].op == CEL_KEY_EQ && keys[1].op == CEL_KEY_PART && keys[2].op == CEL_KEY_PREFIX);
    cr_expect(keys[0].group == keys[1].group && keys[1].group == keys[2].group);
    cr_expect_eq(cel_keys(lab.program, either, keys, 2), 0, "all alternatives, or none");
    uint32_t single = lab_add(&lab, "resource.type == 'route'");
    cr_expect_eq(cel_keys(lab.program, single, keys, 8), 1);
    cr_expect_eq(cel_keys(lab.program, expr, keys, 2), 2);
    lab_fini(&lab);
}

Test(cel_print, tells_what_is_read)
{
    struct lab lab;
    lab_init(&lab);
    uint32_t expr = lab_add(&lab, "subject.level > 1 && has(context.client.auth) && now > session.auth_time");
    cr_expect(cel_reads(lab.program, expr, STR("subject")));
    cr_expect(cel_reads(lab.program, expr, STR("subject.level")));
    cr_expect(cel_reads(lab.program, expr, STR("context.client")));
    cr_expect(cel_reads(lab.program, expr, STR("now")));
    cr_expect_not(cel_reads(lab.program, expr, STR("sub")));
    cr_expect_not(cel_reads(lab.program, expr, STR("risk")));
    lab_fini(&lab);
}

Test(cel_print, slots_know_the_rest_of_their_path)
{
    struct lab lab;
    uint32_t slot = 0;
    lab_init(&lab);
    cr_assert_eq(cel_slot(lab.program, STR("context.client.auth"), &slot), PDP_ERR_OK);
    const struct cel_slot_info *info = cel_slot_at(lab.program, slot);
    cr_expect(str_eq(info->rest, STR("client.auth")) && info->id == 10 && info->type == CEL_DYN);
    cr_assert_eq(cel_slot(lab.program, STR("subject.a.b"), &slot), PDP_ERR_OK);
    info = cel_slot_at(lab.program, slot);
    cr_expect(str_eq(info->rest, STR("a.b")) && info->id == LAB_SUBJECT);
    cr_expect_eq(cel_slot(lab.program, STR("session.nothing"), &slot), PDP_ERR_UNKNOWN);
    cr_expect_eq(cel_slot(lab.program, STR("risk.score.x"), &slot), PDP_ERR_TYPE);
    lab_fini(&lab);
}

static const struct {
    const char *text, *printed;
} TEXTS[] = {
    {"1 + 2 == 3", "true"},
    {"risk.score > 10.0 * 5.0", "(ORDER _>_ (SLOT risk.score) 50.0)"},
    {"risk.level < level('high')", "(ORDER _<_ (SLOT risk.level) level(\"high\"))"},
    {"resource.type == 'route' && (true && device.managed)",
     "(AND (EQ_TEXT resource.type \"route\") (SLOT device.managed))"},
    {"geo.country in lists.sanctioned && false", "false"},
    {"1 / 0 > 1 && device.managed", "(AND error(5) (SLOT device.managed))"},
    {"cel.bind(x, risk.score * 2.0, x > 1.0)", "(ORDER _>_ (CALL _*_ (SLOT risk.score) 2.0) 1.0)"},
};

Test(cel_print, programs_have_a_stable_text)
{
    for (size_t i = 0; i < COUNT_OF(TEXTS); i++) {
        struct lab lab;
        struct buf out = {0};
        lab_init(&lab);
        cel_print(lab.program, lab_add(&lab, TEXTS[i].text), &out);
        cr_expect(str_eq(buf_view(&out), str_of(TEXTS[i].printed)), "%s: " STR_FMT, TEXTS[i].text,
                  STR_ARG(buf_view(&out)));
        buf_fini(&out);
        lab_fini(&lab);
    }
}
