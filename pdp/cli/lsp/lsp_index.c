// SPDX-License-Identifier: Apache-2.0
#include "cli/lsp/lsp_index.h"

#include <stdlib.h>

enum {
    REPAIRS_MAX = 6 // lines that are left out before we give up
};

static const struct {
    const char *word;
    int symbol;
} KINDS[] = {
#define X(name, text, number) {text, number},
    LSP_NAME_LIST(X)
#undef X
};

const char *lsp_name_word(enum lsp_name_kind kind)
{
    return KINDS[kind].word;
}

int lsp_name_symbol(enum lsp_name_kind kind)
{
    return KINDS[kind].symbol;
}

struct str lsp_text_of(const struct conf_node *map, const char *key)
{
    const struct conf_node *node = conf_get(map, key);
    return node != NULL && node->kind == CONF_SCALAR ? node->text : (struct str){NULL, 0};
}

// ---- Parsing what is broken ---------------------------------------------------------------------

// Blanks out the line that the first mistake stands on; false where there is none to blank.
static bool repair(char *text, size_t len, const struct diags *diags)
{
    for (size_t i = 0; i < diags->count; i++) {
        const struct place *place = &diags->list[i].place;
        size_t at = place->src != NULL && place->at < len ? place->at : len;
        if (place->src == NULL) {
            continue;
        }
        while (at > 0 && (at == len || text[at] == '\n' || text[at] == ' ')) {
            at--; // the end of a text is told where its last line stands
        }
        while (at > 0 && text[at - 1] != '\n') {
            at--;
        }
        bool changed = false;
        for (; at < len && text[at] != '\n'; at++) {
            changed = changed || text[at] != ' ';
            text[at] = ' ';
        }
        if (changed) {
            return true;
        }
    }
    return false;
}

static void parse(struct lsp_index *index)
{
    struct str text = lsp_blob_str(index->text);
    char *copy = arena_alloc(&index->arena, text.len + 1, 1);
    if (copy == NULL) {
        return;
    }
    memcpy(copy, text.len > 0 ? text.at : "", text.len);
    index->source = (struct source){STR("text"), {copy, text.len}};
    for (int round = 0; round < REPAIRS_MAX; round++) {
        struct diags diags;
        diags_init(&diags, 4);
        enum pdp_err err = conf_parse(&index->source, &index->arena, &diags, &index->docs, &index->doc_count);
        bool again = err != PDP_ERR_OK && repair(copy, text.len, &diags);
        diags_fini(&diags);
        if (!again) {
            break;
        }
    }
}

void lsp_parsed_new(struct lsp_blob *text, struct str name, struct lsp_parsed **out)
{
    AUTO(lsp_parsed_drop) struct lsp_parsed *parsed = calloc(1, sizeof *parsed);
    AUTO(diags_fini) struct diags diags;
    *out = NULL;
    diags_init(&diags, 0);
    if (parsed == NULL) {
        return;
    }
    atomic_init(&parsed->uses, 1);
    arena_init(&parsed->arena, 16 * 1024, 0);
    parsed->text = lsp_blob_hold(text);
    parsed->source = (struct source){arena_str(&parsed->arena, name, NULL), lsp_blob_str(text)};
    enum pdp_err err = conf_parse(&parsed->source, &parsed->arena, &diags, &parsed->docs, &parsed->doc_count);
    if (err == PDP_ERR_OK && diags.errors == 0 && diags.warnings == 0 && parsed->doc_count > 0) {
        *out = STEAL(parsed);
    }
}

struct lsp_parsed *lsp_parsed_hold(struct lsp_parsed *parsed)
{
    if (parsed != NULL) {
        atomic_fetch_add(&parsed->uses, 1);
    }
    return parsed;
}

void lsp_parsed_drop(struct lsp_parsed **parsed_ptr)
{
    struct lsp_parsed *parsed = STEAL(*parsed_ptr);
    if (parsed != NULL && atomic_fetch_sub(&parsed->uses, 1) == 1) {
        lsp_blob_drop(&parsed->text);
        arena_fini(&parsed->arena);
        free(parsed);
    }
}

// ---- Names --------------------------------------------------------------------------------------

struct naming {
    struct lsp_index *index;
    uint32_t document;
    struct str owner;
};

static void add(const struct naming *n, enum lsp_name_kind kind, const struct conf_node *name,
                const struct conf_node *whole)
{
    struct lsp_index *index = n->index;
    if (name == NULL || name->kind != CONF_SCALAR) {
        return;
    }
    if (index->count == index->cap) {
        size_t cap = index->cap == 0 ? 64 : index->cap * 2;
        struct lsp_name *grown = realloc(index->names, cap * sizeof *grown);
        if (grown == NULL) {
            return;
        }
        index->names = grown;
        index->cap = cap;
    }
    bool before = name->place.at < whole->place.at; // a key stands in front of its value
    uint32_t from = before ? name->place.at : whole->place.at;
    uint32_t end = whole->place.at + whole->place.len;
    index->names[index->count++] = (struct lsp_name){
        .kind = kind,
        .name = name->text,
        .owner = n->owner,
        .document = n->document,
        .at = name->place.at,
        .len = name->place.len,
        .from = from,
        .all = end > from ? end - from : name->place.len,
        .node = whole,
    };
}

