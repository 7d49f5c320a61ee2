// SPDX-License-Identifier: Apache-2.0
// One decision taken apart: what was looked at, with what it was found to be.
#ifndef CLI_EXPLAIN_ACCOUNT_H
#define CLI_EXPLAIN_ACCOUNT_H

#include "cli/explain/change.h"
#include "policy/conditions.h"

#include "wire/wire.h"

// An attribute that a condition reads.
struct account_read {
    struct str path;
    uint32_t slot;      // UINT32_MAX: the time
    struct value value; // an ERROR: missing, or of another type
};

struct account_condition {
    uint32_t depth;
    enum cel_part_op op;
    enum truth truth;
    struct str text; // as written; of a variable `vars.name`, and below it what it stands for
    struct str why;  // of an atom that is unsure
    const struct account_read *reads; // of an atom
    uint32_t read_count;
};

struct account_conditions {
    const struct account_condition *list;
    size_t count;
};

struct account_proof {
    bool asked;
    struct str strength;
    int64_t max_age_s, until_ms; // until: where proved; INT64_MAX: for good
    bool proved;
};

// Why a rule is not looked at, or is no whatever its conditions are.
enum account_why {
    ACCOUNT_JUDGED,
    ACCOUNT_EARLIER,     // first-match: another rule came before
    ACCOUNT_NOT_STARTED, // `starts`
    ACCOUNT_EXPIRED,     // `expires`
    ACCOUNT_NOT_DRAWN,   // of a rollout, or in shadow
    ACCOUNT_WHYS
};
extern const char *const ACCOUNT_WHY_WORDS[ACCOUNT_WHYS]; // NULL: nothing to say

struct account_rule {
    const struct set_rule *rule;
    enum truth truth;
    enum account_why why;
    enum combine_outcome outcome; // what it passed on
    bool decides;
    struct str why_unsure;    // of actions and resources that the question does not say
    const struct str *lifted; // exceptions that lift it
    size_t lifted_count;
    struct account_proof proof;
    struct account_conditions when;
};

struct account_policy {
    const struct set_policy *policy;
    enum truth target;
    struct account_conditions conditions;
    const struct account_rule *rules;
    size_t rule_count;
    size_t elsewhere; // rules about other actions or resources
};

struct account_exception {
    struct str name;
    enum truth truth; // of its condition
    bool expired, lifted, may;
    struct account_proof proof;
    struct account_conditions when;
};

// One signal of the ledger, and what would be without it.
struct account_signal {
    struct str id, because;
    double evidence, share; // share: of the score, in points
    double score;           // without it
    enum risk_level level;
    enum pdp_effect effect;
};

struct account {
    const struct verdict *verdict;
    bool judged; // else the session or the engine decided, and there is no more than the verdict
    const struct snapshot_parts *parts;
    const struct watched *seen;
    const struct account_policy *policies;
    size_t policy_count, left_out, left_out_rules; // of policies that are not about the question
    const struct account_exception *exceptions;
    size_t exception_count;
    bool has_risk;
    double prior, log_odds, score;
    enum risk_level level;
    double thresholds[RISK_LEVEL_COUNT - 1];
    const struct account_signal *signals;
    size_t signal_count;
    bool same; // what-if begins where the decision ended; else no change is proposed
    struct changes changes;
};

// Takes a decision apart while it is watched. `wish`: effects that a change is looked for, 0: see
// change_wish. Everything lives in `arena` or as long as it is watched. false: memory is out.
MUST_USE bool account_make(const struct watched *seen, unsigned wish, struct arena *arena,
                           struct account *out);
// The same where policies were not asked: the verdict alone.
void account_of_verdict(const struct verdict *verdict, struct account *out);
// Conditions of one owner, with what they are in the frame as it was begun.
void account_tree(struct whatif_world *world, enum policy_owner owner, struct str name, struct str policy,
                  struct arena *arena, struct account_conditions *out);

void account_people(const struct account *account, struct buf *out);
void account_json(const struct account *account, struct emit *emit);
// The changes alone, a line each.
void account_changes(const struct account *account, struct buf *out);
// The value of an attribute as people read it: levels and strengths by name, what is sensitive masked.
void account_value(const struct snapshot_parts *parts, uint32_t slot, const struct value *value,
                   struct buf *out);
// `15m`, `1h30m`.
void account_age(struct buf *out, int64_t seconds);
const char *account_truth(enum truth truth); // `yes`, `no`, `unsure`
// What nothing about a question changes, by code; NULL: policies decided.
const char *account_final(enum pdp_code code);

#endif
