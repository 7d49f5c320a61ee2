// SPDX-License-Identifier: Apache-2.0
// What lies at the edges of what an attribute may be: the least and the most that a number holds, lists and
// texts that are empty, or as long as a condition counts. There conditions differ that look the same between.
#include "cli/change/solve.h"

#define POOL_MOST 24
#define WALK_MOST 500
#define ITEMS_MOST 400
#define LENGTH_MOST 20000

struct edge_slot {
    struct str path;
    enum cel_type type;
};

// Attributes of an expression, and constants that stand in it.
struct pool {
    struct solver *solver;
    struct edge_slot slots[POOL_MOST];
    int64_t numbers[POOL_MOST];
    struct str texts[POOL_MOST];
    uint32_t slot_count, number_count, text_count, left;
};

static void add_slot(struct pool *pool, struct str path, enum cel_type type)
{
    if (pool->slot_count < POOL_MOST && (trial_is_said(path) || str_starts(path, STR("counters.")))) {
        pool->slots[pool->slot_count++] = (struct edge_slot){path, type};
    }
}

static void add_value(struct pool *pool, const struct value *value)
{
    bool number = value->kind == VALUE_INT || value->kind == VALUE_DOUBLE;
    if (number && pool->number_count < POOL_MOST) {
        bool whole = value->kind == VALUE_INT || !(value->as.d < 9e15 && value->as.d > -9e15);
        pool->numbers[pool->number_count++] = value->kind == VALUE_INT ? value->as.i
                                              : whole                  ? 1
                                                                       : (int64_t)value->as.d;
    } else if (value->kind == VALUE_STRING && pool->text_count < POOL_MOST) {
        pool->texts[pool->text_count++] = value_text(value);
    }
    for (uint32_t i = 0; value->kind == VALUE_LIST && i < value->n; i++) {
        add_value(pool, &value->as.list[i]);
    }
}

static void gather(struct pool *pool, uint32_t id)
{
    const struct cel_program *p = pool->solver->side->parts.program;
    const struct node *node = &p->nodes[id];
    if (pool->left == 0) {
        return;
    }
    pool->left--;
    if (node->op == OP_SLOT || node->op == OP_HAS_SLOT || node->op == OP_EQ_TEXT) {
        add_slot(pool, p->slots[node->a].info.path, p->slots[node->a].info.type);
    } else if (node->op == OP_FIELD || node->op == OP_OPT_FIELD) {
        struct str path = solve_name(pool->solver, id);
        if (path.len > 0) {
            add_slot(pool, path, CEL_DYN);
            return;
        }
    }
    if (node->op == OP_CONST || node->op == OP_EQ_TEXT || node->op == OP_IN_TEXTS) {
        add_value(pool, &p->consts[node->op == OP_CONST ? node->a : node->b]);
    }
    for (uint32_t i = 0; program_operand(p, node, i) != NODE_NONE; i++) {
        gather(pool, program_operand(p, node, i));
    }
}

static int64_t some_number(struct pool *pool)
{
    struct luck *luck = pool->solver->luck;
    return pool->number_count > 0 ? pool->numbers[luck_below(luck, pool->number_count)] : 1;
}

static struct str some_text(struct pool *pool)
{
    struct luck *luck = pool->solver->luck;
    bool own = pool->text_count > 0 && luck_below(luck, 4) > 0;
    return own                    ? pool->texts[luck_below(luck, pool->text_count)]
           : luck_one_in(luck, 2) ? STR("a")
                                  : STR("other");
}

// So many as a condition counts, one less or one more; none, one or two.
static uint32_t some_count(struct pool *pool, uint32_t most)
{
    struct luck *luck = pool->solver->luck;
    if (luck_one_in(luck, 2) || pool->number_count == 0) {
        return luck_below(luck, 3);
    }
    uint64_t count = (uint64_t)some_number(pool) + luck_below(luck, 3) - 1;
    return count <= most ? (uint32_t)count : luck_below(luck, 3);
}

static struct value edge_number(struct pool *pool)
{
    struct luck *luck = pool->solver->luck;
    uint64_t by = (uint64_t)some_number(pool), around = (uint64_t)luck_below(luck, 3) - 1;
    const uint64_t from[] = {
        INT64_MAX, (uint64_t)INT64_MIN, INT64_MAX - by, (uint64_t)INT64_MIN + by, by, 0 - by, 0, by * 2};
    uint32_t which = luck_below(luck, COUNT_OF(from));
    uint64_t bits = which < 2 ? from[which] : from[which] + around;
    return value_int((int64_t)bits); // wraps around where it has to
}

