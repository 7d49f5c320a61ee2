// SPDX-License-Identifier: Apache-2.0
// Messages out of a stream of bytes: `Content-Length: N`, an empty line, N bytes.
#ifndef CLI_LSP_FRAME_H
#define CLI_LSP_FRAME_H

#include "base/buf.h"

#define LSP_HEADER_MAX 4096
#define LSP_MESSAGE_MAX ((size_t)32 * 1024 * 1024)   // a longer one is passed over, and said to be too long
#define LSP_SKIPPED_MAX ((size_t)1024 * 1024 * 1024) // a longer one ends the session

enum lsp_framed {
    LSP_FRAME_MORE,    // bytes are missing
    LSP_FRAME_MESSAGE, // *body is one
    LSP_FRAME_LONG,    // one was too long; it is passed over
    LSP_FRAME_BROKEN   // nobody can tell where the next one begins; *why says what was wrong
};

// Zeroed storage is a valid start.
struct lsp_frame {
    struct buf in;
    size_t taken; // bytes of `in` that were handed out
    size_t skip;  // bytes to come that belong to what was too long
};

void lsp_frame_fini(struct lsp_frame *frame);
void lsp_frame_feed(struct lsp_frame *frame, struct str bytes);
// The next message; *body lives until the next call.
enum lsp_framed lsp_frame_next(struct lsp_frame *frame, struct str *body, const char **why);
// A message as it is sent.
void lsp_frame_put(struct buf *out, struct str body);

#endif
