// SPDX-License-Identifier: Apache-2.0
#include "lint/graph.h"

// How many of a, b and c are nodes.
static const uint8_t OWN[OP_COUNT] = {
    [OP_NOT] = 1,   [OP_COND] = 3,     [OP_EQ] = 2,     [OP_NE] = 2,       [OP_ORDER] = 2, [OP_ORDER_NOW] = 2,
    [OP_IN] = 2,    [OP_IN_TEXTS] = 1, [OP_IN_SET] = 1, [OP_FIELD] = 1,    [OP_HAS] = 1,   [OP_OPT_FIELD] = 1,
    [OP_MATCH] = 1, [OP_WITHIN] = 1,   [OP_OR_OPT] = 2, [OP_OR_VALUE] = 2,
};
static const bool LISTED[OP_COUNT] = {
    [OP_AND] = true, [OP_OR] = true, [OP_LIST] = true, [OP_MAP] = true, [OP_CALL] = true, [OP_COMP] = true,
};

void graph_operands(const struct cel_program *program, const struct node *node, struct graph_operands *out)
{
    out->own[0] = node->a;
    out->own[1] = node->b;
    out->own[2] = node->c;
    bool listed = LISTED[node->op];
    out->at = listed ? program->args + node->a : out->own;
    out->count = node->op == OP_COMP ? 3 : listed ? node->b : OWN[node->op];
}
