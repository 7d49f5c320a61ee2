// SPDX-License-Identifier: Apache-2.0
// Truths of conditions, split until each is one of a leaf.
#include "lint/facts.h"
#include "lint/graph.h"

#include <stdlib.h>

static const struct str ACTION_NAME = {"action.name", 11};
static const struct str RESOURCE_PATH = {"resource.path", 13};
static const struct str RESOURCE_TYPE = {"resource.type", 13};

// ---- Made and dropped -------------------------------------------------------------------------------

static uint32_t slot_named(const struct cel_program *p, struct str path)
{
    for (uint32_t i = 0; i < p->slot_count; i++) {
        if (str_eq(p->slots[i].info.path, path)) {
            return i;
        }
    }
    return FACTS_NONE;
}

enum pdp_err reason_new(const struct reason_input *input, struct reason **out)
{
    *out = NULL;
    AUTO(reason_free) struct reason *r = calloc(1, sizeof *r);
    if (r == NULL) {
        return PDP_ERR_NOMEM;
    }
    const struct cel_program *p = input->program;
    r->input = *input;
    r->p = p;
    arena_init(&r->arena, 0, 0);
    uint32_t asked = p->slot_count + p->node_count, action = slot_named(p, ACTION_NAME);
    r->action = action != FACTS_NONE ? action : asked;
    r->path = asked + 1;
    r->resource_path = slot_named(p, RESOURCE_PATH);
    r->resource_type = slot_named(p, RESOURCE_TYPE);
    r->term_count = asked + 2 + FACTS_PAIRS_MOST;
    r->may = malloc(p->node_count + 1);
    r->topics = calloc(p->node_count + 1, sizeof *r->topics);
    r->told = calloc(p->node_count + 1, sizeof *r->told);
    r->fact_of = malloc(r->term_count * sizeof *r->fact_of);
    if (r->may == NULL || r->topics == NULL || r->told == NULL || r->fact_of == NULL) {
        return PDP_ERR_NOMEM;
    }
    memset(r->may, MAY_ALL, p->node_count + 1);
    memset(r->fact_of, 0xFF, r->term_count * sizeof *r->fact_of);
    TRY(regex_scratch_new(p->limits.match_limit, &r->regex));
    *out = STEAL(r);
    return PDP_ERR_OK;
}

void reason_free(struct reason **reason)
{
    struct reason *r = STEAL(*reason);
    if (r == NULL) {
        return;
    }
    regex_scratch_free(&r->regex);
    arena_fini(&r->arena);
    free(r->may);
    free(r->topics);
    free(r->told);
    free(r->fact_of);
    free(r->facts);
    free(r->trail);
    free(r->saved);
    free(r->claims);
    free(r->pending);
    free(r);
}

// ---- Going back -------------------------------------------------------------------------------------

struct reason_mark reason_mark(const struct reason *r)
{
    return (struct reason_mark){r->trail_count, r->saved_count, r->claim_count, r->pending_count, r->refuted};
}

void reason_undo(struct reason *r, struct reason_mark mark)
{
    while (r->trail_count > mark.trail) {
        const struct undo *undo = &r->trail[--r->trail_count];
        if (undo->is_node) {
            r->may[undo->at] = undo->may;
        } else {
            r->facts[r->fact_of[undo->at]] = r->saved[--r->saved_count];
        }
    }
    r->claim_count = (uint32_t)mark.claims;
    r->pending_count = (uint32_t)mark.pending;
    r->refuted = mark.refuted;
}

// ---- Assuming ---------------------------------------------------------------------------------------

// Leaves a node fewer truths; false where that is nothing new.
static bool mark_node(struct reason *r, uint32_t id, unsigned may)
{
    unsigned left = r->may[id] & may;
    void *trail = r->trail;
    if (left == r->may[id]) {
        return false;
    }
    bool room = facts_room(&trail, &r->trail_cap, r->trail_count, sizeof *r->trail);
    r->trail = trail;
    if (!room) {
        r->failed = true;
        return false;
    }
    r->trail[r->trail_count++] = (struct undo){.at = id, .is_node = true, .may = r->may[id]};
    r->may[id] = (uint8_t)left;
    r->refuted = r->refuted || left == 0;
    return left != 0;
}

static void put_off(struct reason *r, uint32_t id)
{
    void *list = r->pending;
    bool room = facts_room(&list, &r->pending_cap, r->pending_count, sizeof *r->pending);
    r->pending = list;
    if (!room) {
        r->failed = true;
        return;
    }
    r->pending[r->pending_count++] = id;
}

static void assume(struct reason *r, uint32_t id, unsigned may);

// All of an AND that is not no; of an OR that is not yes the mirror image.
static void assume_each(struct reason *r, const struct node *node, unsigned may)
{
    for (uint32_t i = 0; i < node->b && !r->refuted; i++) {
        assume(r, r->p->args[node->a + i], may);
    }
}

