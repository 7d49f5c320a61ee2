// SPDX-License-Identifier: Apache-2.0
#include "cli/test/compose.h"

#include "base/time.h"

static void *room(struct compose *compose, size_t count, size_t bytes)
{
    void *at = arena_zero(compose->arena, count + (count == 0), bytes, _Alignof(max_align_t));
    compose->failed = compose->failed || at == NULL;
    return at;
}

// ---- Values --------------------------------------------------------------------------------------

static struct str numbered(struct compose *compose, struct str text)
{
    static const struct str MARK = {"{n}", 3};
    size_t at = str_find(text, MARK, 0);
    if (compose->turn < 0 || at == SIZE_MAX) {
        return text;
    }
    AUTO(buf_fini) struct buf out = {0};
    size_t from = 0;
    bool ok = true;
    for (; at != SIZE_MAX; at = str_find(text, MARK, from)) {
        buf_str(&out, str_sub(text, from, at - from));
        buf_printf(&out, "%lld", (long long)compose->turn);
        from = at + MARK.len;
    }
    buf_str(&out, str_sub(text, from, SIZE_MAX));
    text = arena_str(compose->arena, buf_view(&out), &ok);
    compose->failed = compose->failed || out.failed || !ok;
    compose->varies = true;
    return text;
}

static struct value scalar(struct compose *compose, const struct conf_node *node)
{
    int64_t number = 0;
    double real = 0;
    if (!node->quoted) {
        if (str_eq(node->text, STR("true")) || str_eq(node->text, STR("false"))) {
            return value_bool(node->text.len == 4);
        }
        if (str_to_i64(node->text, &number)) {
            return value_int(number);
        }
        if (str_to_double(node->text, &real)) {
            return value_double(real);
        }
    }
    return value_str(numbered(compose, node->text));
}

static struct value whole(struct compose *compose, const struct conf_node *node)
{
    struct value out = value_null();
    if (node->kind == CONF_SCALAR) {
        return scalar(compose, node);
    }
    if (node->kind == CONF_MAP) {
        out = (struct value){.kind = VALUE_MAP};
        compose_lay(compose, node, &out);
    } else if (node->kind == CONF_LIST) {
        struct value *items = room(compose, node->count, sizeof *items);
        for (size_t i = 0; items != NULL && i < node->count; i++) {
            items[i] = whole(compose, node->items[i]);
        }
        out = (struct value){
            .kind = VALUE_LIST, .n = items != NULL ? (uint32_t)node->count : 0, .as.list = items};
    }
    return out;
}

static bool is_span(const struct conf_node *node, int64_t *ms)
{
    return node->kind == CONF_SCALAR && conf_duration(node->text, ms);
}

static struct value entry_value(struct compose *compose, const struct conf_entry *entry)
{
    int64_t span_ms = 0;
    if (str_eq(entry->key->text, STR("auth_time")) && is_span(entry->value, &span_ms)) {
        int64_t at_ms = compose->now_ms + span_ms;
        compose->varies = true;
        return value_int(at_ms / TIME_MS_PER_S - (at_ms % TIME_MS_PER_S < 0));
    }
    return whole(compose, entry->value);
}

// ---- Laying over ---------------------------------------------------------------------------------

static struct value_entry *find(struct value_entry *entries, uint32_t count, struct str key)
{
    for (uint32_t i = 0; i < count; i++) {
        if (value_is_text(&entries[i].key, key)) {
            return &entries[i];
        }
    }
    return NULL;
}

static void take_away(struct value_entry *entries, uint32_t *count, const struct value_entry *gone)
{
    for (uint32_t i = (uint32_t)(gone - entries); i + 1 < *count; i++) {
        entries[i] = entries[i + 1];
    }
    *count -= 1;
}

static void lay_entry(struct compose *compose, const struct conf_entry *entry, struct value_entry *entries,
                      uint32_t *count)
{
    struct value_entry *old = find(entries, *count, entry->key->text);
    if (entry->value->kind == CONF_NULL) {
        if (old != NULL) {
            take_away(entries, count, old);
        }
        return;
    }
    if (old != NULL && old->value.kind == VALUE_MAP && entry->value->kind == CONF_MAP) {
        compose_lay(compose, entry->value, &old->value);
        return;
    }
    if (old == NULL) {
        old = &entries[(*count)++];
        old->key = value_str(numbered(compose, entry->key->text));
    }
    old->value = entry_value(compose, entry);
}

void compose_lay(struct compose *compose, const struct conf_node *map, struct value *into)
{
    uint32_t count = into->kind == VALUE_MAP ? into->n : 0;
    // A map of its own: fixtures are laid under many cases.
    struct value_entry *entries = room(compose, count + map->count, sizeof *entries);
    if (entries == NULL) {
        return;
    }
    if (count > 0) {
        memcpy(entries, into->as.map, count * sizeof *entries);
    }
    for (size_t i = 0; i < map->count; i++) {
        lay_entry(compose, &map->entries[i], entries, &count);
    }
    *into = (struct value){.kind = VALUE_MAP, .n = count, .as.map = entries};
}

void compose_put(struct compose *compose, struct str key, struct value value, struct value *into)
{
    uint32_t count = into->kind == VALUE_MAP ? into->n : 0;
    struct value_entry *entries = room(compose, count + 1U, sizeof *entries);
    if (entries == NULL) {
        return;
    }
    if (count > 0) {
        memcpy(entries, into->as.map, count * sizeof *entries);
    }
    struct value_entry *at = find(entries, count, key);
    if (at == NULL) {
        at = &entries[count++];
        at->key = value_str(key);
    }
    at->value = value;
    *into = (struct value){.kind = VALUE_MAP, .n = count, .as.map = entries};
}
