// SPDX-License-Identifier: Apache-2.0
#include "base/str.h"

#include "base/num.h"

#include <locale.h>
#include <stdlib.h>

int str_cmp(struct str a, struct str b)
{
    size_t least = a.len < b.len ? a.len : b.len;
    int order = least == 0 ? 0 : memcmp(a.at, b.at, least);
    return order != 0 ? order : (a.len > b.len) - (a.len < b.len);
}

bool str_starts(struct str s, struct str prefix)
{
    return s.len >= prefix.len && (prefix.len == 0 || memcmp(s.at, prefix.at, prefix.len) == 0);
}

bool str_ends(struct str s, struct str suffix)
{
    return s.len >= suffix.len && str_eq(str_sub(s, s.len - suffix.len, suffix.len), suffix);
}

size_t str_find_byte(struct str s, char byte, size_t from)
{
    if (from >= s.len) {
        return s.len;
    }
    const char *at = memchr(s.at + from, byte, s.len - from);
    return at != NULL ? (size_t)(at - s.at) : s.len;
}

size_t str_find(struct str s, struct str needle, size_t from)
{
    if (from > s.len) {
        return SIZE_MAX;
    }
    if (needle.len == 0) {
        return from;
    }
    const char *at = s.len == from ? NULL : memmem(s.at + from, s.len - from, needle.at, needle.len);
    return at != NULL ? (size_t)(at - s.at) : SIZE_MAX;
}

static bool is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

struct str str_trim(struct str s)
{
    while (s.len > 0 && is_space(s.at[0])) {
        s = str_sub(s, 1, s.len);
    }
    while (s.len > 0 && is_space(s.at[s.len - 1])) {
        s.len--;
    }
    return s;
}

// How many bytes a sequence takes by its first byte, and the least code point of that length.
static size_t cp_length(unsigned char first, uint32_t *least)
{
    if (first < 0x80) {
        *least = 0;
        return 1;
    }
    if (first >= 0xC2 && first <= 0xDF) {
        *least = 0x80;
        return 2;
    }
    if ((first & 0xF0) == 0xE0) {
        *least = 0x800;
        return 3;
    }
    *least = 0x10000;
    return first >= 0xF0 && first <= 0xF4 ? 4 : 0;
}

bool str_next_cp(struct str s, size_t *at, uint32_t *cp)
{
    static const unsigned char FIRST_BITS[5] = {0, 0x7F, 0x1F, 0x0F, 0x07};
    const unsigned char *bytes = (const unsigned char *)s.at + *at;
    uint32_t least = 0;
    size_t len = cp_length(bytes[0], &least);
    *cp = 0xFFFD;
    if (len == 0 || len > s.len - *at) {
        *at += 1;
        return false;
    }
    uint32_t value = bytes[0] & FIRST_BITS[len];
    for (size_t i = 1; i < len; i++) {
        if ((bytes[i] & 0xC0) != 0x80) {
            *at += 1;
            return false;
        }
        value = value << 6 | (bytes[i] & 0x3F);
    }
    if (value < least || value > 0x10FFFF || (value >= 0xD800 && value <= 0xDFFF)) {
        *at += 1;
        return false;
    }
    *at += len;
    *cp = value;
    return true;
}

// Nothing but ASCII, which nearly all text is. What is left over at the end is read together with what is
// before it.
static inline bool is_ascii(struct str s)
{
    uint64_t seen = 0, eight = 0;
    uint32_t four = 0;
    if (s.len >= sizeof eight) {
        for (size_t at = 0; s.len - at > sizeof eight; at += sizeof eight) {
            memcpy(&eight, s.at + at, sizeof eight);
            seen |= eight;
        }
        memcpy(&eight, s.at + s.len - sizeof eight, sizeof eight);
        seen |= eight;
    } else if (s.len >= sizeof four) {
        memcpy(&four, s.at, sizeof four);
        seen = four;
        memcpy(&four, s.at + s.len - sizeof four, sizeof four);
        seen |= four;
    } else {
        for (size_t at = 0; at < s.len; at++) {
            seen |= (unsigned char)s.at[at];
        }
    }
    return (seen & UINT64_C(0x8080808080808080)) == 0;
}

bool str_is_utf8(struct str s)
{
    size_t at = 0;
    if (is_ascii(s)) {
        return true;
    }
    while (at < s.len) {
        uint64_t eight = 0;
        while (s.len - at >= sizeof eight) {
            memcpy(&eight, s.at + at, sizeof eight);
            if ((eight & UINT64_C(0x8080808080808080)) != 0) {
                break;
            }
            at += sizeof eight;
        }
        if (at == s.len) {
            break;
        }
        if ((unsigned char)s.at[at] < 0x80) {
            at++;
            continue;
        }
        uint32_t cp = 0;
        if (!str_next_cp(s, &at, &cp)) {
            return false;
        }
    }
    return true;
}

