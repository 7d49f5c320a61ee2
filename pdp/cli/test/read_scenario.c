// SPDX-License-Identifier: Apache-2.0
// `Scenario`: steps on a virtual clock, through which sessions and risk live.
#include "cli/test/reading.h"

#include "base/num.h"
#include "base/time.h"
#include "cli/test/places.h"
#include "cli/test/shapes.h"
#include "node/node.h"

#define TIMES_MOST 10000 // of one step

struct scenario {
    struct str api, kind, tenant;
    const struct conf_node *metadata, *places, *given, *request, *stops, *ordinary, *steps;
    int64_t start_ms;
};
#define KEY(name, field, type, required, help)                                   \
    {                                                                            \
        name, type, required, offsetof(struct scenario, field), NULL, 0, 0, help \
    }
static const struct conf_field FIELDS[] = {
    KEY("apiVersion", api, CONF_TEXT, false, "pdp/v1"),
    KEY("kind", kind, CONF_TEXT, false, "Scenario"),
    KEY("metadata", metadata, CONF_MAPPING, false, "name, description, owner, labels"),
    KEY("start", start_ms, CONF_TIME, false, "when the clock begins"),
    KEY("tenant", tenant, CONF_TEXT, false, "put into every question and event"),
    KEY("places", places, CONF_MAPPING, false, "what geo databases say here, by network"),
    KEY("given", given, CONF_MAPPING, false, "fixtures: parts of questions and events, by name"),
    KEY("request", request, CONF_MAPPING, false, "laid under every question and event"),
    KEY("stops", stops, CONF_EXPR, false, "of an attack: the step at which it must be stopped at the latest"),
    KEY("ordinary", ordinary, CONF_SEQUENCE, false,
        "steps of a rightful user, in a world of their own: where one is denied, the rest says nothing"),
    KEY("steps", steps, CONF_SEQUENCE, true, "questions and events, one after the other"),
};

struct step {
    struct str name;
    const struct conf_node *at, *places, *request, *event, *order, *peer, *expect;
    struct conf_texts with;
    int64_t every_ms, times, behind_ms;
};
#define STEP(name, field, type, least, most, help)                               \
    {                                                                            \
        name, type, false, offsetof(struct step, field), NULL, least, most, help \
    }
static const struct conf_field STEP_FIELDS[] = {
    STEP("name", name, CONF_ID, 0, 0, "by which `stops` and reports name it"),
    STEP("at", at, CONF_EXPR, 0, 0, "since the step before, such as +5s; or a time"),
    STEP("every", every_ms, CONF_DURATION, 0, 0, "between two times, where the step is repeated"),
    STEP("behind", behind_ms, CONF_DURATION, 0, 0, "the clock of who asks is behind by so much"),
    STEP("places", places, CONF_MAPPING, 0, 0, "what geo databases say from this step on"),
    STEP("times", times, CONF_INT, 1, TIMES_MOST, "how often the step is played"),
    STEP("with", with, CONF_TEXTS, 0, 0, "fixtures, laid over one another in this order"),
    STEP("request", request, CONF_MAPPING, 0, 0, "a question, laid over the fixtures"),
    STEP("event", event, CONF_MAPPING, 0, 0, "an event, laid over the fixtures"),
    STEP("order", order, CONF_MAPPING, 0, 0, "what an analyst orders, as the admin endpoint reads it"),
    STEP("peer", peer, CONF_MAPPING, 0, 0, "who asks"),
    STEP("expect", expect, CONF_MAPPING, 0, 0, "what is expected of the answer, each time"),
};

struct peer_doc {
    struct str name;
    struct conf_texts grants, tenants;
};
#define PEER(name, type, required, help)                                         \
    {                                                                            \
#name, type, required, offsetof(struct peer_doc, name), NULL, 0, 0, help \
    }
static const struct conf_field PEER_FIELDS[] = {
    PEER(name, CONF_TEXT, true, "as `gateway` reads it"),
    PEER(grants, CONF_TEXTS, false, "what it may do; all where not given"),
    PEER(tenants, CONF_TEXTS, false, "for whom it may speak; all where not given"),
};

static const struct conf_shape PEER_SHAPE = {"peer", PEER_FIELDS, COUNT_OF(PEER_FIELDS), NULL, 0, NULL, 0};
static const struct conf_nest STEP_NESTS[] = {{"at", CONF_FORM_TEXT, NULL},
                                              {"places", CONF_FORM_NAMED, &SHAPE_PLACE},
                                              {"request", CONF_FORM_VALUES, NULL},
                                              {"event", CONF_FORM_VALUES, NULL},
                                              {"order", CONF_FORM_MAP, &SHAPE_ORDER},
                                              {"peer", CONF_FORM_MAP, &PEER_SHAPE},
                                              {"expect", CONF_FORM_MAP, &SHAPE_EXPECT}};
