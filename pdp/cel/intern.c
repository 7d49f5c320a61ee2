// SPDX-License-Identifier: Apache-2.0
// Equal nodes, argument lists and constants are kept once.
#include "cel/program.h"

#include <stdlib.h>

static uint64_t mix(uint64_t hash, uint64_t word)
{
    hash = (hash ^ word) * UINT64_C(0x9E3779B97F4A7C15);
    return hash ^ hash >> 32;
}

static uint64_t mix_bytes(uint64_t hash, const void *bytes, size_t len)
{
    const unsigned char *at = bytes;
    for (; len >= 8; at += 8, len -= 8) {
        uint64_t word;
        memcpy(&word, at, sizeof word);
        hash = mix(hash, word);
    }
    uint64_t rest = len;
    for (size_t i = 0; i < len; i++) {
        rest = rest << 8 | at[i];
    }
    return mix(hash, rest);
}

// ---- an index: open addressing, at most half full ----

static enum pdp_err index_room(struct program_index *index,
                               uint64_t (*hash)(const struct cel_program *, uint32_t),
                               const struct cel_program *p)
{
    if (index->cap > 2 * index->count + 2) {
        return PDP_ERR_OK;
    }
    uint32_t cap = index->cap == 0 ? 1024 : index->cap * 2;
    uint32_t *at = malloc(cap * sizeof *at);
    if (at == NULL) {
        return PDP_ERR_NOMEM;
    }
    memset(at, 0xff, cap * sizeof *at);
    for (uint32_t i = 0; i < index->cap; i++) {
        if (index->at[i] != NODE_NONE) {
            uint32_t to = (uint32_t)hash(p, index->at[i]) & (cap - 1);
            while (at[to] != NODE_NONE) {
                to = (to + 1) & (cap - 1);
            }
            at[to] = index->at[i];
        }
    }
    free(index->at);
    index->at = at;
    index->cap = cap;
    return PDP_ERR_OK;
}

// ---- constants ----

static uint64_t value_hash(const struct value *v)
{
    uint64_t hash = mix(v->kind, v->flag);
    switch (v->kind) {
    case VALUE_STRING:
    case VALUE_BYTES:
        return mix_bytes(hash, v->as.text, v->n);
    case VALUE_LIST:
        for (uint32_t i = 0; i < v->n; i++) {
            hash = mix(hash, value_hash(&v->as.list[i]));
        }
        return hash;
    case VALUE_MAP:
        for (uint32_t i = 0; i < v->n; i++) {
            hash = mix(hash, value_hash(&v->as.map[i].key));
            hash = mix(hash, value_hash(&v->as.map[i].value));
        }
        return hash;
    case VALUE_OPTIONAL:
        return v->flag != 0 ? mix(hash, value_hash(v->as.list)) : hash;
    case VALUE_IP:
        return mix_bytes(hash, v->as.ip->bytes, sizeof v->as.ip->bytes);
    case VALUE_CIDR:
        return mix(mix_bytes(hash, v->as.cidr->base.bytes, 16), v->as.cidr->bits);
    case VALUE_BOOL:
        return mix(hash, v->as.b);
    case VALUE_NULL:
        return hash;
    default:
        return mix(mix(hash, v->n), v->as.u);
    }
}

// The same value in every bit, not only equal: 1 and 1.0 are two constants, and so are 0.0 and -0.0.
static bool value_same(const struct value *a, const struct value *b)
{
    if (a->kind != b->kind || a->flag != b->flag || a->spare != b->spare) {
        return false;
    }
    switch (a->kind) {
    case VALUE_STRING:
    case VALUE_BYTES:
        return str_eq(value_text(a), value_text(b));
    case VALUE_LIST:
        for (uint32_t i = 0; a->n == b->n && i < a->n; i++) {
            if (!value_same(&a->as.list[i], &b->as.list[i])) {
                return false;
            }
        }
        return a->n == b->n;
    case VALUE_MAP:
        for (uint32_t i = 0; a->n == b->n && i < a->n; i++) {
            if (!value_same(&a->as.map[i].key, &b->as.map[i].key) ||
                !value_same(&a->as.map[i].value, &b->as.map[i].value)) {
                return false;
            }
        }
        return a->n == b->n;
    case VALUE_OPTIONAL:
        return a->flag == 0 || value_same(a->as.list, b->as.list);
    case VALUE_IP:
        return ip_eq(a->as.ip, b->as.ip) && a->as.ip->v4 == b->as.ip->v4;
    case VALUE_CIDR:
        return ip_eq(&a->as.cidr->base, &b->as.cidr->base) && a->as.cidr->bits == b->as.cidr->bits;
    case VALUE_BOOL:
        return a->as.b == b->as.b;
    case VALUE_NULL:
        return true;
    default:
        return a->n == b->n && a->as.u == b->as.u;
    }
}

static bool copy_value(struct arena *arena, struct value *v);

static bool copy_values(struct arena *arena, const struct value **list, uint32_t count)
{
    struct value *copy = ARENA_ARRAY(arena, struct value, count == 0 ? 1 : count);
    for (uint32_t i = 0; copy != NULL && i < count; i++) {
        copy[i] = (*list)[i];
        if (!copy_value(arena, &copy[i])) {
            return false;
        }
    }
    *list = copy;
    return copy != NULL;
}

static bool copy_map(struct arena *arena, struct value *v)
{
    struct value_entry *copy = ARENA_ARRAY(arena, struct value_entry, v->n == 0 ? 1 : v->n);
    for (uint32_t i = 0; copy != NULL && i < v->n; i++) {
        copy[i] = v->as.map[i];
        if (!copy_value(arena, &copy[i].key) || !copy_value(arena, &copy[i].value)) {
            return false;
        }
    }
    v->as.map = copy;
    return copy != NULL;
}

