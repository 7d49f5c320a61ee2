// SPDX-License-Identifier: Apache-2.0
// Comparisons that no score, level or hard evidence settles otherwise, by what the risk model can come to.
#include "lint/graph.h"
#include "lint/inner.h"

#include "risk/model.h"

enum {
    EFFORT = 200
};

static bool impossible(struct reason *reason, uint32_t expr, unsigned may)
{
    struct reason_mark mark = reason_mark(reason);
    reason_assume(reason, expr, may);
    bool refuted = reason_refuted(reason, EFFORT);
    reason_undo(reason, mark);
    return refuted;
}

// ---- Signals ------------------------------------------------------------------------------------------

// The first signal that it asks for by name; empty: none.
static struct str signal_in(struct lint *l, uint32_t id)
{
    struct str name = {0};
    const struct node *node = &l->program->nodes[id & ~NODE_OPTIONAL];
    if (!lint_first(l, id & ~NODE_OPTIONAL) || graph_signal(l->program, node, &name)) {
        return name;
    }
    struct graph_operands operands;
    graph_operands(l->program, node, &operands);
    for (uint32_t i = 0; i < operands.count && name.len == 0; i++) {
        name = signal_in(l, operands.at[i]);
    }
    return name;
}

static void say_no_signal(struct lint *l, size_t at, struct str signal)
{
    struct lint_finding *found =
        lint_add(l, LINT_SCORE, l->conditions[at].place, "the risk model has no signal `" STR_FMT "`",
                 STR_ARG(lint_shown(l, signal)));
    lint_hint(l, found, "it is never there: correct the name, or have the risk model see it");
    l->dead[at] = true;
}

// ---- Scores -------------------------------------------------------------------------------------------

static void say_score(struct lint *l, size_t at, struct str signal, bool never)
{
    const struct policy_condition *part = &l->conditions[at];
    struct str text = lint_shown(l, part->text);
    double most = 0;
    struct lint_finding *found = NULL;
    if (signal.len > 0 && model_signal_most(l->in->risk, signal, &most)) {
        found = lint_add(l, LINT_SCORE, part->place,
                         "`" STR_FMT "` is never %s: the signal `" STR_FMT "` counts for %.1f at most",
                         STR_ARG(text), never ? "true" : "false", STR_ARG(signal), most);
        lint_hint(
            l, found,
            most > 0
                ? "compare with less, or raise its `cap` in the risk model"
                : "the risk model leaves it out, or has it reassure alone: name it there, or take this out");
    } else {
        found = lint_add(l, LINT_SCORE, part->place,
                         "`" STR_FMT
                         "` is never %s: all signals of the risk model come to a score of %.1f at most",
                         STR_ARG(text), never ? "true" : "false", model_most(l->in->risk));
        lint_hint(l, found,
                  "compare with less, or let the risk model see more: name more signals, or raise a `cap`");
    }
    l->dead[at] = true;
}

void find_scores(struct lint *l)
{
    for (size_t i = 0; l->scored != NULL && i < l->condition_count; i++) {
        const struct policy_condition *part = &l->conditions[i];
        if (part->op != CEL_PART_ATOM || !part->truth || !lint_reads(l, part->expr, "risk")) {
            continue;
        }
        double most = 0;
        lint_walk(l);
        struct str signal = signal_in(l, part->expr);
        if (signal.len > 0 && !model_signal_most(l->in->risk, signal, &most)) {
            say_no_signal(l, i, signal);
            continue;
        }
        bool never_yes = impossible(l->scored, part->expr, MAY_YES),
             never_no = impossible(l->scored, part->expr, MAY_NO);
        if (never_yes && !impossible(l->reason, part->expr, MAY_YES)) {
            say_score(l, i, signal, true);
        } else if (never_no && !impossible(l->reason, part->expr, MAY_NO)) {
            say_score(l, i, signal, false);
        }
    }
}
