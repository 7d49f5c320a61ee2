// SPDX-License-Identifier: Apache-2.0
// Completion in documents: keys, values, and names that others define.
#include "cli/lsp/lsp_complete.h"

#include "engine/attrs.h"

void lsp_item_as(struct lsp_items *items, struct str label, struct str inserted, int kind, struct str detail,
                 struct str about)
{
    const struct lsp_ask *ask = items->ask;
    if (!str_starts(label, items->prefix)) {
        return;
    }
    for (size_t i = 0; i < items->seen_count; i++) {
        if (str_eq(items->seen[i], label)) {
            return;
        }
    }
    if (items->seen_count < COUNT_OF(items->seen)) {
        items->seen[items->seen_count++] = label;
    }
    bool glued =
        items->where->value && items->from == ask->at && ask->at > 0 && ask->text.at[ask->at - 1] == ':';
    if (glued) { // right behind the colon of a key, which takes a blank
        inserted = arena_printf(ask->arena, " " STR_FMT, STR_ARG(inserted));
    }
    json_t *item = json_pack("{s:o,s:i,s:{s:o,s:o}}", "label", lsp_json(label), "kind", kind, "textEdit",
                             "range", lsp_range(ask->lsp, ask->text, items->from, ask->at - items->from),
                             "newText", lsp_json(inserted));
    if (item != NULL && detail.len > 0) {
        json_object_set_new(item, "detail", lsp_json(detail));
    }
    if (item != NULL && about.len > 0) {
        json_object_set_new(item, "documentation", lsp_json(about));
    }
    json_array_append_new(items->list, item);
}

void lsp_item(struct lsp_items *items, struct str label, int kind, struct str detail, struct str about)
{
    lsp_item_as(items, label, label, kind, detail, about);
}

struct named {
    struct lsp_items *items;
    int item;
};

static void add_named(void *user, const struct lsp_found *found)
{
    const struct named *named = user;
    AUTO(buf_fini) struct buf detail = {0};
    lsp_name_detail(found->name, &detail);
    lsp_item(named->items, lsp_full_name(found->name, named->items->ask->arena), named->item,
             buf_view(&detail), (struct str){NULL, 0});
}

void lsp_items_named(struct lsp_items *items, enum lsp_name_kind kind, int item)
{
    struct named named = {items, item};
    lsp_names_each(items->ask->file, items->document, kind, add_named, &named);
}

void lsp_items_levels(struct lsp_items *items)
{
    struct cel_env env = {0};
    attrs_declare(&env);
    for (size_t i = 0; i < env.level_count; i++) {
        lsp_item(items, env.levels[i], LSP_ITEM_CONSTANT, STR("risk level"), (struct str){NULL, 0});
    }
}

// ---- Keys ---------------------------------------------------------------------------------------

static bool there_already(const struct lsp_where *where, struct str key)
{
    for (size_t i = 0; i < where->sibling_count; i++) {
        if (str_eq(where->siblings[i], key)) {
            return true;
        }
    }
    return false;
}

static struct str type_of(const struct conf_field *field)
{
    static const char *const TYPES[] = {
        [CONF_TEXT] = "text",
        [CONF_ID] = "name",
        [CONF_BOOL] = "true or false",
        [CONF_INT] = "whole number",
        [CONF_NUMBER] = "number",
        [CONF_DURATION] = "span such as 15m",
        [CONF_TIME] = "time",
        [CONF_CHOICE] = "choice",
        [CONF_TEXTS] = "text, or a list of it",
        [CONF_ANY] = "",
        [CONF_MAPPING] = "mapping",
        [CONF_SEQUENCE] = "list",
        [CONF_EXPR] = "expression",
    };
    return str_of(TYPES[field->type]);
}

// `key: `, or the key alone where a colon is there already.
static void add_key(struct lsp_items *items, struct str key, struct str detail, struct str about)
{
    struct str after = str_sub(items->ask->text, items->where->to, 1);
    bool colon = str_eq(after, STR(":"));
    struct str inserted = colon ? key : arena_printf(items->ask->arena, STR_FMT ": ", STR_ARG(key));
    if (!there_already(items->where, key)) {
        lsp_item_as(items, key, inserted, LSP_ITEM_PROPERTY, detail, about);
    }
}

