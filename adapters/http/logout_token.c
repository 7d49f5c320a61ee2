// SPDX-License-Identifier: Apache-2.0
#include "http/logout_token.h"

#include "common/jwt.h"

#define EVENT "http://schemas.openid.net/event/backchannel-logout"
#define ID_BYTES_MOST 255

// A claim that is text of 1 to 255 bytes, or missing. false: it is something else.
static bool read_id(const json_t *claims, const char *name, struct text *out)
{
    const json_t *claim = json_object_get(claims, name);
    *out = (struct text){0};
    if (claim == NULL) {
        return true;
    }
    if (!json_is_string(claim) || json_string_length(claim) == 0 ||
        json_string_length(claim) > ID_BYTES_MOST) {
        return false;
    }
    *out = (struct text){json_string_value(claim), json_string_length(claim)};
    return true;
}

// `iat` and `exp` are numbers of this age of the world, or the token would not be here.
static bool is_fresh(const json_t *claims, int64_t now_ms)
{
    const json_t *iat = json_object_get(claims, "iat");
    double oldest = (double)(now_ms / 1000 - LOGOUT_AGE_MOST_S - JWT_SKEW_S);
    return json_is_number(iat) && json_number_value(iat) >= oldest;
}

const char *logout_token_read(const json_t *claims, int64_t now_ms, struct logout_token *out)
{
    const json_t *events = json_object_get(claims, "events");
    *out = (struct logout_token){0};
    if (!json_is_object(events) || !json_is_object(json_object_get(events, EVENT))) {
        return "its `events` is no object with the event of a back-channel logout";
    }
    if (json_object_get(claims, "nonce") != NULL) {
        return "it has a `nonce`, as a token of a user has";
    }
    if (!is_fresh(claims, now_ms)) {
        return "its `iat` is missing, or more than 10 minutes ago";
    }
    if (!read_id(claims, "jti", &out->jti) || out->jti.at == NULL) {
        return "its `jti` is missing, or no text of 1 to 255 bytes";
    }
    if (!read_id(claims, "sub", &out->sub) || !read_id(claims, "sid", &out->sid) ||
        (out->sub.at == NULL && out->sid.at == NULL)) {
        return "it has neither `sub` nor `sid` as text of 1 to 255 bytes";
    }
    out->until_s = (int64_t)json_number_value(json_object_get(claims, "exp")) + JWT_SKEW_S + 1;
    return NULL;
}
