// SPDX-License-Identifier: Apache-2.0
// HOT
#include "model/path.h"

// ---- What each byte may be ---------------------------------------------------------------------

enum {
    AS_IS = 1,     // stands for itself in a path (RFC 3986 pchar without `;`, and `/`)
    AMBIGUOUS = 2, // refused, encoded or not
};

// clang-format off
#define ROW_OF(x) x, x, x, x, x, x, x, x, x, x, x, x, x, x, x, x
static const uint8_t BYTES[256] = {
    ROW_OF(AMBIGUOUS), ROW_OF(AMBIGUOUS), // control bytes
    //   ! " #  $ % & '  ( ) * +  , - . /
    0, 1, 0, 2, 1, 0, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1,
    // 0 to 9        : ; <  = > ?
    1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 2, 0, 1, 0, 0,
    // @ A to O
    ROW_OF(1),
    // P to Z                        [ \ ] ^ _
    1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 0, 2, 0, 0, 1,
    // ` a to o
    0, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1,
    // p to z                        { | } ~ DEL
    1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 0, 0, 0, 1, 2,
    // from 0x80: zero, to be encoded; whether they are text is seen apart
};
// clang-format on

static const char WHY_CONTROL[] = "holds a control byte";
static const char WHY_ESCAPE[] = "holds a `%` that is not followed by two hexadecimal digits";

static const char *why_not(unsigned char byte)
{
    switch (byte) {
    case ';':
        return "holds `;`, which some servers cut off and some do not";
    case '\\':
        return "holds `\\`, which some servers read as `/`";
    case '#':
        return "holds `#`, where some servers end the path and some do not";
    default:
        return WHY_CONTROL;
    }
}

