// SPDX-License-Identifier: Apache-2.0
// Two policy folders compared: what changed in meaning, and a question for each change that shows it.
#ifndef CLI_CHANGE_DIFF_H
#define CLI_CHANGE_DIFF_H

#include "cli/change/search.h"

struct diff {
    struct arena arena; // of examples
    struct side was, is;
    struct changes changes;
    struct example *examples; // of each change
    uint64_t tries;
};

// Compares; both snapshots must outlive it. Conditions are shown as written where they were built with
// `conditions`. diff_fini in any case.
MUST_USE enum pdp_err diff_find(const struct snapshot *was, const struct snapshot *is, struct diff *out);
// Looks for the examples. Bounded.
MUST_USE enum pdp_err diff_search(struct diff *diff, const struct snapshot *was, const struct snapshot *is);
void diff_fini(struct diff *diff);
// Does no answer carry what changed?
bool diff_is_beside(const struct change *change);
// Is it known that no question is answered differently? That none was found says nothing.
bool diff_is_same(const struct diff *diff);

void diff_show(const struct diff *diff, struct buf *out);
void diff_emit(const struct diff *diff, struct buf *out);

#endif
