// SPDX-License-Identifier: Apache-2.0
// How many steps one evaluation can take: a walk over the graph that adds up what each node spends, as run.c,
// run_data.c and cmp.c do, for the largest values that there can be.
#include "cel/bound.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

const struct cel_sizes CEL_SIZES = {.items = 64, .inner = 16, .parts = 256, .bytes = 1024, .text = 65536};

// Steps of one evaluation: flat, and for each part of the innermost variable that a comparison looks through.
// Over all turns those parts are no more than the parts of what is walked over: far less than the most that
// one element can have, times the turns.
struct cost {
    uint64_t flat, per_part;
    uint16_t level; // of the variable; NODE_CLOSED: none
};

struct seen {
    uint64_t call; // stale entries of earlier calls are free places
    uint32_t node, scope;
    struct cost cost;
    struct shape shape;
};

struct cel_bounds {
    struct seen *seen;
    uint32_t cap;
    uint64_t call;
    struct shape *locals;
    uint32_t local_cap;
};

struct walker {
    const struct cel_program *p;
    struct cel_bounds *b;
    const struct cel_sizes *sizes;
    uint32_t count;             // of nodes seen in this call
    uint32_t scope, last_scope; // which values the variables in scope stand for
    uint64_t once;              // of parts that are remembered, each once
    uint64_t visits;
    uint32_t worst; // the walk with the most steps, the innermost of those that have about as many
    uint64_t worst_steps;
    enum pdp_err err;
};

static struct cost visit(struct walker *w, uint32_t id, uint64_t times, struct shape *shape);

// ---- What was seen ----------------------------------------------------------------------------------

static struct seen *find(const struct cel_bounds *b, uint32_t node)
{
    uint32_t at = (node * UINT32_C(2654435769)) & (b->cap - 1);
    while (b->seen[at].call == b->call && b->seen[at].node != node) {
        at = (at + 1) & (b->cap - 1);
    }
    return &b->seen[at];
}

static enum pdp_err make_room(struct walker *w)
{
    struct cel_bounds *b = w->b;
    if (w->count * 2 < b->cap) {
        return PDP_ERR_OK;
    }
    struct cel_bounds more = *b;
    more.cap = b->cap == 0 ? 256 : b->cap * 2;
    more.seen = calloc(more.cap, sizeof *more.seen);
    if (more.seen == NULL) {
        return PDP_ERR_NOMEM;
    }
    for (uint32_t i = 0; i < b->cap; i++) {
        if (b->seen[i].call == b->call) {
            *find(&more, b->seen[i].node) = b->seen[i];
        }
    }
    free(b->seen);
    *b = more;
    return PDP_ERR_OK;
}

void bound_free(struct cel_bounds **bounds)
{
    if (*bounds != NULL) {
        free((*bounds)->seen);
        free((*bounds)->locals);
        free(*bounds);
        *bounds = NULL;
    }
}

// ---- Costs ------------------------------------------------------------------------------------------

static struct cost flat(uint64_t steps)
{
    return (struct cost){.flat = steps, .level = NODE_CLOSED};
}

static struct cost flattened(const struct walker *w, struct cost c)
{
    return c.level == NODE_CLOSED
               ? c
               : flat(bound_add(c.flat, bound_mul(c.per_part, w->b->locals[c.level].parts)));
}

static struct cost add(const struct walker *w, struct cost a, struct cost b)
{
    if (a.level != b.level && b.level != NODE_CLOSED && (a.level == NODE_CLOSED || a.level < b.level)) {
        a = flattened(w, a);
        a.level = b.level;
    } else if (a.level != b.level) {
        b = flattened(w, b);
    }
    return (struct cost){bound_add(a.flat, b.flat), bound_add(a.per_part, b.per_part), a.level};
}

static struct cost dearer(const struct walker *w, struct cost a, struct cost b)
{
    if (a.level != b.level) {
        a = flattened(w, a);
        b = flattened(w, b);
    }
    return (struct cost){bound_most(a.flat, b.flat), bound_most(a.per_part, b.per_part), a.level};
}

