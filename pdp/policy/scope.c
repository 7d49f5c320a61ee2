// SPDX-License-Identifier: Apache-2.0
// Scope documents: what holds for every document of a folder and of those below it.
#include "policy/build.h"
#include "policy/shapes.h"

#include <stdlib.h>

struct document {
    struct build_head head;
    const struct conf_node *target;
    struct conf_texts effects, tenants;
};

static const char *const EFFECT_NAMES[] = {
#define X(name, text, rank) text,
    PDP_EFFECT_LIST(X)
#undef X
        NULL};

static const struct conf_field DOCUMENT[] = {
    BUILD_HEAD_FIELDS,
    {"target", CONF_ANY, false, offsetof(struct document, target), NULL, 0, 0,
     "what all below are about besides their own target"},
    {"effects", CONF_TEXTS, false, offsetof(struct document, effects), EFFECT_NAMES, 0, 0,
     "that rules below may have; all where it is left out"},
    {"tenants", CONF_TEXTS, false, offsetof(struct document, tenants), NULL, 0, 0,
     "that all below are about; all where it is left out"},
};

static const struct conf_nest SHAPE_SCOPE_NESTS[] = {
    {"metadata", CONF_FORM_MAP, &SHAPE_METADATA},
    {"target", CONF_FORM_WHEN, NULL},
    {"effects", CONF_FORM_CHOICES, NULL},
};
static const struct conf_tie SHAPE_SCOPE_TIES[] = {{CONF_BOND_FILL, {"effects", "tenants"}}};
const struct conf_shape SHAPE_SCOPE = {"Scope",
                                       DOCUMENT,
                                       COUNT_OF(DOCUMENT),
                                       SHAPE_SCOPE_NESTS,
                                       COUNT_OF(SHAPE_SCOPE_NESTS),
                                       SHAPE_SCOPE_TIES,
                                       COUNT_OF(SHAPE_SCOPE_TIES)};

static const struct str EFFECTS[] = {
#define X(name, text, rank) {text, sizeof(text) - 1},
    PDP_EFFECT_LIST(X)
#undef X
};

// What there is once for everybody.
static const char *const GLOBAL[] = {"Strengths", "RiskModel", "Schema", "Definitions", "Entities"};

// ---- Folders ----------------------------------------------------------------------------------------

// The folder of a file, with the slash at its end; empty where its name has none.
static struct str folder_of(struct str file)
{
    while (file.len > 0 && file.at[file.len - 1] != '/') {
        file.len--;
    }
    return file;
}

// The folder that all documents share.
static struct str top_folder(const struct conf_doc *docs, size_t count)
{
    struct str top = count > 0 ? folder_of(docs[0].source->name) : (struct str){"", 0};
    for (size_t i = 1; i < count; i++) {
        while (!str_starts(docs[i].source->name, top)) {
            top.len--;
            top = folder_of(top);
        }
    }
    return top;
}

static uint32_t innermost(const struct policy_set *set, struct str folder)
{
    while (set->scope_count > 0) {
        const uint32_t *scope = table_get(&set->scope_folders, folder);
        if (scope != NULL || folder.len == 0) {
            return scope != NULL ? *scope : SET_NO_SCOPE;
        }
        folder.len--;
        folder = folder_of(folder);
    }
    return SET_NO_SCOPE;
}

uint32_t scope_of(const struct build *build, const struct conf_doc *doc)
{
    return innermost(build->set, folder_of(doc->source->name));
}

bool scope_holds(const struct policy_set *set, uint32_t scope, uint32_t inner)
{
    while (inner != SET_NO_SCOPE && inner != scope) {
        inner = set->scopes[inner].parent;
    }
    return inner == scope;
}

// ---- Which scopes there are -------------------------------------------------------------------------

static struct str kind_of(const struct conf_doc *doc)
{
    const struct conf_node *kind = conf_get(doc->root, "kind");
    return kind != NULL && kind->kind == CONF_SCALAR ? kind->text : (struct str){"", 0};
}

void scope_hint(const struct build *build, uint32_t scope, const char *what)
{
    const struct conf_doc *doc = build->scope_docs[scope];
    uint32_t line = 0, col = 0;
    place_line_col(doc->root->place, &line, &col);
    diag_hint(build->diags, "%sthe Scope is at " STR_FMT ":%u", what, STR_ARG(doc->source->name), line);
}

static int by_folder(const void *a, const void *b)
{
    const struct conf_doc *one = *(const struct conf_doc *const *)a,
                          *two = *(const struct conf_doc *const *)b;
    int order = str_cmp(folder_of(one->source->name), folder_of(two->source->name));
    order = order != 0 ? order : str_cmp(one->source->name, two->source->name);
    return order != 0 ? order : (one > two) - (one < two);
}

