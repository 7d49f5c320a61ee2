// SPDX-License-Identifier: Apache-2.0
// JSON (RFC 8259) by jansson: the reader behind wire_decode, and text pieces for the writer.
#ifndef WIRE_JSON_H
#define WIRE_JSON_H

#include "base/arena.h"
#include "base/buf.h"
#include "model/request.h"

// As wire_decode. All text is copied into the arena. jansson takes its memory from the heap and gives it
// back.
MUST_USE enum pdp_err json_decode(struct str bytes, struct arena *arena, struct value *out,
                                  struct fault *why);

// Appends: a quoted, escaped string (broken UTF-8 as U+FFFD); a number; the shortest text of a double that
// reads back the same and is no integer (`1.0`; NaN and infinities: `null`).
void json_put_text(struct buf *out, struct str s);
void json_put_int(struct buf *out, int64_t i);
void json_put_uint(struct buf *out, uint64_t u);
void json_put_double(struct buf *out, double d);

#endif
