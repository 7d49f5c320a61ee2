// SPDX-License-Identifier: Apache-2.0
// Comparisons that no score, level or hard evidence settles otherwise, by what the risk model can come to.
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

static void say_score(struct lint *l, size_t at, bool never)
{
    const struct policy_condition *part = &l->conditions[at];
    struct lint_finding *found =
        lint_add(l, LINT_SCORE, part->place,
                 "`" STR_FMT "` is never %s: all signals of the risk model come to a score of %.1f at most",
                 STR_ARG(lint_shown(l, part->text)), never ? "true" : "false", model_most(l->in->risk));
    lint_hint(l, found,
              "compare with less, or let the risk model see more: name more signals, or raise a `cap`");
    l->dead[at] = true;
}

void find_scores(struct lint *l)
{
    for (size_t i = 0; l->scored != NULL && i < l->condition_count; i++) {
        const struct policy_condition *part = &l->conditions[i];
        if (part->op != CEL_PART_ATOM || !part->truth || !lint_reads(l, part->expr, "risk")) {
            continue;
        }
        bool never_yes = impossible(l->scored, part->expr, MAY_YES),
             never_no = impossible(l->scored, part->expr, MAY_NO);
        if (never_yes && !impossible(l->reason, part->expr, MAY_YES)) {
            say_score(l, i, true);
        } else if (never_no && !impossible(l->reason, part->expr, MAY_NO)) {
            say_score(l, i, false);
        }
    }
}
