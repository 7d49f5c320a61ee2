// SPDX-License-Identifier: Apache-2.0
#include "cli/lsp/lsp_shape.h"

static bool junction(struct str key)
{
    return str_eq(key, STR("all")) || str_eq(key, STR("any")) || str_eq(key, STR("not"));
}

static void enter(struct lsp_shape *at, struct str key)
{
    const struct conf_shape *of = at->of;
    const struct conf_field *field = of != NULL ? shape_field(of, key) : NULL;
    const struct conf_nest *nest = of != NULL ? shape_nest(of, key) : NULL;
    bool expr = field != NULL && field->type == CONF_EXPR;
    bool texts = field != NULL && field->type == CONF_TEXTS;
    *at = (struct lsp_shape){.form = nest != NULL ? nest->form
                                     : expr       ? CONF_FORM_EXPR
                                     : texts      ? CONF_FORM_TEXTS
                                                  : CONF_FORM_ANY,
                             .of = nest != NULL ? nest->of : NULL,
                             .field = field,
                             .known = field != NULL || nest != NULL};
}

static void by_name(struct lsp_shape *at, enum conf_form form)
{
    at->form = form;
    at->field = NULL;
}

static void step_key(struct lsp_shape *at, struct str key)
{
    switch (at->form) {
    case CONF_FORM_MAP:
        enter(at, key);
        return;
    case CONF_FORM_NAMED:
        by_name(at, CONF_FORM_MAP);
        return;
    case CONF_FORM_EXPRS:
        by_name(at, CONF_FORM_EXPR);
        return;
    case CONF_FORM_LISTS:
        by_name(at, CONF_FORM_TEXTS);
        return;
    case CONF_FORM_WHEN:
        at->known = junction(key);
        at->field = NULL;
        return;
    default:
        *at = (struct lsp_shape){.form = CONF_FORM_ANY};
    }
}

static void step_item(struct lsp_shape *at)
{
    switch (at->form) {
    case CONF_FORM_LIST:
    case CONF_FORM_ITEMS:
        by_name(at, CONF_FORM_MAP);
        return;
    case CONF_FORM_TEXTS:
    case CONF_FORM_ENTRIES:
        at->form = CONF_FORM_ANY;
        return;
    case CONF_FORM_WHEN:
        at->field = NULL;
        return;
    default:
        *at = (struct lsp_shape){.form = CONF_FORM_ANY};
    }
}

void lsp_shape_at(const struct shapes *shapes, const struct lsp_where *where, size_t depth,
                  struct lsp_shape *out)
{
    const struct conf_shape *document = shape_named(shapes->list, shapes->count, where->kind);
    *out = (struct lsp_shape){.form = CONF_FORM_MAP, .of = document, .known = document != NULL};
    for (size_t i = 0; i < depth && i < where->depth; i++) {
        if (where->path[i].item) {
            step_item(out);
        } else {
            step_key(out, where->path[i].key);
        }
    }
}

bool lsp_where_test(const struct lsp_where *where)
{
    return str_eq(where->kind, STR("Test")) || str_eq(where->kind, STR("Scenario")) ||
           str_eq(where->kind, STR("Given"));
}

bool lsp_shape_expr(const struct lsp_shape *shape, const struct lsp_where *where)
{
    return shape->known && !lsp_where_test(where) &&
           (shape->form == CONF_FORM_EXPR || shape->form == CONF_FORM_WHEN);
}