// A folder sorts before those below it, so each finds the one that it stands in.
static void add_scope(struct build *build, const struct conf_doc *doc)
{
    struct policy_set *set = build->set;
    uint32_t number = set->scope_count, old = 0;
    struct str folder = build_copy(build, folder_of(doc->source->name));
    uint32_t parent = innermost(set, folder);
    if (!table_put(&set->scope_folders, folder, number, &old)) {
        const struct conf_node *kind = conf_get(doc->root, "kind");
        build_fail(build, PDP_ERR_DUPLICATE, kind->place, NULL, "another Scope is about this folder");
        scope_hint(build, old, "");
        return;
    }
    build->scope_docs[number] = doc;
    set->scopes[set->scope_count++] = (struct set_scope){.name = build_copy(build, build_doc_name(doc)),
                                                         .folder = folder,
                                                         .parent = parent,
                                                         .own = SET_NO_EXPR,
                                                         .whole = SET_NO_EXPR,
                                                         .effects = UINT32_MAX};
}

static bool is_global(const struct conf_doc *doc)
{
    for (size_t i = 0; i < COUNT_OF(GLOBAL); i++) {
        if (str_eq(kind_of(doc), str_of(GLOBAL[i]))) {
            return true;
        }
    }
    return false;
}

// A team must not change what holds for others. A scope of the top folder leaves no others.
static void refuse_global(struct build *build, const struct conf_doc *doc, size_t top_len)
{
    uint32_t scope = scope_of(build, doc);
    if (!is_global(doc) || scope == SET_NO_SCOPE || build->set->scopes[scope].folder.len == top_len) {
        return;
    }
    build_fail(build, PDP_ERR_REFUSED, conf_get(doc->root, "kind")->place, NULL,
               "a %.*s document holds for everybody, and cannot be below the Scope `" STR_FMT "`",
               STR_ARG(kind_of(doc)), STR_ARG(build->set->scopes[scope].name));
    scope_hint(build, scope, "move it to a folder above; ");
}

enum pdp_err scopes_reserve(struct build *build, const struct conf_doc *docs, size_t count)
{
    struct policy_set *set = build->set;
    size_t scopes = 0;
    for (size_t i = 0; i < count; i++) {
        scopes += str_eq(kind_of(&docs[i]), STR("Scope")) ? 1 : 0;
    }
    if (scopes == 0) {
        return PDP_ERR_OK;
    }
    const struct conf_doc **order = build_array(build, scopes, sizeof(*order));
    set->scopes = build_array(build, scopes, sizeof(*set->scopes));
    build->scope_docs = build_array(build, scopes, sizeof(*build->scope_docs));
    TRY(table_init(&set->scope_folders, scopes, set->seed, build->arena));
    if (order == NULL || set->scopes == NULL || build->scope_docs == NULL) {
        return PDP_ERR_NOMEM;
    }
    size_t found = 0;
    for (size_t i = 0; i < count; i++) {
        if (str_eq(kind_of(&docs[i]), STR("Scope"))) {
            order[found++] = &docs[i];
        }
    }
    qsort(order, found, sizeof(*order), by_folder);
    for (size_t i = 0; i < found; i++) {
        add_scope(build, order[i]);
    }
    set->scope_top = top_folder(docs, count).len;
    for (size_t i = 0; i < count; i++) {
        refuse_global(build, &docs[i], set->scope_top);
    }
    return PDP_ERR_OK;
}

// ---- What they say ----------------------------------------------------------------------------------

static void read_effects(struct build *build, const struct conf_node *node, const struct conf_texts *effects,
                         struct set_scope *out)
{
    out->effects = 0;
    if (effects->count == 0) {
        build_fail(build, PDP_ERR_MISSING, node->place, "leave `effects` out for all effects",
                   "`effects` is empty");
    }
    for (size_t i = 0; i < effects->count; i++) {
        struct str text = effects->nodes[i]->text;
        size_t effect = 0;
        while (effect < COUNT_OF(EFFECTS) && !str_eq(EFFECTS[effect], text)) {
            effect++;
        }
        if (effect == COUNT_OF(EFFECTS)) {
            build_fail(build, PDP_ERR_UNKNOWN, effects->nodes[i]->place, NULL, "unknown effect `" STR_FMT "`",
                       STR_ARG(build_shown(build, text)));
            build_hint_near(build, text, EFFECTS, COUNT_OF(EFFECTS));
            continue;
        }
        out->effects |= 1U << effect;
    }
}

// As a condition writes it.
static void put_text(struct buf *out, struct str text)
{
    buf_byte(out, '"');
    for (size_t i = 0; i < text.len; i++) {
        unsigned char byte = (unsigned char)text.at[i];
        if (byte < 0x20 || byte == '"' || byte == '\\') {
            buf_printf(out, "\\x%02x", byte);
        } else {
            buf_byte(out, byte);
        }
    }
    buf_byte(out, '"');
}

