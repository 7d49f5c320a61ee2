// SPDX-License-Identifier: Apache-2.0
// For whom a policy or a rule holds that is rolled out: a draw that is the same on every node and for ever.
#ifndef POLICY_ROLLOUT_H
#define POLICY_ROLLOUT_H

#include "policy/set.h"

// Public: who is drawn is no secret, and must not change with a restart.
static inline uint64_t rollout_key(struct str name)
{
    static const struct hash_key KEY = {UINT64_C(0x726f6c6c6f7574), 1};
    return hash_64(KEY, name.at, name.len);
}

// The place of `key` in the draw of a rollout, below SET_ROLLOUT_ALL: whoever is in at one percentage is in
// at every higher one. 1e6 divides 2^64 badly by 1 in 10^13, which nobody will notice.
static inline uint32_t rollout_place(const struct set_rollout *rollout, uint64_t key)
{
    unsigned char bytes[8];
    for (unsigned i = 0; i < sizeof bytes; i++) {
        bytes[i] = (unsigned char)(key >> (8 * i));
    }
    struct hash_key by_name = {rollout->draw, 2};
    return (uint32_t)(hash_64(by_name, bytes, sizeof bytes) % SET_ROLLOUT_ALL);
}

const char *rollout_by_name(enum policy_by by);

#endif
