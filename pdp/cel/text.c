// SPDX-License-Identifier: Apache-2.0
// HOT
// Text functions. Places in text count code points.
#include "cel/frame.h"
#include "cel/lib.h"

static bool kinds(const struct value *args, uint32_t count, const char *wanted)
{
    for (uint32_t i = 0; i < count; i++) {
        uint8_t kind = wanted[i] == 's' ? VALUE_STRING : wanted[i] == 'i' ? VALUE_INT : VALUE_LIST;
        if (args[i].kind != kind) {
            return false;
        }
    }
    return true;
}

static struct value budget(void)
{
    return frame_error(CEL_ERROR_BUDGET, 0);
}

static struct value outside(int64_t at)
{
    return frame_error(CEL_ERROR_INDEX, at);
}

struct value text_contains(struct cel_frame *frame, const struct value *args, uint32_t count)
{
    if (!kinds(args, 2, "ss")) {
        return frame_no_overload(F_CONTAINS, args, count);
    }
    if (!frame_spend(frame, args[0].n / 64)) {
        return budget();
    }
    return value_bool(str_find(value_text(&args[0]), value_text(&args[1]), 0) != SIZE_MAX);
}

struct value text_starts(struct cel_frame *frame, const struct value *args, uint32_t count)
{
    (void)frame;
    return kinds(args, 2, "ss") ? value_bool(str_starts(value_text(&args[0]), value_text(&args[1])))
                                : frame_no_overload(F_STARTS, args, count);
}

struct value text_ends(struct cel_frame *frame, const struct value *args, uint32_t count)
{
    (void)frame;
    return kinds(args, 2, "ss") ? value_bool(str_ends(value_text(&args[0]), value_text(&args[1])))
                                : frame_no_overload(F_ENDS, args, count);
}

// The byte at which code point `cp` begins; SIZE_MAX past the end (the end itself is a place).
static size_t byte_of(struct str s, int64_t cp)
{
    size_t at = 0;
    uint32_t skipped = 0;
    for (; cp > 0 && at < s.len; cp--) {
        str_next_cp(s, &at, &skipped);
    }
    return cp == 0 ? at : SIZE_MAX;
}

static int64_t cp_of(struct str s, size_t byte)
{
    return (int64_t)str_count_cp(str_sub(s, 0, byte));
}

struct value text_char_at(struct cel_frame *frame, const struct value *args, uint32_t count)
{
    if (!kinds(args, 2, "si")) {
        return frame_no_overload(F_CHAR_AT, args, count);
    }
    struct str s = value_text(&args[0]);
    size_t from = frame_spend(frame, s.len / 64) ? byte_of(s, args[1].as.i) : SIZE_MAX;
    if (from == SIZE_MAX) {
        return outside(args[1].as.i);
    }
    size_t to = from;
    uint32_t cp = 0;
    if (to < s.len) {
        str_next_cp(s, &to, &cp);
    }
    return value_str(str_sub(s, from, to - from));
}

struct value text_index_of(struct cel_frame *frame, const struct value *args, uint32_t count)
{
    if (!kinds(args, count, "ssi")) {
        return frame_no_overload(F_INDEX_OF, args, count);
    }
    struct str s = value_text(&args[0]);
    if (!frame_spend(frame, s.len / 16)) {
        return budget();
    }
    size_t from = count == 3 ? byte_of(s, args[2].as.i) : 0;
    if (from == SIZE_MAX) {
        return outside(args[2].as.i);
    }
    size_t at = str_find(s, value_text(&args[1]), from);
    return value_int(at == SIZE_MAX ? -1 : cp_of(s, at));
}

struct value text_last_index_of(struct cel_frame *frame, const struct value *args, uint32_t count)
{
    if (!kinds(args, count, "ssi")) {
        return frame_no_overload(F_LAST_INDEX_OF, args, count);
    }
    struct str s = value_text(&args[0]), needle = value_text(&args[1]);
    if (!frame_spend(frame, s.len / 8 + needle.len / 8)) {
        return budget();
    }
    size_t from = count == 3 ? byte_of(s, args[2].as.i) : s.len;
    if (from == SIZE_MAX) {
        return outside(args[2].as.i);
    }
    if (needle.len > s.len) {
        return value_int(-1);
    }
    from = from < s.len - needle.len ? from : s.len - needle.len;
    for (size_t at = from + 1; at-- > 0;) {
        if (str_eq(str_sub(s, at, needle.len), needle)) {
            return value_int(cp_of(s, at));
        }
    }
    return value_int(-1);
}

