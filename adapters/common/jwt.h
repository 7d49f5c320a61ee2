// SPDX-License-Identifier: Apache-2.0
// Tokens: is this a JWS (RFC 7515, 7519, 8725) that the issuer signed, for us, and is it its time?
#ifndef COMMON_JWT_H
#define COMMON_JWT_H

#include "common/claims.h"
#include "common/jwks.h"

#define JWT_BYTES_MOST ((size_t)8192)
#define JWT_SKEW_S INT64_C(60)

// X(name, why a token is not believed, for people)
#define JWT_FAULT_LIST(X)                                                                  \
    X(OK, "it is valid")                                                                   \
    X(LIMIT, "it is longer than 8,192 bytes, or has more in it than a token may")          \
    X(SHAPE, "it is no compact JWS: expected three parts of base64url with a dot between") \
    X(HEADER, "its header is no JSON object as RFC 7515 wants it")                         \
    X(ALG, "its algorithm is not among `algorithms`")                                      \
    X(CRIT, "its header has `crit`: an extension that must be understood, and is not")     \
    X(TYPE, "its `typ` is not among those that are accepted here")                         \
    X(NO_KEYS, "there are no keys to check it by: they could not be read, or are too old") \
    X(KEY, "no key of the key set has its `kid` and fits its algorithm")                   \
    X(SIGNATURE, "its signature is wrong")                                                 \
    X(CLAIMS, "its claims are no JSON object as RFC 7519 wants it")                        \
    X(ISSUER, "its `iss` is not `issuer`")                                                 \
    X(AUDIENCE, "its `aud` has none of `audience`")                                        \
    X(EXPIRED, "its `exp` is missing or has passed")                                       \
    X(EARLY, "its `nbf` or `iat` lies in the future")                                      \
    X(EVENTS, "it tells of events (`events`) and is no token of a user")                   \
    X(NOMEM, "out of memory")

enum jwt_fault {
#define X(name, text) JWT_##name,
    JWT_FAULT_LIST(X)
#undef X
    JWT_FAULT_COUNT
};

// What a token has to be. Zeroed, none is valid.
struct jwt_rules {
    const char *issuer;           // `iss` is exactly this
    const char *const *audiences; // `aud` is or has one of these
    size_t audience_count;
    unsigned algs;            // bits of enum jwk_alg
    const char *const *types; // `typ` is one of these, whatever its case, with `application/` or without
    size_t type_count;
    bool type_may_lack;
    bool events; // may have `events` (a logout token); a user's token may not
};

struct jwt;

// A verifier. Texts are copied; the keys are borrowed and must outlive it. It remembers `remembered` tokens
// that it found valid, until their keys change (0: none): each takes a few times its own size. NOMEM leaves
// *jwt NULL.
MUST_USE enum pdp_err jwt_new(const struct jwt_rules *rules, struct jwks *keys, size_t remembered,
                              struct jwt **jwt);
// Accepts NULL and a pointer to NULL; leaves NULL behind.
void jwt_free(struct jwt **jwt);

// OK gives the claims, which are shared and must not be changed: give them back with json_decref. Anything
// else leaves *claims NULL. Never waits for keys: a key that is not there is asked for, and the token is not
// believed. About 1 µs of a token that is remembered, else 30 to 150 µs. Any thread.
MUST_USE enum jwt_fault jwt_check(struct jwt *jwt, const char *token, size_t len, int64_t now_ms,
                                  struct claims **claims);

// `expired`, and for people. Static, never NULL.
const char *jwt_fault_text(enum jwt_fault fault);

// ---- Its parts, for tests --------------------------------------------------------------------------

struct jwt_header {
    enum jwk_alg alg;
    const char *kid; // NULL: none. Borrowed from the object
};

MUST_USE enum jwt_fault jwt_read_header(const struct jwt_rules *rules, const json_t *header,
                                        struct jwt_header *out);
MUST_USE enum jwt_fault jwt_read_claims(const struct jwt_rules *rules, const json_t *claims, int64_t now_ms);

#endif
