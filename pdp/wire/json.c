// SPDX-License-Identifier: Apache-2.0
#include "wire/json.h"

#include "model/fault.h"

#include <jansson.h>

// jansson accepts 2,048 levels. Brackets are counted before it sees them; where the text is no JSON the count
// may be off, and then jansson refuses it anyway. Escapes matter: `"\""` is one string.
static bool too_deep(struct str bytes, size_t *where)
{
    size_t depth = 0;
    bool inside = false;
    for (size_t i = 0; i < bytes.len; i++) {
        char c = bytes.at[i];
        if (inside) {
            i += c == '\\';
            inside = c != '"';
        } else if (c == '"') {
            inside = true;
        } else if (c == '{' || c == '[') {
            if (++depth > REQUEST_DEPTH_MAX) {
                *where = i;
                return true;
            }
        } else if ((c == '}' || c == ']') && depth > 0) {
            depth--;
        }
    }
    return false;
}

static const struct {
    enum json_error_code code;
    const char *what;
} REASONS[] = {
    {json_error_premature_end_of_input, "input ends within the value"},
    {json_error_end_of_input_expected, "bytes after the value"},
    {json_error_invalid_utf8, "text is not valid UTF-8"},
    {json_error_duplicate_key, "a key is given twice"},
    {json_error_numeric_overflow, "number is out of range"},
    {json_error_null_byte_in_key, "NUL byte in a key"},
    {json_error_stack_overflow, "nested more than 16 deep"},
};

static enum pdp_err refuse(const json_error_t *error, struct fault *why)
{
    enum json_error_code code = json_error_code(error);
    if (code == json_error_out_of_memory) {
        return PDP_ERR_NOMEM;
    }
    const char *what = "text does not follow the syntax of JSON";
    for (size_t i = 0; i < COUNT_OF(REASONS); i++) {
        if (REASONS[i].code == code) {
            what = REASONS[i].what;
        }
    }
    return fault_at(why, error->position > 0 ? (size_t)error->position : 0, "%s (line %d, column %d)", what,
                    error->line, error->column);
}

// ---- jansson's tree to ours --------------------------------------------------------------------

// Depth is bounded: too_deep looked before.
static enum pdp_err copy_value(const json_t *from, struct arena *arena, struct value *out);

static enum pdp_err copy_text(const char *text, size_t len, struct arena *arena, struct value *out)
{
    bool ok = true;
    *out = value_str(arena_str(arena, (struct str){text, len}, &ok));
    return ok ? PDP_ERR_OK : PDP_ERR_NOMEM;
}

static enum pdp_err copy_list(const json_t *from, struct arena *arena, struct value *out)
{
    size_t count = json_array_size(from);
    struct value *items = count == 0 ? NULL : ARENA_ARRAY(arena, struct value, count);
    if (count != 0 && items == NULL) {
        return PDP_ERR_NOMEM;
    }
    for (size_t i = 0; i < count; i++) {
        TRY(copy_value(json_array_get(from, i), arena, &items[i]));
    }
    *out = (struct value){.kind = VALUE_LIST, .n = (uint32_t)count, .as.list = items};
    return PDP_ERR_OK;
}

static enum pdp_err copy_map(json_t *from, struct arena *arena, struct value *out)
{
    size_t count = json_object_size(from);
    struct value_entry *entries = count == 0 ? NULL : ARENA_ARRAY(arena, struct value_entry, count);
    if (count != 0 && entries == NULL) {
        return PDP_ERR_NOMEM;
    }
    size_t i = 0;
    for (void *at = json_object_iter(from); at != NULL && i < count;
         at = json_object_iter_next(from, at), i++) {
        const char *key = json_object_iter_key(at);
        TRY(copy_text(key, strlen(key), arena, &entries[i].key));
        TRY(copy_value(json_object_iter_value(at), arena, &entries[i].value));
    }
    *out = (struct value){.kind = VALUE_MAP, .n = (uint32_t)i, .as.map = entries};
    return PDP_ERR_OK;
}

static enum pdp_err copy_value(const json_t *from, struct arena *arena, struct value *out)
{
    switch (json_typeof(from)) {
    case JSON_OBJECT:
        return copy_map((json_t *)(uintptr_t)from, arena, out); // json_object_iter takes no const
    case JSON_ARRAY:
        return copy_list(from, arena, out);
    case JSON_STRING:
        return copy_text(json_string_value(from), json_string_length(from), arena, out);
    case JSON_INTEGER:
        *out = value_int(json_integer_value(from));
        return PDP_ERR_OK;
    case JSON_REAL:
        *out = value_double(json_real_value(from));
        return PDP_ERR_OK;
    case JSON_TRUE:
    case JSON_FALSE:
        *out = value_bool(json_is_true(from));
        return PDP_ERR_OK;
    default:
        *out = value_null();
        return PDP_ERR_OK;
    }
}

static void release(json_t **json)
{
    json_decref(*json);
    *json = NULL;
}

enum pdp_err json_decode(struct str bytes, struct arena *arena, struct value *out, struct fault *why)
{
    *out = value_null();
    // jansson takes a bare NUL for the end: what came after it would pass unseen.
    size_t where = str_find_byte(bytes, '\0', 0);
    if (where < bytes.len) {
        return fault_at(why, where, "NUL byte outside of an escape");
    }
    if (too_deep(bytes, &where)) {
        return fault_at(why, where, "nested more than %d deep", REQUEST_DEPTH_MAX);
    }
    json_error_t error = {0};
    AUTO(release)
    json_t *json = json_loadb(bytes.len != 0 ? bytes.at : "", bytes.len,
                              JSON_REJECT_DUPLICATES | JSON_DECODE_ANY | JSON_ALLOW_NUL, &error);
    if (json == NULL) {
        return refuse(&error, why);
    }
    struct value root = {0};
    TRY(copy_value(json, arena, &root));
    *out = root;
    return PDP_ERR_OK;
}
