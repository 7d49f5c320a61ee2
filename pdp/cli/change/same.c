// SPDX-License-Identifier: Apache-2.0
#include "cli/change/same.h"

#include "base/buf.h"
#include "cel/func.h"

#include <stdlib.h>

static const struct hash_key KEY = {UINT64_C(0x73616d65), 1};

enum pdp_err same_init(struct same *same, const struct cel_program *program)
{
    *same = (struct same){.program = program};
    same->hashes = calloc(program->node_count + (size_t)1, sizeof *same->hashes);
    same->known = calloc(program->node_count + (size_t)1, sizeof *same->known);
    if (same->hashes == NULL || same->known == NULL) {
        same_fini(same);
        return PDP_ERR_NOMEM;
    }
    return PDP_ERR_OK;
}

void same_fini(struct same *same)
{
    free(same->hashes);
    free(same->known);
    *same = (struct same){0};
}

// ---- The graph ---------------------------------------------------------------------------------------

static bool is_listed(const struct node *node)
{
    return node->op == OP_AND || node->op == OP_OR || node->op == OP_LIST || node->op == OP_MAP ||
           node->op == OP_CALL || node->op == OP_COMP;
}

struct str same_pattern(const struct cel_program *program, const struct node *node)
{
    const struct map *map = node->op == OP_MATCH ? &program->regex_map : &program->window_map;
    for (size_t i = 0; i < map->cap; i++) {
        if (map->entries[i].key.at != NULL && map->entries[i].value == node->b) {
            return map->entries[i].key;
        }
    }
    return (struct str){0};
}

// ---- Bytes that tell a value from any other ------------------------------------------------------------

static void put_word(struct buf *out, uint64_t word)
{
    buf_put(out, &word, sizeof word);
}

static void put_text(struct buf *out, struct str text)
{
    put_word(out, text.len);
    buf_str(out, text);
}

static void put_value(struct buf *out, const struct cel_env *env, const struct value *v);

static void put_parts(struct buf *out, const struct cel_env *env, const struct value *v)
{
    put_word(out, v->n);
    for (uint32_t i = 0; i < v->n; i++) {
        if (v->kind == VALUE_MAP) {
            put_value(out, env, &v->as.map[i].key);
            put_value(out, env, &v->as.map[i].value);
        } else {
            put_value(out, env, &v->as.list[i]);
        }
    }
}

static void put_value(struct buf *out, const struct cel_env *env, const struct value *v)
{
    put_word(out, v->kind | (uint64_t)v->flag << 8);
    if (v->kind == VALUE_STRING || v->kind == VALUE_BYTES) {
        put_text(out, value_text(v));
    } else if (v->kind == VALUE_LIST || v->kind == VALUE_MAP) {
        put_parts(out, env, v);
    } else if (v->kind == VALUE_OPTIONAL && v->flag != 0) {
        put_value(out, env, v->as.list);
    } else if (v->kind == VALUE_IP) {
        buf_put(out, v->as.ip->bytes, sizeof v->as.ip->bytes);
    } else if (v->kind == VALUE_CIDR) {
        buf_put(out, v->as.cidr->base.bytes, sizeof v->as.cidr->base.bytes);
        put_word(out, v->as.cidr->bits);
    } else if (v->kind == VALUE_STRENGTH && (size_t)v->as.i < env->strength_count) {
        put_text(out, env->strengths[v->as.i]); // its number is another where another level came before it
    } else if (v->kind == VALUE_BOOL) {
        put_word(out, v->as.b);
    } else if (v->kind != VALUE_NULL && !(v->kind == VALUE_OPTIONAL && v->flag == 0)) {
        put_word(out, v->n);
        put_word(out, v->as.u);
    }
}

// ---- Nodes --------------------------------------------------------------------------------------------

static void put_slot(struct buf *out, const struct cel_program *p, uint32_t slot)
{
    put_text(out, p->slots[slot].info.path);
    put_word(out, p->slots[slot].info.type);
}

// `a > b` is told as `b < a`: which of the two is asked first changes only what is named as missing or wrong.
// How the difference moves with now is known by the operands.
static bool is_turned(const struct node *node)
{
    uint32_t func = node->c & 0xff;
    return (node->op == OP_ORDER || node->op == OP_ORDER_NOW) && (func == F_GT || func == F_GE);
}

static void put_order(struct buf *out, const struct node *node)
{
    uint32_t func = node->c & 0xff;
    put_word(out, func == F_GT ? F_LT : func == F_GE ? F_LE : func);
}

// What a node has besides its operands.
static void put_extra(struct buf *out, const struct cel_program *p, const struct node *node)
{
    const struct cel_env *env = p->env;
    put_word(out, node->op | (uint64_t)node->strict << 8);
    if (node->op == OP_CONST) {
        put_value(out, env, &p->consts[node->a]);
    } else if (node->op == OP_SLOT || node->op == OP_HAS_SLOT) {
        put_slot(out, p, node->a);
    } else if (node->op == OP_EQ_TEXT) {
        put_slot(out, p, node->a);
        put_value(out, env, &p->consts[node->b]);
    } else if (node->op == OP_LOCAL) {
        put_word(out, node->a);
    } else if (node->op == OP_IN_TEXTS || node->op == OP_FIELD || node->op == OP_HAS ||
               node->op == OP_OPT_FIELD) {
        put_value(out, env, &p->consts[node->b]);
    } else if (node->op == OP_IN_SET) {
        put_text(out, env->sets[node->b].name);
    } else if (node->op == OP_MATCH || node->op == OP_WITHIN) {
        put_text(out, same_pattern(p, node));
    } else if (node->op == OP_COMP) {
        put_word(out, (uint64_t)node->b << 32 | node->c);
    } else if (node->op == OP_CALL) {
        put_word(out, node->c);
    } else if (node->op == OP_ORDER || node->op == OP_ORDER_NOW) {
        put_order(out, node);
    }
}

