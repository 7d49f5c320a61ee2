// SPDX-License-Identifier: Apache-2.0
// A matrix: subjects by resources by actions, of which every cell is said once.
#include "cli/test/reading.h"

#include "base/num.h"
#include "cli/test/shapes.h"

struct matrix {
    struct str name;
    struct conf_texts with, subjects, resources, actions;
    const struct conf_node *expect;
    int64_t now_ms;
};
#define KEY(name, field, type, required, help)                                 \
    {                                                                          \
        name, type, required, offsetof(struct matrix, field), NULL, 0, 0, help \
    }
static const struct conf_field FIELDS[] = {
    KEY("name", name, CONF_TEXT, true, "what it shows"),
    KEY("now", now_ms, CONF_TIME, false, "its own time"),
    KEY("with", with, CONF_TEXTS, false, "fixtures under every cell"),
    KEY("subjects", subjects, CONF_TEXTS, true, "fixtures, one a row"),
    KEY("resources", resources, CONF_TEXTS, true, "fixtures, one a column"),
    KEY("actions", actions, CONF_TEXTS, true, "names of actions"),
    KEY("expect", expect, CONF_MAPPING, true, "by subject, resource and action: an effect"),
};
static const struct conf_nest NESTS[] = {{"expect", CONF_FORM_VALUES, NULL}};
const struct conf_shape SHAPE_MATRIX = {"matrix", FIELDS, COUNT_OF(FIELDS), NESTS, COUNT_OF(NESTS), NULL, 0};

struct cells {
    struct reading *r;
    const struct ground *ground;
    const struct matrix *matrix;
    struct suite_play *plays;
    uint32_t count;
};

// The axes of a matrix, from the outside of `expect` to its inside.
static const char *const AXES[] = {"subjects", "resources", "actions"};
#define AXES_COUNT 3

static const struct conf_texts *axis(const struct matrix *matrix, size_t depth)
{
    return depth == 0 ? &matrix->subjects : depth == 1 ? &matrix->resources : &matrix->actions;
}

static void add_cell(struct cells *cells, const struct str at[AXES_COUNT], const struct expectation *expect,
                     struct place place)
{
    struct suite_play *play = &cells->plays[cells->count++];
    bool varies = false;
    *play = (struct suite_play){
        .name = arena_printf(cells->r->arena, STR_FMT ": " STR_FMT ", " STR_FMT ", " STR_FMT,
                             STR_ARG(cells->matrix->name), STR_ARG(at[0]), STR_ARG(at[1]), STR_ARG(at[2])),
        .place = place,
        .turns = 1,
        .at_ms = cells->matrix->now_ms,
        .peer = &READING_PEER,
        .claims = expect->claims,
        .claim_count = expect->count};
    const struct asked asked = {
        .with = cells->matrix->with, .subject = at[0], .resource = at[1], .action = at[2]};
    ask_make(cells->r, cells->ground, &asked, false, play, &varies);
}

// One effect that stands for all cells below.
static void fill(struct cells *cells, struct str at[AXES_COUNT], size_t depth,
                 const struct expectation *expect, struct place place)
{
    if (depth == AXES_COUNT) {
        add_cell(cells, at, expect, place);
        return;
    }
    const struct conf_texts *names = axis(cells->matrix, depth);
    for (size_t i = 0; i < names->count; i++) {
        at[depth] = names->nodes[i]->text;
        fill(cells, at, depth + 1, expect, place);
    }
}

static void not_said(struct cells *cells, const struct str at[AXES_COUNT], size_t depth,
                     const struct conf_node *name, struct place place)
{
    AUTO(buf_fini) struct buf cell = {0};
    for (size_t i = 0; i < depth; i++) {
        buf_printf(&cell, STR_FMT ", ", STR_ARG(reading_shown(cells->r, at[i])));
    }
    buf_str(&cell, reading_shown(cells->r, name->text));
    reading_fail(cells->r, PDP_ERR_MISSING, place,
                 "the matrix does not say what is expected of `" STR_FMT "`", STR_ARG(buf_view(&cell)));
    diag_hint(cells->r->diags,
              "every cell has to be said; one effect instead of a mapping stands for all below it");
}

static void no_such(struct cells *cells, const struct conf_node *key, size_t depth)
{
    struct str names[64];
    const struct conf_texts *all = axis(cells->matrix, depth);
    size_t count = 0;
    for (; count < all->count && count < COUNT_OF(names); count++) {
        names[count] = all->nodes[count]->text;
    }
    reading_fail(cells->r, PDP_ERR_UNKNOWN, key->place, "`" STR_FMT "` is none of the matrix's `%s`",
                 STR_ARG(reading_shown(cells->r, key->text)), AXES[depth]);
    reading_hint(cells->r, key->text, names, count, "there are");
}

