// SPDX-License-Identifier: Apache-2.0
// An editor that sends anything. The first byte says what the rest is: `s` a stream of bytes as it stands;
// `m` messages, one a line, after a session has begun; else a document, of which everything is asked
// here and there. Never a crash, nothing but messages comes out, and the session ends only by `exit` or a
// broken header.
#include "cli/lsp/lsp.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

static const char START[] = "{\"jsonrpc\":\"2.0\",\"id\":0,\"method\":\"initialize\",\"params\":{\"rootUri\":"
                            "\"file:///w\",\"capabilities\":"
                            "{\"textDocument\":{\"hover\":{\"contentFormat\":[\"markdown\"]}}}}}";
static const char OTHER[] =
    "{\"jsonrpc\":\"2.0\",\"method\":\"textDocument/didOpen\",\"params\":{\"textDocument\":{\"uri\":"
    "\"file:///w/base.yaml\",\"version\":1,\"text\":\"apiVersion: pdp/v1\\nkind: List\\nmetadata: {name: "
    "a}\\n"
    "type: string\\nentries: [x]\\n---\\napiVersion: pdp/v1\\nkind: Policy\\nmetadata: {name: "
    "web}\\nrules:\\n"
    "  - {id: r, effect: allow, when: subject.id in lists.a}\\n\"}}}";
static const char *const METHODS[] = {"completion", "hover", "definition", "references"};

static void check(bool ok)
{
    if (!ok) {
        abort();
    }
}

static void say(struct lsp *lsp, struct str body)
{
    AUTO(buf_fini) struct buf framed = {0};
    lsp_frame_put(&framed, body);
    lsp_feed(lsp, buf_view(&framed));
    lsp_answer(lsp);
}

// What comes out is whole messages.
static void look(struct lsp *lsp)
{
    for (int lane = 0; lane < LSP_LANES; lane++) {
        struct lsp_job *job = lsp_job_take(lsp, (enum lsp_lane)lane, 1000);
        if (job != NULL) {
            lsp_job_run(job);
            lsp_job_give(lsp, &job);
        }
    }
    AUTO(lsp_frame_fini) struct lsp_frame frame = {0};
    struct str body;
    const char *why;
    enum lsp_framed framed;
    lsp_frame_feed(&frame, buf_view(lsp_out(lsp)));
    while ((framed = lsp_frame_next(&frame, &body, &why)) == LSP_FRAME_MESSAGE) {
        check(body.len > 2 && body.at[0] == '{' && str_is_utf8(body));
    }
    check(framed == LSP_FRAME_MORE && frame.taken == frame.in.len);
    buf_clear(lsp_out(lsp));
}

static void put_text(struct buf *out, struct str text)
{
    for (size_t i = 0; i < text.len; i++) {
        unsigned char c = (unsigned char)text.at[i];
        if (c < 0x20 || c == '"' || c == '\\' || c >= 0x7F) {
            buf_printf(out, "\\u%04x", c == 0 ? 1u : c);
        } else {
            buf_byte(out, c);
        }
    }
}

static void document(struct lsp *lsp, struct str text)
{
    AUTO(buf_fini) struct buf body = {0};
    size_t most = text.len < 600 ? text.len : 600;
    text.len = most;
    buf_str(&body,
            STR("{\"jsonrpc\":\"2.0\",\"method\":\"textDocument/didOpen\",\"params\":{\"textDocument\":{"
                "\"uri\":\"file:///w/web.yaml\",\"version\":1,\"text\":\""));
    put_text(&body, text);
    buf_str(&body, STR("\"}}}"));
    say(lsp, buf_view(&body));
    look(lsp);
    struct lsp_position at = {0, 0};
    size_t step = most / 64 + 1; // a place in so many: quick inputs find more
    for (size_t i = 0; i <= most; i++) {
        buf_clear(&body);
        buf_printf(
            &body,
            "{\"jsonrpc\":\"2.0\",\"id\":%zu,\"method\":\"textDocument/%s\",\"params\":{\"textDocument\":{"
            "\"uri\":\"file:///w/web.yaml\"},\"position\":{\"line\":%u,\"character\":%u}}}",
            i + 1, METHODS[i / step % COUNT_OF(METHODS)], at.line, at.character);
        if (i % step == 0 || i == most) {
            say(lsp, buf_view(&body));
            look(lsp);
        }
        bool feed = i < most && text.at[i] == '\n';
        at = feed ? (struct lsp_position){at.line + 1, 0} : (struct lsp_position){at.line, at.character + 1};
    }
    say(lsp, STR("{\"jsonrpc\":\"2.0\",\"id\":\"s\",\"method\":\"textDocument/documentSymbol\",\"params\":{"
                 "\"textDocument\":{\"uri\":\"file:///w/web.yaml\"}}}"));
}

static void messages(struct lsp *lsp, struct str lines)
{
    for (size_t at = 0; at < lines.len;) {
        size_t end = str_find_byte(lines, '\n', at);
        say(lsp, str_sub(lines, at, end - at));
        look(lsp);
        at = end + 1;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    const struct lsp_options options = {.no_disk = true};
    AUTO(lsp_free) struct lsp *lsp = NULL;
    struct str rest = {(const char *)bytes + 1, len > 0 ? len - 1 : 0};
    if (len == 0 || lsp_new(&options, &lsp) != PDP_ERR_OK) {
        return 0;
    }
    if (bytes[0] == 's') {
        lsp_feed(lsp, rest);
        lsp_answer(lsp);
    } else {
        say(lsp, str_of(START));
        say(lsp, str_of(OTHER));
        if (bytes[0] == 'm') {
            messages(lsp, rest);
        } else {
            document(lsp, rest);
        }
    }
    look(lsp);
    return 0;
}
