// SPDX-License-Identifier: Apache-2.0
#include "common/strict.h"

#include <stdbool.h>
#include <stdint.h>

static int digit(char c)
{
    if (c >= 'A' && c <= 'Z') {
        return c - 'A';
    }
    if (c >= 'a' && c <= 'z') {
        return c - 'a' + 26;
    }
    if (c >= '0' && c <= '9') {
        return c - '0' + 52;
    }
    return c == '-' ? 62 : c == '_' ? 63 : -1;
}

enum pdp_err strict_base64url(const char *text, size_t len, unsigned char *bytes, size_t room, size_t *used)
{
    *used = 0;
    if (len % 4 == 1) {
        return PDP_ERR_SYNTAX;
    }
    uint32_t bits = 0;
    unsigned held = 0;
    size_t at = 0;
    for (size_t i = 0; i < len; i++) {
        int value = digit(text[i]);
        if (value < 0) {
            return PDP_ERR_SYNTAX;
        }
        bits = bits << 6 | (uint32_t)value;
        held += 6;
        if (held >= 8) {
            held -= 8;
            if (at == room) {
                return PDP_ERR_LIMIT;
            }
            bytes[at++] = (unsigned char)(bits >> held);
            bits &= (UINT32_C(1) << held) - 1;
        }
    }
    if (bits != 0) {
        return PDP_ERR_SYNTAX;
    }
    *used = at;
    return PDP_ERR_OK;
}

// Jansson goes 2,048 levels deep: what is deeper than wanted is found before it begins.
static bool is_deeper(const char *text, size_t len, unsigned depth)
{
    unsigned now = 0;
    bool inside = false;
    for (size_t i = 0; i < len; i++) {
        char c = text[i];
        if (inside) {
            i += c == '\\';
            inside = c != '"';
        } else if (c == '"') {
            inside = true;
        } else if (c == '{' || c == '[') {
            if (++now > depth) {
                return true;
            }
        } else if ((c == '}' || c == ']') && now > 0) {
            now--;
        }
    }
    return false;
}

enum pdp_err strict_object(const char *text, size_t len, unsigned depth, json_t **object)
{
    *object = NULL;
    if (is_deeper(text, len, depth)) {
        return PDP_ERR_DEPTH;
    }
    json_error_t why;
    json_t *read = json_loadb(text, len, JSON_REJECT_DUPLICATES, &why);
    if (!json_is_object(read)) {
        json_decref(read);
        return PDP_ERR_SYNTAX;
    }
    *object = read;
    return PDP_ERR_OK;
}

const char *strict_text(const json_t *object, const char *name)
{
    return json_string_value(json_object_get(object, name));
}
