// SPDX-License-Identifier: Apache-2.0
#include "model/fault.h"

#include <stdarg.h>
#include <stdio.h>

// vsnprintf may have cut within a code point: drop what is left of it.
static void whole_code_points(char *text)
{
    size_t len = strlen(text);
    while (len > 0 && !str_is_utf8((struct str){text, len})) {
        text[--len] = '\0';
    }
}

enum pdp_err fault_set(struct fault *why, const char *field, const char *fmt, ...)
{
    if (why == NULL) {
        return PDP_ERR_MALFORMED;
    }
    snprintf(why->field, sizeof why->field, "%s", field);
    va_list args;
    va_start(args, fmt);
    vsnprintf(why->what, sizeof why->what, fmt, args);
    va_end(args);
    whole_code_points(why->field);
    whole_code_points(why->what);
    return PDP_ERR_MALFORMED;
}

enum pdp_err fault_at(struct fault *why, size_t offset, const char *fmt, ...)
{
    if (why == NULL) {
        return PDP_ERR_MALFORMED;
    }
    snprintf(why->field, sizeof why->field, "byte %zu", offset);
    va_list args;
    va_start(args, fmt);
    vsnprintf(why->what, sizeof why->what, fmt, args);
    va_end(args);
    whole_code_points(why->what);
    return PDP_ERR_MALFORMED;
}

// One code point (or broken byte) as printable text; returns its length, at most 4.
static size_t quote_one(struct str s, size_t *at, char out[4])
{
    static const char HEX[] = "0123456789abcdef";
    size_t from = *at;
    uint32_t cp = 0;
    bool good = str_next_cp(s, at, &cp);
    if (good && cp >= 0x20 && cp != 0x7f && cp != '\\' && cp != '`' && !(cp >= 0x80 && cp < 0xa0)) {
        memcpy(out, s.at + from, *at - from);
        return *at - from;
    }
    *at = from + 1; // of a C1 control the second byte is shown in the next round
    unsigned char byte = (unsigned char)s.at[from];
    memcpy(out, (char[4]){'\\', 'x', HEX[byte >> 4], HEX[byte & 15]}, 4);
    return 4;
}

struct fault_quote fault_quote(struct str s)
{
    static const char CUT[] = "\xe2\x80\xa6`"; // an ellipsis
    struct fault_quote quote = {.text = "`"};
    size_t len = 1;
    size_t at = 0;
    while (at < s.len) {
        char piece[4];
        size_t n = quote_one(s, &at, piece);
        if (len + n + sizeof CUT > sizeof quote.text) {
            memcpy(quote.text + len, CUT, sizeof CUT);
            return quote;
        }
        memcpy(quote.text + len, piece, n);
        len += n;
    }
    memcpy(quote.text + len, "`", 2);
    return quote;
}
