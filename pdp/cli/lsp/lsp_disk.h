// SPDX-License-Identifier: Apache-2.0
// Policy folders on disk, read gently: an editor opens whatever a person opens, and nobody asked for a walk
// through a home folder.
#ifndef CLI_LSP_DISK_H
#define CLI_LSP_DISK_H

#include "cli/lsp/lsp_text.h"

#define LSP_FILES_MAX 10000      // documents of a folder
#define LSP_ENTRIES_MAX 100000   // entries of all its folders that are looked at
#define LSP_MARK ".pdp-policies" // a file of this name makes its folder a policy folder

// When a file was changed, and how large it is: the same means that it need not be read again.
struct lsp_stamp {
    int64_t changed_ns, size;
};

bool lsp_is_yaml(struct str path);

// Calls `see` for each `*.yaml` and `*.yml` of `dir` and below, hidden folders left out, in no order. false:
// the folder is too large or cannot be read; what was seen until then counts.
bool lsp_disk_walk(const char *dir, void (*see)(void *user, struct str path, struct lsp_stamp stamp),
                   void *user);
// A whole file as it is now; NULL: there is none, it is no plain file, or it is larger than LSP_TEXT_MAX.
struct lsp_blob *lsp_disk_read(const char *path);
// Does a document of policies stand right in this folder, or a mark? Looks into the beginnings of its files.
bool lsp_disk_holds(const char *dir);
// Is there a mark in it?
bool lsp_disk_marked(const char *dir);
// Does the text hold a document of policies: a line `apiVersion: pdp/v1`?
bool lsp_is_policy(struct str text);

#endif
