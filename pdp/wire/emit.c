// SPDX-License-Identifier: Apache-2.0
// HOT
#include "base/time.h"
#include "model/verdict.h"
#include "wire/cbor.h"
#include "wire/json.h"
#include "wire/wire.h"

enum {
    FEW_MAX = 23,
    BREAK = 0xff,
    OPEN_LIST = 0x9f,
    OPEN_MAP = 0xbf,
    CBOR_NULL = 0xf6
};

void emit_init(struct emit *emit, enum wire_form form, struct buf *out)
{
    emit->form = form;
    emit->keyed = false;
    emit->depth = 0;
    emit->out = out;
    emit->level[0] = (struct emit_level){0};
}

// ---- Structure ---------------------------------------------------------------------------------

static struct emit_level *innermost(struct emit *emit)
{
    return &emit->level[emit->depth <= EMIT_DEPTH_MAX ? emit->depth : EMIT_DEPTH_MAX];
}

static inline void before_item(struct emit *emit)
{
    struct emit_level *level = innermost(emit);
    if (emit->form == WIRE_JSON && level->count != 0) {
        buf_byte(emit->out, ',');
    }
    level->count++;
}

static inline void before_value(struct emit *emit)
{
    if (!emit->keyed) {
        before_item(emit);
    }
    emit->keyed = false;
}

static void enter(struct emit *emit, size_t count, bool map)
{
    before_value(emit);
    struct buf *out = emit->out;
    if (++emit->depth > EMIT_DEPTH_MAX) {
        out->failed = true;
        return;
    }
    bool few = count == EMIT_FEW;
    bool open = count == SIZE_MAX;
    emit->level[emit->depth] = (struct emit_level){.head = out->len, .map = map, .few = few, .open = open};
    if (emit->form == WIRE_JSON) {
        buf_byte(out, map ? '{' : '[');
    } else if (open) {
        buf_byte(out, map ? OPEN_MAP : OPEN_LIST);
    } else {
        cbor_put_head(out, map ? CBOR_MAP : CBOR_LIST, few ? 0 : count);
    }
}

void emit_map(struct emit *emit, size_t count)
{
    enter(emit, count, true);
}

void emit_list(struct emit *emit, size_t count)
{
    enter(emit, count, false);
}

void emit_end(struct emit *emit)
{
    invariant(emit->depth > 0);
    struct buf *out = emit->out;
    if (emit->depth-- > EMIT_DEPTH_MAX) {
        return;
    }
    const struct emit_level *level = &emit->level[emit->depth + 1];
    if (emit->form == WIRE_JSON) {
        buf_byte(out, level->map ? '}' : ']');
    } else if (level->open) {
        buf_byte(out, BREAK);
    } else if (level->few && !out->failed) {
        invariant(level->count <= FEW_MAX);
        out->at[level->head] |= (unsigned char)level->count;
    }
}

// ---- Scalars -----------------------------------------------------------------------------------

void emit_key(struct emit *emit, struct str key)
{
    before_item(emit);
    emit->keyed = true;
    if (emit->form == WIRE_CBOR) {
        cbor_put_text(emit->out, key);
        return;
    }
    json_put_text(emit->out, key);
    buf_byte(emit->out, ':');
}

// Text must be valid UTF-8 in CBOR too: what is not gets U+FFFD for each broken byte.
__attribute__((cold, noinline)) static void put_repaired(struct buf *out, struct str s)
{
    size_t len = 0;
    uint32_t cp = 0;
    for (size_t at = 0, from = 0; at < s.len; from = at) {
        len += str_next_cp(s, &at, &cp) ? at - from : 3;
    }
    cbor_put_head(out, CBOR_TEXT, len);
    for (size_t at = 0, from = 0; at < s.len; from = at) {
        if (str_next_cp(s, &at, &cp)) {
            buf_put(out, s.at + from, at - from);
        } else {
            buf_put(out, "\xef\xbf\xbd", 3);
        }
    }
}

