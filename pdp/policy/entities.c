// SPDX-License-Identifier: Apache-2.0
// Entities documents to types, each with its ids and actions in order.
#include "policy/build.h"
#include "policy/shapes.h"

#include "model/path.h"

#include <stdlib.h>

#define ANY_TYPE UINT32_MAX // of actions: on resources of any type

struct document {
    struct build_head head;
    struct str type, ids;
    int attributes;
    const struct conf_node *entities, *actions;
};

enum {
    CANDIDATES,
    FILL
};
static const char *const ATTRIBUTES[] = {[CANDIDATES] = "candidates", [FILL] = "fill", NULL};

static const struct conf_field DOCUMENT[] = {
    BUILD_HEAD_FIELDS,
    {"type", CONF_TEXT, false, offsetof(struct document, type), NULL, 0, 0,
     "of the subjects or resources that it names, and of those that its actions are done to"},
    {"attributes", CONF_CHOICE, false, offsetof(struct document, attributes), ATTRIBUTES, 0, 0,
     "candidates: what it stores is said of candidates of a search alone; fill: also of what questions name"},
    {"entities", CONF_SEQUENCE, false, offsetof(struct document, entities), NULL, 0, 0,
     "ids, or maps of id and properties"},
    {"ids", CONF_TEXT, false, offsetof(struct document, ids), NULL, 0, 0,
     "lists.NAME: ids that a List of strings holds"},
    {"actions", CONF_SEQUENCE, false, offsetof(struct document, actions), NULL, 0, 0,
     "names, or maps of name and properties"},
};

struct item {
    struct str id;
    const struct conf_node *properties;
};
static const struct conf_field ENTITY[] = {
    {"id", CONF_TEXT, true, offsetof(struct item, id), NULL, 0, 0, "as questions name it"},
    {"properties", CONF_MAPPING, false, offsetof(struct item, properties), NULL, 0, 0, "what is known of it"},
};
static const struct conf_field ACTION[] = {
    {"name", CONF_TEXT, true, offsetof(struct item, id), NULL, 0, 0, "as questions name it"},
    {"properties", CONF_MAPPING, false, offsetof(struct item, properties), NULL, 0, 0, "what is known of it"},
};

static const struct conf_nest ENTITY_SHAPE_NESTS[] = {
    {"properties", CONF_FORM_VALUES, NULL},
};
static const struct conf_shape ENTITY_SHAPE = {
    "entity", ENTITY, COUNT_OF(ENTITY), ENTITY_SHAPE_NESTS, COUNT_OF(ENTITY_SHAPE_NESTS), NULL, 0};

static const struct conf_nest ACTION_SHAPE_NESTS[] = {
    {"properties", CONF_FORM_VALUES, NULL},
};
static const struct conf_shape ACTION_SHAPE = {
    "action", ACTION, COUNT_OF(ACTION), ACTION_SHAPE_NESTS, COUNT_OF(ACTION_SHAPE_NESTS), NULL, 0};

static const struct conf_nest SHAPE_ENTITIES_NESTS[] = {
    {"metadata", CONF_FORM_MAP, &SHAPE_METADATA},
    {"entities", CONF_FORM_ITEMS, &ENTITY_SHAPE},
    {"actions", CONF_FORM_ITEMS, &ACTION_SHAPE},
};
static const struct conf_tie SHAPE_ENTITIES_TIES[] = {
    {CONF_BOND_SOME, {"entities", "ids", "actions"}},
};
const struct conf_shape SHAPE_ENTITIES = {"Entities",
                                          DOCUMENT,
                                          COUNT_OF(DOCUMENT),
                                          SHAPE_ENTITIES_NESTS,
                                          COUNT_OF(SHAPE_ENTITIES_NESTS),
                                          SHAPE_ENTITIES_TIES,
                                          COUNT_OF(SHAPE_ENTITIES_TIES)};

// One id or action as it is written.
struct entities_named {
    struct entity is;
    uint32_t type; // its number; ANY_TYPE
    bool action;
    size_t order;
    const struct conf_node *node;
};

// One document while it is read.
struct reading {
    struct build *build;
    const struct document *document;
    uint32_t type;
};

