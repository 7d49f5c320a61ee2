// SPDX-License-Identifier: Apache-2.0
// What a logout token says beside what every token must (OpenID Connect Back-Channel Logout 1.0, §2.4, §2.6).
#ifndef HTTP_LOGOUT_TOKEN_H
#define HTTP_LOGOUT_TOKEN_H

#include "common/text.h"

#include <jansson.h>

#define LOGOUT_AGE_MOST_S INT64_C(600) // since it was issued

struct logout_token {
    struct text sub, sid, jti; // sub or sid may be missing; borrowed from the claims
    int64_t until_s;           // it is valid no longer than that
};

// NULL, or why it is none: no `iat` or an old one, no `jti`, no event of a logout, a `nonce`, neither `sub`
// nor `sid`.
const char *logout_token_read(const json_t *claims, int64_t now_ms, struct logout_token *out);

#endif
