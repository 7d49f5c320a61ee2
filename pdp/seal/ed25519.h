// SPDX-License-Identifier: Apache-2.0
// Ed25519 over raw bytes (RFC 8032). Seeds are drawn by the caller.
#ifndef SEAL_ED25519_H
#define SEAL_ED25519_H

#include "seal/seal.h"

enum {
    ED25519_SEED_BYTES = 32,
    ED25519_KEY_BYTES = 32,
    ED25519_SIGNATURE_BYTES = 64
};

// UNSUPPORTED, with `out` zeroed, where this OpenSSL cannot. Any thread.
MUST_USE enum pdp_err ed25519_public(const uint8_t seed[static ED25519_SEED_BYTES],
                                     uint8_t out[static ED25519_KEY_BYTES]);
MUST_USE enum pdp_err ed25519_sign(const uint8_t seed[static ED25519_SEED_BYTES], struct str message,
                                   uint8_t out[static ED25519_SIGNATURE_BYTES]);
bool ed25519_verify(const uint8_t key[static ED25519_KEY_BYTES], struct str message,
                    const uint8_t signature[static ED25519_SIGNATURE_BYTES]);

#endif
