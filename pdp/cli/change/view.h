// SPDX-License-Identifier: Apache-2.0
// What an answer decides, whether it came as a verdict or as bytes: so that two can be compared.
#ifndef CLI_CHANGE_VIEW_H
#define CLI_CHANGE_VIEW_H

#include "base/arena.h"
#include "model/verdict.h"
#include "wire/wire.h"

// Texts are borrowed from the verdict or the answer.
struct view {
    struct str effect; // of an event: `recorded` or `refused`
    struct str code, rule;
    struct str strength; // what a step_up requires
    int64_t max_age_s;
    bool has_risk;
    double score;
    struct str level;
    struct str why;     // its reason, else its message, else the first thing that is missing
    struct str session; // its reference; empty: none
    bool over;          // the session has ended
};

void view_of_verdict(const struct verdict *verdict, struct view *out);
// Of an answer's tree: a question's, or an event's.
void view_of_answer(const struct value *answer, struct view *out);
// Do they decide the same: effect, code, rule and what is required? Risk and words are not looked at.
bool view_same(const struct view *a, const struct view *b);
// Copies its texts into the arena.
struct view view_copy(struct arena *arena, const struct view *view);

// `deny    web/closed, risk 41.2 medium: payroll is closed`
void view_show(const struct view *view, struct buf *out);
void view_emit(const struct view *view, struct emit *emit);

#endif
