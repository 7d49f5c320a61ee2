// SPDX-License-Identifier: Apache-2.0
// The language server as a machine: messages in, messages out. Sessions of real clients are in tests/editors.
#include "cli/lsp/lsp.h"

#include <criterion/criterion.h>

#define RPC "{\"jsonrpc\":\"2.0\","
#define START \
    RPC "\"id\":1,\"method\":\"initialize\",\"params\":{\"rootUri\":\"file:///w\",\"capabilities\":{}}}"
#define OPEN(text)                                                                                        \
    RPC "\"method\":\"textDocument/didOpen\",\"params\":{\"textDocument\":{\"uri\":\"file:///w/p.yaml\"," \
        "\"version\":1,\"text\":\"" text "\"}}}"
#define POLICY \
    "apiVersion: pdp/v1\\nkind: Policy\\nmetadata: {name: p}\\nrules:\\n  - {id: a, effect: allow, when: "

static struct lsp *begin(void)
{
    const struct lsp_options options = {.no_disk = true};
    struct lsp *lsp = NULL;
    cr_assert_eq(lsp_new(&options, &lsp), PDP_ERR_OK);
    return lsp;
}

static void feed(struct lsp *lsp, const char *body)
{
    AUTO(buf_fini) struct buf framed = {0};
    lsp_frame_put(&framed, str_of(body));
    lsp_feed(lsp, buf_view(&framed));
}

static void look(struct lsp *lsp, enum lsp_lane lane)
{
    struct lsp_job *job = lsp_job_take(lsp, lane, 1000);
    cr_assert_not_null(job);
    lsp_job_run(job);
    lsp_job_give(lsp, &job);
}

static bool said(struct lsp *lsp, const char *text)
{
    return str_find(buf_view(lsp_out(lsp)), str_of(text), 0) != SIZE_MAX;
}

Test(lsp, nothing_is_answered_before_initialize)
{
    AUTO(lsp_free) struct lsp *lsp = begin();
    feed(lsp, RPC "\"id\":7,\"method\":\"shutdown\"}");
    feed(lsp, OPEN("x"));
    lsp_answer(lsp);
    cr_expect(said(lsp, "\"id\":7,\"error\":{\"code\":-32002,"));
    cr_expect_null(lsp_job_take(lsp, LSP_CHECK, 1));
}

Test(lsp, orders_are_completed_by_the_words_of_the_endpoint)
{
    AUTO(lsp_free) struct lsp *lsp = begin();
    feed(lsp, START);
    lsp_answer(lsp);
    feed(lsp, OPEN("apiVersion: pdp/v1\\nkind: Scenario\\nmetadata: {name: s}\\nsteps:\\n"
                   "  - order: {op: lock.add, }\\n  - order:\\n      op: \\n"));
    feed(lsp, RPC "\"id\":2,\"method\":\"textDocument/completion\",\"params\":{\"textDocument\":{\"uri\":"
                  "\"file:///w/p.yaml\"},\"position\":{\"line\":4,\"character\":26}}}");
    feed(lsp, RPC "\"id\":3,\"method\":\"textDocument/completion\",\"params\":{\"textDocument\":{\"uri\":"
                  "\"file:///w/p.yaml\"},\"position\":{\"line\":6,\"character\":10}}}");
    lsp_answer(lsp);
    cr_expect(said(lsp, "\"label\":\"lock_out\""));
    cr_expect(said(lsp, "\"label\":\"user.forget_devices\""));
}

Test(lsp, codes_to_end_with)
{
    AUTO(lsp_free) struct lsp *good = begin();
    AUTO(lsp_free) struct lsp *sudden = begin();
    AUTO(lsp_free) struct lsp *broken = begin();
    feed(good, START);
    feed(good, RPC "\"id\":2,\"method\":\"shutdown\"}");
    feed(good, RPC "\"method\":\"exit\"}");
    lsp_answer(good);
    cr_expect_eq(lsp_ended(good), 0);
    feed(sudden, RPC "\"method\":\"exit\"}");
    lsp_answer(sudden);
    cr_expect_eq(lsp_ended(sudden), 1);
    cr_expect_eq(lsp_ended(broken), -1);
    lsp_feed(broken, STR("Content-Length: x\r\n\r\n"));
    cr_expect_eq(lsp_ended(broken), 1);
    cr_expect(said(
        broken,
        "\"id\":null,\"error\":{\"code\":-32700,\"message\":\"`Content-Length` is no number of bytes\"}"));
}

