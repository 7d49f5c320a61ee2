// SPDX-License-Identifier: Apache-2.0
// A small world in which the tests compile and run conditions.
#ifndef TESTS_CEL_LAB_H
#define TESTS_CEL_LAB_H

#include "cel/cel.h"

#include <criterion/criterion.h>
#include <stdio.h>

#define LAB_NOW INT64_C(1763800000000) // 2025-11-22T08:26:40Z, a Saturday

enum {
    LAB_SUBJECT = 100,
    LAB_RESOURCE,
    LAB_TOTAL = 64
};

static const struct str LAB_LEVELS[] = {{"low", 3}, {"medium", 6}, {"high", 4}, {"critical", 8}};
static const struct str LAB_STRENGTHS[] = {{"password", 8}, {"mfa", 3}, {"phishing-resistant", 18}};
static const struct cel_root_decl LAB_ROOTS[] = {
    {{"subject", 7}, true, LAB_SUBJECT},
    {{"resource", 8}, true, LAB_RESOURCE},
    {{"session", 7}, false, 0},
    {{"risk", 4}, false, 0},
    {{"geo", 3}, false, 0},
    {{"network", 7}, false, 0},
    {{"device", 6}, false, 0},
};
static const struct cel_attr_decl LAB_ATTRS[] = {
    {{"subject.id", 10}, CEL_STRING, 0, NULL},         {{"subject.roles", 13}, CEL_LIST_STRING, 1, NULL},
    {{"resource.type", 13}, CEL_STRING, 2, NULL},      {{"session.auth_time", 17}, CEL_TIMESTAMP, 3, NULL},
    {{"risk.score", 10}, CEL_DOUBLE, 4, NULL},         {{"risk.level", 10}, CEL_LEVEL, 5, NULL},
    {{"geo.country", 11}, CEL_STRING, 6, NULL},        {{"network.ip", 10}, CEL_IP, 7, NULL},
    {{"session.strength", 16}, CEL_STRENGTH, 8, NULL}, {{"device.managed", 14}, CEL_BOOL, 9, NULL},
    {{"context", 7}, CEL_MAP_DYN, 10, NULL},           {{"tenant", 6}, CEL_STRING, 11, NULL},
    {{"session.requests", 16}, CEL_INT, 12, NULL},
};
static const struct cel_set_decl LAB_SETS[] = {
    {{"leavers", 7}, CEL_SET_STRING, 7},      {{"offices", 7}, CEL_SET_CIDR, 8},
    {{"sanctioned", 10}, CEL_SET_COUNTRY, 9}, {{"asns", 4}, CEL_SET_ASN, 10},
    {{"stale", 5}, CEL_SET_STRING, 11},
};

static struct ip LAB_IP = {.bytes = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 10, 1, 2, 3}, .v4 = true};
static struct value LAB_ROLES[2] = {{.kind = VALUE_STRING, .n = 5, .as.text = "staff"},
                                    {.kind = VALUE_STRING, .n = 2, .as.text = "hr"}};
static unsigned lab_resolved; // how often an attribute was asked for

// By path, so that the tests read like policies. `subject.level` is 7; `subject.ghost` is null.
static bool lab_resolve(void *user, const struct cel_slot_info *slot, struct value *out)
{
    (void)user;
    lab_resolved++;
    struct value roles = {.kind = VALUE_LIST, .n = 2, .as.list = LAB_ROLES};
    struct value level = {.kind = VALUE_LEVEL, .as.i = 1}, mfa = {.kind = VALUE_STRENGTH, .as.i = 1};
    const struct {
        const char *path;
        struct value value;
    } FACTS[] = {
        {"subject.id", value_str(STR("alice"))},
        {"subject.roles", roles},
        {"subject.level", value_int(7)},
        {"subject.ghost", value_null()},
        {"subject.tenant", value_str(STR("acme"))},
        {"subject.text_roles", value_str(STR("hr"))},
        {"subject.starts_on", value_str(STR("2026-01-01T00:00:00Z"))},
        {"resource.type", value_str(STR("route"))},
        {"resource.id", value_str(STR("/payroll/42"))},
        {"resource.tags", roles},
        {"session.auth_time", value_time_ms(LAB_NOW - 600000)},
        {"risk.score", value_double(41.5)},
        {"risk.level", level},
        {"network.ip", {.kind = VALUE_IP, .as.ip = &LAB_IP}},
        {"session.strength", mfa},
        {"device.managed", value_int(1)}, // mistyped on purpose
        {"context.client.auth", value_str(STR("basic"))},
        {"tenant", value_str(STR("acme"))},
        {"session.requests", value_int(12)},
    };
    for (size_t i = 0; i < COUNT_OF(FACTS); i++) {
        if (str_eq(slot->path, str_of(FACTS[i].path))) {
            *out = FACTS[i].value;
            return true;
        }
    }
    return false;
}

