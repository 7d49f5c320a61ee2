// SPDX-License-Identifier: Apache-2.0
// What a RiskModel says and cannot mean.
#include "base/fmath.h"
#include "risk/model.h"

static const char *const LEVELS[MODEL_EDGES] = {"medium", "high", "critical"};

struct doubt {
    const struct risk_model *model;
    const struct conf_node *document;
    struct diags *diags;
};

static double score_of(const struct risk_model *model, double log_odds)
{
    return 100 * fmath_sigmoid(model->scale * log_odds + model->shift);
}

// Where a key is written; what it lacks is as the signals are.
static struct place place_of(const struct doubt *d, const char *key)
{
    const struct conf_node *node = conf_get(d->document, key);
    return node != NULL ? node->place : conf_get(d->document, "signals")->place;
}

static const struct conf_node *threshold_node(const struct doubt *d, size_t level)
{
    return conf_get(conf_get(d->document, "thresholds"), LEVELS[level]);
}

// The most that a signal counts for; 0: it is off, or only reassures.
static double most_of(const struct risk_model *model, size_t row)
{
    const struct signal_rule *rule = &model->rules[row];
    if (row == SIGNAL_STEP_UP_PASSED || !(rule->evidence > 0)) {
        return 0;
    }
    return row == SIGNAL_OTHER_SESSIONS && rule->evidence < rule->cap ? rule->evidence : rule->cap;
}

static bool is_hard(const struct risk_model *model, size_t row)
{
    return model_row(model, row)->kind != SIGNAL_FAMILIARITY;
}

// The most that all signals come to; of a group the strongest counts in full and the others a quarter.
static double most_of_all(const struct risk_model *model)
{
    double strongest[SIGNAL_GROUPS] = {0}, sum = 0;
    for (size_t row = 0; row < model->count; row++) {
        enum signal_group group = model_row(model, row)->group;
        double most = most_of(model, row), *first = &strongest[group];
        if (group == GROUP_NONE) {
            sum += most;
            continue;
        }
        double less = most > *first ? *first : most;
        *first = most > *first ? most : *first;
        sum += less / 4;
    }
    for (size_t group = 0; group < SIGNAL_GROUPS; group++) {
        sum += strongest[group];
    }
    return sum;
}

double model_most(const struct risk_model *model)
{
    return score_of(model, model->prior + most_of_all(model));
}

double model_hard_most(const struct risk_model *model)
{
    double most = 0;
    for (size_t row = 0; row < model->count; row++) {
        most += is_hard(model, row) ? most_of(model, row) : 0;
    }
    return most;
}

bool model_signal_most(const struct risk_model *model, struct str id, double *out)
{
    *out = 0;
    for (size_t row = 0; row < model->count; row++) {
        if (str_eq(model_row(model, row)->id, id)) {
            *out = most_of(model, row);
            return true;
        }
    }
    return false;
}

static void doubt_reach(const struct doubt *d, double most)
{
    const struct risk_model *model = d->model;
    const double *thresholds = model->thresholds;
    for (size_t i = 0; i < MODEL_EDGES; i++) {
        const struct conf_node *given = threshold_node(d, i);
        double begins = i == 0 && model->budget > 0 ? model->least : thresholds[i];
        if (!(most < begins)) {
            continue;
        }
        diag_warning(d->diags, given != NULL ? given->place : place_of(d, "signals"),
                     "no score reaches `%s`: it begins at %.4g, and all signals come to %.1f at most",
                     LEVELS[i], begins, most);
        diag_hint(d->diags, "name more signals, raise a `cap`, or begin `%s` lower", LEVELS[i]);
        if (given == NULL) {
            return; // the levels above lie higher still
        }
    }
}

static void doubt_least(const struct doubt *d, double least)
{
    const struct risk_model *model = d->model;
    double medium = model->thresholds[0];
    if (!(least < medium)) {
        diag_warning(
            d->diags, place_of(d, "prior"),
            "every question is `medium` or more: without evidence it scores %.1f, and `medium` begins "
            "at %.4g",
            least, medium);
        diag_hint(d->diags, "lower `prior`, raise `medium`, or correct `calibration`");
    } else if (model->hysteresis > 0 && !(least < medium - model->hysteresis)) {
        diag_warning(d->diags, place_of(d, "hysteresis"),
                     "a level never falls to low: without evidence a question scores %.1f, and `medium` ends "
                     "below %.4g",
                     least, medium - model->hysteresis);
        diag_hint(d->diags, "lower `hysteresis` or `prior`, or raise `medium`");
    }
}

static void doubt_hard(const struct doubt *d, double most)
{
    for (size_t row = 0; row < d->model->count; row++) {
        if (is_hard(d->model, row) && most_of(d->model, row) > 0) {
            return;
        }
    }
    if (!(most < d->model->thresholds[MODEL_EDGES - 1])) {
        diag_warning(d->diags, place_of(d, "signals"),
                     "no session can end for its risk: `critical` is reached by what is unfamiliar alone");
        diag_hint(d->diags, "name a signal of the session, its source or another system, such as "
                            "`fingerprint-change` or `external`");
    }
}

void model_doubt(const struct risk_model *model, const struct conf_node *document, struct diags *diags)
{
    struct doubt d = {model, document, diags};
    double most = model_most(model);
    if (!(model->budget > 0)) { // else medium goes to where it is not everybody
        doubt_least(&d, score_of(model, model->prior));
    }
    doubt_reach(&d, most);
    doubt_hard(&d, most);
}
