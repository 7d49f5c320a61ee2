// SPDX-License-Identifier: Apache-2.0
// What dies together is allocated together: one arena a snapshot, one a request.
#ifndef BASE_ARENA_H
#define BASE_ARENA_H

#include "base/str.h"

struct arena_block;

struct arena {
    struct arena_block *first, *now; // blocks are kept by a reset and used again
    unsigned char *at, *end;         // free space of `now`
    size_t block_bytes;
    size_t used_bytes, limit_bytes; // allocated from the heap so far; 0 is no limit
};

// block_bytes: the least that is taken from the heap at once (0: 64 KiB). limit_bytes: most it may
// take in all; past it allocations fail. Takes nothing from the heap yet.
void arena_init(struct arena *arena, size_t block_bytes, size_t limit_bytes);
void arena_fini(struct arena *arena);
// Forgets all allocations, keeps the blocks: O(1), no system call. Under ASan the memory is poisoned.
void arena_reset(struct arena *arena);

void *arena_slow(struct arena *arena, size_t bytes, size_t align);

// Uninitialised memory, or NULL where the limit or the heap is exhausted. `align` is a power of two.
static inline void *arena_alloc(struct arena *arena, size_t bytes, size_t align)
{
#if !defined(__SANITIZE_ADDRESS__)
    uintptr_t at = ((uintptr_t)arena->at + align - 1) & ~(uintptr_t)(align - 1);
    if (__builtin_expect(
            arena->at != NULL && at <= (uintptr_t)arena->end && bytes <= (uintptr_t)arena->end - at, 1)) {
        arena->at = (unsigned char *)(at + bytes);
        return (void *)at;
    }
#endif
    return arena_slow(arena, bytes, align);
}

// Zeroed; NULL too where count * bytes overflows.
void *arena_zero(struct arena *arena, size_t count, size_t bytes, size_t align);
#define ARENA_NEW(arena, type) ((type *)arena_zero((arena), 1, sizeof(type), _Alignof(type)))
#define ARENA_ARRAY(arena, type, count) ((type *)arena_zero((arena), (count), sizeof(type), _Alignof(type)))

// A copy of text; {NULL, 0} with *ok false where memory is out (`ok` may be NULL).
struct str arena_str(struct arena *arena, struct str s, bool *ok);
// Formatted text; empty where memory is out. Not for the hot path.
struct str arena_printf(struct arena *arena, const char *fmt, ...) PRINTF_LIKE(2, 3);

#endif
