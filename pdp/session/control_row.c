// SPDX-License-Identifier: Apache-2.0
#include "session/control_row.h"

#include "wire/wire.h"

enum {
    FORMAT = 1
};

void control_row_key(uint64_t number, unsigned char out[static CONTROL_ROW_KEY])
{
    for (unsigned i = 0; i < CONTROL_ROW_KEY; i++) {
        out[i] = (unsigned char)(number >> (56 - 8 * i));
    }
}

bool control_row_number(struct str key, uint64_t *number)
{
    *number = 0;
    for (size_t i = 0; key.len == CONTROL_ROW_KEY && i < CONTROL_ROW_KEY; i++) {
        *number = *number << 8 | (unsigned char)key.at[i];
    }
    return *number != 0;
}

static void put_some(struct emit *emit, const char *key, struct str text)
{
    if (text.len > 0) {
        emit_key_str(emit, key, text);
    }
}

void control_row_write(const struct control *control, struct buf *out)
{
    struct emit emit;
    emit_init(&emit, WIRE_CBOR, out);
    emit_map(&emit, EMIT_FEW);
    emit_key_int(&emit, "format", FORMAT);
    emit_key_bool(&emit, "cutoff", control->cut_off);
    emit_key_str(&emit, "kind", str_of(control_kind_name(control->target.kind)));
    put_some(&emit, "value", control->target.value);
    put_some(&emit, "tenant", control->target.tenant);
    put_some(&emit, "type", control->target.type);
    emit_key_str(&emit, "effect", str_of(pdp_effect_name(control->effect)));
    put_some(&emit, "strength", control->strength);
    if (control->pardon) {
        emit_key_bool(&emit, "pardon", true);
        put_some(&emit, "signals", control->signals);
    }
    emit_key_int(&emit, "max_age", control->max_age_s);
    emit_key_int(&emit, "before", control->before_ms);
    emit_key_int(&emit, "created", control->created_ms);
    emit_key_int(&emit, "expires", control->expires_ms);
    emit_key_str(&emit, "author", control->author);
    emit_key_str(&emit, "reason", control->reason);
    put_some(&emit, "message", control->message);
    emit_end(&emit);
}

static struct str text_of(const struct value *root, const char *key)
{
    const struct value *found = value_get(root, str_of(key));
    return found != NULL && found->kind == VALUE_STRING ? value_text(found) : (struct str){0};
}

static int64_t number_of(const struct value *root, const char *key)
{
    const struct value *found = value_get(root, str_of(key));
    return found != NULL && found->kind == VALUE_INT ? found->as.i : -1;
}

static bool is_true(const struct value *value)
{
    return value != NULL && value->kind == VALUE_BOOL && value->as.b;
}

static bool effect_of(struct str word, enum pdp_effect *out)
{
    for (int i = 0; i < PDP_EFFECT_COUNT; i++) {
        if (str_eq(word, str_of(pdp_effect_name((enum pdp_effect)i)))) {
            *out = (enum pdp_effect)i;
            return true;
        }
    }
    return false;
}

static bool read_spec(const struct value *root, struct control *spec)
{
    const struct value *cut_off = value_get(root, STR("cutoff"));
    spec->cut_off = is_true(cut_off);
    spec->pardon = is_true(value_get(root, STR("pardon")));
    spec->signals = text_of(root, "signals");
    spec->target.value = text_of(root, "value");
    spec->target.tenant = text_of(root, "tenant");
    spec->target.type = text_of(root, "type");
    spec->strength = text_of(root, "strength");
    spec->max_age_s = number_of(root, "max_age");
    spec->before_ms = number_of(root, "before");
    spec->created_ms = number_of(root, "created");
    spec->expires_ms = number_of(root, "expires");
    spec->author = text_of(root, "author");
    spec->reason = text_of(root, "reason");
    spec->message = text_of(root, "message");
    return cut_off != NULL && control_kind_read(text_of(root, "kind"), &spec->target.kind) &&
           effect_of(text_of(root, "effect"), &spec->effect);
}

enum pdp_err control_row_read(const struct session_table *table, struct str key, struct str value,
                              struct arena *arena, struct control **out)
{
    *out = NULL;
    struct value root = {0};
    struct fault fault = {0};
    struct control spec = {0};
    const char *why = NULL;
    if (!control_row_number(key, &spec.number) ||
        wire_decode(WIRE_CBOR, value, arena, &root, &fault) != PDP_ERR_OK || root.kind != VALUE_MAP) {
        return PDP_ERR_CORRUPT;
    }
    if (number_of(&root, "format") > FORMAT) {
        return PDP_ERR_UNSUPPORTED;
    }
    if (!read_spec(&root, &spec)) {
        return PDP_ERR_CORRUPT;
    }
    enum pdp_err err = control_new(table, &spec, out, &why);
    return err == PDP_ERR_MALFORMED ? PDP_ERR_CORRUPT : err;
}
