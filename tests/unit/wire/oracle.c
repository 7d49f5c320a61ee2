// SPDX-License-Identifier: Apache-2.0
// Our CBOR reader against libcbor's streaming decoder plus the rules that libcbor leaves to its caller: what
// one accepts, the other accepts with the same value, over generated and then damaged inputs.
#include "wire/wire.h"

#include "base/time.h"

#include <cbor.h>
#include <criterion/criterion.h>
#include <math.h>
#include <stdio.h>

// ---- The other reader --------------------------------------------------------------------------

enum token {
    TOKEN_NONE,
    TOKEN_INT,
    TOKEN_BAD_INT,
    TOKEN_BYTES,
    TOKEN_TEXT,
    TOKEN_OPEN_BYTES,
    TOKEN_OPEN_TEXT,
    TOKEN_LIST,
    TOKEN_OPEN_LIST,
    TOKEN_MAP,
    TOKEN_OPEN_MAP,
    TOKEN_TAG,
    TOKEN_DOUBLE,
    TOKEN_BOOL,
    TOKEN_NULL,
    TOKEN_BREAK,
};

struct oracle {
    const unsigned char *at, *end;
    struct arena *arena;
    enum token token;
    int64_t i;
    uint64_t count;
    double d;
    struct str s;
};

#define ON(name, type, ...)                 \
    static void name(void *context, type v) \
    {                                       \
        struct oracle *o = context;         \
        __VA_ARGS__;                        \
    }
#define ON_NOTHING(name, kind)                      \
    static void name(void *context)                 \
    {                                               \
        ((struct oracle *)context)->token = (kind); \
    }
#define ON_TEXT(name, kind)                                     \
    static void name(void *context, cbor_data data, size_t len) \
    {                                                           \
        struct oracle *o = context;                             \
        o->token = (kind);                                      \
        o->s = (struct str){(const char *)data, len};           \
    }

ON(on_uint8, uint8_t, o->token = TOKEN_INT; o->i = v)
ON(on_uint16, uint16_t, o->token = TOKEN_INT; o->i = v)
ON(on_uint32, uint32_t, o->token = TOKEN_INT; o->i = v)
ON(on_uint64, uint64_t, o->token = v > INT64_MAX ? TOKEN_BAD_INT : TOKEN_INT; o->i = (int64_t)v)
ON(on_nint8, uint8_t, o->token = TOKEN_INT; o->i = -1 - (int64_t)v)
ON(on_nint16, uint16_t, o->token = TOKEN_INT; o->i = -1 - (int64_t)v)
ON(on_nint32, uint32_t, o->token = TOKEN_INT; o->i = -1 - (int64_t)v)
ON(on_nint64, uint64_t, o->token = v > INT64_MAX ? TOKEN_BAD_INT : TOKEN_INT;
   o->i = v > INT64_MAX ? 0 : -1 - (int64_t)v)
ON(on_list, uint64_t, o->token = TOKEN_LIST; o->count = v)
ON(on_map, uint64_t, o->token = TOKEN_MAP; o->count = v)
ON(on_tag, uint64_t, o->token = TOKEN_TAG; o->count = v)
ON(on_float, float, o->token = TOKEN_DOUBLE; o->d = (double)v)
ON(on_double, double, o->token = TOKEN_DOUBLE; o->d = v)
ON(on_bool, bool, o->token = TOKEN_BOOL; o->i = v)
ON_TEXT(on_bytes, TOKEN_BYTES)
ON_TEXT(on_text, TOKEN_TEXT)
ON_NOTHING(on_open_bytes, TOKEN_OPEN_BYTES)
ON_NOTHING(on_open_text, TOKEN_OPEN_TEXT)
ON_NOTHING(on_open_list, TOKEN_OPEN_LIST)
ON_NOTHING(on_open_map, TOKEN_OPEN_MAP)
ON_NOTHING(on_null, TOKEN_NULL)
ON_NOTHING(on_break, TOKEN_BREAK)

