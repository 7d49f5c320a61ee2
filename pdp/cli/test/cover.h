// SPDX-License-Identifier: Apache-2.0
// What tests have seen of a policy folder: rules that held, and both outcomes of each condition.
//
// A rule held where its target, actions, resources and `when` held for certain, within its times, and where a
// first-match policy had not passed on an earlier one; that an exception lifts it, or that its step_up is
// proved, makes no difference. A condition counts where it can matter: one of a rule where its policy's
// target, its actions and its resources hold; a variable of a policy where its target holds; the target of a
// session policy at each question of a session, also where the session alone decided; a rollout where all
// else holds of what it is about; all others always. A rollout that is for everybody or nobody (shadow) has
// no two outcomes, and is none.
#ifndef CLI_TEST_COVER_H
#define CLI_TEST_COVER_H

#include "engine/watch.h"
#include "policy/conditions.h"

struct cover;

enum cover_constant {
    COVER_VARIES,
    COVER_ALWAYS_YES,
    COVER_ALWAYS_NO,
    COVER_ALWAYS_UNSURE
};

enum cover_kind {
    COVER_CONDITION,
    COVER_ACTIONS,
    COVER_RESOURCES,
    COVER_ROLLOUT // of a rule, or of a policy, whose owner is its TARGET
};

// One thing that has two outcomes.
struct cover_point {
    enum cover_kind kind;
    enum policy_owner owner;
    struct str name, text; // of the owner; as it is written
    struct place place;
    uint32_t expr;                // of CONDITION
    uint32_t policy, rule;        // within which it counts; UINT32_MAX: any
    enum cover_constant constant; // what it is made of can give one value only
    uint64_t yes, no, unsure;
};

struct cover_rule {
    struct str name;
    struct place place; // of its id
    uint64_t held, unsure;
};

struct cover_share {
    size_t seen, all;
};

// `snapshot` was built with conditions; it, `files` and the diags of its build must live as long. *out NULL
// on failure.
MUST_USE enum pdp_err cover_new(const struct snapshot *snapshot, const struct snapshot_file *files,
                                size_t file_count, struct cover **out);
void cover_free(struct cover **cover);
// For worker_watch: of a worker that runs this snapshot, or one that shares its base.
const struct watch *cover_watch(const struct cover *cover);

// How near questions came to a rule: nothing that only its `when` says can change an answer where it was not
// near, and nothing that only its effect says where it was not touched.
enum cover_reach {
    COVER_TOUCHED, // its condition held, or may have
    COVER_NEAR,    // all but its `when` held, or may have
    COVER_REACHES
};
// Since they were forgotten last, a bit a rule: cover_rule_words for each of COVER_REACHES.
const uint64_t *cover_reached(const struct cover *cover);
size_t cover_rule_words(const struct cover *cover);
void cover_forget_reached(struct cover *cover);

// Those that somebody wrote, and conditions, by file and place.
const struct cover_rule *cover_rules(const struct cover *cover, size_t *count);
const struct cover_point *cover_points(const struct cover *cover, size_t *count);
// Two outcomes a condition, but for those that can have one only.
void cover_shares(const struct cover *cover, struct cover_share *rules, struct cover_share *outcomes);
// The number of a rule; UINT32_MAX: none is called so.
uint32_t cover_rule_number(const struct cover *cover, struct str name);

// For people; and as a tracefile of lcov.
void cover_print(const struct cover *cover, struct buf *out);
void cover_lcov(const struct cover *cover, struct buf *out);

#endif