static const struct conf_shape STEP_SHAPE = {
    "step", STEP_FIELDS, COUNT_OF(STEP_FIELDS), STEP_NESTS, COUNT_OF(STEP_NESTS), NULL, 0};
static const struct conf_nest NESTS[] = {{"metadata", CONF_FORM_MAP, &SHAPE_TEST_METADATA},
                                         {"places", CONF_FORM_NAMED, &SHAPE_PLACE},
                                         {"given", CONF_FORM_VALUES, NULL},
                                         {"request", CONF_FORM_VALUES, NULL},
                                         {"stops", CONF_FORM_TEXT, NULL},
                                         {"ordinary", CONF_FORM_LIST, &STEP_SHAPE},
                                         {"steps", CONF_FORM_LIST, &STEP_SHAPE}};
const struct conf_shape SHAPE_SCENARIO = {"Scenario", FIELDS, COUNT_OF(FIELDS), NESTS, COUNT_OF(NESTS),
                                          NULL,       0};

const struct peer READING_PEER = {.name = {"pdpctl", 6}, .hash = 1, .grants = GRANT_ALL | GRANT_SIMULATE};

static const struct {
    struct str name;
    uint32_t bits;
} GRANTS[] = {
    {{"ask", 3}, GRANT_ASK},
    {{"issue", 5}, GRANT_ISSUE},
    {{"signal", 6}, GRANT_SIGNAL},
    {{"assert_auth", 11}, GRANT_ASSERT_AUTH},
    {{"assert_subject", 14}, GRANT_ASSERT_SUBJECT | GRANT_ASSERT_ROLES},
    {{"assert_device", 13}, GRANT_ASSERT_DEVICE},
};

// ---- Who asks ------------------------------------------------------------------------------------

static uint32_t read_grants(struct reading *r, const struct conf_texts *texts)
{
    uint32_t grants = 0;
    struct str names[COUNT_OF(GRANTS)];
    for (size_t i = 0; i < COUNT_OF(GRANTS); i++) {
        names[i] = GRANTS[i].name;
    }
    for (size_t i = 0; i < texts->count; i++) {
        size_t at = 0;
        while (at < COUNT_OF(GRANTS) && !str_eq(names[at], texts->nodes[i]->text)) {
            at++;
        }
        if (at < COUNT_OF(GRANTS)) {
            grants |= GRANTS[at].bits;
            continue;
        }
        reading_fail(r, PDP_ERR_UNKNOWN, texts->nodes[i]->place, "there is no grant `" STR_FMT "`",
                     STR_ARG(reading_shown(r, texts->nodes[i]->text)));
        reading_hint(r, texts->nodes[i]->text, names, COUNT_OF(names), "there are");
    }
    return grants;
}

static const struct peer *read_peer(struct reading *r, const struct conf_node *node)
{
    static const struct hash_key NAMES = {UINT64_C(0x70656572), UINT64_C(0x6e616d65)};
    struct peer_doc said = {0};
    struct peer *peer = reading_array(r, 1, sizeof *peer);
    if (node == NULL || peer == NULL) {
        return &READING_PEER;
    }
    reading_note(r, conf_read(node, PEER_FIELDS, COUNT_OF(PEER_FIELDS), "a peer", &said, r->arena, r->diags));
    struct str *tenants = reading_array(r, said.tenants.count, sizeof *tenants);
    for (size_t i = 0; tenants != NULL && i < said.tenants.count; i++) {
        tenants[i] = said.tenants.nodes[i]->text;
    }
    uint32_t grants = conf_get(node, "grants") != NULL ? read_grants(r, &said.grants) : GRANT_ALL;
    *peer = (struct peer){.name = said.name,
                          .hash = hash_64(NAMES, said.name.at, said.name.len),
                          .grants = grants | GRANT_SIMULATE, // an event needs no request_id here
                          .tenants = tenants,
                          .tenant_count = tenants != NULL ? said.tenants.count : 0};
    return peer;
}

// ---- When ----------------------------------------------------------------------------------------

struct clock {
    int64_t now_ms;
    bool began;
};