static struct cost scaled(struct cost c, uint64_t times)
{
    return (struct cost){bound_mul(c.flat, times), bound_mul(c.per_part, times), c.level};
}

// Comparing goes through the parts of both sides at once, and ends with the smaller. A map's entries cost an
// eighth of its size more.
static uint64_t part_cost(const struct shape *s)
{
    bool list = s->is == SHAPE_PARTS && s->inner == 0;
    return list ? 1 + s->len / 8 : 1 + bound_most(s->len, s->inner) / 8;
}

static struct cost equal_cost(const struct walker *w, const struct shape *a, const struct shape *b)
{
    if (a->parts == 0 || b->parts == 0) {
        return flat(0);
    }
    uint64_t least = bound_least(bound_mul(a->parts, part_cost(a)), bound_mul(b->parts, part_cost(b)));
    bool left = b->root == NODE_CLOSED || (a->root != NODE_CLOSED && a->root > b->root);
    const struct shape *inner = left ? a : b;
    if (inner->root == NODE_CLOSED || w->b->locals[inner->root].parts < 4 || least < 8) {
        return flat(least);
    }
    return (struct cost){.per_part = part_cost(inner), .level = inner->root};
}

// ---- Walks ------------------------------------------------------------------------------------------

struct turns {
    const struct node *node;
    struct shape range;
    uint64_t count;
    enum comp_kind comp;
};

static bool is_optional(enum comp_kind comp)
{
    return comp == COMP_OPT_MAP || comp == COMP_OPT_FLAT;
}

static void bind(struct walker *w, const struct turns *t)
{
    struct shape elem = is_optional(t->comp) ? t->range : shape_elem(&t->range);
    struct shape key = shape_text(t->range.bytes);
    bool two = t->node->b >> 8 == 2;
    uint32_t level = t->node->c;
    w->b->locals[level] = two ? key : elem;
    w->b->locals[level + 1] = elem;
    w->b->locals[level].root = (uint16_t)level;
    w->b->locals[level + 1].root = (uint16_t)(level + 1);
}

// What one turn adds to a map: its key is looked for first.
static uint64_t entry_cost(const struct turns *t)
{
    return t->comp == COMP_MAP || t->comp == COMP_ENTRIES ? t->count / 8 : 0;
}

static struct shape walked(const struct turns *t, const struct shape *result)
{
    struct shape s = shape_plain();
    uint16_t level = (uint16_t)t->node->c;
    if (t->comp == COMP_ALL || t->comp == COMP_EXISTS || t->comp == COMP_ONE) {
        return s;
    }
    if (is_optional(t->comp)) {
        s = shape_some(result);
        s.root = NODE_CLOSED;
        return s;
    }
    struct shape key = shape_text(bound_most(t->range.bytes, result->bytes));
    s.is = SHAPE_PARTS;
    s.len = s.parts = t->count;
    shape_hold(&s, result, t->count);
    if (t->comp != COMP_LIST) {
        shape_hold(&s, &key, t->count);
    } else if (result->root != NODE_CLOSED && result->root >= level) { // parts of what is walked over
        s.parts = bound_least(s.parts, t->range.parts);
        s.text = bound_least(s.text, t->range.text);
    }
    return s;
}

static void note_worst(struct walker *w, uint32_t id, struct cost cost, uint64_t times)
{
    uint64_t steps = bound_mul(flattened(w, cost).flat, times);
    if (w->worst == NODE_NONE || steps / 2 > w->worst_steps) {
        w->worst = id;
        w->worst_steps = steps;
    }
}

