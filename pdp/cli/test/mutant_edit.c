// SPDX-License-Identifier: Apache-2.0
// Edits of a document's text.
#include "cli/test/mutant_inner.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

static bool is_quoted(const struct conf_node *node)
{
    return node->kind == CONF_SCALAR && (node->style == CONF_SINGLE || node->style == CONF_DOUBLE);
}

uint32_t find_start(const struct conf_node *node)
{
    return node->place.at - (is_quoted(node) ? 1 : 0);
}

uint32_t find_end(const struct conf_node *node)
{
    return node->place.at + node->place.len + (is_quoted(node) ? 1 : 0);
}

struct place find_place(const struct find *find, uint32_t at, uint32_t end)
{
    return (struct place){&find->out->parsed.files[find->file].source, at, end > at ? end - at : 0};
}

struct str find_raw(struct place place)
{
    return str_sub(place.src->text, place.at, place.len);
}

struct str find_shown(struct find *find, struct str text)
{
    enum {
        MOST = 60
    };
    AUTO(buf_fini) struct buf flat = {0};
    AUTO(buf_fini) struct buf shown = {0};
    for (size_t i = 0; i < text.len; i++) {
        bool blank = text.at[i] == '\n' || text.at[i] == '\r' || text.at[i] == ' ';
        if (!blank) {
            buf_byte(&flat, (unsigned char)text.at[i]);
        } else if (flat.len > 0 && flat.at[flat.len - 1] != ' ') {
            buf_byte(&flat, ' ');
        }
    }
    struct str whole = buf_view(&flat);
    size_t len = whole.len <= MOST ? whole.len : MOST;
    while (len < whole.len && ((unsigned char)whole.at[len] & 0xc0) == 0x80) { // no half of a letter
        len--;
    }
    buf_escaped(&shown, str_sub(whole, 0, len));
    buf_str(&shown, len < whole.len ? STR("…") : STR(""));
    return arena_str(find->arena, buf_view(&shown), NULL);
}

static struct mutant *grow(struct find *find)
{
    if (find->out->count == find->cap) {
        size_t cap = find->cap == 0 ? 256 : find->cap * 2;
        struct mutant *list = ARENA_ARRAY(find->arena, struct mutant, cap);
        if (list == NULL) {
            find->err = PDP_ERR_NOMEM;
            return NULL;
        }
        if (find->list != NULL) {
            memcpy(list, find->list, find->out->count * sizeof *list);
        }
        find->list = list;
        find->out->list = list;
        find->cap = cap;
    }
    return &find->list[find->out->count++];
}

__attribute__((format(printf, 6, 0))) static void add(struct find *find, enum mutant_op op,
                                                      struct place place, const struct mutant_edit *edits,
                                                      uint32_t count, const char *fmt, va_list args)
{
    char what[400];
    struct mutant *mutant = grow(find);
    if (mutant == NULL) {
        return;
    }
    vsnprintf(what, sizeof what, fmt, args);
    *mutant = (struct mutant){.op = op,
                              .file = find->file,
                              .edit_count = count,
                              .place = place,
                              .what = arena_str(find->arena, str_of(what), NULL),
                              .owner = find->owner,
                              .rule = find->rule,
                              .printed = find->printed};
    if (place.src == NULL) {
        mutant->place = find_place(find, edits[0].at, edits[0].at + edits[0].len);
    }
    memcpy(mutant->edits, edits, count * sizeof *edits);
    if (count == 2 && edits[1].at < edits[0].at) {
        mutant->edits[0] = edits[1];
        mutant->edits[1] = edits[0];
    }
}

void find_add(struct find *find, enum mutant_op op, struct place place, const struct mutant_edit *edits,
              uint32_t count, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    add(find, op, place, edits, count, fmt, args);
    va_end(args);
}

