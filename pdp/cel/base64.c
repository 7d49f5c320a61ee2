// SPDX-License-Identifier: Apache-2.0
// HOT
#include "cel/frame.h"
#include "cel/lib.h"

static const char DIGITS[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

struct value base64_encode(struct cel_frame *frame, const struct value *args, uint32_t count)
{
    struct value error;
    if (args[0].kind != VALUE_BYTES) {
        return frame_no_overload(F_B64_ENCODE, args, count);
    }
    size_t len = ((size_t)args[0].n + 2) / 3 * 4;
    char *text = len <= UINT32_MAX ? frame_alloc(frame, len, 1, &error) : NULL;
    if (text == NULL) {
        return frame_error(CEL_ERROR_MEMORY, 0);
    }
    const unsigned char *from = (const unsigned char *)args[0].as.text;
    for (size_t i = 0, to = 0; i < args[0].n; i += 3, to += 4) {
        size_t left = args[0].n - i;
        uint32_t bits = (uint32_t)from[i] << 16 | (left > 1 ? (uint32_t)from[i + 1] << 8 : 0) |
                        (left > 2 ? (uint32_t)from[i + 2] : 0);
        text[to] = DIGITS[bits >> 18];
        text[to + 1] = DIGITS[bits >> 12 & 63];
        text[to + 2] = left > 1 ? DIGITS[bits >> 6 & 63] : '=';
        text[to + 3] = left > 2 ? DIGITS[bits & 63] : '=';
    }
    return value_str((struct str){text, len});
}

static int digit_of(char c)
{
    const char *at = c != '\0' ? strchr(DIGITS, c) : NULL;
    return at != NULL ? (int)(at - DIGITS) : -1;
}

// With padding or without; anything else is an error.
struct value base64_decode(struct cel_frame *frame, const struct value *args, uint32_t count)
{
    struct value error;
    if (args[0].kind != VALUE_STRING) {
        return frame_no_overload(F_B64_DECODE, args, count);
    }
    struct str s = value_text(&args[0]);
    while (s.len > 0 && s.at[s.len - 1] == '=' && args[0].n - s.len < 2 && args[0].n % 4 == 0) {
        s.len--;
    }
    unsigned char *bytes = frame_alloc(frame, s.len, 1, &error);
    if (bytes == NULL || s.len % 4 == 1) {
        return bytes == NULL ? error : frame_error(CEL_ERROR_CONVERT, F_B64_DECODE);
    }
    uint32_t bits = 0;
    size_t len = 0, held = 0;
    for (size_t i = 0; i < s.len; i++) {
        int digit = digit_of(s.at[i]);
        if (digit < 0) {
            return frame_error(CEL_ERROR_CONVERT, F_B64_DECODE);
        }
        bits = bits << 6 | (uint32_t)digit;
        held += 6;
        if (held >= 8) {
            held -= 8;
            bytes[len++] = (unsigned char)(bits >> held);
        }
    }
    struct value out = value_str((struct str){(const char *)bytes, len});
    out.kind = VALUE_BYTES;
    return out;
}
