// SPDX-License-Identifier: Apache-2.0
// A Set-Cookie line for an id that was made here (RFC 6265, with the prefix `__Host-`). Inside of the engine.
#ifndef ENGINE_COOKIE_H
#define ENGINE_COOKIE_H

#include "base/arena.h"
#include "model/value.h"

#define COOKIE_NAME_MAX 64

struct cookie {
    struct str name;      // without the prefix; borrowed from the event, or static
    struct str same_site; // `Lax`, `Strict` or `None`; static
};

// What the event asks for: `name` and `same_site` may be NULL (`session`, Lax). false: they are not what they
// should be, and *out is not to be used.
MUST_USE bool cookie_asked(const struct value *name, const struct value *same_site, struct cookie *out);
// `__Host-NAME=ID; Path=/; Secure; HttpOnly; SameSite=Lax; Max-Age=N`, in the arena; 0 leaves Max-Age out. At
// NULL where memory is out.
struct str cookie_line(const struct cookie *cookie, struct str id, int64_t max_age_s, struct arena *arena);

#endif
