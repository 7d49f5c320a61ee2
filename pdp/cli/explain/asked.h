// SPDX-License-Identifier: Apache-2.0
// Asking one question of an engine in this process, and showing how its decision came about.
#ifndef CLI_EXPLAIN_ASKED_H
#define CLI_EXPLAIN_ASKED_H

#include "cli/explain/account.h"
#include "cli/local.h"

struct asked {
    const char *request_id; // of a batch: only this item is shown; NULL: the last one is
    unsigned wish;          // see account_make
    bool json;
    struct arena arena;
    struct buf *out; // what is shown replaces what it holds
    bool shown, failed;
};

// Decides a question and shows it; `root` is the decoded question. CLI_DONE, or CLI_BAD with the mistake
// said.
int asked_explain(struct asked *asked, struct local *local, const struct value *root, int64_t now_ms);
// The same of a batch's message, of which one item is shown.
int asked_explain_batch(struct asked *asked, struct local *local, const struct value *root, int64_t now_ms);
// The effects that `--toward` names; false: it names none, which is said. NULL: 0.
bool asked_wish(const char *toward, unsigned *wish);

#endif