static bool in_years(int64_t ms)
{
    return ms >= 0 && ms <= INT64_C(4102444800000); // 2100-01-01
}

static void read_at(struct reading *r, const struct conf_node *at, struct clock *clock)
{
    int64_t span_ms = 0, seconds = 0, is_ms = clock->now_ms;
    uint32_t nanos = 0;
    if (at == NULL) {
        return;
    }
    bool plus = at->text.len > 0 && at->text.at[0] == '+';
    if (conf_duration(str_sub(at->text, plus, SIZE_MAX), &span_ms)) {
        is_ms = num_add_sat(clock->now_ms, span_ms);
    } else if (time_parse(at->text, &seconds, &nanos)) {
        is_ms = seconds * TIME_MS_PER_S + nanos / 1000000;
    } else {
        reading_fail(r, PDP_ERR_SYNTAX, at->place, "`at` is neither a span nor a time");
        diag_hint(r->diags, "such as `+5s`, since the step before, or `2026-11-23T09:00:00Z`");
        return;
    }
    if (is_ms < clock->now_ms) {
        AUTO(buf_fini) struct buf was = {0};
        time_print_ms(&was, clock->now_ms);
        reading_fail(r, PDP_ERR_RANGE, at->place, "this step goes back in time: it is " STR_FMT " already",
                     STR_ARG(buf_view(&was)));
        diag_hint(r->diags, "steps stand in the order of time");
        return;
    }
    if (!in_years(is_ms)) {
        reading_fail(r, PDP_ERR_RANGE, at->place, "the clock of a Scenario goes from 1970 to 2100");
        return;
    }
    clock->now_ms = is_ms;
}

// ---- Steps ---------------------------------------------------------------------------------------

struct steps {
    struct reading *r;
    const struct ground *ground;
    struct clock clock;
    const struct geo_set *geo; // of the places of a step, from that one on; NULL: the document's
    struct suite_play *plays;
    size_t count, cap;
};

static struct suite_play *next_play(struct steps *steps)
{
    if (steps->count == steps->cap) {
        size_t cap = steps->cap == 0 ? 64 : 2 * steps->cap;
        struct suite_play *larger = reading_array(steps->r, cap, sizeof *larger);
        if (larger == NULL) {
            return NULL;
        }
        if (steps->count > 0) {
            memcpy(larger, steps->plays, steps->count * sizeof *larger);
        }
        steps->plays = larger;
        steps->cap = cap;
    }
    return &steps->plays[steps->count++];
}

static void play_step(struct steps *steps, const struct step *step, const struct suite_play *like)
{
    const struct asked asked = {.with = step->with, .request = step->request, .event = step->event};
    bool varies = true, repeated = step->times > 1;
    struct suite_play made = *like;
    for (uint32_t turn = 0; turn < like->turns; turn++) {
        struct suite_play *play = next_play(steps);
        if (play == NULL) {
            return;
        }
        steps->clock.now_ms += turn > 0 ? step->every_ms : 0;
        if (varies) { // else it is the same question again
            made.turn = turn;
            made.at_ms = steps->clock.now_ms - step->behind_ms;
            made.message = (struct str){0};
            size_t errors = steps->r->diags->errors;
            if (step->order != NULL) {
                order_make(steps->r, step->order, repeated, &made, &varies);
            } else {
                ask_make(steps->r, steps->ground, &asked, repeated, &made, &varies);
            }
            varies = varies && steps->r->diags->errors == errors; // a mistake is said once
        }
        *play = made;
        play->turn = turn;
        play->at_ms = steps->clock.now_ms - step->behind_ms;
    }
}

static bool check_step(struct reading *r, const struct step *step, const struct conf_node *node)
{
    struct place place = node->count > 0 ? node->entries[0].key->place : node->place;
    if (step->order != NULL && (step->event != NULL || step->request != NULL || step->with.count > 0)) {
        reading_fail(r, PDP_ERR_DUPLICATE, place,
                     "an `order` stands alone: it has no question, event or fixture");
        return false;
    }
    if (step->event != NULL && step->request != NULL) {
        reading_fail(r, PDP_ERR_DUPLICATE, place, "a step is a `request` or an `event`, not both");
        return false;
    }
    if (step->event == NULL && step->request == NULL && step->order == NULL && step->with.count == 0) {
        reading_fail(r, PDP_ERR_MISSING, place, "a step needs a `request`, an `event` or an `order`");
        return false;
    }
    if ((step->times > 1) != (step->every_ms > 0)) {
        reading_fail(r, PDP_ERR_MISSING, place, "a step that is repeated needs both `every` and `times`");
        diag_hint(r->diags, "such as `every: 10s` and `times: 20`");
        return false;
    }
    return true;
}

