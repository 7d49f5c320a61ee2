// SPDX-License-Identifier: Apache-2.0
// From a name to where it is defined, and to all that use it; and the names of one document.
#include "cli/lsp/lsp_token.h"

enum {
    LOOKED_AT = 5000 // places where the word stands, in all files
};

json_t *lsp_definition(struct lsp_ask *ask)
{
    struct lsp_token token;
    lsp_token_at(ask->file, ask->at, ask->arena, &token);
    if (token.kind != LSP_TOKEN_NAMED) {
        return NULL;
    }
    return lsp_location(ask->lsp, token.found.file, token.found.name->at, token.found.name->len);
}

// ---- Who uses it --------------------------------------------------------------------------------

struct using
{
    struct lsp_ask *ask;
    struct lsp_found wanted;
    bool definition; // shown too
    json_t *list;
    size_t looked_at;
};

static bool stands_alone(struct str text, size_t at, size_t len)
{
    bool before = at > 0 && lsp_is_word(text.at[at - 1]);
    bool after = at + len < text.len && lsp_is_word(text.at[at + len]);
    return !before && !after;
}

static void uses_in(struct using *u, struct lsp_file *file)
{
    struct str text = lsp_blob_str(lsp_file_text(file));
    struct str name = u->wanted.name->name;
    size_t next = 0;
    for (size_t at = str_find(text, name, 0); at != SIZE_MAX; at = str_find(text, name, next)) {
        next = at + name.len;
        if (!stands_alone(text, at, name.len) || u->looked_at++ > LOOKED_AT) {
            continue;
        }
        AUTO(arena_fini) struct arena arena;
        struct lsp_token token;
        arena_init(&arena, 0, 0);
        lsp_token_at(file, at, &arena, &token);
        bool same = token.kind == LSP_TOKEN_NAMED && token.found.name == u->wanted.name;
        bool itself = file == u->wanted.file && at == u->wanted.name->at;
        if (same && (u->definition || !itself)) {
            json_array_append_new(u->list, lsp_location(u->ask->lsp, file, token.at, token.len));
        }
    }
}

json_t *lsp_references(struct lsp_ask *ask)
{
    struct lsp_token token;
    lsp_token_at(ask->file, ask->at, ask->arena, &token);
    if (token.kind != LSP_TOKEN_NAMED || token.found.name->name.len == 0) {
        return NULL;
    }
    const json_t *context = json_object_get(ask->params, "context");
    struct using u = {.ask = ask,
                      .wanted = token.found,
                      .definition = json_is_true(json_object_get(context, "includeDeclaration")),
                      .list = json_array()};
    const struct lsp_folder *folder = ask->file->folder;
    for (size_t i = 0; folder != NULL && i < folder->count; i++) {
        uses_in(&u, folder->files[i]);
    }
    if (folder == NULL) {
        uses_in(&u, ask->file);
    }
    return u.list;
}

// ---- The names of one document ------------------------------------------------------------------

static json_t *symbol(const struct lsp_ask *ask, const struct lsp_name *name)
{
    AUTO(buf_fini) struct buf detail = {0};
    lsp_name_detail(name, &detail);
    size_t from = name->at < name->from ? name->at : name->from;
    size_t end = (size_t)name->from + name->all;
    end = end > (size_t)name->at + name->len ? end : (size_t)name->at + name->len;
    return json_pack("{s:o,s:o,s:i,s:o,s:o,s:[]}", "name",
                     name->name.len > 0 ? lsp_json(name->name) : json_string("?"), "detail",
                     lsp_json(buf_view(&detail)), "kind", lsp_name_symbol(name->kind), "range",
                     lsp_range(ask->lsp, ask->text, from, end - from), "selectionRange",
                     lsp_range(ask->lsp, ask->text, name->at, name->len), "children");
}

static bool is_top(const struct lsp_name *name)
{
    return name->node->kind == CONF_MAP && conf_get(name->node, "apiVersion") != NULL;
}

json_t *lsp_symbols(struct lsp_ask *ask)
{
    const struct lsp_index *index = lsp_file_index(ask->file);
    json_t *list = json_array();
    json_t *children = NULL; // of the document that the names belong to
    uint32_t document = UINT32_MAX;
    for (size_t i = 0; index != NULL && i < index->count; i++) {
        const struct lsp_name *name = &index->names[i];
        json_t *one = symbol(ask, name);
        bool below = children != NULL && name->document == document && !is_top(name);
        json_array_append_new(below ? children : list, one);
        if (!below) {
            children = json_object_get(one, "children");
            document = name->document;
        }
    }
    return list;
}
