// SPDX-License-Identifier: Apache-2.0
// What the finders share.
#ifndef LINT_INNER_H
#define LINT_INNER_H

#include "cel/program.h"
#include "cel/regex.h"
#include "lint/lint.h"
#include "lint/reason.h"
#include "policy/conditions.h"
#include "policy/table.h"

#define LINT_NONE UINT32_MAX

// Where a rule stands, and its parts; `document` NULL: nobody wrote it (the end of deny-unless-allow).
struct lint_rule {
    const struct conf_node *document, *rule;
    uint32_t when; // its condition in the list; LINT_NONE: it has none
};

struct lint {
    const struct lint_input *in;
    struct lint_findings *out;
    const struct cel_program *program;
    const struct policy_set *set;
    struct arena arena;
    const struct conf_doc *docs;
    size_t doc_count;
    const struct policy_condition *conditions;
    size_t condition_count;
    bool *dead;              // conditions of which something was said already
    struct lint_rule *rules; // by number
    uint32_t *targets;       // the condition of each policy's target
    struct reason *reason;   // without what the risk model says of scores
    struct reason *scored;   // with it; NULL: nothing is known
    uint32_t *stamps;        // of each node: the walk that was there last, so that none is there twice
    uint32_t stamp;
    enum pdp_err err;         // memory is out
    struct lint_finding lost; // then
};

struct lint_finding *lint_add(struct lint *l, enum lint_code code, struct place place, const char *fmt, ...)
    PRINTF_LIKE(4, 5);
void lint_hint(struct lint *l, struct lint_finding *finding, const char *fmt, ...) PRINTF_LIKE(3, 4);
void *lint_array(struct lint *l, size_t count, size_t bytes); // zeroed; NULL with memory noted
// Text for a message: escaped, cut.
struct str lint_shown(struct lint *l, struct str text);
const char *lint_effect_does(enum pdp_effect effect); // "denies"

// Where it is written: by a key of the rule, or else its id; a document's key, or else its name.
struct place lint_rule_place(const struct lint *l, uint32_t rule, const char *key);
struct place lint_doc_place(const struct conf_node *root, const char *key);
bool lint_is_kind(const struct conf_doc *doc, const char *kind);
struct str lint_doc_name(const struct conf_doc *doc);
// The first child of a condition, and the next one of the same parent; LINT_NONE: no more.
uint32_t lint_child(const struct lint *l, uint32_t condition);
uint32_t lint_next(const struct lint *l, uint32_t condition);
// What the Scopes of its folder leave to a session policy, by its target's condition; SET_NO_EXPR: all.
uint32_t lint_session_scope(const struct lint *l, uint32_t condition);
// Does the expression read the attribute, or one under it?
bool lint_reads(const struct lint *l, uint32_t expr, const char *path);
bool lint_rule_reads(const struct lint *l, uint32_t rule, const char *path); // its target counts

static inline const struct set_policy *lint_policy_of(const struct lint *l, const struct set_rule *rule)
{
    return &l->set->policies[rule->policy];
}

// Begins a walk over the graph; lint_first says whether the node is met for the first time in it.
static inline void lint_walk(struct lint *l)
{
    l->stamp++;
}

static inline bool lint_first(struct lint *l, uint32_t node)
{
    bool first = l->stamps[node] != l->stamp;
    l->stamps[node] = l->stamp;
    return first;
}

// All of a rule: target, actions, resources and condition.
void lint_assume_rule(struct lint *l, struct reason *reason, uint32_t rule, unsigned may);

// The finders.
void find_parts(struct lint *l);
void find_scores(struct lint *l);
void find_paths(struct lint *l);
void find_covered(struct lint *l);
void find_lacking(struct lint *l);
void find_patterns(struct lint *l);
void find_clocks(struct lint *l);
void find_unused(struct lint *l);
void find_step_ups(struct lint *l);
void find_by_hand(struct lint *l);
void find_unfamiliar(struct lint *l);
void find_endless(struct lint *l);
void find_expired(struct lint *l);
void find_anybody(struct lint *l);
// After all others: takes out what comments silence.
void silence_all(struct lint *l);

#endif
