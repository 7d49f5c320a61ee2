// SPDX-License-Identifier: Apache-2.0
#include "cli/values.h"

#include "base/num.h"
#include "base/time.h"
#include "cel/frame.h"

#include <math.h>

// ---- Beside a bound -------------------------------------------------------------------------------------

bool values_numeric(uint8_t kind)
{
    return kind == VALUE_INT || kind == VALUE_UINT || kind == VALUE_DOUBLE;
}

bool values_ordered(uint8_t kind)
{
    return values_numeric(kind) || kind == VALUE_TIMESTAMP || kind == VALUE_DURATION || kind == VALUE_LEVEL ||
           kind == VALUE_STRENGTH;
}

static bool near_int(const struct value *bound, int side, struct value *out)
{
    if (bound->kind != VALUE_DOUBLE) {
        int64_t i = bound->kind == VALUE_UINT && bound->as.u > INT64_MAX ? INT64_MAX : bound->as.i;
        *out = value_int(num_add_sat(i, side));
        return true;
    }
    double d = bound->as.d;
    if (!(fabs(d) < 9e15)) {
        return false;
    }
    bool whole = floor(d) == d;
    *out = value_int(whole ? (int64_t)d + side : (int64_t)floor(d) + (side > 0));
    return whole || side != 0;
}

static double as_double(const struct value *v)
{
    return v->kind == VALUE_INT ? (double)v->as.i : v->kind == VALUE_UINT ? (double)v->as.u : v->as.d;
}

static bool near_number(uint8_t kind, const struct value *bound, int side, struct value *out)
{
    if (kind == VALUE_DOUBLE) {
        double d = as_double(bound);
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

static bool near_order(const struct cel_env *env, const struct value *bound, int side, struct value *out)
{
    size_t count = bound->kind == VALUE_LEVEL ? env->level_count : env->strength_count;
    *out = *bound;
    out->as.i += side;
    return out->as.i >= 0 && out->as.i < (int64_t)count;
}

bool values_near(const struct cel_env *env, uint8_t kind, const struct value *bound, int side,
                 struct value *out)
{
    if (values_numeric(bound->kind)) {
        return near_number(kind, bound, side, out);
    }
    if (bound->kind == VALUE_TIMESTAMP || bound->kind == VALUE_DURATION) {
        return near_time(bound, side, out);
    }
    return values_ordered(bound->kind) && near_order(env, bound, side, out);
}

// ---- Texts ----------------------------------------------------------------------------------------------

struct str values_text(struct arena *arena, enum values_part part, struct str with, struct str head,
                       struct str tail, bool route)
{
    struct str before = part == VALUES_STARTS ? STR("") : head;
    struct str after = part == VALUES_ENDS ? STR("") : tail;
    struct str first = before.len > 0 ? before : with;
    bool bare = route && part != VALUES_STARTS && !str_starts(first, STR("/"));
    bool joint = route && before.len > 0 && !str_starts(with, STR("/")); // no segment is lengthened
    return arena_printf(arena, "%s" STR_FMT "%s" STR_FMT STR_FMT, bare ? "/" : "", STR_ARG(before),
                        joint ? "/" : "", STR_ARG(with), STR_ARG(after));
}

struct value values_stranger(enum cel_set_kind kind, uint32_t n)
{
    static const struct str ADDRESSES[] = {{"192.0.2.1", 9}, {"10.0.0.7", 8}, {"203.0.113.7", 11}},
                            COUNTRIES[] = {{"ZZ", 2}, {"FR", 2}, {"NZ", 2}};
    static const int64_t ASNS[] = {4199999999, 64500};
    switch (kind) {
    case CEL_SET_CIDR:
        return value_str(ADDRESSES[n % COUNT_OF(ADDRESSES)]);
    case CEL_SET_COUNTRY:
        return value_str(COUNTRIES[n % COUNT_OF(COUNTRIES)]);
    case CEL_SET_ASN:
        return value_int(ASNS[n % COUNT_OF(ASNS)]);
    default:
        return value_str(STR("none-of-these"));
    }
}

// ---- Addresses ------------------------------------------------------------------------------------------

struct ip values_address(uint32_t n)
{
    static const struct str ALL[VALUES_ADDRESSES] = {
        {"192.0.2.1", 9}, {"198.51.100.1", 12}, {"203.0.113.1", 11}, {"2001:db8::1", 11}};
    struct ip ip = {0};
    (void)ip_parse(ALL[n % VALUES_ADDRESSES], &ip);
    return ip;
}

struct ip values_inside(const struct cidr *network, const unsigned char host[16])
{
    struct ip ip = ip_mask(&network->base, network->bits);
    for (unsigned bit = network->bits + (ip.v4 ? 96U : 0U); bit < 128; bit++) {
        ip.bytes[bit / 8] |= (unsigned char)(host[bit / 8] & 0x80 >> bit % 8);
    }
    return ip;
}
