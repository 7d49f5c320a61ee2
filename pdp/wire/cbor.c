// SPDX-License-Identifier: Apache-2.0
// HOT
#include "wire/cbor.h"

#include "base/time.h"
#include "model/fault.h"
#include "wire/keys.h"

#define LIKELY(x) __builtin_expect(!!(x), 1)

enum {
    SMALL_MAP = 16, // up to here duplicate keys are looked for pair by pair
    INDEFINITE = 31,
    BREAK = 0xff,
    LITTLE_ENDIAN_HOST = __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__,
};

static const uint64_t HIGH_BITS = UINT64_C(0x8080808080808080);
static const uint64_t LOW_BITS = UINT64_C(0x0101010101010101);

struct reader {
    const unsigned char *at, *end, *start;
    struct arena *arena;
    struct fault *why;
    size_t owed;    // items that open lists and maps still claim; never more than the bytes that are left,
                    // so memory is linear in the input whatever lengths are claimed
    uint64_t first; // of a key that was read the long way; kept here, for the address of a local costs the
                    // short way
};

static enum pdp_err read_value(struct reader *r, unsigned depth, struct value *out);

static size_t left(const struct reader *r)
{
    return (size_t)(r->end - r->at);
}

__attribute__((cold, noinline)) static enum pdp_err refuse(const struct reader *r, const unsigned char *at,
                                                           const char *what)
{
    return fault_at(r->why, (size_t)(at - r->start), "%s", what);
}

// ---- Heads -------------------------------------------------------------------------------------

struct head {
    const unsigned char *at;
    unsigned major, info;
    uint64_t arg;
};

static enum pdp_err read_long_arg(struct reader *r, struct head *head)
{
    if (head->info == INDEFINITE) {
        return PDP_ERR_OK; // whether the major type has that form is the caller's business
    }
    if (head->info > 27) {
        return refuse(r, head->at, "reserved length of an item's head");
    }
    size_t bytes = (size_t)1 << (head->info - 24);
    if (left(r) < bytes) {
        return refuse(r, head->at, "input ends within an item");
    }
    uint64_t arg = 0;
    for (size_t i = 0; i < bytes; i++) {
        arg = arg << 8 | r->at[i];
    }
    r->at += bytes;
    head->arg = arg;
    return PDP_ERR_OK;
}

static inline enum pdp_err read_head(struct reader *r, struct head *head)
{
    if (r->at == r->end) {
        return refuse(r, r->at, "input ends where an item is expected");
    }
    head->at = r->at;
    unsigned byte = *r->at++;
    head->major = byte >> 5;
    head->info = byte & 31;
    head->arg = head->info;
    return LIKELY(head->info < 24) ? PDP_ERR_OK : read_long_arg(r, head);
}

// ---- Text --------------------------------------------------------------------------------------

static inline uint64_t load_8(const unsigned char *at)
{
    uint64_t word = 0;
    memcpy(&word, at, sizeof word);
    return word;
}

// The first bytes of an item, at most 8, in the order of memory; zero beyond its length.
static inline uint64_t load_first(const struct reader *r, const unsigned char *at, size_t len)
{
    if (LITTLE_ENDIAN_HOST && LIKELY(r->end - at >= 8)) {
        return len >= 8 ? load_8(at) : load_8(at) & ((UINT64_C(1) << (8 * len)) - 1);
    }
    uint64_t word = 0;
    memcpy(&word, at, len < 8 ? len : 8);
    return word;
}

static inline bool is_text(const unsigned char *at, size_t len, uint64_t first)
{
    uint64_t seen = first;
    if (len > 8) {
        for (size_t i = 8; i + 8 <= len; i += 8) {
            seen |= load_8(at + i);
        }
        seen |= load_8(at + len - 8);
    }
    return LIKELY((seen & HIGH_BITS) == 0) || str_is_utf8((struct str){(const char *)at, len});
}