void find_swap(struct find *find, enum mutant_op op, struct place place, struct str text, const char *fmt,
               ...)
{
    va_list args;
    const struct mutant_edit edit = {place.at, place.len, text};
    va_start(args, fmt);
    add(find, op, place, &edit, 1, fmt, args);
    va_end(args);
}

bool find_left_out(enum find_role role, enum mutant_op *op, struct str *instead)
{
    static const struct {
        enum mutant_op op;
        struct str instead;
    } BY_ROLE[] = {
        [FIND_WHOLE] = {MUTANT_WHOLE, {"true", 4}},
        [FIND_CONJUNCT] = {MUTANT_PART, {"true", 4}},
        [FIND_DISJUNCT] = {MUTANT_ELSE, {"false", 5}},
    };
    if (role > FIND_DISJUNCT) {
        return false;
    }
    *op = BY_ROLE[role].op;
    *instead = BY_ROLE[role].instead;
    return true;
}

void find_scalar(struct find *find, enum mutant_op op, const struct conf_node *node, struct str text,
                 const char *key)
{
    if (node != NULL && node->kind == CONF_SCALAR && text.len > 0) {
        find_swap(find, op, node->place, text, "%s `" STR_FMT "` becomes `" STR_FMT "`", key,
                  STR_ARG(find_shown(find, node->text)), STR_ARG(text));
    }
}

// From where it begins to where the next one does; the last goes from where the one before it ends.
struct mutant_edit find_without_entry(const struct conf_node *map, const char *key)
{
    for (size_t i = 0; i < map->count; i++) {
        if (!str_eq(map->entries[i].key->text, str_of(key))) {
            continue;
        }
        uint32_t from = find_start(map->entries[i].key);
        uint32_t to =
            i + 1 < map->count ? find_start(map->entries[i + 1].key) : find_end(map->entries[i].value);
        from = i + 1 == map->count && i > 0 ? find_end(map->entries[i - 1].value) : from;
        return (struct mutant_edit){.at = from, .len = to - from};
    }
    return (struct mutant_edit){0};
}

struct mutant_edit find_without_item(const struct conf_node *list, size_t item)
{
    bool last = item + 1 == list->count;
    uint32_t from = last && item > 0 ? find_end(list->items[item - 1]) : find_start(list->items[item]);
    uint32_t to = last ? find_end(list->items[item]) : find_start(list->items[item + 1]);
    return (struct mutant_edit){.at = from, .len = to - from};
}

// Bytes from..to of the text, with what the edits put in their place; all edits lie within.
static void apply(struct str text, const struct mutant *mutant, size_t from, size_t to, struct buf *out)
{
    for (uint32_t i = 0; i < mutant->edit_count; i++) {
        const struct mutant_edit *edit = &mutant->edits[i];
        buf_str(out, str_sub(text, from, edit->at - from));
        buf_str(out, edit->text);
        from = edit->at + edit->len;
    }
    buf_str(out, str_sub(text, from, to - from));
}

void mutant_apply(const struct mutants *mutants, const struct mutant *mutant, struct buf *out)
{
    struct str text = mutants->parsed.files[mutant->file].source.text;
    apply(text, mutant, 0, text.len, out);
}

void mutant_lines(const struct mutants *mutants, const struct mutant *mutant, bool after, struct buf *out,
                  uint32_t *line)
{
    const struct source *source = &mutants->parsed.files[mutant->file].source;
    const struct mutant_edit *last = &mutant->edits[mutant->edit_count - 1];
    size_t from = mutant->edits[0].at;
    size_t to = str_find_byte(source->text, '\n', last->at + last->len);
    uint32_t col = 0;
    while (from > 0 && source->text.at[from - 1] != '\n') {
        from--;
    }
    place_line_col((struct place){source, (uint32_t)from, 0}, line, &col);
    if (after) {
        apply(source->text, mutant, from, to, out);
    } else {
        buf_str(out, str_sub(source->text, from, to - from));
    }
}