static enum truth lab_contains(void *user, uint32_t set, const struct value *value)
{
    (void)user;
    switch (set) {
    case 7:
        return value_is_text(value, STR("alice")) ? TRUTH_YES : TRUTH_NO;
    case 8:
        return value->as.ip->bytes[12] == 10 ? TRUTH_YES : TRUTH_NO;
    case 9:
        return value_is_text(value, STR("KP")) ? TRUTH_YES : TRUTH_NO;
    case 10:
        return value->as.i == 64512 ? TRUTH_YES : TRUTH_NO;
    default:
        return TRUTH_UNSURE;
    }
}

static enum pdp_err lab_zone(void *user, struct str name, struct str *tzif)
{
    static char bytes[8][8192];
    static size_t used;
    char path[128];
    (void)user;
    snprintf(path, sizeof path, "/usr/share/zoneinfo/" STR_FMT, STR_ARG(name));
    FILE *file = fopen(path, "rb");
    if (file == NULL) {
        return PDP_ERR_UNKNOWN;
    }
    char *room = bytes[used++ % 8];
    *tzif = (struct str){room, fread(room, 1, sizeof bytes[0], file)};
    fclose(file);
    return PDP_ERR_OK;
}

static const struct cel_env LAB_ENV = {
    .roots = LAB_ROOTS,
    .root_count = COUNT_OF(LAB_ROOTS),
    .attrs = LAB_ATTRS,
    .attr_count = COUNT_OF(LAB_ATTRS),
    .sets = LAB_SETS,
    .set_count = COUNT_OF(LAB_SETS),
    .levels = LAB_LEVELS,
    .level_count = COUNT_OF(LAB_LEVELS),
    .strengths = LAB_STRENGTHS,
    .strength_count = COUNT_OF(LAB_STRENGTHS),
    .zone = lab_zone,
};

struct lab {
    struct cel_program *program;
    struct cel_frame *frame;
    struct cel_host host;
    struct arena arena;
    struct diags diags;
    struct source source;
};

static struct place lab_locate(void *user, uint32_t at, uint32_t len)
{
    return (struct place){user, at, len};
}

static void lab_init(struct lab *lab)
{
    *lab = (struct lab){.host = {lab_resolve, lab_contains, NULL}};
    arena_init(&lab->arena, 0, 0);
    diags_init(&lab->diags, 32);
    cr_assert_eq(cel_program_new(&LAB_ENV, NULL, &lab->program), PDP_ERR_OK);
}

static inline void lab_fini(struct lab *lab)
{
    cel_frame_free(&lab->frame);
    cel_program_free(&lab->program);
    diags_fini(&lab->diags);
    arena_fini(&lab->arena);
}

static inline enum pdp_err lab_add_vars(struct lab *lab, const char *text, enum cel_type want,
                                        const struct cel_var *vars, size_t count, uint32_t *expr)
{
    lab->source = (struct source){STR("rule"), str_of(text)};
    struct cel_text source = {.text = str_of(text), .locate = lab_locate, .user = &lab->source};
    return cel_add(lab->program, &source, want, vars, count, 0, &lab->diags, expr);
}

static inline uint32_t lab_add(struct lab *lab, const char *text)
{
    uint32_t expr = 0;
    enum pdp_err err = lab_add_vars(lab, text, CEL_DYN, NULL, 0, &expr);
    if (err != PDP_ERR_OK) {
        struct buf out = {0};
        diags_render(&lab->diags, &out);
        cr_expect(false, "%s: " STR_FMT, text, STR_ARG(buf_view(&out)));
        buf_fini(&out);
    }
    return expr;
}

static inline void lab_begin(struct lab *lab)
{
    if (lab->frame == NULL) {
        cr_assert_eq(cel_seal(lab->program), PDP_ERR_OK);
        cr_assert_eq(cel_frame_new(lab->program, &lab->frame), PDP_ERR_OK);
    }
    arena_reset(&lab->arena);
    cel_begin(lab->frame, &lab->host, &lab->arena, LAB_NOW);
}

struct lab_constant {
    const char *text, *printed;
};

// Constants are folded when they are loaded, so what an expression gives is what its program prints.
static inline void lab_constants(const struct lab_constant *cases, size_t count)
{
    struct lab lab;
    lab_init(&lab);
    for (size_t i = 0; i < count; i++) {
        struct buf out = {0};
        cel_print(lab.program, lab_add(&lab, cases[i].text), &out);
        cr_expect(str_eq(buf_view(&out), str_of(cases[i].printed)), "%s: " STR_FMT, cases[i].text,
                  STR_ARG(buf_view(&out)));
        buf_fini(&out);
    }
    lab_fini(&lab);
}

#define OVERFLOW "error(6)"
#define DIVIDE "error(5)"
#define INDEX "error(7)"
#define CONVERT "error(8)"

#endif
