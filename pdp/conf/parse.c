// SPDX-License-Identifier: Apache-2.0
// libyaml's events to located nodes.
#include "conf/conf.h"

#include <stdlib.h>
#include <yaml.h>

#include "conf/explain.h"
#include "conf/scan.h"

struct parse {
    yaml_parser_t yaml;
    const struct source *source;
    struct arena *arena;
    struct diags *diags;
    struct scan_cursor cursor;
    uint32_t nodes;
    uint32_t bom, tab;  // bytes; the next tab that indents a line
    enum pdp_err first; // the first mistake of the source
    struct place quote; // the last text in quotes that goes over lines, quotes included; src NULL: none yet
    bool bad;           // the document that is read has a mistake; reading goes on to find the others
    const struct conf_node **stack; // children whose parent is not complete
    size_t stacked, stack_cap;
};

static void note(struct parse *p, enum pdp_err err)
{
    p->first = p->first == PDP_ERR_OK ? err : p->first;
    p->bad = true;
}

static uint32_t byte_of(struct parse *p, yaml_mark_t mark)
{
    return p->bom + scan_byte_of(&p->cursor, mark.index);
}

static struct place place_of(struct parse *p, const yaml_event_t *event)
{
    uint32_t from = byte_of(p, event->start_mark);
    uint32_t to = byte_of(p, event->end_mark);
    return (struct place){p->source, from, to > from ? to - from : 0};
}

// A tab in front of a line is an error but inside a literal or folded scalar, where it is text.
static enum pdp_err check_tab(struct parse *p, struct place place, bool block_scalar)
{
    uint32_t end = place.at + place.len;
    if (p->tab >= end) {
        return PDP_ERR_OK;
    }
    if (block_scalar && p->tab >= place.at) {
        p->tab = scan_tab_indent(p->source->text, end);
        return PDP_ERR_OK;
    }
    return explain_tab(p->diags, (struct place){p->source, p->tab, 1});
}

// ---- Properties that no node may have -------------------------------------------------------------

static struct str c_str(const yaml_char_t *text)
{
    return str_of((const char *)text);
}

static void check_anchor(struct parse *p, struct place place, const yaml_char_t *anchor)
{
    if (anchor == NULL) {
        return;
    }
    struct str name = c_str(anchor);
    place.len = (uint32_t)name.len + 1;
    note(p, explain_anchor(p->diags, place, name));
}

static void check_tag(struct parse *p, struct place place, const yaml_char_t *tag)
{
    if (tag != NULL) {
        note(p, explain_tag(p->diags, place));
    }
}

// ---- Nodes ------------------------------------------------------------------------------------------

static enum pdp_err push(struct parse *p, const struct conf_node *node)
{
    if (p->stacked == p->stack_cap) {
        size_t cap = p->stack_cap == 0 ? 256 : p->stack_cap * 2;
        const struct conf_node **grown = realloc(p->stack, cap * sizeof(*grown));
        if (grown == NULL) {
            return PDP_ERR_NOMEM;
        }
        p->stack = grown;
        p->stack_cap = cap;
    }
    p->stack[p->stacked++] = node;
    return PDP_ERR_OK;
}

static enum pdp_err node_new(struct parse *p, enum conf_kind kind, struct place place, struct conf_node **out)
{
    *out = NULL;
    if (p->nodes++ >= CONF_NODES_MAX) {
        return diag_error(p->diags, PDP_ERR_LIMIT, place, "the file holds more than %u values",
                          CONF_NODES_MAX);
    }
    *out = ARENA_NEW(p->arena, struct conf_node);
    if (*out == NULL) {
        return PDP_ERR_NOMEM;
    }
    (*out)->kind = kind;
    (*out)->place = place;
    return PDP_ERR_OK;
}

static bool is_null(struct str text)
{
    return text.len == 0 || str_eq(text, STR("~")) || str_eq(text, STR("null"));
}

static enum conf_style style_of(yaml_scalar_style_t style)
{
    switch (style) {
    case YAML_SINGLE_QUOTED_SCALAR_STYLE:
        return CONF_SINGLE;
    case YAML_DOUBLE_QUOTED_SCALAR_STYLE:
        return CONF_DOUBLE;
    case YAML_LITERAL_SCALAR_STYLE:
        return CONF_LITERAL;
    case YAML_FOLDED_SCALAR_STYLE:
        return CONF_FOLDED;
    case YAML_ANY_SCALAR_STYLE:
    case YAML_PLAIN_SCALAR_STYLE:
        break;
    }
    return CONF_PLAIN;
}