Test(lsp, no_more_wait_than_there_is_room_for)
{
    AUTO(lsp_free) struct lsp *lsp = begin();
    for (int i = 0; i < 20001 && !said(lsp, "error"); i++) {
        feed(lsp, RPC "\"method\":\"exit\"}");
    }
    cr_expect(said(lsp, "{\"jsonrpc\":\"2.0\",\"id\":null,\"error\":{\"code\":-32603,\"message\":\"too many "
                        "messages wait\"}}"));
}

Test(lsp, requests_that_wait_can_be_taken_back)
{
    AUTO(lsp_free) struct lsp *lsp = begin();
    feed(lsp, START);
    feed(lsp, RPC "\"id\":\"a\",\"method\":\"textDocument/hover\",\"params\":{}}");
    feed(lsp, RPC "\"id\":\"b\",\"method\":\"textDocument/hover\",\"params\":{}}");
    feed(lsp, RPC "\"method\":\"$/cancelRequest\",\"params\":{\"id\":\"a\"}}");
    lsp_answer(lsp);
    cr_expect(said(lsp, "\"id\":\"a\",\"error\":{\"code\":-32800,"));
    cr_expect(said(lsp, "\"id\":\"b\",\"error\":{\"code\":-32602,"));
}

Test(lsp, an_editor_is_told_of_the_newest_text_alone)
{
    AUTO(lsp_free) struct lsp *lsp = begin();
    feed(lsp, START);
    feed(lsp, OPEN(POLICY "risk.scroe > 1}\\n"));
    lsp_answer(lsp);
    struct lsp_job *job = lsp_job_take(lsp, LSP_CHECK, 1000);
    cr_assert_not_null(job);
    cr_expect_null(lsp_job_take(lsp, LSP_CHECK, 1000)); // one at a time
    feed(lsp, RPC
         "\"method\":\"textDocument/didChange\",\"params\":{\"textDocument\":{\"uri\":\"file:///w/p.yaml\","
         "\"version\":2},\"contentChanges\":[{\"range\":{\"start\":{\"line\":4,\"character\":38},"
         "\"end\":{\"line\":4,\"character\":43}},\"text\":\"level\"}]}}");
    lsp_answer(lsp);
    buf_clear(lsp_out(lsp));
    lsp_job_run(job);
    lsp_job_give(lsp, &job);
    cr_expect_eq(lsp_out(lsp)->len, 0);
    look(lsp, LSP_CHECK);
    cr_expect(said(lsp, "\"version\":2"), STR_FMT, STR_ARG(buf_view(lsp_out(lsp))));
    cr_expect(said(lsp, "`risk.level` is a level, but"), STR_FMT, STR_ARG(buf_view(lsp_out(lsp))));
}

Test(lsp, lint_speaks_behind_the_compiler_and_stays_beside_it)
{
    AUTO(lsp_free) struct lsp *lsp = begin();
    feed(lsp, START);
    feed(lsp, OPEN(POLICY "subject.id == 'a' && subject.id != 'a'}\\n"));
    lsp_answer(lsp);
    buf_clear(lsp_out(lsp));
    look(lsp, LSP_CHECK);
    cr_expect_eq(lsp_out(lsp)->len, 0); // nothing to say yet, and nothing shown that is wrong
    look(lsp, LSP_LINT);
    cr_expect(said(lsp, "\"severity\":2") && said(lsp, "\"code\":\"L01\""), STR_FMT,
              STR_ARG(buf_view(lsp_out(lsp))));
    cr_expect_null(lsp_job_take(lsp, LSP_LINT, 1000));
}
