// SPDX-License-Identifier: Apache-2.0
// Values near a bound, and how far they are from what an attribute is.
#include "cli/explain/options.h"

#include "base/num.h"
#include "cel/frame.h"

#include <math.h>

static const double DAY_S = 86400;

static bool is_number(uint8_t kind)
{
    return kind == VALUE_INT || kind == VALUE_UINT || kind == VALUE_DOUBLE;
}

static double to_double(const struct value *v)
{
    return v->kind == VALUE_INT      ? (double)v->as.i
           : v->kind == VALUE_UINT   ? (double)v->as.u
           : v->kind == VALUE_DOUBLE ? v->as.d
                                     : (double)v->as.i + (double)v->n / 1e9;
}

static uint8_t number_kind(const struct attribute *at, const struct value *bound)
{
    return at->type == CEL_INT      ? VALUE_INT
           : at->type == CEL_DOUBLE ? VALUE_DOUBLE
           : is_number(at->is.kind) ? at->is.kind
                                    : bound->kind;
}

static bool near_int(const struct value *bound, int side, struct value *out)
{
    double d = to_double(bound);
    if (bound->kind != VALUE_DOUBLE) {
        int64_t i = bound->kind == VALUE_UINT && bound->as.u > INT64_MAX ? INT64_MAX : bound->as.i;
        *out = value_int(num_add_sat(i, side));
        return true;
    }
    if (!(fabs(d) < 9e15)) {
        return false;
    }
    bool whole = floor(d) == d;
    *out = value_int(whole ? (int64_t)d + side : (int64_t)floor(d) + (side > 0));
    return whole || side != 0;
}

static bool near_number(const struct attribute *at, const struct value *bound, int side, struct value *out)
{
    uint8_t kind = number_kind(at, bound);
    if (kind == VALUE_DOUBLE) {
        double d = to_double(bound);
        *out = value_double(side == 0 ? d : nextafter(d, side < 0 ? -INFINITY : INFINITY));
        return isfinite(out->as.d);
    }
    if (!near_int(bound, side, out) || (kind == VALUE_UINT && out->as.i < 0)) {
        return false;
    }
    out->kind = kind;
    return true;
}

static bool near_time(const struct value *bound, int side, struct value *out)
{
    *out = *bound;
    if (bound->kind == VALUE_TIMESTAMP) {
        out->as.i = num_add_sat(bound->as.i, side);
        return true;
    }
    int64_t nanos = 0;
    bool good = time_to_nanos(bound, &nanos);
    *out = time_of_nanos(num_add_sat(nanos, (int64_t)side * 1000000000));
    return good;
}

static bool near_order(const struct options *o, const struct value *bound, int side, struct value *out)
{
    const struct cel_env *env = o->world->parts.env;
    size_t count = bound->kind == VALUE_LEVEL ? env->level_count : env->strength_count;
    *out = *bound;
    out->as.i += side;
    return out->as.i >= 0 && out->as.i < (int64_t)count;
}

bool options_ordered(uint8_t kind)
{
    return is_number(kind) || kind == VALUE_TIMESTAMP || kind == VALUE_DURATION || kind == VALUE_LEVEL ||
           kind == VALUE_STRENGTH;
}

bool options_near(const struct options *o, const struct attribute *at, const struct value *bound, int side,
                  struct value *out)
{
    switch (bound->kind) {
    case VALUE_INT:
    case VALUE_UINT:
    case VALUE_DOUBLE:
        return near_number(at, bound, side, out);
    case VALUE_TIMESTAMP:
    case VALUE_DURATION:
        return near_time(bound, side, out);
    case VALUE_LEVEL:
    case VALUE_STRENGTH:
        return near_order(o, bound, side, out);
    default:
        return false;
    }
}

double options_distance(const struct value *a, const struct value *b)
{
    double x = to_double(a), y = to_double(b), d = fabs(x - y);
    if (a->kind != b->kind && !(is_number(a->kind) && is_number(b->kind))) {
        return 1;
    }
    double scale = a->kind == VALUE_TIMESTAMP || a->kind == VALUE_DURATION ? DAY_S
                   : is_number(a->kind)                                    ? fmax(fmax(fabs(x), fabs(y)), 1)
                                                                           : 1;
    return d / scale / (1 + d / scale);
}
