// SPDX-License-Identifier: Apache-2.0
// What the adapters share at the bottom: a piece of text, and marks for the compiler.
#ifndef COMMON_TEXT_H
#define COMMON_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <strings.h>

#define MUST_USE __attribute__((warn_unused_result))
#define COUNT_OF(array) (sizeof(array) / sizeof *(array))
#define TEXT(literal) ((struct text){(literal), sizeof(literal) - 1})

// Borrowed bytes, with no NUL behind them. Nothing there: `at` is NULL; empty text is not NULL.
struct text {
    const char *at;
    size_t len;
};

static inline struct text text_of(const char *c)
{
    return (struct text){c, c != NULL ? strlen(c) : 0};
}

static inline bool text_eq(struct text a, struct text b)
{
    return a.len == b.len && (a.len == 0 || memcmp(a.at, b.at, a.len) == 0);
}

// Names of headers: ASCII case does not count.
static inline bool text_is(struct text a, const char *name)
{
    return a.at != NULL && strlen(name) == a.len && strncasecmp(a.at, name, a.len) == 0;
}

// Without spaces and tabs around it.
static inline struct text text_trim(struct text a)
{
    while (a.len > 0 && (a.at[0] == ' ' || a.at[0] == '\t')) {
        a = (struct text){a.at + 1, a.len - 1};
    }
    while (a.len > 0 && (a.at[a.len - 1] == ' ' || a.at[a.len - 1] == '\t')) {
        a.len--;
    }
    return a;
}

// Takes what stands in front of the first `byte` off *rest, and the byte with it; all of it where there is
// none. false, with *out empty: nothing was left.
static inline bool text_cut(struct text *rest, char byte, struct text *out)
{
    *out = (struct text){0};
    if (rest->at == NULL) {
        return false;
    }
    const char *found = rest->len > 0 ? memchr(rest->at, byte, rest->len) : NULL;
    size_t len = found != NULL ? (size_t)(found - rest->at) : rest->len;
    *out = (struct text){rest->at, len};
    *rest = found != NULL ? (struct text){found + 1, rest->len - len - 1} : (struct text){0};
    return true;
}

#endif
