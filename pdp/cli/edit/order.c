// SPDX-License-Identifier: Apache-2.0
#include "cli/edit/order.h"

#include "conf/marks.h"

#define FIRST_MOST 3
#define ENTRIES_MOST 64 // of a map that is put in order

struct first {
    const char *below; // the key of the list whose items are meant; NULL: documents
    const char *keys[FIRST_MOST + 1];
};
static const struct first FIRST[] = {
    {NULL, {"apiVersion", "kind", "metadata", NULL}},
    {"rules", {"id", "effect", NULL}},
    {"levels", {"name", NULL}},
    {"cases", {"name", NULL}},
    {"matrix", {"name", NULL}},
    {"steps", {"name", NULL}},
};

struct order {
    struct str text;
    size_t from; // up to here it is written
    bool moved;
    struct buf *out;
};

static uint32_t start_of(const struct conf_entry *entry)
{
    return marks_from(entry->key);
}

static uint32_t end_of(const struct conf_entry *entry)
{
    const struct conf_node *value = entry->value;
    bool scalar = value->kind == CONF_SCALAR || value->kind == CONF_NULL;
    return scalar ? marks_to(value) : value->place.at + value->place.len;
}

static size_t find(const struct conf_node *map, const char *key)
{
    size_t at = 0;
    while (at < map->count && !str_eq(map->entries[at].key->text, str_of(key))) {
        at++;
    }
    return at;
}

// The entries in the order that is wanted; returns how many of them are not where they were, from the first
// on.
static size_t wanted(const struct conf_node *map, const struct first *first,
                     size_t order[static ENTRIES_MOST])
{
    bool taken[ENTRIES_MOST] = {false};
    size_t count = 0, moved = 0;
    for (size_t i = 0; first->keys[i] != NULL; i++) {
        size_t at = find(map, first->keys[i]);
        if (at < map->count) {
            taken[at] = true;
            order[count++] = at;
        }
    }
    for (size_t i = 0; i < map->count; i++) {
        if (!taken[i]) {
            order[count++] = i;
        }
    }
    for (size_t i = 0; i < count; i++) {
        moved = order[i] != i ? i + 1 : moved;
    }
    return moved;
}

// Does nothing but one line break and the indentation stand between an entry and the next?
static bool is_close(struct str text, const struct conf_node *map, size_t i)
{
    uint32_t end = end_of(&map->entries[i]), next = start_of(&map->entries[i + 1]);
    uint32_t first = start_of(&map->entries[0]);
    size_t column = first - marks_line(text, first);
    if (next < end || next - end != column + 1 || text.at[end] != '\n') {
        return false;
    }
    for (uint32_t at = end + 1; at < next; at++) {
        if (text.at[at] != ' ') {
            return false;
        }
    }
    return true;
}

// A comment behind the last of them would come to stand behind another.
static bool ends_line(struct str text, uint32_t at)
{
    return at >= text.len || text.at[at] == '\n';
}

static void put_map(struct order *o, const struct conf_node *map, const struct first *first)
{
    size_t order[ENTRIES_MOST];
    if (map->kind != CONF_MAP || map->style != CONF_BLOCK || map->count > ENTRIES_MOST) {
        return;
    }
    size_t moved = wanted(map, first, order);
    bool close = moved > 0 && ends_line(o->text, end_of(&map->entries[moved - 1]));
    for (size_t i = 0; close && i + 1 < moved; i++) {
        close = is_close(o->text, map, i);
    }
    if (!close) {
        return;
    }
    uint32_t from = start_of(&map->entries[0]);
    size_t column = from - marks_line(o->text, from);
    buf_str(o->out, str_sub(o->text, o->from, from - o->from));
    for (size_t i = 0; i < moved; i++) {
        const struct conf_entry *entry = &map->entries[order[i]];
        if (i > 0) {
            buf_printf(o->out, "\n%*s", (int)column, "");
        }
        buf_str(o->out, str_sub(o->text, start_of(entry), end_of(entry) - start_of(entry)));
    }
    o->from = end_of(&map->entries[moved - 1]);
    o->moved = true;
}

static void put_items(struct order *o, const struct conf_entry *entry)
{
    for (size_t i = 1; i < COUNT_OF(FIRST); i++) {
        bool is = str_eq(entry->key->text, str_of(FIRST[i].below)) && entry->value->kind == CONF_LIST;
        for (size_t k = 0; is && k < entry->value->count; k++) {
            put_map(o, entry->value->items[k], &FIRST[i]);
        }
    }
}

bool order_print(const struct source *source, const struct conf_doc *docs, size_t count, bool whole,
                 struct buf *out)
{
    struct order o = {.text = source->text, .out = out};
    for (size_t i = 0; i < count; i++) {
        const struct conf_node *root = docs[i].root;
        if (conf_get(root, "apiVersion") == NULL) {
            continue;
        }
        if (whole) {
            put_map(&o, root, &FIRST[0]);
        }
        for (size_t k = 0; !whole && k < root->count; k++) {
            put_items(&o, &root->entries[k]);
        }
    }
    buf_str(out, str_sub(o.text, o.from, SIZE_MAX));
    return o.moved && !out->failed;
}