size_t str_put_cp(uint32_t cp, char out[4])
{
    if (cp > 0x10FFFF || (cp >= 0xD800 && cp <= 0xDFFF)) {
        return 0;
    }
    if (cp < 0x80) {
        out[0] = (char)cp;
        return 1;
    }
    size_t len = cp < 0x800 ? 2 : cp < 0x10000 ? 3 : 4;
    static const unsigned char MARK[5] = {0, 0, 0xC0, 0xE0, 0xF0};
    for (size_t i = len; i-- > 1;) {
        out[i] = (char)(0x80 | (cp & 0x3F));
        cp >>= 6;
    }
    out[0] = (char)(MARK[len] | cp);
    return len;
}

size_t str_count_cp(struct str s)
{
    size_t count = 0;
    for (size_t i = 0; i < s.len; i++) {
        count += ((unsigned char)s.at[i] & 0xC0) != 0x80;
    }
    return count;
}

bool str_to_u64(struct str s, uint64_t *out)
{
    uint64_t value = 0;
    if (s.len == 0) {
        return false;
    }
    for (size_t i = 0; i < s.len; i++) {
        unsigned digit = (unsigned)(unsigned char)s.at[i] - '0';
        if (digit > 9 || !num_mul(value, UINT64_C(10), &value) || !num_add(value, (uint64_t)digit, &value)) {
            return false;
        }
    }
    *out = value;
    return true;
}

bool str_to_i64(struct str s, int64_t *out)
{
    bool negative = s.len > 0 && s.at[0] == '-';
    uint64_t magnitude = 0;
    if (!str_to_u64(negative ? str_sub(s, 1, s.len) : s, &magnitude)) {
        return false;
    }
    if (magnitude > (uint64_t)INT64_MAX + (negative ? 1 : 0)) {
        return false;
    }
    *out = negative ? (int64_t)(0 - magnitude) : (int64_t)magnitude;
    return true;
}

// Digits, at most one point, an exponent with digits: what strtod may then be trusted with.
static bool looks_decimal(struct str s)
{
    size_t at = s.len > 0 && (s.at[0] == '-' || s.at[0] == '+');
    size_t digits = 0;
    for (bool point = false; at < s.len; at++) {
        char c = s.at[at];
        if (c == '.' && !point) {
            point = true;
        } else if (c >= '0' && c <= '9') {
            digits++;
        } else {
            break;
        }
    }
    if (digits == 0 || at == s.len) {
        return digits > 0;
    }
    if (s.at[at] != 'e' && s.at[at] != 'E') {
        return false;
    }
    at++;
    at += at < s.len && (s.at[at] == '-' || s.at[at] == '+');
    size_t first = at;
    while (at < s.len && s.at[at] >= '0' && s.at[at] <= '9') {
        at++;
    }
    return at == s.len && at > first;
}

bool str_to_double(struct str s, double *out)
{
    char text[400];
    if (s.len == 0 || s.len >= sizeof text || !looks_decimal(s)) {
        return false;
    }
    memcpy(text, s.at, s.len);
    text[s.len] = '\0';
    static locale_t c_locale; // made once; the race of two makers is harmless
    locale_t mine = __atomic_load_n(&c_locale, __ATOMIC_ACQUIRE);
    if (mine == (locale_t)0) {
        mine = newlocale(LC_ALL_MASK, "C", (locale_t)0);
        __atomic_store_n(&c_locale, mine, __ATOMIC_RELEASE);
    }
    char *end = NULL;
    double value = mine != (locale_t)0 ? strtod_l(text, &end, mine) : strtod(text, &end);
    if (end != text + s.len || __builtin_isinf(value)) {
        return false;
    }
    *out = value;
    return true;
}

enum {
    NEAREST_MAX = 64
};

// Edit distance with transpositions, both texts at most NEAREST_MAX bytes.
static size_t distance(struct str a, struct str b)
{
    size_t rows[3][NEAREST_MAX + 1];
    size_t *before = rows[0], *last = rows[1], *now = rows[2];
    for (size_t j = 0; j <= b.len; j++) {
        last[j] = j;
        before[j] = j;
    }
    for (size_t i = 1; i <= a.len; i++) {
        now[0] = i;
        for (size_t j = 1; j <= b.len; j++) {
            bool same = a.at[i - 1] == b.at[j - 1];
            size_t best = last[j - 1] + (same ? 0 : 1);
            best = last[j] + 1 < best ? last[j] + 1 : best;
            best = now[j - 1] + 1 < best ? now[j - 1] + 1 : best;
            bool swapped = i > 1 && j > 1 && a.at[i - 1] == b.at[j - 2] && a.at[i - 2] == b.at[j - 1];
            if (swapped && before[j - 2] + 1 < best) {
                best = before[j - 2] + 1;
            }
            now[j] = best;
        }
        size_t *spare = before;
        before = last;
        last = now;
        now = spare;
    }
    return last[b.len];
}

int str_nearest(struct str s, const struct str *names, size_t count)
{
    int best = -1;
    size_t least = s.len / 3 + 1;
    for (size_t i = 0; s.len > 0 && s.len <= NEAREST_MAX && i < count; i++) {
        if (names[i].len == 0 || names[i].len > NEAREST_MAX) {
            continue;
        }
        size_t d = distance(s, names[i]);
        if (d < least) {
            least = d;
            best = (int)i;
        }
    }
    return best;
}