static void assume_join(struct reason *r, uint32_t id, unsigned may)
{
    const struct node *node = &r->p->nodes[id];
    unsigned settles = node->op == OP_AND ? MAY_NO : MAY_YES, all = MAY_YES | MAY_NO;
    if ((may & settles) == 0) {
        assume_each(r, node, may == (all & ~settles) ? may : MAY_ALL & ~settles);
    }
    if (may != (all & ~settles) && may != (MAY_ALL & ~settles) && may != MAY_ALL) {
        put_off(r, id);
    }
}

static void assume(struct reason *r, uint32_t id, unsigned may)
{
    r->effort--;
    if (r->refuted || !mark_node(r, id, may)) {
        return;
    }
    const struct node *node = &r->p->nodes[id];
    may = r->may[id];
    switch ((enum op)node->op) {
    case OP_AND:
    case OP_OR:
        assume_join(r, id, may);
        break;
    case OP_NOT:
        assume(r, node->a, facts_turned(may));
        break;
    case OP_COND:
        if ((may & MAY_UNSURE) == 0) {
            assume(r, node->a, MAY_YES | MAY_NO);
        }
        put_off(r, id);
        break;
    default:
        leaf_assume(r, id, may);
        break;
    }
}

void reason_assume(struct reason *r, uint32_t expr, unsigned may)
{
    if (expr == SET_NO_EXPR) {
        r->refuted = r->refuted || (may & MAY_YES) == 0;
    } else if (expr < r->p->node_count) {
        assume(r, expr, may);
    }
}

static void assume_asked(struct reason *r, uint32_t term, bool any, const struct claim *claim, unsigned may)
{
    if (any) {
        r->refuted = r->refuted || (may & MAY_YES) == 0;
        return;
    }
    struct view view = {.term = term, .missing = MAY_UNSURE, .bad = MAY_UNSURE, .other = MAY_UNSURE};
    view.kinds = 1U << VALUE_STRING;
    view.claims = true;
    view.claim = *claim;
    view_apply(r, &view, may);
}

void reason_actions(struct reason *r, const struct set_rule *rule, unsigned may)
{
    struct claim claim = {.kind = CLAIM_TEXTS, .about = VALUE_STRING, .count = rule->action_count};
    claim.as.texts = rule->actions;
    assume_asked(r, r->action, rule->action_count == 0, &claim, may);
}

void reason_resources(struct reason *r, const struct set_rule *rule, unsigned may)
{
    struct claim claim = {.kind = CLAIM_GLOBS, .about = VALUE_STRING, .count = rule->resource_count};
    claim.as.globs = rule->resources;
    assume_asked(r, r->path, rule->resource_count == 0, &claim, may);
}

void reason_missing(struct reason *r, uint32_t slot)
{
    struct view view = {.term = slot, .missing = MAY_YES};
    view_apply(r, &view, MAY_YES);
}

void reason_text(struct reason *r, uint32_t slot, const struct str *text, bool is)
{
    struct claim claim = {.kind = CLAIM_TEXTS, .about = VALUE_STRING, .count = 1, .as.texts = text};
    assume_asked(r, slot, false, &claim, is ? MAY_YES : MAY_ALL & ~MAY_YES);
}

bool reason_plain(const struct reason *r)
{
    return r->refuted && !r->failed;
}

// ---- Trying alternatives ----------------------------------------------------------------------------

// The path that rules list resources of is `resource.path` where that is there, and that is a route's.
static void link_path(struct reason *r)
{
    const struct fact *path = r->resource_path != FACTS_NONE ? facts_of(r, r->resource_path) : NULL;
    const struct fact *asked = facts_of(r, r->path);
    if (path == NULL || asked == NULL || path->missing || path->bad || r->refuted) {
        return;
    }
    for (uint32_t at = asked->claims; at != FACTS_NONE && !r->refuted; at = r->claims[at].before) {
        struct claim claim = r->claims[at].claim;
        struct fact *fact = facts_change(r, r->resource_path);
        if (fact != NULL) {
            facts_claim(r, fact, &claim);
            facts_settle(r, fact);
        }
    }
    static const struct str ROUTE = {"route", 5};
    if (r->resource_type != FACTS_NONE && !r->refuted) {
        reason_text(r, r->resource_type, &ROUTE, true);
    }
}

static bool search(struct reason *r, uint32_t from);

// One alternative: an operand has a truth, and what was put off since goes on from `next`.
static bool fails(struct reason *r, uint32_t operand, unsigned may, uint32_t next)
{
    struct reason_mark mark = reason_mark(r);
    assume(r, operand, may);
    bool refuted = search(r, next);
    reason_undo(r, mark);
    return refuted;
}

