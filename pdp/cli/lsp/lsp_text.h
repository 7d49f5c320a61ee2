// SPDX-License-Identifier: Apache-2.0
// Texts as editors hold them: immutable bytes that threads share, and places in lines and characters.
#ifndef CLI_LSP_TEXT_H
#define CLI_LSP_TEXT_H

#include "base/arena.h"
#include "base/buf.h"

#include <stdatomic.h>

#define LSP_TEXT_MAX ((size_t)4 * 1024 * 1024) // of one document

// Bytes that nobody changes; freed by whoever drops them last. Any thread.
struct lsp_blob {
    atomic_uint uses;
    size_t len;
    char at[];
};

struct lsp_blob *lsp_blob_new(struct str text); // one use; NULL: memory is out
struct lsp_blob *lsp_blob_hold(struct lsp_blob *blob);
void lsp_blob_drop(struct lsp_blob **blob);
static inline struct str lsp_blob_str(const struct lsp_blob *blob)
{
    return blob != NULL ? (struct str){blob->at, blob->len} : (struct str){NULL, 0};
}

// A place as the protocol has it: both from 0. A character is a unit of UTF-16, or with `utf8` a byte.
struct lsp_position {
    uint32_t line, character;
};

// The byte at a position; beyond the end of a line, or of the text, is that end. Never inside of a code
// point.
size_t lsp_offset(struct str text, struct lsp_position at, bool utf8);
// The position of a byte; costs a walk through the text.
struct lsp_position lsp_position(struct str text, size_t at, bool utf8);

// The same for many places of one text: where its lines begin.
struct lsp_lines {
    struct str text;
    const uint32_t *starts; // NULL: memory was out, and each place costs a walk
    size_t count;
};
void lsp_lines_of(struct str text, struct arena *arena, struct lsp_lines *out);
struct lsp_position lsp_lines_position(const struct lsp_lines *lines, size_t at, bool utf8);

// One edit: bytes from..to are replaced. NULL where the text would grow past LSP_TEXT_MAX or memory is out.
struct lsp_blob *lsp_blob_edit(const struct lsp_blob *blob, size_t from, size_t to, struct str by);

// `file:///a%20b` to `/a b`; false for what is no file, or holds a NUL. `file://host/…` is none.
bool lsp_uri_path(struct str uri, struct buf *path);
void lsp_uri_of(struct str path, struct buf *uri);

// Words of names: letters, digits, `_`.
static inline bool lsp_is_word(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

#endif
