// SPDX-License-Identifier: Apache-2.0
// `Test`: cases and matrices, each cell of which is a case.
#include "cli/test/reading.h"

#include "cli/test/places.h"
#include "cli/test/shapes.h"

struct test {
    struct str api, kind, tenant;
    const struct conf_node *metadata, *places, *given, *request, *cases, *matrix;
    int64_t now_ms;
};
#define KEY(name, field, type, help)                                      \
    {                                                                     \
        name, type, false, offsetof(struct test, field), NULL, 0, 0, help \
    }
static const struct conf_field FIELDS[] = {
    KEY("apiVersion", api, CONF_TEXT, "pdp/v1"),
    KEY("kind", kind, CONF_TEXT, "Test"),
    KEY("metadata", metadata, CONF_MAPPING, "name, description, owner, labels"),
    KEY("now", now_ms, CONF_TIME, "the time of all cases"),
    KEY("tenant", tenant, CONF_TEXT, "put into every question"),
    KEY("places", places, CONF_MAPPING, "what geo databases say here, by network"),
    KEY("given", given, CONF_MAPPING, "fixtures: parts of questions, by name"),
    KEY("request", request, CONF_MAPPING, "laid under every question"),
    KEY("cases", cases, CONF_SEQUENCE, "questions and what is expected of each"),
    KEY("matrix", matrix, CONF_SEQUENCE, "subjects by resources by actions, and an effect for each"),
};

struct one_case {
    struct str name;
    int64_t now_ms;
    struct conf_texts with;
    const struct conf_node *request, *expect;
};
#define CASE(name, field, type, required, help)                                  \
    {                                                                            \
        name, type, required, offsetof(struct one_case, field), NULL, 0, 0, help \
    }
static const struct conf_field CASE_FIELDS[] = {
    CASE("name", name, CONF_TEXT, true, "what it shows"),
    CASE("now", now_ms, CONF_TIME, false, "its own time"),
    CASE("with", with, CONF_TEXTS, false, "fixtures, laid over one another in this order"),
    CASE("request", request, CONF_MAPPING, false, "laid over the fixtures"),
    CASE("expect", expect, CONF_MAPPING, true, "what is expected of the answer"),
};

static const struct conf_nest CASE_NESTS[] = {{"request", CONF_FORM_VALUES, NULL},
                                              {"expect", CONF_FORM_MAP, &SHAPE_EXPECT}};
static const struct conf_shape CASE_SHAPE = {
    "case", CASE_FIELDS, COUNT_OF(CASE_FIELDS), CASE_NESTS, COUNT_OF(CASE_NESTS), NULL, 0};
static const struct conf_nest NESTS[] = {{"metadata", CONF_FORM_MAP, &SHAPE_TEST_METADATA},
                                         {"places", CONF_FORM_NAMED, &SHAPE_PLACE},
                                         {"given", CONF_FORM_VALUES, NULL},
                                         {"request", CONF_FORM_VALUES, NULL},
                                         {"cases", CONF_FORM_LIST, &CASE_SHAPE},
                                         {"matrix", CONF_FORM_LIST, &SHAPE_MATRIX}};
static const struct conf_tie TIES[] = {{CONF_BOND_SOME, {"cases", "matrix"}}};
const struct conf_shape SHAPE_TEST = {"Test",          FIELDS, COUNT_OF(FIELDS), NESTS,
                                      COUNT_OF(NESTS), TIES,   COUNT_OF(TIES)};

static void read_case(struct reading *r, const struct ground *ground, const struct conf_node *node,
                      int64_t now_ms, struct suite_play *play)
{
    struct one_case one = {.now_ms = now_ms};
    struct expectation expect = {0};
    bool varies = false;
    enum pdp_err err =
        conf_read(node, CASE_FIELDS, COUNT_OF(CASE_FIELDS), "a case", &one, r->arena, r->diags);
    reading_note(r, err);
    if (err != PDP_ERR_OK) {
        return;
    }
    bool good = ask_check(r, ground, &one.with);
    expect_read(r, one.expect, EXPECT_OF_QUESTION, &expect);
    if (!ask_meant_so(expect.claims, expect.count)) {
        fields_check(r, one.request, FIELDS_OF_QUESTION);
    }
    *play = (struct suite_play){.name = one.name,
                                .place = conf_get(node, "name")->place,
                                .turns = 1,
                                .at_ms = one.now_ms,
                                .peer = &READING_PEER,
                                .claims = expect.claims,
                                .claim_count = expect.count};
    const struct asked asked = {.with = one.with, .request = one.request};
    if (good) {
        ask_make(r, ground, &asked, false, play, &varies);
    }
}

static void check_names(struct reading *r, const struct suite_play *plays, size_t count)
{
    struct map seen;
    reading_names(&seen);
    for (size_t i = 0; i < count; i++) {
        reading_once(r, &seen, plays[i].name, plays[i].place, "case");
    }
    map_fini(&seen);
}

static void check_given(struct reading *r, const struct conf_node *given)
{
    for (size_t i = 0; given != NULL && i < given->count; i++) {
        if (given->entries[i].value->kind != CONF_MAP) {
            reading_fail(r, PDP_ERR_TYPE, given->entries[i].value->place, "a fixture must be a mapping");
            diag_hint(r->diags, "such as `alice: {subject: {type: user, id: alice}}`");
        }
    }
}

static size_t items_of(const struct conf_node *list)
{
    return list != NULL ? list->count : 0;
}

static void read_cases(struct reading *r, const struct ground *ground, const struct test *test,
                       struct suite_doc *doc)
{
    size_t cases = items_of(test->cases);
    struct suite_play *plays = reading_array(r, cases, sizeof *plays);
    uint32_t count = (uint32_t)cases;
    for (size_t i = 0; plays != NULL && i < cases; i++) {
        read_case(r, ground, test->cases->items[i], test->now_ms, &plays[i]);
    }
    if (plays == NULL) {
        return;
    }
    check_names(r, plays, cases);
    for (size_t i = 0; i < items_of(test->matrix); i++) {
        read_matrix(r, ground, test->matrix->items[i], test->now_ms, &plays, &count);
    }
    for (uint32_t i = 0; i < count; i++) {
        plays[i].number = plays[i].nth = i;
    }
    doc->plays = plays;
    doc->play_count = doc->numbers = count;
}

void read_test(struct reading *r, const struct conf_doc *from, struct suite_doc *doc)
{
    struct test test = {.now_ms = READING_NOW_MS};
    size_t errors = r->diags->errors;
    reading_note(r, conf_read(from->root, FIELDS, COUNT_OF(FIELDS), "a Test", &test, r->arena, r->diags));
    doc->start_ms = test.now_ms;
    check_given(r, test.given);
    fields_check_given(r, test.given, test.request);
    doc->geo = reading_places(r, test.places);
    if (items_of(test.cases) > READING_PLAYS_MOST) {
        reading_fail(r, PDP_ERR_LIMIT, test.cases->place, "a Test has at most %d cases", READING_PLAYS_MOST);
        return;
    }
    bool there = conf_get(from->root, "cases") != NULL || conf_get(from->root, "matrix") != NULL;
    if (!there && r->diags->errors != errors) {
        return; // a key is misspelt, and was told
    }
    if (items_of(test.cases) + items_of(test.matrix) == 0) {
        reading_fail(r, PDP_ERR_MISSING, doc->place, "a Test needs `cases` or a `matrix`");
        return;
    }
    const struct ground ground = {.tenant = test.tenant, .given = test.given, .request = test.request};
    read_cases(r, &ground, &test, doc);
}
