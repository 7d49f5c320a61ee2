// SPDX-License-Identifier: Apache-2.0
// HOT
#include "wire/cbor.h"

void cbor_put_head(struct buf *out, enum cbor_major major, uint64_t arg)
{
    unsigned char type = (unsigned char)(major << 5);
    if (arg < 24) {
        buf_byte(out, (unsigned char)(type | arg));
        return;
    }
    unsigned log2 = (unsigned)(arg > 0xff) + (unsigned)(arg > 0xffff) + (unsigned)(arg > 0xffffffff);
    size_t bytes = (size_t)1 << log2;
    if (!buf_room(out, 1 + bytes)) {
        return;
    }
    unsigned char *at = out->at + out->len;
    *at = (unsigned char)(type | (24 + log2));
    for (size_t i = bytes; i > 0; i--) {
        at[i] = (unsigned char)arg;
        arg >>= 8;
    }
    out->len += 1 + bytes;
}

void cbor_put_text(struct buf *out, struct str s)
{
    if (s.len < 24) {
        if (buf_room(out, 1 + s.len)) {
            out->at[out->len] = (unsigned char)(CBOR_TEXT << 5 | s.len);
            if (s.len != 0) {
                memcpy(out->at + out->len + 1, s.at, s.len);
            }
            out->len += 1 + s.len;
        }
        return;
    }
    cbor_put_head(out, CBOR_TEXT, s.len);
    buf_put(out, s.at, s.len);
}

void cbor_put_int(struct buf *out, int64_t i)
{
    if (i < 0) {
        cbor_put_head(out, CBOR_NEGATIVE, (uint64_t)(-1 - i));
    } else {
        cbor_put_head(out, CBOR_UINT, (uint64_t)i);
    }
}

static void put_float(struct buf *out, unsigned char type, uint64_t bits, size_t bytes)
{
    if (!buf_room(out, 1 + bytes)) {
        return;
    }
    unsigned char *at = out->at + out->len;
    *at = type;
    for (size_t i = bytes; i > 0; i--) {
        at[i] = (unsigned char)bits;
        bits >>= 8;
    }
    out->len += 1 + bytes;
}

// The bits of a float as a half, where that keeps its value.
static bool to_half(uint32_t single, uint64_t *half)
{
    uint32_t sign = single >> 31 << 15;
    uint32_t exponent = single >> 23 & 255;
    uint32_t fraction = single & 0x7fffff;
    if (exponent == 0 && fraction == 0) {
        *half = sign;
        return true;
    }
    if (exponent >= 113 && exponent <= 142) { // a normal half
        *half = sign | (exponent - 112) << 10 | fraction >> 13;
        return (fraction & 0x1fff) == 0;
    }
    if (exponent >= 103 && exponent <= 112) { // a subnormal one: units of 2^-24
        uint32_t whole = fraction | 0x800000;
        uint32_t shift = 126 - exponent;
        *half = sign | whole >> shift;
        return (whole & ((UINT32_C(1) << shift) - 1)) == 0;
    }
    return false;
}

void cbor_put_double(struct buf *out, double d)
{
    uint64_t bits = 0;
    memcpy(&bits, &d, sizeof bits);
    if ((bits >> 52 & 2047) == 2047) {
        buf_byte(out, 0xf6); // null
        return;
    }
    // Past the range of a float the conversion would be undefined.
    bool narrow = d >= -0x1.fffffep127 && d <= 0x1.fffffep127;
    float f = narrow ? (float)d : 0.0F;
    if (!narrow || (double)f != d) {
        put_float(out, 0xfb, bits, 8);
        return;
    }
    uint32_t single = 0;
    uint64_t half = 0;
    memcpy(&single, &f, sizeof single);
    if (to_half(single, &half)) {
        put_float(out, 0xf9, half, 2);
    } else {
        put_float(out, 0xfa, single, 4);
    }
}
