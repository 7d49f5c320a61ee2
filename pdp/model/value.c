// SPDX-License-Identifier: Apache-2.0
#include "model/value.h"

#include "base/time.h"

static const char *const KINDS[VALUE_KIND_COUNT] = {
#define X(name, text) text,
    VALUE_KIND_LIST(X)
#undef X
};

_Static_assert(sizeof(struct value) == 16, "a value is 16 bytes");

const char *value_kind_name(enum value_kind kind)
{
    return (unsigned)kind < VALUE_KIND_COUNT ? KINDS[kind] : KINDS[VALUE_ERROR];
}

const struct value *value_get(const struct value *map, struct str key)
{
    if (map == NULL || map->kind != VALUE_MAP) {
        return NULL;
    }
    for (uint32_t i = 0; i < map->n; i++) {
        const struct value_entry *entry = &map->as.map[i];
        if (entry->key.n == key.len && entry->key.kind == VALUE_STRING &&
            (key.len == 0 || memcmp(entry->key.as.text, key.at, key.len) == 0)) {
            return &entry->value;
        }
    }
    return NULL;
}

const struct value *value_path(const struct value *map, struct str dotted)
{
    for (size_t from = 0; map != NULL && from <= dotted.len;) {
        size_t dot = str_find_byte(dotted, '.', from);
        map = value_get(map, str_sub(dotted, from, dot - from));
        from = dot + 1;
    }
    return map;
}

static void print_text(struct buf *out, struct str s, size_t end)
{
    buf_byte(out, '"');
    size_t room = end > out->len ? end - out->len : 0;
    buf_escaped(out, str_sub(s, 0, room));
    buf_str(out, s.len > room ? STR("…\"") : STR("\""));
}

static void print_duration(struct buf *out, const struct value *v)
{
    bool negative = v->as.i < 0 || (v->as.i == 0 && v->flag != 0);
    uint64_t seconds = v->as.i < 0 ? 0 - (uint64_t)v->as.i : (uint64_t)v->as.i;
    buf_printf(out, "%s%llu", negative ? "-" : "", (unsigned long long)seconds);
    if (v->n != 0) {
        buf_printf(out, ".%09u", v->n);
    }
    buf_byte(out, 's');
}

static void print_up_to(struct buf *out, const struct value *v, size_t end);

static void print_items(struct buf *out, const struct value *v, size_t end)
{
    bool is_map = v->kind == VALUE_MAP;
    buf_byte(out, is_map ? '{' : '[');
    for (uint32_t i = 0; i < v->n; i++) {
        buf_str(out, i > 0 ? STR(", ") : STR(""));
        if (out->len >= end) {
            buf_str(out, STR("…"));
            break;
        }
        if (is_map) {
            print_up_to(out, &v->as.map[i].key, end);
            buf_str(out, STR(": "));
        }
        print_up_to(out, is_map ? &v->as.map[i].value : &v->as.list[i], end);
    }
    buf_byte(out, is_map ? '}' : ']');
}

static void print_number(struct buf *out, const struct value *v)
{
    if (v->kind == VALUE_DOUBLE) {
        buf_printf(out, "%.15g", v->as.d);
    } else if (v->kind == VALUE_UINT) {
        buf_printf(out, "%lluu", (unsigned long long)v->as.u);
    } else {
        buf_printf(out, "%lld", (long long)v->as.i);
    }
}

static void print_up_to(struct buf *out, const struct value *v, size_t end)
{
    switch ((enum value_kind)v->kind) {
    case VALUE_NULL:
        buf_str(out, STR("null"));
        return;
    case VALUE_BOOL:
        buf_str(out, v->as.b ? STR("true") : STR("false"));
        return;
    case VALUE_INT:
    case VALUE_UINT:
    case VALUE_DOUBLE:
        print_number(out, v);
        return;
    case VALUE_STRING:
    case VALUE_BYTES:
        print_text(out, value_text(v), end);
        return;
    case VALUE_LIST:
    case VALUE_MAP:
        print_items(out, v, end);
        return;
    case VALUE_TIMESTAMP:
        time_print(out, v->as.i, v->n);
        return;
    case VALUE_DURATION:
        print_duration(out, v);
        return;
    case VALUE_IP:
        ip_print(out, v->as.ip);
        return;
    case VALUE_CIDR:
        cidr_print(out, v->as.cidr);
        return;
    case VALUE_ERROR:
    case VALUE_LEVEL:
    case VALUE_STRENGTH:
    case VALUE_TYPE:
    case VALUE_OPTIONAL:
    case VALUE_SET:
    case VALUE_KIND_COUNT:
        break;
    }
    buf_printf(out, "<%s>", value_kind_name((enum value_kind)v->kind));
}

void value_print(struct buf *out, const struct value *v, size_t most)
{
    print_up_to(out, v, out->len + most);
}
