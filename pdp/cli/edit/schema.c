// SPDX-License-Identifier: Apache-2.0
#include "cli/edit/schema.h"

#include "cli/edit/indent.h"
#include "policy/shapes.h"
#include "wire/wire.h"

#define ID "^[A-Za-z][A-Za-z0-9._-]{0,127}$"
#define DURATION "^-?(\\d+d)?(\\d+h)?(\\d+m)?(\\d+s)?(\\d+ms)?$"
#define TIME "^\\d{4}-\\d{2}-\\d{2}[Tt ]\\d{2}:\\d{2}:\\d{2}(\\.\\d+)?([Zz]|[+-]\\d{2}:\\d{2})$"
#define PERCENT "^[0-9.]+%?$"

// ---- Small schemas, written into an object that is open --------------------------------------------------

static void put_type(struct emit *emit, const char *type)
{
    emit_key_str(emit, "type", str_of(type));
}

// Text that looks like a number or a truth is text to our readers, and something else to others.
static void put_scalar(struct emit *emit)
{
    static const struct str TYPES[] = {{"string", 6}, {"number", 6}, {"boolean", 7}};
    emit_texts(emit, STR("type"), TYPES, COUNT_OF(TYPES));
}

static void put_pattern(struct emit *emit, const char *pattern)
{
    put_type(emit, "string");
    emit_key_str(emit, "pattern", str_of(pattern));
}

static void put_ref(struct emit *emit, const char *to)
{
    AUTO(buf_fini) struct buf ref = {0};
    buf_printf(&ref, "#/$defs/%s", to);
    emit_key_str(emit, "$ref", buf_view(&ref));
}

static void open_key(struct emit *emit, const char *key)
{
    emit_key(emit, str_of(key));
    emit_map(emit, SIZE_MAX);
}

static void open_list(struct emit *emit, const char *key)
{
    emit_key(emit, str_of(key));
    emit_list(emit, SIZE_MAX);
}

static void put_texts(struct emit *emit)
{
    open_list(emit, "anyOf");
    emit_map(emit, SIZE_MAX);
    put_scalar(emit);
    emit_end(emit);
    emit_map(emit, SIZE_MAX);
    put_type(emit, "array");
    open_key(emit, "items");
    put_scalar(emit);
    emit_end(emit);
    emit_end(emit);
    emit_end(emit);
}

static void put_expr(struct emit *emit)
{
    put_ref(emit, "expression");
}

static void put_bounds(struct emit *emit, const struct conf_field *field)
{
    if (field->least == 0 && field->most == 0) {
        return;
    }
    emit_key_int(emit, "minimum", field->least);
    if (field->most != INT64_MAX) {
        emit_key_int(emit, "maximum", field->most);
    }
}

static void put_choices(struct emit *emit, const struct conf_field *field)
{
    open_list(emit, "enum");
    for (size_t i = 0; field->choices[i] != NULL; i++) {
        struct str choice = str_of(field->choices[i]);
        if (str_eq(choice, STR("true")) || str_eq(choice, STR("false"))) { // without quotes it is no text
            emit_bool(emit, choice.len == 4);
        }
        emit_str(emit, choice);
    }
    emit_end(emit);
}

// ---- A field by its type
// -----------------------------------------------------------------------------------

static void put_any_field(struct emit *emit, const struct conf_field *field)
{
    (void)emit, (void)field;
}

static void put_text_field(struct emit *emit, const struct conf_field *field)
{
    (void)field;
    put_scalar(emit);
}

static void put_id_field(struct emit *emit, const struct conf_field *field)
{
    (void)field;
    put_pattern(emit, ID);
}

static void put_bool_field(struct emit *emit, const struct conf_field *field)
{
    (void)field;
    put_type(emit, "boolean");
}

static void put_int_field(struct emit *emit, const struct conf_field *field)
{
    put_type(emit, "integer");
    put_bounds(emit, field);
}

static void put_number_field(struct emit *emit, const struct conf_field *field)
{
    put_type(emit, "number");
    put_bounds(emit, field);
}

static void put_duration_field(struct emit *emit, const struct conf_field *field)
{
    (void)field;
    put_pattern(emit, DURATION);
    emit_key_int(emit, "minLength", 2);
}

static void put_time_field(struct emit *emit, const struct conf_field *field)
{
    (void)field;
    put_pattern(emit, TIME);
}

static void put_texts_field(struct emit *emit, const struct conf_field *field)
{
    (void)field;
    put_texts(emit);
}

static void put_mapping_field(struct emit *emit, const struct conf_field *field)
{
    (void)field;
    put_type(emit, "object");
}

static void put_sequence_field(struct emit *emit, const struct conf_field *field)
{
    (void)field;
    put_type(emit, "array");
}

static void put_expr_field(struct emit *emit, const struct conf_field *field)
{
    (void)field;
    put_expr(emit);
}

