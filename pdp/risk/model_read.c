// SPDX-License-Identifier: Apache-2.0
// The RiskModel document. It is the whole model: a signal that it does not name is off.
#include "risk/model.h"

#include "model/parts.h"
#include "risk/shapes.h"

#define HYSTERESIS_MOST 20
#define BUDGET_LEAST 10
#define FIELDS_MAX (6 + SIGNAL_PARAMS)
#define THRESHOLD_FIELDS (MODEL_EDGES + 2)
#define HALF_LIFE_MOST_MS (INT64_C(365) * 86400000)

static const char *const THRESHOLDS[MODEL_EDGES] = {"medium", "high", "critical"};

// What is written of one document, before it is checked as a whole.
struct document {
    const struct conf_node *api_version, *kind, *metadata, *calibration, *signals, *own, *thresholds,
        *strengths;
    double prior, hysteresis;
};

struct reader {
    struct cel_program *program;
    struct arena *arena;
    struct diags *diags;
    const struct str *strengths;
    size_t strength_count;
    struct risk_model *model;
    enum pdp_err first; // of all mistakes
};

static void note(struct reader *r, enum pdp_err err)
{
    r->first = r->first == PDP_ERR_OK ? err : r->first;
}

// The head is checked where all documents' heads are.
static const struct conf_field DOCUMENT[] = {
    {"apiVersion", CONF_ANY, false, offsetof(struct document, api_version), NULL, 0, 0, "pdp/v1"},
    {"kind", CONF_ANY, false, offsetof(struct document, kind), NULL, 0, 0, "RiskModel"},
    {"metadata", CONF_ANY, false, offsetof(struct document, metadata), NULL, 0, 0, "its name"},
    {"prior", CONF_NUMBER, false, offsetof(struct document, prior), NULL, -20, 20,
     "log-odds before anything is known"},
    {"calibration", CONF_MAPPING, false, offsetof(struct document, calibration), NULL, 0, 0,
     "score = 100 / (1 + exp(-(a * L + b)))"},
    {"signals", CONF_MAPPING, true, offsetof(struct document, signals), NULL, 0, 0,
     "what counts, by signal; one that is not named is off"},
    {"own", CONF_SEQUENCE, false, offsetof(struct document, own), NULL, 0, 0, "signals that are conditions"},
    {"thresholds", CONF_MAPPING, false, offsetof(struct document, thresholds), NULL, 0, 0,
     "scores at which the levels begin"},
    {"hysteresis", CONF_NUMBER, false, offsetof(struct document, hysteresis), NULL, 0, HYSTERESIS_MOST,
     "so far below its threshold a score must be before a session's level falls"},
    {"strengths", CONF_MAPPING, false, offsetof(struct document, strengths), NULL, 0, 0,
     "log-odds that a passed step-up takes away, by strength"},
};

// ---- Signals -----------------------------------------------------------------------------------

static const char *const ON_MISSING[] = {"skip", "score", "deny", NULL};

static size_t signal_fields(const struct signal_row *row, struct conf_field fields[static FIELDS_MAX])
{
    size_t count = 0;
    fields[count++] =
        (struct conf_field){"evidence", CONF_NUMBER, false,       offsetof(struct signal_rule, evidence),
                            NULL,       0,           (int64_t)20, "log-odds at its plainest; 0 is off"};
    fields[count++] = (struct conf_field){"half_life",
                                          CONF_DURATION,
                                          false,
                                          offsetof(struct signal_rule, half_life_ms),
                                          NULL,
                                          1,
                                          HALF_LIFE_MOST_MS,
                                          "in which half of it is forgotten"};
    fields[count++] = (struct conf_field){"cap", CONF_NUMBER, false, offsetof(struct signal_rule, cap),
                                          NULL,  0,           20,    "the most it may count for"};
    if (row->builtin.on_missing != MISSING_CANNOT) {
        fields[count++] =
            (struct conf_field){"on_missing", CONF_CHOICE, true, offsetof(struct signal_rule, on_missing),
                                ON_MISSING,   0,           0,    "where a question lacks what it reads"};
        fields[count++] = (struct conf_field){"missing_evidence",
                                              CONF_NUMBER,
                                              false,
                                              offsetof(struct signal_rule, missing_evidence),
                                              NULL,
                                              0,
                                              20,
                                              "log-odds where on_missing is score; else its evidence"};
    }
    if (row->builtin.weights != NULL) {
        fields[count++] = (struct conf_field){"weights", CONF_MAPPING,
                                              false,     offsetof(struct signal_rule, given),
                                              NULL,      0,
                                              0,         "how much each component says, by its name"};
    }
    for (size_t i = 0; i < SIGNAL_PARAMS && row->params[i].name != NULL; i++) {
        const struct signal_param *param = &row->params[i];
        fields[count++] = (struct conf_field){
            param->name, CONF_NUMBER,  false,       offsetof(struct signal_rule, params) + i * sizeof(double),
            NULL,        param->least, param->most, param->help};
    }
    return count;
}

