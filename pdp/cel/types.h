// SPDX-License-Identifier: Apache-2.0
// Types of expressions: what the checker infers and compares. Immutable once made; in an arena or static.
#ifndef CEL_TYPES_H
#define CEL_TYPES_H

#include "base/arena.h"
#include "cel/cel.h"

// X(name, the word that users know)
#define TYPE_KIND_LIST(X)     \
    X(DYN, "dyn")             \
    X(ERROR, "unknown")       \
    X(NULL, "null")           \
    X(BOOL, "bool")           \
    X(INT, "int")             \
    X(UINT, "uint")           \
    X(DOUBLE, "double")       \
    X(STRING, "string")       \
    X(BYTES, "bytes")         \
    X(TIMESTAMP, "timestamp") \
    X(DURATION, "duration")   \
    X(IP, "ip")               \
    X(CIDR, "cidr")           \
    X(LEVEL, "level")         \
    X(STRENGTH, "strength")   \
    X(SET, "list document")   \
    X(LIST, "list")           \
    X(MAP, "map")             \
    X(TYPE, "type")           \
    X(OPAQUE, "opaque")       \
    X(PARAM, "parameter")

enum type_kind {
#define X(name, text) T_##name,
    TYPE_KIND_LIST(X)
#undef X
    T_COUNT
};

struct type {
    enum type_kind kind;
    uint32_t id;                    // PARAM: number; SET: enum cel_set_kind
    struct str name;                // OPAQUE
    const struct type *const *args; // LIST, MAP, TYPE, OPAQUE
    uint32_t count;
};

// The one type of a kind without arguments.
const struct type *types_of(enum type_kind kind);
const struct type *types_of_attr(enum cel_type type);
// The kind that a value of this type has when run; VALUE_ERROR where that is not known.
enum value_kind types_value_kind(const struct type *type);
const char *types_kind_name(enum type_kind kind);

// New types in `arena`; dyn where memory is out (the arena then fails the compilation elsewhere).
const struct type *types_list(struct arena *arena, const struct type *elem);
const struct type *types_map(struct arena *arena, const struct type *key, const struct type *value);
const struct type *types_type(struct arena *arena, const struct type *of);
const struct type *types_optional(struct arena *arena, const struct type *of);
const struct type *types_opaque(struct arena *arena, struct str name, const struct type *const *args,
                                uint32_t count);
const struct type *types_param(struct arena *arena, uint32_t id);
bool types_is_optional(const struct type *type);
bool types_equal(const struct type *a, const struct type *b);
bool types_is_number(const struct type *type);
void types_print(struct buf *out, const struct type *type);

// What type parameters stand for while one expression is checked.
struct unify {
    struct arena *arena;
    const struct type **bound; // by parameter number; NULL: still free
    uint32_t count, cap;
    struct unify_undo *undo; // changes since the last commit, newest last
    uint32_t undo_count, undo_cap;
    bool failed; // memory is out
};

// A parameter that stands for nothing yet.
const struct type *unify_fresh(struct unify *u);
// Can a value of type `from` be used where `to` is expected? Binds parameters where it can be.
bool unify_assignable(struct unify *u, const struct type *to, const struct type *from);
// The same pairwise; all or nothing.
bool unify_assignable_all(struct unify *u, const struct type *const *to, const struct type *const *from,
                          uint32_t count);
// The type with its parameters replaced; free ones by dyn where `close`.
const struct type *unify_apply(struct unify *u, const struct type *type, bool close);
// The one of two compatible types that says less.
const struct type *unify_general(const struct type *a, const struct type *b);

#endif
