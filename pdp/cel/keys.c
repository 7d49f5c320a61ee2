// SPDX-License-Identifier: Apache-2.0
// What an index can use of an expression: texts that attributes must have for it to be other than no.
#include "cel/frame.h"
#include "cel/regex.h"

enum {
    NEAR_MOST = 16, // keys of one alternative
    DEPTH_MOST = 3, // of || in && in ||
};

struct keys {
    const struct cel_program *p;
    struct cel_key *out;
    size_t count, most;
    uint32_t group;
};

static void put(struct keys *k, struct cel_key key)
{
    if (k->count < k->most) {
        key.group = k->group++;
        k->out[k->count++] = key;
    }
}

static const struct value *text_const(const struct cel_program *p, uint32_t id)
{
    const struct node *node = &p->nodes[id];
    bool text = node->op == OP_CONST && p->consts[node->a].kind == VALUE_STRING;
    return text ? &p->consts[node->a] : NULL;
}

static void put_match(struct keys *k, uint32_t slot, uint32_t regex)
{
    const struct regex_gate *gate = regex_gate_of(k->p->regexes[regex]);
    struct cel_key key = {.op = CEL_KEY_EQ, .slot = slot, .count = 1, .text = gate->prefix};
    if (gate->form == REGEX_FORM_WHOLE) {
        put(k, key);
        return;
    }
    if (gate->prefix.len > 0) {
        key.op = CEL_KEY_PREFIX;
        put(k, key);
    }
    struct str parts[] = {gate->part, gate->suffix};
    for (size_t i = 0; i < COUNT_OF(parts); i++) {
        bool again = str_eq(parts[i], gate->prefix) || (i == 1 && str_eq(parts[i], gate->part));
        if (parts[i].len > 0 && !again) {
            key.op = CEL_KEY_PART;
            key.text = parts[i];
            put(k, key);
        }
    }
}

static void put_call(struct keys *k, const struct node *node)
{
    bool wanted = node->c == F_STARTS || node->c == F_ENDS || node->c == F_CONTAINS;
    const struct node *text = wanted ? &k->p->nodes[k->p->args[node->a]] : NULL;
    const struct value *part = wanted ? text_const(k->p, k->p->args[node->a + 1]) : NULL;
    if (part == NULL || text->op != OP_SLOT || (part->n == 0 && node->c != F_STARTS)) {
        return;
    }
    put(k, (struct cel_key){.op = node->c == F_STARTS ? CEL_KEY_PREFIX : CEL_KEY_PART,
                            .slot = text->a,
                            .values = part,
                            .count = 1});
}

static void put_one(struct keys *k, const struct node *node)
{
    const struct cel_program *p = k->p;
    const struct value *list = node->op == OP_IN_TEXTS ? &p->consts[node->b] : NULL;
    switch ((enum op)node->op) {
    case OP_EQ_TEXT:
        put(k,
            (struct cel_key){.op = CEL_KEY_EQ, .slot = node->a, .values = &p->consts[node->b], .count = 1});
        break;
    case OP_IN_TEXTS:
        if (p->nodes[node->a].op == OP_SLOT) {
            put(k, (struct cel_key){.op = CEL_KEY_IN,
                                    .slot = p->nodes[node->a].a,
                                    .values = list->as.list,
                                    .count = list->n});
        }
        break;
    case OP_IN:
        if (p->nodes[node->b].op == OP_SLOT && text_const(p, node->a) != NULL) {
            put(k, (struct cel_key){.op = CEL_KEY_HAS,
                                    .slot = p->nodes[node->b].a,
                                    .values = text_const(p, node->a),
                                    .count = 1});
        }
        break;
    case OP_MATCH:
        if (p->nodes[node->a].op == OP_SLOT) {
            put_match(k, p->nodes[node->a].a, node->b);
        }
        break;
    case OP_CALL:
        put_call(k, node);
        break;
    default:
        break;
    }
}

static void collect(struct keys *k, uint32_t id, unsigned depth);

static size_t group_end(const struct keys *k, size_t from)
{
    size_t end = from + 1;
    while (end < k->count && k->out[end].group == k->out[from].group) {
        end++;
    }
    return end;
}

// Copies a group as further alternatives of the one that is being made; false: there is no room.
static bool join_group(struct keys *k, const struct keys *from, size_t first)
{
    size_t end = group_end(from, first);
    if (end - first > k->most - k->count) {
        return false;
    }
    for (size_t i = first; i < end; i++) {
        k->out[k->count] = from->out[i];
        k->out[k->count++].group = k->group;
    }
    return true;
}

// The other alternatives of a disjunction, each by a test of the same attribute.
static bool join_others(struct keys *k, const struct node *node, const struct cel_key *like, unsigned depth)
{
    for (uint32_t i = 1; i < node->b; i++) {
        struct cel_key room[NEAR_MOST];
        struct keys other = {.p = k->p, .out = room, .most = NEAR_MOST};
        size_t at = 0;
        collect(&other, k->p->args[node->a + i], depth + 1);
        while (at < other.count &&
               (room[at].slot != like->slot || (room[at].op == CEL_KEY_HAS) != (like->op == CEL_KEY_HAS))) {
            at = group_end(&other, at);
        }
        if (at >= other.count || !join_group(k, &other, at)) {
            return false;
        }
    }
    return true;
}

static void collect_any(struct keys *k, const struct node *node, unsigned depth)
{
    struct cel_key room[NEAR_MOST];
    struct keys first = {.p = k->p, .out = room, .most = NEAR_MOST};
    collect(&first, k->p->args[node->a], depth + 1);
    for (size_t at = 0; at < first.count; at = group_end(&first, at)) {
        size_t mark = k->count;
        if (join_group(k, &first, at) && join_others(k, node, &room[at], depth)) {
            k->group++;
        } else {
            k->count = mark;
        }
    }
}

static void collect(struct keys *k, uint32_t id, unsigned depth)
{
    const struct node *node = &k->p->nodes[id];
    if (node->op == OP_AND) { // conjunctions were flattened when made
        for (uint32_t i = 0; i < node->b && k->count < k->most; i++) {
            collect(k, k->p->args[node->a + i], depth);
        }
    } else if (node->op == OP_OR && depth < DEPTH_MOST) {
        collect_any(k, node, depth);
    } else {
        put_one(k, node);
    }
}

size_t cel_keys(const struct cel_program *program, uint32_t expr, struct cel_key *out, size_t most)
{
    struct keys keys = {.p = program, .out = out, .most = most};
    if (expr < program->node_count) {
        collect(&keys, expr, 0);
    }
    return keys.count;
}