// Deep: what `v` points to then lives in the arena.
static bool copy_value(struct arena *arena, struct value *v)
{
    bool ok = true;
    void *room = NULL;
    switch (v->kind) {
    case VALUE_STRING:
    case VALUE_BYTES:
        v->as.text = v->n == 0 ? "" : arena_str(arena, value_text(v), &ok).at;
        return ok;
    case VALUE_LIST:
        return copy_values(arena, &v->as.list, v->n);
    case VALUE_OPTIONAL:
        return v->flag == 0 || copy_values(arena, &v->as.list, 1);
    case VALUE_MAP:
        return copy_map(arena, v);
    case VALUE_IP:
    case VALUE_CIDR: {
        size_t size = v->kind == VALUE_IP ? sizeof(struct ip) : sizeof(struct cidr);
        room = arena_alloc(arena, size, 8);
        if (room != NULL) {
            memcpy(room, v->as.ip, size);
            v->as.ip = room;
        }
        return room != NULL;
    }
    default:
        return true;
    }
}

static uint64_t const_hash(const struct cel_program *p, uint32_t at)
{
    return value_hash(&p->consts[at]);
}

enum pdp_err program_const(struct cel_program *p, const struct value *value, uint32_t *out)
{
    TRY(index_room(&p->const_index, const_hash, p));
    uint32_t mask = p->const_index.cap - 1;
    uint32_t at = (uint32_t)value_hash(value) & mask;
    for (; p->const_index.at[at] != NODE_NONE; at = (at + 1) & mask) {
        if (value_same(&p->consts[p->const_index.at[at]], value)) {
            *out = p->const_index.at[at];
            return PDP_ERR_OK;
        }
    }
    void *consts = p->consts;
    enum pdp_err err = program_grow(&consts, &p->const_cap, p->const_count, sizeof *p->consts);
    p->consts = consts;
    TRY(err);
    struct value copy = *value;
    if (!copy_value(&p->arena, &copy)) {
        return PDP_ERR_NOMEM;
    }
    p->consts[p->const_count] = copy;
    p->const_index.at[at] = p->const_count;
    p->const_index.count++;
    *out = p->const_count++;
    return PDP_ERR_OK;
}

// ---- nodes ----

static bool has_args(uint8_t op)
{
    return op == OP_AND || op == OP_OR || op == OP_LIST || op == OP_MAP || op == OP_CALL || op == OP_COMP;
}

static uint32_t arg_count(const struct node *node)
{
    return node->op == OP_COMP ? 3 : node->b;
}

static uint64_t node_hash_of(const struct node *node, const uint32_t *args)
{
    uint64_t hash = mix(node->op | (uint64_t)node->strict << 8, (uint64_t)node->b << 32 | node->c);
    if (!has_args(node->op)) {
        return mix(hash, node->a);
    }
    return mix_bytes(hash, args + node->a, arg_count(node) * sizeof *args);
}

static uint64_t node_hash(const struct cel_program *p, uint32_t at)
{
    return node_hash_of(&p->nodes[at], p->args);
}

static bool node_same(const struct cel_program *p, const struct node *x, const struct node *y)
{
    if (x->op != y->op || x->b != y->b || x->c != y->c || x->strict != y->strict) {
        return false;
    }
    if (!has_args(x->op)) {
        return x->a == y->a;
    }
    return memcmp(p->args + x->a, p->args + y->a, arg_count(x) * sizeof *p->args) == 0;
}

enum pdp_err program_args(struct cel_program *p, const uint32_t *args, size_t count, uint32_t *first)
{
    *first = p->arg_count;
    for (size_t i = 0; i < count; i++) {
        void *list = p->args;
        enum pdp_err err = program_grow(&list, &p->arg_cap, p->arg_count, sizeof *p->args);
        p->args = list;
        TRY(err);
        p->args[p->arg_count++] = args[i];
    }
    if (p->args == NULL) { // so that an empty list has an address too
        void *list = NULL;
        enum pdp_err err = program_grow(&list, &p->arg_cap, 0, sizeof *p->args);
        p->args = list;
        return err;
    }
    return PDP_ERR_OK;
}

enum pdp_err program_node(struct cel_program *p, const struct node *node, uint32_t *out)
{
    *out = NODE_NONE;
    if (p->sealed) {
        return PDP_ERR_STATE;
    }
    TRY(index_room(&p->node_index, node_hash, p));
    uint32_t mask = p->node_index.cap - 1;
    uint32_t at = (uint32_t)node_hash_of(node, p->args) & mask;
    for (; p->node_index.at[at] != NODE_NONE; at = (at + 1) & mask) {
        if (node_same(p, &p->nodes[p->node_index.at[at]], node)) {
            *out = p->node_index.at[at];
            if (has_args(node->op) && node->a + arg_count(node) == p->arg_count) {
                p->arg_count = node->a; // the arguments were there already
            }
            return PDP_ERR_OK;
        }
    }
    if (p->node_count >= p->limits.nodes) {
        return PDP_ERR_LIMIT;
    }
    void *nodes = p->nodes;
    enum pdp_err err = program_grow(&nodes, &p->node_cap, p->node_count, sizeof *p->nodes);
    p->nodes = nodes;
    TRY(err);
    p->nodes[p->node_count] = *node;
    p->nodes[p->node_count].memo = NODE_NONE;
    p->node_index.at[at] = p->node_count;
    p->node_index.count++;
    *out = p->node_count++;
    return PDP_ERR_OK;
}
