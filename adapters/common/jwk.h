// SPDX-License-Identifier: Apache-2.0
// A JSON Web Key Set (RFC 7517) as far as it verifies signatures: public keys, what each is good for, and the
// check of one signature.
#ifndef COMMON_JWK_H
#define COMMON_JWK_H

#include "common/strict.h"

#include <stdbool.h>
#include <stdint.h>

// X(name, type of key, curve, bytes of a coordinate). HMAC and `none` are no entries: no setting, key or
// token can bring them back.
#define JWK_ALG_LIST(X)         \
    X(RS256, "RSA", "", 0)      \
    X(RS384, "RSA", "", 0)      \
    X(RS512, "RSA", "", 0)      \
    X(PS256, "RSA", "", 0)      \
    X(PS384, "RSA", "", 0)      \
    X(PS512, "RSA", "", 0)      \
    X(ES256, "EC", "P-256", 32) \
    X(ES384, "EC", "P-384", 48) \
    X(ES512, "EC", "P-521", 66)

enum jwk_alg {
#define X(name, type, curve, bytes) JWK_##name,
    JWK_ALG_LIST(X)
#undef X
    JWK_ALG_COUNT
};

#define JWK_ALGS_DEFAULT (1U << JWK_RS256 | 1U << JWK_ES256)
#define JWK_SET_BYTES_MOST ((size_t)1 << 20)
#define JWK_SET_KEYS_MOST 128

// JWK_ALG_COUNT where the name is none of the list (names are case-sensitive).
enum jwk_alg jwk_alg_of(const char *name);

// Immutable, counted: any thread may hold it.
struct jwk_set;

// Reads a set. Keys that verify none of the algorithms above are left out: other types, RSA below 2048 or
// above 8192 bits, keys for encryption, points that are on no curve. SYNTAX, DEPTH, LIMIT (bytes, keys),
// MISSING (no key is left), NOMEM: *set is NULL, and `why` tells it for people.
MUST_USE enum pdp_err jwk_set_parse(const char *text, size_t len, struct jwk_set **set, char *why,
                                    size_t why_bytes);
struct jwk_set *jwk_set_hold(struct jwk_set *set);
// Accepts NULL and a pointer to NULL; leaves NULL behind.
void jwk_set_release(struct jwk_set **set);
// Differs where the bytes did: what was verified by one set is not verified by another.
uint64_t jwk_set_mark(const struct jwk_set *set);
size_t jwk_set_count(const struct jwk_set *set);

enum jwk_verdict {
    JWK_NO_KEY, // none of that id fits the algorithm
    JWK_WRONG,  // one does, and did not make this signature
    JWK_RIGHT
};

// A compact JWS in its three parts, as they stand in the token.
struct jwk_signed {
    const char *header, *payload, *signature;
    size_t header_len, payload_len, signature_len;
};

// Did a key of the set make this signature? Without `kid` (NULL) at most four keys that fit are tried. The
// caller has checked the header: its `alg` is `alg`. 30 to 150 µs. Any thread.
MUST_USE enum jwk_verdict jwk_set_verify(const struct jwk_set *set, enum jwk_alg alg, const char *kid,
                                         const struct jwk_signed *token);

#endif
