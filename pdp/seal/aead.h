// SPDX-License-Identifier: Apache-2.0
// AES-256-GCM: bytes that only the holder of a key reads, and nobody changes unseen.
#ifndef SEAL_AEAD_H
#define SEAL_AEAD_H

#include "base/buf.h"
#include "seal/seal.h"

enum {
    AEAD_KEY_BYTES = 32,
    AEAD_NONCE_BYTES = 12, // drawn anew for each message under one key
    AEAD_TAG_BYTES = 16
};

// Appends ciphertext and tag. On failure nothing is appended. `bound` is authenticated, not written.
MUST_USE enum pdp_err aead_seal(const uint8_t key[static AEAD_KEY_BYTES],
                                const uint8_t nonce[static AEAD_NONCE_BYTES], struct str bound,
                                struct str plain, struct buf *out);
// Appends what was sealed. CORRUPT, with nothing appended, where key, nonce, bound text or bytes are others.
MUST_USE enum pdp_err aead_open(const uint8_t key[static AEAD_KEY_BYTES],
                                const uint8_t nonce[static AEAD_NONCE_BYTES], struct str bound,
                                struct str sealed, struct buf *out);

#endif
