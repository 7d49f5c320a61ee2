// SPDX-License-Identifier: Apache-2.0
#include "wire/wire.h"

#include "base/time.h"

#include <criterion/criterion.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

// ---- Doubles -----------------------------------------------------------------------------------

static const struct {
    double d;
    const char *json, *cbor;
} DOUBLES[] = {
    {0.0, "0.0", "f90000"},
    {-0.0, "-0.0", "f98000"},
    {1.0, "1.0", "f93c00"},
    {-4.0, "-4.0", "f9c400"},
    {1.5, "1.5", "f93e00"},
    {65504.0, "65504.0", "f97bff"},
    {65505.0, "65505.0", "fa477fe100"},
    {65536.0, "65536.0", "fa47800000"},
    {0x1p-14, "6.103515625e-05", "f90400"},
    {0x1p-24, "5.96046447753906e-08", "f90001"}, // 15 digits do not read back
    {0x1p-25, "2.98023223876953e-08", "fa33000000"},
    {0x1.8p-24, "8.94069671630859e-08", "fa33c00000"},
    {1023 * 0x1p-24, "6.09755516052246e-05", "f903ff"},
    {100000.0, "100000.0", "fa47c35000"},
    {0x1.fffffep127, "3.40282346638529e+38", "fa7f7fffff"},
    {0x1p128, "3.40282366920938e+38", "fb47f0000000000000"},
    {1.1, "1.1", "fb3ff199999999999a"},
    {0.1 + 0.2, "0.30000000000000004", "fb3fd3333333333334"},
    {41.2, "41.2", "fb404499999999999a"},
    {1e300, "1e+300", "fb7e37e43c8800759c"},
    {1e15, "1000000000000000.0", "fb430c6bf526340000"},
    {1e17, "1e+17", NULL},
    {0x1p-149, NULL, "fa00000001"},
    {0x1p-1074, NULL, "fb0000000000000001"},
    {NAN, "null", "f6"},
    {INFINITY, "null", "f6"},
    {-INFINITY, "null", "f6"},
};

static void to_hex(const struct buf *buf, char *out, size_t most)
{
    out[0] = '\0';
    for (size_t i = 0; i < buf->len && 2 * i + 3 < most; i++) {
        snprintf(out + 2 * i, 3, "%02x", buf->at[i]);
    }
}

static double read_back(enum wire_form form, const struct buf *buf)
{
    struct arena arena;
    struct value v;
    arena_init(&arena, 0, 0);
    enum pdp_err err = wire_decode(form, buf_view(buf), &arena, &v, NULL);
    arena_fini(&arena);
    return err == PDP_ERR_OK && v.kind == VALUE_DOUBLE ? v.as.d : NAN;
}

static bool same_bits(double a, double b)
{
    return memcmp(&a, &b, sizeof a) == 0;
}

Test(wire_emit, doubles)
{
    for (size_t i = 0; i < COUNT_OF(DOUBLES); i++) {
        struct buf json = {0}, cbor = {0};
        struct emit emit;
        char hex[64];
        emit_init(&emit, WIRE_JSON, &json);
        emit_double(&emit, DOUBLES[i].d);
        emit_init(&emit, WIRE_CBOR, &cbor);
        emit_double(&emit, DOUBLES[i].d);
        to_hex(&cbor, hex, sizeof hex);
        cr_expect(DOUBLES[i].cbor == NULL || strcmp(hex, DOUBLES[i].cbor) == 0, "%g: %s", DOUBLES[i].d, hex);
        if (isfinite(DOUBLES[i].d)) {
            cr_expect(same_bits(read_back(WIRE_CBOR, &cbor), DOUBLES[i].d), "%g: %s", DOUBLES[i].d, hex);
            cr_expect(same_bits(read_back(WIRE_JSON, &json), DOUBLES[i].d), "%g: %.*s", DOUBLES[i].d,
                      STR_ARG(buf_view(&json)));
        }
        buf_fini(&json);
        buf_fini(&cbor);
    }
}

