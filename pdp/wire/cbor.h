// SPDX-License-Identifier: Apache-2.0
// CBOR (RFC 8949): the reader behind wire_decode, and the pieces that its writers share.
#ifndef WIRE_CBOR_H
#define WIRE_CBOR_H

#include "base/arena.h"
#include "base/buf.h"
#include "model/request.h"

enum cbor_major {
    CBOR_UINT,
    CBOR_NEGATIVE,
    CBOR_BYTES,
    CBOR_TEXT,
    CBOR_LIST,
    CBOR_MAP,
    CBOR_TAG,
    CBOR_SIMPLE,
};

// As wire_decode. `bytes` is at most UINT32_MAX long. Hot path: allocates from the arena only.
MUST_USE enum pdp_err cbor_decode(struct str bytes, struct arena *arena, struct value *out,
                                  struct fault *why);

// Appends: the head of an item in its shortest form; whole text; a double in the shortest of 16, 32 and 64
// bits that keeps it (NaN and infinities, which the reader refuses, become null).
void cbor_put_head(struct buf *out, enum cbor_major major, uint64_t arg);
void cbor_put_text(struct buf *out, struct str s);
void cbor_put_int(struct buf *out, int64_t i);
void cbor_put_double(struct buf *out, double d);

#endif
