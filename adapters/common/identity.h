// SPDX-License-Identifier: Apache-2.0
// Who asks: out of a request's headers, by settings that all adapters share. A token is checked, a header is
// believed where its gateway is, and what is there twice is nobody's.
#ifndef COMMON_IDENTITY_H
#define COMMON_IDENTITY_H

#include "common/claims.h"
#include "common/facts.h"
#include "common/jwt.h"

#define IDENTITY_ROLES_MOST 256
#define IDENTITY_AMR_MOST 16

// For the settings of an adapter that reads identities.
#define IDENTITY_SETTINGS                                                                                    \
    {"session", "SOURCE", false, "where the session's id is: `cookie:NAME`, `header:NAME` or `claim:PATH`"}, \
        {"subject", "SOURCE", false, "who it is: `claim:PATH` (`claim:sub` with `jwks`), or `header:NAME`"}, \
        {"subject-type", "TYPE", false, "`user` unless told"},                                               \
        {"tenant", "TENANT", false, "a tenant, `header:NAME` or `claim:PATH`"},                              \
        {"roles", "SOURCE", false, "`claim:PATH` or `header:NAME`"},                                         \
        {"auth-time", "SOURCE", false, "when they proved who they are; `claim:auth_time` with `jwks`"},      \
        {"acr", "SOURCE", false, "the class of that proof; `claim:acr` with `jwks`"},                        \
        {"amr", "SOURCE", false, "its methods; `claim:amr` with `jwks`"},                                    \
        {"anonymous", "ask|refuse", false,                                                                   \
         "what becomes of a request without a subject; `ask` unless told"},                                  \
        {"trusted", "NETWORK", true, "gateways whose headers are believed; this machine unless told"},       \
        {"jwt", "SOURCE", false,                                                                             \
         "where the token is: `header:authorization` unless told, or `cookie:NAME`"},                        \
        {"jwks", "FILE|URL", false, "keys that tokens are checked by: a file, or an https URL"},             \
        {"jwks-ca", "FILE", false,                                                                           \
         "who vouches for the server of `jwks`; whom the system trusts unless told"},                        \
        {"jwks-refresh", "TIME", false, "the keys are read again so often; 10m unless told"},                \
        {"jwks-retry", "TIME", false,                                                                        \
         "an unknown key has them read again, but not sooner; 30s unless told"},                             \
        {"jwks-max-age", "TIME", false,                                                                      \
         "keys that could not be read for so long verify nothing; 1d unless told"},                          \
        {"jwt-issuer", "URL", false, "the token's `iss`"},                                                   \
        {"jwt-audience", "NAME", true, "the token's `aud` is or has one of these"},                          \
        {"jwt-algorithm", "NAME", true,                                                                      \
         "RS256 and ES256 unless told; also RS384, RS512, PS256 to PS512, ES384, ES512"},                    \
    {                                                                                                        \
        "jwt-type", "NAME", true, "the token's `typ` is one of these; `JWT`, `at+jwt` or none unless told"   \
    }

struct identity;

// From the settings of a setup whose clock and log live as long as the identity. SYNTAX, RANGE, MISSING and
// those of jwks_open, with *wrong; *identity is NULL then.
MUST_USE enum pdp_err identity_new(const struct pdp_adapter_setup *setup, struct identity **identity,
                                   struct pdp_adapter_wrong *wrong);
void identity_free(struct identity **identity);
// Has the keys read again. Any thread.
void identity_reload(struct identity *identity);
// Is this peer one whose headers are believed? As trusted_is.
bool identity_trusts(const struct identity *identity, const char *peer);
// The verifier's keys and issuer, for logout tokens: NULL where the settings name none.
struct jwks *identity_keys(const struct identity *identity);
const struct jwt_rules *identity_rules(const struct identity *identity);

struct identity_header {
    struct text name, value;
};

enum identity_verdict {
    IDENTITY_REFUSED,  // something is ambiguous or malformed: deny
    IDENTITY_ASK,      // ask, as whoever the facts name
    IDENTITY_NO_TOKEN, // a subject is demanded, and there is none: 401
    IDENTITY_BAD_TOKEN // there is a token that is not valid: 401, whatever else there is
};

// What was found, for as long as the facts are used that point into it.
struct identity_read {
    enum identity_verdict verdict;
    const char *why;      // of what is not to be asked, for administrators. Static
    enum jwt_fault fault; // of a bad token; JWT_OK where its claims do not have what the settings say
    struct text cookie;   // name of the cookie that the session came from
    struct claims *claims;
    struct text roles[IDENTITY_ROLES_MOST], amr[IDENTITY_AMR_MOST];
};

// Fills who it is into `facts`, which hold what is known otherwise and are to be used only with IDENTITY_ASK.
// `believed`: headers (of a subject, roles, …) are, since the peer is trusted; a token and a session's id
// need nobody's word. Texts point into headers, `identity` and `out`. Any thread.
void identity_read(struct identity *identity, const struct identity_header *headers, size_t count,
                   bool believed, int64_t now_ms, struct facts *facts, struct identity_read *out);
void identity_read_fini(struct identity_read *read);

// The same from the claims of a token of another kind, and nothing else: tenant, subject and session as far
// as claims of these names tell them (`subject: claim:sub`, `session: claim:sid`), and a fixed tenant. A
// tenant that a header tells is not known then: IDENTITY_REFUSED. Nothing is to be freed.
void identity_of_claims(const struct identity *identity, const json_t *claims, struct facts *facts,
                        struct identity_read *out);

// The WWW-Authenticate of whom a token is asked for (RFC 6750): none came, or a bad one. NULL: no token would
// help. Static.
const char *identity_challenge(const struct identity_read *who);

#endif
