// SPDX-License-Identifier: Apache-2.0
// HOT
// Runs nodes. Every loop is over operands or over a value, paid for in steps; recursion is bounded by height.
#include "cel/run.h"
#include "base/num.h"
#include "cel/frame.h"
#include "cel/regex.h"
#include "cel/within.h"

// Each operation is a function of its own, which run_op only jumps to: inlined into it, all would pay for the
// frame of the largest.
#define NOINLINE __attribute__((noinline))

static inline bool is_error(const struct value *v)
{
    return v->kind == VALUE_ERROR;
}

static NOINLINE struct value run_all(struct cel_frame *f, const struct node *node, bool stop)
{
    struct value error = value_bool(!stop);
    for (uint32_t i = 0; i < node->b; i++) {
        struct value v = run_node(f, f->args[node->a + i]);
        if (v.kind == VALUE_BOOL) {
            if (v.as.b == stop) {
                return v;
            }
        } else if (error.kind == VALUE_BOOL) {
            error = is_error(&v) ? v : frame_no_overload(stop ? F_OR : F_AND, &v, 1);
        }
    }
    return error;
}

// What a comparison found, unless it ran out of steps on the way.
static inline struct value compared(const struct cel_frame *f, bool holds)
{
    return __builtin_expect(f->steps == 0, 0) ? frame_error(CEL_ERROR_BUDGET, 0) : value_bool(holds);
}

static NOINLINE struct value run_cond(struct cel_frame *f, const struct node *node)
{
    struct value v = run_node(f, node->a);
    if (v.kind != VALUE_BOOL) {
        return is_error(&v) ? v : frame_no_overload(F_COND, &v, 1);
    }
    return run_node(f, v.as.b ? node->b : node->c);
}

static NOINLINE struct value run_not(struct cel_frame *f, const struct node *node)
{
    struct value v = run_node(f, node->a);
    if (v.kind != VALUE_BOOL) {
        return is_error(&v) ? v : frame_no_overload(F_NOT, &v, 1);
    }
    return value_bool(!v.as.b);
}

static inline bool is_number(uint8_t kind)
{
    return kind == VALUE_INT || kind == VALUE_UINT || kind == VALUE_DOUBLE;
}

static struct value mistyped(uint32_t slot, const struct value *is, uint8_t expected)
{
    struct value error = frame_error(CEL_ERROR_MISTYPED, slot);
    error.flag = expected;
    error.spare = is->kind;
    return error;
}

// An attribute compared with a value of another kind: it is mistyped, not merely different.
static struct value run_strict(struct cel_frame *f, const struct node *node, const struct value *a,
                               const struct value *b, bool equal)
{
    if (a->kind == b->kind || (is_number(a->kind) && is_number(b->kind)) || a->kind == VALUE_NULL ||
        b->kind == VALUE_NULL) {
        return compared(f, cmp_equal(f, a, b) == equal);
    }
    bool left = f->nodes[node->a].op == OP_SLOT;
    return left ? mistyped(f->nodes[node->a].a, a, b->kind) : mistyped(f->nodes[node->b].a, b, a->kind);
}

static NOINLINE struct value run_equal(struct cel_frame *f, const struct node *node)
{
    struct value a = run_node(f, node->a);
    if (is_error(&a)) {
        return a;
    }
    struct value b = run_node(f, node->b);
    if (is_error(&b)) {
        return b;
    }
    if (node->strict) {
        return run_strict(f, node, &a, &b, node->op == OP_EQ);
    }
    return compared(f, cmp_equal(f, &a, &b) == (node->op == OP_EQ));
}

static NOINLINE struct value run_equal_text(struct cel_frame *f, const struct node *node)
{
    struct value v = frame_slot(f, node->a);
    const struct value *text = &f->consts[node->b];
    if (v.kind == VALUE_STRING) {
        return value_bool(v.n == text->n && memcmp(v.as.text, text->as.text, v.n) == 0);
    }
    return is_error(&v) ? v : mistyped(node->a, &v, VALUE_STRING);
}

