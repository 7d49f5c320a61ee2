// SPDX-License-Identifier: Apache-2.0
// A RiskModel as it is scored with.
#ifndef RISK_MODEL_H
#define RISK_MODEL_H

#include "risk/own.h"

#define MODEL_EDGES (RISK_LEVEL_COUNT - 1)
#define MODEL_SIGNALS (SIGNAL_COUNT + RISK_OWN_MAX)

struct risk_model {
    double prior;                   // log-odds before anything is known
    double scale, shift;            // a and b of score = 100·σ(a·L + b)
    double thresholds[MODEL_EDGES]; // scores at which medium, high and critical begin
    double budget;                  // share of recent questions for which medium begins; 0: at its threshold
    double least;                   // with a budget: medium never begins below
    double edges[MODEL_EDGES];      // the same as log-odds
    double hysteresis; // so far below its threshold a score must be before a level that was told ends
    double lowered[MODEL_EDGES]; // edges less that; -inf: never
    size_t count;                // of signals: those of the table, then its own
    struct signal_rule rules[MODEL_SIGNALS];
    struct signal_own own[RISK_OWN_MAX];
    const double *proofs; // what a passed step-up takes away, by index of strength
    size_t proof_count;
};

// One of the model's own signals; NULL: the row is one of the table.
static inline const struct signal_own *model_own(const struct risk_model *model, size_t row)
{
    return row < SIGNAL_COUNT ? NULL : &model->own[row - SIGNAL_COUNT];
}

static inline const struct signal_row *model_row(const struct risk_model *model, size_t row)
{
    return row < SIGNAL_COUNT ? &SIGNALS[row] : &model->own[row - SIGNAL_COUNT].row;
}

// Reads `own`, a list, into the model; `program` as for risk_model_read. The first mistake is returned, all
// are reported.
MUST_USE enum pdp_err own_read(const struct conf_node *list, struct cel_program *program, struct arena *arena,
                               struct diags *diags, struct risk_model *model);

// The built-in model, its proofs spread from 3 for the weakest to 6 for the strongest strength. NULL: no
// memory.
struct risk_model *model_builtin(size_t strength_count, struct arena *arena);
// Fills what is derived from the rest; after every change.
void model_derive(struct risk_model *model);
// The log-odds at which a score is reached; -inf: all are.
double model_edge(const struct risk_model *model, double score);

// The most that a question can score, and the most hard evidence that it can have, with all signals at once.
double model_most(const struct risk_model *model);
double model_hard_most(const struct risk_model *model);
// The most that one signal can count for; false, with 0, where the model has none of that name.
bool model_signal_most(const struct risk_model *model, struct str id, double *out);

// Warns of what a document says and cannot mean: levels that no score reaches, or every score. Of a model
// that was read and derived.
void model_doubt(const struct risk_model *model, const struct conf_node *document, struct diags *diags);

#endif
