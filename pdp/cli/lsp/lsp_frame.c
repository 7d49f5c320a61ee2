// SPDX-License-Identifier: Apache-2.0
#include "cli/lsp/lsp_frame.h"

void lsp_frame_fini(struct lsp_frame *frame)
{
    buf_fini(&frame->in);
    frame->taken = 0;
    frame->skip = 0;
}

void lsp_frame_feed(struct lsp_frame *frame, struct str bytes)
{
    size_t skipped = frame->skip < bytes.len ? frame->skip : bytes.len;
    frame->skip -= skipped;
    if (frame->taken > 0) {
        buf_drop(&frame->in, frame->taken);
        frame->taken = 0;
    }
    buf_str(&frame->in, str_sub(bytes, skipped, bytes.len));
}

static bool is_name(struct str name, struct str wanted)
{
    if (name.len != wanted.len) {
        return false;
    }
    for (size_t i = 0; i < name.len; i++) {
        char c = name.at[i];
        if ((c >= 'A' && c <= 'Z' ? c + ('a' - 'A') : c) != wanted.at[i]) {
            return false;
        }
    }
    return true;
}

// One line of the header, without its line break.
static bool read_field(struct str line, size_t *length, bool *known, const char **why)
{
    size_t colon = str_find_byte(line, ':', 0);
    uint64_t number = 0;
    if (colon == line.len) {
        *why = "a line of the header has no `:`";
        return false;
    }
    if (!is_name(str_sub(line, 0, colon), STR("content-length"))) {
        return true; // such as Content-Type, which says nothing new
    }
    if (*known || !str_to_u64(str_trim(str_sub(line, colon + 1, line.len)), &number) ||
        number > LSP_SKIPPED_MAX) {
        *why = *known ? "`Content-Length` is given twice" : "`Content-Length` is no number of bytes";
        return false;
    }
    *known = true;
    *length = (size_t)number;
    return true;
}

// The header at the start of `in`; *end is where the body begins.
static enum lsp_framed read_header(struct str in, size_t *end, size_t *length, const char **why)
{
    bool known = false;
    *length = 0;
    for (size_t at = 0;;) {
        size_t feed = str_find_byte(str_sub(in, 0, LSP_HEADER_MAX), '\n', at);
        if (feed >= in.len) {
            return LSP_FRAME_MORE;
        }
        if (feed >= LSP_HEADER_MAX) {
            *why = "the header of a message is too long";
            return LSP_FRAME_BROKEN;
        }
        struct str line = str_sub(in, at, feed - at);
        line.len -= line.len > 0 && line.at[line.len - 1] == '\r';
        at = feed + 1;
        if (line.len == 0) {
            *end = at;
            *why = "a message has no `Content-Length`";
            return known ? LSP_FRAME_MESSAGE : LSP_FRAME_BROKEN;
        }
        if (!read_field(line, length, &known, why)) {
            return LSP_FRAME_BROKEN;
        }
    }
}

static enum lsp_framed pass_over(struct lsp_frame *frame, size_t from, size_t length)
{
    size_t here = frame->in.len - from;
    here = here < length ? here : length;
    frame->taken = from + here;
    frame->skip = length - here;
    return LSP_FRAME_LONG;
}

enum lsp_framed lsp_frame_next(struct lsp_frame *frame, struct str *body, const char **why)
{
    struct str in = str_sub(buf_view(&frame->in), frame->taken, SIZE_MAX);
    size_t begin = 0, length = 0;
    *body = (struct str){NULL, 0};
    *why = "";
    if (frame->in.failed) {
        *why = "memory is out";
        return LSP_FRAME_BROKEN;
    }
    enum lsp_framed framed = read_header(in, &begin, &length, why);
    if (framed != LSP_FRAME_MESSAGE) {
        return framed;
    }
    if (length > LSP_MESSAGE_MAX) {
        return pass_over(frame, frame->taken + begin, length);
    }
    if (in.len - begin < length) {
        return LSP_FRAME_MORE;
    }
    *body = str_sub(in, begin, length);
    frame->taken += begin + length;
    return LSP_FRAME_MESSAGE;
}

void lsp_frame_put(struct buf *out, struct str body)
{
    buf_printf(out, "Content-Length: %zu\r\n\r\n", body.len);
    buf_str(out, body);
}
