// SPDX-License-Identifier: Apache-2.0
// One look at a whole folder: its texts as they were, and what is to be said about them. Any thread may run
// it; nothing of it is shared but blobs and what they were parsed to.
#ifndef CLI_LSP_JOB_H
#define CLI_LSP_JOB_H

#include "cli/lsp/lsp_space.h"

#define LSP_FINDINGS_MAX 5000

enum lsp_severity { // as the protocol has it
    LSP_ERROR = 1,
    LSP_WARNING = 2,
    LSP_INFORMATION = 3
};

struct lsp_finding {
    size_t file; // in the job; count of files: it has no place
    uint32_t at, len;
    enum lsp_severity severity;
    struct str code, message, hint, href; // empty: none
};

struct lsp_job_file {
    struct str path, name; // in full, and as messages name it
    struct lsp_blob *text;
    struct lsp_parsed *parsed; // kept from one job to the next; NULL: not yet, or with mistakes
    bool test;
    bool lost; // it cannot be read; the text is empty
};

// The compiler answers at once, and lint takes several times as long: each is a look of its own, so that
// neither waits for the other.
enum lsp_lane {
    LSP_CHECK, // what the compiler says, and the reader of tests
    LSP_LINT,  // what lint finds, of a folder that compiles
    LSP_LANES
};

struct lsp_job {
    enum lsp_lane lane;
    uint64_t round; // of its folder, when it was taken down
    bool compiles;
    struct arena arena;
    struct str dir; // NUL-terminated
    int64_t now_ms;
    bool no_disk;
    struct lsp_job_file *files; // sorted by path
    size_t count;
    struct lsp_finding *findings;
    size_t found, cap;
    size_t dropped; // beyond LSP_FINDINGS_MAX
};

// Takes down what a folder holds now. NULL: memory is out.
struct lsp_job *lsp_job_new(const struct lsp_space *space, const struct lsp_folder *folder,
                            enum lsp_lane lane, int64_t now_ms);
void lsp_job_free(struct lsp_job **job);
// Fills in the findings.
void lsp_job_run(struct lsp_job *job);
// The file of this path, or NULL.
const struct lsp_job_file *lsp_job_find(const struct lsp_job *job, struct str path);

#endif
