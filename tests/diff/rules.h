// SPDX-License-Identifier: Apache-2.0
// A random rule set: as YAML for the engine, and as it was meant for the plain evaluation.
#ifndef TESTS_DIFF_RULES_H
#define TESTS_DIFF_RULES_H

#include "diff/gen.h"
#include "diff/herd.h"
#include "diff/plain.h"
#include "policy/policy.h"

enum {
    RULES_POLICIES = 4,
    RULES_MAX = 12, // a policy
    RULES_VARS = 3,
    RULES_KEYS = 2,
    RULES_EXCEPTIONS = 2,
    RULES_FOLDERS = 4,
    RULES_FILES = RULES_FOLDERS + RULES_POLICIES + RULES_EXCEPTIONS + 1,
    RULES_TENANTS = 2
};

// For whom a policy or rule holds.
enum rules_hold {
    RULES_EVERYBODY,
    RULES_SHADOW,      // nobody, but in shadow
    RULES_NOBODY,      // a rollout to nobody, the rest off
    RULES_ALL,         // a rollout to everybody
    RULES_SOME,        // a rollout to some: nobody says who asks
    RULES_SOME_SHADOW, // the same, the rest in shadow
    RULES_HOLD_COUNT
};

struct rules_rule {
    enum pdp_effect effect;
    enum rules_hold hold;
    const char *actions[RULES_KEYS], *resources[RULES_KEYS]; // none: any
    size_t action_count, resource_count;
    const struct tree *when; // NULL: always
    uint32_t strength;
    int64_t max_age_s;
    int64_t starts_ms, expires_ms;
    bool never_lifted;
};

struct rules_exception {
    uint32_t folder;
    bool all;
    uint32_t policy, rule;   // that it names, where not all
    const struct tree *when; // NULL: always
    bool has_require;
    uint32_t strength;
    int64_t expires_ms;
};

// What a Scope says of a folder; folders stand in one another by RULES_PARENTS.
struct rules_scope {
    bool there;
    const struct tree *target; // NULL: any
    const char *tenants[RULES_TENANTS];
    size_t tenant_count; // 0: all
};
extern const int RULES_PARENTS[RULES_FOLDERS]; // -1: none
struct rules;
// Is the folder below the innermost scope of the folder `of`, or is there none?
bool rules_below(const struct rules *rules, uint32_t folder, uint32_t of);

struct rules_policy {
    uint32_t folder;
    uint32_t algorithm; // by RULES_ALGORITHMS
    enum rules_hold hold;
    const struct tree *target;
    struct plain_var vars[RULES_VARS];
    size_t var_count;
    struct rules_rule rules[RULES_MAX];
    uint32_t rule_count;
};

struct rules {
    struct rules_policy policies[RULES_POLICIES];
    uint32_t policy_count;
    struct rules_exception exceptions[RULES_EXCEPTIONS];
    uint32_t exception_count;
    struct rules_scope scopes[RULES_FOLDERS];
    struct {
        char name[32];
        size_t from; // in the text; up to the next
    } files[RULES_FILES];
    size_t file_count;
    struct herd herd; // what many of its rules test
    struct arena *arena;
    bool failed; // the interpreter did not read a condition
};

enum {
    RULES_RESTRICTIVE,
    RULES_FIRST,
    RULES_DENY,
    RULES_ALGORITHM_COUNT
};

void rules_write(struct rules *rules, struct chance *chance, struct arena *arena, struct buf *yaml);

// The verdict by semantics/composition.py, from every rule.
struct rules_verdict {
    enum pdp_effect effect;
    struct {
        uint32_t policy, rule; // rule_count of the policy: the deny that deny-unless-allow adds
    } rules[RULES_POLICIES * (RULES_MAX + 1)];
    size_t rule_count; // that decided
    bool has_require;
    uint32_t require_strength;
    int64_t require_max_age_s;
};
void rules_judge(const struct rules *rules, const struct world *world, struct arena *arena, struct str action,
                 struct str path, struct rules_verdict *out);

#endif
