// SPDX-License-Identifier: Apache-2.0
// Comparisons of two terms: what two times differ by, and how two values stand to each other.
#include "lint/facts.h"

enum {
    SUM_DEPTH = 16
};

// Sums of times and durations: at most one time added and one taken away, and a constant.
struct linear {
    uint32_t plus, minus;
    int64_t nanos;
    bool good;
};

static void flatten(const struct reason *r, uint32_t id, int sign, unsigned depth, struct linear *out)
{
    const struct node *node = &r->p->nodes[id];
    const struct value *value = facts_constant(r, id);
    struct span_key key;
    bool sum = node->op == OP_CALL && node->b == 2 && (node->c == F_ADD || node->c == F_SUB);
    if (!out->good) {
        return;
    }
    if (value != NULL) {
        bool fits = value->kind == VALUE_DURATION && span_key_of(value, &key) && key.hi > INT64_MIN / 2 &&
                    key.hi < INT64_MAX / 2;
        out->good = out->good && fits && __builtin_add_overflow(out->nanos, sign * key.hi, &out->nanos) == 0;
    } else if (sum && depth < SUM_DEPTH) {
        flatten(r, r->p->args[node->a], sign, depth + 1, out);
        flatten(r, r->p->args[node->a + 1], node->c == F_ADD ? sign : -sign, depth + 1, out);
    } else {
        uint32_t *to = sign > 0 ? &out->plus : &out->minus;
        out->good = out->good && node->kind == VALUE_TIMESTAMP && *to == NODE_NONE;
        *to = id;
    }
}

// Where both sides are there, their difference is below, at or above a constant. An overflow is unsure.
void leaf_difference(struct reason *r, const struct node *node, enum func_id func, unsigned may)
{
    struct linear sum = {NODE_NONE, NODE_NONE, 0, true};
    flatten(r, node->a, 1, 0, &sum);
    flatten(r, node->b, -1, 0, &sum);
    if ((may & MAY_UNSURE) != 0 || !sum.good || sum.plus == NODE_NONE || sum.minus == NODE_NONE ||
        sum.plus == sum.minus || sum.nanos == INT64_MIN) {
        return;
    }
    struct view view = {
        .other = MAY_ALL, .kinds = 1U << VALUE_DURATION, .group = SPAN_DURATION, .nan = MAY_ALL};
    bool turned = sum.plus > sum.minus;
    view.term = turned ? facts_pair(r, PAIR_DIFFERENCE, sum.minus, sum.plus)
                       : facts_pair(r, PAIR_DIFFERENCE, sum.plus, sum.minus);
    // plus - minus + nanos FUNC 0
    struct span_key key = {turned ? sum.nanos : -sum.nanos, 0};
    bool below = (func == F_LT || func == F_LE) != turned, with = func == F_LE || func == F_GE;
    if (func == F_EQ || func == F_NE) {
        spans_point(key, &view.yes);
        may = func == F_EQ ? may : facts_turned(may);
    } else if (below) {
        spans_below(SPAN_DURATION, key, with, &view.yes);
    } else {
        spans_above(SPAN_DURATION, key, with, &view.yes);
    }
    view_apply(r, &view, may);
}

// How two values may stand to each other.
enum order_state {
    ORDER_LESS,
    ORDER_SAME,
    ORDER_MORE,
    ORDER_NAN,        // numbers, one of them no number
    ORDER_OTHER_SAME, // of no order, and equal
    ORDER_OTHER,      // of no order or of two kinds, and not equal
    ORDER_BAD,        // one of them is not there
    ORDER_COUNT
};

// The truths of `first FUNC second` in a state.
static unsigned order_truths(enum func_id func, enum order_state state)
{
    static const uint8_t LESS[ORDER_COUNT] = {MAY_YES,    MAY_NO,     MAY_NO,    MAY_NO,
                                              MAY_UNSURE, MAY_UNSURE, MAY_UNSURE};
    static const uint8_t SAME[ORDER_COUNT] = {
        MAY_NO, MAY_YES, MAY_NO, MAY_NO, MAY_YES, MAY_NO | MAY_UNSURE, MAY_UNSURE};
    static const uint8_t MORE[ORDER_COUNT] = {MAY_NO,     MAY_NO,     MAY_YES,   MAY_NO,
                                              MAY_UNSURE, MAY_UNSURE, MAY_UNSURE};
    switch (func) {
    case F_LT:
        return LESS[state];
    case F_GT:
        return MORE[state];
    case F_LE:
        return state == ORDER_SAME ? MAY_YES : LESS[state];
    case F_GE:
        return state == ORDER_SAME ? MAY_YES : MORE[state];
    case F_NE:
        return facts_turned(SAME[state]);
    default:
        return SAME[state];
    }
}

void leaf_pair(struct reason *r, const struct node *node, enum func_id func, unsigned may)
{
    static const enum func_id TURNED[] = {F_GT, F_GE, F_LT, F_LE};
    bool turned = node->a > node->b;
    uint32_t term =
        turned ? facts_pair(r, PAIR_ORDER, node->b, node->a) : facts_pair(r, PAIR_ORDER, node->a, node->b);
    func = turned && func >= F_LT && func <= F_GE ? TURNED[func - F_LT] : func;
    struct fact *fact = term != FACTS_NONE ? facts_change(r, term) : NULL;
    uint32_t states = 0;
    for (int state = 0; state < ORDER_COUNT; state++) {
        states |= (order_truths(func, (enum order_state)state) & may) != 0 ? 1U << state : 0;
    }
    if (fact != NULL) {
        fact->kinds &= states;
        facts_settle(r, fact);
    }
}
