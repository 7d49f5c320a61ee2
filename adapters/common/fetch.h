// SPDX-License-Identifier: Apache-2.0
// The bytes of a small document: from a file, or from an https URL.
#ifndef COMMON_FETCH_H
#define COMMON_FETCH_H

#include "common/strict.h"

#include <stdatomic.h>
#include <stdbool.h>

// `https://…`, or `http://` of this machine (127.0.0.1, [::1], localhost): nobody stands between.
bool fetch_is_url(const char *from);
// A URL of another scheme, or http to somewhere else: never fetched.
bool fetch_is_unsafe(const char *from);

struct fetch_about {
    const char *from;        // file or URL
    const char *ca;          // file with the CAs that vouch for the server; NULL: the system's
    size_t most;             // bytes; more is LIMIT
    const atomic_bool *stop; // ends it early
};

// Blocks: of a URL for at most 10 s. No redirect is followed, no cookie kept, and only status 200 counts. On
// success *bytes is to be freed with free(). LIMIT, NOMEM, and IO otherwise: *bytes is NULL, and `why` tells
// it.
MUST_USE enum pdp_err fetch_bytes(const struct fetch_about *about, char **bytes, size_t *len, char *why,
                                  size_t why_bytes);

#endif