static bool on_axis(const struct conf_texts *names, struct str name)
{
    bool found = false;
    for (size_t i = 0; i < names->count; i++) {
        found = found || str_eq(names->nodes[i]->text, name);
    }
    return found;
}

// The value below what `at` says so far: a map of the next axis, or an effect.
static void read_level(struct cells *cells, struct str at[AXES_COUNT], size_t depth,
                       const struct conf_node *node)
{
    struct expectation expect = {0};
    if (node->kind != CONF_MAP || depth == AXES_COUNT) {
        if (node->kind == CONF_MAP) {
            expect_read(cells->r, node, false, &expect);
        } else {
            expect_effect(cells->r, node, &expect);
        }
        fill(cells, at, depth, &expect, node->place);
        return;
    }
    const struct conf_texts *names = axis(cells->matrix, depth);
    for (size_t i = 0; i < node->count; i++) {
        if (!on_axis(names, node->entries[i].key->text)) {
            no_such(cells, node->entries[i].key, depth);
        }
    }
    for (size_t i = 0; i < names->count; i++) {
        const struct conf_node *below = NULL;
        for (size_t k = 0; k < node->count && below == NULL; k++) {
            below = str_eq(node->entries[k].key->text, names->nodes[i]->text) ? node->entries[k].value : NULL;
        }
        if (below == NULL) {
            struct place place = node->count > 0 ? node->entries[0].key->place : node->place;
            not_said(cells, at, depth, names->nodes[i], place);
            continue;
        }
        at[depth] = names->nodes[i]->text;
        read_level(cells, at, depth + 1, below);
    }
}

static bool check_axis(struct reading *r, const struct conf_texts *names, size_t depth,
                       const struct conf_node *node)
{
    bool good = names->count > 0;
    if (names->count == 0) {
        reading_fail(r, PDP_ERR_MISSING, conf_get(node, AXES[depth])->place, "`%s` of a matrix is empty",
                     AXES[depth]);
    }
    for (size_t i = 0; i < names->count; i++) {
        const struct conf_texts before = {names->nodes, i};
        if (on_axis(&before, names->nodes[i]->text)) {
            reading_fail(r, PDP_ERR_DUPLICATE, names->nodes[i]->place, "`" STR_FMT "` stands twice in `%s`",
                         STR_ARG(reading_shown(r, names->nodes[i]->text)), AXES[depth]);
            good = false;
        }
    }
    return good;
}

// Room for `more` plays behind those that there are.
static bool make_room(struct reading *r, struct suite_play **plays, uint32_t count, size_t more)
{
    struct suite_play *larger = reading_array(r, count + more, sizeof *larger);
    if (larger == NULL) {
        return false;
    }
    memcpy(larger, *plays, count * sizeof *larger);
    *plays = larger;
    return true;
}

void read_matrix(struct reading *r, const struct ground *ground, const struct conf_node *node, int64_t now_ms,
                 struct suite_play **plays, uint32_t *count)
{
    struct matrix matrix = {.now_ms = now_ms};
    enum pdp_err err = conf_read(node, FIELDS, COUNT_OF(FIELDS), "a matrix", &matrix, r->arena, r->diags);
    reading_note(r, err);
    if (err != PDP_ERR_OK) {
        return;
    }
    bool good = ask_check(r, ground, &matrix.with);
    good = ask_check(r, ground, &matrix.subjects) && good;
    good = ask_check(r, ground, &matrix.resources) && good;
    for (size_t i = 0; i < AXES_COUNT; i++) {
        good = check_axis(r, axis(&matrix, i), i, node) && good;
    }
    size_t cells_most = 0;
    if (!good) {
        return;
    }
    if (!num_mul(matrix.subjects.count, matrix.resources.count, &cells_most) ||
        !num_mul(cells_most, matrix.actions.count, &cells_most) || cells_most + *count > READING_PLAYS_MOST) {
        reading_fail(r, PDP_ERR_LIMIT, node->place, "a Test has at most %d cases", READING_PLAYS_MOST);
        return;
    }
    if (make_room(r, plays, *count, cells_most)) {
        struct cells cells = {.r = r, .ground = ground, .matrix = &matrix, .plays = *plays, .count = *count};
        struct str at[AXES_COUNT] = {{0}};
        read_level(&cells, at, 0, matrix.expect);
        *count = cells.count;
    }
}
