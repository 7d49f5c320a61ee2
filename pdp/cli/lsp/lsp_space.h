// SPDX-License-Identifier: Apache-2.0
// What an editor works on: open documents, and the policy folders that they belong to. An open document wins
// over its file. One thread.
#ifndef CLI_LSP_SPACE_H
#define CLI_LSP_SPACE_H

#include "cli/lsp/lsp_disk.h"
#include "cli/lsp/lsp_index.h"

#define LSP_OPEN_MAX 4096
#define LSP_ROOTS_MAX 64

struct lsp_folder;
struct lsp_job;

// A document: on disk, open, or both.
struct lsp_file {
    struct str path, uri;      // own memory; `uri` as the editor names it; path empty: it is no file
    struct lsp_folder *folder; // NULL: none
    struct lsp_blob *disk;     // NULL: not on disk
    struct lsp_stamp stamp;
    struct lsp_blob *open; // NULL: not open
    int64_t version;
    struct lsp_parsed *parsed; // NULL: not parsed yet, or with mistakes; perhaps of another text
    struct lsp_index *index;   // NULL: not made yet, or of another text
    uint64_t told;             // hash of the diagnostics that were sent last; 0: none
    int64_t told_version;      // of the text that they were of
    bool told_checked;         // the compiler's were among them
    uint64_t told_lint;        // hash of lint's among them; 0: it had not looked
    bool seen;                 // by a walk
    bool lost;                 // it is on disk, and cannot be read
};

struct lsp_folder {
    struct str dir; // NUL-terminated, own memory
    struct lsp_file **files;
    size_t count, cap, sorted;        // the first `sorted` are in order of their paths
    bool dirty;                       // to be compiled
    bool unlinted;                    // it compiles as it is, and lint has not looked at it
    uint64_t round;                   // of the last compile
    struct lsp_job *checked, *linted; // what was found last; NULL: nothing yet
    bool unread;                      // what is on disk has to be looked at
};

struct lsp_space {
    struct lsp_file **open; // those that are open
    size_t open_count, open_cap;
    struct lsp_folder **folders;
    size_t folder_count, folder_cap;
    struct str roots[LSP_ROOTS_MAX]; // folders of the workspace; own memory
    size_t root_count;
    struct str named[LSP_ROOTS_MAX]; // policy folders that the editor's settings name
    size_t named_count;
    bool no_disk; // for tests: nothing is read
};

void lsp_space_fini(struct lsp_space *space);
// A folder of the workspace, or of the settings. Those beyond LSP_ROOTS_MAX are left out.
void lsp_space_root(struct lsp_space *space, struct str path, bool named);
void lsp_space_unroot(struct lsp_space *space, struct str path);

// The document of this name that is open, or NULL.
struct lsp_file *lsp_space_find(const struct lsp_space *space, struct str uri);
// Opens, or replaces the text of, a document; takes `text` over. NULL: memory is out, or too many are open.
struct lsp_file *lsp_space_open(struct lsp_space *space, struct str uri, struct lsp_blob *text,
                                int64_t version);
void lsp_space_change(struct lsp_space *space, struct lsp_file *file, struct lsp_blob *text, int64_t version);
void lsp_space_close(struct lsp_space *space, struct lsp_file *file);
// Files have changed on disk: all folders are looked at again.
void lsp_space_stale(struct lsp_space *space);
// Looks at what is on disk where that is due.
void lsp_folder_refresh(struct lsp_space *space, struct lsp_folder *folder);
struct lsp_folder *lsp_space_folder(const struct lsp_space *space, struct str dir);
struct lsp_file *lsp_folder_file(const struct lsp_folder *folder, struct str path);

static inline struct lsp_blob *lsp_file_text(const struct lsp_file *file)
{
    return file->open != NULL ? file->open : file->disk;
}
// What its documents name; made where its text is another one. NULL: memory is out.
const struct lsp_index *lsp_file_index(struct lsp_file *file);

#endif
