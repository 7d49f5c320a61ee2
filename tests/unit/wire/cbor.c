// SPDX-License-Identifier: Apache-2.0
#include "wire/wire.h"

#include "base/time.h"

#include <criterion/criterion.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

// Bytes as hex, blanks ignored.
static struct str from_hex(const char *hex, unsigned char *out, size_t most)
{
    size_t len = 0;
    for (; *hex != '\0'; hex++) {
        unsigned byte = 0;
        if (*hex != ' ') {
            cr_assert_eq(sscanf(hex, "%2x", &byte), 1);
            cr_assert_lt(len, most);
            out[len++] = (unsigned char)byte;
            hex++;
        }
    }
    return (struct str){(const char *)out, len};
}

static enum pdp_err decode(struct str bytes, struct arena *arena, struct value *out, struct fault *why)
{
    *why = (struct fault){0};
    return wire_decode(WIRE_CBOR, bytes, arena, out, why);
}

// ---- What is read, as JSON ---------------------------------------------------------------------

static const struct {
    const char *hex, *json;
} GOOD[] = {
    {"00", "0"},
    {"17", "23"},
    {"18 18", "24"},
    {"18 00", "0"}, // not the shortest form, still 0
    {"19 03e8", "1000"},
    {"1a 000f4240", "1000000"},
    {"1b 000000e8d4a51000", "1000000000000"},
    {"1b 7fffffffffffffff", "9223372036854775807"},
    {"3b 7fffffffffffffff", "-9223372036854775808"},
    {"20", "-1"},
    {"38 63", "-100"},
    {"f9 0000", "0.0"},
    {"f9 8000", "-0.0"},
    {"f9 3c00", "1.0"},
    {"f9 3e00", "1.5"},
    {"f9 7bff", "65504.0"},
    {"f9 0001", "5.9604644775390625e-08"},
    {"f9 0400", "6.103515625e-05"},
    {"f9 c400", "-4.0"},
    {"fa 47c35000", "100000.0"},
    {"fb 3ff199999999999a", "1.1"},
    {"fb 7e37e43c8800759c", "1e+300"},
    {"fb 7fefffffffffffff", "1.7976931348623157e+308"},
    {"fb 0000000000000001", "4.94065645841247e-324"},
    {"f4", "false"},
    {"f5", "true"},
    {"f6", "null"},
    {"f7", "null"},
    {"60", "\"\""},
    {"61 61", "\"a\""},
    {"62 225c", "\"\\\"\\\\\""},
    {"62 c3bc", "\"\xc3\xbc\""},
    {"64 f0908591", "\"\xf0\x90\x85\x91\""},
    {"63 610062", "\"a\\u0000b\""},
    {"67 7365636f6e6421 ", "\"second!\""},
    {"68 7365636f6e642121", "\"second!!\""},
    {"6a 7365636f6e64c3bc2121", "\"second\xc3\xbc!!\""},
    {"7f 61 61 62 6263 ff", "\"abc\""},
    {"7f ff", "\"\""},
    {"7f 60 60 ff", "\"\""},
    {"44 01020304", "\"AQIDBA\""},
    {"5f 41 fb 41 ff ff", "\"-_8\""},
    {"40", "\"\""},
    {"80", "[]"},
    {"83 01 02 03", "[1,2,3]"},
    {"83 01 82 02 03 82 04 05", "[1,[2,3],[4,5]]"},
    {"9f ff", "[]"},
    {"9f 01 82 02 03 9f 04 05 ff ff", "[1,[2,3],[4,5]]"},
    {"9f 00 01 02 03 04 05 06 07 08 09 ff", "[0,1,2,3,4,5,6,7,8,9]"},
    {"a0", "{}"},
    {"a2 61 61 01 61 62 82 02 03", "{\"a\":1,\"b\":[2,3]}"},
    {"bf 61 61 01 61 62 9f 02 03 ff ff", "{\"a\":1,\"b\":[2,3]}"},
    {"a1 60 01", "{\"\":1}"},
    {"a1 7f 61 61 61 62 ff 01", "{\"ab\":1}"},
    {"a2 62 6161 01 61 61 02", "{\"aa\":1,\"a\":2}"},
    {"c0 74 323031332d30332d32315432303a30343a30305a", "\"2013-03-21T20:04:00Z\""},
    {"c1 1a 514b67b0", "\"2013-03-21T20:04:00Z\""},
    {"c1 fb 41d452d9ec200000", "\"2013-03-21T20:04:00.500Z\""},
    {"c1 20", "\"1969-12-31T23:59:59Z\""},
    {"c1 f9 b800", "\"1969-12-31T23:59:59.500Z\""},
    {"d8 01 00", "\"1970-01-01T00:00:00Z\""},
    {"81818181818181818181818181818180", "[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]"},
};

