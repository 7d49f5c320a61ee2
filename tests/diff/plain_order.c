// SPDX-License-Identifier: Apache-2.0
// Which values are equal, and which come first: as CEL's specification has it.
#include "diff/plain.h"

static bool is_number(const struct value *v)
{
    return v->kind == VALUE_INT || v->kind == VALUE_UINT || v->kind == VALUE_DOUBLE;
}

static bool is_error(const struct value *v)
{
    return v->kind == VALUE_ERROR;
}

static int sign(bool less, bool more)
{
    return less ? -1 : more;
}

static int order_doubles(double a, double b)
{
    return a != a || b != b ? 2 : sign(a < b, a > b);
}

// An integer beside a double is taken for a double, unless the double is outside of its type.
static int order_with_double(const struct value *whole, double d)
{
    bool is_int = whole->kind == VALUE_INT;
    if (d < (is_int ? -9223372036854775808.0 : 0.0)) {
        return 1;
    }
    if (d > (is_int ? 9223372036854775808.0 : 18446744073709551616.0)) {
        return -1;
    }
    return order_doubles(is_int ? (double)whole->as.i : (double)whole->as.u, d);
}

static int order_numbers(const struct value *a, const struct value *b)
{
    if (a->kind == VALUE_DOUBLE && b->kind == VALUE_DOUBLE) {
        return order_doubles(a->as.d, b->as.d);
    }
    if (b->kind == VALUE_DOUBLE) {
        return order_with_double(a, b->as.d);
    }
    if (a->kind == VALUE_DOUBLE) {
        int order = order_with_double(b, a->as.d);
        return order == 2 ? 2 : -order;
    }
    bool a_negative = a->kind == VALUE_INT && a->as.i < 0, b_negative = b->kind == VALUE_INT && b->as.i < 0;
    if (a_negative != b_negative) {
        return a_negative ? -1 : 1;
    }
    return sign(a->as.u < b->as.u, a->as.u > b->as.u); // two's complement keeps the order of equal signs
}

static int64_t sign_of_duration(const struct value *v)
{
    return v->as.i < 0 || v->flag != 0 ? -1 : 1;
}

int plain_order(const struct value *a, const struct value *b)
{
    if (is_number(a) && is_number(b)) {
        return order_numbers(a, b);
    }
    if (a->kind != b->kind) {
        return 3;
    }
    int order = 0;
    switch (a->kind) {
    case VALUE_BOOL:
        return sign(!a->as.b && b->as.b, a->as.b && !b->as.b);
    case VALUE_STRING:
    case VALUE_BYTES:
        order = memcmp(a->as.text, b->as.text, a->n < b->n ? a->n : b->n);
        return order != 0 ? sign(order < 0, order > 0) : sign(a->n < b->n, a->n > b->n);
    case VALUE_DURATION:
        if (a->as.i == b->as.i) {
            int64_t x = sign_of_duration(a) * (int64_t)a->n, y = sign_of_duration(b) * (int64_t)b->n;
            return sign(x < y, x > y);
        }
        return sign(a->as.i < b->as.i, a->as.i > b->as.i);
    case VALUE_TIMESTAMP:
        if (a->as.i == b->as.i) {
            return sign(a->n < b->n, a->n > b->n);
        }
        return sign(a->as.i < b->as.i, a->as.i > b->as.i);
    case VALUE_LEVEL:
    case VALUE_STRENGTH:
        return sign(a->as.i < b->as.i, a->as.i > b->as.i);
    default:
        return 3;
    }
}

const struct value *plain_find(const struct value *map, const struct value *key)
{
    for (uint32_t i = 0; i < map->n; i++) {
        if (plain_equal(&map->as.map[i].key, key)) {
            return &map->as.map[i].value;
        }
    }
    return NULL;
}

static bool equal_maps(const struct value *a, const struct value *b)
{
    for (uint32_t i = 0; i < a->n; i++) {
        const struct value *other = plain_find(b, &a->as.map[i].key);
        if (other == NULL || !plain_equal(&a->as.map[i].value, other)) {
            return false;
        }
    }
    return a->n == b->n;
}

bool plain_equal(const struct value *a, const struct value *b)
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
        return a->as.i == b->as.i;
    case VALUE_MAP:
        return equal_maps(a, b);
    case VALUE_LIST:
        for (uint32_t i = 0; a->n == b->n && i < a->n; i++) {
            if (!plain_equal(&a->as.list[i], &b->as.list[i])) {
                return false;
            }
        }
        return a->n == b->n;
    default:
        return plain_order(a, b) == 0;
    }
}

bool plain_same(const struct value *a, const struct value *b)
{
    bool same = a->kind == b->kind;
    if (!same || is_error(a)) {
        return same;
    }
    switch (a->kind) {
    case VALUE_DOUBLE:
        return plain_equal(a, b) || (a->as.d != a->as.d && b->as.d != b->as.d);
    case VALUE_LIST:
        for (uint32_t i = 0; same && a->n == b->n && i < a->n; i++) {
            same = plain_same(&a->as.list[i], &b->as.list[i]);
        }
        return same && a->n == b->n;
    case VALUE_MAP:
        for (uint32_t i = 0; same && a->n == b->n && i < a->n; i++) {
            same = plain_same(&a->as.map[i].key, &b->as.map[i].key) &&
                   plain_same(&a->as.map[i].value, &b->as.map[i].value);
        }
        return same && a->n == b->n;
    default:
        return plain_equal(a, b);
    }
}
