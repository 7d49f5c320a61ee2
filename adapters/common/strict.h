// SPDX-License-Identifier: Apache-2.0
// Strict readers of what tokens are made of: base64url without padding, and JSON without doubt.
#ifndef COMMON_STRICT_H
#define COMMON_STRICT_H

#include "common/text.h"

#include <jansson.h>
#include <pdp/err.h>

// How many bytes `len` characters of base64url stand for, at most.
#define STRICT_DECODED(len) ((len) / 4 * 3 + 2)

// RFC 4648 §5: no padding, no white space, and no bits behind the last byte, so that a text has one spelling.
// SYNTAX; LIMIT where `room` is too small; *used is 0 then.
MUST_USE enum pdp_err strict_base64url(const char *text, size_t len, unsigned char *bytes, size_t room,
                                       size_t *used);

// One JSON object and nothing beside it: valid UTF-8, no key twice (however spelt), no NUL, at most `depth`
// maps and lists inside each other. SYNTAX (which includes numbers out of range), DEPTH; *object is NULL
// then.
MUST_USE enum pdp_err strict_object(const char *text, size_t len, unsigned depth, json_t **object);

// The text of a member; NULL where it is missing or no text. Borrowed from the object.
const char *strict_text(const json_t *object, const char *name);

#endif