Test(wire_emit, any_double_reads_back_bit_for_bit)
{
    uint64_t state = 88172645463325252u;
    struct buf out = {0};
    for (int i = 0; i < 20000; i++) {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        // All widths: only the high 16 or 32 bits, tenths, and any pattern.
        uint64_t bits = i % 4 == 0   ? state & UINT64_C(0xffffe00000000000)
                        : i % 4 == 1 ? state & ~UINT64_C(0x1fffffff)
                                     : state;
        double d = 0;
        memcpy(&d, &bits, sizeof d);
        d = i % 4 == 3 ? (double)(int64_t)(state >> 34) / 1e4 : d;
        for (int form = WIRE_CBOR; isfinite(d) && form <= WIRE_JSON; form++) {
            struct emit emit;
            buf_clear(&out);
            emit_init(&emit, (enum wire_form)form, &out);
            emit_double(&emit, d);
            cr_assert(same_bits(read_back((enum wire_form)form, &out), d), "%a as %d", d, form);
        }
    }
    buf_fini(&out);
}

Test(wire_emit, few_decimals_are_written_as_printf_would)
{
    struct buf out = {0};
    for (int64_t i = -30000; i <= 30000; i++) {
        int64_t digits = i % 3 == 0 ? i : i * 332933;
        double d = (double)digits / 1e4;
        char want[40];
        snprintf(want, sizeof want, digits % 10000 == 0 ? "%.15g.0" : "%.15g", d);
        struct emit emit;
        buf_clear(&out);
        emit_init(&emit, WIRE_JSON, &out);
        emit_double(&emit, d);
        cr_assert(str_eq(buf_view(&out), str_of(want)), "%.*s, not %s", STR_ARG(buf_view(&out)), want);
    }
    buf_fini(&out);
}

// ---- Text --------------------------------------------------------------------------------------

static const struct {
    struct str in;
    const char *json, *cbor;
} TEXTS[] = {
#define ROW(in, json, cbor)              \
    {                                    \
        {in, sizeof(in) - 1}, json, cbor \
    }
    ROW("", "\"\"", "60"),
    ROW("a", "\"a\"", "6161"),
    ROW("\"\\/", "\"\\\"\\\\/\"", "63225c2f"),
    ROW("\0\x1f", "\"\\u0000\\u001f\"", "62001f"),
    ROW("\b\f\n\r\t\x7f", "\"\\b\\f\\n\\r\\t\\u007f\"", "66080c0a0d097f"),
    ROW("\xc3\xbc", "\"\xc3\xbc\"", "62c3bc"),
    ROW("x\xffy", "\"x\\ufffdy\"", "6578efbfbd79"),
    ROW("\xc3", "\"\\ufffd\"", "63efbfbd"),
    ROW("\xed\xa0\x80", "\"\\ufffd\\ufffd\\ufffd\"", "69efbfbdefbfbdefbfbd"),
    ROW("aaaaaaaaaaaaaaaaaaaaaaa", NULL, "776161616161616161616161616161616161616161616161"),
    ROW("aaaaaaaaaaaaaaaaaaaaaaaa", NULL, "7818616161616161616161616161616161616161616161616161"),
};

Test(wire_emit, text)
{
    for (size_t i = 0; i < COUNT_OF(TEXTS); i++) {
        struct buf json = {0}, cbor = {0};
        struct emit emit;
        char hex[128];
        emit_init(&emit, WIRE_JSON, &json);
        emit_str(&emit, TEXTS[i].in);
        emit_init(&emit, WIRE_CBOR, &cbor);
        emit_str(&emit, TEXTS[i].in);
        to_hex(&cbor, hex, sizeof hex);
        cr_expect(TEXTS[i].json == NULL || str_eq(buf_view(&json), str_of(TEXTS[i].json)), "%zu: %.*s", i,
                  STR_ARG(buf_view(&json)));
        cr_expect_str_eq(hex, TEXTS[i].cbor, "%zu: %s", i, hex);
        buf_fini(&json);
        buf_fini(&cbor);
    }
}

