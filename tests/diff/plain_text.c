// SPDX-License-Identifier: Apache-2.0
// The string extension and the encoders: a text is an array of its code points here, nothing cleverer.
#include "diff/plain.h"

struct points {
    uint32_t *at;
    size_t len;
};

static struct points points_of(const struct plain *p, const struct value *v)
{
    struct str text = value_text(v);
    struct points out = {ARENA_ARRAY(p->arena, uint32_t, text.len + 1), 0};
    for (size_t at = 0; at < text.len;) {
        str_next_cp(text, &at, &out.at[out.len++]);
    }
    return out;
}

static struct value text_of(const struct plain *p, const uint32_t *at, size_t len)
{
    char *text = arena_alloc(p->arena, len * 4 + 1, 1);
    size_t n = 0;
    for (size_t i = 0; i < len; i++) {
        n += str_put_cp(at[i], text + n);
    }
    return value_str((struct str){text, n});
}

static bool stands_at(struct points in, struct points what, size_t place)
{
    bool is = what.len <= in.len && place <= in.len - what.len;
    for (size_t i = 0; is && i < what.len; i++) {
        is = in.at[place + i] == what.at[i];
    }
    return is;
}

// ---- Places ---------------------------------------------------------------------------------------------

static struct value char_at(const struct plain *p, const struct value *args, size_t count)
{
    struct points in = points_of(p, &args[0]);
    int64_t at = args[count - 1].as.i;
    if (at < 0 || at > (int64_t)in.len) {
        return plain_error();
    }
    return text_of(p, in.at + at, at < (int64_t)in.len ? 1 : 0);
}

static struct value index_of(const struct plain *p, const struct value *args, size_t count)
{
    struct points in = points_of(p, &args[0]), what = points_of(p, &args[1]);
    int64_t from = count == 3 ? args[2].as.i : 0;
    if (from < 0 || from > (int64_t)in.len) {
        return plain_error();
    }
    for (size_t at = (size_t)from; at <= in.len; at++) {
        if (stands_at(in, what, at)) {
            return value_int((int64_t)at);
        }
    }
    return value_int(-1);
}

static struct value last_index_of(const struct plain *p, const struct value *args, size_t count)
{
    struct points in = points_of(p, &args[0]), what = points_of(p, &args[1]);
    int64_t from = count == 3 ? args[2].as.i : (int64_t)in.len;
    if (from < 0 || from > (int64_t)in.len) {
        return plain_error();
    }
    for (; from >= 0; from--) {
        if (stands_at(in, what, (size_t)from)) {
            break;
        }
    }
    return value_int(from);
}

static struct value substring(const struct plain *p, const struct value *args, size_t count)
{
    struct points in = points_of(p, &args[0]);
    int64_t from = args[1].as.i, to = count == 3 ? args[2].as.i : (int64_t)in.len;
    if (from < 0 || to > (int64_t)in.len || from > to) {
        return plain_error();
    }
    return text_of(p, in.at + from, (size_t)(to - from));
}

// ---- Texts from texts -----------------------------------------------------------------------------------

static struct value cased(const struct plain *p, const struct value *v, uint32_t first, uint32_t add)
{
    struct points in = points_of(p, v);
    for (size_t i = 0; i < in.len; i++) {
        in.at[i] += in.at[i] >= first && in.at[i] < first + 26 ? add : 0;
    }
    return text_of(p, in.at, in.len);
}

static struct value lower(const struct plain *p, const struct value *args, size_t count)
{
    (void)count;
    return cased(p, args, 'A', 32);
}

static struct value upper(const struct plain *p, const struct value *args, size_t count)
{
    (void)count;
    return cased(p, args, 'a', UINT32_MAX - 31);
}

static struct value reversed(const struct plain *p, const struct value *args, size_t count)
{
    struct points in = points_of(p, &args[0]), out = points_of(p, &args[count - 1]);
    for (size_t i = 0; i < in.len; i++) {
        out.at[in.len - 1 - i] = in.at[i];
    }
    return text_of(p, out.at, out.len);
}