// Text of at most 23 bytes, all ASCII and well before the input's end, which nearly all keys and values are:
// returns where it ends and fills *out and its first 8 bytes. NULL where it is not that; then the long way
// decides what it is.
static inline const unsigned char *short_text(const unsigned char *at, const unsigned char *end,
                                              struct value *out, uint64_t *first)
{
    unsigned len = end - at >= 32 ? *at - ((unsigned)CBOR_TEXT << 5) : UINT32_MAX;
    if (!LITTLE_ENDIAN_HOST || len > 23) {
        return NULL;
    }
    uint64_t word = load_8(++at);
    uint64_t rest = 0;
    if (len < 8) {
        word &= (UINT64_C(1) << (8 * len)) - 1;
    } else {
        rest = load_8(at + len - 8) | (len > 16 ? load_8(at + 8) : 0);
    }
    if (((word | rest) & HIGH_BITS) != 0) {
        return NULL;
    }
    *first = word;
    *out = value_str((struct str){(const char *)at, len});
    return at + len;
}

static inline enum pdp_err read_text(struct reader *r, uint64_t len, struct value *out, uint64_t *first)
{
    const unsigned char *at = r->at;
    if (len > left(r)) {
        return refuse(r, at, "text is longer than the input");
    }
    *first = load_first(r, at, (size_t)len);
    if (!is_text(at, (size_t)len, *first)) {
        return refuse(r, at, "text is not valid UTF-8");
    }
    r->at = at + len;
    *out = value_str((struct str){(const char *)at, (size_t)len});
    return PDP_ERR_OK;
}

static enum pdp_err read_bytes(struct reader *r, uint64_t len, struct value *out)
{
    if (len > left(r)) {
        return refuse(r, r->at, "byte string is longer than the input");
    }
    *out = value_str((struct str){(const char *)r->at, (size_t)len});
    out->kind = VALUE_BYTES;
    r->at += len;
    return PDP_ERR_OK;
}

// One definite piece of an indefinite string.
static enum pdp_err read_chunk(struct reader *r, unsigned major, struct value *out)
{
    const unsigned char *at = r->at;
    struct head head = {0};
    TRY(read_head(r, &head));
    if (head.major != major || head.info == INDEFINITE) {
        return refuse(r, at, "a piece of a string has another type");
    }
    uint64_t first = 0;
    return major == CBOR_TEXT ? read_text(r, head.arg, out, &first) : read_bytes(r, head.arg, out);
}

// Indefinite text or bytes: first the length of all pieces, then one copy.
static enum pdp_err read_chunks(struct reader *r, unsigned major, struct value *out)
{
    const unsigned char *from = r->at;
    size_t total = 0;
    struct value chunk = {0};
    while (r->at < r->end && *r->at != BREAK) {
        TRY(read_chunk(r, major, &chunk));
        total += chunk.n;
    }
    char *text = total == 0 ? NULL : arena_alloc(r->arena, total, 1);
    if (total != 0 && text == NULL) {
        return PDP_ERR_NOMEM;
    }
    r->at = from;
    for (size_t len = 0; r->at < r->end && *r->at != BREAK; len += chunk.n) {
        TRY(read_chunk(r, major, &chunk));
        if (chunk.n != 0) {
            memcpy(text + len, chunk.as.text, chunk.n);
        }
    }
    if (r->at == r->end) {
        return refuse(r, r->at, "input ends within a string");
    }
    r->at++;
    *out = value_str((struct str){text, total});
    out->kind = major == CBOR_TEXT ? VALUE_STRING : VALUE_BYTES;
    return PDP_ERR_OK;
}

// ---- Keys --------------------------------------------------------------------------------------

// jansson cannot hold a NUL in a key, and both forms must mean the same.
static inline bool holds_nul(const struct value *key, uint64_t first)
{
    if (key->n > 8) {
        return memchr(key->as.text, 0, key->n) != NULL;
    }
    uint64_t word = first;
    if (key->n < 8) {
        word |= LITTLE_ENDIAN_HOST ? ~UINT64_C(0) << (8 * key->n) : ~UINT64_C(0) >> (8 * key->n);
    }
    return ((word - LOW_BITS) & ~word & HIGH_BITS) != 0;
}