static void add_fields(struct lsp_items *items, const struct conf_shape *shape)
{
    for (size_t i = 0; i < shape->count; i++) {
        const struct conf_field *field = &shape->fields[i];
        struct str detail = field->required
                                ? arena_printf(items->ask->arena, STR_FMT "%srequired",
                                               STR_ARG(type_of(field)), type_of(field).len > 0 ? ", " : "")
                                : type_of(field);
        add_key(items, str_of(field->name), detail, str_of(field->help));
    }
}

static void add_junctions(struct lsp_items *items)
{
    add_key(items, STR("all"), STR("list of conditions"), STR("each of them must hold"));
    add_key(items, STR("any"), STR("list of conditions"), STR("at least one of them must hold"));
    add_key(items, STR("not"), STR("condition"), STR("it must not hold"));
}

// Where no kind is said yet.
static void add_head(struct lsp_items *items)
{
    add_key(items, STR("apiVersion"), STR("pdp/v1"), STR("version of the language"));
    add_key(items, STR("kind"), (struct str){NULL, 0}, STR("what the document holds"));
    add_key(items, STR("metadata"), STR("mapping"), STR("name, owner, description, labels"));
}

// `signals:` of an expectation: those of the language, which a RiskModel has as keys.
static bool complete_signals(struct lsp_items *items, const struct shapes *shapes)
{
    const struct lsp_where *where = items->where;
    const struct conf_shape *model = shape_named(shapes->list, shapes->count, STR("RiskModel"));
    const struct conf_nest *signals = model != NULL ? shape_nest(model, STR("signals")) : NULL;
    bool asked = lsp_where_test(where) && where->depth > 0 &&
                 str_eq(where->path[where->depth - 1].key, STR("signals"));
    for (size_t i = 0; asked && signals != NULL && signals->of != NULL && i < signals->of->count; i++) {
        const struct conf_field *signal = &signals->of->fields[i];
        add_key(items, str_of(signal->name), STR("range of evidence, true or false"), str_of(signal->help));
    }
    return asked;
}

static void complete_key(struct lsp_items *items, const struct shapes *shapes, const struct lsp_shape *shape)
{
    if (complete_signals(items, shapes)) {
        return;
    }
    if (shape->form == CONF_FORM_MAP && shape->of != NULL) {
        add_fields(items, shape->of);
    } else if (shape->known && shape->form == CONF_FORM_WHEN) {
        add_junctions(items);
    } else if (items->where->depth == 0) {
        add_head(items);
    }
}

// ---- Values -------------------------------------------------------------------------------------

static struct str key_of(const struct lsp_where *where, size_t from_end)
{
    size_t at = where->depth;
    while (at > 0) {
        if (!where->path[--at].item && from_end-- == 0) {
            return where->path[at].key;
        }
    }
    return (struct str){NULL, 0};
}

const struct lsp_reference lsp_reference_keys[] = {
    {"strength", LSP_STRENGTH, false}, {"lifts", LSP_RULE, false},          {"rule", LSP_RULE, true},
    {"rules", LSP_RULE, true},         {"with", LSP_FIXTURE, true},         {"subjects", LSP_FIXTURE, true},
    {"resources", LSP_FIXTURE, true},  {"exceptions", LSP_EXCEPTION, true}, {"stops", LSP_STEP, true},
};
const size_t lsp_reference_count = COUNT_OF(lsp_reference_keys);

static void complete_named(struct lsp_items *items, struct str key)
{
    for (size_t i = 0; i < lsp_reference_count; i++) {
        if (str_eq(key, str_of(lsp_reference_keys[i].key)) &&
            (!lsp_reference_keys[i].tests || lsp_where_test(items->where))) {
            lsp_items_named(items, lsp_reference_keys[i].kind, LSP_ITEM_REFERENCE);
        }
    }
    if (lsp_where_test(items->where) && str_eq(key, STR("level"))) {
        lsp_items_levels(items);
    }
}