static void weight_fields(struct conf_field fields[static SIGHT_COMPONENTS])
{
    for (size_t i = 0; i < SIGHT_COMPONENTS; i++) {
        fields[i] = (struct conf_field){
            parts_name((enum sight_component)i), CONF_NUMBER, false, i * sizeof(double), NULL, 0, 100,
            "how much it says; 0: nothing"};
    }
}

// Components that are not named keep what they weigh.
static void read_weights(struct reader *r, const struct conf_node *map, struct signal_rule *rule)
{
    struct conf_field fields[SIGHT_COMPONENTS];
    double *weights = ARENA_ARRAY(r->arena, double, SIGHT_COMPONENTS);
    if (weights == NULL) {
        note(r, PDP_ERR_NOMEM);
        return;
    }
    memcpy(weights, rule->weights, SIGHT_COMPONENTS * sizeof *weights);
    weight_fields(fields);
    note(r, conf_read(map, fields, SIGHT_COMPONENTS, "`weights`", weights, r->arena, r->diags));
    rule->weights = weights;
}

// The drift of a fingerprint grows from a share to a greater one.
static void check_drift(struct reader *r, const struct conf_node *node, const struct signal_rule *rule)
{
    const struct conf_node *full = conf_get(node, "drift_full"), *least = conf_get(node, "drift_least");
    if (!(rule->params[FINGERPRINT_DRIFT_FULL] > rule->params[FINGERPRINT_DRIFT_LEAST])) {
        const struct conf_node *at = full != NULL ? full : least;
        note(r, diag_error(r->diags, PDP_ERR_RANGE, at->place, "`drift_full` must be above `drift_least`"));
        diag_hint(r->diags, "they are %.2f and %.2f where they are not given",
                  SIGNALS[SIGNAL_FINGERPRINT].builtin.params[FINGERPRINT_DRIFT_LEAST],
                  SIGNALS[SIGNAL_FINGERPRINT].builtin.params[FINGERPRINT_DRIFT_FULL]);
    }
}

static void read_signal(struct reader *r, size_t index, const struct conf_node *node)
{
    const struct signal_row *row = &SIGNALS[index];
    struct conf_field fields[FIELDS_MAX];
    size_t count = signal_fields(row, fields);
    struct signal_rule rule = row->builtin;
    rule.missing_evidence = rule.on_missing == MISSING_CANNOT ? 0 : -1; // not given
    struct str name = arena_printf(r->arena, "`" STR_FMT "`%c", STR_ARG(row->id), '\0');
    if (name.at == NULL) {
        note(r, PDP_ERR_NOMEM);
        return;
    }
    enum pdp_err err = conf_read(node, fields, count, name.at, &rule, r->arena, r->diags);
    if (err != PDP_ERR_OK) {
        note(r, err);
        return;
    }
    if (rule.missing_evidence < 0) {
        rule.missing_evidence = rule.evidence;
    }
    if (rule.given != NULL) {
        read_weights(r, STEAL(rule.given), &rule);
    }
    if (index == SIGNAL_FINGERPRINT) {
        check_drift(r, node, &rule);
    }
    const struct conf_node *cap = conf_get(node, "cap");
    if (cap == NULL && rule.cap < rule.evidence) {
        rule.cap = rule.evidence;
    }
    if (rule.cap < rule.evidence) {
        diag_warning(r->diags, cap->place, "`cap` is below `evidence`, which can never count in full");
    }
    r->model->rules[index] = rule;
}