// Without the line breaks and blanks at the end.
static size_t trimmed_len(struct str s)
{
    while (s.len > 0 && (unsigned char)s.at[s.len - 1] <= ' ') {
        s.len--;
    }
    return s.len;
}

static enum pdp_err scalar(struct parse *p, const yaml_event_t *event)
{
    struct place place = place_of(p, event);
    enum conf_style style = style_of(event->data.scalar.style);
    bool block = style == CONF_LITERAL || style == CONF_FOLDED;
    TRY(check_tab(p, place, block));
    check_anchor(p, place, event->data.scalar.anchor);
    check_tag(p, place, event->data.scalar.tag);

    struct str text = {(const char *)event->data.scalar.value, event->data.scalar.length};
    if ((style == CONF_SINGLE || style == CONF_DOUBLE) && place.len >= 2) {
        bool over = str_find_byte(str_sub(p->source->text, place.at, place.len), '\n', 0) < place.len;
        p->quote = over ? place : p->quote;
        place.at++;
        place.len -= 2;
    }
    if (block) {
        place.len = (uint32_t)trimmed_len(str_sub(p->source->text, place.at, place.len));
    }
    struct conf_node *node = NULL;
    bool null = style == CONF_PLAIN && is_null(text);
    TRY(node_new(p, null ? CONF_NULL : CONF_SCALAR, place, &node));
    bool ok = true;
    node->style = style;
    node->quoted = style != CONF_PLAIN;
    node->text = arena_str(p->arena, text, &ok);
    if (!ok) {
        return PDP_ERR_NOMEM;
    }
    return push(p, node);
}

// The last byte of a node, with the quote that place leaves out.
static uint32_t end_of(const struct conf_node *node)
{
    return node->place.at + node->place.len + (node->style == CONF_SINGLE || node->style == CONF_DOUBLE);
}

// Block collections end, for libyaml, where the next thing begins; for a reader with their last child.
static void close_place(struct conf_node *node, const struct conf_node *last, uint32_t end)
{
    if (node->style == CONF_BLOCK && last != NULL) {
        end = end_of(last);
    }
    node->place.len = end > node->place.at ? end - node->place.at : 0;
}

static enum pdp_err close_list(struct parse *p, struct conf_node *node, size_t base, uint32_t end)
{
    size_t count = p->stacked - base;
    const struct conf_node **items = ARENA_ARRAY(p->arena, const struct conf_node *, count + (count == 0));
    if (items == NULL) {
        return PDP_ERR_NOMEM;
    }
    for (size_t i = 0; i < count; i++) {
        items[i] = p->stack[base + i];
    }
    node->items = items;
    node->count = count;
    close_place(node, count > 0 ? items[count - 1] : NULL, end);
    p->stacked = base;
    return PDP_ERR_OK;
}

// ---- Keys -------------------------------------------------------------------------------------------

static int by_text_then_place(const void *a, const void *b)
{
    const struct conf_node *left = *(const struct conf_node *const *)a;
    const struct conf_node *right = *(const struct conf_node *const *)b;
    int order = str_cmp(left->text, right->text);
    return order != 0 ? order : (left->place.at > right->place.at) - (left->place.at < right->place.at);
}

static enum pdp_err check_duplicates(struct parse *p, const struct conf_node *node)
{
    const struct conf_node **keys = ARENA_ARRAY(p->arena, const struct conf_node *, node->count + 1);
    if (keys == NULL) {
        return PDP_ERR_NOMEM;
    }
    for (size_t i = 0; i < node->count; i++) {
        keys[i] = node->entries[i].key;
    }
    qsort(keys, node->count, sizeof(*keys), by_text_then_place);
    const struct conf_node *first = node->count > 0 ? keys[0] : NULL;
    for (size_t i = 1; i < node->count; i++) {
        if (keys[i]->kind == CONF_SCALAR && str_eq(keys[i]->text, first->text)) {
            note(p, explain_duplicate(p->diags, keys[i], first->place));
        } else {
            first = keys[i];
        }
    }
    return PDP_ERR_OK;
}

static void check_key(struct parse *p, const struct conf_node *key)
{
    if (key->kind == CONF_NULL) {
        note(p, diag_error(p->diags, PDP_ERR_TYPE, key->place, "a key is empty"));
    } else if (key->kind != CONF_SCALAR) {
        note(p,
             diag_error(p->diags, PDP_ERR_TYPE, key->place, "a key must be text, not a list or a mapping"));
        if (key->style == CONF_FLOW) {
            diag_hint(p->diags, "text that starts with `[` or `{` must be in quotes");
        }
    } else if (!key->quoted && str_eq(key->text, STR("<<"))) {
        note(p, explain_merge(p->diags, key->place));
    }
}

