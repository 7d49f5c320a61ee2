// SPDX-License-Identifier: Apache-2.0
// How many different hashes were seen: exactly up to a bound, estimated beyond; in 256 bytes.
#ifndef RISK_DISTINCT_H
#define RISK_DISTINCT_H

#include "base/err.h"

#define DISTINCT_ROOM 63

// The least hashes that were given, sorted. The same set has the same bytes in whatever order, and however
// often, its members came.
struct distinct {
    uint16_t count;
    uint16_t over; // 1: there were more than are kept
    uint32_t least[DISTINCT_ROOM];
};

// Adds a hash, which must be spread evenly. Returns whether anything changed.
bool distinct_add(struct distinct *set, uint32_t hash);
// How many different hashes both sets were given together: exact while neither is over, else within an eighth
// two times in three (1/√63), whatever the number.
uint32_t distinct_count(const struct distinct *a, const struct distinct *b);
// Could distinct_add have made it?
bool distinct_valid(const struct distinct *set);

#endif
