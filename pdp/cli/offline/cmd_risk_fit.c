// SPDX-License-Identifier: Apache-2.0
#include "cli/admin/gather.h"

#include "base/fmath.h"
#include "risk/fit.h"

#include <stdio.h>
#include <stdlib.h>

// A pair, and how right scores are without and with it.
struct fitted {
    struct gather gather;
    struct measure_point *points;
    size_t count;
    struct fit fit;
    struct measure_fit before, after;
    bool known; // of the pair that the scores were made with
    double was_a, was_b;
};

static const double ASKED_SCORES[] = {10, 20, 30, 40, 50, 60, 70, 80, 85, 90, 95, 99};

static const struct {
    enum fit_note note;
    const char *name, *words, *hint;
} NOTES[] = {
    {FIT_THIN, "thin", "there are fewer than 50 attacks, or fewer than 50 others, among the labels",
     "the pair is a guess that more labels may turn over"},
    {FIT_SEPARABLE, "separable", "one score parts all attacks from all others",
     "how steep the pair is comes from how many labels there are: such labels are often made from the score"},
    {FIT_BACKWARDS, "backwards", "attacks do not score higher than others: `a` is held at its least",
     "are the labels the right way round? 1 and true are an attack"},
    {FIT_HELD, "held", "the best pair is beyond what a RiskModel takes, and is held at the bound", NULL},
    {FIT_UNSETTLED, "unsettled", "the pair did not settle in 100 steps", NULL},
};

// ---- Fitting -----------------------------------------------------------------------------------

static double to_4(double x)
{
    double scaled = x * 1e4;
    return (double)(int64_t)(scaled < 0 ? scaled - 0.5 : scaled + 0.5) / 1e4;
}

static double logit(double score)
{
    return fmath_log(score / (100 - score));
}

// The pair that the answers' scores were made with, read off the two that are farthest apart.
static void find_was(struct fitted *f)
{
    const struct traffic_question *least = NULL, *most = NULL;
    for (size_t i = 0; i < f->gather.count; i++) {
        const struct traffic_question *q = &f->gather.list[i];
        if (q->score > 0.0001 && q->score < 99.9999) {
            least = least == NULL || q->log_odds < least->log_odds ? q : least;
            most = most == NULL || q->log_odds > most->log_odds ? q : most;
        }
    }
    f->known = least != NULL && most->log_odds > least->log_odds + 0.01;
    if (f->known) {
        f->was_a = (logit(most->score) - logit(least->score)) / (most->log_odds - least->log_odds);
        f->was_b = logit(least->score) - f->was_a * least->log_odds;
    }
}

static void measure(struct fitted *f, bool after, struct measure_fit *out)
{
    size_t at = 0;
    for (size_t i = 0; i < f->gather.count; i++) {
        const struct traffic_question *q = &f->gather.list[i];
        if (q->known) {
            double value = after ? q->log_odds : q->score / 100;
            f->points[at++] = (struct measure_point){value, q->attack};
        }
    }
    if (after) {
        fit_apply(&f->fit, f->points, f->count);
    }
    measure_chances(f->points, f->count, out);
}

static int fit(struct fitted *f)
{
    for (size_t i = 0; i < f->gather.count; i++) {
        f->count += f->gather.list[i].known;
    }
    f->points = calloc(f->count + 1, sizeof *f->points);
    if (f->points == NULL) {
        return cli_bad(NULL, "out of memory");
    }
    size_t at = 0;
    for (size_t i = 0; i < f->gather.count; i++) {
        const struct traffic_question *q = &f->gather.list[i];
        if (q->known) {
            f->points[at++] = (struct measure_point){q->log_odds, q->attack};
        }
    }
    enum pdp_err err = fit_platt(f->points, f->count, &f->fit);
    if (f->count == 0) {
        return cli_bad("a label names the line of a question, counted from 1, or its `request_id`",
                       "no label fits a question that was scored");
    }
    if (err == PDP_ERR_MISSING) {
        return cli_bad("a pair is fitted to what parts them: both kinds are needed",
                       "all %zu labelled questions are %s", f->count,
                       f->fit.attacks > 0 ? "attacks" : "no attacks");
    }
    if (err != PDP_ERR_OK) {
        return cli_bad("no pair can part what scores the same",
                       "all %zu labelled questions have the same "
                       "log-odds",
                       f->count);
    }
    f->fit.a = to_4(f->fit.a); // as it is pasted
    f->fit.b = to_4(f->fit.b);
    measure(f, false, &f->before);
    measure(f, true, &f->after);
    find_was(f);
    return CLI_DONE;
}

static double score_now(const struct fitted *f, double was)
{
    return 100 * fmath_sigmoid(f->fit.a * (logit(was) - f->was_b) / f->was_a + f->fit.b);
}

static void say_notes(const struct fitted *f)
{
    for (size_t i = 0; i < COUNT_OF(NOTES); i++) {
        if ((f->fit.notes & (unsigned)NOTES[i].note) != 0) {
            (void)cli_bad(NOTES[i].hint, "%s", NOTES[i].words);
        }
    }
}

// ---- For people --------------------------------------------------------------------------------

static void put_half(struct buf *out, const struct measure_bin *bin)
{
    if (bin->count == 0) {
        buf_printf(out, "  %8s %8s %9s", "-", "-", "0");
    } else {
        buf_printf(out, "  %7.2f%% %7.2f%% %9zu", 100 * bin->said,
                   100 * (double)bin->attacks / (double)bin->count, bin->count);
    }
}

