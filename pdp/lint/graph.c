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

static const struct str SIGNALS_PATH = {"risk.signals", 12};

// `risk.signals["new-network"]`, `"new-network" in risk.signals`, or as a field.
bool graph_signal(const struct cel_program *p, const struct node *node, struct str *name)
{
    bool index = node->op == OP_CALL && node->b == 2 && (node->c == F_INDEX || node->c == F_OPT_INDEX);
    bool field = node->op == OP_FIELD || node->op == OP_HAS || node->op == OP_OPT_FIELD;
    bool in = node->op == OP_IN, slot = node->op == OP_SLOT || node->op == OP_HAS_SLOT;
    *name = STR("");
    if (slot && str_starts(p->slots[node->a].info.path, SIGNALS_PATH)) {
        *name = str_sub(p->slots[node->a].info.path, SIGNALS_PATH.len + 1, SIZE_MAX);
        return name->len > 0; // else all of them
    }
    if (!index && !field && !in) {
        return false;
    }
    uint32_t of = index ? p->args[node->a] : in ? node->b : node->a;
    uint32_t key = index ? p->args[node->a + 1] : node->a;
    const struct node *map = &p->nodes[of & ~NODE_OPTIONAL];
    if (map->op != OP_SLOT || !str_eq(p->slots[map->a].info.path, SIGNALS_PATH)) {
        return false;
    }
    bool known = field || p->nodes[key].op == OP_CONST;
    const struct value *text = known ? &p->consts[field ? node->b : p->nodes[key].a] : NULL;
    *name = text != NULL && text->kind == VALUE_STRING && text->n > 0 ? value_text(text) : STR("");
    return true;
}
