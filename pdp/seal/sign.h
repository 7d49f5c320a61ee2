// SPDX-License-Identifier: Apache-2.0
// Who signed a bundle: Ed25519 keys from PEM text, signatures, and k of n.
#ifndef SEAL_SIGN_H
#define SEAL_SIGN_H

#include "seal/bundle.h"

enum {
    SIGN_KEYS_MAX = 16
};

// A public key, known by the SHA-256 of its 32 raw bytes.
struct sign_key {
    uint8_t id[BUNDLE_KEY_ID_BYTES], raw[32];
};

// A public key as `openssl pkey -pubout` writes it. TYPE where it is a key of another kind, or a private one;
// SYNTAX where it is none. *why is static.
MUST_USE enum pdp_err sign_key_read(struct str pem, struct sign_key *out, const char **why);

// Signs a bundle that was read with a private key as `openssl genpkey -algorithm ed25519` writes it. The same
// key and bundle give the same signature. No passphrase is asked for: an encrypted key is refused. Nothing of
// the key is left behind in memory of ours; `pem` is the caller's to wipe. *out is zeroed on failure.
MUST_USE enum pdp_err sign_bundle(const struct bundle *bundle, struct str pem, struct bundle_signature *out,
                                  const char **why);

enum sign_state {
    SIGN_UNKNOWN, // by a key that is not among those given: counts for nothing
    SIGN_BAD,     // by a known key, and not valid
    SIGN_VALID,
};

// What each signature of the bundle is worth, in their order; returns how many distinct keys signed validly.
// No key counts twice, however often it is given.
size_t sign_verify(const struct bundle *bundle, const struct sign_key *keys, size_t key_count,
                   enum sign_state out[static BUNDLE_SIGNATURES_MAX]);

#endif
