// SPDX-License-Identifier: Apache-2.0
// The key set of an issuer as it is now: read from a file or an https URL by a thread of its own, so that no
// decision waits for it.
#ifndef COMMON_JWKS_H
#define COMMON_JWKS_H

#include "common/jwk.h"

#include <pdp/adapter.h>

struct jwks;

struct jwks_about {
    const char *from;   // file, or URL (fetch.h)
    const char *ca;     // who vouches for the URL's server; NULL: whom the system trusts
    int64_t refresh_ms; // read again so long after the last good reading
    int64_t least_ms;   // an unknown key has it read again, but not sooner than this after the last try
    int64_t max_age_ms; // a set that was last read well so long ago verifies nothing
    void (*log)(void *user, enum pdp_log_level level, const char *event, const char *text);
    void *user; // both live as long as the jwks
};

#define JWKS_REFRESH_MS INT64_C(600000)
#define JWKS_LEAST_MS INT64_C(30000)
#define JWKS_MAX_AGE_MS INT64_C(86400000)

// A file is read before this returns, and has to be good; a URL is asked by the thread, and until it has
// answered well there are no keys. The texts are copied. UNSUPPORTED (a URL that is never fetched), IO,
// SYNTAX, DEPTH, LIMIT, MISSING, NOMEM: *jwks is NULL and `why` tells it for people.
MUST_USE enum pdp_err jwks_open(const struct jwks_about *about, struct jwks **jwks, char *why,
                                size_t why_bytes);
// Accepts NULL and a pointer to NULL; leaves NULL behind. Waits for the thread: a moment.
void jwks_close(struct jwks **jwks);

// The set that holds now, to be released with jwk_set_release; NULL where there is none, or it is too old.
// Any thread; a short lock.
struct jwk_set *jwks_hold(struct jwks *jwks);
// A token named a key that the set lacks: has the set read again, by the thread, where it is time. Any
// thread.
void jwks_wish(struct jwks *jwks);
// Has the set read again at once (a reload). Any thread.
void jwks_reload(struct jwks *jwks);
// How often the set was asked for since it was opened: tries, good or bad. For tests and logs. Any thread.
uint64_t jwks_tries(struct jwks *jwks);

#endif
