// SPDX-License-Identifier: Apache-2.0
// Draws one of the values that a test turns by; which there are, values.h knows.
#include "cli/change/solve.h"

#include "cli/values.h"

// Wraps around: beside the most is the least, which is as good a try.
static int64_t plus(int64_t number, int64_t by)
{
    return (int64_t)((uint64_t)number + (uint64_t)by);
}

struct value solve_other(struct solver *s, const struct value *value)
{
    static const char *const OTHERS[] = {"other", "x", "none-of-these", "GET", "alice"};
    switch (value->kind) {
    case VALUE_INT:
        return value_int(plus(value->as.i, luck_one_in(s->luck, 2) ? 1 : -1));
    case VALUE_UINT:
        return value_int(plus((int64_t)value->as.u, 1));
    case VALUE_DOUBLE:
        return value_double(value->as.d + (luck_one_in(s->luck, 2) ? 1 : -1));
    case VALUE_BOOL:
        return value_bool(!value->as.b);
    case VALUE_STRING:
        return value_str(str_of(OTHERS[luck_below(s->luck, COUNT_OF(OTHERS))]));
    default:
        return *value;
    }
}

struct value solve_moved(struct solver *s, const struct value *value, int way)
{
    struct value out = *value;
    static const double STEPS[] = {0.001, 1, 1000};
    static const int64_t WHOLE[] = {1, 2, 61}, SPANS[] = {1, 60, 3600};
    uint32_t step = luck_below(s->luck, 3);
    bool order = value->kind == VALUE_LEVEL || value->kind == VALUE_STRENGTH;
    if (value->kind == VALUE_DOUBLE) {
        out.as.d += way * STEPS[step];
    } else if (order || step == 0) {
        struct value near;
        out = values_near(s->side->parts.env, value->kind, value, way, &near) ? near : out;
    } else if (values_numeric(value->kind)) {
        out.as.i = plus(out.as.i, way * WHOLE[step]);
    } else if (values_ordered(value->kind)) {
        out.as.i = plus(out.as.i, way * SPANS[step]);
    }
    return out;
}

struct str solve_inside(struct solver *s, const struct cidr *network)
{
    AUTO(buf_fini) struct buf text = {0};
    unsigned char host[16] = {0};
    uint32_t luck = luck_below(s->luck, 3);
    for (unsigned bit = network->bits + (network->base.v4 ? 96U : 0U); bit < 128; bit++) {
        bool one = luck == 1 || (luck == 2 && luck_one_in(s->luck, 2));
        host[bit / 8] |= (unsigned char)(one ? 0x80 >> bit % 8 : 0);
    }
    const struct ip ip = values_inside(network, host);
    ip_print(&text, &ip);
    return arena_str(s->trial->arena, buf_view(&text), NULL);
}
