// SPDX-License-Identifier: Apache-2.0
// Which attributes conditions test, and which other values of them could turn a test.
//
// Values come from the tests themselves: a constant that is compared with, the value just across a bound, an
// element that a list has to hold, a List document, a beginning, an end. What is computed in any other way
// (elements of `exists`, results of `replace`) is not tried.
#ifndef CLI_EXPLAIN_OPTIONS_H
#define CLI_EXPLAIN_OPTIONS_H

#include "cli/explain/whatif.h"
#include "cli/values.h"

#define OPTIONS_ATTRIBUTES_MOST 64 // bits of a mask
#define OPTIONS_MOST 64            // of one attribute
#define OPTIONS_TESTS_MOST 24      // likewise
#define OPTIONS_ELEMENTS_MOST 3    // that one change puts into a list, or takes out
#define OPTIONS_BUT_MOST 4         // values that "any but" leaves out

// How a change is told. X(name, words before the value, name for programs)
#define OPTION_SAY_LIST(X)                                 \
    X(IS, "were", "is")                                    \
    X(ABOVE, "were above", "above")                        \
    X(AT_LEAST, "were at least", "at_least")               \
    X(BELOW, "were below", "below")                        \
    X(AT_MOST, "were at most", "at_most")                  \
    X(OTHER, "were any but", "other_than")                 \
    X(ELEMENTS, "held", "holds")                           \
    X(EMPTY, "were given and empty", "empty")              \
    X(MEMBER, "were in", "in_lists")                       \
    X(STARTS, "began with", "starts_with")                 \
    X(ENDS, "ended with", "ends_with")                     \
    X(PART, "held the text", "contains")                   \
    X(NOT_STARTS, "did not begin with", "not_starts_with") \
    X(NOT_ENDS, "did not end with", "not_ends_with")       \
    X(NOT_PART, "did not hold the text", "not_contains")   \
    X(FOR_ONE, "were", "for_one")                          \
    X(INSIDE, "were inside", "inside")                     \
    X(OUTSIDE, "were outside", "outside")                  \
    X(GIVEN, "were given", "given")                        \
    X(MISSING, "were left out", "left_out")                \
    X(AT, "", "at")                                        \
    X(STEP_UP, "", "step_up")

enum option_say {
#define X(name, words, id) OPTION_##name,
    OPTION_SAY_LIST(X)
#undef X
    OPTION_SAYS
};

// More of the same that is said behind `and`.
struct option_also {
    enum option_say say;
    struct value than;
};

// A List document that holds the value, or does not.
struct option_member {
    uint32_t set; // the declaration's id
    bool holds;
};
#define OPTIONS_MEMBERS_MOST 4

struct option {
    struct whatif to;
    enum option_say say;
    struct value than;         // what the words name
    enum option_say until_say; // BELOW, AT_MOST: where what begins at `than` ends; else it has no end
    struct value until;
    struct value but[OPTIONS_BUT_MOST]; // OTHER: besides `than`
    uint32_t but_count;
    bool made_up;                              // `to` is a value that nothing names
    struct option_also also[OPTIONS_BUT_MOST]; // NOT_…: what has to hold besides
    uint32_t also_count;
    struct value elements[OPTIONS_ELEMENTS_MOST];
    bool adds[OPTIONS_ELEMENTS_MOST];
    uint32_t element_count;
    struct option_member members[OPTIONS_MEMBERS_MOST]; // MEMBER
    uint32_t member_count;
    bool assumes; // STEP_UP: told in another way it would give another effect
    double size;  // the smaller, the sooner it is proposed: docs/EXPLAIN.md
};

enum test_kind {
    TEST_TRUTH,
    TEST_IS,    // ==, !=, among constants
    TEST_BOUND, // <, <=, >, >=
    TEST_HAS,   // the list holds it
    TEST_SET,   // it is in a List document
    TEST_THERE,
    TEST_STARTS,
    TEST_ENDS,
    TEST_PART,
    TEST_INSIDE, // of a network
    TEST_AT,     // a time at which something turns
};

struct option_test {
    enum test_kind kind;
    struct value value;
    uint32_t set;
};

// A value that stands for all which tests do not tell from it.
struct sample {
    struct value value;
    bool made_up;
};

struct attribute {
    struct str path;
    enum whatif_kind kind;
    uint32_t slot; // one that reads it; UINT32_MAX: none
    enum cel_type type;
    bool who;        // says who asks, or for what: another value is another question
    struct value is; // an ERROR: missing, or of another type
    struct option_test tests[OPTIONS_TESTS_MOST];
    uint32_t test_count;
    struct sample *samples; // of one that is looked up in List documents
    uint32_t sample_count;
    struct option *options;
    uint32_t option_count;
};

struct options {
    struct whatif_world *world;
    struct arena *arena;
    struct attribute *list;
    uint32_t count;
    uint32_t *stamps, stamp; // of nodes that a walk has seen
    uint8_t *marked, *reads; // OPTIONS_… of nodes, and of slots
    bool listed;             // patterns of resources were met, which are no tests
    bool cut;                // there was more than is kept
};

// How conditions read a slot besides by tests that are known.
enum {
    OPTIONS_OPAQUE = 1,     // in a way that nothing is known of
    OPTIONS_JOINED = 2,     // beside another attribute: where its tests turn depends on that
    OPTIONS_JOINED_NOW = 4, // likewise, the time
};
// Those of all slots that an attribute is read by.
unsigned options_reads(const struct options *options, const struct attribute *at);

MUST_USE bool options_init(struct options *options, struct whatif_world *world, struct arena *arena);
// Notes what an expression tests. The bits of its attributes, by their numbers.
uint64_t options_walk(struct options *options, uint32_t expr);
// The same of what stands beside expressions: a text that an attribute is compared with, a requirement, a
// time.
uint64_t options_text(struct options *options, struct str path, struct str text);
uint64_t options_proof(struct options *options, uint32_t strength);
uint64_t options_time(struct options *options, int64_t at_ms);
// Makes the options of all attributes out of their tests; once, after all walks.
void options_make(struct options *options);

// The value at a bound of an attribute (side 0), just below it (-1) or just above (1), of the attribute's
// kind. false: there is none.
bool options_near(const struct options *options, const struct attribute *at, const struct value *bound,
                  int side, struct value *out);
// Is it looked up in a List document? Is a value in one, for certain?
bool options_listed(const struct attribute *at);
bool options_in_list(const struct options *options, uint32_t set, const struct value *value);
// The first address behind a network; false: there is none.
bool options_behind(const struct cidr *network, struct ip *out);
// Is it a time that is never after now?
bool options_is_past(const struct attribute *at);
// From 0 to 1: of numbers by a share of the larger; of times in days; of levels and strengths in steps.
double options_distance(const struct value *a, const struct value *b);

#endif