Test(wire_cbor, reads)
{
    for (size_t i = 0; i < COUNT_OF(GOOD); i++) {
        unsigned char bytes[64];
        struct str in = from_hex(GOOD[i].hex, bytes, sizeof bytes);
        struct arena arena;
        struct value v;
        struct fault why;
        struct buf out = {0};
        struct emit emit;
        arena_init(&arena, 0, 0);
        enum pdp_err err = decode(in, &arena, &v, &why);
        cr_expect_eq(err, PDP_ERR_OK, "%s: %s: %s", GOOD[i].hex, why.field, why.what);
        emit_init(&emit, WIRE_JSON, &out);
        emit_value(&emit, &v);
        cr_expect(str_eq(buf_view(&out), str_of(GOOD[i].json)), "%s: %.*s, not %s", GOOD[i].hex,
                  STR_ARG(buf_view(&out)), GOOD[i].json);
        buf_fini(&out);
        arena_fini(&arena);
    }
}

// ---- What is refused, and where ----------------------------------------------------------------

static const struct {
    const char *hex, *field, *what;
} BAD[] = {
    {"", "byte 0", "input ends where an item is expected"},
    {"00 00", "byte 1", "bytes after the value"},
    {"18", "byte 0", "input ends within an item"},
    {"19 00", "byte 0", "input ends within an item"},
    {"1b 00000000000000", "byte 0", "input ends within an item"},
    {"1c", "byte 0", "reserved length of an item's head"},
    {"1f", "byte 0", "reserved length of an item's head"},
    {"3f", "byte 0", "reserved length of an item's head"},
    {"df 00", "byte 0", "reserved length of an item's head"},
    {"5d", "byte 0", "reserved length of an item's head"},
    {"1b 8000000000000000", "byte 0", "integer does not fit into 64 bits with a sign"},
    {"1b ffffffffffffffff", "byte 0", "integer does not fit into 64 bits with a sign"},
    {"3b 8000000000000000", "byte 0", "integer does not fit into 64 bits with a sign"},
    {"f9 7c00", "byte 0", "number is infinite or no number"},
    {"f9 fc00", "byte 0", "number is infinite or no number"},
    {"f9 7e00", "byte 0", "number is infinite or no number"},
    {"fa 7f800000", "byte 0", "number is infinite or no number"},
    {"fb 7ff8000000000000", "byte 0", "number is infinite or no number"},
    {"fb fff0000000000000", "byte 0", "number is infinite or no number"},
    {"e0", "byte 0", "simple value that means nothing here"},
    {"f3", "byte 0", "simple value that means nothing here"},
    {"f8 20", "byte 0", "simple value that means nothing here"},
    {"f8 14", "byte 0", "simple value that means nothing here"},
    {"ff", "byte 0", "break outside of an indefinite item"},
    {"81 ff", "byte 1", "break outside of an indefinite item"},
    {"a1 61 61 ff", "byte 3", "break outside of an indefinite item"},
    {"bf 61 61 ff", "byte 3", "break outside of an indefinite item"},
    {"61", "byte 1", "text is longer than the input"},
    {"7b ffffffffffffffff", "byte 9", "text is longer than the input"},
    {"5b ffffffffffffffff", "byte 9", "byte string is longer than the input"},
    {"61 80", "byte 1", "text is not valid UTF-8"},
    {"61 ff", "byte 1", "text is not valid UTF-8"},
    {"62 c0af", "byte 1", "text is not valid UTF-8"},     // overlong
    {"63 eda080", "byte 1", "text is not valid UTF-8"},   // surrogate
    {"64 f4908080", "byte 1", "text is not valid UTF-8"}, // beyond U+10FFFF
    {"69 7365636f6e642121ff", "byte 1", "text is not valid UTF-8"},
    {"7f 61 c3 61 bc ff", "byte 2", "text is not valid UTF-8"}, // a letter cut in two
    {"7f 41 61 ff", "byte 1", "a piece of a string has another type"},
    {"7f 7f 61 61 ff ff", "byte 1", "a piece of a string has another type"},
    {"7f 61 61", "byte 3", "input ends within a string"},
    {"5f 41", "byte 2", "byte string is longer than the input"},
    {"9b ffffffffffffffff", "byte 9", "list claims more items than the input holds"},
    {"9a 00100000 00", "byte 5", "list claims more items than the input holds"},
    {"82 81 00", "byte 2", "list claims more items than the input holds"},
    {"bb ffffffffffffffff", "byte 9", "map claims more entries than the input holds"},
    {"bb 8000000000000000", "byte 9", "map claims more entries than the input holds"},
    {"a1 61 61", "byte 3", "input ends where an item is expected"},
    {"9f", "byte 1", "input ends within a list or map"},
    {"9f 00", "byte 2", "input ends within a list or map"},
    {"bf", "byte 1", "input ends within a list or map"},
    {"a1 01 02", "byte 1", "a key of a map is no text"},
    {"a1 41 61 02", "byte 1", "a key of a map is no text"},
    {"a1 c0 60 02", "byte 1", "a key of a map is no text"},
    {"a1 61 00 02", "byte 1", "NUL byte in a key"},
    {"a1 69 313233343536373800 02", "byte 1", "NUL byte in a key"},
    {"a2 61 61 01 61 61 02", "byte 5", "key `a` is given twice"},
    {"a2 60 01 60 02", "byte 4", "key `` is given twice"},
    {"bf 61 61 01 61 61 02 ff", "byte 5", "key `a` is given twice"},
    {"a2 61 61 01 7f 61 61 ff 02", "byte 8", "key `a` is given twice"},
    {"a2 69 313233343536373839 01 69 313233343536373839 02", "byte 13", "key `123456789` is given twice"},
    {"c2 41 01", "byte 0", "tag is not supported: only the times 0 and 1 are"},
    {"d9 d9f7 00", "byte 0", "tag is not supported: only the times 0 and 1 are"},
    {"c1 c1 00", "byte 1", "a time is text, an integer or a double"},
    {"c1 80", "byte 1", "a time is text, an integer or a double"},
    {"c0 00", "byte 1", "no time of the years 1 to 9999"},
    {"c1 60", "byte 1", "no time of the years 1 to 9999"},
    {"c1 1b 7fffffffffffffff", "byte 1", "no time of the years 1 to 9999"},
    {"c1 fb 7e37e43c8800759c", "byte 1", "no time of the years 1 to 9999"},
    {"c1 f6", "byte 1", "no time of the years 1 to 9999"},
    {"8181818181818181818181818181818180", "byte 16", "nested more than 16 deep"},
    {"9f9f9f9f9f9f9f9f9f9f9f9f9f9f9f9f9f", "byte 16", "nested more than 16 deep"},
};

