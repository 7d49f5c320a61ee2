// SPDX-License-Identifier: Apache-2.0
// Bytes to the model and back: CBOR (RFC 8949) by our own reader, JSON by jansson.
#ifndef WIRE_WIRE_H
#define WIRE_WIRE_H

#include "base/arena.h"
#include "base/buf.h"
#include "model/request.h"
#include "model/verdict.h"

enum wire_form {
    WIRE_CBOR,
    WIRE_JSON
};

// JSON where the first byte that is no white space is `{` or `[`, else CBOR.
enum wire_form wire_form_of(struct str bytes);

// One value, whole input, into a tree in `arena` whose text points into `bytes`, or into the arena where it
// had escapes. Depth REQUEST_DEPTH_MAX; duplicate keys, invalid UTF-8, integers outside int64, trailing
// bytes, NaN and infinities, indefinite lengths above the input are MALFORMED with *why (field: byte offset).
// Input above REQUEST_BYTES_MAX is MALFORMED. A NUL may stand in text, but not in a key.
// CBOR: definite and indefinite items, ints, text, bytes, arrays, maps with text keys, floats of all sizes,
// simple false, true, null, undefined (as null); tags 0, 1 (times) are read, others are refused. Work and
// memory are linear in the input.
MUST_USE enum pdp_err wire_decode(enum wire_form form, struct str bytes, struct arena *arena,
                                  struct value *out, struct fault *why);
// As wire_decode, for at most `most` bytes: what a client reads (the answer to a batch may be longer than a
// question).
MUST_USE enum pdp_err wire_decode_most(enum wire_form form, struct str bytes, size_t most,
                                       struct arena *arena, struct value *out, struct fault *why);

// ---- Writing, in either form -------------------------------------------------------------------

// A writer for one value. Maps and lists are closed in order; a key comes before its value. Errors stick in
// the buffer, and so does a nesting deeper than EMIT_DEPTH_MAX. CBOR uses definite lengths where `count` is
// given exactly. SIZE_MAX: an indefinite length. EMIT_FEW: at most 23 entries or items, counted as they come.
#define EMIT_DEPTH_MAX (REQUEST_DEPTH_MAX + 16)
#define EMIT_FEW (SIZE_MAX - 1)

struct emit_level {
    size_t head;         // where the map or list began
    uint32_t count;      // keys or items so far
    bool map, few, open; // open: of indefinite length
};

struct emit {
    enum wire_form form;
    bool keyed; // a key was written, its value comes next
    uint32_t depth;
    struct buf *out;
    struct emit_level level[EMIT_DEPTH_MAX + 1]; // level[0] is outside of all; set where entered
};

void emit_init(struct emit *emit, enum wire_form form, struct buf *out);
void emit_map(struct emit *emit, size_t count);
void emit_list(struct emit *emit, size_t count);
void emit_end(struct emit *emit); // of the innermost map or list
// A key with a list of texts; nothing at all where there are none.
void emit_texts(struct emit *emit, struct str key, const struct str *texts, size_t count);
void emit_key(struct emit *emit, struct str key);
void emit_str(struct emit *emit, struct str s);
void emit_int(struct emit *emit, int64_t i);
void emit_double(struct emit *emit, double d); // shortest text that reads back the same; NaN and inf: null
void emit_bool(struct emit *emit, bool b);
void emit_null(struct emit *emit);
// Times as RFC 3339, durations as `1.5s`, addresses as text.
void emit_value(struct emit *emit, const struct value *v);
void emit_uint(struct emit *emit, uint64_t u);
void emit_bytes(struct emit *emit, struct str bytes); // JSON: base64url without padding
// A key and its value in one call.
void emit_key_str(struct emit *emit, const char *key, struct str s);
void emit_key_int(struct emit *emit, const char *key, int64_t i);
void emit_key_double(struct emit *emit, const char *key, double d);
void emit_key_bool(struct emit *emit, const char *key, bool b);

// The answer of DESIGN §4. Scores are rounded to 4 decimals only in JSON text when `brief`.
void wire_verdict(struct emit *emit, const struct verdict *verdict, bool full);
// `{"decision": false, "context": {"effect": "deny", "code": …, "error": {"status", "field", "message"}}}`
void wire_fault(struct emit *emit, enum pdp_code code, struct str request_id, const struct fault *why);
// The same of a question that was read, with what it lacks: the verdict's code, request_id and missing.
void wire_refusal(struct emit *emit, const struct verdict *verdict, const struct fault *why);

// The keyed hash's input for repeats: the canonical form of a question (maps sorted by key, numbers as they
// are), written as CBOR into `out`. Equal questions give equal bytes whatever form they came in.
void wire_canonical(const struct value *root, struct buf *out);

#endif
