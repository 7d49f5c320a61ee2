// SPDX-License-Identifier: Apache-2.0
#include "cli/edit/schema.h"

#include "cli/edit/field.h"
#include "cli/edit/indent.h"
#include "policy/shapes.h"

#define PERCENT "^[0-9.]+%?$"

// ---- What stands below ----------------------------------------------------------------------------

static void put_shape(struct emit *emit, const struct conf_shape *shape, const char *kind);

static void put_by_name(struct emit *emit, void (*put)(struct emit *emit))
{
    field_type(emit, "object");
    field_key(emit, "additionalProperties");
    put(emit);
    emit_end(emit);
}

static void put_nothing(struct emit *emit)
{
    (void)emit;
}

static void put_number(struct emit *emit)
{
    field_type(emit, "number");
}

static void put_entries(struct emit *emit)
{
    field_type(emit, "array");
    field_key(emit, "items");
    field_scalar(emit);
    emit_end(emit);
}

static void put_percent(struct emit *emit)
{
    field_list(emit, "anyOf");
    emit_map(emit, SIZE_MAX);
    field_pattern(emit, PERCENT);
    emit_end(emit);
    emit_map(emit, SIZE_MAX);
    field_type(emit, "number");
    emit_end(emit);
    emit_end(emit);
}

// A list of maps; of text too where `loose`.
static void put_list(struct emit *emit, const struct conf_shape *of, bool loose)
{
    field_type(emit, "array");
    field_key(emit, "items");
    if (loose) {
        field_list(emit, "anyOf");
        emit_map(emit, SIZE_MAX);
        field_scalar(emit);
        emit_end(emit);
        emit_map(emit, SIZE_MAX);
    }
    put_shape(emit, of, NULL);
    if (loose) {
        emit_end(emit);
        emit_end(emit);
    }
    emit_end(emit);
}

static void put_range(struct emit *emit)
{
    field_type(emit, "array");
    field_key(emit, "items");
    field_type(emit, "number");
    emit_end(emit);
    emit_key_int(emit, "minItems", 2);
    emit_key_int(emit, "maxItems", 2);
}

static void put_truth_or_range(struct emit *emit)
{
    field_list(emit, "anyOf");
    emit_map(emit, SIZE_MAX);
    field_type(emit, "boolean");
    emit_end(emit);
    emit_map(emit, SIZE_MAX);
    put_range(emit);
    emit_end(emit);
    emit_end(emit);
}

static void put_some_choices(struct emit *emit, const struct conf_field *field)
{
    field_list(emit, "anyOf");
    emit_map(emit, SIZE_MAX);
    field_choices(emit, field);
    emit_end(emit);
    emit_map(emit, SIZE_MAX);
    field_type(emit, "array");
    field_key(emit, "items");
    field_choices(emit, field);
    emit_end(emit);
    emit_end(emit);
    emit_end(emit);
}

static void put_nest(struct emit *emit, const struct conf_field *field, const struct conf_nest *nest)
{
    static void (*const BY_NAME[])(struct emit * emit) = {
        [CONF_FORM_VALUES] = put_nothing, [CONF_FORM_LISTS] = field_texts,
        [CONF_FORM_NUMBERS] = put_number, [CONF_FORM_RANGES] = put_truth_or_range,
        [CONF_FORM_EXPRS] = field_expr,
    };
    static void (*const PLAIN[])(struct emit * emit) = {
        [CONF_FORM_ANY] = put_nothing,     [CONF_FORM_TEXT] = field_scalar, [CONF_FORM_RANGE] = put_range,
        [CONF_FORM_PERCENT] = put_percent, [CONF_FORM_TEXTS] = field_texts, [CONF_FORM_ENTRIES] = put_entries,
        [CONF_FORM_EXPR] = field_expr,
    };
    if (nest->form == CONF_FORM_MAP) {
        put_shape(emit, nest->of, NULL);
    } else if (nest->form == CONF_FORM_LIST || nest->form == CONF_FORM_ITEMS) {
        put_list(emit, nest->of, nest->form == CONF_FORM_ITEMS);
    } else if (nest->form == CONF_FORM_NAMED) {
        field_type(emit, "object");
        field_key(emit, "additionalProperties");
        put_shape(emit, nest->of, NULL);
        emit_end(emit);
    } else if (nest->form == CONF_FORM_CHOICES) {
        put_some_choices(emit, field);
    } else if (nest->form == CONF_FORM_WHEN) {
        field_ref(emit, "condition");
    } else if (nest->form < COUNT_OF(BY_NAME) && BY_NAME[nest->form] != NULL) {
        put_by_name(emit, BY_NAME[nest->form]);
    } else {
        PLAIN[nest->form](emit);
    }
}

