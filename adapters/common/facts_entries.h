// SPDX-License-Identifier: Apache-2.0
// The question that facts make as bytes, without a tree in between: for gateways that ask from one thread.
#ifndef COMMON_FACTS_ENTRIES_H
#define COMMON_FACTS_ENTRIES_H

#include "common/facts.h"

#include <pdp/err.h>

// One more property of the subject (not where it is anonymous) or of the resource, as text.
struct facts_property {
    bool of_subject;
    struct text name, value;
};

// Writes what facts_ask asks, and properties behind it, as the entries of a CBOR map, *count of them, into
// `out`; *len is how many bytes. LIMIT, with *len 0, where `room` is too small. Nothing is looked at: text
// that is no UTF-8, or a name that is there twice, is refused by the decision point. Cost: one pass, no
// allocation.
MUST_USE enum pdp_err facts_entries(const struct facts *facts, const struct facts_property *properties,
                                    size_t property_count, unsigned char *out, size_t room, size_t *len,
                                    size_t *count);

#endif
