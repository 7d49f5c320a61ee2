// SPDX-License-Identifier: Apache-2.0
#include "risk/model.h"

#include "base/fmath.h"

static const double PROOF_LEAST = 3, PROOF_MOST = 6;

// An ordinary request scores 3.2; medium, high and critical begin at 30, 60 and 85.
static const struct risk_model BUILTIN = {
    .prior = -3.4, .scale = 1, .shift = 0, .thresholds = {30, 60, 85}, .count = SIGNAL_COUNT};

double model_edge(const struct risk_model *model, double score)
{
    double p = score / 100;
    return p > 0 ? (fmath_log(p / (1 - p)) - model->shift) / model->scale : -__builtin_inf();
}

void model_derive(struct risk_model *model)
{
    for (size_t i = 0; i < MODEL_EDGES; i++) {
        model->edges[i] = model_edge(model, model->thresholds[i]);
        model->lowered[i] = model_edge(model, model->thresholds[i] - model->hysteresis);
    }
    for (size_t i = 0; i < model->count; i++) {
        const struct signal_row *row = model_row(model, i);
        model->rules[i].pace = 1 / (double)model->rules[i].half_life_ms;
        if (row->prepare != NULL) {
            row->prepare(&model->rules[i]);
        }
    }
}

struct risk_model *model_builtin(size_t strength_count, struct arena *arena)
{
    struct risk_model *model = ARENA_NEW(arena, struct risk_model);
    double *proofs = ARENA_ARRAY(arena, double, strength_count + 1);
    if (model == NULL || proofs == NULL) {
        return NULL;
    }
    *model = BUILTIN;
    for (size_t i = 0; i < SIGNAL_COUNT; i++) {
        model->rules[i] = SIGNALS[i].builtin;
    }
    double step = strength_count > 1 ? (PROOF_MOST - PROOF_LEAST) / (double)(strength_count - 1) : 0;
    for (size_t i = 0; i < strength_count; i++) {
        proofs[i] = PROOF_LEAST + step * (double)i;
    }
    model->proofs = proofs;
    model->proof_count = strength_count;
    model_derive(model);
    return model;
}