static const struct cbor_callbacks CALLBACKS = {
    .uint8 = on_uint8,
    .uint16 = on_uint16,
    .uint32 = on_uint32,
    .uint64 = on_uint64,
    .negint8 = on_nint8,
    .negint16 = on_nint16,
    .negint32 = on_nint32,
    .negint64 = on_nint64,
    .byte_string = on_bytes,
    .byte_string_start = on_open_bytes,
    .string = on_text,
    .string_start = on_open_text,
    .array_start = on_list,
    .indef_array_start = on_open_list,
    .map_start = on_map,
    .indef_map_start = on_open_map,
    .tag = on_tag,
    .float2 = on_float,
    .float4 = on_float,
    .float8 = on_double,
    .boolean = on_bool,
    .null = on_null,
    .undefined = on_null,
    .indef_break = on_break,
};

static bool next(struct oracle *o)
{
    o->token = TOKEN_NONE;
    struct cbor_decoder_result result = cbor_stream_decode(o->at, (size_t)(o->end - o->at), &CALLBACKS, o);
    o->at += result.status == CBOR_DECODER_FINISHED ? result.read : 0;
    return result.status == CBOR_DECODER_FINISHED && o->token != TOKEN_NONE;
}

static bool oracle_value(struct oracle *o, unsigned depth, bool scalar, struct value *out);

static bool oracle_pieces(struct oracle *o, enum token kind, struct value *out)
{
    struct buf all = {0};
    bool good = true;
    while ((good = next(o)) && o->token != TOKEN_BREAK) {
        if (o->token != kind || (kind == TOKEN_TEXT && !str_is_utf8(o->s))) {
            good = false;
            break;
        }
        buf_str(&all, o->s);
    }
    if (good) {
        *out = value_str(arena_str(o->arena, buf_view(&all), NULL));
        out->kind = kind == TOKEN_TEXT ? VALUE_STRING : VALUE_BYTES;
    }
    buf_fini(&all);
    return good;
}

// Items of a list, or keys and values of a map as one flat list; `count` SIZE_MAX: up to the break.
static bool oracle_items(struct oracle *o, unsigned depth, uint64_t count, struct value **items, size_t *n)
{
    size_t cap = 0;
    for (*n = 0; *n < count; (*n)++) {
        const unsigned char *at = o->at;
        if (count == SIZE_MAX && next(o) && o->token == TOKEN_BREAK) {
            return true;
        }
        o->at = at;
        if (*n == cap) {
            cap = cap == 0 ? 4 : 2 * cap;
            struct value *wider = ARENA_ARRAY(o->arena, struct value, cap);
            memcpy(wider, *items, *n * sizeof *wider);
            *items = wider;
        }
        if (!oracle_value(o, depth, false, &(*items)[*n])) {
            return false;
        }
    }
    return true;
}

static bool oracle_nested(struct oracle *o, unsigned depth, struct value *out)
{
    bool map = o->token == TOKEN_MAP || o->token == TOKEN_OPEN_MAP;
    bool open = o->token == TOKEN_OPEN_LIST || o->token == TOKEN_OPEN_MAP;
    uint64_t count = open ? SIZE_MAX : o->count;
    struct value none, *items = &none;
    size_t n = 0;
    if (depth >= REQUEST_DEPTH_MAX || (!open && count > 1000000) ||
        !oracle_items(o, depth + 1, map && !open ? 2 * count : count, &items, &n)) {
        return false;
    }
    if (!map) {
        *out = (struct value){.kind = VALUE_LIST, .n = (uint32_t)n, .as.list = items};
        return true;
    }
    struct value_entry *entries = ARENA_ARRAY(o->arena, struct value_entry, n / 2 + 1);
    for (size_t i = 0; i < n / 2; i++) {
        entries[i] = (struct value_entry){items[2 * i], items[2 * i + 1]};
        if (entries[i].key.kind != VALUE_STRING ||
            (entries[i].key.n != 0 && memchr(entries[i].key.as.text, 0, entries[i].key.n) != NULL)) {
            return false;
        }
        for (size_t k = 0; k < i; k++) {
            if (value_is_text(&entries[k].key, value_text(&entries[i].key))) {
                return false;
            }
        }
    }
    *out = (struct value){.kind = VALUE_MAP, .n = (uint32_t)(n / 2), .as.map = entries};
    return n % 2 == 0;
}

