// SPDX-License-Identifier: Apache-2.0
// Small mistakes that somebody might make in a policy folder, as edits of its text: what tests should notice.
#ifndef CLI_TEST_MUTANT_H
#define CLI_TEST_MUTANT_H

#include "cli/test/parsed.h"

// X(name, what kind of test notices it)
#define MUTANT_OP_LIST(X)                                                                                 \
    X(RULE, "a test in which this rule decides")                                                          \
    X(PART, "a test in which this part alone settles the condition: it does not hold, and the rest does") \
    X(ELSE, "a test in which this part alone settles the condition: it holds, and the rest does not")     \
    X(WHOLE, "a test in which this condition is no, and all else holds")                                  \
    X(NEGATE, "a test in which this part is yes, or no, and that settles the answer")                     \
    X(EDGE, "a test with the very value at the edge")                                                     \
    X(COMPARE, "a test in which this comparison settles the answer")                                      \
    X(THRESHOLD, "two tests, right below the threshold and right above it")                               \
    X(LEVEL, "a test with the level, or the proof, in between")                                           \
    X(ENTRY, "a test with this very entry")                                                               \
    X(ALTERNATIVE, "a test with a text that this alternative alone matches")                              \
    X(ANCHOR, "a test with a text that goes on there, and must not match")                                \
    X(REPEAT, "a test with a text that has none of what is repeated, and must not match")                 \
    X(CLASS, "a test with a text that holds the very character at the end of this class")                 \
    X(TEXT, "a test with a text that has all of this but that character, and must not count")             \
    X(HOURS, "two tests, in the last minute outside these hours and in the first inside")                 \
    X(DAY, "two tests, on the last day outside these days and on the first inside")                       \
    X(EFFECT, "a test that expects the effect where this rule alone decides; of a terminate, in "         \
              "a session that was seen before")                                                           \
    X(AGE, "a test with a proof that is too old, by less than `max_age` again")                           \
    X(STRENGTH, "a test with the weaker proof, which is not enough")                                      \
    X(NEVER, "a test in which an exception would lift this rule")                                         \
    X(EXPIRES, "a test within a year after the end")                                                      \
    X(STARTS, "a test within a year before the beginning")                                                \
    X(PATTERN, "a test with what this action or pattern alone matches")                                   \
    X(PATH, "a test with a resource that one of these two patterns matches, and the other one does not")  \
    X(ANY, "a test with another action or resource, for which the rule must not count")                   \
    X(COMBINE, "a test in which two rules of this policy hold, or none that allows")                      \
    X(LIMIT, "a scenario that stays away for longer than the limit, and less than twice as long")         \
    X(SCORE, "a scenario whose score lies within a point of the threshold")

enum mutant_op {
#define X(name, test) MUTANT_##name,
    MUTANT_OP_LIST(X)
#undef X
    MUTANT_OP_COUNT
};
const char *mutant_op_test(enum mutant_op op);

struct mutant_edit { // bytes of the file that are replaced
    uint32_t at, len;
    struct str text;
};

struct mutant {
    enum mutant_op op;
    uint32_t file;
    uint32_t edit_count;
    struct mutant_edit edits[2]; // in the order of the file, without overlap
    struct place place;          // what is changed, for people
    struct str what;             // "`>=` becomes `>`"
    struct str owner;            // `policy/rule`, or the document's name
    bool rule;                   // it is a rule
    bool printed; // snapshot_print tells all that it can change: where that is the same, so is the meaning
};

struct mutants {
    struct parsed parsed;
    const struct mutant *list; // by file and place
    size_t count;
};

// All of a folder that compiles. Nothing of what is in shadow: no test can tell. `files` must live as long;
// *out is the caller's to give back, also on failure: NOMEM, or the first mistake of a file.
MUST_USE enum pdp_err mutants_find(const struct snapshot_file *files, size_t count, struct mutants *out);
void mutants_fini(struct mutants *mutants);
// The file's whole text with the edits done; `out` failed where memory is out.
void mutant_apply(const struct mutants *mutants, const struct mutant *mutant, struct buf *out);
// The lines that the edits touch, whole, without the last line feed; as they are, or as they become. *line is
// the number of the first.
void mutant_lines(const struct mutants *mutants, const struct mutant *mutant, bool after, struct buf *out,
                  uint32_t *line);

#endif
