// SPDX-License-Identifier: Apache-2.0
#include "conf/quote.h"

static bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool is_free(char c)
{
    return is_letter(c) || (c >= '0' && c <= '9') || c == '-' || c == '_' || c == '.';
}

static char lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c + ('a' - 'A')) : c;
}

static bool is_word(struct str text, const char *word)
{
    size_t i = 0;
    while (i < text.len && word[i] != '\0' && lower(text.at[i]) == word[i]) {
        i++;
    }
    return i == text.len && word[i] == '\0';
}

bool quote_free(struct str text)
{
    static const char *const WORDS[] = {"true", "false", "yes",  "no",  "on",       "off",
                                        "y",    "n",     "null", "nan", "infinity", "inf"};
    for (size_t i = 0; i < COUNT_OF(WORDS); i++) {
        if (is_word(text, WORDS[i])) {
            return false;
        }
    }
    bool good = text.len > 0 && is_letter(text.at[0]);
    for (size_t i = 0; good && i < text.len; i++) {
        good = is_free(text.at[i]);
    }
    return good;
}

bool quote_simple(struct str text)
{
    for (size_t i = 0; i < text.len; i++) {
        unsigned char byte = (unsigned char)text.at[i];
        if (byte < 0x20 || byte == 0x7F) {
            return false;
        }
    }
    // C1 controls and unusual line breaks are better left as they were written.
    for (size_t at = 0; at < text.len;) {
        uint32_t cp = 0;
        if (!str_next_cp(text, &at, &cp) || (cp >= 0x80 && cp < 0xA0) || cp == 0x2028 || cp == 0x2029 ||
            cp == 0xFEFF || cp == 0xFFFE || cp == 0xFFFF) {
            return false;
        }
    }
    return true;
}

static void put_single(struct str text, struct buf *out)
{
    buf_byte(out, '\'');
    for (size_t i = 0; i < text.len; i++) {
        if (text.at[i] == '\'') {
            buf_byte(out, '\'');
        }
        buf_byte(out, (unsigned char)text.at[i]);
    }
    buf_byte(out, '\'');
}

static bool needs_single(struct str text)
{
    return str_find_byte(text, '"', 0) < text.len || str_find_byte(text, '\\', 0) < text.len;
}

static void put_double(struct str text, struct buf *out)
{
    buf_byte(out, '"');
    buf_str(out, text);
    buf_byte(out, '"');
}

void quote_put(struct str text, struct buf *out)
{
    (needs_single(text) ? put_single : put_double)(text, out);
}

void quote_expr(struct str text, struct buf *out)
{
    bool single = needs_single(text) || str_find_byte(text, '\'', 0) == text.len;
    (single ? put_single : put_double)(text, out);
}
