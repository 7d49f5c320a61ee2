// SPDX-License-Identifier: Apache-2.0
#include "cel/types.h"

static const struct type PLAIN[T_COUNT] = {
#define X(name, text) [T_##name] = {.kind = T_##name},
    TYPE_KIND_LIST(X)
#undef X
};

static const char *const KIND_NAMES[T_COUNT] = {
#define X(name, text) [T_##name] = text,
    TYPE_KIND_LIST(X)
#undef X
};

static const uint8_t VALUE_KINDS[T_COUNT] = {
    [T_NULL] = VALUE_NULL,         [T_BOOL] = VALUE_BOOL,
    [T_INT] = VALUE_INT,           [T_UINT] = VALUE_UINT,
    [T_DOUBLE] = VALUE_DOUBLE,     [T_STRING] = VALUE_STRING,
    [T_BYTES] = VALUE_BYTES,       [T_TIMESTAMP] = VALUE_TIMESTAMP,
    [T_DURATION] = VALUE_DURATION, [T_IP] = VALUE_IP,
    [T_CIDR] = VALUE_CIDR,         [T_LEVEL] = VALUE_LEVEL,
    [T_STRENGTH] = VALUE_STRENGTH, [T_SET] = VALUE_SET,
    [T_LIST] = VALUE_LIST,         [T_MAP] = VALUE_MAP,
    [T_TYPE] = VALUE_TYPE,
};

static const struct type *const STRING_ARG[] = {&PLAIN[T_STRING]};
static const struct type *const INT_ARG[] = {&PLAIN[T_INT]};
static const struct type *const DYN_ARGS[] = {&PLAIN[T_DYN], &PLAIN[T_DYN]};
static const struct type *const MAP_ARGS[] = {&PLAIN[T_STRING], &PLAIN[T_DYN]};
static const struct type LIST_STRING = {.kind = T_LIST, .args = STRING_ARG, .count = 1};
static const struct type LIST_INT = {.kind = T_LIST, .args = INT_ARG, .count = 1};
static const struct type LIST_DYN = {.kind = T_LIST, .args = DYN_ARGS, .count = 1};
static const struct type MAP_DYN = {.kind = T_MAP, .args = MAP_ARGS, .count = 2};

static const struct type *const ATTR_TYPES[] = {
    [CEL_DYN] = &PLAIN[T_DYN],
    [CEL_BOOL] = &PLAIN[T_BOOL],
    [CEL_INT] = &PLAIN[T_INT],
    [CEL_DOUBLE] = &PLAIN[T_DOUBLE],
    [CEL_STRING] = &PLAIN[T_STRING],
    [CEL_TIMESTAMP] = &PLAIN[T_TIMESTAMP],
    [CEL_DURATION] = &PLAIN[T_DURATION],
    [CEL_IP] = &PLAIN[T_IP],
    [CEL_LEVEL] = &PLAIN[T_LEVEL],
    [CEL_STRENGTH] = &PLAIN[T_STRENGTH],
    [CEL_LIST_STRING] = &LIST_STRING,
    [CEL_LIST_DYN] = &LIST_DYN,
    [CEL_MAP_DYN] = &MAP_DYN,
    [CEL_LIST_INT] = &LIST_INT,
};

const struct type *types_of(enum type_kind kind)
{
    return &PLAIN[kind];
}

const struct type *types_of_attr(enum cel_type type)
{
    return (size_t)type < COUNT_OF(ATTR_TYPES) ? ATTR_TYPES[type] : &PLAIN[T_DYN];
}

enum value_kind types_value_kind(const struct type *type)
{
    return types_is_optional(type) ? VALUE_OPTIONAL : (enum value_kind)VALUE_KINDS[type->kind];
}

const char *types_kind_name(enum type_kind kind)
{
    return KIND_NAMES[kind];
}

const struct type *types_opaque(struct arena *arena, struct str name, const struct type *const *args,
                                uint32_t count)
{
    struct type *type = ARENA_NEW(arena, struct type);
    const struct type **copy = ARENA_ARRAY(arena, const struct type *, count == 0 ? 1 : count);
    if (type == NULL || copy == NULL) {
        return &PLAIN[T_DYN];
    }
    for (uint32_t i = 0; i < count; i++) {
        copy[i] = args[i];
    }
    *type = (struct type){.kind = T_OPAQUE, .name = name, .args = copy, .count = count};
    return type;
}

static const struct type *of_kind(struct arena *arena, enum type_kind kind, const struct type *const *args,
                                  uint32_t count)
{
    const struct type *made = types_opaque(arena, (struct str){NULL, 0}, args, count);
    if (made->kind != T_OPAQUE) {
        return made;
    }
    struct type *type = ARENA_NEW(arena, struct type);
    if (type == NULL) {
        return &PLAIN[T_DYN];
    }
    *type = *made;
    type->kind = kind;
    return type;
}

const struct type *types_list(struct arena *arena, const struct type *elem)
{
    return of_kind(arena, T_LIST, &elem, 1);
}

const struct type *types_map(struct arena *arena, const struct type *key, const struct type *value)
{
    const struct type *args[] = {key, value};
    return of_kind(arena, T_MAP, args, 2);
}

const struct type *types_type(struct arena *arena, const struct type *of)
{
    return of_kind(arena, T_TYPE, &of, 1);
}

const struct type *types_optional(struct arena *arena, const struct type *of)
{
    return types_opaque(arena, STR("optional_type"), &of, 1);
}

const struct type *types_param(struct arena *arena, uint32_t id)
{
    struct type *type = ARENA_NEW(arena, struct type);
    if (type == NULL) {
        return &PLAIN[T_DYN];
    }
    *type = (struct type){.kind = T_PARAM, .id = id};
    return type;
}

bool types_is_optional(const struct type *type)
{
    return type->kind == T_OPAQUE && str_eq(type->name, STR("optional_type"));
}

bool types_is_number(const struct type *type)
{
    return type->kind == T_INT || type->kind == T_UINT || type->kind == T_DOUBLE;
}

bool types_equal(const struct type *a, const struct type *b)
{
    if (a == b) {
        return true;
    }
    if (a->kind != b->kind || a->id != b->id || a->count != b->count || !str_eq(a->name, b->name)) {
        return false;
    }
    for (uint32_t i = 0; i < a->count; i++) {
        if (!types_equal(a->args[i], b->args[i])) {
            return false;
        }
    }
    return true;
}

void types_print(struct buf *out, const struct type *type)
{
    if (types_is_optional(type)) {
        buf_str(out, STR("optional"));
    } else if (type->kind == T_OPAQUE) {
        buf_str(out, type->name);
    } else {
        buf_str(out, str_of(KIND_NAMES[type->kind]));
    }
    if (type->count == 0 || type->kind == T_TYPE) {
        return;
    }
    buf_byte(out, '(');
    for (uint32_t i = 0; i < type->count; i++) {
        if (i > 0) {
            buf_str(out, STR(", "));
        }
        types_print(out, type->args[i]);
    }
    buf_byte(out, ')');
}