static bool both_fail(struct reason *r, uint32_t first, unsigned may, uint32_t second, unsigned then,
                      uint32_t next)
{
    struct reason_mark mark = reason_mark(r);
    assume(r, first, may);
    if (second != NODE_NONE) {
        assume(r, second, then);
    }
    bool refuted = search(r, next);
    reason_undo(r, mark);
    return refuted;
}

static bool split_cond(struct reason *r, const struct node *node, unsigned may, uint32_t next)
{
    return both_fail(r, node->a, MAY_YES, node->b, may, next) &&
           both_fail(r, node->a, MAY_NO, node->c, may, next) &&
           ((may & MAY_UNSURE) == 0 || both_fail(r, node->a, MAY_UNSURE, NODE_NONE, 0, next));
}

// The truths of which one operand at least has some, unless all have another; *rest is that.
static unsigned some_of(const struct node *node, unsigned may, unsigned *rest)
{
    unsigned settles = node->op == OP_AND ? MAY_NO : MAY_YES;
    *rest = (MAY_YES | MAY_NO) & ~settles;
    return may & ~*rest;
}

// Is there nothing left to choose, since one operand is as it must be?
static bool is_settled(struct reason *r, const struct node *node, unsigned may)
{
    unsigned rest = 0, some = some_of(node, may, &rest);
    for (uint32_t i = 0; node->op != OP_COND && i < node->b; i++) {
        if ((r->may[r->p->args[node->a + i]] & ~some) == 0) {
            return true;
        }
    }
    r->effort -= node->b / 64;
    return false;
}

static bool split_join(struct reason *r, const struct node *node, unsigned may, uint32_t next)
{
    unsigned rest = 0, some = some_of(node, may, &rest);
    for (uint32_t i = 0; i < node->b; i++) {
        uint32_t operand = r->p->args[node->a + i];
        if ((r->may[operand] & some) != 0 && !fails(r, operand, some, next)) {
            return false;
        }
    }
    if ((may & rest) == 0) {
        return true;
    }
    struct reason_mark mark = reason_mark(r);
    assume_each(r, node, rest);
    bool refuted = search(r, next);
    reason_undo(r, mark);
    return refuted;
}

// Is nothing of what is assumed left, whichever alternatives are taken of what was put off from `from` on? As
// deep as there is effort, not as much was put off.
static bool search(struct reason *r, uint32_t from)
{
    if (r->refuted) {
        return !r->failed;
    }
    while (from < r->pending_count &&
           is_settled(r, &r->p->nodes[r->pending[from]], r->may[r->pending[from]])) {
        from++;
    }
    if (r->effort-- < 0 || r->failed) {
        return false;
    }
    if (from >= r->pending_count) {
        struct reason_mark mark = reason_mark(r);
        link_path(r);
        bool refuted = r->refuted && !r->failed;
        reason_undo(r, mark);
        return refuted;
    }
    uint32_t id = r->pending[from];
    const struct node *node = &r->p->nodes[id];
    unsigned may = r->may[id];
    return node->op == OP_COND ? split_cond(r, node, may, from + 1) : split_join(r, node, may, from + 1);
}

bool reason_refuted(struct reason *r, uint32_t effort)
{
    r->effort = effort;
    return search(r, 0);
}

int64_t reason_left(const struct reason *r)
{
    return r->effort;
}

// ---- Topics -----------------------------------------------------------------------------------------

static uint64_t topic(uint32_t term)
{
    return UINT64_C(1) << (term * UINT32_C(0x9E3779B1) >> 26);
}

static uint64_t topics_of(struct reason *r, uint32_t id)
{
    id &= ~NODE_OPTIONAL;
    if (r->told[id]) {
        return r->topics[id];
    }
    const struct node *node = &r->p->nodes[id];
    bool slot = node->op == OP_SLOT || node->op == OP_HAS_SLOT || node->op == OP_EQ_TEXT;
    uint64_t topics = slot ? topic(node->a) : node->op == OP_NOW ? topic(r->path + id) : 0;
    struct graph_operands operands;
    graph_operands(r->p, node, &operands);
    for (uint32_t i = 0; i < operands.count; i++) {
        topics |= topics_of(r, operands.at[i]);
    }
    r->told[id] = true;
    r->topics[id] = topics;
    return topics;
}

uint64_t reason_topics(struct reason *r, uint32_t expr)
{
    return expr < r->p->node_count ? topics_of(r, expr) : 0;
}

uint64_t reason_topic(uint32_t slot)
{
    return topic(slot);
}

uint64_t reason_topics_asked(struct reason *r, const struct set_rule *rule)
{
    uint64_t topics = rule->action_count > 0 ? topic(r->action) : 0;
    if (rule->resource_count > 0) {
        topics |= topic(r->path);
        topics |= r->resource_path != FACTS_NONE ? topic(r->resource_path) : 0;
        topics |= r->resource_type != FACTS_NONE ? topic(r->resource_type) : 0;
    }
    return topics;
}
