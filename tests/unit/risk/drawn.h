// SPDX-License-Identifier: Apache-2.0
// Random models for the properties of scoring: the built-in one, and documents that were drawn.
#ifndef UNIT_RISK_DRAWN_H
#define UNIT_RISK_DRAWN_H

#include "risk/signals.h"

#include <criterion/criterion.h>
#include <math.h>

#define MODELS 24

// ---- What is drawn -----------------------------------------------------------------------------------

static uint64_t seed_now;

static inline uint64_t draw(void)
{
    uint64_t x = seed_now += UINT64_C(0x9E3779B97F4A7C15);
    x = (x ^ x >> 30) * UINT64_C(0xBF58476D1CE4E5B9);
    x = (x ^ x >> 27) * UINT64_C(0x94D049BB133111EB);
    return x ^ x >> 31;
}

static inline uint64_t below(uint64_t most)
{
    return draw() % most;
}

static inline bool one_in(uint64_t n)
{
    return below(n) == 0;
}

static inline double between(double least, double most)
{
    return least + (most - least) * (double)(draw() >> 11) * 0x1p-53;
}

// ---- Models ------------------------------------------------------------------------------------------

struct made {
    const struct risk_model *model;
    double prior;
};

static struct arena LASTING;
static struct made MADE[MODELS], PACED[MODELS]; // PACED: the same without request-rate

static const struct str STRENGTHS[] = {{"password", 8}, {"mfa", 3}, {"phishing-resistant", 18}};

static inline void put_signal(struct buf *out, const struct signal_row *row)
{
    static const char *const ON_MISSING[] = {"skip", "score", "deny"};
    buf_printf(out, "  " STR_FMT ": {evidence: %.3f, half_life: %us, cap: %.3f", STR_ARG(row->id),
               between(0, 12), (unsigned)(1 + below(one_in(3) ? 30 : 1000000)), between(0.5, 20));
    if (row->builtin.on_missing != MISSING_CANNOT) {
        buf_printf(out, ", on_missing: %s, missing_evidence: %.3f", ON_MISSING[below(3)], between(0, 5));
    }
    for (size_t i = 0; one_in(2) && i < SIGNAL_PARAMS && row->params[i].name != NULL; i++) {
        const struct signal_param *param = &row->params[i];
        double most = param->most < 1000 ? (double)param->most : 1000;
        buf_printf(out, ", %s: %.3f", param->name, between((double)param->least, most));
    }
    buf_str(out, STR("}\n"));
}

// NULL: what was drawn does not go together.
static inline const struct risk_model *read_model(struct buf *text)
{
    struct source *source = ARENA_NEW(&LASTING, struct source);
    struct conf_doc *docs = NULL;
    const struct risk_model *model = NULL;
    size_t count = 0;
    struct diags diags;
    diags_init(&diags, 8);
    *source = (struct source){STR("risk.yaml"), arena_str(&LASTING, buf_view(text), NULL)};
    cr_assert_eq(conf_parse(source, &LASTING, &diags, &docs, &count), PDP_ERR_OK);
    enum pdp_err err =
        risk_model_read(docs, count, NULL, STRENGTHS, COUNT_OF(STRENGTHS), &LASTING, &diags, &model);
    diags_fini(&diags);
    return err == PDP_ERR_OK ? model : NULL;
}

static inline bool make_model(size_t index)
{
    AUTO(buf_fini) struct buf text = {0}, paced = {0};
    double prior = floor(between(-8, 1) * 1000) / 1000;
    buf_printf(&text,
               "apiVersion: pdp/v1\nkind: RiskModel\nmetadata: {name: m}\nprior: %.3f\n"
               "calibration: {a: %.3f, b: %.3f}\nthresholds: {medium: %.3f, high: %.3f, critical: %.3f}\n"
               "strengths: {mfa: %.3f, phishing-resistant: %.3f}\nsignals:\n",
               prior, between(0.3, 2), between(-2, 2), between(1, 30), between(31, 60), between(61, 99),
               between(0, 10), between(0, 10));
    buf_str(&paced, buf_view(&text));
    for (size_t i = 0; i < SIGNAL_COUNT; i++) {
        size_t from = text.len;
        bool external = str_eq(SIGNALS[i].id, STR("external")); // always, and some know all
        if (external || index % 4 == 1 || !one_in(5)) {
            put_signal(&text, &SIGNALS[i]);
        }
        if (!str_eq(SIGNALS[i].id, STR("request-rate"))) {
            buf_str(&paced, str_sub(buf_view(&text), from, text.len - from));
        }
    }
    MADE[index] = (struct made){read_model(&text), prior};
    PACED[index] = (struct made){read_model(&paced), prior};
    return MADE[index].model != NULL && PACED[index].model != NULL;
}

static inline void make_models(void)
{
    struct diags diags;
    seed_now = 20261127;
    arena_init(&LASTING, 1 << 16, 0);
    diags_init(&diags, 1);
    MADE[0].prior = -3.4;
    cr_assert_eq(
        risk_model_read(NULL, 0, NULL, STRENGTHS, COUNT_OF(STRENGTHS), &LASTING, &diags, &MADE[0].model),
        PDP_ERR_OK);
    diags_fini(&diags);
    PACED[0] = MADE[0];
    for (size_t i = 1; i < MODELS; i++) {
        bool made = false;
        for (int tries = 0; !made && tries < 100; tries++) {
            made = make_model(i);
        }
        cr_assert(made, "model %zu", i);
    }
    PACED[0] = PACED[1];
}

#endif
