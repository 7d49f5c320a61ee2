// SPDX-License-Identifier: Apache-2.0
// HOT
#include "policy/glob.h"

static bool is_wild(struct str segment)
{
    return str_eq(segment, STR("*")) || str_eq(segment, STR("**"));
}

static const char *segment_fault(struct str text, struct str segment, bool last)
{
    bool star = str_find_byte(segment, '*', 0) < segment.len;
    if (star && !is_wild(segment)) {
        return "`*` stands for a whole segment";
    }
    if (segment.len == 2 && star && !last) {
        return "`**` may only end a pattern";
    }
    bool dots = str_eq(segment, STR(".")) || str_eq(segment, STR(".."));
    if (dots && text.at[0] == '/') {
        return "a path never holds `.` or `..` segments";
    }
    return NULL;
}

enum pdp_err glob_read(struct str text, struct glob *out, struct glob_fault *fault)
{
    *out = (struct glob){text, (uint32_t)text.len};
    *fault = (struct glob_fault){.len = (uint32_t)text.len};
    if (text.len == 0) {
        fault->why = "a pattern is empty";
        return PDP_ERR_SYNTAX;
    }
    for (size_t at = 0; at <= text.len;) {
        size_t end = str_find_byte(text, '/', at);
        struct str segment = str_sub(text, at, end - at);
        fault->why = segment_fault(text, segment, end == text.len);
        if (fault->why != NULL) {
            fault->at = (uint32_t)at;
            fault->len = (uint32_t)segment.len;
            fault->hint = "patterns are exact, `/a/*`, `/a/*/b` or `/a/**`";
            return PDP_ERR_SYNTAX;
        }
        if (is_wild(segment) && out->fixed == text.len) {
            out->fixed = (uint32_t)at;
        }
        at = end + 1;
    }
    return PDP_ERR_OK;
}

// Segments of a pattern against segments of a path, both from their start.
static bool segments_match(struct str pattern, struct str path)
{
    size_t at = 0;
    for (size_t from = 0;;) {
        size_t end = str_find_byte(pattern, '/', from);
        struct str want = str_sub(pattern, from, end - from);
        if (str_eq(want, STR("**"))) {
            return true;
        }
        size_t stop = str_find_byte(path, '/', at);
        struct str got = str_sub(path, at, stop - at);
        if (str_eq(want, STR("*")) ? got.len == 0 : !str_eq(want, got)) {
            return false;
        }
        if (end == pattern.len) {
            return stop == path.len;
        }
        if (stop == path.len) { // `/a/*/**` takes `/a/b` too
            return str_eq(str_sub(pattern, end, SIZE_MAX), STR("/**"));
        }
        from = end + 1;
        at = stop + 1;
    }
}

static bool is_rest_all(const struct glob *glob)
{
    return str_eq(str_sub(glob->text, glob->fixed, SIZE_MAX), STR("**"));
}

bool glob_match(const struct glob *glob, struct str path)
{
    struct str fixed = str_sub(glob->text, 0, glob->fixed);
    if (fixed.len == glob->text.len) {
        return str_eq(fixed, path);
    }
    if (str_starts(path, fixed)) {
        return segments_match(str_sub(glob->text, fixed.len, SIZE_MAX), str_sub(path, fixed.len, SIZE_MAX));
    }
    return fixed.len == path.len + 1 && is_rest_all(glob) && str_starts(fixed, path);
}

bool glob_keys_of(const struct glob *glob, struct glob_keys *out)
{
    struct str fixed = str_sub(glob->text, 0, glob->fixed);
    *out = (struct glob_keys){0};
    if (fixed.len == glob->text.len) {
        out->exact = fixed;
        return true;
    }
    if (fixed.len <= 1) { // `/**`, `*`
        return false;
    }
    out->prefix = fixed;
    if (is_rest_all(glob)) {
        out->exact = str_sub(fixed, 0, fixed.len - 1);
    }
    return true;
}
