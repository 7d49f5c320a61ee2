// SPDX-License-Identifier: Apache-2.0
// The graph of all expressions of a program, and what they stand on: constants, slots, patterns.
#ifndef CEL_PROGRAM_H
#define CEL_PROGRAM_H

#include "base/map.h"
#include "cel/ast.h"
#include "cel/extra.h"

// X(name, operands)
#define OP_LIST_ALL(X)                                                                   \
    X(CONST) /* a: constant */                                                           \
    X(SLOT)  /* a: slot */                                                               \
    X(NOW)                                                                               \
    X(LOCAL)    /* a: level */                                                           \
    X(HAS_SLOT) /* a: slot */                                                            \
    X(AND)      /* a: first of args, b: how many */                                      \
    X(OR)                                                                                \
    X(NOT)     /* a */                                                                   \
    X(COND)    /* a ? b : c */                                                           \
    X(EQ)      /* a, b; c: func */                                                       \
    X(EQ_TEXT) /* a: slot, b: constant text */                                           \
    X(NE)                                                                                \
    X(ORDER)     /* a, b; c: func */                                                     \
    X(ORDER_NOW) /* a, b; c: func | side << 8: how the difference moves with now */      \
    X(IN)        /* a in b; c: func */                                                   \
    X(IN_TEXTS)  /* a in constant b: a list of texts alone, sorted */                    \
    X(IN_SET)    /* a in lists: b is the declaration's number */                         \
    X(FIELD)     /* a . constant b */                                                    \
    X(HAS)       /* has(a . constant b) */                                               \
    X(OPT_FIELD) /* a .? constant b */                                                   \
    X(LIST)      /* a: args, b: how many; NODE_OPTIONAL on an arg */                     \
    X(MAP)       /* a: args, b: how many, key and value counted apart */                 \
    X(COMP)      /* a: args (range, test, result), b: comp | variables << 8, c: level */ \
    X(CALL)      /* a: args, b: how many, c: func */                                     \
    X(MATCH)     /* a matches pattern b */                                               \
    X(WITHIN)    /* a within window b */                                                 \
    X(OR_OPT)    /* a.or(b) */                                                           \
    X(OR_VALUE)  /* a.orValue(b) */

enum op {
#define X(name) OP_##name,
    OP_LIST_ALL(X)
#undef X
    OP_COUNT
};

enum {
    NODE_NOW = 1,       // reads `now`
    NODE_RAW_NOW = 2,   // in a way that nobody can bound
    NODE_VARIES = 4,    // depends on the question: not foldable
    NODE_SENSITIVE = 8, // gives what a sensitive attribute holds, or something made of it; a truth does not
};

#define NODE_NONE UINT32_MAX
#define NODE_OPTIONAL UINT32_C(0x80000000) // on an argument: an optional element
#define NODE_CLOSED UINT16_MAX             // `low` of a node that needs no comprehension variable
#define NODE_HEIGHT_MAX 1000

struct node {
    uint8_t op, flags;
    uint8_t kind;         // enum value_kind where known; 0 is not
    uint8_t strict;       // an attribute that is compared with another kind is mistyped, not just different
    int8_t slope;         // how the value moves as `now` does; see node.c
    uint16_t height, low; // low: the outermost comprehension variable that it needs
    uint32_t a, b, c;
    uint32_t memo; // NODE_NONE: none
    uint32_t uses;
};

struct slot {
    struct cel_slot_info info;
    const struct type *type;
};

struct regex;
struct window;
struct tz;

struct program_index { // open addressing over the numbers of what is interned
    uint32_t *at;
    uint32_t cap, count;
};

struct cel_bounds; // memory for bound.c

struct program_place { // where a walk stands
    uint32_t node;
    struct place place;
};

