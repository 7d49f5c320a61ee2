// SPDX-License-Identifier: Apache-2.0
// Conditions that many rules share an attribute by: an index keeps an attribute only where several lie under
// it.
#ifndef TESTS_DIFF_HERD_H
#define TESTS_DIFF_HERD_H

#include "diff/world.h"

enum herd_kind {
    HERD_WHOLE,
    HERD_IN,
    HERD_STARTS,
    HERD_ENDS,
    HERD_CONTAINS,
    HERD_MATCHES,
    HERD_EITHER, // alternatives of the others
    HERD_MIXED,  // any of these
    HERD_KIND_COUNT
};

struct herd {
    const char *attribute; // NULL: there is none
    bool elements;         // it is a list
    enum herd_kind kind;
};
void herd_choose(struct herd *herd, struct chance *chance);
// A condition in CEL, without single quotes.
void herd_write(const struct herd *herd, struct chance *chance, struct buf *out);

#endif
