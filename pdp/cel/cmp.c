// SPDX-License-Identifier: Apache-2.0
// HOT
// Equality and order of values.
#include "cel/frame.h"

static int sign(bool less, bool more)
{
    return less ? -1 : more;
}

static int order_i64(int64_t a, int64_t b)
{
    return sign(a<b, a> b);
}

static int order_double(double a, double b)
{
    return a != a || b != b ? 2 : sign(a<b, a> b);
}

// An int beside a double, as the specification's tests have it: the int is rounded to a double where the
// double lies in its range. 2: the double is not a number.
static int order_int_double(int64_t i, double d)
{
    if (d > 9223372036854775808.0 || d < -9223372036854775808.0) {
        return d > 0 ? -1 : 1;
    }
    return order_double((double)i, d);
}

static int order_uint_double(uint64_t u, double d)
{
    if (d > 18446744073709551616.0 || d < 0) {
        return d > 0 ? -1 : 1;
    }
    return order_double((double)u, d);
}

static int order_int_uint(int64_t i, uint64_t u)
{
    return i < 0 ? -1 : sign((uint64_t)i<u, (uint64_t)i> u);
}

static int reversed(int order)
{
    return order == 2 ? 2 : -order;
}

static int order_numbers(const struct value *a, const struct value *b)
{
    if (a->kind == VALUE_INT) {
        return b->kind == VALUE_INT    ? order_i64(a->as.i, b->as.i)
               : b->kind == VALUE_UINT ? order_int_uint(a->as.i, b->as.u)
                                       : order_int_double(a->as.i, b->as.d);
    }
    if (a->kind == VALUE_UINT) {
        return b->kind == VALUE_UINT  ? sign(a->as.u<b->as.u, a->as.u> b->as.u)
               : b->kind == VALUE_INT ? reversed(order_int_uint(b->as.i, a->as.u))
                                      : order_uint_double(a->as.u, b->as.d);
    }
    return b->kind == VALUE_DOUBLE ? order_double(a->as.d, b->as.d)
           : b->kind == VALUE_INT  ? reversed(order_int_double(b->as.i, a->as.d))
                                   : reversed(order_uint_double(b->as.u, a->as.d));
}

static inline bool is_number(const struct value *v)
{
    return v->kind >= VALUE_INT && v->kind <= VALUE_DOUBLE;
}

static int order_time(const struct value *a, const struct value *b)
{
    int order = order_i64(a->as.i, b->as.i);
    return order != 0 ? order : sign(a->n<b->n, a->n> b->n);
}

static int order_duration(const struct value *a, const struct value *b)
{
    int64_t x = 0, y = 0;
    if (!time_to_nanos(a, &x) || !time_to_nanos(b, &y)) {
        return order_i64(a->as.i, b->as.i);
    }
    return order_i64(x, y);
}

int cmp_order(const struct value *a, const struct value *b)
{
    if (is_number(a) && is_number(b)) {
        return order_numbers(a, b);
    }
    if (a->kind != b->kind) {
        return 3;
    }
    switch (a->kind) {
    case VALUE_BOOL:
        return (int)a->as.b - (int)b->as.b;
    case VALUE_STRING:
    case VALUE_BYTES: {
        int order = str_cmp(value_text(a), value_text(b));
        return sign(order<0, order> 0);
    }
    case VALUE_TIMESTAMP:
        return order_time(a, b);
    case VALUE_DURATION:
        return order_duration(a, b);
    case VALUE_LEVEL:
    case VALUE_STRENGTH:
        return order_i64(a->as.i, b->as.i);
    default:
        return 3;
    }
}

// Values without parts.
static bool equal_plain(const struct value *a, const struct value *b)
{
    if (is_number(a) && is_number(b)) {
        return order_numbers(a, b) == 0;
    }
    if (a->kind != b->kind) {
        return false;
    }
    switch (a->kind) {
    case VALUE_NULL:
        return true;
    case VALUE_IP:
        return ip_eq(a->as.ip, b->as.ip);
    case VALUE_CIDR:
        return ip_eq(&a->as.cidr->base, &b->as.cidr->base) && a->as.cidr->bits == b->as.cidr->bits;
    case VALUE_TYPE:
    case VALUE_SET:
        return a->as.i == b->as.i;
    default:
        return cmp_order(a, b) == 0;
    }
}

// Parts are paid for: a value may hold the same part many times over, at every depth.
static bool equal_lists(struct cel_frame *f, const struct value *a, const struct value *b)
{
    if (a->n != b->n || !frame_spend(f, a->n)) {
        return false;
    }
    for (uint32_t i = 0; i < a->n; i++) {
        if (!cmp_equal(f, &a->as.list[i], &b->as.list[i])) {
            return false;
        }
    }
    return true;
}

static bool equal_maps(struct cel_frame *f, const struct value *a, const struct value *b)
{
    if (a->n != b->n) {
        return false;
    }
    for (uint32_t i = 0; i < a->n; i++) {
        const struct value *other = frame_spend(f, 1 + a->n / 8) ? cmp_find(b, &a->as.map[i].key) : NULL;
        if (other == NULL || !cmp_equal(f, &a->as.map[i].value, other)) {
            return false;
        }
    }
    return true;
}

bool cmp_equal(struct cel_frame *frame, const struct value *a, const struct value *b)
{
    if (a->kind != b->kind) {
        return equal_plain(a, b);
    }
    switch (a->kind) {
    case VALUE_LIST:
        return equal_lists(frame, a, b);
    case VALUE_MAP:
        return equal_maps(frame, a, b);
    case VALUE_OPTIONAL:
        return a->flag == b->flag &&
               (a->flag == 0 || (frame_spend(frame, 1) && cmp_equal(frame, a->as.list, b->as.list)));
    default:
        return equal_plain(a, b);
    }
}

const struct value *cmp_find(const struct value *map, const struct value *key)
{
    for (uint32_t i = 0; i < map->n; i++) {
        if (equal_plain(&map->as.map[i].key, key)) {
            return &map->as.map[i].value;
        }
    }
    return NULL;
}