// The role of an analyst is all that an order takes; grants are of gateways.
static void check_analyst(struct reading *r, const struct conf_node *peer)
{
    static const char *const NOT_READ[] = {"grants", "tenants"};
    for (size_t i = 0; peer != NULL && i < COUNT_OF(NOT_READ); i++) {
        const struct conf_node *said = conf_get(peer, NOT_READ[i]);
        if (said != NULL) {
            reading_fail(r, PDP_ERR_UNKNOWN, said->place, "who gives an order has no `%s`", NOT_READ[i]);
            diag_hint(r->diags, "`peer: {name: ...}` names the analyst");
        }
    }
    const struct conf_node *name = conf_get(peer, "name");
    if (name != NULL && (name->text.len == 0 || name->text.len > NODE_NAME_MAX)) {
        reading_fail(r, PDP_ERR_LIMIT, name->place, "who gives an order has a name of 1 to %d bytes",
                     NODE_NAME_MAX);
    }
}

static void read_step(struct steps *steps, const struct conf_node *node, const struct suite_play *where)
{
    struct reading *r = steps->r;
    struct step step = {.times = 1};
    struct expectation expect = {0};
    enum pdp_err err =
        conf_read(node, STEP_FIELDS, COUNT_OF(STEP_FIELDS), "a step", &step, r->arena, r->diags);
    reading_note(r, err);
    if (err != PDP_ERR_OK) {
        return;
    }
    read_at(r, step.at, &steps->clock);
    bool good = check_step(r, &step, node);
    good = ask_check(r, steps->ground, &step.with) && good;
    if (step.expect != NULL) {
        enum expect_of of = step.order != NULL   ? EXPECT_OF_ORDER
                            : step.event != NULL ? EXPECT_OF_EVENT
                                                 : EXPECT_OF_QUESTION;
        expect_read(r, step.expect, of, &expect);
    }
    if (!ask_meant_so(expect.claims, expect.count)) {
        fields_check(r, step.request, FIELDS_OF_QUESTION);
        fields_check(r, step.event, FIELDS_OF_EVENT);
    }
    if (step.order != NULL) {
        order_check(r, step.order);
        check_analyst(r, step.peer);
    }
    int64_t lasts_ms = num_mul_sat(step.every_ms, step.times);
    if (steps->count + (size_t)step.times > READING_PLAYS_MOST ||
        !in_years(num_add_sat(steps->clock.now_ms, lasts_ms)) ||
        !in_years(num_sub_sat(steps->clock.now_ms, step.behind_ms))) {
        reading_fail(r, PDP_ERR_LIMIT, node->place,
                     "a Scenario has at most %d steps, repetitions counted, and ends before 2100",
                     READING_PLAYS_MOST);
        return;
    }
    if (step.places != NULL) {
        steps->geo = reading_places(r, step.places);
    }
    const struct conf_node *name = conf_get(node, "name");
    const struct suite_play like = {.name = step.name,
                                    .place = name != NULL      ? name->place
                                             : node->count > 0 ? node->entries[0].key->place
                                                               : node->place,
                                    .number = where->number,
                                    .nth = where->nth,
                                    .ordinary = where->ordinary,
                                    .order = step.order != NULL,
                                    .turns = (uint32_t)step.times,
                                    .peer = read_peer(r, step.peer),
                                    .geo = steps->geo,
                                    .claims = expect.claims,
                                    .claim_count = expect.count};
    if (good) {
        play_step(steps, &step, &like);
    }
}

// One list of steps, of which the first finds a world in which nothing has been. *number goes on.
static void read_steps(struct steps *steps, const struct conf_node *list, int64_t start_ms, bool ordinary,
                       uint32_t *number)
{
    size_t first = steps->count;
    steps->clock = (struct clock){.now_ms = start_ms};
    steps->geo = NULL;
    for (size_t i = 0; i < list->count; i++) {
        const struct suite_play where = {.number = (*number)++, .nth = (uint32_t)i, .ordinary = ordinary};
        read_step(steps, list->items[i], &where);
    }
    if (steps->count > first) {
        steps->plays[first].anew = true;
    }
}

// ---- Documents -----------------------------------------------------------------------------------

