// SPDX-License-Identifier: Apache-2.0
// Obligations of rules: each once in the set, so that the matcher unites them by number.
#include "policy/build.h"
#include "policy/shapes.h"
#include "wire/wire.h"

struct obligation {
    struct str id, type;
    const struct conf_node *properties;
};

static const struct conf_field FIELDS[] = {
    {"id", CONF_ID, false, offsetof(struct obligation, id), NULL, 0, 0, "name for the gateway's log"},
    {"type", CONF_ID, true, offsetof(struct obligation, type), NULL, 0, 0, "what the gateway must do"},
    {"properties", CONF_MAPPING, false, offsetof(struct obligation, properties), NULL, 0, 0, "with what"},
};

static const struct conf_nest SHAPE_OBLIGATION_NESTS[] = {
    {"properties", CONF_FORM_VALUES, NULL},
};
const struct conf_shape SHAPE_OBLIGATION = {
    "obligation", FIELDS, COUNT_OF(FIELDS), SHAPE_OBLIGATION_NESTS, COUNT_OF(SHAPE_OBLIGATION_NESTS),
    NULL,         0};

static struct value scalar_value(struct build *build, const struct conf_node *node)
{
    int64_t number = 0;
    double real = 0;
    if (!node->quoted) {
        if (str_eq(node->text, STR("true")) || str_eq(node->text, STR("false"))) {
            return value_bool(node->text.len == 4);
        }
        if (str_to_i64(node->text, &number)) {
            return value_int(number);
        }
        if (str_to_double(node->text, &real)) {
            return value_double(real);
        }
    }
    return value_str(build_copy(build, node->text));
}

// Depth is bounded by the parser.
struct value build_value(struct build *build, const struct conf_node *node)
{
    if (node->kind == CONF_SCALAR) {
        return scalar_value(build, node);
    }
    if (node->kind == CONF_LIST) {
        struct value *items = build_array(build, node->count, sizeof(*items));
        for (size_t i = 0; items != NULL && i < node->count; i++) {
            items[i] = build_value(build, node->items[i]);
        }
        return (struct value){
            .kind = VALUE_LIST, .n = (uint32_t)(items != NULL ? node->count : 0), .as.list = items};
    }
    if (node->kind == CONF_MAP) {
        struct value_entry *entries = build_array(build, node->count, sizeof(*entries));
        for (size_t i = 0; entries != NULL && i < node->count; i++) {
            entries[i].key = value_str(build_copy(build, node->entries[i].key->text));
            entries[i].value = build_value(build, node->entries[i].value);
        }
        return (struct value){
            .kind = VALUE_MAP, .n = (uint32_t)(entries != NULL ? node->count : 0), .as.map = entries};
    }
    return value_null();
}

// The text by which equal obligations are one.
static struct str text_of(struct build *build, const struct obligation *obligation,
                          const struct value *properties)
{
    AUTO(buf_fini) struct buf text = {0};
    struct emit emit;
    emit_init(&emit, WIRE_JSON, &text); // which tells 1 from 1.0, and where one text ends
    emit_list(&emit, SIZE_MAX);
    emit_str(&emit, obligation->id);
    emit_str(&emit, obligation->type);
    if (properties != NULL) {
        emit_value(&emit, properties);
    }
    emit_end(&emit);
    if (text.failed) {
        build_note(build, PDP_ERR_NOMEM);
    }
    return build_copy(build, buf_view(&text));
}

static bool add(struct build *build, const struct obligation *from, uint32_t *number)
{
    struct policy_set *set = build->set;
    struct value *properties = NULL;
    if (from->properties != NULL) {
        properties = build_array(build, 1, sizeof(*properties));
        if (properties == NULL) {
            return false;
        }
        *properties = build_value(build, from->properties);
    }
    struct str text = text_of(build, from, properties);
    if (!table_put(&build->obligations, text, set->obligation_count, number)) {
        return true;
    }
    *number = set->obligation_count++;
    set->obligations[*number] =
        (struct verdict_obligation){build_copy(build, from->id), build_copy(build, from->type), properties};
    return true;
}

void obligations_read(struct build *build, const struct conf_node *list, const uint32_t **out,
                      uint32_t *count)
{
    uint32_t *numbers = build_array(build, list->count, sizeof(*numbers));
    *out = numbers;
    *count = 0;
    for (size_t i = 0; numbers != NULL && i < list->count; i++) {
        struct obligation obligation = {0};
        enum pdp_err err = conf_read(list->items[i], FIELDS, COUNT_OF(FIELDS), "an obligation", &obligation,
                                     build->arena, build->diags);
        build_note(build, err);
        if (err == PDP_ERR_OK && add(build, &obligation, &numbers[*count])) {
            ++*count;
        }
    }
}
