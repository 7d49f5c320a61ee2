// SPDX-License-Identifier: Apache-2.0
// A node from its parts: what it depends on, whether it is constant, and the forms that run faster.
#include "cel/frame.h"
#include "cel/within.h"

#include <stdlib.h>

// How many of a, b, c are nodes.
static const uint8_t OPERANDS[OP_COUNT] = {
    [OP_NOT] = 1,   [OP_COND] = 3,     [OP_EQ] = 2,     [OP_NE] = 2,       [OP_ORDER] = 2, [OP_ORDER_NOW] = 2,
    [OP_IN] = 2,    [OP_IN_TEXTS] = 1, [OP_IN_SET] = 1, [OP_FIELD] = 1,    [OP_HAS] = 1,   [OP_OPT_FIELD] = 1,
    [OP_MATCH] = 1, [OP_WITHIN] = 1,   [OP_OR_OPT] = 2, [OP_OR_VALUE] = 2,
};

static void join_operand(const struct cel_program *p, struct node *node, uint32_t id)
{
    struct node *of = &p->nodes[id & ~NODE_OPTIONAL];
    uint16_t height = (uint16_t)(of->height + 1);
    node->flags |= of->flags;
    node->height = height > node->height ? height : node->height;
    node->low = of->low < node->low ? of->low : node->low;
}

// How the value moves as now does: 1 with it, -1 against it, 0 not at all, 9 nobody can say.
static int8_t slope_of(const struct cel_program *p, const struct node *node, const uint32_t *args)
{
    if ((node->flags & NODE_NOW) == 0) {
        return 0;
    }
    if (node->op == OP_NOW) {
        return 1;
    }
    if (node->op != OP_CALL || node->b != 2 || (node->c != F_ADD && node->c != F_SUB)) {
        return 9;
    }
    int left = p->nodes[args[0]].slope, right = p->nodes[args[1]].slope;
    if (left == 9 || right == 9) {
        return 9;
    }
    int sum = node->c == F_ADD ? left + right : left - right;
    return (int8_t)(sum >= -1 && sum <= 1 ? sum : 9);
}

static void derive(const struct cel_program *p, struct node *node, const uint32_t *args, size_t count)
{
    const uint32_t own[] = {node->a, node->b, node->c};
    node->low = node->op == OP_LOCAL ? (uint16_t)node->a : NODE_CLOSED;
    node->height = 1;
    node->flags = 0;
    for (size_t i = 0; i < OPERANDS[node->op]; i++) {
        join_operand(p, node, own[i]);
    }
    for (size_t i = 0; i < count; i++) {
        join_operand(p, node, args[i]);
    }
    if (node->op == OP_COMP && node->low >= node->c) {
        node->low = NODE_CLOSED; // its own variables
    }
    if (node->op == OP_NOW) {
        node->flags |= NODE_NOW | NODE_RAW_NOW | NODE_VARIES;
    }
    if (node->op == OP_SLOT || node->op == OP_HAS_SLOT || node->op == OP_EQ_TEXT || node->op == OP_IN_SET) {
        node->flags |= NODE_VARIES;
    }
    if (node->op == OP_ORDER_NOW || node->op == OP_WITHIN) {
        node->flags &= (uint8_t)~NODE_RAW_NOW;
    }
    if (node->op == OP_SLOT && p->slots[node->a].info.sensitive) {
        node->flags |= NODE_SENSITIVE;
    } else if (node->kind == VALUE_BOOL) {
        node->flags &= (uint8_t)~NODE_SENSITIVE;
    }
    node->slope = slope_of(p, node, args);
}

// Takes what a value weighs off *left; false where it is too heavy to be kept. Parts that are held many times
// over count every time, so the walk ends when nothing is left.
static bool light(const struct value *v, size_t *left)
{
    size_t own = v->kind == VALUE_STRING || v->kind == VALUE_BYTES ? 1 + v->n / 16 : 1;
    if (*left < own) {
        return false;
    }
    *left -= own;
    bool good = v->kind != VALUE_OPTIONAL || v->flag == 0 || light(v->as.list, left);
    for (uint32_t i = 0; good && v->kind == VALUE_LIST && i < v->n; i++) {
        good = light(&v->as.list[i], left);
    }
    for (uint32_t i = 0; good && v->kind == VALUE_MAP && i < v->n; i++) {
        good = light(&v->as.map[i].key, left) && light(&v->as.map[i].value, left);
    }
    return good;
}

static enum pdp_err constant(struct cel_program *p, const struct value *value, uint32_t *out)
{
    struct node node = {.op = OP_CONST, .kind = value->kind, .low = NODE_CLOSED, .height = 1};
    TRY(program_const(p, value, &node.a));
    return program_node(p, &node, out);
}

enum pdp_err node_const(struct cel_program *p, const struct value *value, uint32_t *out)
{
    return constant(p, value, out);
}

// A node that depends on nothing becomes what it gives, errors included.
static enum pdp_err fold(struct cel_program *p, uint32_t *id)
{
    size_t left = 100000;
    const struct node *node = &p->nodes[*id];
    if (node->op == OP_CONST || (node->flags & NODE_VARIES) != 0 || node->low != NODE_CLOSED) {
        return PDP_ERR_OK;
    }
    arena_reset(&p->folding);
    struct value value = frame_fold(p, *id);
    if (value.kind == VALUE_ERROR && (value.n == CEL_ERROR_BUDGET || value.n == CEL_ERROR_MEMORY)) {
        return PDP_ERR_OK;
    }
    return light(&value, &left) ? constant(p, &value, id) : PDP_ERR_OK;
}

