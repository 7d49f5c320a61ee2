// SPDX-License-Identifier: Apache-2.0
// The claims of a token that was found valid, shared by threads. Jansson's own count is not for that: it is
// read without order, and what is let go last is freed without it.
#ifndef COMMON_CLAIMS_H
#define COMMON_CLAIMS_H

#include "common/text.h"

#include <jansson.h>

struct claims;

// Takes the object, also on failure. NULL where memory is out.
struct claims *claims_new(json_t *object);
struct claims *claims_hold(struct claims *claims);
// Accepts NULL and a pointer to NULL; leaves NULL behind.
void claims_release(struct claims **claims);
// To be read, never changed nor counted. NULL gives NULL, which has no members.
const json_t *claims_object(const struct claims *claims);

#endif
