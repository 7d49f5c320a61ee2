// SPDX-License-Identifier: Apache-2.0
// Digests, keyed digests, comparison and wiping over OpenSSL. Keys and random bytes come in as arguments.
#ifndef SEAL_SEAL_H
#define SEAL_SEAL_H

#include "base/str.h"

enum {
    SEAL_BYTES = 32
}; // of SHA-256 and of HMAC-SHA256

// Any thread may call all of these. The algorithms are fetched at the first call and kept for the life of the
// process. On failure (NOMEM, or UNSUPPORTED where this OpenSSL does not offer the algorithm) `out` is
// zeroed: no caller may take it for a digest, so look at the result.

MUST_USE enum pdp_err seal_sha256(const void *bytes, size_t len, uint8_t out[static SEAL_BYTES]);

// SHA-256 over parts. A failure is kept and told by seal_hash_end; after it the hash takes a new message.
struct seal_hash;
MUST_USE enum pdp_err seal_hash_new(struct seal_hash **out);
void seal_hash_free(struct seal_hash **hash);
void seal_hash_add(struct seal_hash *hash, const void *bytes, size_t len);
MUST_USE enum pdp_err seal_hash_end(struct seal_hash *hash, uint8_t out[static SEAL_BYTES]);

// HMAC-SHA256 (RFC 2104). RANGE where the key is empty: that is a mistake, not a key.
MUST_USE enum pdp_err seal_hmac(const void *key, size_t key_len, const void *bytes, size_t len,
                                uint8_t out[static SEAL_BYTES]);

// Equal bytes? Takes the same time wherever they differ.
bool seal_eq(const void *a, const void *b, size_t len);
// Zeroes memory in a way that the compiler does not leave out.
void seal_wipe(void *bytes, size_t len);

#endif