// ---- Other scalars -----------------------------------------------------------------------------

static struct ip test_ip(const char *text)
{
    struct ip ip;
    cr_assert(ip_parse(str_of(text), &ip));
    return ip;
}

Test(wire_emit, every_kind_of_value)
{
    struct ip ip = test_ip("2001:db8::1");
    struct cidr cidr;
    cr_assert(cidr_parse(STR("10.0.0.0/8"), false, &cidr));
    const struct {
        struct value v;
        const char *json, *cbor;
    } rows[] = {
        {{0}, "null", "f6"},
        {value_null(), "null", "f6"},
        {value_bool(true), "true", "f5"},
        {value_int(0), "0", "00"},
        {value_int(23), "23", "17"},
        {value_int(24), "24", "1818"},
        {value_int(255), "255", "18ff"},
        {value_int(256), "256", "190100"},
        {value_int(65536), "65536", "1a00010000"},
        {value_int(INT64_C(4294967296)), "4294967296", "1b0000000100000000"},
        {value_int(-1), "-1", "20"},
        {value_int(INT64_MIN), "-9223372036854775808", "3b7fffffffffffffff"},
        {value_int(INT64_MAX), "9223372036854775807", "1b7fffffffffffffff"},
        {{.kind = VALUE_UINT, .as.u = UINT64_MAX}, "18446744073709551615", "1bffffffffffffffff"},
        {{.kind = VALUE_BYTES, .n = 4, .as.text = "\x01\x02\x03\xff"}, "\"AQID_w\"", "44010203ff"},
        {{.kind = VALUE_TIMESTAMP, .as.i = 0},
         "\"1970-01-01T00:00:00Z\"",
         "74313937302d30312d30315430303a30303a30305a"},
        {{.kind = VALUE_TIMESTAMP, .n = 500000000, .as.i = 0},
         "\"1970-01-01T00:00:00.500Z\"",
         "7818313937302d30312d30315430303a30303a30302e3530305a"},
        {{.kind = VALUE_DURATION, .as.i = 90}, "\"90s\"", "63393073"},
        {{.kind = VALUE_DURATION, .n = 500000000, .as.i = 1}, "\"1.5s\"", "64312e3573"},
        {{.kind = VALUE_DURATION, .n = 1, .as.i = -1}, "\"-1.000000001s\"", "6d2d312e30303030303030303173"},
        {{.kind = VALUE_IP, .as.ip = &ip}, "\"2001:db8::1\"", "6b323030313a6462383a3a31"},
        {{.kind = VALUE_CIDR, .as.cidr = &cidr}, "\"10.0.0.0/8\"", "6a31302e302e302e302f38"},
        {{.kind = VALUE_LEVEL, .as.i = 2}, "\"high\"", "6468696768"},
        {{.kind = VALUE_LEVEL, .as.i = 9}, "null", "f6"},
        {{.kind = VALUE_SET, .as.i = 1}, "null", "f6"},
        {{.kind = VALUE_LIST}, "[]", "80"},
        {{.kind = VALUE_MAP}, "{}", "a0"},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct buf json = {0}, cbor = {0};
        struct emit emit;
        char hex[128];
        emit_init(&emit, WIRE_JSON, &json);
        emit_value(&emit, &rows[i].v);
        emit_init(&emit, WIRE_CBOR, &cbor);
        emit_value(&emit, &rows[i].v);
        to_hex(&cbor, hex, sizeof hex);
        cr_expect(str_eq(buf_view(&json), str_of(rows[i].json)), "%zu: %.*s", i, STR_ARG(buf_view(&json)));
        cr_expect_str_eq(hex, rows[i].cbor, "%zu: %s", i, hex);
        buf_fini(&json);
        buf_fini(&cbor);
    }
}

// ---- Structure ---------------------------------------------------------------------------------

