// SPDX-License-Identifier: Apache-2.0
#include "audit/export.h"

#include "audit/export_forms.h"

enum export_form export_form_of(struct str word)
{
    static const char *const WORDS[] = {
#define X(name, word) word,
        EXPORT_FORM_LIST(X)
#undef X
    };
    size_t i = 0;
    while (i < EXPORT_FORM_COUNT && !str_eq(word, str_of(WORDS[i]))) {
        i++;
    }
    return (enum export_form)i;
}

struct str export_text(const struct query_record *record, const char *path)
{
    const struct value *value = value_path(&record->fields, str_of(path));
    return value != NULL && value->kind == VALUE_STRING ? value_text(value) : (struct str){0};
}

bool export_number(const struct query_record *record, const char *path, double *out)
{
    const struct value *value = value_path(&record->fields, str_of(path));
    *out = 0;
    if (value != NULL && value->kind == VALUE_DOUBLE) {
        *out = value->as.d;
    } else if (value != NULL && value->kind == VALUE_INT) {
        *out = (double)value->as.i;
    } else {
        return false;
    }
    return true;
}

int64_t export_int(const struct query_record *record, const char *path)
{
    double number;
    (void)export_number(record, path, &number);
    return (int64_t)number;
}

bool export_is(const struct query_record *record, const char *path, const char *text)
{
    return str_eq(export_text(record, path), str_of(text));
}

void export_key_text(struct emit *emit, const char *key, struct str text)
{
    if (text.len > 0) {
        emit_key_str(emit, key, text);
    }
}

// The fields as they are, and what is known of the record itself.
static void put_plain(struct emit *emit, const struct query_record *record)
{
    emit_map(emit, SIZE_MAX);
    emit_key_int(emit, "index", (int64_t)record->index);
    for (uint32_t i = 0; i < record->fields.n; i++) {
        const struct value_entry *entry = &record->fields.as.map[i];
        if (!value_is_text(&entry->key, STR("time"))) {
            emit_key(emit, value_text(&entry->key));
            emit_value(emit, &entry->value);
            continue;
        }
        struct value at = value_time_ms(entry->value.kind == VALUE_INT ? entry->value.as.i : 0);
        emit_key(emit, STR("time"));
        emit_value(emit, &at);
    }
    if (record->sealed == QUERY_FORGOTTEN) {
        emit_key_bool(emit, "forgotten", true);
    } else if (record->sealed == QUERY_SEALED) {
        emit_key_bool(emit, "sealed", true);
    }
    emit_end(emit);
}

void export_put(enum export_form form, const struct query_record *record, struct buf *out)
{
    static void (*const FORMS[])(struct emit * emit, const struct query_record *record) = {
        [EXPORT_JSONL] = put_plain,
        [EXPORT_OCSF] = export_ocsf,
        [EXPORT_ECS] = export_ecs,
    };
    struct emit emit;
    emit_init(&emit, WIRE_JSON, out);
    FORMS[form](&emit, record);
}