// ---- Shapes ---------------------------------------------------------------------------------------

static bool is_head(const struct conf_field *field, const char *kind)
{
    return kind != NULL && (strcmp(field->name, "apiVersion") == 0 || strcmp(field->name, "kind") == 0 ||
                            strcmp(field->name, "metadata") == 0);
}

static void put_head(struct emit *emit, const struct conf_field *field, const struct conf_nest *nest,
                     const char *kind)
{
    if (strcmp(field->name, "metadata") == 0) {
        put_shape(emit, nest != NULL ? nest->of : &SHAPE_METADATA, NULL);
    } else {
        emit_key_str(emit, "const", strcmp(field->name, "kind") == 0 ? str_of(kind) : STR("pdp/v1"));
    }
}

static void put_field(struct emit *emit, const struct conf_shape *shape, const struct conf_field *field,
                      const char *kind)
{
    const struct conf_nest *nest = shape_nest(shape, str_of(field->name));
    field_key(emit, field->name);
    emit_key_str(emit, "description", str_of(field->help));
    if (is_head(field, kind)) {
        put_head(emit, field, nest, kind);
    } else if (nest != NULL) {
        put_nest(emit, field, nest);
    } else {
        field_put(emit, field);
    }
    emit_end(emit);
}

static void put_required(struct emit *emit, const struct conf_shape *shape, const char *kind)
{
    bool some = false;
    for (size_t i = 0; i < shape->count; i++) {
        const struct conf_field *field = &shape->fields[i];
        if (!field->required && !is_head(field, kind)) {
            continue;
        }
        if (!some) {
            field_list(emit, "required");
        }
        some = true;
        emit_str(emit, str_of(field->name));
    }
    if (some) {
        emit_end(emit);
    }
}

static void put_requires(struct emit *emit, const char *key)
{
    field_list(emit, "required");
    emit_str(emit, str_of(key));
    emit_end(emit);
}

// One of them, or any.
static void put_some(struct emit *emit, const struct conf_tie *tie)
{
    field_list(emit, tie->bond == CONF_BOND_ONE ? "oneOf" : "anyOf");
    for (size_t i = 0; i < COUNT_OF(tie->keys) && tie->keys[i] != NULL; i++) {
        emit_map(emit, SIZE_MAX);
        put_requires(emit, tie->keys[i]);
        emit_end(emit);
    }
    emit_end(emit);
}

static void put_filled(struct emit *emit, const struct conf_tie *tie)
{
    field_key(emit, "properties");
    for (size_t i = 0; i < COUNT_OF(tie->keys) && tie->keys[i] != NULL; i++) {
        field_key(emit, tie->keys[i]);
        emit_key_int(emit, "minItems", 1);
        emit_end(emit);
    }
    emit_end(emit);
}

// keys[0] where keys[1] is keys[2].
static void put_where(struct emit *emit, const struct conf_tie *tie)
{
    field_key(emit, "if");
    field_key(emit, "properties");
    field_key(emit, tie->keys[1]);
    emit_key_str(emit, "const", str_of(tie->keys[2]));
    emit_end(emit);
    emit_end(emit);
    emit_end(emit);
    if (tie->bond == CONF_BOND_NEED) {
        field_key(emit, "then");
        put_requires(emit, tie->keys[0]);
        emit_end(emit);
    }
    field_key(emit, "else");
    field_key(emit, "not");
    put_requires(emit, tie->keys[0]);
    emit_end(emit);
    emit_end(emit);
}

static void (*const TIES[])(struct emit *emit, const struct conf_tie *tie) = {
    [CONF_BOND_ONE] = put_some,   [CONF_BOND_SOME] = put_some,  [CONF_BOND_FILL] = put_filled,
    [CONF_BOND_NEED] = put_where, [CONF_BOND_ONLY] = put_where,
};

static void put_ties(struct emit *emit, const struct conf_shape *shape)
{
    if (shape->tie_count == 0) {
        return;
    }
    field_list(emit, "allOf");
    for (size_t i = 0; i < shape->tie_count; i++) {
        const struct conf_tie *tie = &shape->ties[i];
        emit_map(emit, SIZE_MAX);
        TIES[tie->bond](emit, tie);
        emit_end(emit);
    }
    emit_end(emit);
}