static struct value ordered(const struct value *a, const struct value *b, enum func_id func)
{
    // By func LT, LE, GT, GE and the order -1, 0, 1, 2 (not a number).
    static const bool HOLDS[4][4] = {{1, 0, 0, 0}, {1, 1, 0, 0}, {0, 0, 1, 0}, {0, 1, 1, 0}};
    bool plain =
        a->kind == b->kind && (a->kind == VALUE_LEVEL || a->kind == VALUE_STRENGTH || a->kind == VALUE_INT);
    int order = plain ? (a->as.i > b->as.i) - (a->as.i < b->as.i) : cmp_order(a, b);
    if (order == 3) {
        struct value args[] = {*a, *b};
        return frame_no_overload(func, args, 2);
    }
    return value_bool(HOLDS[func - F_LT][order + 1]);
}

static NOINLINE struct value run_order(struct cel_frame *f, const struct node *node)
{
    struct value a = run_node(f, node->a);
    if (is_error(&a)) {
        return a;
    }
    struct value b = run_node(f, node->b);
    return is_error(&b) ? b : ordered(&a, &b, (enum func_id)node->c);
}

// A comparison whose sides move with now at known rates: notes when it may turn.
static NOINLINE struct value run_order_now(struct cel_frame *f, const struct node *node)
{
    bool unbounded = f->unbounded;
    struct value a = run_node(f, node->a);
    struct value b = is_error(&a) ? a : run_node(f, node->b);
    f->unbounded = unbounded;
    if (is_error(&b)) {
        return b;
    }
    enum func_id func = (enum func_id)(node->c & 0xff);
    int64_t turn = time_crossing(&a, &b, func, (int)(node->c >> 8) - 1);
    if (turn != INT64_MAX && num_add_sat(f->now_ms, turn) < f->horizon_ms) {
        f->horizon_ms = num_add_sat(f->now_ms, turn);
    }
    if (func == F_EQ || func == F_NE) {
        return node->strict ? run_strict(f, node, &a, &b, func == F_EQ)
                            : compared(f, cmp_equal(f, &a, &b) == (func == F_EQ));
    }
    return ordered(&a, &b, func);
}

// Is a text among these? As cmp_equal has it. *comparable: some of them are texts.
static bool list_has_text(const struct value *list, const struct value *text, bool *comparable)
{
    for (uint32_t i = 0; i < list->n; i++) {
        const struct value *elem = &list->as.list[i];
        if (elem->kind == VALUE_STRING) {
            *comparable = true;
            if (elem->n == text->n && (text->n == 0 || memcmp(elem->as.text, text->as.text, text->n) == 0)) {
                return true;
            }
        }
    }
    return false;
}

static struct value in_list(struct cel_frame *f, const struct node *node, const struct value *a,
                            const struct value *list)
{
    bool comparable = list->n == 0;
    if (!frame_spend(f, list->n)) {
        return frame_error(CEL_ERROR_BUDGET, 0);
    }
    if (a->kind == VALUE_STRING && list_has_text(list, a, &comparable)) {
        return value_bool(true);
    }
    for (uint32_t i = 0; i < list->n && a->kind != VALUE_STRING; i++) {
        const struct value *elem = &list->as.list[i];
        comparable = comparable || elem->kind == a->kind || (is_number(elem->kind) && is_number(a->kind));
        if (cmp_equal(f, elem, a)) {
            return value_bool(true);
        }
    }
    if (node->strict && !comparable) {
        return mistyped(f->nodes[node->a].a, a, list->as.list[0].kind);
    }
    return compared(f, false);
}

// As in a list: an attribute of a kind that no key has is mistyped.
static struct value in_map(struct cel_frame *f, const struct node *node, const struct value *a,
                           const struct value *map)
{
    bool comparable = map->n == 0 || !node->strict;
    if (!frame_spend(f, map->n / 8)) {
        return frame_error(CEL_ERROR_BUDGET, 0);
    }
    if (cmp_find(map, a) != NULL) {
        return value_bool(true);
    }
    for (uint32_t i = 0; i < map->n && !comparable; i++) {
        uint8_t kind = map->as.map[i].key.kind;
        comparable = kind == a->kind || (is_number(kind) && is_number(a->kind));
    }
    return comparable ? value_bool(false) : mistyped(f->nodes[node->a].a, a, map->as.map[0].key.kind);
}

