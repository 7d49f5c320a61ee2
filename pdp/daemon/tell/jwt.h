// SPDX-License-Identifier: Apache-2.0
// Signed tokens (RFC 7515, compact): what a receiver can check with our public key alone.
#ifndef DAEMON_TELL_JWT_H
#define DAEMON_TELL_JWT_H

#include "base/buf.h"

struct jwt_key;

// A private key in PEM, without a pass phrase: Ed25519 (EdDSA), EC P-256 (ES256), or RSA of 2048 bits or more
// (RS256). *out NULL on failure: TYPE (another kind), SYNTAX (none), NOMEM; `*why` is static.
MUST_USE enum pdp_err jwt_key_read(struct str pem, struct jwt_key **out, const char **why);
void jwt_key_free(struct jwt_key **key); // wipes it
const char *jwt_key_algorithm(const struct jwt_key *key);
// The key's own name where none was chosen: SHA-256 of the public key's DER, base64url. NUL-terminated.
#define JWT_KEY_NAME_BYTES 44
const char *jwt_key_name(const struct jwt_key *key);

// Appends HEADER.CLAIMS.SIGNATURE. `type` is the header's `typ`, `key_id` its `kid`, `claims` JSON. NOMEM,
// UNSUPPORTED: `out` is not to be used.
MUST_USE enum pdp_err jwt_sign(const struct jwt_key *key, struct str type, struct str key_id,
                               struct str claims, struct buf *out);

#endif
