// SPDX-License-Identifier: Apache-2.0
#include "cli/lsp/lsp_token.h"

#include "engine/attr_words.h"

struct looking {
    struct lsp_file *file;
    struct str text;
    size_t at;
    uint32_t document;
    struct arena *arena;
    struct lsp_where where;
    struct lsp_token *out;
};

// ---- Names that are defined here ----------------------------------------------------------------

// Is the byte in the name of something that this file defines?
static bool defined_here(struct looking *l)
{
    const struct lsp_index *index = lsp_file_index(l->file);
    for (size_t i = 0; index != NULL && i < index->count; i++) {
        const struct lsp_name *name = &index->names[i];
        if (l->at >= name->at && l->at <= (size_t)name->at + name->len) {
            *l->out = (struct lsp_token){.kind = LSP_TOKEN_NAMED,
                                         .at = name->at,
                                         .len = name->len,
                                         .text = name->name,
                                         .found = {l->file, name}};
            return true;
        }
    }
    return false;
}

static bool named(struct looking *l, enum lsp_name_kind kind, struct str name, size_t at, size_t len)
{
    struct lsp_found found = lsp_names_find(l->file, l->document, kind, name);
    if (found.file == NULL) {
        return false;
    }
    *l->out = (struct lsp_token){.kind = LSP_TOKEN_NAMED, .at = at, .len = len, .text = name, .found = found};
    return true;
}

// ---- Expressions --------------------------------------------------------------------------------

static bool function(struct looking *l, struct str chain, struct str word)
{
    size_t count = 0;
    const struct docs_macro *macros = docs_macros(&count);
    enum func_id id = func_find(chain, false);
    id = id == F_NONE ? func_find(word, true) : id;
    id = id == F_NONE ? func_find(word, false) : id;
    l->out->func = id;
    l->out->kind = id >= F_SIZE ? LSP_TOKEN_FUNCTION : LSP_TOKEN_NONE;
    for (size_t i = 0; i < count; i++) {
        struct str name = str_of(macros[i].name);
        if (str_eq(name, chain) || (macros[i].member && str_eq(name, word))) {
            l->out->kind = LSP_TOKEN_MACRO;
            l->out->macro = &macros[i];
        }
    }
    return l->out->kind != LSP_TOKEN_NONE;
}

static bool is_attribute(struct looking *l, struct str chain)
{
    l->out->attr = lsp_attribute(chain);
    if (l->out->attr != NULL) {
        l->out->kind = LSP_TOKEN_ATTRIBUTE;
        return true;
    }
    if (attr_words_root(chain) != NULL) {
        l->out->kind = LSP_TOKEN_ROOT;
        return true;
    }
    return named(l, LSP_ATTRIBUTE, chain, l->out->at, l->out->len);
}

static const struct {
    struct str root;
    enum lsp_name_kind kind;
} FAMILIES[] = {{{"lists.", 6}, LSP_LIST}, {{"vars.", 5}, LSP_VARIABLE}, {{"counters.", 9}, LSP_COUNTER}};

static bool is_family(struct str chain)
{
    for (size_t i = 0; i < COUNT_OF(FAMILIES); i++) {
        if (str_eq(chain, str_sub(FAMILIES[i].root, 0, FAMILIES[i].root.len - 1))) {
            return true;
        }
    }
    return false;
}

static void name_in_expression(struct looking *l)
{
    struct str here = str_sub(l->text, 0, l->where.to);
    struct str chain = lsp_cel_around(str_sub(here, l->where.from, here.len), l->at - l->where.from);
    if (is_family(chain) && chain.at + chain.len < here.at + here.len) { // `vars`: what is behind its dot
        chain = lsp_cel_around(str_sub(here, l->where.from, here.len),
                               (size_t)(chain.at + chain.len - here.at) + 1 - l->where.from);
    }
    size_t from = (size_t)(chain.at - l->text.at);
    size_t dot = chain.len;
    while (dot > 0 && chain.at[dot - 1] != '.') {
        dot--;
    }
    struct str word = str_sub(chain, dot, chain.len);
    if (chain.len == 0) {
        return;
    }
    *l->out = (struct lsp_token){.at = from, .len = chain.len, .text = chain};
    for (size_t i = 0; i < COUNT_OF(FAMILIES); i++) {
        if (str_starts(chain, FAMILIES[i].root)) {
            (void)named(l, FAMILIES[i].kind, str_sub(chain, FAMILIES[i].root.len, chain.len), from,
                        chain.len);
            return;
        }
    }
    bool called = from + chain.len < l->text.len && l->text.at[from + chain.len] == '(';
    if (called && function(l, chain, word)) {
        l->out->at = from + (l->out->kind == LSP_TOKEN_FUNCTION && !FUNCS[l->out->func].member ? 0 : dot);
        l->out->len = from + chain.len - l->out->at;
        return;
    }
    (void)is_attribute(l, chain);
}