static struct cost visit_comp(struct walker *w, uint32_t id, uint64_t times, struct shape *shape)
{
    const struct node *node = &w->p->nodes[id];
    const uint32_t *args = &w->p->args[node->a];
    struct turns t = {.node = node, .comp = (enum comp_kind)(node->b & 0xff)};
    struct cost cost = visit(w, args[0], times, &t.range);
    t.count = is_optional(t.comp) ? 1 : shape_len(&t.range);
    // What a name stands for may lie at the level of the walk that reads it, and gives it back as it was.
    uint32_t scope = w->scope;
    struct shape outer[2] = {w->b->locals[node->c], w->b->locals[node->c + 1]}, result = shape_plain();
    w->scope = ++w->last_scope;
    bind(w, &t);
    struct cost turn = visit(w, args[1], bound_mul(times, t.count), &result);
    if (t.comp == COMP_LIST || t.comp == COMP_MAP || t.comp == COMP_ENTRIES) {
        struct cost made = visit(w, args[2], bound_mul(times, t.count), &result);
        turn = add(w, turn, add(w, made, flat(entry_cost(&t))));
        uint64_t bytes = t.comp == COMP_LIST ? sizeof(struct value) : sizeof(struct value_entry);
        cost = add(w, cost, flat(bound_mul(t.count, bytes) / 64));
    }
    bool own = turn.level != NODE_CLOSED && turn.level >= node->c;
    struct cost all =
        own ? flat(bound_add(bound_mul(turn.flat, t.count), bound_mul(turn.per_part, t.range.parts)))
            : scaled(turn, t.count);
    w->scope = scope;
    w->b->locals[node->c] = outer[0];
    w->b->locals[node->c + 1] = outer[1];
    *shape = walked(&t, &result);
    note_worst(w, id, all, times);
    return add(w, cost, all);
}

// ---- Nodes ------------------------------------------------------------------------------------------

static struct cost visit_list(struct walker *w, const struct node *node, uint64_t times, struct shape *shape)
{
    bool map = node->op == OP_MAP;
    uint64_t len = map ? node->b / 2 : node->b;
    uint64_t bytes = len * (map ? sizeof(struct value_entry) : sizeof(struct value));
    struct cost cost = flat(bytes / 64 + (map ? len * (len / 8) : 0));
    *shape = shape_plain();
    shape->is = SHAPE_PARTS;
    shape->len = shape->parts = len;
    for (uint32_t i = 0; i < node->b; i++) {
        struct shape elem;
        cost = add(w, cost, visit(w, w->p->args[node->a + i] & ~NODE_OPTIONAL, times, &elem));
        shape_hold(shape, &elem, 1);
    }
    return cost;
}

static struct cost visit_call(struct walker *w, const struct node *node, uint64_t times, struct shape *shape)
{
    enum {
        ARGS_MAX = 8
    };
    struct shape args[ARGS_MAX] = {{0}};
    struct cost cost = flat(0);
    uint64_t own = 0;
    for (uint32_t i = 0; i < node->b && i < ARGS_MAX; i++) {
        cost = add(w, cost, visit(w, w->p->args[node->a + i], times, &args[i]));
    }
    *shape = bound_call(w->p, node, args, &own);
    return add(w, cost, flat(own));
}

static struct cost visit_all(struct walker *w, const struct node *node, uint64_t times)
{
    struct cost cost = flat(0);
    for (uint32_t i = 0; i < node->b; i++) {
        struct shape shape;
        cost = add(w, cost, visit(w, w->p->args[node->a + i], times, &shape));
    }
    return cost;
}

// Each element is compared: through its parts, or through those of what is looked for.
static struct cost in_cost(const struct shape *what, const struct shape *in)
{
    uint64_t len = shape_len(in);
    if (what->parts == 0 || in->inner == 0) {
        return flat(len);
    }
    uint64_t through = bound_mul(in->parts, part_cost(in));
    struct cost each = {.flat = len, .per_part = bound_mul(part_cost(what), len), .level = what->root};
    uint64_t by_what = bound_mul(bound_mul(what->parts, part_cost(what)), len);
    if (what->root != NODE_CLOSED && through > by_what / 8) {
        return each;
    }
    return flat(bound_add(len, bound_least(through, by_what)));
}

static struct cost visit_pair(struct walker *w, const struct node *node, uint64_t times)
{
    struct shape a, b;
    struct cost cost = visit(w, node->a, times, &a);
    cost = add(w, cost, visit(w, node->b, times, &b));
    if (node->op == OP_ORDER) {
        return cost;
    }
    return add(w, cost, node->op == OP_IN ? in_cost(&a, &b) : equal_cost(w, &a, &b));
}