static bool oracle_time(struct oracle *o, struct value *out)
{
    uint64_t tag = o->count;
    struct value in = {0};
    if (tag > 1 || !oracle_value(o, 0, true, &in)) {
        return false;
    }
    int64_t s = 0;
    uint32_t nanos = 0;
    if (tag == 0) {
        bool good = in.kind == VALUE_STRING && time_parse(value_text(&in), &s, &nanos);
        *out = (struct value){.kind = VALUE_TIMESTAMP, .n = nanos, .as.i = s};
        return good;
    }
    if (in.kind == VALUE_DOUBLE && in.as.d >= (double)TIME_MIN_S && in.as.d <= (double)TIME_MAX_S) {
        double whole = (double)(int64_t)in.as.d;
        whole -= in.as.d < whole ? 1 : 0;
        *out = (struct value){
            .kind = VALUE_TIMESTAMP, .n = (uint32_t)((in.as.d - whole) * 1e9), .as.i = (int64_t)whole};
        out->n = out->n > 999999999 ? 999999999 : out->n;
        return true;
    }
    *out = (struct value){.kind = VALUE_TIMESTAMP, .as.i = in.as.i};
    return in.kind == VALUE_INT && in.as.i >= TIME_MIN_S && in.as.i <= TIME_MAX_S;
}

static bool oracle_value(struct oracle *o, unsigned depth, bool scalar, struct value *out)
{
    if (!next(o)) {
        return false;
    }
    switch (o->token) {
    case TOKEN_INT:
        *out = value_int(o->i);
        return true;
    case TOKEN_TEXT:
        *out = value_str(o->s);
        return str_is_utf8(o->s);
    case TOKEN_BYTES:
        *out = value_str(o->s);
        out->kind = VALUE_BYTES;
        return true;
    case TOKEN_OPEN_TEXT:
        return oracle_pieces(o, TOKEN_TEXT, out);
    case TOKEN_OPEN_BYTES:
        return oracle_pieces(o, TOKEN_BYTES, out);
    case TOKEN_DOUBLE:
        *out = value_double(o->d);
        return isfinite(o->d);
    case TOKEN_BOOL:
        *out = value_bool(o->i != 0);
        return true;
    case TOKEN_NULL:
        *out = value_null();
        return true;
    case TOKEN_LIST:
    case TOKEN_OPEN_LIST:
    case TOKEN_MAP:
    case TOKEN_OPEN_MAP:
        return !scalar && oracle_nested(o, depth, out);
    case TOKEN_TAG:
        return !scalar && oracle_time(o, out);
    default:
        return false;
    }
}

static bool oracle(struct str bytes, struct arena *arena, struct value *out)
{
    struct oracle o = {.at = (const unsigned char *)bytes.at, .arena = arena};
    o.end = o.at + bytes.len;
    return oracle_value(&o, 0, false, out) && o.at == o.end;
}

// ---- Equal to the bit, maps in the same order ---------------------------------------------------

