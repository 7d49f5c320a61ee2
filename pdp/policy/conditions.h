// SPDX-License-Identifier: Apache-2.0
// Conditions as they stand in documents, beside the program that they compile to: for coverage, explanations,
// findings and editors. A snapshot that serves keeps none of this.
#ifndef POLICY_CONDITIONS_H
#define POLICY_CONDITIONS_H

#include "cel/parts.h"
#include "policy/policy.h"

// X(name, word for people)
#define POLICY_OWNER_LIST(X)     \
    X(RULE, "rule")              \
    X(TARGET, "target")          \
    X(VARIABLE, "variable")      \
    X(EXCEPTION, "exception")    \
    X(SCOPE, "scope")            \
    X(STRENGTH, "strength")      \
    X(COUNTER, "counter")        \
    X(SESSION, "session policy") \
    X(SIGNAL, "signal")

enum policy_owner {
#define X(name, word) POLICY_OWNER_##name,
    POLICY_OWNER_LIST(X)
#undef X
    POLICY_OWNER_COUNT
};
const char *policy_owner_word(enum policy_owner owner);

// One node of a tree. `all`, `any` and `not` of documents, and `&&`, `||` and `!` within expressions, are
// told alike. What the compiler adds (targets of Scopes, hard evidence of a terminate) is in none.
struct policy_condition {
    enum cel_part_op op;
    enum policy_owner owner;
    // `policy/rule`; of a target its policy; else of the document, the variable, the level, the signal
    struct str name;
    struct str
        policy;      // the policy that a rule, target or variable stands in; empty: none, such as Definitions
    uint32_t expr;   // of the program, for cel_truth and cel_run; once it is sealed its node in the graph
    uint32_t parent; // in the list; UINT32_MAX: the whole condition
    bool truth;      // it is a bool, or can be; false: a variable or key of another type
    struct str text; // of an expression as it is written; of a list in the document its key: `all`, `tenants`
    struct place place; // lives as long as the files and diagnostics of the build
};

// In the order of the documents, but for those that were added behind them, each before those within it;
// *count 0 where the set was built without
// policy_names.conditions.
const struct policy_condition *policy_conditions(const struct policy_set *set, size_t *count);

// Adds an expression of a document that is read beside the set, with its parts. It was added to the program,
// which is the set's, without a mistake, and reads no variables.
MUST_USE enum pdp_err policy_conditions_add(struct policy_set *set, struct cel_program *program,
                                            enum policy_owner owner, struct str name,
                                            const struct conf_node *node);

#endif