// Unicode's White_Space.
static bool is_space(uint32_t c)
{
    static const uint32_t RANGES[][2] = {
        {0x09, 0x0D},     {0x20, 0x20},     {0x85, 0x85},     {0xA0, 0xA0},     {0x1680, 0x1680},
        {0x2000, 0x200A}, {0x2028, 0x2029}, {0x202F, 0x202F}, {0x205F, 0x205F}, {0x3000, 0x3000}};
    bool is = false;
    for (size_t i = 0; i < COUNT_OF(RANGES); i++) {
        is = is || (c >= RANGES[i][0] && c <= RANGES[i][1]);
    }
    return is;
}

static struct value trimmed(const struct plain *p, const struct value *args, size_t count)
{
    struct points in = points_of(p, &args[count - 1]);
    size_t from = 0;
    while (in.len > 0 && is_space(in.at[in.len - 1])) {
        in.len--;
    }
    while (from < in.len && is_space(in.at[from])) {
        from++;
    }
    return text_of(p, in.at + from, in.len - from);
}

static void put(const struct plain *p, struct points *out, struct points more)
{
    uint32_t *at = ARENA_ARRAY(p->arena, uint32_t, out->len + more.len + 1);
    for (size_t i = 0; i < out->len + more.len; i++) {
        at[i] = i < out->len ? out->at[i] : more.at[i - out->len];
    }
    *out = (struct points){at, out->len + more.len};
}

// An empty text stands before each code point and at the end.
static struct value replaced(const struct plain *p, const struct value *args, size_t count)
{
    struct points in = points_of(p, &args[0]), old = points_of(p, &args[1]), with = points_of(p, &args[2]);
    struct points out = {0};
    int64_t left = count == 4 && args[3].as.i >= 0 ? args[3].as.i : INT64_MAX;
    for (size_t at = 0; at <= in.len;) {
        bool is = left > 0 && stands_at(in, old, at);
        left -= is;
        put(p, &out, is ? with : (struct points){0});
        if (is && old.len > 0) {
            at += old.len;
            continue;
        }
        put(p, &out, (struct points){in.at + at, at < in.len ? 1 : 0});
        at++;
    }
    return text_of(p, out.at, out.len);
}

// An empty separator stands between any two code points.
static struct value split(const struct plain *p, const struct value *args, size_t count)
{
    struct points in = points_of(p, &args[0]), by = points_of(p, &args[1]);
    int64_t most = count == 3 && args[2].as.i >= 0 ? args[2].as.i : INT64_MAX;
    struct value *list = ARENA_ARRAY(p->arena, struct value, in.len + 2);
    struct value out = {.kind = VALUE_LIST, .as.list = list};
    size_t from = 0;
    if (most == 0 || (by.len == 0 && in.len == 0)) {
        return out;
    }
    for (size_t at = by.len == 0 ? 1 : 0; at < in.len && (int64_t)out.n + 1 < most;) {
        if (!stands_at(in, by, at)) {
            at++;
            continue;
        }
        list[out.n++] = text_of(p, in.at + from, at - from);
        from = at + by.len;
        at = by.len == 0 ? at + 1 : from;
    }
    list[out.n++] = text_of(p, in.at + from, in.len - from);
    return out;
}

static struct value join(const struct plain *p, const struct value *args, size_t count)
{
    struct points out = {0};
    for (uint32_t i = 0; i < args[0].n; i++) {
        if (args[0].as.list[i].kind != VALUE_STRING) {
            return plain_error();
        }
        put(p, &out, i > 0 && count == 2 ? points_of(p, &args[1]) : (struct points){0});
        put(p, &out, points_of(p, &args[0].as.list[i]));
    }
    return text_of(p, out.at, out.len);
}

static struct value quote(const struct plain *p, const struct value *args, size_t count)
{
    static const char FROM[] = "\a\b\f\n\r\t\v\\\"", TO[] = "abfnrtv\\\"";
    struct points in = points_of(p, &args[count - 1]);
    struct points out = {ARENA_ARRAY(p->arena, uint32_t, in.len * 2 + 2), 0};
    out.at[out.len++] = '"';
    for (size_t i = 0; i < in.len; i++) {
        const char *known = in.at[i] > 0 && in.at[i] < 0x80 ? strchr(FROM, (int)in.at[i]) : NULL;
        out.at[out.len] = '\\';
        out.len += known != NULL;
        out.at[out.len++] = known != NULL ? (uint32_t)TO[known - FROM] : in.at[i];
    }
    out.at[out.len++] = '"';
    return text_of(p, out.at, out.len);
}

