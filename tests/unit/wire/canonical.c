// SPDX-License-Identifier: Apache-2.0
#include "wire/wire.h"

#include <criterion/criterion.h>

static void canonical_of(enum wire_form form, struct str bytes, struct buf *out)
{
    struct arena arena;
    struct value v;
    struct fault why = {0};
    arena_init(&arena, 0, 0);
    buf_clear(out);
    cr_assert_eq(wire_decode(form, bytes, &arena, &v, &why), PDP_ERR_OK, "%.*s: %s", STR_ARG(bytes),
                 why.what);
    wire_canonical(&v, out);
    cr_assert_not(out->failed);
    arena_fini(&arena);
}

static const struct {
    const char *a, *b;
    bool same;
} PAIRS[] = {
    {"{\"a\":1,\"b\":2}", "{\"b\":2,\"a\":1}", true},
    {"{\"aa\":1,\"b\":{\"y\":1,\"x\":[{\"q\":1,\"p\":2}]}}",
     "{\"b\":{\"x\":[{\"p\":2,\"q\":1}],\"y\":1},\"aa\":1}", true},
    {"1", " 1 ", true},
    {"\"\\u0061\"", "\"a\"", true},
    {"1.0", "1", false},
    {"1.0", "1.00", true},
    {"0.0", "-0.0", false},
    {"[1,2]", "[2,1]", false},
    {"{\"a\":1}", "{\"a\":2}", false},
    {"{\"a\":1}", "{\"b\":1}", false},
    {"{\"a\":\"1\"}", "{\"a\":1}", false},
    {"{\"a\":{}}", "{\"a\":[]}", false},
    {"[\"ab\",\"c\"]", "[\"a\",\"bc\"]", false},
    {"[[1],2]", "[1,[2]]", false},
    {"null", "false", false},
};

Test(wire_canonical, equal_questions_give_equal_bytes)
{
    struct buf a = {0}, b = {0};
    for (size_t i = 0; i < COUNT_OF(PAIRS); i++) {
        canonical_of(WIRE_JSON, str_of(PAIRS[i].a), &a);
        canonical_of(WIRE_JSON, str_of(PAIRS[i].b), &b);
        cr_expect_eq(str_eq(buf_view(&a), buf_view(&b)), PAIRS[i].same, "%s and %s", PAIRS[i].a, PAIRS[i].b);
        // It is CBOR, means the same, and is its own canonical form.
        canonical_of(WIRE_CBOR, buf_view(&a), &b);
        cr_expect(str_eq(buf_view(&a), buf_view(&b)), "%s: not stable", PAIRS[i].a);
    }
    buf_fini(&a);
    buf_fini(&b);
}

Test(wire_canonical, a_time_is_not_its_text)
{
    struct buf a = {0}, b = {0};
    canonical_of(WIRE_CBOR, STR("\xc1\x00"), &a);
    canonical_of(WIRE_CBOR,
                 STR("\x74"
                     "1970-01-01T00:00:00Z"),
                 &b);
    cr_expect_not(str_eq(buf_view(&a), buf_view(&b)));
    canonical_of(WIRE_CBOR,
                 STR("\xc0\x74"
                     "1970-01-01T00:00:00Z"),
                 &b);
    cr_expect(str_eq(buf_view(&a), buf_view(&b)));
    buf_fini(&a);
    buf_fini(&b);
}

static void write_map(struct buf *out, unsigned count, unsigned step, unsigned depth)
{
    buf_byte(out, '{');
    for (unsigned i = 0; i < count; i++) {
        buf_printf(out, "%s\"k%u\":", i == 0 ? "" : ",", i * step % count);
        if (depth > 0 && i * step % count == 3) {
            write_map(out, count, step, depth - 1);
        } else {
            buf_printf(out, "%u", i * step % count);
        }
    }
    buf_byte(out, '}');
}

Test(wire_canonical, large_maps_are_sorted_too)
{
    // Steps without a common factor with the counts: every key once, in another order.
    static const unsigned COUNTS[] = {31, 32, 33, 35, 100, 331, 1000};
    for (size_t i = 0; i < COUNT_OF(COUNTS); i++) {
        struct buf in = {0}, a = {0}, b = {0};
        buf_clear(&in);
        write_map(&in, COUNTS[i], 1, 2);
        canonical_of(WIRE_JSON, buf_view(&in), &a);
        buf_clear(&in);
        write_map(&in, COUNTS[i], 37, 2);
        canonical_of(WIRE_JSON, buf_view(&in), &b);
        cr_expect(str_eq(buf_view(&a), buf_view(&b)), "%u", COUNTS[i]);
        canonical_of(WIRE_CBOR, buf_view(&a), &b);
        cr_expect(str_eq(buf_view(&a), buf_view(&b)), "%u: not stable", COUNTS[i]);
        buf_fini(&in);
        buf_fini(&a);
        buf_fini(&b);
    }
}

Test(wire_canonical, a_full_buffer_fails)
{
    struct arena arena;
    struct value v;
    struct buf in = {0};
    arena_init(&arena, 0, 0);
    write_map(&in, 50, 1, 0);
    cr_assert_eq(wire_decode(WIRE_JSON, buf_view(&in), &arena, &v, NULL), PDP_ERR_OK);
    for (size_t limit = 1; limit < 700; limit += 3) {
        struct buf out = {.limit = limit};
        wire_canonical(&v, &out);
        cr_expect_leq(out.len, limit);
        buf_fini(&out);
    }
    buf_fini(&in);
    arena_fini(&arena);
}
