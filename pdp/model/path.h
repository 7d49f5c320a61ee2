// SPDX-License-Identifier: Apache-2.0
// The one canonicaliser of resource paths: what matching sees, and what goes back to the gateway.
#ifndef MODEL_PATH_H
#define MODEL_PATH_H

#include "base/arena.h"

// Takes the target of a request as a gateway sent it (`/a/b%2Dc?q=1`).
//
// OK: *out is the path without its query. Two spellings that every server reads as the same resource give the
// same text: percent-encoded bytes that need no encoding are decoded, all others are encoded in upper-case
// hex
// (`%7e` and `~` are `~`; `%3f` is `%3F`; letters beyond ASCII are encoded UTF-8). *out is `raw` itself, or a
// part of it, where nothing changes, else in the arena. The canonical of a canonical path is itself.
//
// MALFORMED, with *why a static text for people: servers are known to disagree about what this path names, so
// no rule can speak about it. That is: not starting with `/`, an empty segment (`//`), a `.` or `..` segment,
// one of dots and blanks (`...`, `..%20`), or of dots in front of an encoded `?` or `#`, `;`,
// `\`, `#`, an encoded slash, a control byte, a bad escape, text that is not UTF-8, or a `%25` whose second
// decoding would give another byte (`%252e`). Case is kept, and so is a last `/`.
//
// NOMEM with *out empty. Hot path: linear, allocates from the arena only.
MUST_USE enum pdp_err path_canonical(struct str raw, struct arena *arena, struct str *out, const char **why);

#endif
