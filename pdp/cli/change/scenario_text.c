// SPDX-License-Identifier: Apache-2.0
#include "cli/change/scenario_text.h"

#include "conf/quote.h"
#include "wire/wire.h"

// A path reads better without quotes, and means the same to everybody.
static bool is_path(struct str text)
{
    for (size_t i = 0; i < text.len; i++) {
        char c = text.at[i];
        bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
                     c == '-' || c == '/' || c == '.';
        if (!plain) {
            return false;
        }
    }
    return text.len > 0 && text.at[0] == '/';
}

// May a character stand in YAML as it is, on one line? Others are escaped: YAML refuses them or takes them
// for the end of a line, or they turn around what people read.
static bool is_printable(uint32_t cp)
{
    return cp >= 0x20 && !(cp >= 0x7F && cp <= 0xA0) && !(cp >= 0x200E && cp <= 0x200F) &&
           !(cp >= 0x2028 && cp <= 0x202E) && !(cp >= 0x2066 && cp <= 0x2069) && cp != 0xFEFF &&
           cp != 0xFFFE && cp != 0xFFFF;
}

static bool is_simple(struct str text)
{
    for (size_t at = 0; at < text.len;) {
        uint32_t cp = 0;
        if (!str_next_cp(text, &at, &cp) || !is_printable(cp)) {
            return false;
        }
    }
    return true;
}

static void put_escaped(struct buf *out, struct str text)
{
    buf_byte(out, '"');
    for (size_t at = 0; at < text.len;) {
        size_t from = at;
        uint32_t cp = 0;
        if (!str_next_cp(text, &at, &cp)) {
            cp = 0xFFFD; // a recording has none such
        }
        if (cp == '"' || cp == '\\') {
            buf_printf(out, "\\%c", (char)cp);
        } else if (cp == '\n' || cp == '\t' || cp == '\r') {
            buf_str(out, cp == '\n' ? STR("\\n") : cp == '\t' ? STR("\\t") : STR("\\r"));
        } else if (is_printable(cp) && cp != 0xFFFD) {
            buf_put(out, text.at + from, at - from);
        } else {
            buf_printf(out, cp < 0x100 ? "\\x%02X" : "\\u%04X", (unsigned)cp);
        }
    }
    buf_byte(out, '"');
}

void scenario_text(struct buf *out, struct str text)
{
    if (quote_free(text) || is_path(text)) {
        buf_str(out, text);
    } else if (is_simple(text)) {
        quote_put(text, out);
    } else {
        put_escaped(out, text);
    }
}

void scenario_value(struct buf *out, const struct value *value)
{
    struct emit emit;
    if (value->kind == VALUE_STRING) {
        scenario_text(out, value_text(value));
    } else if (value->kind == VALUE_MAP || value->kind == VALUE_LIST) {
        bool map = value->kind == VALUE_MAP;
        buf_byte(out, map ? '{' : '[');
        for (uint32_t i = 0; i < value->n; i++) {
            buf_str(out, i > 0 ? STR(", ") : STR(""));
            if (map) {
                scenario_text(out, value_text(&value->as.map[i].key));
                buf_str(out, STR(": "));
            }
            scenario_value(out, map ? &value->as.map[i].value : &value->as.list[i]);
        }
        buf_byte(out, map ? '}' : ']');
    } else {
        emit_init(&emit, WIRE_JSON, out);
        emit_value(&emit, value);
    }
}

void scenario_comment(struct buf *out, struct str text)
{
    if (is_simple(text)) {
        buf_escaped(out, text);
    } else {
        put_escaped(out, text);
    }
}
