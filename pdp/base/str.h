// SPDX-License-Identifier: Apache-2.0
// Text as pointer and length: never NUL-terminated by promise, may hold any byte.
#ifndef BASE_STR_H
#define BASE_STR_H

#include "base/err.h"

#include <string.h>

struct str {
    const char *at; // may be NULL when len is 0
    size_t len;
};

#define STR(literal) ((struct str){"" literal, sizeof(literal) - 1})
#define STR_FMT "%.*s"
#define STR_ARG(s) (int)((s).len > 4096 ? 4096 : (s).len), ((s).at != NULL ? (s).at : "")

static inline struct str str_of(const char *c)
{
    return (struct str){c, c != NULL ? strlen(c) : 0};
}

static inline bool str_eq(struct str a, struct str b)
{
    return a.len == b.len && (a.len == 0 || memcmp(a.at, b.at, a.len) == 0);
}

static inline struct str str_sub(struct str s, size_t from, size_t len)
{
    from = from < s.len ? from : s.len;
    len = len < s.len - from ? len : s.len - from;
    return (struct str){s.at != NULL ? s.at + from : NULL, len};
}

// Bytewise order: negative, zero or positive.
int str_cmp(struct str a, struct str b);
bool str_starts(struct str s, struct str prefix);
bool str_ends(struct str s, struct str suffix);
// Place of the first `byte` at or after `from`, or s.len.
size_t str_find_byte(struct str s, char byte, size_t from);
// Place of `needle` at or after `from`, or SIZE_MAX. An empty needle is found at `from`.
size_t str_find(struct str s, struct str needle, size_t from);
// ASCII space, tab, CR and LF off both ends.
struct str str_trim(struct str s);

// Well-formed UTF-8 (no surrogates, no overlong forms, at most U+10FFFF)? ASCII runs 8 bytes a step.
bool str_is_utf8(struct str s);
// Decodes the code point at *at (which must be < s.len) and moves *at past it.
// false, with *at moved by one byte and *cp U+FFFD, where the bytes are not UTF-8.
bool str_next_cp(struct str s, size_t *at, uint32_t *cp);
// Writes a code point, at most 4 bytes; returns how many, 0 for what is no scalar value.
size_t str_put_cp(uint32_t cp, char out[4]);
// Code points in valid UTF-8.
size_t str_count_cp(struct str s);

// Decimal int64 or uint64, whole text, no sign but a leading '-': false where it is not, or does not fit.
bool str_to_i64(struct str s, int64_t *out);
bool str_to_u64(struct str s, uint64_t *out);
// Decimal floating point, whole text, as strtod in the C locale without hex, inf or nan; false too where it is too
// large for a double.
bool str_to_double(struct str s, double *out);

// The nearest of `names` to `s` for "did you mean", or -1: at most a third of its letters may differ.
int str_nearest(struct str s, const struct str *names, size_t count);

#endif
