// SPDX-License-Identifier: Apache-2.0
// A record as it is stored: what all may read, and what only the holder of its user's key may.
#ifndef AUDIT_ENVELOPE_H
#define AUDIT_ENVELOPE_H

#include "seal/aead.h"

enum {
    ENVELOPE_KEY_ID_BYTES = 16
};

// All text points into the record.
struct envelope {
    struct str record; // all of it
    struct str open;   // CBOR
    bool has_sealed;
    uint8_t key_id[ENVELOPE_KEY_ID_BYTES];
    uint8_t nonce[AEAD_NONCE_BYTES];
    struct str sealed; // ciphertext and tag over CBOR; bound to `open`
};

// Appends a record. With a key: `personal` is sealed under it; without (NULL) it is left out.
MUST_USE enum pdp_err envelope_put(struct str open, struct str personal, const uint8_t *key,
                                   const uint8_t key_id[static ENVELOPE_KEY_ID_BYTES],
                                   const uint8_t nonce[static AEAD_NONCE_BYTES], struct buf *out);
// MALFORMED with *out zeroed.
MUST_USE enum pdp_err envelope_read(struct str record, struct envelope *out);
// Appends the personal part. CORRUPT where the key is another's, or bytes were changed.
MUST_USE enum pdp_err envelope_unseal(const struct envelope *envelope,
                                      const uint8_t key[static AEAD_KEY_BYTES], struct buf *out);

#endif