Test(wire_cbor, refuses)
{
    for (size_t i = 0; i < COUNT_OF(BAD); i++) {
        unsigned char bytes[64];
        struct str in = from_hex(BAD[i].hex, bytes, sizeof bytes);
        struct arena arena;
        struct value v = value_bool(true);
        struct fault why;
        arena_init(&arena, 0, 0);
        cr_expect_eq(decode(in, &arena, &v, &why), PDP_ERR_MALFORMED, "%s", BAD[i].hex);
        cr_expect_str_eq(why.field, BAD[i].field, "%s: %s", BAD[i].hex, why.field);
        cr_expect_str_eq(why.what, BAD[i].what, "%s: %s", BAD[i].hex, why.what);
        cr_expect_eq(v.kind, VALUE_NULL, "%s", BAD[i].hex);
        cr_expect_eq(decode(in, &arena, &v, &why), PDP_ERR_MALFORMED);
        cr_expect_eq(wire_decode(WIRE_CBOR, in, &arena, &v, NULL), PDP_ERR_MALFORMED);
        arena_fini(&arena);
    }
}

Test(wire_cbor, text_points_into_the_input)
{
    static const char BYTES[] = "\xa1\x61k\x65hello";
    struct arena arena;
    struct value v;
    struct fault why;
    arena_init(&arena, 0, 0);
    cr_assert_eq(decode((struct str){BYTES, sizeof BYTES - 1}, &arena, &v, &why), PDP_ERR_OK);
    cr_expect_eq((const void *)v.as.map[0].key.as.text, (const void *)(BYTES + 2));
    cr_expect_eq((const void *)v.as.map[0].value.as.text, (const void *)(BYTES + 4));
    arena_fini(&arena);
}

