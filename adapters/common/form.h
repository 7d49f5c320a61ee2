// SPDX-License-Identifier: Apache-2.0
// One field out of the body of an HTML form (`application/x-www-form-urlencoded`).
#ifndef COMMON_FORM_H
#define COMMON_FORM_H

#include "common/text.h"

#include <pdp/err.h>

#define FORM_FIELDS_MOST 64

// The decoded value of the only field of that name, at most `room` bytes. MISSING, DUPLICATE; SYNTAX (`%`
// without two digits, a NUL); LIMIT (the value, or the number of fields): *len is 0 then.
MUST_USE enum pdp_err form_field(struct text body, const char *name, char *out, size_t room, size_t *len);

#endif
