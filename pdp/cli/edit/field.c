// SPDX-License-Identifier: Apache-2.0
#include "cli/edit/field.h"

#define ID "^[A-Za-z][A-Za-z0-9._-]{0,127}$"
#define DURATION "^-?(\\d+d)?(\\d+h)?(\\d+m)?(\\d+s)?(\\d+ms)?$"
#define TIME "^\\d{4}-\\d{2}-\\d{2}[Tt ]\\d{2}:\\d{2}:\\d{2}(\\.\\d+)?([Zz]|[+-]\\d{2}:\\d{2})$"

// ---- Small schemas, written into an object that is open -------------------------------------------

void field_type(struct emit *emit, const char *type)
{
    emit_key_str(emit, "type", str_of(type));
}

// Text that looks like a number or a truth is text to our readers, and something else to others.
void field_scalar(struct emit *emit)
{
    static const struct str TYPES[] = {{"string", 6}, {"number", 6}, {"boolean", 7}};
    emit_texts(emit, STR("type"), TYPES, COUNT_OF(TYPES));
}

void field_pattern(struct emit *emit, const char *pattern)
{
    field_type(emit, "string");
    emit_key_str(emit, "pattern", str_of(pattern));
}

void field_ref(struct emit *emit, const char *to)
{
    AUTO(buf_fini) struct buf ref = {0};
    buf_printf(&ref, "#/$defs/%s", to);
    emit_key_str(emit, "$ref", buf_view(&ref));
}

void field_key(struct emit *emit, const char *key)
{
    emit_key(emit, str_of(key));
    emit_map(emit, SIZE_MAX);
}

void field_list(struct emit *emit, const char *key)
{
    emit_key(emit, str_of(key));
    emit_list(emit, SIZE_MAX);
}

void field_texts(struct emit *emit)
{
    field_list(emit, "anyOf");
    emit_map(emit, SIZE_MAX);
    field_scalar(emit);
    emit_end(emit);
    emit_map(emit, SIZE_MAX);
    field_type(emit, "array");
    field_key(emit, "items");
    field_scalar(emit);
    emit_end(emit);
    emit_end(emit);
    emit_end(emit);
}

void field_expr(struct emit *emit)
{
    field_ref(emit, "expression");
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

void field_choices(struct emit *emit, const struct conf_field *field)
{
    field_list(emit, "enum");
    for (size_t i = 0; field->choices[i] != NULL; i++) {
        struct str choice = str_of(field->choices[i]);
        if (str_eq(choice, STR("true")) || str_eq(choice, STR("false"))) { // without quotes it is no text
            emit_bool(emit, choice.len == 4);
        }
        emit_str(emit, choice);
    }
    emit_end(emit);
}

// ---- A field by its type --------------------------------------------------------------------------

static void put_any_field(struct emit *emit, const struct conf_field *field)
{
    (void)emit, (void)field;
}

static void put_text_field(struct emit *emit, const struct conf_field *field)
{
    (void)field;
    field_scalar(emit);
}

static void put_id_field(struct emit *emit, const struct conf_field *field)
{
    (void)field;
    field_pattern(emit, ID);
}

static void put_bool_field(struct emit *emit, const struct conf_field *field)
{
    (void)field;
    field_type(emit, "boolean");
}

static void put_int_field(struct emit *emit, const struct conf_field *field)
{
    field_type(emit, "integer");
    put_bounds(emit, field);
}

static void put_number_field(struct emit *emit, const struct conf_field *field)
{
    field_type(emit, "number");
    put_bounds(emit, field);
}

static void put_duration_field(struct emit *emit, const struct conf_field *field)
{
    (void)field;
    field_pattern(emit, DURATION);
    emit_key_int(emit, "minLength", 2);
}

static void put_time_field(struct emit *emit, const struct conf_field *field)
{
    (void)field;
    field_pattern(emit, TIME);
}

static void put_texts_field(struct emit *emit, const struct conf_field *field)
{
    (void)field;
    field_texts(emit);
}

static void put_mapping_field(struct emit *emit, const struct conf_field *field)
{
    (void)field;
    field_type(emit, "object");
}

static void put_sequence_field(struct emit *emit, const struct conf_field *field)
{
    (void)field;
    field_type(emit, "array");
}

static void put_expr_field(struct emit *emit, const struct conf_field *field)
{
    (void)field;
    field_expr(emit);
}

static void (*const FIELDS[])(struct emit *emit, const struct conf_field *field) = {
    [CONF_TEXT] = put_text_field, [CONF_ID] = put_id_field,           [CONF_BOOL] = put_bool_field,
    [CONF_INT] = put_int_field,   [CONF_NUMBER] = put_number_field,   [CONF_DURATION] = put_duration_field,
    [CONF_TIME] = put_time_field, [CONF_CHOICE] = field_choices,      [CONF_TEXTS] = put_texts_field,
    [CONF_ANY] = put_any_field,   [CONF_MAPPING] = put_mapping_field, [CONF_SEQUENCE] = put_sequence_field,
    [CONF_EXPR] = put_expr_field,
};

void field_put(struct emit *emit, const struct conf_field *field)
{
    FIELDS[field->type](emit, field);
}