static struct cost visit_choice(struct walker *w, const struct node *node, uint64_t times,
                                struct shape *shape)
{
    struct shape a, b;
    struct cost first = visit(w, node->op == OP_COND ? node->b : node->a, times, &a);
    struct cost second = visit(w, node->op == OP_COND ? node->c : node->b, times, &b);
    *shape = shape_join(&a, &b);
    if (node->op != OP_COND) {
        return add(w, first, second);
    }
    return add(w, visit(w, node->a, times, &a), dearer(w, first, second));
}

static struct cost visit_match(struct walker *w, const struct node *node, uint64_t times)
{
    struct shape text;
    struct cost cost = visit(w, node->a, times, &text);
    return add(w, cost, flat(4 + shape_bytes(&text) / 16));
}

static struct cost visit_field(struct walker *w, const struct node *node, uint64_t times, struct shape *shape)
{
    struct shape map;
    struct cost cost = visit(w, node->a, times, &map);
    *shape = node->op == OP_HAS ? shape_plain() : shape_elem(&map);
    if (node->op != OP_HAS) { // of an optional it is optional
        *shape = shape_some(shape);
    }
    return add(w, cost, flat(shape_len(&map) / 32));
}

static struct cost visit_op(struct walker *w, uint32_t id, uint64_t times, struct shape *shape)
{
    const struct node *node = &w->p->nodes[id];
    struct shape unused;
    *shape = shape_plain();
    switch ((enum op)node->op) {
    case OP_CONST:
        *shape = shape_of_const(&w->p->consts[node->a]);
        return flat(0);
    case OP_SLOT:
        *shape = shape_of_slot(w->p, node->a, w->sizes);
        return flat(0);
    case OP_LOCAL:
        *shape = w->b->locals[node->a];
        return flat(0);
    case OP_AND:
    case OP_OR:
        return visit_all(w, node, times);
    case OP_EQ:
    case OP_NE:
    case OP_ORDER:
    case OP_ORDER_NOW:
    case OP_IN:
        return visit_pair(w, node, times);
    case OP_NOT:
    case OP_IN_TEXTS:
    case OP_IN_SET:
        return visit(w, node->a, times, &unused);
    case OP_FIELD:
    case OP_HAS:
    case OP_OPT_FIELD:
        return visit_field(w, node, times, shape);
    case OP_LIST:
    case OP_MAP:
        return visit_list(w, node, times, shape);
    case OP_COMP:
        return visit_comp(w, id, times, shape);
    case OP_CALL:
        return visit_call(w, node, times, shape);
    case OP_MATCH:
        return visit_match(w, node, times);
    case OP_WITHIN:
        return add(w, visit(w, node->a, times, &unused), flat(8));
    case OP_COND:
    case OP_OR_OPT:
    case OP_OR_VALUE:
        return visit_choice(w, node, times, shape);
    case OP_NOW:
    case OP_HAS_SLOT:
    case OP_EQ_TEXT:
    case OP_COUNT:
        break;
    }
    return flat(0);
}

static struct cost visit(struct walker *w, uint32_t id, uint64_t times, struct shape *shape)
{
    enum {
        VISITS_MOST = 4000000
    };
    const struct node *node = &w->p->nodes[id];
    *shape = shape_plain();
    if (w->err != PDP_ERR_OK || w->visits++ > VISITS_MOST) {
        return flat(UINT64_MAX);
    }
    struct seen *seen = w->b->cap > 0 ? find(w->b, id) : NULL;
    bool known = seen != NULL && seen->call == w->b->call;
    bool memo = program_remembers(node);
    if (known && (node->low == NODE_CLOSED || seen->scope == w->scope)) {
        *shape = seen->shape;
        return seen->cost;
    }
    struct cost cost = add(w, flat(1), visit_op(w, id, memo ? 1 : times, shape));
    if (memo) { // computed once, then looked up
        w->once = bound_add(w->once, cost.flat - 1);
        cost = flat(1);
    }
    w->err = w->err == PDP_ERR_OK ? make_room(w) : w->err;
    if (w->err != PDP_ERR_OK) {
        return flat(UINT64_MAX);
    }
    seen = find(w->b, id);
    w->count += seen->call != w->b->call;
    *seen = (struct seen){w->b->call, id, w->scope, cost, *shape};
    return cost;
}

