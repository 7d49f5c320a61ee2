// SPDX-License-Identifier: Apache-2.0
#include "base/arena.h"

#include "base/num.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#if defined(__SANITIZE_ADDRESS__)
#include <sanitizer/asan_interface.h>
#define POISON(at, len) ASAN_POISON_MEMORY_REGION((at), (len))
#define UNPOISON(at, len) ASAN_UNPOISON_MEMORY_REGION((at), (len))
static const size_t RED_ZONE = 16; // kept poisoned behind each allocation
#else
#define POISON(at, len) ((void)(at), (void)(len))
#define UNPOISON(at, len) ((void)(at), (void)(len))
static const size_t RED_ZONE = 0;
#endif

struct arena_block {
    struct arena_block *next;
    size_t bytes; // behind this header
    _Alignas(16) unsigned char data[];
};

static const size_t BLOCK_DEFAULT = 64 * 1024;

void arena_init(struct arena *arena, size_t block_bytes, size_t limit_bytes)
{
    *arena = (struct arena){.block_bytes = block_bytes != 0 ? block_bytes : BLOCK_DEFAULT,
                            .limit_bytes = limit_bytes};
}

void arena_fini(struct arena *arena)
{
    struct arena_block *block = arena->first;
    while (block != NULL) {
        struct arena_block *next = block->next;
        UNPOISON(block->data, block->bytes);
        free(block);
        block = next;
    }
    arena_init(arena, arena->block_bytes, arena->limit_bytes);
}

static void arena_use(struct arena *arena, struct arena_block *block)
{
    arena->now = block;
    arena->at = block->data;
    arena->end = block->data + block->bytes;
}

void arena_reset(struct arena *arena)
{
    for (struct arena_block *block = arena->first; RED_ZONE != 0 && block != NULL; block = block->next) {
        POISON(block->data, block->bytes);
    }
    if (arena->first != NULL) {
        arena_use(arena, arena->first);
    }
}

// Puts a new block behind the one in use.
static bool arena_more(struct arena *arena, size_t least)
{
    size_t bytes = least > arena->block_bytes ? least : arena->block_bytes;
    size_t used = 0, whole = 0;
    if (!num_add(bytes, sizeof(struct arena_block), &whole) || !num_add(arena->used_bytes, whole, &used) ||
        (arena->limit_bytes != 0 && used > arena->limit_bytes)) {
        return false;
    }
    struct arena_block *block = malloc(whole);
    if (block == NULL) {
        return false;
    }
    block->bytes = bytes;
    POISON(block->data, bytes);
    struct arena_block **place = arena->now != NULL ? &arena->now->next : &arena->first;
    block->next = *place;
    *place = block;
    arena->used_bytes = used;
    arena_use(arena, block);
    return true;
}

void *arena_slow(struct arena *arena, size_t bytes, size_t align)
{
    size_t least = 0;
    if (!num_add(bytes, align + RED_ZONE, &least)) {
        return NULL;
    }
    for (;;) {
        if (arena->at != NULL) {
            uintptr_t at = ((uintptr_t)arena->at + align - 1) & ~(uintptr_t)(align - 1);
            if (at <= (uintptr_t)arena->end && (uintptr_t)arena->end - at >= bytes + RED_ZONE) {
                arena->at = (unsigned char *)(at + bytes + RED_ZONE);
                UNPOISON((void *)at, bytes);
                return (void *)at;
            }
        }
        // A kept block may be too small for this one: then a new one goes before it.
        if (arena->now != NULL && arena->now->next != NULL && arena->now->next->bytes >= least) {
            arena_use(arena, arena->now->next);
        } else if (!arena_more(arena, least)) {
            return NULL;
        }
    }
}

void *arena_zero(struct arena *arena, size_t count, size_t bytes, size_t align)
{
    size_t whole = 0;
    if (!num_mul(count, bytes, &whole)) {
        return NULL;
    }
    void *at = arena_alloc(arena, whole, align);
    if (at != NULL) {
        memset(at, 0, whole);
    }
    return at;
}

struct str arena_str(struct arena *arena, struct str s, bool *ok)
{
    char *copy = arena_alloc(arena, s.len + (s.len == 0), 1);
    if (ok != NULL) {
        *ok = copy != NULL;
    }
    if (copy == NULL) {
        return (struct str){NULL, 0};
    }
    if (s.len > 0) {
        memcpy(copy, s.at, s.len);
    }
    return (struct str){copy, s.len};
}

struct str arena_printf(struct arena *arena, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    int len = vsnprintf(NULL, 0, fmt, args);
    va_end(args);
    char *text = len >= 0 ? arena_alloc(arena, (size_t)len + 1, 1) : NULL;
    if (text == NULL) {
        return (struct str){NULL, 0};
    }
    va_start(args, fmt);
    vsnprintf(text, (size_t)len + 1, fmt, args);
    va_end(args);
    return (struct str){text, (size_t)len};
}