static void (*const FIELDS[])(struct emit *emit, const struct conf_field *field) = {
    [CONF_TEXT] = put_text_field, [CONF_ID] = put_id_field,           [CONF_BOOL] = put_bool_field,
    [CONF_INT] = put_int_field,   [CONF_NUMBER] = put_number_field,   [CONF_DURATION] = put_duration_field,
    [CONF_TIME] = put_time_field, [CONF_CHOICE] = put_choices,        [CONF_TEXTS] = put_texts_field,
    [CONF_ANY] = put_any_field,   [CONF_MAPPING] = put_mapping_field, [CONF_SEQUENCE] = put_sequence_field,
    [CONF_EXPR] = put_expr_field,
};

// ---- What stands below
// ---------------------------------------------------------------------------------------

static void put_shape(struct emit *emit, const struct conf_shape *shape, const char *kind);

static void put_by_name(struct emit *emit, void (*put)(struct emit *emit))
{
    put_type(emit, "object");
    open_key(emit, "additionalProperties");
    put(emit);
    emit_end(emit);
}

static void put_nothing(struct emit *emit)
{
    (void)emit;
}

static void put_number(struct emit *emit)
{
    put_type(emit, "number");
}

static void put_entries(struct emit *emit)
{
    put_type(emit, "array");
    open_key(emit, "items");
    put_scalar(emit);
    emit_end(emit);
}

static void put_percent(struct emit *emit)
{
    open_list(emit, "anyOf");
    emit_map(emit, SIZE_MAX);
    put_pattern(emit, PERCENT);
    emit_end(emit);
    emit_map(emit, SIZE_MAX);
    put_type(emit, "number");
    emit_end(emit);
    emit_end(emit);
}