// Most text is; the rest is looked at more closely.
static inline bool is_ascii(struct str s)
{
    uint64_t seen = 0;
    uint64_t word = 0;
    if (s.len < 8) {
        for (size_t i = 0; i < s.len; i++) {
            seen |= (unsigned char)s.at[i];
        }
        return seen < 0x80;
    }
    for (size_t i = 0; i + 8 <= s.len; i += 8) {
        memcpy(&word, s.at + i, sizeof word);
        seen |= word;
    }
    memcpy(&word, s.at + s.len - 8, sizeof word);
    return ((seen | word) & UINT64_C(0x8080808080808080)) == 0;
}

void emit_str(struct emit *emit, struct str s)
{
    before_value(emit);
    if (emit->form == WIRE_JSON) {
        json_put_text(emit->out, s);
    } else if (is_ascii(s) || str_is_utf8(s)) {
        cbor_put_text(emit->out, s);
    } else {
        put_repaired(emit->out, s);
    }
}

void emit_int(struct emit *emit, int64_t i)
{
    before_value(emit);
    if (emit->form == WIRE_JSON) {
        json_put_int(emit->out, i);
    } else {
        cbor_put_int(emit->out, i);
    }
}

void emit_uint(struct emit *emit, uint64_t u)
{
    before_value(emit);
    if (emit->form == WIRE_JSON) {
        json_put_uint(emit->out, u);
    } else {
        cbor_put_head(emit->out, CBOR_UINT, u);
    }
}

void emit_double(struct emit *emit, double d)
{
    before_value(emit);
    if (emit->form == WIRE_JSON) {
        json_put_double(emit->out, d);
    } else {
        cbor_put_double(emit->out, d);
    }
}

void emit_bool(struct emit *emit, bool b)
{
    before_value(emit);
    if (emit->form == WIRE_JSON) {
        buf_str(emit->out, b ? STR("true") : STR("false"));
    } else {
        buf_byte(emit->out, b ? 0xf5 : 0xf4);
    }
}

void emit_null(struct emit *emit)
{
    before_value(emit);
    if (emit->form == WIRE_JSON) {
        buf_str(emit->out, STR("null"));
    } else {
        buf_byte(emit->out, CBOR_NULL);
    }
}

