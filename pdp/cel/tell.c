// SPDX-License-Identifier: Apache-2.0
// What errors are about, for people. Off the hot path.
#include "cel/frame.h"

static const char *const TEXTS[] = {
#define X(name, text) [CEL_ERROR_##name] = text,
    CEL_ERROR_LIST(X)
#undef X
};

static const char *const SIGNS[F_COUNT] = {
    [F_AND] = "&&", [F_OR] = "||", [F_COND] = "? :",  [F_NOT] = "!",         [F_NEG] = "-",
    [F_EQ] = "==",  [F_NE] = "!=", [F_LT] = "<",      [F_LE] = "<=",         [F_GT] = ">",
    [F_GE] = ">=",  [F_ADD] = "+", [F_SUB] = "-",     [F_MUL] = "*",         [F_DIV] = "/",
    [F_MOD] = "%",  [F_IN] = "in", [F_INDEX] = "[ ]", [F_OPT_INDEX] = "[?]",
};

static struct str path_of(const struct cel_frame *frame, int64_t slot)
{
    const struct cel_program *p = frame->program;
    return slot >= 0 && slot < (int64_t)p->slot_count ? p->slots[slot].info.path : STR("an attribute");
}

static struct str why_mistyped(const struct cel_frame *frame, const struct value *error)
{
    struct str path = path_of(frame, error->as.i);
    const char *is = value_kind_name((enum value_kind)error->spare);
    const char *article = strchr("aeiou", is[0]) != NULL ? "an" : "a";
    if (error->flag == error->spare) {
        return arena_printf(frame->arena, "`" STR_FMT "` holds values of another type", STR_ARG(path));
    }
    return arena_printf(frame->arena, "`" STR_FMT "` is %s %s, expected %s", STR_ARG(path), article, is,
                        value_kind_name((enum value_kind)error->flag));
}

static struct str why_no_overload(const struct cel_frame *frame, const struct value *error)
{
    if (error->as.i <= F_NONE || error->as.i >= F_COUNT) {
        return str_of(TEXTS[CEL_ERROR_NO_OVERLOAD]);
    }
    const char *name = SIGNS[error->as.i] != NULL ? SIGNS[error->as.i] : FUNCS[error->as.i].name;
    const char *first = value_kind_name((enum value_kind)error->flag);
    if (error->spare == 0) {
        return arena_printf(frame->arena, "`%s` does not take %s", name, first);
    }
    return arena_printf(frame->arena, "`%s` does not take %s and %s", name, first,
                        value_kind_name((enum value_kind)error->spare));
}

static struct str why_no_key(const struct cel_frame *frame, const struct value *error)
{
    const struct cel_program *p = frame->program;
    if (error->as.i < 0 || error->as.i >= (int64_t)p->const_count ||
        p->consts[error->as.i].kind != VALUE_STRING) {
        return str_of(TEXTS[CEL_ERROR_NO_KEY]);
    }
    return arena_printf(frame->arena, "there is no field `" STR_FMT "`",
                        STR_ARG(value_text(&p->consts[error->as.i])));
}

struct str cel_why(const struct cel_frame *frame, const struct value *error)
{
    const struct cel_env *env = frame->program->env;
    if (error->kind != VALUE_ERROR || error->n >= COUNT_OF(TEXTS)) {
        return STR("not a truth");
    }
    switch ((enum cel_error)error->n) {
    case CEL_ERROR_MISSING:
        return arena_printf(frame->arena, "`" STR_FMT "` is missing", STR_ARG(path_of(frame, error->as.i)));
    case CEL_ERROR_MISTYPED:
        return why_mistyped(frame, error);
    case CEL_ERROR_NO_OVERLOAD:
        return why_no_overload(frame, error);
    case CEL_ERROR_NO_KEY:
        return why_no_key(frame, error);
    case CEL_ERROR_CONVERT:
        if (error->as.i > F_NONE && error->as.i < F_COUNT) {
            return arena_printf(frame->arena, "`%s` cannot make anything of this text",
                                FUNCS[error->as.i].name);
        }
        break;
    case CEL_ERROR_STALE:
        for (size_t i = 0; i < env->set_count; i++) {
            if (env->sets[i].id == error->as.i) {
                return arena_printf(frame->arena, "`lists." STR_FMT "` is stale or missing",
                                    STR_ARG(env->sets[i].name));
            }
        }
        break;
    default:
        break;
    }
    return str_of(TEXTS[error->n]);
}