static void check_step_names(struct reading *r, const struct suite_doc *doc)
{
    struct map seen;
    reading_names(&seen);
    for (size_t i = 0; i < doc->play_count; i++) {
        if (doc->plays[i].turn == 0) {
            reading_once(r, &seen, doc->plays[i].name, doc->plays[i].place, "step");
        }
    }
    map_fini(&seen);
}

static void find_stop(struct reading *r, const struct conf_node *stops, struct suite_doc *doc)
{
    struct str names[64];
    size_t count = 0;
    doc->stops = UINT32_MAX;
    if (stops == NULL) {
        if (str_eq(doc->class, STR("attack"))) {
            reading_fail(r, PDP_ERR_MISSING, doc->place, "an attack needs `stops`");
            diag_hint(r->diags, "name the step at which it must be stopped at the latest");
        }
        return;
    }
    if (!str_eq(doc->class, STR("attack"))) {
        reading_fail(r, PDP_ERR_STATE, stops->place, "only an attack has `stops`");
        diag_hint(r->diags, "write `labels: {class: attack}` into its `metadata`");
        return;
    }
    for (size_t i = 0; i < doc->play_count; i++) {
        if (doc->plays[i].ordinary || doc->plays[i].order) {
            continue;
        }
        if (doc->plays[i].name.len > 0 && str_eq(doc->plays[i].name, stops->text)) {
            doc->stops = doc->plays[i].number;
        }
        if (doc->plays[i].name.len > 0 && doc->plays[i].turn == 0 && count < COUNT_OF(names)) {
            names[count++] = doc->plays[i].name;
        }
    }
    if (doc->stops == UINT32_MAX) {
        reading_fail(r, PDP_ERR_UNKNOWN, stops->place, "no step is named `" STR_FMT "`",
                     STR_ARG(reading_shown(r, stops->text)));
        reading_hint(r, stops->text, names, count, "there are");
    }
}

// By itself it passes whatever policies say; `--scenarios` shows what they do all the same.
static void check_claims(struct reading *r, const struct suite_doc *doc)
{
    bool claims = doc->class.len > 0; // of which more is wanted
    for (size_t i = 0; i < doc->play_count; i++) {
        claims = claims || doc->plays[i].claim_count > 0 || doc->plays[i].ordinary;
    }
    if (!claims) {
        diag_warning(r->diags, doc->place, "this Scenario expects nothing");
        diag_hint(r->diags, "give a step an `expect`, such as `expect: {effect: allow}`");
    }
}

static void check_given(struct reading *r, const struct conf_node *given)
{
    for (size_t i = 0; given != NULL && i < given->count; i++) {
        if (given->entries[i].value->kind != CONF_MAP) {
            reading_fail(r, PDP_ERR_TYPE, given->entries[i].value->place, "a fixture must be a mapping");
        }
    }
}

void read_scenario(struct reading *r, const struct conf_doc *from, struct suite_doc *doc)
{
    struct scenario scenario = {.start_ms = READING_NOW_MS};
    size_t errors = r->diags->errors;
    enum pdp_err err =
        conf_read(from->root, FIELDS, COUNT_OF(FIELDS), "a Scenario", &scenario, r->arena, r->diags);
    reading_note(r, err);
    check_given(r, scenario.given);
    read_given_met(r, scenario.given, doc);
    fields_check_given(r, scenario.given, scenario.request);
    doc->geo = reading_places(r, scenario.places);
    if (scenario.steps == NULL) {
        return;
    }
    if (scenario.steps->count == 0) {
        reading_fail(r, PDP_ERR_MISSING, scenario.steps->place, "a Scenario needs `steps`");
        return;
    }
    bool speaks = r->over != NULL && r->over->tenant.len > 0;
    const struct ground ground = {.tenant = speaks ? r->over->tenant : scenario.tenant,
                                  .given = scenario.given,
                                  .request = scenario.request,
                                  .over = r->over};
    struct steps steps = {.r = r, .ground = &ground};
    if (scenario.ordinary != NULL) {
        read_steps(&steps, scenario.ordinary, scenario.start_ms, true, &doc->numbers);
    }
    read_steps(&steps, scenario.steps, scenario.start_ms, false, &doc->numbers);
    doc->start_ms = scenario.start_ms;
    doc->plays = steps.plays;
    doc->play_count = steps.count;
    check_step_names(r, doc);
    // Of a step that could not be read nobody can say that it is not there.
    if (r->diags->errors == errors || scenario.stops == NULL) {
        find_stop(r, scenario.stops, doc);
    }
    if (r->diags->errors == errors) {
        check_claims(r, doc);
    }
}