// ---- Types --------------------------------------------------------------------------------------------

static size_t count_of(const struct conf_doc *doc, const char *key)
{
    const struct conf_node *list = conf_get(doc->root, key);
    return list != NULL && list->kind == CONF_LIST ? list->count : 0;
}

enum pdp_err entities_reserve(struct build *build, const struct conf_doc *docs, size_t count)
{
    struct entities *all = &build->set->entities;
    size_t documents = 0, named = 0;
    for (size_t i = 0; i < count; i++) {
        const struct conf_node *kind = conf_get(docs[i].root, "kind");
        if (kind != NULL && kind->kind == CONF_SCALAR && str_eq(kind->text, STR("Entities"))) {
            documents++;
            named += count_of(&docs[i], "entities") + count_of(&docs[i], "actions");
        }
    }
    if (documents == 0) {
        return PDP_ERR_OK;
    }
    if (named > ENTITIES_MOST) {
        return PDP_ERR_LIMIT;
    }
    build->entities = build_array(build, named, sizeof(*build->entities));
    all->types = build_array(build, documents, sizeof(*all->types));
    TRY(table_init(&all->by_name, documents, build->set->seed, build->arena));
    return build->entities != NULL && all->types != NULL ? PDP_ERR_OK : PDP_ERR_NOMEM;
}

static uint32_t type_number(struct build *build, struct str name)
{
    struct entities *all = &build->set->entities;
    const uint32_t *known = table_get(&all->by_name, name);
    uint32_t old = 0;
    if (known != NULL) {
        return *known;
    }
    struct str copy = build_copy(build, name);
    all->types[all->type_count] = (struct entities_type){.name = copy};
    (void)table_put(&all->by_name, copy, all->type_count, &old);
    return all->type_count++;
}

// ---- Ids and actions -------------------------------------------------------------------------------------

static bool id_is_right(struct build *build, const struct conf_node *node, const char *what)
{
    if (node->text.len == 0 || node->text.len > ENTITIES_ID_MOST) {
        build_fail(build, PDP_ERR_LIMIT, node->place, NULL, "%s has 1 to %d bytes", what, ENTITIES_ID_MOST);
        return false;
    }
    return true;
}

// Questions are judged by the canonical path, so nothing else can be found or filled.
static bool path_is_right(struct build *build, const struct conf_node *node)
{
    struct str path = {0};
    const char *why = NULL;
    enum pdp_err err = path_canonical(node->text, build->arena, &path, &why);
    if (err == PDP_ERR_MALFORMED) {
        build_fail(build, err, node->place, NULL, "not a plain path: %s", why);
    } else if (err != PDP_ERR_OK) {
        build_note(build, err);
    } else if (!str_eq(path, node->text)) {
        build_fail(build, PDP_ERR_SYNTAX, node->place, NULL, "the path is not as questions are judged by it");
        diag_hint(build->diags, "write `" STR_FMT "`", STR_ARG(path));
        err = PDP_ERR_SYNTAX;
    }
    return err == PDP_ERR_OK;
}

static void refuse_item(struct build *build, const struct conf_node *node, bool action)
{
    if (action) {
        build_fail(build, PDP_ERR_TYPE, node->place, NULL,
                   "an action is a name, or a map of `name` and `properties`");
    } else {
        build_fail(build, PDP_ERR_TYPE, node->place, NULL,
                   "an entity is an id, or a map of `id` and `properties`");
    }
}

static bool read_item(struct reading *r, const struct conf_node *node, bool action, struct item *out)
{
    struct build *build = r->build;
    *out = (struct item){0};
    const struct conf_node *id = node;
    if (node->kind == CONF_MAP) {
        enum pdp_err err =
            action ? conf_read(node, ACTION, COUNT_OF(ACTION), "an action", out, build->arena, build->diags)
                   : conf_read(node, ENTITY, COUNT_OF(ENTITY), "an entity", out, build->arena, build->diags);
        build_note(build, err);
        if (err != PDP_ERR_OK) {
            return false;
        }
        id = conf_get(node, action ? "name" : "id");
    } else if (node->kind != CONF_SCALAR) {
        refuse_item(build, node, action);
        return false;
    }
    out->id = id->text;
    bool route = !action && str_eq(r->document->type, STR("route"));
    return id_is_right(build, id, action ? "a name" : "an id") && (!route || path_is_right(build, id));
}

