// SPDX-License-Identifier: Apache-2.0
#include "base/base64.h"

static const char DIGITS[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

void base64_put(struct buf *out, struct str bytes)
{
    for (size_t i = 0; i < bytes.len; i += 3) {
        size_t have = bytes.len - i < 3 ? bytes.len - i : 3;
        uint32_t group = 0;
        for (size_t k = 0; k < 3; k++) {
            group = group << 8 | (k < have ? (unsigned char)bytes.at[i + k] : 0U);
        }
        for (size_t k = 0; k < 4; k++) {
            buf_byte(out, k <= have ? (unsigned char)DIGITS[group >> (18 - 6 * k) & 63] : '=');
        }
    }
}

static int digit(char c)
{
    return c >= 'A' && c <= 'Z'   ? c - 'A'
           : c >= 'a' && c <= 'z' ? c - 'a' + 26
           : c >= '0' && c <= '9' ? c - '0' + 52
           : c == '+'             ? 62
           : c == '/'             ? 63
                                  : -1;
}

// One group of four; how many bytes it stands for, 0 where it is none. Only the last may be padded.
static size_t read_group(const char *four, bool last, unsigned char out[3])
{
    size_t digits = 4;
    if (last && four[3] == '=') {
        digits = four[2] == '=' ? 2 : 3;
    }
    uint32_t group = 0;
    for (size_t k = 0; k < 4; k++) {
        int value = k < digits ? digit(four[k]) : 0;
        if (value < 0) {
            return 0;
        }
        group = group << 6 | (uint32_t)value;
    }
    if ((digits == 2 && (group & 0xffff) != 0) || (digits == 3 && (group & 0xff) != 0)) {
        return 0; // bits that stand for nothing must be zero, or there would be two forms
    }
    for (size_t k = 0; k < 3; k++) {
        out[k] = (unsigned char)(group >> (16 - 8 * k));
    }
    return digits - 1;
}

bool base64_read(struct str text, struct buf *out)
{
    size_t before = out->len;
    bool good = text.len % 4 == 0;
    for (size_t i = 0; good && i < text.len; i += 4) {
        unsigned char bytes[3];
        size_t count = read_group(text.at + i, i + 4 == text.len, bytes);
        good = count != 0;
        buf_put(out, bytes, count);
    }
    good = good && !out->failed;
    out->len = good ? out->len : before;
    return good;
}

bool base64_read_exactly(struct str text, void *out, size_t len)
{
    AUTO(buf_fini) struct buf bytes = {0};
    bool good = base64_read(text, &bytes) && bytes.len == len;
    memset(out, 0, len);
    if (good && len != 0) {
        memcpy(out, bytes.at, len);
    }
    return good;
}