static struct value edge_double(struct pool *pool)
{
    static const double FAR[] = {0, 1e308, -1e308, 5e-324, 9007199254740992.0, -9007199254740992.0};
    struct luck *luck = pool->solver->luck;
    double by = (double)some_number(pool);
    return value_double(luck_one_in(luck, 2) ? FAR[luck_below(luck, COUNT_OF(FAR))]
                                             : by + (luck_below(luck, 5) - 2.0) / 2);
}

static struct value edge_list(struct pool *pool, bool numbers)
{
    struct luck *luck = pool->solver->luck;
    struct arena *arena = pool->solver->trial->arena;
    uint32_t count = some_count(pool, ITEMS_MOST), form = luck_below(luck, 3);
    struct value *list = ARENA_ARRAY(arena, struct value, count + (size_t)1);
    struct str same = some_text(pool);
    for (uint32_t i = 0; list != NULL && i < count; i++) {
        struct str text = form == 0 ? same : form == 1 ? some_text(pool) : arena_printf(arena, "a%u", i);
        list[i] = numbers ? edge_number(pool) : value_str(text);
    }
    return (struct value){.kind = VALUE_LIST, .n = list != NULL ? count : 0, .as.list = list};
}

// So many characters, of one byte or of two.
static struct str long_text(struct pool *pool)
{
    AUTO(buf_fini) struct buf text = {0};
    bool wide = luck_one_in(pool->solver->luck, 4);
    uint32_t count = some_count(pool, wide ? LENGTH_MOST / 2 : LENGTH_MOST);
    for (uint32_t i = 0; i < count; i++) {
        buf_str(&text, wide ? STR("\303\244") : STR("a"));
    }
    return arena_str(pool->solver->trial->arena, buf_view(&text), NULL);
}

static struct str other_case(struct pool *pool, struct str text)
{
    AUTO(buf_fini) struct buf out = {0};
    for (size_t i = 0; i < text.len; i++) {
        char low = (char)(text.at[i] | 32);
        buf_byte(&out, (unsigned char)(low >= 'a' && low <= 'z' ? text.at[i] ^ 32 : text.at[i]));
    }
    return arena_str(pool->solver->trial->arena, buf_view(&out), NULL);
}

static struct value edge_text(struct pool *pool)
{
    struct arena *arena = pool->solver->trial->arena;
    struct str text = some_text(pool);
    bool plain = text.len > 0 && (unsigned char)text.at[text.len - 1] < 0x80;
    switch (luck_below(pool->solver->luck, 6)) {
    case 0:
        return value_str(other_case(pool, text));
    case 1:
        return value_str(plain ? str_sub(text, 0, text.len - 1) : STR(""));
    case 2:
        return value_str(arena_printf(arena, STR_FMT "a", STR_ARG(text)));
    case 3:
        return value_str(arena_printf(arena, "a" STR_FMT, STR_ARG(text)));
    default:
        return value_str(long_text(pool));
    }
}

static struct value edge_of(struct pool *pool, const struct edge_slot *slot)
{
    struct luck *luck = pool->solver->luck;
    const struct value *there = trial_get(pool->solver->trial, slot->path);
    enum value_kind kind = there != NULL && luck_below(luck, 3) > 0 ? there->kind : VALUE_NULL;
    uint32_t any = luck_below(luck, 4);
    bool list = slot->type == CEL_LIST_STRING || slot->type == CEL_LIST_DYN || slot->type == CEL_LIST_INT;
    if (list || (slot->type == CEL_DYN && (kind == VALUE_LIST || (kind == VALUE_NULL && any == 0)))) {
        return edge_list(pool, slot->type == CEL_LIST_INT ||
                                   (slot->type != CEL_LIST_STRING && pool->text_count == 0 && any == 1));
    }
    if (slot->type == CEL_INT ||
        (slot->type == CEL_DYN && (kind == VALUE_INT || (kind == VALUE_NULL && any == 1)))) {
        return edge_number(pool);
    }
    if (slot->type == CEL_DOUBLE ||
        (slot->type == CEL_DYN && (kind == VALUE_DOUBLE || (kind == VALUE_NULL && any == 2)))) {
        return edge_double(pool);
    }
    if (slot->type == CEL_STRING || slot->type == CEL_DYN) {
        return edge_text(pool);
    }
    return there != NULL ? *there : (struct value){.kind = VALUE_NULL};
}

void solve_edge(struct solver *solver, uint32_t expr)
{
    struct pool pool = {.solver = solver, .left = WALK_MOST};
    if (expr >= solver->side->parts.program->node_count) {
        return;
    }
    gather(&pool, expr);
    if (pool.slot_count > 0) {
        const struct edge_slot *slot = &pool.slots[luck_below(solver->luck, pool.slot_count)];
        struct value value = edge_of(&pool, slot);
        if (value.kind != VALUE_NULL) {
            solve_put(solver, slot->path, value);
        }
    }
}