static bool same(const struct value *a, const struct value *b)
{
    if (a->kind != b->kind || a->n != b->n) {
        return false;
    }
    switch (a->kind) {
    case VALUE_STRING:
    case VALUE_BYTES:
        return str_eq(value_text(a), value_text(b));
    case VALUE_LIST:
        for (uint32_t i = 0; i < a->n; i++) {
            if (!same(&a->as.list[i], &b->as.list[i])) {
                return false;
            }
        }
        return true;
    case VALUE_MAP:
        for (uint32_t i = 0; i < a->n; i++) {
            if (!same(&a->as.map[i].key, &b->as.map[i].key) ||
                !same(&a->as.map[i].value, &b->as.map[i].value)) {
                return false;
            }
        }
        return true;
    case VALUE_BOOL:
        return a->as.b == b->as.b;
    case VALUE_NULL:
        return true;
    default:
        return a->as.i == b->as.i; // the bits of a double too
    }
}

// ---- Inputs ------------------------------------------------------------------------------------

static uint64_t state = UINT64_C(0x2545f4914f6cdd1d);

static uint32_t draw(uint32_t below)
{
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return (uint32_t)(state >> 32) % below;
}

static void put_head(struct buf *out, unsigned major, uint64_t arg)
{
    unsigned wide = draw(8) == 0 ? draw(4) : 0; // sometimes longer than needed
    unsigned least = arg < 24 ? 0 : arg < 256 ? 1 : arg < 65536 ? 2 : arg >> 32 == 0 ? 3 : 4;
    unsigned form = wide > least ? wide : least;
    if (form == 0) {
        buf_byte(out, (unsigned char)(major << 5 | arg));
        return;
    }
    buf_byte(out, (unsigned char)(major << 5 | (23 + form)));
    for (unsigned i = 1u << (form - 1); i-- > 0;) {
        buf_byte(out, (unsigned char)(arg >> (8 * i)));
    }
}

static void put_text(struct buf *out, unsigned major)
{
    static const char *const WORDS[] = {"",
                                        "a",
                                        "b",
                                        "id",
                                        "type",
                                        "a longer text of more than 23 bytes",
                                        "\xc3\xbc",
                                        "eight888",
                                        "twelve twelv",
                                        "seventeen17171717",
                                        "2026-11-22T20:33:20.5Z",
                                        "1969-12-31T23:59:59-01:00",
                                        "\xf0\x9f\x92\xb0 money",
                                        "\xed\xa0\x80"};
    struct str s = str_of(WORDS[draw(draw(4) == 0 ? COUNT_OF(WORDS) : COUNT_OF(WORDS) - 1)]);
    put_head(out, major, s.len);
    buf_str(out, s);
}

static void put_scalar(struct buf *out)
{
    static const uint64_t EDGES[] = {0,
                                     23,
                                     24,
                                     255,
                                     256,
                                     65535,
                                     65536,
                                     UINT32_MAX,
                                     UINT64_C(1) << 32,
                                     INT64_MAX,
                                     UINT64_C(1) << 63,
                                     UINT64_MAX,
                                     1795370000};
    uint64_t bits = state;
    switch (draw(9)) {
    case 0:
    case 1:
        put_head(out, draw(2), EDGES[draw(draw(4) == 0 ? COUNT_OF(EDGES) : 10)]);
        break;
    case 2:
        buf_byte(out, (unsigned char)(0xe0 + draw(draw(4) == 0 ? 32 : 1) % 32));
        break;
    case 3:
        buf_byte(out, (unsigned char)(0xf4 + draw(4)));
        break;
    case 4: {
        unsigned form = draw(3);
        buf_byte(out, (unsigned char)(0xf9 + form));
        buf_put(out, &bits, 2u << form);
        break;
    }
    case 5:
        put_text(out, 2);
        break;
    default:
        put_text(out, 3);
    }
}

