// SPDX-License-Identifier: Apache-2.0
#include "wire/wire.h"

#include <criterion/criterion.h>

static enum pdp_err decode(struct str bytes, struct arena *arena, struct value *out, struct fault *why)
{
    *why = (struct fault){0};
    return wire_decode(WIRE_JSON, bytes, arena, out, why);
}

#define DEEP_15 "[[[[[[[[[[[[[[["
#define SHUT_15 "]]]]]]]]]]]]]]]"

// ---- What is read, written again ---------------------------------------------------------------

static const struct {
    struct str in;
    const char *out;
} GOOD[] = {
#define ROW(in, out)              \
    {                             \
        {in, sizeof(in) - 1}, out \
    }
    ROW("null", "null"),
    ROW("true", "true"),
    ROW(" \t\r\n false \n", "false"),
    ROW("0", "0"),
    ROW("-0", "0"),
    ROW("1", "1"),
    ROW("1.0", "1.0"),
    ROW("1e2", "100.0"),
    ROW("-0.0", "-0.0"),
    ROW("0.1", "0.1"),
    ROW("0.30000000000000004", "0.30000000000000004"),
    ROW("1e300", "1e+300"),
    ROW("1e-400", "0.0"),
    ROW("9223372036854775807", "9223372036854775807"),
    ROW("-9223372036854775808", "-9223372036854775808"),
    ROW("\"\"", "\"\""),
    ROW("\"a\\u0000b\"", "\"a\\u0000b\""),
    ROW("\"\\u00fc\\ud83d\\udcb0\"", "\"\xc3\xbc\xf0\x9f\x92\xb0\""),
    ROW("\"\\/\\b\\f\\n\\r\\t\\\"\\\\\"", "\"/\\b\\f\\n\\r\\t\\\"\\\\\""),
    ROW("\"\x7f\"", "\"\\u007f\""),
    ROW("[]", "[]"),
    ROW("{}", "{}"),
    ROW("[1,2.5,\"x\",null,[true]]", "[1,2.5,\"x\",null,[true]]"),
    ROW("{\"b\":1,\"a\":{\"\":2}}", "{\"b\":1,\"a\":{\"\":2}}"),
    ROW(DEEP_15 "[]" SHUT_15, DEEP_15 "[]" SHUT_15),
    ROW("[\"[[[[[[[[[[[[[[[[[[[[\\\"[[[[[[[[[[[[[[[[[[\"]",
        "[\"[[[[[[[[[[[[[[[[[[[[\\\"[[[[[[[[[[[[[[[[[[\"]"),
};

Test(wire_json, reads)
{
    for (size_t i = 0; i < COUNT_OF(GOOD); i++) {
        struct arena arena;
        struct value v;
        struct fault why;
        struct buf out = {0};
        struct emit emit;
        arena_init(&arena, 0, 0);
        cr_expect_eq(decode(GOOD[i].in, &arena, &v, &why), PDP_ERR_OK, "%s: %s", GOOD[i].in.at, why.what);
        emit_init(&emit, WIRE_JSON, &out);
        emit_value(&emit, &v);
        cr_expect(str_eq(buf_view(&out), str_of(GOOD[i].out)), "%s: %.*s", GOOD[i].in.at,
                  STR_ARG(buf_view(&out)));
        buf_fini(&out);
        arena_fini(&arena);
    }
}

