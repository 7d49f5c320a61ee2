// SPDX-License-Identifier: Apache-2.0
// What a program reads and what an index can use of it; its text for people. Off the hot path.
#include "cel/frame.h"
#include "cel/regex.h"

#include <stdlib.h>

static const char *const OPS[OP_COUNT] = {
#define X(name) [OP_##name] = #name,
    OP_LIST_ALL(X)
#undef X
};

// ---- walking a graph once ----

struct seen { // node numbers, open addressing
    uint32_t *at;
    uint32_t cap, count;
    bool failed;
};

static void seen_put(struct seen *seen, uint32_t id, bool *fresh);

static void seen_grow(struct seen *seen)
{
    struct seen bigger = {.cap = seen->cap == 0 ? 64 : seen->cap * 2};
    bigger.at = malloc(bigger.cap * sizeof *bigger.at);
    if (bigger.at == NULL) {
        seen->failed = true;
        return;
    }
    memset(bigger.at, 0xff, bigger.cap * sizeof *bigger.at);
    for (uint32_t i = 0; i < seen->cap; i++) {
        bool fresh = false;
        if (seen->at[i] != NODE_NONE) {
            seen_put(&bigger, seen->at[i], &fresh);
        }
    }
    free(seen->at);
    *seen = bigger;
}

static void seen_put(struct seen *seen, uint32_t id, bool *fresh)
{
    *fresh = false;
    if (seen->count * 2 >= seen->cap) {
        seen_grow(seen);
    }
    if (seen->failed) {
        return;
    }
    uint32_t at = (id * UINT32_C(2654435769)) & (seen->cap - 1);
    for (; seen->at[at] != NODE_NONE; at = (at + 1) & (seen->cap - 1)) {
        if (seen->at[at] == id) {
            return;
        }
    }
    seen->at[at] = id;
    seen->count++;
    *fresh = true;
}

uint32_t program_operand(const struct cel_program *p, const struct node *node, uint32_t i)
{
    static const uint8_t COUNTS[OP_COUNT] = {
        [OP_NOT] = 1,    [OP_COND] = 3,      [OP_EQ] = 2,     [OP_NE] = 2,
        [OP_ORDER] = 2,  [OP_ORDER_NOW] = 2, [OP_IN] = 2,     [OP_IN_TEXTS] = 1,
        [OP_IN_SET] = 1, [OP_FIELD] = 1,     [OP_HAS] = 1,    [OP_OPT_FIELD] = 1,
        [OP_MATCH] = 1,  [OP_WITHIN] = 1,    [OP_OR_OPT] = 2, [OP_OR_VALUE] = 2,
    };
    bool listed = node->op == OP_AND || node->op == OP_OR || node->op == OP_LIST || node->op == OP_MAP ||
                  node->op == OP_CALL || node->op == OP_COMP;
    uint32_t count = listed ? (node->op == OP_COMP ? 3 : node->b) : COUNTS[node->op];
    if (i >= count) {
        return NODE_NONE;
    }
    return listed ? p->args[node->a + i] & ~NODE_OPTIONAL : i == 0 ? node->a : i == 1 ? node->b : node->c;
}

static bool reads_path(const struct cel_program *p, const struct node *node, struct str path)
{
    if (node->op == OP_NOW) {
        return str_eq(path, STR("now"));
    }
    if (node->op != OP_SLOT && node->op != OP_HAS_SLOT && node->op != OP_EQ_TEXT) {
        return false;
    }
    struct str own = p->slots[node->a].info.path;
    return str_starts(own, path) && (own.len == path.len || own.at[path.len] == '.');
}

static bool reads(const struct cel_program *p, uint32_t id, struct str path, struct seen *seen)
{
    const struct node *node = &p->nodes[id];
    bool fresh = false;
    seen_put(seen, id, &fresh);
    if (seen->failed) {
        return true;
    }
    if (!fresh) {
        return false;
    }
    if (reads_path(p, node, path)) {
        return true;
    }
    for (uint32_t i = 0; program_operand(p, node, i) != NODE_NONE; i++) {
        if (reads(p, program_operand(p, node, i), path, seen)) {
            return true;
        }
    }
    return false;
}

bool cel_reads(const struct cel_program *program, uint32_t expr, struct str path)
{
    struct seen seen = {0};
    bool is = expr < program->node_count && reads(program, expr, path, &seen);
    free(seen.at);
    return is;
}

// ---- text ----

void cel_slot_show(const struct cel_program *program, uint32_t slot, const struct value *value, size_t most,
                   struct buf *out)
{
    if (slot >= program->slot_count || program->slots[slot].info.sensitive) {
        buf_str(out, STR(CEL_MASK));
    } else {
        value_print(out, value, most);
    }
}

struct printer {
    const struct cel_program *p;
    struct buf *out;
    uint32_t masked; // how many nodes around show what a sensitive attribute may hold
};

static void print_node(struct printer *printer, uint32_t id);