static void put_any(struct buf *out, unsigned depth)
{
    unsigned kind = depth > 17 ? 0 : draw(10);
    if (kind < 5) {
        put_scalar(out);
    } else if (kind == 5) {
        put_head(out, 6, draw(8) == 0 ? draw(70) : draw(2));
        put_any(out, depth + 1);
    } else if (kind == 6) { // pieces
        unsigned major = 2 + draw(2);
        buf_byte(out, (unsigned char)(major << 5 | 31));
        for (unsigned n = draw(4); n > 0; n--) {
            put_text(out, draw(12) == 0 ? 2 + draw(2) : major);
        }
        buf_byte(out, 0xff);
    } else {
        bool map = kind > 7;
        bool open = draw(4) == 0;
        unsigned n = draw(draw(8) == 0 ? 40 : 5);
        if (open) {
            buf_byte(out, map ? 0xbf : 0x9f);
        } else {
            put_head(out, map ? 5 : 4, n);
        }
        for (unsigned i = 0; i < n && out->len < 4000; i++) {
            if (map && draw(3) != 0) {
                put_head(out, 3, 2); // most keys differ
                buf_byte(out, (unsigned char)('a' + i));
                buf_byte(out, (unsigned char)('a' + draw(26)));
            } else if (map) {
                put_text(out, 3);
            }
            put_any(out, depth + 1);
        }
        if (open) {
            buf_byte(out, 0xff);
        }
    }
}

static void damage(struct buf *bytes)
{
    for (unsigned n = draw(3); n > 0 && bytes->len > 0; n--) {
        size_t at = draw((uint32_t)bytes->len);
        switch (draw(4)) {
        case 0:
            bytes->at[at] ^= (unsigned char)(1u << draw(8));
            break;
        case 1:
            bytes->at[at] = (unsigned char)draw(256);
            break;
        case 2:
            bytes->len = at;
            break;
        default:
            buf_byte(bytes, (unsigned char)draw(256));
        }
    }
}

static void show(struct str bytes, char *hex, size_t most)
{
    hex[0] = '\0';
    for (size_t i = 0; i < bytes.len && 2 * i + 3 < most; i++) {
        snprintf(hex + 2 * i, 3, "%02x", (unsigned char)bytes.at[i]);
    }
}

static bool agree(struct str bytes, unsigned *accepted)
{
    struct arena ours_arena, its_arena;
    struct value ours, its = {0};
    struct fault why = {0};
    arena_init(&ours_arena, 0, 0);
    arena_init(&its_arena, 0, 0);
    bool we = wire_decode(WIRE_CBOR, bytes, &ours_arena, &ours, &why) == PDP_ERR_OK;
    bool it = oracle(bytes, &its_arena, &its);
    bool good = we == it && (!we || same(&ours, &its));
    if (!good) {
        char hex[2000];
        show(bytes, hex, sizeof hex);
        cr_log_error("we say %d (%s: %s), libcbor says %d: %s", we, why.field, why.what, it, hex);
    }
    *accepted += we;
    arena_fini(&ours_arena);
    arena_fini(&its_arena);
    return good;
}

Test(wire_oracle, agrees_with_libcbor)
{
    struct buf bytes = {0};
    unsigned accepted = 0, all = 0, wrong = 0;
    for (; all < 100000 && wrong < 5; all++) {
        buf_clear(&bytes);
        put_any(&bytes, draw(6) == 0 ? 0 : 12);
        damage(&bytes);
        unsigned char *exact = malloc(bytes.len + 1); // so that a read past the end is seen
        memcpy(exact, bytes.at, bytes.len);
        exact = realloc(exact, bytes.len + (bytes.len == 0));
        wrong += !agree((struct str){(const char *)exact, bytes.len}, &accepted);
        free(exact);
    }
    cr_expect_eq(wrong, 0);
    cr_expect(accepted > all / 10 && accepted < all - all / 10, "%u of %u accepted", accepted, all);
    buf_fini(&bytes);
}

Test(wire_oracle, agrees_on_every_short_input)
{
    unsigned accepted = 0, wrong = 0;
    for (unsigned i = 0; i < 65536 && wrong < 5; i++) {
        const char two[2] = {(char)(i >> 8), (char)i};
        wrong += !agree((struct str){two, 2}, &accepted);
    }
    cr_expect_eq(wrong, 0);
}
