// SPDX-License-Identifier: Apache-2.0
#include "cli/lsp/lsp_text.h"

#include <stdlib.h>

struct lsp_blob *lsp_blob_new(struct str text)
{
    struct lsp_blob *blob = malloc(sizeof *blob + text.len + 1);
    if (blob != NULL) {
        atomic_init(&blob->uses, 1);
        blob->len = text.len;
        if (text.len > 0) {
            memcpy(blob->at, text.at, text.len);
        }
        blob->at[text.len] = '\0';
    }
    return blob;
}

struct lsp_blob *lsp_blob_hold(struct lsp_blob *blob)
{
    if (blob != NULL) {
        atomic_fetch_add(&blob->uses, 1);
    }
    return blob;
}

void lsp_blob_drop(struct lsp_blob **blob)
{
    struct lsp_blob *it = STEAL(*blob);
    if (it != NULL && atomic_fetch_sub(&it->uses, 1) == 1) {
        free(it);
    }
}

struct lsp_blob *lsp_blob_edit(const struct lsp_blob *blob, size_t from, size_t to, struct str by)
{
    size_t len = blob->len;
    from = from < len ? from : len;
    to = to < from ? from : to < len ? to : len;
    size_t kept = len - (to - from);
    if (by.len > LSP_TEXT_MAX || kept > LSP_TEXT_MAX - by.len) {
        return NULL;
    }
    struct lsp_blob *out = malloc(sizeof *out + kept + by.len + 1);
    if (out == NULL) {
        return NULL;
    }
    atomic_init(&out->uses, 1);
    out->len = kept + by.len;
    memcpy(out->at, blob->at, from);
    if (by.len > 0) {
        memcpy(out->at + from, by.at, by.len);
    }
    memcpy(out->at + from + by.len, blob->at + to, len - to);
    out->at[out->len] = '\0';
    return out;
}

// ---- Places -------------------------------------------------------------------------------------

// The end of the line that begins at `at`, without its line break (`\n`, `\r\n` or `\r`).
static size_t line_end(struct str text, size_t at)
{
    while (at < text.len && text.at[at] != '\n' && text.at[at] != '\r') {
        at++;
    }
    return at;
}

static size_t past_break(struct str text, size_t at)
{
    bool both = at + 1 < text.len && text.at[at] == '\r' && text.at[at + 1] == '\n';
    return at < text.len ? at + (both ? 2 : 1) : at;
}

// Units that the code point at *at takes; moves *at past it.
static uint32_t units(struct str text, size_t *at, bool utf8)
{
    size_t from = *at;
    uint32_t cp = 0;
    (void)str_next_cp(text, at, &cp);
    return utf8 ? (uint32_t)(*at - from) : cp > 0xFFFF ? 2 : 1;
}

size_t lsp_offset(struct str text, struct lsp_position position, bool utf8)
{
    size_t at = 0;
    for (uint32_t line = 0; line < position.line; line++) {
        size_t end = line_end(text, at);
        if (end >= text.len) {
            return text.len;
        }
        at = past_break(text, end);
    }
    size_t end = line_end(text, at);
    for (uint32_t done = 0; at < end && done < position.character;) {
        size_t next = at;
        done += units(text, &next, utf8);
        if (done > position.character) {
            return at;
        }
        at = next;
    }
    return at < end ? at : end;
}

struct lsp_position lsp_position(struct str text, size_t wanted, bool utf8)
{
    struct lsp_position out = {0, 0};
    wanted = wanted < text.len ? wanted : text.len;
    size_t at = 0;
    for (size_t end = line_end(text, 0); end < wanted; end = line_end(text, at)) {
        size_t next = past_break(text, end);
        if (next > wanted) { // between the two bytes of a line break
            break;
        }
        at = next;
        out.line++;
    }
    while (at < wanted) {
        out.character += units(text, &at, utf8);
    }
    return out;
}

void lsp_lines_of(struct str text, struct arena *arena, struct lsp_lines *out)
{
    size_t count = 1;
    for (size_t at = line_end(text, 0); at < text.len; at = line_end(text, past_break(text, at))) {
        count++;
    }
    uint32_t *starts = ARENA_ARRAY(arena, uint32_t, count);
    *out = (struct lsp_lines){text, starts, count};
    size_t at = 0;
    for (size_t i = 1; starts != NULL && i < count; i++) {
        at = past_break(text, line_end(text, at));
        starts[i] = (uint32_t)at;
    }
}

struct lsp_position lsp_lines_position(const struct lsp_lines *lines, size_t at, bool utf8)
{
    size_t low = 0;
    if (lines->starts == NULL) {
        return lsp_position(lines->text, at, utf8);
    }
    at = at < lines->text.len ? at : lines->text.len;
    for (size_t high = lines->count; high - low > 1;) {
        size_t middle = low + (high - low) / 2;
        low = lines->starts[middle] <= at ? middle : low;
        high = lines->starts[middle] <= at ? high : middle;
    }
    struct lsp_position in_line =
        lsp_position(str_sub(lines->text, lines->starts[low], at - lines->starts[low]), SIZE_MAX, utf8);
    return (struct lsp_position){(uint32_t)low + in_line.line, in_line.character};
}

// ---- Names of files -----------------------------------------------------------------------------

static int hex(char c)
{
    return c >= '0' && c <= '9'   ? c - '0'
           : c >= 'a' && c <= 'f' ? c - 'a' + 10
           : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                  : -1;
}

bool lsp_uri_path(struct str uri, struct buf *path)
{
    static const struct str FILE_URI = {"file://", 7};
    if (!str_starts(uri, FILE_URI) || uri.len < 8 || uri.at[7] != '/' || uri.len > 8192) {
        return false;
    }
    for (size_t at = FILE_URI.len; at < uri.len; at++) {
        char c = uri.at[at];
        if (c == '?' || c == '#') {
            break;
        }
        if (c == '%' && at + 2 < uri.len && hex(uri.at[at + 1]) >= 0 && hex(uri.at[at + 2]) >= 0) {
            c = (char)(hex(uri.at[at + 1]) * 16 + hex(uri.at[at + 2]));
            at += 2;
        }
        if (c == '\0') {
            return false;
        }
        buf_byte(path, (unsigned char)c);
    }
    while (path->len > 1 && path->at[path->len - 1] == '/') {
        path->len--;
    }
    return !path->failed;
}

void lsp_uri_of(struct str path, struct buf *uri)
{
    buf_str(uri, STR("file://"));
    for (size_t i = 0; i < path.len; i++) {
        char c = path.at[i];
        if (lsp_is_word(c) || c == '/' || c == '-' || c == '.' || c == '~') {
            buf_byte(uri, (unsigned char)c);
        } else {
            buf_printf(uri, "%%%02X", (unsigned char)c);
        }
    }
}
