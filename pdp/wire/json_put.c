// SPDX-License-Identifier: Apache-2.0
#include "wire/json.h"

#include <stdio.h>

// What stands after the backslash; `u`: as \u00XX; 0: as it is.
static char escape_of(unsigned char c)
{
    switch (c) {
    case '"':
    case '\\':
        return (char)c;
    case '\b':
        return 'b';
    case '\f':
        return 'f';
    case '\n':
        return 'n';
    case '\r':
        return 'r';
    case '\t':
        return 't';
    default:
        return c < 0x20 || c == 0x7f ? 'u' : '\0';
    }
}

static void put_escape(struct buf *out, unsigned char c, char escape)
{
    static const char HEX[] = "0123456789abcdef";
    if (escape == 'u') {
        buf_put(out, (char[6]){'\\', 'u', '0', '0', HEX[c >> 4], HEX[c & 15]}, 6);
    } else {
        buf_put(out, (char[2]){'\\', escape}, 2);
    }
}

void json_put_text(struct buf *out, struct str s)
{
    buf_byte(out, '"');
    size_t from = 0;
    for (size_t at = 0; at < s.len;) {
        unsigned char c = (unsigned char)s.at[at];
        uint32_t cp = 0;
        char escape = escape_of(c);
        size_t next = at + 1;
        bool good = c < 0x80 || (next = at, str_next_cp(s, &next, &cp));
        if (escape != '\0' || !good) {
            buf_put(out, s.at + from, at - from);
            if (good) {
                put_escape(out, c, escape);
            } else {
                buf_str(out, STR("\\ufffd"));
            }
            from = next;
        }
        at = next;
    }
    if (from < s.len) {
        buf_put(out, s.at + from, s.len - from);
    }
    buf_byte(out, '"');
}

void json_put_uint(struct buf *out, uint64_t u)
{
    char digits[20];
    size_t at = sizeof digits;
    do {
        digits[--at] = (char)('0' + u % 10);
        u /= 10;
    } while (u != 0);
    buf_put(out, digits + at, sizeof digits - at);
}

void json_put_int(struct buf *out, int64_t i)
{
    if (i < 0) {
        buf_byte(out, '-');
    }
    json_put_uint(out, i < 0 ? UINT64_C(0) - (uint64_t)i : (uint64_t)i);
}

// A host program may have set a locale whose decimal point is a comma, or longer than a byte.
static struct str plain_number(char *text, bool *whole)
{
    size_t len = 0;
    bool strange = false;
    *whole = true;
    for (const char *c = text; *c != '\0'; c++) {
        bool number = (*c >= '0' && *c <= '9') || *c == '-' || *c == '+' || *c == 'e';
        if (number || !strange) {
            text[len++] = number ? *c : '.';
        }
        *whole = *whole && number && *c != 'e';
        strange = !number;
    }
    return (struct str){text, len};
}

void json_put_double(struct buf *out, double d)
{
    if (!(d >= -0x1.fffffffffffffp1023 && d <= 0x1.fffffffffffffp1023)) {
        buf_str(out, STR("null"));
        return;
    }
    for (int digits = 15; digits <= 17; digits++) {
        char text[40];
        bool whole = false;
        double back = 0;
        snprintf(text, sizeof text, "%.*g", digits, d);
        struct str number = plain_number(text, &whole);
        if (digits == 17 || (str_to_double(number, &back) && back == d)) {
            buf_str(out, number);
            if (whole) {
                buf_str(out, STR(".0"));
            }
            return;
        }
    }
}
