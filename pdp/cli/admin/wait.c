// SPDX-License-Identifier: Apache-2.0
#include "cli/admin/wait.h"

#include "wire/wire.h"

void wait_message(int64_t order, struct buf *out)
{
    struct emit emit;
    emit_init(&emit, WIRE_JSON, out);
    emit_map(&emit, SIZE_MAX);
    emit_key_str(&emit, "op", STR("order.wait"));
    emit_key_int(&emit, "order", order);
    emit_end(&emit);
}

static const struct value *list_of(const struct value *root, const char *key)
{
    static const struct value NONE = {.kind = VALUE_LIST};
    const struct value *list = value_get(root, str_of(key));
    return list != NULL && list->kind == VALUE_LIST ? list : &NONE;
}

static int64_t int_of(const struct value *map, const char *key)
{
    const struct value *v = value_get(map, str_of(key));
    return v != NULL && v->kind == VALUE_INT ? v->as.i : 0;
}

// `12 s`, `1.5 s`, `300 ms`
static void put_time(struct buf *out, int64_t ms)
{
    if (ms < 1000) {
        buf_printf(out, "%lld ms", (long long)ms);
    } else if (ms < 10000) {
        buf_printf(out, "%lld.%lld s", (long long)ms / 1000, (long long)ms / 100 % 10);
    } else {
        buf_printf(out, "%lld s", (long long)ms / 1000);
    }
}

static void put_each(struct buf *out, const struct value *list, const char *what)
{
    for (uint32_t i = 0; i < list->n; i++) {
        const struct value *name = value_get(&list->as.list[i], STR("name"));
        const struct value *peer = value_get(&list->as.list[i], STR("peer"));
        buf_str(out, STR("  "));
        buf_escaped(out, name != NULL && name->kind == VALUE_STRING ? value_text(name) : STR("?"));
        if (peer != NULL && peer->kind == VALUE_STRING) {
            buf_str(out, STR(" ("));
            buf_escaped(out, value_text(peer));
            buf_byte(out, ')');
        }
        buf_printf(out, " %s ", what);
        put_time(out, int_of(&list->as.list[i], "ms"));
        buf_byte(out, '\n');
    }
}

int wait_show(const struct value *root, struct buf *out)
{
    const struct value *silent = list_of(root, "silent"), *gone = list_of(root, "gone");
    const struct value *confirmed = list_of(root, "confirmed");
    uint32_t asked = confirmed->n + silent->n;
    if (asked == 0) {
        buf_str(out, STR("no gateway is connected for orders\n"));
    } else {
        buf_printf(out, "%u of %u gateways confirmed in ", confirmed->n, asked);
        put_time(out, int_of(root, "took_ms"));
        buf_byte(out, '\n');
    }
    put_each(out, silent, "silent for");
    put_each(out, gone, "gone, last heard before");
    return silent->n == 0 ? CLI_DONE : CLI_NO;
}