// ---- For others -------------------------------------------------------------------------------------

static enum pdp_err begin(struct cel_program *p)
{
    if (p->bounds == NULL) {
        p->bounds = calloc(1, sizeof *p->bounds);
    }
    struct cel_bounds *b = p->bounds;
    if (b == NULL) {
        return PDP_ERR_NOMEM;
    }
    b->call++;
    if (b->local_cap < p->level_count + 2) {
        struct shape *locals = realloc(b->locals, (p->level_count + 2) * sizeof *locals);
        if (locals == NULL) {
            return PDP_ERR_NOMEM;
        }
        b->locals = locals;
        b->local_cap = p->level_count + 2;
    }
    memset(b->locals, 0, b->local_cap * sizeof *b->locals);
    return PDP_ERR_OK;
}

enum pdp_err cel_bound(struct cel_program *program, uint32_t expr, const struct cel_sizes *sizes,
                       struct cel_bound *out)
{
    *out = (struct cel_bound){.steps = UINT64_MAX};
    if (expr >= program->node_count) {
        return PDP_ERR_RANGE;
    }
    TRY(begin(program));
    struct shape shape;
    struct walker w = {
        .p = program, .b = program->bounds, .sizes = sizes != NULL ? sizes : &CEL_SIZES, .worst = NODE_NONE};
    struct cost cost = visit(&w, expr, 1, &shape);
    TRY(w.err);
    out->steps = bound_add(cost.flat, w.once);
    if (w.worst != NODE_NONE && w.worst_steps >= out->steps / 2) {
        out->worst = program_place_of(program, w.worst);
        out->worst_steps = w.worst_steps;
    }
    return PDP_ERR_OK;
}

// 262,144 as people read it.
static const char *grouped(uint64_t n, char room[32])
{
    char digits[24];
    const uint64_t most = UINT64_C(1000000000000);
    int len = snprintf(digits, sizeof digits, "%" PRIu64, n < most ? n : most);
    size_t at = 0;
    for (int i = 0; i < len; i++) {
        if (i > 0 && (len - i) % 3 == 0) {
            room[at++] = ',';
        }
        room[at++] = digits[i];
    }
    room[at] = '\0';
    return room;
}

static void hint(struct diags *diags, const struct cel_bound *bound)
{
    enum {
        SHOWN = 60
    };
    static const char SIZES[] = "without `max_items` of a Schema a list is taken to hold 64 elements, "
                                "without `max_bytes` a text 1,024 bytes";
    struct place at = bound->worst;
    char steps[32];
    if (at.src == NULL || at.at > at.src->text.len) {
        diag_hint(diags, "%s", SIZES);
        return;
    }
    AUTO(buf_fini) struct buf shown = {0};
    struct str text = str_sub(at.src->text, at.at, at.len);
    buf_escaped(&shown, str_sub(text, 0, SHOWN));
    diag_hint(diags, "`" STR_FMT "%s` may take %s of them; %s", STR_ARG(buf_view(&shown)),
              text.len > SHOWN ? "…" : "", grouped(bound->worst_steps, steps), SIZES);
}

enum pdp_err cel_bound_check(struct cel_program *program, uint32_t expr, uint64_t before, struct place place,
                             struct str what, struct diags *diags, uint64_t *steps)
{
    struct cel_bound bound;
    char may[32], has[32];
    *steps = UINT64_MAX;
    TRY(cel_bound(program, expr, NULL, &bound));
    *steps = bound_add(bound.steps, before);
    if (*steps <= program->limits.steps) {
        return PDP_ERR_OK;
    }
    enum pdp_err err = diag_error(diags, PDP_ERR_LIMIT, place,
                                  STR_FMT " may take %s steps, more than the %s that a question has",
                                  STR_ARG(what), grouped(*steps, may), grouped(program->limits.steps, has));
    hint(diags, &bound);
    return err;
}