static void complete_kind(struct lsp_items *items, const struct shapes *shapes)
{
    for (size_t i = 0; i < shapes->count; i++) {
        lsp_item(items, str_of(shapes->list[i]->name), LSP_ITEM_ENUM, (struct str){NULL, 0},
                 (struct str){NULL, 0});
    }
    lsp_item(items, STR("Test"), LSP_ITEM_ENUM, STR("in files named *_test.yaml"), (struct str){NULL, 0});
    lsp_item(items, STR("Scenario"), LSP_ITEM_ENUM, STR("in files named *_test.yaml"), (struct str){NULL, 0});
}

static void complete_choices(struct lsp_items *items, const struct conf_field *field)
{
    for (size_t i = 0; field->type == CONF_CHOICE && field->choices[i] != NULL; i++) {
        lsp_item(items, str_of(field->choices[i]), LSP_ITEM_ENUM, (struct str){NULL, 0},
                 (struct str){NULL, 0});
    }
    if (field->type == CONF_BOOL) {
        lsp_item(items, STR("true"), LSP_ITEM_KEYWORD, (struct str){NULL, 0}, (struct str){NULL, 0});
        lsp_item(items, STR("false"), LSP_ITEM_KEYWORD, (struct str){NULL, 0}, (struct str){NULL, 0});
    }
}

// `effect:` of an expectation, one or a list.
static void complete_effects(struct lsp_items *items)
{
    static const char *const EFFECTS[] = {
#define X(name, text, rank) text,
        PDP_EFFECT_LIST(X)
#undef X
    };
    for (size_t i = 0; i < COUNT_OF(EFFECTS); i++) {
        lsp_item(items, str_of(EFFECTS[i]), LSP_ITEM_ENUM, (struct str){NULL, 0}, (struct str){NULL, 0});
    }
}

static void complete_value(struct lsp_items *items, const struct shapes *shapes,
                           const struct lsp_shape *shape)
{
    const struct lsp_where *where = items->where;
    struct str key = key_of(where, 0);
    struct str text = str_sub(items->ask->text, where->from, items->ask->at - where->from);
    bool counts = str_eq(where->kind, STR("Counter")) && str_eq(key, STR("key"));
    if (lsp_shape_expr(shape, where) || counts) {
        lsp_complete_cel(items, lsp_cel_text(text, where->style, items->ask->arena));
        return;
    }
    items->from = where->from;
    items->prefix = text;
    if (lsp_where_is(where, "kind")) {
        complete_kind(items, shapes);
    } else if (lsp_where_is(where, "apiVersion")) {
        lsp_item(items, STR("pdp/v1"), LSP_ITEM_CONSTANT, (struct str){NULL, 0}, (struct str){NULL, 0});
    } else if (shape->field != NULL) {
        complete_choices(items, shape->field);
    }
    if (lsp_where_test(where) && str_eq(key, STR("effect"))) {
        complete_effects(items);
    }
    complete_named(items, key);
}

json_t *lsp_completion(struct lsp_ask *ask)
{
    struct lsp_where where;
    struct shapes shapes;
    struct lsp_shape shape;
    lsp_where(ask->text, ask->at, ask->arena, &where);
    if (shapes_all(ask->arena, &shapes) != PDP_ERR_OK) {
        shapes.count = 0;
    }
    struct lsp_items items = {.ask = ask,
                              .where = &where,
                              .document = lsp_document_at(ask->file, ask->at),
                              .list = json_array(),
                              .from = where.from,
                              .prefix = str_sub(ask->text, where.from, ask->at - where.from)};
    lsp_shape_at(&shapes, &where, where.depth, &shape);
    if (where.key) {
        complete_key(&items, &shapes, &shape);
    }
    if (where.value) {
        complete_value(&items, &shapes, &shape);
    }
    return json_pack("{s:b,s:o}", "isIncomplete", 0, "items", items.list);
}
