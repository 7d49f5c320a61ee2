// SPDX-License-Identifier: Apache-2.0
// SipHash-2-4 (Aumasson and Bernstein, 2012) under a key drawn at start-up.
#ifndef BASE_HASH_H
#define BASE_HASH_H

#include "base/str.h"

struct hash_key {
    uint64_t k0, k1;
};

struct hash128 {
    uint64_t lo, hi;
};

uint64_t hash_64(struct hash_key key, const void *bytes, size_t len);
struct hash128 hash_128(struct hash_key key, const void *bytes, size_t len);

static inline bool hash128_eq(struct hash128 a, struct hash128 b)
{
    return ((a.lo ^ b.lo) | (a.hi ^ b.hi)) == 0;
}

#endif