static void in_expression(struct looking *l)
{
    struct lsp_cel cel;
    struct str before = str_sub(l->text, l->where.from, l->at - l->where.from);
    lsp_cel_at(lsp_cel_text(before, l->where.style, l->arena), &cel);
    if (cel.at != LSP_CEL_TEXT) {
        name_in_expression(l);
        return;
    }
    size_t from = l->at - (cel.typed.len < l->at ? cel.typed.len : l->at);
    size_t to = l->at;
    while (to < l->where.to && strchr("\"'\\", l->text.at[to]) == NULL) {
        to++;
    }
    if (str_eq(cel.call, STR("strength"))) {
        (void)named(l, LSP_STRENGTH, str_sub(l->text, from, to - from), from, to - from);
    }
}

// ---- Keys and values ----------------------------------------------------------------------------

static void key(struct looking *l, const struct shapes *shapes)
{
    struct lsp_shape shape;
    struct str name = str_sub(l->text, l->where.from, l->where.to - l->where.from);
    size_t colon = str_find_byte(name, ':', 0);
    name = str_sub(name, 0, colon);
    lsp_shape_at(shapes, &l->where, l->where.depth, &shape);
    const struct conf_field *field =
        shape.form == CONF_FORM_MAP && shape.of != NULL ? shape_field(shape.of, name) : NULL;
    if (field != NULL) {
        *l->out = (struct lsp_token){
            .kind = LSP_TOKEN_KEY, .at = l->where.from, .len = name.len, .text = name, .field = field};
    }
}

// The scalar around the cursor: where `to` is only the cursor, up to where a plain one ends.
static struct str scalar(const struct looking *l)
{
    size_t to = l->where.to;
    return str_trim(str_sub(l->text, l->where.from, to - l->where.from));
}

static void value(struct looking *l)
{
    size_t depth = l->where.depth;
    struct str text = scalar(l);
    while (depth > 0 && l->where.path[depth - 1].item) {
        depth--;
    }
    struct str name = depth > 0 ? l->where.path[depth - 1].key : (struct str){NULL, 0};
    for (size_t i = 0; i < lsp_reference_count; i++) {
        const struct lsp_reference *reference = &lsp_reference_keys[i];
        bool test = lsp_where_test(&l->where);
        if (str_eq(name, str_of(reference->key)) && (!reference->tests || test) &&
            named(l, reference->kind, text, l->where.from, text.len)) {
            return;
        }
    }
}

void lsp_token_at(struct lsp_file *file, size_t at, struct arena *arena, struct lsp_token *out)
{
    struct shapes shapes;
    struct lsp_shape shape;
    struct looking l = {.file = file,
                        .text = lsp_blob_str(lsp_file_text(file)),
                        .at = at,
                        .document = lsp_document_at(file, at),
                        .arena = arena,
                        .out = out};
    *out = (struct lsp_token){0};
    if (defined_here(&l) || shapes_all(arena, &shapes) != PDP_ERR_OK) {
        return;
    }
    lsp_where(l.text, at, arena, &l.where);
    lsp_shape_at(&shapes, &l.where, l.where.depth, &shape);
    bool counts = str_eq(l.where.kind, STR("Counter")) && lsp_where_is(&l.where, "key/-");
    if (l.where.value && (lsp_shape_expr(&shape, &l.where) || counts)) {
        in_expression(&l);
    } else if (l.where.value) {
        value(&l);
    }
    if (l.where.key && out->kind == LSP_TOKEN_NONE) {
        key(&l, &shapes);
    }
}