static void put_shape(struct emit *emit, const struct conf_shape *shape, const char *kind)
{
    field_type(emit, "object");
    field_key(emit, "properties");
    for (size_t i = 0; i < shape->count; i++) {
        put_field(emit, shape, &shape->fields[i], kind);
    }
    emit_end(emit);
    put_required(emit, shape, kind);
    put_ties(emit, shape);
    emit_key_bool(emit, "additionalProperties", false);
}

// ---- What conditions are --------------------------------------------------------------------------

static void put_conditions(struct emit *emit)
{
    field_type(emit, "array");
    emit_key_int(emit, "minItems", 1);
    field_key(emit, "items");
    field_ref(emit, "condition");
    emit_end(emit);
}

static void put_junction(struct emit *emit, const char *key, const char *help)
{
    field_key(emit, key);
    emit_key_str(emit, "description", str_of(help));
    field_ref(emit, "condition");
    emit_end(emit);
}

static void put_condition_def(struct emit *emit)
{
    field_key(emit, "condition");
    field_list(emit, "anyOf");
    emit_map(emit, SIZE_MAX);
    field_expr(emit);
    emit_end(emit);
    emit_map(emit, SIZE_MAX);
    put_conditions(emit);
    emit_end(emit);
    emit_map(emit, SIZE_MAX);
    field_type(emit, "object");
    field_key(emit, "properties");
    put_junction(emit, "all", "each of these holds");
    put_junction(emit, "any", "one of these holds at least");
    put_junction(emit, "not", "this does not hold");
    emit_end(emit);
    emit_key_int(emit, "minProperties", 1);
    emit_key_bool(emit, "additionalProperties", false);
    emit_end(emit);
    emit_end(emit);
    emit_end(emit);
}

static void put_expression_def(struct emit *emit)
{
    field_key(emit, "expression");
    emit_key_str(emit, "description", STR("an expression in CEL"));
    field_scalar(emit);
    emit_key_int(emit, "minLength", 1);
    emit_end(emit);
}

// ---- Whole files ----------------------------------------------------------------------------------

static void put_by_kind(struct emit *emit, const struct shapes *shapes)
{
    field_type(emit, "object");
    field_key(emit, "properties");
    field_key(emit, "kind");
    field_list(emit, "enum");
    for (size_t i = 0; i < shapes->count; i++) {
        emit_str(emit, str_of(shapes->list[i]->name));
    }
    emit_end(emit);
    emit_end(emit);
    emit_end(emit);
    put_requires(emit, "kind");
    field_list(emit, "allOf");
    for (size_t i = 0; i < shapes->count; i++) {
        emit_map(emit, SIZE_MAX);
        field_key(emit, "if");
        field_key(emit, "properties");
        field_key(emit, "kind");
        emit_key_str(emit, "const", str_of(shapes->list[i]->name));
        emit_end(emit);
        emit_end(emit);
        put_requires(emit, "kind");
        emit_end(emit);
        field_key(emit, "then");
        field_ref(emit, shapes->list[i]->name);
        emit_end(emit);
        emit_end(emit);
    }
    emit_end(emit);
}

void schema_print(const struct shapes *shapes, const struct conf_shape *one, struct buf *out)
{
    AUTO(buf_fini) struct buf json = {0};
    struct emit emit;
    emit_init(&emit, WIRE_JSON, &json);
    emit_map(&emit, SIZE_MAX);
    emit_key_str(&emit, "$schema", STR("https://json-schema.org/draft/2020-12/schema"));
    emit_key_str(&emit, "title", one != NULL ? str_of(one->name) : STR("A document of a policy folder"));
    if (one != NULL) {
        put_shape(&emit, one, one->name);
    } else {
        put_by_kind(&emit, shapes);
    }
    field_key(&emit, "$defs");
    put_expression_def(&emit);
    put_condition_def(&emit);
    for (size_t i = 0; one == NULL && i < shapes->count; i++) {
        field_key(&emit, shapes->list[i]->name);
        put_shape(&emit, shapes->list[i], shapes->list[i]->name);
        emit_end(&emit);
    }
    emit_end(&emit);
    emit_end(&emit);
    if (json.failed) {
        out->failed = true;
        return;
    }
    indent_json(buf_view(&json), out);
}