static void print_plain(const struct cel_program *p, uint32_t at, struct buf *out)
{
    enum {
        MOST = 400
    };
    const struct value *v = &p->consts[at];
    const struct cel_env *env = p->env;
    if (v->kind == VALUE_LEVEL && (size_t)v->as.i < env->level_count) {
        buf_printf(out, "level(\"" STR_FMT "\")", STR_ARG(env->levels[v->as.i]));
    } else if (v->kind == VALUE_STRENGTH && (size_t)v->as.i < env->strength_count) {
        buf_printf(out, "strength(\"" STR_FMT "\")", STR_ARG(env->strengths[v->as.i]));
    } else if (v->kind == VALUE_ERROR) {
        buf_printf(out, "error(%u)", v->n);
    } else if (v->kind == VALUE_DOUBLE) { // told apart from an int
        size_t from = out->len;
        conv_print_double(out, v->as.d);
        struct str digits = str_sub(buf_view(out), from, out->len);
        bool plain = v->as.d - v->as.d == 0 && str_find_byte(digits, '.', 0) == digits.len &&
                     str_find_byte(digits, 'e', 0) == digits.len;
        buf_str(out, plain ? STR(".0") : STR(""));
    } else if (v->kind == VALUE_TYPE || v->kind == VALUE_DURATION || v->kind == VALUE_TIMESTAMP) {
        buf_str(out, STR("<"));
        conv_print(out, v);
        buf_str(out, STR(">"));
    } else {
        value_print(out, v, MOST);
    }
}

static void print_const(const struct printer *printer, uint32_t at)
{
    if (printer->masked > 0) {
        buf_str(printer->out, STR(CEL_MASK));
    } else {
        print_plain(printer->p, at, printer->out);
    }
}

static struct str pattern_of(const struct map *map, uint32_t at)
{
    for (size_t i = 0; i < map->cap; i++) {
        if (map->entries[i].key.at != NULL && map->entries[i].value == at) {
            return map->entries[i].key;
        }
    }
    return STR("?");
}

static void print_pattern(const struct printer *printer, const struct node *node)
{
    const struct map *map = node->op == OP_MATCH ? &printer->p->regex_map : &printer->p->window_map;
    buf_str(printer->out, STR(" \""));
    if (printer->masked > 0) {
        buf_str(printer->out, STR(CEL_MASK));
    } else {
        buf_escaped(printer->out, pattern_of(map, node->b));
    }
    buf_byte(printer->out, '"');
}

// What a node has besides its operands.
static void print_extra(const struct printer *printer, const struct node *node)
{
    const struct cel_program *p = printer->p;
    struct buf *out = printer->out;
    switch ((enum op)node->op) {
    case OP_EQ_TEXT:
        buf_printf(out, " " STR_FMT " ", STR_ARG(p->slots[node->a].info.path));
        print_const(printer, node->b);
        break;
    case OP_SLOT:
    case OP_HAS_SLOT:
        buf_printf(out, " " STR_FMT, STR_ARG(p->slots[node->a].info.path));
        break;
    case OP_LOCAL:
        buf_printf(out, " %u", node->a);
        break;
    case OP_ORDER:
    case OP_ORDER_NOW:
    case OP_CALL:
        buf_printf(out, " %s", FUNCS[node->c & 0xff].name);
        break;
    case OP_IN_TEXTS:
        buf_byte(out, ' ');
        print_const(printer, node->b);
        break;
    case OP_FIELD:
    case OP_HAS:
    case OP_OPT_FIELD: // a name, whatever it leads to
        buf_byte(out, ' ');
        print_plain(p, node->b, out);
        break;
    case OP_IN_SET:
        buf_printf(out, " lists." STR_FMT, STR_ARG(p->env->sets[node->b].name));
        break;
    case OP_MATCH:
    case OP_WITHIN:
        print_pattern(printer, node);
        break;
    case OP_COMP:
        buf_printf(out, " %u", node->b);
        break;
    default:
        break;
    }
}

// What stands beside the value of a sensitive attribute tells of it: a text that it is compared with.
static bool tells_sensitive(const struct cel_program *p, const struct node *node)
{
    if (node->op == OP_AND || node->op == OP_OR || node->op == OP_NOT || node->op == OP_COND) {
        return false;
    }
    bool tells = node->op == OP_EQ_TEXT && p->slots[node->a].info.sensitive;
    for (uint32_t i = 0; !tells && program_operand(p, node, i) != NODE_NONE; i++) {
        tells = (p->nodes[program_operand(p, node, i)].flags & NODE_SENSITIVE) != 0;
    }
    return tells;
}

static void print_node(struct printer *printer, uint32_t id)
{
    const struct cel_program *p = printer->p;
    const struct node *node = &p->nodes[id];
    struct buf *out = printer->out;
    if (out->failed) {
        return;
    }
    if (node->op == OP_CONST) {
        print_const(printer, node->a);
        return;
    }
    uint32_t masks = tells_sensitive(p, node) ? 1 : 0;
    printer->masked += masks;
    buf_printf(out, "(%s", OPS[node->op]);
    print_extra(printer, node);
    for (uint32_t i = 0; program_operand(p, node, i) != NODE_NONE; i++) {
        buf_byte(out, ' ');
        print_node(printer, program_operand(p, node, i));
    }
    buf_byte(out, ')');
    printer->masked -= masks;
}

void cel_print(const struct cel_program *program, uint32_t expr, struct buf *out)
{
    enum {
        MOST = 1 << 20
    }; // shared nodes are written out wherever they are used
    if (expr >= program->node_count) {
        return;
    }
    struct buf text = {.limit = MOST};
    struct printer printer = {.p = program, .out = &text};
    print_node(&printer, expr);
    buf_str(out, buf_view(&text));
    if (text.failed) {
        buf_str(out, STR("…"));
    }
    buf_fini(&text);
}
