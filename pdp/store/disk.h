// SPDX-License-Identifier: Apache-2.0
// The file as a file: is it there, made whole or not at all, put in another's place durably. Only pdp/store.
#ifndef STORE_DISK_H
#define STORE_DISK_H

#include "store/schema.h"

enum {
    DISK_PATH_MAX = 4096
};

// `path` followed by `ending`. LIMIT, with words, where it does not fit.
MUST_USE enum pdp_err disk_name(char out[static DISK_PATH_MAX], const char *path, const char *ending,
                                char why[static STORE_WHY_MAX]);
// Is a file there that may be opened? MISSING: neither it nor a log of it. CORRUPT: it is empty, no plain
// file, or gone while its log is there. STATE: a restore was not finished. Opens nothing: locks that this
// process has on the file stay.
MUST_USE enum pdp_err disk_look(const char *path, char why[static STORE_WHY_MAX]);
// An empty file of mode 0600 in the place of whatever has this name and what SQLite keeps beside it.
MUST_USE enum pdp_err disk_empty(const char *path, char why[static STORE_WHY_MAX]);
// Makes `from` durable and gives it the name `to`, durably. No connection may be open to either.
MUST_USE enum pdp_err disk_place(const char *from, const char *to, char why[static STORE_WHY_MAX]);
// A new file of this schema, there whole or not at all.
MUST_USE enum pdp_err disk_make(const struct schema *schema, const char *path, const char *vfs,
                                char why[static STORE_WHY_MAX]);
// The folder that holds `path`, made durable.
MUST_USE enum pdp_err disk_sync_folder(const char *path, char why[static STORE_WHY_MAX]);
// Bytes of `path` and its log; 0 where they are not there.
uint64_t disk_bytes(const char *path);

#endif
