// SPDX-License-Identifier: Apache-2.0
// Where a key stands among sorted keys, in a few cache lines however many and however unevenly they lie:
// above the keys, each level holds every sixteenth key of the one below.
#ifndef POLICY_RANK_H
#define POLICY_RANK_H

#include "base/arena.h"

enum {
    RANK_WIDTH = 16,
    RANK_LEVELS = 8 // 16^8 keys
};
#define RANK_NONE UINT32_MAX

struct rank_level32 {
    const uint32_t *keys; // padded to whole blocks of RANK_WIDTH
    uint32_t count;
};

struct rank32 {
    struct rank_level32 levels[RANK_LEVELS]; // 0 holds all keys
    uint32_t height;                         // 0: there are no keys
};

struct rank_key128 {
    uint64_t hi, lo;
};

struct rank_level128 {
    const struct rank_key128 *keys;
    uint32_t count;
};

struct rank128 {
    struct rank_level128 levels[RANK_LEVELS];
    uint32_t height;
};

// Copies `count` sorted keys, each once, into the arena. LIMIT for too many, NOMEM.
MUST_USE enum pdp_err rank32_build(struct rank32 *rank, const uint32_t *keys, size_t count,
                                   struct arena *arena);
MUST_USE enum pdp_err rank128_build(struct rank128 *rank, const struct rank_key128 *keys, size_t count,
                                    struct arena *arena);

// The last key at or below `key`; RANK_NONE where there is none. Logarithmic, base sixteen.
uint32_t rank32_find(const struct rank32 *rank, uint32_t key);
uint32_t rank128_find(const struct rank128 *rank, struct rank_key128 key);

// Compilers make one subtraction with a borrow of it.
static inline bool rank_at_or_below(struct rank_key128 a, struct rank_key128 b)
{
    __extension__ unsigned __int128 one = a.hi, two = b.hi;
    one = one << 64 | a.lo;
    two = two << 64 | b.lo;
    return one <= two;
}

#endif
