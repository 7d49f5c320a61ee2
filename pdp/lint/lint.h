// SPDX-License-Identifier: Apache-2.0
// Findings over policies that compile: what can never hold, changes nothing, or is likely not what was meant.
//
// What is called impossible or without difference is so for every question, but for one that runs out of
// steps or memory (lint/reason.h); what cannot be told in bounded work is not called anything.
#ifndef LINT_LINT_H
#define LINT_LINT_H

#include "base/diag.h"
#include "policy/policy.h"
#include "policy/schema.h"
#include "risk/risk.h"

// Codes are for good: one that is no longer found is not given to something else. Each has a page,
// docs/lint/CODE.md.
// X(name, code, word, severity, one line)
#define LINT_LIST(X)                                                                                        \
    X(UNREACHABLE, "L01", "unreachable-rule", WARNING, "a rule can never hold, or never decides anything")  \
    X(SHADOWED, "L02", "shadowed-rule", WARNING,                                                            \
      "a rule changes no answer: another one always holds with it")                                         \
    X(ALWAYS_TRUE, "L03", "always-true", WARNING, "a condition, or a part of one, is never false")          \
    X(ALWAYS_FALSE, "L04", "always-false", WARNING, "a condition, or a part of one, is never true")         \
    X(SCORE, "L05", "score-out-of-reach", WARNING, "no question has such a score, by the risk model")       \
    X(LACKING, "L06", "unsure-without", NOTE,                                                               \
      "a restriction is unsure without an attribute that gateways often lack")                              \
    X(PATTERN, "L07", "slow-pattern", WARNING, "a text makes a pattern take too long, and the rule unsure") \
    X(CLOCK, "L08", "raw-clock", NOTE, "how the time is read makes answers that nobody may keep")           \
    X(UNUSED, "L09", "never-used", NOTE, "a list, variable, counter or strength is never used")             \
    X(STEP_UP, "L10", "step-up-in-vain", WARNING,                                                           \
      "nobody can prove what a step_up requires, or nobody is asked for it")                                \
    X(BY_HAND, "L11", "proof-by-hand", NOTE,                                                                \
      "an allow tests acr or amr instead of a step_up that asks for a strength")                            \
    X(UNFAMILIAR, "L12", "terminate-on-unfamiliar", WARNING,                                                \
      "a terminate stands on what is merely unfamiliar")                                                    \
    X(ENDLESS, "L13", "endless-exception", NOTE,                                                            \
      "an exception lifts everything, or expires in more than a year")                                      \
    X(ANYBODY, "L14", "allow-anybody", NOTE, "an allow says nothing of who asks")                           \
    X(PATH, "L15", "path-never-so", WARNING, "a path is compared with a text that no path is")              \
    X(SILENCE, "L16", "needless-silence", WARNING, "a silence names no finding, or gives no reason")        \
    X(EXPIRED, "L17", "expired", NOTE, "a rule or an exception has expired, and does nothing any more")

enum lint_code {
#define X(name, code, word, severity, line) LINT_##name,
    LINT_LIST(X)
#undef X
    LINT_COUNT
};

// WARNING: likely a mistake. NOTE: a choice that should be one.
enum lint_severity {
    LINT_SEVERITY_WARNING,
    LINT_SEVERITY_NOTE
};
struct lint_row {
    struct str code, word;
    enum lint_severity severity;
    const char *line;
};
extern const struct lint_row LINT_ROWS[LINT_COUNT];
// By its code or its word; LINT_COUNT: none.
enum lint_code lint_code_of(struct str name);

struct lint_input {
    const struct source *sources; // the folder's documents, by name
    size_t source_count;
    const struct conf_doc *docs; // what they hold, where that was parsed already; NULL: it is parsed
    size_t doc_count;
    const struct cel_program *program; // sealed
    const struct policy_set *set;      // with conditions kept (policy/conditions.h)
    const struct policy_lists *lists;
    const struct policy_names *names;
    const struct policy_schema *schema; // NULL: none
    const struct risk_model *risk;      // NULL: nothing is known of scores
    int64_t now_ms;
};

struct lint_finding {
    enum lint_code code;
    struct place place; // in one of the input's sources
    struct str message, hint;
    // Of rules: number in the set, and of the other one that is spoken of; UINT32_MAX: none.
    uint32_t rule, other;
    uint32_t condition; // of the set's conditions, where it is about one; UINT32_MAX
};

struct lint_findings {
    struct arena arena;
    struct lint_finding *list; // by file and place
    size_t count, cap;
    size_t silenced; // findings that comments silence; they are not in the list
};

void lint_findings_init(struct lint_findings *findings);
void lint_findings_fini(struct lint_findings *findings);

// Everything that is found. Pure; work is bounded by the rules: of each, 64 others are compared with it at
// most, by 600 steps each. NOMEM; what was found until then stays. *findings must be fresh.
MUST_USE enum pdp_err lint_run(const struct lint_input *input, struct lint_findings *findings);

// As `diag_render`: the message ends in its code and word.
void lint_render(const struct lint_findings *findings, struct buf *out);

#endif
