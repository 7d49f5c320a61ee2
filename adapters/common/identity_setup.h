// SPDX-License-Identifier: Apache-2.0
// What the settings of an identity say. Only identity.c and identity_setup.c know it.
#ifndef COMMON_IDENTITY_SETUP_H
#define COMMON_IDENTITY_SETUP_H

#include "common/identity.h"
#include "common/source.h"
#include "common/trusted.h"

// X(field, setting, what it may be)
#define IDENTITY_SOURCES(X)                                                                                 \
    X(session, "session", SOURCE_MAY(SOURCE_COOKIE) | SOURCE_MAY(SOURCE_HEADER) | SOURCE_MAY(SOURCE_CLAIM)) \
    X(subject, "subject", SOURCE_MAY(SOURCE_HEADER) | SOURCE_MAY(SOURCE_CLAIM))                             \
    X(tenant, "tenant", SOURCE_MAY(SOURCE_FIXED) | SOURCE_MAY(SOURCE_HEADER) | SOURCE_MAY(SOURCE_CLAIM))    \
    X(roles, "roles", SOURCE_MAY(SOURCE_HEADER) | SOURCE_MAY(SOURCE_CLAIM))                                 \
    X(auth_time, "auth-time", SOURCE_MAY(SOURCE_HEADER) | SOURCE_MAY(SOURCE_CLAIM))                         \
    X(acr, "acr", SOURCE_MAY(SOURCE_HEADER) | SOURCE_MAY(SOURCE_CLAIM))                                     \
    X(amr, "amr", SOURCE_MAY(SOURCE_HEADER) | SOURCE_MAY(SOURCE_CLAIM))                                     \
    X(token, "jwt", SOURCE_MAY(SOURCE_HEADER) | SOURCE_MAY(SOURCE_COOKIE))

struct identity {
#define X(field, setting, may) struct source field;
    IDENTITY_SOURCES(X)
#undef X
    char *subject_type;
    bool refuses_anonymous;
    struct trusted *trusted;
    struct jwks *keys; // NULL: no tokens
    struct jwt *jwt;
    struct jwt_rules rules; // of which the verifier has a copy; lists are owned
    const char **audiences, **types;
    char *issuer;
};

#endif
