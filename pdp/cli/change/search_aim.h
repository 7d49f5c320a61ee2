// SPDX-License-Identifier: Apache-2.0
// What the parts of aiming share; for search_aim.c and search_aim_state.c. Each fills the trial.
#ifndef CLI_CHANGE_SEARCH_AIM_H
#define CLI_CHANGE_SEARCH_AIM_H

#include "cli/change/search.h"

// A side on which the change's thing is there, drawn.
size_t search_choose(struct searcher *searcher);
// One of the rules that were found to read what changed, on a side; CHANGE_NONE: none does.
uint32_t search_root(struct searcher *searcher, size_t which);
// What a rule of the solver's side needs to hold, or not; nothing for CHANGE_NONE.
void search_aim_rule(struct solver *solver, uint32_t number, bool yes);
// The same of one that reads what changed, most often with something that allows.
void search_aim_root(struct searcher *searcher, struct trial *trial, size_t which, struct solver *solver);

// search_aim_state.c: one kind of change each.
void search_aim_counter(struct searcher *searcher, struct trial *trial);
void search_aim_session(struct searcher *searcher, struct trial *trial);
void search_aim_risk(struct searcher *searcher, struct trial *trial);
void search_aim_signal(struct searcher *searcher, struct trial *trial);
void search_aim_zone(struct searcher *searcher, struct trial *trial);

#endif