static void signal_map_fields(struct conf_field fields[static SIGNAL_COUNT])
{
    for (size_t i = 0; i < SIGNAL_COUNT; i++) {
        fields[i] = (struct conf_field){
            SIGNALS[i].id.at, CONF_MAPPING, false, i * sizeof(const struct conf_node *), NULL, 0, 0,
            SIGNALS[i].help};
    }
}

static void read_signals(struct reader *r, const struct conf_node *map)
{
    struct conf_field fields[SIGNAL_COUNT];
    const struct conf_node *nodes[SIGNAL_COUNT] = {0};
    signal_map_fields(fields);
    for (size_t i = 0; i < SIGNAL_COUNT; i++) {
        // Off where it is not named, and so is what was remembered of it.
        r->model->rules[i].evidence = r->model->rules[i].cap = 0;
    }
    note(r, conf_read(map, fields, SIGNAL_COUNT, "`signals`", nodes, r->arena, r->diags));
    for (size_t i = 0; i < SIGNAL_COUNT; i++) {
        if (nodes[i] != NULL) {
            read_signal(r, i, nodes[i]);
        }
    }
    if (nodes[SIGNAL_STEP_UP_PASSED] == NULL) { // `strengths` alone says what a proof is worth
        r->model->rules[SIGNAL_STEP_UP_PASSED] = SIGNALS[SIGNAL_STEP_UP_PASSED].builtin;
    }
}

// ---- The rest ----------------------------------------------------------------------------------

static const struct conf_field CALIBRATION[] = {
    {"a", CONF_NUMBER, true, offsetof(struct risk_model, scale), NULL, 0, 100, "slope; above 0"},
    {"b", CONF_NUMBER, true, offsetof(struct risk_model, shift), NULL, -100, 100, "shift"},
};

static void read_calibration(struct reader *r, const struct conf_node *map)
{
    enum pdp_err err =
        conf_read(map, CALIBRATION, COUNT_OF(CALIBRATION), "calibration", r->model, r->arena, r->diags);
    note(r, err);
    if (err == PDP_ERR_OK && r->model->scale < 0.01) {
        note(r, diag_error(r->diags, PDP_ERR_RANGE, conf_get(map, "a")->place,
                           "`a` must be at least 0.01, or no evidence could change the score"));
    }
}

// What is written of thresholds beside the scores themselves.
struct limits {
    double scores[MODEL_EDGES], least;
    const struct conf_node *budget;
};

// `1%`, or the number alone.
static void read_budget(struct reader *r, const struct conf_node *node)
{
    struct str text = node->kind == CONF_SCALAR && !node->quoted ? node->text : STR("");
    if (text.len > 0 && text.at[text.len - 1] == '%') {
        text.len--;
    }
    double percent = 0;
    if (!str_to_double(text, &percent) || !(percent >= 0.01 && percent <= 50)) {
        note(r, diag_error(r->diags, PDP_ERR_RANGE, node->place, "`budget` must be from 0.01%% to 50%%"));
        diag_hint(r->diags, "it is the share of questions that may be `medium` or more, such as `1%%`");
        return;
    }
    r->model->budget = percent / 100;
}

