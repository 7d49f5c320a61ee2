// SPDX-License-Identifier: Apache-2.0
// What came of a run of tests, kept: for people, TAP, JUnit.
#ifndef CLI_TEST_REPORT_H
#define CLI_TEST_REPORT_H

#include "cli/test/suite.h"

struct report_signal {
    struct str id, because;
    double evidence;
};

// One answer that was not as expected.
struct report_failure {
    const struct suite_play *play;
    const struct suite_miss *misses;
    size_t miss_count;
    // Of a question, what explains it.
    bool question, has_risk;
    struct str effect, code, rules, missing, require, exceptions, level;
    double score;
    const struct report_signal *signals; // where risk or signals were expected otherwise; else none
    size_t signal_count;
};

// A case, a cell, or a step with all its repetitions.
struct report_point {
    const struct suite_doc *doc;
    const struct suite_play *play;         // the first
    uint32_t claims;                       // expectations, repetitions counted
    const struct report_failure *failures; // the first few
    size_t failure_count;
    size_t more; // plays of the step that failed besides
};

struct report {
    struct arena arena;
    struct report_point *points; // in the order of documents
    size_t point_count;
    size_t failed; // points
    size_t claims;
};

// Plays what `filter` wants: documents with a name that holds it, and cases; NULL: all. report_fini whatever
// comes back.
MUST_USE enum pdp_err report_run(struct suite_runner *runner, const struct suite *suite, const char *filter,
                                 struct report *out);
void report_fini(struct report *report);

// `case `hr reads payroll``, `step `work`, 3 of 20`, `step 4`.
void report_name(const struct suite_play *play, enum suite_kind kind, struct buf *out);
// The same without a turn and without marks: `hr reads payroll`, `step 4`.
struct str report_title(const struct report_point *point, struct arena *arena);
// What was expected and what came of one failure, line by line with `indent` in front of each.
void report_failure_print(const struct suite_doc *doc, const struct report_failure *failure,
                          const char *indent, struct buf *out);
// The key of a claim, a signal's with its name: `signals new-network`.
void report_key(const struct suite_claim *claim, struct buf *out);
// `file:line:column`.
void report_place(struct place place, struct buf *out);

void report_people(const struct report *report, struct buf *out);
void report_tap(const struct report *report, struct buf *out);
void report_junit(const struct report *report, struct buf *out);

#endif