static void add_keys(const struct naming *n, enum lsp_name_kind kind, const struct conf_node *map)
{
    for (size_t i = 0; map != NULL && map->kind == CONF_MAP && i < map->count; i++) {
        add(n, kind, map->entries[i].key, map->entries[i].value);
    }
}

static void add_items(const struct naming *n, enum lsp_name_kind kind, const struct conf_node *list,
                      const char *key)
{
    for (size_t i = 0; list != NULL && list->kind == CONF_LIST && i < list->count; i++) {
        add(n, kind, conf_get(list->items[i], key), list->items[i]);
    }
}

static void policy(const struct naming *n, const struct conf_node *root)
{
    add_keys(n, LSP_VARIABLE, conf_get(root, "variables"));
    add_items(n, LSP_RULE, conf_get(root, "rules"), "id");
}

static void definitions(const struct naming *shared, const struct conf_node *root)
{
    struct naming n = *shared;
    n.owner = (struct str){NULL, 0}; // everybody's
    add_keys(&n, LSP_VARIABLE, conf_get(root, "variables"));
    add_keys(&n, LSP_ROLE, conf_get(root, "roles"));
}

static void strengths(const struct naming *n, const struct conf_node *root)
{
    add_items(n, LSP_STRENGTH, conf_get(root, "levels"), "name");
}

static void schema(const struct naming *n, const struct conf_node *root)
{
    add_keys(n, LSP_ATTRIBUTE, conf_get(root, "attributes"));
}

static void test(const struct naming *n, const struct conf_node *root)
{
    add_keys(n, LSP_FIXTURE, conf_get(root, "given"));
    add_items(n, LSP_CASE, conf_get(root, "cases"), "name");
    add_items(n, LSP_CASE, conf_get(root, "matrix"), "name");
    add_items(n, LSP_STEP, conf_get(root, "steps"), "name");
}

static const struct {
    const char *kind;
    enum lsp_name_kind named;
    void (*below)(const struct naming *n, const struct conf_node *root);
} DOCUMENTS[] = {
    {"Policy", LSP_POLICY, policy},
    {"Definitions", LSP_DOCUMENT, definitions},
    {"Strengths", LSP_DOCUMENT, strengths},
    {"Schema", LSP_DOCUMENT, schema},
    {"List", LSP_LIST, NULL},
    {"Counter", LSP_COUNTER, NULL},
    {"Exception", LSP_EXCEPTION, NULL},
    {"Test", LSP_TEST, test},
    {"Scenario", LSP_SCENARIO, test},
    {"Given", LSP_DOCUMENT, NULL},
};

static void document(struct lsp_index *index, uint32_t number)
{
    const struct conf_node *root = index->docs[number].root;
    const struct conf_node *name = conf_get(conf_get(root, "metadata"), "name");
    struct naming n = {index, number, lsp_text_of(conf_get(root, "metadata"), "name")};
    struct naming alone = {index, number, {NULL, 0}};
    struct str kind = lsp_text_of(root, "kind");
    for (size_t i = 0; i < COUNT_OF(DOCUMENTS); i++) {
        if (str_eq(kind, str_of(DOCUMENTS[i].kind))) {
            add(&alone, DOCUMENTS[i].named, name, root);
            if (DOCUMENTS[i].below != NULL) {
                DOCUMENTS[i].below(&n, root);
            }
            return;
        }
    }
    add(&alone, LSP_DOCUMENT, name, root);
}

struct lsp_index *lsp_index_new(struct lsp_blob *text, struct lsp_parsed *parsed)
{
    struct lsp_index *index = calloc(1, sizeof *index);
    if (index == NULL) {
        return NULL;
    }
    arena_init(&index->arena, 16 * 1024, 0);
    index->text = lsp_blob_hold(text);
    if (parsed != NULL && parsed->text == text) {
        index->parsed = lsp_parsed_hold(parsed);
        index->docs = parsed->docs;
        index->doc_count = parsed->doc_count;
    } else {
        parse(index);
    }
    for (uint32_t i = 0; i < index->doc_count; i++) {
        document(index, i);
    }
    return index;
}

void lsp_index_free(struct lsp_index **index_ptr)
{
    struct lsp_index *index = STEAL(*index_ptr);
    if (index != NULL) {
        free(index->names);
        lsp_blob_drop(&index->text);
        lsp_parsed_drop(&index->parsed);
        arena_fini(&index->arena);
        free(index);
    }
}