__attribute__((noinline)) static enum pdp_err read_long_key(struct reader *r, struct value *out)
{
    uint64_t *first = &r->first;
    const unsigned char *at = r->at;
    struct head head = {0};
    TRY(read_head(r, &head));
    if (head.major != CBOR_TEXT) {
        return refuse(r, at, "a key of a map is no text");
    }
    if (LIKELY(head.info != INDEFINITE)) {
        TRY(read_text(r, head.arg, out, first));
    } else {
        TRY(read_chunks(r, CBOR_TEXT, out));
        *first = 0;
        memcpy(first, out->n != 0 ? out->as.text : "", out->n < 8 ? out->n : 8);
    }
    return holds_nul(out, *first) ? refuse(r, at, "NUL byte in a key") : PDP_ERR_OK;
}

static inline enum pdp_err read_key(struct reader *r, struct value *out, uint64_t *first)
{
    const unsigned char *after = short_text(r->at, r->end, out, first);
    if (LIKELY(after != NULL && !holds_nul(out, *first))) {
        r->at = after;
        return PDP_ERR_OK;
    }
    TRY(read_long_key(r, out));
    *first = r->first;
    return PDP_ERR_OK;
}

__attribute__((cold, noinline)) static enum pdp_err refuse_twice(const struct reader *r,
                                                                 const struct value *key)
{
    // A key of several pieces was copied to the arena and has no place of its own.
    uintptr_t at = (uintptr_t)key->as.text;
    bool inside = at >= (uintptr_t)r->start && at < (uintptr_t)r->end;
    return fault_at(r->why, inside ? at - (uintptr_t)r->start : (size_t)(r->at - r->start),
                    "key %s is given twice", fault_quote(value_text(key)).text);
}

static bool given_before(const struct value_entry *entries, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (str_eq(value_text(&entries[i].key), value_text(&entries[count].key))) {
            return true;
        }
    }
    return false;
}

// Large maps, which no honest gateway sends: sorted, so that 10,000 keys cost n log n comparisons and no hash
// needs a secret.
static enum pdp_err check_large(struct reader *r, const struct value_entry *entries, size_t count)
{
    const struct value_entry **sorted = arena_alloc(r->arena, count * sizeof(const struct value_entry *),
                                                    _Alignof(const struct value_entry *));
    if (sorted == NULL) {
        return PDP_ERR_NOMEM;
    }
    for (size_t i = 0; i < count; i++) {
        sorted[i] = &entries[i];
    }
    keys_sort(sorted, count);
    for (size_t i = 1; i < count; i++) {
        if (keys_order(sorted[i - 1], sorted[i]) == 0) {
            return refuse_twice(r, &sorted[i]->key);
        }
    }
    return PDP_ERR_OK;
}

// ---- Maps and lists ----------------------------------------------------------------------------

static inline enum pdp_err read_item(struct reader *r, unsigned depth, struct value *out)
{
    uint64_t first = 0;
    const unsigned char *after = short_text(r->at, r->end, out, &first);
    if (after == NULL) {
        return read_value(r, depth, out);
    }
    r->at = after;
    return PDP_ERR_OK;
}

// One entry of a map into entries[i]. `seen` is a set of 64 bits of the keys' first bytes: keys that fall on
// different bits differ, so most are compared with none.
static inline enum pdp_err read_entry(struct reader *r, unsigned depth, struct value_entry *entries, size_t i,
                                      uint64_t *seen)
{
    uint64_t first = 0;
    TRY(read_key(r, &entries[i].key, &first));
    uint64_t mixed = (first ^ entries[i].key.n) * UINT64_C(0x9e3779b97f4a7c15);
    uint64_t bit = UINT64_C(1) << (mixed >> 58);
    if ((*seen & bit) != 0 && i < SMALL_MAP && given_before(entries, i)) {
        return refuse_twice(r, &entries[i].key);
    }
    *seen |= bit;
    return read_item(r, depth, &entries[i].value);
}

