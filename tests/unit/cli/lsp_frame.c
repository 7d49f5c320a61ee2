// SPDX-License-Identifier: Apache-2.0
#include "cli/lsp/lsp_frame.h"

#include <criterion/criterion.h>

static const struct {
    const char *name, *bytes;
    enum lsp_framed framed;
    const char *said; // the body, or what was wrong
} CASES[] = {
    {"whole", "Content-Length: 2\r\n\r\n{}", LSP_FRAME_MESSAGE, "{}"},
    {"any case, other fields, bare feeds", "content-type: x\ncontent-LENGTH:2\n\n{}", LSP_FRAME_MESSAGE,
     "{}"},
    {"empty", "Content-Length: 0\r\n\r\n", LSP_FRAME_MESSAGE, ""},
    {"half a body", "Content-Length: 3\r\n\r\n{}", LSP_FRAME_MORE, ""},
    {"half a header", "Content-Len", LSP_FRAME_MORE, ""},
    {"nothing", "", LSP_FRAME_MORE, ""},
    {"no length", "A: b\r\n\r\n{}", LSP_FRAME_BROKEN, "a message has no `Content-Length`"},
    {"no colon", "{}\r\n\r\n", LSP_FRAME_BROKEN, "a line of the header has no `:`"},
    {"no number", "Content-Length: two\r\n\r\n{}", LSP_FRAME_BROKEN,
     "`Content-Length` is no number of bytes"},
    {"negative", "Content-Length: -2\r\n\r\n{}", LSP_FRAME_BROKEN, "`Content-Length` is no number of bytes"},
    {"far too long", "Content-Length: 99999999999\r\n\r\n", LSP_FRAME_BROKEN,
     "`Content-Length` is no number of bytes"},
    {"twice", "Content-Length: 2\r\nContent-Length: 2\r\n\r\n{}", LSP_FRAME_BROKEN,
     "`Content-Length` is given twice"},
};

Test(lsp_frame, reads_each_header)
{
    for (size_t i = 0; i < COUNT_OF(CASES); i++) {
        AUTO(lsp_frame_fini) struct lsp_frame frame = {0};
        struct str body;
        const char *why;
        lsp_frame_feed(&frame, str_of(CASES[i].bytes));
        enum lsp_framed framed = lsp_frame_next(&frame, &body, &why);
        cr_expect_eq(framed, CASES[i].framed, "%s: %d", CASES[i].name, framed);
        struct str said = framed == LSP_FRAME_BROKEN ? str_of(why) : body;
        cr_expect(str_eq(said, str_of(CASES[i].said)), "%s: " STR_FMT, CASES[i].name, STR_ARG(said));
    }
}

Test(lsp_frame, a_header_without_an_end_is_refused)
{
    AUTO(lsp_frame_fini) struct lsp_frame frame = {0};
    struct str body;
    const char *why;
    for (int i = 0; i < LSP_HEADER_MAX / 4 + 1; i++) {
        lsp_frame_feed(&frame, STR("aaaa"));
    }
    lsp_frame_feed(&frame, STR("\n"));
    cr_expect_eq(lsp_frame_next(&frame, &body, &why), LSP_FRAME_BROKEN);
    cr_expect_str_eq(why, "the header of a message is too long");
}

Test(lsp_frame, byte_by_byte_and_past_what_is_too_long)
{
    AUTO(lsp_frame_fini) struct lsp_frame frame = {0};
    AUTO(buf_fini) struct buf all = {0};
    struct str body;
    const char *why;
    unsigned messages = 0;
    unsigned longs = 0;
    lsp_frame_put(&all, STR("{\"a\":1}"));
    buf_printf(&all, "Content-Length: %zu\r\n\r\n", LSP_MESSAGE_MAX + 1);
    cr_assert(buf_room(&all, LSP_MESSAGE_MAX + 1));
    memset(all.at + all.len, 'x', LSP_MESSAGE_MAX + 1);
    all.len += LSP_MESSAGE_MAX + 1;
    lsp_frame_put(&all, STR("{\"b\":2}"));
    for (size_t at = 0; at < all.len;) {
        size_t step = at < 100 || at + 200 > all.len ? 1 : 4096;
        struct str part = str_sub(buf_view(&all), at, step);
        lsp_frame_feed(&frame, part);
        at += part.len;
        enum lsp_framed framed = lsp_frame_next(&frame, &body, &why);
        messages += framed == LSP_FRAME_MESSAGE;
        longs += framed == LSP_FRAME_LONG;
        cr_assert_neq(framed, LSP_FRAME_BROKEN, "%s", why);
        cr_assert_lt(frame.in.cap, 1024 * 1024); // what is passed over is not kept
    }
    cr_expect_eq(messages, 2);
    cr_expect_eq(longs, 1);
}