// Exactly one of medium and budget.
static void check_medium(struct reader *r, const struct conf_node *map, const struct limits *limits)
{
    const struct conf_node *medium = conf_get(map, "medium"), *least = conf_get(map, "least");
    if (medium == NULL && limits->budget == NULL) {
        note(r, diag_error(r->diags, PDP_ERR_MISSING, map->place, "`thresholds` needs `medium` or `budget`"));
    } else if (medium != NULL && limits->budget != NULL) {
        note(r, diag_error(r->diags, PDP_ERR_DUPLICATE, limits->budget->place,
                           "`budget` says where `medium` begins: only one of them can be given"));
    } else if (least != NULL && limits->budget == NULL) {
        note(r, diag_error(r->diags, PDP_ERR_DUPLICATE, least->place,
                           "`least` bounds what a `budget` comes to, and there is none"));
    }
}

static void check_order(struct reader *r, const struct conf_node *map)
{
    for (size_t i = 1; i < MODEL_EDGES; i++) {
        if (!(r->model->thresholds[i] > r->model->thresholds[i - 1])) {
            note(r, diag_error(r->diags, PDP_ERR_RANGE, conf_get(map, THRESHOLDS[i])->place,
                               "`%s` must begin above `%s`", THRESHOLDS[i], THRESHOLDS[i - 1]));
            diag_hint(r->diags, "levels rise from medium over high to critical, such as 30, 60, 85");
        }
    }
    if (r->model->thresholds[MODEL_EDGES - 1] > 99.9) {
        note(r, diag_error(r->diags, PDP_ERR_RANGE, conf_get(map, THRESHOLDS[MODEL_EDGES - 1])->place,
                           "`%s` must be at most 99.9: a probability never reaches 100 %%",
                           THRESHOLDS[MODEL_EDGES - 1]));
    }
}

// Until enough was seen medium begins where it does without a document, as far as there is room below high.
static void settle_budget(struct reader *r, const struct conf_node *map, const struct limits *limits)
{
    struct risk_model *model = r->model;
    double most = model->thresholds[1] - 1;
    model->least = limits->least;
    if (!(limits->least < most)) {
        model->thresholds[0] = 0; // one mistake is told once
        note(r, diag_error(r->diags, PDP_ERR_RANGE, conf_get(map, "high")->place,
                           "`high` must begin more than one above `least`, which is %.4g", limits->least));
        return;
    }
    model->thresholds[0] = model->thresholds[0] < most ? model->thresholds[0] : most;
    model->thresholds[0] = model->thresholds[0] > model->least ? model->thresholds[0] : model->least;
}

static void threshold_fields(struct conf_field fields[static THRESHOLD_FIELDS])
{
    for (size_t i = 0; i < MODEL_EDGES; i++) {
        fields[i] = (struct conf_field){
            THRESHOLDS[i], CONF_NUMBER, i > 0, offsetof(struct limits, scores) + i * sizeof(double),
            NULL,          0,           100,   "the score at which the level begins"};
    }
    fields[MODEL_EDGES] = (struct conf_field){
        "budget", CONF_ANY,
        false,    offsetof(struct limits, budget),
        NULL,     0,
        0,        "in the place of medium: the share of questions that may be medium or more"};
    fields[MODEL_EDGES + 1] = (struct conf_field){
        "least", CONF_NUMBER, false, offsetof(struct limits, least),
        NULL,    1,           100,   "with a budget: medium never begins below this score"};
}

static void read_thresholds(struct reader *r, const struct conf_node *map)
{
    struct limits limits = {.least = BUDGET_LEAST};
    struct conf_field fields[THRESHOLD_FIELDS];
    memcpy(limits.scores, r->model->thresholds, sizeof limits.scores);
    threshold_fields(fields);
    enum pdp_err err = conf_read(map, fields, THRESHOLD_FIELDS, "thresholds", &limits, r->arena, r->diags);
    note(r, err);
    check_medium(r, map, &limits);
    if (err != PDP_ERR_OK) {
        return;
    }
    memcpy(r->model->thresholds, limits.scores, sizeof limits.scores);
    if (limits.budget != NULL) {
        read_budget(r, limits.budget);
        settle_budget(r, map, &limits);
    }
    check_order(r, map);
}

