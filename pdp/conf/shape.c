// SPDX-License-Identifier: Apache-2.0
#include "conf/shape.h"

const struct conf_shape *shape_named(const struct conf_shape *const *shapes, size_t count, struct str name)
{
    for (size_t i = 0; i < count; i++) {
        if (str_eq(name, str_of(shapes[i]->name))) {
            return shapes[i];
        }
    }
    return NULL;
}

const struct conf_field *shape_field(const struct conf_shape *shape, struct str key)
{
    for (size_t i = 0; i < shape->count; i++) {
        if (str_eq(key, str_of(shape->fields[i].name))) {
            return &shape->fields[i];
        }
    }
    return NULL;
}

const struct conf_nest *shape_nest(const struct conf_shape *shape, struct str key)
{
    for (size_t i = 0; i < shape->nest_count; i++) {
        if (str_eq(key, str_of(shape->nests[i].key))) {
            return &shape->nests[i];
        }
    }
    return NULL;
}

// ---- Expressions ----------------------------------------------------------------------------------------

struct seeing {
    void (*see)(void *user, const struct conf_node *scalar);
    void *user;
};

static void see_expr(const struct seeing *s, const struct conf_node *node)
{
    if (node->kind == CONF_SCALAR) {
        s->see(s->user, node);
    }
}

static bool is_junction(struct str key)
{
    return str_eq(key, STR("all")) || str_eq(key, STR("any")) || str_eq(key, STR("not"));
}

// Depth is bounded by the parser.
static void see_when(const struct seeing *s, const struct conf_node *node)
{
    see_expr(s, node);
    for (size_t i = 0; node->kind == CONF_LIST && i < node->count; i++) {
        see_when(s, node->items[i]);
    }
    for (size_t i = 0; node->kind == CONF_MAP && i < node->count; i++) {
        if (is_junction(node->entries[i].key->text)) {
            see_when(s, node->entries[i].value);
        }
    }
}

static void see_below(const struct seeing *s, const struct conf_nest *nest, const struct conf_node *value)
{
    size_t items = value->kind == CONF_LIST ? value->count : 0;
    size_t entries = value->kind == CONF_MAP ? value->count : 0;
    if (nest->form == CONF_FORM_WHEN) {
        see_when(s, value);
    } else if (nest->form == CONF_FORM_EXPR) {
        see_expr(s, value);
    } else if (nest->form == CONF_FORM_MAP) {
        shape_exprs(nest->of, value, s->see, s->user);
    }
    for (size_t i = 0; i < items && (nest->form == CONF_FORM_LIST || nest->form == CONF_FORM_ITEMS); i++) {
        shape_exprs(nest->of, value->items[i], s->see, s->user);
    }
    for (size_t i = 0; i < entries && nest->form == CONF_FORM_EXPRS; i++) {
        see_expr(s, value->entries[i].value);
    }
    for (size_t i = 0; i < entries && nest->form == CONF_FORM_NAMED; i++) {
        shape_exprs(nest->of, value->entries[i].value, s->see, s->user);
    }
}

void shape_exprs(const struct conf_shape *shape, const struct conf_node *map,
                 void (*see)(void *user, const struct conf_node *scalar), void *user)
{
    struct seeing s = {see, user};
    for (size_t i = 0; map->kind == CONF_MAP && i < map->count; i++) {
        const struct conf_entry *entry = &map->entries[i];
        const struct conf_field *field = shape_field(shape, entry->key->text);
        const struct conf_nest *nest = shape_nest(shape, entry->key->text);
        if (nest != NULL) {
            see_below(&s, nest, entry->value);
        } else if (field != NULL && field->type == CONF_EXPR) {
            see_expr(&s, entry->value);
        }
    }
}
