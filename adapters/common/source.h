// SPDX-License-Identifier: Apache-2.0
// Where a part of an identity stands: `cookie:NAME`, `header:NAME`, `claim:PATH`, or a fixed text.
#ifndef COMMON_SOURCE_H
#define COMMON_SOURCE_H

#include "common/text.h"

#include <jansson.h>
#include <pdp/err.h>

#define SOURCE_STEPS_MOST 8

enum source_kind {
    SOURCE_NONE,
    SOURCE_FIXED,
    SOURCE_COOKIE,
    SOURCE_HEADER,
    SOURCE_CLAIM
};
#define SOURCE_MAY(kind) (1U << (kind))

struct source {
    enum source_kind kind;
    char *text;                     // name or fixed text; of a claim its steps, each with a NUL behind
    char *steps[SOURCE_STEPS_MOST]; // into text
    size_t step_count;
};

// Reads `cookie:sid`, `header:X-User`, `claim:realm_access.roles` (`\.` is a dot inside a name), of the kinds
// that `may` has bits for; where it has SOURCE_FIXED, what has no such word in front is that text. SYNTAX,
// NOMEM; *out is SOURCE_NONE then.
MUST_USE enum pdp_err source_parse(const char *text, unsigned may, struct source *out);
void source_fini(struct source *source);
// What stands at a claim's path; NULL where there is nothing, or null.
const json_t *source_claim(const struct source *source, const json_t *claims);

#endif