static enum pdp_err close_map(struct parse *p, struct conf_node *node, size_t base, uint32_t end)
{
    size_t count = (p->stacked - base) / 2;
    struct conf_entry *entries = ARENA_ARRAY(p->arena, struct conf_entry, count + (count == 0));
    if (entries == NULL) {
        return PDP_ERR_NOMEM;
    }
    for (size_t i = 0; i < count; i++) {
        entries[i] = (struct conf_entry){p->stack[base + 2 * i], p->stack[base + 2 * i + 1]};
        check_key(p, entries[i].key);
    }
    node->entries = entries;
    node->count = count;
    close_place(node, count > 0 ? entries[count - 1].value : NULL, end);
    p->stacked = base;
    return check_duplicates(p, node);
}

// ---- Events -----------------------------------------------------------------------------------------

static enum pdp_err next_event(struct parse *p, yaml_event_t *event)
{
    if (yaml_parser_parse(&p->yaml, event) != 0) {
        return PDP_ERR_OK;
    }
    if (p->yaml.error == YAML_MEMORY_ERROR) {
        return PDP_ERR_NOMEM;
    }
    struct explain_problem problem = {
        .text = str_of(p->yaml.problem),
        .at = {p->source, byte_of(p, p->yaml.problem_mark), 1},
        .doing = str_of(p->yaml.context),
        .since = {p->source, byte_of(p, p->yaml.context_mark), 1},
        .quote = p->quote,
    };
    uint32_t len = (uint32_t)p->source->text.len;
    bool here = problem.at.at < len && p->source->text.at[problem.at.at] == '\t';
    if (here || (p->tab <= problem.at.at && p->tab < len)) {
        return explain_tab(p->diags, here ? problem.at : (struct place){p->source, p->tab, 1});
    }
    return explain_syntax(p->diags, &problem);
}

static enum pdp_err node_of(struct parse *p, const yaml_event_t *event, unsigned depth);

// Reads a collection's children up to its end event.
static enum pdp_err children(struct parse *p, struct conf_node *node, unsigned depth)
{
    size_t base = p->stacked;
    for (;;) {
        yaml_event_t event;
        TRY(next_event(p, &event));
        bool ends = event.type == YAML_SEQUENCE_END_EVENT || event.type == YAML_MAPPING_END_EVENT;
        enum pdp_err err = ends ? PDP_ERR_OK : node_of(p, &event, depth);
        uint32_t end = ends ? byte_of(p, event.end_mark) : 0;
        yaml_event_delete(&event);
        TRY(err);
        if (ends) {
            return node->kind == CONF_MAP ? close_map(p, node, base, end) : close_list(p, node, base, end);
        }
    }
}

static enum pdp_err collection(struct parse *p, const yaml_event_t *event, unsigned depth)
{
    struct place place = place_of(p, event);
    bool map = event->type == YAML_MAPPING_START_EVENT;
    bool flow = map ? event->data.mapping_start.style == YAML_FLOW_MAPPING_STYLE
                    : event->data.sequence_start.style == YAML_FLOW_SEQUENCE_STYLE;
    if (depth >= CONF_DEPTH_MAX) {
        place.len = 1;
        return diag_error(p->diags, PDP_ERR_DEPTH, place, "nested more than %d levels deep", CONF_DEPTH_MAX);
    }
    TRY(check_tab(p, (struct place){p->source, place.at, flow}, false));
    check_anchor(p, place, map ? event->data.mapping_start.anchor : event->data.sequence_start.anchor);
    check_tag(p, place, map ? event->data.mapping_start.tag : event->data.sequence_start.tag);

    struct conf_node *node = NULL;
    TRY(node_new(p, map ? CONF_MAP : CONF_LIST, place, &node));
    node->style = flow ? CONF_FLOW : CONF_BLOCK;
    TRY(children(p, node, depth + 1));
    return push(p, node);
}

static enum pdp_err alias(struct parse *p, const yaml_event_t *event)
{
    struct place place = place_of(p, event);
    note(p, explain_alias(p->diags, place, c_str(event->data.alias.anchor)));
    struct conf_node *node = NULL;
    TRY(node_new(p, CONF_NULL, place, &node));
    return push(p, node);
}