static enum pdp_err finish_map(struct reader *r, const struct value_entry *entries, size_t count,
                               struct value *out)
{
    *out = (struct value){.kind = VALUE_MAP, .n = (uint32_t)count, .as.map = entries};
    return LIKELY(count <= SMALL_MAP) ? PDP_ERR_OK : check_large(r, entries, count);
}

static enum pdp_err read_map(struct reader *r, uint64_t count, unsigned depth, struct value *out)
{
    if (count > left(r) / 2 || r->owed + 2 * count > left(r)) {
        return refuse(r, r->at, "map claims more entries than the input holds");
    }
    r->owed += 2 * count;
    size_t bytes = (size_t)count * sizeof(struct value_entry);
    struct value_entry *entries =
        count == 0 ? NULL : arena_alloc(r->arena, bytes, _Alignof(struct value_entry));
    if (count != 0 && entries == NULL) {
        return PDP_ERR_NOMEM;
    }
    uint64_t seen = 0;
    for (size_t i = 0; i < count; i++) {
        r->owed -= 2;
        TRY(read_entry(r, depth, entries, i, &seen));
    }
    return finish_map(r, entries, (size_t)count, out);
}

static enum pdp_err read_list(struct reader *r, uint64_t count, unsigned depth, struct value *out)
{
    if (count > left(r) || r->owed + count > left(r)) {
        return refuse(r, r->at, "list claims more items than the input holds");
    }
    r->owed += count;
    size_t bytes = (size_t)count * sizeof(struct value);
    struct value *items = count == 0 ? NULL : arena_alloc(r->arena, bytes, _Alignof(struct value));
    if (count != 0 && items == NULL) {
        return PDP_ERR_NOMEM;
    }
    for (size_t i = 0; i < count; i++) {
        r->owed--;
        TRY(read_item(r, depth, &items[i]));
    }
    *out = (struct value){.kind = VALUE_LIST, .n = (uint32_t)count, .as.list = items};
    return PDP_ERR_OK;
}

// Room for one element more; the old copies stay behind in the arena and sum up to no more than the last one.
static enum pdp_err grow(struct reader *r, void **items, size_t count, size_t *cap, size_t bytes)
{
    if (count < *cap) {
        return PDP_ERR_OK;
    }
    size_t wider = *cap == 0 ? 4 : *cap * 2;
    void *to = arena_alloc(r->arena, wider * bytes, _Alignof(struct value_entry));
    if (to == NULL) {
        return PDP_ERR_NOMEM;
    }
    if (count != 0) {
        memcpy(to, *items, count * bytes);
    }
    *items = to;
    *cap = wider;
    return PDP_ERR_OK;
}

// At the break of an indefinite item? Then past it.
static enum pdp_err at_break(struct reader *r, bool *done)
{
    if (r->at == r->end) {
        return refuse(r, r->at, "input ends within a list or map");
    }
    *done = *r->at == BREAK;
    r->at += *done;
    return PDP_ERR_OK;
}

static enum pdp_err read_open_map(struct reader *r, unsigned depth, struct value *out)
{
    void *entries = NULL;
    size_t cap = 0;
    uint64_t seen = 0;
    for (size_t i = 0;; i++) {
        bool done = false;
        TRY(at_break(r, &done));
        if (done) {
            return finish_map(r, entries, i, out);
        }
        TRY(grow(r, &entries, i, &cap, sizeof(struct value_entry)));
        TRY(read_entry(r, depth, entries, i, &seen));
    }
}