static void read_hysteresis(struct reader *r, const struct conf_node *root, double hysteresis)
{
    const struct conf_node *given = conf_get(root, "hysteresis");
    r->model->hysteresis = hysteresis;
    double lowest = r->model->budget > 0 ? r->model->least : r->model->thresholds[0];
    if (given != NULL && hysteresis > 0 && !(hysteresis < lowest)) {
        note(r, diag_error(r->diags, PDP_ERR_RANGE, given->place,
                           "`hysteresis` must be below `medium`, or no level could ever fall"));
        diag_hint(r->diags, "`medium` can begin at %.4g; 3 is enough for levels that go up and down", lowest);
    }
}

static enum pdp_err read_strengths(struct reader *r, const struct conf_node *map)
{
    size_t count = r->strength_count;
    if (count == 0 && map->count > 0) {
        note(r, diag_error(r->diags, PDP_ERR_MISSING, map->entries[0].key->place,
                           "`strengths` names levels of a Strengths document"));
        diag_hint(r->diags, "no Strengths document was read");
        return PDP_ERR_OK;
    }
    struct conf_field *fields = ARENA_ARRAY(r->arena, struct conf_field, count + 1);
    double *proofs = ARENA_ARRAY(r->arena, double, count + 1);
    if (fields == NULL || proofs == NULL) {
        return PDP_ERR_NOMEM;
    }
    for (size_t i = 0; i < count; i++) {
        struct str name = arena_printf(r->arena, STR_FMT "%c", STR_ARG(r->strengths[i]), '\0');
        if (name.at == NULL) {
            return PDP_ERR_NOMEM;
        }
        fields[i] = (struct conf_field){name.at, CONF_NUMBER, false, i * sizeof(double),
                                        NULL,    0,           20,    "log-odds that proving it takes away"};
    }
    note(r, conf_read(map, fields, count, "`strengths`", proofs, r->arena, r->diags));
    r->model->proofs = proofs;
    return PDP_ERR_OK;
}

static enum pdp_err read_document(struct reader *r, const struct conf_doc *doc)
{
    struct document document = {.prior = r->model->prior, .hysteresis = r->model->hysteresis};
    note(r, conf_read(doc->root, DOCUMENT, COUNT_OF(DOCUMENT), "RiskModel", &document, r->arena, r->diags));
    r->model->prior = document.prior;
    if (document.calibration != NULL) {
        read_calibration(r, document.calibration);
    }
    if (document.thresholds != NULL) {
        read_thresholds(r, document.thresholds);
    }
    read_hysteresis(r, doc->root, document.hysteresis);
    if (document.strengths != NULL) {
        TRY(read_strengths(r, document.strengths));
    }
    if (document.signals != NULL) {
        read_signals(r, document.signals);
    }
    if (document.own != NULL) {
        note(r, own_read(document.own, r->program, r->arena, r->diags, r->model));
    }
    return PDP_ERR_OK;
}

static bool is_risk_model(const struct conf_doc *doc)
{
    const struct conf_node *kind = conf_get(doc->root, "kind");
    return kind != NULL && kind->kind == CONF_SCALAR && str_eq(kind->text, STR("RiskModel"));
}

enum pdp_err risk_model_read(const struct conf_doc *docs, size_t count, struct cel_program *program,
                             const struct str *strengths, size_t strength_count, struct arena *arena,
                             struct diags *diags, const struct risk_model **out)
{
    *out = NULL;
    struct reader r = {.program = program,
                       .arena = arena,
                       .diags = diags,
                       .strengths = strengths,
                       .strength_count = strength_count};
    r.model = model_builtin(strength_count, arena);
    if (r.model == NULL) {
        return PDP_ERR_NOMEM;
    }
    const struct conf_node *found = NULL;
    for (size_t i = 0; i < count; i++) {
        if (!is_risk_model(&docs[i])) {
            continue;
        }
        if (found != NULL) {
            note(&r, diag_error(diags, PDP_ERR_DUPLICATE, conf_get(docs[i].root, "kind")->place,
                                "there is a `RiskModel` already: a folder has at most one"));
            continue;
        }
        found = docs[i].root;
        TRY(read_document(&r, &docs[i]));
    }
    TRY(r.first);
    model_derive(r.model);
    if (found != NULL) {
        model_doubt(r.model, found, diags);
    }
    *out = r.model;
    return PDP_ERR_OK;
}