static void write_nested(struct emit *emit, size_t map, size_t list)
{
    emit_map(emit, map);
    emit_key_int(emit, "a", 1);
    emit_key(emit, STR("b"));
    emit_list(emit, list);
    emit_str(emit, STR("x"));
    emit_map(emit, 0);
    emit_end(emit);
    emit_null(emit);
    emit_end(emit);
    emit_key_bool(emit, "c", false);
    emit_key_double(emit, "d", 0.5);
    emit_key_str(emit, "e", STR("y"));
    emit_end(emit);
}

static const struct {
    enum wire_form form;
    size_t map, list;
    const char *hex;
} SHAPES[] = {
    {WIRE_CBOR, 5, 3,
     "a5616101616283"
     "6178a0f6"
     "6163f4"
     "6164f93800"
     "61656179"},
    {WIRE_CBOR, EMIT_FEW, EMIT_FEW,
     "a5616101616283"
     "6178a0f6"
     "6163f4"
     "6164f93800"
     "61656179"},
    {WIRE_CBOR, SIZE_MAX, SIZE_MAX,
     "bf61610161629f"
     "6178a0f6"
     "ff"
     "6163f4"
     "6164f93800"
     "61656179"
     "ff"},
};

Test(wire_emit, structure)
{
    static const char JSON[] = "{\"a\":1,\"b\":[\"x\",{},null],\"c\":false,\"d\":0.5,\"e\":\"y\"}";
    struct emit emit;
    char hex[128];
    for (size_t i = 0; i < COUNT_OF(SHAPES); i++) {
        struct buf cbor = {0}, json = {0};
        emit_init(&emit, WIRE_CBOR, &cbor);
        write_nested(&emit, SHAPES[i].map, SHAPES[i].list);
        to_hex(&cbor, hex, sizeof hex);
        cr_expect_str_eq(hex, SHAPES[i].hex, "%zu: %s", i, hex);
        emit_init(&emit, WIRE_JSON, &json);
        write_nested(&emit, SHAPES[i].map, SHAPES[i].list);
        cr_expect(str_eq(buf_view(&json), str_of(JSON)), "%zu: %.*s", i, STR_ARG(buf_view(&json)));
        buf_fini(&cbor);
        buf_fini(&json);
    }
}

Test(wire_emit, nesting_too_deep_fails_and_stays_in_bounds)
{
    struct buf out = {0};
    struct emit emit;
    emit_init(&emit, WIRE_JSON, &out);
    for (int i = 0; i < 200; i++) {
        emit_list(&emit, EMIT_FEW);
    }
    emit_int(&emit, 1);
    for (int i = 0; i < 200; i++) {
        emit_end(&emit);
    }
    cr_expect(out.failed);
    buf_fini(&out);

    struct value deep[60];
    for (size_t i = 0; i < COUNT_OF(deep); i++) {
        deep[i] = (struct value){.kind = VALUE_LIST, .n = i + 1 < COUNT_OF(deep), .as.list = &deep[i + 1]};
    }
    deep[COUNT_OF(deep) - 1].as.list = NULL;
    emit_init(&emit, WIRE_CBOR, &out);
    emit_value(&emit, deep);
    cr_expect(out.failed);
    buf_fini(&out);
}

Test(wire_emit, a_full_buffer_is_never_overrun)
{
    for (size_t limit = 1; limit < 40; limit++) {
        for (int form = WIRE_CBOR; form <= WIRE_JSON; form++) {
            struct buf out = {.limit = limit};
            struct emit emit;
            struct value when = {.kind = VALUE_TIMESTAMP, .n = 1};
            emit_init(&emit, (enum wire_form)form, &out);
            emit_list(&emit, EMIT_FEW);
            write_nested(&emit, EMIT_FEW, 3);
            emit_value(&emit, &when);
            emit_str(&emit, STR("\xff"));
            emit_end(&emit);
            cr_expect(out.failed, "%zu", limit);
            cr_expect_leq(out.len, limit);
            buf_fini(&out);
        }
    }
}