static int hex_digit(unsigned char c)
{
    if (c >= '0' && c <= '9') {
        return c - '0';
    }
    unsigned char lower = c | 0x20;
    return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

// ---- Decode, judge, encode ---------------------------------------------------------------------

static enum pdp_err refuse(const char **why, const char *text)
{
    *why = text;
    return PDP_ERR_MALFORMED;
}

// The byte behind an escape at raw[at], which is the `%`; -1 where it is no escape.
static int escaped_byte(struct str raw, size_t at)
{
    if (raw.len - at < 3) {
        return -1;
    }
    int high = hex_digit((unsigned char)raw.at[at + 1]);
    int low = hex_digit((unsigned char)raw.at[at + 2]);
    return high < 0 || low < 0 ? -1 : high << 4 | low;
}

// All escapes decoded once into `plain`, which has room for raw.len bytes.
static enum pdp_err decode(struct str raw, char *plain, size_t *len, const char **why)
{
    for (size_t at = 0; at < raw.len; at++) {
        unsigned char byte = (unsigned char)raw.at[at];
        if (byte == '%') {
            int decoded = escaped_byte(raw, at);
            if (decoded < 0) {
                return refuse(why, WHY_ESCAPE);
            }
            if (decoded == '/') {
                return refuse(why, "holds an encoded `/`, which some servers decode and some do not");
            }
            byte = (unsigned char)decoded;
            at += 2;
            // An encoded `#` is data, as `?` is: only the bare one may end the path.
            if (byte == '#') {
                plain[(*len)++] = '#';
                continue;
            }
        }
        if (BYTES[byte] == AMBIGUOUS) {
            return refuse(why, why_not(byte));
        }
        plain[(*len)++] = (char)byte;
    }
    return PDP_ERR_OK;
}

// Some servers cut dots and blanks off the end of a name, and some decode before they look for `?` and `#`.
static bool reads_as_dots(struct str segment)
{
    size_t at = 0;
    while (at < segment.len && (segment.at[at] == '.' || segment.at[at] == ' ')) {
        at++;
    }
    bool ends = at == segment.len || segment.at[at] == '?' || segment.at[at] == '#';
    return segment.len > 0 && segment.at[0] == '.' && ends;
}

static enum pdp_err check_segment(struct str segment, bool last, const char **why)
{
    if (segment.len == 0 && !last) {
        return refuse(why, "holds an empty segment (`//`), which some servers drop and some do not");
    }
    bool dots = str_eq(segment, STR(".")) || str_eq(segment, STR(".."));
    if (dots) {
        return refuse(why, "holds a `.` or `..` segment");
    }
    return reads_as_dots(segment)
               ? refuse(why, "holds a segment of dots and blanks, which some servers read as `.` or `..`")
               : PDP_ERR_OK;
}

static enum pdp_err check_segments(struct str plain, const char **why)
{
    for (size_t at = 1; at <= plain.len;) {
        size_t end = str_find_byte(plain, '/', at);
        TRY(check_segment(str_sub(plain, at, end - at), end == plain.len, why));
        at = end + 1;
    }
    return PDP_ERR_OK;
}

// What a server that decodes twice would read as another path. `%u002f` is an escape of some servers.
static enum pdp_err check_escapes_left(struct str plain, const char **why)
{
    for (size_t at = str_find_byte(plain, '%', 0); at < plain.len; at = str_find_byte(plain, '%', at + 1)) {
        bool wide = at + 1 < plain.len && (plain.at[at + 1] | 0x20) == 'u';
        if (wide || escaped_byte(plain, at) >= 0) {
            return refuse(why, "is encoded twice");
        }
    }
    return PDP_ERR_OK;
}

static enum pdp_err check_text(struct str plain, const char **why)
{
    if (!str_is_utf8(plain)) {
        return refuse(why, "is not UTF-8 once decoded");
    }
    for (size_t at = 0; at + 1 < plain.len; at++) {
        // U+0080 to U+009F: control characters, two bytes long.
        if ((unsigned char)plain.at[at] == 0xc2 && (unsigned char)plain.at[at + 1] < 0xa0) {
            return refuse(why, WHY_CONTROL);
        }
    }
    return PDP_ERR_OK;
}

static enum pdp_err encode(struct str plain, struct arena *arena, struct str *out)
{
    static const char HEX[] = "0123456789ABCDEF";
    size_t room = 0;
    for (size_t i = 0; i < plain.len; i++) {
        room += BYTES[(unsigned char)plain.at[i]] == AS_IS ? 1 : 3;
    }
    char *text = arena_alloc(arena, room, 1);
    if (text == NULL) {
        return PDP_ERR_NOMEM;
    }
    size_t len = 0;
    for (size_t i = 0; i < plain.len; i++) {
        unsigned char byte = (unsigned char)plain.at[i];
        if (BYTES[byte] == AS_IS) {
            text[len++] = (char)byte;
        } else {
            text[len++] = '%';
            text[len++] = HEX[byte >> 4];
            text[len++] = HEX[byte & 15];
        }
    }
    *out = (struct str){text, len};
    return PDP_ERR_OK;
}

static bool all_as_is(struct str path)
{
    for (size_t i = 0; i < path.len; i++) {
        if (BYTES[(unsigned char)path.at[i]] != AS_IS) {
            return false;
        }
    }
    return true;
}

enum pdp_err path_canonical(struct str raw, struct arena *arena, struct str *out, const char **why)
{
    *out = (struct str){0};
    *why = "";
    struct str path = str_sub(raw, 0, str_find_byte(raw, '?', 0));
    if (path.len == 0 || path.at[0] != '/') {
        return refuse(why, "does not start with `/`");
    }
    if (all_as_is(path)) {
        TRY(check_segments(path, why));
        *out = path;
        return PDP_ERR_OK;
    }
    char *bytes = arena_alloc(arena, path.len, 1);
    if (bytes == NULL) {
        return PDP_ERR_NOMEM;
    }
    size_t len = 0;
    TRY(decode(path, bytes, &len, why));
    struct str plain = {bytes, len};
    TRY(check_text(plain, why));
    TRY(check_segments(plain, why));
    TRY(check_escapes_left(plain, why));
    return encode(plain, arena, out);
}