static enum pdp_err finish(struct cel_program *p, struct node *node, const uint32_t *args, size_t count,
                           uint32_t *out)
{
    derive(p, node, args, count);
    if (node->height > NODE_HEIGHT_MAX) {
        return PDP_ERR_DEPTH;
    }
    uint32_t before = p->node_count;
    TRY(program_node(p, node, out));
    if (p->node_count > before) {
        for (size_t i = 0; i < OPERANDS[node->op]; i++) {
            p->nodes[i == 0 ? node->a : i == 1 ? node->b : node->c].uses++;
        }
        for (size_t i = 0; i < count; i++) {
            p->nodes[args[i] & ~NODE_OPTIONAL].uses++;
        }
    }
    return fold(p, out);
}

static int by_text(const void *a, const void *b)
{
    const struct value *x = a, *y = b;
    if (x->n != y->n) {
        return x->n < y->n ? -1 : 1;
    }
    return x->n == 0 ? 0 : memcmp(x->as.text, y->as.text, x->n);
}

// A constant list of texts alone, sorted by length, then bytes: false where it is something else.
static enum pdp_err sorted_texts(struct cel_program *p, uint32_t list_const, uint32_t *out, bool *is)
{
    struct value list = p->consts[list_const];
    *is = list.kind == VALUE_LIST && list.n > 0;
    for (uint32_t i = 0; *is && i < list.n; i++) {
        *is = list.as.list[i].kind == VALUE_STRING;
    }
    if (!*is) {
        return PDP_ERR_OK;
    }
    struct value *copy = malloc(list.n * sizeof *copy);
    if (copy == NULL) {
        return PDP_ERR_NOMEM;
    }
    memcpy(copy, list.as.list, list.n * sizeof *copy);
    qsort(copy, list.n, sizeof *copy, by_text);
    list.as.list = copy;
    enum pdp_err err = program_const(p, &list, out);
    free(copy);
    return err;
}

// Comparisons with now, whose turning point is known.
static bool meets_now(const struct cel_program *p, struct node *node, enum func_id func)
{
    int left = p->nodes[node->a].slope, right = p->nodes[node->b].slope;
    if ((left == 0 && right == 0) || left == 9 || right == 9 || left - right > 1 || left - right < -1) {
        return false;
    }
    node->op = OP_ORDER_NOW;
    node->c = (uint32_t)func | (uint32_t)(left - right + 1) << 8;
    return true;
}

static bool is_text_const(const struct cel_program *p, uint32_t id)
{
    return p->nodes[id].op == OP_CONST && p->nodes[id].kind == VALUE_STRING;
}

static void specialise_equal(const struct cel_program *p, struct node *node)
{
    bool slot_a = p->nodes[node->a].op == OP_SLOT, slot_b = p->nodes[node->b].op == OP_SLOT;
    node->strict = (slot_a || slot_b) && p->extra == NULL;
    if (node->op != OP_EQ || p->extra != NULL) {
        return;
    }
    if (slot_b && is_text_const(p, node->a)) {
        uint32_t swap = node->a;
        node->a = node->b;
        node->b = swap;
        slot_a = true;
    }
    if (slot_a && is_text_const(p, node->b)) {
        uint32_t slot = p->nodes[node->a].a, text = p->nodes[node->b].a;
        node->op = OP_EQ_TEXT;
        node->a = slot;
        node->b = text;
        node->c = F_EQ;
    }
}

static enum pdp_err specialise(struct cel_program *p, struct node *node)
{
    if (node->op == OP_EQ || node->op == OP_NE) {
        specialise_equal(p, node);
        if (node->op != OP_EQ_TEXT) {
            meets_now(p, node, (enum func_id)node->c);
        }
    } else if (node->op == OP_ORDER) {
        meets_now(p, node, (enum func_id)node->c);
    } else if (node->op == OP_IN) {
        node->strict = p->nodes[node->a].op == OP_SLOT && p->extra == NULL;
        bool texts = false;
        uint32_t list = 0;
        if (p->nodes[node->b].op == OP_CONST) {
            TRY(sorted_texts(p, p->nodes[node->b].a, &list, &texts));
        }
        if (texts) {
            node->op = OP_IN_TEXTS;
            node->b = list;
        }
    }
    return PDP_ERR_OK;
}

enum pdp_err build_node(struct cel_program *p, enum op op, uint32_t a, uint32_t b, uint32_t c,
                        enum value_kind kind, uint32_t *out)
{
    struct node node = {.op = (uint8_t)op, .kind = (uint8_t)kind, .a = a, .b = b, .c = c};
    *out = NODE_NONE;
    TRY(specialise(p, &node));
    bool hours = op == OP_WITHIN && p->nodes[a].slope != 0 && p->nodes[a].slope != 1;
    TRY(finish(p, &node, NULL, 0, out));
    if (hours && p->nodes[*out].op == OP_WITHIN) {
        p->nodes[*out].flags |= NODE_RAW_NOW;
    }
    return PDP_ERR_OK;
}

enum pdp_err build_nary(struct cel_program *p, enum op op, const uint32_t *args, size_t count, uint32_t c,
                        enum value_kind kind, uint32_t *out)
{
    struct node node = {.op = (uint8_t)op, .kind = (uint8_t)kind, .b = (uint32_t)count, .c = c};
    *out = NODE_NONE;
    if (op == OP_COMP) {
        node.b = c;
        node.c = args[3]; // its level
        count = 3;
    }
    TRY(program_args(p, args, count, &node.a));
    return finish(p, &node, args, count, out);
}
