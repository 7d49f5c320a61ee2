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

// The texts of an enum, the first of many.
static struct str list_values(struct arena *arena, const struct cel_schema *schema)
{
    enum {
        SHOWN = 8
    };
    struct str list = {NULL, 0};
    for (uint32_t i = 0; i < schema->value_count && i < SHOWN; i++) {
        list = arena_printf(arena, STR_FMT "%s`" STR_FMT "`", STR_ARG(list), i > 0 ? ", " : "",
                            STR_ARG(schema->values[i]));
    }
    return schema->value_count > SHOWN ? arena_printf(arena, STR_FMT ", …", STR_ARG(list)) : list;
}

static struct str why_unreadable(struct arena *arena, const struct cel_slot_info *info)
{
    static const char *const WANTS[CEL_TYPE_COUNT] = {
        [CEL_TIMESTAMP] = "timestamp, expected RFC 3339 text or seconds since 1970",
        [CEL_DURATION] = "duration, expected text such as 1h30m",
        [CEL_IP] = "ip, expected the text of one address",
    };
    const char *wants = WANTS[info->type];
    return arena_printf(arena, "`" STR_FMT "` is no %s", STR_ARG(info->path),
                        wants != NULL ? wants : "value");
}

// Says what a Schema expects, never what the question said.
static struct str why_refused(const struct cel_frame *frame, const struct cel_slot_info *info,
                              enum attr_fault fault)
{
    struct arena *arena = frame->arena;
    switch (fault) {
    case ATTR_UNREADABLE:
        return why_unreadable(arena, info);
    case ATTR_VALUE:
        return arena_printf(arena, "`" STR_FMT "` is none of " STR_FMT, STR_ARG(info->path),
                            STR_ARG(list_values(arena, info->schema)));
    case ATTR_ITEMS:
        return arena_printf(arena, "`" STR_FMT "` has more than %u items", STR_ARG(info->path),
                            info->max_items);
    case ATTR_BYTES:
        return arena_printf(arena, "`" STR_FMT "` holds text of more than %u bytes", STR_ARG(info->path),
                            info->max_bytes);
    case ATTR_MEMORY:
        break;
    }
    return arena_printf(arena, "`" STR_FMT "` could not be read: out of memory", STR_ARG(info->path));
}

static struct str why_mistyped(const struct cel_frame *frame, const struct value *error)
{
    struct str path = path_of(frame, error->as.i);
    if (error->spare > VALUE_KIND_COUNT) {
        return why_refused(frame, &frame->program->slots[error->as.i].info, (enum attr_fault)error->spare);
    }
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
    case CEL_ERROR_SAID:
        return error->as.text != NULL ? str_of(error->as.text) : str_of(TEXTS[CEL_ERROR_SAID]);
    default:
        break;
    }
    return str_of(TEXTS[error->n]);
}