// ---- Encoders: bit by bit -------------------------------------------------------------------------------

static const char SIGNS[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

static struct value encode(const struct plain *p, const struct value *args, size_t count)
{
    struct str bytes = value_text(&args[count - 1]);
    char *text = arena_alloc(p->arena, bytes.len * 2 + 4, 1);
    size_t n = 0;
    for (size_t bit = 0; bit < bytes.len * 8; bit += 6) {
        unsigned sign = 0;
        for (size_t i = bit; i < bit + 6; i++) {
            sign = sign * 2 + (i / 8 < bytes.len && ((unsigned char)bytes.at[i / 8] >> (7 - i % 8) & 1) != 0);
        }
        text[n++] = SIGNS[sign];
    }
    while (n % 4 != 0) {
        text[n++] = '=';
    }
    return value_str((struct str){text, n});
}

// With the signs that fill the last four, or with none of them.
static struct value decode(const struct plain *p, const struct value *args, size_t count)
{
    struct str text = value_text(&args[count - 1]);
    size_t n = 0, all = text.len;
    while (text.len > 0 && all % 4 == 0 && all - text.len < 2 && text.at[text.len - 1] == '=') {
        text.len--;
    }
    unsigned char *bytes = arena_zero(p->arena, text.len + 1, 1, 1);
    for (size_t i = 0; i < text.len; i++) {
        const char *sign = text.at[i] != '\0' ? strchr(SIGNS, text.at[i]) : NULL;
        if (sign == NULL || text.len % 4 == 1) {
            return plain_error();
        }
        for (unsigned bit = 0; bit < 6; bit++, n++) {
            bytes[n / 8] |= (unsigned char)(((sign - SIGNS) >> (5 - bit) & 1) << (7 - n % 8));
        }
    }
    return (struct value){.kind = VALUE_BYTES, .n = (uint32_t)(n / 8), .as.text = (const char *)bytes};
}

// ---- By name and by what they take ----------------------------------------------------------------------

static const struct {
    const char *name, *takes; // s: text, i: integer, l: list, y: bytes
    struct value (*code)(const struct plain *p, const struct value *args, size_t count);
} FUNCTIONS[] = {
    {"charAt", "si", char_at},
    {"indexOf", "ss", index_of},
    {"indexOf", "ssi", index_of},
    {"substring", "si", substring},
    {"lastIndexOf", "ss", last_index_of},
    {"lastIndexOf", "ssi", last_index_of},
    {"lowerAscii", "s", lower},
    {"upperAscii", "s", upper},
    {"substring", "sii", substring},
    {"replace", "sss", replaced},
    {"replace", "sssi", replaced},
    {"split", "ss", split},
    {"split", "ssi", split},
    {"trim", "s", trimmed},
    {"reverse", "s", reversed},
    {"join", "l", join},
    {"join", "ls", join},
    {"strings.quote", "s", quote},
    {"base64.encode", "y", encode},
    {"base64.decode", "s", decode},
};

static bool taken(const char *takes, const struct value *args, size_t count)
{
    static const uint8_t KINDS[] = {
        ['s'] = VALUE_STRING, ['i'] = VALUE_INT, ['l'] = VALUE_LIST, ['y'] = VALUE_BYTES};
    bool all = strlen(takes) == count;
    for (size_t i = 0; all && i < count; i++) {
        all = KINDS[(unsigned char)takes[i]] == args[i].kind;
    }
    return all;
}

bool plain_text(const struct plain *p, struct str name, const struct value *args, size_t count,
                struct value *out)
{
    bool known = false;
    *out = plain_error();
    for (size_t i = 0; i < COUNT_OF(FUNCTIONS); i++) {
        bool is = str_eq(name, str_of(FUNCTIONS[i].name));
        known = known || is;
        if (is && taken(FUNCTIONS[i].takes, args, count)) {
            *out = FUNCTIONS[i].code(p, args, count);
        }
    }
    return known;
}