struct cel_program {
    const struct cel_env *env;
    struct cel_extra *extra; // NULL but in the conformance tests
    struct cel_limits limits;
    struct arena arena;   // constants, names, patterns
    struct arena scratch; // one expression's tree
    struct arena folding; // values made while constants are folded
    struct node *nodes;
    uint32_t node_count, node_cap;
    struct program_index node_index;
    uint32_t *args;
    uint32_t arg_count, arg_cap;
    struct value *consts;
    uint32_t const_count, const_cap;
    struct program_index const_index;
    struct slot *slots;
    uint32_t slot_count, slot_cap;
    struct map slot_map, attr_map, root_map, set_map, regex_map, window_map, zone_map;
    struct regex **regexes;
    uint32_t regex_count, regex_cap;
    struct window **windows;
    uint32_t window_count, window_cap;
    struct tz **zones;
    uint32_t zone_count, zone_cap;
    struct program_place *places; // by node, until the program is sealed
    uint32_t place_count, place_cap;
    struct cel_bounds *bounds;
    uint32_t level_count; // of comprehension variables at once
    uint32_t memo_count;
    bool sealed;
    struct cel_frame *fold; // runs constants while the program is built
};

// Interns: equal things get equal numbers. Deep copies are made where something is new.
MUST_USE enum pdp_err program_const(struct cel_program *p, const struct value *value, uint32_t *out);
// `node` with flags, height and low filled in from its operands by the caller.
MUST_USE enum pdp_err program_node(struct cel_program *p, const struct node *node, uint32_t *out);
MUST_USE enum pdp_err program_args(struct cel_program *p, const uint32_t *args, size_t count,
                                   uint32_t *first);
// Finds the declaration that a path falls under and interns its slot. UNKNOWN: there is none.
MUST_USE enum pdp_err program_path(struct cel_program *p, struct str path, uint32_t *slot);
// A zone by name, `+hh:mm` or UTC; loaded once. UNKNOWN, CORRUPT.
MUST_USE enum pdp_err program_zone(struct cel_program *p, struct str name, const struct tz **out);
MUST_USE enum pdp_err program_window(struct cel_program *p, struct str hours, struct str zone, uint32_t *out,
                                     struct str *why);
// Where *why and *at say what is wrong with a pattern.
MUST_USE enum pdp_err program_regex(struct cel_program *p, struct str pattern, uint32_t *out, struct str *why,
                                    size_t *at);
// Notes where a walk that was just made stands, and tells it; src NULL: not known.
MUST_USE enum pdp_err program_place(struct cel_program *p, uint32_t node, struct place place);
struct place program_place_of(const struct cel_program *p, uint32_t node);
// The i-th node that a node is made from; NODE_NONE: there are fewer.
uint32_t program_operand(const struct cel_program *p, const struct node *node, uint32_t i);
// Is what the node gives remembered for the rest of a question? Uses grow until the program is sealed.
bool program_remembers(const struct node *node);
void bound_free(struct cel_bounds **bounds);
// Makes room for one more of `item` bytes.
MUST_USE enum pdp_err program_grow(void **list, uint32_t *cap, uint32_t count, size_t item);

// Names and types. Reports every mistake; the tree then carries types and what names mean.
struct check_names {
    const struct cel_var *vars;
    size_t var_count;
    uint32_t flags; // CEL_NO_RISK
};
MUST_USE enum pdp_err check_unit(struct cel_program *p, struct unit *unit, const struct check_names *names,
                                 const struct type **type);
// The checked tree as a node.
MUST_USE enum pdp_err build_unit(struct cel_program *p, struct unit *unit, uint32_t *out);
MUST_USE enum pdp_err node_const(struct cel_program *p, const struct value *value, uint32_t *out);
// A node from its parts: folds constants, shares equal ones.
MUST_USE enum pdp_err build_node(struct cel_program *p, enum op op, uint32_t a, uint32_t b, uint32_t c,
                                 enum value_kind kind, uint32_t *out);
// All of them true (AND) or any (OR), flattened.
MUST_USE enum pdp_err build_join(struct cel_program *p, enum op op, const uint32_t *args, size_t count,
                                 uint32_t *out);
// For COMP: args are range, test, result and the level; c is comp | variables << 8.
MUST_USE enum pdp_err build_nary(struct cel_program *p, enum op op, const uint32_t *args, size_t count,
                                 uint32_t c, enum value_kind kind, uint32_t *out);

#endif
