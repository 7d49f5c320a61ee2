// SPDX-License-Identifier: Apache-2.0
// Patterns of resources: exact, `/a/*` (one segment), `/a/**` (`/a` and all below it), `/a/*/b`.
#ifndef POLICY_GLOB_H
#define POLICY_GLOB_H

#include "base/str.h"

struct glob {
    struct str text;
    uint32_t fixed; // bytes before the first wildcard; all of them where there is none
};

// Takes a pattern apart; borrows the text. On an error *why says what is wrong and *at, *len where.
struct glob_fault {
    const char *why, *hint;
    uint32_t at, len;
};
MUST_USE enum pdp_err glob_read(struct str text, struct glob *out, struct glob_fault *fault);

// Linear in the path.
bool glob_match(const struct glob *glob, struct str path);

// What every path that matches equals or starts with, for an index: an exact text, a prefix, or both
// (`/a/**`: `/a` or what starts with `/a/`). false where any path may match.
struct glob_keys {
    struct str exact, prefix; // empty: none
};
bool glob_keys_of(const struct glob *glob, struct glob_keys *out);

#endif