// `tenant in [...]`.
static uint32_t read_tenants(struct build *build, const struct conf_node *node,
                             const struct conf_texts *tenants)
{
    AUTO(buf_fini) struct buf text = {0};
    uint32_t expr = SET_NO_EXPR;
    if (tenants->count == 0) {
        build_fail(build, PDP_ERR_MISSING, node->place, "leave `tenants` out for all tenants",
                   "`tenants` is empty");
        return SET_NO_EXPR;
    }
    buf_str(&text, STR("tenant in ["));
    for (size_t i = 0; i < tenants->count; i++) {
        buf_str(&text, i > 0 ? STR(", ") : STR(""));
        put_text(&text, tenants->nodes[i]->text);
    }
    buf_byte(&text, ']');
    if (text.failed) {
        build_note(build, PDP_ERR_NOMEM);
        return SET_NO_EXPR;
    }
    struct cel_text condition = {.text = build_copy(build, buf_view(&text))};
    build_note(build, cel_add(build->program, &condition, CEL_BOOL, NULL, 0, 0, build->diags, &expr));
    return expr;
}

// A scope says whom and what its folder is about, before anything is known of the risk.
static void refuse_roots(struct build *build, const struct conf_node *target, uint32_t expr)
{
    static const char *const ROOTS[] = {"risk", "travel"};
    for (size_t i = 0; i < COUNT_OF(ROOTS) && expr != SET_NO_EXPR; i++) {
        if (cel_reads(build->program, expr, str_of(ROOTS[i]))) {
            build_fail(build, PDP_ERR_REFUSED, target->place, "write it into the rules",
                       "the target of a Scope may not read `%s`", ROOTS[i]);
        }
    }
}

static uint32_t both(struct build *build, uint32_t one, uint32_t two)
{
    uint32_t exprs[] = {one, two}, expr = SET_NO_EXPR;
    if (one == SET_NO_EXPR || two == SET_NO_EXPR) {
        return one == SET_NO_EXPR ? two : one;
    }
    build_note(build, cel_join(build->program, true, exprs, COUNT_OF(exprs), &expr));
    return expr;
}

void read_scope(struct build *build, const struct conf_doc *doc)
{
    struct document document = {0};
    build_note(build, conf_read(doc->root, DOCUMENT, COUNT_OF(DOCUMENT), "Scope", &document, build->arena,
                                build->diags));
    uint32_t number = scope_of(build, doc);
    if (number == SET_NO_SCOPE || build->scope_docs[number] != doc) { // another of its folder, and reported
        return;
    }
    struct set_scope *out = &build->set->scopes[number];
    const struct conf_node *effects = conf_get(doc->root, "effects");
    const struct conf_node *tenants = conf_get(doc->root, "tenants");
    conditions_of(build, POLICY_OWNER_SCOPE, out->name, STR(""));
    if (document.target != NULL && document.target->kind == CONF_NULL) {
        build_fail(build, PDP_ERR_MISSING, build_key_place(doc->root, "target"),
                   "leave `target` out where the folder is about everything", "`target` is empty");
    } else if (document.target != NULL) {
        out->own = when_read(build, document.target, &build->shared);
        refuse_roots(build, document.target, out->own);
        (void)when_bound(build, out->own, 0, document.target->place, "the Scope", out->name);
    }
    if (effects != NULL) {
        read_effects(build, effects, &document.effects, out);
    }
    if (tenants != NULL) {
        uint32_t own = conditions_open(build, CEL_PART_ATOM, STR("tenants"), tenants->place);
        uint32_t expr = read_tenants(build, tenants, &document.tenants);
        conditions_close(build, own, expr);
        out->own = both(build, out->own, expr);
    }
}

void scopes_close(struct build *build)
{
    struct policy_set *set = build->set;
    for (uint32_t i = 0; i < set->scope_count; i++) { // outer ones come first
        struct set_scope *scope = &set->scopes[i];
        uint32_t outer = scope->parent != SET_NO_SCOPE ? set->scopes[scope->parent].whole : SET_NO_EXPR;
        scope->whole = both(build, outer, scope->own);
    }
}

// ---- What they mean for a document ------------------------------------------------------------------

uint32_t scope_join(struct build *build, uint32_t scope, uint32_t expr)
{
    return scope == SET_NO_SCOPE ? expr : both(build, build->set->scopes[scope].whole, expr);
}

void scope_check_effect(struct build *build, uint32_t scope, enum pdp_effect effect, struct place place,
                        const char *what)
{
    const struct policy_set *set = build->set;
    for (; scope != SET_NO_SCOPE; scope = set->scopes[scope].parent) {
        if ((set->scopes[scope].effects >> effect & 1) == 0) {
            build_fail(build, PDP_ERR_REFUSED, place, NULL,
                       "%s `%s`, which the Scope `" STR_FMT "` does not allow", what, pdp_effect_name(effect),
                       STR_ARG(set->scopes[scope].name));
            scope_hint(build, scope, "");
            return;
        }
    }
}

uint32_t policy_scope(const struct policy_set *set, struct str file)
{
    uint32_t scope = innermost(set, folder_of(file));
    return scope == SET_NO_SCOPE ? SET_NO_EXPR : set->scopes[scope].whole;
}
