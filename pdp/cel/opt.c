// SPDX-License-Identifier: Apache-2.0
// HOT
// Optional values.
#include "cel/lib.h"
#include "cel/run.h"

struct value opt_none(struct cel_frame *frame, const struct value *args, uint32_t count)
{
    (void)frame, (void)args, (void)count;
    return run_none();
}

struct value opt_of(struct cel_frame *frame, const struct value *args, uint32_t count)
{
    (void)count;
    return run_some(frame, args[0]);
}

static bool is_zero(const struct value *v)
{
    switch (v->kind) {
    case VALUE_NULL:
        return true;
    case VALUE_BOOL:
        return !v->as.b;
    case VALUE_INT:
    case VALUE_UINT:
        return v->as.u == 0;
    case VALUE_DOUBLE:
        return v->as.d == 0;
    case VALUE_STRING:
    case VALUE_BYTES:
    case VALUE_LIST:
    case VALUE_MAP:
        return v->n == 0;
    case VALUE_DURATION:
        return v->n == 0 && v->as.i == 0;
    case VALUE_OPTIONAL:
        return v->flag == 0;
    default:
        return false;
    }
}

struct value opt_of_non_zero(struct cel_frame *frame, const struct value *args, uint32_t count)
{
    return is_zero(&args[0]) ? run_none() : opt_of(frame, args, count);
}

struct value opt_value(struct cel_frame *frame, const struct value *args, uint32_t count)
{
    (void)frame;
    if (args[0].kind != VALUE_OPTIONAL) {
        return frame_no_overload(F_OPT_VALUE, args, count);
    }
    return args[0].flag != 0 ? *args[0].as.list : frame_error(CEL_ERROR_NO_KEY, -1);
}

struct value opt_has(struct cel_frame *frame, const struct value *args, uint32_t count)
{
    (void)frame;
    return args[0].kind == VALUE_OPTIONAL ? value_bool(args[0].flag != 0)
                                          : frame_no_overload(F_OPT_HAS, args, count);
}