// ---- Hostile sizes -----------------------------------------------------------------------------

// A map of `count` keys of the same length, equal in their first 8 bytes, then `twist` applied to the last.
static void wide_map(struct buf *out, unsigned count, bool repeat)
{
    buf_byte(out, 0xb9);
    buf_byte(out, (unsigned char)(count >> 8));
    buf_byte(out, (unsigned char)count);
    for (unsigned i = 0; i < count; i++) {
        buf_byte(out, 0x6d);
        buf_printf(out, "sameness%05u", repeat && i == count - 1 ? count / 2 : i * 7919 % count);
        buf_byte(out, 0xf6);
    }
}

Test(wire_cbor, wide_maps_are_checked_for_repeats)
{
    // 7919 is a prime that divides none of these counts, so the numbers are all different.
    static const unsigned COUNTS[] = {2, 15, 16, 17, 18, 100, 1000, 4300};
    for (size_t i = 0; i < COUNT_OF(COUNTS); i++) {
        for (int repeat = 0; repeat <= 1; repeat++) {
            struct arena arena;
            struct value v;
            struct fault why;
            struct buf in = {0};
            arena_init(&arena, 0, 0);
            wide_map(&in, COUNTS[i], repeat != 0);
            bool clash = repeat != 0 && (COUNTS[i] - 1) * 7919 % COUNTS[i] != COUNTS[i] / 2;
            enum pdp_err err = decode(buf_view(&in), &arena, &v, &why);
            cr_expect_eq(err, clash ? PDP_ERR_MALFORMED : PDP_ERR_OK, "%u %d: %s", COUNTS[i], repeat,
                         why.what);
            buf_fini(&in);
            arena_fini(&arena);
        }
    }
}

Test(wire_cbor, memory_is_linear_in_the_input)
{
    // Nested lists that each claim all that is left, as far as it may.
    struct buf in = {0};
    for (unsigned i = 0; i < 15; i++) {
        buf_put(&in, "\x99\x0f\x00", 3);
    }
    while (in.len < REQUEST_BYTES_MAX) {
        buf_byte(&in, 0);
    }
    struct arena arena;
    struct value v;
    struct fault why;
    arena_init(&arena, 0, 4 * 1024 * 1024);
    cr_expect_eq(decode(buf_view(&in), &arena, &v, &why), PDP_ERR_MALFORMED);
    buf_clear(&in);
    while (in.len < REQUEST_BYTES_MAX) {
        buf_byte(&in, in.len < 15 ? 0x9f : 0); // never closed: grows until the input ends
    }
    cr_expect_eq(decode(buf_view(&in), &arena, &v, &why), PDP_ERR_MALFORMED, "%s", why.what);
    buf_byte(&in, 0);
    cr_expect_eq(decode(buf_view(&in), &arena, &v, &why), PDP_ERR_MALFORMED);
    cr_expect_str_eq(why.what, "input is longer than 65536 bytes");
    buf_fini(&in);
    arena_fini(&arena);
}

Test(wire_cbor, a_full_arena_is_out_of_memory)
{
    struct arena arena;
    struct value v = value_bool(true);
    struct fault why;
    arena_init(&arena, 64, 1);
    cr_expect_eq(decode(STR("\x81\x01"), &arena, &v, &why), PDP_ERR_NOMEM);
    cr_expect_eq(decode(STR("\x9f\x01\xff"), &arena, &v, &why), PDP_ERR_NOMEM);
    cr_expect_eq(decode(STR("\xa1\x60\x01"), &arena, &v, &why), PDP_ERR_NOMEM);
    cr_expect_eq(decode(STR("\xbf\x60\x01\xff"), &arena, &v, &why), PDP_ERR_NOMEM);
    cr_expect_eq(decode(STR("\x7f\x61\x61\xff"), &arena, &v, &why), PDP_ERR_NOMEM);
    cr_expect_eq(v.kind, VALUE_NULL);
    cr_expect_eq(decode(STR("\x80"), &arena, &v, &why), PDP_ERR_OK);
    arena_fini(&arena);
}
