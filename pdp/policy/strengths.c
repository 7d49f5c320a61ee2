// SPDX-License-Identifier: Apache-2.0
// Strengths documents.
#include "policy/build.h"
#include "policy/shapes.h"

struct document {
    struct build_head head;
    const struct conf_node *levels;
};

static const struct conf_field DOCUMENT[] = {
    BUILD_HEAD_FIELDS,
    {"levels", CONF_SEQUENCE, true, offsetof(struct document, levels), NULL, 0, 0, "weakest first"},
};

struct level {
    struct str name;
    const struct conf_node *proves, *ask;
};

static const struct conf_field LEVEL[] = {
    {"name", CONF_ID, true, offsetof(struct level, name), NULL, 0, 0, "what rules require"},
    {"proves", CONF_EXPR, true, offsetof(struct level, proves), NULL, 0, 0,
     "holds where a session has proved it"},
    {"ask", CONF_MAPPING, false, offsetof(struct level, ask), NULL, 0, 0, "what to ask for"},
};

struct ask {
    struct conf_texts acr_values;
};

static const struct conf_field ASK[] = {
    {"acr_values", CONF_TEXTS, false, offsetof(struct ask, acr_values), NULL, 0, 0, "for OpenID Connect"},
};

static const struct conf_shape ASK_SHAPE = {"ask", ASK, COUNT_OF(ASK), NULL, 0, NULL, 0};

static const struct conf_nest LEVEL_SHAPE_NESTS[] = {
    {"ask", CONF_FORM_MAP, &ASK_SHAPE},
};
static const struct conf_shape LEVEL_SHAPE = {
    "level", LEVEL, COUNT_OF(LEVEL), LEVEL_SHAPE_NESTS, COUNT_OF(LEVEL_SHAPE_NESTS), NULL, 0};

static const struct conf_nest SHAPE_STRENGTHS_NESTS[] = {
    {"metadata", CONF_FORM_MAP, &SHAPE_METADATA},
    {"levels", CONF_FORM_LIST, &LEVEL_SHAPE},
};
static const struct conf_tie SHAPE_STRENGTHS_TIES[] = {{CONF_BOND_FILL, {"levels"}}};
const struct conf_shape SHAPE_STRENGTHS = {"Strengths",
                                           DOCUMENT,
                                           COUNT_OF(DOCUMENT),
                                           SHAPE_STRENGTHS_NESTS,
                                           COUNT_OF(SHAPE_STRENGTHS_NESTS),
                                           SHAPE_STRENGTHS_TIES,
                                           COUNT_OF(SHAPE_STRENGTHS_TIES)};

static void read_ask(struct build *build, const struct conf_node *node, struct set_strength *out)
{
    struct ask ask = {0};
    build_note(build, conf_read(node, ASK, COUNT_OF(ASK), "`ask`", &ask, build->arena, build->diags));
    struct str *acr = build_array(build, ask.acr_values.count, sizeof(*acr));
    for (size_t i = 0; acr != NULL && i < ask.acr_values.count; i++) {
        acr[i] = build_copy(build, ask.acr_values.nodes[i]->text);
        out->acr_count++;
    }
    out->acr = acr;
}

static void read_level(struct build *build, const struct conf_node *node, uint32_t number)
{
    struct set_strength *out = &build->set->strengths[number];
    struct level level = {0};
    build_note(build, conf_read(node, LEVEL, COUNT_OF(LEVEL), "a level", &level, build->arena, build->diags));
    *out = (struct set_strength){.name = build_copy(build, level.name), .proves = SET_NO_EXPR};
    for (uint32_t i = 0; i < number && level.name.len > 0; i++) {
        if (str_eq(build->set->strengths[i].name, level.name)) {
            build_fail(build, PDP_ERR_DUPLICATE, conf_get(node, "name")->place, NULL,
                       "another level is called `" STR_FMT "`", STR_ARG(level.name));
            break;
        }
    }
    if (level.proves != NULL) {
        conditions_of(build, POLICY_OWNER_STRENGTH, out->name, STR(""));
        out->proves = when_expr(build, level.proves, CEL_BOOL, &(struct build_vars){0});
        (void)when_bound(build, out->proves, 0, level.proves->place, "the strength", out->name);
    }
    if (level.ask != NULL) {
        read_ask(build, level.ask, out);
    }
}

void read_strengths(struct build *build, const struct conf_doc *doc)
{
    struct document document = {0};
    build_note(build, conf_read(doc->root, DOCUMENT, COUNT_OF(DOCUMENT), "Strengths", &document, build->arena,
                                build->diags));
    if (document.levels == NULL || build->set->strengths != NULL) {
        return;
    }
    size_t count = document.levels->count;
    if (count == 0) {
        build_fail(build, PDP_ERR_MISSING, document.levels->place, NULL, "`levels` is empty");
        return;
    }
    if (count > SET_STRENGTHS_MAX) {
        build_fail(build, PDP_ERR_LIMIT, document.levels->items[SET_STRENGTHS_MAX]->place, NULL,
                   "more than %d levels", SET_STRENGTHS_MAX);
        return;
    }
    build->set->strengths = build_array(build, count, sizeof(*build->set->strengths));
    for (uint32_t i = 0; build->set->strengths != NULL && i < count; i++) {
        read_level(build, document.levels->items[i], i);
        build->set->strength_count++;
    }
}
