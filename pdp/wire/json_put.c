// SPDX-License-Identifier: Apache-2.0
#include "wire/json.h"

#include <stdio.h>

// What stands after the backslash for a byte that needs one; `u`: as \u00XX.
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
        return 'u';
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

static inline bool is_plain(unsigned char c)
{
    return c >= 0x20 && c < 0x7f && c != '"' && c != '\\';
}

void json_put_text(struct buf *out, struct str s)
{
    buf_byte(out, '"');
    size_t from = 0; // what was looked at, but not yet written
    for (size_t at = 0; at < s.len;) {
        unsigned char c = (unsigned char)s.at[at];
        if (is_plain(c)) {
            at++;
            continue;
        }
        size_t next = at;
        uint32_t cp = 0;
        bool good = str_next_cp(s, &next, &cp);
        if (good && c >= 0x80) {
            at = next;
            continue;
        }
        buf_put(out, s.at + from, at - from);
        if (good) {
            put_escape(out, c, escape_of(c));
        } else {
            buf_str(out, STR("\\ufffd"));
        }
        at = next;
        from = next;
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

// Scores and evidence of a brief answer have at most 4 decimals. Where the ten-thousandths, a whole number of
// at most 13 digits, divide back to the same double, their digits are the shortest text, and the long way
// would find the same. false: it is another number.
static bool put_decimals(struct buf *out, double d)
{
    if (!(d > 1e-9 || d < -1e-9) || !(d > -1e9 && d < 1e9)) {
        return false;
    }
    double scaled = d * 1e4;
    int64_t whole = (int64_t)(scaled < 0 ? scaled - 0.5 : scaled + 0.5);
    if (whole == 0 || (double)whole / 1e4 != d) {
        return false;
    }
    uint64_t digits = (uint64_t)(whole < 0 ? -whole : whole);
    if (whole < 0) {
        buf_byte(out, '-');
    }
    json_put_uint(out, digits / 10000);
    char text[5] = ".";
    uint64_t rest = digits % 10000;
    for (size_t i = 4; i > 0; i--) {
        text[i] = (char)('0' + rest % 10);
        rest /= 10;
    }
    size_t len = sizeof text;
    while (len > 2 && text[len - 1] == '0') {
        len--;
    }
    buf_put(out, text, len);
    return true;
}

void json_put_double(struct buf *out, double d)
{
    if (put_decimals(out, d)) {
        return;
    }
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
