// SPDX-License-Identifier: Apache-2.0
#include "conf/marks.h"

#include "conf/scan.h"

// One walk: it counts where the lists of `out` are NULL.
struct walk {
    struct str text;
    const struct conf_node **scalars; // in the order of the text
    size_t scalar_count, next;        // next: of the one that is not passed yet
    struct marks *out;
};

static bool is_quoted(const struct conf_node *scalar)
{
    return scalar->style == CONF_SINGLE || scalar->style == CONF_DOUBLE;
}

uint32_t marks_from(const struct conf_node *scalar)
{
    return scalar->place.at - is_quoted(scalar);
}

uint32_t marks_to(const struct conf_node *scalar)
{
    return scalar->place.at + scalar->place.len + is_quoted(scalar);
}

uint32_t marks_line(struct str text, uint32_t at)
{
    uint32_t bom = scan_bom(text);
    while (at > bom && text.at[at - 1] != '\n') {
        at--;
    }
    return at;
}

// ---- Scalars ------------------------------------------------------------------------------------------

static bool is_collection(const struct conf_node *node)
{
    return node->kind == CONF_LIST || node->kind == CONF_MAP;
}

// Depth is bounded by the parser.
static void gather(struct walk *w, const struct conf_node *node)
{
    if (!is_collection(node)) {
        bool there = marks_to(node) > marks_from(node);
        if (there && w->scalars != NULL) {
            w->scalars[w->scalar_count] = node;
        }
        w->scalar_count += there;
        return;
    }
    for (size_t i = 0; i < node->count; i++) {
        if (node->kind == CONF_MAP) {
            gather(w, node->entries[i].key);
            gather(w, node->entries[i].value);
        } else {
            gather(w, node->items[i]);
        }
    }
}

// ---- Marks --------------------------------------------------------------------------------------------