static enum pdp_err read_open_list(struct reader *r, unsigned depth, struct value *out)
{
    void *items = NULL;
    size_t cap = 0;
    for (size_t i = 0;; i++) {
        bool done = false;
        TRY(at_break(r, &done));
        if (done) {
            *out = (struct value){.kind = VALUE_LIST, .n = (uint32_t)i, .as.list = items};
            return PDP_ERR_OK;
        }
        TRY(grow(r, &items, i, &cap, sizeof(struct value)));
        TRY(read_value(r, depth, &((struct value *)items)[i]));
    }
}

// ---- Scalars -----------------------------------------------------------------------------------

static double from_half(uint64_t half)
{
    uint64_t sign = half >> 15 << 63;
    uint64_t exponent = half >> 10 & 31;
    uint64_t fraction = half & 1023;
    if (exponent == 0) {
        double small = (double)fraction * 0x1p-24;
        return sign != 0 ? -small : small;
    }
    uint64_t bits = sign | (exponent == 31 ? 2047 : exponent + 1008) << 52 | fraction << 42;
    double d = 0;
    memcpy(&d, &bits, sizeof d);
    return d;
}

static double from_single(uint64_t single)
{
    uint32_t bits = (uint32_t)single;
    float f = 0;
    memcpy(&f, &bits, sizeof f);
    return (double)f;
}

static double from_double(uint64_t bits)
{
    double d = 0;
    memcpy(&d, &bits, sizeof d);
    return d;
}

static enum pdp_err read_simple(struct reader *r, const struct head *head, struct value *out)
{
    switch (head->info) {
    case 20:
    case 21:
        *out = value_bool(head->info == 21);
        return PDP_ERR_OK;
    case 22:
    case 23: // undefined
        *out = value_null();
        return PDP_ERR_OK;
    case 25:
        *out = value_double(from_half(head->arg));
        break;
    case 26:
        *out = value_double(from_single(head->arg));
        break;
    case 27:
        *out = value_double(from_double(head->arg));
        break;
    default:
        return refuse(r, head->at,
                      head->info == INDEFINITE ? "break outside of an indefinite item"
                                               : "simple value that means nothing here");
    }
    // Not a number and the infinities fail both comparisons or one of them.
    if (!(out->as.d >= -0x1.fffffffffffffp1023 && out->as.d <= 0x1.fffffffffffffp1023)) {
        return refuse(r, head->at, "number is infinite or no number");
    }
    return PDP_ERR_OK;
}

static bool time_of_double(double at, struct value *out)
{
    if (!(at >= (double)TIME_MIN_S && at <= (double)TIME_MAX_S)) {
        return false;
    }
    int64_t s = (int64_t)at;
    s -= at < (double)s;
    int64_t nanos = (int64_t)((at - (double)s) * 1e9); // in [0, 1e9): the difference is exact
    *out = (struct value){
        .kind = VALUE_TIMESTAMP, .n = (uint32_t)(nanos > 999999999 ? 999999999 : nanos), .as.i = s};
    return true;
}

static bool time_of(uint64_t tag, const struct value *from, struct value *out)
{
    int64_t s = 0;
    uint32_t nanos = 0;
    if (tag == 0 && from->kind == VALUE_STRING && time_parse(value_text(from), &s, &nanos)) {
        *out = (struct value){.kind = VALUE_TIMESTAMP, .n = nanos, .as.i = s};
        return true;
    }
    if (tag == 1 && from->kind == VALUE_INT && from->as.i >= TIME_MIN_S && from->as.i <= TIME_MAX_S) {
        *out = (struct value){.kind = VALUE_TIMESTAMP, .as.i = from->as.i};
        return true;
    }
    return tag == 1 && from->kind == VALUE_DOUBLE && time_of_double(from->as.d, out);
}

