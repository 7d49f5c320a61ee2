// SPDX-License-Identifier: Apache-2.0
// A folder's tests played against each mistake that somebody might make in it, until one of them notices.
#ifndef CLI_TEST_MUTATE_H
#define CLI_TEST_MUTATE_H

#include "cli/test/cover.h"
#include "cli/test/mutant.h"
#include "cli/test/suite.h"
#include "lint/lint.h"

enum mutate_fate {
    MUTATE_UNTRIED,
    MUTATE_NOTICED,
    MUTATE_SURVIVED,
    MUTATE_ACCEPTED, // it survived, and a comment says why that is right
    MUTATE_SAME,     // it means the same
    MUTATE_BROKEN,   // it does not compile
    MUTATE_FATES
};

struct mutate {
    struct mutants mutants;
    enum mutate_fate *fates; // of each
    enum lint_code *idle;    // of each: what lint says of its rule; NULL: was not asked
    size_t counts[MUTATE_FATES];
    size_t plays; // questions and events that were played in all
};

struct mutate_order {
    const char *dir;             // files that documents name are read from there
    struct snapshot_input input; // of the folder; without its reader
    const struct suite *suite;   // which passes
    struct suite_runner *runner; // of the folder, watched by
    struct cover *cover;
    size_t threads; // at least 1
    bool thorough;  // all tests are played against each: for a test of which can notice
};

// *out is to be given back on failure too: NOMEM, a mistake of a file, or STATE where a test fails as it is.
// Costs a compilation a mistake, and the plays until one notices: those that come near the rule first, and
// none that cannot.
MUST_USE enum pdp_err mutate_run(const struct mutate_order *order, struct mutate *out);
// Asks lint which rules it proves to be without effect, so that nobody is sent to look for a test of those.
// NOMEM, or a file that can no longer be read.
MUST_USE enum pdp_err mutate_lint(const struct mutate_order *order, struct mutate *mutate);
void mutate_fini(struct mutate *mutate);
// How many there were, then each survivor: its place, the line as it is and as it would be, what would notice
// it.
void mutate_print(const struct mutate *mutate, struct buf *out);

// `# pdp:mutant-ok REASON` behind a line, or on lines of its own above it, accepts what survives there.
struct mutate_mark {
    size_t at;         // of `pdp:mutant-ok` in the file
    struct str reason; // empty: it has none, and accepts nothing
};
// false: there is no such comment.
bool mutate_marked(struct place place, struct mutate_mark *out);
// The next one at or behind a byte, wherever it stands.
bool mutate_next_mark(struct str text, size_t from, struct mutate_mark *out);

#endif