void emit_bytes(struct emit *emit, struct str bytes)
{
    static const char DIGITS[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    before_value(emit);
    struct buf *out = emit->out;
    if (emit->form == WIRE_CBOR) {
        cbor_put_head(out, CBOR_BYTES, bytes.len);
        buf_str(out, bytes);
        return;
    }
    buf_byte(out, '"');
    uint32_t held = 0;
    unsigned bits = 0;
    for (size_t i = 0; i < bytes.len; i++) {
        held = held << 8 | (unsigned char)bytes.at[i];
        for (bits += 8; bits >= 6; bits -= 6) {
            buf_byte(out, (unsigned char)DIGITS[held >> (bits - 6) & 63]);
        }
    }
    if (bits != 0) {
        buf_byte(out, (unsigned char)DIGITS[held << (6 - bits) & 63]);
    }
    buf_byte(out, '"');
}

// ---- Whole values ------------------------------------------------------------------------------

// `1.5s`: the sign is that of the seconds, the nanoseconds are their magnitude.
static void print_duration(struct buf *out, int64_t seconds, uint32_t nanos, bool below_zero)
{
    buf_str(out, seconds == 0 && below_zero ? STR("-") : STR(""));
    json_put_int(out, seconds);
    if (nanos != 0) {
        char digits[10] = ".";
        size_t len = sizeof digits;
        for (size_t i = 9; i > 0; i--) {
            digits[i] = (char)('0' + nanos % 10);
            nanos /= 10;
        }
        while (digits[len - 1] == '0') {
            len--;
        }
        buf_put(out, digits, len);
    }
    buf_byte(out, 's');
}

// Printed into the buffer's end, then moved by the length of its head.
static void emit_printed(struct emit *emit, const struct value *v)
{
    before_value(emit);
    struct buf *out = emit->out;
    size_t from = out->len;
    buf_byte(out, '"'); // the place of a one-byte head too
    if (v->kind == VALUE_TIMESTAMP) {
        time_print(out, v->as.i, v->n);
    } else if (v->kind == VALUE_DURATION) {
        print_duration(out, v->as.i, v->n, v->flag != 0);
    } else if (v->kind == VALUE_IP) {
        ip_print(out, v->as.ip);
    } else {
        cidr_print(out, v->as.cidr);
    }
    size_t len = out->len - from - 1;
    if (emit->form == WIRE_JSON) {
        buf_byte(out, '"');
    } else if (!out->failed && len < 24) {
        out->at[from] = (unsigned char)(CBOR_TEXT << 5 | len);
    } else if (buf_room(out, 1)) {
        memmove(out->at + from + 2, out->at + from + 1, len);
        out->at[from] = CBOR_TEXT << 5 | 24;
        out->at[from + 1] = (unsigned char)len;
        out->len++;
    }
}

static void emit_nested(struct emit *emit, const struct value *v)
{
    // Our own trees are bounded too, but recursion must not depend on it.
    if (emit->depth >= EMIT_DEPTH_MAX) {
        emit->out->failed = true;
        emit_null(emit);
        return;
    }
    if (v->kind == VALUE_LIST) {
        emit_list(emit, v->n);
        for (uint32_t i = 0; i < v->n; i++) {
            emit_value(emit, &v->as.list[i]);
        }
    } else {
        emit_map(emit, v->n);
        for (uint32_t i = 0; i < v->n; i++) {
            emit_key(emit, value_text(&v->as.map[i].key));
            emit_value(emit, &v->as.map[i].value);
        }
    }
    emit_end(emit);
}

void emit_value(struct emit *emit, const struct value *v)
{
    switch (v->kind) {
    case VALUE_BOOL:
        emit_bool(emit, v->as.b);
        break;
    case VALUE_INT:
        emit_int(emit, v->as.i);
        break;
    case VALUE_UINT:
        emit_uint(emit, v->as.u);
        break;
    case VALUE_DOUBLE:
        emit_double(emit, v->as.d);
        break;
    case VALUE_STRING:
        emit_str(emit, value_text(v));
        break;
    case VALUE_BYTES:
        emit_bytes(emit, value_text(v));
        break;
    case VALUE_LIST:
    case VALUE_MAP:
        emit_nested(emit, v);
        break;
    case VALUE_TIMESTAMP:
    case VALUE_DURATION:
    case VALUE_IP:
    case VALUE_CIDR:
        emit_printed(emit, v);
        break;
    case VALUE_LEVEL:
        if (v->as.i >= 0 && v->as.i < RISK_LEVEL_COUNT) {
            emit_str(emit, RISK_LEVEL_NAMES[v->as.i]);
            break;
        }
        emit_null(emit);
        break;
    default: // what only conditions know has no form on the wire
        emit_null(emit);
    }
}

void emit_key_str(struct emit *emit, const char *key, struct str s)
{
    emit_key(emit, str_of(key));
    emit_str(emit, s);
}

void emit_key_int(struct emit *emit, const char *key, int64_t i)
{
    emit_key(emit, str_of(key));
    emit_int(emit, i);
}

void emit_key_double(struct emit *emit, const char *key, double d)
{
    emit_key(emit, str_of(key));
    emit_double(emit, d);
}

void emit_key_bool(struct emit *emit, const char *key, bool b)
{
    emit_key(emit, str_of(key));
    emit_bool(emit, b);
}

void emit_texts(struct emit *emit, struct str key, const struct str *texts, size_t count)
{
    if (count == 0) {
        return;
    }
    emit_key(emit, key);
    emit_list(emit, count);
    for (size_t i = 0; i < count; i++) {
        emit_str(emit, texts[i]);
    }
    emit_end(emit);
}
