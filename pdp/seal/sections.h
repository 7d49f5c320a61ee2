// SPDX-License-Identifier: Apache-2.0
// A file of named sections with one digest over all: what is kept besides sessions and users. Pure bytes.
//
//   `pdp-sections 1\n`, their number (4 bytes), each: length of its name (1), name, version (4), length (8),
//   bytes; SHA-256 of all that (32). Numbers are little end first. What a section holds is its owner's
//   business; one whose name or version nobody knows is passed over.
#ifndef SEAL_SECTIONS_H
#define SEAL_SECTIONS_H

#include "base/buf.h"

enum {
    SECTIONS_MAX = 16,
    SECTION_NAME_MAX = 31,           // lower case letters and hyphens
    SECTIONS_BYTES_MAX = 256U << 20, // of a file
};

struct section {
    struct str name;
    uint32_t version; // at least 1
    struct str bytes;
};

// Appends the one form of these sections. NOMEM, or what seal_sha256 returns. Names are different, and of the
// caller's own making.
MUST_USE enum pdp_err sections_write(const struct section *sections, size_t count, struct buf *out);
// Views into `bytes`. CORRUPT, with *count 0, where they are not byte for byte what sections_write gives.
MUST_USE enum pdp_err sections_read(struct str bytes, struct section out[static SECTIONS_MAX], size_t *count);

#endif
