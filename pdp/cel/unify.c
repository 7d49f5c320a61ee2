// SPDX-License-Identifier: Apache-2.0
// Type parameters and assignability, as the CEL checker defines them.
#include "cel/types.h"

struct unify_undo {
    uint32_t id;
    const struct type *was;
};

static bool assignable(struct unify *u, const struct type *to, const struct type *from);

static bool grow(struct arena *arena, void **list, uint32_t *cap, uint32_t need, size_t item, size_t align)
{
    if (need <= *cap) {
        return true;
    }
    uint32_t more = *cap == 0 ? 16 : *cap * 2;
    void *bigger = arena_zero(arena, more, item, align);
    if (bigger == NULL) {
        return false;
    }
    if (*cap > 0) {
        memcpy(bigger, *list, *cap * item);
    }
    *list = bigger;
    *cap = more;
    return true;
}

const struct type *unify_fresh(struct unify *u)
{
    void *list = (void *)u->bound;
    if (!grow(u->arena, &list, &u->cap, u->count + 1, sizeof *u->bound, _Alignof(const struct type *))) {
        u->failed = true;
        return types_of(T_DYN);
    }
    u->bound = list;
    u->bound[u->count] = NULL;
    return types_param(u->arena, u->count++);
}

static void bind(struct unify *u, uint32_t id, const struct type *type)
{
    void *list = u->undo;
    if (!grow(u->arena, &list, &u->undo_cap, u->undo_count + 1, sizeof *u->undo,
              _Alignof(struct unify_undo))) {
        u->failed = true;
        return;
    }
    u->undo = list;
    u->undo[u->undo_count++] = (struct unify_undo){id, u->bound[id]};
    u->bound[id] = type;
}

static const struct type *follow(const struct unify *u, const struct type *type)
{
    while (type->kind == T_PARAM && type->id < u->count && u->bound[type->id] != NULL) {
        type = u->bound[type->id];
    }
    return type;
}

// Does parameter `id` occur in `type`? Binding it to that type would then never end.
static bool occurs(const struct unify *u, uint32_t id, const struct type *type)
{
    type = follow(u, type);
    if (type->kind == T_PARAM) {
        return type->id == id;
    }
    for (uint32_t i = 0; i < type->count; i++) {
        if (occurs(u, id, type->args[i])) {
            return true;
        }
    }
    return false;
}

static bool says_less(const struct type *a, const struct type *b)
{
    if (a->kind == T_DYN || a->kind == T_ERROR || a->kind == T_PARAM) {
        return true;
    }
    if (b->kind == T_DYN || b->kind == T_ERROR || b->kind == T_PARAM || a->kind != b->kind) {
        return false;
    }
    if (a->kind == T_TYPE) {
        return true;
    }
    if (a->count != b->count || !str_eq(a->name, b->name)) {
        return false;
    }
    for (uint32_t i = 0; i < a->count; i++) {
        if (!says_less(a->args[i], b->args[i])) {
            return false;
        }
    }
    return a->count > 0 || types_equal(a, b);
}

const struct type *unify_general(const struct type *a, const struct type *b)
{
    return says_less(a, b) ? a : b;
}

// May parameter `param` stand for `type`? *had: it stands for something already.
static bool substitutes(struct unify *u, const struct type *type, const struct type *param, bool *had)
{
    *had = false;
    if (type->kind == T_PARAM && type->id == param->id) {
        *had = true;
        return true;
    }
    const struct type *now = u->bound[param->id];
    if (now == NULL) {
        if (occurs(u, param->id, type)) {
            return false;
        }
        bind(u, param->id, type);
        return true;
    }
    *had = true;
    if (types_equal(type, now)) {
        return true;
    }
    if (!assignable(u, type, now)) {
        return false;
    }
    const struct type *general = unify_general(type, now);
    if (!occurs(u, param->id, general)) {
        bind(u, param->id, general);
    }
    return true;
}

static bool list_assignable(struct unify *u, const struct type *const *to, const struct type *const *from,
                            uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        if (!assignable(u, to[i], from[i])) {
            return false;
        }
    }
    return true;
}

// Null goes where an absent thing is usual: times, opaque and network values.
static bool takes_null(const struct type *type)
{
    return type->kind == T_NULL || type->kind == T_TIMESTAMP || type->kind == T_DURATION ||
           type->kind == T_OPAQUE;
}

static bool vague(const struct type *type)
{
    return type->kind == T_DYN || type->kind == T_ERROR;
}

static bool assignable(struct unify *u, const struct type *to, const struct type *from)
{
    bool had = false;
    // A parameter is compared by what it stands for only through substitutes(), which may widen it.
    if (from->kind == T_PARAM) {
        bool fits = substitutes(u, to, from, &had);
        if (fits || had) {
            return fits;
        }
    }
    if (to->kind == T_PARAM) {
        return substitutes(u, from, to, &had);
    }
    if (vague(to) || vague(from)) {
        return true;
    }
    if (to->kind == T_NULL || from->kind == T_NULL) {
        return takes_null(to->kind == T_NULL ? from : to);
    }
    if (to->kind != from->kind) {
        return false;
    }
    if (to->kind == T_TYPE) {
        return true;
    }
    return to->count == from->count && str_eq(to->name, from->name) &&
           list_assignable(u, to->args, from->args, to->count);
}

bool unify_assignable_all(struct unify *u, const struct type *const *to, const struct type *const *from,
                          uint32_t count)
{
    u->undo_count = 0;
    if (list_assignable(u, to, from, count)) {
        return true;
    }
    while (u->undo_count > 0) {
        const struct unify_undo *undo = &u->undo[--u->undo_count];
        u->bound[undo->id] = undo->was;
    }
    return false;
}

bool unify_assignable(struct unify *u, const struct type *to, const struct type *from)
{
    return unify_assignable_all(u, &to, &from, 1);
}

const struct type *unify_apply(struct unify *u, const struct type *type, bool close)
{
    type = follow(u, type);
    if (type->kind == T_PARAM) {
        return close ? types_of(T_DYN) : type;
    }
    if (type->count == 0) {
        return type;
    }
    const struct type **args = ARENA_ARRAY(u->arena, const struct type *, type->count);
    struct type *copy = ARENA_NEW(u->arena, struct type);
    if (args == NULL || copy == NULL) {
        u->failed = true;
        return types_of(T_DYN);
    }
    bool same = true;
    for (uint32_t i = 0; i < type->count; i++) {
        args[i] = unify_apply(u, type->args[i], close);
        same = same && args[i] == type->args[i];
    }
    if (same) {
        return type;
    }
    *copy = *type;
    copy->args = args;
    return copy;
}
