// SPDX-License-Identifier: Apache-2.0
#include "common/claims.h"

#include <stdatomic.h>
#include <stdlib.h>

struct claims {
    _Atomic uint32_t held;
    json_t *object;
};

struct claims *claims_new(json_t *object)
{
    struct claims *claims = object != NULL ? calloc(1, sizeof *claims) : NULL;
    if (claims == NULL) {
        json_decref(object);
        return NULL;
    }
    claims->held = 1;
    claims->object = object;
    return claims;
}

struct claims *claims_hold(struct claims *claims)
{
    if (claims != NULL) {
        atomic_fetch_add_explicit(&claims->held, 1, memory_order_relaxed);
    }
    return claims;
}

void claims_release(struct claims **claims)
{
    struct claims *it = claims != NULL ? *claims : NULL;
    if (it != NULL && atomic_fetch_sub_explicit(&it->held, 1, memory_order_acq_rel) == 1) {
        json_decref(it->object);
        free(it);
    }
    if (claims != NULL) {
        *claims = NULL;
    }
}

const json_t *claims_object(const struct claims *claims)
{
    return claims != NULL ? claims->object : NULL;
}
