// SPDX-License-Identifier: Apache-2.0
// Two engines that hear the same, as if nobody had ever asked them before.
#ifndef CLI_CHANGE_TWIN_H
#define CLI_CHANGE_TWIN_H

#include "cli/change/trial.h"
#include "cli/change/view.h"
#include "engine/engine.h"

// How far apart two answers are.
enum twin_grade {
    TWIN_SAME,
    TWIN_WORDS,   // message, reason, what is missing, score
    TWIN_RULES,   // other rules or exceptions decide
    TWIN_DEMANDS, // another code, requirement or obligation
    TWIN_EFFECT,  // another effect; of an event, whether it was recorded
};
const char *twin_word(enum twin_grade grade);

#define TWIN_RULES_KEPT 8
// How the last question was answered; names are the snapshot's.
struct twin_last {
    enum pdp_effect effect;
    struct str rules[TWIN_RULES_KEPT];
    size_t rule_count;
};

struct twin {
    struct engine *was, *is;
    struct worker *was_worker, *is_worker;
    struct peer peer;
    struct arena arena; // of answers to events
    struct buf line, was_answer, is_answer;
    struct twin_last was_last, is_last;
    const struct snapshot *was_whole, *is_whole; // borrowed
    struct geo_set *geo;                         // of the places that serve; NULL: the snapshots' own
    struct buf places;                           // as they were given
    uint64_t asked;                              // steps, of all plays
};

MUST_USE enum pdp_err twin_init(struct twin *twin, const struct snapshot *was, const struct snapshot *is);
void twin_fini(struct twin *twin);

// From now on databases say this of places: a map of networks to facts, as in a Test. Empty: what they said.
// NOMEM, or what is wrong with the text; then they say what they said before.
MUST_USE enum pdp_err twin_places(struct twin *twin, struct str places);

// Are two answers about what is looked at? NULL verdicts: the step was an event.
struct twin_wish {
    bool (*about)(void *user, const struct verdict *was, const struct verdict *is);
    void *user;
};

struct twin_found {
    enum twin_grade grade;
    bool about; // as twin_wish says
    size_t step;
    struct view was, is; // texts are in the arena that twin_play was given
    const char *apart;   // the first thing that differs: `obligations`
};
// Forgets everything, plays the steps in both, and tells the first of those that are furthest apart; of them
// one that is about what is looked at. A failure counts as the same.
void twin_play(struct twin *twin, const struct trial_step *steps, size_t count, const struct twin_wish *wish,
               struct arena *arena, struct twin_found *out);
// The same once more, of lines of text, by which a question is asked in earnest: is the last one answered so
// differently as `found` has it?
bool twin_confirm(struct twin *twin, const struct trial_step *steps, size_t count,
                  const struct twin_found *found);

#endif
