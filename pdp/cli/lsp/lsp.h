// SPDX-License-Identifier: Apache-2.0
// `pdpctl lsp` as a machine of bytes: messages of the Language Server Protocol 3.17 in, messages out. It
// reads policy folders, and owns no descriptor, clock or thread.
#ifndef CLI_LSP_H
#define CLI_LSP_H

#include "cli/lsp/lsp_frame.h"
#include "cli/lsp/lsp_job.h"

struct lsp;

struct lsp_options {
    bool no_disk;                             // nothing is read from disk: for tests
    void (*log)(void *user, struct str line); // what happens, for whoever looks for a mistake; may be NULL
    void *user;
};

MUST_USE enum pdp_err lsp_new(const struct lsp_options *options, struct lsp **out);
void lsp_free(struct lsp **lsp); // after all jobs were given back

// Bytes from the editor; all messages in them wait to be answered.
void lsp_feed(struct lsp *lsp, struct str bytes);
// Answers what waits. Costs no compile.
void lsp_answer(struct lsp *lsp);
// How many messages wait. Past 10,000 others are lost: whoever feeds answers before.
size_t lsp_waiting(const struct lsp *lsp);
// How often texts have changed, in buffers or on disk.
uint64_t lsp_changes(const struct lsp *lsp);
// What is to be sent; the caller clears it.
struct buf *lsp_out(struct lsp *lsp);
// A folder that has changed since it was looked at last, to be run by lsp_job_run, on any thread, and given
// back; NULL: there is none, or one of this lane is under way.
struct lsp_job *lsp_job_take(struct lsp *lsp, enum lsp_lane lane, int64_t now_ms);
// Tells the editor what was found, unless the texts have changed meanwhile; takes the job over.
void lsp_job_give(struct lsp *lsp, struct lsp_job **job);
// The code to end with: 0 after `shutdown` and `exit`; 1 after `exit` alone, or bytes that are no messages.
// -1: it goes on.
int lsp_ended(const struct lsp *lsp);

#endif
