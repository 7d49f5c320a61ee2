// SPDX-License-Identifier: Apache-2.0
// HOT
#include "wire/cbor.h"
#include "wire/keys.h"
#include "wire/wire.h"

#include "base/time.h"

enum {
    ON_STACK = 32,
    DEPTH_MAX = REQUEST_DEPTH_MAX + 2
}; // a batch's items were one deeper

static void put(const struct value *v, struct buf *out, unsigned depth);

static void put_entry(const struct value_entry *entry, struct buf *out, unsigned depth)
{
    cbor_put_text(out, value_text(&entry->key));
    put(&entry->value, out, depth);
}

static void put_sorted(const struct value *map, const struct value_entry **order, struct buf *out,
                       unsigned depth)
{
    for (uint32_t i = 0; i < map->n; i++) {
        order[i] = &map->as.map[i];
    }
    keys_sort(order, map->n);
    for (uint32_t i = 0; i < map->n; i++) {
        put_entry(order[i], out, depth);
    }
}

// A map too large for the stack is sorted in the buffer itself: the order stands before the entries, which
// then move down over it. The buffer may move while they are written, so the order is read through it anew.
static void put_large(const struct value *map, struct buf *out, unsigned depth)
{
    enum {
        WIDE = sizeof(const struct value_entry *)
    };
    size_t from = out->len;
    size_t table = (from + WIDE - 1) / WIDE * WIDE;
    size_t bytes = table - from + (size_t)map->n * WIDE;
    if (!buf_room(out, bytes)) {
        return;
    }
    const struct value_entry **order = (const struct value_entry **)(void *)(out->at + table);
    for (uint32_t i = 0; i < map->n; i++) {
        order[i] = &map->as.map[i];
    }
    keys_sort(order, map->n);
    out->len += bytes;
    for (uint32_t i = 0; i < map->n && !out->failed; i++) {
        const struct value_entry *entry = NULL;
        memcpy(&entry, out->at + table + (size_t)i * WIDE, sizeof entry);
        put_entry(entry, out, depth);
    }
    memmove(out->at + from, out->at + from + bytes, out->len - from - bytes);
    out->len -= bytes;
}

static void put_map(const struct value *map, struct buf *out, unsigned depth)
{
    cbor_put_head(out, CBOR_MAP, map->n);
    if (map->n > ON_STACK) {
        put_large(map, out, depth + 1);
        return;
    }
    const struct value_entry *order[ON_STACK];
    put_sorted(map, order, out, depth + 1);
}

static void put_list(const struct value *list, struct buf *out, unsigned depth)
{
    cbor_put_head(out, CBOR_LIST, list->n);
    for (uint32_t i = 0; i < list->n; i++) {
        put(&list->as.list[i], out, depth + 1);
    }
}

// Tagged, because the text of a time and a time are two questions.
static void put_time(const struct value *v, struct buf *out)
{
    cbor_put_head(out, CBOR_TAG, v->n == 0 ? 1 : 0);
    if (v->n == 0) {
        cbor_put_int(out, v->as.i);
        return;
    }
    size_t from = out->len;
    buf_put(out, "\x78", 2); // text with a length of one byte: with a fraction it is 24 to 30 long
    time_print(out, v->as.i, v->n);
    if (!out->failed) {
        out->at[from + 1] = (unsigned char)(out->len - from - 2);
    }
}

static void put(const struct value *v, struct buf *out, unsigned depth)
{
    if (depth > DEPTH_MAX) {
        out->failed = true;
        return;
    }
    switch (v->kind) {
    case VALUE_BOOL:
        buf_byte(out, v->as.b ? 0xf5 : 0xf4);
        break;
    case VALUE_INT:
        cbor_put_int(out, v->as.i);
        break;
    case VALUE_DOUBLE:
        cbor_put_double(out, v->as.d);
        break;
    case VALUE_STRING:
        cbor_put_text(out, value_text(v));
        break;
    case VALUE_BYTES:
        cbor_put_head(out, CBOR_BYTES, v->n);
        buf_str(out, value_text(v));
        break;
    case VALUE_LIST:
        put_list(v, out, depth);
        break;
    case VALUE_MAP:
        put_map(v, out, depth);
        break;
    case VALUE_TIMESTAMP:
        put_time(v, out);
        break;
    default: // no decoder makes others
        buf_byte(out, 0xf6);
    }
}

void wire_canonical(const struct value *root, struct buf *out)
{
    put(root, out, 0);
}