static int by_hash(const void *a, const void *b)
{
    return memcmp(a, b, sizeof(struct hash128));
}

// Operands; of what may be turned around and repeated in order, each once.
static void put_operands(struct same *same, struct buf *out, const struct node *node)
{
    const struct cel_program *p = same->program;
    struct buf all = {0};
    for (uint32_t i = 0; program_operand(p, node, i) != NODE_NONE; i++) {
        struct hash128 hash = same_hash(same, program_operand(p, node, i));
        hash.lo ^= is_listed(node) && (p->args[node->a + i] & NODE_OPTIONAL) != 0;
        buf_put(&all, &hash, sizeof hash);
    }
    struct hash128 *list = (struct hash128 *)(void *)all.at;
    size_t count = all.len / sizeof *list;
    bool joined = node->op == OP_AND || node->op == OP_OR;
    if (count > 1 && (joined || node->op == OP_EQ || node->op == OP_NE)) {
        qsort(list, count, sizeof *list, by_hash);
    }
    if (count == 2 && is_turned(node)) {
        struct hash128 first = list[0];
        list[0] = list[1];
        list[1] = first;
    }
    for (size_t i = 0; i < count; i++) {
        if (!joined || i == 0 || !hash128_eq(list[i], list[i - 1])) {
            buf_put(out, &list[i], sizeof list[i]);
        }
    }
    out->failed = out->failed || all.failed;
    buf_fini(&all);
}

struct hash128 same_hash(struct same *same, uint32_t expr)
{
    const struct cel_program *p = same->program;
    if (expr >= p->node_count) {
        return (struct hash128){0};
    }
    if (!same->known[expr]) {
        AUTO(buf_fini) struct buf bytes = {0};
        put_extra(&bytes, p, &p->nodes[expr]);
        put_operands(same, &bytes, &p->nodes[expr]);
        // Without memory nothing is the same as anything.
        same->hashes[expr] = bytes.failed ? (struct hash128){expr, (uint64_t)(uintptr_t)same}
                                          : hash_128(KEY, bytes.at, bytes.len);
        same->known[expr] = true;
    }
    return same->hashes[expr];
}

// ---- Tables of truths --------------------------------------------------------------------------------

struct table {
    struct same *same;
    struct hash128 atoms[SAME_ATOMS_MOST];
    enum truth values[SAME_ATOMS_MOST];
    size_t count, steps;
    bool more; // than there is room for, or than is worth the time
};

#define STEPS_MOST 2000000

static size_t atom_of(struct table *table, struct hash128 hash)
{
    for (size_t i = 0; i < table->count; i++) {
        if (hash128_eq(table->atoms[i], hash)) {
            return i;
        }
    }
    if (table->count == SAME_ATOMS_MOST) {
        table->more = true;
        return 0;
    }
    table->atoms[table->count] = hash;
    return table->count++;
}

static enum truth negate(enum truth truth)
{
    return truth == TRUTH_UNSURE ? TRUTH_UNSURE : truth == TRUTH_YES ? TRUTH_NO : TRUTH_YES;
}

// The truth of a node by those of the atoms; its atoms are noted on the way.
static enum truth judge(struct table *table, uint32_t expr)
{
    const struct cel_program *p = table->same->program;
    const struct node *node = expr < p->node_count ? &p->nodes[expr] : NULL;
    if (node == NULL) {
        return TRUTH_YES;
    }
    if (++table->steps > STEPS_MOST) {
        table->more = true;
        return TRUTH_UNSURE;
    }
    if (node->op == OP_NOT) {
        return negate(judge(table, node->a));
    }
    if (node->op == OP_CONST && p->consts[node->a].kind == VALUE_BOOL) {
        return p->consts[node->a].as.b ? TRUTH_YES : TRUTH_NO;
    }
    if (node->op != OP_AND && node->op != OP_OR) {
        return table->values[atom_of(table, same_hash(table->same, expr))];
    }
    enum truth ends = node->op == OP_AND ? TRUTH_NO : TRUTH_YES, all = negate(ends);
    for (uint32_t i = 0; i < node->b; i++) {
        enum truth one = judge(table, program_operand(p, node, i));
        all = one == ends || all == ends ? ends : one == TRUTH_UNSURE ? TRUTH_UNSURE : all;
    }
    return all;
}

static bool next_values(struct table *table)
{
    for (size_t i = 0; i < table->count; i++) {
        if (table->values[i] != TRUTH_YES) {
            table->values[i] = (enum truth)(table->values[i] + 1);
            return true;
        }
        table->values[i] = TRUTH_UNSURE;
    }
    return false;
}

bool same_truth(struct same *a, uint32_t a_expr, struct same *b, uint32_t b_expr)
{
    if (hash128_eq(same_hash(a, a_expr), same_hash(b, b_expr))) {
        return true;
    }
    struct table table = {.same = a};
    (void)judge(&table, a_expr);
    table.same = b;
    (void)judge(&table, b_expr);
    bool same = true;
    do {
        table.same = a;
        enum truth one = judge(&table, a_expr);
        table.same = b;
        same = one == judge(&table, b_expr) && !table.more;
    } while (same && next_values(&table));
    return same;
}
