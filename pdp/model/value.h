// SPDX-License-Identifier: Apache-2.0
// One value of a question or a condition: 16 bytes, borrowed from the request's or snapshot's arena.
#ifndef MODEL_VALUE_H
#define MODEL_VALUE_H

#include "base/ip.h"
#include "base/str.h"

// A zeroed value is an error, so that what was never set can only be unsure.
// X(name, the word that users know)
#define VALUE_KIND_LIST(X)    \
    X(ERROR, "error")         \
    X(NULL, "null")           \
    X(BOOL, "bool")           \
    X(INT, "int")             \
    X(UINT, "uint")           \
    X(DOUBLE, "double")       \
    X(STRING, "string")       \
    X(BYTES, "bytes")         \
    X(LIST, "list")           \
    X(MAP, "map")             \
    X(TIMESTAMP, "timestamp") \
    X(DURATION, "duration")   \
    X(IP, "ip")               \
    X(CIDR, "cidr")           \
    X(LEVEL, "level")         \
    X(STRENGTH, "strength")   \
    X(TYPE, "type")           \
    X(OPTIONAL, "optional")   \
    X(SET, "list document")

enum value_kind {
#define X(name, text) VALUE_##name,
    VALUE_KIND_LIST(X)
#undef X
    VALUE_KIND_COUNT
};

struct value {
    uint8_t kind; // enum value_kind
    uint8_t flag; // OPTIONAL: 1 holds a value; DURATION: 1 is negative and shorter than a second
    uint16_t spare;
    uint32_t
        n; // length of text, bytes, list, map (in entries); error kind; nanoseconds 0..999999999: of a
           // timestamp on top of floored seconds, of a duration the magnitude with the sign of its seconds
           // (-1.5 s is -1 and 500000000; below a second flag 1 says that it is negative)
    union {
        bool b;
        int64_t i; // INT; TIMESTAMP and DURATION: seconds; LEVEL, STRENGTH, SET, TYPE: index; ERROR: detail
        uint64_t u;
        double d;
        const char *text;              // STRING, BYTES
        const struct value *list;      // LIST; OPTIONAL: the one value
        const struct value_entry *map; // MAP, in the order of the text
        const struct ip *ip;
        const struct cidr *cidr;
    } as;
};

struct value_entry {
    struct value key, value;
};

static inline struct value value_null(void)
{
    return (struct value){.kind = VALUE_NULL};
}

static inline struct value value_bool(bool b)
{
    return (struct value){.kind = VALUE_BOOL, .as.b = b};
}

static inline struct value value_int(int64_t i)
{
    return (struct value){.kind = VALUE_INT, .as.i = i};
}

static inline struct value value_double(double d)
{
    return (struct value){.kind = VALUE_DOUBLE, .as.d = d};
}

static inline struct value value_str(struct str s)
{
    return (struct value){.kind = VALUE_STRING, .n = (uint32_t)s.len, .as.text = s.at};
}

// A point in time from milliseconds since 1970; floor, so nanos are never negative.
static inline struct value value_time_ms(int64_t ms)
{
    int64_t s = ms / 1000 - (ms % 1000 < 0);
    return (struct value){.kind = VALUE_TIMESTAMP, .n = (uint32_t)((ms - s * 1000) * 1000000), .as.i = s};
}

static inline struct str value_text(const struct value *v)
{
    return (struct str){v->as.text, v->n};
}

static inline bool value_is_text(const struct value *v, struct str s)
{
    return v->kind == VALUE_STRING && str_eq(value_text(v), s);
}

// The entry of a MAP with this text as its key, or NULL (also where `map` is NULL or no map). Linear.
const struct value *value_get(const struct value *map, struct str key);
// `a.b.c` through nested maps, or NULL. A key that holds a dot cannot be reached so.
const struct value *value_path(const struct value *map, struct str dotted);
const char *value_kind_name(enum value_kind kind);
// JSON-like text for people and explanations; text is escaped and cut at `most` bytes in all.
void value_print(struct buf *out, const struct value *v, size_t most);

#endif
