// SPDX-License-Identifier: Apache-2.0
// Tokens that were found valid, by their digest: a signature is checked once, not with every request.
#ifndef COMMON_JWT_MEMORY_H
#define COMMON_JWT_MEMORY_H

#include "common/claims.h"

#define JWT_DIGEST_BYTES 32

struct jwt_memory;

// A table of fixed size for `tokens` (rounded up). NULL where memory is out.
struct jwt_memory *jwt_memory_new(size_t tokens);
void jwt_memory_free(struct jwt_memory **memory);

// The claims of a token that was put in under the same mark (of the keys), to be released; NULL where
// it is not there. Whether it is still its time is the caller's to ask. Any thread.
struct claims *jwt_memory_get(struct jwt_memory *memory, const unsigned char digest[JWT_DIGEST_BYTES],
                              uint64_t mark);
// Takes a reference of its own; displaces what was not asked for longest among four. Any thread.
void jwt_memory_put(struct jwt_memory *memory, const unsigned char digest[JWT_DIGEST_BYTES], uint64_t mark,
                    struct claims *claims);

#endif