static const struct {
    struct str in;
    const char *field, *what;
} BAD[] = {
#define NO(in, field, what)               \
    {                                     \
        {in, sizeof(in) - 1}, field, what \
    }
    NO("", "byte 0", "input ends within"),
    NO("{", "byte 1", "input ends within"),
    NO("{\"a\":1", "byte 6", "input ends within"),
    NO("\"a", "byte 2", "input ends within"),
    NO("{}{}", "byte 3", "bytes after the value"),
    NO("1 x", "byte 3", "bytes after the value"),
    NO("{\"a\":1,\"a\":1}", "byte 10", "given twice"),
    NO("{\"a\":1,\"\\u0061\":2}", "byte 15", "given twice"),
    NO("{\"b\":{\"a\":1,\"c\":1,\"a\":null}}", "byte ", "given twice"),
    NO("\"\xff\"", "byte ", "UTF-8"),
    NO("\"\xc0\xaf\"", "byte ", "UTF-8"),
    NO("\"\xed\xa0\x80\"", "byte ", "UTF-8"),
    NO("\"\\ud800\"", "byte ", "syntax"),
    NO("\"\\udc00\\ud800\"", "byte ", "syntax"),
    NO("9223372036854775808", "byte 19", "out of range"),
    NO("-9223372036854775809", "byte 20", "out of range"),
    NO("18446744073709551615", "byte 20", "out of range"),
    NO("1e309", "byte 5", "out of range"),
    NO("{\"a\\u0000b\":1}", "byte ", "NUL byte in a key"),
    NO("\xef\xbb\xbf{}", "byte ", "syntax"),
    NO("NaN", "byte ", "syntax"),
    NO("Infinity", "byte ", "syntax"),
    NO("01", "byte ", "syntax"),
    NO("+1", "byte ", "syntax"),
    NO(".5", "byte ", "syntax"),
    NO("1.", "byte ", "syntax"),
    NO("'a'", "byte ", "syntax"),
    NO("[1,]", "byte ", "syntax"),
    NO("{\"a\":1,}", "byte ", "syntax"),
    NO("{a:1}", "byte ", "syntax"),
    NO("{1:1}", "byte ", "syntax"),
    NO("// c\n1", "byte ", "syntax"),
    NO("\"a\nb\"", "byte ", "syntax"),
    NO("\"\\x\"", "byte ", "syntax"),
    NO("nul", "byte ", "syntax"),
    NO("1\0", "byte 1", "NUL byte"),
    NO("{}\0{}", "byte 2", "NUL byte"),
    NO("[1,\0 2]", "byte 3", "NUL byte"),
    NO("\"a\0b\"", "byte 2", "NUL byte"),
    NO(DEEP_15 "[[]]" SHUT_15, "byte 16", "nested more than 16 deep"),
    NO(DEEP_15 "[{\"a\":1}]" SHUT_15, "byte 16", "nested more than 16 deep"),
    NO("\"\\\\\"" DEEP_15 "[[", "byte 20", "nested more than 16 deep"),
};

Test(wire_json, refuses)
{
    for (size_t i = 0; i < COUNT_OF(BAD); i++) {
        struct arena arena;
        struct value v = value_bool(true);
        struct fault why;
        arena_init(&arena, 0, 0);
        cr_expect_eq(decode(BAD[i].in, &arena, &v, &why), PDP_ERR_MALFORMED, "%s", BAD[i].in.at);
        cr_expect_eq(strncmp(why.field, BAD[i].field, strlen(BAD[i].field)), 0, "%s: %s", BAD[i].in.at,
                     why.field);
        cr_expect_not_null(strstr(why.what, BAD[i].what), "%s: %s", BAD[i].in.at, why.what);
        cr_expect_eq(v.kind, VALUE_NULL);
        cr_expect_eq(wire_decode(WIRE_JSON, BAD[i].in, &arena, &v, NULL), PDP_ERR_MALFORMED);
        arena_fini(&arena);
    }
}

Test(wire_json, sizes_are_bounded)
{
    struct buf in = {0};
    struct arena arena;
    struct value v;
    struct fault why;
    arena_init(&arena, 0, 4 * 1024 * 1024);
    while (in.len < REQUEST_BYTES_MAX) {
        buf_byte(&in, '[');
    }
    cr_expect_eq(decode(buf_view(&in), &arena, &v, &why), PDP_ERR_MALFORMED);
    memset(in.at, ' ', in.len);
    in.at[0] = '1';
    cr_expect_eq(decode(buf_view(&in), &arena, &v, &why), PDP_ERR_OK);
    buf_byte(&in, ' ');
    cr_expect_eq(decode(buf_view(&in), &arena, &v, &why), PDP_ERR_MALFORMED);
    cr_expect_str_eq(why.what, "input is longer than 65536 bytes");
    cr_expect_eq(wire_decode_most(WIRE_JSON, buf_view(&in), SIZE_MAX, &arena, &v, &why), PDP_ERR_OK);
    buf_fini(&in);
    arena_fini(&arena);
}

Test(wire_json, a_full_arena_is_out_of_memory)
{
    static const struct str INPUTS[] = {{"[1]", 3}, {"{\"a\":1}", 7}, {"\"a\"", 3}, {"{\"\":\"abc\"}", 10}};
    for (size_t i = 0; i < COUNT_OF(INPUTS); i++) {
        struct arena arena;
        struct value v = value_bool(true);
        struct fault why;
        arena_init(&arena, 64, 1);
        cr_expect_eq(decode(INPUTS[i], &arena, &v, &why), PDP_ERR_NOMEM, "%s", INPUTS[i].at);
        cr_expect_eq(v.kind, VALUE_NULL);
        arena_fini(&arena);
    }
}