static struct value changed_case(struct cel_frame *f, const struct value *args, char from, int by,
                                 enum func_id func)
{
    struct value error;
    if (args[0].kind != VALUE_STRING) {
        return frame_no_overload(func, args, 1);
    }
    char *text = frame_alloc(f, args[0].n, 1, &error);
    if (text == NULL) {
        return error;
    }
    for (uint32_t i = 0; i < args[0].n; i++) {
        char c = args[0].as.text[i];
        text[i] = c >= from && c <= from + 25 ? (char)(c + by) : c;
    }
    return value_str((struct str){text, args[0].n});
}

struct value text_lower(struct cel_frame *frame, const struct value *args, uint32_t count)
{
    (void)count;
    return changed_case(frame, args, 'A', 'a' - 'A', F_LOWER);
}

struct value text_upper(struct cel_frame *frame, const struct value *args, uint32_t count)
{
    (void)count;
    return changed_case(frame, args, 'a', 'A' - 'a', F_UPPER);
}

struct value text_substring(struct cel_frame *frame, const struct value *args, uint32_t count)
{
    if (!kinds(args, count, "sii")) {
        return frame_no_overload(F_SUBSTRING, args, count);
    }
    struct str s = value_text(&args[0]);
    if (!frame_spend(frame, s.len / 32)) {
        return budget();
    }
    size_t from = byte_of(s, args[1].as.i);
    size_t to = count == 3 ? byte_of(s, args[2].as.i) : s.len;
    if (from == SIZE_MAX || to == SIZE_MAX || from > to) {
        return outside(from == SIZE_MAX ? args[1].as.i : args[count - 1].as.i);
    }
    return value_str(str_sub(s, from, to - from));
}

// The white space of Unicode.
static bool is_space(uint32_t cp)
{
    return (cp >= 0x09 && cp <= 0x0d) || cp == 0x20 || cp == 0x85 || cp == 0xa0 || cp == 0x1680 ||
           (cp >= 0x2000 && cp <= 0x200a) || cp == 0x2028 || cp == 0x2029 || cp == 0x202f || cp == 0x205f ||
           cp == 0x3000;
}

struct value text_trim(struct cel_frame *frame, const struct value *args, uint32_t count)
{
    if (args[0].kind != VALUE_STRING) {
        return frame_no_overload(F_TRIM, args, count);
    }
    struct str s = value_text(&args[0]);
    size_t first = SIZE_MAX, last = 0;
    if (!frame_spend(frame, s.len / 16)) {
        return budget();
    }
    for (size_t at = 0; at < s.len;) {
        size_t from = at;
        uint32_t cp = 0;
        str_next_cp(s, &at, &cp);
        if (!is_space(cp)) {
            first = first == SIZE_MAX ? from : first;
            last = at;
        }
    }
    return value_str(first == SIZE_MAX ? STR("") : str_sub(s, first, last - first));
}

struct value text_reverse(struct cel_frame *frame, const struct value *args, uint32_t count)
{
    struct value error;
    if (args[0].kind != VALUE_STRING) {
        return frame_no_overload(F_REVERSE, args, count);
    }
    struct str s = value_text(&args[0]);
    char *text = frame_spend(frame, s.len / 16) ? frame_alloc(frame, s.len, 1, &error) : NULL;
    if (text == NULL) {
        return budget();
    }
    for (size_t at = 0, end = s.len; at < s.len;) {
        size_t from = at;
        uint32_t cp = 0;
        str_next_cp(s, &at, &cp);
        end -= at - from;
        memcpy(text + end, s.at + from, at - from);
    }
    return value_str((struct str){text, s.len});
}

// ---- growing text: counted first, then written once ----

struct spool { // writes nothing where `at` is NULL
    char *at;
    size_t len;
};

static void put(struct spool *out, struct str s)
{
    if (out->at != NULL && s.len > 0) {
        memcpy(out->at + out->len, s.at, s.len);
    }
    out->len += s.len;
}

// Runs `write` twice: to count, and into memory of that size.
static struct value spooled(struct cel_frame *f, const struct value *args, uint32_t count,
                            void (*write)(struct spool *, const struct value *, uint32_t))
{
    struct value error;
    struct spool out = {NULL, 0};
    write(&out, args, count);
    if (out.len > UINT32_MAX || !frame_spend(f, out.len / 16)) {
        return budget();
    }
    out.at = frame_alloc(f, out.len, 1, &error);
    if (out.at == NULL) {
        return error;
    }
    out.len = 0;
    write(&out, args, count);
    return value_str((struct str){out.at, out.len});
}

