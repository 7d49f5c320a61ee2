// SPDX-License-Identifier: Apache-2.0
// Values near a bound, and how far they are from what an attribute is.
#include "cli/explain/options.h"

#include "cli/values.h"

#include <math.h>

static const double DAY_S = 86400;

static double to_double(const struct value *v)
{
    return v->kind == VALUE_INT      ? (double)v->as.i
           : v->kind == VALUE_UINT   ? (double)v->as.u
           : v->kind == VALUE_DOUBLE ? v->as.d
                                     : (double)v->as.i + (double)v->n / 1e9;
}

static uint8_t number_kind(const struct attribute *at, const struct value *bound)
{
    return at->type == CEL_INT           ? VALUE_INT
           : at->type == CEL_DOUBLE      ? VALUE_DOUBLE
           : values_numeric(at->is.kind) ? at->is.kind
                                         : bound->kind;
}

bool options_is_past(const struct attribute *at)
{
    return str_eq(at->path, STR("session.auth_time"));
}

bool options_near(const struct options *o, const struct attribute *at, const struct value *bound, int side,
                  struct value *out)
{
    return values_near(o->world->parts.env, number_kind(at, bound), bound, side, out);
}

bool options_behind(const struct cidr *network, struct ip *out)
{
    unsigned first = network->base.v4 ? 96 : 0, bit = first + network->bits;
    *out = network->base;
    while (bit > first) {
        bit--;
        uint8_t mask = (uint8_t)(0x80U >> bit % 8);
        out->bytes[bit / 8] ^= mask;
        if ((out->bytes[bit / 8] & mask) != 0) {
            return true; // nothing is carried on
        }
    }
    return false;
}

double options_distance(const struct value *a, const struct value *b)
{
    double x = to_double(a), y = to_double(b), d = fabs(x - y);
    if (a->kind != b->kind && !(values_numeric(a->kind) && values_numeric(b->kind))) {
        return 1;
    }
    double scale = a->kind == VALUE_TIMESTAMP || a->kind == VALUE_DURATION ? DAY_S
                   : values_numeric(a->kind)                               ? fmax(fmax(fabs(x), fabs(y)), 1)
                                                                           : 1;
    return d / scale / (1 + d / scale);
}
