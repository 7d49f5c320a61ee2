// SPDX-License-Identifier: Apache-2.0
// A policy bundle as bytes: one file with all documents, list files and time zones, and its signatures behind
// them. Each content has exactly one encoding (docs/BUNDLES.md); anything else is refused with its place.
#ifndef SEAL_BUNDLE_H
#define SEAL_BUNDLE_H

#include "base/buf.h"
#include "seal/seal.h"

enum {
    BUNDLE_NAME_MAX = 64,
    BUNDLE_PATH_MAX = 1024,
    BUNDLE_ENTRIES_MAX = 20000,
    BUNDLE_SIGNATURES_MAX = 16,
    BUNDLE_KEY_ID_BYTES = SEAL_BYTES,
    BUNDLE_SIGNATURE_BYTES = 64,
    BUNDLE_MESSAGE_BYTES = 46, // what is signed: a prefix of its own, then the digest
};
#define BUNDLE_BYTES_MAX (UINT64_C(1) << 30)
#define BUNDLE_VERSION_MAX INT64_MAX

// X(name, number in the file, word, most bytes of one)
#define BUNDLE_KIND_LIST(X)                     \
    X(DOCUMENT, 1, "document", 4 * 1024 * 1024) \
    X(LISTED, 2, "list file", 64 * 1024 * 1024) \
    X(ZONE, 3, "time zone", 256 * 1024)

enum bundle_kind {
#define X(name, number, word, most) BUNDLE_##name = (number),
    BUNDLE_KIND_LIST(X)
#undef X
};

struct bundle_entry {
    enum bundle_kind kind;
    struct str name, bytes;
};

struct bundle_signature {
    uint8_t key_id[BUNDLE_KEY_ID_BYTES], bytes[BUNDLE_SIGNATURE_BYTES];
};

struct bundle {
    struct str name;   // of the bundle: `payments`
    int64_t version;   // 1 and up; a daemon never goes back
    int64_t expires_s; // seconds since 1970: from then on it is not taken any more
    uint32_t entry_count;
    size_t count_of[4];         // entries by kind
    struct str body;            // all that the digest covers: everything before the signatures
    size_t entries_at;          // where in the body they begin
    uint8_t digest[SEAL_BYTES]; // SHA-256 of the body
    struct bundle_signature signatures[BUNDLE_SIGNATURES_MAX];
    size_t signature_count;
};

// Why bytes are no bundle, or what cannot be put into one.
struct bundle_fault {
    uint64_t offset;  // of the first byte that is wrong
    const char *what; // static
    struct str name;  // of the entry, where one is meant; points into the input
};

// Reads and checks every byte; text points into `bytes`. Allocates nothing. On failure *out is zeroed and
// *why tells place and reason: MALFORMED, LIMIT, or UNSUPPORTED for another version of the format. Signatures
// are read, not verified.
MUST_USE enum pdp_err bundle_read(struct str bytes, struct bundle *out, struct bundle_fault *why);

// The entries of a bundle that was read, in their order. `*at` begins as 0; false at the end.
bool bundle_next(const struct bundle *bundle, size_t *at, struct bundle_entry *out);

// What may be written, else a static text: why not.
const char *bundle_name_wrong(struct str name);
const char *bundle_path_wrong(enum bundle_kind kind, struct str path);
const char *bundle_kind_word(enum bundle_kind kind);

// The order of entries in a bundle: by kind, then by name, bytewise.
int bundle_entry_cmp(const struct bundle_entry *a, const struct bundle_entry *b);

// Writes head and entries (in their order; the head's name, version and expires_s are used), without
// signatures. What bundle_read would refuse is refused here, in the same words.
MUST_USE enum pdp_err bundle_write(const struct bundle *head, const struct bundle_entry *entries,
                                   size_t count, struct buf *out, struct bundle_fault *why);

// The bytes of a bundle that was read with one signature more, or another in the place of one by the same
// key. LIMIT where there is no room for it.
MUST_USE enum pdp_err bundle_put_signature(const struct bundle *bundle,
                                           const struct bundle_signature *signature, struct buf *out);

// What a signer signs: it can be mistaken for no other message of this project.
void bundle_message(const uint8_t digest[static SEAL_BYTES], uint8_t out[static BUNDLE_MESSAGE_BYTES]);

// 64 hex digits.
void bundle_hex(const uint8_t bytes[static SEAL_BYTES], struct buf *out);

#endif
