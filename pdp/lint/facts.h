// SPDX-License-Identifier: Apache-2.0
// The inside of the reasoner: what is known of each term, and how to go back.
//
// A term is something that has a value: an attribute, by its slot; or any other node, such as
// `size(subject.roles)`; or a pair of nodes, whose difference or order conditions ask for.
#ifndef LINT_FACTS_H
#define LINT_FACTS_H

#include "cel/program.h"
#include "cel/regex.h"
#include "lint/claim.h"
#include "lint/reason.h"
#include "lint/span.h"

#define FACTS_NONE UINT32_MAX
#define FACTS_PAIRS_MOST 256

// What a term may still be. With no kind left, and neither missing nor bad, it can be nothing: refuted.
struct fact {
    uint32_t kinds;    // a bit each by enum value_kind; of a pair by enum order_state
    bool missing, bad; // the attribute is missing; reading it, or working it out, is another error
    bool nan;          // a number may be NaN
    uint8_t group;     // enum span_group of `spans`
    struct spans spans;
    uint32_t claims; // the last of them; FACTS_NONE
    uint32_t claim_count;
    bool has_first;
    struct claim first; // what holds of it whatever is assumed
};

struct fact_claim {
    struct claim claim;
    uint32_t before;
};

enum pair_kind {
    PAIR_DIFFERENCE, // first - second, of two times
    PAIR_ORDER,      // first beside second
};
struct pair {
    enum pair_kind kind;
    uint32_t first, second;
};

struct undo {
    uint32_t at;
    bool is_node; // else a term whose fact was saved
    uint8_t may;
};

struct reason {
    struct reason_input input;
    const struct cel_program *p;
    struct arena arena; // for judging texts
    struct regex_scratch *regex;
    uint32_t action, path, resource_path, resource_type; // terms
    uint32_t term_count;
    uint8_t *may;      // of each node
    uint32_t *fact_of; // of each term; FACTS_NONE: nothing was asked of it
    bool *told;        // of each node: its topics are known
    uint64_t *topics;  // of each node; 0: not known yet
    struct fact *facts;
    uint32_t fact_count, fact_cap;
    struct pair pairs[FACTS_PAIRS_MOST];
    uint32_t pair_count;
    struct undo *trail;
    uint32_t trail_count, trail_cap;
    struct fact *saved;
    uint32_t saved_count, saved_cap;
    struct fact_claim *claims;
    uint32_t claim_count, claim_cap;
    uint32_t *pending; // nodes whose truth still leaves a choice
    uint32_t pending_count, pending_cap;
    bool refuted, failed; // failed: memory is out, and nothing is refuted any more
    int64_t effort;
};

// ---- Terms (facts.c)

uint32_t facts_node(const struct reason *r, uint32_t node); // the term of an attribute is its slot
// The term of a pair of nodes; FACTS_NONE: there is no room.
uint32_t facts_pair(struct reason *r, enum pair_kind kind, uint32_t first, uint32_t second);
// What is known of a term, saved so that it can be changed; NULL where memory is out.
struct fact *facts_change(struct reason *r, uint32_t term);
const struct fact *facts_of(struct reason *r, uint32_t term);
// After a change: what has become impossible.
void facts_settle(struct reason *r, struct fact *fact);
void facts_narrow(struct fact *fact, enum span_group group, const struct spans *to);
void facts_claim(struct reason *r, struct fact *fact, const struct claim *claim);
MUST_USE bool facts_room(void **list, uint32_t *cap, uint32_t count, size_t item);

static inline const struct value *facts_constant(const struct reason *r, uint32_t node) // NULL: it is none
{
    return r->p->nodes[node].op == OP_CONST ? &r->p->consts[r->p->nodes[node].a] : NULL;
}

// The truths of `!x`, where these are those of `x`.
static inline unsigned facts_turned(unsigned may)
{
    return (may & MAY_UNSURE) | ((may & MAY_YES) != 0 ? MAY_NO : 0) | ((may & MAY_NO) != 0 ? MAY_YES : 0);
}

// ---- Leaves (leaf.c)

// What a condition that is neither &&, ||, ! nor ?: says of terms, where it has one of these truths.
void leaf_assume(struct reason *r, uint32_t node, unsigned may);
// Of a comparison of two terms that are no constants, by its function (leaf_pair.c); of two times that a
// constant is added to or taken from.
void leaf_pair(struct reason *r, const struct node *node, enum func_id func, unsigned may);
void leaf_difference(struct reason *r, const struct node *node, enum func_id func, unsigned may);

// What a leaf's truth says of one term.
struct view {
    uint32_t term;
    unsigned missing, bad, other; // truths where the term is missing, bad, of a kind that is not compared
    uint32_t kinds;               // that are compared
    uint32_t free;                // kinds of which nothing is said
    bool vague;                   // a value of the right kind may be unsure too
    enum span_group group;        // where not NONE: `yes` is where it holds
    struct spans yes;
    unsigned nan;       // truths of NaN
    bool claims;        // `claim` is what holds
    struct claim claim; // `yes` in it is set by the truth
};
void view_apply(struct reason *r, const struct view *view, unsigned may);

#endif