static void put(struct walk *w, enum mark_kind kind, uint32_t at, uint32_t end, const struct conf_node *node)
{
    if (w->out->list != NULL) {
        w->out->list[w->out->count] = (struct mark){kind, at, end, node, MARKS_NONE, MARKS_NONE};
    }
    w->out->count++;
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

static uint32_t word_end(struct str text, uint32_t at)
{
    while (at < text.len && !is_blank(text.at[at])) {
        at++;
    }
    return at;
}

static uint32_t comment_end(struct str text, uint32_t at)
{
    uint32_t end = (uint32_t)str_find_byte(text, '\n', at);
    while (end > at && is_blank(text.at[end - 1])) {
        end--;
    }
    return end;
}

static bool is_separator(struct str text, uint32_t at)
{
    struct str three = str_sub(text, at, 3);
    bool word = at + 3 >= text.len || is_blank(text.at[at + 3]);
    return word && (str_eq(three, STR("---")) || str_eq(three, STR("..."))) && marks_line(text, at) == at;
}

static enum mark_kind kind_of(char c)
{
    static const char SIGNS[] = "-:,[{]}";
    static const enum mark_kind KINDS[] = {MARK_DASH, MARK_COLON, MARK_COMMA, MARK_OPEN,
                                           MARK_OPEN, MARK_CLOSE, MARK_CLOSE};
    for (size_t i = 0; i < COUNT_OF(KINDS); i++) {
        if (c == SIGNS[i]) {
            return KINDS[i];
        }
    }
    return MARK_OTHER;
}

// The mark at a visible byte; returns its end.
static uint32_t next_mark(struct walk *w, uint32_t at)
{
    const struct conf_node *scalar = w->next < w->scalar_count ? w->scalars[w->next] : NULL;
    if (scalar != NULL && marks_from(scalar) == at) {
        w->next++;
        put(w, MARK_SCALAR, at, marks_to(scalar), scalar);
        return marks_to(scalar);
    }
    enum mark_kind kind = w->text.at[at] == '#'       ? MARK_COMMENT
                          : is_separator(w->text, at) ? MARK_DOCUMENT
                                                      : kind_of(w->text.at[at]);
    uint32_t end = kind == MARK_COMMENT    ? comment_end(w->text, at)
                   : kind == MARK_DOCUMENT ? at + 3
                   : kind == MARK_OTHER    ? word_end(w->text, at)
                                           : at + 1;
    put(w, kind, at, end, NULL);
    return end;
}

static void scan(struct walk *w)
{
    w->next = 0;
    for (uint32_t at = scan_bom(w->text); at < w->text.len;) {
        at = is_blank(w->text.at[at]) ? at + 1 : next_mark(w, at);
    }
}

// ---- Collections --------------------------------------------------------------------------------------

// The first mark that does not begin before a byte.
static size_t lower(const struct marks *marks, uint32_t at)
{
    size_t low = 0, high = marks->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (marks->list[middle].at < at) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

static void put_leaf(struct walk *w, uint32_t from, uint32_t to, uint32_t block, bool key, bool flow)
{
    struct marks *out = w->out;
    if (out->leaves != NULL) {
        out->leaves[out->leaf_count] = (struct marks_leaf){from, to, block, key, flow};
        for (size_t i = lower(out, from); i < out->count && out->list[i].at < to; i++) {
            out->list[i].leaf = (uint32_t)out->leaf_count;
        }
    }
    out->leaf_count++;
}

static uint32_t put_block(struct walk *w, const struct conf_node *node, uint32_t parent)
{
    struct marks *out = w->out;
    uint32_t number = (uint32_t)out->block_count;
    if (out->blocks != NULL) {
        uint32_t depth = parent == MARKS_NONE ? 0 : out->blocks[parent].depth + 1;
        uint32_t column = node->place.at - marks_line(w->text, node->place.at);
        uint32_t end = node->place.at + node->place.len;
        out->blocks[number] = (struct marks_block){parent, depth, column};
        for (size_t i = lower(out, node->place.at); i < out->count && out->list[i].at < end; i++) {
            out->list[i].block = number;
        }
    }
    out->block_count++;
    return number;
}

static void nest(struct walk *w, const struct conf_node *node, uint32_t block, bool key)
{
    if (!is_collection(node)) {
        if (marks_to(node) > marks_from(node)) {
            put_leaf(w, marks_from(node), marks_to(node), block, key, false);
        }
        return;
    }
    if (node->style == CONF_FLOW) {
        put_leaf(w, node->place.at, node->place.at + node->place.len, block, key, true);
        return;
    }
    uint32_t own = put_block(w, node, block);
    for (size_t i = 0; i < node->count; i++) {
        if (node->kind == CONF_MAP) {
            nest(w, node->entries[i].key, own, true);
            nest(w, node->entries[i].value, own, false);
        } else {
            nest(w, node->items[i], own, false);
        }
    }
}

// ---- All of it ----------------------------------------------------------------------------------------

static enum pdp_err read_scalars(struct walk *w, const struct conf_doc *docs, size_t count,
                                 struct arena *arena)
{
    for (size_t i = 0; i < count; i++) {
        gather(w, docs[i].root);
    }
    w->scalars = ARENA_ARRAY(arena, const struct conf_node *, w->scalar_count + 1);
    if (w->scalars == NULL) {
        return PDP_ERR_NOMEM;
    }
    w->scalar_count = 0;
    for (size_t i = 0; i < count; i++) {
        gather(w, docs[i].root);
    }
    return PDP_ERR_OK;
}

static void nest_all(struct walk *w, const struct conf_doc *docs, size_t count)
{
    w->out->block_count = w->out->leaf_count = 0;
    for (size_t i = 0; i < count; i++) {
        nest(w, docs[i].root, MARKS_NONE, false);
    }
}

enum pdp_err marks_read(const struct source *source, const struct conf_doc *docs, size_t count,
                        struct arena *arena, struct marks *out)
{
    *out = (struct marks){0};
    struct walk w = {.text = source->text, .out = out};
    TRY(read_scalars(&w, docs, count, arena));
    scan(&w);
    out->list = ARENA_ARRAY(arena, struct mark, out->count + 1);
    if (out->list == NULL) {
        return PDP_ERR_NOMEM;
    }
    out->count = 0;
    scan(&w);
    nest_all(&w, docs, count);
    out->blocks = ARENA_ARRAY(arena, struct marks_block, out->block_count + 1);
    out->leaves = ARENA_ARRAY(arena, struct marks_leaf, out->leaf_count + 1);
    if (out->blocks == NULL || out->leaves == NULL) {
        return PDP_ERR_NOMEM;
    }
    nest_all(&w, docs, count);
    return PDP_ERR_OK;
}