static NOINLINE struct value run_in(struct cel_frame *f, const struct node *node)
{
    struct value args[2] = {run_node(f, node->a), {0}};
    if (is_error(&args[0])) {
        return args[0];
    }
    args[1] = run_node(f, node->b);
    switch (args[1].kind) {
    case VALUE_ERROR:
        return args[1];
    case VALUE_LIST:
        return in_list(f, node, &args[0], &args[1]);
    case VALUE_MAP:
        return in_map(f, node, &args[0], &args[1]);
    default:
        return frame_no_overload(F_IN, args, 2);
    }
}

// In a list of texts, sorted by length and then bytes.
static bool find_text(const struct value *list, const struct value *text)
{
    uint32_t low = 0, high = list->n;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        const struct value *at = &list->as.list[middle];
        int order = at->n != text->n ? (at->n < text->n ? -1 : 1)
                    : text->n == 0   ? 0
                                     : memcmp(at->as.text, text->as.text, text->n);
        if (order == 0) {
            return true;
        }
        if (order < 0) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return false;
}

static NOINLINE struct value run_in_texts(struct cel_frame *f, const struct node *node)
{
    struct value v = run_node(f, node->a);
    if (v.kind == VALUE_STRING) {
        return value_bool(find_text(&f->consts[node->b], &v));
    }
    if (is_error(&v)) {
        return v;
    }
    return node->strict ? mistyped(f->nodes[node->a].a, &v, VALUE_STRING) : value_bool(false);
}

static NOINLINE struct value run_in_set(struct cel_frame *f, const struct node *node)
{
    const struct cel_set_decl *set = &f->program->env->sets[node->b];
    struct value v = run_node(f, node->a);
    struct ip ip;
    if (is_error(&v)) {
        return v;
    }
    if (set->kind == CEL_SET_CIDR && v.kind == VALUE_STRING) {
        if (!ip_parse(value_text(&v), &ip)) {
            return frame_error(CEL_ERROR_CONVERT, F_IP);
        }
        v = (struct value){.kind = VALUE_IP, .as.ip = &ip};
    }
    static const uint8_t WANTS[] = {[CEL_SET_STRING] = VALUE_STRING,
                                    [CEL_SET_CIDR] = VALUE_IP,
                                    [CEL_SET_COUNTRY] = VALUE_STRING,
                                    [CEL_SET_ASN] = VALUE_INT};
    bool right = v.kind == WANTS[set->kind] || (set->kind == CEL_SET_ASN && v.kind == VALUE_UINT);
    if (!right) {
        bool slot = f->nodes[node->a].op == OP_SLOT;
        return slot ? mistyped(f->nodes[node->a].a, &v, WANTS[set->kind]) : frame_no_overload(F_IN, &v, 1);
    }
    enum truth holds =
        f->host->contains == NULL ? TRUTH_UNSURE : f->host->contains(f->host->user, set->id, &v);
    return holds == TRUTH_UNSURE ? frame_error(CEL_ERROR_STALE, set->id) : value_bool(holds == TRUTH_YES);
}

static NOINLINE struct value run_match(struct cel_frame *f, const struct node *node)
{
    struct value v = run_node(f, node->a);
    if (v.kind != VALUE_STRING) {
        return is_error(&v) ? v : frame_no_overload(F_MATCHES, &v, 1);
    }
    if (!frame_spend(f, 4 + v.n / 16)) {
        return frame_error(CEL_ERROR_BUDGET, 0);
    }
    int found = regex_find(f->program->regexes[node->b], f->regex, value_text(&v));
    return found < 0 ? frame_error(CEL_ERROR_MATCH_LIMIT, 0) : value_bool(found == 1);
}

