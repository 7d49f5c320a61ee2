// SPDX-License-Identifier: Apache-2.0
// Bytes of plain files, whole or with an error; and the audit folder as its readers see it.
#ifndef AUDIT_FILES_H
#define AUDIT_FILES_H

#include "audit/segment.h"
#include "audit/vault.h"

// All of the bytes at that place; IO where not all could be written.
MUST_USE enum pdp_err files_write(int fd, uint64_t at, struct str bytes);
// CORRUPT where the file is shorter.
MUST_USE enum pdp_err files_read_exactly(int fd, uint64_t at, void *out, size_t len);
// As many as there are.
MUST_USE enum pdp_err files_read(int fd, uint64_t at, void *out, size_t len, size_t *got);
// `dir/name`; false where it is too long.
bool files_path(const char *dir, const char *name, char out[static 4096]);
// Puts `bytes` in the place of dir/name, durably: the old or the new one is there at any time.
MUST_USE enum pdp_err files_replace(const char *dir, const char *name, struct str bytes, unsigned mode);
// A whole file of at most `most` bytes, appended. MISSING where there is none, LIMIT where it is longer.
MUST_USE enum pdp_err files_take(const char *dir, const char *name, size_t most, struct buf *out);
MUST_USE enum pdp_err files_sync_dir(const char *dir);

// ---- The folder as its readers see it: on this machine, or through a daemon ------------------------

struct audit_segment {
    char name[SEGMENT_NAME_BYTES];
    uint64_t first;
    bool packed;
};

struct audit_segments {
    struct audit_segment *list; // by number of their first record
    size_t count;
};
void audit_segments_fini(struct audit_segments *segments);
// Adds what the name stands for; names of other files are passed over. Where one segment is there both ways,
// the one that is not compressed counts: compressing it had not ended.
MUST_USE enum pdp_err audit_segments_add(struct audit_segments *segments, const char *name);
void audit_segments_sort(struct audit_segments *segments);

struct audit_source {
    enum pdp_err (*list)(void *user, struct audit_segments *out);
    // Bytes of one file of the folder; MISSING where there is no such file.
    enum pdp_err (*read)(void *user, const char *name, uint64_t at, void *out, size_t len, size_t *got);
    // The personal part of a record, appended. MISSING: the key was destroyed. DENIED: not for this reader.
    enum pdp_err (*unseal)(void *user, const struct envelope *envelope, struct buf *out);
    void *user;
};

// A whole file of at most `most` bytes through a source, appended.
MUST_USE enum pdp_err audit_source_take(const struct audit_source *source, const char *name, size_t most,
                                        struct buf *out);

struct audit_folder;
// Opens a folder for reading, also while a daemon writes there. Without its users' keys, personal fields stay
// sealed.
MUST_USE enum pdp_err audit_folder_open(const char *dir, struct audit_folder **out);
void audit_folder_close(struct audit_folder **folder);
struct audit_source audit_folder_source(struct audit_folder *folder);

#endif
