// SPDX-License-Identifier: Apache-2.0
// What values can be and what library functions take: as the code of each spends it.
#include "cel/bound.h"
#include "cel/frame.h"

// ---- Shapes -----------------------------------------------------------------------------------------

struct shape shape_plain(void)
{
    return (struct shape){.root = NODE_CLOSED};
}

struct shape shape_text(uint64_t bytes)
{
    return (struct shape){.bytes = bytes, .text = bytes, .is = SHAPE_TEXT, .root = NODE_CLOSED};
}

void shape_hold(struct shape *into, const struct shape *elem, uint64_t times)
{
    into->inner = bound_most(into->inner, bound_most(elem->len, elem->inner));
    into->parts = bound_add(into->parts, bound_mul(times, elem->parts));
    into->bytes = bound_most(into->bytes, elem->bytes);
    into->text = bound_add(into->text, bound_mul(times, elem->text));
}

struct shape shape_of_const(const struct value *value)
{
    struct shape s = shape_plain();
    if (value->kind == VALUE_STRING || value->kind == VALUE_BYTES) {
        return shape_text(value->n);
    }
    if (value->kind == VALUE_OPTIONAL && value->flag != 0) {
        struct shape held = shape_of_const(value->as.list);
        return shape_some(&held);
    }
    if (value->kind != VALUE_LIST && value->kind != VALUE_MAP) {
        return s;
    }
    s.is = SHAPE_PARTS;
    s.len = s.parts = value->n;
    for (uint32_t i = 0; i < value->n; i++) {
        bool map = value->kind == VALUE_MAP;
        struct shape elem = shape_of_const(map ? &value->as.map[i].value : &value->as.list[i]);
        shape_hold(&s, &elem, 1);
        if (map) {
            elem = shape_of_const(&value->as.map[i].key);
            shape_hold(&s, &elem, 1);
        }
    }
    return s;
}

struct shape shape_of_slot(const struct cel_program *p, uint32_t slot, const struct cel_sizes *sizes)
{
    struct shape s = {.len = sizes->items,
                      .inner = sizes->inner,
                      .parts = sizes->parts,
                      .bytes = sizes->bytes,
                      .text = sizes->text,
                      .root = NODE_CLOSED};
    const struct cel_slot_info *info = &p->slots[slot].info;
    if (info->max_items > 0) {
        s.len = info->max_items;
        s.parts = bound_most(s.parts, s.len);
    }
    if (info->max_bytes > 0) { // of each text in it
        s.bytes = info->max_bytes;
        s.text = bound_most(s.bytes, bound_mul(s.len, s.bytes));
    }
    switch (p->extra != NULL ? CEL_DYN : info->type) {
    case CEL_DYN:
        return s;
    case CEL_STRING:
        return shape_text(s.bytes);
    case CEL_LIST_STRING:
        s.inner = 0;
        s.parts = s.len;
        break;
    case CEL_LIST_DYN:
    case CEL_MAP_DYN:
        break;
    default:
        return shape_plain();
    }
    s.is = SHAPE_PARTS;
    return s;
}

struct shape shape_elem(const struct shape *of)
{
    struct shape s = *of;
    s.len = of->inner;
    s.parts = of->inner == 0 || of->parts == 0 ? 0 : of->parts - 1;
    s.is = of->inner == 0 ? SHAPE_TEXT : SHAPE_ANY;
    return s;
}

struct shape shape_some(const struct shape *of)
{
    struct shape s = *of;
    s.len = bound_most(1, of->len);
    s.parts = bound_add(of->parts, 1);
    s.is = of->is == SHAPE_TEXT ? SHAPE_ANY : of->is;
    return s;
}

struct shape shape_join(const struct shape *a, const struct shape *b)
{
    return (struct shape){
        .len = bound_most(a->len, b->len),
        .inner = bound_most(a->inner, b->inner),
        .parts = bound_most(a->parts, b->parts),
        .bytes = bound_most(a->bytes, b->bytes),
        .text = bound_most(a->text, b->text),
        .is = a->is == b->is ? a->is : SHAPE_ANY,
        .root = a->root == b->root ? a->root : NODE_CLOSED,
    };
}

uint64_t shape_bytes(const struct shape *s)
{
    return s->is == SHAPE_PARTS ? 0 : s->bytes;
}