// A list of maps; of text too where `loose`.
static void put_list(struct emit *emit, const struct conf_shape *of, bool loose)
{
    put_type(emit, "array");
    open_key(emit, "items");
    if (loose) {
        open_list(emit, "anyOf");
        emit_map(emit, SIZE_MAX);
        put_scalar(emit);
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
    put_type(emit, "array");
    open_key(emit, "items");
    put_type(emit, "number");
    emit_end(emit);
    emit_key_int(emit, "minItems", 2);
    emit_key_int(emit, "maxItems", 2);
}

static void put_truth_or_range(struct emit *emit)
{
    open_list(emit, "anyOf");
    emit_map(emit, SIZE_MAX);
    put_type(emit, "boolean");
    emit_end(emit);
    emit_map(emit, SIZE_MAX);
    put_range(emit);
    emit_end(emit);
    emit_end(emit);
}

static void put_some_choices(struct emit *emit, const struct conf_field *field)
{
    open_list(emit, "anyOf");
    emit_map(emit, SIZE_MAX);
    put_choices(emit, field);
    emit_end(emit);
    emit_map(emit, SIZE_MAX);
    put_type(emit, "array");
    open_key(emit, "items");
    put_choices(emit, field);
    emit_end(emit);
    emit_end(emit);
    emit_end(emit);
}

static void put_nest(struct emit *emit, const struct conf_field *field, const struct conf_nest *nest)
{
    static void (*const BY_NAME[])(struct emit * emit) = {
        [CONF_FORM_VALUES] = put_nothing, [CONF_FORM_LISTS] = put_texts,
        [CONF_FORM_NUMBERS] = put_number, [CONF_FORM_RANGES] = put_truth_or_range,
        [CONF_FORM_EXPRS] = put_expr,
    };
    static void (*const PLAIN[])(struct emit * emit) = {
        [CONF_FORM_ANY] = put_nothing,     [CONF_FORM_TEXT] = put_scalar, [CONF_FORM_RANGE] = put_range,
        [CONF_FORM_PERCENT] = put_percent, [CONF_FORM_TEXTS] = put_texts, [CONF_FORM_ENTRIES] = put_entries,
        [CONF_FORM_EXPR] = put_expr,
    };
    if (nest->form == CONF_FORM_MAP) {
        put_shape(emit, nest->of, NULL);
    } else if (nest->form == CONF_FORM_LIST || nest->form == CONF_FORM_ITEMS) {
        put_list(emit, nest->of, nest->form == CONF_FORM_ITEMS);
    } else if (nest->form == CONF_FORM_NAMED) {
        put_type(emit, "object");
        open_key(emit, "additionalProperties");
        put_shape(emit, nest->of, NULL);
        emit_end(emit);
    } else if (nest->form == CONF_FORM_CHOICES) {
        put_some_choices(emit, field);
    } else if (nest->form == CONF_FORM_WHEN) {
        put_ref(emit, "condition");
    } else if (nest->form < COUNT_OF(BY_NAME) && BY_NAME[nest->form] != NULL) {
        put_by_name(emit, BY_NAME[nest->form]);
    } else {
        PLAIN[nest->form](emit);
    }
}

// ---- Shapes
// --------------------------------------------------------------------------------------------------

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
    open_key(emit, field->name);
    emit_key_str(emit, "description", str_of(field->help));
    if (is_head(field, kind)) {
        put_head(emit, field, nest, kind);
    } else if (nest != NULL) {
        put_nest(emit, field, nest);
    } else {
        FIELDS[field->type](emit, field);
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
            open_list(emit, "required");
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
    open_list(emit, "required");
    emit_str(emit, str_of(key));
    emit_end(emit);
}

// One of them, or any.
static void put_some(struct emit *emit, const struct conf_tie *tie)
{
    open_list(emit, tie->bond == CONF_BOND_ONE ? "oneOf" : "anyOf");
    for (size_t i = 0; i < COUNT_OF(tie->keys) && tie->keys[i] != NULL; i++) {
        emit_map(emit, SIZE_MAX);
        put_requires(emit, tie->keys[i]);
        emit_end(emit);
    }
    emit_end(emit);
}

static void put_filled(struct emit *emit, const struct conf_tie *tie)
{
    open_key(emit, "properties");
    for (size_t i = 0; i < COUNT_OF(tie->keys) && tie->keys[i] != NULL; i++) {
        open_key(emit, tie->keys[i]);
        emit_key_int(emit, "minItems", 1);
        emit_end(emit);
    }
    emit_end(emit);
}

// keys[0] where keys[1] is keys[2].
static void put_where(struct emit *emit, const struct conf_tie *tie)
{
    open_key(emit, "if");
    open_key(emit, "properties");
    open_key(emit, tie->keys[1]);
    emit_key_str(emit, "const", str_of(tie->keys[2]));
    emit_end(emit);
    emit_end(emit);
    emit_end(emit);
    if (tie->bond == CONF_BOND_NEED) {
        open_key(emit, "then");
        put_requires(emit, tie->keys[0]);
        emit_end(emit);
    }
    open_key(emit, "else");
    open_key(emit, "not");
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
    open_list(emit, "allOf");
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
    put_type(emit, "object");
    open_key(emit, "properties");
    for (size_t i = 0; i < shape->count; i++) {
        put_field(emit, shape, &shape->fields[i], kind);
    }
    emit_end(emit);
    put_required(emit, shape, kind);
    put_ties(emit, shape);
    emit_key_bool(emit, "additionalProperties", false);
}

// ---- What conditions are
// ---------------------------------------------------------------------------------------

static void put_conditions(struct emit *emit)
{
    put_type(emit, "array");
    emit_key_int(emit, "minItems", 1);
    open_key(emit, "items");
    put_ref(emit, "condition");
    emit_end(emit);
}

static void put_junction(struct emit *emit, const char *key, const char *help)
{
    open_key(emit, key);
    emit_key_str(emit, "description", str_of(help));
    put_ref(emit, "condition");
    emit_end(emit);
}

static void put_condition_def(struct emit *emit)
{
    open_key(emit, "condition");
    open_list(emit, "anyOf");
    emit_map(emit, SIZE_MAX);
    put_expr(emit);
    emit_end(emit);
    emit_map(emit, SIZE_MAX);
    put_conditions(emit);
    emit_end(emit);
    emit_map(emit, SIZE_MAX);
    put_type(emit, "object");
    open_key(emit, "properties");
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
    open_key(emit, "expression");
    emit_key_str(emit, "description", STR("an expression in CEL"));
    put_scalar(emit);
    emit_key_int(emit, "minLength", 1);
    emit_end(emit);
}

// ---- Whole files
// -------------------------------------------------------------------------------------------------

static void put_by_kind(struct emit *emit, const struct shapes *shapes)
{
    put_type(emit, "object");
    open_key(emit, "properties");
    open_key(emit, "kind");
    open_list(emit, "enum");
    for (size_t i = 0; i < shapes->count; i++) {
        emit_str(emit, str_of(shapes->list[i]->name));
    }
    emit_end(emit);
    emit_end(emit);
    emit_end(emit);
    put_requires(emit, "kind");
    open_list(emit, "allOf");
    for (size_t i = 0; i < shapes->count; i++) {
        emit_map(emit, SIZE_MAX);
        open_key(emit, "if");
        open_key(emit, "properties");
        open_key(emit, "kind");
        emit_key_str(emit, "const", str_of(shapes->list[i]->name));
        emit_end(emit);
        emit_end(emit);
        put_requires(emit, "kind");
        emit_end(emit);
        open_key(emit, "then");
        put_ref(emit, shapes->list[i]->name);
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
    open_key(&emit, "$defs");
    put_expression_def(&emit);
    put_condition_def(&emit);
    for (size_t i = 0; one == NULL && i < shapes->count; i++) {
        open_key(&emit, shapes->list[i]->name);
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
