// SPDX-License-Identifier: Apache-2.0
// Looks for a question that two policies answer differently because of one change: made by what the changed
// parts test, asked in both. Bounded; the same in every run.
#ifndef CLI_CHANGE_SEARCH_H
#define CLI_CHANGE_SEARCH_H

#include "cli/change/compare.h"
#include "cli/change/solve.h"
#include "cli/change/twin.h"

struct example {
    enum twin_grade grade; // TWIN_SAME: none was found
    bool others;           // other changes decide in it as well
    struct trial_step *steps;
    size_t count;      // the last is the one that is answered differently
    struct str places; // that databases have to say for it; empty: nothing
    struct view was, is;
    const char *apart; // the first thing in which they differ
    uint32_t tries;
    bool unread; // no condition reads what changed: there is nothing to look for
};

struct searcher {
    struct side *was, *is;
    const struct changes *changes;
    struct twin twin;
    struct arena arena; // of one try
    struct arena *kept; // of examples
    struct luck luck;
    uint32_t tries; // a change at most
    const struct change *change;
    uint32_t *roots[2]; // conditions that read what changed: rules of a side, by number
    uint32_t root_count[2];
};

MUST_USE enum pdp_err searcher_init(struct searcher *searcher, struct side *was, struct side *is,
                                    const struct snapshot *was_snapshot, const struct snapshot *is_snapshot,
                                    const struct changes *changes, uint32_t tries, struct arena *kept);
void searcher_fini(struct searcher *searcher);
void search_example(struct searcher *searcher, const struct change *change, struct example *out);

// search_aim.c: fills a trial with what a change of this kind is about.
void search_aim(struct searcher *searcher, struct trial *trial);
// Of the old side (0) and of the new one: itself, the number of what changed there, and a solver over it.
struct side *search_side(const struct searcher *searcher, size_t which);
uint32_t search_number(const struct change *change, size_t which);
struct solver search_solver(struct searcher *searcher, struct trial *trial, size_t which);
// Something that allows, so that what restricts shows. Its actions and paths only where nothing else said
// one.
void search_allow(struct solver *solver);
void search_prove(struct solver *solver, uint32_t strength, bool yes);

// search_way.c: what stood in the way in the last play is made to hold no longer, or something to allow;
// false: nothing did.
bool search_repair(struct searcher *searcher, struct trial *trial);
// Rules of the side that read what changed; all of which anything can be told where nothing narrower is
// known.
void search_roots(struct searcher *searcher);
// Does anything at all read the list, role or counter that changed? Of any other change: true.
bool search_reads(const struct searcher *searcher);

#endif