uint64_t shape_len(const struct shape *s)
{
    return s->is == SHAPE_TEXT ? 0 : s->len;
}

// ---- Functions --------------------------------------------------------------------------------------

static uint64_t values_cost(uint64_t count)
{
    return bound_mul(count, sizeof(struct value)) / 64;
}

// Text that is counted, then written.
static uint64_t spooled(uint64_t bytes)
{
    return bound_add(bytes / 16, bytes / 64);
}

static struct shape call_add(const struct cel_program *p, const struct node *node, const struct shape *args,
                             uint64_t *steps)
{
    uint64_t len = bound_add(shape_len(&args[0]), shape_len(&args[1]));
    uint64_t bytes = bound_add(shape_bytes(&args[0]), shape_bytes(&args[1]));
    struct shape s = shape_join(&args[0], &args[1]);
    (void)p, (void)node;
    *steps = bound_most(bytes / 64, values_cost(len));
    s.len = len;
    s.parts = bound_add(args[0].parts, args[1].parts);
    s.text = bound_add(args[0].text, args[1].text);
    s.bytes = bound_most(s.bytes, bytes);
    s.root = NODE_CLOSED;
    return s;
}

// The least bytes of a text that is taken out or split at; 0 where it may be empty.
static uint64_t least_bytes(const struct cel_program *p, const struct node *node, uint32_t arg)
{
    const struct node *text = &p->nodes[p->args[node->a + arg]];
    bool known = text->op == OP_CONST && p->consts[text->a].kind == VALUE_STRING;
    return known ? p->consts[text->a].n : 0;
}

static struct shape call_replace(const struct cel_program *p, const struct node *node,
                                 const struct shape *args, uint64_t *steps)
{
    uint64_t bytes = shape_bytes(&args[0]), old = least_bytes(p, node, 1);
    uint64_t times = old > 0 ? bytes / old : bound_add(bytes, 1);
    uint64_t fresh = shape_bytes(&args[2]);
    uint64_t out = bound_add(bytes, bound_mul(times, fresh > old ? fresh - old : 0));
    *steps = bound_add(bytes / 8, spooled(out));
    return shape_text(out);
}

static struct shape call_split(const struct cel_program *p, const struct node *node, const struct shape *args,
                               uint64_t *steps)
{
    uint64_t bytes = shape_bytes(&args[0]), by = least_bytes(p, node, 1);
    uint64_t parts = bound_add(by > 0 ? bytes / by : bytes, 1);
    *steps = bound_add(bytes / 16, bound_add(parts, values_cost(parts)));
    struct shape s = shape_text(bytes);
    s.len = s.parts = parts;
    s.is = SHAPE_PARTS;
    return s;
}

static struct shape call_join(const struct cel_program *p, const struct node *node, const struct shape *args,
                              uint64_t *steps)
{
    uint64_t len = shape_len(&args[0]);
    uint64_t all = bound_least(args[0].text, bound_mul(len, args[0].bytes));
    uint64_t out = bound_add(all, node->b > 1 ? bound_mul(len, shape_bytes(&args[1])) : 0);
    (void)p;
    *steps = bound_add(len, spooled(out));
    return shape_text(out);
}

static struct shape call_quote(const struct cel_program *p, const struct node *node, const struct shape *args,
                               uint64_t *steps)
{
    uint64_t out = bound_add(bound_mul(shape_bytes(&args[0]), 2), 2);
    (void)p, (void)node;
    *steps = bound_add(shape_bytes(&args[0]) / 4, spooled(out));
    return shape_text(out);
}

static struct shape call_format(const struct cel_program *p, const struct node *node,
                                const struct shape *args, uint64_t *steps)
{
    enum {
        MOST = 65536
    }; // bytes that it gives
    (void)p, (void)node;
    *steps = 16 + MOST / 64;
    *steps = bound_add(*steps, shape_bytes(&args[0]) / 8);
    *steps = bound_add(*steps, bound_mul(shape_len(&args[1]), 8));
    return shape_text(MOST);
}

static struct shape call_string(const struct cel_program *p, const struct node *node,
                                const struct shape *args, uint64_t *steps)
{
    enum {
        MOST = 128
    }; // bytes of anything but text
    (void)p, (void)node;
    *steps = MOST / 64;
    return shape_text(bound_most(MOST, shape_bytes(&args[0])));
}