static void put_bins(struct buf *out, const struct fitted *f)
{
    buf_printf(out, "%-10s  %26s   %26s\n", "", "BEFORE                ", "AFTER                 ");
    buf_printf(out, "%-10s  %8s %8s %9s  %8s %8s %9s\n", "SCORE", "SAID", "SEEN", "COUNT", "SAID", "SEEN",
               "COUNT");
    for (size_t i = 0; i < MEASURE_BINS; i++) {
        const struct measure_bin *before = &f->before.bins[i], *after = &f->after.bins[i];
        if (before->count == 0 && after->count == 0) {
            continue;
        }
        buf_printf(out, "%3zu to %-3zu", i * 100 / MEASURE_BINS, (i + 1) * 100 / MEASURE_BINS);
        put_half(out, before);
        put_half(out, after);
        buf_byte(out, '\n');
    }
}

static void put_people(struct buf *out, const struct fitted *f)
{
    buf_printf(out, "%zu questions are labelled: %zu attacks, %zu others\n\n", f->count, f->fit.attacks,
               f->fit.others);
    put_bins(out, f);
    buf_printf(out, "\n%-20s %10s %10s\n", "", "BEFORE", "AFTER");
    buf_printf(out, "%-20s %9.2f%% %9.2f%%\n", "calibration error", 100 * f->before.gap, 100 * f->after.gap);
    buf_printf(out, "%-20s %10.5f %10.5f\n", "log loss", f->before.log_loss, f->after.log_loss);
    buf_printf(out, "%-20s %10.5f %10.5f\n", "Brier score", f->before.brier, f->after.brier);
    if (f->known) {
        buf_printf(out, "\na score that was");
        for (size_t i = 0; i < COUNT_OF(ASKED_SCORES); i++) {
            buf_printf(out, " %5.0f", ASKED_SCORES[i]);
        }
        buf_printf(out, "\nwill be         ");
        for (size_t i = 0; i < COUNT_OF(ASKED_SCORES); i++) {
            buf_printf(out, " %5.1f", score_now(f, ASKED_SCORES[i]));
        }
        buf_byte(out, '\n');
    }
    buf_printf(out,
               "\nfor the RiskModel, whose thresholds are scores and change their meaning with it:\n\n"
               "calibration: {a: %.4f, b: %.4f}\n",
               f->fit.a, f->fit.b);
}

// ---- For programs ------------------------------------------------------------------------------

static void emit_measure(struct emit *emit, const char *key, const struct measure_fit *measure)
{
    emit_key(emit, str_of(key));
    emit_map(emit, SIZE_MAX);
    emit_key_double(emit, "calibration_error", measure->gap);
    emit_key_double(emit, "log_loss", measure->log_loss);
    emit_key_double(emit, "brier", measure->brier);
    emit_key(emit, STR("bins"));
    emit_list(emit, MEASURE_BINS);
    for (size_t i = 0; i < MEASURE_BINS; i++) {
        const struct measure_bin *bin = &measure->bins[i];
        emit_map(emit, SIZE_MAX);
        emit_key_int(emit, "from", (int64_t)(i * 100 / MEASURE_BINS));
        emit_key_int(emit, "to", (int64_t)((i + 1) * 100 / MEASURE_BINS));
        emit_key_int(emit, "count", (int64_t)bin->count);
        emit_key_int(emit, "attacks", (int64_t)bin->attacks);
        emit_key_double(emit, "said", bin->said);
        emit_key_double(emit, "seen", bin->count > 0 ? (double)bin->attacks / (double)bin->count : 0);
        emit_end(emit);
    }
    emit_end(emit);
    emit_end(emit);
}

static void put_json(struct buf *out, const struct fitted *f)
{
    struct emit emit;
    emit_init(&emit, WIRE_JSON, out);
    emit_map(&emit, SIZE_MAX);
    emit_key(&emit, STR("calibration"));
    emit_map(&emit, 2);
    emit_key_double(&emit, "a", f->fit.a);
    emit_key_double(&emit, "b", f->fit.b);
    emit_end(&emit);
    emit_key(&emit, STR("notes"));
    emit_list(&emit, SIZE_MAX);
    for (size_t i = 0; i < COUNT_OF(NOTES); i++) {
        if ((f->fit.notes & (unsigned)NOTES[i].note) != 0) {
            emit_str(&emit, str_of(NOTES[i].name));
        }
    }
    emit_end(&emit);
    emit_key_int(&emit, "attacks", (int64_t)f->fit.attacks);
    emit_key_int(&emit, "others", (int64_t)f->fit.others);
    if (f->known) {
        emit_key(&emit, STR("was"));
        emit_map(&emit, 2);
        emit_key_double(&emit, "a", to_4(f->was_a));
        emit_key_double(&emit, "b", to_4(f->was_b));
        emit_end(&emit);
    }
    emit_measure(&emit, "before", &f->before);
    emit_measure(&emit, "after", &f->after);
    emit_end(&emit);
    buf_byte(out, '\n');
}

int cmd_risk_fit(const struct cli_args *args)
{
    static struct fitted fitted;
    struct buf out = {0};
    if (args->labels == NULL) {
        return cli_bad(
            "lines of {\"line\": 7, \"label\": 1}, or a CSV with the columns `line` or `request_id`, and "
            "`label`",
            "`--labels FILE` is missing");
    }
    int code = gather_run(args, &fitted.gather);
    code = code == CLI_DONE ? fit(&fitted) : code;
    if (code == CLI_DONE) {
        gather_say_left(args, &fitted.gather);
        say_notes(&fitted);
        if (args->json) {
            put_json(&out, &fitted);
        } else {
            put_people(&out, &fitted);
        }
        code = cli_write(&out, CLI_DONE);
    }
    buf_fini(&out);
    free(fitted.points);
    gather_fini(&fitted.gather);
    return code;
}