static enum pdp_err read_tagged(struct reader *r, const struct head *head, unsigned depth, struct value *out)
{
    const unsigned char *at = r->at;
    if (head->arg > 1) {
        return refuse(r, head->at, "tag is not supported: only the times 0 and 1 are");
    }
    // Only a scalar can follow, so tags on tags, which would nest without bound, end here.
    if (at < r->end && *at >> 5 >= CBOR_LIST && *at >> 5 <= CBOR_TAG) {
        return refuse(r, at, "a time is text, an integer or a double");
    }
    struct value inner = {0};
    TRY(read_value(r, depth, &inner));
    return time_of(head->arg, &inner, out) ? PDP_ERR_OK : refuse(r, at, "no time of the years 1 to 9999");
}

// ---- Values ------------------------------------------------------------------------------------

static enum pdp_err read_nested(struct reader *r, const struct head *head, unsigned depth, struct value *out)
{
    if (depth >= REQUEST_DEPTH_MAX) {
        return refuse(r, head->at, "nested more than 16 deep");
    }
    bool open = head->info == INDEFINITE;
    if (head->major == CBOR_MAP) {
        return open ? read_open_map(r, depth + 1, out) : read_map(r, head->arg, depth + 1, out);
    }
    return open ? read_open_list(r, depth + 1, out) : read_list(r, head->arg, depth + 1, out);
}

static enum pdp_err read_int(struct reader *r, const struct head *head, struct value *out)
{
    if (head->info == INDEFINITE) {
        return refuse(r, head->at, "reserved length of an item's head");
    }
    if (head->arg > INT64_MAX) {
        return refuse(r, head->at, "integer does not fit into 64 bits with a sign");
    }
    *out = value_int(head->major == CBOR_UINT ? (int64_t)head->arg : -1 - (int64_t)head->arg);
    return PDP_ERR_OK;
}

// Any item, by its head.
__attribute__((noinline)) static enum pdp_err read_any(struct reader *r, unsigned depth, struct value *out)
{
    struct head head = {0};
    uint64_t first = 0;
    TRY(read_head(r, &head));
    switch (head.major) {
    case CBOR_TEXT:
        return LIKELY(head.info != INDEFINITE) ? read_text(r, head.arg, out, &first)
                                               : read_chunks(r, CBOR_TEXT, out);
    case CBOR_BYTES:
        return head.info != INDEFINITE ? read_bytes(r, head.arg, out) : read_chunks(r, CBOR_BYTES, out);
    case CBOR_UINT:
    case CBOR_NEGATIVE:
        return read_int(r, &head, out);
    case CBOR_TAG:
        return head.info != INDEFINITE ? read_tagged(r, &head, depth, out)
                                       : refuse(r, head.at, "reserved length of an item's head");
    case CBOR_SIMPLE:
        return read_simple(r, &head, out);
    default:
        return read_nested(r, &head, depth, out);
    }
}

static enum pdp_err read_value(struct reader *r, unsigned depth, struct value *out)
{
    // Small maps and lists, which most items that are no text are, need no head taken apart.
    unsigned byte = LIKELY(r->at < r->end && depth < REQUEST_DEPTH_MAX) ? *r->at : BREAK;
    unsigned count = byte & 31;
    if (count < 24 && byte >> 5 == CBOR_MAP) {
        r->at++;
        return read_map(r, count, depth + 1, out);
    }
    if (count < 24 && byte >> 5 == CBOR_LIST) {
        r->at++;
        return read_list(r, count, depth + 1, out);
    }
    return read_any(r, depth, out);
}

enum pdp_err cbor_decode(struct str bytes, struct arena *arena, struct value *out, struct fault *why)
{
    *out = value_null();
    const unsigned char *start = (const unsigned char *)bytes.at;
    struct reader r = {.at = start, .end = start, .start = start, .arena = arena, .why = why};
    if (bytes.len != 0) {
        r.end = start + bytes.len;
    }
    struct value root = {0};
    TRY(read_value(&r, 0, &root));
    if (r.at != r.end) {
        return refuse(&r, r.at, "bytes after the value");
    }
    *out = root;
    return PDP_ERR_OK;
}
