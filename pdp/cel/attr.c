// SPDX-License-Identifier: Apache-2.0
// HOT
// What a question says, read as a Schema declares it.
#include "base/time.h"
#include "cel/frame.h"

// Beyond these a double no longer holds every integer.
static const int64_t EXACT_MOST = INT64_C(1) << 53;

static uint16_t read_double(struct arena *arena, struct value *v)
{
    (void)arena;
    if (v->kind == VALUE_INT && v->as.i >= -EXACT_MOST && v->as.i <= EXACT_MOST) {
        *v = value_double((double)v->as.i);
    }
    return v->kind;
}

static uint16_t read_timestamp(struct arena *arena, struct value *v)
{
    struct value time = {.kind = VALUE_TIMESTAMP};
    (void)arena;
    if (v->kind == VALUE_INT) {
        time.as.i = v->as.i;
        if (time.as.i < TIME_MIN_S || time.as.i > TIME_MAX_S) {
            return ATTR_UNREADABLE;
        }
    } else if (v->kind != VALUE_STRING) {
        return v->kind;
    } else if (!time_parse(value_text(v), &time.as.i, &time.n)) {
        return ATTR_UNREADABLE;
    }
    *v = time;
    return v->kind;
}

static uint16_t read_duration(struct arena *arena, struct value *v)
{
    int64_t seconds = 0, nanos = 0;
    int32_t part = 0;
    (void)arena;
    if (v->kind != VALUE_STRING) {
        return v->kind;
    }
    if (!time_duration_parse(value_text(v), &seconds, &part) ||
        __builtin_mul_overflow(seconds, INT64_C(1000000000), &nanos) != 0 ||
        __builtin_add_overflow(nanos, (int64_t)part, &nanos) != 0) {
        return ATTR_UNREADABLE;
    }
    *v = time_of_nanos(nanos);
    return v->kind;
}

static uint16_t read_ip(struct arena *arena, struct value *v)
{
    if (v->kind != VALUE_STRING) {
        return v->kind;
    }
    struct ip *ip = arena_alloc(arena, sizeof *ip, _Alignof(struct ip));
    if (ip == NULL) {
        return ATTR_MEMORY;
    }
    if (!ip_parse(value_text(v), ip)) {
        return ATTR_UNREADABLE;
    }
    *v = (struct value){.kind = VALUE_IP, .as.ip = ip};
    return v->kind;
}

static uint16_t (*const READERS[CEL_TYPE_COUNT])(struct arena *arena, struct value *v) = {
    [CEL_DOUBLE] = read_double,
    [CEL_TIMESTAMP] = read_timestamp,
    [CEL_DURATION] = read_duration,
    [CEL_IP] = read_ip,
};

static bool is_one_of(const struct cel_schema *schema, struct str text)
{
    for (uint32_t i = 0; i < schema->value_count; i++) {
        if (str_eq(schema->values[i], text)) {
            return true;
        }
    }
    return false;
}

static bool is_short(const struct value *v, uint32_t most)
{
    bool fits = v->kind != VALUE_STRING || v->n <= most;
    for (uint32_t i = 0; v->kind == VALUE_LIST && fits && i < v->n; i++) {
        fits = v->as.list[i].kind != VALUE_STRING || v->as.list[i].n <= most;
    }
    return fits;
}

uint16_t attr_read(struct arena *arena, const struct cel_slot_info *info, struct value *v)
{
    const struct cel_schema *schema = info->schema;
    if (READERS[info->type] != NULL) {
        return READERS[info->type](arena, v);
    }
    if (schema->max_items > 0 && (v->kind == VALUE_LIST || v->kind == VALUE_MAP) &&
        v->n > schema->max_items) {
        return ATTR_ITEMS;
    }
    if (schema->max_bytes > 0 && !is_short(v, schema->max_bytes)) {
        return ATTR_BYTES;
    }
    if (schema->value_count > 0 && v->kind == VALUE_STRING && !is_one_of(schema, value_text(v))) {
        return ATTR_VALUE;
    }
    return v->kind;
}