static void read_items(struct reading *r, const struct conf_node *list, bool action)
{
    struct build *build = r->build;
    for (size_t i = 0; list != NULL && i < list->count; i++) {
        struct item item;
        if (!read_item(r, list->items[i], action, &item)) {
            continue;
        }
        struct value *properties = NULL;
        if (item.properties != NULL && item.properties->count > 0) {
            properties = build_array(build, 1, sizeof(*properties));
        }
        if (properties != NULL) {
            *properties = build_value(build, item.properties);
        }
        build->entities[build->entity_count] = (struct entities_named){
            .is = {build_copy(build, item.id), properties, r->document->attributes == FILL && !action},
            .type = r->type,
            .action = action,
            .order = build->entity_count,
            .node = list->items[i]};
        build->entity_count++;
    }
}

// ---- Ids of Lists -----------------------------------------------------------------------------------------

static const struct cel_set_decl *list_named(const struct build *build, struct str text)
{
    struct str name = str_starts(text, STR("lists.")) ? str_sub(text, 6, text.len) : (struct str){"", 0};
    for (size_t i = 0; i < build->names->set_count; i++) {
        if (str_eq(build->names->sets[i].name, name)) {
            return &build->names->sets[i];
        }
    }
    return NULL;
}

static void read_ids(struct reading *r, const struct conf_node *node)
{
    struct build *build = r->build;
    const struct cel_set_decl *list = list_named(build, node->text);
    if (list == NULL) {
        build_fail(build, PDP_ERR_UNKNOWN, node->place, "write `ids: lists.NAME`, with the name of a List",
                   "there is no `" STR_FMT "`", STR_ARG(build_shown(build, node->text)));
        return;
    }
    if (list->kind != CEL_SET_STRING) {
        build_fail(build, PDP_ERR_TYPE, node->place, NULL, "`" STR_FMT "` is no List of type `string`",
                   STR_ARG(build_shown(build, node->text)));
        return;
    }
    struct entities_type *type = &build->set->entities.types[r->type];
    if (type->list_count == ENTITIES_LISTS_MOST) {
        build_fail(build, PDP_ERR_LIMIT, node->place, NULL, "more than %d Lists name ids of one type",
                   ENTITIES_LISTS_MOST);
        return;
    }
    struct lists_set *set = build->lists->at[list->id];
    if (set != NULL) { // else it was refused
        build_note(build, lists_order(set));
    }
    type->lists[type->list_count++] = (struct entities_list){list->id, r->document->attributes == FILL};
}

// ---- One document
// -------------------------------------------------------------------------------------------

static bool is_whole(struct build *build, const struct conf_doc *doc, const struct document *document)
{
    const struct conf_node *type = conf_get(doc->root, "type"), *ids = conf_get(doc->root, "ids");
    struct place place = conf_get(doc->root, "kind")->place;
    if (document->entities == NULL && ids == NULL && document->actions == NULL) {
        build_fail(build, PDP_ERR_MISSING, place, NULL,
                   "an Entities has at least one of `entities`, `ids` and `actions`");
        return false;
    }
    if (type == NULL && (document->entities != NULL || ids != NULL)) {
        build_fail(build, PDP_ERR_MISSING, place, "write `type: user`, or whatever questions call it",
                   "an Entities with ids needs `type`");
        return false;
    }
    return type == NULL || id_is_right(build, type, "a type");
}

void read_entities(struct build *build, const struct conf_doc *doc)
{
    struct document document = {0};
    enum pdp_err err =
        conf_read(doc->root, DOCUMENT, COUNT_OF(DOCUMENT), "Entities", &document, build->arena, build->diags);
    build_note(build, err);
    if (err != PDP_ERR_OK || !is_whole(build, doc, &document)) {
        return;
    }
    struct reading r = {.build = build, .document = &document, .type = ANY_TYPE};
    if (document.type.len > 0) {
        struct entities *all = &build->set->entities;
        bool fills = document.attributes == FILL && (document.entities != NULL || document.ids.len > 0);
        r.type = type_number(build, document.type);
        all->types[r.type].fills = all->types[r.type].fills || fills;
        all->fills = all->fills || fills;
    }
    read_items(&r, document.entities, false);
    read_items(&r, document.actions, true);
    if (document.ids.len > 0) {
        read_ids(&r, conf_get(doc->root, "ids"));
    }
}