static NOINLINE struct value run_within(struct cel_frame *f, const struct node *node)
{
    const struct window *window = f->program->windows[node->b];
    bool unbounded = f->unbounded;
    struct value v = run_node(f, node->a);
    if ((node->flags & NODE_RAW_NOW) == 0) {
        f->unbounded = unbounded;
    }
    if (v.kind != VALUE_TIMESTAMP) {
        return is_error(&v) ? v : frame_no_overload(F_WITHIN, &v, 1);
    }
    if (!frame_spend(f, 8)) {
        return frame_error(CEL_ERROR_BUDGET, 0);
    }
    if ((node->flags & NODE_NOW) != 0) {
        // The time moves with now: whole seconds from it to the edge, less what of a second is gone.
        int64_t left_s = within_edge(window, v.as.i) - v.as.i;
        int64_t edge = num_add_sat(f->now_ms, num_mul_sat(left_s, 1000) - (int64_t)(v.n / 1000000));
        f->horizon_ms = edge < f->horizon_ms ? edge : f->horizon_ms;
    }
    return value_bool(within_holds(window, v.as.i));
}

static NOINLINE struct value run_call(struct cel_frame *f, const struct node *node)
{
    enum {
        ARGS_MAX = 8
    };
    struct value args[ARGS_MAX];
    uint32_t count = node->b < ARGS_MAX ? node->b : ARGS_MAX;
    for (uint32_t i = 0; i < count; i++) {
        args[i] = run_node(f, f->args[node->a + i]);
        if (is_error(&args[i])) {
            return args[i];
        }
    }
    return FUNCS[node->c].code(f, args, count);
}

static NOINLINE struct value run_optional(struct cel_frame *f, const struct node *node)
{
    struct value v = run_node(f, node->a);
    if (v.kind != VALUE_OPTIONAL) {
        return is_error(&v) ? v : frame_no_overload(node->op == OP_OR_OPT ? F_OPT_OR : F_OPT_OR_VALUE, &v, 1);
    }
    if (v.flag != 0) {
        return node->op == OP_OR_OPT ? v : *v.as.list;
    }
    return run_node(f, node->b);
}

static struct value run_op(struct cel_frame *f, const struct node *node)
{
    switch ((enum op)node->op) {
    case OP_CONST:
        return f->consts[node->a];
    case OP_SLOT:
        return frame_slot(f, node->a);
    case OP_NOW:
        f->unbounded = true;
        return value_time_ms(f->now_ms);
    case OP_LOCAL:
        return f->locals[node->a];
    case OP_HAS_SLOT:
        return run_has_slot(f, node);
    case OP_AND:
        return run_all(f, node, false);
    case OP_OR:
        return run_all(f, node, true);
    case OP_NOT:
        return run_not(f, node);
    case OP_COND:
        return run_cond(f, node);
    case OP_EQ:
    case OP_NE:
        return run_equal(f, node);
    case OP_EQ_TEXT:
        return run_equal_text(f, node);
    case OP_ORDER:
        return run_order(f, node);
    case OP_ORDER_NOW:
        return run_order_now(f, node);
    case OP_IN:
        return run_in(f, node);
    case OP_IN_TEXTS:
        return run_in_texts(f, node);
    case OP_IN_SET:
        return run_in_set(f, node);
    case OP_FIELD:
    case OP_HAS:
    case OP_OPT_FIELD:
        return run_field(f, node);
    case OP_LIST:
        return run_list(f, node);
    case OP_MAP:
        return run_map(f, node);
    case OP_COMP:
        return run_comp(f, node);
    case OP_CALL:
        return run_call(f, node);
    case OP_MATCH:
        return run_match(f, node);
    case OP_WITHIN:
        return run_within(f, node);
    case OP_OR_OPT:
    case OP_OR_VALUE:
        return run_optional(f, node);
    case OP_COUNT:
        break;
    }
    return frame_error(CEL_ERROR_OTHER, 0);
}

struct value run_node(struct cel_frame *frame, uint32_t id)
{
    const struct node *node = &frame->nodes[id];
    if (!frame_spend(frame, 1)) {
        return frame_error(CEL_ERROR_BUDGET, 0);
    }
    if (node->memo == NODE_NONE) {
        return run_op(frame, node);
    }
    struct frame_cached *memo = &frame->memos[node->memo];
    if (memo->stamp == frame->stamp) {
        return memo->value;
    }
    struct value value = run_op(frame, node);
    // What failed for want of steps may not be remembered as the answer's fault.
    if (value.kind != VALUE_ERROR || value.n != CEL_ERROR_BUDGET) {
        memo->value = value;
        memo->stamp = frame->stamp;
    }
    return value;
}