static enum pdp_err node_of(struct parse *p, const yaml_event_t *event, unsigned depth)
{
    switch (event->type) {
    case YAML_ALIAS_EVENT:
        return alias(p, event);
    case YAML_SCALAR_EVENT:
        return scalar(p, event);
    case YAML_SEQUENCE_START_EVENT:
    case YAML_MAPPING_START_EVENT:
        return collection(p, event, depth);
    default: // libyaml gives no other where a value stands
        return PDP_ERR_SYNTAX;
    }
}

// ---- Documents ----------------------------------------------------------------------------------------

struct found {
    struct conf_doc *list;
    size_t count, cap;
};

static enum pdp_err keep(struct parse *p, struct found *found, const struct conf_node *root)
{
    if (p->bad || root->kind == CONF_NULL) {
        return PDP_ERR_OK;
    }
    if (found->count == found->cap) {
        size_t cap = found->cap == 0 ? 8 : found->cap * 2;
        struct conf_doc *grown = ARENA_ARRAY(p->arena, struct conf_doc, cap);
        if (grown == NULL) {
            return PDP_ERR_NOMEM;
        }
        for (size_t i = 0; i < found->count; i++) {
            grown[i] = found->list[i];
        }
        found->list = grown;
        found->cap = cap;
    }
    found->list[found->count++] = (struct conf_doc){p->source, root};
    return PDP_ERR_OK;
}

static void check_directives(struct parse *p, const yaml_event_t *event)
{
    if (event->data.document_start.version_directive != NULL ||
        event->data.document_start.tag_directives.start != event->data.document_start.tag_directives.end) {
        struct place place = place_of(p, event);
        place.len = place.len < 4 ? place.len : 4;
        note(p, diag_error(p->diags, PDP_ERR_UNSUPPORTED, place, "YAML directives are not supported"));
        diag_hint(p->diags, "remove the line that starts with `%%`");
    }
}

static enum pdp_err document(struct parse *p, const yaml_event_t *event, struct found *found)
{
    if (event->type != YAML_DOCUMENT_START_EVENT) {
        return PDP_ERR_OK;
    }
    p->bad = false;
    p->stacked = 0;
    check_directives(p, event);
    yaml_event_t root;
    TRY(next_event(p, &root));
    enum pdp_err err = node_of(p, &root, 0);
    yaml_event_delete(&root);
    TRY(err);
    return keep(p, found, p->stack[0]);
}

static enum pdp_err documents(struct parse *p, struct found *found)
{
    for (bool more = true; more;) {
        yaml_event_t event;
        TRY(next_event(p, &event));
        more = event.type != YAML_STREAM_END_EVENT;
        enum pdp_err err = document(p, &event, found);
        yaml_event_delete(&event);
        TRY(err);
    }
    return check_tab(p, (struct place){p->source, (uint32_t)p->source->text.len, 0}, false);
}

static void parse_fini(struct parse *p)
{
    yaml_parser_delete(&p->yaml);
    free(p->stack);
}

enum pdp_err conf_parse(const struct source *source, struct arena *arena, struct diags *diags,
                        struct conf_doc **docs, size_t *count)
{
    *docs = NULL;
    *count = 0;
    TRY(scan_source(source, diags));
    AUTO(parse_fini) struct parse p = {.source = source, .arena = arena, .diags = diags};
    if (yaml_parser_initialize(&p.yaml) == 0) {
        return PDP_ERR_NOMEM;
    }
    p.bom = scan_bom(source->text);
    p.tab = scan_tab_indent(source->text, p.bom);
    p.cursor.text = str_sub(source->text, p.bom, SIZE_MAX);
    yaml_parser_set_encoding(&p.yaml, YAML_UTF8_ENCODING);
    const char *bytes = p.cursor.text.len > 0 ? p.cursor.text.at : ""; // it takes no NULL
    yaml_parser_set_input_string(&p.yaml, (const unsigned char *)bytes, p.cursor.text.len);

    struct found found = {0};
    enum pdp_err err = documents(&p, &found);
    *docs = found.list;
    *count = found.count;
    return p.first != PDP_ERR_OK ? p.first : err;
}

const struct conf_node *conf_get(const struct conf_node *map, const char *key)
{
    if (map == NULL || map->kind != CONF_MAP) {
        return NULL;
    }
    struct str wanted = str_of(key);
    for (size_t i = 0; i < map->count; i++) {
        if (str_eq(map->entries[i].key->text, wanted)) {
            return map->entries[i].value;
        }
    }
    return NULL;
}