// ---- The shape ---------------------------------------------------------------------------------

// Everything that one shape is made of.
struct shaped {
    struct conf_shape document, calibration, thresholds, signals, weights, signal[SIGNAL_COUNT];
    struct conf_field threshold_fields[THRESHOLD_FIELDS], weight_fields[SIGHT_COMPONENTS];
    struct conf_field signal_fields[SIGNAL_COUNT], fields[SIGNAL_COUNT][FIELDS_MAX];
    struct conf_nest nests[5], signal_nests[SIGNAL_COUNT], weight_nest, budget_nest;
};

static const struct conf_tie THRESHOLD_TIES[] = {{CONF_BOND_ONE, {"medium", "budget"}}};

static void shape_signals(struct shaped *s)
{
    weight_fields(s->weight_fields);
    signal_map_fields(s->signal_fields);
    s->weights =
        (struct conf_shape){.name = "weights", .fields = s->weight_fields, .count = SIGHT_COMPONENTS};
    s->weight_nest = (struct conf_nest){"weights", CONF_FORM_MAP, &s->weights};
    for (size_t i = 0; i < SIGNAL_COUNT; i++) {
        s->signal[i] = (struct conf_shape){.name = SIGNALS[i].id.at,
                                           .fields = s->fields[i],
                                           .count = signal_fields(&SIGNALS[i], s->fields[i]),
                                           .nests = &s->weight_nest,
                                           .nest_count = 1};
        s->signal_nests[i] = (struct conf_nest){SIGNALS[i].id.at, CONF_FORM_MAP, &s->signal[i]};
    }
    s->signals = (struct conf_shape){.name = "signals",
                                     .fields = s->signal_fields,
                                     .count = SIGNAL_COUNT,
                                     .nests = s->signal_nests,
                                     .nest_count = SIGNAL_COUNT};
}

static void shape_thresholds(struct shaped *s)
{
    threshold_fields(s->threshold_fields);
    s->budget_nest = (struct conf_nest){"budget", CONF_FORM_PERCENT, NULL};
    s->thresholds = (struct conf_shape){.name = "thresholds",
                                        .fields = s->threshold_fields,
                                        .count = THRESHOLD_FIELDS,
                                        .nests = &s->budget_nest,
                                        .nest_count = 1,
                                        .ties = THRESHOLD_TIES,
                                        .tie_count = COUNT_OF(THRESHOLD_TIES)};
}

enum pdp_err risk_shapes(struct arena *arena, const struct conf_shape **out)
{
    *out = NULL;
    struct shaped *s = ARENA_NEW(arena, struct shaped);
    if (s == NULL) {
        return PDP_ERR_NOMEM;
    }
    shape_signals(s);
    shape_thresholds(s);
    s->calibration =
        (struct conf_shape){.name = "calibration", .fields = CALIBRATION, .count = COUNT_OF(CALIBRATION)};
    s->nests[0] = (struct conf_nest){"calibration", CONF_FORM_MAP, &s->calibration};
    s->nests[1] = (struct conf_nest){"signals", CONF_FORM_MAP, &s->signals};
    s->nests[2] = (struct conf_nest){"own", CONF_FORM_LIST, &SHAPE_OWN};
    s->nests[3] = (struct conf_nest){"thresholds", CONF_FORM_MAP, &s->thresholds};
    s->nests[4] = (struct conf_nest){"strengths", CONF_FORM_NUMBERS, NULL};
    s->document = (struct conf_shape){.name = "RiskModel",
                                      .fields = DOCUMENT,
                                      .count = COUNT_OF(DOCUMENT),
                                      .nests = s->nests,
                                      .nest_count = COUNT_OF(s->nests)};
    *out = &s->document;
    return PDP_ERR_OK;
}