static void write_replaced(struct spool *out, const struct value *args, uint32_t count)
{
    struct str s = value_text(&args[0]), old = value_text(&args[1]), fresh = value_text(&args[2]);
    int64_t left = count == 4 && args[3].as.i >= 0 ? args[3].as.i : INT64_MAX;
    size_t from = 0;
    while (left > 0) {
        size_t at = str_find(s, old, from);
        if (at == SIZE_MAX || (old.len == 0 && at >= s.len)) {
            break;
        }
        put(out, str_sub(s, from, at - from));
        put(out, fresh);
        left--;
        from = at + old.len;
        if (old.len == 0) { // between all code points
            uint32_t cp = 0;
            size_t next = at;
            str_next_cp(s, &next, &cp);
            put(out, str_sub(s, at, next - at));
            from = next;
        }
    }
    put(out, str_sub(s, from, s.len));
    if (old.len == 0 && left > 0) {
        put(out, fresh);
    }
}

struct value text_replace(struct cel_frame *frame, const struct value *args, uint32_t count)
{
    if (!kinds(args, count, "sssi")) {
        return frame_no_overload(F_REPLACE, args, count);
    }
    return frame_spend(frame, args[0].n / 8) ? spooled(frame, args, count, write_replaced) : budget();
}

static void write_joined(struct spool *out, const struct value *args, uint32_t count)
{
    for (uint32_t i = 0; i < args[0].n; i++) {
        if (i > 0 && count == 2) {
            put(out, value_text(&args[1]));
        }
        put(out, value_text(&args[0].as.list[i]));
    }
}

struct value text_join(struct cel_frame *frame, const struct value *args, uint32_t count)
{
    bool right = kinds(args, count, "Ls");
    for (uint32_t i = 0; right && i < args[0].n; i++) {
        right = args[0].as.list[i].kind == VALUE_STRING;
    }
    if (!right) {
        return frame_no_overload(F_JOIN, args, count);
    }
    return frame_spend(frame, args[0].n) ? spooled(frame, args, count, write_joined) : budget();
}

static void write_quoted(struct spool *out, const struct value *args, uint32_t count)
{
    static const char PLAIN[] = "\a\b\f\n\r\t\v\\\"";
    static const char NAMES[] = "abfnrtv\\\"";
    struct str s = value_text(&args[0]);
    (void)count;
    put(out, STR("\""));
    for (size_t i = 0; i < s.len; i++) {
        const char *at = s.at[i] != '\0' ? strchr(PLAIN, s.at[i]) : NULL;
        if (at != NULL) {
            char escape[2] = {'\\', NAMES[at - PLAIN]};
            put(out, (struct str){escape, 2});
        } else {
            put(out, str_sub(s, i, 1));
        }
    }
    put(out, STR("\""));
}

struct value text_quote(struct cel_frame *frame, const struct value *args, uint32_t count)
{
    if (args[0].kind != VALUE_STRING) {
        return frame_no_overload(F_QUOTE, args, count);
    }
    return frame_spend(frame, args[0].n / 4) ? spooled(frame, args, count, write_quoted) : budget();
}

// Where the next part ends: at the separator, or after one code point where that is empty.
static size_t part_end(struct str s, struct str by, size_t from)
{
    if (by.len > 0) {
        size_t at = str_find(s, by, from);
        return at == SIZE_MAX ? s.len : at;
    }
    uint32_t cp = 0;
    if (from < s.len) {
        str_next_cp(s, &from, &cp);
    }
    return from;
}

struct value text_split(struct cel_frame *frame, const struct value *args, uint32_t count)
{
    struct value error;
    if (!kinds(args, count, "ssi")) {
        return frame_no_overload(F_SPLIT, args, count);
    }
    struct str s = value_text(&args[0]), by = value_text(&args[1]);
    int64_t limit = count == 3 && args[2].as.i >= 0 ? args[2].as.i : INT64_MAX;
    if (limit == 0 || (by.len == 0 && s.len == 0)) {
        return (struct value){.kind = VALUE_LIST};
    }
    if (!frame_spend(frame, s.len / 16)) { // all of it is looked at, however few parts are wanted
        return budget();
    }
    size_t parts = 1;
    for (size_t at = part_end(s, by, 0); at < s.len; at = part_end(s, by, at + by.len)) {
        parts++;
    }
    parts = (uint64_t)limit < parts ? (size_t)limit : parts;
    struct value *list = frame_spend(frame, parts)
                             ? frame_alloc(frame, parts * sizeof *list, _Alignof(struct value), &error)
                             : NULL;
    if (list == NULL) {
        return budget();
    }
    size_t from = 0;
    for (size_t i = 0; i < parts; i++) {
        size_t to = i + 1 == parts ? s.len : part_end(s, by, from);
        list[i] = value_str(str_sub(s, from, to - from));
        from = to + by.len;
    }
    return (struct value){.kind = VALUE_LIST, .n = (uint32_t)parts, .as.list = list};
}
