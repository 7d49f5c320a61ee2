// SPDX-License-Identifier: Apache-2.0
// Do two conditions of two programs mean the same? By their graphs, in which names are resolved, variables
// inlined and constants folded: what is equal there is equal for every question.
#ifndef CLI_CHANGE_SAME_H
#define CLI_CHANGE_SAME_H

#include "base/hash.h"
#include "cel/program.h"

#define SAME_ATOMS_MOST 8 // of a table of truths
#define SAME_NO_EXPR UINT32_MAX

// Hashes of the nodes of a sealed program, each computed once. The order of what is joined by && and || does
// not count.
struct same {
    const struct cel_program *program;
    struct hash128 *hashes;
    bool *known;
};

MUST_USE enum pdp_err same_init(struct same *same, const struct cel_program *program);
void same_fini(struct same *same);
// Of no expression at all (SAME_NO_EXPR) the hash is zero.
struct hash128 same_hash(struct same *same, uint32_t expr);

// The text of a pattern or a window, as it is interned: of a window zone, newline, hours.
struct str same_pattern(const struct cel_program *program, const struct node *node);

// Equal graphs, or the same truth for whatever their atoms are (yes, no, unsure), where those are few. false
// may still be the same. No expression is always yes.
bool same_truth(struct same *a, uint32_t a_expr, struct same *b, uint32_t b_expr);

#endif