static struct shape call_encode(const struct cel_program *p, const struct node *node,
                                const struct shape *args, uint64_t *steps)
{
    uint64_t out = bound_add(bound_mul(shape_bytes(&args[0]) / 3, 4), 4);
    (void)p, (void)node;
    *steps = out / 64;
    return shape_text(out);
}

static struct shape call_extreme(const struct cel_program *p, const struct node *node,
                                 const struct shape *args, uint64_t *steps)
{
    (void)p, (void)node;
    *steps = bound_most(1, shape_len(&args[0]));
    return shape_plain();
}

// Of a map thirty-two keys are a step; of a list none.
static struct shape call_index(const struct cel_program *p, const struct node *node, const struct shape *args,
                               uint64_t *steps)
{
    (void)p;
    struct shape elem = shape_elem(&args[0]);
    *steps = shape_len(&args[0]) / 32;
    return node->c == F_OPT_INDEX ? shape_some(&elem) : elem;
}

enum gives {
    GIVES_PLAIN,
    GIVES_FIRST, // its first argument, or less of it
    GIVES_SOME,  // an optional of it
};

// Functions that are not here take no steps of their own and give a number, a truth, a time.
static const struct {
    uint8_t bytes, bytes_2; // of the first and the second argument, a step; 0: none
    uint8_t gives;
    struct shape (*of)(const struct cel_program *p, const struct node *node, const struct shape *args,
                       uint64_t *steps);
} CALLS[F_COUNT] = {
    [F_ADD] = {.of = call_add},
    [F_INDEX] = {.of = call_index},
    [F_OPT_INDEX] = {.of = call_index},
    [F_SIZE] = {.bytes = 64},
    [F_SIZE_OF] = {.bytes = 64},
    [F_DYN] = {.gives = GIVES_FIRST},
    [F_STRING] = {.of = call_string},
    [F_BYTES] = {.gives = GIVES_FIRST},
    [F_CONTAINS] = {.bytes = 64},
    [F_CHAR_AT] = {.bytes = 64, .gives = GIVES_FIRST},
    [F_INDEX_OF] = {.bytes = 16},
    [F_LAST_INDEX_OF] = {.bytes = 8, .bytes_2 = 8},
    [F_LOWER] = {.bytes = 64, .gives = GIVES_FIRST},
    [F_UPPER] = {.bytes = 64, .gives = GIVES_FIRST},
    [F_REPLACE] = {.of = call_replace},
    [F_SPLIT] = {.of = call_split},
    [F_SUBSTRING] = {.bytes = 32, .gives = GIVES_FIRST},
    [F_TRIM] = {.bytes = 16, .gives = GIVES_FIRST},
    [F_REVERSE] = {.bytes = 12, .gives = GIVES_FIRST}, // a 16th and a 64th
    [F_JOIN] = {.of = call_join},
    [F_QUOTE] = {.of = call_quote},
    [F_FORMAT] = {.of = call_format},
    [F_B64_ENCODE] = {.of = call_encode},
    [F_B64_DECODE] = {.bytes = 64, .gives = GIVES_FIRST},
    [F_MATH_MAX] = {.of = call_extreme},
    [F_MATH_MIN] = {.of = call_extreme},
    [F_OPT_OF] = {.gives = GIVES_SOME},
    [F_OPT_NON_ZERO] = {.gives = GIVES_SOME},
    [F_OPT_VALUE] = {.gives = GIVES_FIRST},
};

struct shape bound_call(const struct cel_program *p, const struct node *node, const struct shape *args,
                        uint64_t *steps)
{
    uint32_t func = node->c < F_COUNT ? node->c : F_NONE;
    *steps = 0;
    if (CALLS[func].of != NULL) {
        return CALLS[func].of(p, node, args, steps);
    }
    if (CALLS[func].bytes > 0) {
        *steps = shape_bytes(&args[0]) / CALLS[func].bytes;
    }
    if (CALLS[func].bytes_2 > 0) {
        *steps = bound_add(*steps, shape_bytes(&args[1]) / CALLS[func].bytes_2);
    }
    switch ((enum gives)CALLS[func].gives) {
    case GIVES_FIRST:
        return args[0];
    case GIVES_SOME:
        return shape_some(&args[0]);
    case GIVES_PLAIN:
        break;
    }
    return shape_plain();
}
