// SPDX-License-Identifier: Apache-2.0
// The inside of a policy set: what was read, as the matcher wants it.
#ifndef POLICY_SET_H
#define POLICY_SET_H

#include "policy/combine.h"
#include "policy/entities.h"
#include "policy/glob.h"
#include "policy/lists.h"
#include "policy/policy.h"
#include "policy/roles.h"

#define SET_NO_EXPR UINT32_MAX
#define SET_NO_ROLLOUT UINT32_MAX
#define SET_STRENGTHS_MAX 64
#define SET_RULES_MAX (4u << 20)

struct set_rule {
    struct str name; // `policy/rule`
    uint32_t policy;
    uint32_t when;    // SET_NO_EXPR: nothing to ask
    uint32_t rollout; // SET_NO_ROLLOUT: for everybody
    enum pdp_effect effect;
    bool closing; // the deny that deny-unless-allow adds, after all rules of its policy
    bool ends_subject, never_lifted, has_require, audit_always;
    bool timed; // else it starts and expires never
    uint32_t strength;
    int64_t max_age_s;
    int64_t starts_ms, expires_ms;
    const struct str *actions;    // none: any
    const struct glob *resources; // none: any
    uint32_t action_count, resource_count;
    const uint32_t *obligations; // numbers in the set
    uint32_t obligation_count;
    struct str reason, message;
};

// What holds for the documents of a folder.
#define SET_NO_SCOPE UINT32_MAX
struct set_scope {
    struct str name;
    struct str folder;   // with the slash at its end
    uint32_t parent;     // the one that it stands in; SET_NO_SCOPE: none
    uint32_t own, whole; // target and tenants, of it alone and with all that it stands in; SET_NO_EXPR: any
    uint32_t effects;    // a bit each
};

struct set_policy {
    struct str name;
    uint32_t scope; // innermost; SET_NO_SCOPE: none
    enum combine_algorithm algorithm;
    uint32_t target;  // SET_NO_EXPR: any
    uint32_t rollout; // SET_NO_ROLLOUT: for everybody
};

// For which share of those whom it is about a policy or a rule holds. Shadow is a share of none.
#define SET_ROLLOUT_ALL 1000000u // a share is out of so many
struct set_rollout {
    uint64_t draw; // of the name: another name draws others
    enum policy_by by;
    uint32_t share;
    bool shadows; // the rest is judged in shadow
};

struct set_strength {
    struct str name;
    uint32_t proves;
    const struct str *acr;
    size_t acr_count;
};

// Lifts restrictions while it is certainly true, proved and not expired.
struct set_exception {
    struct str name;
    uint32_t when; // SET_NO_EXPR: nothing to ask
    bool has_require;
    uint32_t strength;
    int64_t max_age_s, expires_ms;
    const uint32_t *obligations;
    uint32_t obligation_count;
};

struct set_numbers {
    const uint32_t *at;
    uint32_t count;
};

struct index;
struct policy_condition;

struct policy_set {
    struct arena *arena;
    const struct cel_program *program;
    struct hash_key seed;
    struct set_rule *rules;
    struct set_policy *policies;
    struct set_strength *strengths;
    struct verdict_obligation *obligations; // each once
    uint32_t rule_count, policy_count, list_count, strength_count, obligation_count;
    struct set_exception *exceptions;
    uint32_t exception_count;
    struct set_numbers lift_all; // exceptions that lift every restriction
    struct set_numbers *lifts;   // exceptions that name a rule, by its number; NULL: there are no exceptions
    struct set_scope *scopes;    // by folder: outer ones first
    uint32_t scope_count;
    struct table scope_folders; // numbers of scopes
    size_t scope_top;           // bytes of the folder that all documents share
    struct roles roles;         // that bring others along
    struct set_rollout *rollouts;
    uint32_t rollout_count;
    struct entities entities;
    struct policy_counter *counters; // by the number of their names
    uint32_t counter_count;
    struct policy_condition *conditions; // as they are written; NULL: they were not kept
    size_t condition_count, condition_cap;
    bool untargeted;         // a policy has no target: NO_POLICY cannot be
    struct index *by_rule;   // rules by what they test
    struct index *by_target; // policies by what their target tests
};

#endif
