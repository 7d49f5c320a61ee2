// SPDX-License-Identifier: Apache-2.0
// The ledger without some of its signals, as the risk model would have added it up (RISK.md, "The sum").
#include "cli/explain/whatif.h"

#include "base/fmath.h"
#include "risk/model.h"

#include <math.h>

static const double BESIDE = 0.25; // of suspicion that only says again what a stronger one says

struct line {
    const struct signal_row *row;
    double evidence; // as it was counted
    double left;     // suspicion by itself; 0: it reassures
    double calm;     // reassurance by itself, of the context in hand
    bool dropped;
};
struct ledger {
    struct line lines[VERDICT_SIGNALS_MAX];
    size_t count;
    double log_odds, hard; // once it was added up
};

static const struct signal_row *row_of(const struct risk_model *model, struct str id)
{
    for (size_t row = 0; row < model->count; row++) {
        if (str_eq(model_row(model, row)->id, id)) {
            return model_row(model, row);
        }
    }
    return &SIGNALS[SIGNAL_OTHER_SESSIONS]; // cannot be: the model made the ledger
}

static bool is_hard(const struct line *line)
{
    return line->row->kind != SIGNAL_FAMILIARITY;
}

// What the session itself shows; a proof is no suspicion.
static bool is_shown(const struct line *line)
{
    return line->row->kind == SIGNAL_SESSION && line->evidence > 0;
}

// The strongest of a group by what `value` gives, of what is hard or of what is not; NULL: there is none.
static struct line *strongest(struct ledger *ledger, enum signal_group group, bool hard,
                              double (*value)(const struct line *line))
{
    struct line *first = NULL;
    for (size_t i = 0; i < ledger->count; i++) {
        struct line *line = &ledger->lines[i];
        bool counts = !line->dropped && line->row->group == group && is_hard(line) == hard && value(line) > 0;
        first = counts && (first == NULL || value(line) > value(first)) ? line : first;
    }
    return first;
}

static double evidence_of(const struct line *line)
{
    return line->evidence;
}

static double left_of(const struct line *line)
{
    return line->left;
}

// ---- From what was counted to what each was by itself --------------------------------------------

static void read_group(struct ledger *ledger, enum signal_group group)
{
    const struct line *hard = strongest(ledger, group, true, evidence_of);
    const struct line *soft = strongest(ledger, group, false, evidence_of);
    double most = hard != NULL ? hard->evidence : 0;
    for (size_t i = 0; i < ledger->count; i++) {
        struct line *line = &ledger->lines[i];
        if (line->row->group != group || !(line->evidence > 0)) {
            continue;
        }
        bool beyond = line == soft && (hard == NULL || line->evidence > BESIDE * most);
        line->left = line == hard ? line->evidence
                     : beyond     ? line->evidence + (1 - BESIDE) * most
                                  : line->evidence / BESIDE;
    }
}

static void read_ledger(const struct whatif_world *world, struct ledger *ledger)
{
    const struct risk_result *risk = world->seen->risk;
    double shown = 0;
    *ledger = (struct ledger){.count = 0};
    for (size_t i = 0; i < risk->signal_count && i < VERDICT_SIGNALS_MAX; i++) {
        struct line *line = &ledger->lines[ledger->count++];
        line->row = row_of(world->parts.risk, risk->signals[i].id);
        line->evidence = risk->signals[i].evidence;
        line->left = fmax(line->evidence, 0);
        shown += is_shown(line) ? line->evidence : 0;
    }
    for (int group = GROUP_NONE + 1; group < SIGNAL_GROUPS; group++) {
        read_group(ledger, (enum signal_group)group);
    }
    for (size_t i = 0; i < ledger->count; i++) {
        struct line *line = &ledger->lines[i];
        line->calm = line->row->calms && line->evidence < 0 ? -line->evidence * (1 + shown / 2) : 0;
    }
}

// ---- And back, without those that are dropped -----------------------------------------------------

static double counted(struct ledger *ledger, const struct line *line)
{
    const struct line *hard = strongest(ledger, line->row->group, true, left_of);
    const struct line *soft = strongest(ledger, line->row->group, false, left_of);
    double most = hard != NULL ? hard->left : 0;
    if (line->left <= 0 || line->row->group == GROUP_NONE || line == hard) {
        return line->left;
    }
    return line == soft && line->left > most ? line->left - (1 - BESIDE) * most : line->left * BESIDE;
}

static void add_up(const struct whatif_world *world, struct ledger *ledger)
{
    double shown = 0;
    ledger->log_odds = world->parts.risk->prior;
    for (size_t i = 0; i < ledger->count; i++) {
        const struct line *line = &ledger->lines[i];
        shown += is_shown(line) && !line->dropped ? counted(ledger, line) : 0;
    }
    for (size_t i = 0; i < ledger->count; i++) {
        const struct line *line = &ledger->lines[i];
        double part = line->evidence > 0 ? counted(ledger, line)
                      : line->calm > 0   ? -line->calm / (1 + shown / 2)
                                         : line->evidence;
        ledger->log_odds += line->dropped ? 0 : part;
        ledger->hard += line->dropped || !is_hard(line) ? 0 : part;
    }
}

double whatif_score(const struct risk_model *model, double log_odds)
{
    return 100 * fmath_sigmoid(model->scale * log_odds + model->shift);
}

static void conclude(const struct whatif_world *world, double log_odds, struct whatif *out)
{
    out->score = whatif_score(world->parts.risk, log_odds);
    out->level = risk_level_of(world->parts.risk, out->score);
}

void whatif_without(const struct whatif_world *world, size_t signal, struct whatif *out)
{
    struct ledger ledger;
    read_ledger(world, &ledger);
    ledger.lines[signal].dropped = true;
    add_up(world, &ledger);
    *out = (struct whatif){
        .kind = WHATIF_RISK, .without = world->seen->risk->signals[signal].id, .hard = ledger.hard};
    conclude(world, ledger.log_odds, out);
}

// What the session's own signals had found is forgotten, and of proofs the stronger counts.
void whatif_proved(const struct whatif_world *world, uint32_t strength, struct whatif *out)
{
    const struct risk_model *model = world->parts.risk;
    double taken = strength < model->proof_count ? model->proofs[strength] : 0;
    struct ledger ledger;
    taken = fmin(taken, model->rules[SIGNAL_STEP_UP_PASSED].cap);
    read_ledger(world, &ledger);
    for (size_t i = 0; i < ledger.count; i++) {
        struct line *line = &ledger.lines[i];
        line->dropped = line->row->kind == SIGNAL_SESSION;
        taken = line->row == &SIGNALS[SIGNAL_STEP_UP_PASSED] ? fmax(taken, -line->evidence) : taken;
    }
    add_up(world, &ledger);
    *out = (struct whatif){.kind = WHATIF_PROOF, .strength = strength, .hard = ledger.hard - taken};
    conclude(world, ledger.log_odds - taken, out);
}