// ---- All of them
// ----------------------------------------------------------------------------------------------

// Ids of a type, then its actions, each by its bytes; those of no type last.
static int by_place(const void *a, const void *b)
{
    const struct entities_named *one = a, *two = b;
    if (one->type != two->type) {
        return one->type < two->type ? -1 : 1;
    }
    if (one->action != two->action) {
        return one->action ? 1 : -1;
    }
    int order = str_cmp(one->is.id, two->is.id);
    return order != 0 ? order : (one->order > two->order) - (one->order < two->order);
}

static void refuse_twice(struct build *build, const struct entities_named *first,
                         const struct entities_named *again)
{
    bool kept = build->diags->count < build->diags->most; // a line's number costs a walk through the file
    build_fail(build, PDP_ERR_DUPLICATE, again->node->place, NULL, "the %s `" STR_FMT "` is named twice",
               again->action ? "action" : "id", STR_ARG(build_shown(build, again->is.id)));
    if (kept) {
        uint32_t line = 0, col = 0;
        place_line_col(first->node->place, &line, &col);
        diag_hint(build->diags, "it is at " STR_FMT ":%u", STR_ARG(first->node->place.src->name), line);
    }
}

static bool same_kind(const struct entities_named *a, const struct entities_named *b)
{
    return a->type == b->type && a->action == b->action;
}

// Those from `from` on that belong together; *out is a copy of them in the set's arena. Returns how many.
static uint32_t take(struct build *build, size_t from, const struct entity **out)
{
    const struct entities_named *named = build->entities;
    size_t end = from;
    while (end < build->entity_count && same_kind(&named[end], &named[from])) {
        if (end > from && str_eq(named[end].is.id, named[end - 1].is.id)) {
            refuse_twice(build, &named[end - 1], &named[end]);
        }
        end++;
    }
    struct entity *list = build_array(build, end - from, sizeof(*list));
    for (size_t i = from; list != NULL && i < end; i++) {
        list[i - from] = named[i].is;
    }
    *out = list;
    return list != NULL ? (uint32_t)(end - from) : 0;
}

// A type's own actions and those of any type; its own word wins.
static void join_actions(struct build *build, struct entities_type *type)
{
    const struct entities *all = &build->set->entities;
    uint32_t own = 0, general = 0, count = 0;
    struct entity *list = build_array(build, (size_t)type->action_count + all->action_count, sizeof(*list));
    while (list != NULL && (own < type->action_count || general < all->action_count)) {
        int order = own == type->action_count      ? 1
                    : general == all->action_count ? -1
                                                   : str_cmp(type->actions[own].id, all->actions[general].id);
        list[count++] = order <= 0 ? type->actions[own] : all->actions[general];
        own += order <= 0;
        general += order >= 0;
    }
    type->actions = list;
    type->action_count = count;
}

void entities_close(struct build *build)
{
    struct entities *all = &build->set->entities;
    if (build->entities == NULL) {
        return;
    }
    qsort(build->entities, build->entity_count, sizeof(*build->entities), by_place);
    for (size_t at = 0; at < build->entity_count;) {
        const struct entities_named *named = &build->entities[at];
        const struct entity *list = NULL;
        uint32_t count = take(build, at, &list);
        if (count == 0) { // memory is out, and noted
            return;
        }
        if (named->type == ANY_TYPE) {
            all->actions = list;
            all->action_count = count;
        } else if (named->action) {
            all->types[named->type].actions = list;
            all->types[named->type].action_count = count;
        } else {
            all->types[named->type].ids = list;
            all->types[named->type].id_count = count;
        }
        at += count;
    }
    for (uint32_t i = 0; i < all->type_count; i++) {
        join_actions(build, &all->types[i]);
    }
}
